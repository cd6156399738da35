# %% [markdown]
# # 5. How do you score creativity?
#
# **The question.** Somebody shows you 2,000 designs by one network and 2,000 by another. Which
# network is the better designer? You want three numbers: are the pictures **good**, are they
# **various**, are they **new**? Can a computer give them?
#
# In this notebook nothing is trained. You compute every score by hand on a case that is small
# enough to check in your head. Then you score real pictures, three trained generators, and pictures
# that we damage on purpose. The damaged ones show what each score can not see.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or "jax", or "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log lines of TensorFlow
QUICK = os.environ.get("KDG_QUICK") == "1"  # tiny sizes, for automatic tests

# %%
import logging

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.transforms import Bbox
from PIL import Image, ImageFilter

import keras_design_gans as kdg
from keras_design_gans import metrics
from keras_design_gans.metrics.distribution import fit_gaussian, gaussian_distance

logging.getLogger("tensorflow").setLevel("ERROR")
PICTURES = 64 if QUICK else 2_000  # scored pictures of each set
plt.rcParams |= {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}

# %% [markdown]
# Four sets of pictures. One is real: drawn garments that no network has seen. The others come from
# the generators of the package, a DCGAN, and DesIGN with the creativity losses CAN and CAN(H) of
# the second notebook. **Which set is the most creative?** Decide before you read on.

# %%
train = kdg.datasets.load("garments", num_examples=320 if QUICK else None)
test = kdg.datasets.load("garments", "test", num_examples=98 if QUICK else None)
unseen = test.take(min(PICTURES, test.num_examples))
REAL = "real test pictures"
PRESETS = {
    "DCGAN": "dcgan_garments_64",
    "CAN": "design_garments_64_can",
    "CAN(H)": "design_garments_64",
}
pictures = {REAL: unseen["image"]}
for label, name in PRESETS.items():
    pictures[label] = kdg.presets.load(name).generate(PICTURES, seed=1)
FOUR = list(pictures)

figure, axes = plt.subplots(2, 2, figsize=(10, 5.4), layout="constrained")
for axis, letter, label in zip(axes.flat, "ABCD", ["CAN", REAL, "CAN(H)", "DCGAN"], strict=True):
    axis.imshow(kdg.plotting.image_grid(pictures[label][28:49], columns=7))
    axis.set_title(letter, fontsize=15)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# A is CAN, B is real, C is CAN(H), D is DCGAN. Most people find B quickly, because its lines are
# clean. That is a judgement on *quality*. To say which of the others is more original is much
# harder, and you probably could not say how you would measure it.
#
# ## Who judges
#
# A computer sees pixels. To compare *clothes* it needs eyes for clothes. As in DesIGN (Sbai,
# Elhoseiny, Bordes, LeCun and Couprie 2018) the judge is a ResNet-18 (He, Zhang, Ren and Sun 2016),
# trained on the labels of the training pictures: seven shapes and seven textures. For a picture $x$
# it gives
#
# - $f(x)$: the features, a list of $d$ numbers before the last layer,
# - $C(x)$: the class probabilities, $K=7$ numbers that sum to 1, once for the shape and once for the
#   texture.
#
# **A score is no better than the eyes it sees with.** So the first thing to score is the judge.


# %%
def look(images):
    """Features of pictures, one row each."""
    return judge.features(np.ascontiguousarray(images, "float32"))


