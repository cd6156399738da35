"""IcGAN: the battery in its stages, the numbers of the paper's networks, codes of pictures."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, same, set_known_weights, snapshot, value_of
from keras import ops
from test_dcgan import count, tiny_images
from test_star_gan import CONDITIONS, batch, tensors

from keras_design_gans.models import IcGAN
from keras_design_gans.models.cgan import cgan_generator
from keras_design_gans.models.icgan import icgan_discriminator, icgan_encoder


def tiny_model(size=16, **arguments):
    return IcGAN(CONDITIONS, (size, size, 3), latent_dim=8, base_filters=4, **arguments)


class TestStageOne(GanTestCase):
    known_pixels = [-0.0903521, -0.1909768, -0.0908857, -0.0788191, -0.0998028, -0.1905172]

    def make_model(self, size=16):
        return tiny_model(size, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def network_to_export(self, model):
        labels = np.array([[1, -1, -1, 1], [-1, 1, -1, -1], [-1, -1, 1, 1]], "float32")
        return model.sampler, [model.sample_latents(3, seed=0), labels]

    def more_bad_batches(self, good):
        return {"'hair' must lie in 0..2": {**good, "hair": good["hair"] + 1}}


class TestStageThree(TestStageOne):
    losses = ("y_loss",)
    known_pixels = [-0.2413520, 1.0941496, -0.1977745, 0.4908228, -1.0817702, 0.6455855]

    def make_model(self, size=16):
        return tiny_model(size, stage=3)

    def output(self, model):
        return model.translate(tiny_images(model.image_shape[0], 4), {"hair": "blond"})

    def network_to_export(self, model):
        return model.encoder_y, tiny_images(model.image_shape[0], 3)


@pytest.mark.one_backend
def test_weights_of_the_networks():
    # The paper's 3,725,123 have a bias before each normalisation, and in the last layer.
    assert count(cgan_generator(classes=18)) == 3_725_123 - (512 + 256 + 128 + 64 + 3)
    assert count(icgan_discriminator()) == 2_803_393
    assert count(icgan_encoder()) == 18_278_244
    assert count(icgan_encoder(size=18, units=512)) == 3_186_962
    (joined,) = [
        layer.output.shape[1:]
        for layer in icgan_discriminator().layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joined == (32, 32, 82)


def test_labels_are_minus_one_and_one():
    numbers = {"hair": np.array([2, 0]), "smile": np.array([1, 0])}
    found = ops.convert_to_numpy(tiny_model().coded(numbers))
    np.testing.assert_array_equal(found, [[-1, -1, 1, 1], [1, -1, -1, -1]])


class Recorder(keras.layers.Layer):
    """A discriminator that gives its answers in order, and remembers the labels it was shown."""

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.shown = list(answers), []

    def call(self, inputs, training=False):
        answer = self.answers[len(self.shown)]
        self.shown.append(ops.convert_to_numpy(inputs[1]))
        return ops.full((ops.shape(inputs[0])[0], 1), answer)


def test_objectives_by_hand():
    """s_r = 3/4, s_w = 1/5, s_f = 1/3, and 4/5 in the generator's turn."""
    model = tiny_model()
    model.discriminator = Recorder(math.log(3), -math.log(4), -math.log(2), math.log(4))
    given = tensors(batch())
    loss, logs = model.discriminator_objective(given, given["image"], training=True)
    expected = -math.log(3 / 4) - 0.5 * (math.log(4 / 5) + math.log(2 / 3))
    assert float(loss) == pytest.approx(0.5 * expected)
    assert float(logs["d_wrong_accuracy"]) == 1.0
    loss, _ = model.generator_objective(given, given["image"], training=True)
    assert float(loss) == pytest.approx(-math.log(4 / 5))
    real, wrong, fake, judged = model.discriminator.shown
    np.testing.assert_array_equal(real, fake)
    np.testing.assert_array_equal(real, judged)
    assert (real != wrong).any(axis=1).all()


def test_r1_is_half_the_squared_slope():
    """The logit is an eighth of the sum of 768 values: half of 768 / 64, twice."""
    image, labels = keras.Input((16, 16, 3)), keras.Input((4,))
    logit = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.125))
    linear = keras.Model([image, labels], logit(keras.layers.Flatten()(image)))
    model = tiny_model(discriminator=linear, r1_weight=2.0)
    given = tensors(batch())
    penalty = model.slope_penalty(given["image"], model.coded(given), training=True)
    assert float(penalty) == 12.0
    assert model.slope_penalty(given["image"], model.coded(given), training=False) == 0.0


def test_pairs_that_do_not_exist_are_not_punished():
    model = tiny_model()
    model.discriminator = Recorder(0.0, 5.0, 0.0)
    given = tensors({**batch(), "hair": np.ones(8, "int32"), "smile": np.ones(8, "int32")})
    loss, _ = model.discriminator_objective(given, given["image"], training=True)
    assert float(loss) == pytest.approx(0.5 * 1.5 * math.log(2))


def values(network):
    return [value_of(variable) for variable in network.weights]


@pytest.mark.one_backend
def test_from_stage_to_stage():
    first = tiny_model(average_decay=0.9)
    first.compile()
    first.train_on_batch(batch())
    before = snapshot(first)
    second = first.next_stage()
    assert same(values(first.average_generator), values(second.generator))
    second.compile()
    logs = second.train_on_batch(batch(), return_dict=True)
    assert set(logs) == {"z_loss"}
    assert same(values(first.average_generator), values(second.generator))
    third = second.next_stage()
    assert same(values(second.encoder_z), values(third.encoder_z))
    third.compile()
    third.train_on_batch(batch())
    assert same(values(second.encoder_z), values(third.encoder_z))
    assert same(values(second.generator), values(third.generator))
    assert same(before, snapshot(first))
    assert not first.translates
    assert third.translates
    with pytest.raises(ValueError, match="in stage 3 of 3 already"):
        third.next_stage()


def test_translate_is_encode_change_decode():
    model = tiny_model(stage=3)
    for network in (model.generator, model.encoder_z, model.encoder_y):
        set_known_weights(network)
    images = tiny_images(16, 3)
    noise, labels = model.encode(images)
    changed = labels.copy()
    changed[:, :3] = [-1, 1, -1]
    expected = model.decode(noise, changed)
    np.testing.assert_allclose(model.translate(images, {"hair": "blond"}), expected, atol=1e-6)
    np.testing.assert_allclose(model.translate(images), model.decode(noise, labels), atol=1e-6)
    changed[:, 3] = [1, -1, 1]
    both = model.translate(images, {"smile": [True, False, 1], "hair": 1})
    np.testing.assert_allclose(both, model.decode(noise, changed), atol=1e-6)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="IcGAN needs at least one condition"):
        IcGAN()
    with pytest.raises(ValueError, match="stage must be 1, 2 or 3, got 4"):
        tiny_model(stage=4)
    with pytest.raises(ValueError, match="average_decay must be None"):
        tiny_model(stage=2, average_decay=0.9)
    with pytest.raises(ValueError, match="in stage 1 of 3"):
        tiny_model().translate(tiny_images(16, 1))
    with pytest.raises(ValueError, match=r"no condition 'hat'.*hair, smile"):
        tiny_model(stage=3).translate(tiny_images(16, 1), {"hat": 1})
