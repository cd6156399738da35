r"""GAN: the generative adversarial network, of dense layers.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio, "Generative
Adversarial Networks", NIPS 2014, arXiv:1406.2661.

Objective:

$$\min_G\max_D V(D,G)=\mathbb E_x\log D(x)+\mathbb E_z\log(1-D(G(z)))$$

The discriminator minimises \(L_D=-V\). The generator minimises one of two losses:

$$L_G^{minimax}=\mathbb E_z\log(1-D(G(z)))\qquad L_G^{nonsaturating}=-\mathbb E_z\log D(G(z))$$

The first one is the game as stated, but has hardly any gradient while \(D\) wins; the second one,
of section 3, has the same fixed point, and is the default. Against the best discriminator
\(D^*=p_x/(p_x+p_g)\) the game has the value \(V=-\log4+2\,JS(p_x,p_g)\): \(-\log 4\) where the
generated pictures \(p_g\) have become the real ones, and 0 where the two can be told apart.

| symbol | name in the code |
| --- | --- |
| \(G\) | `generator` |
| \(D=\sigma(\ell)\), logit \(\ell\) | `discriminator` |
| \(z\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(x\) | `image`, in [-1, 1] |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |
| \(k\) | `discriminator_steps` |

Layers follow the authors' code for MNIST: two hidden layers of 1200 units in both networks, ReLU in
the generator, maxout (the largest of five) and dropout in the discriminator. Deviations: tanh, as
pictures are in [-1, 1]; Keras' initial weights and Adam of `dcgan.py` in the place of momentum with
a rate that falls, both chosen there for pictures of 784 numbers; all \(k\) updates of one step use
one batch of real pictures, each with new noise.
"""

import math

import keras
from keras import layers, ops

from keras_design_gans.losses import minimax_generator_loss, nonsaturating_generator_loss
from keras_design_gans.models.dcgan import DCGAN

GENERATOR_LOSSES = {
    "nonsaturating": nonsaturating_generator_loss,
    "minimax": minimax_generator_loss,
}


def maxout(x, units, pieces):
    """Dense layer of which each unit is the largest of `pieces` numbers (Goodfellow 2013)."""
    x = layers.Dense(pieces * units)(x)
    return layers.GlobalMaxPooling1D()(layers.Reshape((pieces, units))(x))


def picture_head(x, image_shape):
    """Dense layer to the pixels of a picture in [-1, 1]."""
    x = layers.Dense(math.prod(image_shape), activation="tanh", dtype="float32")(x)
    return layers.Reshape(image_shape, dtype="float32")(x)


def gan_generator(image_shape=(64, 64, 3), latent_dim=100, units=1200):
    """Builds the generator: noise (batch, latent_dim) to images in [-1, 1].

    Args:
        image_shape: (height, width, channels), any size.
        latent_dim: Length of the noise vector.
        units: Width of the two hidden layers.

    Returns:
        Functional `keras.Model`; 2,503,984 weights for the paper's pictures (28, 28, 1).
    """
    noise = keras.Input((latent_dim,), name="noise")
    x = noise
    for _ in range(2):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(noise, picture_head(x, image_shape), name="generator")


def gan_discriminator(image_shape=(64, 64, 3), units=1200):
    """Builds the discriminator: images in [-1, 1] to logits (batch, 1), above 0 for real.

    Args:
        image_shape: (height, width, channels), any size.
        units: Width of the two hidden layers, of which maxout leaves a fifth.

    Returns:
        Functional `keras.Model`; 1,231,441 weights for the paper's pictures (28, 28, 1).
    """
    image = keras.Input(image_shape, name="image")
    # Seeds, because on PyTorch dropout without one is drawn from a generator that is not saved.
    x = layers.Dropout(0.2, seed=0)(layers.Flatten()(image))
    for seed in (1, 2):
        x = layers.Dropout(0.5, seed=seed)(maxout(x, units // 5, pieces=5))
    return keras.Model(
        image, layers.Dense(1, dtype="float32", name="real")(x), name="discriminator"
    )


@keras.saving.register_keras_serializable(package="keras_design_gans")
class GAN(DCGAN):
    """Generative adversarial network of dense layers (Goodfellow et al. 2014).

    Batches and logs are those of `DCGAN`.

    Args:
        image_shape: (height, width, channels), any size.
        latent_dim: Length of the noise vector.
        units: Width of the hidden layers.
        loss: The generator's: `"nonsaturating"` or `"minimax"`.
        discriminator_steps: Updates of the discriminator for one of the generator.
        **kwargs: Those of `DCGAN` from `real_target` on.

    Raises:
        ValueError: If `loss` is unknown.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        units=1200,
        loss="nonsaturating",
        discriminator_steps=1,
        **kwargs,
    ):
        if loss not in GENERATOR_LOSSES:
            raise ValueError(
                f"loss must be one of {', '.join(map(repr, GENERATOR_LOSSES))}, got {loss!r}."
            )
        self.units = units
        super().__init__(image_shape, latent_dim, **kwargs)
        self.generator_loss = loss
        self.discriminator_steps = discriminator_steps

    def default_generator(self):
        """Returns the paper's generator."""
        return gan_generator(self.image_shape, self.latent_dim, self.units)

    def default_discriminator(self):
        """Returns the paper's discriminator."""
        return gan_discriminator(self.image_shape, self.units)

    def train_step(self, data):
        """Algorithm 1: `discriminator_steps` updates of the discriminator, one of the generator."""
        batch = self.read(data)
        for _ in range(self.discriminator_steps):
            fake = ops.stop_gradient(self.make_fakes(batch, training=True))
            _, d_logs = self.minimize(
                lambda fake=fake: self.discriminator_objective(batch, fake, training=True),
                "discriminator",
            )
        _, g_logs = self.minimize(
            lambda: self.generator_objective(
                batch, self.make_fakes(batch, training=True), training=True
            ),
            "generator",
        )
        self.update_sampler()
        return self.log(**d_logs, **g_logs)

    def generator_objective(self, batch, fake, training):
        """Returns the generator's loss and what it logs."""
        loss = GENERATOR_LOSSES[self.generator_loss](self.judge(fake, training))
        return loss, {"g_loss": loss}

    def get_config(self):
        """Returns the constructor's arguments."""
        config = super().get_config()
        del config["base_filters"]
        return {
            **config,
            "units": self.units,
            "loss": self.generator_loss,
            "discriminator_steps": self.discriminator_steps,
        }