judge = kdg.presets.load("resnet18_garments_64")
known = train.arrays["image"][: 4 * PICTURES]  # as bytes; the judge wants -1 to 1
parts = np.array_split(known, -(-len(known) // 1_000))
train_features = np.concatenate([look(part / 127.5 - 1) for part in parts])
features = {label: look(images) for label, images in pictures.items()}
# The scores need only the mean of the training pictures' answers: one row for each head.
train_answers = {
    head: p.mean(axis=0, keepdims=True) for head, p in judge.classify(train_features).items()
}
print(f"features: d = {train_features.shape[1]}, training pictures: {len(train_features):,}")
HEADS = ("shape", "texture")
answers = judge.classify(features[REAL])
for head in HEADS:
    right = (answers[head].argmax(axis=1) == unseen[head]).mean()
    print(f"the judge names the {head:7} of {right:.1%} of the test pictures")

# %% [markdown]
# Where is it wrong? A *confusion matrix* counts: the rows are the true classes, the columns what
# the judge says. Everything off the diagonal is a mistake.

# %%
figure, axes = plt.subplots(1, 2, figsize=(12, 5.2), layout="constrained")
for axis, head in zip(axes, HEADS, strict=True):
    names = [name.replace("_", " ") for name in test.class_names[head]]
    table = np.zeros((7, 7), int)
    np.add.at(table, (unseen[head], answers[head].argmax(axis=1)), 1)
    axis.imshow(table, cmap="Blues", vmax=1.6 * table.max())
    for row, column in zip(*np.nonzero(table), strict=True):
        color = "black" if row == column else "#c0392b"
        axis.text(column, row, table[row, column], ha="center", va="center", color=color)
    row, column = np.unravel_index((table - np.diag(np.diag(table))).argmax(), table.shape)
    print(
        f"{head}: most frequent mistake, {names[row]} called {names[column]},"
        f" {table[row, column]} of {table[row].sum()}"
    )
    axis.set_xticks(range(7), names, rotation=40, ha="right")
    axis.set_yticks(range(7), names)
    axis.set(title=head, xlabel="the judge says", ylabel="it is")
plt.show()

# %% [markdown]
# And the mistakes of which the judge is most certain, of shape and of texture:

# %%
for head in HEADS:
    names, p = test.class_names[head], answers[head]
    mistakes = np.flatnonzero(p.argmax(axis=1) != unseen[head])
    surest = mistakes[np.argsort(-p[mistakes].max(axis=1))][:7]
    titles = [
        f"{names[p[n].argmax()]} {p[n].max():.0%}, is {names[unseen[head][n]]}" for n in surest
    ]
    if len(surest):
        display(kdg.plotting.show_images(unseen["image"][surest], columns=7, titles=titles))

# %% [markdown]
# Some of these are hard for a person, too. Others are not, and the judge was certain all the same.
# Keep in mind: what the judge confuses, the scores confuse as well. If it calls one class by the
# name of another again and again, no score of this head will notice when one of the two is missing.
# **A sure answer is not always a right one.**
#
# ## Clear and various: the inception score
#
# Salimans et al. (2016) want two things. Each single picture should be **clear**: the judge puts
# nearly all probability on one class. All pictures together should be **various**: every class
# occurs. With $\bar C=\mathbb E_xC(x)$, the mean of the probabilities over all generated pictures,
#
# $$IS=\exp\big(\mathbb E_x\,KL(C(x)\,\Vert\,\bar C)\big),\qquad
# KL(p\,\Vert\,q)=\sum_{k=1}^Kp_k\log\frac{p_k}{q_k}$$
#
# $KL$, the Kullback-Leibler divergence, is 0 when $p=q$ and grows as they part. If a picture is
# clear and the mean is not, they differ much. Multiply out the logarithm, and the two wishes stand
# side by side, with the entropy $H(p)=-\sum_kp_k\log p_k$:
#
# $$\log IS=\underbrace{H(\bar C)}_{\text{various}}-\underbrace{\mathbb E_xH(C(x))}_{\text{unclear}}$$
#
# Three pictures, three classes, and seven pictures of seven classes:


# %%
# NBVAL_CHECK_OUTPUT
def log(p):
    return np.log(np.maximum(p, 1e-7))  # log 0 is not allowed, and 0 log 0 is 0


def divergence(p, q):
    return np.sum(p * (log(p) - log(q)), axis=-1)


def entropy(p):
    return -np.sum(p * log(p), axis=-1)


def inception_by_hand(p):
    return np.exp(divergence(p, p.mean(axis=0)).mean())


small = {
    "clear and various": np.eye(3),
    "clear, one class": np.tile([1.0, 0, 0], (3, 1)),
    "undecided": np.full((3, 3), 1 / 3),
    "fairly clear": np.full((3, 3), 0.1) + 0.7 * np.eye(3),
    "0.94 of 7 classes": np.full((7, 7), 0.01) + 0.93 * np.eye(7),
}
print("                     various   unclear   IS by hand   package")
for name, p in small.items():
    print(
        f"{name:20} {entropy(p.mean(axis=0)):7.3f} {entropy(p).mean():9.3f}"
        f" {inception_by_hand(p):12.4f} {metrics.inception_score(p):9.4f}"
    )

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 3.9), layout="constrained")
for axis, (name, p) in zip(axes, list(small.items())[:4], strict=True):
    rows = np.vstack([p, np.full((1, 3), np.nan), p.mean(axis=0)])
    axis.imshow(rows, cmap="Blues", vmin=0, vmax=1.4)
    for (row, column), value in np.ndenumerate(rows):
        if np.isfinite(value):
            axis.text(column, row, f"{value:.2f}", ha="center", va="center")
    axis.set_xticks(range(3), [f"class {k}" for k in (1, 2, 3)])
    axis.set_yticks([0, 1, 2, 4], ["picture 1", "picture 2", "picture 3", r"mean $\bar C$"])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(f"{name}\nIS = {inception_by_hand(p):.2f}")
for axis in axes[1:]:
    axis.set_yticks([])
plt.show()

# %% [markdown]
# Only the first case reaches $K=3$. One class alone gives 1, and so does a judge who has no opinion:
# in both the rows equal their mean. So $IS$ counts something like "the number of classes that one
# can tell apart in these pictures", from 1 to $K$.
#
# Now the four sets. The number after ± is the *bootstrap* deviation (Efron 1979): draw as many
# pictures from the set, with repetition, score them, do this 50 times, and see how far the score
# moves. **A difference of one or two ± is no difference.** The column *classes* is $e^{H(\bar C)}$:
# how many classes the generator makes, if all were equally frequent.


# %%
def spread(function, rows, repeats=5 if QUICK else 50):
    """Score and its bootstrap deviation."""
    return float(function(rows)), metrics.bootstrap(function, [rows], repeats)[1]


for head in HEADS:
    print(f"{head:20}    inception score   classes   unclear")
    for label in FOUR:
        p = judge.classify(features[label])[head]
        value, deviation = spread(metrics.inception_score, p)
        classes = np.exp(entropy(p.mean(axis=0)))
        print(
            f"{label:20} {value:10.2f} ±{deviation:4.2f} {classes:11.2f} {entropy(p).mean():9.2f}"
        )

# %% [markdown]
# Read the columns from right to left. If *classes* is near 7, the generator makes all kinds, and
# what the inception score lacks to the value of the real pictures is clarity. Even real pictures do
# not reach 7: the judge is a cautious one.
#
# ## Prediction entropy: how undecided is the judge?
#
# The last column has a name of its own, and for creativity it is the most interesting:
#
# $$H=\mathbb E_x\Big[-\sum_{k=1}^KC(x)_k\log C(x)_k\Big],\qquad0\le H\le\log K$$
#
# It is low when clothes can be named, and $\log7\approx1.946$ when the judge guesses. The creativity
# losses push the *generator's own* heads towards $\log K$. Here an outsider answers.

# %%
# NBVAL_CHECK_OUTPUT
for p in ([1.0, 0, 0, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0, 0], [1 / 7] * 7):
    row = np.array([p])
    print(f"{entropy(row).mean():.4f} by hand, {metrics.prediction_entropy(row):.4f} package")

# %% [markdown]
# The second line is $\log2$: undecided between *two* classes. A dress that could be a coat.
#
# ## Two AM scores
#
# The inception score is highest for an even mix of classes. But a training set may have more shirts
# than dresses, and a generator that makes the same mix should not be punished. Both scores of this
# section bring in $\bar C^{train}$, the mean of the probabilities over the *training* pictures.
#
# DesIGN's, **higher** is better:
#
# $$AM=\mathbb E_x\,KL(\bar C^{train}\,\Vert\,C(x))-KL(\bar C^{train}\,\Vert\,\bar C)$$
#
# AM-GAN's (Zhou et al. 2018), **lower** is better:
#
# $$AM_{GAN}=\mathbb E_x\,H(C(x))+KL(\bar C^{train}\,\Vert\,\bar C)$$
#
# They share a name and nothing else. In the first, a clear picture is far from the mix of the
# training set; in the second, it has a low entropy. The mix itself should agree, so the second term
# is small in both.


