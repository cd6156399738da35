# %% [markdown]
# # 1. Quickstart: a network that draws clothes
#
# **The question.** A network sees 20,000 pictures of clothes. Nobody tells it what a sleeve is.
# Can it learn to draw clothes that are not among the 20,000?
#
# In this notebook you train a DCGAN (Radford, Metz and Chintala 2016), watch it learn, and test
# whether it invents or copies. You need no GPU: on two free CPU cores the training takes about five
# minutes. The numbers in the text are from such a machine.
#
# Install the package with one backend. TensorFlow, JAX and PyTorch all work; on a CPU, TensorFlow
# is the fastest.
#
# ```
# pip install "keras-design-gans[tensorflow,notebooks]"
# ```
#
# The first cell chooses the backend. This must happen before Keras is imported.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or "jax", or "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log lines of TensorFlow
QUICK = os.environ.get("KDG_QUICK") == "1"  # tiny sizes, for automatic tests

# %%
import inspect
import logging
import shutil
import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import keras_design_gans as kdg

logging.getLogger("tensorflow").setLevel("ERROR")
GPU = shutil.which("nvidia-smi") is not None
SIZE = 32 if QUICK else 64  # side of the pictures in pixels
FILTERS = 8 if QUICK else 64 if GPU else 32  # width of the networks
STEPS = 20 if QUICK else 12_000 if GPU else 2_000  # length of the training
ROUND = STEPS // 20  # steps between two looks at the pictures
folder = Path(tempfile.mkdtemp())  # for the files that this notebook writes

# %% [markdown]
# ## The data
#
# The set `garments` is drawn by the package, so it needs no download and no licence. Every picture
# is a new garment: one of 7 shapes in one of 7 textures, with random measures and colours. The
# first `load` draws the pictures, which takes one to two minutes. After that they come from a cache
# on the disk.

# %%
train = kdg.datasets.load(
    "garments", image_size=SIZE, batch_size=32, num_examples=640 if QUICK else None
)
batch = train.take(49)
titles = [
    f"{train.class_names['shape'][s]}, {train.class_names['texture'][t]}"
    for s, t in zip(batch["shape"], batch["texture"], strict=True)
]
kdg.plotting.show_images(batch["image"], columns=7, titles=titles)

# %% [markdown]
# One column is one shape, one row is one texture. A batch is a dictionary of arrays. The pictures
# are numbers from -1 (black) to 1 (white). The labels `shape` and `texture` are class numbers; a
# DCGAN does not use them.

# %%
for key, array in train[0].items():
    print(f"{key:8} {array.dtype}  {array.shape}")
print("batches per epoch:", len(train))

# %% [markdown]
# ## The equations
#
# Two networks play against each other.
#
# - The **generator** $G$ turns a list of random numbers $z$ (the *noise*) into a picture $G(z)$.
# - The **discriminator** $D$ looks at a picture and says how likely it is that the picture is real.
#   Its output is a number $\ell$, the *logit*. The probability is $D=\sigma(\ell)=1/(1+e^{-\ell})$.
#
# The discriminator wants $D(x)=1$ for real pictures $x$ and $D(G(z))=0$ for generated ones. Its
# loss is the cross-entropy of these two answers:
#
# $$L_D=-\mathbb E_x\log D(x)-\mathbb E_z\log(1-D(G(z)))$$
#
# The generator wants the opposite answer for its own pictures:
#
# $$L_G=-\mathbb E_z\log D(G(z))$$
#
# $\mathbb E_x$ is the mean over real pictures, $\mathbb E_z$ the mean over noise $z\sim N(0,I)$, in
# practice over one batch.
#
# Now with numbers. When the discriminator can only guess, both logits are 0 and both probabilities
# are $\tfrac12$. Then $L_D=\log 4$ and $L_G=\log 2$. Each line below computes the equation by hand
# and with the function of the package.


# %%
# NBVAL_CHECK_OUTPUT
def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


