# %% [markdown]
# # 7. The game: how two networks that fight learn to draw
#
# **The question.** Nobody can write down what makes a picture look like a car. So nobody can write
# down a loss that is low for cars and high for everything else. A GAN (Goodfellow et al. 2014)
# needs no such formula. A second network *learns* the loss, and the first one learns against it.
# How can two networks that fight learn to draw? And when does the fight go wrong?
#
# In [notebook 1](01_quickstart.ipynb) you trained such a pair and looked at its pictures. Here you
# open the game itself. You solve it on four numbers, watch it in the plane, where every point can
# be seen, and then play it with pictures of cars.

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
from keras import layers, ops

import keras_design_gans as kdg
from keras_design_gans.batch import Images
from keras_design_gans.engine import AdversarialModel

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
UNITS = 32 if QUICK else 1_200  # width of the networks that draw cars
STEPS = 10 if QUICK else 6_000 if GPU else 1_500  # length of their trainings
ROUND = STEPS // 10  # steps between two looks at the pictures
POINT_STEPS = 30 if QUICK else 3_000  # length of the trainings in the plane
POINT_ROUND = POINT_STEPS // 30
plt.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}

# %% [markdown]
# Cars, drawn by the package, each seen from one of six sides. Below them is what a generator with
# random weights draws. Between the two rows lies this notebook.

# %%
train = kdg.datasets.load("cars", image_size=32, batch_size=32, num_examples=252 if QUICK else None)
keras.utils.set_random_seed(0)
untrained = kdg.models.GAN(image_shape=(32, 32, 3), units=UNITS)
some = train.take(42)
views = train.class_names["view"]
kdg.plotting.show_images(
    np.concatenate([some["image"][::6], untrained.generate(7, seed=0)]),
    columns=7,
    titles=[views[n] for n in some["view"][::6]] + ["untrained"] * 7,
)

# %% [markdown]
# ## The equations
#
# Two players, one number. The number is called the *value* of the game:
#
# $$V(D,G)=\mathbb E_x\log D(x)+\mathbb E_z\log(1-D(G(z)))$$
#
# - $x$ is a real picture. $z\sim N(0,I)$ is the noise, a list of random numbers.
# - $G(z)$ is the picture that the **generator** makes of the noise.
# - $D(x)=\sigma(\ell)=1/(1+e^{-\ell})$ is the answer of the **discriminator**: how likely is it
#   that this picture is real? $\ell$ is the *logit*, the raw output of the network.
# - $\mathbb E$ is a mean: over real pictures, or over noise.
#
# The discriminator wants $V$ to be **large**: $D$ near 1 on real pictures, near 0 on generated
# ones. The generator wants $V$ to be **small**. This is the *minimax game*
#
# $$\min_G\max_DV(D,G)$$
#
# A network minimises, so the discriminator gets $L_D=-V$. For the generator there are two losses:
#
# $$L_G^{minimax}=\mathbb E_z\log(1-D(G(z)))\qquad L_G^{nonsaturating}=-\mathbb E_z\log D(G(z))$$
#
# The first is the part of $V$ that the generator can change. The second is a different wish with
# the same direction: "make $D$ large" in the place of "make $1-D$ small".
#
# ### The best discriminator, by hand
#
# Let there be only four designs, 1 to 4. Real designs come with the probabilities
# $p=(4,2,1,1)/8$, the generator makes them with $q=(1,1,2,4)/8$. A discriminator is now nothing
# but four numbers $D_1,\dots,D_4$, and
#
# $$V=\sum_{i=1}^4\big[p_i\log D_i+q_i\log(1-D_i)\big]$$
#
# Each $D_i$ stands in one term only, so we can choose each by itself. The slope of its term is zero
# where
#
# $$\frac{p_i}{D_i}-\frac{q_i}{1-D_i}=0\qquad\Longrightarrow\qquad D^*_i=\frac{p_i}{p_i+q_i}$$
#
# In words: the best answer is the share of real ones among all designs of this kind. For the
# package we write the distributions as batches of eight: four real ones of design 1, and so on.


# %%
# NBVAL_CHECK_OUTPUT
def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def logit_of(probability):
    return np.log(probability / (1 - probability))


real_counts, fake_counts = np.array([4, 2, 1, 1]), np.array([1, 1, 2, 4])
p, q = real_counts / 8, fake_counts / 8
best = p / (p + q)
print("D* =", best.round(4))
discriminators = {
    "always 1/2": np.full(4, 0.5),
    "the best, D*": best,
    "less sure than D*": sigmoid(0.5 * logit_of(best)),
    "more sure than D*": sigmoid(2.0 * logit_of(best)),
    "the wrong way round": best[::-1],
}
print("                       V by hand   package")
for name, answer in discriminators.items():
    value = np.sum(p * np.log(answer) + q * np.log(1 - answer))
    logits = logit_of(answer)
    loss = kdg.losses.minimax_discriminator_loss(
        np.repeat(logits, real_counts), np.repeat(logits, fake_counts)
    )
    print(f"{name:20} {value:11.4f} {-float(loss):9.4f}")

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 2.9), layout="constrained", sharey=True)
answers = np.linspace(0.005, 0.995, 300)
for index, axis in enumerate(axes):
    share = p[index] * np.log(answers) + q[index] * np.log(1 - answers)
    top = p[index] * np.log(best[index]) + q[index] * np.log(1 - best[index])
    axis.plot(answers, share, "C0", linewidth=2)
    axis.plot(best[index], top, "o", color="C1", markersize=8)
    axis.axvline(best[index], color="C1", linewidth=1, linestyle=":")
    axis.set(
        title=f"design {index + 1}: $p={real_counts[index]}/8$, $q={fake_counts[index]}/8$",
        xlabel=f"$D_{index + 1}$, best at {best[index]:.2f}",
        ylim=(-1.6, 0),
        xlim=(0, 1),
    )
