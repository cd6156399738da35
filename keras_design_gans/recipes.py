"""How each preset is made: everything `design-gans train` needs to repeat it.

What is not in the papers, each one argument away from the paper's setting: one-sided label
smoothing (`real_target=0.9`; paper 1.0), noise before the discriminator (`instance_noise=0.1`;
paper 0), a flat discriminator around real images (`r1_weight=0.03`; paper 0), an averaged generator
for sampling (`average_decay=0.999`; paper `None`), batches of 32 (paper 64) and Adam with rate 5e-4
(paper 2e-4): together they reach clean pictures in a few minutes on a small machine.
`benchmarks/stabilisers.py` takes them one by one.

The VAE and the GAN go without, but for the averaged generator of the GAN and the batches of 32; the
rate of the VAE falls from 1e-3 to 0.

The DesIGN paper does not give its weights. At `g_creativity_weight=1` garments of 64 pixels became
half one thing and half another; the recipes use 0.1. Heads that learn hard labels become ever more
certain, and with them the creativity loss grows without end: after 8,000 steps it was all that the
generator followed, and the cloth turned to grey noise. `class_smoothing=0.1` bounds it.

The generator of MaskStyleGAN has twice as many layers as the others. At a rate of 5e-4 its weights
moved so fast that their mean over 1,000 steps drew blotches where the generator itself drew
stripes: its recipe averages over 100 steps, and lets the rate fall to 0. It has no creativity loss:
at a weight of 0.1, CAN(H) left grain on the cloth after 5,000 steps.

WGAN keeps the optimizers of its paper; the rate of WGAN-GP falls from 5e-4 (paper: 1e-4 throughout)
to 0, as it has only 4,000 steps. Both Wasserstein models have 24 filters (paper 64) and show the
critic 32 pictures at each update (paper 64). WGAN has five updates of the critic for one of the
generator, like the paper; WGAN-GP has two (paper 5): with five, 3,000 steps take half as long
again, and a third of the cars were smeared.

At 64 pixels the patches of pix2pix, 70 pixels as in the paper, see the whole picture; its batches
hold 8 pictures (paper 1). With the paper's settings the paint of drawn cars turned to grain and
blotches: its recipe has batch normalisation, dropout of whole maps, which can choose a paint for a
car, noise of 0.1 before the discriminator, which is flat around real pairs (`r1_weight=5`; paper
0), 10 as the weight of the distance (paper 100), and rates that fall from 1e-3 (paper 2e-4) to 0.

LAPGAN has Adam of rate 5e-4 too, and 24 filters (paper 64). PGGAN has 48 filters and noise of 64
numbers (paper 512), and trains in batches of 16 with all stages equally long, new layers fading in
over the first half of each. Its rate falls from 1e-2 to 0 in each stage (paper: 1e-3 throughout):
weights of size 1 at a rate of 1e-3 need the paper's hundreds of thousands of pictures to get
anywhere; after 1,000 steps the cars of 8 and 16 pixels were still coloured grain.

The text encoder and the models of sentences and attributes are narrower than those of the papers.
Convolutions that learn along with the encoder saw no eyes and mouths, and it heard nothing of them:
its recipe has the fixed features of the preset `resnet18_faces_64`. Then it heard no colours, as
forty faces by lot differ in so much else: every second batch holds look-alikes. Its rate falls from
1e-3 to 0 (authors: RMSprop, 4e-4).

The models of sentences and attributes have the settings of the first paragraph, but in the second
half of the training their rates fall to 0: drawn faces are flat, and at a constant rate grain
stayed on them.
`gan_int_cls_faces_64` takes its encoder from the preset `char_cnn_rnn_faces`.

The Contextual GAN learns joint pictures by the same settings and falling rates, with 26 filters
(paper 64). The lines of a sketch make it easy for the discriminator: cars had three paints after
8,000 steps, and faces one and the same sketch after 600. The remedies are not the same. Cars have a
rate of 1e-3 for the generator and 2e-4 for the discriminator; with this, faces kept their one
sketch. Faces have `r1_weight=3`; with this, cars had fewer paints after 2,000 steps.

The context encoder keeps the optimizers of its paper, with batches of 32 and 24 filters (paper 64).
Both see the line drawings that the data brings itself.

StarGAN and CycleGAN have 16 filters, IcGAN 14, and ModularGAN 12, or 10 for digits (papers 64).
CycleGAN and IcGAN have the optimizers of their papers; without `r1_weight=3` the discriminator of
IcGAN won (after 2,500 steps of 5e-4, hair had the wanted colour in 56 % of 200 faces, with it 84).
StarGAN and ModularGAN have rates of 5e-4 that fall to 0 as half a cosine (papers 1e-4, falling in
the second half); for digits 1e-3, and 2 residual blocks (paper 6). The weight of StarGAN's cycle is
50 (paper 10): the slope of a mean over 12,288 values is small at a pixel beside that of the
discriminator, and with 10 the pictures were lost within 300 steps. ModularGAN has the weights of
its paper. Their batches of 40 are dealt out to five updates of the discriminator, 8 pictures each
(papers 16). CycleGAN has batches of 4 (paper 1) and patches of 34 pixels, and turns black hair
blond. The recipes for `celeb_a` have the sizes, batches and, where it is known, the length of the
papers, for a GPU.
"""