# %%
# NBVAL_CHECK_OUTPUT
def am_by_hand(p, train_mean):
    return divergence(train_mean, p).mean() - divergence(train_mean, p.mean(axis=0))


def am_gan_by_hand(p, train_mean):
    return entropy(p).mean() + divergence(train_mean, p.mean(axis=0))


small = {
    "two classes": np.array([[0.9, 0.1], [0.1, 0.9]]),
    "only one of two": np.array([[0.9, 0.1], [0.9, 0.1]]),
    "undecided": np.full((2, 2), 0.5),
    "0.94 of 7 classes": np.full((7, 7), 0.01) + 0.93 * np.eye(7),
}
print("even training mix     AM by hand  package    AM-GAN by hand  package")
for name, p in small.items():
    even = np.full((1, p.shape[1]), 1 / p.shape[1])
    print(
        f"{name:20} {am_by_hand(p, even[0]):11.4f} {metrics.am_score(p, even):8.4f}"
        f" {am_gan_by_hand(p, even[0]):17.4f} {metrics.am_gan_score(p, even):8.4f}"
    )

# %% [markdown]
# Lines 2 and 3: for DesIGN's score, "always the same class" and "no idea" are both 0, the worst.
# AM-GAN's tells them apart, though both are bad.
#
# **Does the mix really count?** A test: the training set has 80 % of class 1 and 20 % of class 2.
# Each picture is clear, (0.95, 0.05) or (0.05, 0.95). We vary the share of class 1. A score that
# wants the training mix should be best at 80 %.

# %%
shares = np.linspace(0, 1, 101)
uneven = np.array([[0.8, 0.2]])


def mixed(share):
    count = round(100 * share)
    return np.repeat([[0.95, 0.05], [0.05, 0.95]], [count, 100 - count], axis=0)


curves = {
    "inception score (higher is better)": [metrics.inception_score(mixed(s)) for s in shares],
    "AM of DesIGN (higher is better)": [metrics.am_score(mixed(s), uneven) for s in shares],
    "AM of AM-GAN (lower is better)": [metrics.am_gan_score(mixed(s), uneven) for s in shares],
}
figure, axes = plt.subplots(1, 3, figsize=(12, 3.3), layout="constrained")
for axis, (title, values) in zip(axes, curves.items(), strict=True):
    best = np.argmin(values) if "lower" in title else np.argmax(values)
    axis.plot(shares, values, "C0", linewidth=2)
    axis.plot(shares[best], values[best], "o", color="C1", markersize=9)
    axis.annotate(
        f"best at {shares[best]:.0%}",
        (shares[best], values[best]),
        xytext=(0, 14 if "lower" in title else -20),
        textcoords="offset points",
        ha="center",
    )
    axis.axvline(0.8, color="0.5", linestyle=":")
    axis.set(title=title, xlabel="share of class 1 in the generated pictures")
    axis.title.set_fontsize(11)
plt.show()

# %% [markdown]
# The dotted line is the training mix. AM-GAN's score is best beside it. (Not exactly there: at 83 %
# the *mean of the probabilities*, which are a little below 1, is 80 %.) The inception score wants an
# even mix. DesIGN's score is best on the *other* side: its first term rewards a picture for being
# far from the training mix, so pictures of the rare class bring more. With an even mix of classes,
# as in our garments, this does not matter. With your own data, look at the mix first.

# %%
for head in HEADS:
    print(f"{head:20}    AM (higher better)   AM-GAN (lower better)")
    for label in FOUR:
        p, reference = judge.classify(features[label])[head], train_answers[head]
        am = spread(lambda rows, r=reference: metrics.am_score(rows, r), p)
        am_gan = spread(lambda rows, r=reference: metrics.am_gan_score(rows, r), p)
        print(f"{label:20} {am[0]:12.2f} ±{am[1]:4.2f} {am_gan[0]:17.3f} ±{am_gan[1]:5.3f}")

# %% [markdown]
# ## New: the distance to the neighbours
#
# So far nobody asked whether a picture is *new*. DesIGN measures how far it is from the training
# pictures that resemble it most. With $N_k(x)$, the $k$ nearest training pictures of $x$,
#
# $$NN_k=\mathbb E_x\,\frac1k\sum_{y\in N_k(x)}\Vert f(x)-f(y)\Vert$$
#
# $\Vert\cdot\Vert$ is the length of a vector, so this is the ordinary distance, in features. The
# paper takes $k=10$. By hand, in two dimensions with $k=2$:

# %%
# NBVAL_CHECK_OUTPUT
training = np.array([[0, 0], [1, 0], [0, 1], [4, 4], [5, 4], [4, 5]], float)
designs = {"A": (0.3, 0.2), "B": (2.6, 2.2), "C": (6.5, 0.5), "D": (4.0, 4.0)}
for name, point in designs.items():
    distances = np.sqrt(((training - point) ** 2).sum(axis=1))
    nearest = np.sort(distances)[:2]
    package = metrics.knn_distance([point], training, k=2)
    print(f"{name}: nearest {nearest.round(3)}  mean {nearest.mean():.4f}  package {package:.4f}")

# %%
figure, axis = plt.subplots(figsize=(7.5, 4.6), layout="constrained")
for name, point in designs.items():
    _, nearest = metrics.nearest_neighbours([point], training, k=2)
    for index in nearest[0]:
        axis.plot(*np.transpose([point, training[index]]), color="C1", linewidth=1)
    value = metrics.knn_distance([point], training, k=2)
    axis.plot(*point, "o", color="C1", markersize=8, zorder=3)
    axis.annotate(
        f"{name}: {value:.2f}",
        point,
        xytext={"A": (-6, -27), "B": (12, -10), "D": (-64, 6)}.get(name, (12, 3)),
        textcoords="offset points",
        fontsize=12,
    )