axes[0].set_ylabel("its part of $V$")
plt.show()

# %% [markdown]
# Each curve has one top, and it lies where the share of real ones is. To be *too* sure costs as
# well: the curves fall off steeply at 0 and 1.
#
# ### What the generator then plays for
#
# Put $D^*$ into $V$, and write $m=(p+q)/2$ for the mixture of both:
#
# $$V(D^*)=\sum_ip_i\log\frac{p_i}{2m_i}+\sum_iq_i\log\frac{q_i}{2m_i}
# =-\log4+\underbrace{KL(p\,\Vert\,m)+KL(q\,\Vert\,m)}_{2\,JS(p,q)}$$
#
# $KL(p\Vert m)=\sum_ip_i\log(p_i/m_i)$ is the Kullback-Leibler divergence. $JS$, the Jensen-Shannon
# divergence, is the mean of the two. It is 0 when $p=q$, and never more than $\log2$. So against
# the best discriminator the generator minimises $JS$: **the discriminator has turned into a measure
# of distance between real and generated designs**, and nobody had to write it down.


# %%
# NBVAL_CHECK_OUTPUT
def divergence(first, second):
    inside = first > 0  # 0 log 0 is 0
    return np.sum(first[inside] * np.log(first[inside] / second[inside]))


def jensen_shannon(first, second):
    middle = (first + second) / 2
    return (divergence(first, middle) + divergence(second, middle)) / 2


def value_of_best(first, second):
    """V against D*, term by term."""
    share = np.divide(first, first + second, where=first + second > 0, out=np.zeros(len(first)))
    real, fake = first > 0, second > 0
    return np.sum(first[real] * np.log(share[real])) + np.sum(
        second[fake] * np.log(1 - share[fake])
    )


pairs = {
    "equal": (p, p),
    "the example": (p, q),
    "no design in common": (np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])),
}
print("                          JS   -log 4 + 2 JS     V(D*)")
for name, (first, second) in pairs.items():
    js = jensen_shannon(first, second)
    print(f"{name:20} {js:7.4f} {-np.log(4) + 2 * js:15.4f} {value_of_best(first, second):9.4f}")
print(f"log 2 = {np.log(2):.4f}, -log 4 = {-np.log(4):.4f}")

# %% [markdown]
# The first line is the end of the game: the generator makes the real designs in their real
# proportions, $D^*=\tfrac12$ everywhere, and $V=-\log4$. The last line is the other end: nothing in
# common, $JS=\log2$, and the discriminator makes no mistake.
#
# ### The trouble with "nothing in common"
#
# Real designs now lie evenly on the interval $[0,1]$, generated ones on $[\theta,\theta+1]$. The
# generator can move $\theta$ and should bring it to 0. The parts that stick out have length
# $|\theta|$ on each side, so for two such intervals $JS=|\theta|\log2$ as long as they overlap, and
# $\log2$ afterwards. We check with a fine grid.

# %%
# NBVAL_CHECK_OUTPUT
places = np.arange(-400, 600)  # hundredths


def interval(start):
    """Even distribution on one hundred hundredths from `start`."""
    return np.where((places >= start) & (places < start + 100), 0.01, 0.0)


real = interval(0)
print("theta   JS by formula   on the grid   V(D*)")
for theta in (0.0, 0.25, 0.5, 1.0, 2.0, 3.0):
    fake = interval(round(100 * theta))
    formula = min(abs(theta), 1) * np.log(2)
    measured = jensen_shannon(real, fake)
    print(f"{theta:5.2f} {formula:15.4f} {measured:13.4f} {-np.log(4) + 2 * measured:+7.4f}")

# %%
theta = np.linspace(-3, 3, 241)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
for start, color, name in ((0.0, "C0", "real"), (1.7, "C1", "generated")):
    axes[0].fill_between([start, start + 1], 0, 1, color=color, alpha=0.6, linewidth=0)
    axes[0].text(start + 0.5, 1.06, name, color=color, ha="center")
axes[0].annotate("", (1.05, 0.5), (1.65, 0.5), arrowprops={"arrowstyle": "->"})
axes[0].text(1.35, 0.57, "which way?", ha="center")
axes[0].set(xlim=(-0.5, 3.2), ylim=(0, 1.25), xlabel="design", ylabel="density")
js = [jensen_shannon(real, interval(round(100 * t))) for t in theta]
axes[1].plot(theta, js, "C0", linewidth=2)
axes[1].axhline(np.log(2), color="0.6", linestyle=":", linewidth=1)
for left, right in ((-3, -1), (1, 3)):
    axes[1].axvspan(left, right, color="C3", alpha=0.1, linewidth=0)
    axes[1].text((left + right) / 2, 0.33, "no slope", color="C3", ha="center")
axes[1].text(0.05, np.log(2) + 0.02, r"$\log 2$", ha="center", color="0.4")
axes[1].set(xlabel=r"$\theta$", ylabel="JS(real, generated)", ylim=(0, 0.8))
plt.show()

