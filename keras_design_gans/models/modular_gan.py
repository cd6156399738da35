r"""ModularGAN: one module for each attribute, put together in any order and number.

Zhao, Chang, Jie and Sigal, "Modular Generative Adversarial Networks", ECCV 2018, arXiv:1804.03343.

A picture becomes features, each wanted attribute \(a_i\) is worked into them by a module of its
own, and the features become a picture again. Training has one module at a time between encoder and
reconstructor, the finished model any of them:

$$y_i=R(T_i(E(x),a_i))\qquad y=R(T_k(\dots T_1(E(x),a_1)\dots,a_k))$$

$$T_i(f,a_i)=g'\odot f'+(1-g')\odot f\qquad g'=\tfrac12(1+\tanh(\dots f'))$$

where \(f'\) are new features and the mask \(g'\), one number for each place, says where they count.
To make pictures of noise, a generator \(G(z,a_0)\) takes the place of \(E(x)\).

Objective, with \(\hat x\) between real and generated pictures:

$$L_D=\sum_i\Big[\mathbb E D_i(y_i)-\mathbb E D_i(x)+\lambda_{gp}\mathbb E_{\hat x}
\big(\lVert\nabla D_i(\hat x)\rVert_2-1\big)^2-\lambda_{cls}\mathbb E\log D_{cls_i}(c_i|x)\Big]$$

$$L_G=\sum_i\Big[-\mathbb E D_i(y_i)-\lambda_{cls}\mathbb E\log D_{cls_i}(a_i|y_i)
+\lambda_{cyc}\mathbb E\lVert T_i(E(x),a_i)-E(y_i)\rVert_1\Big]
\qquad L_C=\mathbb E\lVert R(E(x))-x\rVert_1$$

| symbol | name in the code |
| --- | --- |
| \(E\), \(G\), \(R\) | `encoder`, `generator` (or `None`), `reconstructor` |
| \(T_i\), \(D_i\) with \(D_{cls_i}\) | `transformers[key]`, `discriminators[key]` |
| features \(f\), a quarter of the sides | `features`, shape `feature_shape`, float32 |
| \(g'\) | `"mask"` in what a transformer gives |
| \(x\), \(c_i\) | `image` and one integer label for each of the `conditions` |
| \(a_i\) | `wanted`: the labels of other pictures of the batch |
| \(z\), \(a_0\) | noise, and the labels of the `initial` conditions |
| \(L_C\), as a mean | `image_cycle_loss` |
| \(\lVert T_i(E(x),a_i)-E(y_i)\rVert_1\), means, summed | `feature_cycle_loss` |
| \(\lambda_{cls}\), \(\lambda_{cyc}\) | `class_weight` 1, `cycle_weight` 10 |
| \(\lambda_{gp}\) | `penalty_weight` 10 |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

The paper gives numbers of layers, not their widths: these are StarGAN's, as in `star_gan.py`, whose
encoder and reconstructor this is, with the residual blocks in \(T_i\). The discriminators halve
their maps down to 4 pixels; \(D_i(x)\) is the mean of such a map, in the penalty too. As in
`wgan.py`, a batch is dealt out to the updates of the discriminators: give 80 pictures for the
paper's 16. Deviations:

- The new features are the old ones and what the residual blocks add, which is nothing at first. New
  features that are noise at first would be shut out: their masks close within some hundred steps,
  and a tanh that has gone to -1 has no slope to come back by.
- The paper names no kind of normalisation. Modules that change pictures have StarGAN's, of each
  channel apart. It makes any plain ground the same as any other, so that its colour could not be
  learned from noise: there, it is over all channels of a picture, and in the generator over the
  batch, without which all pictures are alike for long.
- Where the paper is silent: classes are exclusive, by a softmax; wanted labels are shuffled for
  each attribute apart; with a generator, each initial condition has a discriminator too, which
  judges \(R(G(z,a_0))\), and the encoder that the cycle of features needs is trained beside it.
- The paper has \(\lambda_{cyc}L_C\) as a part of \(L_G\). Here encoder and reconstructor have an
  optimizer of their own for it, a third player, which learns to copy with every update of the
  discriminators: as one of many terms of the fifth update, copies stay blurred for long.
- The learning rate is constant (pass a schedule to `compile` for the paper's linear decay over the
  second half).
"""