axis.plot(*training.T, "s", color="C0", markersize=13, alpha=0.5, zorder=1)
axis.plot([], [], "s", color="C0", alpha=0.5, markersize=11, label="training pictures")
axis.plot([], [], "o", color="C1", markersize=8, label=r"designs, with $NN_2$")
axis.set(xlabel="feature 1", ylabel="feature 2", aspect="equal", xlim=(-0.7, 8.2), ylim=(-0.7, 5.7))
axis.legend(frameon=False, loc="upper left")
plt.show()

# %% [markdown]
# A is one more of a known kind. B lies between two kinds: a new idea, perhaps. C lies far from all.
# It may be a stroke of genius or a fault of the printer, and the distance does not say which. D is
# a copy. Its distance is not 0, because only the *nearest* of its two neighbours is the original.


# %%
def neighbour_distances(rows):
    """Mean distance of every picture to its 10 nearest training pictures."""
    return metrics.nearest_neighbours(rows, train_features, k=10)[0].mean(axis=1)


novelty = {label: neighbour_distances(rows) for label, rows in features.items()}
for label in FOUR:
    value, deviation = spread(np.mean, novelty[label])
    print(f"{label:20} NN10 {value:.2f} ±{deviation:.2f}")

# %% [markdown]
# The real test pictures are the yardstick: they are new for certain, and no more than ordinary.
# Every generator here is farther from the training pictures than they are. Is it more original than
# reality, or worse drawn? Keep the question for later.
#
# ## Like the real ones: the Fréchet distance
#
# Heusel et al. (2017) compare the two *clouds* of features as wholes, as if each were Gaussian:
#
# $$FD=\underbrace{\Vert\mu_x-\mu_y\Vert^2}_{\text{centres}}
# +\underbrace{\mathrm{tr}\big(\Sigma_x+\Sigma_y-2(\Sigma_x\Sigma_y)^{1/2}\big)}_{\text{spreads}}$$
#
# $\mu$ is the mean and $\Sigma$ the covariance of the features of the generated ($x$) and of the
# training pictures ($y$). The trace $\mathrm{tr}$ is the sum of the diagonal, and $(\dots)^{1/2}$
# the square root of a matrix. With one feature all this is school arithmetic, where $\sigma$ is the
# standard deviation:
#
# $$FD=(\mu_x-\mu_y)^2+(\sigma_x-\sigma_y)^2$$
#
# It is known as FID, the Fréchet *inception* distance, when the features come from an inception
# network.
#
# ## The same of few pictures: the kernel distance
#
# Bińkowski et al. (2018) compare all pairs of pictures by a similarity, the *kernel* $k$:
#
# $$KD=\mathbb E\,k(x,x')+\mathbb E\,k(y,y')-2\,\mathbb E\,k(x,y),\qquad
# k(x,y)=\Big(\frac{f(x)\cdot f(y)}d+1\Big)^3$$
#
# The first two means go over pairs of *different* pictures $x\ne x'$ of one set, the third over
# pairs of one from each. If the sets come from one source, all three means are equal, and $KD=0$.
# Also called KID. With two pictures in each set:

# %%
# NBVAL_CHECK_OUTPUT
x, y = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [0.0, 2.0]])


def kernel(a, b):
    return (a @ b / 2 + 1) ** 3


within = kernel(x[0], x[1]) + kernel(y[0], y[1])
between = np.mean([kernel(a, b) for a in x for b in y])
print(f"{within:.1f} - 2 * {between:.1f} = {within - 2 * between:.1f}")
print(f"package: {metrics.kernel_distance(x, y)[0]:.1f}")

# %% [markdown]
# A negative distance! Pairs of different pictures only: the price for an estimate that is right *on
# average*. With two pictures, chance rules.
#
# **What do both see, and what not?** One feature, 20,000 pictures, and a training set with mean 0
# and spread 1. With one feature, $KD$ can be multiplied out: it compares the means of $x$, of $x^2$
# and of $x^3$, called the moments $m_1,m_2,m_3$, whose differences are $\Delta m_1$ and so on:
#
# $$KD=3\,(\Delta m_1)^2+3\,(\Delta m_2)^2+(\Delta m_3)^2$$

# %%
# NBVAL_CHECK_OUTPUT
rng = np.random.default_rng(0)
normal = rng.normal(size=(7, 20_000))
reference = normal[0]
cases = {
    "the same": normal[1],
    "shifted by 1": normal[2] + 1,
    "half as wide": normal[3] / 2,
    "skewed": rng.exponential(size=20_000) - 1,
    "two humps": np.sign(normal[4]) * np.sqrt(0.9) + normal[5] * np.sqrt(0.1),
}


def moments(values):
    return np.array([np.mean(values**power) for power in (1, 2, 3)])


measured = {}
print("              FD by hand  package     KD by hand  package")
for name, values in cases.items():
    fd = (values.mean() - reference.mean()) ** 2 + (values.std() - reference.std()) ** 2
    kd = np.sum([3, 3, 1] * (moments(values) - moments(reference)) ** 2)
    package_fd = metrics.frechet_distance(values[:, None], reference[:, None])
    package_kd, chance = metrics.kernel_distance(values[:, None], reference[:, None], subsets=8)
    print(f"{name:13} {fd:11.3f} {package_fd:8.3f} {kd:14.1f} {package_kd:8.1f} ±{chance:.1f}")
    measured[name] = f"FD {fd:.2f}   KD {kd:.1f}"

# %%
figure, axes = plt.subplots(1, 5, figsize=(13, 2.9), layout="constrained", sharey=True)
bins = np.linspace(-3.5, 4.5, 60)
for axis, (name, values) in zip(axes, cases.items(), strict=True):
    axis.hist(reference, bins, density=True, color="C0", alpha=0.4, label="training")
    axis.hist(values, bins, density=True, color="C1", alpha=0.5, label="generated")
    axis.set_title(f"{name}\n{measured[name]}")
    axis.set(xlabel="feature", yticks=[])
axes[0].legend(frameon=False, fontsize=9, loc="upper left")
plt.show()

