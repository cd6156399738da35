"""CycleGAN: the battery, the numbers of the paper's networks, objectives by hand, two kinds."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, value_of
from keras import ops
from test_dcgan import count, tiny_images

from keras_design_gans import presets
from keras_design_gans.datasets import Dataset
from keras_design_gans.models import CycleGAN
from keras_design_gans.models.cyclegan import cyclegan_discriminator, cyclegan_generator


def tiny_model(size=16, **arguments):
    arguments = {"base_filters": 2, "blocks": 1, "patch": 16, "pool_size": 6, **arguments}
    return CycleGAN(image_shape=(size, size, 3), **arguments)


def batch(size=16, n=8):
    images = tiny_images(size, 2 * n)
    return {"first": images[:n], "second": images[n:]}


class TestCycleGAN(GanTestCase):
    known_pixels = [-0.8577771, -0.6501239, -0.9908369, 0.4659169, -0.9999905, -0.3891557]

    def make_model(self, size=16):
        return tiny_model(size)

    def make_batch(self, size=16, n=6):
        return batch(size, n)

    def output(self, model):
        return model.translate(tiny_images(model.image_shape[0], 4))

    def network_to_export(self, model):
        return model.generator, tiny_images(model.image_shape[0], 3)

    def test_bad_input_is_named_and_changes_nothing(self):
        model = self.compiled()
        before = [value_of(v) for v in model.variables]
        good = self.make_batch()
        bad = {
            r"'first' must have shape .batch, ": {**good, "first": good["first"][:, :-1]},
            "'second' must lie in .-1, 1.": {**good, "second": 255 * good["second"]},
            "'second' is missing": {"first": good["first"]},
            "empty": {key: value[:0] for key, value in good.items()},
        }
        for message, each in bad.items():
            with pytest.raises(ValueError, match=message):
                model.train_on_batch(each)
        assert all(map(np.array_equal, before, map(value_of, model.variables)))


@pytest.mark.one_backend
def test_weights_of_the_networks():
    assert count(cyclegan_generator()) == 11_378_179
    small = cyclegan_generator((128, 128, 3), blocks=6)
    assert count(small) == 7_837_699
    assert small.output_shape == (None, 128, 128, 3)
    discriminator = cyclegan_discriminator()
    assert count(discriminator) == 2_764_737
    assert discriminator.output_shape == (None, 30, 30, 1)
    assert cyclegan_discriminator((64, 64, 3), 2, 34).output_shape == (None, 14, 14, 1)


class Shift(keras.layers.Layer):
    """A generator that makes pictures brighter."""

    def __init__(self, brighter):
        super().__init__()
        self.brighter = brighter

    def call(self, images, training=False):
        return images + self.brighter


class Same(keras.layers.Layer):
    """A discriminator with one answer."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def call(self, images, training=False):
        return ops.full((ops.shape(images)[0], 2, 2, 1), self.answer)


def test_objectives_by_hand():
    model = tiny_model()
    model.generator, model.inverse_generator = Shift(0.25), Shift(0.5)
    model.discriminator, model.inverse_discriminator = Same(3.0), Same(0.0)
    given = {key: ops.convert_to_tensor(value) for key, value in batch().items()}
    loss, logs, fakes = model.generator_objective(given, training=True)
    assert float(logs["adversarial_loss"]) == pytest.approx((3 - 1) ** 2 + (0 - 1) ** 2)
    assert float(logs["cycle_loss"]) == pytest.approx(2 * 0.75, rel=1e-5)
    assert float(logs["identity_loss"]) == pytest.approx(0.25 + 0.5, rel=1e-5)
    assert float(loss) == pytest.approx(5 + 10 * 1.5 + 5 * 0.75, rel=1e-5)
    second = ops.convert_to_numpy(fakes["second"])
    np.testing.assert_allclose(second, batch()["first"] + 0.25, atol=1e-6)
    loss, logs = model.discriminator_objective(given, fakes, training=True)
    # Halves of (3-1)^2 + 3^2 for the second kind, and of (0-1)^2 + 0^2 for the first.
    assert float(loss) == pytest.approx((4 + 9 + 1 + 0) / 2)
    assert float(logs["d_real_accuracy"]) == float(logs["d_fake_accuracy"]) == 0.5


