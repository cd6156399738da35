"""WGAN-GP: the battery, and the penalty of critics whose slope is known."""

import itertools

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights
from keras import layers
from test_dcgan import count, tiny_images
from test_wgan import linear_critic

from keras_design_gans.models import WGANGP
from keras_design_gans.models.wgan_gp import wgan_gp_critic


def tiny_model(size=16, **arguments):
    return WGANGP((size, size, 3), latent_dim=8, base_filters=4, **arguments)


class TestWGANGP(GanTestCase):
    known_pixels = [-0.0700904, -0.1331989, -0.0995284, -0.2087357, -0.1071700, -0.0637740]

    def make_model(self, size=16):
        return tiny_model(size, critic_steps=2, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


def test_the_critic_has_the_weights_of_that_of_dcgan_and_biases():
    assert count(wgan_gp_critic()) == 2_765_568 + 64 + 128 + 256 + 512


def test_the_critic_sees_the_contrast_of_an_image():
    critic = wgan_gp_critic((16, 16, 3), 4)
    set_known_weights(critic)
    image = tiny_images(16, 1)
    scores = [float(critic(contrast * image)[0, 0]) for contrast in (1.0, 0.1)]
    assert scores[0] != pytest.approx(scores[1], rel=0.01)


@pytest.mark.one_backend
def test_five_updates_of_the_critic_for_one_of_the_generator():
    model = tiny_model()
    model.compile()
    logs = model.train_on_batch(tiny_images(16, 10), return_dict=True)
    assert int(model.optimizer["critic"].iterations) == 5
    assert int(model.optimizer["generator"].iterations) == 1
    assert set(logs) == {"d_loss", "g_loss", "wasserstein_estimate", "gradient_penalty"}


@pytest.mark.parametrize(("norm", "penalty"), [(1.0, 0.0), (2.0, 1.0), (0.5, 0.25)])
def test_penalty_of_a_linear_critic(norm, penalty):
    """The slope of a linear critic is its weights: 256 powers of two, whose sums are exact."""
    critic = linear_critic(0.0)
    weights = np.zeros((768, 1), "float32")
    weights[::3] = norm / 16
    critic.layers[-1].kernel.assign(weights)
    model = tiny_model(critic=critic)
    images = keras.ops.convert_to_tensor(tiny_images(16, 4))
    loss, logs = model.critic_objective(images, images, training=True)
    assert float(logs["gradient_penalty"]) == pytest.approx(penalty, abs=1e-5)
    assert float(loss) == pytest.approx(10 * penalty, abs=1e-4)
    assert float(logs["wasserstein_estimate"]) == pytest.approx(0.0, abs=1e-5)


def test_the_penalty_is_taken_between_real_and_generated_images():
    """With f(x) = sum x^2 the slope is 2x, so it tells where the critic was asked."""
    critic = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), Squares(name="squares")])
    model = tiny_model(critic=critic)
    asked = []
    model.input_gradients = lambda function, x: asked.append(x) or x
    real, fake = keras.ops.ones((64, 16, 16, 3)), -keras.ops.ones((64, 16, 16, 3))
    model.critic_objective(real, fake, training=True)
    mixed = keras.ops.convert_to_numpy(asked[0])
    np.testing.assert_array_equal(mixed, np.broadcast_to(mixed[:, :1, :1, :1], mixed.shape))
    shares = (mixed[:, 0, 0, 0] + 1) / 2
    assert 0 <= shares.min() < 0.2
    assert 0.8 < shares.max() <= 1


class Squares(layers.Layer):
    def call(self, x):
        return keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True)


def test_the_score_of_an_image_does_not_depend_on_the_others():
    critic = wgan_gp_critic((16, 16, 3), 4)
    set_known_weights(critic)
    images = tiny_images(16, 4)
    together = keras.ops.convert_to_numpy(critic(images, training=True))
    alone = keras.ops.convert_to_numpy(critic(images[:1], training=True))
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-6)


def test_the_penalty_moves_the_critic():
    """Real and generated images are the same: only the penalty has a gradient."""
    model = tiny_model(critic=linear_critic(2 / np.sqrt(768)))
    model.compile()
    images = keras.ops.convert_to_tensor(tiny_images(16, 4))
    penalties = []
    for _ in range(5):
        _, logs = model.minimize(
            lambda: model.critic_objective(images, images, training=True), "critic"
        )
        penalties.append(float(logs["gradient_penalty"]))
    assert all(later < earlier for earlier, later in itertools.pairwise(penalties))
