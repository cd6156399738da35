"""CGAN: the battery, the numbers of its networks, and what labels and noise decide."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights
from keras import ops
from test_dcgan import count, tiny_images
from test_design import HEADS, batch

from keras_design_gans.models import CGAN
from keras_design_gans.models.cgan import (
    cgan_discriminator,
    cgan_generator,
    cgan_mlp_discriminator,
    cgan_mlp_generator,
)


def tiny_model(size=16, **arguments):
    return CGAN(HEADS, image_shape=(size, size, 3), latent_dim=8, base_filters=4, **arguments)


class TestCGAN(GanTestCase):
    known_pixels = [-0.0735862, -0.1955788, -0.0945234, -0.1991129, -0.0907160, -0.2095520]

    def make_model(self, size=16):
        return tiny_model(
            size, real_target=0.9, instance_noise=0.1, r1_weight=0.1, average_decay=0.9
        )

    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def network_to_export(self, model):
        return model.sampler, [
            model.sample_latents(3, seed=0),
            model.labels(3, shape=[0, 1, 2], texture=0),
        ]

    def more_bad_batches(self, good):
        return {
            "must lie in 0..2": {**good, "shape": good["shape"] + 1},
            "Keys present: 'image', 'shape'": {k: good[k] for k in ("image", "shape")},
        }


@pytest.mark.one_backend
def test_weights_of_the_networks():
    assert count(cgan_generator()) == 3_576_704 + 10 * 16 * 512
    assert count(cgan_discriminator()) == 2_765_568 + 10 * 16 * 64
    assert count(cgan_mlp_generator()) == 2_413_984
    assert count(cgan_mlp_discriminator()) == 1_224_351


@pytest.mark.one_backend
def test_the_networks_of_the_paper_train():
    model = tiny_model(architecture="mlp")
    model.compile()
    logs = model.train_on_batch(batch(), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    again = CGAN.from_config(model.get_config())
    assert count(again.generator) == count(model.generator)


def test_labels_are_one_hot_vectors_side_by_side():
    model = tiny_model()
    expected = np.array([[0, 1, 0, 0, 1], [0, 0, 1, 0, 1]], "float32")
    for shape, texture in (
        (["dress", "top"], 1),
        ([1, 2], [1, 1]),
        (np.array([1, 2]), np.int32(1)),
        (np.array(["dress", "top"]), np.array([1, 1])),
    ):
        found = model.labels(2, shape=shape, texture=texture)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32


def test_labels_that_are_left_out_are_drawn_by_seed():
    model = tiny_model()
    drawn = model.labels(50, seed=1)
    assert (drawn.sum(axis=0) > 5).all()
    np.testing.assert_array_equal(drawn[:, :3].sum(axis=1), np.ones(50))
    np.testing.assert_array_equal(model.labels(50, seed=1), drawn)
    assert not np.array_equal(model.labels(50, seed=2), drawn)
    assert not np.array_equal(model.labels(50), model.labels(50))
    # To choose one condition does not change the others.
    np.testing.assert_array_equal(model.labels(50, seed=1, shape="coat")[:, 3:], drawn[:, 3:])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"colour": "red"}, "no condition 'colour'.*shape, texture"),
        ({"shape": "skirt"}, "'shape' must be one of coat, dress, top, or a number in 0..2"),
        ({"shape": 3}, "in 0..2, got 3"),
        ({"shape": -1}, "in 0..2, got -1"),
        ({"texture": "plain"}, "'texture' must be a number in 0..1, got 'plain'"),
        ({"shape": ["coat", "top"]}, r"one 'shape', or 4 of them for 4 pictures, got \(2,\)"),
        ({"shape": np.eye(4)}, r"one 'shape', or 4 of them for 4 pictures, got \(4, 4\)"),
    ],
)
def test_wrong_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().generate(4, **labels)


def test_wrong_models_are_named():
    for conditions in (None, {}):
        with pytest.raises(ValueError, match=r"at least one condition.*DCGAN"):
            CGAN(conditions)
    with pytest.raises(ValueError, match="'conv', 'mlp'"):
        tiny_model(architecture="deep")


def test_one_vector_or_one_label_is_repeated():
    model = tiny_model()
    set_known_weights(model.generator)
    latents, labels = model.sample_latents(3, seed=0), model.labels(3, shape=[0, 1, 2], texture=0)
    pairs = model.decode(latents, labels)
    one_vector, one_label = model.decode(latents[:1], labels), model.decode(latents, labels[:1])
    for repeated in (one_vector, one_label):
        np.testing.assert_allclose(repeated[0], pairs[0], atol=1e-6)
        assert np.abs(repeated[1] - pairs[1]).max() > 1e-3
    found = model.generate(3, seed=0, shape=["coat", "dress", "top"], texture=0)
    np.testing.assert_array_equal(found, pairs)
    with pytest.raises(ValueError, match=r"model.labels\(n"):
        model.decode(latents)
    with pytest.raises(ValueError, match=r"\(3, 5\) or \(1, 5\) for 3 latent.*got \(2, 5\)"):
        model.decode(latents, labels[:2])


@pytest.mark.parametrize("architecture", ["conv", "mlp"])
def test_a_label_changes_the_picture_and_its_judgement(architecture):
    model = tiny_model(architecture=architecture)
    set_known_weights(model.generator)
    set_known_weights(model.discriminator)
    coats, tops = (model.labels(4, shape=name, texture=0) for name in ("coat", "top"))
    latents, images = model.sample_latents(4, seed=0), tiny_images(16, 4)
    assert np.abs(model.decode(latents, coats) - model.decode(latents, tops)).max() > 1e-3
    logits = [model.discriminator.predict([images, y], verbose=0) for y in (coats, tops)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-3


def test_the_discriminator_is_given_the_labels_of_real_and_of_fake_pictures():
    model, shown = tiny_model(), []

    class Discriminator(keras.layers.Layer):
        def call(self, inputs, training=False):
            shown.append([ops.convert_to_numpy(each) for each in inputs])
            return ops.zeros((ops.shape(inputs[0])[0], 1))

    model.discriminator = Discriminator()
    data = {key: ops.convert_to_tensor(value) for key, value in batch().items()}
    fake = model.make_fakes(data, training=False)
    model.discriminator_objective(data, fake, training=True)
    model.generator_objective(data, fake, training=True)
    expected = model.labels(8, shape=batch()["shape"], texture=batch()["texture"])
    assert len(shown) == 3
    for (images, labels), judged in zip(shown, (data["image"], fake, fake), strict=True):
        np.testing.assert_array_equal(images, ops.convert_to_numpy(judged))
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.one_backend
def test_the_generator_learns_to_obey():
    """Dark and bright pictures by label: a judge of brightness alone could not teach this."""
    model = CGAN({"shade": 2}, image_shape=(8, 8, 1), latent_dim=2, base_filters=4)
    adam = {"learning_rate": 5e-3, "beta_1": 0.5}
    model.compile(
        generator_optimizer=keras.optimizers.Adam(**adam),
        discriminator_optimizer=keras.optimizers.Adam(**adam),
    )
    shade = np.arange(16, dtype="int32") % 2
    images = np.broadcast_to((1.2 * shade - 0.6)[:, None, None, None], (16, 8, 8, 1))
    for _ in range(100):
        model.train_on_batch({"image": images.astype("float32"), "shade": shade})
    dark, bright = (model.generate(16, seed=0, shade=value).mean() for value in (0, 1))
    assert bright - dark > 0.5
