"""WGAN: the battery, five updates of the critic, and weights that stay within their limit."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, value_of
from keras import layers
from test_dcgan import count, tiny_images

from keras_design_gans.models import WGAN
from keras_design_gans.models.wgan import deal


def tiny_model(size=16, **arguments):
    return WGAN((size, size, 3), latent_dim=8, base_filters=4, **arguments)


class TestWGAN(GanTestCase):
    known_pixels = [-0.0700904, -0.1331989, -0.0995284, -0.2087357, -0.1071700, -0.0637740]

    def make_model(self, size=16):
        return tiny_model(size, critic_steps=2, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


@pytest.mark.one_backend
def test_weights_of_the_64_pixel_networks():
    model = WGAN()
    assert count(model.generator) == 3_576_704
    assert count(model.critic) == 2_765_568


@pytest.mark.one_backend
def test_five_updates_of_the_critic_for_one_of_the_generator():
    model = tiny_model()
    model.compile()
    model.fit(tiny_images(16, 20), batch_size=10, verbose=0)
    assert int(model.optimizer["critic"].iterations) == 10
    assert int(model.optimizer["generator"].iterations) == 2


@pytest.mark.one_backend
def test_each_update_has_images_of_its_own():
    model = tiny_model(critic_steps=2)
    model.compile(run_eagerly=True)
    seen = []
    update = model.update_critic
    model.update_critic = lambda real: seen.append(real) or update(real)
    images = tiny_images(16, 8)
    model.train_on_batch(images)
    seen = [keras.ops.convert_to_numpy(real) for real in seen]
    np.testing.assert_array_equal(np.stack(seen), images.reshape(2, 4, 16, 16, 3))


@pytest.mark.parametrize(
    ("n", "parts", "expected"),
    [
        (6, 3, [[0, 1], [2, 3], [4, 5]]),
        (5, 2, [[0, 1, 2], [3, 4, 0]]),
        (2, 3, [[0], [1], [0]]),
        (4, 1, [[0, 1, 2, 3]]),
    ],
)
def test_a_batch_is_dealt_out(n, parts, expected):
    dealt = deal(keras.ops.arange(n), parts)
    assert [keras.ops.convert_to_numpy(part).tolist() for part in dealt] == expected


@pytest.mark.parametrize("clip", [0.01, 0.003])
def test_weights_of_the_critic_stay_within_the_limit(clip):
    model = tiny_model(clip=clip)
    model.compile()
    assert largest(model.critic) > 0.5  # the scale of batch normalisation starts near 1
    model.train_on_batch(tiny_images(16, 10))
    assert largest(model.critic) == pytest.approx(clip)
    assert largest(model.generator) > 0.5


def largest(network):
    return max(np.abs(value_of(v)).max() for v in network.trainable_variables)


@pytest.mark.one_backend
def test_weights_stay_within_the_limit_after_loading(tmp_path):
    model = tiny_model(critic_steps=1)
    model.compile(critic_optimizer=keras.optimizers.SGD(10.0))
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    model.train_on_batch(tiny_images(16, 8))
    assert largest(model.critic) == pytest.approx(0.01)


def linear_critic(weight=0.005):
    critic = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(1)])
    critic.layers[-1].kernel.assign(np.full((768, 1), weight, "float32"))
    return critic


def test_objectives_of_a_linear_critic():
    """Every pixel scores 0.005: 768 pixels of 0.5 score 1.92, those of -0.25 score -0.96."""
    model = tiny_model(critic=linear_critic())
    real = keras.ops.full((2, 16, 16, 3), 0.5)
    fake = keras.ops.full((2, 16, 16, 3), -0.25)
    loss, logs = model.critic_objective(real, fake, training=False)
    assert float(loss) == float(logs["d_loss"]) == pytest.approx(-0.96 - 1.92, rel=1e-5)
    assert float(logs["wasserstein_estimate"]) == pytest.approx(2.88, rel=1e-5)
    model.make_fakes = lambda n, training: fake
    assert float(model.generator_objective(2, training=False)[0]) == pytest.approx(0.96, rel=1e-5)


@pytest.mark.one_backend
def test_the_critic_learns_to_score_real_images_higher():
    model = tiny_model(critic=linear_critic(0.0))
    model.compile(generator_optimizer=keras.optimizers.SGD(0.0))
    white = np.ones((10, 16, 16, 3), "float32")
    estimates = [
        float(model.train_on_batch(white, return_dict=True)["wasserstein_estimate"])
        for _ in range(3)
    ]
    assert estimates[2] > estimates[1] > estimates[0] > 0
    assert 0.001 < largest(model.critic) <= 0.01


def test_the_optimizer_is_that_of_torch():
    """First update of RMSprop: rate * g / (sqrt(0.01 g^2) + 1e-8), so ten times the rate."""
    optimizer = tiny_model().default_optimizers()["critic"]
    variable = keras.Variable(np.zeros(2, "float32"))
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(np.array([1.0, 1e-5], "float32"))], [variable])
    np.testing.assert_allclose(value_of(variable), [-5e-4, -5e-4], rtol=0.02)


def test_own_critic_survives_the_config():
    again = WGAN.from_config(tiny_model(critic=linear_critic()).get_config())
    assert count(again.critic) == 769
    assert again.critic.trainable_variables[0].constraint is not None
