r"""Context encoder: fills the missing part of a picture in one pass, through a narrow code.

Pathak, Krähenbühl, Donahue, Darrell and Efros, "Context Encoders: Feature Learning by Inpainting",
CVPR 2016, arXiv:1604.07379. Here the missing part is the right half of a joint picture, as in the
comparison of `contextual_gan.py`: the sketch is there, the picture is wanted.

Objective, for a joint picture with the sketch \(s\) and the picture \(x\):

$$L_D=-\mathbb E_x\log D(x)-\mathbb E_s\log(1-D(F(s)))$$

$$L_G=(1-w)\,\big(-\mathbb E_s\log D(F(s))\big)+w\,\mathbb E_{s,x}\lVert x-F(s)\rVert_2^2$$

| symbol | name in the code |
| --- | --- |
| \(F\), encoder and decoder | `generator` |
| \(D=\sigma(\ell)\), logit \(\ell\) | `discriminator`, which sees the right half only |
| \(s\), \(x\) | the halves of `joint`, in [-1, 1] |
| \(\lVert\cdot\rVert_2^2\), as a mean | `l2_loss` |
| \(w\) | `l2_weight`, 0.999 |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

| generator at 64 x 128 pixels | kernel/stride | output | then |
| --- | --- | --- | --- |
| the joint picture, its right half filled with `HOLE` | | 64 x 128 x 3 | |
| convolution | 4/2 | 32 x 64 x 64 | leaky ReLU |
| four convolutions: 64, 128, 256, 512 channels | 4/2 | 2 x 4 x 512 | BN, leaky ReLU each |
| convolution, the code | 2 x 4/1 | 1 x 1 x 100 | BN, leaky ReLU |
| the generator of `dcgan.py`, with the code for noise | | 64 x 64 x 3 | tanh |

The sizes of the layers and of the code are those of the authors' code, which fills a hole of 64 x
64 pixels in the middle of 128 x 128; their training script has a code of 4,000. Deviations: a half
has no rim of known pixels around it, so the overlap of 4 pixels with ten times the weight is left
out; no biases, as in `dcgan.py`.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.losses import (
    discriminator_accuracies,
    l2_loss,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
)
from keras_design_gans.models.contextual_gan import HALVES, joint_shape, split
from keras_design_gans.models.dcgan import (
    batch_norm,
    conv_options,
    dcgan_discriminator,
    dcgan_generator,
    scales,
)

HOLE = (117, 104, 123)  # the mean colour of the authors' pictures, of 255


def context_generator(image_shape=(64, 64, 3), code_dim=100, base_filters=64):
    """Builds the generator: joint pictures without their right half to right halves in [-1, 1].

    Args:
        image_shape: (height, width, channels) of a half, sides of 8, 16, 32, ... pixels.
        code_dim: Length of the code between encoder and decoder.
        base_filters: Channels of the first two convolutions, and next to the image.

    Returns:
        Functional `keras.Model`; 6,809,544 trainable weights with the defaults.
    """
    _, widths = scales(image_shape, base_filters)
    joint = keras.Input(joint_shape(image_shape), name="joint")
    x = layers.Conv2D(base_filters, 4, 2, "same", **conv_options())(joint)
    x = layers.LeakyReLU(0.2)(x)
    for width in reversed(widths):
        x = layers.Conv2D(width, 4, 2, "same", **conv_options())(x)
        x = layers.LeakyReLU(0.2)(batch_norm()(x))
    x = layers.Conv2D(code_dim, x.shape[1:3], 1, "valid", **conv_options())(x)
    code = layers.Flatten()(layers.LeakyReLU(0.2)(batch_norm()(x)))
    image = dcgan_generator(image_shape, code_dim, base_filters)(code)
    return keras.Model(joint, image, name="generator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ContextEncoder(AdversarialModel):
    r"""Fills in the picture beside a sketch (Pathak et al. 2016).

    Batches: `joint`, float32 (batch, height, 2 width, channels) in [-1, 1], from
    `kdg.datasets.joint`. Logs: `g_loss`, of which `l2_loss` and `adversarial_loss` (without their
    weights) are parts, `d_loss`, `d_real_accuracy` and `d_fake_accuracy`. As a function, the model
    takes joint pictures whose right half is filled by `hide`.

    Args:
        image_shape: (height, width, channels) of a half, sides of 8, 16, 32, 64, ... pixels.
        code_dim: Length of the code between encoder and decoder.
        base_filters: Channels of the layers next to the image.
        l2_weight: \(w\), from 0 to 1; 1 trains by the distance alone.
        generator: Own network from joint pictures to right halves, instead of the paper's.
        discriminator: Own network from right halves to logits (batch, 1).
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If `l2_weight` is out of range.
    """

    source, target = HALVES

    def __init__(
        self,
        image_shape=(64, 64, 3),
        code_dim=100,
        base_filters=64,
        l2_weight=0.999,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        if not 0 <= l2_weight <= 1:
            raise ValueError(f"l2_weight must lie in 0 ... 1, got {l2_weight!r}.")
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.code_dim = code_dim
        self.base_filters = base_filters
        self.l2_weight = l2_weight
        self.remember_own(generator=generator, discriminator=discriminator)
        self.generator = generator or context_generator(image_shape, code_dim, base_filters)
        self.discriminator = discriminator or dcgan_discriminator(image_shape, base_filters)
        self.track("g_loss", "l2_loss", "adversarial_loss", "d_loss")
        self.track("d_real_accuracy", "d_fake_accuracy")

    @property
    def players(self):
        """The generator and the discriminator."""
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    def default_optimizers(self):
        """Adam with beta_1 0.5 and rate 2e-4; the generator, whose losses are small, has 2e-3."""
        rates = {"generator": 2e-3, "discriminator": 2e-4}
        return {
            player: keras.optimizers.Adam(rate, beta_1=0.5, epsilon=1e-8)
            for player, rate in rates.items()
        }

    @property
    def needs(self):
        """Joint pictures."""
        return {"joint": Images(joint_shape(self.image_shape))}

    def hide(self, joint):
        """Fills the right half of joint pictures with an even colour."""
        sketches, pictures = split(joint)
        colour = np.resize(HOLE, self.image_shape[-1]) / 127.5 - 1.0
        hole = ops.zeros_like(pictures) + ops.cast(colour, "float32")
        return ops.concatenate([sketches, hole], axis=2)

    def train_step(self, data):
        """Updates the discriminator, then the generator, on one batch of fakes."""
        joint = self.read(data)["joint"]
        real = split(joint)[1]
        fake = self.shared_pass(
            lambda: self.generator(self.hide(joint), training=True), "generator"
        )
        _, d_logs = self.minimize(
            lambda: self.discriminator_objective(real, fake.output, training=True), "discriminator"
        )
        _, g_logs = self.minimize(
            lambda images: self.generator_objective(real, images, training=True),
            "generator",
            through=fake,
        )
        return self.log(**d_logs, **g_logs)

    def test_step(self, data):
        """Computes the same losses without updates, networks in inference mode."""
        joint = self.read(data)["joint"]
        real = split(joint)[1]
        fake = self.generator(self.hide(joint), training=False)
        _, d_logs = self.discriminator_objective(real, fake, training=False)
        _, g_logs = self.generator_objective(real, fake, training=False)
        return self.log(**d_logs, **g_logs)

    def discriminator_objective(self, real, fake, training):
        """Returns the discriminator's loss and logs."""
        real_logits = self.discriminator(real, training=training)
        fake_logits = self.discriminator(fake, training=training)
        loss = minimax_discriminator_loss(real_logits, fake_logits)
        return loss, {"d_loss": loss, **discriminator_accuracies(real_logits, fake_logits)}

    def generator_objective(self, real, fake, training):
        """Returns the generator's loss and its logs."""
        distance = l2_loss(fake, real)
        adversarial = nonsaturating_generator_loss(self.discriminator(fake, training=training))
        loss = (1.0 - self.l2_weight) * adversarial + self.l2_weight * distance
        return loss, {"g_loss": loss, "l2_loss": distance, "adversarial_loss": adversarial}

    def translate(self, images, seed=None, batch_size=64):
        """Turns sketches into pictures.

        Args:
            images: Sketches, (n, height, width, 1) or of as many channels as the pictures, in
                [-1, 1].
            seed: Not used, as there is no noise; all models that translate take one.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If shape or range of the sketches does not fit.
        """
        images = np.asarray(images, "float32")
        height, width, channels = self.image_shape
        need = Images((height, width, 1 if images.shape[-1:] == (1,) else channels))
        need.check_shape("images", images)
        need.check_values("images", images)
        sketches = np.broadcast_to(images, (*images.shape[:3], channels))
        joint = ops.convert_to_numpy(self.hide(np.concatenate([sketches, sketches], axis=2)))
        return self.generator.predict(joint, batch_size=batch_size, verbose=0)

    def call(self, inputs, training=False):
        """Applies the generator to joint pictures whose right half is hidden."""
        return self.generator(inputs, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "code_dim": self.code_dim,
            "base_filters": self.base_filters,
            "l2_weight": self.l2_weight,
        }
