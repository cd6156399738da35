"""DCGAN: the battery, and the numbers of the paper's networks."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers
from keras import layers

from keras_design_gans.models import DCGAN
from keras_design_gans.models.dcgan import dcgan_discriminator, dcgan_generator


def tiny_images(size, n):
    return np.tanh(5 * numbers((n, size, size, 3), seed=1))


class TestDCGAN(GanTestCase):
    known_pixels = [-0.0700904, -0.1331989, -0.0995284, -0.2087357, -0.1071700, -0.0637740]

    def make_model(self, size=16):
        return DCGAN((size, size, 3), latent_dim=8, base_filters=4, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.one_backend
def test_weights_of_the_64_pixel_networks():
    assert count(dcgan_generator()) == 3_576_704
    assert count(dcgan_discriminator()) == 2_765_568


@pytest.mark.one_backend
def test_weights_of_the_256_pixel_generator():
    assert count(dcgan_generator((256, 256, 3))) == 29_565_824


def test_wide_images_have_a_wide_smallest_map():
    assert dcgan_generator((64, 128, 3), base_filters=2).output_shape == (None, 64, 128, 3)


@pytest.mark.parametrize("shape", [(60, 60, 3), (4, 4, 3), (64, 100, 3), (65, 64, 3)])
def test_impossible_sizes_are_named(shape):
    with pytest.raises(ValueError, match="sides of 8, 16, 32"):
        dcgan_generator(shape)


def test_r1_is_half_the_squared_slope():
    """A linear discriminator has the same slope everywhere: its weights."""
    linear = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(1)])
    kernel = linear.layers[-1].kernel
    kernel.assign(numbers(kernel.shape, seed=2))
    objectives = []
    for weight in (0.0, 2.0):
        model = DCGAN((16, 16, 3), 8, 2, r1_weight=weight, discriminator=linear)
        images = keras.ops.convert_to_tensor(tiny_images(16, 8))
        loss, _ = model.discriminator_objective({"image": images}, images, training=True)
        objectives.append(float(loss))
    penalty = 2.0 * 0.5 * np.sum(numbers(kernel.shape, seed=2) ** 2)
    assert objectives[1] - objectives[0] == pytest.approx(penalty, rel=1e-4)


def test_own_networks_survive_the_config():
    own = dcgan_generator((16, 16, 3), 8, 6)
    model = DCGAN((16, 16, 3), 8, 4, generator=own)
    again = DCGAN.from_config(model.get_config())
    assert count(again.generator) == count(own)


def test_generate_repeats_by_seed():
    model = DCGAN((16, 16, 3), 8, 2)
    np.testing.assert_array_equal(model.generate(2, seed=3), model.generate(2, seed=3))
    assert not np.array_equal(model.generate(2, seed=3), model.generate(2, seed=4))
