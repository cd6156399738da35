# %% [markdown]
# # 2. Losses for creativity: CAN and CAN(H)
#
# **The question.** A generator that imitates learns to draw what there is: shirts that are clearly
# shirts, stripes that are clearly stripes. A designer wants clothes that are good *and* fit no
# known drawer. Can a loss ask for that?
#
# DesIGN (Sbai, Elhoseiny, Bordes, LeCun and Couprie 2018) gives the discriminator a second task: it
# names the shape and the texture of real clothes. The generator is then rewarded for clothes that
# look real and that the discriminator **cannot name**. This notebook compares two forms of this
# reward, called CAN and CAN(H), with the same network without it.

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

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
FILTERS = 8 if QUICK else 64 if GPU else 32  # width of the networks
STEPS = 20 if QUICK else 8_000 if GPU else 1_200  # length of each training
ROUND = STEPS // 20  # steps between two points of the curves
PICTURES = 64 if QUICK else 1_000  # scored pictures
DesIGN = kdg.models.DesIGN
WEIGHT = 0.2  # of the creativity loss
LABELS = {"none": "no creativity loss", "can": "CAN", "can_h": "CAN(H)"}

# %% [markdown]
# The data are the drawn garments of the first notebook. They come in seven shapes and seven
# textures, and each picture belongs clearly to one of each. What would an eighth shape look like?

# %%
real = kdg.datasets.load("garments", "test", num_examples=98 if QUICK else None)
some = real.take(49)  # each shape in each texture
chosen = np.flatnonzero(some["shape"] == some["texture"])  # seven of both
shapes, textures = real.class_names["shape"], real.class_names["texture"]
kdg.plotting.show_images(
    some["image"][chosen], titles=[f"{shapes[n]}, {textures[n]}" for n in some["shape"][chosen]]
)

# %% [markdown]
# ## The equations
#
# The discriminator has one trunk and several ends, called *heads*. For a picture $x$ they give
#
# - $D_r(x)=\sigma(\ell_r)$: the probability that $x$ is real, from one logit $\ell_r$,
# - $D_b(x)$: the logits $\ell_1,\dots,\ell_K$ of the head $b$, one for each of its $K$ classes.
#   Here $b$ is `shape` or `texture`, and both have $K=7$ classes.
#
# The **discriminator** minimises
#
# $$L_D=\lambda_{D_r}\underbrace{\big(-\mathbb E_x\log D_r(x)-\mathbb E_z\log(1-D_r(G(z)))\big)}_{L_{D\,rf}:\ \text{real or fake}}
# +\lambda_{D_b}\sum_b\underbrace{-\mathbb E_x\log\mathrm{softmax}_{\hat c_b(x)}(D_b(x))}_{L_{D\,cls,b}:\ \text{name the class}}$$
#
# where $\hat c_b(x)$ is the true class of the real picture $x$, and
# $\mathrm{softmax}_k(\ell)=e^{\ell_k}/\sum_j e^{\ell_j}$. The heads see labels of **real pictures
# only**: a generated picture has no label.
#
# The **generator** minimises
#
# $$L_G=\lambda_{G_r}\underbrace{\big(-\mathbb E_z\log D_r(G(z))\big)}_{L_{G\,rf}:\ \text{look real}}
# +\lambda_{G_e}\sum_b L_{G\,crea,b}$$
#
# $z\sim N(0,I)$ is the noise, $G(z)$ the generated picture, and the $\lambda$ are weights. We
# know of no values from the paper. Here all are 1 except $\lambda_{G_e}=0.2$; the end of the notebook
# shows what happens with 1.
#
# The creativity loss $L_{G\,crea,b}$ asks that the head be undecided: each class should get the
# share $1/K$. There are two readings of "undecided".
#
# **CAN** (Elgammal et al. 2017, in the form that DesIGN uses) asks each class *by itself*, with a
# sigmoid:
#
# $$L_{CAN}=-\mathbb E_z\sum_{k=1}^K\Big[\tfrac1K\log\sigma(\ell_k)+\tfrac{K-1}K\log(1-\sigma(\ell_k))\Big]$$
#
# **CAN(H)**, for *holistic*, asks all classes *together*, with a softmax:
#
# $$L_{CAN(H)}=-\mathbb E_z\sum_{k=1}^K\tfrac1K\log\mathrm{softmax}_k(\ell)$$
#
# Both equations in NumPy, as they stand above:


# %%
def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def can(logits):
    share, p = 1 / logits.shape[-1], sigmoid(logits)
    return -np.sum(share * np.log(p) + (1 - share) * np.log(1 - p), axis=-1)


def can_h(logits):
    return -np.mean(np.log(softmax(logits)), axis=-1)


# %% [markdown]
# ### The shift test
#
# Add the same number to all logits of a head. The softmax does not change: the head says exactly
# the same about the picture. Does the loss change?

# %%
# NBVAL_CHECK_OUTPUT
print("K = 7          CAN by hand    package   CAN(H) by hand   package")
for level in (-10.0, 0.0, 10.0):
    logits = np.full((1, 7), level)
    package = float(kdg.losses.can_loss(logits)), float(kdg.losses.can_h_loss(logits))
    print(
        f"all at {level:+5.0f}   {can(logits)[0]:11.6f}  {package[0]:9.4f}"
        f"      {can_h(logits)[0]:11.6f}  {package[1]:8.4f}"
    )
print(f"log 7 = {np.log(7):.6f}")

# %% [markdown]
# All three heads are completely undecided. CAN(H) gives each of them its lowest value, $\log 7$.
# CAN gives 10 to the first and 60 to the last: it punishes the *level* of the logits, which says
# nothing about the class.
#
# ### Where are the lowest values?
#
# $L_{CAN(H)}=\log K+KL(U\,\Vert\,\mathrm{softmax}(\ell))$, where $U$ is the uniform distribution
# and $KL\ge0$ the Kullback-Leibler divergence. So the lowest value is $\log K$, at *equal* logits
# of *any* level. $L_{CAN}$ is lowest where each $\sigma(\ell_k)=1/K$, which is at *one single
# point*: every logit at $-\log(K-1)$.

# %%
# NBVAL_CHECK_OUTPUT
print(" K   logit of the minimum   CAN there   CAN(H) there    log K")
for classes in (2, 7, 10):
    best = np.full((1, classes), np.log(1 / (classes - 1)))
    print(
        f"{classes:2}   {best[0, 0]:20.6f}   {can(best)[0]:9.6f}   {can_h(best)[0]:12.6f}"
        f"   {np.log(classes):.6f}"
    )

# %% [markdown]
# ### What the generator feels: the gradients
#
# $$\frac{\partial L_{CAN}}{\partial\ell_k}=\sigma(\ell_k)-\frac1K\qquad
# \frac{\partial L_{CAN(H)}}{\partial\ell_k}=\mathrm{softmax}_k(\ell)-\frac1K$$
#
# We compare both formulas with automatic differentiation, for a head that prefers the first class.
# (`input_gradients` is a method of every model of the package; the model's weights play no part
# here.)

# %%
# NBVAL_CHECK_OUTPUT
paper = DesIGN(heads={"shape": 7, "texture": 7})
logits = np.array([[2.0, 0, 0, 0, 0, 0, 0]], "float32")
formulas = {"can_loss": sigmoid(logits) - 1 / 7, "can_h_loss": softmax(logits) - 1 / 7}
for name, formula in formulas.items():
    loss = getattr(kdg.losses, name)
    gradient = ops.convert_to_numpy(paper.input_gradients(loss, ops.convert_to_tensor(logits)))
    print(f"{name:10}  loss {float(loss(logits)):.4f}")
    print("   formula  ", formula[0].round(4))
    print("   measured ", gradient[0].round(4))

# %% [markdown]
# The gradient of CAN(H) sums to zero: it takes from the first class and gives to the others. The
# gradient of CAN pushes *all* logits down here, also those of the six classes that already have
# less than their share.
#
# ### The two losses as landscapes
#
# Left: both losses along the shift, for an undecided head and for one that prefers a class by 3.
# Middle and right: $K=2$, all pairs of logits, with arrows in the direction in which the generator
# is pushed.

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
shift = np.linspace(-8, 8, 100)[:, None]
for gap, style in {0: "-", 3: "--"}.items():
    logits = shift + np.eye(7)[0] * gap
    axes[0].plot(shift, can(logits), "C3" + style, label=f"CAN, preference {gap}")
    axes[0].plot(shift, can_h(logits), "C0" + style, label=f"CAN(H), preference {gap}")
