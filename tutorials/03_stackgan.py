# %% [markdown]
# # 3. StackGAN: first the idea, then the detail
#
# **The question.** The larger a picture, the harder it is to draw in one go. A painter begins with a
# small sketch: where is the body, which colour? Buttons and dots come later. Can two networks share
# the work in the same way?
#
# StackGAN (Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas 2017) made large pictures from sentences.
# DesIGN (Sbai, Elhoseiny, Bordes, LeCun and Couprie 2018) takes the two stages without the text, and
# gives each stage the creativity loss of [notebook 2](02_creative_losses.ipynb). In the papers the
# stages have 64 and 256 pixels. Here they have 16 and 64, for two CPU cores.

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
from keras import ops

import keras_design_gans as kdg
from keras_design_gans.models import stackgan

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
FILTERS = 4 if QUICK else 64 if GPU else 24  # width of the networks
STEPS = 10 if QUICK else 10_000 if GPU else 1_500  # length of each stage
ROUND = STEPS // 10  # steps between two looks at the pictures
StackGAN = kdg.models.StackGAN

# %% [markdown]
# ## What a small picture can say
#
# Stage I learns from the same garments as before, shrunk to a quarter of the side: every square of
# 4 x 4 pixels becomes its mean. Below, real pictures at 64 pixels, the same at 16, and the small one
# enlarged again by the usual smooth formula (bicubic).

# %%
train = kdg.datasets.load("garments", batch_size=32, num_examples=640 if QUICK else None)
some = train.take(49)
chosen = np.flatnonzero(some["shape"] == some["texture"])  # seven shapes, in seven textures


def enlarge(small):
    """Bicubic enlargement by 4, without any knowledge of clothes."""
    size = [stackgan.ENLARGEMENT * side for side in small.shape[1:3]]
    return np.clip(ops.convert_to_numpy(ops.image.resize(small, size, "bicubic")), -1, 1)


def nearest(small):
    """Every pixel as a square of 4 x 4, to look at small pictures beside large ones."""
    return small.repeat(stackgan.ENLARGEMENT, axis=1).repeat(stackgan.ENLARGEMENT, axis=2)


def shrink(images):
    return ops.convert_to_numpy(stackgan.shrink(images))


large = some["image"][chosen]
small = shrink(large)
names = train.class_names["texture"]
kdg.plotting.show_images(
    np.concatenate([large, nearest(small), enlarge(small)]),
    columns=7,
    titles=[names[n] for n in some["texture"][chosen]] + [""] * 14,
)

# %% [markdown]
# The shape survives, and so does the colour. Fine patterns do not: at 16 pixels dots and thin stripes
# are gone, and no formula brings them back. So the stages have different work. Stage I decides on
# shape and colour. Stage II has to *invent* the pattern, because its input does not contain it.
#
# ## The equations
#
# Two games, one after the other. Each is the game of DesIGN, with a generator and a discriminator of
# its own; the discriminators have heads that name shape and texture.
#
# **Stage I** plays on small pictures $x_\downarrow$:
#
# $$L_{D_0}=-\mathbb E_x\log D_0(x_\downarrow)-\mathbb E_z\log(1-D_0(G_0(z)))
# +\sum_b L_{D\,cls,b}(x_\downarrow)$$
#
# $$L_{G_0}=-\mathbb E_z\log D_0(G_0(z))+\lambda_{G_e}\sum_b L_{G\,crea,b}(G_0(z))$$
#
# **Stage II** plays on large pictures. Its generator gets no noise, but a small picture
# $s_0=G_0(z)$ from the finished stage I, which is *frozen*: it does not learn any more.
#
# $$L_D=-\mathbb E_x\log D(x)-\mathbb E_z\log(1-D(G(s_0)))+\sum_b L_{D\,cls,b}(x)$$
#
# $$L_G=-\mathbb E_z\log D(G(s_0))+\lambda_{G_e}\sum_b L_{G\,crea,b}(G(s_0))
# +\lambda_{con}L_{con},\qquad L_{con}=\mathbb E_z\,\mathrm{mean}\,\big|G(s_0)_\downarrow-s_0\big|$$
#
# - $x$ is a real picture, $x_\downarrow$ the same after shrinking, $z\sim N(0,I)$ the noise.
# - $G_0$, $D_0$ are the networks of stage I, $G$ and $D$ those of stage II.
# - $L_{D\,cls,b}$ is the cross-entropy of head $b$ on real pictures, $L_{G\,crea,b}$ the creativity
#   loss of notebook 2, $\lambda_{G_e}$ its weight.
#
# - $L_{con}$ compares $G(s_0)$, made small again, with $s_0$; $\lambda_{con}=50$.
#
# The last term is not in the papers. Without it nothing says that $G(s_0)$ has anything to do with
# $s_0$. We will see what becomes of stage II then.
#
# With numbers. Shrinking is a mean:

# %%
# NBVAL_CHECK_OUTPUT
square = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
print(square[0, :, :, 0])
print("mean by hand", sum(range(16)) / 16, "  package", float(shrink(square)[0, 0, 0, 0]))

# %% [markdown]
# In both stages a discriminator that can only guess, with heads that can only guess, has the loss
# $\log4+2\log7$, and the generator with CAN(H) at weight 1, without $L_{con}$, has $\log2+2\log7$. We
# set all weights of two small discriminators to zero, which makes every logit 0, and ask the package.

# %%
# NBVAL_CHECK_OUTPUT
first = StackGAN({"shape": 7, "texture": 7}, (64, 64, 3), base_filters=4, creativity="can_h")
second = first.next_stage(consistency_weight=0)
batch = {key: some[key][:8] for key in ("image", "shape", "texture")}
print(f"by hand: L_D {np.log(4) + 2 * np.log(7):.4f}  L_G {np.log(2) + 2 * np.log(7):.4f}")
for model in (first, second):
    model.discriminator.set_weights([0 * weight for weight in model.discriminator.get_weights()])
    model.compile()
    losses = model.test_on_batch(batch, return_dict=True)
    print(f"stage {model.stage}: L_D {losses['d_loss']:.4f}  L_G {losses['g_loss']:.4f}")

# %% [markdown]
# $L_{con}$ by hand: we hand the package a small picture $s_0$ and a large one that repeats every pixel
# of it four by four times and is lighter by 0.1. Shrunk again, it is off by 0.1 everywhere.

# %%
# NBVAL_CHECK_OUTPUT
model = first.next_stage()
given = {**batch, "small_image": small[:8]}
lighter = nearest(small[:8]) + np.float32(0.1)
_, logs = model.generator_objective(given, lighter, training=False)
print(f"L_con {float(logs['consistency_loss']):.4f}")

# %% [markdown]
# ## The networks
#
# Stage I is the DCGAN of notebook 1, at 16 pixels. Stage II first makes the small picture *smaller*:
# two convolutions with stride 2 halve it twice. Four residual blocks work on this small map, where a
# pixel knows much of the picture around it. Then four transposed convolutions double it four times.

# %%
# NBVAL_CHECK_OUTPUT
paper = stackgan.stage_two_generator((64, 64, 3), base_filters=128)
for layer in paper.layers:
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
        stride = f"stride {layer.strides[0]}"
        print(f"{type(layer).__name__:15} {stride}  to {layer.output.shape[1:]}")
print(f"{paper.count_params() - sum(w.shape[0] for w in paper.non_trainable_weights):,} weights")

# %% [markdown]
# A **residual block** adds what its two convolutions compute to what they started from,
# $y=\mathrm{ReLU}(x+F(x))$. With $F=0$ it hands on a positive $x$ unchanged: a deep stack of such
# blocks begins as a short network and becomes deeper as it learns.

# %%
# NBVAL_CHECK_OUTPUT
x = keras.Input((4, 4, 8))
block = keras.Model(x, stackgan.residual_block(x))
block.set_weights([np.zeros_like(weight) for weight in block.get_weights()])
positive = np.random.default_rng(0).uniform(0, 1, (2, 4, 4, 8)).astype("float32")
print(
    "largest change by a block of zeros:",
    np.abs(block.predict(positive, verbose=0) - positive).max(),
)

# %% [markdown]
# ## The training step
#
# Both stages use the training step of DCGAN as it is (notebook 1). Three methods make the difference:
# in stage I real pictures are shrunk; in stage II every batch comes with small pictures of the frozen
# network, which the generator enlarges and is compared with.

# %%
print(inspect.getsource(StackGAN.read))
print(inspect.getsource(StackGAN.make_fakes))
print(inspect.getsource(StackGAN.generator_objective))

# %% [markdown]
# `self.generator` is the only network in the list of what the player "generator" may move. So the
# gradient passes *through the picture* $s_0$ no further: `first_generator` stays as it is.
#
# ## Stage I

# %%
arguments = {
    "heads": train.class_names,
    "creativity": "can_h",
    "g_creativity_weight": 0.1,
    "class_smoothing": 0.1,
    "base_filters": FILTERS,
    "real_target": 0.9,
    "instance_noise": 0.1,
    "average_decay": 0.99,
}


def fit(model):
    model.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
    )
    return model.fit(
        train.batches(),
        steps_per_epoch=ROUND,
        epochs=STEPS // ROUND,
        callbacks=[kdg.callbacks.SampleGrid(rows=2, columns=16, show=True)],
        shuffle=False,
        verbose=0,
    ).history


