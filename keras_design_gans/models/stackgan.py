r"""StackGAN without text: one game draws a small picture, a second one makes it large and sharp.

Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas, "StackGAN: Text to Photo-realistic Image Synthesis
with Stacked Generative Adversarial Networks", ICCV 2017, arXiv:1612.03242; in the form without text
of Sbai, Elhoseiny, Bordes, LeCun and Couprie, "DesIGN: Design Inspiration from Generative
Networks", ECCV Workshops 2018, arXiv:1804.00921.

Objective of stage I, the game of `design.py` on pictures shrunk to a quarter of their side:

$$L_{D_0}=-\lambda_{D_r}\big[\mathbb E_x\log D_0(x_\downarrow)
+\mathbb E_z\log(1-D_0(G_0(z)))\big]+\lambda_{D_b}\sum_b L_{D\,cls,b}(x_\downarrow)$$

$$L_{G_0}=-\lambda_{G_r}\mathbb E_z\log D_0(G_0(z))+\lambda_{G_e}\sum_b L_{G\,crea,b}(G_0(z))$$

Objective of stage II, the same game at full size, with \(s_0=G_0(z)\) from the finished, frozen
\(G_0\) in the place of noise:

$$L_D=-\lambda_{D_r}\big[\mathbb E_x\log D(x)+\mathbb E_z\log(1-D(G(s_0)))\big]
+\lambda_{D_b}\sum_b L_{D\,cls,b}(x)$$

$$L_G=-\lambda_{G_r}\mathbb E_z\log D(G(s_0))+\lambda_{G_e}\sum_b L_{G\,crea,b}(G(s_0))
+\lambda_{con}L_{con}\qquad
L_{con}=\mathbb E_z\frac1{|P|}\sum_{p\in P}\big|G(s_0)_{\downarrow p}-s_{0,p}\big|$$

| symbol | name in the code |
| --- | --- |
| \(x\), \(x_\downarrow\) | `image`; the same after `shrink` |
| \(z\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(G_0\), \(D_0\) | `generator`, `discriminator` of a model with `stage=1` |
| \(G_0\), frozen | `first_generator` of a model with `stage=2` |
| \(G\), \(D\) | `generator`, `discriminator` of a model with `stage=2` |
| \(s_0\), values \(P\) | `small_image` in stage II |
| \(L_{con}\), \(\lambda_{con}\) | `consistency_loss`, `consistency_weight` |
| \(G(G_0(z))\) | `sampler` of a model with `stage=2` |
| losses and weights | those of `design.py` |

Stage I has the networks of `dcgan.py` and `design.py`. Deviations of DesIGN from Zhang et al.: no
text, and so no conditioning augmentation with its divergence; stage II doubles its maps by
transposed convolutions 4/2 where the original copies neighbours and convolves; batch normalisation
and ReLU follow every convolution but the last, the first one included. Deviations here: the
discriminator of stage II is that of `design.py` at the larger size, because the original's 1 x 1
convolutions after the smallest map are there to take in the text; `base_filters` sets the width of
all networks (Zhang et al.: 128 for generators, 64 for discriminators); with `average_decay`,
\(G_0\) freezes as its average; the others are those of `design.py`. Zhang et al. halve the learning
rates every 50 (stage I) or 100 (stage II) of 600 epochs: pass a schedule to `compile`.

\(L_{con}\) is an addition: a picture of stage II, shrunk again, shall be that of stage I. Without
text, nothing in the papers' game ties the two together. `consistency_weight=0` is their objective.
With it, stage II drew the same few garments again and again, whatever stage I had drawn (64 pixels,
width 24, 1,500 steps of each stage, drawn garments).
"""

import keras
from keras import layers, ops

from keras_design_gans.models.dcgan import (
    batch_norm,
    conv_options,
    dcgan_generator,
    scales,
    with_bias,
)
from keras_design_gans.models.design import DesIGN, design_discriminator

ENLARGEMENT = 4  # from the side of stage I to that of stage II


def shape_before_stage_two(image_shape):
    """Returns the picture shape of stage I: a quarter of the sides.

    Args:
        image_shape: (height, width, channels) of the large pictures.

    Raises:
        ValueError: If stage II cannot halve the sides of the small picture twice, down to 4.
    """
    scales(image_shape, 1)  # names sides that cannot be halved down to 4
    height, width, channels = image_shape
    if min(height, width) < 64:
        raise ValueError(
            f"StackGAN needs image_shape with sides of at least 64 pixels, got "
            f"{tuple(image_shape)}: stage I draws a quarter of the side, and stage II halves that "
            "twice, down to 4 or more. For smaller pictures use DesIGN."
        )
    return height // ENLARGEMENT, width // ENLARGEMENT, channels