print("logit of real, of fake    L_D by hand  package    L_G by hand  package")
for real, fake in [(0.0, 0.0), (2.0, -2.0), (-2.0, 2.0)]:
    d_by_hand = -np.log(sigmoid(real)) - np.log(1 - sigmoid(fake))
    g_by_hand = -np.log(sigmoid(fake))
    d_loss = kdg.losses.minimax_discriminator_loss([real], [fake])
    g_loss = kdg.losses.nonsaturating_generator_loss([fake])
    print(
        f"{real:+13.0f} {fake:+9.0f}    {d_by_hand:11.4f}  {float(d_loss):7.4f}"
        f"    {g_by_hand:11.4f}  {float(g_loss):7.4f}"
    )

# %% [markdown]
# First line: nobody knows anything. Second line: the discriminator is right about both pictures,
# and its loss is small. Third line: it is wrong about both.
#
# **Why not simply $L_G=+\mathbb E_z\log(1-D(G(z)))$,** the mirror image of the discriminator's
# loss? Because it gives no help when help is needed. At the start the discriminator sees through
# every fake: $\ell$ is very negative. The slope of the mirror loss is then $-\sigma(\ell)\approx0$.
# The slope of the loss above is $-(1-\sigma(\ell))\approx-1$. The first is called *saturating*, the
# second *non-saturating*. We measure both slopes at $\ell=-5$ with a small step $h$.

# %%
# NBVAL_CHECK_OUTPUT
logit, h = -5.0, 0.05
for name in ("minimax_generator_loss", "nonsaturating_generator_loss"):
    loss = getattr(kdg.losses, name)
    slope = (float(loss([logit + h])) - float(loss([logit - h]))) / (2 * h)
    print(f"{name:30} slope {slope:.3f}")
print(f"formulas: {-sigmoid(logit):.3f} and {-(1 - sigmoid(logit)):.3f}")

# %%
logits = np.linspace(-8, 8, 200)
plt.figure(figsize=(6, 3))
plt.plot(logits, np.log(1 - sigmoid(logits)), label=r"saturating: $\log(1-D)$")
plt.plot(logits, -np.log(sigmoid(logits)), label=r"non-saturating: $-\log D$")
plt.xlabel(r"logit $\ell$ of a generated picture   (left: the discriminator sees through it)")
plt.ylabel("loss of the generator")
plt.legend(frameon=False)
plt.grid(alpha=0.3)
plt.show()

# %% [markdown]
# Both curves fall to the right. On the left, where training begins, only the second one has a
# slope.
#
# **Three helpers that are not in the paper.** They make a short training steadier.
#
# *One-sided label smoothing* (Salimans et al. 2016). The target for real pictures is $t=0.9$
# instead of 1:
#
# $$L_D=-\mathbb E_x\big[t\log D(x)+(1-t)\log(1-D(x))\big]-\mathbb E_z\log(1-D(G(z)))$$
#
# The best answer to a real picture is now $D=0.9$, which is the logit $\log 9\approx2.197$. More
# certainty costs. The discriminator stays modest, and the generator keeps a usable slope.

# %%
# NBVAL_CHECK_OUTPUT
for real in (0.0, np.log(9.0), 6.0):
    loss = kdg.losses.minimax_discriminator_loss([real], [-50.0], real_target=0.9)
    print(f"D(x) = {sigmoid(real):.3f}   loss {float(loss):.4f}")

# %% [markdown]
# *Noise before the discriminator* (Arjovsky and Bottou 2017). In training, the discriminator sees
# every picture through random grain, $x+s\,\varepsilon$ with $\varepsilon\sim N(0,I)$ and $s=0.1$.
# It can not win by details that are finer than the grain, and has to look at the garment.
#
# *An averaged generator.* The weights $w$ of a generator jump around from step to step. We draw our
# pictures with a running mean $\bar w$ of them, where $\beta$ is a number close to 1:
#
# $$\bar w\leftarrow\beta\bar w+(1-\beta)w$$
#
# With $\beta=0.99$ it remembers about the last $1/(1-\beta)=100$ steps.