# %% [markdown]
# In the red parts the distance is always $\log2$, whether the designs are near or far. It has no
# slope, so it does not say in which direction the real ones lie. Pictures are in this situation for
# most of the training: generated pictures fill so little of the space of all pixels that they have
# nothing in common with the real ones (Arjovsky and Bottou 2017).
#
# Then why does a GAN learn at all? Because its discriminator is **not** the best one. It is a
# smooth network after a few steps of training. Its logits are finite, and they have slopes.
#
# ### What a loss makes of a logit
#
# How much of this slope reaches the generator depends on its loss. For a logit $\ell$ of a
# generated picture,
#
# $$\frac{\partial L_G^{minimax}}{\partial\ell}=-\sigma(\ell)=-D\qquad
# \frac{\partial L_G^{nonsaturating}}{\partial\ell}=-(1-\sigma(\ell))=-(1-D)$$
#
# We compare the formulas with automatic differentiation. (`input_gradients` is a method of every
# model of the package. The model's weights play no part here.)

# %%
# NBVAL_CHECK_OUTPUT
paper = kdg.models.GAN(image_shape=(28, 28, 1))
LOSSES = {
    "minimax": kdg.losses.minimax_generator_loss,
    "nonsaturating": kdg.losses.nonsaturating_generator_loss,
}
SLOPES = {"minimax": lambda x: -sigmoid(x), "nonsaturating": lambda x: -(1 - sigmoid(x))}


def slope(name, logit):
    """Slope of a generator's loss at one logit, by automatic differentiation."""
    logits = ops.convert_to_tensor(np.array([[logit]], "float32"))
    return float(ops.convert_to_numpy(paper.input_gradients(LOSSES[name], logits))[0, 0])


print("logit   D        minimax: loss  slope  measured    nonsaturating: loss  slope  measured")
for logit in (-6.0, -2.0, 0.0, 2.0, 6.0):
    row = f"{logit:+5.0f}   {sigmoid(logit):.4f}"
    for name, loss in LOSSES.items():
        row += f"{float(loss([logit])):15.4f} {SLOPES[name](logit):8.4f} {slope(name, logit):8.4f}"
    print(row)

# %%
logits = np.linspace(-8, 8, 200)
colors = {"minimax": "C3", "nonsaturating": "C0"}
figure, axes = plt.subplots(1, 2, figsize=(11, 3.3), layout="constrained")
axes[0].plot(logits, np.log(1 - sigmoid(logits)), "C3", label=r"minimax, $\log(1-D)$")
axes[0].plot(logits, -np.log(sigmoid(logits)), "C0", label=r"nonsaturating, $-\log D$")
axes[0].set(ylabel="loss of the generator", ylim=(-8.2, 8.2))
axes[0].legend(frameon=False)
for name, color in colors.items():
    axes[1].plot(logits, -SLOPES[name](logits), color)
    dots = np.arange(-8, 9, 2)
    axes[1].plot(dots, [-slope(name, dot) for dot in dots], "o", color=color, markersize=5)
axes[1].set(ylabel="pull on the logit", ylim=(-0.05, 1.1))
for axis in axes:
    axis.axvspan(-8, -2, color="0.5", alpha=0.1, linewidth=0)
    axis.set(xlabel=r"logit $\ell$ of a generated picture", xlim=(-8, 8))
axes[1].text(-5, 0.5, "the discriminator\nsees through it", ha="center", color="0.35")
plt.show()

# %% [markdown]
# Lines are formulas, dots are measured. In the grey part, where every training begins, the minimax
# loss pulls with a strength near 0. It pulls hardest at pictures that are good already. The
# nonsaturating loss pulls where the pictures are bad.
#
# Keep four numbers in mind. They are the marks on the curves of every GAN with these losses: when
# the discriminator can only guess, all logits are 0.

# %%
# NBVAL_CHECK_OUTPUT
zero, sure = np.zeros((8, 1), "float32"), np.full((8, 1), 8.0, "float32")
print(f"log 2 = {np.log(2):.4f}, log 4 = {np.log(4):.4f}")
for name, (real_logits, fake_logits) in {
    "D guesses": (zero, zero),
    "D has won": (sure, -sure),
}.items():
    print(
        f"{name}: L_D {float(kdg.losses.minimax_discriminator_loss(real_logits, fake_logits)):.4f}"
        f"   L_G minimax {float(LOSSES['minimax'](fake_logits)):+.4f}"
        f"   L_G nonsaturating {float(LOSSES['nonsaturating'](fake_logits)):+.4f}"
    )

# %% [markdown]
# D guesses at the very start, because it knows nothing, and again at the very end, because there is
# nothing left to know. **The same numbers, the opposite meaning.** A loss of $\log4$ alone tells
# you nothing. Look at the pictures.
#
# ## The networks
#
# The networks of 2014 are dense layers only. The generator has ReLU. The discriminator has
# *maxout*, where each unit is the largest of five numbers, and dropout. Here they are for pictures
# of handwritten digits, as in the paper.

# %%
# NBVAL_CHECK_OUTPUT
for network in (paper.generator, paper.discriminator):
    print(network.name, "from", network.input_shape[1:])
    for layer in network.layers:
        if isinstance(layer, (layers.Dense, layers.GlobalMaxPooling1D)):
            print(f"   {type(layer).__name__:18} {layer.output.shape[1:]}")
    print(f"   {network.count_params():,} numbers to learn")

