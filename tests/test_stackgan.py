"""StackGAN: the battery in both stages, the numbers of stage II, and the way from I to II."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, same, set_known_weights, snapshot, value_of
from test_dcgan import count, tiny_images

from keras_design_gans.models import StackGAN
from keras_design_gans.models.dcgan import dcgan_generator
from keras_design_gans.models.stackgan import shrink, stage_two_generator


def tiny_stackgan(size=64, width=4, **arguments):
    return StackGAN({"shape": 3}, (size, size, 3), latent_dim=8, base_filters=width, **arguments)


def batch(size=64, n=8):
    return {"image": tiny_images(size, n), "shape": np.arange(n, dtype="int32") % 3}


def enlarger(size):
    """Returns a network with the inputs and outputs of stage II: one convolution, one resize."""
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.UpSampling2D(4),
            keras.layers.Conv2D(3, 3, padding="same", activation="tanh", dtype="float32"),
        ]
    )


def values(network):
    return [value_of(variable) for variable in network.weights]


class TestStageOne(GanTestCase):
    """The sizes are those of stage I; batches are four times as large."""

    known_pixels = [-0.0700904, -0.1331989, -0.0995284, -0.2087357, -0.1071700, -0.0637740]

    def make_model(self, size=16):
        return tiny_stackgan(4 * size, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return batch(4 * size, n)

    def more_bad_batches(self, good):
        return {"must lie in 0..2": {**good, "shape": good["shape"] + 1}}


class TestStageTwo(TestStageOne):
    """Trains a small network in the place of the paper's, whose 18 layers are slow to compile."""

    known_pixels = [-0.6588334, -0.8136456, -0.6756203, -0.8253729, -0.6673706, -0.8320497]

    def make_model(self, size=16):
        return super().make_model(size).next_stage(generator=enlarger(size))

    def test_shapes_and_range(self):
        for size in self.sizes:
            for images, side in zip(
                self.make_model(size).generate_stages(4, seed=0), (size, 4 * size), strict=True
            ):
                assert images.shape == (4, side, side, 3)
                assert images.dtype == np.float32
                assert np.abs(images).max() <= 1.0


@pytest.mark.parametrize(("weight", "added"), [(0.0, 0.0), (10.0, 2.5)])
def test_consistency_compares_the_shrunk_picture_with_that_of_stage_one(weight, added):
    """Copies every pixel four by four times and adds 1/4: shrunk again, 1/4 is left."""
    copy = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.UpSampling2D(4),
            keras.layers.Rescaling(1.0, 0.25, dtype="float32"),
        ]
    )
    model = tiny_stackgan(creativity="none").next_stage(generator=copy, consistency_weight=weight)
    given = model.read(batch())
    large = model.make_fakes(given, training=False)
    loss, logs = model.generator_objective(given, large, training=False)
    assert float(logs["consistency_loss"]) == pytest.approx(0.25, abs=1e-5)
    game, _ = super(StackGAN, model).generator_objective(given, large, training=False)
    assert float(loss - game) == pytest.approx(added, abs=1e-4)


@pytest.mark.one_backend
@pytest.mark.parametrize(("width", "weights"), [(128, 26_656_675), (64, 6_668_243)])
def test_weights_of_stage_two(width, weights):
    """With a bias in place of the first normalisation it were `width` fewer: 26,656,547."""
    network = stage_two_generator((64, 64, 3), width)
    assert count(network) == weights
    assert network.output_shape == (None, 256, 256, 3)


def test_known_weights_of_stage_two_give_known_pixels():
    model = tiny_stackgan(width=16, stage=2)
    set_known_weights(model.sampler)
    for variable in model.generator.layers[-2].weights:  # or tanh would be 1 nearly everywhere
        variable.assign(0.1 * value_of(variable))
    pixels = model.decode(model.sample_latents(3, seed=0)).ravel()[::6144]
    expected = [-0.3169026, -0.7852707, -0.3644185, -0.8463157, -0.1614015, -0.6429170]
    np.testing.assert_allclose(pixels, expected, atol=1e-5)


def test_shrink_averages_squares():
    images = tiny_images(16, 2)
    expected = images.reshape(2, 4, 4, 4, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(shrink(images)), expected, atol=1e-6)


def test_wide_pictures():
    model = StackGAN(None, (64, 128, 3), 2, creativity="none", latent_dim=8, base_filters=4)
    assert [a.shape[1:3] for a in model.generate_stages(1)] == [(16, 32), (64, 128)]


def test_stage_one_is_frozen_and_a_file_changes_nothing(tmp_path):
    first = tiny_stackgan(average_decay=0.9)
    first.compile()
    first.fit(batch(), batch_size=4, shuffle=False, verbose=0)
    first.save(tmp_path / "first.keras")
    before = snapshot(first)
    results = []
    for model in (first, keras.models.load_model(tmp_path / "first.keras")):
        keras.utils.set_random_seed(1)
        second = model.next_stage(creativity="none")
        second.compile()
        history = second.fit(batch(), batch_size=4, shuffle=False, verbose=0).history
        assert "creativity_loss" not in history
        assert same(values(first.average_generator), values(second.first_generator))
        results.append(snapshot(second))
    assert same(*results)
    assert same(before, snapshot(first))
    small, large = second.generate_stages(2, seed=0)
    np.testing.assert_array_equal(small, first.generate(2, seed=0))
    np.testing.assert_array_equal(large, second.generate(2, seed=0))


def test_a_preset_holds_both_stages(tmp_path):
    model = tiny_stackgan(average_decay=0.9).next_stage()
    for index, variable in enumerate(model.weights):  # averages differ from what they follow
        variable.assign(np.abs(numbers(variable.shape, index)))
    model.save_to_preset(tmp_path)
    again = StackGAN.from_preset(tmp_path)
    for kept, whole in (
        (again.first_generator, model.first_generator),
        (again.generator, model.average_generator),
        (again.discriminator, model.discriminator),
    ):
        for a, b in zip(values(kept), values(whole), strict=True):
            np.testing.assert_allclose(a, b, rtol=0.01, atol=1e-6)


def test_own_networks_of_both_stages_survive():
    own = dcgan_generator((16, 16, 3), 8, 6)
    model = tiny_stackgan(generator=own).next_stage(generator=stage_two_generator((16, 16, 3), 8))
    again = StackGAN.from_config(model.get_config())
    assert count(again.generator) == count(model.generator)
    assert same(values(own), values(model.first_generator))
    assert [v.shape for v in again.first_generator.weights] == [v.shape for v in own.weights]


@pytest.mark.parametrize("size", [16, 32])
def test_small_sizes_are_named(size):
    with pytest.raises(ValueError, match="at least 64 pixels"):
        tiny_stackgan(size)


def test_impossible_sizes_and_stages_are_named():
    with pytest.raises(ValueError, match="sides of 8, 16, 32"):
        tiny_stackgan(72)
    with pytest.raises(ValueError, match="stage must be 1 or 2, got 3"):
        tiny_stackgan(stage=3)
    with pytest.raises(ValueError, match="In stage I the network to train is called generator"):
        tiny_stackgan(first_generator=dcgan_generator((16, 16, 3), 8, 4))
    with pytest.raises(ValueError, match="in stage 1, which makes small pictures only"):
        tiny_stackgan().generate_stages(1)
    with pytest.raises(ValueError, match="of stage I, it got base_filters"):
        tiny_stackgan().next_stage(base_filters=8)
    with pytest.raises(ValueError, match="in stage 2 of 2 already"):
        tiny_stackgan(stage=2).next_stage()