axes[0].axvline(-np.log(6), color="0.7", linewidth=1)
axes[0].set(xlabel="number added to all 7 logits", ylabel="loss", ylim=(0, 20), title="K = 7")
axes[0].legend(frameon=False)

x, y = np.meshgrid(np.linspace(-4, 4, 60), np.linspace(-4, 4, 60))
pairs = np.stack([x, y], axis=-1)
slopes = {"CAN": (can, sigmoid), "CAN(H)": (can_h, softmax)}
for axis, (name, (loss, share)) in zip(axes[1:], slopes.items(), strict=True):
    axis.contourf(x, y, loss(pairs), levels=20, cmap="Blues")
    few = pairs[4::9, 4::9]
    push = 0.5 - share(few)
    axis.quiver(few[..., 0], few[..., 1], push[..., 0], push[..., 1], color="C1", scale=8)
    axis.set(title=f"{name}, K = 2", xlabel=r"$\ell_1$", ylabel=r"$\ell_2$", aspect="equal")
plt.show()

# %% [markdown]
# CAN is a bowl with one lowest point. CAN(H) is a valley: the whole diagonal $\ell_1=\ell_2$ is
# equally good, and no arrow points along it.
#
# **Why this matters in training.** The heads learn with a softmax, which leaves the level of the
# logits free. CAN reads the *same* logits with a sigmoid and asks the generator to bring them to
# the level $-\log(K-1)$. The generator spends part of its effort on a level that nobody defined.
# How large a part, we measure below.
#
# ## The network with heads
#
# One dense layer per head, on the last map of the DCGAN's discriminator. With two heads of seven
# classes at 64 pixels:

# %%
# NBVAL_CHECK_OUTPUT
for layer in paper.discriminator.layers:
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
        print(f"{type(layer).__name__:7} {layer.output.shape[1:]}")
print("outputs:", {name: out.shape[1:] for name, out in paper.discriminator.output.items()})
trained = sum(int(np.prod(weight.shape)) for weight in paper.discriminator.trainable_weights)
print(f"{trained:,} numbers to learn, {2 * 8192 * 7 + 2 * 7:,} of them in the two heads")

# %% [markdown]
# A check of the whole objective: with all logits at 0, nothing is known and nothing is named.

# %%
# NBVAL_CHECK_OUTPUT
real_logits, class_logits = np.zeros((1, 1)), np.zeros((1, 7))
d_loss = kdg.losses.minimax_discriminator_loss(real_logits, real_logits)
g_loss = kdg.losses.nonsaturating_generator_loss(real_logits)
print(f"L_D           = log 4 + 2 log 7     = {float(d_loss) + 2 * np.log(7):.4f}")
for name in ("can_loss", "can_h_loss"):
    creativity = float(getattr(kdg.losses, name)(class_logits))
    print(f"L_G, {name:10} log 2 + 2 * {creativity:.4f} = {float(g_loss) + 2 * creativity:.4f}")

# %% [markdown]
# ## The training step
#
# DesIGN uses the step of DCGAN as it is and changes the two objectives:

# %%
print(inspect.getsource(kdg.models.DCGAN.train_step))
print(inspect.getsource(DesIGN.discriminator_objective))
print(inspect.getsource(DesIGN.generator_objective))

# %% [markdown]
# Read it beside the equations:
#
# - In `discriminator_objective`, `real["real"]` and `fake_logits` are the logits of $D_r$. The loop
#   adds $L_{D\,cls,b}$ of every head: it uses `real[head]` and `batch[head]`, never the fakes.
# - In `generator_objective`, `logits[head]` is $D_b(G(z))$. Its entropy is logged: it is $\log K$
#   when the head is undecided and 0 when it is certain.
# - The creativity loss is inside the generator's `minimize`. It moves **only the generator**: the
#   discriminator keeps naming clothes as well as it can, otherwise the task would become empty.
#
# ## Three trainings side by side
#
# The same seed, the same data in the same order, the same number of steps, at 32 pixels to save
# time. Only the loss differs. `"none"` has the heads too, but the generator does not see them.

# %%
train = kdg.datasets.load(
    "garments", image_size=32, batch_size=32, num_examples=640 if QUICK else None
)
test = kdg.datasets.load("garments", "test", image_size=32, num_examples=98 if QUICK else None)


