r"""DCGAN: deep convolutional generative adversarial networks.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks", ICLR 2016, arXiv:1511.06434.

Objective, with the non-saturating loss for the generator (Goodfellow et al. 2014):

$$L_D=-\mathbb E_x\log D(x)-\mathbb E_z\log(1-D(G(z)))\qquad L_G=-\mathbb E_z\log D(G(z))$$

| symbol | name in the code |
| --- | --- |
| \(G\) | `generator` |
| \(D=\sigma(\ell)\), logit \(\ell\) | `discriminator` |
| \(z\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(x\) | `image`, in [-1, 1] |
| \(G(z)\) | `fake` |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

Layers follow the authors' Torch code at 64 pixels and extend to other powers of two: kernels 4/2,
channels halved at every doubling, at most 16 times `base_filters`. Deviations: both players see the
same fake batch, and the generator's gradient passes through the updated discriminator, not through
the outputs it gave before its update. Off by default, for steadier training: one-sided label
smoothing (`real_target`), noise before the discriminator (`instance_noise`), and an averaged
generator for sampling (`average_decay`).
"""

import math

import keras
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.losses import (
    discriminator_accuracies,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
    r1_penalty,
)
from keras_design_gans.noise_to_image import NoiseToImage


def conv_options():
    """Bias-free, weights from N(0, 0.02). Made anew for each layer: one initializer, one draw."""
    return {"kernel_initializer": keras.initializers.RandomNormal(0.0, 0.02), "use_bias": False}


def with_bias():
    """The same with a bias, where no batch normalisation follows."""
    return {**conv_options(), "use_bias": True}


def batch_norm():
    """Batch normalisation with Torch's constants: gamma from N(1, 0.02), momentum 0.9."""
    return layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02)
    )