# %% [markdown]
# (The package takes the kernel distance of random subsets of 1,000. The ± is that of one subset.)
#
# The Fréchet distance sees centre and width only. A skewed cloud passes unnoticed. The kernel
# distance sees the skew too, because it compares $x^3$. Two humps in place of one escape both: no
# distance sees everything. With $d$ features the same holds in every direction.
#
# Now the features of pictures. `frechet_distance` would fit the same training pictures again and
# again, so we fit them once, with its two halves.

# %%
reference = fit_gaussian(train_features)  # mean and covariance of the training pictures


def frechet(rows):
    return gaussian_distance(fit_gaussian(rows), reference)


def kernel_spread(rows):
    return metrics.kernel_distance(rows, train_features, subsets=3 if QUICK else 8)


# %% [markdown]
# ## All scores of the four sets
#
# Do not compare the two distances with those of papers: their features come from another network.


# %%
def all_scores(rows, distances):
    """Every score with its deviation, from the features and the distances to the neighbours."""
    scores = {}
    for head, p in judge.classify(rows).items():
        r = train_answers[head]
        scores[f"IS {head}"] = spread(metrics.inception_score, p)
        scores[f"AM {head}"] = spread(lambda q, r=r: metrics.am_score(q, r), p)
        scores[f"AM-GAN {head}"] = spread(lambda q, r=r: metrics.am_gan_score(q, r), p)
        scores[f"entropy {head}"] = spread(metrics.prediction_entropy, p)
    scores["NN10"] = spread(np.mean, distances)
    scores["FD"] = spread(frechet, rows, repeats=3 if QUICK else 10)
    scores["KD"] = kernel_spread(rows)
    return scores


scores = {label: all_scores(features[label], novelty[label]) for label in FOUR}
for label in FOUR:
    fd, kd = scores[label]["FD"], scores[label]["KD"]
    print(f"{label:20} FD {fd[0]:6.2f} ±{fd[1]:4.2f}   KD {kd[0]:6.3f} ±{kd[1]:5.3f}")

# %% [markdown]
# The bars show every score, the thin lines two ± to both sides. The arrow shows the direction that
# counts as better. Where no better is written, think first.

# %%
ARROWS = {"IS": "→ better", "AM": "→ better", "AM-GAN": "← better", "FD": "← better"}
ARROWS |= {"KD": "← better", "entropy": "undecided →", "NN10": "farther →"}
COLORS = {REAL: "#555555", "DCGAN": "#1f5fa8", "CAN": "#4d9078", "CAN(H)": "#d1602a"}
panels = [f"{kind} {head}" for head in HEADS for kind in ("IS", "AM", "AM-GAN", "entropy")]
figure, axes = plt.subplots(3, 4, figsize=(13, 7), layout="constrained", sharey=True)
for axis, name in zip(axes.flat, [*panels, "NN10", "FD", "KD", None], strict=True):
    if name is None:
        axis.set_axis_off()
        continue
    for label in FOUR[::-1]:
        value, deviation = scores[label][name]
        axis.barh(label, value, xerr=2 * deviation, color=COLORS[label], height=0.7)
    axis.set_title(f"{name}     {ARROWS[name.split()[0]]}", fontsize=11)
    axis.tick_params(axis="y", length=0)
plt.show()

# %%
print("best of the three generators, and how far ahead of the second, in ± of the difference")
for name in [*panels, "FD", "KD"]:
    if "entropy" in name:
        continue
    sign = -1 if "←" in ARROWS[name.split()[0]] else 1
    order = sorted(PRESETS, key=lambda label: -sign * scores[label][name][0])
    (first, a), (second, b) = (scores[label][name] for label in order[:2])
    print(f"{name:15} {order[0]:7} {abs(first - second) / max(np.hypot(a, b), 1e-9):5.1f} ±")

# %% [markdown]
# A lead below 2 or 3 ± may be chance. A larger lead is real *for these weights*: ± knows about other
# pictures of the same generator, and nothing about the same training with another seed. Nor have
# the three seen equally many pictures: `design-gans list` tells the steps of each. To say that one
# *loss* is better than another, train each for as long, with several seeds.
#
# All of this is one call, `kdg.metrics.design_scores(judge, generated, train, test)`, or
# `design-gans score RUN` on the command line.
#
# ## Look at what the numbers mean
#
# Never believe a score without the pictures at both of its ends. First the **entropy of the shape**
# of CAN(H). Above each picture stands the answer of the judge, or the two between which it wavers.

# %%
designs = pictures["CAN(H)"]
p = judge.classify(features["CAN(H)"])["shape"]
shapes = test.class_names["shape"]
order = np.argsort(entropy(p))


def favourites(row):
    second, first = np.argsort(row)[-2:]
    return shapes[first] if row[first] > 0.9 else f"{shapes[first]} or {shapes[second]}"


for text, chosen in {"lowest": order[:14], "highest": order[::-1][:14]}.items():
    print(f"{text} entropy, {entropy(p[chosen]).mean():.3f} on average")
    titles = [favourites(p[n]) for n in chosen]
    display(kdg.plotting.show_images(designs[chosen], columns=7, titles=titles))

# %% [markdown]
# The first group you can name at a glance. The second is what the creativity loss asks for: clothes
# between two drawers. Go through it picture by picture. Which ones would you call an *idea*, and
# which ones an *accident*? The entropy is the same for both.
#
# Now the **distance to the neighbours**. Left a design, then the training pictures that are nearest
# to it.


# %%
def with_neighbours(chosen, k=6):
    """Figure of designs, each beside its nearest training pictures."""
    distances, indices = metrics.nearest_neighbours(features["CAN(H)"][chosen], train_features, k)
    cells, titles = [], []
    for design, row, near in zip(chosen, distances, indices, strict=True):
        cells += [kdg.plotting.to_uint8(designs[[design]])[0], *(known[index] for index in near)]
        titles += ["design", *(f"distance {value:.2f}" for value in row)]
    return kdg.plotting.show_images(np.stack(cells), columns=k + 1, titles=titles)


order = np.argsort(novelty["CAN(H)"])
print("the three designs that are nearest to the training pictures")
display(with_neighbours(order[:3]))
print("the three that are farthest")
display(with_neighbours(order[::-1][:3]))