def train_design(creativity, steps, weight=WEIGHT):
    keras.utils.set_random_seed(0)
    model = DesIGN(
        image_shape=(32, 32, 3),
        heads=train.class_names,
        creativity=creativity,
        g_creativity_weight=weight,
        base_filters=FILTERS,
        real_target=0.9,
        instance_noise=0.1,
        average_decay=0.99,
    )
    model.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
    )
    history = model.fit(
        train.batches(),
        steps_per_epoch=ROUND,
        epochs=steps // ROUND,
        callbacks=[kdg.callbacks.SampleGrid(rows=1, columns=16, show=True)],
        shuffle=False,
        verbose=0,
    )
    return model, history.history


models, histories = {}, {}
models["none"], histories["none"] = train_design("none", STEPS)

# %%
models["can"], histories["can"] = train_design("can", STEPS)

# %%
models["can_h"], histories["can_h"] = train_design("can_h", STEPS)

# %% [markdown]
# ### How undecided are the heads?
#
# The entropy of a head's answer $p$ is $H=-\sum_k p_k\log p_k$. It is at most $\log7\approx1.946$.

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
steps = np.arange(1, STEPS // ROUND + 1) * ROUND
for axis, head in zip(axes, ("shape", "texture"), strict=True):
    for creativity, label in LABELS.items():
        axis.plot(steps, histories[creativity][f"{head}_entropy"], label=label)
    axis.axhline(np.log(7), color="0.5", linestyle=":", label="log 7")
    axis.set(title=f"entropy of the {head} head on fakes", xlabel="step", ylim=(0, 2.1))
axes[1].legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# All curves fall: as the heads learn to name real clothes, they name fakes too. Both creativity
# losses hold the entropy of the *shape* up, at about 0.75 where the plain training ends at 0.5. For
# the *texture* the gain is small. At this weight nobody comes near $\log7$. Between CAN and CAN(H)
# there is hardly a difference here.
#
# ### Where the gradient of CAN goes
#
# We split the gradient of each fake into a part along $(1,\dots,1)$, which only shifts the level,
# and the rest, which changes the head's opinion. The shares are of the squared length.

# %%
fakes = models["can"].generate(PICTURES, seed=1)
for key in ("none", "can"):
    outputs = models[key].discriminator.predict(fakes, verbose=0)
    for head in ("shape", "texture"):
        gradient = sigmoid(outputs[head]) - 1 / 7
        level = 7 * gradient.mean(axis=1) ** 2
        share = (level / (gradient**2).sum(axis=1)).mean()
        print(
            f"heads trained with {LABELS[key]:18} {head:8}"
            f" mean logit {outputs[head].mean():+.2f}   part that shifts the level {share:.0%}"
        )

# %% [markdown]
# Even heads that never met CAN have negative mean logits, on the way to $-\log6\approx-1.79$: a
# classifier says "no" to six of seven classes. So the punishment is milder than the shift test
# suggests. Still, between 20 % and 40 % of CAN's gradient shifts the level. For CAN(H) this part is
# exactly 0.
#
# ### The pictures
#
# The same noise for all three.

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.2), layout="constrained")
for axis, (creativity, label) in zip(axes, LABELS.items(), strict=True):
    grid = kdg.plotting.image_grid(models[creativity].generate(24, seed=4), columns=6)
    axis.imshow(grid, interpolation="nearest")
    axis.set_title(label)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# All three are sketches: 1,200 steps at 32 pixels give outlines and colours, no clean patterns. To
# the eye the three sets are equally good. What the creativity losses do is visible in single
# pictures only, such as bodies without clear sleeves. This is where a score has to help.
#
# ## Scores
#
# The heads of the discriminator are party to the game: the generator was trained against them. A
# judge must be independent. As in the paper it is a ResNet-18, trained on the labels of the real
# pictures. $C(x)$ is its vector of class probabilities, $\bar C=\mathbb E_xC(x)$ the mean over
# generated pictures and $\bar C^{train}$ the mean over training pictures.
#
# - **Inception score**, $IS=\exp\big(\mathbb E_x KL(C(x)\,\Vert\,\bar C)\big)$, from 1 to $K$: is
#   each picture clearly of one class, and are there many classes? A generator that *wants* to be
#   undecided works against it.
# - **AM score**, $AM=\mathbb E_xKL(\bar C^{train}\,\Vert\,C(x))-KL(\bar C^{train}\,\Vert\,\bar C)$:
#   high when single pictures are clear. It has no upper limit and grows with the classifier's
#   confidence, *also when that is a mistake*.
# - **Distance to the neighbours**, $NN_{10}$: the mean distance, in 512 features in the paper (128
#   here, with a quarter of the filters), to the 10 nearest training pictures. High means new, *or
#   broken*.