keras.utils.set_random_seed(0)
first = StackGAN(image_shape=(64, 64, 3), **arguments)
first_history = fit(first)

# %% [markdown]
# ## Stage II
#
# `next_stage` copies the generator of stage I into the new model and freezes it. All else is new.

# %%
second = first.next_stage()
second_history = fit(second)

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3), layout="constrained", sharey=True)
steps = np.arange(1, STEPS // ROUND + 1) * ROUND
for axis, (title, log) in zip(
    axes, {"stage I": first_history, "stage II": second_history}.items(), strict=True
):
    for name in ("d_real_accuracy", "d_fake_accuracy", "shape_accuracy", "texture_accuracy"):
        axis.plot(steps, log[name], label=name)
    axis.set(title=title, xlabel="step of the stage", ylim=(0, 1.02))
axes[1].legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# The heads on *real* pictures tell what a picture of this size contains. The shape is read almost as
# well at 16 pixels as at 64. The texture is not: the curve of stage I stays far below that of stage
# II. Here is the reason for two stages in one number.
#
# ## The pictures
#
# The same noise in both stages: what stage I draws (each pixel as a square), its smooth enlargement,
# and what stage II makes of it.

# %%
small, large = second.generate_stages(14, seed=4)
kdg.plotting.show_images(
    np.concatenate([nearest(small), enlarge(small), large]),
    columns=14,
    titles=["stage I"] + [""] * 13 + ["bicubic"] + [""] * 13 + ["stage II"] + [""] * 13,
)

# %% [markdown]
# Stage II does more than enlarge: edges are sharper, and the cloth has a weave and patterns that no
# small picture holds. Some of the colours have changed.
#
# ### Is that real detail? A look at the frequencies
#
# A picture is a sum of waves. The curve shows how much of the picture lies at each *frequency*, in
# waves per picture: on the left broad areas, on the right the finest grain. A picture of 16 pixels
# can hold at most 8 waves (the dashed line). An enlargement has nothing to the right of it.


# %%
def spectrum(images):
    """Mean power of the waves at each distance from the origin of the Fourier plane."""
    waves = np.abs(np.fft.fftshift(np.fft.fft2(images.mean(axis=-1)), axes=(1, 2))) ** 2
    side = images.shape[1]
    y, x = np.indices((side, side)) - side // 2
    radius = np.hypot(x, y).round().astype(int)
    power = np.bincount(radius.ravel(), waves.mean(axis=0).ravel()) / np.bincount(radius.ravel())
    return power[1 : side // 2] / side**2


n = 64 if QUICK else 1_000
small, large = second.generate_stages(n, seed=1)
sets = {"real": train.take(n)["image"], "stage II": large, "stage I, bicubic": enlarge(small)}
figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
for label, images in sets.items():
    axis.semilogy(np.arange(1, 32), spectrum(images), label=label)
axis.axvline(8, color="0.5", linestyle="--")
axis.set(xlabel="waves per picture", ylabel="power")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# On the far left all three agree: the coarse picture is right. Right of the line the bicubic curve
# falls to a thousandth of what real pictures have. Stage II stays within a factor of three of them: it
# fills in most of what is missing.
#
# ### Does stage II keep to the small picture?
#
# We shrink what stage II drew and compare it with what it was given: the root of the mean squared
# difference, in units of the range [-1, 1]. As a measure, the same between pictures of *different*
# noise.


# %%
def rms(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


print(f"stage II, made small again, from its own s0    {rms(shrink(large), small):.3f}")
print(
    f"... from the s0 of another picture             {rms(shrink(large), np.roll(small, 1, 0)):.3f}"
)
print(f"real pictures from one another, at 16 pixels   {rms(small, np.roll(small, 1, 0)):.3f}")

# %% [markdown]
# The first number is much smaller than the second: stage II keeps to what it was given. It is not 0:
# what stage I drew is not quite right, and $D$ has a say as well.
#
# ## The long training
#
# The preset was trained in the same way for longer. Beside it, the one-stage DesIGN of the same size
# from the same data, with the scores of each.

# %%
PRESETS = {"stackgan_garments_64": "StackGAN", "design_garments_64": "DesIGN, one stage"}
long = {label: kdg.presets.load(name) for name, label in PRESETS.items()}
figure, axes = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
for axis, (label, preset) in zip(axes, long.items(), strict=True):
    axis.imshow(kdg.plotting.image_grid(preset.generate(40, seed=4), columns=8))
    axis.set_title(label)
    axis.set_axis_off()
plt.show()

# %%
about = {label: kdg.presets.metadata(name) for name, label in PRESETS.items()}
print(f"{'':22}{'steps':>8}{'IS shape':>10}{'IS texture':>12}{'FID':>8}{'NN10':>8}")
NAMES = ("shape_inception_score", "texture_inception_score", "frechet_distance", "knn_distance")
rows = [(label, facts, "generated") for label, facts in about.items()]
for label, facts, kind in [*rows, ("real test pictures", rows[0][1], "test")]:
    values = [facts["scores"][name][kind] for name in NAMES]
    steps = facts["steps"] if kind == "generated" else ""
    print(f"{label:22}{steps:>8}" + "{:10.2f}{:12.2f}{:8.1f}{:8.2f}".format(*values))

# %% [markdown]
# ### One sketch, two finished pictures
#
# Between the noise of two pictures lie others. Stage I walks from one to the other; stage II dresses
# every step.

# %%
preset = long["StackGAN"]
start, end = preset.sample_latents(2, seed=11)
walk = kdg.plotting.latent_walk(start, end, 10)
sketches = preset.first_generator.predict(walk, verbose=0)
kdg.plotting.show_images(np.concatenate([nearest(sketches), preset.decode(walk)]), columns=10)

# %% [markdown]
# ## What goes wrong, and how to see it
#
# **Stage II without $L_{con}$**, as in the papers, on the same stage I and for as long:

# %%
free = first.next_stage(consistency_weight=0)
fit(free)

# %%
small, large = free.generate_stages(14, seed=4)
print(f"made small again, from its own s0      {rms(shrink(large), small):.3f}")
print(f"... from the s0 of another picture     {rms(shrink(large), np.roll(small, 1, 0)):.3f}")

# %% [markdown]
# Stage II draws the same few garments again and again, and keeps nothing of what it was given: made
# small again, its pictures are as far from their own $s_0$ as from any other. Look at what $D$ sees:
# single pictures. A few garments that pass are enough, and the variety of stage I is thrown away. In
# the paper of Zhang et al. the sentence ties the stages: $D$ sees it beside the picture.
#
# Other mistakes, and how they show:
#
# - *Stage II too early.* It cannot repair a wrong outline: what looks to it like a small picture of
#   nothing becomes a sharp picture of nothing.
# - *Stage I goes on learning in stage II.* Then $s_0$ changes under the feet of $G$. Here
#   `first_generator` belongs to no player, and its weights are the same before and after.
# - *Batch statistics of stage I.* Frozen means in inference mode too: with the statistics of
#   the batch, the same $z$ would give another $s_0$ in every batch.
# - *Real pictures shrunk in another way than the generator's.* If real small pictures come from a
#   sharper formula, $D_0$ learns the formula and not the clothes.
#
# ## Exercises
#
# 1. Stage II gets no noise. How many different large pictures can it draw for one $s_0$?
# 2. Why does stage II make the small picture smaller before it makes it larger?
# 3. The spectrum of stage II may lie *above* that of real pictures at the far right. What would you
#    see in the pictures?
# 4. Train with `creativity="none"` in stage I and `next_stage(creativity="can_h")`. Which stage
#    should be original in shape, which in texture?
# 5. How many weights has stage II at half the width, and why about a quarter?
#
# <details><summary>Answers</summary>
#
# 1. One: $G$ is a function of $s_0$. All variety comes from $z$ through stage I. (Zhang et al. have
#    a second source of chance, the conditioning on the text.)
# 2. On a map of a quarter of the side, a kernel of 3 x 3 sees 12 x 12 pixels of $s_0$. Eight
#    convolutions there see all of it, at a sixteenth of the cost.
# 3. Grain, such as a chessboard of pixels: transposed convolutions make it when neighbouring pixels
#    get unequal numbers of contributions.
# 4. Shape is decided in stage I: a creativity loss in stage II alone finds the shapes already made,
#    and can only undo them. Texture is decided in stage II.
# 5. A convolution from $c$ to $c$ channels has $9c^2$ weights: half the width, a quarter of the
#    weights. At 128 filters there are 26.7 million, at 64 filters 6.7 million.
#
# </details>
#
# ## What the papers reported, and what came out here
#
# | | the papers | here |
# | --- | --- | --- |
# | condition | a sentence (Zhang et al.), none (Sbai et al.) | none |
# | sizes | 64 and 256 pixels | 16 and 64 pixels, factor 4 as well |
# | training | 600 epochs for each stage (Zhang et al.) | see the table of the long training above |
# | one stage for the large picture | much worse at 256 pixels (Zhang et al.) | at 64 pixels one stage is enough: compare the scores above |
# | rating by people | DesIGN's best were DCGANs with CAN(H), not StackGANs | not measured |
#
# ## Where to go next
#
# - `design-gans train stackgan --size 128` trains stages of 32 and 128 pixels.
# - Read `keras_design_gans/models/stackgan.py`: both stages in one file.
# - LAPGAN and progressive growing are two other ways from small to large.