# %% [markdown]
# ## The training step
#
# This is Algorithm 1 of the paper, as it stands in the package:

# %%
print(inspect.getsource(kdg.models.GAN.train_step))
print(inspect.getsource(kdg.models.DCGAN.discriminator_objective))
print(inspect.getsource(kdg.models.GAN.generator_objective))

# %% [markdown]
# Line by line:
#
# 1. `self.read(data)` takes the pictures out of the batch and checks their shape.
# 2. The loop makes $k$ updates of the **discriminator**, `discriminator_steps`. Each one draws new
#    noise. `stop_gradient` cuts the fakes off from the generator: in this update they are only
#    pictures.
# 3. `minimize(..., "discriminator")` computes $L_D$, its gradient with respect to the weights of
#    the discriminator *alone*, and makes one step of its optimizer.
# 4. `minimize(..., "generator")` draws new noise, makes fakes, and asks the updated discriminator
#    for logits. The gradient runs from the loss back *through* the discriminator into the
#    pictures, and from the pictures into the weights of the generator. Only the latter move.
# 5. `GENERATOR_LOSSES[...]` is the choice between the two losses of the generator.
#
# The discriminator is the loss function of the generator, and it changes at every step. That is the
# whole difference to ordinary training.
#
# ## The game in the plane
#
# Pictures of 32 x 32 x 3 numbers are points in a space of 3,072 dimensions. Nobody can look at
# that. So first we let the same game draw *points in the plane*. The "real pictures" are points on
# a ring, the one of [notebook 6](06_vae.ipynb) at half the size:
#
# $$x=\tfrac12\Big(\frac z{10}+\frac z{\Vert z\Vert}\Big),\qquad z\sim N(0,I)$$


# %%
def ring(n, rng):
    z = rng.standard_normal((n, 2))
    return 0.5 * (z / 10 + z / np.linalg.norm(z, axis=1, keepdims=True))


# %% [markdown]
# The models of the package draw pictures. For points we write our own, which takes about thirty
# lines. All models of the package are made like this: a subclass of `AdversarialModel` names its
# **players**, says what it **needs** from a batch, and writes one **training step** with
# `minimize`. The same lines run on TensorFlow, JAX and PyTorch.


# %%
def dense_network(name, outputs, units=64):
    x = first = keras.Input((2,))
    for _ in range(2):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(first, layers.Dense(outputs)(x), name=name)


class PointGAN(AdversarialModel):
    """The game of 2014 for points in the plane."""

    def __init__(self, loss="nonsaturating", k=1):
        super().__init__()
        self.generator = dense_network("generator", outputs=2)  # noise to point
        self.discriminator = dense_network("discriminator", outputs=1)  # point to logit
        self.generator_loss, self.k = LOSSES[loss], k
        self.noise_seed = keras.random.SeedGenerator(0)
        self.track("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy")

    @property
    def players(self):
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    @property
    def needs(self):
        return {"point": Images((2,))}  # a point is a picture of two values in [-1, 1]

    def default_optimizers(self):
        return {player: keras.optimizers.Adam(1e-3, beta_1=0.5) for player in self.players}

    def train_step(self, data):
        real = self.read(data)["point"]
        for _ in range(self.k):
            _, d_logs = self.minimize(lambda: self.discriminator_objective(real), "discriminator")
        _, g_logs = self.minimize(lambda: self.generator_objective(real), "generator")
        return self.log(**d_logs, **g_logs)

    def fakes_like(self, real):
        return self.generator(keras.random.normal(ops.shape(real), seed=self.noise_seed))

    def discriminator_objective(self, real):
        real_logits = self.discriminator(real)
        fake_logits = self.discriminator(self.fakes_like(real))
        loss = kdg.losses.minimax_discriminator_loss(real_logits, fake_logits)
        accuracies = kdg.losses.discriminator_accuracies(real_logits, fake_logits)
        return loss, {"d_loss": loss, **accuracies}

    def generator_objective(self, real):
        loss = self.generator_loss(self.discriminator(self.fakes_like(real)))
        return loss, {"g_loss": loss}


# %% [markdown]
# `minimize` moves one player only, so even without `stop_gradient` a step of the discriminator can
# not change the generator. We check it: a learning rate of 0 for the generator, and one step.

# %%
# NBVAL_CHECK_OUTPUT
test = PointGAN()
test.compile(generator_optimizer=keras.optimizers.SGD(0.0))
before = {network.name: network.get_weights() for network in (test.generator, test.discriminator)}
test.train_on_batch({"point": ring(32, np.random.default_rng(0)).astype("float32")})
for network in (test.generator, test.discriminator):
    moved = any(
        (a != b).any() for a, b in zip(before[network.name], network.get_weights(), strict=True)
    )
    print(f"{network.name} moved: {moved}")

# %% [markdown]
# After every round we keep the points of the same noise, and the answer of the discriminator at
# every place of the plane.

# %%
BATCH = 256
NOISE = np.random.default_rng(1).standard_normal((1_000, 2)).astype("float32")
SIDE = np.linspace(-1.1, 1.1, 60)
PLANE = np.stack(np.meshgrid(SIDE, SIDE), axis=-1).reshape(-1, 2).astype("float32")


