"""CharCNNRNN: the battery, its layers, and that it learns which sentence fits."""

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase
from keras import ops
from test_dcgan import count, tiny_images

from keras_design_gans import text
from keras_design_gans.datasets import Dataset
from keras_design_gans.models import CharCNNRNN
from keras_design_gans.models.char_cnn_rnn import (
    char_cnn_rnn_image_encoder,
    char_cnn_rnn_image_head,
    char_cnn_rnn_text_encoder,
    thirds,
)

COLORS = ("red", "green", "blue")


def captioned(size=16, n=8):
    """Pictures with sentences of three kinds."""
    label = np.arange(n, dtype="int32") % 3
    sentences = [f"A {COLORS[k]} face, number {i}." for i, k in enumerate(label)]
    return {"image": tiny_images(size, n), "caption": text.encode(sentences), "label": label}


class TestCharCNNRNN(GanTestCase):
    losses = ("embedding_loss",)
    known_pixels = [-1.2658625, -1.1823535, -1.2832406, -1.2370956, -1.2784197, -1.1723857]

    def make_model(self, size=16):
        return CharCNNRNN((size, size, 3), 4, embedding_dim=6, told_apart_by="label")

    def make_batch(self, size=16, n=8):
        return captioned(size, n)

    def output(self, model):
        return model.embed([f"a {color} face" for color in COLORS])

    def test_shapes_and_range(self):
        vectors = self.output(self.make_model())
        assert vectors.shape == (3, 6)
        assert vectors.dtype == np.float32

    def network_to_export(self, model):
        return model.text_encoder, captioned(n=3)["caption"].astype("int32")

    def more_bad_batches(self, good):
        return {
            "'label' is missing": {k: good[k] for k in ("image", "caption")},
            r"integers of shape \(batch, 201\).*kdg.text.encode": {
                **good,
                "caption": good["caption"][:, :200],
            },
            "kdg.text.encode, those of a data set": {**good, "caption": np.array(["a face"] * 8)},
            "must lie in 0..70": {**good, "caption": good["caption"] + 30},
        }


def test_a_longer_alphabet_is_saved(tmp_path):
    model = CharCNNRNN(
        (8, 8, 3), 4, embedding_dim=2, captions=("caption", "other"), alphabet=text.ALPHABET + "脸"
    )
    model.compile()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.captions == ("caption", "other")
    assert (model.embed("脸") != model.embed("")).any()
    np.testing.assert_allclose(loaded.embed("脸"), model.embed("脸"), atol=1e-6)


@pytest.mark.one_backend
def test_weights_of_the_papers_encoder():
    encoder = char_cnn_rnn_text_encoder()
    assert count(encoder) == 1_813_888
    steps = [x.output.shape[1] for x in encoder.layers if isinstance(x, keras.layers.Conv1D)]
    assert steps == [198, 63, 18]
    assert count(char_cnn_rnn_image_encoder()) == 11_147_008
    assert count(char_cnn_rnn_image_head()) == 132_352


def test_pooling_by_thirds():
    x = np.arange(14, dtype="float32").reshape(1, 7, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(thirds(x)), [[[4, 5], [10, 11]]])


class Nothing(keras.layers.Layer):
    """An encoder whose vectors are 0."""

    def call(self, inputs, training=False):
        return ops.zeros((len(inputs), 2))


def test_only_sentences_with_other_labels_are_wrong():
    model = CharCNNRNN((8, 8, 3), 4, embedding_dim=2)
    model.image_encoder, model.text_encoder = Nothing(), Nothing()
    nothing = ops.zeros((6, 1))
    labels = ops.convert_to_tensor([0, 0, 0, 1, 1, 1])
    batch = {"image": nothing, "caption": nothing, "label": labels}
    every_other, _ = model.objective(batch, training=False)
    assert float(every_other) == pytest.approx(2 * 30 / 36)
    model.told_apart_by = "label"
    with_other_labels, logs = model.objective(batch, training=False)
    assert float(with_other_labels) == pytest.approx(2 * 18 / 36)
    assert float(logs["image_accuracy"]) == 0.0  # a tie is no success


