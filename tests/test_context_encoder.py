"""ContextEncoder: the battery, the numbers of the paper's networks, and its objective."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights
from keras import ops
from test_contextual_gan import tiny_joint
from test_dcgan import count, tiny_images
from test_pix2pix import tiny_sketches

from keras_design_gans.models import ContextEncoder
from keras_design_gans.models.context_encoder import context_generator


def tiny_model(size=16, **arguments):
    return ContextEncoder((size, size, 3), **{"code_dim": 8, "base_filters": 4, **arguments})


class TestContextEncoder(GanTestCase):
    known_pixels = [-0.0994627, -0.0798771, -0.0982989, -0.0845062, -0.1001324, -0.0874520]
    pictures = "joint"

    def make_model(self, size=16):
        return tiny_model(size)

    def make_batch(self, size=16, n=8):
        return {"joint": tiny_joint(size, n)}

    def output(self, model):
        return model.translate(tiny_sketches(model.image_shape[0], 4))

    def network_to_export(self, model):
        return model.generator, tiny_joint(model.image_shape[0], 3)


@pytest.mark.one_backend
def test_weights_of_the_paper():
    """With biases, and the code behind a square map of 4 x 4, they are those of the paper."""
    network = context_generator()
    assert count(network) == 6_809_544
    assert network.output_shape == (None, 64, 64, 3)
    biases = (64 + 64 + 128 + 256 + 512 + 100) + (512 + 256 + 128 + 64 + 3)
    larger_kernel = (4 * 4 - 2 * 4) * 512 * 100
    assert count(network) + biases + larger_kernel == 7_221_231


def test_the_code_is_all_that_the_decoder_knows():
    shapes = [layer.output.shape[1:] for layer in context_generator((16, 16, 3), 8, 4).layers]
    assert (2, 4, 8) in shapes
    assert (8,) in shapes


def test_the_picture_is_hidden():
    model = tiny_model()
    joint = tiny_joint(16, 2)
    hidden = ops.convert_to_numpy(model.hide(joint))
    np.testing.assert_array_equal(hidden[:, :, :16], joint[:, :, :16])
    colour = np.array([117, 104, 123]) / 127.5 - 1
    np.testing.assert_allclose(
        hidden[:, :, 16:], np.broadcast_to(colour, (2, 16, 16, 3)), atol=1e-6
    )
    set_known_weights(model.generator)
    sketches = tiny_sketches(16, 2)
    made = model.generator.predict(hidden, verbose=0)
    np.testing.assert_allclose(model.translate(sketches, seed=1), made, atol=1e-6)
    colours = np.repeat(sketches, 3, axis=-1)
    np.testing.assert_array_equal(model.translate(colours), model.translate(sketches))


def test_objectives_by_hand():
    """An undecided discriminator, and grey pictures where white ones are asked for."""
    model = tiny_model(l2_weight=0.75)
    head = model.discriminator.layers[-2]
    head.kernel.assign(ops.zeros(head.kernel.shape))
    white = ops.ones((2, 16, 16, 3))
    loss, _ = model.discriminator_objective(white, 0 * white, training=False)
    assert float(loss) == pytest.approx(math.log(4), rel=1e-5)
    loss, logs = model.generator_objective(white, 0 * white, training=False)
    assert float(logs["l2_loss"]) == pytest.approx(1.0)
    assert float(logs["adversarial_loss"]) == pytest.approx(math.log(2), rel=1e-5)
    assert float(loss) == pytest.approx(0.75 + 0.25 * math.log(2), rel=1e-5)


def test_the_generator_is_ten_times_as_fast():
    rates = {
        player: float(optimizer.learning_rate)
        for player, optimizer in tiny_model().default_optimizers().items()
    }
    assert rates == pytest.approx({"generator": 2e-3, "discriminator": 2e-4})


@pytest.mark.one_backend
def test_distance_alone_learns_a_picture():
    model = tiny_model(l2_weight=1.0)
    model.compile(generator_optimizer=keras.optimizers.Adam(3e-2))
    joint = np.concatenate([tiny_joint(16, 4)[:, :, :16], np.full((4, 16, 16, 3), 0.5)], axis=2)
    first, *_, last = [
        float(model.train_on_batch({"joint": joint}, return_dict=True)["l2_loss"])
        for _ in range(10)
    ]
    assert last < 0.6 * first


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (tiny_images(8, 2), "'images' must have shape .batch, 16, 16, 3."),
        (tiny_sketches(8, 2), "'images' must have shape .batch, 16, 16, 1."),
        (127.5 * tiny_sketches(16, 2), "'images' must lie in .-1, 1."),
    ],
)
def test_wrong_sketches_are_named(images, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().translate(images)


def test_weight_out_of_range_is_named():
    with pytest.raises(ValueError, match=r"l2_weight must lie in 0 \.\.\. 1, got 2"):
        tiny_model(l2_weight=2)