# %% [markdown]
# ## The networks
#
# The generator starts from a map of 4 x 4 places and doubles its side until it reaches the size of
# the picture. The discriminator walks the same way back. Here are the paper's networks for pictures
# of 64 pixels. Batch normalisation and activations stand between these layers and change no shape.

# %%
# NBVAL_CHECK_OUTPUT
paper = kdg.models.DCGAN()
for network in (paper.generator, paper.discriminator):
    print(network.name, "from", network.input_shape[1:])
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            print(f"   {type(layer).__name__:16} {layer.output.shape[1:]}")
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    print(f"   {trained:,} numbers to learn")

# %% [markdown]
# Ours has half the channels on a CPU, hence about a quarter of the weights. The learning rate is
# 5e-4 instead of 2e-4, and batches have 32 pictures instead of 128. All this trades a little
# quality for a lot of time.

# %%
keras.utils.set_random_seed(0)
model = kdg.models.DCGAN(
    image_shape=(SIZE, SIZE, 3),
    base_filters=FILTERS,
    real_target=0.9,
    instance_noise=0.1,
    average_decay=0.99,
)
model.compile(
    generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
)

# %% [markdown]
# Before training, the generator has no idea. This is what it draws from random weights:

# %%
kdg.plotting.show_images(model.generate(8, seed=0))

# %% [markdown]
# ## The training step
#
# This is the whole step, as it stands in the package:

# %%
print(inspect.getsource(kdg.models.DCGAN.train_step))
print(inspect.getsource(kdg.models.DCGAN.discriminator_objective))
print(inspect.getsource(kdg.models.DCGAN.generator_objective))

# %% [markdown]
# Line by line:
#
# 1. `self.read(data)` takes the pictures out of the batch and checks their shape.
# 2. `self.make_fakes(...)` draws one vector $z$ for each real picture, and computes the fakes $G(z)$.
# 3. `self.shared_pass(...)` does this once, for the use of both players. The discriminator sees only
#    the finished pictures: nothing it does can change the generator.
# 4. The first `minimize` moves the **discriminator** down the slope of $L_D$. The argument
#    `"discriminator"` names the only player whose weights move.
# 5. The second `minimize` moves the **generator** down the slope of $L_G$. The updated
#    discriminator judges the same fakes, and says in which direction each pixel should change.
#    (`judge` is the discriminator behind the grain; `slope_penalty` is switched off here.)
#    `through=fake` carries this wish back from the pixels to the weights of the generator.
# 6. The running mean of the weights moves along, and the losses go to the log.
#
# Real pictures and fakes go through the discriminator in two separate batches. Batch normalisation
# then takes the mean of each kind by itself, as the paper's code does.
#
# ## Training
#
# `SampleGrid` draws the pictures of the *same* noise again and again. In the notebook you see them
# change while the training runs. One round is a twentieth of the training.

# %%
film = kdg.callbacks.SampleGrid(folder / "film", rows=1, columns=8)
watch = kdg.callbacks.SampleGrid(rows=3, columns=10, seed=1, show=True)
tell = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: print(
        f"step {(epoch + 1) * ROUND:6}   d_loss {logs['d_loss']:.2f}   g_loss {logs['g_loss']:.2f}"
    )
)
history = model.fit(
    train.batches(),
    steps_per_epoch=ROUND,
    epochs=STEPS // ROUND,
    callbacks=[film, watch, tell],
    shuffle=False,
    verbose=0,
)

# %% [markdown]
# How the pictures came about. Every strip shows the same eight noise vectors:

# %%
strips = sorted((folder / "film").glob("epoch_*.png"))
strips = [strips[index] for index in (0, 1, 3, 7, 19)]
kdg.plotting.show_images(
    np.stack([np.asarray(Image.open(path)) for path in strips]),
    columns=1,
    titles=[f"after {int(path.stem[-4:]) * ROUND} steps" for path in strips],
)

# %% [markdown]
# First comes a blot where clothes are, then sleeves, then the white ground, then outlines and
# colours. The network learns first what all pictures have in common. Note that the same noise may
# still change its garment late in the training: the third picture becomes a top.

# %%
kdg.plotting.plot_history(history)

# %% [markdown]
# **How to read the curves.** In most trainings a falling loss means progress. Not here: each loss
# measures one player against the other, and both improve. A flat curve can mean fast progress. The
# accuracies say who is ahead. At 1 the discriminator wins every time, at 0.5 it guesses. Here it is
# ahead, at 0.7 to 0.9, and pulls away slowly at the end, while the pictures still get better.
#
# ## The pictures, looked at critically

# %%
kdg.plotting.show_images(model.generate(32, seed=2), columns=8)

# %% [markdown]
# What is good: the ground is white, each picture is one garment, upright and centred, and most have
# a shape that one can name: coats, dresses, T-shirts, pullovers. They differ from each other.
#
# What is not:
#
# - The *patterns* are mostly a grainy mottle. Stripes appear now and then, but dots, checks and
#   pictures on the chest do not. Shape is learned before texture.
# - *Left and right do not match*: one sleeve is longer, or frayed, or missing. The generator has no
#   notion of symmetry. It draws each region from the noise, and nobody told it that sleeves come in
#   pairs.
# - *Details are missing*: hardly a button, no collar, no pocket.
#
# ### A walk through the noise
#
# Has the generator learned single pictures, or a space of pictures? Walk from one noise vector to
# another and look at what lies between. If the change is gradual, it is a space. Noise vectors of
# 100 numbers all have a length near $\sqrt{100}=10$, so the walk follows an arc and not the
# straight line:
#
# $$z_t=\frac{\sin((1-t)\,\Omega)}{\sin\Omega}\,z_0+\frac{\sin(t\,\Omega)}{\sin\Omega}\,z_1,\qquad 0\le t\le1$$
#
# $z_0$ and $z_1$ are the ends and $\Omega$ is the angle between them. The lengths along both ways:

# %%
# NBVAL_CHECK_OUTPUT
start, end = model.sample_latents(2, seed=0)
for name, spherical in {"arc": True, "straight line": False}.items():
    walk = kdg.plotting.latent_walk(start, end, steps=5, spherical=spherical)
    print(f"{name:14}", np.linalg.norm(walk, axis=1).round(2))

# %%
kdg.plotting.interpolate(model, rows=3, steps=8)

# %% [markdown]
# The sleeves of the first row grow and the body narrows in small steps: a T-shirt becomes a dress.
# No picture on the way is a mere double exposure of both ends. So it is a space. The pictures in
# the middle are weaker than the ends, and two neighbours can be almost equal: the space is uneven.
#
# ### Does it copy?
#
# A generator could store training pictures and hand them out. Then every generated picture would
# have a training picture at a distance near zero. We search all training pictures. To save memory
# we compare every fourth pixel only.


# %%
def every_fourth_pixel(images):
    return images[:, ::4, ::4].reshape(len(images), -1) / 127.5


generated = kdg.plotting.to_uint8(model.generate(100, seed=2))
training = train.arrays["image"]  # the raw pictures, as bytes
kdg.plotting.nearest_neighbours(generated[:4], training, k=6, features=every_fourth_pixel)

# %% [markdown]
# The number above a picture is its distance. To know what is near and what is far, we need a
# yardstick: real test pictures, which are no copies of training pictures for certain.