class Film(keras.callbacks.Callback):
    """Keeps the generated points and the discriminator's field of every round."""

    def on_train_begin(self, logs=None):
        self.points, self.fields = [], []
        self.on_epoch_end(-1)

    def on_epoch_end(self, epoch, logs=None):
        self.points.append(ops.convert_to_numpy(self.model.generator(NOISE)))
        logits = ops.convert_to_numpy(self.model.discriminator(PLANE))
        self.fields.append(sigmoid(logits.reshape(len(SIDE), len(SIDE))))


def play(draw, beta_1=0.5, rate=1e-3, **arguments):
    """Trains a PointGAN on points from `draw`; returns the model, its film and its logs."""
    keras.utils.set_random_seed(0)
    model, film = PointGAN(**arguments), Film()
    model.compile(
        generator_optimizer=keras.optimizers.Adam(rate, beta_1=beta_1),
        discriminator_optimizer=keras.optimizers.Adam(1e-3, beta_1=beta_1),
    )
    points = draw(POINT_ROUND * BATCH, np.random.default_rng(0)).astype("float32")
    history = model.fit(
        {"point": points},
        batch_size=BATCH,
        epochs=POINT_STEPS // POINT_ROUND,
        callbacks=[film],
        verbose=0,
    )
    return model, film, history.history


def show_film(films, rounds=(0, 1, 3, 6, 12, 30)):
    """One row for each film: generated points over the discriminator's field."""
    figure, axes = plt.subplots(
        len(films),
        len(rounds),
        figsize=(2.15 * len(rounds), 2.05 * len(films) + 0.2),
        layout="constrained",
        squeeze=False,
    )
    for row, (title, (film, draw)) in zip(axes, films.items(), strict=True):
        real = draw(400, np.random.default_rng(5))
        row[0].set_ylabel(title)
        for axis, number in zip(row, rounds, strict=True):
            picture = axis.imshow(
                film.fields[number],
                extent=(-1.1, 1.1, -1.1, 1.1),
                origin="lower",
                cmap="RdBu",
                vmin=0.2,
                vmax=0.8,
                alpha=0.75,
            )
            axis.scatter(*real.T, s=1.5, color="#1d7a3a", alpha=0.6, linewidth=0)
            axis.scatter(*film.points[number].T, s=2.5, color="black", linewidth=0)
            axis.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    for axis, number in zip(axes[0], rounds, strict=True):
        axis.set_title(f"step {number * POINT_ROUND:,}", fontsize=10)
    bar = figure.colorbar(
        picture, ax=axes, shrink=0.8, ticks=[0.2, 0.5, 0.8], aspect=30, extend="both"
    )
    bar.set_label("D")
    plt.show()


game, film, log = play(ring)
show_film({"nonsaturating, k = 1": (film, ring)})

# %% [markdown]
# Green points are real, black points are generated. The colour is the discriminator: blue places
# look real to it, red ones do not. Read it as a landscape. In every step the black points move
# uphill, into the blue. Then the discriminator repaints the landscape where they arrived.
#
# Towards the end, the colours fade. Real and generated points lie in the same places in the same
# density, so $p/(p+q)=\tfrac12$, and the best answer is white. Off the ring the colour is
# arbitrary: no point comes there, so nothing teaches the discriminator anything.
#
# In the last panel the points cover the whole ring, but for a handful in the middle, and the field
# is nearly white.
#
# ### Two losses, two values of $k$
#
# The same game four times. We measure the mean distance of a point from the middle line of the
# ring, which has radius
# $\tfrac12(1+\tfrac1{10}\mathbb E\Vert z\Vert)=\tfrac12(1+0.1253)\approx0.563$, and which share of
# the ring the points cover: 36 sectors of 10 degrees, each counted if it holds a point.


# %%
def ring_error(points):
    return np.abs(np.linalg.norm(points, axis=1) - 0.5 * (1 + 0.1 * np.sqrt(np.pi / 2))).mean()


