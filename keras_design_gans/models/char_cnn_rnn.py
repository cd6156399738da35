r"""CharCNNRNN: sentences as vectors that resemble the vectors of fitting pictures.

Reed, Akata, Lee and Schiele, "Learning Deep Representations of Fine-Grained Visual Descriptions",
CVPR 2016, arXiv:1605.05395. It is the text encoder of GAN-CLS, see `gan_cls.py`.

A network reads a sentence letter by letter, and another one looks at a picture. The two vectors
are compared by their dot product, which is to be larger for the own sentence of a picture than for
any wrong one, by a margin of 1 and in both directions:

$$L=\frac1{n^2}\sum_{(i,j)\in W}\max\big(0,1+F(x_i,t_j)-F(x_i,t_i)\big)
+\max\big(0,1+F(x_i,t_j)-F(x_j,t_j)\big)\qquad F(x,t)=\theta(x)^\top\varphi(t)$$

| symbol | name in the code |
| --- | --- |
| \(t\) | `caption`, numbers of characters from `kdg.text.encode` |
| \(\varphi\) | `text_encoder` |
| \(x\) | `image`, in [-1, 1] |
| \(\theta\) | `image_encoder` |
| \(W\), pairs of a batch that do not belong together | `differing(labels)` |
| \(L\) | `embedding_loss` |

The text encoder is that of the authors' code: one-hot characters, three convolutions with max
pooling after the first two, which leave 18 steps, a recurrent layer with ReLU, and the mean of its
states. There is one player, and no game: the machinery is that of the other models.

Deviations: the pictures are read by the convolutions of `dcgan.py`, which learn along with the
text encoder; in the paper they are the fixed features of a GoogLeNet, which can be had through
`image_encoder`. The recurrent layer has one bias, the code two. A batch may hold pictures with the
same labels, which are no wrong pairs then; in the code all are of different classes.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans import text
from keras_design_gans.batch import AnyLabels, Characters, Images
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.losses import structured_joint_embedding_loss
from keras_design_gans.models.dcgan import dcgan_features
from keras_design_gans.pairs import differing


def thirds(x):
    """Max pooling 3/3 of (batch, steps, channels). Not the layer: see `halve` in `hed.py`."""
    steps = x.shape[1] // 3
    return ops.max(ops.reshape(x[:, : 3 * steps], (-1, steps, 3, x.shape[-1])), axis=2)


def char_cnn_rnn_text_encoder(base_filters=128, embedding_dim=1024, characters=70):
    """Builds the text encoder: characters (batch, 201) to vectors (batch, embedding_dim).

    Args:
        base_filters: The convolutions have three, four and two times as many.
        embedding_dim: Length of the vectors.
        characters: Number of characters of the alphabet.

    Returns:
        Functional `keras.Model`; 1,813,888 trainable weights with the defaults.
    """
    sentence = keras.Input((text.LENGTH,), dtype="int32", name="characters")
    x = ops.one_hot(sentence, characters + 1)[..., 1:]  # 0 is no character: all zeros
    x = thirds(layers.Conv1D(3 * base_filters, 4, activation="relu")(x))
    x = thirds(layers.Conv1D(4 * base_filters, 4, activation="relu")(x))
    x = layers.Conv1D(2 * base_filters, 4, activation="relu")(x)
    x = layers.SimpleRNN(2 * base_filters, "relu", return_sequences=True, unroll=True)(x)
    embedding = layers.Dense(embedding_dim, dtype="float32")(ops.mean(x, axis=1))
    return keras.Model(sentence, embedding, name="text_encoder")


def char_cnn_rnn_image_encoder(image_shape=(64, 64, 3), base_filters=64, embedding_dim=1024):
    """Builds the image encoder: images in [-1, 1] to vectors (batch, embedding_dim).

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        base_filters: Channels of the first convolution.
        embedding_dim: Length of the vectors.

    Returns:
        Functional `keras.Model`; 11,147,008 trainable weights with the defaults.
    """
    image = keras.Input(image_shape, name="image")
    features = layers.Flatten()(dcgan_features(image, base_filters))
    embedding = layers.Dense(embedding_dim, dtype="float32")(features)
    return keras.Model(image, embedding, name="image_encoder")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class CharCNNRNN(AdversarialModel):
    """Text encoder, learnt from pictures and their sentences (Reed et al., CVPR 2016).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1]; `caption`, integers
    (batch, 201) from `kdg.text.encode`; and the key of `told_apart_by`. `prepare` makes them of a
    data set. Logs: `embedding_loss`, `image_accuracy` (share of pictures whose own sentence is
    nearer than all wrong ones of the batch) and `text_accuracy` (the same of sentences).

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        base_filters: Sets the width of both encoders; 128 in the paper.
        embedding_dim: Length of the vectors, 1024 in the paper.
        told_apart_by: Batch key of the labels that differ where a sentence is wrong for a picture:
            class numbers such as `"label"`, or `"attributes"`. `None` takes every other sentence
            for wrong.
        captions: Keys of the captions that `prepare` reads, such as `("caption", "caption_zh")`
            for sentences of two languages.
        alphabet: String of the characters that are read; all others are left out.
        image_encoder: Own network from images to vectors, such as one that knows many photos. It
            learns too, unless its `trainable` is false.
        **kwargs: `name` and `dtype`.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        base_filters=128,
        embedding_dim=1024,
        told_apart_by=None,
        captions=("caption",),
        alphabet=text.ALPHABET,
        image_encoder=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.base_filters = base_filters
        self.embedding_dim = embedding_dim
        self.told_apart_by = told_apart_by
        self.captions = tuple(captions)
        self.alphabet = alphabet
        self.remember_own(image_encoder=image_encoder)
        self.text_encoder = char_cnn_rnn_text_encoder(base_filters, embedding_dim, len(alphabet))
        self.image_encoder = image_encoder or char_cnn_rnn_image_encoder(
            self.image_shape, base_filters // 2, embedding_dim
        )
        self.track("embedding_loss", "image_accuracy", "text_accuracy")

    @property
    def players(self):
        """Both encoders, as one player."""
        return {"encoders": [self.text_encoder, self.image_encoder]}

    def default_optimizers(self):
        """RMSprop with rate 4e-4; the authors let it fall by 2 % per epoch."""
        return {"encoders": keras.optimizers.RMSprop(4e-4, rho=0.99, epsilon=1e-8)}

    @property
    def needs(self):
        """Images, their sentences, and what tells them apart."""
        told = {self.told_apart_by: AnyLabels()} if self.told_apart_by else {}
        sentences = Characters(text.LENGTH, len(self.alphabet))
        return {"image": Images(self.image_shape), "caption": sentences, **told}

    def prepare(self, dataset):
        """Returns a data set with captions in the form of `fit`: `kdg.text.encoded`."""
        return text.encoded(dataset, self.captions, self.alphabet)

    def train_step(self, data):
        """Updates both encoders on one batch."""
        batch = self.read(data)
        _, logs = self.minimize(lambda: self.objective(batch, training=True), "encoders")
        return self.log(**logs)

    def test_step(self, data):
        """Computes the same loss without an update."""
        return self.log(**self.objective(self.read(data), training=False)[1])

    def objective(self, batch, training):
        """Returns the loss over all wrong pairs of the batch, and what is logged."""
        images = self.image_encoder(batch["image"], training=training)
        texts = self.text_encoder(batch["caption"], training=training)
        own_row = ops.arange(ops.shape(images)[0])
        wrong = differing(batch[self.told_apart_by] if self.told_apart_by else own_row)
        loss = structured_joint_embedding_loss(images, texts, wrong)
        scores = ops.matmul(images, ops.transpose(texts))
        own = ops.sum(images * texts, axis=-1)
        best_wrong = ops.where(wrong, scores, -np.inf)
        return loss, {
            "embedding_loss": loss,
            "image_accuracy": ops.mean(ops.cast(own > ops.max(best_wrong, axis=1), "float32")),
            "text_accuracy": ops.mean(ops.cast(own > ops.max(best_wrong, axis=0), "float32")),
        }

    def embed(self, sentences, batch_size=256):
        """Turns sentences into vectors.

        Args:
            sentences: A string, or a sequence of n strings.
            batch_size: Sentences computed at a time.

        Returns:
            float32 array (n, embedding_dim).
        """
        return embed(self.text_encoder, sentences, self.alphabet, batch_size)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "base_filters": self.base_filters,
            "embedding_dim": self.embedding_dim,
            "told_apart_by": self.told_apart_by,
            "captions": self.captions,
            "alphabet": self.alphabet,
        }


def embed(text_encoder, sentences, alphabet, batch_size=256):
    """Turns sentences into the vectors of a text encoder, as `CharCNNRNN.embed` does."""
    characters = text.encode(sentences, alphabet).astype("int32")
    return text_encoder.predict(characters, batch_size=batch_size, verbose=0)
