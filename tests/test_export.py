"""Exported networks give the pictures of Keras, and their JSON says what they take."""

import json
import types

import keras
import numpy as np
import pytest

from keras_design_gans import cli, export, models, presets
from keras_design_gans.datasets import faces

onnxruntime = pytest.importorskip("onnxruntime")
TAGS = faces.CLASS_NAMES["attributes"]


def run(path, *arrays):
    """Runs an ONNX file; returns its output and the names of its inputs."""
    session = onnxruntime.InferenceSession(path)
    names = [node.name for node in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))[0], names


def stir(network):
    """Gives a network weights that make pictures which differ."""
    rng = np.random.default_rng(0)
    for weight in network.weights:
        values = rng.normal(size=weight.shape) / np.sqrt(max(1, weight.shape[-1]))
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)


def test_a_conditional_preset_by_the_command(tmp_path, capsys):
    conditions = {"body": ["suv", "coupe"], "view": 3}
    model = models.CGAN(
        image_shape=(16, 16, 3), latent_dim=8, base_filters=8, conditions=conditions
    )
    stir(model.generator)
    presets.save(model, tmp_path / "preset", {})
    model = presets.load(tmp_path / "preset")
    out = tmp_path / "made" / "cars.onnx"
    assert cli.main(["export", str(tmp_path / "preset"), "--out", str(out)]) == 0
    assert capsys.readouterr().out.count(str(out.parent)) == 2
    noise, labels = model.sample_latents(5, seed=0), model.labels(5, seed=0)
    found, names = run(out, noise, labels)
    assert names == ["noise", "attributes"]
    expected = model.decode(noise, labels)
    assert expected.std() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert json.loads(out.with_suffix(".json").read_text()) == {
        "name": "cars",
        "latent_dim": 8,
        "image_shape": [16, 16, 3],
        "attributes": [
            {"group": "body", "names": ["suv", "coupe"]},
            {"group": "view", "names": ["0", "1", "2"]},
        ],
    }
    weights = model.generator.count_params()
    assert out.stat().st_size < 2 * weights + 40_000  # a float32 file is twice as large
    assert sorted(path.name for path in out.parent.iterdir()) == ["cars.json", "cars.onnx"]


def test_weights_that_need_32_bits_keep_them(tmp_path):
    model = models.DCGAN(image_shape=(16, 16, 1), latent_dim=8, base_filters=8)
    stir(model.generator)
    written = export.export(model, tmp_path / "plain.onnx")
    assert [path.name for path in written] == ["plain.onnx", "plain.json"]
    noise = model.sample_latents(3, seed=0)
    found, names = run(written[0], noise)
    assert names == ["noise"]
    np.testing.assert_allclose(found, model.decode(noise), atol=1e-5)
    described = json.loads(written[1].read_text())
    assert described["attributes"] == []
    assert described["image_shape"] == [16, 16, 1]


def test_attributes_in_groups():
    groups = export.attributes(types.SimpleNamespace(attributes=TAGS))
    assert sum(len(group["names"]) for group in groups) == len(TAGS) == 40
    assert groups[0]["group"] == "hair_color"
    assert groups[0]["names"][:2] == ["black", "brown"]
    optional = [group["group"] for group in groups if group["optional"]]
    assert optional == ["glasses", "beard", "accessory"]
    alone = export.attributes(types.SimpleNamespace(attributes=("smiling",)))
    assert alone == [{"group": "smiling", "names": ["yes"], "optional": True}]
    assert export.attributes(models.DCGAN(image_shape=(16, 16, 3), base_filters=2)) == []


def test_a_network_of_something_else_keeps_its_inputs(tmp_path):
    source = keras.Input((8, 8, 3), name="source")
    network = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same")(source))
    model = types.SimpleNamespace(generator=network)
    written = export.export(model, tmp_path / "edges.onnx")
    assert [path.name for path in written] == ["edges.onnx"]
    pictures = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    found, names = run(written[0], pictures)
    assert names == ["source"]
    np.testing.assert_allclose(found, network.predict(pictures, verbose=0), atol=1e-5)


def test_what_cannot_be_exported_says_so(tmp_path, capsys):
    with pytest.raises(ValueError, match="format must be one of onnx"):
        export.export(None, tmp_path / "x", format="exe")
    with pytest.raises(ValueError, match="no single network"):
        export.export(types.SimpleNamespace(), tmp_path / "x.onnx")
    assert cli.main(["export", "resnet18_garments_64"]) == 2
    assert "makes no pictures" in capsys.readouterr().err


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own format")
def test_saved_model(tmp_path):
    import tensorflow as tf

    model = models.DCGAN(image_shape=(16, 16, 3), latent_dim=8, base_filters=4)
    export.export(model, tmp_path / "saved", format="saved_model")
    noise = model.sample_latents(3, seed=0)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(loaded.serve(noise), model.decode(noise), atol=1e-5)
