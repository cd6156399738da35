"""PGGAN: the battery, the weights of the paper's networks, fading in, and growing."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, same, set_known_weights, value_of
from test_dcgan import count, tiny_images

from keras_design_gans.layers import EqualizedConv2D
from keras_design_gans.models import PGGAN
from keras_design_gans.models.pggan import pggan_critic, pggan_generator


def tiny_model(size=16, stage=1, **arguments):
    return PGGAN((size, size, 3), latent_dim=8, base_filters=8, stage=stage, **arguments)


def grown(size=16, stage=2, **arguments):
    """Returns a model of known weights in the stage before, and the next one."""
    model = tiny_model(size, stage - 1, **arguments)
    for network in (model.generator, model.critic, model.average_generator):
        set_known_weights(network)
    set_alpha(model, 1.0)
    return model, model.next_stage(fade_steps=4)


def set_alpha(model, value):
    for fade in model.fades:
        fade.alpha.assign(value)


def enlarge(images):
    return images.repeat(2, axis=1).repeat(2, axis=2)


def as_array(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


class TestLastStage(GanTestCase):
    known_pixels = [0.5233309, 0.6703545, 0.5181132, 0.6315354, 0.5145488, 0.6522884]

    def make_model(self, size=16):
        stage = {16: 3, 32: 4}[size]
        return tiny_model(size, stage, fade_steps=3, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        return {"image": tiny_images(size, n)}


class TestFirstStage(TestLastStage):
    """Pictures of 4 pixels, from batches of 16."""

    sizes = (4,)
    known_pixels = [-0.6495910, -0.7030410, -0.6555489, -0.7151592, -0.6590015, -0.6539907]

    def make_model(self, size=16):
        return tiny_model(16, average_decay=0.9)


def test_weights_at_1024_pixels():
    assert count(pggan_generator()) == 23_071_507
    assert count(pggan_critic()) == 23_077_137


def test_weights_at_64_pixels():
    """Maps of 512 channels up to 32 pixels: eight convolutions, and 16 x 512 x 512 numbers."""
    wide, last = 9 * 512 * 512 + 512, 9 * 256 * 256 + 256
    generator = 16 * 512 * 512 + 512 + 7 * wide + 9 * 512 * 256 + 256 + last + 3 * 256 + 3
    assert generator == 22_484_227
    assert count(pggan_generator((64, 64, 3))) == generator
    critic = 3 * 256 + 256 + last + 9 * 256 * 512 + 512 + 6 * wide
    critic += 9 * 513 * 512 + 512 + 16 * 512 * 512 + 512 + 512 + 1
    assert count(pggan_critic((64, 64, 3))) == critic == 22_489_857


def test_a_fading_picture_has_the_weights_of_the_one_before():
    assert count(pggan_generator((16, 16, 3), 8, 8, fade=True)) == (
        count(pggan_generator((16, 16, 3), 8, 8)) + 3 * 8 + 3
    )


def test_wide_pictures():
    model = PGGAN((16, 32, 3), latent_dim=8, base_filters=8, stage=2, fade_steps=2)
    assert model.stages == 3
    assert model.generate(2).shape == (2, 8, 16, 3)


def test_growing_changes_no_picture_and_no_score():
    for stage in (2, 3):
        before, model = grown(stage=stage, average_decay=0.9)
        noise, images = numbers((4, 8), 0), tiny_images(16, 4)
        for name in ("generator", "average_generator"):
            old, new = as_array(getattr(before, name)(noise)), as_array(getattr(model, name)(noise))
            np.testing.assert_array_equal(new, enlarge(old))
        scores = [as_array(m.critic(m.read({"image": images})["image"])) for m in (before, model)]
        np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)


def test_alpha_one_is_the_new_layers_alone():
    _, model = grown()
    set_alpha(model, 1.0)
    noise, images = numbers((4, 8), 0), tiny_images(8, 4)
    new_generator, new_critic = pggan_generator((8, 8, 3), 8, 8), pggan_critic((8, 8, 3), 8)
    for new, fading, x in (
        (new_generator, model.generator, noise),
        (new_critic, model.critic, images),
    ):
        for layer in new.layers:
            if isinstance(layer, EqualizedConv2D):
                layer.set_weights(fading.get_layer(layer.name).get_weights())
        np.testing.assert_array_equal(as_array(new(x)), as_array(fading(x)))


def test_real_images_fade_in_too():
    _, model = grown()
    images = tiny_images(16, 2)
    fine = images.reshape(2, 8, 2, 8, 2, 3).mean(axis=(2, 4))
    coarse = enlarge(images.reshape(2, 4, 4, 4, 4, 3).mean(axis=(2, 4)))
    for alpha in (0.0, 0.25, 1.0):
        set_alpha(model, alpha)
        found = as_array(model.read({"image": images})["image"])
        np.testing.assert_allclose(found, (1 - alpha) * coarse + alpha * fine, atol=1e-6)


def test_alpha_rises_with_every_step_and_a_file_keeps_it(tmp_path):
    model = tiny_model(stage=2, fade_steps=4)
    model.compile()
    seen = []
    for _ in range(3):
        seen.append(float(model.alpha))
        model.train_on_batch(tiny_images(16, 4))
    assert seen == [0.0, 0.25, 0.5]
    assert [float(value_of(fade.alpha)) for fade in model.fades] == [0.75] * 3
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for _ in range(2):
        logs = again.train_on_batch(tiny_images(16, 4), return_dict=True)
    assert [float(value_of(fade.alpha)) for fade in again.fades] == [1.0] * 3
    assert set(logs) == {"d_loss", "g_loss", "wasserstein_estimate", "gradient_penalty", "alpha"}


def test_a_stage_without_fading():
    model = tiny_model().next_stage(fade_steps=0)
    assert (model.fades, float(model.alpha)) == ([], 1.0)
    model.compile()
    assert float(model.train_on_batch(tiny_images(16, 4), return_dict=True)["alpha"]) == 1.0


@pytest.mark.one_backend
def test_all_stages_one_after_the_other():
    model = tiny_model()
    sides = []
    while True:
        model.compile()
        model.fit(tiny_images(16, 4), batch_size=4, verbose=0)
        sides.append(model.generate(1).shape[1])
        if model.stage == model.stages:
            break
        before = [value_of(v) for v in model.variables]
        model, last = model.next_stage(fade_steps=1), model
        assert same(before, [value_of(v) for v in last.variables])
    assert sides == [4, 8, 16]


def test_pictures_stay_in_their_range():
    model = tiny_model()
    for variable in model.generator.weights:
        variable.assign(variable * 100)
    model = model.next_stage()
    assert np.abs(model.generate(4, seed=0)).max() == 1.0


def test_impossible_sizes_and_stages_are_named():
    with pytest.raises(ValueError, match="sides of 8, 16, 32"):
        tiny_model(20)
    with pytest.raises(ValueError, match=r"stage must be 1 to 3 .* got 4"):
        tiny_model(16, stage=4)
    with pytest.raises(ValueError, match="in stage 3 of 3 already"):
        tiny_model(16, stage=3).next_stage()
