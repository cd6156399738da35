"""DesIGN: the battery, its heads, and its objective worked out by hand."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, value_of
from keras import ops
from test_dcgan import count, tiny_images

from keras_design_gans.models import DesIGN
from keras_design_gans.models.design import design_discriminator

HEADS = {"shape": ["coat", "dress", "top"], "texture": 2}


def batch(size=16, n=8):
    return {
        "image": tiny_images(size, n),
        "shape": np.arange(n, dtype="int32") % 3,
        "texture": np.arange(n, dtype="int32") % 2,
    }


class TestDesIGN(GanTestCase):
    known_pixels = [-0.0700904, -0.1331989, -0.0995284, -0.2087357, -0.1071700, -0.0637740]

    def make_model(self, size=16):
        return DesIGN(
            HEADS,
            image_shape=(size, size, 3),
            latent_dim=8,
            base_filters=4,
            average_decay=0.9,
            r1_weight=0.1,
            class_smoothing=0.1,
        )

    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def more_bad_batches(self, good):
        return {
            "must lie in 0..2": {**good, "shape": good["shape"] + 1},
            "Keys present: 'image', 'shape'": {k: good[k] for k in ("image", "shape")},
            "one integer|integers of shape": {**good, "shape": np.eye(3)[good["shape"]]},
        }


@pytest.mark.one_backend
def test_weights_of_the_64_pixel_discriminator():
    assert count(design_discriminator(heads={"shape": 7, "texture": 7})) == 2_880_270


class FixedDiscriminator(keras.layers.Layer):
    """Answers with the same logits whatever it sees."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def call(self, images, training=False):
        n = ops.shape(images)[0]
        rows = {name: ops.convert_to_tensor([row]) for name, row in self.answers.items()}
        return {name: ops.tile(row, (n, 1)) for name, row in rows.items()}


def model_that_hears(answers, **arguments):
    model = DesIGN(HEADS, image_shape=(16, 16, 3), latent_dim=8, base_filters=4, **arguments)
    model.discriminator = FixedDiscriminator(answers)
    return model


UNDECIDED = {"real": [0.0], "shape": [0.0, 0.0, 0.0], "texture": [0.0, 0.0]}


def test_discriminator_objective_by_hand():
    model = model_that_hears(UNDECIDED, d_real_weight=2.0, d_class_weight=3.0)
    data = batch()
    loss, logs = model.discriminator_objective(data, data["image"], training=False)
    assert float(loss) == pytest.approx(2 * math.log(4) + 3 * (math.log(3) + math.log(2)), rel=1e-5)
    assert float(logs["shape_accuracy"]) == pytest.approx(3 / 8)  # argmax of equal logits is 0
    assert float(logs["texture_accuracy"]) == pytest.approx(1 / 2)


def test_smoothed_class_labels_by_hand():
    """Of a share of 0.3, each of three classes gets 0.1: targets 0.8, 0.1, 0.1."""
    answers = {**UNDECIDED, "shape": [2.0, 0.0, 0.0]}
    model = model_that_hears(answers, d_real_weight=0.0, class_smoothing=0.3)
    data = {**batch(), "shape": np.zeros(8, "int32")}
    loss, _ = model.discriminator_objective(data, data["image"], training=False)
    cross_entropy = math.log(math.exp(2) + 2) - 0.8 * 2
    assert float(loss) == pytest.approx(cross_entropy + math.log(2), rel=1e-5)


@pytest.mark.parametrize(
    ("creativity", "expected"),
    [
        ("none", 0.0),
        ("can", 3 * math.log(2) + 2 * math.log(2)),
        ("can_h", math.log(3) + math.log(2)),
    ],
)
def test_generator_objective_by_hand(creativity, expected):
    model = model_that_hears(
        UNDECIDED, creativity=creativity, g_real_weight=2.0, g_creativity_weight=0.5
    )
    loss, logs = model.generator_objective({}, tiny_images(16, 4), training=False)
    assert float(loss) == pytest.approx(2 * math.log(2) + 0.5 * expected, rel=1e-5)
    assert float(logs["shape_entropy"]) == pytest.approx(math.log(3), rel=1e-5)
    assert ("creativity_loss" in logs) == (creativity != "none")


@pytest.mark.one_backend
def test_heads_learn_from_real_images_only():
    """With the real term switched off, fakes alone must leave the heads where they are."""
    model = DesIGN(HEADS, d_class_weight=0.0, image_shape=(16, 16, 3), latent_dim=8, base_filters=4)
    model.compile()
    head = model.discriminator.get_layer("shape")
    before = value_of(head.kernel)
    model.train_on_batch(batch())
    np.testing.assert_array_equal(before, value_of(head.kernel))


@pytest.mark.one_backend
def test_creativity_raises_the_entropy_of_the_heads_on_fakes():
    """The generator alone is trained, against a fixed discriminator that has an opinion."""
    model = DesIGN(HEADS, g_real_weight=0.0, image_shape=(16, 16, 3), latent_dim=8, base_filters=4)
    adam = keras.optimizers.Adam(1e-2)
    model.compile(generator_optimizer=adam, discriminator_optimizer=keras.optimizers.SGD(0.0))
    head = model.discriminator.get_layer("shape")
    head.kernel.assign(10 * numbers(head.kernel.shape, 0))
    first, *_, last = [
        model.train_on_batch(batch(), return_dict=True)["shape_entropy"] for _ in range(30)
    ]
    assert last > first + 0.1


def test_names_that_do_not_exist():
    with pytest.raises(ValueError, match="'none', 'can', 'can_h'"):
        DesIGN(HEADS, creativity="wild")
    with pytest.raises(ValueError, match="needs at least one head"):
        DesIGN(creativity="can")


def test_without_heads_it_is_a_dcgan():
    model = DesIGN(creativity="none", image_shape=(16, 16, 3), latent_dim=8, base_filters=4)
    assert set(model.needs) == {"image"}
    model.compile()
    assert np.isfinite(model.train_on_batch(tiny_images(16, 4), return_dict=True)["g_loss"])
