r"""pix2pix: a picture from a drawing, with a discriminator that judges patches.

Isola, Zhu, Zhou and Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
2017, arXiv:1611.07004.

Objective, for pairs of a source \(x\) and its target \(y\), with the non-saturating loss for the
generator (section 3.3 of the paper):

$$L_D=-\tfrac12\big[\mathbb E_{x,y}\log D(x,y)+\mathbb E_{x,z}\log(1-D(x,G(x,z)))\big]$$

$$L_G=-\mathbb E_{x,z}\log D(x,G(x,z))+\lambda\,\mathbb E_{x,y,z}\lVert y-G(x,z)\rVert_1$$

| symbol | name in the code |
| --- | --- |
| \(G\), a U-Net | `generator` |
| \(D=\sigma(\ell)\), a map of logits \(\ell\), one for each patch | `discriminator` |
| \(x\), \(y\) | the keys `source` and `target` of a batch, in [-1, 1] |
| \(z\), dropout: half of the features, doubled | `noise`, maps of 0 and 2 |
| \(G(x,z)\) | `fake` |
| \(\lVert\cdot\rVert_1\), as a mean | `l1_loss` |
| \(\lambda\) | `l1_weight`, 100 |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

The paper runs one picture at a time and normalises with the statistics of that batch, in training
and afterwards: that is instance normalisation, which both networks have here. At batch size 1 it is
the same, at any other a picture still does not depend on its neighbours in the batch. The 1 x 1 map
in the middle has none, since it would erase it. Dropout stays on after training, too, as the only
noise there is; here its maps are inputs of the generator, so that a seed means the same pictures on
every backend. Deviations: those two forms; the generator's gradient passes through the updated
discriminator; no bias before a normalisation, where the authors' Torch code sets biases to zero.

Not in the paper: `adversarial="wgan"` makes the discriminator a critic with clipped weights, as in
`wgan.py`, its score a mean over patches; `instance_noise` is added to all targets and pictures
that the discriminator judges; `r1_weight` keeps the mean of its map of logits flat around real
pairs; `normalization="batch"` is batch normalisation in larger batches; and `spatial_dropout`
keeps or drops whole maps, so that the noise says the same everywhere in a picture. Without these,
drawn cars got grain and blotches in the place of paint.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.losses import (
    discriminator_accuracies,
    l1_loss,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
    r1_penalty,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from keras_design_gans.models.dcgan import batch_norm, conv_options, under_noise, with_bias
from keras_design_gans.models.wgan import deal, limit_weights, rmsprop

DROPOUT = 0.5
PATCHES = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # side in pixels -> halvings
ADVERSARIAL = ("gan", "wgan", "none")


def instance_norm():
    """Normalises every channel of every picture, gamma from N(1, 0.02)."""
    return layers.GroupNormalization(
        groups=-1,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
    )


NORMALIZATIONS = {"instance": instance_norm, "batch": batch_norm}


def norm_of(normalization):
    """Returns the function that makes a normalisation, by its name.

    Raises:
        ValueError: If there is none of this name.
    """
    if normalization not in NORMALIZATIONS:
        names = ", ".join(map(repr, NORMALIZATIONS))
        raise ValueError(f"normalization must be one of {names}, got {normalization!r}.")
    return NORMALIZATIONS[normalization]


def halvings(image_shape, levels=None):
    """Returns how often a U-Net halves a picture: `levels`, or until a side is odd.

    Raises:
        ValueError: If the sides cannot be halved so often, or less than twice.
    """
    height, width = image_shape[:2]
    possible = (math.gcd(height, width) & -math.gcd(height, width)).bit_length() - 1
    chosen = possible if levels is None else levels
    if not 2 <= chosen <= possible:
        raise ValueError(
            f"A U-Net of {chosen} levels halves both sides {chosen} times, but at least 2 levels "
            f"are needed, and sides of {height} x {width} pixels allow {possible}. Sides of 16, "
            "32, 64, ... pixels fit."
        )
    return chosen


def unet_generator(
    source_shape=(256, 256, 3),
    channels=3,
    base_filters=64,
    levels=None,
    skips=True,
    normalization="instance",
    spatial_dropout=False,
):
    """Builds the generator: sources and noise to images in [-1, 1].

    Args:
        source_shape: (height, width, channels) of the source.
        channels: Channels of the image.
        base_filters: Channels of the first convolution; eight times as many at most.
        levels: How often the map is halved; `None` means down to 1 x 1, if the sides are a power
            of two.
        skips: Connect each map of the encoder with that of the decoder of the same size.
        normalization: `"instance"` or `"batch"`.
        spatial_dropout: Whether the noise has one number for each map, not for each pixel of it.

    Returns:
        Functional `keras.Model` of `[source, *noise]`, with one map of noise, 0 or 2, for each of
        the first three layers of the decoder; 54,413,955 trainable weights with the defaults.
    """
    levels, norm = halvings(source_shape, levels), norm_of(normalization)
    widths = [min(2**level, 8) * base_filters for level in range(levels)]
    source = keras.Input(source_shape, name="source")
    maps = []
    x = source
    for level, width in enumerate(widths):
        if level:
            x = layers.LeakyReLU(0.2)(x)
        x = layers.Conv2D(width, 4, 2, "same", **conv_options())(x)
        if 0 < level < levels - 1:
            x = norm()(x)
        maps.append(x)
    noise = []
    for level, width in enumerate(reversed(widths[:-1])):
        x = layers.ReLU()(x)
        x = norm()(layers.Conv2DTranspose(width, 4, 2, "same", **conv_options())(x))
        if level < 3:
            shape = (1, 1, width) if spatial_dropout else x.shape[1:]
            noise.append(keras.Input(shape, name=f"noise_{level + 1}"))
            x = layers.Multiply()([x, noise[-1]])
        if skips:
            x = layers.Concatenate()([x, maps[-2 - level]])
    # A bias, as no normalisation follows; float32 under mixed precision too, as in `dcgan.py`.
    options = {**with_bias(), "dtype": "float32"}
    x = layers.Conv2DTranspose(channels, 4, 2, "same", **options)(layers.ReLU()(x))
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([source, *noise], image, name="generator")


def patch_discriminator(
    source_shape=(256, 256, 3),
    image_shape=(256, 256, 3),
    base_filters=64,
    patch=70,
    normalization="instance",
):
    """Builds the discriminator: a source and an image to a map of logits, above 0 for real.

    Each logit sees a square of `patch` pixels. With 1 it judges pixels one by one (PixelGAN).

    Args:
        source_shape: (height, width, channels) of the source.
        image_shape: (height, width, channels) of the image.
        base_filters: Channels of the first convolution; eight times as many at most.
        patch: 1, 16, 34, 70, 142 or 286.
        normalization: `"instance"` or `"batch"`.

    Returns:
        Functional `keras.Model` of `[source, image]`; 2,768,705 trainable weights with the
        defaults, and a map of 30 x 30 logits.

    Raises:
        ValueError: If there is no such patch, or the image is too small for it.
    """
    if patch not in PATCHES:
        raise ValueError(f"patch must be one of {', '.join(map(str, PATCHES))}, got {patch!r}.")
    count, norm = PATCHES[patch], norm_of(normalization)
    if patch > 1 and min(image_shape[:2]) < 3 * 2**count:
        raise ValueError(
            f"patch={patch} needs images with sides of at least {3 * 2**count} pixels, got "
            f"{tuple(image_shape)}. Choose a smaller patch."
        )
    source = keras.Input(source_shape, name="source")
    image = keras.Input(image_shape, name="image")
    x = layers.Concatenate()([source, image])
    last = {**with_bias(), "dtype": "float32"}
    if patch == 1:
        x = layers.LeakyReLU(0.2)(layers.Conv2D(base_filters, 1, **with_bias())(x))
        x = norm()(layers.Conv2D(2 * base_filters, 1, **conv_options())(x))
        logits = layers.Conv2D(1, 1, **last)(layers.LeakyReLU(0.2)(x))
        return keras.Model([source, image], logits, name="discriminator")
    x = layers.LeakyReLU(0.2)(layers.Conv2D(base_filters, 4, 2, "same", **with_bias())(x))
    for level in range(1, count):
        x = layers.Conv2D(min(2**level, 8) * base_filters, 4, 2, "same", **conv_options())(x)
        x = layers.LeakyReLU(0.2)(norm()(x))
    # Kernel 4, stride 1 and one pixel of padding, as in Torch: each makes the map a pixel smaller.
    x = layers.ZeroPadding2D(1)(x)
    x = layers.Conv2D(min(2**count, 8) * base_filters, 4, **conv_options())(x)
    x = layers.ZeroPadding2D(1)(layers.LeakyReLU(0.2)(norm()(x)))
    return keras.Model([source, image], layers.Conv2D(1, 4, **last)(x), name="discriminator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class Pix2Pix(AdversarialModel):
    r"""Image-to-image translation with a conditional GAN (Isola et al. 2017).

    Batches: pairs of pictures, float32 (batch, height, width, channels) in [-1, 1], under the keys
    `source` and `target`. Logs: `g_loss`, of which `l1_loss` (without its weight) and
    `adversarial_loss` are parts, `d_loss`, and `d_real_accuracy` and `d_fake_accuracy`, here shares
    of patches; with `"wgan"` `wasserstein_estimate` in place of the accuracies, with `"none"` only
    `g_loss` and `l1_loss`. As a function, the model takes `[source, *noise]`.

    Args:
        image_shape: (height, width, channels) of the target.
        source_channels: Channels of the source, which has the height and width of the target.
        source: Key of the source in a batch.
        target: Key of the target in a batch.
        base_filters: Channels of the first layer of both networks.
        levels: How often the generator halves the picture; `None` means down to 1 x 1.
        skips: Whether the generator has the connections that make it a U-Net.
        normalization: `"instance"`, or `"batch"` with averages of the training afterwards, for
            batches of several pictures. `"instance"` takes the mean of each map out of a picture,
            and with it what is the same everywhere in it, such as a paint.
        spatial_dropout: Whether dropout keeps or drops whole maps, as
            `keras.layers.SpatialDropout2D` does. Then one draw of the noise can choose a paint;
            otherwise it differs from place to place.
        patch: Side of the square that one logit of the discriminator sees: 1, 16, 34, 70, ...
        l1_weight: Weight of the distance to the target; 0 leaves the adversarial loss alone.
        instance_noise: Standard deviation of noise that is added to all targets and pictures the
            discriminator sees in training; 0 switches it off.
        r1_weight: With `"gan"`, weight of `r1_penalty` on the mean logit of a quarter of the real
            pairs; 0 switches it off.
        adversarial: `"gan"`, `"wgan"` (a critic with clipped weights), or `"none"`, which trains
            the generator by the distance alone.
        critic_steps: With `"wgan"`, updates of the critic for one of the generator, each on its own
            share of the batch.
        clip: With `"wgan"`, largest absolute value of the critic's weights.
        generator: Own network from sources, or `[source, *noise]` with maps of dropout of any
            shape, to images, instead of the paper's.
        discriminator: Own network from `[source, image]` to logits.
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If `adversarial`, `normalization` or `patch` is unknown, or does not fit the
            size.
    """

    def __init__(
        self,
        image_shape=(256, 256, 3),
        source_channels=1,
        source="sketch",
        target="image",
        base_filters=64,
        levels=None,
        skips=True,
        normalization="instance",
        spatial_dropout=False,
        patch=70,
        l1_weight=100.0,
        instance_noise=0.0,
        r1_weight=0.0,
        adversarial="gan",
        critic_steps=5,
        clip=0.01,
        generator=None,
        discriminator=None,
        seed=0,
        **kwargs,
    ):
        if adversarial not in ADVERSARIAL:
            raise ValueError(
                f"adversarial must be one of {', '.join(map(repr, ADVERSARIAL))}, got "
                f"{adversarial!r}."
            )
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.source_channels = source_channels
        self.source, self.target = source, target
        self.base_filters, self.levels, self.skips = base_filters, levels, skips
        self.normalization, self.spatial_dropout = normalization, spatial_dropout
        self.patch = patch
        self.l1_weight = l1_weight
        self.instance_noise = instance_noise
        self.r1_weight = r1_weight
        self.adversarial = adversarial
        self.critic_steps, self.clip = critic_steps, clip
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.remember_own(generator=generator, discriminator=discriminator)
        source_shape = (*self.image_shape[:2], source_channels)
        self.generator = generator or unet_generator(
            source_shape,
            self.image_shape[-1],
            base_filters,
            levels,
            skips,
            normalization,
            spatial_dropout,
        )
        self.discriminator = None
        self.track("g_loss", "l1_loss")
        if adversarial != "none":
            self.discriminator = discriminator or patch_discriminator(
                source_shape, self.image_shape, base_filters, patch, normalization
            )
            self.track("adversarial_loss", "d_loss")
        if adversarial == "gan":
            self.track("d_real_accuracy", "d_fake_accuracy")
        if adversarial == "wgan":
            limit_weights(self.discriminator, clip)
            self.track("wasserstein_estimate")

    @property
    def players(self):
        """The generator, and the discriminator if there is one."""
        players = {"generator": [self.generator]}
        return players | ({"discriminator": [self.discriminator]} if self.discriminator else {})

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both players (section 3.3), or that of WGAN."""
        if self.adversarial == "wgan":
            return {player: rmsprop() for player in self.players}
        return {
            player: keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """The source and the target."""
        return {
            self.source: Images((*self.image_shape[:2], self.source_channels)),
            self.target: Images(self.image_shape),
        }

    def train_step(self, data):
        """Updates the discriminator, then the generator, on one batch of fakes."""
        batch = self.read(data)
        source, real = batch[self.source], batch[self.target]
        fake = self.shared_pass(lambda: self.make_fakes(source, training=True), "generator")
        logs = {}
        if self.discriminator is not None:
            steps = self.critic_steps if self.adversarial == "wgan" else 1
            whole = (source, real, fake.output)
            for part in zip(*(deal(tensor, steps) for tensor in whole), strict=True):
                logs = self.update_discriminator(*part)
        _, g_logs = self.minimize(
            lambda images: self.generator_objective(source, real, images, training=True),
            "generator",
            through=fake,
        )
        return self.log(**logs, **g_logs)

    def update_discriminator(self, source, real, fake):
        """Updates the discriminator once; returns what it logs."""
        return self.minimize(
            lambda: self.discriminator_objective(source, real, fake, training=True), "discriminator"
        )[1]

    def test_step(self, data):
        """Computes the same losses without updates, with noise as in training."""
        batch = self.read(data)
        source, real = batch[self.source], batch[self.target]
        fake = self.make_fakes(source, training=False)
        logs = {}
        if self.discriminator is not None:
            logs = self.discriminator_objective(source, real, fake, training=False)[1]
        _, g_logs = self.generator_objective(source, real, fake, training=False)
        return self.log(**logs, **g_logs)

    @property
    def noise_shapes(self):
        """Shapes of the maps of noise, without the batch."""
        return [tuple(noise.shape[1:]) for noise in self.generator.inputs[1:]]

    def make_fakes(self, source, training):
        """Returns one image for every source, under new noise."""
        n = ops.shape(source)[0]
        noise = [
            keras.random.dropout(ops.ones((n, *shape)), DROPOUT, seed=self.noise_seed)
            for shape in self.noise_shapes
        ]
        return self.generator([source, *noise] if noise else source, training=training)

    def discriminator_objective(self, source, real, fake, training):
        """Returns the discriminator's loss, a mean over patches, and its logs."""
        real_logits = self.judge(source, real, training)
        fake_logits = self.judge(source, fake, training)
        if self.adversarial == "wgan":
            loss = wasserstein_critic_loss(real_logits, fake_logits)
            return loss, {"d_loss": loss, "wasserstein_estimate": -loss}
        # Halved as in the paper, to slow the discriminator; Adam, which divides by the size of the
        # gradients, undoes it where `r1_weight` is 0.
        loss = 0.5 * minimax_discriminator_loss(real_logits, fake_logits)
        loss += self.slope_penalty(source, real, training)
        return loss, {"d_loss": loss, **discriminator_accuracies(real_logits, fake_logits)}

    def generator_objective(self, source, real, fake, training):
        """Returns the generator's loss and its logs."""
        distance = l1_loss(fake, real)
        loss = self.l1_weight * distance
        logs = {"l1_loss": distance}
        if self.discriminator is not None:
            logits = self.judge(source, fake, training)
            wasserstein = self.adversarial == "wgan"
            objective = wasserstein_generator_loss if wasserstein else nonsaturating_generator_loss
            logs["adversarial_loss"] = objective(logits)
            loss += logs["adversarial_loss"]
        return loss, {"g_loss": loss, **logs}

    def slope_penalty(self, source, real, training):
        """Returns the weighted R1 penalty at real pairs, or 0 if it is switched off."""
        if not (training and self.r1_weight):
            return 0.0
        source, real = source[::4], real[::4]  # for a quarter of the time
        slopes = self.input_gradients(
            lambda x: ops.mean(self.judge(source, x, training), axis=(1, 2, 3)), real
        )
        return self.r1_weight * r1_penalty(slopes)

    def judge(self, source, images, training):
        """Shows pairs to the discriminator, the images in training under `instance_noise`."""
        return self.discriminator([source, under_noise(self, images, training)], training=training)

    def draw_noise(self, n, seed=None):
        """Draws the maps of dropout for `n` pictures.

        Args:
            n: Number of pictures.
            seed: Integer; `None` draws anew each time. The first maps do not depend on `n`.

        Returns:
            List of float32 arrays (n, height, width, channels) of 0 and 2, the same on every
            backend.
        """
        sizes = [math.prod(shape) for shape in self.noise_shapes]
        numbers = np.random.default_rng(seed).random((n, sum(sizes)), dtype="float32")
        kept = (numbers >= DROPOUT) * np.float32(1 / (1 - DROPOUT))
        parts = np.split(kept, np.cumsum(sizes)[:-1], axis=1)
        return [
            part.reshape(n, *shape) for part, shape in zip(parts, self.noise_shapes, strict=False)
        ]

    def translate(self, images, seed=None, batch_size=64):
        """Turns sources into pictures like the targets.

        Args:
            images: Array (n, height, width, source_channels) in [-1, 1].
            seed: Integer; the same seed and weights give the same pictures on every backend. Each
                picture depends on its source, its place and the seed, not on the other sources.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If shape or range of the sources does not fit.
        """
        images = np.asarray(images, "float32")
        self.needs[self.source].check_shape("images", images)
        self.needs[self.source].check_values("images", images)
        noise = self.draw_noise(len(images), seed)
        inputs = [images, *noise] if noise else images
        return self.generator.predict(inputs, batch_size=batch_size, verbose=0)

    def call(self, inputs, training=False):
        """Applies the generator to `[source, *noise]`."""
        return self.generator(inputs, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "source_channels": self.source_channels,
            "source": self.source,
            "target": self.target,
            "base_filters": self.base_filters,
            "levels": self.levels,
            "skips": self.skips,
            "normalization": self.normalization,
            "spatial_dropout": self.spatial_dropout,
            "patch": self.patch,
            "l1_weight": self.l1_weight,
            "instance_noise": self.instance_noise,
            "r1_weight": self.r1_weight,
            "adversarial": self.adversarial,
            "critic_steps": self.critic_steps,
            "clip": self.clip,
            "seed": self.seed,
        }