import functools

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
from keras_design_gans.models.star_gan import (
    check_conditions,
    check_sides,
    checked,
    deal_batch,
    encode,
    normalised,
    reconstruct,
    residual_block,
    star_gan_discriminator,
    with_labels,
)
from keras_design_gans.models.wgan_gp import slope_penalty

REDUCTION = 4  # from the side of a picture to that of its features
LAST_SIDE = 4  # of the maps of the discriminators
MASK_SIDE = 7  # of the convolution that makes a mask


def as_features(x):
    """What every module hands on: features in float32, under mixed precision too."""
    return layers.Activation("linear", dtype="float32")(x)


def modular_encoder(image_shape=(128, 128, 3), base_filters=64, blocks=0, groups=-1):
    """Builds E: pictures to features.

    Args:
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        base_filters: Channels of the first convolution; the features have four times as many.
        blocks: Number of residual blocks.
        groups: Of channels that are normalised together, -1 for each channel apart.

    Returns:
        Functional `keras.Model`; 665,664 weights with the defaults, 7,749,696 with 6 blocks.
    """
    check_sides(image_shape)
    image = keras.Input(image_shape, name="image")
    x = encode(image, base_filters, groups)
    for _ in range(blocks):
        x = residual_block(x, groups)
    return keras.Model(image, as_features(x), name="encoder")


