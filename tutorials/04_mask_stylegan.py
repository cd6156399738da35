# %% [markdown]
# # 4. MaskStyleGAN: you cut, the network chooses the fabric
#
# **The question.** A designer knows the cut and wants to see it in twenty fabrics. The models so far
# decide on both at once: nobody knows which number of the noise is the sleeve. Can a network take
# the **shape** from a drawing and only the **texture** from the noise?
#
# DesIGN (Sbai, Elhoseiny, Bordes, LeCun and Couprie 2018) has such a model and calls it StyleGAN.
# Today this name means another network, so here it is *MaskStyleGAN*. Its layers come from Wang and
# Gupta (2016). The shape is a **mask**: white where the garment is, black around it.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or "jax", or "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log lines of TensorFlow
QUICK = os.environ.get("KDG_QUICK") == "1"  # tiny sizes, for automatic tests

# %%
import inspect
import logging
import shutil

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

import keras_design_gans as kdg

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
SIZE = 32  # side of the pictures in the training of this notebook
HEADS = ("texture",)  # the shape is given: no head asks for a new one
FILTERS = 4 if QUICK else 64 if GPU else 16  # width of the networks
STEPS = 10 if QUICK else 10_000 if GPU else 1_000  # length of the training
ROUND = STEPS // 10  # steps between two looks at the pictures
MaskStyleGAN = kdg.models.MaskStyleGAN

# %% [markdown]
# ## Where masks come from
#
# A drawn garment knows its mask: it is the outline before the fabric is painted in.

# %%
FEATURES = ("image", "mask", "shape", "texture")
real = kdg.datasets.load("garments", "test", num_examples=98 if QUICK else None, features=FEATURES)
some = real.take(49)
chosen = np.flatnonzero(some["shape"] == some["texture"])  # seven shapes, in seven textures
images, masks = some["image"][chosen], some["mask"][chosen]
kdg.plotting.show_images(np.concatenate([images, masks.repeat(3, axis=-1)]), columns=7)

# %% [markdown]
# A photo does not. The paper finds its mask with the **random walker** (Grady 2006). Some pixels are
# certain, the *seeds*: the border of the picture is background, what is clearly not white is object.
# From every other pixel a walker sets out. He likes to step to a neighbour of similar colour: the
# weight of the step between pixels $i$ and $j$ with colours $g_i$, $g_j$ is
#
# $$w_{ij}=e^{-\beta(g_i-g_j)^2}$$
#
# $x_i$ is the probability that a walker from $i$ meets an object seed first. The mask is where
# $x_i>\tfrac12$. For a pixel that is no seed, $x_i$ is the mean of its neighbours' probabilities,
# weighted by $w_{ij}$: a system of linear equations.
#
# On a chain of five pixels of equal colour, with the object at the left end and the background at
# the right, all weights are equal, and the solution is a straight line. By hand:
# $1,\tfrac34,\tfrac12,\tfrac14,0$. We solve it, then let the middle step cross an edge between two
# colours:

# %%
# NBVAL_CHECK_OUTPUT


def walk(colours, beta):
    """Probabilities of "object" along a chain, seeds at both ends."""
    weights = np.exp(-beta * np.diff(colours) ** 2)
    laplacian = np.zeros((len(colours), len(colours)))
    for i, weight in enumerate(weights):
        laplacian[i : i + 2, i : i + 2] += weight * np.array([[1, -1], [-1, 1]])
    inner = slice(1, -1)
    unknown = np.linalg.solve(laplacian[inner, inner], -laplacian[inner, 0])
    return np.array([1.0, *unknown, 0.0])


print("equal colours       ", walk(np.zeros(5), beta=10).round(3))
print("an edge in the chain", walk(np.array([0, 0, 0, 1, 1.0]), beta=10).round(3))

# %% [markdown]
# An edge is a wall: on each side all walkers end at the same seed. In a picture, with scikit-image's
# solver, which `kdg.masks.segment` calls after it has found the seeds (red object, blue background,
# white unknown):

