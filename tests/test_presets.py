"""Presets: what is written, what comes back, and that the shipped ones are what they claim."""

import json

import keras
import numpy as np
import pytest
from test_dcgan import tiny_images
from test_engine import tiny_dcgan

from keras_design_gans import presets, recipes, training
from keras_design_gans.models import DCGAN, DesIGN
from keras_design_gans.models.contextual_gan import split

MEGABYTE = 2**20
# Sixteen: the pictures of one sentence differ in the skin only.
SENTENCES = [
    f"A face with {style} {color} hair and a {mouth}, wearing blue clothes."
    for style in ("short", "curly")
    for color in ("red", "black", "blond", "green")
    for mouth in ("smile", "sad mouth")
]


def test_a_preset_makes_the_pictures_of_the_averaged_generator(tmp_path):
    model = tiny_dcgan(average_decay=0.9)
    model.compile()
    model.train_on_batch(tiny_images(16, 8))
    model.save_to_preset(tmp_path, steps=1)
    again = DCGAN.from_preset(tmp_path)
    assert again.average_generator is None
    # Eight significant bits: pictures differ by less than one grey level of 256.
    np.testing.assert_allclose(again.generate(4, seed=0), model.generate(4, seed=0), atol=2 / 256)
    assert presets.metadata(tmp_path) == {"steps": 1}


@pytest.mark.one_backend
def test_a_preset_trains_further(tmp_path):
    tiny_dcgan().save_to_preset(tmp_path)
    model = DCGAN.from_preset(tmp_path)
    model.compile()
    assert np.isfinite(model.train_on_batch(tiny_images(16, 8), return_dict=True)["d_loss"])


def test_a_preset_of_a_mixed_precision_run_loads_as_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    tiny_dcgan().save_to_preset(tmp_path)
    keras.config.set_dtype_policy("float32")
    assert "bfloat16" not in (tmp_path / "config.json").read_text()
    assert DCGAN.from_preset(tmp_path).generator.layers[2].compute_dtype == "float32"


def test_wrong_names_are_answered_with_the_near_ones():
    with pytest.raises(ValueError, match="Did you mean 'resnet18_garments_64'"):
        presets.load("resnet_garments_64")
    with pytest.raises(ValueError, match="Did you mean design"):
        recipes.recipe("desgin")


def test_wrong_class_is_named(tmp_path):
    tiny_dcgan().save_to_preset(tmp_path)
    with pytest.raises(ValueError, match=r"holds a DCGAN, not a DesIGN\. .*DCGAN.from_preset"):
        DesIGN.from_preset(tmp_path)


@pytest.mark.parametrize("name", presets.names())
def test_shipped_presets(name):
    directory = presets.find(name)
    size = sum(path.stat().st_size for path in directory.iterdir())
    assert size <= 3 * MEGABYTE
    metadata = presets.metadata(name)
    recipe = training.recipe_from(json.loads(json.dumps(metadata)))
    assert recipe == recipes.RECIPES[name]
    assert metadata["steps"] == recipe.steps
    assert metadata["scores"]
    model = presets.load(name)
    assert type(model).__name__ == recipe.model
    if hasattr(model, "generate") and getattr(model, "generator", True):  # ModularGAN may have none
        shirt = np.full((1, 64, 64, 1), -1, "float32")
        shirt[:, 8:-8, 12:-12] = 1
        told = {
            "GANCLS": {"text": SENTENCES},
            "AttributeGAN": {"attributes": ["hair_color: red", "eyes: open", "mouth: smile"]},
            "MaskStyleGAN": {"masks": shirt},
            "ModularGAN": {"background": "white"},
        }
        images = model.generate(16, seed=0, **told.get(recipe.model, {}))
        if recipe.model == "ContextualGAN":  # joint pictures
            images = split(images)[1]
        assert images.shape == (16, 64, 64, 3)
        assert images.std(axis=0).mean() > 0.1  # sixteen different pictures
        light = {"cars": 0.78, "faces": 0.8}  # on a light ground; all others on white paper
        assert abs(np.median(images[:, :2]) - light.get(recipe.data, 1.0)) < 0.1