# %%
test = kdg.datasets.load("garments", "test", image_size=SIZE, num_examples=200 if QUICK else None)
groups = {
    "training pictures": training[:100],
    "real test pictures": test.arrays["image"][:100],
    "generated pictures": generated,
}
for name, images in groups.items():
    distances, _ = kdg.metrics.nearest_neighbours(
        every_fourth_pixel(images), every_fourth_pixel(training), k=1
    )
    print(f"{name}: nearest training picture at {distances.mean():.2f}")

# %% [markdown]
# Training pictures find themselves, at distance 0. On two CPU cores, generated pictures were at 7.6
# from their nearest training picture, and real test pictures at 6.9. So the generator does **not
# copy**. But do not read the larger number as originality: mottled patterns are far from
# everything.
#
# ## Save, load, go on
#
# One `.keras` file holds everything: both networks, both optimizers, and the state of the random
# numbers. A loaded model draws the same pictures, bit for bit, and can be trained further.

# %%
# NBVAL_CHECK_OUTPUT
model.save(folder / "model.keras")
loaded = keras.models.load_model(folder / "model.keras")
print("same pictures:", np.array_equal(model.generate(4, seed=5), loaded.generate(4, seed=5)))

loaded.fit(train.batches(start=STEPS), steps_per_epoch=5, epochs=1, shuffle=False, verbose=0)
print("steps behind it:", int(loaded.optimizer["generator"].iterations) - STEPS, "more than before")

# %% [markdown]
# `train.batches(start=STEPS)` goes on in the data where the first training stopped.
#
# ## A model that was trained for longer
#
# The package brings trained models, called *presets*. This one is a DesIGN network, a DCGAN with an
# extra loss for originality. The next notebook explains it.

# %%
print(", ".join(kdg.presets.names()))
preset = kdg.presets.load("design_garments_64")
about = kdg.presets.metadata("design_garments_64")
print(f"design_garments_64: {about['steps']} steps, seed {about['seed']}, {about['machine']}")
kdg.plotting.show_images(preset.generate(32, seed=2), columns=8)

# %% [markdown]
# Stripes and checks hold together now, there are dots, and the ground is clean. Sleeves are still
# uneven. Some of that is the extra loss: a garment between two classes is what it asks for.
#
# ## Your own pictures
#
# `from_folder` takes a folder with one sub-folder per class (other forms are in its help). As an
# example we write some pictures into such a folder and pretend they are yours.

# %%
for index, (image, shape) in enumerate(
    zip(test.arrays["image"][:200], test.arrays["shape"][:200], strict=True)
):
    path = folder / "my_pictures" / test.class_names["shape"][shape] / f"{index:03d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)

mine = kdg.datasets.from_folder(folder / "my_pictures", image_size=32, batch_size=16, fit="pad")
print(mine.num_examples, "pictures of", ", ".join(mine.class_names["label"]))

# %% [markdown]
# The classes become the heads of a DesIGN model. Twenty steps only show that everything fits
# together; for real results take a few thousand pictures and a few thousand steps.

# %%
own = kdg.models.DesIGN(image_shape=(32, 32, 3), heads=mine.class_names, base_filters=8)
own.compile()
logs = own.fit(mine.batches(), steps_per_epoch=4 if QUICK else 20, shuffle=False, verbose=0).history
print(", ".join(sorted(logs)))

# %% [markdown]
# ## The command line
#
# All this also works without Python:
#
# ```
# design-gans train dcgan                        # the training of this notebook, into runs/dcgan
# design-gans train design --data my_pictures    # your folder
# design-gans generate runs/dcgan --number 100   # pictures as files
# design-gans score runs/dcgan                   # scores beside those of real pictures
# design-gans train --preset design_garments_64  # repeat the long training
# ```
#
# `design-gans list` shows what there is:

# %%
from keras_design_gans.cli import main

_ = main(["list"])

# %% [markdown]
# ## What goes wrong, and how to see it
#
# **The discriminator wins.** If it learns much faster than the generator, it soon tells everything
# apart. The generator then gets no useful direction. We provoke it: a learning rate of 1e-3 against
# 2e-5, at 32 pixels. `HealthCheck` watches for it and says what to try.