# %%
large = kdg.datasets.load("garments", "test", image_size=128, batch_size=4, num_examples=16)
photos = large.take(4)["image"]
figure, axes = plt.subplots(3, 4, figsize=(8, 6.2), layout="constrained")
for column, photo in zip(axes.T, photos, strict=True):
    found = kdg.masks.segment(photo)
    seeds = np.array([[255, 255, 255], [200, 60, 50], [60, 100, 200]], "uint8")[found.seeds]
    column[0].imshow(kdg.plotting.to_uint8(photo[None])[0])
    column[1].imshow(seeds)
    column[2].imshow(found.probability, cmap="gray", vmin=0, vmax=1)
for axis, title in zip(axes[:, 0], ("picture", "seeds", "probability"), strict=True):
    axis.set_ylabel(title)
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# How good are such masks? The intersection of the found and the true mask, divided by their union
# (IoU), is 1 for a perfect one:

# %%
check = real.take(16 if QUICK else 100)
fidelity = kdg.metrics.mask_fidelity(check["image"], check["mask"])
print(f"IoU at 64 pixels: mean {fidelity.mean():.3f}, worst {fidelity.min():.3f}")

# %% [markdown]
# ## The equations
#
# The game is that of DesIGN ([notebook 2](02_creative_losses.ipynb)), with a generator $G(m,z)$ of
# a mask $m$ and noise $z$. One term is new:
#
# $$L_G=L_{G\,rf}+\lambda_{G_e}\sum_b L_{G\,crea,b}+\lambda_{rec}L_{rec}$$
#
# **Without noise, draw the mask.** Then the shape must come from $m$, because without noise there is
# nothing else, and what $z$ adds is texture:
#
# $$L_{rec}=\mathbb E_m\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C\big|G(m,z=0)_{p,c}-\tilde m_p\big|$$
#
# - $L_{G\,rf}$: look real; $L_{G\,crea,b}$: the creativity loss of head $b$; the $\lambda$ are weights.
# - $m_p$ is 1 at a pixel $p$ of the object and $-1$ around it; $P$ are all pixels, $C=3$ channels.
# - $\tilde m=-m$ is the mask as a picture, black on white, as products are photographed on white.
#
# One thing is not in the paper: the discriminator judges **pairs** of a picture and its mask,
# $D(x,m)$ and $D(G(m,z),m)$, as in the network of Wang and Gupta. At the end of the notebook we leave
# out $L_{rec}$, then the pairs, and see what each was good for.
#
# $L_{rec}$ by hand: a grey picture (0 everywhere) is 1 away from every pixel of the mask, a perfect
# drawing is 0 away, and the negative 2.

# %%
# NBVAL_CHECK_OUTPUT
loss = kdg.losses.mask_reconstruction_loss
target = -masks
for name, drawn in {"grey": 0 * images, "perfect": target, "negative": -target}.items():
    drawn = np.broadcast_to(drawn, images.shape)
    print(
        f"{name:9} by hand {np.abs(drawn - target).mean():.3f}  package {float(loss(drawn, target)):.3f}"
    )

# %% [markdown]
# Nothing in the loss asks that different noise give different textures. So we shall measure it.
#
# ## The network
#
# Two branches, one from the mask and one from the noise, become maps of the same size and are laid
# on top of each other. One trunk turns them into a picture.

# %%
# NBVAL_CHECK_OUTPUT
paper = MaskStyleGAN(heads={"shape": 7, "texture": 7}, image_shape=(128, 128, 3)).generator
for layer in paper.layers:
    if isinstance(
        layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose, keras.layers.Concatenate)
    ):
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        print(
            f"{type(layer).__name__:15}",
            " + ".join(str(i.shape[1:]) for i in inputs),
            "to",
            layer.output.shape[1:],
        )

# %% [markdown]
# The first two convolutions are the mask branch, the first transposed ones the noise branch. They
# meet in the concatenation: for each place in the picture, 128 numbers about the shape around it and
# 64 about the texture.
#
# ## The training step

# %%
print(inspect.getsource(MaskStyleGAN.make_fakes))
print(inspect.getsource(MaskStyleGAN.generator_objective))