# %%
keras.utils.set_random_seed(0)
judge = kdg.metrics.ResNet18((32, 32, 3), heads=train.class_names, base_filters=4 if QUICK else 16)
judge.compile()
judge.fit(train.batches(), steps_per_epoch=10 if QUICK else 800, shuffle=False, verbose=0)
accuracy = judge.evaluate(test, return_dict=True, verbose=0)
for head in ("shape", "texture"):
    print(f"the judge names the {head} of {accuracy[f'{head}_accuracy']:.1%} of the test pictures")

# %% [markdown]
# As a warning we also score pictures that are broken on purpose: real test pictures, rolled by half
# their size in both directions, so that the sleeves are in the middle.

# %%
SCORES = {
    "shape_inception_score": "IS shape",
    "texture_inception_score": "IS texture",
    "shape_am_score": "AM shape",
    "texture_am_score": "AM texture",
    "knn_distance": "NN10",
}


def show_scores(table):
    """Prints scores with their standard deviations; real pictures come last."""
    print(" " * 20 + "".join(f"{title:>14}" for title in SCORES.values()))
    rows = [(label, scores, "generated") for label, scores in table.items()]
    for label, scores, kind in [*rows, ("real test pictures", rows[-1][1], "test")]:
        values = [(scores[name][kind], scores[name][f"{kind}_deviation"]) for name in SCORES]
        print(f"{label:20}" + "".join(f"{mean:8.2f} ±{dev:4.2f}" for mean, dev in values))


pictures = {label: models[key].generate(PICTURES, seed=1) for key, label in LABELS.items()}
known, unseen = train.take(len(train) * 32)["image"][: 4 * PICTURES], test.take(PICTURES)["image"]
pictures["broken on purpose"] = np.roll(unseen, 16, axis=(1, 2))
show_scores(
    {
        label: kdg.metrics.design_scores(judge, images, known, unseen)
        for label, images in pictures.items()
    }
)

# %% [markdown]
# What the table says, row by row:
#
# - Both creativity losses lower the inception scores and AM scores, for shape by many times the
#   standard deviation, for texture less. They do what they ask for: pictures that the judge cannot
#   name so well.
# - Both raise the distance to the neighbours, from 4.9 to 5.2 and 5.3. "More novel", one would like
#   to say.
# - But the pictures that are broken on purpose are the most novel of all. The distance alone proves
#   nothing.
# - Real test pictures are far better in every score than any generator. The generators are limited
#   by quality, not by a lack of originality.
# - On the shape CAN lowers both scores further than CAN(H); on the texture the two scores disagree.
#   One seed each: this is no ranking.
#
# A last warning about the AM score and the inception score: the true class does not occur in either
# formula. A judge that is certain *and wrong* gives the same score as one that is certain and
# right.

# %%
# NBVAL_CHECK_OUTPUT
right = np.full((7, 7), 0.01) + 0.93 * np.eye(7)  # picture k is of class k; 0.94 for that class
wrong = np.roll(right, 1, axis=1)  # as certain, but each time for the next class
uniform = np.full((1, 7), 1 / 7)
for name, p in {"right": right, "wrong": wrong}.items():
    am, inception = kdg.metrics.am_score(p, uniform), kdg.metrics.inception_score(p)
    print(f"{name}: AM {am:.4f}, inception score {inception:.4f}")

# %% [markdown]
# ## The long trainings
#
# The presets of the package were trained on the same garments at 64 pixels for longer, with
# $\lambda_{G_e}=0.1$: one with CAN, one with CAN(H), and a plain DCGAN without heads. CAN(H) had most
# steps, so it must not be compared with the other two as if they were equals. First the facts, then
# pictures from the same noise.

# %%
PRESETS = {
    "dcgan_garments_64": "DCGAN",
    "design_garments_64_can": "CAN",
    "design_garments_64": "CAN(H)",
}
about = {name: kdg.presets.metadata(name) for name in PRESETS}
for name, facts in about.items():
    print(f"{name:24} {facts['steps']} steps, seed {facts['seed']}, {facts['machine']}")

