r"""GAN-CLS and GAN-INT: pictures from sentences.

Reed, Akata, Yan, Logeswaran, Schiele and Lee, "Generative Adversarial Text to Image Synthesis",
ICML 2016, arXiv:1605.05396.

Both players are given the vector \(h=\varphi(t)\) of a sentence by an encoder that learns no more.
A discriminator that sees real pictures only with their own sentences has to find out by itself
that a picture has to fit. In GAN-CLS it is shown a third kind of pairs: real pictures with the
vectors \(\hat h\) of wrong sentences. Its loss, and that of the generator:

$$L_D=-\log s_r-\tfrac12\big[\log(1-s_w)+\log(1-s_f)\big]\qquad L_G=-\log s_f$$

$$s_r=D(x,h)\qquad s_w=D(x,\hat h)\qquad s_f=D(G(z,h),h)$$

There are few sentences, and much room between their vectors. In GAN-INT the generator also draws
for the means of two of them, which the discriminator judges but does not learn from:

$$L_G=-\log s_f-\log D(G(z,h_{12}),h_{12})\qquad h_{12}=\tfrac12h_1+\tfrac12h_2$$

| symbol | name in the code |
| --- | --- |
| \(\varphi\) | `text_encoder`, if there is one; `embed` |
| \(h\) | `embedding`, from the batch |
| \(\hat h\) | the `embedding` of another row, by `wrong_partners` |
| \(h_{12}\) | second part of `ordered`, the means of the halves of a batch |
| \(G(z,h)\) | `generator` of `[noise, embedding]` |
| \(D(x,h)=\sigma(\ell)\), logit \(\ell\) | `discriminator` of `[image, embedding]` |
| \(s_r\), \(s_w\), \(s_f\) | `s_r`, `s_w`, `s_f` |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

| | `matching_aware=False` | `matching_aware=True` |
| --- | --- | --- |
| `interpolate=False` | GAN | GAN-CLS |
| `interpolate=True` | GAN-INT | GAN-INT-CLS |

Deviations: algorithm 1 of the paper descends on quantities that must grow, here losses are
minimised. As in the authors' code, interpolated pictures are half as many as the others, and
\(L_G\) is the mean over all of them. The code takes a wrong picture for the sentence, here it is a
wrong sentence for the picture, as in the paper. In the generator, too, the text is normalised over
the batch: vectors of other encoders have other sizes, and numbers of 0.03 were hardly heard beside
noise of size 1. Both players see the same fakes, as in `dcgan.py`, whose networks these are with
the text joined in; `residual=True` gives those of the authors' code, except that after the third
convolution of its discriminator an activation is missing.
"""

import math
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans import presets, text
from keras_design_gans.batch import AnyLabels, Vectors
from keras_design_gans.losses import (
    discriminator_accuracies,
    matching_aware_discriminator_loss,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
)
from keras_design_gans.models.char_cnn_rnn import embed
from keras_design_gans.models.dcgan import DCGAN, batch_norm, conv_options
from keras_design_gans.pairs import wrong_partners

CERTAIN = -1e9  # the logit of a wrong pair that does not exist: no loss, no gradient


