"""Pix2Pix: the battery, the numbers of the paper's networks, patches, noise and variants."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, set_known_weights, value_of
from keras import layers
from test_dcgan import count, tiny_images

from keras_design_gans.models import Pix2Pix
from keras_design_gans.models.pix2pix import patch_discriminator, unet_generator


def tiny_sketches(size, n):
    return np.tanh(5 * numbers((n, size, size, 1), seed=2))


def batch(size=16, n=8):
    return {"sketch": tiny_sketches(size, n), "image": tiny_images(size, n)}


def tiny_model(size=16, **arguments):
    return Pix2Pix((size, size, 3), **{"base_filters": 4, "patch": 16, **arguments})


class Pix2PixTestCase(GanTestCase):
    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def output(self, model):
        return model.translate(tiny_sketches(model.image_shape[0], 4), seed=0)

    def network_to_export(self, model):
        sketches = tiny_sketches(model.image_shape[0], 3)
        return model.generator, [sketches, *model.draw_noise(3, seed=0)]

    def more_bad_batches(self, good):
        return {
            "'sketch' must have shape .batch, 16, 16, 1.": {**good, "sketch": good["image"]},
            "'sketch' must lie in .-1, 1.": {**good, "sketch": 127.5 * (good["sketch"] + 1)},
            "'sketch' is missing": {"image": good["image"]},
        }


class TestPix2Pix(Pix2PixTestCase):
    known_pixels = [-0.3488542, -0.4975209, -0.4597940, -0.2869945, -0.3340819, -0.5820462]

    def make_model(self, size=16):
        return tiny_model(size, instance_noise=0.1, r1_weight=1.0)


@pytest.mark.one_backend
def test_weights_of_the_256_pixel_networks():
    assert count(unet_generator()) == 54_413_955
    discriminator = patch_discriminator()
    assert count(discriminator) == 2_768_705
    assert discriminator.output_shape == (None, 30, 30, 1)


@pytest.mark.one_backend
@pytest.mark.parametrize(("side", "weights"), [(128, 41_828_995), (64, 29_244_035)])
def test_weights_of_smaller_generators(side, weights):
    assert count(unet_generator((side, side, 3))) == weights


@pytest.mark.parametrize(
    ("side", "patch", "map_side"), [(256, 70, 30), (64, 34, 14), (64, 16, 30), (64, 1, 64)]
)
def test_size_of_the_map_of_logits(side, patch, map_side):
    shape = (side, side, 3)
    discriminator = patch_discriminator((side, side, 1), shape, base_filters=1, patch=patch)
    assert discriminator.output_shape == (None, map_side, map_side, 1)


@pytest.mark.parametrize("patch", [1, 16, 34, 70])
def test_a_logit_sees_a_square_of_the_size_of_the_patch(patch):
    """Without normalisation, which looks at the whole map, one logit depends on its patch only."""
    shape = (96, 96, 1)
    network = patch_discriminator(shape, shape, base_filters=1, patch=patch)
    for layer in network.layers:
        if isinstance(layer, layers.GroupNormalization):
            layer.call = lambda x: x
        if isinstance(layer, layers.Conv2D):
            layer.kernel.assign(np.abs(value_of(layer.kernel)) + 1)
    middle = network.output_shape[1] // 2
    model = Pix2Pix(shape, 1, discriminator=network, levels=2, base_filters=1)
    image = keras.ops.convert_to_tensor(np.ones((1, *shape), "float32"))
    slopes = model.input_gradients(lambda x: network([image, x])[:, middle, middle], image)
    seen = np.argwhere(keras.ops.convert_to_numpy(slopes)[0, ..., 0])
    assert (seen.max(axis=0) - seen.min(axis=0) + 1).tolist() == [patch, patch]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch": 33}, "patch must be one of 1, 16, 34, 70"),
        ({"patch": 70}, "at least 24 pixels"),
        ({"levels": 5}, "5 levels .* allow 4"),
        ({"levels": 1}, "at least 2 levels"),
        ({"image_shape": (30, 30, 3)}, "Sides of 16, 32"),
        ({"adversarial": "lsgan"}, "'gan', 'wgan', 'none', got 'lsgan'"),
        ({"normalization": "layer"}, "'instance', 'batch', got 'layer'"),
    ],
)
def test_what_cannot_be_built_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Pix2Pix(**{"image_shape": (16, 16, 3), "patch": 16, "base_filters": 2, **arguments})


def test_levels_follow_from_the_sides():
    wide = unet_generator((16, 48, 1), base_filters=2)
    assert wide.output_shape == (None, 16, 48, 3)
    assert narrowest(wide) == (1, 3)
    assert narrowest(unet_generator((16, 16, 1), base_filters=2, levels=3)) == (2, 2)


def narrowest(network):
    maps = [layer.output.shape[1:3] for layer in network.layers if len(layer.output.shape) == 4]
    return min(maps)


def test_the_map_in_the_middle_is_not_normalised():
    generator = unet_generator((16, 16, 1), base_filters=2)
    norms = [x for x in generator.layers if isinstance(x, layers.GroupNormalization)]
    assert [norm.output.shape[1] for norm in norms] == [4, 2, 2, 4, 8]


def test_batch_normalisation_takes_averages_of_the_training(tmp_path):
    model = tiny_model(normalization="batch")
    model.compile()
    sketches = tiny_sketches(16, 4)
    before = [value_of(v).copy() for v in model.generator.non_trainable_variables]
    assert len(before) == 2 * 5  # a mean and a variance for each map that is normalised
    for _ in range(3):
        model.train_on_batch(batch())
    for old, new in zip(before, model.generator.non_trainable_variables, strict=True):
        assert np.abs(value_of(new) - old).max() > 1e-4
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        again.translate(sketches, seed=0), model.translate(sketches, seed=0), atol=1e-6
    )


def test_without_skips_nothing_is_joined():
    def joints(network):
        return [x for x in network.layers if isinstance(x, layers.Concatenate)]

    assert len(joints(unet_generator((16, 16, 1), base_filters=2))) == 3
    plain = unet_generator((16, 16, 1), base_filters=2, skips=False)
    assert not joints(plain)
    assert plain.output_shape == (None, 16, 16, 3)


def test_noise_is_dropout():
    noise = tiny_model(32).draw_noise(2, seed=0)
    assert [x.shape[1:] for x in noise] == [(2, 2, 32), (4, 4, 16), (8, 8, 8)]
    assert set(np.unique(noise[2])) == {0.0, 2.0}
    assert np.mean(noise[2]) == pytest.approx(1.0, abs=0.15)


def test_spatial_dropout_has_one_number_for_each_map():
    model = tiny_model(32, spatial_dropout=True)
    noise = model.draw_noise(2, seed=0)
    assert [x.shape for x in noise] == [(2, 1, 1, 32), (2, 1, 1, 16), (2, 1, 1, 8)]
    set_known_weights(model.generator)
    sketches = tiny_sketches(32, 3)
    assert np.abs(model.translate(sketches, 0) - model.translate(sketches, 1)).max() > 1e-3
    model.compile()
    logs = model.train_on_batch({"sketch": sketches, "image": tiny_images(32, 3)}, return_dict=True)
    assert np.isfinite(logs["g_loss"])
    assert type(model).from_config(model.get_config()).noise_shapes == model.noise_shapes


def test_pictures_repeat_by_seed_and_differ_between_seeds():
    model = tiny_model()
    set_known_weights(model.generator)
    sketches = tiny_sketches(16, 3)
    made = model.translate(sketches, seed=3)
    np.testing.assert_array_equal(model.translate(sketches, seed=3), made)
    assert np.abs(model.translate(sketches, seed=4) - made).max() > 1e-3
    assert np.abs(model.translate(sketches) - made).max() > 1e-3


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_a_picture_does_not_depend_on_the_others(normalization):
    model = tiny_model(normalization=normalization)
    set_known_weights(model.generator)
    sketches = tiny_sketches(16, 5)
    together = model.translate(sketches, seed=0)
    np.testing.assert_allclose(model.translate(sketches, seed=0, batch_size=2), together, atol=1e-5)
    np.testing.assert_allclose(model.translate(sketches[:1], seed=0), together[:1], atol=1e-5)
    other = model.translate(np.concatenate([sketches[:1], -sketches[1:]]), seed=0)
    np.testing.assert_allclose(other[:1], together[:1], atol=1e-5)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (tiny_images(16, 2), "'images' must have shape .batch, 16, 16, 1."),
        (tiny_sketches(8, 2), "'images' must have shape .batch, 16, 16, 1."),
        (127.5 * (tiny_sketches(16, 2) + 1), "'images' must lie in .-1, 1."),
    ],
)
def test_wrong_sources_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().translate(images)


def undecided(source_shape=(16, 16, 1), image_shape=(16, 16, 3), value=0.0):
    """A discriminator with one logit everywhere."""
    network = patch_discriminator(source_shape, image_shape, base_filters=1, patch=1)
    network.layers[-1].kernel.assign(0 * value_of(network.layers[-1].kernel))
    network.layers[-1].bias.assign([value])
    return network


def test_objectives_by_hand():
    """An undecided discriminator, and grey pictures where white ones are asked for."""
    model = tiny_model(discriminator=undecided(), l1_weight=100.0)
    source, white = keras.ops.zeros((2, 16, 16, 1)), keras.ops.ones((2, 16, 16, 3))
    loss, _ = model.discriminator_objective(source, white, 0 * white, training=False)
    assert float(loss) == pytest.approx(math.log(2), rel=1e-5)  # half of log 4
    loss, logs = model.generator_objective(source, white, 0 * white, training=False)
    assert float(logs["l1_loss"]) == pytest.approx(1.0)
    assert float(logs["adversarial_loss"]) == pytest.approx(math.log(2), rel=1e-5)
    assert float(loss) == float(logs["g_loss"]) == pytest.approx(100 + math.log(2), rel=1e-5)


def test_objectives_of_a_critic_by_hand():
    model = tiny_model(discriminator=undecided(value=0.01), adversarial="wgan", l1_weight=2.0)
    source, white = keras.ops.zeros((2, 16, 16, 1)), keras.ops.ones((2, 16, 16, 3))
    loss, logs = model.discriminator_objective(source, white, 0 * white, training=False)
    assert float(loss) == float(logs["wasserstein_estimate"]) == pytest.approx(0.0)
    loss, _ = model.generator_objective(source, white, 0 * white, training=False)
    assert float(loss) == pytest.approx(2.0 - 0.01, rel=1e-5)


def test_targets_and_fakes_are_judged_under_noise_in_training():
    """The discriminator answers with the picture itself: the noise is what comes on top."""
    source, image = keras.Input((16, 16, 1)), keras.Input((16, 16, 3))
    echo = keras.Model([source, image], keras.layers.Identity()(image))
    model = tiny_model(discriminator=echo, instance_noise=0.1)
    sheet, white = keras.ops.zeros((32, 16, 16, 1)), keras.ops.ones((32, 16, 16, 3))

    def noise(training):
        return keras.ops.convert_to_numpy(model.judge(sheet, white, training)) - 1

    first = noise(training=True)
    assert first.std() == pytest.approx(0.1, rel=0.05)
    assert abs(first.mean()) < 0.005
    assert not np.array_equal(first, noise(training=True))
    np.testing.assert_array_equal(noise(training=False), 0)
    right = math.log1p(math.exp(-1))  # about both, by a logit of 1
    loss, _ = model.discriminator_objective(sheet, white, -white, training=False)
    assert float(loss) == pytest.approx(right, rel=1e-5)
    for objective in (model.discriminator_objective, model.generator_objective):
        plain, under_noise = (float(objective(sheet, white, -white, t)[0]) for t in (False, True))
        assert 1e-5 < abs(plain - under_noise) < 0.01


def test_r1_penalises_the_slope_of_the_mean_logit():
    """A discriminator whose every logit is three times the first channel of its pixel."""
    source, image = keras.Input((16, 16, 1)), keras.Input((16, 16, 3))
    tripled = keras.Model([source, image], keras.layers.Rescaling(3.0)(image[..., :1]))
    model = tiny_model(discriminator=tripled, r1_weight=2.0)
    sheet, white = keras.ops.zeros((8, 16, 16, 1)), keras.ops.ones((8, 16, 16, 3))
    plain, penalised = (
        float(model.discriminator_objective(sheet, white, white, training)[0])
        for training in (False, True)
    )
    # The mean of 256 logits rises by 3/256 with each of 256 pixels: half a sum of squares.
    assert penalised - plain == pytest.approx(2.0 * 0.5 * 256 * (3 / 256) ** 2, rel=1e-3)


@pytest.mark.one_backend
def test_wgan_updates_the_critic_five_times_and_clips_it():
    model = tiny_model(adversarial="wgan")
    model.compile()
    logs = model.train_on_batch(batch(16, 10), return_dict=True)
    assert int(model.optimizer["discriminator"].iterations) == 5
    assert int(model.optimizer["generator"].iterations) == 1
    weights = model.discriminator.trainable_variables
    assert max(np.abs(value_of(v)).max() for v in weights) == pytest.approx(0.01)
    names = {"g_loss", "l1_loss", "adversarial_loss", "d_loss", "wasserstein_estimate"}
    assert set(logs) == names


@pytest.mark.one_backend
def test_distance_alone_learns_without_a_discriminator(tmp_path):
    model = tiny_model(adversarial="none", l1_weight=1.0)
    assert list(model.players) == ["generator"]
    model.compile(generator_optimizer=keras.optimizers.Adam(3e-2))
    pair = {"sketch": tiny_sketches(16, 1), "image": np.full((1, 16, 16, 3), 0.5, "float32")}
    first, *_, last = [
        float(model.train_on_batch(pair, return_dict=True)["l1_loss"]) for _ in range(10)
    ]
    assert last < 0.6 * first
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.discriminator is None


@pytest.mark.one_backend
def test_other_keys_and_channels():
    model = Pix2Pix((16, 16, 1), 3, "image", "mask", base_filters=2, patch=16)
    model.compile()
    mask = np.sign(tiny_sketches(16, 4))
    logs = model.train_on_batch({"image": tiny_images(16, 4), "mask": mask}, return_dict=True)
    assert np.isfinite(logs["g_loss"])
    assert model.translate(tiny_images(16, 2)).shape == (2, 16, 16, 1)


@pytest.mark.one_backend
def test_own_generator_needs_no_noise():
    source = keras.Input((16, 16, 1))
    image = layers.Conv2D(3, 3, padding="same", activation="tanh")(source)
    model = tiny_model(generator=keras.Model(source, image))
    again = Pix2Pix.from_config(model.get_config())
    again.compile()
    assert np.isfinite(again.train_on_batch(batch(), return_dict=True)["g_loss"])
    assert again.translate(tiny_sketches(16, 2)).shape == (2, 16, 16, 3)