@pytest.mark.one_backend
def test_it_learns_which_sentence_fits():
    keras.utils.set_random_seed(0)
    label = np.arange(8, dtype="int32") % 2
    shades = np.broadcast_to((1.6 * label - 0.8)[:, None, None, None], (8, 8, 8, 3))
    sentences = ["a dark picture", "bright, this one"]
    model = CharCNNRNN((8, 8, 3), 8, embedding_dim=8, told_apart_by="label")
    model.compile(encoders_optimizer=keras.optimizers.Adam(5e-3))
    batch = {
        "image": shades.astype("float32"),
        "caption": text.encode([sentences[k] for k in label]),
        "label": label,
    }
    for _ in range(30):
        logs = model.train_on_batch(batch, return_dict=True)
        model.reset_metrics()
    assert logs["image_accuracy"] == logs["text_accuracy"] == 1.0
    assert logs["embedding_loss"] < 0.3  # 1 at first, where half of the pairs are wrong
    vectors = model.embed(sentences)
    pictures = ops.convert_to_numpy(model.image_encoder(batch["image"][:2], training=True))
    assert (pictures @ vectors.T).argmax(axis=1).tolist() == [0, 1]


def extractor(size=8):
    """A network whose features are the mean colours of a picture."""
    image = keras.Input((size, size, 3))
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))


@pytest.mark.one_backend
def test_fixed_features_take_the_place_of_the_pictures(tmp_path):
    pixels = np.arange(8 * 8 * 8 * 3, dtype="uint16").reshape(8, 8, 8, 3).astype("uint8")
    arrays = {"image": pixels, "label": np.arange(8, dtype="int32") % 3}
    captions = {"caption": [("a face", "one face"), ("no face",)] * 4}
    data = Dataset(arrays, "tiny", batch_size=4, captions=captions)
    model = CharCNNRNN(
        (8, 8, 3), 4, embedding_dim=2, told_apart_by="label", feature_extractor=extractor()
    )
    model.compile()
    prepared = model.prepare(data)
    assert set(prepared.features) == set(model.needs) == {"features", "caption", "label"}
    scaled = pixels / np.float32(127.5) - 1
    features = prepared.arrays["features"]
    np.testing.assert_allclose(features, scaled.mean(axis=(1, 2)), atol=1e-5)
    model.fit(prepared, verbose=0)
    whole = model.image_encoder.predict(scaled, verbose=0)
    np.testing.assert_allclose(whole, model.image_head.predict(features, verbose=0), atol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.image_encoder.predict(scaled, verbose=0), whole, atol=1e-6)


def test_pictures_of_another_size_are_resized_for_the_features():
    model = CharCNNRNN((16, 16, 3), 4, embedding_dim=2, feature_extractor=extractor(8))
    colour = np.array([-0.5, 0.0, 1.0], "float32")
    images = np.broadcast_to(colour, (2, 16, 16, 3))
    features = model.features.predict(images, verbose=0)
    np.testing.assert_allclose(features, [colour, colour], atol=1e-6)
    assert model.image_encoder.predict(images, verbose=0).shape == (2, 2)


def test_look_alikes_come_in_every_second_batch_of_the_training():
    attributes = np.repeat(np.eye(3, dtype="int32"), 4, axis=0)
    arrays = {"image": np.zeros((12, 8, 8, 3), "uint8"), "attributes": attributes}
    captions = {"caption": [("a face",)] * 12}
    told = {"told_apart_by": "attributes", "look_alikes": True}
    model = CharCNNRNN((8, 8, 3), 4, embedding_dim=2, **told)
    data = Dataset(arrays, "tiny", batch_size=4, captions=captions)
    train = model.prepare(data)
    assert len(np.unique(train[1]["attributes"], axis=0)) == 1
    np.testing.assert_array_equal(train[0]["attributes"], data[0]["attributes"])
    np.testing.assert_array_equal(train[1]["attributes"], train[1]["attributes"])  # no new lots
    test = model.prepare(Dataset(arrays, "tiny", "test", 4, shuffle=False, captions=captions))
    np.testing.assert_array_equal(test[1]["attributes"], attributes[4:8])
    for key in (None, "label", "image"):
        with pytest.raises(ValueError, match="several numbers for each example"):
            data.with_look_alikes(key)