@pytest.mark.one_backend
def test_without_identity_and_pool():
    model = tiny_model(identity_weight=0.0, pool_size=0)
    model.compile()
    logs = model.train_on_batch(batch(), return_dict=True)
    assert float(logs["identity_loss"]) == 0.0
    assert model.pool is None


@pytest.mark.one_backend
def test_the_discriminators_see_the_pools():
    model = tiny_model(pool_size=8)
    model.compile()
    model.train_on_batch(batch(n=5))
    assert int(model.pool.count) == int(model.inverse_pool.count) == 5
    model.train_on_batch(batch(n=5))
    assert int(model.pool.count) == 8
    assert np.abs(value_of(model.pool.kept)).max(axis=(1, 2, 3)).min() > 0


def test_a_preset_has_no_pool(tmp_path):
    model = tiny_model()
    model.compile()
    model.train_on_batch(batch())
    model.save_to_preset(tmp_path)
    again = presets.load(tmp_path)
    assert again.pool is None
    images = tiny_images(16, 2)
    for back in (False, True):
        expected = model.translate(images, back=back)
        np.testing.assert_allclose(again.translate(images, back=back), expected, atol=0.02)
    assert np.abs(again.translate(images) - again.translate(images, back=True)).max() > 1e-3


def labelled():
    images = np.arange(20, dtype="uint8")[:, None, None, None] * np.ones((16, 16, 3), "uint8")
    arrays = {"image": images, "hair": np.arange(20) % 3}
    return Dataset(arrays, "faces", batch_size=4, class_names={"hair": ("black", "red", "blond")})


@pytest.mark.one_backend
def test_two_kinds_of_a_data_set_with_labels():
    model = tiny_model(conditions={"hair": ["black", "red", "blond"]}, domains=("blond", "black"))
    assert model.made_from == ("image", "hair")
    prepared = model.prepare(labelled())
    assert prepared.features == ("first", "second")
    assert prepared.num_examples == 7  # black: 0, 3, ..., 18
    first, second = (prepared.arrays[key][:, 0, 0, 0] for key in ("first", "second"))
    np.testing.assert_array_equal(first, [2, 5, 8, 11, 14, 17, 2])
    np.testing.assert_array_equal(second, np.arange(0, 19, 3))
    model.compile()
    model.fit(prepared, epochs=1, steps_per_epoch=1, verbose=0)
    config = CycleGAN.from_config(model.get_config()).get_config()
    assert config["domains"] == ["blond", "black"]


def test_what_does_not_fit_is_named():
    hair = {"hair": ["black", "red"]}
    with pytest.raises(ValueError, match="two different classes"):
        tiny_model(conditions=hair, domains=("black", "black"))
    with pytest.raises(ValueError, match="'hair' must be one of black, red"):
        tiny_model(conditions=hair, domains=("black", "blond"))
    with pytest.raises(ValueError, match="from one label, got hair, mouth"):
        tiny_model(conditions={**hair, "mouth": 2})
    with pytest.raises(ValueError, match="small enough for the image"):
        tiny_model(patch=70)
    with pytest.raises(ValueError, match="equal sides of 16, 32, 64"):
        CycleGAN(image_shape=(16, 24, 3))
    with pytest.raises(ValueError, match="'mouth' is not among image, hair"):
        tiny_model(conditions={"mouth": 2}).prepare(labelled())
    data = labelled()
    data.arrays["hair"] = np.zeros(20, "int32")
    with pytest.raises(ValueError, match="no pictures of one of"):
        tiny_model(conditions=hair, domains=("black", "red")).prepare(data)