# %%
import warnings

keras.utils.set_random_seed(0)
small = kdg.datasets.load("garments", image_size=32, batch_size=32, num_examples=640)
unfair = kdg.models.DCGAN(image_shape=(32, 32, 3), base_filters=8 if QUICK else 32)
unfair.compile(
    generator_optimizer=keras.optimizers.Adam(2e-5, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    history = unfair.fit(
        small.batches(),
        steps_per_epoch=2 if QUICK else 40,
        epochs=5,
        callbacks=[kdg.callbacks.HealthCheck()],
        shuffle=False,
        verbose=0,
    )
for warning in caught:
    print(warning.message)
kdg.plotting.plot_history(history)

# %%
kdg.plotting.show_images(unfair.generate(8, seed=0))

# %% [markdown]
# Two more things to know by sight:
#
# - **Mode collapse**: the pictures look alike, whatever the noise. `HealthCheck` compares how far
#   the pictures are apart now with how far they once were. Look at a large grid too: a generator
#   that knows ten pictures well escapes every simple test.
# - **Swinging losses**: both curves grow and fall in turn, and the pictures change from round to
#   round without getting better. Lower both learning rates.
#
# ## Exercises
#
# 1. How many steps until the network has seen every training picture once? How often has it seen
#    each one in this training on two CPU cores?
# 2. The generator's loss may rise while its pictures get better. Why?
# 3. What is the lowest value that $L_D$ can reach with $t=0.9$, and why is it not 0?
# 4. The straight walk has its shortest vector in the middle. Why is it about 7 when both ends are
#    about 10?
# 5. Train once more with `average_decay=None`. What changes in the pictures of the last rounds?
#
# <details><summary>Answers</summary>
#
# 1. 20,000 pictures / 32 per step = 625 steps. In 2,000 steps each one was seen 3.2 times. That is
#    little time for learning by heart.
# 2. $L_G$ measures the pictures by the discriminator of that moment. When the discriminator becomes
#    stricter, better pictures can get a worse mark.
# 3. For real pictures the best answer is $D=t$, with the loss $-t\log t-(1-t)\log(1-t)=0.3251$, as
#    the middle line of the smoothing cell shows. The part of the fakes can go to 0. A smoothed
#    target can not be met without a rest.
# 4. Two random vectors of many dimensions stand almost at a right angle. The middle of the line is
#    half the diagonal of a square with side 10: $10/\sqrt2\approx7.07$. The generator was never
#    trained on noise that short.
# 5. As a rule the pictures carry more grain, and the same noise gives visibly different pictures from
#    one round to the next. The mean removes what the last steps did by chance.
#
# </details>
#
# ## What the paper reported, and what came out here
#
# | | Radford et al. 2016 | here |
# | --- | --- | --- |
# | data | LSUN bedrooms, a little over 3 million photos | 20,000 drawn garments |
# | size | 64 px | 64 px |
# | training | batches of 128, learning rate 2e-4 | batches of 32, learning rate 5e-4, 2,000 steps, seed 0, two CPU cores |
# | pictures | plausible bedrooms after one epoch | shapes that one can name, poor patterns, after 3.2 epochs |
# | walks | smooth; every picture on the way looks like a bedroom | gradual; weaker pictures in the middle |
# | copying | near duplicates removed from the data first, samples after one epoch as evidence | nearest training picture at 7.6, for real test pictures 6.9 |
#
# The drawn data is far easier than photos: white ground, one object, always upright. Do not
# conclude from this notebook that five minutes would be enough for bedrooms.
#
# ## Where to go next
#
# - `02_creative_losses`: how to ask a generator for something new.
# - Change `"garments"` in the `load` call to your own folder, and train for an hour.
# - Read `keras_design_gans/models/dcgan.py`: the whole paper in one file.