long = {label: kdg.presets.load(name) for name, label in PRESETS.items()}
figure, axes = plt.subplots(1, 3, figsize=(13.5, 4.6), layout="constrained")
for axis, (label, preset) in zip(axes, long.items(), strict=True):
    axis.imshow(kdg.plotting.image_grid(preset.generate(30, seed=4), columns=6))
    axis.set_title(label)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# All three draw clothes that one can name, with buttons, collars and patterns. All three also draw
# frayed sleeves and washed-out prints. Checks that hold together are found with the two that have
# heads; DCGAN likes dots.

# %%
print(f"{about['design_garments_64']['scores']['pictures']} pictures of each kind")
show_scores({label: about[name]["scores"] for name, label in PRESETS.items()})

# %% [markdown]
# On the *shape* CAN is named a little less surely than DCGAN after as many steps, by two standard
# deviations: the direction of the short trainings, but a small step. On the *texture* it is the
# other way round: CAN scores *higher* than DCGAN. The reason may be the heads and not the creativity
# loss: learning the texture labels teaches the trunk of the discriminator to see patterns, and a
# DCGAN has no such lesson. To be sure one would train the heads with `creativity="none"` for as
# long. CAN(H), with its 20,000 steps, has the highest score on texture, and the smallest distance to
# the neighbours. Far from the training pictures is, here, first of all badly drawn.
#
# One detail made these trainings possible. The heads soon name every real picture, and with hard
# labels they go on growing their logits: the creativity loss grew to 28, and the cloth became grey
# noise. The recipes smooth the labels of the heads, `class_smoothing=0.1`.
#
# ### Undecided for whom?
#
# A generator can make the heads of its own discriminator undecided by small patterns that only
# these heads react to. A judge that took no part in the training is harder to confuse. We ask the
# shipped ResNet-18 for the entropy of its answers, and for the share of pictures to which it gives
# no class more than one half.

# %%
judge = kdg.presets.load("resnet18_garments_64")
asked = {"real": real.take(min(PICTURES, real.num_examples))["image"]}
asked |= {label: preset.generate(PICTURES, seed=1) for label, preset in long.items()}
answers = {label: judge.probabilities(images) for label, images in asked.items()}
for head in ("shape", "texture"):
    for label, answer in answers.items():
        p = answer[head]
        entropy = -(p * np.log(p + 1e-12)).sum(axis=1).mean()
        print(
            f"{head:8} {label:8} entropy {entropy:.2f}   undecided {(p.max(axis=1) < 0.5).mean():.1%}"
        )

# %% [markdown]
# Which pictures of CAN(H) leave the judge most undecided about the shape? Above each stand its two
# favourite answers.

# %%
p = answers["CAN(H)"]["shape"]
doubtful = np.argsort(p.max(axis=1))[:16]
titles = []
for row in p[doubtful]:
    second, first = np.argsort(row)[-2:]
    titles.append(f"{shapes[first]} or {shapes[second]}")
kdg.plotting.show_images(asked["CAN(H)"][doubtful], titles=titles)

# %% [markdown]
# This is what the loss asks for, and it is worth a long look. A pale shirt that could be a light
# jacket, a dark pullover with a print and the cut of a jacket: some could hang in a shop. Others are
# simply faults, with stripes that run over body and sleeves as if there were no seam. The judge
# cannot tell the two apart. A person can, and that is why the paper asked people.
#
# In numbers: the judge is undecided about the shape of 2.1 % of the pictures of CAN(H), of 2.3 % for
# CAN, of 1.8 % for DCGAN and of none of the real ones. What looks undecided comes from imperfect
# pictures at least as much as from the creativity loss.
#
# ## What goes wrong, and how to see it
#
# **Too much originality.** With the weight $\lambda_{G_e}=1$ the creativity loss outweighs the wish
# to look real: each CAN(H) loss is at least $\log 7$, for two heads 3.9, where $L_{G\,rf}$ is about
# 2.

