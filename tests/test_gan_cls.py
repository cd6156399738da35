"""GAN-CLS and GAN-INT: the battery, three kinds of pairs, and means of two sentences."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, set_known_weights
from keras import ops
from test_char_cnn_rnn import captioned
from test_dcgan import count, tiny_images

from keras_design_gans.datasets import Dataset
from keras_design_gans.models import GANCLS, CharCNNRNN
from keras_design_gans.models.char_cnn_rnn import char_cnn_rnn_text_encoder
from keras_design_gans.models.gan_cls import gan_cls_discriminator, gan_cls_generator
from keras_design_gans.pairs import wrong_partners


def tiny_model(size=16, **arguments):
    arguments = {"embedding_dim": 6, "told_apart_by": "label", "base_filters": 4, **arguments}
    return GANCLS(image_shape=(size, size, 3), latent_dim=8, **arguments)


def described(size=16, n=8):
    label = np.arange(n, dtype="int32") % 3
    return {"image": tiny_images(size, n), "embedding": numbers((n, 6), seed=4), "label": label}


def tensors(batch):
    return {key: ops.convert_to_tensor(value) for key, value in batch.items()}


class TestGANCLS(GanTestCase):
    known_pixels = [-0.0044284, 0.3899965, -0.0118191, 0.2653438, -0.0351996, 0.2930187]

    def make_model(self, size=16):
        return tiny_model(
            size,
            text_encoder=char_cnn_rnn_text_encoder(2, 6),
            interpolate=True,
            words=["a", "red", "face"],
            real_target=0.9,
            instance_noise=0.1,
            r1_weight=0.1,
            average_decay=0.9,
        )

    def make_batch(self, size=16, n=8):
        return described(size, n)

    def output(self, model):
        return model.generate(4, seed=0, text="a red face")

    def network_to_export(self, model):
        return model.sampler, [model.sample_latents(3, seed=0), 10 * numbers((3, 6), seed=5)]

    def more_bad_batches(self, good):
        return {
            r"'embedding' must have shape \(batch, 6\), got": {
                **good,
                "embedding": good["embedding"][:, :5],
            },
            "'embedding' holds NaN": {**good, "embedding": good["embedding"] * np.nan},
            r"'label' must be integers of shape \(batch,\) or": {
                **good,
                "label": good["embedding"],
            },
            "'label' is missing": {k: good[k] for k in ("image", "embedding")},
        }


@pytest.mark.one_backend
def test_weights_of_the_networks():
    assert count(gan_cls_generator()) == 14_886_784 + 2 * 128
    assert count(gan_cls_generator(residual=True)) == 18_909_699 + 2 * 128
    assert count(gan_cls_discriminator()) == 3_225_728
    assert count(gan_cls_discriminator(residual=True)) == 4_032_321


def test_where_the_text_joins():
    generator, discriminator = gan_cls_generator(), gan_cls_discriminator()
    joined = [
        layer.output.shape[1:]
        for network in (generator, discriminator)
        for layer in network.layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joined == [(228,), (4, 4, 640)]


@pytest.mark.parametrize("shape", [(4, 4, 3), (60, 62, 3), (72, 72, 3), (64, 100, 3)])
def test_impossible_sizes_are_named(shape):
    with pytest.raises(ValueError, match="4, 5, 6 or 7 times 2, 4, 8"):
        gan_cls_generator(shape)


def test_wrong_partners_have_other_labels():
    seed = keras.random.SeedGenerator(1)
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 2], "int32")
    drawn = set()
    for _ in range(40):
        partners, exist = map(ops.convert_to_numpy, wrong_partners(labels, seed))
        assert exist.all()
        assert (labels[partners] != labels).all()
        drawn.add(int(partners[7]))
    assert drawn == set(range(7))  # all of them, sooner or later
    again = keras.random.SeedGenerator(1)
    rows = [ops.convert_to_numpy(wrong_partners(labels, again)[0]) for _ in range(40)]
    np.testing.assert_array_equal(rows[-1], partners)
    attributes = np.array([[0, 1], [0, 1], [1, 1]], "int32")
    partners, exist = map(ops.convert_to_numpy, wrong_partners(attributes, seed))
    assert partners[0] == partners[1] == 2
    assert partners[2] in (0, 1)
    assert not ops.convert_to_numpy(wrong_partners(np.ones(4, "int32"), seed)[1]).any()


class Recorder(keras.layers.Layer):
    """A discriminator that gives its answers in order, and remembers what it was shown."""

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.shown = list(answers), []

    def call(self, inputs, training=False):
        answer = self.answers[len(self.shown)]
        self.shown.append([ops.convert_to_numpy(each) for each in inputs])
        return ops.full((len(self.shown[-1][0]), 1), answer)


@pytest.mark.parametrize("matching_aware", [False, True])
@pytest.mark.parametrize("interpolate", [False, True])
def test_three_kinds_of_pairs_and_the_means_of_two(matching_aware, interpolate):
    model = tiny_model(matching_aware=matching_aware, interpolate=interpolate)
    model.discriminator = Recorder(math.log(3), -math.log(4), -math.log(2), math.log(4))
    batch = tensors(described())
    fake = model.make_fakes(batch, training=False)
    assert len(fake) == (12 if interpolate else 8)
    d_loss, logs = model.discriminator_objective(batch, fake, training=True)
    g_loss, _ = model.generator_objective(batch, fake, training=True)

    real, wrong, generated, judged = model.discriminator.shown
    images, h, labels = (described()[key] for key in ("image", "embedding", "label"))
    for shown, expected in ((real, images), (wrong, images), (generated, fake[:8])):
        np.testing.assert_array_equal(shown[0], ops.convert_to_numpy(expected))
    np.testing.assert_array_equal(real[1], h)
    np.testing.assert_array_equal(generated[1], h)
    partners = [int(np.flatnonzero((h == row).all(axis=1))[0]) for row in wrong[1]]
    assert (labels[partners] != labels).all()
    means = (h[:4] + h[4:]) / 2
    np.testing.assert_allclose(judged[1], np.concatenate([h, means]) if interpolate else h)

    # s_r = 3/4, s_w = 1/5, s_f = 1/3, and 4/5 in the generator's turn
    expected = -math.log(3 / 4) - math.log(2 / 3)
    if matching_aware:
        expected = -math.log(3 / 4) - 0.5 * (math.log(4 / 5) + math.log(2 / 3))
    assert float(d_loss) == pytest.approx(expected)
    assert float(g_loss) == pytest.approx(-math.log(4 / 5))
    found = [float(logs[key]) for key in ("s_r", "s_w", "s_f", "d_wrong_accuracy")]
    assert found == pytest.approx([3 / 4, 1 / 5, 1 / 3, 1.0])


def test_right_pairs_are_never_punished():
    """If all pictures of a batch have one label, there is no wrong pair, and no loss for it."""
    model = tiny_model()
    model.discriminator = Recorder(0.0, 5.0, 0.0)
    batch = tensors({**described(), "label": np.ones(8, "int32")})
    loss, _ = model.discriminator_objective(batch, batch["image"], training=True)
    assert float(loss) == pytest.approx(1.5 * math.log(2))


def test_vectors_tell_apart_where_there_are_no_labels():
    model = tiny_model(told_apart_by=None)
    assert set(model.needs) == {"image", "embedding"}
    model.compile()
    logs = model.train_on_batch({k: described()[k] for k in model.needs}, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())


def test_an_odd_batch_is_interpolated():
    model = tiny_model(interpolate=True)
    h = model.ordered(tensors(described(n=5)))
    assert h.shape == (7, 6)


def test_sentences_become_pictures(tmp_path):
    encoder = CharCNNRNN((16, 16, 3), 2, embedding_dim=6)
    encoder.save_to_preset(tmp_path)
    model = tiny_model(text_encoder=str(tmp_path))
    set_known_weights(model.generator)
    set_known_weights(model.text_encoder)
    sentences = [(f"a red face {i}", "a face") for i in range(4)]
    images = np.zeros((4, 16, 16, 3), np.uint8)
    data = Dataset(
        {"image": images, "label": np.arange(4)},
        "faces",
        batch_size=4,
        captions={"caption": sentences},
    )
    prepared = model.prepare(data)
    assert model.words == ["0", "1", "2", "3", "a", "face", "red"]
    assert GANCLS.from_config(model.get_config()).words == model.words
    one = model.embed(["a red face 1", "a face"]).mean(axis=0)
    np.testing.assert_allclose(prepared.take(4)["embedding"][1], one, atol=1e-6)
    model.compile()
    before = model.text_encoder.get_weights()
    model.fit(prepared, epochs=1, verbose=0)
    assert all(map(np.array_equal, before, model.text_encoder.get_weights()))

    vector = model.embed("a red face")
    by_text = model.generate(3, seed=0, text="A red face")
    np.testing.assert_array_equal(by_text, model.generate(3, seed=0, embedding=vector))
    both = model.generate(2, seed=0, text=["a red face", "a face"])
    np.testing.assert_allclose(both[0], by_text[0], atol=1e-6)
    with pytest.raises(ValueError, match=r"'read' \(did you mean 'red'"):
        model.generate(1, text="a read face")


def test_wrong_orders_are_named():
    model = tiny_model()
    for arguments in ({}, {"text": "a face", "embedding": np.zeros((1, 6))}):
        with pytest.raises(ValueError, match="Say what to draw"):
            model.generate(4, **arguments)
    with pytest.raises(ValueError, match=r"no text encoder.*`embedding`"):
        model.generate(4, text="a face")
    with pytest.raises(ValueError, match="Expected 1 or 4 sentences for 4 pictures, got 2"):
        model.generate(4, embedding=np.zeros((2, 6)))
    with pytest.raises(ValueError, match=r"shape \(batch, 6\), got \(4, 5\)"):
        model.decode(np.zeros((4, 8)), np.zeros((4, 5)))
    with pytest.raises(ValueError, match="got 3 for 4 pictures"):
        model.decode(np.zeros((4, 8)), np.zeros((3, 6)))
    with pytest.raises(ValueError, match="draws what it is told"):
        model.decode(np.zeros((4, 8)))
    with pytest.raises(ValueError, match="no preset 'word_reader'"):
        GANCLS(text_encoder="word_reader")
    with pytest.raises(ValueError, match=r"kdg.text.encode"):
        CharCNNRNN((16, 16, 3), 2).fit({**captioned(), "caption": np.array(["a face"] * 8)})


@pytest.mark.one_backend
def test_the_generator_learns_to_obey():
    """Dark and bright pictures by their vectors: a judge of brightness could not teach this."""
    model = GANCLS(
        image_shape=(8, 8, 1), latent_dim=2, embedding_dim=2, base_filters=8, interpolate=True
    )
    adam = {"learning_rate": 5e-3, "beta_1": 0.5}
    model.compile(
        generator_optimizer=keras.optimizers.Adam(**adam),
        discriminator_optimizer=keras.optimizers.Adam(**adam),
    )
    shade = np.arange(16, dtype="int32") % 2
    images = np.broadcast_to((1.2 * shade - 0.6)[:, None, None, None], (16, 8, 8, 1))
    batch = {"image": images.astype("float32"), "embedding": np.eye(2, dtype="float32")[shade]}
    for _ in range(200):
        model.train_on_batch(batch)
    dark, bright = (
        model.generate(16, seed=0, embedding=vector).mean()
        for vector in np.eye(2, dtype="float32")[:, None]
    )
    assert bright - dark > 0.5
