r"""PGGAN: a game that begins with pictures of 4 pixels and doubles their side again and again.

Karras, Aila, Laine and Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and
Variation", ICLR 2018, arXiv:1710.10196.

Objective of every stage, that of `wgan_gp.py` and a term that keeps the scores near 0:

$$L_C=\mathbb E_z f(g(z))-\mathbb E_x f(x)
+\lambda\,\mathbb E_{\hat x}\big(\lVert\nabla_{\hat x}f(\hat x)\rVert_2-1\big)^2
+\epsilon_{drift}\,\mathbb E_x f(x)^2\qquad L_G=-\mathbb E_z f(g(z))$$

The layers that a stage adds fade in. With \(\uparrow\) for copying each pixel to 2 x 2, and
\(\downarrow\) for averaging 2 x 2 pixels, generator, critic and real images are blended alike:

$$g(z)=(1-\alpha)\uparrow g_{old}(z)+\alpha\,g_{new}(z)\qquad
f(x)=h\big((1-\alpha)\,r_{old}(\downarrow x)+\alpha\,r_{new}(x)\big)\qquad
x\leftarrow(1-\alpha)\uparrow\downarrow x+\alpha\,x$$

| symbol | name in the code |
| --- | --- |
| \(g\), \(f\) | `generator`, `critic` of the stage |
| \(z\sim N(0,I)\), then divided by its root mean square | `noise`, `latent_dim` numbers |
| \(x\) | `image`, shrunk to the side of the stage |
| \(\alpha\), 0 to 1 in `fade_steps` steps | `alpha` |
| \(g_{new}\), \(g_{old}\) | layers `to_picture_R` and `to_picture_(R/2)` on top of their maps |
| \(r_{new}\), \(r_{old}\) | `from_picture_R` with its two convolutions; `from_picture_(R/2)` |
| \(h\), the critic of the stage before | all further layers of the critic |
| \(\lambda\), \(\epsilon_{drift}\) | `penalty_weight`, 10; `drift_weight`, 0.001 |
| \(L_C\), \(L_G\) | `d_loss`, `g_loss` |

Layers follow the authors' TensorFlow code, whose weight counts they have. Those that Keras lacks
are in `layers/`: convolutions with equalised learning rate, pixel normalisation, minibatch standard
deviation. The first dense layer is written as what it is, a convolution of one pixel with zeros
around it. Deviations: the length of stages and fading is counted in steps, as `fit` counts, not in
images (800,000 for each in the paper), and the average of the generator forgets the first
steps of each stage soon (`update_average`).
"""

import keras
from keras import layers, ops

from keras_design_gans.layers import (
    EqualizedConv2D,
    FadeIn,
    MinibatchStandardDeviation,
    PixelNormalization,
)
from keras_design_gans.losses import drift_penalty, wasserstein_critic_loss
from keras_design_gans.models.dcgan import scales
from keras_design_gans.models.wgan_gp import WGANGP


def sides(image_shape):
    """Returns the shortest sides of all stages up to a picture shape: [4, 8, 16, ...]."""
    return [2**power for power in range(2, min(image_shape[:2]).bit_length())]


def smallest_map(image_shape):
    """Returns (height, width) of the map with the shortest side 4."""
    height, width, _ = image_shape
    return 4 * height // min(height, width), 4 * width // min(height, width)


def width_at(side, base_filters):
    """Returns the channels of maps: `base_filters` up to 32 pixels, half at each doubling."""
    return base_filters * 32 // max(side, 32)


def convolve(x, filters, kernel_size, name, padding="same"):
    """Convolution with equalised learning rate and leaky ReLU."""
    x = EqualizedConv2D(filters, kernel_size, padding=padding, name=name)(x)
    return layers.LeakyReLU(0.2)(x)


