"""Layers that Keras lacks, against numbers worked out by hand."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import numbers, set_known_weights, value_of

from keras_design_gans.layers import (
    BilinearUpsampling,
    EqualizedConv2D,
    FadeIn,
    ImagePool,
    MinibatchStandardDeviation,
    PixelNormalization,
    ReflectionPadding2D,
)


def result(layer, x):
    return np.array(keras.ops.convert_to_numpy(layer(x)))


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (BilinearUpsampling(4), [(5, 6, 4)]),
        (EqualizedConv2D(3, (2, 3), gain=0.5, padding="valid"), [(5, 6, 4)]),
        (FadeIn(), [(5, 6, 4)] * 2),
        (MinibatchStandardDeviation(3), [(5, 6, 4)]),
        (PixelNormalization(), [(5, 6, 4)]),
        (ReflectionPadding2D(2), [(5, 6, 4)]),
    ],
)
def test_a_file_keeps_the_layer(layer, inputs, tmp_path):
    inputs = [keras.Input(shape) for shape in inputs]
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    set_known_weights(model)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[-1].get_config() == layer.get_config()
    arrays = [numbers((7, 5, 6, 4), seed) for seed in range(len(inputs))]
    found, expected = again.predict(arrays, verbose=0), model.predict(arrays, verbose=0)
    np.testing.assert_array_equal(found, expected)
    assert found.shape[1:] == model.output_shape[1:]


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_bilinear_upsampling_is_that_of_keras(factor):
    maps = numbers((2, 3, 5, 3), seed=0)
    expected = result(keras.layers.UpSampling2D(factor, interpolation="bilinear"), maps)
    np.testing.assert_allclose(result(BilinearUpsampling(factor), maps), expected, atol=1e-6)


def test_pixel_normalization_of_three_and_four():
    x = np.array([[3.0, 4.0], [-30.0, -40.0]], "float32")
    expected = np.array([[0.848528, 1.131371], [-0.848528, -1.131371]])
    np.testing.assert_allclose(result(PixelNormalization(), x), expected, atol=1e-6)
    zeros = np.zeros((2, 4, 4, 8), "float32")
    np.testing.assert_array_equal(result(PixelNormalization(), zeros), zeros)


def test_pixel_normalization_of_large_half_precision_numbers():
    x = keras.ops.cast(np.array([[3000.0, 4000.0]]), "float16")  # their squares exceed float16
    layer = PixelNormalization(dtype="float16")
    assert keras.backend.standardize_dtype(layer(x).dtype) == "float16"
    np.testing.assert_allclose(result(layer, x), [[0.848528, 1.131371]], atol=1e-3)


@pytest.mark.parametrize("n", [1, 3, 4, 8])
def test_equal_examples_have_a_deviation_of_epsilon(n):
    x = np.broadcast_to(numbers((1, 4, 4, 2), seed=0), (n, 4, 4, 2))
    y = result(MinibatchStandardDeviation(), x)
    np.testing.assert_array_equal(y[..., :2], x)
    np.testing.assert_allclose(y[..., 2], 1e-4, rtol=1e-3)


def test_deviation_of_each_group():
    """Groups are every second example: -1 and 1 deviate by 1, -3 and 3 by 3; their means are 0."""
    x = np.array([-1, -3, 1, 3], "float32").reshape(4, 1, 1, 1) * np.ones((1, 2, 2, 5), "float32")
    y = result(MinibatchStandardDeviation(2), x)[..., 5]
    np.testing.assert_allclose(y[:, 0, 0], [1, 3, 1, 3], rtol=1e-6)


def test_the_last_group_begins_again_with_the_first_examples():
    x = np.array([0, 1, 2], "float32").reshape(3, 1, 1, 1)
    y = result(MinibatchStandardDeviation(2), x)[:, 0, 0, 1]
    np.testing.assert_allclose(y, [1, 0.5, 1], rtol=1e-5)  # groups 0, 2 and 1, 0


def test_equalized_convolution_scales_its_weights():
    """Weights of 1 on 3 x 3 x 2 values of 1: 18 times the gain over the root of 18."""
    layer = EqualizedConv2D(5, 3, gain=2.0, padding="valid")
    layer.build((None, 3, 3, 2))
    layer.set_weights([np.ones((3, 3, 2, 5)), np.full(5, 0.5)])
    y = result(layer, np.ones((1, 3, 3, 2), "float32"))
    np.testing.assert_allclose(y, np.full((1, 1, 1, 5), 2 * math.sqrt(18) + 0.5), rtol=1e-6)


def test_equalized_convolution_starts_from_weights_of_one_size():
    for channels in (2, 200):
        layer = EqualizedConv2D(100, 3)
        layer.build((None, 8, 8, channels))
        assert value_of(layer.kernel).std() == pytest.approx(1.0, abs=0.05)
        assert value_of(layer.kernel).mean() == pytest.approx(0.0, abs=0.1)


def test_fading_ends_are_exact():
    layer, old, new = FadeIn(), numbers((2, 4, 4, 3), 0), numbers((2, 4, 4, 3), 1)
    np.testing.assert_array_equal(result(layer, [old, new]), old)
    layer.alpha.assign(1.0)
    np.testing.assert_array_equal(result(layer, [old, new]), new)
    layer.alpha.assign(0.25)
    np.testing.assert_allclose(result(layer, [old, new]), 0.75 * old + 0.25 * new, rtol=1e-6)
    assert not layer.trainable_weights


def test_reflection_padding_is_a_mirror():
    row = np.array([1.0, 2.0, 3.0], "float32")[None, None, :, None]
    maps = np.concatenate([row, 10 * row, 100 * row], axis=1)
    found = result(ReflectionPadding2D(2), maps)[0, ..., 0]
    np.testing.assert_array_equal(found[2], [3, 2, 1, 2, 3, 2, 1])
    np.testing.assert_array_equal(found[:, 2], [100, 10, 1, 10, 100, 10, 1])
    assert ReflectionPadding2D(2).compute_output_shape((None, 3, 3, 1)) == (None, 7, 7, 1)


def marked(*values):
    """Returns pictures of one pixel with these values."""
    return np.array(values, "float32")[:, None, None, None]


def test_an_image_pool_fills_first_and_then_swaps():
    pool = ImagePool((1, 1, 1), size=4, seed=3)
    np.testing.assert_array_equal(result(pool, marked(1, 2, 3)), marked(1, 2, 3))
    assert int(pool.count) == 3
    np.testing.assert_array_equal(result(pool, marked(4)), marked(4))
    assert value_of(pool.kept).ravel().tolist() == [1, 2, 3, 4]
    swapped = 0
    for step in range(100):
        before = value_of(pool.kept).ravel()
        new = 10.0 + np.arange(2 * step, 2 * step + 2)
        found = result(pool, marked(*new)).ravel()
        after = value_of(pool.kept).ravel()
        for given, shown in zip(new, found, strict=True):
            if shown == given:
                assert given not in after
            else:
                swapped += 1
                assert shown in before
                assert shown not in after
                assert after[before == shown] == given
    assert 70 < swapped < 130  # one half of 200
    assert int(pool.count) == 4


def test_a_batch_that_overfills_the_pool_is_handed_on():
    pool = ImagePool((1, 1, 1), size=4)
    result(pool, marked(1, 2, 3))
    np.testing.assert_array_equal(result(pool, marked(4, 5, 6)), marked(4, 5, 6))
    assert value_of(pool.kept).ravel().tolist() == [1, 2, 3, 4]
    long = marked(*range(20, 30))
    np.testing.assert_array_equal(result(pool, long)[4:], long[4:])
    assert int(pool.count) == 4
