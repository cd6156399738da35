"""AttributeGAN: the battery, the published generator, and the operations of the site."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, set_known_weights
from test_dcgan import count, tiny_images

from keras_design_gans import cli, plotting, recipes, training
from keras_design_gans.datasets import faces
from keras_design_gans.models import AttributeGAN
from keras_design_gans.models.attribute_gan import (
    attribute_generator,
    code_to_latents,
    latents_to_code,
)

NAMES = ["hair: red", "hair: blue", "mouth: smile"]


def tiny_model(size=16, **arguments):
    return AttributeGAN(NAMES, (size, size, 3), latent_dim=8, base_filters=4, **arguments)


class TestAttributeGAN(GanTestCase):
    sizes = (16, 24)
    known_pixels = [0.0657183, -0.2141772, 0.1574609, -0.2849085, 0.0533249, -0.0456899]

    def make_model(self, size=16):
        return tiny_model(size, average_decay=0.9)

    def make_batch(self, size=16, n=8):
        attributes = np.array([[1, 0, 1], [0, 1, 1], [0, 1, 0]], "int32")
        return {"image": tiny_images(size, n), "attributes": attributes[np.arange(n) % 3]}

    def output(self, model):
        return model.generate(4, seed=0, attributes=["hair: red"])

    def network_to_export(self, model):
        vectors = model.vectors([["hair: red"], ["hair: blue", "mouth: smile"], []])
        return model.sampler, [model.sample_latents(3, seed=0), vectors]

    def more_bad_batches(self, good):
        return {
            r"shape \(batch, 3\), got \(8, 2\)": {**good, "attributes": good["attributes"][:, :2]},
            "must be zeros and ones, got values from -1 to 1": {
                **good,
                "attributes": 2 * good["attributes"] - 1,
            },
        }


@pytest.mark.one_backend
def test_the_published_generator():
    generator = attribute_generator()
    assert generator.count_params() == 18_475_651
    assert count(generator) == 18_467_203
    assert 4 * generator.count_params() == 73_902_604  # bytes of the published file
    assert generator.count_params() - count(generator) == 8_448
    sides = [
        layer.output.shape[1:]
        for layer in generator.layers
        if isinstance(layer, (keras.layers.Conv2DTranspose, keras.layers.Reshape))
    ]
    assert sides == [
        (1, 1, 164),
        (6, 6, 1024),
        (12, 12, 512),
        (24, 24, 256),
        (48, 48, 128),
        (96, 96, 3),
    ]


def test_the_discriminator_sees_the_attributes_at_the_smallest_map():
    model = AttributeGAN([str(i) for i in range(64)], base_filters=2)
    (joined,) = [
        layer.output.shape[1:]
        for layer in model.discriminator.layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joined == (6, 6, 16 + 64)


def test_attributes_are_named_or_numbers():
    model = tiny_model()
    expected = np.array([[1, 0, 1]], "float32")
    for given in (["hair: red", "mouth: smile"], np.array([1, 0, 1]), np.array([[1, 0, 1]])):
        found = model.vectors(given)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
    np.testing.assert_array_equal(model.vectors("hair: blue"), [[0, 1, 0]])
    np.testing.assert_array_equal(model.vectors([["hair: blue"], []]), [[0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(model.vectors([]), [[0, 0, 0]])


def test_wrong_attributes_are_named():
    model = tiny_model()
    with pytest.raises(ValueError, match=r"'smile' \(did you mean 'mouth: smile'\?\).*There are"):
        model.generate(2, attributes=["smile"])
    with pytest.raises(ValueError, match=r"Say what to draw.*hair: red, hair: blue"):
        model.generate(2)
    with pytest.raises(ValueError, match="attributes of 1 or 4 pictures, got 2"):
        model.generate(4, attributes=[["hair: red"], ["hair: blue"]])
    with pytest.raises(ValueError, match=r"shape \(batch, 3\), got \(1, 2\)"):
        model.generate(4, attributes=np.ones(2))
    for none in ((), None, "hair"):
        with pytest.raises(ValueError, match="needs the names of its attributes"):
            AttributeGAN(none)


def test_attribute_change_morphing_and_mixing():
    model = tiny_model()
    set_known_weights(model.generator)
    (red,), (smile,) = model.vectors("hair: red"), model.vectors("mouth: smile")
    latents = model.sample_latents(2, seed=0)
    stages = plotting.latent_walk(red, smile, 7, spherical=False)
    np.testing.assert_allclose(stages[:, 0], np.arange(6, -1, -1) / 6, atol=1e-7)
    np.testing.assert_array_equal(stages[[0, -1]], [red, smile])
    morphed = model.decode(latents[:1], stages)
    mixed = model.decode(plotting.latent_walk(*latents, 7, spherical=False), red[None])
    assert morphed.shape == mixed.shape == (7, 16, 16, 3)
    for pictures in (morphed, mixed):
        assert np.abs(pictures[0] - pictures[-1]).max() > 1e-3
    np.testing.assert_allclose(morphed[0], mixed[0], atol=1e-6)


def test_latents_as_text():
    latents = np.random.default_rng(0).standard_normal(100, dtype="float32")
    code = latents_to_code(latents)
    assert len(code) == 268
    assert not set(code) & set("+/")
    again = code_to_latents(code)
    assert again.dtype == np.float32
    assert (np.abs(again - latents) <= 2.0**-11 * np.abs(latents) + 2.0**-24).all()
    assert latents_to_code(again) == code
    with pytest.raises(ValueError, match=r"base64|[Pp]adding"):
        code_to_latents("no code!")


@pytest.fixture
def few_faces(tmp_path, monkeypatch):
    """The data set faces with few examples, a cache of its own, and rounds of two steps."""
    pytest.importorskip("dicebear", reason="pip install keras-design-gans[faces]")
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training, "ROUND", 2)
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 1)
    monkeypatch.setattr(faces, "NUM_EXAMPLES", {"train": 16, "test": 8})
    return tmp_path


def tiny_recipe(name, **arguments):
    recipe = recipes.RECIPES[name]
    arguments = {**recipe.arguments, "base_filters": 4, **arguments}
    return dataclasses.replace(recipe, arguments=arguments, image_size=16, batch_size=4, steps=2)


def run(recipe, out):
    """Trains as `design-gans train` does, without the scores."""
    model, steps = training.run(recipe, out)
    model.save_to_preset(out / "preset", **training.describe(recipe, steps))
    return model


@pytest.mark.one_backend
def test_sentences_and_attributes_from_the_command_line(few_faces, capsys):
    encoder = tiny_recipe("char_cnn_rnn_faces", embedding_dim=6)
    model = run(encoder, few_faces / "words")
    scores = training.encoder_scores(model, encoder)
    kinds = ("embedding_loss", "image_accuracy", "text_accuracy", "translation_accuracy")
    assert set(scores) == {f"test_{kind}" for kind in kinds}
    assert all(0 <= scores[f"test_{kind}"] <= 1 for kind in kinds[1:])

    recipe = tiny_recipe(
        "gan_int_cls_faces_64", latent_dim=8, text_encoder=str(few_faces / "words" / "preset")
    )
    told = run(recipe, few_faces / "told")
    assert {"hair", "clothes"} <= set(told.words)
    assert training.make_pictures(told, recipe, 10, seed=0).shape == (10, 16, 16, 3)
    recipe = tiny_recipe("attribute_gan_faces_64", latent_dim=8)
    ticked = run(recipe, few_faces / "ticked")
    assert ticked.attributes == list(faces.CLASS_NAMES["attributes"])
    scores = training.score(ticked, recipe)
    assert {f"{kind}_attribute_error" for kind in faces.VALUES} <= set(scores)

    out = few_faces / "out"
    for source, order in (
        ("told", ["--text", "a face with red hair"]),
        ("ticked", ["--attributes", "hair_color: red", "mouth: smile"]),
        ("told", []),  # the first test pictures' sentences
        ("ticked", []),
    ):
        command = ["generate", str(few_faces / source), "--number", "2", "--out", str(out)]
        assert cli.main([*command, *order]) == 0
        assert (out / "0001.png").exists()
    for source, order, message in (
        ("told", ["--text", "a fase"], "'fase' (did you mean 'face'"),
        ("ticked", ["--attributes", "smile"], "'smile' (did you mean 'mouth: smile'?)"),
        ("told", ["--attributes", "smile"], "GANCLS takes no --attributes; AttributeGAN does"),
        ("ticked", ["--text", "a face"], "AttributeGAN takes no --text; GANCLS does"),
        ("ticked", ["--label", "a=b"], "takes no --label"),
    ):
        assert cli.main(["generate", str(few_faces / source), *order]) == 2
        assert message in capsys.readouterr().err


def test_other_data_needs_attributes(few_faces):
    recipe = recipes.RECIPES["attribute_gan_faces_64"]
    assert training.for_data(recipe, "garments").labels == ("attributes",)
    with pytest.raises(ValueError, match=r"'garments' has no \['attributes'\]"):
        training.run(training.for_data(recipe, "garments"), few_faces / "run")


def test_recipes_can_be_written_down():
    for name in ("char_cnn_rnn_faces", "gan_int_cls_faces_64", "attribute_gan_faces_64"):
        recipe = recipes.RECIPES[name]
        metadata = json.loads(json.dumps({"recipe": dataclasses.asdict(recipe)}))
        assert training.recipe_from(metadata) == recipe