def sectors(points):
    angles = np.arctan2(points[:, 1], points[:, 0])
    return len(np.unique((angles + np.pi) // (2 * np.pi / 36) % 36)) / 36


games = {("nonsaturating", 1): (film, log)}
for loss, k in [("nonsaturating", 5), ("minimax", 1), ("minimax", 5)]:
    _, film, log = play(ring, loss=loss, k=k)
    games[loss, k] = film, log
show_film({f"{loss}, k = {k}": (film, ring) for (loss, k), (film, _) in games.items()})

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.2), layout="constrained")
steps = np.arange(POINT_STEPS // POINT_ROUND + 1) * POINT_ROUND
for (loss, k), (film, log) in games.items():
    style = {"color": colors[loss], "linestyle": "-" if k == 1 else "--"}
    axes[0].plot(steps, [ring_error(points) for points in film.points], **style)
    axes[1].plot(steps, [sectors(points) for points in film.points], **style)
    axes[2].plot(steps[1:], log["d_loss"], label=f"{loss}, k = {k}", **style)
axes[2].axhline(np.log(4), color="0.5", linestyle=":", label=r"$\log 4$")
axes[0].set(title="distance from the ring", xlabel="step", yscale="log")
axes[1].set(title="covered share of the ring", xlabel="step", ylim=(0, 1.05))
axes[2].set(title=r"$L_D$", xlabel="step")
axes[2].legend(frameon=False)
plt.show()
real = ring(1_000, np.random.default_rng(9))
print(f"{'real points':22} distance {ring_error(real):.3f}   covered {sectors(real):.0%}")
for (loss, k), (film, _) in games.items():
    final = film.points[-1]
    print(
        f"{loss + f', k = {k}':22} distance {ring_error(final):.3f}   covered {sectors(final):.0%}"
    )

# %% [markdown]
# All four end as near to the ring as the real points are (0.027), and cover all of it. With $k=5$ the
# points are there after 100 steps, with $k=1$ after 500. The two losses do not differ: with $k=1$
# their curves lie on each other. $L_D$ is at $\log4$ from step 500 on for $k=1$; with $k=5$ the
# discriminator stays a little ahead, and finds something to object to every few hundred steps.
#
# Two things to keep in mind. First, with $k=5$ the discriminator works five times in every step,
# and each step takes longer: compare at equal *time* before you call it better. Second, in the
# plane real and generated points overlap soon, and a small discriminator after one step is far from
# the best one. So the minimax loss has a slope here. Pictures have far more room for "nothing in
# common".
#
# ## The game with pictures
#
# The package's `GAN` on cars of 32 pixels, once with each loss of the generator. Both start from
# the same weights and see the same pictures in the same order.


# %%
def train_gan(loss):
    keras.utils.set_random_seed(0)
    model = kdg.models.GAN(image_shape=(32, 32, 3), units=UNITS, loss=loss)
    model.compile()
    tell = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: print(
            f"step {(epoch + 1) * ROUND:6}   d_loss {logs['d_loss']:.3f}"
            f"   g_loss {logs['g_loss']:+.3f}"
        )
    )
    history = model.fit(
        train.batches(),
        steps_per_epoch=ROUND,
        epochs=STEPS // ROUND,
        callbacks=[kdg.callbacks.SampleGrid(rows=2, columns=16, show=True), tell],
        shuffle=False,
        verbose=0,
    )
    return model, history.history


models, histories = {}, {}
models["nonsaturating"], histories["nonsaturating"] = train_gan("nonsaturating")

# %%
models["minimax"], histories["minimax"] = train_gan("minimax")

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.2), layout="constrained")
steps = np.arange(1, STEPS // ROUND + 1) * ROUND
for name, log in histories.items():
    for axis, key in zip(axes, ("d_loss", "g_loss"), strict=False):
        axis.plot(steps, log[key], colors[name], label=name)
    axes[2].plot(steps, log["d_real_accuracy"], colors[name], label=f"{name}, real")
    axes[2].plot(steps, log["d_fake_accuracy"], colors[name], linestyle="--", label="... fake")
for axis, marks in zip(axes, ([np.log(4)], [np.log(2), -np.log(2)], [0.5]), strict=True):
    for mark in marks:
        axis.axhline(mark, color="0.5", linestyle=":", linewidth=1)
    axis.set_xlabel("step")
axes[0].set_title(r"$L_D$, dotted: $\log4$")
axes[1].set_title(r"$L_G$, dotted: $\pm\log2$")
axes[2].set(title="what D names correctly", ylim=(-0.03, 1.03))
axes[0].legend(frameon=False)
axes[2].legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# **Who wins?** Do not compare the two curves of $L_G$ with each other: they are different
# quantities, with different marks. For both the dotted line means "D guesses". Above the line for
# nonsaturating, and between $-\log2$ and 0 for minimax, the discriminator is ahead.
#
# The discriminator is ahead in both trainings, and its lead becomes smaller: in the last round it
# names 63 % of the pictures of the nonsaturating training correctly, and about 74 % of the other. At
# step 600 the minimax training was close to the end that was feared: 92 % correct, and a loss of the
# generator of -0.05, almost 0. It came back.
#
# $L_D=1.45$ in the first training is *more* than guessing would cost, with 63 % correct answers. So
# this discriminator is often wrong, and sure of it.
#
# ### The pictures, looked at critically
#
# The same noise for both.

# %%
figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
for axis, (name, model) in zip(axes, models.items(), strict=True):
    axis.imshow(kdg.plotting.image_grid(model.generate(40, seed=4), columns=8))
    axis.set_title(name)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Cars from the side, from three quarters, and from front or rear can be told. There are no wheels, no
# lamps, and hardly any paint: the cars are black or grey, on white or grey. Grain is everywhere.
# Neither loss is better at first sight. Both trainings are short: 1,500 steps see each of the 20,000
# cars about twice.
#
# What to look for, whatever the result:
#
# - *Grain.* A dense layer does not know which pixels are neighbours. It has to learn the value of
#   each pixel by itself, and small independent errors look like grain. Convolutions know their
#   neighbours; that is what DCGAN added.
# - *Repetition.* Are there pictures that look alike from different noise? Count them.
# - *Views.* Side views fill the most pixels with the same wheels and the same line of the roof. Are
#   front and rear there as well?
#
# A number for repetition: the mean distance between two pictures, as the root of the mean squared
# difference of their pixels, beside that of real pictures.

# %%
from keras_design_gans.callbacks.health_check import spread

real = train.take(126)["image"]
print(f"{'real cars':16} {spread(real):.3f}")
for name, model in models.items():
    print(f"{name:16} {spread(model.generate(126, seed=4)):.3f}")

# %% [markdown]
# Both generators vary by a fifth less than real cars (0.47 and 0.48 beside 0.60): they repeat
# themselves, and the bright paints are missing.
#
# ## What goes wrong, and how to see it
#
# ### The discriminator wins
#
# Is it true that the minimax loss has no gradient when the discriminator wins? Arjovsky and Bottou
# (2017) tested it: they stopped the generator, trained the discriminator further, and measured the
# gradient that a generated picture gets. We do the same. The generator has the learning rate 0, so
# only the discriminator learns. For each loss the measure is the mean length of
#
# $$g=\frac{\partial}{\partial x}L_G\big(D(x)\big)\quad\text{at}\quad x=G(z)$$
#
# It is the wish that reaches the pixels of one picture.


# %%
def wish(model, images, loss):
    """Mean length of the gradient of a generator's loss at each picture."""

    def total(x):  # the losses are means over the batch
        return len(images) * loss(model.discriminator(x, training=False))

    gradients = ops.convert_to_numpy(model.input_gradients(total, ops.convert_to_tensor(images)))
    return np.linalg.norm(gradients.reshape(len(images), -1), axis=1).mean()


frozen = models["nonsaturating"]
frozen.compile(
    generator_optimizer=keras.optimizers.SGD(0.0),
    discriminator_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
fakes = frozen.generate(64, seed=7)
LOOK = 2 if QUICK else 25  # steps between two measurements
lengths = {name: [] for name in LOSSES}
answers = []
for look in range(3 if QUICK else 17):
    if look:
        frozen.fit(
            train.batches(start=look * LOOK),
            steps_per_epoch=LOOK,
            shuffle=False,
            verbose=0,
        )
    for name, loss in LOSSES.items():
        lengths[name].append(wish(frozen, fakes, loss))
    answers.append(sigmoid(frozen.discriminator.predict(fakes, verbose=0)).mean())
print("the generator stood still:", np.array_equal(fakes, frozen.generate(64, seed=7)))

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.3), layout="constrained")
steps = np.arange(len(answers)) * LOOK
axes[0].semilogy(steps, answers, "0.3")
axes[0].set(title="mean D of the generated pictures")
for name, values in lengths.items():
    axes[1].semilogy(steps, values, colors[name], marker="o", markersize=4, label=name)
