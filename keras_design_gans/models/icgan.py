r"""IcGAN: a conditional GAN, and encoders that find the code of a given picture.

Perarnau, van de Weijer, Raducanu and Álvarez, "Invertible Conditional GANs for Image Editing", NIPS
Workshop on Adversarial Training 2016, arXiv:1611.06355.

Three stages. A conditional GAN learns from pictures with right and wrong labels,

$$L_D=\tfrac12\Big\{-\log D(x,y)-\tfrac12\big[\log(1-D(x,\tilde y))
+\log(1-D(G(z,y'),y'))\big]\Big\}\qquad L_G=-\log D(G(z,y'),y')$$

then one encoder learns from generated pictures to find the noise, and one from real pictures to
find the labels:

$$L_z=\mathbb E\lVert z-E_z(G(z,y'))\rVert_2^2\qquad L_y=\mathbb E\lVert y-E_y(x)\rVert_2^2$$

A picture is changed by \(G(E_z(x),\hat y)\), where \(\hat y\) is \(E_y(x)\) with other values for
what shall change.

| symbol | name in the code |
| --- | --- |
| \(G\) | `generator` of `[noise, labels]` |
| \(D=\sigma(\ell)\) | `discriminator` of `[image, labels]` |
| \(E_z\), \(E_y\) | `encoder_z` from stage 2 on, `encoder_y` in stage 3 |
| \(x\), \(y\) | `image` and the labels of the `conditions`, one-hot vectors of -1 and 1 |
| \(\tilde y\) | labels of another picture of the batch that differ, by `wrong_partners` |
| \(z\sim N(0,I)\), \(y'\) | `noise`, and the labels of the batch |
| \(L_D\), \(L_G\), \(L_z\), \(L_y\) | `d_loss`, `g_loss`, `z_loss`, `y_loss`; means for norms |

Layers are those of the authors' code: the generator of `dcgan.py`, labels laid behind the
discriminator's second map, encoders of convolutions 5/2. Deviations: no bias in the generator,
where batch normalisation follows; the pictures for \(E_z\) are made during its training, where the
paper has 182,638 that it makes beforehand; the others are those of `dcgan.py`.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.conditions import Conditions
from keras_design_gans.losses import (
    discriminator_accuracies,
    matching_aware_discriminator_loss,
    nonsaturating_generator_loss,
    r1_penalty,
)
from keras_design_gans.models.cgan import cgan_generator
from keras_design_gans.models.dcgan import batch_norm, scales, with_bias
from keras_design_gans.models.gan_cls import CERTAIN
from keras_design_gans.models.star_gan import check_conditions, checked, with_labels
from keras_design_gans.noise_to_image import NoiseToImage
from keras_design_gans.pairs import wrong_partners


def icgan_discriminator(image_shape=(64, 64, 3), labels=18, base_filters=64):
    """Builds the discriminator of `[image, labels]`, labels laid behind the first hidden map.

    Args:
        image_shape: (height, width, channels), sides of 16, 32, 64, ... pixels.
        labels: Length of the vector of labels.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model` to logits (batch, 1); 2,803,393 trainable weights with the
        defaults.
    """
    smallest, widths = scales(image_shape, base_filters)
    image = keras.Input(image_shape, name="image")
    wanted = keras.Input((labels,), name="labels")
    x = image
    for level, width in enumerate(reversed(widths)):
        x = layers.Conv2D(width, 4, 2, "same", **with_bias())(x)
        x = layers.LeakyReLU(0.2)(batch_norm()(x) if level else x)
        if level == 0:
            x = with_labels(x, wanted)
    logits = layers.Conv2D(1, smallest, dtype="float32", **with_bias())(x)
    logits = layers.Flatten(dtype="float32", name="real")(logits)
    return keras.Model([image, wanted], logits, name="discriminator")


def icgan_encoder(image_shape=(64, 64, 3), size=100, units=4096, base_filters=64, name="encoder_z"):
    r"""Builds an encoder: pictures to noise, or to labels.

    Args:
        image_shape: (height, width, channels), sides of 16, 32, 64, ... pixels.
        size: Length of the result.
        units: Width of the dense layer.
        base_filters: Twice the channels of the first convolution.
        name: Name of the network.

    Returns:
        Functional `keras.Model`; 18,278,244 trainable weights with the defaults, which are those
        of \(E_z\), and 3,186,962 with size 18 and 512 units, \(E_y\).
    """
    _, widths = scales(image_shape, base_filters)
    image = keras.Input(image_shape, name="image")
    x = image
    for width in reversed(widths):
        # Two pixels of zeros at each side, as in Torch; "same" has one at two of them.
        x = layers.Conv2D(width // 2, 5, 2, **with_bias())(layers.ZeroPadding2D(2)(x))
        x = layers.ReLU()(batch_norm()(x))
    x = layers.ReLU()(batch_norm()(layers.Dense(units)(layers.Flatten()(x))))
    return keras.Model(image, layers.Dense(size, dtype="float32")(x), name=name)


@keras.saving.register_keras_serializable(package="keras_design_gans")
class IcGAN(NoiseToImage):
    """Pictures encoded, their labels changed, and drawn again (Perarnau et al. 2016).

    A new model plays stage 1, the game. `next_stage()` gives the model of stage 2, which trains the
    encoder of noise, and that of stage 3, which trains the encoder of labels:

        model = IcGAN(conditions=data.class_names)
        model.compile()
        model.fit(data)
        while model.stage < model.stages:
            model = model.next_stage()
            model.compile()
            model.fit(data)

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], and for every condition
    an integer label (batch,) under its name. Logs: those of `DCGAN` and `d_wrong_accuracy` (of
    pictures with wrong labels) in stage 1, `z_loss` in stage 2, `y_loss` in stage 3. As a function,
    the model takes `[noise, labels]`, labels of -1 and 1.

    Args:
        conditions: Dictionary from label key to its class names, or to their number; pass the
            `class_names` of a data set. `[False, True]` is a yes or no, with one number.
        image_shape: (height, width, channels), sides of 16, 32, 64, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of the layers next to the image; the encoders have half as many.
        r1_weight: Weight of the squared slope of the discriminator at real images, such as 1
            (`r1_penalty`), in stage 1; not in the paper.
        stage: 1, 2 or 3: what is trained. `next_stage` sets it.
        average_decay: Decay of the averaged generator of stage 1, which is the one that the next
            stages have; `None` goes on with the trained generator itself, as the paper does.
        generator: Own network from `[noise, labels]` to images, instead of the paper's.
        discriminator: Own network from `[image, labels]` to logits (batch, 1).
        encoder_z: Own network from images to noise.
        encoder_y: Own network from images to labels.
        seed: Seed of the noise and of the wrong labels.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If there is no condition, no such stage, or the sides do not fit.
    """

    stages = 3

    def __init__(
        self,
        conditions=None,
        image_shape=(64, 64, 3),
        latent_dim=100,
        base_filters=64,
        r1_weight=0.0,
        stage=1,
        average_decay=None,
        generator=None,
        discriminator=None,
        encoder_z=None,
        encoder_y=None,
        seed=0,
        **kwargs,
    ):
        check_conditions(conditions, type(self).__name__)
        if stage not in (1, 2, 3):
            raise ValueError(f"stage must be 1, 2 or 3, got {stage!r}. Start with 1.")
        if stage > 1 and average_decay is not None:
            raise ValueError("The generator is frozen from stage 2 on: average_decay must be None.")
        super().__init__(image_shape, latent_dim, average_decay, seed, **kwargs)
        self.conditions = dict(conditions)
        self.told = Conditions(conditions)
        self.base_filters = base_filters
        self.r1_weight = r1_weight
        self.stage = stage
        self.remember_own(
            generator=generator,
            discriminator=discriminator,
            encoder_z=encoder_z,
            encoder_y=encoder_y,
        )
        shape, labels = self.image_shape, self.told.size
        self.use_generator(generator or cgan_generator(shape, latent_dim, labels, base_filters))
        self.discriminator = self.encoder_z = self.encoder_y = None
        if stage == 1:
            self.discriminator = discriminator or icgan_discriminator(shape, labels, base_filters)
            self.track("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy", "d_wrong_accuracy")
        if stage > 1:
            self.generator.trainable = False
            self.encoder_z = encoder_z or icgan_encoder(
                shape, latent_dim, 64 * base_filters, base_filters
            )
            self.track("z_loss" if stage == 2 else "y_loss")
        if stage > 2:
            self.encoder_z.trainable = False
            self.encoder_y = encoder_y or icgan_encoder(
                shape, labels, 8 * base_filters, base_filters, "encoder_y"
            )

    @property
    def translates(self):
        """Whether the model is shown by what it makes of pictures: it has both encoders."""
        return self.stage == 3

    @property
    def players(self):
        """The generator and the discriminator, or the encoder of the stage."""
        if self.stage == 1:
            return {"generator": [self.generator], "discriminator": [self.discriminator]}
        return {"encoder": [self.encoder_z if self.stage == 2 else self.encoder_y]}

    def default_optimizers(self):
        """Adam: rate 2e-4 and beta_1 0.5 in the game, 1e-4 and 0.1 for the encoders."""
        rate, beta_1 = (2e-4, 0.5) if self.stage == 1 else (1e-4, 0.1)
        return {
            player: keras.optimizers.Adam(rate, beta_1=beta_1, epsilon=1e-8)
            for player in self.players
        }

    @property
    def needs(self):
        """Images, and one label for each condition."""
        return {"image": Images(self.image_shape), **self.told.needs}

    def next_stage(self, **changes):
        """Returns the model of the next stage, not compiled yet. This model stays as it is.

        The trained networks are copied and frozen; the discriminator has done its work and is left
        behind.

        Args:
            **changes: Arguments of the constructor that shall differ, such as an own `encoder_y`.

        Returns:
            `IcGAN` with `stage` one higher.

        Raises:
            ValueError: If this is the last stage.
        """
        if self.stage == self.stages:
            raise ValueError("This model is in stage 3 of 3 already: there is no next stage.")
        config = {**self.get_config(), "stage": self.stage + 1, "average_decay": None}
        model = type(self).from_config({**config, **changes})
        model.generator.set_weights(self.sampler.get_weights())
        if self.encoder_z is not None:
            model.encoder_z.set_weights(self.encoder_z.get_weights())
        return model

    def coded(self, numbers):
        """Turns class numbers into the input of the networks: float32, -1 and 1."""
        return 2.0 * self.told.vector(numbers) - 1.0

    def train_step(self, data):
        """Updates the discriminator and the generator, or the encoder of the stage."""
        batch = self.read(data)
        if self.stage > 1:
            objective = self.encoder_objective
            _, logs = self.minimize(lambda: objective(batch, training=True), "encoder")
            return self.log(**logs)
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
        if self.stage > 1:
            return self.log(**self.encoder_objective(batch, training=False)[1])
        fake = self.make_fakes(batch, training=False)
        _, d_logs = self.discriminator_objective(batch, fake, training=False)
        _, g_logs = self.generator_objective(batch, fake, training=False)
        return self.log(**d_logs, **g_logs)

    def make_fakes(self, batch, training):
        """Returns a generated image for the labels of every real one."""
        noise = self.sample_noise(ops.shape(batch["image"])[0])
        return self.generator([noise, self.coded(batch)], training=training)

    def discriminator_objective(self, batch, fake, training):
        """Returns the discriminator's loss on right, wrong and generated pairs, and its logs."""
        images, y = batch["image"], self.coded(batch)
        partners, exist = wrong_partners(y, self.noise_seed)
        real_logits = self.discriminator([images, y], training=training)
        wrong_logits = self.discriminator(
            [images, ops.take(y, partners, axis=0)], training=training
        )
        wrong_logits = ops.where(exist[:, None], wrong_logits, CERTAIN)
        fake_logits = self.discriminator([fake, y], training=training)
        loss = 0.5 * matching_aware_discriminator_loss(real_logits, wrong_logits, fake_logits)
        loss += self.slope_penalty(images, y, training)
        return loss, {
            "d_loss": loss,
            **discriminator_accuracies(real_logits, fake_logits),
            "d_wrong_accuracy": ops.mean(ops.cast(wrong_logits < 0, "float32")),
        }

    def slope_penalty(self, images, y, training):
        """Returns the weighted R1 penalty at real images, or 0 if it is switched off."""
        if not (training and self.r1_weight):
            return 0.0
        some, labels = images[::4], y[::4]  # for a quarter of the time
        slopes = self.input_gradients(
            lambda x: self.discriminator([x, labels], training=training), some
        )
        return self.r1_weight * r1_penalty(slopes)

    def generator_objective(self, batch, fake, training):
        """Returns the generator's loss and what it logs."""
        logits = self.discriminator([fake, self.coded(batch)], training=training)
        loss = nonsaturating_generator_loss(logits)
        return loss, {"g_loss": loss}

    def encoder_objective(self, batch, training):
        """Returns the loss of the encoder of the stage and what it logs."""
        y = self.coded(batch)
        if self.stage == 3:
            found = self.encoder_y(batch["image"], training=training)
            loss = ops.mean(ops.square(found - y))
            return loss, {"y_loss": loss}
        noise = self.sample_noise(ops.shape(y)[0])
        made = ops.stop_gradient(self.generator([noise, y], training=False))
        loss = ops.mean(ops.square(self.encoder_z(made, training=training) - noise))
        return loss, {"z_loss": loss}

    def encode(self, images, batch_size=64):
        """Finds noise and labels of pictures.

        Args:
            images: Array (n, height, width, channels) in [-1, 1].
            batch_size: Pictures computed at a time.

        Returns:
            Two float32 arrays: noise (n, latent_dim), and labels (n, numbers of all conditions),
            near -1 and 1.

        Raises:
            ValueError: If the encoders are not there yet, or the pictures do not fit.
        """
        if self.stage < 3:
            raise ValueError(
                f"This model is in stage {self.stage} of 3: both encoders are there in stage 3, "
                "see next_stage()."
            )
        images = checked(images, self.needs["image"])
        return tuple(
            network.predict(images, batch_size=batch_size, verbose=0)
            for network in (self.encoder_z, self.encoder_y)
        )

    def translate(self, images, changes=None, seed=None, batch_size=64):
        """Gives pictures other attributes: encodes them, changes the labels and draws them again.

        Args:
            images: Array (n, height, width, channels) in [-1, 1].
            changes: Dictionary from condition to the name or number of a class, or to `n` of them,
                such as `{"hair_color": "blond", "smile": True}`. Labels that do not change are
                what the encoder found.
            seed: Not used, as there is no noise; all models with `translate` take it.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: As `encode`, or if a condition or class is unknown.
        """
        noise, labels = self.encode(images, batch_size)
        parts = dict(self.told.split(labels))
        for key, given in (changes or {}).items():
            part = self.told.part(key, self.told.numbers(key, given, len(noise)))
            parts[key] = 2.0 * ops.convert_to_numpy(part) - 1.0
        return self.decode(noise, np.concatenate(list(parts.values()), axis=-1), batch_size)

    def decode(self, latents, labels, batch_size=64):
        """Turns noise and labels into images, with the averaged generator if there is one.

        Args:
            latents: Array (n, latent_dim).
            labels: Array (n, numbers of all conditions), usually -1 and 1.
            batch_size: Images computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].
        """
        return self.sampler.predict([latents, labels], batch_size=batch_size, verbose=0)

    def generate(self, n, seed=None, **labels):
        """Generates `n` images with the labels that are asked for.

        Args:
            n: Number of images.
            seed: Integer; the same seed, labels and weights give the same images on every backend.
            **labels: For any condition the name or number of a class, or `n` of them; those that
                are left out are drawn at random.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If a condition or class is unknown, or there are not `n` of them.
        """
        numbers = self.told.drawn(n, seed, **labels)
        return self.decode(self.sample_latents(n, seed), ops.convert_to_numpy(self.coded(numbers)))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "conditions": self.conditions,
            "base_filters": self.base_filters,
            "r1_weight": self.r1_weight,
            "stage": self.stage,
        }
