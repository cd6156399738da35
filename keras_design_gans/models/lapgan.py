r"""LAPGAN: a small picture first, then ever finer details, each from a game of its own.

Denton, Chintala, Szlam and Fergus, "Deep Generative Image Models using a Laplacian Pyramid of
Adversarial Networks", NeurIPS 2015, arXiv:1506.05751.

A picture \(I_0\) is halved again and again, \(I_{k+1}=d(I_k)\), down to a small \(I_K\). What a
halving loses is the residual \(h_k=I_k-u(I_{k+1})\), and adding all residuals from the coarsest to
the finest gives the picture back exactly. The networks learn to invent residuals:

$$\tilde I_K=G_K(z_K)\qquad\tilde I_k=l_k+G_k(z_k,l_k)\qquad l_k=u(\tilde I_{k+1})$$

Objective: the game of `dcgan.py` at every level, where a finer level starts from real pictures,
\(l_k=u(I_{k+1})\), never from generated ones. The levels are independent of each other:

$$L_D=-\sum_{k=0}^K\Big(\mathbb E\log D_k(I_k)+\mathbb E\log\big(1-D_k(l_k+G_k(z_k,l_k))\big)\Big)
\qquad L_G=-\sum_{k=0}^K\mathbb E\log D_k(l_k+G_k(z_k,l_k))$$

with \(G_K(z_K)\) alone at the smallest level. As no weight is in two levels, one step on the sums
is a step of each game by itself, and one `fit` trains all of them.

| symbol | name in the code |
| --- | --- |
| \(d\), \(u\) | `down`, `enlarge` |
| \(I_0,\dots,I_K\), in the reverse order | `pyramid(image, levels)` |
| \(G_K,\dots,G_0\) | `generators`, coarse to fine |
| \(D_K,\dots,D_0\), logits | `discriminators`, coarse to fine |
| \(l_k\) | `low` |
| \(z_K\), and the planes \(z_{K-1},\dots,z_0\) | parts of `noise`, by `cut` |
| \(\tilde I_K\mapsto\dots\mapsto\tilde I_0\) | `generator`, all levels in a row |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss`; of one level `d_loss_32`, `g_loss_32` |

\(G_k\) and \(D_k\) follow the authors' Torch code for 32 pixels, at every size. It adds residual
and low-pass picture before the first layer of \(D_k\), so that \(D_k\) sees the picture itself.
Deviations: the smallest level has the networks of `dcgan.py`, twice as wide, where the code has
dense layers of 8,000 units (64 million weights); all levels have the optimizer and the noise of
`dcgan.py`, N(0, 1), where the code has SGD with momentum on standardised pictures, and U(-1, 1);
`enlarge` and `down` are bilinear with pixel centres at halves, so that `down` is the mean of 2 x 2
pixels; no classes are given to the networks. Off by default: an averaged generator for sampling.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.layers import BilinearUpsampling
from keras_design_gans.losses import (
    discriminator_accuracies,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
)
from keras_design_gans.models.dcgan import dcgan_discriminator, dcgan_generator, scales
from keras_design_gans.noise_to_image import NoiseToImage


def down(images):
    """Halves the sides of pictures (batch, height, width, channels), bilinearly."""
    return ops.average_pool(images, 2, 2)


def pyramid(images, levels):
    """Returns the pictures at `levels` sizes, each twice as large as the one before."""
    pictures = [images]
    while len(pictures) < levels:
        pictures.insert(0, down(pictures[0]))
    return pictures


def cut(noise, latent_dim, shapes):
    """Cuts flat noise into a vector for the smallest level and a plane for each other one.

    Args:
        noise: Tensor (batch, numbers).
        latent_dim: Length of the vector.
        shapes: Picture shapes of all levels, coarse to fine.

    Returns:
        List of the tensors (batch, latent_dim) and (batch, height, width, 1), ...
    """
    parts, start = [noise[:, :latent_dim]], latent_dim
    for height, width, _ in shapes[1:]:
        plane = noise[:, start : start + height * width]
        parts.append(ops.reshape(plane, (-1, height, width, 1)))
        start += height * width
    return parts


def lapgan_generator(image_shape=(32, 32, 3), base_filters=64):
    """Builds the generator of a level: low-pass picture and noise plane to a residual.

    Args:
        image_shape: (height, width, channels) of both pictures.
        base_filters: Channels of the two hidden layers.

    Returns:
        Functional `keras.Model`; 218,179 trainable weights with the defaults.
    """
    low = keras.Input(image_shape, name="low")
    noise = keras.Input((*image_shape[:2], 1), name="noise")
    x = layers.Concatenate()([low, noise])
    x = layers.Conv2D(base_filters, 7, padding="same", activation="relu")(x)
    x = layers.Conv2D(base_filters, 7, padding="same", activation="relu")(x)
    residual = layers.Conv2D(image_shape[-1], 5, padding="same", dtype="float32")(x)
    return keras.Model([low, noise], residual, name=f"generator_{min(image_shape[:2])}")


def lapgan_discriminator(image_shape=(32, 32, 3), base_filters=64):
    """Builds the discriminator of a level: sums of low-pass picture and residual to logits.

    Args:
        image_shape: (height, width, channels), sides of at least 16 pixels.
        base_filters: Channels of the two convolutions.

    Returns:
        Functional `keras.Model`; 116,545 trainable weights with the defaults.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.Conv2D(base_filters, 5, activation="relu")(image)
    x = layers.Conv2D(base_filters, 5, strides=2)(x)
    # Without a seed, PyTorch would draw from a generator of its own, whose state no file keeps.
    x = layers.Dropout(0.5, seed=0)(layers.ReLU()(layers.Flatten()(x)))
    logit = layers.Dense(1, dtype="float32")(x)
    return keras.Model(image, logit, name=f"discriminator_{min(image_shape[:2])}")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class LAPGAN(NoiseToImage):
    """Generative adversarial networks in a Laplacian pyramid (Denton et al. 2015).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1]. Logs: `d_loss` and
    `g_loss`, the sums over all levels; the same of each level, such as `d_loss_32`; and
    `d_real_accuracy` and `d_fake_accuracy`, the means over all levels.

    `generate` makes pictures of full size, `generate_levels` shows them at every level. The latents
    of `sample_latents` and `decode` hold the noise of all levels: `latent_dim` numbers for the
    smallest pictures, then the planes, coarse to fine.

    Args:
        image_shape: (height, width, channels), sides that are `coarse_size` times 2, 4, 8, ...
        coarse_size: Shortest side of the smallest pictures: 8, 16, ... pixels.
        latent_dim: Length of the noise vector of the smallest level.
        base_filters: Channels of the networks; at the smallest level those of the layers next to
            the image have twice as many.
        average_decay: Decay of the averaged generators used for sampling, such as 0.99; `None`
            samples from the trained generators themselves, as the paper does.
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If the sides do not fit.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        coarse_size=16,
        latent_dim=100,
        base_filters=64,
        average_decay=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, average_decay, seed, **kwargs)
        self.coarse_size = coarse_size
        self.base_filters = base_filters
        self.shapes = self.level_shapes()
        self.generators = [dcgan_generator(self.shapes[0], latent_dim, 2 * base_filters)]
        self.discriminators = [dcgan_discriminator(self.shapes[0], 2 * base_filters)]
        for shape in self.shapes[1:]:
            self.generators.append(lapgan_generator(shape, base_filters))
            self.discriminators.append(lapgan_discriminator(shape, base_filters))
        self.enlarge = BilinearUpsampling(2, dtype="float32")
        self.use_generator(self.chain())
        self.track("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy")
        self.track(*(f"{p}_loss_{side}" for p in "dg" for side in self.sides))

    def level_shapes(self):
        """Returns the picture shapes of all levels, coarse to fine."""
        height, width, channels = self.image_shape
        scales(self.image_shape, 1)  # names sides that cannot be halved
        levels = math.log2(min(height, width) / self.coarse_size)
        if levels < 1 or levels % 1 or self.coarse_size < 8:
            raise ValueError(
                f"coarse_size must be 8, 16, ... and at most half of the sides of image_shape="
                f"{self.image_shape}, got {self.coarse_size!r}."
            )
        factors = [2**level for level in reversed(range(int(levels) + 1))]
        return [(height // factor, width // factor, channels) for factor in factors]

    @property
    def sides(self):
        """The shortest side of the pictures of each level, coarse to fine."""
        return [min(height, width) for height, width, _ in self.shapes]

    @property
    def noise_size(self):
        """Length of the noise vector, planes included."""
        return self.latent_dim + sum(height * width for height, width, _ in self.shapes[1:])

    def chain(self):
        """Returns the network from the noise of all levels to pictures of full size."""
        noise = keras.Input((self.noise_size,), name="noise")
        first, *planes = cut(noise, self.latent_dim, self.shapes)
        names = [f"picture_{side}" for side in self.sides]
        picture = layers.Identity(dtype="float32", name=names[0])(self.generators[0](first))
        for network, plane, name in zip(self.generators[1:], planes, names[1:], strict=True):
            low = self.enlarge(picture)
            residual = network([low, plane])
            picture = layers.Add(dtype="float32", name=name)([low, residual])
        return keras.Model(noise, picture, name="generator")

    @property
    def players(self):
        """The generators and the discriminators of all levels."""
        return {"generator": self.generators, "discriminator": self.discriminators}

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both players, as in `dcgan.py`."""
        return {
            player: keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """Images only."""
        return {"image": Images(self.image_shape)}

    def train_step(self, data):
        """Updates the discriminators of all levels, then all generators."""
        pictures = pyramid(self.read(data)["image"], len(self.shapes))
        fakes = [ops.stop_gradient(fake) for fake in self.make_fakes(pictures, training=True)]
        _, d_logs = self.minimize(
            lambda: self.discriminator_objective(pictures, fakes, training=True), "discriminator"
        )
        _, g_logs = self.minimize(
            lambda: self.generator_objective(pictures, training=True), "generator"
        )
        self.update_sampler()
        return self.log(**d_logs, **g_logs)

    def test_step(self, data):
        """Computes the same losses without updates, networks in inference mode."""
        pictures = pyramid(self.read(data)["image"], len(self.shapes))
        fakes = self.make_fakes(pictures, training=False)
        _, d_logs = self.discriminator_objective(pictures, fakes, training=False)
        _, g_logs = self.generator_objective(pictures, training=False)
        return self.log(**d_logs, **g_logs)

    def make_fakes(self, pictures, training):
        """Returns generated pictures of all levels, the finer ones from real low-pass pictures."""
        noise = self.sample_noise(ops.shape(pictures[0])[0])
        first, *planes = cut(noise, self.latent_dim, self.shapes)
        fakes = [self.generators[0](first, training=training)]
        for network, smaller, plane in zip(self.generators[1:], pictures[:-1], planes, strict=True):
            low = self.enlarge(smaller)
            fakes.append(low + network([low, plane], training=training))
        return fakes

    def discriminator_objective(self, pictures, fakes, training):
        """Returns the sum of the discriminators' losses and what they log."""
        logs, accuracies = {}, []
        for side, network, real, fake in zip(
            self.sides, self.discriminators, pictures, fakes, strict=True
        ):
            real_logits = network(real, training=training)
            fake_logits = network(fake, training=training)
            logs[f"d_loss_{side}"] = minimax_discriminator_loss(real_logits, fake_logits)
            accuracies.append(discriminator_accuracies(real_logits, fake_logits))
        loss = sum(logs.values())
        means = {key: sum(a[key] for a in accuracies) / len(accuracies) for key in accuracies[0]}
        return loss, {"d_loss": loss, **logs, **means}

    def generator_objective(self, pictures, training):
        """Returns the sum of the generators' losses on new noise and what they log."""
        fakes = self.make_fakes(pictures, training)
        logs = {
            f"g_loss_{side}": nonsaturating_generator_loss(network(fake, training=training))
            for side, network, fake in zip(self.sides, self.discriminators, fakes, strict=True)
        }
        loss = sum(logs.values())
        return loss, {"g_loss": loss, **logs}

    def generate_levels(self, n, seed=None):
        """Generates `n` images and shows them at every level.

        Args:
            n: Number of images.
            seed: Integer, as in `generate`.

        Returns:
            List of float32 arrays (n, height, width, channels) in [-1, 1], coarse to fine; the last
            one is what `generate` returns.
        """
        outputs = [self.sampler.get_layer(f"picture_{side}").output for side in self.sides]
        levels = keras.Model(self.sampler.input, outputs)
        pictures = levels.predict(self.sample_latents(n, seed), verbose=0)
        return [np.clip(picture, -1.0, 1.0) for picture in pictures]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "coarse_size": self.coarse_size,
            "base_filters": self.base_filters,
        }