axes[1].set(title="length of the gradient at a picture")
axes[1].legend(frameon=False)
for axis in axes:
    axis.set_xlabel("further steps of the discriminator alone")
plt.show()
for name, values in lengths.items():
    print(f"{name:14} first {values[0]:.4f}   last {values[-1]:.4f}")

# %% [markdown]
# While the mean of $D$ falls from 0.55 to 0.000005, the gradient of the minimax loss falls from 0.46
# to 0.00001. The other one *grows*, from 0.38 to 2.2.
#
# The two curves differ by a factor that you know already: for one picture, the gradients are $-D$
# and $-(1-D)$ times the *same* slope of the logit. So their ratio is $D/(1-D)=e^{\ell}$. As soon as
# the discriminator is sure, the minimax gradient is tiny beside the other: at $\ell=-7$ it is less
# than a thousandth of it.
#
# The other loss is not innocent. Its gradient need not vanish, but it is the slope of a network
# that has already decided, and it can become large and wild. That is one reason for the helpers of
# notebook 1 (noise before the discriminator, label smoothing), and for the Wasserstein loss, which
# replaces $JS$ by a distance that has a slope everywhere.
#
# ### Mode collapse
#
# Nothing in $L_G$ asks for *variety*. Each point is rewarded for standing in a blue place, and if
# all stand in the same one, each gets the full reward. Only the discriminator can object, in its
# next step: it paints this place red. Then all move to the next blue place together.
#
# To see it, let the real points lie in eight small heaps (*modes*). A heap is **hit** if at least
# one in a hundred of the generated points lies within 0.1 of its centre. We play three times. The
# first two differ in one number of the optimizers only, Adam's `beta_1`: 0.5, as in all GANs of
# this package, and Keras' usual 0.9. In the third, the generator also has twice the learning rate.

# %%
ANGLES = 2 * np.pi * np.arange(8) / 8
CENTRES = 0.7 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def heaps(n, rng):
    return CENTRES[rng.integers(8, size=n)] + 0.02 * rng.standard_normal((n, 2))


def modes_hit(points):
    distances = np.linalg.norm(points[:, None] - CENTRES, axis=2)
    hits = distances.argmin(axis=1)[distances.min(axis=1) < 0.1]
    return int((np.bincount(hits, minlength=8) >= 0.01 * len(points)).sum())


films = {}
for label, options in {
    "beta_1 = 0.5": {"beta_1": 0.5},
    "beta_1 = 0.9": {"beta_1": 0.9},
    "0.9, fast G": {"beta_1": 0.9, "rate": 2e-3},
}.items():
    films[label] = play(heaps, **options)[1]
show_film({label: (film, heaps) for label, film in films.items()})

