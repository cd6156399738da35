"""LAPGAN: the battery, the pyramid, the paper's networks, and levels that do not mix."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights, value_of
from test_dcgan import count, tiny_images

from keras_design_gans.layers import BilinearUpsampling
from keras_design_gans.models import LAPGAN
from keras_design_gans.models.lapgan import (
    cut,
    down,
    lapgan_discriminator,
    lapgan_generator,
    pyramid,
)


def tiny_model(size=16, **arguments):
    return LAPGAN((size, size, 3), 8, latent_dim=8, base_filters=4, **arguments)


def as_array(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


class TestLAPGAN(GanTestCase):
    known_pixels = [0.0010837, 0.3586839, 0.1245543, 0.3057269, -0.0117704, 0.1733560]

    def make_model(self, size=16):
        return tiny_model(size, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}

    def network_to_export(self, model):
        """Brings the sum of the levels, which knows no bounds, into the range of pictures."""
        network, latents = super().network_to_export(model)
        picture = keras.layers.Rescaling(1 / 16, dtype="float32")(network.output)
        return keras.Model(network.input, picture), latents


@pytest.mark.one_backend
def test_weights_of_the_paper_from_16_to_32_pixels():
    assert count(lapgan_generator()) == 218_179
    assert count(lapgan_discriminator()) == 116_545


def test_down_averages_and_enlarge_interpolates():
    images = np.array([0.0, 4.0, 8.0, 4.0], "float32").reshape(1, 2, 2, 1)
    np.testing.assert_allclose(as_array(down(images)).ravel(), [4.0])
    found = as_array(BilinearUpsampling(2)(images))[0, :, :, 0]
    top, bottom = np.array([0, 1, 3, 4]), np.array([8, 7, 5, 4])
    rows = [top, 0.75 * top + 0.25 * bottom, 0.25 * top + 0.75 * bottom, bottom]
    np.testing.assert_allclose(found, rows, atol=1e-6)


def test_true_residuals_give_the_picture_back():
    images = keras.ops.convert_to_tensor(tiny_images(32, 2))
    coarse, *finer = pyramid(images, 3)
    assert coarse.shape[1:3] == (8, 8)
    residuals = [
        large - BilinearUpsampling(2)(small)
        for small, large in zip([coarse, finer[0]], finer, strict=True)
    ]
    picture = coarse
    for residual in residuals:
        picture = BilinearUpsampling(2)(picture) + residual
    np.testing.assert_allclose(as_array(picture), as_array(images), atol=1e-6)


def test_without_residuals_the_small_picture_is_blurred():
    model = tiny_model(32)
    for network in model.generators[1:]:
        for variable in network.weights:
            variable.assign(keras.ops.zeros(variable.shape))
    coarse, middle, fine = model.generate_levels(3, seed=0)
    np.testing.assert_allclose(middle, as_array(BilinearUpsampling(2)(coarse)), atol=1e-6)
    np.testing.assert_allclose(fine, as_array(BilinearUpsampling(2)(middle)), atol=1e-6)


def test_levels_of_a_generated_picture():
    model = tiny_model(32, average_decay=0.9)
    levels = model.generate_levels(3, seed=0)
    assert [images.shape for images in levels] == [(3, side, side, 3) for side in (8, 16, 32)]
    np.testing.assert_allclose(levels[-1], model.generate(3, seed=0), atol=1e-5)


def test_noise_is_cut_into_a_vector_and_planes():
    shapes = [(2, 4, 3), (4, 8, 3), (8, 16, 3)]
    noise = np.arange(2 * 165, dtype="float32").reshape(2, 165)
    vector, *planes = map(as_array, cut(keras.ops.convert_to_tensor(noise), 5, shapes))
    np.testing.assert_array_equal(vector, noise[:, :5])
    assert [plane.shape for plane in planes] == [(2, 4, 8, 1), (2, 8, 16, 1)]
    flat = np.concatenate([plane.reshape(2, -1) for plane in planes], axis=1)
    np.testing.assert_array_equal(flat, noise[:, 5:])


@pytest.mark.one_backend
def test_levels_learn_alone():
    """A level moves by the same steps, whatever the others are."""
    results = []
    for broken in (False, True):
        keras.utils.set_random_seed(0)
        model = tiny_model(32)
        if broken:
            for network in (model.generators[1], model.discriminators[1]):
                set_known_weights(network)
        model.compile()
        for _ in range(2):
            model.train_on_batch(tiny_images(32, 4))
        results.append(
            [
                [value_of(v) for v in [*g.trainable_variables, *d.trainable_variables]]
                for g, d in zip(model.generators, model.discriminators, strict=True)
            ]
        )
    for level, (alone, beside) in enumerate(zip(*results, strict=True)):
        equal = [np.allclose(a, b, atol=1e-5) for a, b in zip(alone, beside, strict=True)]
        assert not any(equal) if level == 1 else all(equal), level


def test_the_sums_are_those_of_the_levels():
    model = tiny_model(32)
    model.compile()
    logs = model.train_on_batch(tiny_images(32, 4), return_dict=True)
    for player in "dg":
        parts = [logs[f"{player}_loss_{side}"] for side in (8, 16, 32)]
        assert logs[f"{player}_loss"] == pytest.approx(sum(parts), rel=1e-5)
    assert 0 <= logs["d_real_accuracy"] <= 1


def test_wide_pictures():
    model = LAPGAN((16, 32, 3), 8, latent_dim=8, base_filters=4)
    assert [a.shape[1:3] for a in model.generate_levels(1)] == [(8, 16), (16, 32)]


@pytest.mark.parametrize("coarse_size", [4, 12, 16, 32])
def test_impossible_levels_are_named(coarse_size):
    with pytest.raises(ValueError, match=r"coarse_size must be 8, 16, .* at most half"):
        LAPGAN((16, 16, 3), coarse_size)


def test_impossible_sizes_are_named():
    with pytest.raises(ValueError, match="sides of 8, 16, 32"):
        tiny_model(24)