# %% [markdown]
# The nearest are no copies: kind and pattern agree, colours and measures do not. They are the most
# *ordinary* designs, often plain ones. The farthest are a mixed company, and faults are among them.
# Their neighbours tell what the judge takes them for.
#
# ## Product retrieval: the most practical use
#
# A distance in features is more than a score. Given a design, it finds something to buy, or to
# start sewing from. Take the test pictures as the stock of a shop:

# %%
shop = metrics.NearestProducts(judge).fit(test)
kdg.plotting.nearest_products(designs[:4], shop, k=6)

# %% [markdown]
# How good is this search? Ask with real pictures, whose class is known: how often has a found
# picture the class that was asked for?

# %%
_, indices = metrics.nearest_neighbours(features[REAL], train_features, k=5)
for head in HEADS:
    found = train.arrays[head][indices]
    share = (found == unseen[head][:, None]).mean()
    print(f"{head:8} {share:.1%} of the 5 nearest have the class asked for (by chance 14 %)")

# %% [markdown]
# ## What a high distance can hide
#
# A good test for a score: feed it rubbish. We damage the real test pictures in several ways.
#
# - *grain*: random noise on every pixel,
# - *patches*: cut into 16 squares and shuffled,
# - *blur*,
# - *upside down*,
# - *two halves*: the left of one garment beside the right of another,
# - *pure noise*: no garment at all.
#
# Three more sets consist of perfect pictures:
#
# - *one picture*: a single test picture, repeated,
# - *one per class*: of each shape the picture of which the judge is surest, repeated,
# - *copies*: training pictures. A generator that stores its training set would do this.


# %%
def patches(images, rng, side=16):
    """Every picture cut into squares, in random order."""
    count = images.shape[1] // side
    cut = images.reshape(len(images), count, side, count, side, 3).swapaxes(2, 3)
    cut = cut.reshape(len(images), count * count, side, side, 3)
    cut = np.stack([squares[rng.permutation(len(squares))] for squares in cut])
    cut = cut.reshape(len(images), count, count, side, side, 3).swapaxes(2, 3)
    return cut.reshape(images.shape)


def blur(images):
    soft = [
        np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(2)))
        for image in kdg.plotting.to_uint8(images)
    ]
    return np.stack(soft) / np.float32(127.5) - 1


rng = np.random.default_rng(0)
real = pictures[REAL]
halves = real.copy()
halves[:, :, 32:] = np.roll(real, 1, axis=0)[:, :, 32:]
damaged = {
    "grain": np.clip(real + 0.4 * rng.normal(size=real.shape), -1, 1),
    "patches": patches(real, rng),
    "blur": blur(real),
    "upside down": real[:, ::-1],
    "two halves": halves,
    "pure noise": rng.uniform(-1, 1, size=real.shape),
}
sets = {"real": real, **damaged}
kdg.plotting.show_images(
    np.stack([images[row] for row in (3, 12) for images in sets.values()]),
    columns=7,
    titles=[*sets] * 2,
)

# %%
features |= {label: look(images) for label, images in damaged.items()}
surest = [answers["shape"][:, k].argmax() for k in range(7)]
repeated = {"one picture": [3], "one per class": surest}
for label, chosen in repeated.items():
    features[label] = features[REAL][np.resize(chosen, len(real))]
features["copies"] = train_features[: len(real)]
BROKEN = [*damaged, *repeated, "copies"]
for label in BROKEN:
    novelty[label] = neighbour_distances(features[label])
    scores[label] = all_scores(features[label], novelty[label])
kdg.plotting.show_images(real[surest], titles=shapes)

# %% [markdown]
# The seven pictures above are the set *one per class*. Now the table, with the generators in the
# middle:


# %%
def show_table(columns, digits):
    print(" " * 19 + "".join(f"{column:>17}" for column in columns))
    for label in [*FOUR, *BROKEN]:
        cells = [scores[label][column] for column in columns]
        print(
            f"{label:19}"
            + "".join(
                f"{value:11.{n}f} ±{deviation:4.{n}f}"
                for (value, deviation), n in zip(cells, digits, strict=True)
            )
        )


show_table(["IS shape", "IS texture", "entropy shape", "entropy texture"], (2, 2, 2, 2))
print()
show_table(["AM shape", "AM texture", "AM-GAN shape", "AM-GAN texture"], (2, 2, 2, 2))
print()
show_table(["NN10", "FD", "KD"], (2, 2, 2))

# %% [markdown]
# Go through the columns and ask: *who deceives this score?*
#
# - **NN10** is highest for *pure noise* and *grain*. Nothing about them is creative. The *copies*
#   are nearer than real test pictures, but not by much: of ten neighbours only one is the original.
#   With $k=1$ a copy has the distance 0.
# - **The inception score of the shape** has a new champion, *one per class*: seven pictures,
#   repeated, beat the real ones. It looks at the variety of classes, not of pictures. Both AM
#   scores of the shape are deceived by the same trick.
# - **The entropy** of the shape rises for *two halves* and *patches*: the judge is torn between two
#   garments, and rightly so. Nobody would wear them. It is lowest for the repeated pictures.
# - The texture head is *certain* about pure noise. A classifier can not say "this is nothing at
#   all", and finds some texture in everything.
# - **FD and KD** notice all damage, and *one per class* too, because the spread is missing. But
#   compare *two halves* with the generators: half a coat beside half a dress costs remarkably
#   little, because each half has the right details. And with *copies* nothing is wrong at all.
#
# So no single number will do. But two together tell a lot: **novelty** (NN10) against
# **unlikeness** (FD). The axes are logarithmic.


# %%
def write_labels(axis, points):
    """Writes the name beside every point, at the first place where it covers nothing."""
    axis.figure.draw_without_rendering()
    spots = axis.transData.transform(list(points.values()))
    taken = [Bbox.from_extents(*(spot - 8), *(spot + 8)) for spot in spots]
    taken += [text.get_window_extent() for text in axis.texts]
    places = [(10, -4, "left"), (-10, -4, "right"), (0, 11, "center"), (0, -20, "center")]
    places += [(9, 9, "left"), (9, -18, "left"), (-9, 9, "right"), (-9, -18, "right")]
    for label, point in points.items():
        for x, y, side in places:
            text = axis.annotate(label, point, (x, y), textcoords="offset points", ha=side)
            box = text.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        taken.append(box)