# %%
figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
steps = np.arange(POINT_STEPS // POINT_ROUND + 1) * POINT_ROUND
for (label, film), color in zip(films.items(), ("C0", "C1", "C3"), strict=True):
    hit = [modes_hit(points) for points in film.points]
    axis.step(steps, hit, color, where="post", label=label)
    print(f"{label}: heaps hit in every third round {hit[::3]}")
axis.set(xlabel="step", ylabel="heaps hit, of 8", ylim=(-0.2, 8.4))
axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# With 0.5 all eight heaps are hit from step 400 on. With 0.9 it is one or two until step 1,100, and all
# from step 1,300 on. The third game never hits more than two: the points jump from place to place,
# all together.
#
# The thin threads of points between the heaps are another matter. A generator is a continuous
# function, so it can not tear the one cloud of noise into eight pieces. It is what happened near
# $z=0$ in notebook 6.
#
# Why does momentum do this? Adam with $\beta_1=0.9$ moves along the mean gradient of about the last
# $1/(1-0.9)=10$ steps, with $0.5$ of about the last 2. In ordinary training old gradients are good
# advice, because the landscape stands still. Here the opponent repaints it at every step. Old
# advice leads to where the reward *was*, both players overshoot, and the chase goes round in
# circles.
#
# In pictures, nobody can count the modes like this. What helps: a large grid from different noise,
# the spread from above, and `kdg.callbacks.HealthCheck()`, which watches the spread in training.
#
# Other mistakes, and how they show:
#
# - *One step for both players at once*, with the sum of both losses. The wishes cancel. `minimize`
#   takes the name of a player, so that this can not happen by accident.
# - *A sigmoid at the end of the discriminator and logits in the loss.* Then $\ell$ lies in $(0,1)$,
#   $L_D$ can not fall below 1.0064, and both accuracies stand still: 1 for real, 0 for fakes.
# - *Data in [0, 255] or [0, 1] against a generator that ends with tanh.* The discriminator wins by
#   the range alone. Here `fit` refuses such data with a message.
#
# ## Exercises
#
# 1. $p=(\tfrac12,\tfrac12)$ and $q=(1,0)$: compute $D^*$, $V(D^*)$ and $JS$ by hand.
# 2. In exercise 1 the generator makes only one of two designs. What does $JS$ say, and what does
#    $KL(p\Vert q)$ say?
# 3. $L_D=\log4$ and both accuracies are 0.5. Name two situations with these numbers, and say how to
#    tell them apart.
# 4. Check the number 1.0064 of the list above.
# 5. Give `PointGAN` a generator that starts far away: add 5 to its output. Which of the two losses
#    finds the ring? Measure `wish` on the first steps.
# 6. The game has an equilibrium, but gradient steps need not reach it. Play $\min_a\max_b ab$ with
#    steps of 0.1 from $a=b=1$: what happens to $a^2+b^2$?
#
# <details><summary>Answers</summary>
#
# 1. $D^*=(\tfrac12/\tfrac32,\ \tfrac12/\tfrac12)=(\tfrac13,1)$.
#    $V=\tfrac12\log\tfrac13+\tfrac12\log1 +\log\tfrac23=-0.5493-0.4055=-0.9548$.
#    $JS=(V+\log4)/2=0.2158$.
# 2. $JS=0.2158$, about a third of its highest value: a collapsed generator is punished, but not
#    much. $KL(p\Vert q)$ is infinite, since $q$ never makes what $p$ makes in half of the cases.
#    The VAE of notebook 6 minimises a bound on such a $KL$: it would rather blur than leave out.
# 3. The very start, when D knows nothing, and the end, when the pictures are right. Also a D that
#    is too small or broken. Look at the pictures; or train D alone for some steps: if it then can
#    tell real from fake, there was something to know.
# 4. Best are $\ell=1$ for real and $\ell=0$ for fakes:
#    $\log(1+e^{-1})+\log2=0.3133+0.6931=1.0064$. Accuracies count $\ell>0$ as "real", so all
#    pictures are called real.
# 5. The ratio of the gradients is $D/(1-D)$. The further away the points, the surer D. You should
#    see the minimax gradient fade while the other one stays.
# 6. $a\leftarrow a-0.1\,b$, $b\leftarrow b+0.1\,a$ at the same time: $a^2+b^2$ grows by the factor
#    $1.01$ in every step. The players run in circles that become wider. With steps in turn, as in
#    `train_step`, the circles stay bounded, and still do not arrive.
#
# </details>
#
# ## What the paper reported, and what came out here
#
# | | Goodfellow et al. 2014 | here |
# | --- | --- | --- |
# | theory | $D^*=p/(p+q)$, $V(D^*)=-\log4+2\,JS$ | both checked on four designs and on intervals |
# | data | MNIST, Toronto faces, CIFAR-10 | points in the plane; drawn cars of 32 pixels |
# | networks | dense layers with maxout and dropout (and a convolutional one for CIFAR-10) | dense layers with maxout and dropout |
# | $k$ | 1, "the least expensive option" | 1 and 5 in the plane: 5 is there in a fifth of the steps, then both are equal; 1 for cars |
# | loss of the generator | non-saturating, for stronger gradients early in learning | both: no difference, as long as the discriminator does not win; then one gradient vanishes and the other does not |
# | mode collapse | warned of, as "the Helvetica scenario" | heaps hit in three games: 8, 8 (late), at most 2 |
# | score | log likelihood by Parzen windows | not measured; it is known to mislead |
#
# The proof of the paper assumes a discriminator without limits that is trained to its best, and
# distributions that can be changed at will. Networks have neither. What the proof gives is a
# direction, not a promise. One seed each: the plane is small enough that you can try ten.
#
# ## Where to go next
#
# - `design-gans train gan` trains this model on cars of 64 pixels, `design-gans train dcgan` the
#   one with convolutions.
# - `design-gans train wgan` plays with another distance, which has a slope where $JS$ has none.
# - [Notebook 6](06_vae.ipynb): a generator without an opponent.
# - Read `keras_design_gans/models/gan.py`: the whole paper in one file.
