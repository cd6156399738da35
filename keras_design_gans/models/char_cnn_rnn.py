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
| \(\theta\) | `image_encoder`; of fixed features, `image_head` |
| \(W\), pairs of a batch that do not belong together | `differing(labels)` |
| \(L\) | `embedding_loss` |

The text encoder is that of the authors' code: one-hot characters, three convolutions with max
pooling after the first two, which leave 18 steps, a recurrent layer with ReLU, and the mean of its
states. There is one player, and no game: the machinery is that of the other models.

Deviations: in the paper the pictures are read by a GoogLeNet, whose features are fixed. Here a
`feature_extractor` gives them, a ResNet-18 of the labels for example, and a batch normalisation and
a dense layer learn to read them; without one, the convolutions of `dcgan.py` learn along with the
text encoder. The recurrent layer has one bias, the code two. A batch may hold pictures with the
same labels, which are no wrong pairs then; in the code all are of different classes. With
`look_alikes`, every second batch holds pictures that differ in little.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from tqdm import tqdm

from keras_design_gans import presets, text
from keras_design_gans.batch import AnyLabels, Characters, Images, Vectors
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


def char_cnn_rnn_image_head(features=128, embedding_dim=1024):
    """Builds the part of the image encoder that learns behind fixed features.

    Args:
        features: Number of the features of a picture.
        embedding_dim: Length of the vectors.

    Returns:
        Functional `keras.Model`; 132,352 trainable weights with the defaults.
    """
    given = keras.Input((features,), name="features")
    normalised = layers.BatchNormalization(dtype="float32")(given)
    embedding = layers.Dense(embedding_dim, dtype="float32")(normalised)
    return keras.Model(given, embedding, name="image_head")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class CharCNNRNN(AdversarialModel):
    """Text encoder, learnt from pictures and their sentences (Reed et al., CVPR 2016).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], or with a
    `feature_extractor` in its place `features`, float32 (batch, k); `caption`, integers (batch,
    201) from `kdg.text.encode`; and the key of `told_apart_by`. `prepare` makes them of a data set.
    Logs: `embedding_loss`, `image_accuracy` (share of pictures whose own sentence is nearer than
    all wrong ones of the batch) and `text_accuracy` (the same of sentences).

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
        feature_extractor: Network from images to vectors that does not learn, or name or folder of
            the preset of a `ResNet18`, whose pooled features are taken. Pictures of another size
            are resized for it. It is saved with the model. `None` for convolutions that learn.
        look_alikes: Whether every second batch that `prepare` makes for the training holds pictures
            whose `told_apart_by` differ little, see `Dataset.with_look_alikes`.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If there is no preset of the name `feature_extractor`.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        base_filters=128,
        embedding_dim=1024,
        told_apart_by=None,
        captions=("caption",),
        alphabet=text.ALPHABET,
        feature_extractor=None,
        look_alikes=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.base_filters = base_filters
        self.embedding_dim = embedding_dim
        self.told_apart_by = told_apart_by
        self.captions = tuple(captions)
        self.alphabet = alphabet
        self.look_alikes = look_alikes
        if isinstance(feature_extractor, (str, Path)):
            feature_extractor = presets.load(feature_extractor).backbone
        self.remember_own(feature_extractor=feature_extractor)
        self.feature_extractor = feature_extractor
        self.text_encoder = char_cnn_rnn_text_encoder(base_filters, embedding_dim, len(alphabet))
        if feature_extractor is None:
            self.image_encoder = char_cnn_rnn_image_encoder(
                self.image_shape, base_filters // 2, embedding_dim
            )
        else:
            feature_extractor.trainable = False
            self.image_head = char_cnn_rnn_image_head(
                feature_extractor.output_shape[-1], embedding_dim
            )
            image = keras.Input(self.image_shape, name="image")
            height, width = feature_extractor.input_shape[1:3]
            same = (height, width) == self.image_shape[:2]
            features = feature_extractor(image if same else layers.Resizing(height, width)(image))
            self.features = keras.Model(image, features, name="features")
            self.image_encoder = keras.Model(image, self.image_head(features), name="image_encoder")
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
        """Images or their features, their sentences, and what tells them apart."""
        if self.feature_extractor is None:
            pictures = {"image": Images(self.image_shape)}
        else:
            pictures = {"features": Vectors(self.feature_extractor.output_shape[-1])}
        told = {self.told_apart_by: AnyLabels()} if self.told_apart_by else {}
        return {**pictures, "caption": Characters(text.LENGTH, len(self.alphabet)), **told}

    @property
    def made_from(self):
        """The keys of a data set that `prepare` makes batches of."""
        told = (self.told_apart_by,) if self.told_apart_by else ()
        return ("image", *self.captions, *told)

    def prepare(self, dataset):
        """Returns a data set with captions in the form of `fit`.

        The sentences become characters, see `kdg.text.encoded`. A `feature_extractor` looks at
        every picture once, before the training.
        """
        prepared = text.encoded(dataset, self.captions, self.alphabet)
        if self.feature_extractor is not None:
            others = {key: array for key, array in prepared.arrays.items() if key != "image"}
            columns = {"features": self._features(dataset.arrays["image"]), **others}
            prepared = prepared.with_columns(columns, prepared.captions)
        if self.look_alikes and dataset.split == "train":
            return prepared.with_look_alikes(self.told_apart_by)
        return prepared

    def _features(self, images):
        """Returns the features, float32 (n, k), of uint8 pictures."""
        network = keras.Sequential([layers.Rescaling(1 / 127.5, -1), self.features])
        parts = tqdm(range(0, len(images), 500), desc="Features of the pictures", mininterval=5)
        return np.concatenate(
            [network.predict(images[i : i + 500], batch_size=100, verbose=0) for i in parts]
        )

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
        if self.feature_extractor is None:
            images = self.image_encoder(batch["image"], training=training)
        else:
            images = self.image_head(batch["features"], training=training)
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
            "look_alikes": self.look_alikes,
        }


def embed(text_encoder, sentences, alphabet, batch_size=256):
    """Turns sentences into the vectors of a text encoder, as `CharCNNRNN.embed` does."""
    characters = text.encode(sentences, alphabet).astype("int32")
    return text_encoder.predict(characters, batch_size=batch_size, verbose=0)