def shrink(images):
    """Averages squares of 4 x 4 pixels: (batch, 4h, 4w, channels) to (batch, h, w, channels)."""
    return ops.average_pool(images, ENLARGEMENT, ENLARGEMENT)


def normalised(x):
    """What follows every convolution but the last: batch normalisation and ReLU."""
    return layers.ReLU()(batch_norm()(x))


def residual_block(x):
    """Two convolutions 3/1 whose result is added to what they started from."""
    width = x.shape[-1]
    y = normalised(layers.Conv2D(width, 3, 1, "same", **conv_options())(x))
    y = batch_norm()(layers.Conv2D(width, 3, 1, "same", **conv_options())(y))
    return layers.ReLU()(layers.Add()([x, y]))


def stage_two_generator(small_shape=(64, 64, 3), base_filters=128):
    """Builds stage II: small pictures in [-1, 1] to pictures of four times the side in [-1, 1].

    The map is halved twice, worked on by four residual blocks, and doubled four times. The channels
    are halved with every doubling, down to 16 or `base_filters`: from 6, the last convolution could
    mix few colours.

    Args:
        small_shape: (height, width, channels), sides of 16, 32, 64, ... pixels.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model`; 26,656,675 trainable weights with the defaults (width 128 of Zhang
        et al.).
    """
    small = keras.Input(small_shape, name="small_image")
    x = normalised(layers.Conv2D(base_filters, 3, 1, "same", **conv_options())(small))
    for width in (2 * base_filters, 4 * base_filters):
        x = normalised(layers.Conv2D(width, 4, 2, "same", **conv_options())(x))
    x = normalised(layers.Conv2D(4 * base_filters, 3, 1, "same", **conv_options())(x))
    for _ in range(4):
        x = residual_block(x)
    for level in range(4):
        width = max(2 * base_filters >> level, min(base_filters, 16))
        x = normalised(layers.Conv2DTranspose(width, 4, 2, "same", **conv_options())(x))
    # The one convolution with a bias: no normalisation follows that would shift it. Float32 under
    # mixed precision too, as in `dcgan_generator`.
    options = {**with_bias(), "dtype": "float32"}
    x = layers.Conv2D(small_shape[-1], 3, 1, "same", **options)(x)
    picture = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(small, picture, name="stage_two_generator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class StackGAN(DesIGN):
    """Two games of DesIGN, one after the other (Zhang et al. 2017, Sbai et al. 2018).

    A new model plays stage I. When it is trained, `next_stage()` gives the model of stage II, which
    holds the generator of stage I, frozen:

        model = StackGAN(heads=data.class_names, image_shape=(64, 64, 3))
        model.compile()
        model.fit(data)
        model = model.next_stage()
        model.compile()
        model.fit(data)

    Batches: those of `DesIGN`, at the large size in both stages; stage I shrinks them itself. Logs:
    those of `DesIGN`, of the stage that is trained. `generate` makes small pictures in stage I and
    large ones in stage II.

    Args:
        heads: As in `DesIGN`.
        image_shape: (height, width, channels) of the large pictures, sides of 64, 128, 256, ...
            pixels (one side may be a multiple of the other).
        stage: 1 or 2: the game that is played. `next_stage` sets it.
        consistency_weight: Weight of the loss that keeps stage II to the pictures of stage I; 0 as
            in the papers.
        first_generator: For stage II, own network from (batch, latent_dim) to small pictures,
            instead of the paper's. `next_stage` hands on the own generator of stage I.
        **kwargs: Those of `DesIGN`, for the stage that is played. An own `generator` makes small
            pictures from (batch, latent_dim) in stage I, and large from small ones in stage II.

    Raises:
        ValueError: If there is no such stage, the sides do not fit, or `DesIGN` objects.
    """

    stages = 2

    def __init__(
        self,
        heads=None,
        image_shape=(256, 256, 3),
        stage=1,
        consistency_weight=50.0,
        first_generator=None,
        **kwargs,
    ):
        if stage not in (1, 2):
            raise ValueError(f"stage must be 1 or 2, got {stage!r}. Start with 1.")
        if stage == 1 and first_generator is not None:
            raise ValueError(
                "first_generator is the frozen network of stage II. In stage I the network to "
                "train is called generator."
            )
        self.stage = stage
        self.consistency_weight = consistency_weight
        self.small_shape = shape_before_stage_two(image_shape)
        super().__init__(heads, image_shape=image_shape, **kwargs)
        self.remember_own(first_generator=first_generator)
        self.pipeline = None
        if stage == 2:
            self.first_generator = first_generator or self.stage_one_generator()
            self.first_generator.trainable = False
            noise = keras.Input((self.latent_dim,), name="noise")
            large = super().sampler(self.first_generator(noise))
            self.pipeline = keras.Model(noise, large, name="pipeline")
            self.track("consistency_loss")

    def stage_one_generator(self):
        """Returns the paper's network from noise to small pictures."""
        return dcgan_generator(self.small_shape, self.latent_dim, self.base_filters)

    def default_generator(self):
        """Returns the paper's generator of the stage."""
        if self.stage == 1:
            return self.stage_one_generator()
        return stage_two_generator(self.small_shape, self.base_filters)

    def default_discriminator(self):
        """Returns the discriminator of the stage, with one dense layer for each head."""
        shape = self.small_shape if self.stage == 1 else self.image_shape
        return design_discriminator(shape, self._class_counts, self.base_filters)

    def next_stage(self, **changes):
        """Returns the model of stage II, not compiled yet. This model stays as it is.

        The generator of stage I (the averaged one, if there is one) is copied and frozen. Its
        discriminator and optimizers have done their work and are left behind.

        Args:
            **changes: Arguments of the constructor that shall differ from those of stage I, such as
                `creativity="can_h"`, or an own `generator` and `discriminator`.

        Returns:
            `StackGAN` with `stage=2`.

        Raises:
            ValueError: If this is the model of stage II, or a change does not fit stage I.
        """
        if self.stage == 2:
            raise ValueError("This model is in stage 2 of 2 already: there is no next stage.")
        wrong = [key for key in ("image_shape", "latent_dim", "base_filters") if key in changes]
        if wrong:
            raise ValueError(
                f"next_stage() keeps the sizes of stage I, it got {', '.join(wrong)}. Build stage "
                "I with what you want, or pass an own generator or discriminator for stage II."
            )
        config = self.get_config()
        config.update(
            stage=2, first_generator=config["generator"], generator=None, discriminator=None
        )
        model = type(self).from_config({**config, **changes})
        model.first_generator.set_weights(self.sampler.get_weights())
        return model

    def read(self, data):
        """Returns the part of a batch that the model needs: pictures at the size of the stage.

        In stage II also as many new `small_image`s of stage I.
        """
        batch = super().read(data)
        if self.stage == 1:
            return {**batch, "image": shrink(batch["image"])}
        noise = self.sample_noise(ops.shape(batch["image"])[0])
        return {**batch, "small_image": self.first_generator(noise)}

    def make_fakes(self, batch, training):
        """Returns as many generated images as the batch holds real ones."""
        if self.stage == 1:
            return super().make_fakes(batch, training)
        return self.generator(batch["small_image"], training=training)

    def generator_objective(self, batch, fake, training):
        """The objective of `DesIGN`, and in stage II the pictures of stage I kept."""
        loss, logs = super().generator_objective(batch, fake, training)
        if self.stage == 1:
            return loss, logs
        consistency = ops.mean(ops.abs(shrink(fake) - batch["small_image"]))
        loss += self.consistency_weight * consistency
        return loss, {**logs, "g_loss": loss, "consistency_loss": consistency}

    @property
    def sampler(self):
        """The network that makes pictures from noise: in stage II, of both stages."""
        return self.pipeline or super().sampler

    def generate_stages(self, n, seed=None):
        """Generates `n` images and shows what each stage contributes.

        Args:
            n: Number of images.
            seed: Integer, as in `generate`.

        Returns:
            Two float32 arrays in [-1, 1]: the small images of stage I, and the large ones that
            stage II made of them, (n, height, width, channels) each.

        Raises:
            ValueError: If this is the model of stage I.
        """
        if self.stage == 1:
            raise ValueError(
                "This model is in stage 1, which makes small pictures only: use generate(). "
                "next_stage() gives the model that has both."
            )
        latents = self.sample_latents(n, seed)
        return self.first_generator.predict(latents, verbose=0), self.decode(latents)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "stage": self.stage,
            "consistency_weight": self.consistency_weight,
        }
