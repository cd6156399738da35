r"""MaskStyleGAN: a generator that is given the shape, as a mask, and draws a texture into it.

Sbai, Elhoseiny, Bordes, LeCun and Couprie, "DesIGN: Design Inspiration from Generative Networks",
ECCV Workshops 2018, arXiv:1804.00921, where it is called StyleGAN; after the style network of Wang
and Gupta, "Generative Image Modeling using Style and Structure Adversarial Networks", ECCV 2016,
arXiv:1603.05631, with a mask in the place of their map of surface normals.

Objective, on masks \(m\) of real pictures; \(L_D\) is that of `design.py` on pairs of a picture and
its mask, \((x,m)\) real and \((G(m,z),m)\) fake:

$$L_G=\lambda_{G_r}L_{G\,rf}+\lambda_{G_e}\sum_b L_{G\,crea,b}+\lambda_{rec}L_{rec}
\qquad L_{rec}=\mathbb E_m\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C\big|G(m,z=0)_{p,c}
-\tilde m_p\big|$$

Without noise the generator has to draw the mask itself, \(\tilde m=-m\), black on white: so the
shape comes from \(m\), and what \(z\) adds is texture.

| symbol | name in the code |
| --- | --- |
| \(G\), \(D\) | `generator`, `discriminator` |
| \(m\), pixels \(P\) | `mask`, one channel: 1 on the object, -1 around |
| \(\tilde m\) | `-mask` |
| \(z\sim N(0,I)\) | noise, `latent_dim` numbers |
| \(G(m,z)\), \(G(m,z=0)\) | first and last part of `fake` |
| \(C\) | channels of the picture |
| \(L_{rec}\), \(\lambda_{rec}\) | `mask_reconstruction_loss`, `reconstruction_weight` |
| all others | as in `design.py` |

Layers follow the authors' code of Wang and Gupta at 128 pixels. Activations are those of DesIGN's
text, nearly the reverse of theirs: leaky ReLU after convolutions, ReLU after transposed ones.
Deviations: another name, because "StyleGAN" now means the network of Karras et al. 2019; the
discriminator is DCGAN's with heads; \(L_{rec}\) is a mean; the others are those of `design.py`. The
published text does not give \(\lambda_{rec}\), nor the colours of the mask; black on white is how
products are photographed. The noise branch does not shrink with `base_filters`: with 16 channels
the noise was ignored. Pictures without noise are drawn for a quarter of the masks, by the moving
statistics of the batch normalisation, as `generate` draws: so those of the batch are of pictures
with noise only. The discriminator sees the mask, as that of Wang and Gupta sees their surface
normals. DesIGN does not say so; `paired=False` shows it the picture alone. Then the shape came from
the noise. (Both trials: 32 pixels, width 16, 800 steps, drawn garments.)
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.losses import mask_reconstruction_loss
from keras_design_gans.models.dcgan import batch_norm, conv_options, scales, with_bias
from keras_design_gans.models.design import DesIGN, design_discriminator


def convolution(x, width, kernel, stride):
    """Convolution, batch normalisation, leaky ReLU."""
    x = layers.Conv2D(width, kernel, stride, "same", **conv_options())(x)
    return layers.LeakyReLU(0.2)(batch_norm()(x))


def transposed_convolution(x, width, kernel=4, stride=2, padding="same"):
    """Transposed convolution, batch normalisation, ReLU."""
    x = layers.Conv2DTranspose(width, kernel, stride, padding, **conv_options())(x)
    return layers.ReLU()(batch_norm()(x))


def mask_generator(
    image_shape=(128, 128, 3), latent_dim=100, base_filters=64, noise_filters=(64, 64, 64)
):
    """Builds the generator, from masks and noise to images in [-1, 1].

    Two branches, one from the mask and one from the noise, meet at a quarter of the picture's side,
    but at 32 pixels at most: beyond 128 pixels the mask branch and the decoder get a layer more for
    every doubling. The noise branch begins at a quarter of the side where they meet.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of the last hidden layer.
        noise_filters: Channels of the three maps of the noise branch, the smallest first. At 8
            pixels there are only the last two.

    Returns:
        Functional `keras.Model` of `[mask, noise]`, a mask (batch, height, width, 1) in [-1, 1] and
        a vector (batch, latent_dim); 7,489,923 trainable weights with the defaults.
    """
    doublings = len(scales(image_shape, base_filters)[1])
    halvings = max(2, doublings - 3)
    meeting = [side >> halvings for side in image_shape[:2]]
    noise_doublings = min(2, doublings + 2 - halvings)

    mask = keras.Input((*image_shape[:2], 1), name="mask")
    shape = mask
    for level in range(halvings):
        shape = convolution(shape, min(2**level, 2) * base_filters, 5, 2)

    noise = keras.Input((latent_dim,), name="noise")
    texture = layers.Reshape((1, 1, latent_dim))(noise)
    smallest = [side >> noise_doublings for side in meeting]
    first, *others = noise_filters[-1 - noise_doublings :]
    texture = transposed_convolution(texture, first, smallest, 1, "valid")
    for width in others:
        texture = transposed_convolution(texture, width)

    x = layers.Concatenate()([shape, texture])
    x = convolution(x, 4 * base_filters, 3, 1)
    x = convolution(x, 8 * base_filters, 3, 2)
    x = convolution(x, 8 * base_filters, 3, 1)
    for level in range(halvings + 1):
        x = transposed_convolution(x, max(4 >> level, 1) * base_filters)
    # A bias, as no normalisation follows; float32 under mixed precision too, as in `dcgan.py`.
    options = {**with_bias(), "dtype": "float32"}
    x = layers.Conv2D(image_shape[-1], 5, 1, "same", **options)(x)
    image = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model([mask, noise], image, name="generator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class MaskStyleGAN(DesIGN):
    """DesIGN with the shape given as a mask (Sbai et al. 2018, there "StyleGAN").

    Batches: those of `DesIGN`, and `mask`, float32 (batch, height, width, 1) in [-1, 1], 1 on the
    object. Logs: those of `DesIGN`, and `reconstruction_loss`. As a function, the model takes
    `[mask, noise]`.

    Args:
        heads: As in `DesIGN`.
        noise_filters: As in `mask_generator`.
        reconstruction_weight: Weight of the reconstruction of the mask without noise.
        paired: The discriminator judges a picture with its mask, as one array of a channel more.
            `False` shows it the picture alone.
        **kwargs: Those of `DesIGN`. An own `generator` takes `[mask, noise]`, an own
            `discriminator` what `paired` says.
    """

    def __init__(
        self,
        heads=None,
        noise_filters=(64, 64, 64),
        reconstruction_weight=10.0,
        paired=True,
        **kwargs,
    ):
        self.noise_filters = tuple(noise_filters)
        self.paired = paired
        super().__init__(heads, **kwargs)
        self.reconstruction_weight = reconstruction_weight
        self.track("reconstruction_loss")

    def default_generator(self):
        """Returns the paper's generator, from masks and noise."""
        return mask_generator(
            self.image_shape, self.latent_dim, self.base_filters, self.noise_filters
        )

    def default_discriminator(self):
        """Returns the discriminator of `DesIGN`, with a channel for the mask if `paired`."""
        *size, channels = self.image_shape
        shape = (*size, channels + self.paired)
        return design_discriminator(shape, self._class_counts, self.base_filters)

    @property
    def needs(self):
        """Images with their masks, and one label for each head."""
        return {**super().needs, "mask": Images((*self.image_shape[:2], 1))}

    def make_fakes(self, batch, training):
        """Returns a picture of each mask, and one without noise of some of them."""
        mask, some = batch["mask"], some_of(batch["mask"])
        drawn = self.generator([mask, self.sample_noise(ops.shape(mask)[0])], training=training)
        nothing = ops.zeros((ops.shape(some)[0], self.latent_dim))
        return ops.concatenate([drawn, self.generator([some, nothing], training=False)])

    def discriminator_objective(self, batch, fake, training):
        """The objective of `DesIGN`, for one picture of each mask."""
        mask = batch["mask"]
        drawn = self.pair(fake[: ops.shape(mask)[0]], mask)
        real = {**batch, "image": self.pair(batch["image"], mask)}
        return super().discriminator_objective(real, drawn, training)

    def generator_objective(self, batch, fake, training):
        """The objective of `DesIGN` with noise, and masks redrawn without."""
        mask, some = batch["mask"], some_of(batch["mask"])
        n = ops.shape(mask)[0]
        loss, logs = super().generator_objective(batch, self.pair(fake[:n], mask), training)
        reconstruction = mask_reconstruction_loss(fake[n:], -some)
        loss += self.reconstruction_weight * reconstruction
        return loss, {**logs, "g_loss": loss, "reconstruction_loss": reconstruction}

    def pair(self, images, mask):
        """Returns what the discriminator sees of pictures: with their masks, if `paired`."""
        return ops.concatenate([images, mask], axis=-1) if self.paired else images

    def decode(self, latents, masks=None, batch_size=64):
        """Turns noise and masks into images, with the averaged generator if there is one.

        One vector with many masks repeats a texture; one mask with many vectors repeats a shape.

        Args:
            latents: Array (n, latent_dim) or (1, latent_dim).
            masks: Array (n, height, width, 1) or (1, height, width, 1) in [-1, 1], 1 on the object.
            batch_size: Images computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If there are no masks, or their shape, range or number does not fit.
        """
        if masks is None:
            raise ValueError(
                "MaskStyleGAN draws into masks: pass masks=, an array (n, height, width, 1) in "
                "[-1, 1], or (1, height, width, 1) for one shape. Data sets have masks, such as "
                "kdg.datasets.load('garments', features=('image', 'mask')); of a photo, take "
                "kdg.masks.product_mask(photo)[None] / 127.5 - 1."
            )
        latents, masks = np.asarray(latents, "float32"), np.asarray(masks, "float32")
        self.needs["mask"].check_shape("masks", masks)
        self.needs["mask"].check_values("masks", masks)
        n = max(len(latents), len(masks))
        if not {len(latents), len(masks)} <= {1, n}:
            raise ValueError(
                f"Expected one mask, or one for each picture: got {len(masks)} masks for "
                f"{len(latents)} pictures."
            )
        masks = np.broadcast_to(masks, (n, *masks.shape[1:]))
        latents = np.broadcast_to(latents, (n, *latents.shape[1:]))
        return self.sampler.predict([masks, latents], batch_size=batch_size, verbose=0)

    def generate(self, n, seed=None, masks=None):
        """Generates `n` images in the shape of masks.

        Args:
            n: Number of images.
            seed: Integer; the same seed, masks and weights give the same images on every backend.
            masks: As in `decode`.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: As `decode`.
        """
        if masks is not None and len(masks) not in (1, n):
            raise ValueError(f"Expected 1 or {n} masks for {n} pictures, got {len(masks)}.")
        return self.decode(self.sample_latents(n, seed), masks)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "noise_filters": self.noise_filters,
            "reconstruction_weight": self.reconstruction_weight,
            "paired": self.paired,
        }


def some_of(masks):
    """Returns every fourth mask of a batch."""
    return masks[::4]