# %% [markdown]
# - `make_fakes` draws every mask once, and a quarter of them a second time without noise, for $L_{rec}$.
# - `training=False`: those pictures are normalised by the moving averages, as they will be after the
#   training. The averages of the batch are then those of pictures with noise only.
# - `pair` lays the mask over the picture as a fourth channel.
# - The discriminator sees only the first part (`discriminator_objective`, not shown). Of pictures
#   without noise it would learn at once that black shapes are fakes.
#
# ## The training

# %%
train = kdg.datasets.load(
    "garments",
    image_size=SIZE,
    batch_size=32,
    features=FEATURES,
    num_examples=640 if QUICK else None,
)
test = kdg.datasets.load(
    "garments", "test", image_size=SIZE, num_examples=98 if QUICK else None, features=FEATURES
)
shown = test.take(16)["mask"]


def trained(callbacks=(), **arguments):
    """Trains a model from the same weights, noise and order of the data."""
    keras.utils.set_random_seed(0)
    model = MaskStyleGAN(
        image_shape=(SIZE, SIZE, 3),
        heads={key: train.class_names[key] for key in HEADS},
        creativity="can_h",
        g_creativity_weight=0.1,
        class_smoothing=0.1,
        base_filters=FILTERS,
        real_target=0.9,
        instance_noise=0.1,
        average_decay=0.99,
        **arguments,
    )
    model.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
    )
    model.fit(
        train.batches(),
        steps_per_epoch=ROUND,
        epochs=STEPS // ROUND,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return model


grid = kdg.callbacks.SampleGrid(rows=1, columns=16, conditions={"masks": shown}, show=True)
model = trained([grid])

# %%
pictures = model.generate(16, seed=0, masks=shown)
plain = model.decode(np.zeros((1, model.latent_dim)), shown)
kdg.plotting.show_images(np.concatenate([shown.repeat(3, -1), plain, pictures]), columns=16)

# %% [markdown]
# From top to bottom: the masks, what the network draws without noise, and with noise.
#
# ## Shape from the mask, texture from the noise?
#
# The preset had the same game at 64 pixels for longer, without the creativity loss.
# **One mask, many textures**: every row is one mask, every column one vector of noise.

# %%
facts = kdg.presets.metadata("mask_stylegan_garments_64")
print(f"{facts['steps']} steps, seed {facts['seed']}, {facts['machine']}")
preset = kdg.presets.load("mask_stylegan_garments_64")
latents = preset.sample_latents(10, seed=1)
rows = [preset.decode(latents, mask[None]) for mask in masks[:5]]
figure, axis = plt.subplots(figsize=(11, 5.6), layout="constrained")
axis.imshow(kdg.plotting.image_grid(np.concatenate(rows), columns=10))
axis.set_axis_off()
plt.show()

# %% [markdown]
# Read the table both ways: along a row the cut stays and the fabric changes, down a column the cut
# changes and the fabric stays. Well, nearly. The network knows about six fabrics, and the mask has a
# say: the first column is flowers on the T-shirt, stripes of a tiger on the jacket and spots of a
# leopard on the coat. And there are no plaids and no dots, which the data have.
#
# ### The two questions as numbers
#
# **Does it keep to the mask?** We find the mask of each generated picture with the random walker and
# compare it with the mask that was asked for; as a yardstick, with the mask of *another* picture,
# and the same for real pictures.
#
# **Does it listen to the noise?** For one mask and many vectors, the standard deviation of each pixel
# inside the mask, averaged: 0 if the noise is ignored. The same for features of the ResNet-18, which
# see patterns rather than pixels: how much of their variance over all pictures is left when the mask
# is held?
#
# Two pictures of one mask, grey with the values 0.2 and 0.6, have the deviation 0.2 at every pixel:

# %%
# NBVAL_CHECK_OUTPUT
grey = np.stack([np.full((64, 64, 3), value) for value in (0.2, 0.6)])
print(f"by hand {(0.6 - 0.2) / 2:.3f}  package {kdg.metrics.texture_spread(grey, masks[0]):.3f}")

# %%
n = 16 if QUICK else 200
asked = real.take(n)
drawn = preset.generate(n, seed=1, masks=asked["mask"])
for label, some_images in {"generated": drawn, "real": asked["image"]}.items():
    own = kdg.metrics.mask_fidelity(some_images, asked["mask"])
    other = kdg.metrics.mask_fidelity(some_images, np.roll(asked["mask"], 1, axis=0))
    print(f"{label:10} IoU with the own mask {own.mean():.3f}, with another's {other.mean():.3f}")

judge = kdg.presets.load("resnet18_garments_64")
everything = judge.features(drawn).var(axis=0).sum()
for mask, name in zip(masks, real.class_names["shape"], strict=True):
    same = preset.generate(n, seed=2, masks=mask[None])
    share = judge.features(same).var(axis=0).sum() / everything
    spread = kdg.metrics.texture_spread(same, mask)
    print(
        f"mask of a {name:9} spread inside {spread:.3f}, features: {share:.0%} of the variance left"
    )

# %% [markdown]
# ### From one fabric to another
#
# The same mask along an arc between two vectors of noise, the fourth and the ninth column of the
# table, and below, the way from no noise (the mask) to a full vector.

# %%
arc = kdg.plotting.latent_walk(latents[3], latents[8], 10)
fade = np.linspace(0, 1, 10)[:, None] * latents[8]
kdg.plotting.show_images(
    np.concatenate([preset.decode(arc, masks[:1]), preset.decode(fade, masks[:1])]), columns=10
)

# %% [markdown]
# ## A cut of your own
#
# A mask can be drawn in any program, or in three lines: a poncho, an overall, a one-sleeved
# dress. None of them is among the seven shapes of the training.

# %%
OUTLINES = {
    "poncho": [(32, 10), (40, 12), (60, 46), (44, 50), (32, 58), (20, 50), (4, 46), (24, 12)],
    "overall": [
        *[(22, 5), (27, 5), (28, 14), (36, 14), (37, 5), (42, 5), (44, 32), (46, 60)],
        *[(34, 60), (32, 38), (30, 60), (18, 60), (20, 32)],
    ],
    "one sleeve": [
        (26, 6),
        (38, 6),
        (54, 34),
        (47, 37),
        (40, 24),
        (41, 36),
        (50, 60),
        (14, 60),
        (23, 36),
    ],
}


def draw(outline):
    mask = Image.new("L", (256, 256))
    ImageDraw.Draw(mask).polygon([(4 * x, 4 * y) for x, y in outline], fill=255)
    return np.asarray(mask.resize((64, 64), Image.Resampling.BOX))[..., None] / 127.5 - 1


own = [draw(outline) for outline in OUTLINES.values()]
rows = [
    np.concatenate([mask.repeat(3, -1)[None], preset.decode(latents[:9], mask[None])])
    for mask in own
]
kdg.plotting.show_images(np.concatenate(rows), columns=10)

# %% [markdown]
# ## What goes wrong, and how to see it
#
# Two parts hold shape and texture apart: $L_{rec}$, and the pairs in the discriminator. We train
# again without each of them, and measure as above.

# %%
networks = {
    "all": model,
    "without L_rec": trained(reconstruction_weight=0.0),
    "without pairs": trained(paired=False),
}
asked = test.take(16 if QUICK else 200)["mask"]
print(f"{'':14}{'IoU, own mask':>15}{'of another':>12}{'spread':>9}")
for name, network in networks.items():
    drawn = network.generate(len(asked), seed=1, masks=asked)
    own = kdg.metrics.mask_fidelity(drawn, asked).mean()
    other = kdg.metrics.mask_fidelity(drawn, np.roll(asked, 1, axis=0)).mean()
    same = network.generate(len(asked), seed=2, masks=asked[:1])
    spread = kdg.metrics.texture_spread(same, asked[0])
    print(f"{name:14}{own:15.3f}{other:12.3f}{spread:9.3f}")

# %%
figure, axes = plt.subplots(3, 1, figsize=(11, 3.6), layout="constrained")
vectors = model.sample_latents(8, seed=5)
for axis, (name, network) in zip(axes, networks.items(), strict=True):
    one_mask = network.decode(vectors, shown[1:2])
    no_noise = network.decode(0 * vectors[:1], shown[:8])
    axis.imshow(kdg.plotting.image_grid(np.concatenate([one_mask, no_noise]), columns=16))
    axis.set_title(name, loc="left")
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Left, one mask with eight vectors of noise; right, eight masks without noise.
#
# - *Without* $L_{rec}$ the outline is as good: the pairs alone see to it. But **the noise is ignored**,
#   the spread is near 0, and without noise there are clothes, too. A network that gets a new mask with
#   every picture has all the variety it needs, and nothing in the game asks for more. $L_{rec}$ does:
#   it makes $z=0$ look unlike all other $z$, so the network must read the noise.
# - *Without the pairs* the discriminator sees that clothes look real, not that they have the shape that
#   was asked for. Outlines are loose, and most pictures have drowned in the black of $L_{rec}$.
#
# The paper introduced $L_{rec}$ to get the shape from the mask. With pairs, it is there for the noise.
#
# Other mistakes, and how they show:
#
# - *The noise is ignored.* With a very large $\lambda_{rec}$ the network draws nearly the mask, always
#   the same: the rows of the table of textures become equal, and `texture_spread` falls to 0.
# - *Masks that are wrong.* A mask with a hole where the photo was overexposed teaches the network that
#   holes belong to shirts. `make_masks.py` sorts masks by quality: look at the last ones.
# - *An average that lags.* `generate` draws with the mean of the generator over its last steps. While
#   the weights move fast, stripes that wander become blotches in the mean. The test: does
#   `model.generator.predict([masks, noise])` draw stripes where `model.decode(noise, masks)` draws
#   none? Then take a shorter mean (`average_decay`), or a rate that falls, as the preset did.
# - *White on black.* If the target of $L_{rec}$ is white on black, and pictures have a white ground,
#   the network has to turn the whole ground over between no noise and noise. It learns two separate
#   tasks then: to copy the mask without noise, and to draw any garment with it.
#
# ## Exercises
#
# 1. What are $L_{rec}$ and its gradient at a pixel where $G(m,0)$ is already right?
# 2. On a chain of three pixels of equal colour with seeds at both ends, what is the probability of the
#    middle one? What, if its colour is that of the left end?
# 3. Why may the discriminator not see the pictures without noise?
# 4. Give the preset the mask of a handbag (`kdg.datasets.load("handbags", features=("mask",))`). What do
#    you get, and why?
# 5. Multiply the noise by 2 or 3. What happens to the textures, and to the outline?
#
# <details><summary>Answers</summary>
#
# 1. 0, and the gradient of $|u|$ at 0 is 0 by convention: no push. Everywhere else the push has the same
#    size, however small the error; this makes sharp edges.
# 2. $\tfrac12$. With $w_{12}=1$ and $w_{23}=e^{-\beta(g_2-g_3)^2}=\epsilon$ it is $1/(1+\epsilon)$, nearly 1.
# 3. All of them are black on white, which no real garment is: it would recognise them at once, and its
#    gradient would fight with $L_{rec}$.
# 4. A bag with buttons and a collar: the outline is new, but the trunk has seen only clothes.
# 5. Stronger colours and contrasts at first; then the outline suffers, because such vectors never
#    occurred in the training.
#
# </details>
#
# ## What the paper reported, and what came out here
#
# | | Sbai et al. 2018 | here |
# | --- | --- | --- |
# | masks | random walker on product photos | drawn, exact; random walker to check |
# | $\lambda_{rec}$ | no value known to us | the default of the package, see the recipe |
# | shape and texture apart | shown in pictures | pictures, and both measured |
# | people | liked the plain DCGAN with CAN(H) best | not measured |
#
# ## Where to go next
#
# - `python data_scripts/make_masks.py path/to/photos` makes masks of your own photos, and
#   `design-gans train mask_stylegan --data ...` learns from them.
# - Read `keras_design_gans/models/mask_stylegan.py`.
