"""MaskStyleGAN: the battery, the numbers of its networks, and what masks and noise decide."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, set_known_weights, value_of
from test_dcgan import count
from test_design import HEADS, UNDECIDED, FixedDiscriminator, batch

from keras_design_gans.models import MaskStyleGAN
from keras_design_gans.models.mask_stylegan import mask_generator


def tiny_masks(size, n):
    """Boxes of growing width: 1 inside, -1 around."""
    masks = np.full((n, size, size, 1), -1, "float32")
    for index in range(n):
        masks[index, size // 4 : -size // 4, size // 8 : size // 2 + index % (size // 4)] = 1
    return masks


def tiny_model(size=16, **arguments):
    return MaskStyleGAN(
        HEADS, image_shape=(size, size, 3), latent_dim=8, base_filters=4, **arguments
    )


class TestMaskStyleGAN(GanTestCase):
    known_pixels = [-0.2980486, -0.6158173, -0.2960022, -0.5973643, -0.3071836, -0.6066168]

    def make_model(self, size=16):
        return tiny_model(size, average_decay=0.9, r1_weight=0.1, class_smoothing=0.1)

    def make_batch(self, size=16, n=8):
        return {**batch(size, n), "mask": tiny_masks(size, n)}

    def output(self, model):
        return model.generate(4, seed=0, masks=tiny_masks(model.image_shape[0], 4))

    def network_to_export(self, model):
        return model.sampler, [tiny_masks(model.image_shape[0], 3), model.sample_latents(3, seed=0)]

    def more_bad_batches(self, good):
        return {
            "'mask' must have shape .batch, 16, 16, 1.": {**good, "mask": good["image"]},
            "'mask' must lie in .-1, 1.": {**good, "mask": 127.5 * (good["mask"] + 1)},
            "'mask' is missing": {key: good[key] for key in good if key != "mask"},
        }


@pytest.mark.one_backend
def test_weights_of_the_generator():
    assert count(mask_generator()) == 7_489_923
    # At 64 pixels the noise begins with 4 x 4 in the place of 8 x 8 pixels of 64 channels.
    assert count(mask_generator((64, 64, 3))) == 7_489_923 - 100 * 64 * (8 * 8 - 4 * 4)
    wider = mask_generator((64, 64, 3), noise_filters=(128, 64, 64))
    more = 100 * 64 * 4 * 4 + 64 * 64 * 4 * 4 + 2 * 64  # and gamma and beta
    assert count(wider) == count(mask_generator((64, 64, 3))) + more
    # At 256 pixels one more convolution 5/2 from the mask, and one more layer 4/2 at the end.
    extra = 25 * 128 * 128 + 2 * 128 + 16 * 64 * 64 + 2 * 64
    assert count(mask_generator((256, 256, 3))) == 7_489_923 + extra


@pytest.mark.parametrize(("side", "meeting"), [(16, 4), (64, 16), (128, 32), (256, 32)])
def test_the_branches_meet_at_a_quarter_but_at_32_at_most(side, meeting):
    generator = mask_generator((side, 2 * side, 3), base_filters=2)
    [joint] = [layer for layer in generator.layers if isinstance(layer, keras.layers.Concatenate)]
    assert joint.output.shape[1:] == (meeting, 2 * meeting, 4 + 64)
    assert generator.output_shape == (None, side, 2 * side, 3)


def test_generator_objective_by_hand():
    """Twice log 2 for realism, half of log 3 + log 2 for the heads, 3 for grey masks."""
    weights = {"g_real_weight": 2.0, "g_creativity_weight": 0.5, "reconstruction_weight": 3.0}
    model = tiny_model(**weights)
    model.discriminator = FixedDiscriminator(UNDECIDED)
    masks = tiny_masks(16, 5)
    fake = np.zeros((5 + 2, 16, 16, 3), "float32")  # each mask, and the first and fifth again
    fake = keras.ops.convert_to_tensor(fake)
    loss, logs = model.generator_objective({"mask": masks}, fake, training=False)
    expected = 2 * math.log(2) + 0.5 * math.log(6) + 3.0
    assert float(loss) == float(logs["g_loss"]) == pytest.approx(expected, rel=1e-4)
    assert float(logs["reconstruction_loss"]) == pytest.approx(1.0)


def test_without_noise_the_object_shall_be_black_on_white():
    masks = tiny_masks(16, 2)
    textured, plain = np.zeros((2, 16, 16, 3)), np.repeat(-masks[:1], 3, axis=-1)
    fake = np.concatenate([textured, plain]).astype("float32")
    _, logs = tiny_model().generator_objective({"mask": masks}, fake, training=False)
    assert float(logs["reconstruction_loss"]) == 0.0


@pytest.mark.parametrize("paired", [True, False])
def test_what_the_discriminator_sees(paired):
    """With the mask, a picture in the mask of another one is judged otherwise."""
    model = tiny_model(paired=paired, instance_noise=0.0)
    set_known_weights(model.discriminator)
    assert model.discriminator.input_shape == (None, 16, 16, 3 + paired)
    data, masks = batch(16, 4), tiny_masks(16, 4)
    own, other = (
        model.judge(model.pair(data["image"], mask), training=False)["real"]
        for mask in (masks, masks[::-1])
    )
    own, other = keras.ops.convert_to_numpy(own), keras.ops.convert_to_numpy(other)
    assert (np.abs(own - other).max() > 1e-4) == paired


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.one_backend
def test_batches_of_odd_length_train(n):
    model = tiny_model()
    model.compile()
    losses = model.train_on_batch({**batch(16, n), "mask": tiny_masks(16, n)}, return_dict=True)
    assert all(map(np.isfinite, losses.values()))


@pytest.mark.parametrize("training", [True, False])
def test_no_noise_at_all_gives_finite_pictures(training):
    """The noise branch then has no variance for batch normalisation to divide by."""
    masks, nothing = tiny_masks(16, 4), np.zeros((4, 8), "float32")
    pictures = tiny_model().generator([masks, nothing], training=training)
    assert np.isfinite(keras.ops.convert_to_numpy(pictures)).all()


@pytest.mark.parametrize("training", [True, False])
def test_some_masks_are_drawn_again_without_noise(training):
    model = tiny_model()
    set_known_weights(model.generator)
    masks = tiny_masks(16, 5)
    given = {"mask": keras.ops.convert_to_tensor(masks)}
    before = model.decode(np.zeros((2, 8)), masks[::4])
    fake = keras.ops.convert_to_numpy(model.make_fakes(given, training))
    drawn, plain = fake[:5][::4], fake[5:]
    # In training the moving statistics have moved, and the new ones draw without noise.
    after = model.decode(np.zeros((2, 8)), masks[::4])
    assert (np.abs(after - before).max() > 1e-3) == training
    np.testing.assert_allclose(plain, after, atol=1e-5)
    assert np.abs(drawn - plain).max() > 1e-3


@pytest.mark.one_backend
def test_reconstruction_alone_teaches_the_generator_the_mask():
    model = tiny_model(g_real_weight=0.0, creativity="none")
    adam = keras.optimizers.Adam(1e-2)
    model.compile(generator_optimizer=adam, discriminator_optimizer=keras.optimizers.SGD(0.0))
    before = [value_of(v) for v in model.discriminator.trainable_variables]
    data = {**batch(), "mask": tiny_masks(16, 8)}
    first, *_, last = [
        model.train_on_batch(data, return_dict=True)["reconstruction_loss"] for _ in range(30)
    ]
    assert last < 0.8 * first
    assert all(map(np.array_equal, before, map(value_of, model.discriminator.trainable_variables)))


def test_one_mask_or_one_vector_is_repeated():
    model = tiny_model()
    set_known_weights(model.generator)
    masks, latents = tiny_masks(16, 3), model.sample_latents(3, seed=0)
    pairs = model.decode(latents, masks)
    one_shape = model.decode(latents, masks[:1])
    one_texture = model.decode(latents[:1], masks)
    assert one_shape.shape == one_texture.shape == pairs.shape
    for repeated in (one_shape, one_texture):
        np.testing.assert_allclose(repeated[0], pairs[0], atol=1e-6)
        assert np.abs(repeated[1] - pairs[1]).max() > 1e-3
    np.testing.assert_array_equal(model.generate(3, 0, masks), pairs)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (None, "features=.'image', 'mask'.*product_mask"),
        (tiny_masks(16, 2), "1 or 4 masks for 4 pictures, got 2"),
        (tiny_masks(8, 4), "'masks' must have shape .batch, 16, 16, 1."),
        (tiny_masks(16, 4)[..., 0], "'masks' must have shape .batch, 16, 16, 1."),
        (127.5 * tiny_masks(16, 4), "'masks' must lie in .-1, 1.*127.5"),
    ],
)
def test_wrong_masks_are_named(masks, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().generate(4, masks=masks)


def test_as_many_vectors_as_masks():
    with pytest.raises(ValueError, match="3 masks for 2 pictures"):
        tiny_model().decode(numbers((2, 8), seed=0), tiny_masks(16, 3))
