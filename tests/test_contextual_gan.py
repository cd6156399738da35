"""ContextualGAN: the battery, the numbers of the paper's networks, and the search for the noise."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, set_known_weights
from keras import layers, ops
from test_dcgan import count, tiny_images
from test_pix2pix import tiny_sketches

from keras_design_gans import metrics
from keras_design_gans.models import ContextualGAN
from keras_design_gans.models.contextual_gan import nesterov, split

FEW = {"steps": 3, "candidates": 2, "seed": 0}


def tiny_joint(size, n):
    sketches = np.repeat(tiny_sketches(size, n), 3, axis=-1)
    return np.concatenate([sketches, tiny_images(size, n)], axis=2)


def tiny_model(size=16, **arguments):
    return ContextualGAN((size, size, 3), **{"latent_dim": 8, "base_filters": 4, **arguments})


@pytest.fixture
def known():
    """A model whose weights are the same on every machine and backend."""
    model = tiny_model(8, base_filters=2)
    set_known_weights(model.generator)
    set_known_weights(model.discriminator)
    return model


class TestContextualGAN(GanTestCase):
    known_pixels = [-0.0819685, -0.1732929, -0.0993290, -0.1698571, -0.0994663, -0.1692520]
    pictures = "joint"

    def make_model(self, size=16):
        return tiny_model(size, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"joint": tiny_joint(size, n)}

    def output(self, model):
        return model.translate(tiny_sketches(model.image_shape[0], 4), **FEW)


@pytest.mark.one_backend
def test_weights_of_the_paper():
    """With biases and kernels of 5 x 5 they are those of the paper."""
    model = ContextualGAN()
    assert model.generator.output_shape == (None, 64, 128, 3)
    assert count(model.generator) == 4_395_904
    assert count(model.discriminator) == 2_773_760
    totals = []
    for network in (model.generator, model.discriminator):
        kernels = [v.shape for v in network.trainable_variables if len(v.shape) == 4]
        others = sum(int(np.prod(v.shape)) for v in network.trainable_variables if len(v.shape) < 4)
        small = sum(25 * k[2] * k[3] for k in kernels if k[:2] == (4, 4))
        dense = sum(int(np.prod(k)) for k in kernels if k[:2] != (4, 4))
        totals.append(small + dense + others)
    assert totals[0] + (4 * 8 * 512 + 256 + 128 + 64 + 3) == 5_962_755
    assert totals[1] + (64 + 128 + 256 + 512 + 1) == 4_324_737


def test_noise_is_uniform():
    model = tiny_model()
    for noise in (model.sample_latents(4_000, seed=0), model.sample_noise(4_000)):
        noise = ops.convert_to_numpy(noise)
        assert -1 <= noise.min() < -0.99
        assert 0.99 < noise.max() <= 1
        assert noise.std() == pytest.approx(1 / np.sqrt(3), abs=0.01)


def test_halves():
    sketch, picture = split(tiny_joint(16, 2))
    np.testing.assert_array_equal(sketch[..., :1], tiny_sketches(16, 2))
    np.testing.assert_array_equal(picture, tiny_images(16, 2))


@pytest.mark.parametrize(
    ("momentum", "expected"),
    [(0.9, [0.81, 0.5751, 0.327321, 0.093888, -0.104582]), (0.0, [0.9, 0.81, 0.729])],
)
def test_nesterov_on_a_parabola(momentum, expected):
    """The slope of z**2 / 2 is z."""
    z, velocity = 1.0, 0.0
    for place in expected:
        z, velocity = nesterov(z, velocity, z, learning_rate=0.1, momentum=momentum)
        assert z == pytest.approx(place, abs=1e-6)


def test_the_search_goes_down_and_stays_in_the_range_of_the_noise(known):
    sketches = split(known.generate(3, seed=5))[0].mean(axis=-1, keepdims=True)
    joint, history = known.complete(
        sketches,
        steps=30,
        candidates=2,
        weight=1e-4,
        learning_rate=10.0,
        seed=0,
        return_history=True,
    )
    assert history["loss"].shape == (31, 3)
    assert (history["contextual_loss"][-1] < 0.6 * history["contextual_loss"][0]).all()
    assert np.abs(history["latents"]).max() <= 1
    total = history["contextual_loss"] + 1e-4 * history["perceptual_loss"]
    np.testing.assert_allclose(history["loss"], total, rtol=1e-5)
    made = known.decode(history["latents"])
    np.testing.assert_array_equal(joint[:, :, :8], np.repeat(sketches, 3, axis=-1))
    np.testing.assert_array_equal(joint[:, :, 8:], made[:, :, 8:])


def test_one_step_by_hand(known):
    """The step along the gradient of this picture's loss alone, by finite differences."""
    sketch = tiny_sketches(8, 1)
    options = {"candidates": 1, "weight": 0.5, "seed": 0, "return_history": True}
    _, start = known.complete(sketch, steps=0, **options)
    _, end = known.complete(sketch, steps=1, learning_rate=0.01, **options)
    moved = (start["latents"] - end["latents"]) / (0.01 * 1.9)

    def loss(z):
        known.sample_latents = lambda n, seed: z
        return known.complete(sketch, steps=0, **options)[1]["loss"][0, 0]

    for place in range(3):
        step = np.eye(8, dtype="float32")[[place]] * 1e-2
        slope = (loss(start["latents"] + step) - loss(start["latents"] - step)) / 2e-2
        assert moved[0, place] == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_the_best_start_of_each_sketch_is_taken(known):
    sketches = tiny_sketches(8, 5)
    options = {"steps": 0, "seed": 0, "return_history": True}
    _, chosen = known.complete(sketches, candidates=4, **options)
    draws = known.sample_latents(4, seed=0)
    losses = []
    for draw in draws:
        known.sample_latents = lambda n, seed, z=draw[None]: z
        _, alone = known.complete(sketches, candidates=1, **options)
        losses.append(alone["contextual_loss"][0])
    np.testing.assert_allclose(chosen["contextual_loss"][0], np.min(losses, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(chosen["latents"], draws[np.argmin(losses, axis=0)])
    assert len(set(np.argmin(losses, axis=0))) > 1


def test_a_sketch_does_not_depend_on_the_others(known):
    sketches = tiny_sketches(8, 5)
    together = known.complete(sketches, **FEW)
    np.testing.assert_allclose(known.complete(sketches, batch_size=2, **FEW), together, atol=1e-5)
    np.testing.assert_allclose(known.complete(sketches[:1], **FEW), together[:1], atol=1e-5)
    np.testing.assert_array_equal(known.complete(sketches, **FEW), together)


def test_known_weights_give_known_completions(known):
    """The same search on every backend."""
    options = {"steps": 10, "candidates": 3, "learning_rate": 3.0, "seed": 0}
    found = known.complete(tiny_sketches(8, 2), **options)[:, 4, 12]
    expected = [[0.0726396, -0.0201718, -0.1306504], [-0.1241289, -0.3198832, -0.3045818]]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_search_changes_no_weights(known):
    before = known.get_weights()
    known.complete(tiny_sketches(8, 2), **FEW)
    assert all(map(np.array_equal, before, known.get_weights()))


def test_a_compiled_search_sees_weights_that_have_changed():
    model = tiny_model(8, base_filters=2)
    first = model.complete(tiny_sketches(8, 2), **FEW)
    set_known_weights(model.generator)
    set_known_weights(model.discriminator)
    second = model.complete(tiny_sketches(8, 2), **FEW)
    assert np.abs(first - second).max() > 1e-3
    model._search = (None, None)
    np.testing.assert_array_equal(model.complete(tiny_sketches(8, 2), **FEW), second)


def test_xla_or_torch_compile_searches_alike(known):
    expected = known.complete(tiny_sketches(8, 2), **FEW)
    known.compile(jit_compile=True)
    np.testing.assert_allclose(known.complete(tiny_sketches(8, 2), **FEW), expected, atol=1e-5)


def test_pictures_are_completed_to_sketches(known):
    pictures = tiny_images(8, 2)
    joint, history = known.complete(
        pictures, "image", steps=30, candidates=2, learning_rate=1.0, seed=0, return_history=True
    )
    np.testing.assert_array_equal(joint[:, :, 8:], pictures)
    np.testing.assert_array_equal(joint[:, :, :8], known.decode(history["latents"])[:, :, :8])
    assert (history["contextual_loss"][-1] < history["contextual_loss"][0]).all()


def test_options_of_the_losses(known):
    """Each changes where the search begins or goes."""
    sketches = tiny_sketches(8, 2)
    plain = known.complete(sketches, **FEW)
    for option in ({"reverse": True}, {"light": True}, {"saturating": False, "weight": 10.0}):
        assert np.abs(known.complete(sketches, **option, **FEW) - plain).max() > 1e-5


def test_a_classifier_asks_for_labels(known):
    """Of two classes, by how bright the picture is."""
    image = keras.Input((8, 8, 3))
    light = layers.GlobalAveragePooling2D()(image)
    dense = layers.Dense(2, kernel_initializer="zeros")
    network = keras.Model(image, {"tone": dense(light)})
    dense.kernel.assign([[-9.0, 9.0]] * 3)
    tones = []
    for label in (0, 1):
        joint, history = known.complete(
            tiny_sketches(8, 3),
            steps=20,
            candidates=1,
            learning_rate=0.05,
            classifier=network,
            labels={"tone": label},
            label_weight=1.0,
            seed=0,
            return_history=True,
        )
        tones.append(split(joint)[1].mean(axis=(1, 2, 3)))
        losses = history["label_loss"]
        expected = np.logaddexp(0, (-1) ** label * 54 * tones[-1])
        np.testing.assert_allclose(losses[-1], expected, rtol=1e-3, atol=1e-4)
        assert (losses[-1] < losses[0]).all()
        total = history["contextual_loss"] + 0.01 * history["perceptual_loss"] + losses
        np.testing.assert_allclose(history["loss"], total, rtol=1e-5)
    assert (tones[1] > tones[0]).all()


def test_a_residual_network_can_be_the_classifier():
    model = tiny_model()
    classifier = metrics.ResNet18((16, 16, 3), {"label": 3}, base_filters=2)
    asked = {"classifier": classifier, "labels": {"label": [0, 2]}}
    assert model.complete(tiny_sketches(16, 2), **asked, **FEW).shape == (2, 16, 32, 3)


@pytest.mark.parametrize(
    ("images", "arguments", "message"),
    [
        (tiny_images(8, 2), {}, "'images' must have shape .batch, 16, 16, 3."),
        (tiny_sketches(8, 2), {}, "'images' must have shape .batch, 16, 16, 1."),
        (tiny_sketches(16, 2), {"known": "image"}, "'images' must have shape .batch, 16, 16, 3."),
        (127.5 * tiny_sketches(16, 2), {}, "'images' must lie in .-1, 1."),
        (tiny_sketches(16, 0), {}, "empty"),
        (tiny_sketches(16, 2), {"known": "mask"}, "'sketch' or 'image', got 'mask'"),
        (tiny_sketches(16, 2), {"candidates": 0}, "candidates >= 1"),
        (tiny_sketches(16, 2), {"steps": -1}, "steps >= 0"),
        (tiny_sketches(16, 2), {"labels": {"a": 0}}, "pass both: classifier"),
        (
            tiny_sketches(16, 2),
            {"classifier": print, "labels": {"a": [0, 1, 2]}},
            "one label or 2 of 'a', got shape .3,.",
        ),
    ],
)
def test_what_cannot_be_completed_is_named(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny_model().complete(images, **arguments)


def test_training_needs_joint_pictures():
    model = tiny_model()
    model.compile()
    with pytest.raises(ValueError, match=r"'joint' is missing.*kdg\.datasets\.joint"):
        model.train_on_batch({"image": numbers((2, 16, 16, 3), 0)})
