"""GAN: the battery, the numbers of the paper's networks, its two losses and its step."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers
from keras import ops
from test_dcgan import count, tiny_images

from keras_design_gans.models import GAN
from keras_design_gans.models.gan import gan_discriminator, gan_generator, maxout


def tiny_model(size=16, **arguments):
    return GAN((size, size, 3), latent_dim=8, units=10, **arguments)


class TestGAN(GanTestCase):
    known_pixels = [-0.6362133, -0.4568331, -0.5941270, -0.3980922, -0.8820369, -0.8536851]

    def make_model(self, size=16):
        return tiny_model(
            size,
            discriminator_steps=2,
            real_target=0.9,
            instance_noise=0.1,
            r1_weight=0.1,
            average_decay=0.9,
        )

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


@pytest.mark.one_backend
def test_weights_of_the_networks_for_28_pixels():
    assert count(gan_generator((28, 28, 1))) == 2_503_984
    assert count(gan_discriminator((28, 28, 1))) == 1_231_441


def test_any_size_will_do():
    assert GAN((20, 12, 1), latent_dim=4, units=10).generate(2, seed=0).shape == (2, 20, 12, 1)


def test_maxout_takes_the_largest_piece_of_each_unit():
    inputs = keras.Input((4,))
    network = keras.Model(inputs, maxout(inputs, units=3, pieces=5))
    x, dense = numbers((6, 4), seed=0), network.layers[1]
    dense.kernel.assign(numbers((4, 15), seed=1))
    dense.bias.assign(numbers((15,), seed=2))
    found = network.predict(x, verbose=0)
    pieces = (x @ numbers((4, 15), seed=1) + numbers((15,), seed=2)).reshape(6, 5, 3)
    np.testing.assert_allclose(found, pieces.max(axis=1), atol=1e-6)


class SameLogit(keras.layers.Layer):
    """A discriminator that says the same of all pictures."""

    def __init__(self, logit):
        super().__init__()
        self.logit = logit

    def call(self, images, training=False):
        return ops.full((ops.shape(images)[0], 1), self.logit)


@pytest.mark.parametrize(
    ("loss", "undecided", "sure"),
    [
        ("nonsaturating", math.log(2), -math.log(1 / 5)),
        ("minimax", -math.log(2), math.log(4 / 5)),
    ],
)
def test_losses_by_hand(loss, undecided, sure):
    """D = 1/2 for all pictures, and then D = 1/5 for fakes."""
    model = tiny_model(loss=loss)
    images = ops.convert_to_tensor(tiny_images(16, 4))
    for logit, expected in ((0.0, undecided), (-math.log(4), sure)):
        model.discriminator = SameLogit(logit)
        found, logs = model.generator_objective({"image": images}, images, training=False)
        assert float(found) == float(logs["g_loss"]) == pytest.approx(expected, rel=1e-5)


def test_an_undecided_discriminator_loses_log_4():
    model = tiny_model()
    model.discriminator = SameLogit(0.0)
    images = ops.convert_to_tensor(tiny_images(16, 4))
    loss, _ = model.discriminator_objective({"image": images}, images, training=True)
    assert float(loss) == pytest.approx(math.log(4), rel=1e-6)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.one_backend
def test_k_updates_of_the_discriminator_for_one_of_the_generator(steps):
    model = tiny_model(discriminator_steps=steps)
    model.compile()
    for _ in range(2):
        model.train_on_batch(tiny_images(16, 4))
    assert int(model.optimizer["discriminator"].iterations) == 2 * steps
    assert int(model.optimizer["generator"].iterations) == 2


@pytest.mark.one_backend
def test_the_minimax_generator_learns_little_from_a_discriminator_that_wins():
    """Its gradient is D(G(z)) times that of the logit, against 1 - D(G(z)) of the other loss."""
    moved = {}
    for loss in ("nonsaturating", "minimax"):
        keras.utils.set_random_seed(0)
        model = tiny_model(loss=loss)
        model.discriminator.get_layer("real").bias.assign([-10.0])
        model.compile(generator_optimizer=keras.optimizers.SGD(1.0))
        before = model.generator.get_weights()
        model.train_on_batch(tiny_images(16, 4))
        after = model.generator.get_weights()
        moved[loss] = max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))
    assert 0 < moved["minimax"] < 1e-3 * moved["nonsaturating"]


def test_a_loss_that_does_not_exist():
    with pytest.raises(ValueError, match="'nonsaturating', 'minimax'"):
        tiny_model(loss="hinge")