import copy
import dataclasses
import difflib
import json

import keras

from keras_design_gans.datasets import faces
from keras_design_gans.datasets.captions import CHINESE
from keras_design_gans.text import ALPHABET


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training, from data to the last step.

    Attributes:
        model: Name of the class in `kdg.models` or `kdg.metrics`.
        arguments: Arguments of its constructor, JSON types only. `image_shape` and the labels
            follow from the data.
        data: Name of a data set, or path of a folder of pictures.
        labels: Label keys that the model learns, or is told.
        image_size: Side of the pictures, in pixels.
        batch_size: Pictures per step.
        optimizers: Dictionary from `compile` argument to the serialised Keras optimizer.
        steps: Length of the training. A model with `stages` gives each of them the same share.
        labels_for: The model's argument for the labels: `"heads"` where it learns them,
            `"conditions"` where it is told them, and `"attributes"` where it is told the names of
            the only one, `attributes`.
        seed: Seed of weights, noise and order of the data.
    """

    model: str
    arguments: dict
    data: str
    labels: tuple
    image_size: int
    batch_size: int
    optimizers: dict
    steps: int
    labels_for: str = "heads"
    seed: int = 0

    @property
    def model_class(self):
        """The class that `model` names."""
        from keras_design_gans import metrics, models

        return getattr(models, self.model, None) or getattr(metrics, self.model)

    def build(self, dataset):
        """Builds and compiles the model for a data set, from the recipe's seed."""
        keras.utils.set_random_seed(self.seed)
        arguments = dict(self.arguments)
        if self.labels:
            names = {key: list(dataset.class_names[key]) for key in self.labels}
            attributes = self.labels_for == "attributes"
            arguments[self.labels_for] = names["attributes"] if attributes else names
        shape = dataset.arrays["image"].shape[1:]
        return self.compile(self.model_class(image_shape=shape, **arguments))

    def compile(self, model):
        """Compiles a model with the recipe's optimizers, and returns it."""
        optimizers = copy.deepcopy(self.optimizers)  # Keras puts schedules into what it reads
        model.compile(
            **{name: keras.optimizers.deserialize(value) for name, value in optimizers.items()}
        )
        return model

    def lasting(self, steps):
        """Returns the recipe with another number of steps, in which its rates fall as far."""
        # Through JSON: a rate that two optimizers share becomes one for each.
        optimizers = json.loads(json.dumps(self.optimizers))
        for optimizer in optimizers.values():
            rate = optimizer["config"]["learning_rate"]
            if isinstance(rate, dict):
                for name in ("decay_steps", "warmup_steps"):
                    rate["config"][name] = -(-rate["config"][name] * steps // self.steps)
        return dataclasses.replace(self, steps=steps, optimizers=optimizers)

    def next_stage(self, model):
        """Builds and compiles the next stage of a trained model, from the recipe's seed."""
        keras.utils.set_random_seed(self.seed)
        changes = {}
        if hasattr(model, "fade_steps"):  # new layers fade in over the first half of a stage
            changes["fade_steps"] = self.steps // model.stages // 2
        return self.compile(model.next_stage(**changes))


def adam(learning_rate, beta_1=0.5, **others):
    """Returns the serialised form of an Adam optimizer, `others` being further arguments of it."""
    config = {"learning_rate": learning_rate, "beta_1": beta_1, **others}
    return {"class_name": "adam", "config": config}


def classifier_adam(steps):
    """Returns the serialised form of Adam for a classifier: its rate falls to 0 in `steps` steps.

    At a constant rate, half of the dotted test garments were taken for prints after 3,000 steps.
    """
    return adam(falling(1e-3, steps), beta_1=0.9)


def falling(learning_rate, steps, after=0):
    """Returns the serialised form of a rate that falls to 0 in `steps` steps, as half a cosine.

    For `after` steps before that it stays what it is.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate, steps, warmup_target=learning_rate if after else None, warmup_steps=after
    )
    return keras.saving.serialize_keras_object(schedule)


def dealt_falling(steps, *others, rate=5e-4):
    """Returns the optimizers of a GAN with five updates of discriminator and others in a step."""
    lengths = {"generator": steps, **dict.fromkeys(["discriminator", *others], 5 * steps)}
    return {f"{name}_optimizer": adam(falling(rate, n)) for name, n in lengths.items()}


def late_falling(steps, generator=5e-4, discriminator=5e-4):
    """Returns the optimizers of a GAN whose rates stay for half of the steps and then fall to 0."""
    rates = {"generator_optimizer": generator, "discriminator_optimizer": discriminator}
    return {name: adam(falling(rate, steps // 2, after=steps // 2)) for name, rate in rates.items()}


_GAN_64 = {
    "data": "garments",
    "image_size": 64,
    "batch_size": 32,
    "optimizers": {"generator_optimizer": adam(5e-4), "discriminator_optimizer": adam(5e-4)},
}
_STABILISED = {
    "base_filters": 32,
    "real_target": 0.9,
    "instance_noise": 0.1,
    "r1_weight": 0.03,
    "average_decay": 0.999,
}
_DESIGN = {**_STABILISED, "g_creativity_weight": 0.1, "class_smoothing": 0.1}
_NARROW = {**_DESIGN, "base_filters": 24}  # for generators with many more layers
_HEADS = ("shape", "texture")
_FALLING = {
    f"{player}_optimizer": adam(falling(5e-4, 8_000)) for player in ("generator", "discriminator")
}
_CARS_64 = {**_GAN_64, "data": "cars"}
_WASSERSTEIN = {"base_filters": 24, "average_decay": 0.99}
_FACES_64 = {**_GAN_64, "data": "faces"}
_JOINT = {**_STABILISED, "base_filters": 26}
_CHANGES = _FACES_64 | {
    "labels": ("hair_color", "mouth", "glasses"),
    "labels_for": "conditions",
    "optimizers": {},
    "batch_size": 40,
}
_CELEB_A_128 = _CHANGES | {
    "data": "celeb_a",
    "labels": ("hair_color", "male", "smile"),
    "image_size": 128,
    "batch_size": 80,
}
_DEALT = _CARS_64 | {"optimizers": {}, "batch_size": 160}  # among the updates of the critic
_FALLING_WASSERSTEIN = {  # 4,000 steps have two updates of the critic each
    "generator_optimizer": adam(falling(5e-4, 4_000), beta_1=0.0, beta_2=0.9),
    "critic_optimizer": adam(falling(5e-4, 8_000), beta_1=0.0, beta_2=0.9),
}
_FALLING_PGGAN = {  # in each of the five stages
    f"{player}_optimizer": adam(falling(1e-2, 1_600), beta_1=0.0, beta_2=0.99)
    for player in ("generator", "critic")
}
_FALLING_PIX2PIX = {
    f"{player}_optimizer": adam(falling(1e-3, 12_000)) for player in ("generator", "discriminator")
}

_CLASSIFIER_64 = {
    "arguments": {"base_filters": 16},
    "labels": _HEADS,
    "image_size": 64,
    "batch_size": 32,
    "optimizers": {"optimizer": classifier_adam(3_000)},
    "steps": 3_000,
}

RECIPES = {
    "design_garments_64": Recipe(
        "DesIGN", {**_DESIGN, "creativity": "can_h"}, labels=_HEADS, steps=20_000, **_GAN_64
    ),
    "design_garments_64_can": Recipe(
        "DesIGN", {**_DESIGN, "creativity": "can"}, labels=_HEADS, steps=12_000, **_GAN_64
    ),
    "dcgan_garments_64": Recipe("DCGAN", _STABILISED, labels=(), steps=12_000, **_GAN_64),
    "stackgan_garments_64": Recipe(
        "StackGAN", {**_NARROW, "creativity": "can_h"}, labels=_HEADS, steps=8_000, **_GAN_64
    ),
    # The mask gives the shape, which needs no head then.
    "mask_stylegan_garments_64": Recipe(
        "MaskStyleGAN",
        {
            **_STABILISED,
            "base_filters": 20,
            "noise_filters": [128, 64, 64],
            "average_decay": 0.99,
            "class_smoothing": 0.1,
            "creativity": "none",
        },
        labels=("texture",),
        steps=8_000,
        **(_GAN_64 | {"optimizers": _FALLING}),
    ),
    "vae_cars_64": Recipe(
        "VAE",
        {"base_filters": 24},
        labels=(),
        steps=12_000,
        **(
            _CARS_64
            | {"optimizers": {"autoencoder_optimizer": adam(falling(1e-3, 12_000), beta_1=0.9)}}
        ),
    ),
    "gan_cars_64": Recipe(
        "GAN",
        {"average_decay": 0.999},
        labels=(),
        steps=8_000,
        **(_CARS_64 | {"optimizers": {}}),
    ),
    "cgan_cars_64": Recipe(
        "CGAN",
        {**_STABILISED, "base_filters": 30},
        labels=("body", "view"),
        labels_for="conditions",
        steps=8_000,
        **_CARS_64,
    ),
    "cgan_garments_64": Recipe(
        "CGAN", _STABILISED, labels=_HEADS, labels_for="conditions", steps=8_000, **_GAN_64
    ),
    "wgan_cars_64": Recipe("WGAN", _WASSERSTEIN, labels=(), steps=8_000, **_DEALT),
    "wgan_gp_cars_64": Recipe(
        "WGANGP",
        {**_WASSERSTEIN, "critic_steps": 2, "average_decay": 0.999},
        labels=(),
        steps=4_000,
        **(_DEALT | {"optimizers": _FALLING_WASSERSTEIN, "batch_size": 64}),
    ),
    "pix2pix_cars_64": Recipe(
        "Pix2Pix",
        {
            "base_filters": 14,
            "normalization": "batch",
            "spatial_dropout": True,
            "l1_weight": 10.0,
            "instance_noise": 0.1,
            "r1_weight": 5.0,
        },
        labels=(),
        steps=12_000,
        **(_CARS_64 | {"optimizers": _FALLING_PIX2PIX, "batch_size": 8}),
    ),
    "lapgan_cars_64": Recipe(
        "LAPGAN",
        {"base_filters": 24, "average_decay": 0.999},
        labels=(),
        steps=3_500,
        **_CARS_64,
    ),
    "pggan_cars_64": Recipe(
        "PGGAN",
        {"latent_dim": 64, "base_filters": 48},
        labels=(),
        steps=8_000,
        **(_CARS_64 | {"optimizers": _FALLING_PGGAN, "batch_size": 16}),
    ),
    "char_cnn_rnn_faces": Recipe(
        "CharCNNRNN",
        {
            "base_filters": 32,
            "embedding_dim": 256,
            "told_apart_by": "attributes",
            "captions": ["caption", "caption_zh"],
            "alphabet": ALPHABET + CHINESE,
            "feature_extractor": "resnet18_faces_64",
            "look_alikes": True,
        },
        labels=(),
        steps=8_000,
        **(
            _FACES_64
            | {
                "optimizers": {"encoders_optimizer": adam(falling(1e-3, 8_000), beta_1=0.9)},
                "batch_size": 40,
            }
        ),
    ),
    "gan_int_cls_faces_64": Recipe(
        "GANCLS",
        {
            **_STABILISED,
            "base_filters": 13,  # and 26 in the generator
            "text_encoder": "char_cnn_rnn_faces",
            "told_apart_by": "attributes",
            "interpolate": True,
        },
        labels=(),
        steps=8_000,
        **(_FACES_64 | {"optimizers": late_falling(8_000)}),
    ),
    "attribute_gan_faces_64": Recipe(
        "AttributeGAN",
        {**_STABILISED, "base_filters": 16},  # and 32 in the generator
        labels=("attributes",),
        labels_for="attributes",
        steps=8_000,
        **(_FACES_64 | {"optimizers": late_falling(8_000)}),
    ),
    "contextual_gan_cars_64": Recipe(
        "ContextualGAN",
        _JOINT,
        labels=(),
        steps=10_000,
        **(_CARS_64 | {"optimizers": late_falling(10_000, generator=1e-3, discriminator=2e-4)}),
    ),
    "contextual_gan_faces_64": Recipe(
        "ContextualGAN",
        {**_JOINT, "r1_weight": 3.0},
        labels=(),
        steps=6_500,
        **(_FACES_64 | {"optimizers": late_falling(6_500)}),
    ),
    "context_encoder_cars_64": Recipe(
        "ContextEncoder",
        {"base_filters": 24},
        labels=(),
        steps=5_000,
        **(_CARS_64 | {"optimizers": {}}),
    ),
    "context_encoder_faces_64": Recipe(
        "ContextEncoder",
        {"base_filters": 24},
        labels=(),
        steps=5_000,
        **(_FACES_64 | {"optimizers": {}}),
    ),
    "star_gan_faces_64": Recipe(
        "StarGAN",
        {"base_filters": 16, "cycle_weight": 50.0},
        steps=4_500,
        **(_CHANGES | {"optimizers": dealt_falling(4_500)}),
    ),
    "cyclegan_faces_64": Recipe(
        "CycleGAN",
        {"base_filters": 16, "patch": 34, "domains": ["black", "blond"]},
        steps=6_000,
        **(_CHANGES | {"labels": ("hair_color",), "batch_size": 4}),
    ),
    "icgan_faces_64": Recipe(
        "IcGAN",
        {"base_filters": 14, "average_decay": 0.999, "r1_weight": 3.0},
        steps=15_000,
        **(_CHANGES | {"batch_size": 32}),
    ),
    "modular_gan_faces_64": Recipe(
        "ModularGAN",
        {"base_filters": 12},
        steps=2_000,
        **(_CHANGES | {"optimizers": dealt_falling(2_000, "copier")}),
    ),
    "modular_gan_color_mnist_64": Recipe(
        "ModularGAN",
        {"base_filters": 10, "latent_dim": 64, "blocks": 2, "initial": ["digit"]},
        steps=3_200,
        **(
            _CHANGES
            | {
                "data": "color_mnist",
                "labels": ("digit", "color", "style", "background"),
                "optimizers": dealt_falling(3_200, rate=1e-3),
            }
        ),
    ),
    "star_gan_celeb_a_128": Recipe("StarGAN", {}, steps=40_000, **_CELEB_A_128),
    "cyclegan_celeb_a_128": Recipe(
        "CycleGAN",
        {"domains": ["black", "blond"]},
        steps=200_000,
        **(_CELEB_A_128 | {"labels": ("hair_color",), "batch_size": 1}),
    ),
    "icgan_celeb_a_64": Recipe(
        "IcGAN", {}, steps=120_000, **(_CELEB_A_128 | {"image_size": 64, "batch_size": 64})
    ),
    "modular_gan_celeb_a_128": Recipe("ModularGAN", {}, steps=24_000, **_CELEB_A_128),
    "resnet18_garments_64": Recipe("ResNet18", data="garments", **_CLASSIFIER_64),
    "resnet18_handbags_64": Recipe("ResNet18", data="handbags", **_CLASSIFIER_64),
    "resnet18_cars_64": Recipe(
        "ResNet18", data="cars", **(_CLASSIFIER_64 | {"labels": ("body", "view")})
    ),
    "resnet18_faces_64": Recipe(
        "ResNet18", data="faces", **(_CLASSIFIER_64 | {"labels": tuple(faces.VALUES)})
    ),
}

# What `design-gans train MODEL` starts from: about five minutes on two cores for the first two.
MAIN = {
    "design": "design_garments_64",
    "dcgan": "dcgan_garments_64",
    "stackgan": "stackgan_garments_64",
    "mask_stylegan": "mask_stylegan_garments_64",
    "vae": "vae_cars_64",
    "gan": "gan_cars_64",
    "cgan": "cgan_cars_64",
    "wgan": "wgan_cars_64",
    "wgan_gp": "wgan_gp_cars_64",
    "pix2pix": "pix2pix_cars_64",
    "lapgan": "lapgan_cars_64",
    "pggan": "pggan_cars_64",
    "char_cnn_rnn": "char_cnn_rnn_faces",
    "gan_cls": "gan_int_cls_faces_64",
    "attribute_gan": "attribute_gan_faces_64",
    "contextual_gan": "contextual_gan_cars_64",
    "context_encoder": "context_encoder_cars_64",
    "star_gan": "star_gan_faces_64",
    "cyclegan": "cyclegan_faces_64",
    "icgan": "icgan_faces_64",
    "modular_gan": "modular_gan_faces_64",
}
MAIN_STEPS = 2_000


def recipe(name):
    """Returns the recipe of a preset, or of a model's main job, by name.

    Raises:
        ValueError: If there is none; the message names the nearest ones.
    """
    if name in MAIN:
        return RECIPES[MAIN[name]].lasting(MAIN_STEPS)
    if name in RECIPES:
        return RECIPES[name]
    known = [*MAIN, *RECIPES]
    near = difflib.get_close_matches(name, known)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"There is no recipe {name!r}.{hint} There are: {', '.join(known)}.")
