"""VAE: the battery, the numbers of its networks, and its loss worked out by hand."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights
from test_dcgan import count, tiny_images

from keras_design_gans.models import VAE
from keras_design_gans.models.vae import vae_decoder, vae_encoder, vae_mlp_decoder, vae_mlp_encoder


def tiny_model(size=16, **arguments):
    return VAE((size, size, 3), **{"latent_dim": 8, "base_filters": 4, "units": 8, **arguments})


class TestVAE(GanTestCase):
    losses = ("loss", "reconstruction_loss", "kl_divergence")
    known_pixels = [-0.2991720, -0.6311649, 0.0455893, -0.7674962, 0.0403149, -0.4972557]

    def make_model(self, size=16):
        return tiny_model(size)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


@pytest.mark.one_backend
def test_weights_of_the_64_pixel_networks():
    assert count(vae_mlp_encoder()) + count(vae_mlp_decoder()) == 12_952_488
    assert count(vae_encoder()) + count(vae_decoder()) == 7_978_571
    # Kernels of 5 in the place of 4: 9 weights more for each pair of channels.
    pairs = 2 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    assert 7_978_571 + 9 * pairs == 11_078_603


@pytest.mark.parametrize("kl_weight", [1.0, 0.1])
def test_loss_of_a_model_that_knows_nothing(kl_weight):
    """Zero weights: grey pictures, and latent vectors from N(0, 1)."""
    model = tiny_model(kl_weight=kl_weight)
    for variable in model.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    images = np.full((4, 16, 16, 3), 0.5, "float32")
    loss, logs = model.objective({"image": images}, training=False)
    assert float(loss) == float(logs["reconstruction_loss"]) == pytest.approx(768 * 0.25 / 2)
    assert float(logs["kl_divergence"]) == 0.0
    model.encoder.get_layer("log_variance").bias.assign(np.full(8, math.log(4), "float32"))
    loss, logs = model.objective({"image": images}, training=False)
    assert float(logs["kl_divergence"]) == pytest.approx(8 * 0.806853, rel=1e-5)
    assert float(loss) == pytest.approx(96 + kl_weight * 8 * 0.806853, rel=1e-5)


def test_a_variance_of_nearly_0_gives_the_mean():
    """Then the loss is the distance from what `reconstruct` returns."""
    model = tiny_model()
    set_known_weights(model.encoder)
    set_known_weights(model.decoder)
    head = model.encoder.get_layer("log_variance")
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign(np.full(8, -30, "float32"))
    images = tiny_images(16, 4)
    _, logs = model.objective({"image": keras.ops.convert_to_tensor(images)}, training=False)
    distance = 0.5 * np.sum((images - model.reconstruct(images)) ** 2) / 4
    assert float(logs["reconstruction_loss"]) == pytest.approx(distance, rel=1e-4)


@pytest.mark.parametrize("architecture", ["conv", "mlp"])
@pytest.mark.one_backend
def test_it_learns_to_reconstruct(architecture):
    model = tiny_model(architecture=architecture)
    model.compile(autoencoder_optimizer=keras.optimizers.Adam(1e-2))
    images = np.stack([np.full((16, 16, 3), value, "float32") for value in np.linspace(-1, 1, 8)])
    before = np.mean((images - model.reconstruct(images)) ** 2)
    for _ in range(60):
        model.train_on_batch(images)
    after = np.mean((images - model.reconstruct(images)) ** 2)
    assert after < 0.5 * before
    mean, log_variance = model.encode(images)
    assert mean.shape == log_variance.shape == (8, 8)
    assert np.abs(mean).max() > 0.5  # the latent vector tells the pictures apart


@pytest.mark.one_backend
def test_the_mean_of_the_pixels_would_silence_the_latent_vector():
    """The KL term as many times too strong as the picture has values: posterior collapse."""
    model = tiny_model(kl_weight=768.0)
    model.compile(autoencoder_optimizer=keras.optimizers.Adam(1e-2))
    images = np.stack([np.full((16, 16, 3), value, "float32") for value in np.linspace(-1, 1, 8)])
    for _ in range(60):
        logs = model.train_on_batch(images, return_dict=True)
    assert logs["kl_divergence"] < 0.1
    assert np.abs(np.diff(model.reconstruct(images), axis=0)).max() < 0.1


def test_own_networks_survive_the_config():
    own = vae_mlp_encoder((16, 16, 3), 8, 6), vae_mlp_decoder((16, 16, 3), 8, 7)
    model = tiny_model(encoder=own[0], decoder=own[1])
    again = VAE.from_config(model.get_config())
    assert [count(again.encoder), count(again.decoder)] == [count(network) for network in own]


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'conv', 'mlp'"):
        tiny_model(architecture="transformer")
    with pytest.raises(ValueError, match="sides of 8, 16, 32"):
        VAE((20, 20, 3))
    with pytest.raises(ValueError, match="'images' must have shape"):
        tiny_model().encode(tiny_images(8, 2))
    with pytest.raises(ValueError, match="'images' must lie in"):
        tiny_model().reconstruct(255 * tiny_images(16, 2))


def test_dense_layers_take_any_size():
    model = VAE((20, 12, 1), latent_dim=4, architecture="mlp", units=8)
    assert model.generate(2, seed=0).shape == (2, 20, 12, 1)
    again = VAE.from_config(model.get_config())
    assert [v.shape for v in again.weights] == [v.shape for v in model.weights]