# %%
eager, log = train_design("can_h", STEPS // 2, weight=1.0)
now = len(log["g_loss"]) - 1
print(f"after {STEPS // 2} steps    weight {WEIGHT}   weight 1")
for name in ("d_fake_accuracy", "shape_entropy", "texture_entropy"):
    print(f"{name:17} {histories['can_h'][name][now]:10.2f} {log[name][now]:10.2f}")

# %%
kdg.plotting.show_images(eager.generate(16, seed=4))

# %% [markdown]
# The heads are much less certain, and the discriminator tells 99 % of the fakes: it has won. The
# pictures show why. A body is brown on the left and grey on the right, one sleeve is short and the
# other long: half one thing and half another. Nothing in the loss says that a new shape must also be a *good*
# shape. This is the reason for the small weights in this notebook.
#
# Other mistakes, and how they show:
#
# - *The creativity loss also moves the discriminator.* Its heads then forget the classes:
#   `shape_accuracy` on real pictures falls to $1/7$, and every picture counts as original.
# - *Fakes in the classification loss.* There is no label for them. With any made-up label the heads
#   learn to recognise fakes, not clothes.
# - *Sum or mean over the classes.* Here $L_{CAN}$ is a sum over $k$ and CAN(H) a mean, as in the
#   equations. A program that takes the mean of both has a weight $\lambda_{G_e}$ that is $K$ times
#   smaller for CAN.
#
# ## Exercises
#
# 1. Where is CAN lowest for $K=2$, and why does it look harmless there?
# 2. Compute the gradient of CAN(H) at the logits $(2,0,0,0,0,0,0)$ by hand.
# 3. A generator draws the same undecided picture for every noise. What are its CAN(H) loss, its
#    inception score and its AM score?
# 4. Why must the heads be trained on real pictures *during* the whole training, and not only once
#    before it?
# 5. Train with `heads={"texture": train.class_names["texture"]}` only. What happens to the entropy
#    of the shape? (Measure it with the judge.)
#
# <details><summary>Answers</summary>
#
# 1. At $\ell_1=\ell_2=-\log1=0$, with the value $2\log2=1.3863$. For $K=2$ the lowest point lies at
#    level 0, where untrained heads start. For $K=7$ it lies at $-1.79$.
# 2. $\mathrm{softmax}_1=e^2/(e^2+6)=0.5519$, the others $1/(e^2+6)=0.0747$. Minus $1/7=0.1429$:
#    $0.4090$ and six times $-0.0682$.
# 3. The loss is $\log K$, its lowest value. Both scores are as low as possible: $IS=1$, $AM=0$. The
#    creativity loss does not ask for variety.
# 4. The task is to leave classes that are *recognised*. The trunk is shared with the real-or-fake
#    end and changes all the time; heads that stand still would soon read features that are gone.
# 5. Nothing pushes it up, so it stays near that of a plain DCGAN. In the paper this is one of the
#    variants: shape only, texture only, or both.
#
# </details>
#
# ## What the paper reported, and what came out here
#
# | | Sbai et al. 2018 | here |
# | --- | --- | --- |
# | data | 4,157 product photos, 7 shapes, 7 textures | 20,000 drawn garments, 7 shapes, 7 textures |
# | judged by | people, and automatic scores | automatic scores only |
# | training | no value known to us | 64 px, 12,000 steps of 32 pictures, CAN(H) 20,000; 32 px, 1,200 steps; seed 0, two CPU cores |
# | weight $\lambda_{G_e}$ | no value known to us | 0.1 (64 px), 0.2 (32 px) |
# | CAN(H) beside DCGAN | best rated by people; high automatic scores | 32 px, equal steps: lower scores, farther from the training pictures; 64 px, more steps: equal on shape, higher on texture, nearer |
# | CAN(H) beside CAN | more novel and better liked | 32 px, equal steps: named a little more surely, a little nearer to the training pictures |
# | best result | about 61 % of the pictures taken for the work of a human designer and found original | not measured |
#
# Stated plainly: the claim that CAN(H) makes *better* designs is about people's taste, and nothing
# here tests it. That the losses do what their equations say, and make clothes that are harder to
# name, came out clearly. That CAN(H) is the better of the two follows from its equation (the shift
# test), but at this size and with one seed the trained networks hardly differ.
#
# ## Where to go next
#
# - `design-gans train design --creativity can_h` makes the training of five minutes at 64 pixels,
#   with scores; try `can` and `none`, and other seeds.
# - Read `keras_design_gans/models/design.py`: the whole paper in one file.