def pggan_generator(image_shape=(1024, 1024, 3), latent_dim=512, base_filters=512, fade=False):
    """Builds the generator of a stage: noise (batch, latent_dim) to images.

    Args:
        image_shape: (height, width, channels) of the stage, sides of 4, 8, 16, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of all maps up to 32 pixels; half at each doubling beyond.
        fade: Whether the last doubling fades in over the picture of the stage before.

    Returns:
        Functional `keras.Model`; 23,071,507 trainable weights with the defaults.
    """

    def to_picture(x, side):  # float32 under mixed precision too: losses need its range
        name = f"to_picture_{side}"
        return EqualizedConv2D(image_shape[-1], 1, gain=1.0, dtype="float32", name=name)(x)

    noise = keras.Input((latent_dim,), name="noise")
    height, width = smallest_map(image_shape)
    x = layers.Reshape((1, 1, latent_dim))(PixelNormalization()(noise))
    x = layers.ZeroPadding2D((height - 1, width - 1))(x)
    x = PixelNormalization()(convolve(x, base_filters, (height, width), "conv_4_a", "valid"))
    x = PixelNormalization()(convolve(x, base_filters, 3, "conv_4_b"))
    *_, side = sides(image_shape)
    for doubled in sides(image_shape)[1:]:
        before = x
        x = layers.UpSampling2D(2)(x)
        for name in (f"conv_{doubled}_a", f"conv_{doubled}_b"):
            x = PixelNormalization()(convolve(x, width_at(doubled, base_filters), 3, name))
    picture = to_picture(x, side)
    if fade:
        old = layers.UpSampling2D(2, dtype="float32")(to_picture(before, side // 2))
        picture = FadeIn(dtype="float32", name=f"fade_in_{side}")([old, picture])
    return keras.Model(noise, picture, name="generator")


def pggan_critic(image_shape=(1024, 1024, 3), base_filters=512, fade=False):
    """Builds the critic of a stage: images to scores (batch, 1).

    Args:
        image_shape: (height, width, channels) of the stage, sides of 4, 8, 16, ... pixels.
        base_filters: As in `pggan_generator`.
        fade: Whether the first halving fades in over that of the picture itself.

    Returns:
        Functional `keras.Model`; 23,077,137 trainable weights with the defaults.
    """

    def from_picture(image, side):
        return convolve(image, width_at(side, base_filters), 1, f"from_picture_{side}")

    image = keras.Input(image_shape, name="image")
    *_, side = sides(image_shape)
    x = from_picture(image, side)
    for halved in reversed(sides(image_shape)[:-1]):
        x = convolve(x, width_at(2 * halved, base_filters), 3, f"conv_{2 * halved}_a")
        x = convolve(x, width_at(halved, base_filters), 3, f"conv_{2 * halved}_b")
        x = layers.AveragePooling2D(2)(x)
        if fade and 2 * halved == side:
            old = from_picture(layers.AveragePooling2D(2)(image), halved)
            x = FadeIn(name=f"fade_in_{side}")([old, x])
    x = convolve(MinibatchStandardDeviation()(x), base_filters, 3, "conv_4_a")
    x = convolve(x, base_filters, smallest_map(image_shape), "conv_4_b", "valid")
    x = EqualizedConv2D(1, 1, gain=1.0, dtype="float32", name="score")(x)
    return keras.Model(image, layers.Flatten(dtype="float32")(x), name="critic")


def take_over(network, trained):
    """Copies the weights of all convolutions that a network has in common with a trained one."""
    known = {layer.name: layer for layer in trained.layers if isinstance(layer, EqualizedConv2D)}
    for layer in network.layers:
        if layer.name in known:
            layer.set_weights(known[layer.name].get_weights())


@keras.saving.register_keras_serializable(package="keras_design_gans")
class PGGAN(WGANGP):
    """Progressive growing of a Wasserstein GAN (Karras et al. 2018).

    A new model plays stage 1, pictures of 4 pixels. `next_stage()` gives the model of twice the
    side, which goes on from the trained weights:

        model = PGGAN(image_shape=(64, 64, 3))
        model.compile()
        model.fit(data)
        while model.stage < model.stages:
            model = model.next_stage(fade_steps=1000)
            model.compile()
            model.fit(data)

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], at the full size in every
    stage; the model shrinks them itself. Logs: those of `WGANGP`, and `alpha`. `generate` makes
    pictures of the stage's size.

    Args:
        image_shape: (height, width, channels) of the last stage, sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of all maps up to 32 pixels; half at each doubling beyond.
        stage: 1, 2, ...: how often the side of 4 pixels was doubled, plus 1. `next_stage` sets it.
        fade_steps: Training steps in which the new layers of a stage fade in; 0 for at once.
            `alpha` is a weight of the networks: a file keeps it, and a second `fit` goes on.
        drift_weight: Weight of the squared scores of real images.
        average_decay: Decay of the averaged generator used for sampling; `None` samples from the
            trained generator itself.
        critic_steps: As in `WGAN`.
        **kwargs: `penalty_weight`, `seed`, `name`, `dtype`; an own `generator` or `critic`, which
            does not fade and is not handed on to the next stage.

    Raises:
        ValueError: If there is no such stage, or the sides do not fit.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=512,
        base_filters=512,
        stage=1,
        fade_steps=1_000,
        drift_weight=0.001,
        average_decay=0.999,
        critic_steps=1,
        **kwargs,
    ):
        scales(image_shape, 1)  # names sides that cannot be halved down to 4
        self.stages = len(sides(image_shape))
        if stage not in range(1, self.stages + 1):
            raise ValueError(
                f"stage must be 1 to {self.stages} for image_shape={tuple(image_shape)}, got "
                f"{stage!r}. Start with 1."
            )
        self.stage = stage
        self.fade_steps = fade_steps
        self.drift_weight = drift_weight
        super().__init__(
            image_shape,
            latent_dim=latent_dim,
            base_filters=base_filters,
            average_decay=average_decay,
            critic_steps=critic_steps,
            **kwargs,
        )
        self.track("alpha")

    @property
    def stage_shape(self):
        """(height, width, channels) of the pictures of the stage."""
        height, width = (2 ** (self.stage - 1) * side for side in smallest_map(self.image_shape))
        return height, width, self.image_shape[-1]

    def default_generator(self):
        """Returns the paper's generator of the stage."""
        fade = self.stage > 1 and self.fade_steps > 0
        return pggan_generator(self.stage_shape, self.latent_dim, self.base_filters, fade)

    def default_critic(self):
        """Returns the paper's critic of the stage."""
        fade = self.stage > 1 and self.fade_steps > 0
        return pggan_critic(self.stage_shape, self.base_filters, fade)

    def default_optimizers(self):
        """Adam with rate 1e-3, beta_1 0 and beta_2 0.99 for both players (appendix A)."""
        return {
            player: keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)
            for player in self.players
        }

    def next_stage(self, **changes):
        """Returns the model of twice the side, not compiled yet. This model stays as it is.

        With `fade_steps`, it begins by making the pictures of this one, enlarged, if these have
        faded in.

        Args:
            **changes: Arguments of the constructor that shall differ, such as `fade_steps`.

        Returns:
            `PGGAN` with `stage` one higher.

        Raises:
            ValueError: If this is the last stage.
        """
        if self.stage == self.stages:
            raise ValueError(
                f"This model is in stage {self.stage} of {self.stages} already: there is no next "
                f"stage of image_shape={self.image_shape}."
            )
        config = {**self.get_config(), "generator": None, "critic": None, **changes}
        model = type(self).from_config({**config, "stage": self.stage + 1})
        take_over(model.generator, self.generator)
        take_over(model.critic, self.critic)
        if model.average_generator:
            take_over(model.average_generator, self.sampler)
        return model

    @property
    def fades(self):
        """The `FadeIn` layers of generator, critic and average; none in stage 1."""
        networks = filter(None, [self.generator, self.critic, self.average_generator])
        return [layer for net in networks for layer in net.layers if isinstance(layer, FadeIn)]

    @property
    def alpha(self):
        """Weight of the new layers, from 0 to 1."""
        return ops.convert_to_tensor(self.fades[0].alpha if self.fades else 1.0)

    def read(self, data):
        """Returns the part of a batch that the model needs, pictures at the size of the stage."""
        batch = super().read(data)
        factor = self.image_shape[0] // self.stage_shape[0]
        image = ops.average_pool(batch["image"], factor, factor)
        if self.fades:
            coarse = ops.average_pool(image, 2, 2)
            coarse = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
            image = self.fades[0]([coarse, image])
        return {**batch, "image": image}

    def train_step(self, data):
        """One step of `WGANGP`; then the new layers fade in a little further."""
        logs = super().train_step(data)
        for fade in self.fades:
            fade.alpha.assign(ops.minimum(fade.alpha + 1.0 / self.fade_steps, 1.0))
        return logs

    def critic_objective(self, real, fake, training):
        """Returns the critic's loss and what it logs."""
        real_scores = self.critic(real, training=training)
        fake_scores = self.critic(fake, training=training)
        distance = wasserstein_critic_loss(real_scores, fake_scores)
        penalty = self.slope_penalty(real, fake, training)
        loss = distance + self.penalty_weight * penalty
        loss += self.drift_weight * drift_penalty(real_scores)
        return loss, {
            "d_loss": loss,
            "wasserstein_estimate": -distance,
            "gradient_penalty": penalty,
            "alpha": self.alpha,
        }

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "stage": self.stage,
            "fade_steps": self.fade_steps,
            "drift_weight": self.drift_weight,
        }