def scales(image_shape, base_filters):
    """Plans the pyramid between a map of shortest side 4 and the image.

    Args:
        image_shape: (height, width, channels); both sides the same power of two times 4.
        base_filters: Channels next to the image.

    Returns:
        Tuple of the smallest map's (height, width) and the list of channels, smallest map first.

    Raises:
        ValueError: If the sides cannot be halved down to 4.
    """
    height, width, _ = image_shape
    doublings = int(math.log2(min(height, width))) - 2
    factor = 2**doublings
    if doublings < 1 or min(height, width) != 4 * factor or height % factor or width % factor:
        raise ValueError(
            f"image_shape must have sides of 8, 16, 32, 64, ... pixels (one side may be a multiple "
            f"of the other), got {tuple(image_shape)}."
        )
    widths = [min(2**level, 16) * base_filters for level in reversed(range(doublings))]
    return (height // factor, width // factor), widths


def dcgan_generator(image_shape=(64, 64, 3), latent_dim=100, base_filters=64):
    """Builds the generator: noise (batch, latent_dim) to images in [-1, 1].

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of the last hidden layer.

    Returns:
        Functional `keras.Model`; 3,576,704 trainable weights with the defaults.
    """
    smallest, widths = scales(image_shape, base_filters)
    noise = keras.Input((latent_dim,), name="noise")
    x = layers.Reshape((1, 1, latent_dim))(noise)
    x = layers.Conv2DTranspose(widths[0], smallest, 1, "valid", **conv_options())(x)
    x = layers.ReLU()(batch_norm()(x))
    for width in widths[1:]:
        x = layers.Conv2DTranspose(width, 4, 2, "same", **conv_options())(x)
        x = layers.ReLU()(batch_norm()(x))
    # The picture is float32 under mixed precision too: losses and penalties need its range.
    x = layers.Conv2DTranspose(image_shape[-1], 4, 2, "same", dtype="float32", **conv_options())(x)
    return keras.Model(noise, layers.Activation("tanh", dtype="float32")(x), name="generator")


def dcgan_features(image, base_filters=64):
    """Stacks the discriminator's convolutions, from the image to a map of shortest side 4."""
    _, widths = scales(image.shape[1:], base_filters)
    x = image
    for level, width in enumerate(reversed(widths)):
        x = layers.Conv2D(width, 4, 2, "same", **conv_options())(x)
        x = layers.LeakyReLU(0.2)(batch_norm()(x) if level else x)
    return x


def real_head(features, name="real"):
    """One logit from the whole map: a convolution as large as the map, flattened."""
    x = layers.Conv2D(1, features.shape[1:3], 1, "valid", dtype="float32", **conv_options())(
        features
    )
    return layers.Flatten(dtype="float32", name=name)(x)


def dcgan_discriminator(image_shape=(64, 64, 3), base_filters=64):
    """Builds the discriminator: images in [-1, 1] to logits (batch, 1), above 0 for real.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model`; 2,765,568 trainable weights with the defaults.
    """
    image = keras.Input(image_shape, name="image")
    logits = real_head(dcgan_features(image, base_filters))
    return keras.Model(image, logits, name="discriminator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class DCGAN(NoiseToImage):
    """Deep convolutional GAN (Radford et al. 2016).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1]. Logs: `d_loss`, `g_loss`,
    `d_real_accuracy` and `d_fake_accuracy` (shares of real and fake images the discriminator names
    correctly).

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, 64, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of the layers next to the image.
        real_target: Target for real images in the discriminator's loss; 0.9 smooths one side.
        instance_noise: Standard deviation of noise that is added to all images the discriminator
            sees in training, such as 0.1 (Arjovsky and Bottou 2017, section 3): it cannot win by
            grain that no eye sees.
        r1_weight: Weight of the squared slope of the discriminator at real images, such as 1
            (`r1_penalty`): it cannot run away from the generator.
        average_decay: Decay of the averaged generator used for sampling, such as 0.99; `None`
            samples from the trained generator itself, as the paper does.
        generator: Own network from (batch, latent_dim) to images, instead of the paper's.
        discriminator: Own network from images to logits (batch, 1).
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        base_filters=64,
        real_target=1.0,
        instance_noise=0.0,
        r1_weight=0.0,
        average_decay=None,
        generator=None,
        discriminator=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, average_decay, seed, **kwargs)
        self.base_filters = base_filters
        self.real_target = real_target
        self.instance_noise = instance_noise
        self.r1_weight = r1_weight
        self.remember_own(generator=generator, discriminator=discriminator)
        self.use_generator(generator or self.default_generator())
        self.discriminator = discriminator or self.default_discriminator()
        self.track("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy")

    def default_generator(self):
        """Returns the paper's generator."""
        return dcgan_generator(self.image_shape, self.latent_dim, self.base_filters)

    def default_discriminator(self):
        """Returns the paper's discriminator."""
        return dcgan_discriminator(self.image_shape, self.base_filters)

    @property
    def players(self):
        """The generator and the discriminator."""
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both players (section 4 of the paper)."""
        return {
            player: keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """Images only."""
        return {"image": Images(self.image_shape)}

    def train_step(self, data):
        """Updates the discriminator, then the generator, on one batch of fakes."""
        batch = self.read(data)
        fake = self.shared_pass(lambda: self.make_fakes(batch, training=True), "generator")
        _, d_logs = self.minimize(
            lambda: self.discriminator_objective(batch, fake.output, training=True), "discriminator"
        )
        _, g_logs = self.minimize(
            lambda images: self.generator_objective(batch, images, training=True),
            "generator",
            through=fake,
        )
        self.update_sampler()
        return self.log(**d_logs, **g_logs)

    def test_step(self, data):
        """Computes the same losses without updates, networks in inference mode."""
        batch = self.read(data)
        fake = self.make_fakes(batch, training=False)
        _, d_logs = self.discriminator_objective(batch, fake, training=False)
        _, g_logs = self.generator_objective(batch, fake, training=False)
        return self.log(**d_logs, **g_logs)

    def make_fakes(self, batch, training):
        """Returns as many generated images as the batch holds real ones."""
        return self.generator(self.sample_noise(ops.shape(batch["image"])[0]), training=training)

    def discriminator_objective(self, batch, fake, training):
        """Returns the discriminator's loss and logs. Batch norm sees real and fake apart."""
        given = self.given(batch)
        real_logits = self.judge(batch["image"], training, *given)
        fake_logits = self.judge(fake, training, *given)
        loss = minimax_discriminator_loss(real_logits, fake_logits, self.real_target)
        loss += self.slope_penalty(batch["image"], training, *given)
        return loss, {"d_loss": loss, **discriminator_accuracies(real_logits, fake_logits)}

    def generator_objective(self, batch, fake, training):
        """Returns the generator's loss and what it logs."""
        loss = nonsaturating_generator_loss(self.judge(fake, training, *self.given(batch)))
        return loss, {"g_loss": loss}

    def given(self, batch):
        """Returns what the discriminator is shown beside the images: here nothing."""
        return ()

    def slope_penalty(self, images, training, *given):
        """Returns the weighted R1 penalty at real images, or 0 if it is switched off."""
        if not (training and self.r1_weight):
            return 0.0
        some, *given = (x[::4] for x in (images, *given))  # for a quarter of the time
        slopes = self.input_gradients(
            lambda x: self.real_logits(self.judge(x, training, *given)), some
        )
        return self.r1_weight * r1_penalty(slopes)

    def real_logits(self, answer):
        """Takes the logits of real against fake from the discriminator's answer."""
        return answer

    def judge(self, images, training, *given):
        """Shows images to the discriminator, in training under `instance_noise`."""
        images = under_noise(self, images, training)
        return self.discriminator([images, *given] if given else images, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "base_filters": self.base_filters,
            "real_target": self.real_target,
            "instance_noise": self.instance_noise,
            "r1_weight": self.r1_weight,
        }


def under_noise(model, images, training):
    """Adds the `instance_noise` of a model with a `noise_seed` to images, in training only."""
    if not (training and model.instance_noise):
        return images
    noise = keras.random.normal(ops.shape(images), seed=model.noise_seed)
    return images + model.instance_noise * noise
