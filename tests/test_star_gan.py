"""StarGAN: the battery, the numbers of the paper's networks, objectives by hand, changes."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights, value_of
from keras import ops
from test_dcgan import count, tiny_images

from keras_design_gans.models import StarGAN
from keras_design_gans.models.star_gan import star_gan_discriminator, star_gan_generator

CONDITIONS = {"hair": ["black", "blond", "brown"], "smile": [False, True]}


def batch(size=16, n=8):
    rows = np.arange(n, dtype="int32")
    return {"image": tiny_images(size, n), "hair": rows % 3, "smile": rows % 2}


def tensors(batch):
    return {key: ops.convert_to_tensor(value) for key, value in batch.items()}


class TestStarGAN(GanTestCase):
    known_pixels = [-0.0153037, -0.4010983, -0.0402021, -0.0822499, -0.1206154, -0.4545991]

    def make_model(self, size=16):
        return StarGAN(CONDITIONS, (size, size, 3), 2, blocks=1, discriminator_steps=2)

    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def output(self, model):
        images = tiny_images(model.image_shape[0], 4)
        return model.translate(images, {"hair": "blond", "smile": True})

    def network_to_export(self, model):
        labels = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]], "float32")
        return model.generator, [tiny_images(model.image_shape[0], 3), labels]

    def more_bad_batches(self, good):
        return {
            "'hair' must lie in 0..2": {**good, "hair": good["hair"] + 1},
            "'smile' is missing": {k: good[k] for k in ("image", "hair")},
        }


@pytest.mark.one_backend
def test_weights_of_the_networks():
    generator = star_gan_generator()
    discriminator = star_gan_discriminator(heads={"attributes": 5})
    assert count(generator) == 8_430_528
    assert count(discriminator) == 44_762_048
    assert count(generator) + count(discriminator) == 53_192_576  # 53.2 million in the paper
    assert generator.output_shape == (None, 128, 128, 3)
    assert discriminator.output["real"].shape == (None, 2, 2, 1)
    assert discriminator.output["attributes"].shape == (None, 5)


def blind(conditions=None, score=0.0):
    """A discriminator that gives every picture the same score, and zero logits."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    heads = {"real": 1, "hair": 3, "smile": 1} if conditions is None else conditions
    outputs = {
        key: keras.layers.Dense(
            size,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(score if key == "real" else 0.0),
        )(x)
        for key, size in heads.items()
    }
    return keras.Model(image, outputs)


class Copy(keras.layers.Layer):
    """A generator that leaves pictures as they are, but for a fixed brightness."""

    def __init__(self, brighter=0.0):
        super().__init__()
        self.brighter = brighter

    def call(self, inputs, training=False):
        return inputs[0] + self.brighter


def test_objectives_by_hand():
    """A blind discriminator: zero logits, no slope; a generator that adds 1/4."""
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1, discriminator=blind(score=3.0))
    model.generator = Copy(0.25)
    given = tensors(batch())
    wanted = model.wanted(given)
    loss, logs = model.discriminator_objective(given, given["image"], training=True)
    class_loss = math.log(3) + math.log(2)
    assert float(logs["real_class_loss"]) == pytest.approx(class_loss, rel=1e-5)
    assert float(logs["gradient_penalty"]) == pytest.approx(1.0, abs=1e-5)  # no slope at all
    assert float(logs["wasserstein_estimate"]) == 0.0
    assert float(loss) == pytest.approx(10 + class_loss, rel=1e-5)
    loss, logs = model.generator_objective(given, wanted, training=True)
    assert float(logs["cycle_loss"]) == pytest.approx(0.5, rel=1e-5)  # there and back
    assert float(loss) == pytest.approx(-3 + class_loss + 5, rel=1e-5)


def test_a_linear_critic_of_slope_one_has_no_penalty():
    linear = keras.Sequential(
        [keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    kernel = linear.layers[-1].kernel
    kernel.assign(np.full(kernel.shape, 1 / math.sqrt(16 * 16 * 3), "float32"))
    image = keras.Input((16, 16, 3))
    heads = blind({"hair": 3, "smile": 1})(image)
    network = keras.Model(image, {"real": linear(image), **heads})
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1, discriminator=network)
    given = tensors(batch())
    _, logs = model.discriminator_objective(given, -given["image"], training=True)
    assert float(logs["gradient_penalty"]) == pytest.approx(0.0, abs=1e-5)


def test_wanted_labels_are_those_of_other_pictures():
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1)
    given = batch(n=12)
    wanted = {k: ops.convert_to_numpy(v) for k, v in model.wanted(tensors(given)).items()}
    pairs = [sorted(zip(x["hair"], x["smile"], strict=True)) for x in (given, wanted)]
    assert pairs[0] == pairs[1]  # the rows stay together
    again = model.wanted(tensors(given))
    assert not np.array_equal(ops.convert_to_numpy(again["hair"]), wanted["hair"])


@pytest.mark.one_backend
def test_one_step_updates_the_discriminator_more_often():
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1)
    model.compile()
    logs = model.train_on_batch(batch(n=10), return_dict=True)
    assert int(model.optimizer["discriminator"].iterations) == 5
    assert int(model.optimizer["generator"].iterations) == 1
    assert all(np.isfinite(value) for value in logs.values())


def test_what_is_not_changed_is_known_or_read_off():
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1)
    set_known_weights(model.generator)
    for variable in model.discriminator.trainable_variables:
        variable.assign(10 * value_of(variable))
    images, labels = tiny_images(16, 6), {k: batch(n=6)[k] for k in CONDITIONS}
    read = model.classify(images)
    assert read["smile"].dtype == read["hair"].dtype == np.int32
    made = model.translate(images, {"hair": "blond"})
    same = model.translate(images, {"hair": 1}, labels={"smile": read["smile"]})
    np.testing.assert_allclose(made, same, atol=1e-6)
    known = model.translate(images, {"hair": [1] * 6}, labels=labels)
    other = model.translate(images, {"hair": 1, "smile": 1 - labels["smile"]})
    assert np.abs(known - other).max() > 1e-3


def test_wrong_changes_are_named():
    model = StarGAN(CONDITIONS, (16, 16, 3), 2, blocks=1)
    images = tiny_images(16, 2)
    with pytest.raises(ValueError, match=r"no condition 'hat'.*hair, smile"):
        model.translate(images, {"hat": "red"})
    with pytest.raises(ValueError, match="'hair' must be one of black, blond, brown"):
        model.translate(images, {"hair": "pink"})
    with pytest.raises(ValueError, match=r"'images' must have shape .batch, 16, 16, 3."):
        model.translate(images[:, :8], {"hair": 0})
    with pytest.raises(ValueError, match="'images' must lie in"):
        model.translate(127 * images, {"hair": 0})
    with pytest.raises(ValueError, match="StarGAN needs at least one condition"):
        StarGAN()
    for shape in ((24, 24, 3), (16, 32, 3), (8, 8, 3)):
        with pytest.raises(ValueError, match="equal sides of 16, 32, 64"):
            StarGAN(CONDITIONS, shape)
