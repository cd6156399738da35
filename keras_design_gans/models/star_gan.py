r"""StarGAN: one generator that changes any attribute of a picture.

Choi, Choi, Kim, Ha, Kim and Choo, "StarGAN: Unified Generative Adversarial Networks for
Multi-Domain Image-to-Image Translation", CVPR 2018, arXiv:1711.09020.

Objective, for a picture \(x\) with labels \(c'\) and wanted labels \(c\):

$$L_D=\mathbb E\,D_{src}(G(x,c))-\mathbb E\,D_{src}(x)
+\lambda_{gp}\,\mathbb E_{\hat x}\big(\lVert\nabla D_{src}(\hat x)\rVert_2-1\big)^2
+\lambda_{cls}L^r_{cls}\qquad L^r_{cls}=-\mathbb E\log D_{cls}(c'|x)$$

$$L_G=-\mathbb E\,D_{src}(G(x,c))+\lambda_{cls}L^f_{cls}
+\lambda_{rec}\,\mathbb E\lVert x-G(G(x,c),c')\rVert_1
\qquad L^f_{cls}=-\mathbb E\log D_{cls}(c|G(x,c))$$

| symbol | name in the code |
| --- | --- |
| \(G\) | `generator` of `[image, labels]` |
| \(D_{src}\), a map of scores; \(D_{cls}\) | `"real"`, and each condition, of `discriminator` |
| \(x\), \(c'\) | `image` and one integer label for each of the `conditions` |
| \(c\) | `wanted`: the labels \(c'\) of another picture of the batch |
| \(\hat x\) | a point between a real picture and a generated one |
| \(L^r_{cls}\), \(L^f_{cls}\), summed over the conditions | `real_class_loss`, `fake_class_loss` |
| \(\lVert x-G(G(x,c),c')\rVert_1\), as a mean | `cycle_loss` |
| \(\lambda_{cls}\), \(\lambda_{rec}\) | `class_weight` 1, `cycle_weight` 10 |
| \(\lambda_{gp}\) | `penalty_weight` 10 |
| updates of \(D\) for one of \(G\) | `discriminator_steps`, 5 |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

Layers are those of the authors' code; the labels are laid behind the picture as constant channels,
and zeros are padded, because a border of mirrored pixels and instance normalisation together would
erase them. As in `wgan.py`, a batch is dealt out to the updates of the discriminator: give 80
pictures for the paper's 16. The norm in the penalty is that of the slope of the sum of the map, as
in the code. Deviations: exclusive classes have a softmax (the code for CelebA has one sigmoid for
each hair colour); the learning rate is constant (pass a schedule to `compile` for the paper's
linear decay over the second half); Keras' initial weights.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.conditions import Conditions
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.losses import (
    classification_loss,
    l1_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from keras_design_gans.models.wgan import deal
from keras_design_gans.models.wgan_gp import slope_penalty

SLOPE = 0.01  # of the leaky ReLU


def normalised(x, groups=-1):
    """Normalisation with weights, by default of each channel of an instance, and ReLU."""
    return layers.ReLU()(layers.GroupNormalization(groups, epsilon=1e-5)(x))


def residual_block(x, groups=-1, scale="ones"):
    """Two convolutions 3/1 whose result, scaled, is added to what they started from."""
    width = x.shape[-1]
    y = normalised(layers.Conv2D(width, 3, padding="same", use_bias=False)(x), groups)
    y = layers.Conv2D(width, 3, padding="same", use_bias=False)(y)
    y = layers.GroupNormalization(groups, epsilon=1e-5, gamma_initializer=scale)(y)
    return layers.Add()([x, y])


def encode(x, base_filters, groups=-1):
    """Stacks the layers from a picture to a map of a quarter of its sides, 4 times as wide."""
    x = normalised(layers.Conv2D(base_filters, 7, padding="same", use_bias=False)(x), groups)
    for width in (2 * base_filters, 4 * base_filters):
        x = normalised(layers.Conv2D(width, 4, 2, "same", use_bias=False)(x), groups)
    return x


def reconstruct(x, channels, base_filters, groups=-1):
    """Stacks the layers from such a map back to a picture in [-1, 1]."""
    for width in (2 * base_filters, base_filters):
        x = normalised(layers.Conv2DTranspose(width, 4, 2, "same", use_bias=False)(x), groups)
    # The picture is float32 under mixed precision too: losses and penalties need its range.
    x = layers.Conv2D(channels, 7, padding="same", use_bias=False, dtype="float32")(x)
    return layers.Activation("tanh", dtype="float32")(x)


def with_labels(x, labels):
    """Lays labels behind a map, as constant channels."""
    height, width, _ = x.shape[1:]
    maps = layers.RepeatVector(height * width)(labels)
    return layers.Concatenate()([x, layers.Reshape((height, width, labels.shape[-1]))(maps)])


def check_sides(image_shape):
    """Raises `ValueError` unless both sides are 16, 32, 64, ... pixels."""
    sides = image_shape[:2]
    if sides[0] != sides[1] or sides[0] < 16 or sides[0] & (sides[0] - 1):
        raise ValueError(
            f"image_shape must have equal sides of 16, 32, 64, ... pixels, got {image_shape}."
        )


def star_gan_generator(image_shape=(128, 128, 3), labels=5, base_filters=64, blocks=6):
    """Builds the generator: pictures and wanted labels to pictures in [-1, 1].

    Args:
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        labels: Length of the vector of labels.
        base_filters: Channels of the first convolution.
        blocks: Number of residual blocks.

    Returns:
        Functional `keras.Model` of `[image, labels]`; 8,430,528 weights with the defaults.
    """
    check_sides(image_shape)
    image = keras.Input(image_shape, name="image")
    wanted = keras.Input((labels,), name="labels")
    x = encode(with_labels(image, wanted), base_filters)
    for _ in range(blocks):
        x = residual_block(x)
    picture = reconstruct(x, image_shape[-1], base_filters)
    return keras.Model([image, wanted], picture, name="generator")


def star_gan_discriminator(image_shape=(128, 128, 3), heads=None, base_filters=64, last_side=2):
    """Builds the discriminator: pictures to a map of scores, and logits for every label.

    Args:
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        heads: Dictionary from label key to the number of its logits.
        base_filters: Channels of the first convolution; each halving doubles them.
        last_side: Side of the map of scores, a power of two.

    Returns:
        Functional `keras.Model` to a dictionary with `"real"`, (batch, last_side, last_side, 1),
        and for every head logits (batch, K); 44,762,048 weights for five logits with the defaults.
    """
    check_sides(image_shape)
    image = keras.Input(image_shape, name="image")
    x, width = image, base_filters
    while x.shape[1] > last_side:
        x = layers.LeakyReLU(SLOPE)(layers.Conv2D(width, 4, 2, "same")(x))
        width *= 2
    last = {"use_bias": False, "dtype": "float32"}
    outputs = {"real": layers.Conv2D(1, 3, padding="same", name="real", **last)(x)}
    for key, size in (heads or {}).items():
        logits = layers.Conv2D(size, last_side, **last)(x)
        outputs[key] = layers.Flatten(dtype="float32", name=f"{key}_logits")(logits)
    return keras.Model(image, outputs, name="discriminator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class StarGAN(AdversarialModel):
    """Changes of attributes with one generator for all (Choi et al. 2018).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], and for every condition
    an integer label (batch,) under its name, of which each update of the discriminator takes the
    share `1 / discriminator_steps`. Logs: `d_loss`, of which `real_class_loss` and
    `gradient_penalty` (without its weight) are parts, `wasserstein_estimate`, and `g_loss`, of
    which `fake_class_loss` and `cycle_loss` (without their weights) are parts. As a function, the
    model takes `[image, labels]`.

    Args:
        conditions: Dictionary from label key to its class names, or to their number; pass the
            `class_names` of a data set. `[False, True]` is a yes or no, with one logit.
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        base_filters: Channels of the first layer of both networks.
        blocks: Residual blocks of the generator.
        discriminator_steps: Updates of the discriminator for one of the generator, each on its own
            share of the batch.
        class_weight: Weight of the classification losses.
        cycle_weight: Weight of the distance to the picture that was changed and changed back.
        penalty_weight: Weight of the gradient penalty.
        generator: Own network from `[image, labels]` to images, instead of the paper's.
        discriminator: Own network from images to a dictionary with `"real"` and every condition.
        seed: Seed of what is wanted of which picture.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If there is no condition, or the size does not fit.
    """

    def __init__(
        self,
        conditions=None,
        image_shape=(128, 128, 3),
        base_filters=64,
        blocks=6,
        discriminator_steps=5,
        class_weight=1.0,
        cycle_weight=10.0,
        penalty_weight=10.0,
        generator=None,
        discriminator=None,
        seed=0,
        **kwargs,
    ):
        check_conditions(conditions, type(self).__name__)
        super().__init__(**kwargs)
        self.conditions = dict(conditions)
        self.told = Conditions(conditions)
        self.image_shape = tuple(image_shape)
        self.base_filters = base_filters
        self.blocks = blocks
        self.discriminator_steps = discriminator_steps
        self.class_weight = class_weight
        self.cycle_weight = cycle_weight
        self.penalty_weight = penalty_weight
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.remember_own(generator=generator, discriminator=discriminator)
        self.generator = generator or star_gan_generator(
            self.image_shape, self.told.size, base_filters, blocks
        )
        self.discriminator = discriminator or star_gan_discriminator(
            self.image_shape, self.told.sizes, base_filters
        )
        self.track("d_loss", "real_class_loss", "gradient_penalty", "wasserstein_estimate")
        self.track("g_loss", "fake_class_loss", "cycle_loss")

    @property
    def players(self):
        """The generator and the discriminator."""
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    def default_optimizers(self):
        """Adam with rate 1e-4, beta_1 0.5 and beta_2 0.999 for both players (section 5)."""
        return {
            player: keras.optimizers.Adam(1e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """Images, and one label for each condition."""
        return {"image": Images(self.image_shape), **self.told.needs}

    def train_step(self, data):
        """Updates the discriminator `discriminator_steps` times, then the generator once."""
        for part in deal_batch(self.read(data), self.discriminator_steps):
            wanted = self.wanted(part)
            d_logs = self.update_discriminator(part, wanted)
        _, g_logs = self.minimize(
            lambda: self.generator_objective(part, wanted, training=True), "generator"
        )
        return self.log(**d_logs, **g_logs)

    def update_discriminator(self, batch, wanted):
        """Updates the discriminator once; returns what it logs."""
        fake = ops.stop_gradient(self.change(batch["image"], wanted, training=True))
        return self.minimize(
            lambda: self.discriminator_objective(batch, fake, training=True), "discriminator"
        )[1]

    def test_step(self, data):
        """Computes the same losses without updates."""
        batch = self.read(data)
        wanted = self.wanted(batch)
        fake = self.change(batch["image"], wanted, training=False)
        _, d_logs = self.discriminator_objective(batch, fake, training=False)
        _, g_logs = self.generator_objective(batch, wanted, training=False)
        return self.log(**d_logs, **g_logs)

    def wanted(self, batch):
        """Returns the labels of the batch in another order: what each picture shall be given."""
        order = keras.random.shuffle(ops.arange(ops.shape(batch["image"])[0]), seed=self.noise_seed)
        return {key: ops.take(batch[key], order, axis=0) for key in self.conditions}

    def change(self, images, labels, training):
        """Returns the images with the labels, a dictionary of class numbers."""
        return self.generator([images, self.told.vector(labels)], training=training)

    def class_loss(self, answer, labels):
        """Returns the sum of the classification losses of all conditions."""
        return sum(classification_loss(answer[key], labels[key]) for key in self.conditions)

    def discriminator_objective(self, batch, fake, training):
        """Returns the discriminator's loss and its logs."""
        real = batch["image"]
        answer = self.discriminator(real, training=training)
        distance = wasserstein_critic_loss(
            answer["real"], self.discriminator(fake, training=training)["real"]
        )
        penalty = slope_penalty(
            self, lambda x: self.discriminator(x, training=training)["real"], real, fake
        )
        class_loss = self.class_loss(answer, batch)
        loss = distance + self.penalty_weight * penalty + self.class_weight * class_loss
        return loss, {
            "d_loss": loss,
            "real_class_loss": class_loss,
            "gradient_penalty": penalty,
            "wasserstein_estimate": -distance,
        }

    def generator_objective(self, batch, wanted, training):
        """Returns the generator's loss and its logs."""
        fake = self.change(batch["image"], wanted, training)
        answer = self.discriminator(fake, training=training)
        class_loss = self.class_loss(answer, wanted)
        cycle = l1_loss(self.change(fake, batch, training), batch["image"])
        loss = wasserstein_generator_loss(answer["real"])
        loss += self.class_weight * class_loss + self.cycle_weight * cycle
        return loss, {"g_loss": loss, "fake_class_loss": class_loss, "cycle_loss": cycle}

    def translate(self, images, changes=None, labels=None, seed=None, batch_size=64):
        """Gives pictures other attributes.

        The generator wants to know all attributes of the result. Those that do not change are
        taken from `labels`, or else read off the pictures by the discriminator.

        Args:
            images: Array (n, height, width, channels) in [-1, 1].
            changes: Dictionary from condition to the name or number of a class, or to `n` of them,
                such as `{"hair_color": "blond", "smile": True}`.
            labels: Dictionary with the labels that the pictures have, as far as they are known, in
                the same form.
            seed: Not used, as there is no noise; all models with `translate` take it.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If the pictures do not fit, or a condition or class is unknown.
        """
        images = checked(images, self.needs["image"])
        known = {**(labels or {}), **(changes or {})}
        self.told.check_keys(known)
        numbers = {}
        if set(known) < set(self.conditions):
            numbers = self.classify(images, batch_size)
        n = len(images)
        numbers |= {key: self.told.numbers(key, given, n) for key, given in known.items()}
        vector = ops.convert_to_numpy(self.told.vector(numbers))
        return self.generator.predict([images, vector], batch_size=batch_size, verbose=0)

    def classify(self, images, batch_size=64):
        """Returns the labels that the discriminator reads off pictures, class numbers by key."""
        answer = self.discriminator.predict(images, batch_size=batch_size, verbose=0)
        return {key: most_likely(answer[key]) for key in self.conditions}

    def call(self, inputs, training=False):
        """Applies the generator to `[image, labels]`."""
        return self.generator(inputs, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "conditions": self.conditions,
            "image_shape": self.image_shape,
            "base_filters": self.base_filters,
            "blocks": self.blocks,
            "discriminator_steps": self.discriminator_steps,
            "class_weight": self.class_weight,
            "cycle_weight": self.cycle_weight,
            "penalty_weight": self.penalty_weight,
            "seed": self.seed,
        }


def check_conditions(conditions, name):
    """Raises `ValueError` unless there is a condition."""
    if not conditions:
        raise ValueError(
            f"{name} needs at least one condition: pass conditions=dataset.class_names, such as "
            "conditions={'hair_color': ['black', 'blond'], 'smile': [False, True]}."
        )


def checked(images, need):
    """Returns pictures as a float32 array, after a look at shape and values."""
    images = np.asarray(images, "float32")
    need.check_shape("images", images)
    need.check_values("images", images)
    return images


def deal_batch(batch, parts):
    """Deals a batch, a dictionary, out to several updates: a list of dictionaries."""
    dealt = {key: deal(tensor, parts) for key, tensor in batch.items()}
    return [{key: dealt[key][i] for key in batch} for i in range(parts)]


def most_likely(logits):
    """Returns the class numbers, int32 (n,), of logits (n, K), or (n, 1) for a yes or no."""
    logits = np.asarray(logits)
    return (logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)).astype("int32")
