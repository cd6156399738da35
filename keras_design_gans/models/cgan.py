r"""CGAN: a generative adversarial network that is told what to draw.

Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014, arXiv:1411.1784.

Objective, on pictures \(x\) with labels \(y\):

$$\min_G\max_D V(D,G)=\mathbb E_{x,y}\log D(x|y)+\mathbb E_{y,z}\log(1-D(G(z|y)|y))$$

with the non-saturating loss \(L_G=-\mathbb E_{y,z}\log D(G(z|y)|y)\) for the generator. Both
players are given \(y\), and the discriminator is given it for real and for generated pictures: to
draw another class than asked for gives a picture away, however good it is.

| symbol | name in the code |
| --- | --- |
| \(G(z\vert y)\) | `generator` of `[noise, labels]` |
| \(D(x\vert y)=\sigma(\ell)\), logit \(\ell\) | `discriminator` of `[image, labels]` |
| \(z\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(y\) | `labels`, the one-hot vectors of all `conditions`, side by side |
| \(x\) | `image`, in [-1, 1] |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

Deviations: the networks are those of `dcgan.py`, with the labels appended to the noise, and laid
behind the picture as one constant channel for each class. `architecture="mlp"` gives the paper's
dense layers, without the noise's uniform distribution and with tanh; Adam of `dcgan.py` for both.
Fakes are drawn with the labels of the real pictures of the batch.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.conditions import Conditions
from keras_design_gans.models.dcgan import DCGAN, dcgan_discriminator, dcgan_generator
from keras_design_gans.models.gan import maxout, picture_head


def cgan_generator(image_shape=(64, 64, 3), latent_dim=100, classes=10, base_filters=64):
    """Builds the generator of `[noise, labels]`: that of DCGAN, labels appended to the noise.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the noise vector.
        classes: Length of the one-hot labels.
        base_filters: Channels of the last hidden layer.

    Returns:
        Functional `keras.Model`; 3,658,624 trainable weights with the defaults.
    """
    noise = keras.Input((latent_dim,), name="noise")
    labels = keras.Input((classes,), name="labels")
    network = dcgan_generator(image_shape, latent_dim + classes, base_filters)
    image = network(layers.Concatenate()([noise, labels]))
    return keras.Model([noise, labels], image, name="generator")


def cgan_discriminator(image_shape=(64, 64, 3), classes=10, base_filters=64):
    """Builds the discriminator of `[image, labels]`: that of DCGAN, labels as further channels.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        classes: Length of the one-hot labels.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model` to logits (batch, 1); 2,775,808 trainable weights with the
        defaults.
    """
    height, width, channels = image_shape
    image = keras.Input(image_shape, name="image")
    labels = keras.Input((classes,), name="labels")
    maps = layers.Reshape((height, width, classes))(layers.RepeatVector(height * width)(labels))
    network = dcgan_discriminator((height, width, channels + classes), base_filters)
    logits = network(layers.Concatenate()([image, maps]))
    return keras.Model([image, labels], logits, name="discriminator")


def cgan_mlp_generator(image_shape=(28, 28, 1), latent_dim=100, classes=10):
    """Builds the paper's generator of dense layers, for images of any size.

    Args:
        image_shape: (height, width, channels).
        latent_dim: Length of the noise vector.
        classes: Length of the one-hot labels.

    Returns:
        Functional `keras.Model` of `[noise, labels]`; 2,413,984 weights with the defaults.
    """
    noise = keras.Input((latent_dim,), name="noise")
    labels = keras.Input((classes,), name="labels")
    parts = [
        layers.Dense(200, activation="relu")(noise),
        layers.Dense(1000, activation="relu")(labels),
    ]
    x = layers.Dropout(0.5, seed=0)(layers.Concatenate()(parts))  # seeds: see `gan.py`
    x = layers.Dropout(0.5, seed=1)(layers.Dense(1200, activation="relu")(x))
    return keras.Model([noise, labels], picture_head(x, image_shape), name="generator")


def cgan_mlp_discriminator(image_shape=(28, 28, 1), classes=10):
    """Builds the paper's discriminator of maxout layers, for images of any size.

    Args:
        image_shape: (height, width, channels).
        classes: Length of the one-hot labels.

    Returns:
        Functional `keras.Model` of `[image, labels]` to logits (batch, 1); 1,224,351 weights with
        the defaults.
    """
    image = keras.Input(image_shape, name="image")
    labels = keras.Input((classes,), name="labels")
    parts = [maxout(layers.Flatten()(image), 240, pieces=5), maxout(labels, 50, pieces=5)]
    x = layers.Dropout(0.5, seed=2)(layers.Concatenate()(parts))
    x = layers.Dropout(0.5, seed=3)(maxout(x, 240, pieces=4))
    logits = layers.Dense(1, dtype="float32", name="real")(x)
    return keras.Model([image, labels], logits, name="discriminator")


ARCHITECTURES = ("conv", "mlp")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class CGAN(DCGAN):
    """DCGAN that is told which labels its pictures shall have (Mirza and Osindero 2014).

    Batches: `image` as in `DCGAN`, and for every condition an integer label (batch,) under its
    name. Logs are those of `DCGAN`. As a function, the model takes `[noise, labels]`.

    Args:
        conditions: Dictionary from label key to its class names, or to their number; pass the
            `class_names` of a data set.
        architecture: `"conv"`, or `"mlp"` for the paper's dense layers.
        **kwargs: Those of `DCGAN`. An own `generator` takes `[noise, labels]`, an own
            `discriminator` `[image, labels]`.

    Raises:
        ValueError: If there is no condition, or `architecture` is unknown.
    """

    def __init__(self, conditions=None, architecture="conv", **kwargs):
        if not conditions:
            raise ValueError(
                "CGAN needs at least one condition: pass conditions=dataset.class_names, such as "
                "conditions={'shape': ['coat', 'dress']}. Data without labels can train a DCGAN."
            )
        if architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture must be one of {', '.join(map(repr, ARCHITECTURES))}, "
                f"got {architecture!r}."
            )
        self.told = Conditions(conditions)
        self.classes = self.told.size
        self.architecture = architecture
        super().__init__(**kwargs)
        self.conditions = dict(conditions)

    def default_generator(self):
        """Returns the generator of the architecture."""
        shape, latent_dim, classes = self.image_shape, self.latent_dim, self.classes
        if self.architecture == "mlp":
            return cgan_mlp_generator(shape, latent_dim, classes)
        return cgan_generator(shape, latent_dim, classes, self.base_filters)

    def default_discriminator(self):
        """Returns the discriminator of the architecture."""
        if self.architecture == "mlp":
            return cgan_mlp_discriminator(self.image_shape, self.classes)
        return cgan_discriminator(self.image_shape, self.classes, self.base_filters)

    @property
    def needs(self):
        """Images, and one label for each condition."""
        return {**super().needs, **self.told.needs}

    def given(self, batch):
        """Shows the discriminator the labels of the batch."""
        return (self.one_hot(batch),)

    def make_fakes(self, batch, training):
        """Returns a generated image for the labels of every real one."""
        noise = self.sample_noise(ops.shape(batch["image"])[0])
        return self.generator([noise, self.one_hot(batch)], training=training)

    def one_hot(self, numbers):
        """Turns class numbers into the input of the networks.

        Args:
            numbers: Dictionary from condition to class numbers (batch,).

        Returns:
            float32 tensor (batch, classes of all conditions).
        """
        return self.told.vector(numbers)

    def labels(self, n, seed=None, **labels):
        """Returns the labels of `n` pictures in the form of `decode`.

        Rows may be mixed, such as `(a + b) / 2`, to ask for a picture between two classes.

        Args:
            n: Number of pictures.
            seed: Integer, seed of the conditions that are left out and drawn at random.
            **labels: For any condition, the name or number of a class, or `n` of them.

        Returns:
            float32 array (n, classes of all conditions) of zeros and ones.

        Raises:
            ValueError: If a condition or class is unknown, or there are not `n` of them.
        """
        numbers = self.told.drawn(n, seed, **labels)
        return ops.convert_to_numpy(self.one_hot(numbers)).astype("float32")

    def decode(self, latents, labels=None, batch_size=64):
        """Turns noise and labels into images, with the averaged generator if there is one.

        One vector with many labels shows what the labels decide; many vectors with one label, what
        the noise does.

        Args:
            latents: Array (n, latent_dim) or (1, latent_dim).
            labels: Array (n, classes of all conditions), or of one row, from `labels`.
            batch_size: Images computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If there are no labels, or their shape does not fit.
        """
        if labels is None:
            raise ValueError(
                "CGAN draws what labels ask for: pass labels=model.labels(n, ...), or use "
                "model.generate(n, ...)."
            )
        latents, labels = np.asarray(latents, "float32"), np.asarray(labels, "float32")
        n = max(len(latents), len(labels))
        if labels.shape[1:] != (self.classes,) or not {len(latents), len(labels)} <= {1, n}:
            raise ValueError(
                f"labels must have shape ({n}, {self.classes}) or (1, {self.classes}) for "
                f"{len(latents)} latent vectors, got {labels.shape}. Make them with model.labels."
            )
        latents = np.broadcast_to(latents, (n, *latents.shape[1:]))
        labels = np.broadcast_to(labels, (n, self.classes))
        return self.sampler.predict([latents, labels], batch_size=batch_size, verbose=0)

    def generate(self, n, seed=None, **labels):
        """Generates `n` images with the labels that are asked for.

        Args:
            n: Number of images.
            seed: Integer; the same seed, labels and weights give the same images on every backend.
            **labels: As in `labels`, such as `body="suv"`; what is left out is drawn at random.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: As `labels`.
        """
        return self.decode(self.sample_latents(n, seed), self.labels(n, seed, **labels))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "conditions": self.conditions,
            "architecture": self.architecture,
        }
