r"""CycleGAN: from one kind of picture to another and back, without pairs.

Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017, arXiv:1703.10593.

Objective, for pictures \(x\) of the first kind and \(y\) of the second:

$$L_D=\tfrac12\big[\mathbb E(D_Y(y)-1)^2+\mathbb E D_Y(G(x))^2\big]
+\tfrac12\big[\mathbb E(D_X(x)-1)^2+\mathbb E D_X(F(y))^2\big]$$

$$L_G=\mathbb E(D_Y(G(x))-1)^2+\mathbb E(D_X(F(y))-1)^2
+\lambda\big[\lVert F(G(x))-x\rVert_1+\lVert G(F(y))-y\rVert_1\big]
+\lambda\lambda_{id}\big[\lVert G(y)-y\rVert_1+\lVert F(x)-x\rVert_1\big]$$

| symbol | name in the code |
| --- | --- |
| \(x\), \(y\) | the keys `first` and `second` of a batch, in [-1, 1] |
| \(G\), \(F\) | `generator` and `inverse_generator` |
| \(D_Y\), \(D_X\), a number for each patch | `discriminator`, `inverse_discriminator` |
| what the discriminators are shown of \(G(x)\) and \(F(y)\) | `pool` and `inverse_pool` |
| \(\lVert F(G(x))-x\rVert_1+\lVert G(F(y))-y\rVert_1\), means | `cycle_loss` |
| \(\lVert G(y)-y\rVert_1+\lVert F(x)-x\rVert_1\), means | `identity_loss` |
| \(\lambda\), \(\lambda_{id}\) | `cycle_weight` 10, `identity_weight` 0.5 |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

Layers are those of the authors' code: mirrored borders, instance normalisation without weights, a
bias in every convolution. Deviations: one optimizer for both generators and one for both
discriminators, first the generators, as in the authors' second code (the first one, in Torch,
updates \(G\), \(D_Y\), \(F\), \(D_X\) in turn, and computes both cycles twice); any batch size,
where they have 1; a constant learning rate (pass a schedule to `compile` for theirs: constant for
100 epochs, then falling to 0 in 100 more).
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.conditions import Conditions
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.layers import ImagePool, ReflectionPadding2D
from keras_design_gans.losses import (
    discriminator_accuracies,
    l1_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from keras_design_gans.models.dcgan import with_bias
from keras_design_gans.models.pix2pix import PATCHES
from keras_design_gans.models.star_gan import check_sides, checked


def plain_norm(x):
    """Instance normalisation without weights."""
    return layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)


def residual_block(x):
    """Two convolutions 3/1 within mirrored borders, added to what they started from."""
    y = x
    for last in (False, True):
        y = layers.Conv2D(x.shape[-1], 3, **with_bias())(ReflectionPadding2D(1)(y))
        y = plain_norm(y) if last else layers.ReLU()(plain_norm(y))
    return layers.Add()([x, y])


def cyclegan_generator(image_shape=(256, 256, 3), base_filters=64, blocks=9, name="generator"):
    """Builds a generator: pictures to pictures in [-1, 1].

    Args:
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        base_filters: Channels of the first convolution.
        blocks: Number of residual blocks: 9 for 256 pixels, 6 for 128 and less in the paper.
        name: Name of the network.

    Returns:
        Functional `keras.Model`; 11,378,179 weights with the defaults, 7,837,699 with 6 blocks.
    """
    check_sides(image_shape)
    image = keras.Input(image_shape, name="image")
    x = layers.Conv2D(base_filters, 7, **with_bias())(ReflectionPadding2D(3)(image))
    x = layers.ReLU()(plain_norm(x))
    for width in (2 * base_filters, 4 * base_filters):
        # One pixel of zeros at each side, as in Torch; "same" has it at two sides only.
        x = layers.Conv2D(width, 3, 2, **with_bias())(layers.ZeroPadding2D(1)(x))
        x = layers.ReLU()(plain_norm(x))
    for _ in range(blocks):
        x = residual_block(x)
    for width in (2 * base_filters, base_filters):
        x = layers.Conv2DTranspose(width, 3, 2, "valid", **with_bias())(x)
        # Torch's padding 1 and output padding 1: the first row and column are left out.
        x = layers.ReLU()(plain_norm(layers.Cropping2D(((1, 0), (1, 0)))(x)))
    # The picture is float32 under mixed precision too: losses need its range.
    options = {**with_bias(), "dtype": "float32"}
    x = layers.Conv2D(image_shape[-1], 7, **options)(ReflectionPadding2D(3, dtype="float32")(x))
    return keras.Model(image, layers.Activation("tanh", dtype="float32")(x), name=name)


def cyclegan_discriminator(
    image_shape=(256, 256, 3), base_filters=64, patch=70, name="discriminator"
):
    """Builds a discriminator: pictures to a map of numbers, near 1 for real and 0 for generated.

    Args:
        image_shape: (height, width, channels).
        base_filters: Channels of the first convolution; eight times as many at most.
        patch: Side of the square that one number depends on: 16, 34, 70, 142 or 286.
        name: Name of the network.

    Returns:
        Functional `keras.Model`; 2,764,737 weights and a map of 30 x 30 with the defaults.

    Raises:
        ValueError: If there is no such patch, or the image is too small for it.
    """
    count = PATCHES.get(patch, 0)
    if not count or min(image_shape[:2]) < 3 * 2**count:
        raise ValueError(
            f"patch must be one of 16, 34, 70, 142, 286, and small enough for the image (34 for 64 "
            f"pixels), got {patch!r} for {tuple(image_shape)}."
        )
    image = keras.Input(image_shape, name="image")
    x = image
    for level in range(count + 1):
        stride = 2 if level < count else 1
        width = min(2**level, 8) * base_filters
        x = layers.Conv2D(width, 4, stride, **with_bias())(layers.ZeroPadding2D(1)(x))
        x = layers.LeakyReLU(0.2)(plain_norm(x) if level else x)
    last = {**with_bias(), "dtype": "float32"}
    answer = layers.Conv2D(1, 4, **last)(layers.ZeroPadding2D(1, dtype="float32")(x))
    return keras.Model(image, answer, name=name)


@keras.saving.register_keras_serializable(package="keras_design_gans")
class CycleGAN(AdversarialModel):
    """Translation between two kinds of pictures without pairs (Zhu et al. 2017).

    Batches: `first` and `second`, float32 (batch, height, width, channels) in [-1, 1], pictures of
    the two kinds, whatever they show; `prepare` makes them of a data set with labels. Logs:
    `g_loss`, of which `adversarial_loss`, `cycle_loss` and `identity_loss` (without their weights)
    are parts, `d_loss`, and `d_real_accuracy` and `d_fake_accuracy`, shares of patches of both
    kinds. As a function, the model takes a picture of the first kind.

    Args:
        conditions: Dictionary with one label key and its class names; pass the entry of
            `dataset.class_names`. Not needed where batches have `first` and `second`.
        domains: Names or numbers of two classes, the first and the second kind.
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        base_filters: Channels of the first layer of all networks.
        blocks: Residual blocks of the generators; `None` means 9 from 256 pixels on, 6 below.
        patch: Side of the square that one number of a discriminator depends on; 34 for 64 pixels.
        cycle_weight: Weight of the distances after the way there and back.
        identity_weight: Weight of the distances of pictures that are of the wanted kind already,
            as a share of `cycle_weight`; 0 switches them off.
        pool_size: Pictures that each pool keeps; 0 shows the newest only.
        generator: Own network from images to images, instead of the paper's.
        inverse_generator: The same, for the way back.
        discriminator: Own network from images to a map, for the second kind.
        inverse_discriminator: The same, for the first kind.
        seed: Seed of the pools.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If the size, the patch or the domains do not fit.
    """

    source = "first"

    def __init__(
        self,
        conditions=None,
        domains=(0, 1),
        image_shape=(256, 256, 3),
        base_filters=64,
        blocks=None,
        patch=70,
        cycle_weight=10.0,
        identity_weight=0.5,
        pool_size=50,
        generator=None,
        inverse_generator=None,
        discriminator=None,
        inverse_discriminator=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.domain_conditions = conditions and dict(conditions)
        self.domains = list(domains)
        self.classes = domain_numbers(conditions, domains)
        self.image_shape = tuple(image_shape)
        self.base_filters = base_filters
        self.blocks = blocks
        self.patch = patch
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.pool_size = pool_size
        self.seed = seed
        self.remember_own(
            generator=generator,
            inverse_generator=inverse_generator,
            discriminator=discriminator,
            inverse_discriminator=inverse_discriminator,
        )
        shape = self.image_shape
        if blocks is None:
            blocks = 9 if shape[0] >= 256 else 6
        self.generator = generator or cyclegan_generator(shape, base_filters, blocks)
        self.inverse_generator = inverse_generator or cyclegan_generator(
            shape, base_filters, blocks, "inverse_generator"
        )
        self.discriminator = discriminator or cyclegan_discriminator(shape, base_filters, patch)
        self.inverse_discriminator = inverse_discriminator or cyclegan_discriminator(
            shape, base_filters, patch, "inverse_discriminator"
        )
        self.pool = self.inverse_pool = None
        if pool_size:
            self.pool = ImagePool(shape, pool_size, seed)
            self.inverse_pool = ImagePool(shape, pool_size, seed + 1)
        self.track("g_loss", "adversarial_loss", "cycle_loss", "identity_loss")
        self.track("d_loss", "d_real_accuracy", "d_fake_accuracy")

    @property
    def players(self):
        """Both generators together, and both discriminators."""
        return {
            "generator": [self.generator, self.inverse_generator],
            "discriminator": [self.discriminator, self.inverse_discriminator],
        }

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both players (section 4)."""
        return {
            player: keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """Pictures of the two kinds."""
        return {"first": Images(self.image_shape), "second": Images(self.image_shape)}

    @property
    def made_from(self):
        """The keys of a data set that `prepare` makes batches of."""
        return ("image", *(self.domain_conditions or {}))

    def prepare(self, dataset):
        """Makes the batches of a data set of pictures with labels.

        Args:
            dataset: A `kdg.datasets` set with `image` and the label of `conditions`, or the only
                label that it has.

        Returns:
            A `Dataset` with `first` and `second`, as many as there are of the more frequent kind;
            pictures of the rarer one come several times.

        Raises:
            ValueError: If there is no such label, or one of the kinds is missing.
        """
        key = next(iter(self.domain_conditions or dataset.class_names), None)
        if key not in dataset.arrays:
            raise ValueError(
                f"CycleGAN takes its two kinds from a label: {key!r} is not among "
                f"{', '.join(dataset.features)}."
            )
        labels = np.asarray(dataset.arrays[key])
        rows = [np.flatnonzero(labels == number) for number in self.classes]
        if not all(map(len, rows)):
            raise ValueError(f"{dataset.name!r} has no pictures of one of {self.domains} in {key}.")
        images, length = dataset.arrays["image"], max(map(len, rows))
        columns = {
            k: images[np.resize(found, length)] for k, found in zip(self.needs, rows, strict=True)
        }
        return dataset.with_columns(columns, {})

    def train_step(self, data):
        """Updates the generators, then the discriminators on pictures from the pools."""
        batch = self.read(data)
        _, g_logs, fakes = self.minimize(
            lambda: self.generator_objective(batch, training=True), "generator"
        )
        if self.pool_size:
            fakes = {
                "first": self.inverse_pool(fakes["first"]),
                "second": self.pool(fakes["second"]),
            }
        _, d_logs = self.minimize(
            lambda: self.discriminator_objective(batch, fakes, training=True), "discriminator"
        )
        return self.log(**g_logs, **d_logs)

    def test_step(self, data):
        """Computes the same losses without updates, and without the pools."""
        batch = self.read(data)
        _, g_logs, fakes = self.generator_objective(batch, training=False)
        _, d_logs = self.discriminator_objective(batch, fakes, training=False)
        return self.log(**g_logs, **d_logs)

    def generator_objective(self, batch, training):
        """Returns the loss of both generators, its logs, and the pictures they made, by kind."""
        x, y = batch["first"], batch["second"]
        fake_y = self.generator(x, training=training)
        fake_x = self.inverse_generator(y, training=training)
        adversarial = 2.0 * (  # that of `losses` is halved
            least_squares_generator_loss(self.discriminator(fake_y, training=training))
            + least_squares_generator_loss(self.inverse_discriminator(fake_x, training=training))
        )
        cycle = l1_loss(self.inverse_generator(fake_y, training=training), x)
        cycle += l1_loss(self.generator(fake_x, training=training), y)
        loss = adversarial + self.cycle_weight * cycle
        identity = ops.zeros(())
        if self.identity_weight:
            identity = l1_loss(self.generator(y, training=training), y)
            identity += l1_loss(self.inverse_generator(x, training=training), x)
            loss += self.cycle_weight * self.identity_weight * identity
        logs = {
            "g_loss": loss,
            "adversarial_loss": adversarial,
            "cycle_loss": cycle,
            "identity_loss": identity,
        }
        return loss, logs, {"first": fake_x, "second": fake_y}

    def discriminator_objective(self, batch, fakes, training):
        """Returns the loss of both discriminators, a mean over patches, and its logs."""
        loss, accuracies = 0.0, []
        networks = {"first": self.inverse_discriminator, "second": self.discriminator}
        for kind, network in networks.items():
            real = network(batch[kind], training=training)
            fake = network(fakes[kind], training=training)
            loss += least_squares_discriminator_loss(real, fake)
            accuracies.append(discriminator_accuracies(real - 0.5, fake - 0.5))
        means = {key: sum(each[key] for each in accuracies) / 2 for key in accuracies[0]}
        return loss, {"d_loss": loss, **means}

    def translate(self, images, back=False, seed=None, batch_size=64):
        """Turns pictures of one kind into pictures of the other.

        Args:
            images: Array (n, height, width, channels) in [-1, 1], of the first kind.
            back: Take pictures of the second kind, and make those of the first.
            seed: Not used, as there is no noise; all models with `translate` take it.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If shape or range of the pictures does not fit.
        """
        images = checked(images, Images(self.image_shape))
        network = self.inverse_generator if back else self.generator
        return network.predict(images, batch_size=batch_size, verbose=0)

    def call(self, inputs, training=False):
        """Applies the generator of the second kind."""
        return self.generator(inputs, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "conditions": self.domain_conditions,
            "domains": self.domains,
            "image_shape": self.image_shape,
            "base_filters": self.base_filters,
            "blocks": self.blocks,
            "patch": self.patch,
            "cycle_weight": self.cycle_weight,
            "identity_weight": self.identity_weight,
            "pool_size": self.pool_size,
            "seed": self.seed,
        }


def domain_numbers(conditions, domains):
    """Returns the class numbers of the two kinds.

    Raises:
        ValueError: If there is not one condition, or a class is unknown, or the two are the same.
    """
    if conditions and len(conditions) != 1:
        raise ValueError(
            f"CycleGAN takes its two kinds from one label, got {', '.join(conditions)}. Pass one, "
            "such as conditions={'hair_color': dataset.class_names['hair_color']}."
        )
    told = Conditions(conditions or {"domains": 2})
    numbers = [int(told.numbers(next(iter(told.classes)), name, 1)[0]) for name in domains]
    if len(set(numbers)) != 2 or len(numbers) != 2:
        raise ValueError(f"domains must be two different classes, got {list(domains)}.")
    return numbers