def modular_generator(feature_shape=(16, 16, 256), latent_dim=100, labels=10):
    """Builds G: noise and labels to features, doubling the side from 1 pixel on.

    Args:
        feature_shape: (height, width, channels), equal sides of 4, 8, 16, ... pixels.
        latent_dim: Length of the noise vector.
        labels: Length of the vector of labels.

    Returns:
        Functional `keras.Model` of `[noise, labels]`, for the defaults of four layers.
    """
    side, _, channels = feature_shape
    noise = keras.Input((latent_dim,), name="noise")
    wanted = keras.Input((labels,), name="labels")
    x = layers.Concatenate()([noise, wanted])
    x = layers.Reshape((1, 1, latent_dim + labels))(x)
    while x.shape[1] < side:
        width = channels if 4 * x.shape[1] >= side else 2 * channels  # of the last two layers
        x = layers.Conv2DTranspose(width, 4, 2, "same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(epsilon=1e-5)(x))
    return keras.Model([noise, wanted], as_features(x), name="generator")


def modular_transformer(
    feature_shape=(32, 32, 256), labels=1, blocks=6, use_mask=True, groups=-1, name="transformer"
):
    """Builds a T: features and what is wanted of one attribute to features of the same shape.

    Args:
        feature_shape: (height, width, channels).
        labels: Length of the vector of the attribute.
        blocks: Number of residual blocks.
        use_mask: Blend new and old features by a mask; without, the new ones replace the old.
        groups: As in `modular_encoder`.
        name: Name of the network.

    Returns:
        Functional `keras.Model` of `[features, labels]` to a dictionary with `"features"` and, by
        `use_mask`, `"mask"` (batch, height, width, 1) in (0, 1); 7,689,216 weights with the
        defaults, 2,304 more for each further number of `labels`.
    """
    features = keras.Input(feature_shape, name="features")
    wanted = keras.Input((labels,), name="labels")
    x = with_labels(features, wanted)
    x = layers.Conv2D(feature_shape[-1], 3, padding="same", use_bias=False)(x)
    first = x = normalised(x, groups)
    for _ in range(blocks):
        x = residual_block(x, groups, scale="zeros")
    change = layers.Subtract(dtype="float32")([x, first])
    new = layers.Add(dtype="float32")([features, change])
    outputs = {"features": new}
    if use_mask:
        g = layers.Conv2D(1, MASK_SIDE, padding="same", use_bias=False, dtype="float32")(new)
        # Adam moves so many weights at once that it could close the mask in a few steps, for good.
        g = layers.Rescaling(1 / MASK_SIDE**2, dtype="float32")(g)
        g = layers.Activation("tanh", dtype="float32")(g)
        mask = layers.Rescaling(0.5, 0.5, dtype="float32")(g)
        change = layers.Multiply(dtype="float32")([mask, change])
        outputs = {"features": layers.Add(dtype="float32")([features, change]), "mask": mask}
    return keras.Model([features, wanted], outputs, name=name)


def modular_reconstructor(feature_shape=(32, 32, 256), channels=3, groups=-1):
    """Builds R: features to pictures in [-1, 1] of four times the side.

    Args:
        feature_shape: (height, width, channels).
        channels: Channels of the picture.
        groups: As in `modular_encoder`.

    Returns:
        Functional `keras.Model`; 665,152 weights with the defaults.
    """
    features = keras.Input(feature_shape, name="features")
    picture = reconstruct(features, channels, feature_shape[-1] // 4, groups)
    return keras.Model(features, picture, name="reconstructor")


def score(scores):
    """Returns D_i(x), one number for each picture: the mean of its map of scores."""
    return ops.mean(scores, axis=tuple(range(1, len(scores.shape))))


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ModularGAN(AdversarialModel):
    """Attributes as modules that are put together when a picture is made (Zhao et al. 2018).

    Every module is a `keras.Model` of its own in `networks`, by the names `"encoder"`,
    `"generator"`, `"reconstructor"`, `"transformer_<key>"` and `"discriminator_<key>"`. All
    features between them have one shape, so that any of them can be saved, exchanged and used in
    another model: `ModularGAN(..., networks={"encoder": trained.encoder})`.

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], and for every condition
    an integer label (batch,) under its name, of which each update of the discriminators takes the
    share `1 / discriminator_steps`. Logs: `d_loss`, of which `real_class_loss` and
    `gradient_penalty` (without its weight) are parts, `wasserstein_estimate`, and `g_loss`, of
    which `fake_class_loss` and `feature_cycle_loss` (without their weights) are parts, all of them
    sums over the conditions; and `image_cycle_loss`. As a function, the model takes
    `[image, labels]`, or `[noise, labels]` if it has a generator, and applies all modules.

    Args:
        conditions: Dictionary from label key to its class names, or to their number; pass the
            `class_names` of a data set. `[False, True]` is a yes or no, with one number. Each has a
            transformer, but for the `initial` ones.
        initial: Conditions that a generator is told, which then makes pictures of noise; `()` means
            an encoder, which changes given pictures.
        image_shape: (height, width, channels), equal sides of 16, 32, 64, ... pixels.
        latent_dim: Length of the generator's noise vector.
        base_filters: Channels next to the picture; features have four times as many.
        blocks: Residual blocks of a transformer.
        encoder_blocks: Residual blocks of the encoder.
        use_masks: Whether transformers blend by masks; `False` is an ablation of the paper.
        use_cycle: Whether there are cycle losses; `False` is an ablation of the paper. A model
            with a generator then has no encoder.
        trained: Conditions whose transformer and discriminator alone are trained; `None` means
            all, and encoder, generator and reconstructor as well. `with_module` sets it.
        discriminator_steps: Updates of the discriminators for one of the other modules, each on its
            own share of the batch.
        class_weight: Weight of the classification losses.
        cycle_weight: Weight of the distances of features.
        penalty_weight: Weight of the gradient penalty.
        networks: Dictionary from names as above to own or trained networks, in the place of the
            paper's.
        seed: Seed of the noise, and of what is wanted of which picture.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If there is no condition, a name is unknown, or the size does not fit.
    """

    def __init__(
        self,
        conditions=None,
        initial=(),
        image_shape=(128, 128, 3),
        latent_dim=100,
        base_filters=64,
        blocks=6,
        encoder_blocks=0,
        use_masks=True,
        use_cycle=True,
        trained=None,
        discriminator_steps=5,
        class_weight=1.0,
        cycle_weight=10.0,
        penalty_weight=10.0,
        networks=None,
        seed=0,
        **kwargs,
    ):
        check_conditions(conditions, type(self).__name__)
        super().__init__(**kwargs)
        self.conditions = dict(conditions)
        self.told = Conditions(conditions)
        self.initial = list(initial)
        self.told.check_keys([*initial, *(trained or ())])
        self.told_first = Conditions({key: self.conditions[key] for key in initial})
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.base_filters = base_filters
        self.blocks, self.encoder_blocks = blocks, encoder_blocks
        self.use_masks, self.use_cycle = use_masks, use_cycle
        self.trained = None if trained is None else list(trained)
        self.discriminator_steps = discriminator_steps
        self.class_weight = class_weight
        self.cycle_weight = cycle_weight
        self.penalty_weight = penalty_weight
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)
        check_sides(self.image_shape)
        height, width, _ = self.image_shape
        self.feature_shape = (height // REDUCTION, width // REDUCTION, 4 * base_filters)
        own, plans = dict(networks or {}), self._plans()
        for name in own:
            if name not in plans:
                raise ValueError(f"There is no module {name!r}. There are: {', '.join(plans)}.")
        self._own_names = list(own)
        built = {name: own[name] if name in own else build() for name, build in plans.items()}
        self.encoder = built.get("encoder")
        self.generator = built.get("generator")
        self.reconstructor = built["reconstructor"]
        self.transformers = {
            key: built[f"transformer_{key}"] for key in self.conditions if key not in initial
        }
        self.discriminators = {key: built[f"discriminator_{key}"] for key in self.conditions}
        self.track("d_loss", "real_class_loss", "gradient_penalty", "wasserstein_estimate")
        self.track("g_loss", "fake_class_loss")
        if use_cycle:
            self.track("feature_cycle_loss")
        if self.copies:
            self.track("image_cycle_loss")

    def _plans(self):
        """Returns functions that build the modules of the paper, by name."""
        shape, features = self.image_shape, self.feature_shape
        groups = 1 if self.initial else -1
        plans = {}
        if self.use_cycle or not self.initial:
            plans["encoder"] = lambda: modular_encoder(
                shape, self.base_filters, self.encoder_blocks, groups
            )
        if self.initial:
            plans["generator"] = lambda: modular_generator(
                features, self.latent_dim, self.told_first.size
            )
        for key, size in self.told.sizes.items():
            name = f"transformer_{key}"
            if key not in self.initial:
                plans[name] = lambda size=size, name=name: modular_transformer(
                    features, size, self.blocks, self.use_masks, groups, name
                )
        plans["reconstructor"] = lambda: modular_reconstructor(features, shape[-1], groups)
        for key, size in self.told.sizes.items():
            plans[f"discriminator_{key}"] = lambda key=key, size=size: star_gan_discriminator(
                shape, {key: size}, self.base_filters, LAST_SIDE
            )
        return plans

    @property
    def networks(self):
        """All modules by name."""
        found = {
            "encoder": self.encoder,
            "generator": self.generator,
            **{f"transformer_{key}": network for key, network in self.transformers.items()},
            "reconstructor": self.reconstructor,
            **{f"discriminator_{key}": network for key, network in self.discriminators.items()},
        }
        return {name: network for name, network in found.items() if network is not None}

    @property
    def trained_keys(self):
        """The conditions whose modules are trained."""
        return list(self.conditions) if self.trained is None else self.trained

    @property
    def copies(self):
        """Whether encoder and reconstructor learn to copy pictures."""
        return self.use_cycle and self.trained is None and not self.initial

    @property
    def translates(self):
        """Whether the model is shown by what it makes of pictures: it has no generator."""
        return self.generator is None

    @property
    def players(self):
        """What makes pictures, what copies them, and the discriminators, as far as trained."""
        keys = self.trained_keys
        makers = [self.transformers[key] for key in keys if key in self.transformers]
        if self.trained is None:
            makers += filter(None, [self.encoder, self.generator, self.reconstructor])
        copiers = {"copier": [self.encoder, self.reconstructor]} if self.copies else {}
        judges = [self.discriminators[key] for key in keys]
        return {"generator": makers, **copiers, "discriminator": judges}

    def default_optimizers(self):
        """Adam with rate 1e-4, beta_1 0.5 and beta_2 0.999 for all players (section 4)."""
        return {
            player: keras.optimizers.Adam(1e-4, beta_1=0.5, epsilon=1e-8) for player in self.players
        }

    @property
    def needs(self):
        """Images, and one label for each condition that is trained or told to the generator."""
        keys = {*self.trained_keys, *self.initial}
        labels = {key: need for key, need in self.told.needs.items() if key in keys}
        return {"image": Images(self.image_shape), **labels}

    def with_module(self, key, classes=None, transformer=None, discriminator=None):
        """Returns a model with one more module, or with one in the place of another.

        All modules but the transformer and the discriminator of `key` are copies of those of this
        model, which stays as it is, and are frozen: `compile()` and `fit` train the new module
        alone. `trained` tells which those are.

        Args:
            key: Label key of the module.
            classes: Its class names, or their number. For a module that is there already `None`
                means those that it has, and its discriminator is copied.
            transformer: Own network, as `modular_transformer` makes it.
            discriminator: Own network from images to a dictionary with `"real"` and `key`.

        Returns:
            `ModularGAN`, not compiled.

        Raises:
            ValueError: If the classes of a new module are missing, or `key` is told to the
                generator.
        """
        if key in self.initial:
            raise ValueError(f"{key!r} is told to the generator: it has no module of its own.")
        if key not in self.conditions and classes is None:
            raise ValueError(f"The module {key!r} is new: pass its class names as classes=[...].")
        given = {f"transformer_{key}": transformer, f"discriminator_{key}": discriminator}
        given = {name: network for name, network in given.items() if network is not None}
        kept = {name: n for name, n in self.networks.items() if name != f"transformer_{key}"}
        if classes is not None:
            kept.pop(f"discriminator_{key}", None)
        config = self.get_config()
        own = {name: each for name, each in config["networks"].items() if name in kept}
        own |= {name: keras.saving.serialize_keras_object(n) for name, n in given.items()}
        conditions = {**self.conditions, **({} if classes is None else {key: classes})}
        config.update(conditions=conditions, trained=[key], networks=own)
        model = type(self).from_config(config)
        for name, network in {**kept, **given}.items():
            model.networks[name].set_weights(network.get_weights())
        return model

    def train_step(self, data):
        """Updates discriminators and copies `discriminator_steps` times, then all modules once."""
        for part in deal_batch(self.read(data), self.discriminator_steps):
            wanted = self.wanted(part)
            logs = self.update_discriminators(part, wanted)
            if self.copies:
                objective = functools.partial(self.copy_objective, part, training=True)
                logs |= self.minimize(objective, "copier")[1]
        _, g_logs = self.minimize(
            lambda: self.generator_objective(part, wanted, training=True), "generator"
        )
        return self.log(**logs, **g_logs)

    def update_discriminators(self, batch, wanted):
        """Updates the discriminators once; returns what they log."""
        made = self.make_fakes(self.start(batch, wanted, training=True), wanted, training=True)
        fakes = {key: ops.stop_gradient(each["image"]) for key, each in made.items()}
        return self.minimize(
            lambda: self.discriminator_objective(batch, fakes, training=True), "discriminator"
        )[1]

    def test_step(self, data):
        """Computes the same losses without updates."""
        batch = self.read(data)
        wanted = self.wanted(batch)
        made = self.make_fakes(self.start(batch, wanted, training=False), wanted, training=False)
        fakes = {key: each["image"] for key, each in made.items()}
        _, d_logs = self.discriminator_objective(batch, fakes, training=False)
        _, g_logs = self.generator_objective(batch, wanted, training=False)
        c_logs = self.copy_objective(batch, training=False)[1] if self.copies else {}
        return self.log(**d_logs, **c_logs, **g_logs)

    def wanted(self, batch):
        """Returns the labels of the batch, each in another order: what shall be given to whom."""
        rows = ops.arange(ops.shape(batch["image"])[0])
        return {
            key: ops.take(batch[key], keras.random.shuffle(rows, seed=self.noise_seed), axis=0)
            for key in self.conditions
            if key in batch
        }

    def start(self, batch, wanted, training):
        """Returns the features that the modules begin with: of pictures, or of noise."""
        if self.generator is None:
            return self.encoder(batch["image"], training=training)
        n = ops.shape(batch["image"])[0]
        noise = keras.random.normal((n, self.latent_dim), dtype="float32", seed=self.noise_seed)
        return self.generator([noise, self.told_first.vector(wanted)], training=training)

    def make_fakes(self, features, wanted, training):
        """Returns what each module makes of features, alone.

        Returns:
            Dictionary from each trained condition to a dictionary with `"features"` and `"image"`.
        """
        made = {}
        for key in self.trained_keys:
            after = features
            if key in self.transformers:
                part = self.told.part(key, wanted[key])
                after = self.transformers[key]([features, part], training=training)["features"]
            image = self.reconstructor(after, training=training)
            made[key] = {"features": after, "image": image}
        return made

    def discriminator_objective(self, batch, fakes, training):
        """Returns the sum of the discriminators' losses, and its logs."""
        real = batch["image"]
        distance = class_loss = penalty = 0.0
        for key, fake in fakes.items():
            judge = self.discriminators[key]
            answer = judge(real, training=training)
            distance += wasserstein_critic_loss(
                answer["real"], judge(fake, training=training)["real"]
            )
            class_loss += classification_loss(answer[key], batch[key])
            penalty += slope_penalty(
                self,
                lambda x, judge=judge: score(judge(x, training=training)["real"]),
                real,
                fake,
            )
        loss = distance + self.penalty_weight * penalty + self.class_weight * class_loss
        return loss, {
            "d_loss": loss,
            "real_class_loss": class_loss,
            "gradient_penalty": penalty,
            "wasserstein_estimate": -distance,
        }

    def generator_objective(self, batch, wanted, training):
        """Returns the loss of the modules that make pictures, and its logs."""
        features = self.start(batch, wanted, training)
        loss = class_loss = feature_cycle = 0.0
        for key, made in self.make_fakes(features, wanted, training).items():
            answer = self.discriminators[key](made["image"], training=training)
            loss += wasserstein_generator_loss(answer["real"])
            class_loss += classification_loss(answer[key], wanted[key])
            if self.use_cycle:
                again = self.encoder(made["image"], training=training)
                feature_cycle += l1_loss(made["features"], again)
        loss += self.class_weight * class_loss
        logs = {"fake_class_loss": class_loss}
        if self.use_cycle:
            loss += self.cycle_weight * feature_cycle
            logs["feature_cycle_loss"] = feature_cycle
        return loss, {"g_loss": loss, **logs}

    def copy_objective(self, batch, training):
        """Returns the distance of pictures from their copies, and its log."""
        features = self.encoder(batch["image"], training=training)
        loss = l1_loss(self.reconstructor(features, training=training), batch["image"])
        return loss, {"image_cycle_loss": loss}

    def translate(self, images, changes=None, order=None, seed=None, batch_size=64):
        """Gives pictures other attributes, by the modules of these attributes alone.

        Args:
            images: Array (n, height, width, channels) in [-1, 1].
            changes: Dictionary from condition to the name or number of a class, or to `n` of them,
                such as `{"hair_color": "blond", "smile": True}`.
            order: The conditions in the order in which their modules follow each other; `None`
                means that of `changes`.
            seed: Not used, as there is no noise; all models with `translate` take it.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If the model has no encoder, the pictures do not fit, or a condition or
                class is unknown.
        """
        features, _ = self._changed(self._encoded(images, batch_size), changes, order, batch_size)
        return self.reconstructor.predict(features, batch_size=batch_size, verbose=0)

    def masks(self, images, changes, order=None, batch_size=64):
        """Returns where `translate` changes pictures, and how strongly.

        Args:
            images: As in `translate`.
            changes: As in `translate`.
            order: As in `translate`.
            batch_size: Pictures computed at a time.

        Returns:
            Dictionary from each condition of `changes` to its mask, float32 (n, height, width, 1)
            in (0, 1), enlarged from the size of the features; and `"sum"`, their sum, which may
            exceed 1.

        Raises:
            ValueError: As `translate`, or if the model has no masks.
        """
        return self._shown(
            self._changed(self._encoded(images, batch_size), changes, order, batch_size)[1]
        )

    def sample_latents(self, n, seed=None):
        """Draws noise: a float32 array (n, latent_dim) from N(0, 1), the same on every backend."""
        return np.random.default_rng(seed).standard_normal((n, self.latent_dim), dtype="float32")

    def generate(self, n, seed=None, order=None, **labels):
        """Generates pictures of noise, by the modules of the labels that are given.

        Args:
            n: Number of pictures.
            seed: Integer; the same seed, labels and weights give the same pictures on every
                backend.
            order: As in `translate`; `None` means that of `labels`.
            **labels: For any condition the name or number of a class, or `n` of them, such as
                `digit=7, color="red"`. Initial ones that are left out are drawn at random, of
                others the noise decides.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If the model has no generator, or a condition or class is unknown.
        """
        return self.reconstructor.predict(self._generated(n, seed, order, labels)[0], verbose=0)

    def generate_masks(self, n, seed=None, order=None, **labels):
        """Returns the masks of the pictures of `generate`, in the form of `masks`."""
        return self._shown(self._generated(n, seed, order, labels)[1])

    def _encoded(self, images, batch_size):
        """Returns the features of pictures."""
        if self.encoder is None:
            raise ValueError(
                "This model has no encoder: it makes pictures of noise, with generate(n, ...)."
            )
        images = checked(images, Images(self.image_shape))
        return self.encoder.predict(images, batch_size=batch_size, verbose=0)

    def _generated(self, n, seed, order, labels):
        """Returns features of noise after the modules of the labels, and the masks."""
        if self.generator is None:
            raise ValueError(
                "This model has no generator: it changes pictures, with translate(images, ...). "
                "Pass the conditions that a generator shall be told as initial=[...]."
            )
        self.told.check_keys(labels)
        first = {key: given for key, given in labels.items() if key in self.initial}
        numbers = self.told_first.drawn(n, seed, **first)
        vector = ops.convert_to_numpy(self.told_first.vector(numbers))
        features = self.generator.predict([self.sample_latents(n, seed), vector], verbose=0)
        changes = {key: given for key, given in labels.items() if key not in self.initial}
        return self._changed(features, changes, order)

    def _changed(self, features, changes, order=None, batch_size=64):
        """Returns features after the modules of `changes`, one after the other, and the masks."""
        changes = dict(changes or {})
        self.told.check_keys(changes)
        order = list(changes) if order is None else list(order)
        if sorted(order) != sorted(changes):
            raise ValueError(
                f"order must hold every changed condition once, {', '.join(changes)}, got {order}."
            )
        masks = {}
        for key in order:
            if key not in self.transformers:
                raise ValueError(f"{key!r} is told to the generator: it has no module of its own.")
            numbers = self.told.numbers(key, changes[key], len(features))
            part = ops.convert_to_numpy(self.told.part(key, numbers))
            answer = self.transformers[key].predict(
                [features, part], batch_size=batch_size, verbose=0
            )
            features, masks[key] = answer["features"], answer.get("mask")
        return features, masks

    def _shown(self, masks):
        """Returns masks at the size of the pictures, and their sum."""
        if not self.use_masks or not masks:
            raise ValueError(
                "There are no masks: name at least one change, of a model with use_masks=True."
            )
        masks = {
            key: mask.repeat(REDUCTION, axis=1).repeat(REDUCTION, axis=2)
            for key, mask in masks.items()
        }
        return {**masks, "sum": sum(masks.values())}

    def call(self, inputs, training=False):
        """Applies all modules to `[image, labels]`, or `[noise, labels]` if there is a generator.

        The labels are those of all conditions, side by side.
        """
        first, labels = inputs
        parts = self.told.split(labels)
        if self.generator is None:
            features = self.encoder(first, training=training)
        else:
            told = ops.concatenate([parts[key] for key in self.initial], axis=-1)
            features = self.generator([first, told], training=training)
        for key, transformer in self.transformers.items():
            features = transformer([features, parts[key]], training=training)["features"]
        return self.reconstructor(features, training=training)

    @property
    def sampler(self):
        """All modules in one network, for exports: `[image, labels]` or `[noise, labels]`."""
        if self.generator is None:
            first = keras.Input(self.image_shape, name="image")
        else:
            first = keras.Input((self.latent_dim,), name="noise")
        inputs = [first, keras.Input((self.told.size,), name="labels")]
        return keras.Model(inputs, self.call(inputs), name="sampler")

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "conditions": self.conditions,
            "initial": self.initial,
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "base_filters": self.base_filters,
            "blocks": self.blocks,
            "encoder_blocks": self.encoder_blocks,
            "use_masks": self.use_masks,
            "use_cycle": self.use_cycle,
            "trained": self.trained,
            "discriminator_steps": self.discriminator_steps,
            "class_weight": self.class_weight,
            "cycle_weight": self.cycle_weight,
            "penalty_weight": self.penalty_weight,
            "networks": {
                name: keras.saving.serialize_keras_object(self.networks[name])
                for name in self._own_names
            },
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        """Builds the model from `get_config()`, own networks included."""
        networks = {
            name: keras.saving.deserialize_keras_object(value)
            for name, value in (config.get("networks") or {}).items()
        }
        return super().from_config({**config, "networks": networks})