def plan(image_shape, base_filters):
    """Plans the pyramid between the smallest map, of a shortest side of 4 to 7, and the image.

    Args:
        image_shape: (height, width, channels).
        base_filters: Channels next to the image.

    Returns:
        Tuple of the smallest map's (height, width) and the list of channels, smallest map first.

    Raises:
        ValueError: If the sides cannot be halved so far.
    """
    height, width, _ = image_shape
    doublings = int(math.log2(max(min(height, width), 4) / 4))
    factor = 2**doublings
    if not doublings or height % factor or width % factor:
        raise ValueError(
            "image_shape must have sides of 4, 5, 6 or 7 times 2, 4, 8, ... pixels, such as 64 or "
            f"96 (one side may be longer), got {tuple(image_shape)}."
        )
    widths = [min(2**level, 16) * base_filters for level in reversed(range(doublings))]
    return (height // factor, width // factor), widths


def options(residual):
    """Those of `dcgan.py`; the residual networks have biases."""
    return {**conv_options(), "use_bias": residual}


def leaky_relu():
    """The activation of the discriminator, and of the text."""
    return layers.LeakyReLU(0.2)


def bottleneck(x, last_kernel, activation, norm=batch_norm):
    """Residual block: a quarter of the channels, then all of them again, added to the input."""
    channels = x.shape[-1]
    y = layers.Conv2D(channels // 4, 1, **options(True))(x)
    y = layers.Conv2D(channels // 4, 3, padding="same", **options(True))(activation()(norm()(y)))
    y = activation()(norm()(y))
    y = norm()(layers.Conv2D(channels, last_kernel, padding="same", **options(True))(y))
    return activation()(layers.Add()([x, y]))


def grow(code, image_shape, base_filters, last_kernel=None, norm=batch_norm):
    """Stacks the generator's layers, from a vector to the image.

    Args:
        code: Tensor (batch, numbers).
        image_shape: (height, width, channels), see `plan`.
        base_filters: Channels of the last hidden layer.
        last_kernel: Size of the last kernel of the residual blocks after the two smallest maps;
            `None` for no blocks.
        norm: Function that makes a normalisation.
    """
    smallest, widths = plan(image_shape, base_filters)
    residual = last_kernel is not None
    x = layers.Reshape((1, 1, code.shape[-1]))(code)
    x = layers.Conv2DTranspose(widths[0], smallest, 1, "valid", **options(residual))(x)
    for level, width in enumerate(widths):
        if level:
            x = layers.Conv2DTranspose(width, 4, 2, "same", **options(residual))(x)
        x = norm()(x)
        if residual and level < 2:
            x = bottleneck(x, last_kernel, layers.ReLU, norm)
        else:
            x = layers.ReLU()(x)
    last = layers.Conv2DTranspose(
        image_shape[-1], 4, 2, "same", dtype="float32", **options(residual)
    )
    return layers.Activation("tanh", dtype="float32")(last(x))


def gan_cls_generator(
    image_shape=(64, 64, 3),
    latent_dim=100,
    embedding_dim=1024,
    base_filters=128,
    text_dim=128,
    residual=False,
):
    """Builds the generator of `[noise, embedding]`.

    Args:
        image_shape: (height, width, channels), see `plan`.
        latent_dim: Length of the noise vector.
        embedding_dim: Length of the sentence's vector.
        base_filters: Channels of the last hidden layer.
        text_dim: Length to which that vector is brought before it is joined to the noise.
        residual: Whether there are residual blocks after the two smallest maps.

    Returns:
        Functional `keras.Model` to images in [-1, 1]; with the defaults 14,887,040 trainable
        weights, 18,909,955 if residual.
    """
    noise = keras.Input((latent_dim,), name="noise")
    embedding = keras.Input((embedding_dim,), name="embedding")
    told = leaky_relu()(batch_norm()(layers.Dense(text_dim)(embedding)))
    code = layers.Concatenate()([noise, told])
    image = grow(code, image_shape, base_filters, 3 if residual else None)
    return keras.Model([noise, embedding], image, name="generator")


def gan_cls_discriminator(
    image_shape=(64, 64, 3), embedding_dim=1024, base_filters=64, text_dim=128, residual=False
):
    """Builds the discriminator of `[image, embedding]`; the text joins at the smallest map.

    Args:
        image_shape: (height, width, channels), see `plan`.
        embedding_dim: Length of the sentence's vector.
        base_filters: Channels of the first convolution.
        text_dim: Length to which that vector is brought; `None` takes it as it is.
        residual: Whether there is a residual block at the smallest map.

    Returns:
        Functional `keras.Model` to logits (batch, 1), above 0 for real pairs; with the defaults
        3,225,728 trainable weights, 4,032,321 if residual.
    """
    image = keras.Input(image_shape, name="image")
    embedding = keras.Input((embedding_dim,), name="embedding")
    (height, width), widths = plan(image_shape, base_filters)
    x = image
    for level, channels in enumerate(reversed(widths)):
        x = layers.Conv2D(channels, 4, 2, "same", **options(residual))(x)
        x = batch_norm()(x) if level else x
        last = level == len(widths) - 1
        x = bottleneck(x, 3, leaky_relu) if residual and last else leaky_relu()(x)
    told = embedding
    if text_dim is not None:
        told = leaky_relu()(batch_norm()(layers.Dense(text_dim)(embedding)))
    told = layers.RepeatVector(height * width)(told)
    told = layers.Reshape((height, width, told.shape[-1]))(told)
    x = layers.Conv2D(widths[0], 1, **options(residual))(layers.Concatenate()([x, told]))
    x = leaky_relu()(batch_norm()(x))
    x = layers.Conv2D(1, (height, width), dtype="float32", **options(residual))(x)
    logits = layers.Flatten(dtype="float32", name="real")(x)
    return keras.Model([image, embedding], logits, name="discriminator")


class MatchingGAN(DCGAN):
    """The game of GAN-CLS and GAN-INT for whatever describes a picture by a vector.

    A subclass sets `described_by` and gives the networks.

    Args:
        matching_aware: Whether the discriminator learns from wrong pairs (CLS).
        interpolate: Whether the generator also learns from means of two vectors (INT).
        **kwargs: Those of `DCGAN`.
    """

    described_by = None  # batch key of the vectors
    told_apart_by = None  # batch key of the labels that differ in wrong pairs; None: the vectors

    def __init__(self, matching_aware=True, interpolate=False, **kwargs):
        super().__init__(**kwargs)
        self.matching_aware = matching_aware
        self.interpolate = interpolate
        self.track("d_wrong_accuracy", "s_r", "s_w", "s_f")

    def ordered(self, batch):
        """Returns what pictures are drawn for: the vectors, and the means of half as many pairs."""
        vectors = batch[self.described_by]
        if not self.interpolate:
            return vectors
        half = ops.shape(vectors)[0] // 2
        return ops.concatenate([vectors, (vectors[:half] + vectors[half : 2 * half]) / 2])

    def make_fakes(self, batch, training):
        """Returns a generated image for every vector of `ordered`."""
        vectors = self.ordered(batch)
        noise = self.sample_noise(ops.shape(vectors)[0])
        return self.generator([noise, vectors], training=training)

    def given(self, batch):
        """Shows the discriminator the vectors of the batch."""
        return (batch[self.described_by],)

    def discriminator_objective(self, batch, fake, training):
        """Right pairs against wrong and generated ones; interpolated pictures are left out."""
        images, vectors = batch["image"], batch[self.described_by]
        labels = batch[self.told_apart_by or self.described_by]
        partners, exist = wrong_partners(labels, self.noise_seed)
        real_logits = self.judge(images, training, vectors)
        wrong_logits = self.judge(images, training, ops.take(vectors, partners, axis=0))
        wrong_logits = ops.where(exist[:, None], wrong_logits, CERTAIN)
        fake_logits = self.judge(fake[: ops.shape(images)[0]], training, vectors)
        if self.matching_aware:
            loss = matching_aware_discriminator_loss(
                real_logits, wrong_logits, fake_logits, self.real_target
            )
        else:
            loss = minimax_discriminator_loss(real_logits, fake_logits, self.real_target)
        loss += self.slope_penalty(images, training, vectors)
        return loss, {
            "d_loss": loss,
            **discriminator_accuracies(real_logits, fake_logits),
            "d_wrong_accuracy": ops.mean(ops.cast(wrong_logits < 0, "float32")),
            "s_r": ops.mean(ops.sigmoid(real_logits)),
            "s_w": ops.mean(ops.sigmoid(wrong_logits)),
            "s_f": ops.mean(ops.sigmoid(fake_logits)),
        }

    def generator_objective(self, batch, fake, training):
        """Realism of all pictures, each with the vector that it was drawn for."""
        loss = nonsaturating_generator_loss(self.judge(fake, training, self.ordered(batch)))
        return loss, {"g_loss": loss}

    def decode(self, latents, vectors=None, batch_size=64):
        """Turns noise and vectors into images, with the averaged generator if there is one.

        One latent vector with many descriptions shows what these decide; many latent vectors with
        one description, what the noise does.

        Args:
            latents: Array (n, latent_dim) or (1, latent_dim).
            vectors: Descriptions, array (n, numbers) or (1, numbers).
            batch_size: Images computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If there are no vectors, or their shape does not fit.
        """
        if vectors is None:
            raise ValueError(
                f"{type(self).__name__} draws what it is told: pass vectors=, an array with "
                "a row for each picture, or use model.generate."
            )
        latents, vectors = np.asarray(latents, "float32"), np.asarray(vectors, "float32")
        self.needs[self.described_by].check_shape("vectors", vectors)
        n = max(len(latents), len(vectors))
        if not {len(latents), len(vectors)} <= {1, n}:
            raise ValueError(
                f"Expected one description, or one for each picture: got {len(vectors)} for "
                f"{len(latents)} pictures."
            )
        latents = np.broadcast_to(latents, (n, *latents.shape[1:]))
        vectors = np.broadcast_to(vectors, (n, *vectors.shape[1:]))
        return self.sampler.predict([latents, vectors], batch_size=batch_size, verbose=0)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "matching_aware": self.matching_aware,
            "interpolate": self.interpolate,
        }


@keras.saving.register_keras_serializable(package="keras_design_gans")
class GANCLS(MatchingGAN):
    r"""Pictures from sentences (Reed et al., ICML 2016): GAN, GAN-CLS, GAN-INT and GAN-INT-CLS.

    Batches: `image` as in `DCGAN`; `embedding`, float32 (batch, embedding_dim), vectors of the
    sentences by any encoder; and the key of `told_apart_by`. `prepare` makes them of a data set
    with captions. Logs, beside those of `DCGAN`: `s_r`, `s_w` and `s_f`, the mean probabilities
    that the discriminator gives right, wrong and generated pairs, and `d_wrong_accuracy`, the share
    of wrong pairs that it names correctly. As a function, the model takes `[noise, embedding]`.

    Args:
        embedding_dim: Length of the vectors; with a `text_encoder` it is that of its vectors.
        text_encoder: Network from characters (`kdg.text.encode`) to vectors, such as
            `CharCNNRNN.text_encoder`, or name or folder of the preset of a `CharCNNRNN`. It does
            not learn, and is saved with the model, which can be told sentences then. `None` if
            the vectors come from elsewhere.
        told_apart_by: Batch key of the labels that differ in wrong pairs: class numbers such as
            `"label"`, or `"attributes"`. `None` lets the vectors themselves differ.
        matching_aware: Whether the discriminator learns from wrong pairs (CLS).
        interpolate: Whether the generator also learns from means of two vectors (INT).
        residual: Whether the networks have the residual blocks of the authors' code.
        captions: Keys of the captions that `prepare` reads. A preset named by `text_encoder` brings
            its own, and its alphabet.
        alphabet: String of the characters that the text encoder reads.
        words: The words that sentences may have, which `prepare` fills in; `()` for all.
        base_filters: Channels of the discriminator's first convolution; the generator has twice as
            many next to the image.
        **kwargs: Those of `DCGAN`, where sides may also be 12, 24, 48, 96, ... pixels. An own
            `generator` takes `[noise, embedding]`, an own `discriminator` `[image, embedding]`.

    Raises:
        ValueError: If there is no preset of the name `text_encoder`.
    """

    described_by = "embedding"

    def __init__(
        self,
        embedding_dim=1024,
        text_encoder=None,
        told_apart_by=None,
        matching_aware=True,
        interpolate=False,
        residual=False,
        captions=("caption",),
        alphabet=text.ALPHABET,
        words=(),
        base_filters=64,
        **kwargs,
    ):
        if isinstance(text_encoder, (str, Path)):
            preset = presets.load(text_encoder)
            text_encoder = preset.text_encoder
            captions, alphabet = preset.captions, preset.alphabet
        self.embedding_dim = text_encoder.output_shape[-1] if text_encoder else embedding_dim
        self.residual = residual
        super().__init__(matching_aware, interpolate, base_filters=base_filters, **kwargs)
        self.remember_own(text_encoder=text_encoder)
        self.text_encoder = text_encoder
        self.told_apart_by = told_apart_by
        self.captions = tuple(captions)
        self.alphabet = alphabet
        self.words = list(words)

    def default_generator(self):
        """Returns the paper's generator."""
        return gan_cls_generator(
            self.image_shape,
            self.latent_dim,
            self.embedding_dim,
            2 * self.base_filters,
            residual=self.residual,
        )

    def default_discriminator(self):
        """Returns the paper's discriminator."""
        return gan_cls_discriminator(
            self.image_shape, self.embedding_dim, self.base_filters, residual=self.residual
        )

    @property
    def needs(self):
        """Images, the vectors of their sentences, and what tells these apart."""
        told = {self.told_apart_by: AnyLabels()} if self.told_apart_by else {}
        return {**super().needs, "embedding": Vectors(self.embedding_dim), **told}

    @property
    def made_from(self):
        """The keys of a data set that `prepare` makes batches of."""
        told = (self.told_apart_by,) if self.told_apart_by else ()
        return ("image", *self.captions, *told)

    def prepare(self, dataset):
        """Returns a data set with captions in the form of `fit`: `kdg.text.embedded`.

        The words of a training set are kept: `generate` names others, which it cannot draw.

        Raises:
            ValueError: If the data set has no captions, or the model no text encoder.
        """
        prepared = text.embedded(dataset, self.embed, self.captions)
        if dataset.split == "train":
            columns = [dataset.captions[key] for key in self.captions]
            self.words = text.words(
                s for column in columns for sentences in column for s in sentences
            )
        return prepared

    def embed(self, sentences, batch_size=256):
        """Turns sentences into vectors, by the text encoder.

        Args:
            sentences: A string, or a sequence of n strings.
            batch_size: Sentences computed at a time.

        Returns:
            float32 array (n, embedding_dim).

        Raises:
            ValueError: If the model has no text encoder.
        """
        if self.text_encoder is None:
            raise ValueError(
                "This GANCLS has no text encoder: pass it vectors of your own encoder, as "
                "`embedding`, or build it with text_encoder=, such as that of a CharCNNRNN."
            )
        return embed(self.text_encoder, sentences, self.alphabet, batch_size)

    def generate(self, n, seed=None, text=None, embedding=None):
        """Generates `n` images for sentences, or for their vectors.

        Args:
            n: Number of images.
            seed: Integer; the same seed, sentences and weights give the same images on every
                backend.
            text: A sentence, or a sequence of n sentences.
            embedding: In place of `text` its vector, array (1, embedding_dim), or (n,
                embedding_dim).

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If not exactly one of `text` and `embedding` is given, a word is unknown, or
                there are not n of them.
        """
        if (text is None) == (embedding is None):
            raise ValueError(
                "Say what to draw: generate(n, text='...') with a sentence or n of them, or "
                "generate(n, embedding=...) with vectors."
            )
        if text is not None:
            embedding = self._embed_known(text)
        if len(embedding) not in (1, n):
            raise ValueError(f"Expected 1 or {n} sentences for {n} pictures, got {len(embedding)}.")
        return self.decode(self.sample_latents(n, seed), embedding)

    def _embed_known(self, sentences):
        """Turns sentences into vectors, if their words were in the training's captions."""
        if self.words:
            text.check_words(sentences, self.words)
        return self.embed(sentences)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "embedding_dim": self.embedding_dim,
            "told_apart_by": self.told_apart_by,
            "residual": self.residual,
            "captions": self.captions,
            "alphabet": self.alphabet,
            "words": self.words,
        }