KINDS = {
    "real": ([REAL, "copies"], "#555555"),
    "generators": ([*PRESETS], "#d1602a"),
    "damaged": ([label for label in BROKEN if label != "copies"], "#1f5fa8"),
}
figure, axis = plt.subplots(figsize=(10, 6.4), layout="constrained")
points = {label: (scores[label]["FD"][0], scores[label]["NN10"][0]) for label in novelty}
for kind, (labels, color) in KINDS.items():
    x, y = np.transpose([points[label] for label in labels])
    axis.plot(x, y, "o", color=color, markersize=10, label=kind)
low, high = min(y for _, y in points.values()), max(y for _, y in points.values())
axis.set(xscale="log", yscale="log", ylim=(low / 1.35, high * 1.35))
axis.set_xlabel("unlike the real pictures: FD  →", fontsize=13)
axis.set_ylabel("far from the training pictures: NN10  →", fontsize=13)
axis.yaxis.set_major_formatter("{x:.0f}")
axis.yaxis.set_minor_formatter("{x:.0f}")
axis.legend(frameon=False, loc="upper center", fontsize=12)
corners = {
    "WANTED: new, and yet\nlike real clothes": (0.02, 0.98, "top", "left", "#d8efe4"),
    "broken: far away\nand unlike": (0.98, 0.98, "top", "right", "#dde8f5"),
    "imitation: like real\nclothes, and known": (0.02, 0.02, "bottom", "left", "#eeeeee"),
    "collapse: known,\nand all alike": (0.98, 0.02, "bottom", "right", "#dde8f5"),
}
for text, (x, y, above, side, color) in corners.items():
    box = {"facecolor": color, "edgecolor": "none", "boxstyle": "round"}
    axis.text(x, y, text, va=above, ha=side, transform=axis.transAxes, fontsize=13, bbox=box)
write_labels(axis, points)
plt.show()

# %% [markdown]
# Leave the repeated pictures at the lower right aside: there is no variety. Most other points lie
# along one diagonal. For this judge, *far from the training pictures* and *unlike them* are nearly
# the same thing: what is drawn badly moves up and to the right. The wanted corner is at the top
# left, and it is empty. To be there, a picture must be far from every single training
# picture while the set as a whole has the statistics of clothes. A better generator moves **left**.
# A more creative one moves **up without moving right**.
#
# So do not compare the NN10 of two generators unless they have a similar FD. If one is higher in
# both, it is first of all worse.
#
# ## How many pictures are needed?
#
# Score fewer pictures, and the Fréchet distance grows, though the generator is the same. The reason
# is in its first term. The mean of $n$ pictures is itself uncertain: if both sets come from one
# source, its expected squared distance to the true mean is not 0, but
#
# $$\mathbb E\,\Vert\hat\mu-\mu\Vert^2=\frac{\mathrm{tr}\,\Sigma}n$$
#
# which is the old rule "variance divided by $n$", summed over all features. The covariances add
# their own part. Such an error in one direction is called a *bias*. It shrinks like $1/n$, so one
# can draw the distance over $1/n$ and prolong the line to $1/n=0$, to infinitely many pictures
# (Chong and Forsyth 2020).

# %%
NUMBERS = (16, 32, 64) if QUICK else (50, 100, 200, 500, 1_000, 2_000)
rng = np.random.default_rng(0)
fd_curve, kd_curve = {}, {}
for label in (REAL, "CAN(H)"):
    draws = [[rng.permutation(features[label])[:n] for _ in range(12)] for n in NUMBERS]
    fd_curve[label] = np.array([[frechet(rows) for rows in group] for group in draws])
    kd_curve[label] = np.array(
        [
            [metrics.kernel_distance(rows, train_features, subsets=2)[0] for rows in group]
            for group in draws
        ]
    )

