# %% [markdown]
# # 6. VAE: a car through 32 numbers
#
# **The question.** A picture of a car of 64 x 64 pixels is a list of 12,288 numbers. A network must
# squeeze it through **32** numbers and draw it again on the other side. What does it remember, and
# what does it let go? And if we now make up 32 numbers by chance: does it draw a car that nobody
# has built?
#
# A *variational autoencoder* (VAE; Kingma and Welling 2014) does both. It has no opponent, unlike a
# GAN: one loss, and lower is better. You derive this loss line by line and check every term. Then
# you train, look into the 32 numbers, and break the model in its best-known way.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or "jax", or "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log lines of TensorFlow
QUICK = os.environ.get("KDG_QUICK") == "1"  # tiny sizes, for automatic tests

# %%
import inspect
import logging
import shutil
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

import keras_design_gans as kdg

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
SIZE = 32 if QUICK else 64  # side of the pictures in pixels
FILTERS = 4 if QUICK else 64 if GPU else 32  # width of the networks
STEPS = 10 if QUICK else 8_000 if GPU else 2_000  # length of the main training
ROUND = STEPS // 10  # steps between two looks at the pictures
LATENT = 32  # the numbers in the middle
PICTURES = 64 if QUICK else 1_000  # pictures that are measured
plt.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}

# %% [markdown]
# The cars are drawn by the package: seven bodies, seen from six sides. One row is one body here,
# one column is one view.

# %%
train = kdg.datasets.load(
    "cars", image_size=SIZE, batch_size=32, num_examples=252 if QUICK else None
)
test = kdg.datasets.load(
    "cars", "test", image_size=SIZE, batch_size=32, num_examples=84 if QUICK else None
)
bodies, views = train.class_names["body"], train.class_names["view"]
some = train.take(42)
order = np.lexsort((some["view"], some["body"]))
print("from left to right:", ", ".join(views))
kdg.plotting.show_images(
    some["image"][order],
    columns=6,
    titles=[bodies[some["body"][n]] for n in order],
)

# %% [markdown]
# Before you read on, guess: which would *you* write down, if you had 32 numbers for a picture? The
# view, the body, the colour of the paint, the height of the roof, the number of spokes ...
#
# ## Why simple noise is enough
#
# The second half of the network, the **decoder**, turns a list of numbers $z$ into a picture. If
# $z$ is drawn from the simplest distribution, $N(0,I)$, independent bell curves, can it reach a
# distribution that is not simple at all? Doersch (2016) shows it in the plane: the function
#
# $$g(z)=\frac z{10}+\frac z{\Vert z\Vert}$$
#
# turns the round cloud $z\sim N(0,I)$ into a ring. $\Vert z\Vert$ is the length of $z$. The second
# term puts every point on the circle of radius 1, the first moves it a little outwards. We let a
# small network learn $g$ from examples. (This is ordinary regression. The VAE comes later.)


# %%
def g(z):
    return z / 10 + z / np.linalg.norm(z, axis=-1, keepdims=True)


keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
plane = keras.Sequential(
    [
        keras.Input((2,)),
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(2),
    ]
)
plane.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse")
z = rng.standard_normal((2_560 if QUICK else 51_200, 2)).astype("float32")
plane.fit(z, g(z), batch_size=256, epochs=2 if QUICK else 15, verbose=0)