variance = train_features.var(axis=0).sum()  # the trace of the covariance
print("pictures   FD of real pictures   tr(Sigma)/n   KD of real pictures")
for n, fd, kd in zip(NUMBERS, fd_curve[REAL], kd_curve[REAL], strict=True):
    print(f"{n:8} {fd.mean():18.2f} {variance / n:15.2f} {kd.mean():15.3f} ±{kd.std():.3f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.9), layout="constrained")
n = np.array(NUMBERS)
axes[0].loglog(n, fd_curve[REAL].mean(axis=1), "o-", color=COLORS[REAL], label="measured")
axes[0].loglog(n, variance / n, ":", color="0.4", label=r"only the means: tr $\Sigma$ / n")
axes[0].set(title="FD of real pictures (should be 0)", xlabel="number of pictures n")
axes[0].legend(frameon=False)

large = n >= n[-1] / 10
means = fd_curve["CAN(H)"].mean(axis=1)
slope, limit = np.polyfit(1 / n[large], means[large], 1)
bars = fd_curve["CAN(H)"].std(axis=1)[large]
axes[1].errorbar(1 / n[large], means[large], bars, fmt="o", color=COLORS["CAN(H)"], capsize=3)
axes[1].plot([0, 1 / n[large][0]], [limit, limit + slope / n[large][0]], "k:", linewidth=1)
axes[1].plot(0, limit, "k*", markersize=13, label=f"endless pictures: {limit:.1f}")
for x, y, number in zip(1 / n[large], means[large], n[large], strict=True):
    axes[1].annotate(f"n = {number}", (x, y), (8, -10), textcoords="offset points", fontsize=10)
axes[1].set(title="FD of CAN(H)", xlabel="1 / n", xlim=(-0.03 / n[large][0], 1.25 / n[large][0]))
axes[1].legend(frameon=False, loc="upper left")

for label in (REAL, "CAN(H)"):
    kd = kd_curve[label]
    axes[2].errorbar(
        n, kd.mean(axis=1), kd.std(axis=1), fmt="o-", color=COLORS[label], capsize=3, label=label
    )
axes[2].axhline(0, color="0.7", linewidth=1)
axes[2].set(title="KD", xlabel="number of pictures n", xscale="log")
axes[2].legend(frameon=False)
plt.show()

# %% [markdown]
# Left: real pictures, scored against the training pictures of the same source. With few of them
# the Fréchet distance is far from 0. Middle: the same for a generator; the star is the
# estimate for endlessly many pictures. Right: the kernel distance of few pictures jumps, but it jumps around the right value.
# So:
#
# - compare Fréchet distances of **equal numbers** of pictures only, several times the number of
#   features,
# - with a few hundred pictures, take the kernel distance,
# - print the ±, always.
#
# ## What no score knows
#
# The scores know classes and clouds. They do not know whether somebody would wear it. Sbai et al.
# therefore asked people on a crowd-working platform: How much do you like it? How new, how complex
# are shape and texture? Was it made by a human designer or by a computer? The abstract reports that
# about **61 %** of the generated pictures were judged to be made by a human designer *and* original.
#
# Try it in class. Write down for each picture: made by a human (*drawn by the program of the data
# set*) or by a network? Would you call it original? The key is in the cell below, the other way
# round.

# %%
rng = np.random.default_rng(7)
riddle = rng.permutation([(label, row) for label in FOUR for row in range(50, 54)], axis=0)
kdg.plotting.show_images(
    np.stack([pictures[label][int(row)] for label, row in riddle]),
    titles=[f"{number}" for number in range(1, 17)],
)

# %%
key = [f"{number}: {label}" for number, (label, _) in enumerate(riddle, start=1)]
for line in (key[15:11:-1], key[11:7:-1], key[7:3:-1], key[3::-1]):
    print("   ".join(f"{entry:24}" for entry in line))

# %% [markdown]
# A share has a ±, too. If $n$ answers give the share $p$, its standard deviation is
# $\sqrt{p(1-p)/n}$. With a class of 20 and one picture each, 61 % is not far from a coin:

# %%
# NBVAL_CHECK_OUTPUT
for answers_given in (20, 100, 1_000):
    print(f"{answers_given:5} answers: 61 % ± {np.sqrt(0.61 * 0.39 / answers_given):.1%}")

# %% [markdown]
# ## Which number to trust when
#
# | you ask | look at | and beware |
# | --- | --- | --- |
# | Can the judge see at all? | its accuracy, the confusion matrix | at chance level believe nothing |
# | Are the pictures like real ones? | FD, with few pictures KD | equal numbers of pictures; copies are perfect |
# | Are they clear, and of all classes? | IS, beside real pictures | one picture per class wins |
# | With the mix of the training set? | AM-GAN's score | DesIGN's AM does not ask for the mix |
# | Does it copy? | NN10 well below that of test pictures | the judge may miss small changes |
# | Is it new? | NN10, *at a similar FD* | noise is the newest of all |
# | Is it between two kinds? | entropy, and its highest pictures | broken pictures, too |
# | Is it good? Would I buy it? | people | there is no formula |
#
# ## Exercises
#
# 1. A generator makes only 4 of 7 classes, evenly and perfectly clear. What is its inception score?
# 2. One feature; training $\mu=0,\sigma=1$, generated $\mu=3,\sigma=2$. Compute $FD$.
# 3. Mirror every test picture left to right, `real[:, :, ::-1]`. Guess, then measure: which scores
#    change?
# 4. Which generator has a perfect FD and is worth nothing? How do you unmask it?
# 5. Invent a score that is high only for pictures that are new *and* clear. Which of the damaged
#    sets deceives it?
# 6. Why is it unfair to score a generator with the heads of its own discriminator?
#
# <details><summary>Answers</summary>
#
# 1. $H(\bar C)=\log4$ and each entropy is 0, so $IS=4$.
# 2. $(3-0)^2+(2-1)^2=10$.
# 3. Hardly any, because garments are nearly symmetric. Classes and NN10 move by about one or two ±,
#    FD rises a little. No score minds buttons on the wrong side, and a tailor would.
# 4. One that stores the training pictures (*copies*). Its NN10 is below that of test pictures, and
#    with $k=1$ it is 0.
# 5. For example the share of designs whose NN10 is above that of 90 % of the test pictures while
#    their entropy is below that of 90 % of them. With the entropy of the *texture*, pure noise
#    deceives it: far away, and the judge is certain. Every score can be won by somebody who knows
#    it. That is why one never trains on the score.
# 6. The generator was trained against just these heads. It may have learned what confuses *them*
#    without changing what others see.
#
# </details>
#
# ## What the papers reported, and what came out here
#
# | | papers | here |
# | --- | --- | --- |
# | judge | ResNet-18 trained on shape and texture of product photos, 512 features (Sbai et al. 2018) | the same network with a quarter of the filters, 128 features, on drawn garments |
# | FID, KID | 2,048 features of an ImageNet network; FID of up to 50,000 pictures (Heusel et al. 2017) | 128 features of the garments' judge, 2,000 pictures: the values can not be compared |
# | AM score of DesIGN | beside inception score and NN10, on shape and texture; we quote no values | the formula does not ask for the training mix (three curves above) |
# | CAN and CAN(H) beside DCGAN | high automatic scores; CAN(H) newer and better liked | see the bars: one training each, so no ranking of the losses |
# | novelty | NN10, and people | NN10 alone is won by pure noise |
# | people | about 61 % of the pictures judged made by a human *and* original | not asked; the riddle above is yours |
#
# Stated plainly: the formulas give what they promise on small cases, and they find damage that a
# person sees at once. Whether a design is *creative* they do not say.
#
# ## Where to go next
#
# - Score a training of your own: `design-gans score RUN`; the table has the column `real` beside.
# - Read `keras_design_gans/metrics/class_scores.py` and `distribution.py`: each score is a few lines.
# - Borji, *Pros and Cons of GAN Evaluation Measures* (2019): a survey of many more scores.
# - Kynkäänniemi et al., *Improved Precision and Recall Metric for Assessing Generative Models*
#   (2019): quality and variety as two numbers instead of one.