z = rng.standard_normal((3_000, 2)).astype("float32")
drawn = plane.predict(z, verbose=0)
radii = np.geomspace(0.003, 3, 24)  # the same number of test points at every distance from 0
angles = rng.uniform(0, 2 * np.pi, (24, 400))
circles = radii[:, None, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
circles = circles.reshape(-1, 2).astype("float32")
errors = np.linalg.norm(plane.predict(circles, batch_size=1_024, verbose=0) - g(circles), axis=1)
errors = errors.reshape(24, 400)

# %%
figure, axes = plt.subplots(1, 4, figsize=(13, 3.5), layout="constrained")
hue = np.arctan2(z[:, 1], z[:, 0])
small = np.linalg.norm(z, axis=1) < 0.1
for axis, points, title in zip(
    axes, (z, g(z), drawn), ("$z$", "$g(z)$", "the network"), strict=False
):
    axis.scatter(*points.T, c=hue, cmap="hsv", s=3, linewidth=0)
    axis.scatter(*points[small].T, color="C1", s=22, edgecolor="black", linewidth=0.5)
    limit = 3.5 if points is z else 1.7
    axis.set(title=title, aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
axes[3].loglog(radii, errors.mean(axis=1), "C0", linewidth=2)
axes[3].fill_between(radii, *np.quantile(errors, [0.1, 0.9], axis=1), alpha=0.2, linewidth=0)
axes[3].axvspan(radii[0], 0.1, color="C1", alpha=0.15, linewidth=0)
axes[3].axhline(1, color="0.5", linestyle=":", linewidth=1)
axes[3].set(title="error of the network", xlabel=r"$\Vert z\Vert$", xlim=(radii[0], 4))
plt.show()
print(f"mean error at |z| = {radii[0]:.3f}: {errors[0].mean():.2f}")
print(f"mean error at |z| = {radii[-5]:.2f}: {errors[-5].mean():.3f}")

# %% [markdown]
# The colour is the angle of $z$, so one sees where every point went. The orange points began
# within $\Vert z\Vert<0.1$.
#
# **Near $z=0$ it must fail.** Take two points close to 0, on opposite sides. $g$ sends them to
# opposite ends of the ring, a distance of 2 apart. A network is a *continuous* function with
# bounded slopes: close points stay close. So in the middle it gives something between, near 0,
# which is 1 away from every point of the ring. The curve on the right rises towards 1 on the left
# side. Yet the mean error hardly notices, because few points begin there:
# $P(\Vert z\Vert<r)=1-e^{-r^2/2}$.

# %%
# NBVAL_CHECK_OUTPUT
many = np.linalg.norm(np.random.default_rng(3).standard_normal((1_000_000, 2)), axis=1)
for radius in (0.05, 0.1, 0.5):
    print(
        f"P(|z| < {radius}): formula {1 - np.exp(-(radius**2) / 2):.4f}"
        f"   counted {(many < radius).mean():.3f}"
    )

# %% [markdown]
# Keep this in mind for the cars. Two things follow. First: *a decoder can turn simple noise into
# almost any shape*, so $N(0,I)$ is no restriction. Second: *where the data fall apart into pieces,
# the decoder has to draw something between them*.
#
# ## The equations
#
# ### What we want
#
# - $x$ is a picture, $P$ numbers. $z$ is the **latent vector**, here 32 numbers.
# - $p(z)=N(0,I)$ is the **prior**: how $z$ is drawn when we invent a car.
# - $p(x|z)=N(\hat x(z),I)$ is the **decoder**: the network draws $\hat x(z)$, and the picture is
#   that plus independent noise of variance 1 at every number.
# - $p(x)=\int p(x|z)\,p(z)\,dz$ is the probability (density) that this machine draws $x$.
#
# A good machine gives the training pictures a large $\log p(x)$. But nobody can compute the
# integral over all $z$. Nearly every $z$ draws another car, so drawing $z$ by chance would need
# ages to find one that fits $x$. The way out is to *guess* which $z$ fit:
#
# - $q(z|x)=N(\mu,\operatorname{diag}\sigma^2)$ is the **encoder**: a network that looks at $x$ and
#   gives 32 means $\mu$ and 32 variances $\sigma^2$.
# - $p(z|x)=p(x|z)\,p(z)/p(x)$ is the **posterior**: which $z$ really fit. Nobody can compute it
#   either, because of $p(x)$.
#
# ### The bound, step by step
#
# How wrong is the guess? The Kullback-Leibler divergence tells:
#
# $$KL\big(q(z|x)\,\Vert\,p(z|x)\big)=\mathbb E_{z\sim q}\big[\log q(z|x)-\log p(z|x)\big]$$
#
# Put in the definition of the posterior. $\log p(x)$ does not depend on $z$ and leaves the mean:
#
# $$=\mathbb E_{z\sim q}\big[\log q(z|x)-\log p(x|z)-\log p(z)\big]+\log p(x)$$
#
# The first and the third term together are another divergence, from the prior:
#
# $$=KL\big(q(z|x)\,\Vert\,p(z)\big)-\mathbb E_{z\sim q}\log p(x|z)+\log p(x)$$
#
# Move $\log p(x)$ to the left side:
#
# $$\log p(x)-\underbrace{KL\big(q(z|x)\,\Vert\,p(z|x)\big)}_{\ge0,\ \text{unknown}}
# =\underbrace{\mathbb E_{z\sim q}\log p(x|z)-KL\big(q(z|x)\,\Vert\,p(z)\big)}_{\text{ELBO: can be
# computed}}$$
#
# A divergence is never negative. So the right side is at most $\log p(x)$: it is the *evidence
# lower bound*, ELBO. To make it large does two things at once: it raises $\log p(x)$, and it makes
# the guess better. They are equal only when the guess is the true posterior.
#
# The loss is minus the ELBO. With
# $\log p(x|z)=-\tfrac12\Vert x-\hat x(z)\Vert^2-\tfrac P2\log2\pi$, and without the constant,
#
# $$L=\mathbb E_x\Big[\underbrace{\mathbb E_{z\sim q}\tfrac12\Vert x-\hat x(z)\Vert^2}_{L_{rec}:\ \text{draw it again}}
# +\beta\underbrace{KL\big(q(z|x)\,\Vert\,N(0,I)\big)}_{L_{KL}:\ \text{say
# little}}\Big],\qquad\beta=1$$
#
# $\beta$ is `kl_weight` in the package. It is 1 in the derivation; we will play with it at the end.
# All sums run over *all* numbers of a picture and *all* latent numbers.
#
# ### The second term by hand
#
# For normal distributions the divergence has a formula, a sum over the latent numbers $j$:
#
# $$L_{KL}=\tfrac12\sum_j\big(\mu_j^2+\sigma_j^2-1-\log\sigma_j^2\big)$$
#
# Three ways to get the same number: the formula, the package, and a sum over a fine grid of
# $q\log(q/p)$.


# %%
# NBVAL_CHECK_OUTPUT
def normal(z, mean, variance):
    return np.exp(-((z - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def kl_by_hand(mean, variance):
    return 0.5 * (mean**2 + variance - 1 - np.log(variance))


z = np.linspace(-20, 20, 40_001)
print(" mean  variance   by hand    package   on a grid")
for mean, variance in [(0.0, 1.0), (1.0, 1.0), (0.0, np.e), (0.0, 4.0), (2.0, 0.1)]:
    q = normal(z, mean, variance)
    log_ratio = np.log(q + 1e-300) - np.log(normal(z, 0, 1))
    package = kdg.losses.kl_to_standard_normal([[mean]], [[np.log(variance)]])
    print(
        f"{mean:5.1f} {variance:9.4f} {kl_by_hand(mean, variance):10.6f}"
        f" {float(package):10.6f} {np.sum(q * log_ratio) * (z[1] - z[0]):10.6f}"
    )

# %% [markdown]
# The first line is the cheapest answer: "I say nothing about this picture". A mean away from 0
# costs, and so does a variance other than 1. A *small* variance is a precise statement, and
# precision costs most (the last line). $L_{KL}$ is the price of memory.
#
# ### The whole bound on a case that can be solved
#
# One number $z\sim N(0,1)$, one "pixel" $x=az+\text{noise}$ with $a=2$ and noise of variance 1.
# Here everything is known: $p(x)=N(0,a^2+1)$ and the posterior is
# $N\big(\tfrac{ax}{a^2+1},\tfrac1{a^2+1}\big)$. For $x=3$ that is $N(1.2,\,0.2)$. For a guess
# $q=N(m,s^2)$,
#
# $$L_{rec}=\mathbb E_{\epsilon}\tfrac12\big(x-a(m+s\epsilon)\big)^2=\tfrac12\big((x-am)^2+a^2s^2\big)$$
#
# For the package we need a batch of noise $\epsilon$. As the loss is a square, the two values $+1$
# and $-1$ have exactly the mean of all noise. Does the bound plus the error of the guess give
# $\log p(x)$, whatever the guess?


# %%
# NBVAL_CHECK_OUTPUT
a, x = 2.0, 3.0
true_mean, true_variance = a * x / (a**2 + 1), 1 / (a**2 + 1)
noise = np.array([[1.0], [-1.0]])


def both_losses(mean, variance):
    """L_rec and L_KL of the package."""
    decoded = a * (mean + np.sqrt(variance) * noise)
    reconstruction = kdg.losses.gaussian_reconstruction_loss(np.full((2, 1), x), decoded)
    kl = kdg.losses.kl_to_standard_normal([[mean]], [[np.log(variance)]])
    return float(reconstruction), float(kl)


print(f"log p(x) = {np.log(normal(x, 0, a**2 + 1)):.4f}\n")
print("guess q          L_rec hand  package   L_KL     ELBO   error of q   ELBO + error")
for mean, variance in [(1.2, 0.2), (1.2, 1.0), (0.0, 0.2), (0.0, 1.0), (1.0, 0.4)]:
    rec, kl = both_losses(mean, variance)
    by_hand = 0.5 * ((x - a * mean) ** 2 + a**2 * variance)
    elbo = -rec - kl - 0.5 * np.log(2 * np.pi)
    ratio = variance / true_variance
    error = 0.5 * (ratio - 1 - np.log(ratio) + (mean - true_mean) ** 2 / true_variance)
    print(
        f"N({mean:.1f}, {variance:.1f}) {by_hand:15.4f} {rec:8.4f} {kl:6.4f} {elbo:8.4f}"
        f" {error:12.4f} {elbo + error:14.4f}"
    )

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
z = np.linspace(-2.5, 3.5, 300)
axes[0].plot(z, normal(z, 0, 1), "0.5", label="prior $p(z)$")
axes[0].plot(z, normal(z, true_mean, true_variance), "C0", label="posterior $p(z|x)$")
axes[0].plot(z, normal(z, 1.0, 0.4), "C1--", label="a guess, N(1, 0.4)")
axes[0].set(xlabel="$z$", ylabel="density")
axes[0].legend(frameon=False, loc="upper left")
means = np.linspace(-0.5, 3, 100)
for variance, color in ((0.2, "C0"), (0.4, "C1"), (1.0, "C2")):
    rec = 0.5 * ((x - a * means) ** 2 + a**2 * variance)
    bound = -rec - kl_by_hand(means, variance) - 0.5 * np.log(2 * np.pi)
    axes[1].plot(means, bound, color, label=f"variance {variance}")
axes[1].axhline(np.log(normal(x, 0, a**2 + 1)), color="black", linestyle=":", label=r"$\log p(x)$")
axes[1].set(xlabel="mean of the guess", ylabel="ELBO", ylim=(-9, -1.8))
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The last column is always $\log p(x)$. Right: the bound stays below the dotted line and touches it
# in one point, at the true mean and the true variance.
#
# ### How a gradient passes through chance
#
# $L_{rec}$ contains a $z$ that is drawn by chance. How should the encoder know in which direction
# to change $\mu$ and $\sigma$? By the trick of the paper, the *reparameterisation*: draw
# $\epsilon\sim N(0,I)$ first, which depends on no network, and then compute
#
# $$z=\mu+\sigma\odot\epsilon,\qquad\sigma=e^{\frac12\log\sigma^2}$$
#
# Now $z$ is an ordinary function of $\mu$ and $\log\sigma^2$, and gradients pass. In the example
#
# $$\frac{\partial L_{rec}}{\partial\mu}=-a(x-a\mu),\quad
# \frac{\partial L_{rec}}{\partial\log\sigma^2}=\tfrac12a^2\sigma^2,\quad
# \frac{\partial L_{KL}}{\partial\mu}=\mu,\quad
# \frac{\partial L_{KL}}{\partial\log\sigma^2}=\tfrac12(\sigma^2-1)$$
#
# We compare the sums with automatic differentiation *through the noise*, and with small steps.
# (`input_gradients` is a method of every model of the package. The model's weights play no part
# here.)

# %%
# NBVAL_CHECK_OUTPUT
paper = kdg.models.VAE()
epsilon = ops.convert_to_tensor(noise.astype("float32"))


def loss_of(guess):
    """L for one row (mean, log variance), with the noise of the table above."""
    latent = guess[:, :1] + ops.exp(0.5 * guess[:, 1:]) * epsilon
    reconstruction = kdg.losses.gaussian_reconstruction_loss(x * ops.ones_like(latent), a * latent)
    return reconstruction + kdg.losses.kl_to_standard_normal(guess[:, :1], guess[:, 1:])


def row(values):
    return ops.convert_to_tensor(np.array([values], "float32"))


print(
    "guess q        d/d mean: formula  autodiff   steps    d/d log var: formula  autodiff   steps"
)
for mean, variance in [(0.0, 1.0), (1.2, 1.0), (1.2, 0.2)]:
    here = np.array([mean, np.log(variance)])
    formula = -a * (x - a * mean) + mean, 0.5 * a**2 * variance + 0.5 * (variance - 1)
    autodiff = ops.convert_to_numpy(paper.input_gradients(loss_of, row(here)))[0]
    step = 0.05 * np.eye(2)
    by_steps = [(float(loss_of(row(here + h))) - float(loss_of(row(here - h)))) / 0.1 for h in step]
    line = f"N({mean:.1f}, {variance:.1f})"
    for number, width in ((0, 23), (1, 27)):
        values = formula[number], autodiff[number], by_steps[number]
        values = [round(float(value), 2) + 0.0 for value in values]  # + 0.0 makes 0 of -0
        line += f"{values[0]:{width}.2f} {values[1]:9.2f} {values[2]:7.2f}"
    print(line)

# %% [markdown]
# The last line is the true posterior: no slope in any direction. The encoder has arrived.
#
# Is the trick needed? One can also weigh each drawn $z$ with the slope of its log probability,
# $\tfrac12(x-az)^2\cdot\tfrac{z-\mu}{\sigma^2}$ (the *score function* estimator). Its mean is the
# same gradient of $L_{rec}$. But look at the spread.

# %%
z = 0.0 + 1.0 * np.random.default_rng(4).standard_normal(20_000)  # the guess N(0, 1)
through_noise = -a * (x - a * z)
score_function = 0.5 * (x - a * z) ** 2 * z
figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
for values, label, color in (
    (through_noise, "through the noise", "C0"),
    (score_function, "score function", "C1"),
):
    axis.hist(values, np.linspace(-60, 40, 120), alpha=0.6, color=color, label=label)
    print(f"{label:18} mean {values.mean():6.2f}   standard deviation {values.std():5.2f}")
axis.axvline(-a * x, color="black", linestyle=":", label="true gradient")
axis.set(xlabel=r"gradient with respect to $\mu$, from one $z$", yticks=[])
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# Both are right on average. With the trick, one $z$ for each picture is enough, and that is what
# the package draws.
#
# ## The networks
#
# The encoder halves the side until it is 4, the decoder doubles it back. These are the networks of
# the package for 64 pixels.

# %%
# NBVAL_CHECK_OUTPUT
for network in (paper.encoder, paper.decoder):
    print(network.name, "from", network.input_shape[1:])
    for layer in network.layers:
        if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose, layers.Dense)):
            name = layer.name if layer.name in ("mean", "log_variance") else ""
            print(f"   {type(layer).__name__:16} {name:13}{layer.output.shape[1:]}")
print(f"{paper.encoder.count_params() + paper.decoder.count_params():,} numbers to learn")

# %% [markdown]
# The encoder has two ends, `mean` and `log_variance`. It gives the *logarithm* of the variance,
# since a network may output any number, and a variance must be positive. Ours has 32 latent numbers
# in the place of 100.
#
# ## The training step
#
# There is one player, the *autoencoder*, which owns both networks:

# %%
print(inspect.getsource(kdg.models.VAE.train_step))
print(inspect.getsource(kdg.models.VAE.objective))

# %% [markdown]
# Read `objective` beside the equations:
#
# 1. `self.encoder(...)` gives $\mu$ and $\log\sigma^2$, one row for each picture.
# 2. `self.sample_noise(...)` draws $\epsilon$. The next line is $z=\mu+\sigma\odot\epsilon$.
# 3. `gaussian_reconstruction_loss` decodes $z$ and compares with the picture: $L_{rec}$, with one
#    $z$ for each picture.
# 4. `kl_to_standard_normal` is the formula of the table above.
# 5. `minimize(..., "autoencoder")` moves both networks together. Nobody fights.
#
# ## Training

# %%
keras.utils.set_random_seed(0)
model = kdg.models.VAE((SIZE, SIZE, 3), latent_dim=LATENT, base_filters=FILTERS)
model.compile(autoencoder_optimizer=keras.optimizers.Adam(1e-3))
tell = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: print(
        f"step {(epoch + 1) * ROUND:6}   reconstruction {logs['reconstruction_loss']:7.1f}"
        f"   KL {logs['kl_divergence']:5.1f}"
    )
)
start = time.monotonic()
history = model.fit(
    train.batches(),
    steps_per_epoch=ROUND,
    epochs=STEPS // ROUND,
    callbacks=[kdg.callbacks.SampleGrid(rows=2, columns=12, show=True), tell],
    shuffle=False,
    verbose=0,
)
seconds = time.monotonic() - start
print(f"{seconds:.0f} seconds")

# %%
kdg.plotting.plot_history(history, steps_per_epoch=ROUND)

# %% [markdown]
# This is a loss that one may believe. It falls, and that *is* progress. Does it also hold for cars
# that the network has never seen? `evaluate` on the test split says it:

# %%
for name, split in {"training": train, "test": test}.items():
    part = {"image": split.take(min(PICTURES, split.num_examples))["image"]}
    scores = model.evaluate(part, batch_size=32, return_dict=True, verbose=0)
    print(f"{name:9}" + "".join(f"   {key} {value:.1f}" for key, value in scores.items()))

# %% [markdown]
# The loss of test cars is that of training cars (162.6 and 163.3): nothing is learned by heart.
#
# ### What is remembered
#
# Test cars, and what comes back through 32 numbers. Is that good? As a yardstick we give 32 numbers
# to a method without any network: PCA, the best *linear* squeeze. It finds the 32 directions in the
# space of pixels along which the pictures differ most.

# %%
known = train.take(min(3 * PICTURES, train.num_examples))
unseen = test.take(min(PICTURES, test.num_examples))


def rows(images):
    return images.reshape(len(images), -1)


linear = PCA(LATENT, random_state=0).fit(rows(known["image"]))


def through_pca(images):
    codes = linear.transform(rows(images))
    return np.clip(linear.inverse_transform(codes), -1, 1).reshape(images.shape)


chosen = np.array([0, 8, 16, 24, 32, 40, 5, 13, 21, 29])
cars = unseen["image"][chosen]
back = model.reconstruct(cars)
kdg.plotting.show_images(
    np.concatenate([cars, through_pca(cars), back]).astype("float32"),
    columns=10,
    titles=["test car"] + [""] * 9 + ["PCA"] + [""] * 9 + ["VAE"] + [""] * 9,
)

# %%
mean_picture = np.broadcast_to(known["image"].mean(axis=0), unseen["image"].shape)
for name, images in {
    "the mean picture": mean_picture,
    "PCA": through_pca(unseen["image"]),
    "VAE": model.reconstruct(unseen["image"]),
}.items():
    half_squares = 0.5 * np.sum((rows(unseen["image"]) - rows(images)) ** 2, axis=1)
    print(f"{name:17} half the sum of squares {half_squares.mean():7.1f}")

# %% [markdown]
# Through 32 numbers the VAE is at 121, PCA at 174, and to answer with the mean of all cars costs 1,294.
# The eye agrees: PCA has ghosts, the outlines of other views shine through. The VAE decides on one car,
# and draws it softly. Paint is a weak point: it returns the green car as blue, and the yellow one as
# orange.
#
# ### How many numbers does it use?
#
# $L_{KL}$ is a sum over the 32 numbers, so we can ask what each one costs. A number with a cost of
# 0 says nothing: the encoder gives $\mu=0$, $\sigma=1$ for every picture. The unit is the *nat*;
# divide by $\log2$ for bits.

# %%
means, log_variances = model.encode(unseen["image"])
price = 0.5 * (means**2 + np.exp(log_variances) - 1 - log_variances).mean(axis=0)
ranks = np.argsort(-price)
figure, axis = plt.subplots(figsize=(9, 2.8), layout="constrained")
axis.bar(np.arange(1, LATENT + 1), price[ranks], color="C0")
axis.set(xlabel="latent numbers, most expensive first", ylabel="nats", xlim=(0.3, LATENT + 0.7))
plt.show()
print(f"used (more than 0.1 nats): {(price > 0.1).sum()} of {LATENT}")
print(f"all together {price.sum():.1f} nats = {price.sum() / np.log(2):.0f} bits")
print(f"the picture as bytes: {8 * SIZE * SIZE * 3:,} bits")

# %% [markdown]
# 23 of the 32 numbers are in use. Together they cost 34 nats, 48 bits: the network remembers a car in
# six bytes, where the picture has 12,288.
#
# What do the numbers mean? We take one car, change one number from -2.5 to 2.5, and leave the
# others. One row for each of the four most expensive numbers.

# %%
values = np.linspace(-2.5, 2.5, 9)
walks = np.repeat(means[chosen[2]][None, None], 4, axis=0).repeat(9, axis=1)
for index, number in enumerate(ranks[:4]):
    walks[index, :, number] = values
kdg.plotting.show_images(
    model.decode(walks.reshape(-1, LATENT)),
    columns=9,
    titles=[f"{value:+.1f}" for value in values] + [""] * 27,
)

# %% [markdown]
# The first number makes the car lower and flatter, the second paints it from black to white, the third
# turns it from the rear to the side, the fourth opens the bed of a pickup. But the first also changes
# the angle, and the second the roof: nothing in the loss asks for one meaning per number.
#
# ### A map of the cars
#
# Every test car is now a point with 32 coordinates, its mean $\mu$. PCA turns this cloud so that we
# see it from its broadest side. The same points twice, coloured by view and by body.

# %%
map_points = PCA(2, random_state=0).fit_transform(means)
figure, axes = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
for axis, (key, names) in zip(axes, {"view": views, "body": bodies}.items(), strict=True):
    for number, name in enumerate(names):
        inside = unseen[key] == number
        axis.scatter(*map_points[inside].T, s=9, color=f"C{number}", label=name, alpha=0.8)
    axis.set(title=key, xticks=[], yticks=[], aspect="equal")
    axis.legend(frameon=False, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# The views do: front and rear on the left, the three-quarter views at the top, the sides on the right.
# The bodies lie mixed, except for the vans.
#
# Two dimensions of 32 can hide much. A fairer test: find the five nearest training cars in all 32
# numbers, and let them vote on the label. Guessing would be right in $1/6$ of the views and $1/7$
# of the bodies.

# %%
known_means = model.encode(known["image"])[0]
codes = {
    "32 numbers of the VAE": (known_means, means),
    "32 numbers of PCA": (
        linear.transform(rows(known["image"])),
        linear.transform(rows(unseen["image"])),
    ),
}
for name, (learned, asked) in codes.items():
    for key in ("view", "body"):
        vote = KNeighborsClassifier(5).fit(learned, known[key])
        print(f"{name:22} {key}: {vote.score(asked, unseen[key]):.0%} right")

# %% [markdown]
# In 32 dimensions both are right about every view. The body is named correctly for 94 % of the cars by
# the numbers of the VAE, and for 89 % by those of PCA. A view moves many pixels, and everybody
# remembers it; a body is a matter of a few lines.
#
# ### A walk between two cars
#
# The way from one car to another, in three versions: through the 32 numbers, once between two
# bodies seen from the same side, once between two views; and through the pixels, which is a mere
# double exposure.


# %%
def find(body, view):
    """Number of a test car."""
    hits = (unseen["body"] == bodies.index(body)) & (unseen["view"] == views.index(view))
    return np.flatnonzero(hits)[0]


van, coupe = find("van", "left"), find("coupe", "left")
front = find("coupe", "front")
ways = [
    model.decode(kdg.plotting.latent_walk(means[van], means[coupe], 9, spherical=False)),
    model.decode(kdg.plotting.latent_walk(means[coupe], means[front], 9, spherical=False)),
]
t = np.linspace(0, 1, 9)[:, None, None, None]
ways.append((1 - t) * unseen["image"][van] + t * unseen["image"][coupe])
kdg.plotting.show_images(
    np.concatenate(ways).astype("float32"),
    columns=9,
    titles=["van to coupe"] + [""] * 8 + ["left to front"] + [""] * 8 + ["in pixels"] + [""] * 8,
)

# %% [markdown]
# From the van to the coupe, every step is one car with one outline. From the left side to the front it
# does not pass through "front three-quarter", as a car that turns would. It goes through a blur, like
# the points near $z=0$ of the ring. In pixels there are two cars at every step.
#
# ### Cars that nobody has built
#
# Now without an encoder: $z\sim N(0,I)$, and decode.

# %%
kdg.plotting.show_images(model.generate(32, seed=2), columns=8)

# %% [markdown]
# Some are cars with one view, most of them from the front or the rear. About half lie between two
# views, as in the walk: a smear where another car would begin. Wheels can be seen in some of the side
# views, and lamps in the best of the others.
#
# As a rule, reconstructions are better than inventions, and so it is here. Why? The decoder was
# trained on the $z$ that the encoder uses, not on all of $N(0,I)$. If the encoder's vectors of
# *all* pictures together are distributed like the prior, nothing is lost. One can look at the
# variance of each number: the variance of $\mu$ over the pictures plus the mean of $\sigma^2$
# should be 1.

# %%
total = means.var(axis=0) + np.exp(log_variances).mean(axis=0)
for name, which in {"used": price > 0.1, "unused": price <= 0.1}.items():
    if which.any():
        print(f"{name:6} numbers: variance {total[which].min():.2f} to {total[which].max():.2f}")

# %% [markdown]
# Here it is between 0.6 and 2.5: the agreement is rough. And a variance of 1 in each number is
# necessary, not sufficient. If the cars form islands, there are gaps between them, $N(0,I)$ has
# none, and a $z$ that falls into a gap draws something between two views. It is the problem of the
# ring once more.
#
# ## What goes wrong, and how to see it
#
# ### A mean in the place of a sum
#
# The best-known mistake with VAEs is one word: the reconstruction loss as a **mean** over the
# numbers of a picture (as `keras.losses.MeanSquaredError` gives it), beside the divergence as a
# **sum**. At 64 pixels the first is then 12,288 times too small. That is the same as
# $\beta=12{,}288$, and so we can make the mistake on purpose. Three short trainings, from the same
# weights:

# %%
WEIGHTS = (1.0, 100.0, float(SIZE * SIZE * 3))
SHORT = 6 if QUICK else 300
trials, logs = {}, {}
for weight in WEIGHTS:
    keras.utils.set_random_seed(0)
    trials[weight] = kdg.models.VAE(
        (SIZE, SIZE, 3), latent_dim=LATENT, base_filters=FILTERS // 2, kl_weight=weight
    )
    trials[weight].compile(autoencoder_optimizer=keras.optimizers.Adam(1e-3))
    logs[weight] = (
        trials[weight]
        .fit(train.batches(), steps_per_epoch=SHORT // 6, epochs=6, shuffle=False, verbose=0)
        .history
    )

# %%
from keras_design_gans.callbacks.health_check import spread

figure, axes = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
steps = np.arange(1, 7) * (SHORT // 6)
for weight in WEIGHTS:
    for axis, key in zip(axes, ("kl_divergence", "reconstruction_loss"), strict=True):
        axis.plot(steps, logs[weight][key], marker="o", label=rf"$\beta$ = {weight:,.0f}")
axes[0].set(title=r"$L_{KL}$ in nats", xlabel="step")
axes[1].set(title=r"$L_{rec}$", xlabel="step")
axes[0].legend(frameon=False)
plt.show()
for weight, trial in trials.items():
    last = {key: value[-1] for key, value in logs[weight].items()}
    print(
        f"beta {weight:8,.0f}   KL {last['kl_divergence']:7.3f}"
        f"   reconstruction {last['reconstruction_loss']:7.1f}"
        f"   spread of new cars {spread(trial.generate(64, seed=1)):.3f}"
    )
print(f"spread of real cars {spread(unseen['image'][:64]):.3f}")

# %%
kdg.plotting.show_images(
    np.concatenate([cars, *(trial.reconstruct(cars) for trial in trials.values())]),
    columns=10,
    titles=[
        text
        for label in ("test car", *(f"beta {weight:,.0f}" for weight in WEIGHTS))
        for text in (label, *[""] * 9)
    ],
)

# %% [markdown]
# After 300 steps $L_{KL}$ is 34 nats, 1.3 and 0.000. With $\beta=100$ the network can say one or two
# bits, and says the most useful thing: seen from the side, or from an end? With 12,288 every car is one
# and the same grey average. (That the first row has no colours yet is for the short training.)
#
# This is *posterior collapse*. Every nat now costs 12,288, and no nat saves that much. So the
# encoder says nothing, $\mu=0$ and $\sigma=1$ for each picture, and the decoder draws the one
# picture that has the smallest squared distance from all: their mean. **How to see it:**
# `kl_divergence` near 0, and all pictures the same. The loss itself looks fine: it falls and
# stays.
#
# Is there a rule for the right weight? Yes: none. With sums, $\beta=1$ is what the derivation says.
# $\beta$ also has a meaning: $L/\beta$ belongs to a decoder $p(x|z)=N(\hat x(z),\beta I)$, with
# noise of variance $\beta$. The slip says that the pixels, which lie between -1 and 1, carry noise
# with a standard deviation of $\sqrt{12{,}288}\approx111$. Under such noise, any car could be any
# other.
#
# ### Blur
#
# Look at the reconstructions again: spokes, lamps and edges are soft. This is not
# only a lack of training. It is what a squared error asks for. Suppose the 32 numbers leave it open
# whether a pixel at the edge of the roof is black (-1) or white (1), with equal chance. What should
# the decoder draw?

# %%
# NBVAL_CHECK_OUTPUT
targets = np.array([[-1.0], [1.0]])
print("draws   L_rec by hand   package")
for answer in (-1.0, -0.5, 0.0, 1.0):
    by_hand = np.mean(0.5 * (targets - answer) ** 2)
    package = kdg.losses.gaussian_reconstruction_loss(targets, np.full((2, 1), answer))
    print(f"{answer:5.1f} {by_hand:15.4f} {float(package):9.4f}")

# %% [markdown]
# The best is 0, the grey between, which is never true. Sum this up over an edge whose place is
# known only up to a few pixels, and it becomes a ramp.
#
# A discriminator would never accept the ramp, as real pictures have none. So a GAN should be
# sharper. We train a DCGAN (notebook 1) on the same cars, for the same *time* as the VAE.

# %%
keras.utils.set_random_seed(0)
rival = kdg.models.DCGAN(
    (SIZE, SIZE, 3),
    base_filters=FILTERS,
    real_target=0.9,
    instance_noise=0.1,
    average_decay=0.99,
)
rival.compile(
    generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
)
PIECE = 2 if QUICK else 25
rival_history = rival.fit(
    train.batches(),
    steps_per_epoch=PIECE,
    epochs=3 if QUICK else STEPS // PIECE,
    callbacks=[
        kdg.callbacks.TimeLimit(minutes=seconds / 60),
        kdg.callbacks.SampleGrid(rows=2, columns=12, every=4, show=True),
    ],
    shuffle=False,
    verbose=0,
)
rival_steps = PIECE * len(rival_history.history["g_loss"])
print(f"in {seconds:.0f} seconds: VAE {STEPS} steps, DCGAN {rival_steps} steps")

# %%
figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.2), layout="constrained")
sets = {
    "real": unseen["image"],
    "VAE": model.generate(PICTURES, seed=3),
    "DCGAN": rival.generate(PICTURES, seed=3),
}
for axis, (label, images) in zip(axes, sets.items(), strict=True):
    axis.imshow(kdg.plotting.image_grid(images[:30], columns=6))
    axis.set_title(label)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# Sharpness in a number: the *Laplacian* of a grey picture is four times a pixel minus its four
# neighbours. It is 0 on a flat ground or an even ramp, and large at edges. We take its variance.


# %%
# NBVAL_CHECK_OUTPUT
def sharpness(images):
    """Variance of the Laplacian of each picture, as grey."""
    grey = images.mean(axis=-1)
    middle = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return (4 * middle - around).var(axis=(1, 2))


side = np.linspace(-1, 1, 8)
examples = {
    "flat": np.zeros((8, 8)),
    "a ramp": np.tile(side, (8, 1)),
    "an edge": np.tile(np.sign(side), (8, 1)),
    "a chessboard": np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1,
}
for name, picture in examples.items():
    print(f"{name:13} {sharpness(picture[None, :, :, None])[0]:6.2f}")

# %% [markdown]
# By hand: at an edge from -1 to 1 the pixels left and right of it have -2 and +2, all others 0. Two
# of six columns: variance $(4+4)/6=1.33$. On the chessboard every pixel differs from its four
# neighbours by 2, so it is $\pm8$ everywhere: 64.
#
# Two controls show what this number can *not* tell: real pictures that are blurred (each pixel the
# mean of 3 x 3), and real pictures with grain of strength 0.1.


# %%
def blurred(images):
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = [wide[:, i : i + SIZE, j : j + SIZE] for i in range(3) for j in range(3)]
    return np.mean(shifts, axis=0)


grain = np.random.default_rng(0).normal(0, 0.1, unseen["image"].shape)
sets |= {
    "VAE, reconstructions": model.reconstruct(unseen["image"]),
    "real, blurred": blurred(unseen["image"]),
    "real, with grain": np.clip(unseen["image"] + grain, -1, 1),
}
for label, images in sets.items():
    values = sharpness(images)
    deviation = kdg.metrics.bootstrap(np.mean, [values])[1]
    print(f"{label:21} sharpness {values.mean():.4f} ±{deviation:.4f}")


# %%
def spectrum(images):
    """Mean power of the waves at each distance from the origin of the Fourier plane."""
    waves = np.abs(np.fft.fftshift(np.fft.fft2(images.mean(axis=-1)), axes=(1, 2))) ** 2
    y, x = np.indices((SIZE, SIZE)) - SIZE // 2
    radius = np.hypot(x, y).round().astype(int)
    power = np.bincount(radius.ravel(), waves.mean(axis=0).ravel()) / np.bincount(radius.ravel())
    return power[1 : SIZE // 2] / SIZE**2


figure, axis = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
styles = {"real": "k-", "VAE": "C0-", "VAE, reconstructions": "C0:", "DCGAN": "C1-"}
styles |= {"real, blurred": "0.6", "real, with grain": "C2--"}
for label, style in styles.items():
    line = {"color": style} if style == "0.6" else {}
    form = () if line else (style,)
    axis.semilogy(np.arange(1, SIZE // 2), spectrum(sets[label]), *form, label=label, **line)
axis.set(xlabel="waves per picture", ylabel="power")
axis.legend(frameon=False, fontsize=9)
plt.show()

# %% [markdown]
# Inventions of the VAE have a tenth of the sharpness of real cars (0.019 and 0.180), reconstructions
# less than a quarter (0.041), the DCGAN more than half (0.098). In the spectrum the reconstructions
# keep to the real curve up to about 8 waves per picture, and the inventions leave it from the start.
# The DCGAN follows it for longer, and lies below it on the right: it has no grain there, but too little
# fine detail still.
#
# Read both with care. Grain raises the number, so "as sharp as real" can mean clean edges or noise;
# the spectrum tells them apart, because grain lifts the right end and leaves the rest. And neither
# says whether there is *a car* in the picture. Compare the grids above: at equal time, which of the
# two sets would you rather show?
#
# Other mistakes, and how they show:
#
# - *One $\epsilon$ for the whole batch.* The pictures of a batch then share their error, and the
#   gradient is noisy. It shows in curves that jump.
# - *The variance instead of its logarithm.* The network gives a negative variance, and its
#   logarithm is NaN. `HealthCheck` stops such a training.
# - *Pictures in [0, 255].* The squares are 16,000 times as large, so $\beta$ is in effect
#   $1/16{,}000$: a plain autoencoder, with useless samples. Here `fit` refuses them with a message.
#
# ## Exercises
#
# 1. What is $L_{KL}$ for $\mu=3$, $\sigma^2=1$? How many bits is that?
# 2. A latent number has $\sigma=0.1$ for every picture, and its means have variance 0.99. Compute
#    its mean price in nats. How many values can be told apart with such a number, roughly?
# 3. What does the VAE become with $\beta=0$? What would `reconstruct` and `generate` give?
# 4. Why does the decoder of a VAE trained with mean squared error never draw a spoke that it is not
#    sure of, but a GAN does?
# 5. Train with `latent_dim=4` and with `latent_dim=128`. How many numbers are used in the second?
# 6. The decoder's noise has variance 1 on a range of 2. Train with `kl_weight=0.1`. What changes in
#    the price, in the reconstructions and in the samples?
#
# <details><summary>Answers</summary>
#
# 1. $\tfrac12\cdot9=4.5$ nats, $4.5/\log2=6.5$ bits.
# 2. $\tfrac12(0.99+0.01-1-\log0.01)=2.30$ nats, 3.3 bits: $e^{2.3}=10$ values. It is the ratio of
#    the whole spread, 1, to the uncertainty, 0.1.
# 3. An autoencoder: the encoder makes $\sigma$ tiny, since precision costs nothing. `reconstruct`
#    gets sharper. `generate` gets worse, since nothing holds the codes near $N(0,I)$.
# 4. A spoke in the wrong place costs twice: where it is, and where it should be. A grey disc costs
#    less. A GAN is not asked where the spoke was in *this* picture, only whether such pictures
#    exist.
# 5. Compare the bar charts. Numbers that do not pay for themselves stay at a price of 0, so from
#    some point on a longer $z$ changes little.
# 6. A smaller weight is a smaller noise, $\beta I$: a nat has to save only 0.1 of $L_{rec}$ to pay.
#    Expect more numbers in use, a higher price, sharper reconstructions, and samples that fall into
#    gaps more often.
#
# </details>
#
# ## What the papers reported, and what came out here
#
# | | the papers | here |
# | --- | --- | --- |
# | ring | a drawing of $g(z)$ (Doersch 2016) | learned by a network; fails near 0, where the error is 0.95 |
# | data | digits (MNIST) and faces of one person (Frey) (Kingma and Welling 2014) | 20,000 drawn cars |
# | networks | dense layers | convolutions |
# | draws of $z$ for each picture | 1, with batches of 100 | 1, with batches of 32 |
# | latent numbers | "superfluous" ones do no harm, as the bound regularises | used: 23 of 32 |
# | weight $\beta$ | 1; larger for factors with a meaning (Higgins et al. 2017) | 1; collapse at 12,288: $L_{KL}$ = 0.000 |
# | sharpness | not measured | VAE 0.019, DCGAN of equal time 0.098, real 0.180 |
#
# These cars are easier than photos: one light, one ground, no background. What carries over is the
# shape of the result, what is remembered first, and not the numbers. One seed each.
#
# ## Where to go next
#
# - [Notebook 7](07_gan_game.ipynb): the same ring, and the same cars, by two networks that fight.
# - `design-gans train vae` trains this model with 100 latent numbers.
# - Read `keras_design_gans/models/vae.py`: the whole model in one file.
