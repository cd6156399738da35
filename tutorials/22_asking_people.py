# %% [markdown]
# # 22. Asking people: which pictures are best, and how sure are we?
#
# **The question.** Four networks have drawn clothes. [Notebook 5](05_scoring_creativity.ipynb) gave
# them scores, and ended with a question that no formula answers: *would somebody wear it?* So ask
# people. But whom, what, and how many? If twenty students like network A a little better than
# network B, is that a result, or chance? And if they do not agree with each other, what then?
#
# Both papers of this course asked people. Sbai and others (DesIGN, 2018) asked how much they like
# each garment, how new and how complex it is, and who made it. Zhao and others (ModularGAN, 2018)
# asked which of several networks changed a face best. `kdg.studies` asks the same questions, in a
# class, with a page for phones. In this notebook you make such a study, and work out the statistics
# by hand.
#
# **No person was asked for this notebook.** Wherever answers are needed, a few lines of code invent
# them, in front of your eyes, about pictures that say nothing on any network. They are called
# *simulated raters* throughout. Their advantage: we know the truth, and can see whether the
# statistics find it.
#
# ```
# pip install -e ".[tensorflow,notebooks,studies,faces]"
# ```

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # or "jax", or "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log lines of TensorFlow
QUICK = os.environ.get("KDG_QUICK") == "1"  # tiny sizes, for automatic tests

# %%
import csv
import io
import logging
import tempfile
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageFilter
from scipy import stats

import keras_design_gans as kdg
from keras_design_gans.datasets import faces
from keras_design_gans.studies import statistics

logging.getLogger("tensorflow").setLevel("ERROR")
folder = Path(tempfile.mkdtemp())  # for the files that this notebook writes
NUMBER = 8  # pictures of each network
RATERS = 6 if QUICK else 20  # simulated ones
plt.rcParams |= {"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}

# %% [markdown]
# ## The pictures
#
# A study begins with folders: one for each method, with pictures in them. Here are four networks of
# the package. `design-gans generate design_garments_64 --out results/can_h` does the same from the
# command line.

# %%
PRESETS = {
    "dcgan": "dcgan_garments_64",
    "can": "design_garments_64_can",
    "can_h": "design_garments_64",
    "stackgan": "stackgan_garments_64",
}


def write(images, path):
    """Writes pictures as 0000.png, 0001.png, ... into a folder."""
    path.mkdir(parents=True)
    for index, image in enumerate(kdg.plotting.to_uint8(images)):
        Image.fromarray(image).save(path / f"{index:04d}.png")


pictures = {}
for method, preset in PRESETS.items():
    pictures[method] = kdg.presets.load(preset).generate(NUMBER, seed=11)
    write(pictures[method], folder / "results" / method)
kdg.plotting.show_images(np.concatenate(list(pictures.values())), columns=NUMBER)

# %% [markdown]
# One row is one network. You may have a favourite row already. Beware: you know which row is which,
# and that the fourth network was the last in the course. A rater must not know.
#
# ## The questions
#
# What is asked decides what is found. The package brings the questions of the two papers (the
# wording is our own), in English and Chinese:

# %%
# NBVAL_CHECK_OUTPUT
for name in ("design", "transfer"):
    print(name)
    for question in kdg.studies.QUESTION_SETS[name]:
        ends = (
            f"   1 = {question.ends_en[0]}, 5 = {question.ends_en[1]}"
            if question.ends_en[0]
            else ""
        )
        print(f"   {question.kind:7} {question.en}{ends}")
print(kdg.studies.QUESTION_SETS["design"][0].zh)

# %% [markdown]
# There are three kinds:
#
# - **rating**: one picture, from 1 to 5. Easy to answer, but everybody has a scale of their own: one
#   student's 3 is another one's 4.
# - **choice**: one picture of each method side by side. No scale is needed. Only pictures that
#   answer the same task can stand side by side, such as changes of the same face.
# - **human**: did a person or a machine make it? One wants to know how often *machines* pass for
#   people. So one folder should hold pictures that people made, as finished as the others;
#   otherwise the right answer is always the same.
#
# *New* and *complex* are asked for shape and texture separately, because a garment may have an
# ordinary cut and a mad pattern. *Liking* comes first, before the other questions have made people
# think.
#
# ## Making a study
#
# One line makes one file, from all folders:

# %%
study_file = kdg.studies.create(
    folder / "likes.study",
    [folder / "results" / method for method in PRESETS],
    "design",
    title="Which clothes do you like?",
    per_rater=8,
)
study = kdg.studies.Study(study_file)
items = study.items()
print(f"{study_file.name}: {len(items)} items, {study_file.stat().st_size / 1000:.0f} kB")
print("the first one:", items[0]["name"])

# %% [markdown]
# What a rater gets to see comes from `state`. It knows a rater by a random name, and nothing else:
# no person, no address. Nor does it tell the rater which network made a picture.

# %%
# NBVAL_CHECK_OUTPUT
rater = study.join()
state = study.state(rater)
print("state:", ", ".join(state))
print("item: ", ", ".join(state["item"]))
png = study.picture(state["item"]["pictures"][0])
print("name of a picture has", len(state["item"]["pictures"][0]), "random characters")
print("the file names a network:", any(method.encode() in png for method in PRESETS))
print(f"done {state['done']} of {state['total']}")

# %% [markdown]
# The page itself needs a browser, and a server that runs; a notebook is no good place for either. On
# a phone it shows the title, a bar ("1 of 8"), the picture, and below it the six questions with
# their five buttons each, "not at all" at the left end and "very much" at the right one. *Next*
# works when all are answered. A button at the top changes the language.
#
# These are the pictures that one rater would see one after the other, in this order. (We press
# *Next* with the answer 3 to everything.)


# %%
def to_image(study, name):
    return np.asarray(Image.open(io.BytesIO(study.picture(name))))


seen = []
while (state := study.state(rater))["item"] is not None:
    item = state["item"]
    seen.append(to_image(study, item["pictures"][0]))
    answers = {q.key: "machine" if q.kind == "human" else 3 for q in study.questions}
    study.answer(rater, item["id"], answers)
kdg.plotting.show_images(
    np.stack(seen), columns=8, titles=[f"{n} of {len(seen)}" for n in range(1, len(seen) + 1)]
)

# %% [markdown]
# Each rater sees the items in another order. Otherwise all would be tired at the same picture.
# `per_rater=8` deals out eight of the 32 pictures to each, first those that the fewest others have.
# After four raters each picture has been given out once:

# %%
# NBVAL_CHECK_OUTPUT
for _ in range(3):
    study.join()
with study.open() as db:
    given = [n for (n,) in db.execute("SELECT count(*) FROM tasks GROUP BY item")]
print(f"{len(given)} items, given out {min(given)} to {max(given)} times")

# %% [markdown]
# ### A choice, with a starting picture
#
# For *transfer* a rater sees the picture that was to be changed, what was asked for, and one result of
# each method, in random order. With two trained networks the folders would be `out/star_gan` and
# `out/modular_gan`. As a stand-in we use three "methods" whose rank everybody knows: the exact drawing,
# the same blurred, and the picture as it was. The wish stands in a `metadata.csv` beside the starting
# pictures.

# %%
drawn = faces.edit(range(12), "test", hair_color="red")
visible = np.flatnonzero(drawn["mask"].max(axis=(1, 2, 3)) > 0)[:6]  # some had red hair before
source, exact = (kdg.plotting.to_uint8(drawn[key][visible]) for key in ("image", "edited"))
blurred = [np.asarray(Image.fromarray(x).filter(ImageFilter.GaussianBlur(2))) for x in exact]
for name, images in {"exact": exact, "blurred": np.stack(blurred), "unchanged": source}.items():
    write(images, folder / "edits" / name)
write(source, folder / "edits" / "inputs")
with open(folder / "edits" / "inputs" / "metadata.csv", "w", newline="", encoding="utf-8") as file:
    rows = csv.writer(file)
    rows.writerow(["file_name", "caption", "caption_zh"])
    rows.writerows([f"{n:04d}.png", "red hair", "红头发"] for n in range(len(source)))
edits = kdg.studies.Study(
    kdg.studies.create(
        folder / "edits.study",
        [folder / "edits" / name for name in ("exact", "blurred", "unchanged")],
        "transfer",
        reference=folder / "edits" / "inputs",
    )
)
item = edits.state(edits.join())["item"]
names = [item["reference"], *item["pictures"]]
kdg.plotting.show_images(
    np.stack([to_image(edits, name) for name in names]),
    columns=4,
    titles=[f"given; wanted: {item['caption']}", "1", "2", "3"],
)

# %% [markdown]
# Which one is the blurred one, you can see; which method it is, the page does not say.
#
# ## How sure is a mean?
#
# ### Not the answer counts, but the person
#
# Twenty people rate twelve pictures of one network each: 240 answers. Are these 240 opinions? A strict
# person gives low marks twelve times. Write the answer of rater $r$ to picture $i$ as
#
# $$x_{ri}=\mu+b_r+e_{ri}$$
#
# - $\mu$ is what we look for, the mean over *all* people who might be asked.
# - $b_r$, of standard deviation $\sigma_b$, is how much milder than the mean this person is.
# - $e_{ri}$, of standard deviation $\sigma_e$, is the rest: taste, mood, and a slip of the finger.
#
# The mean of $R$ raters with $n$ answers each has the variance
#
# $$\mathrm{Var}(\bar x)=\frac{\sigma_b^2}R+\frac{\sigma_e^2}{Rn}$$
#
# More pictures for each ($n$) only shrink the second term. More people ($R$) shrink both. If one
# treats all answers as independent, one believes in $(\sigma_b^2+\sigma_e^2)/(Rn)$. The truth is
# larger by the factor
#
# $$\frac{\sigma_b^2/R+\sigma_e^2/(Rn)}{(\sigma_b^2+\sigma_e^2)/(Rn)}=1+(n-1)\,\rho\qquad
# \rho=\frac{\sigma_b^2}{\sigma_b^2+\sigma_e^2}$$
#
# $\rho$ is the correlation of two answers of one person. Survey people call the factor the *design
# effect* (Kish 1965). With $\sigma_b=0.6$ and $\sigma_e=0.8$:

# %%
# NBVAL_CHECK_OUTPUT
sigma_b, sigma_e, raters, n = 0.6, 0.8, 20, 12
rho = sigma_b**2 / (sigma_b**2 + sigma_e**2)
effect = 1 + (n - 1) * rho
print(f"rho = {rho:.2f}, design effect = {effect:.2f}")
print(f"{raters * n} answers are worth {raters * n / effect:.0f} independent ones")
rng = np.random.default_rng(0)
means = (
    rng.normal(0, sigma_b, (20_000, raters)) + rng.normal(0, sigma_e / n**0.5, (20_000, raters))
).mean(axis=1)
formula = sigma_b**2 / raters + sigma_e**2 / (raters * n)
print(f"variance of the mean: formula {formula:.4f}, of 20,000 simulated classes {means.var():.4f}")

# %% [markdown]
# ### The interval of a rating
#
# The remedy is simple: first take the mean $x_r$ of each rater, then treat the $R$ means as the data.
# They *are* independent. With $s$ their standard deviation,
#
# $$\bar x\pm t_{R-1}\frac s{\sqrt R}\qquad s^2=\frac1{R-1}\sum_r(x_r-\bar x)^2$$
#
# Where does $t$ come from? If $s$ were known exactly, 95 % of all means would lie within
# $1.96\,s/\sqrt R$. But $s$ is itself a guess from $R$ numbers, so the interval must be wider:
# Student's $t_{R-1}$ says how much. It is 4.30 for three raters, 2.09 for twenty.
#
# By hand for four raters with three answers each. Their means are $4.333$, $3.333$, $4$, $2.667$;
# the mean of these is $3.583$, $s=0.739$, $t_3=3.182$, so
# $3.583\pm3.182\cdot0.739/2=3.583\pm1.176$.

# %%
# NBVAL_CHECK_OUTPUT
ratings = [[4, 4, 5], [3, 3, 4], [4, 4, 4], [3, 3, 2]]
x = np.array([np.mean(row) for row in ratings])
half = stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
print(f"by hand {x.mean():.4f}, {x.mean() - half:.4f} to {x.mean() + half:.4f}")
value, low, high = statistics.mean_interval(ratings)
print(f"package {value:.4f}, {low:.4f} to {high:.4f}")

# %% [markdown]
# Does it keep its promise? We simulate 2,000 classes of twenty raters as above, and count how often
# the interval holds the true mean: once with the raters as the unit, once with the answers.


# %%
# NBVAL_CHECK_OUTPUT
def held(data, truth=0.0):
    """Share of rows whose t interval holds the truth."""
    count = data.shape[1]
    half = stats.t.ppf(0.975, count - 1) * data.std(axis=1, ddof=1) / np.sqrt(count)
    return np.mean(np.abs(data.mean(axis=1) - truth) <= half)


rng = np.random.default_rng(1)
coverage = {}
for n in (1, 2, 4, 8, 16, 32):
    b, e = rng.normal(0, sigma_b, (2_000, 20, 1)), rng.normal(0, sigma_e, (2_000, 20, n))
    answers = b + e
    coverage[n] = held(answers.mean(axis=2)), held(answers.reshape(2_000, -1))
print("answers of each   raters as unit   answers as unit")
for n, (by_rater, by_answer) in coverage.items():
    print(f"{n:15} {by_rater:16.0%} {by_answer:17.0%}")

# %%
figure, axis = plt.subplots(figsize=(7, 3.3), layout="constrained")
axis.plot(coverage.keys(), [c[0] for c in coverage.values()], "o-", color="#1f5fa8", label="raters")
axis.plot(
    coverage.keys(), [c[1] for c in coverage.values()], "o-", color="#d1602a", label="answers"
)
axis.axhline(0.95, color="0.4", linestyle=":")
axis.set(xlabel="answers of each rater", ylabel="intervals that hold the truth", ylim=(0, 1.02))
axis.set_xscale("log", base=2)
axis.set_xticks(list(coverage), [str(n) for n in coverage])
axis.legend(title="unit", frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# The blue line keeps the promised 95 %. The orange one does not: who counts answers is far too sure,
# and the more so the more each person answers.
#
# ### The interval of a share
#
# For *human or machine* the value is a share $\hat p$. Of $n$ independent answers it has the standard
# deviation $\sqrt{p(1-p)/n}$, with the *true* $p$. So the true $p$ lies where
#
# $$(\hat p-p)^2\le z^2\,\frac{p(1-p)}n,\qquad z=1.96$$
#
# This is a quadratic in $p$. Multiply out and solve (Wilson 1927):
#
# $$p=\frac{\hat p+\dfrac{z^2}{2n}\pm z\sqrt{\dfrac{\hat p(1-\hat p)}n+\dfrac{z^2}{4n^2}}}
# {1+\dfrac{z^2}n}$$
#
# It never leaves 0 to 1, and at $\hat p=0$ it is not a point, as the simple $\hat p\pm z\sqrt{\hat
# p(1-\hat p)/n}$ would be. And $n$? Again, the answers of one person are not independent. The package
# asks: *how many independent answers would scatter as the raters do?* If $s$ is the deviation of the
# raters' shares, $s^2/R=p(1-p)/n$ gives
#
# $$n_\mathrm{eff}=\frac{\hat p(1-\hat p)}{s^2/R}\Big(\frac{1.96}{t_{R-1}}\Big)^2$$
#
# at most as many as there are (Korn and Graubard 1998). The last factor pays for $s$ being a guess.

# %%
# NBVAL_CHECK_OUTPUT


def wilson(p, n):
    z = stats.norm.ppf(0.975)
    middle, root = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - root) / (1 + z**2 / n), (middle + root) / (1 + z**2 / n)


said_human = [[1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 0, 1]]
shares = np.array([np.mean(row) for row in said_human])
p, count = shares.mean(), len(shares)
factor = stats.norm.ppf(0.975) / stats.t.ppf(0.975, count - 1)
n_eff = p * (1 - p) / (shares.var(ddof=1) / count) * factor**2
low, high = wilson(p, n_eff)
print(f"{sum(map(len, said_human))} answers count as {n_eff:.1f}")
print(f"by hand {p:.4f}, {low:.4f} to {high:.4f}")
value, low, high = statistics.share_interval(said_human)
print(f"package {value:.4f}, {low:.4f} to {high:.4f}")
low, high = wilson(p, 20)
print(f"as if 20 people had answered once: {low:.4f} to {high:.4f}, too sure")

# %% [markdown]
# ### How many raters?
#
# Turn the formula of the interval round: half its width is $h=t_{R-1}\,s/\sqrt R$. With $s=0.7$:

# %%
# NBVAL_CHECK_OUTPUT
print("raters   half width")
for count in (5, 10, 20, 30, 60, 120):
    print(f"{count:6} {stats.t.ppf(0.975, count - 1) * 0.7 / np.sqrt(count):12.2f}")

# %% [markdown]
# To halve the width one needs four times as many people. With thirty, two means have to differ by
# about $0.26\sqrt2=0.37$ points, or less by the trick below (*the same people*).
#
# ## Do they agree?
#
# If raters do not agree at all, their mean is the mean of nothing. **Krippendorff's $\alpha$** (2004)
# compares two disagreements:
#
# $$\alpha=1-\frac{D_o}{D_e}$$
#
# $D_o$ is the disagreement *observed* between answers to the same item, $D_e$ the one *expected* if
# the same answers were dealt to the items at random. $\alpha=1$ is full agreement, 0 is chance,
# below 0 people contradict each other.
#
# One counts pairs of answers to one item. With $m_u$ answers to item $u$, each ordered pair counts
# $1/(m_u-1)$, so that every answer counts once. $o_{ck}$ is the sum for the pair of values $c,k$;
# $n_c=\sum_ko_{ck}$; $n=\sum_cn_c$; $\delta_{ck}$ says how bad it is to differ so.
#
# $$D_o=\frac1n\sum_{c,k}o_{ck}\,\delta_{ck}^2\qquad D_e=\frac1{n(n-1)}\sum_{c,k}n_c\,n_k\,\delta_{ck}^2$$
#
# For names, such as human and machine, $\delta=1$ if they differ. By hand, with three raters:
#
# | item | answers | pairs hh | mm | hm and mh |
# | --- | --- | --- | --- | --- |
# | 1 | h h h | $6\cdot\tfrac12=3$ | 0 | 0 |
# | 2 | m m m | 0 | 3 | 0 |
# | 3 | h h m | $2\cdot\tfrac12=1$ | 0 | $4\cdot\tfrac12=2$ |
# | 4 | m h m | 0 | 1 | 2 |
#
# So $o_{hh}=4$, $o_{mm}=4$, $o_{hm}=o_{mh}=2$, $n_h=n_m=6$, $n=12$. $D_o=4/12=0.333$,
# $D_e=2\cdot6\cdot6/(12\cdot11)=0.545$, and $\alpha=1-0.333/0.545=0.389$. Two thirds of all pairs
# agree, which sounds well, but by chance nearly half of them would.


# %%
# NBVAL_CHECK_OUTPUT
def alpha_by_hand(items, distance):
    """Krippendorff's alpha of lists of answers, one for each item."""
    values = sorted({answer for answers in items for answer in answers})
    o = np.zeros((len(values), len(values)))
    for answers in items:
        places = [values.index(answer) for answer in answers]
        for i, c in enumerate(places):
            for k in places[:i] + places[i + 1 :]:
                o[c, k] += 1 / (len(places) - 1)
    counts = o.sum(axis=1)
    n, squared = counts.sum(), distance(counts) ** 2
    observed = (o * squared).sum() / n
    expected = (np.outer(counts, counts) * squared).sum() / (n * (n - 1))
    return 1 - observed / expected


def names_differ(counts):
    return 1.0 - np.eye(len(counts))


def as_answers(items):
    """(rater, item, value) for the package; the place in the list is the rater."""
    return [(r, u, x) for u, answers in enumerate(items) for r, x in enumerate(answers)]


makers = [["h", "h", "h"], ["m", "m", "m"], ["h", "h", "m"], ["m", "h", "m"]]
alpha, kappa = statistics.agreement(as_answers(makers), "nominal")
print(f"alpha: by hand {alpha_by_hand(makers, names_differ):.4f}, package {alpha:.4f}")

agree = np.mean([1, 1, 1 / 3, 1 / 3])  # share of agreeing pairs, item by item
print(f"kappa: by hand {(agree - 0.5) / (1 - 0.5):.4f}, package {kappa:.4f}")

# %% [markdown]
# The second number is Fleiss' $\kappa$ (1971), which takes the expected agreement of answers drawn
# *with* putting back, here $\tfrac12$: $(\tfrac23-\tfrac12)/(1-\tfrac12)=\tfrac13$. It needs equally
# many answers to each item. $\alpha$ does not, so a rater who leaves early does no harm.
#
# For ratings, 4 against 5 is a smaller quarrel than 1 against 5. For *ordinal* values the distance
# is the number of answers between them, the ends counted half:
#
# $$\delta_{ck}=\sum_{g=c}^kn_g-\frac{n_c+n_k}2$$
#
# So no one has to believe that the step from 1 to 2 is as long as the step from 4 to 5. A table with
# two holes:


# %%
# NBVAL_CHECK_OUTPUT
def answers_between(counts):
    ends = np.cumsum(counts)
    middle = ends - counts / 2  # the place of each value, all answers put in a row
    return np.abs(middle[:, None] - middle[None])


# Two values c < k: the answers from the middle of c to the middle of k. The same as the formula:
counts = np.array([2.0, 3, 4])
formula = counts.sum() - (counts[0] + counts[2]) / 2
print(f"distance of 1 and 3: formula {formula}, by places {answers_between(counts)[0, 2]}")

table = [[4, 4, 5], [2, 1, 2], [5, 5], [3, 4, 3], [1, 2]]
alpha, kappa = statistics.agreement(as_answers(table), "ordinal")
print(f"alpha: by hand {alpha_by_hand(table, answers_between):.4f}, package {alpha:.4f}")
print("kappa needs equally many answers to each item:", kappa)

# %% [markdown]
# How high must $\alpha$ be? Krippendorff asks for $0.8$ where facts are coded, say, *is there a
# collar?* **Liking is no fact.** People differ in taste, and a low $\alpha$ for *how much do you like
# it?* is a finding, not a mistake. A low one for *how complex is its shape?* means that they did not
# understand the question in the same way.
#
# ## Simulated raters
#
# Now all of it at once. So that nobody takes invented answers for results, the pictures of this study
# are **real test pictures of one data set**, dealt to four folders A, B, C and D: there is no better
# folder. The code below *decides* that its raters like A best and D least. That is the truth to be
# found.

# %%
real = kdg.datasets.load("garments", "test", num_examples=98).take(24)["image"]
for place, name in enumerate("ABCD"):
    write(real[place::4], folder / "dealt" / name)
invented = kdg.studies.Study(
    kdg.studies.create(
        folder / "simulated.study",
        [folder / "dealt" / name for name in "ABCD"],
        "design",
        title="Simulated",
    )
)
known = {item["id"]: (item["name"], item["pictures"][0][1]) for item in invented.items()}
order = sorted(name for name, _ in known.values())
APPEAL = {"A": 3.7, "B": 3.1, "C": 3.0, "D": 2.4}  # what the simulated raters like
PASSES = {"A": 0.7, "B": 0.5, "C": 0.5, "D": 0.3}  # how often they take it for human work
extra = np.random.default_rng(5).normal(0, 0.4, len(order))  # some pictures are liked more


def simulated_answers(number, name, method):
    """The answers of simulated rater `number` to one picture. It reads the key; people cannot."""
    rng = np.random.default_rng([number, order.index(name)])
    mild = np.random.default_rng([number, 999]).normal(0, 0.6)
    liking = APPEAL[method] + extra[order.index(name)] + mild + rng.normal(0, 0.8)
    answers = {"overall": liking, "human": rng.random() < PASSES[method]}
    for question in invented.questions:
        if question.kind == "rating":
            wish = answers.get(question.key, 3 + mild / 2 + rng.normal(0, 1))
            answers[question.key] = int(np.clip(np.round(wish), 1, 5))
    return answers | {"human": "human" if answers["human"] else "machine"}


for number in range(RATERS):
    rater = invented.join()
    while (item := invented.state(rater)["item"]) is not None:
        invented.answer(rater, item["id"], simulated_answers(number, *known[item["id"]]))
found = kdg.studies.results(invented)
print(f"{found['raters']} simulated raters, {found['answers']} rated pictures")

# %% [markdown]
# The truth is the mean over endlessly many such raters. We take 20,000 of them for each picture, and
# put the intervals beside it.


# %%
def true_mean(method):
    rng = np.random.default_rng(9)
    means = []
    for name, place in zip(order, extra, strict=True):
        if name.startswith(method):
            liking = APPEAL[method] + place + rng.normal(0, 1.0, 20_000)  # 0.6 and 0.8 together
            means.append(np.clip(np.round(liking), 1, 5).mean())
    return np.mean(means)


overall = found["questions"]["overall"]
print("simulated liking   value   interval        truth")
for method, row in overall["methods"].items():
    truth = true_mean(method)
    where = "inside" if row["low"] <= truth <= row["high"] else "OUTSIDE"
    print(f"{method:18} {row['value']:5.2f}   {row['low']:.2f} to {row['high']:.2f} ", end="")
    print(f"{truth:7.2f}  {where}")
print(f"agreement, alpha: {overall['alpha']:.2f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for axis, key, title in zip(
    axes, ("overall", "human"), ("liking, 1 to 5", 'share of "a person made it"'), strict=True
):
    rows = found["questions"][key]["methods"]
    values = np.array([[row["value"], row["low"], row["high"]] for row in rows.values()])
    bars = np.abs(values[:, 1:].T - values[:, 0])
    axis.errorbar(values[:, 0], list(rows), xerr=bars, fmt="o", color="#1f5fa8", capsize=4)
    truths = [true_mean(m) if key == "overall" else PASSES[m] for m in rows]
    axis.plot(truths, list(rows), "k|", markersize=18, label="truth of the simulation")
    axis.set(title=title)
    axis.invert_yaxis()
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# The left panel holds all four truths. In the right one, D's interval misses it. There is no mistake:
# one of twenty 95 % intervals misses the truth, and these are eight.
#
# ### The same people
#
# Do A and B differ? Their intervals may overlap. But the *same* people rated both. A strict rater is
# strict to A and to B, so strictness cancels in the difference $d_r=x_{r,A}-x_{r,B}$ of each rater:
#
# $$\bar d\pm t_{R-1}\frac{s_d}{\sqrt R}$$
#
# Two methods that were rated by *different* people would need $\sqrt{h_A^2+h_B^2}$ instead, with
# $h$ half the width of each interval.


# %%
def means_by_rater(answers, question="overall"):
    """Array of raters x methods."""
    values = defaultdict(list)
    for answer in answers:
        if answer["question"] == question:
            values[answer["rater"], answer["method"]].append(answer["value"])
    raters = sorted({rater for rater, _ in values})
    return np.array([[np.mean(values[rater, method]) for method in "ABCD"] for rater in raters])


x = means_by_rater(invented.answers())
half = {method: (row["high"] - row["low"]) / 2 for method, row in overall["methods"].items()}
print("difference   value    the same people    as if different people")
for first, second in (("A", "B"), ("B", "C"), ("C", "D")):
    d = x[:, "ABCD".index(first)] - x[:, "ABCD".index(second)]
    h = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    apart = np.hypot(half[first], half[second])
    print(f"{first} - {second} {d.mean():14.2f} {'±':>8} {h:.2f} {'±':>18} {apart:.2f}")

# %% [markdown]
# A difference counts if its interval does not hold 0. The same answers say more when they are compared
# within each person: with twenty simulated raters, A is ahead of B by $0.48\pm0.22$. As if different
# people had rated them, the same $0.48$ would not have counted. B and C differ by $0.23$ in truth, but
# their interval holds 0: to see so little, the study is too small.
#
# ## The answers
#
# A study is one SQLite file. Every answer is on the disk before the page shows the next picture.
# `answers()` gives them as a list, with the true names; `design-gans study results likes.study --out
# answers.csv` writes the same for a spreadsheet. Any program that reads SQLite can ask, too:

# %%
for answer in invented.answers()[:3]:
    print({key: value for key, value in answer.items() if key != "time"})
with invented.open() as db:
    query = "SELECT question, count(*), count(DISTINCT rater) FROM answers GROUP BY question"
    for question, number, who in db.execute(query):
        print(f"{question:20} {number:5} answers of {who} simulated raters")

# %% [markdown]
# What is not there: names, addresses, ages. A rater is a random number.
#
# After the end no answer is taken any more, and what came stays:

# %%
# NBVAL_CHECK_OUTPUT
invented.close()
try:
    invented.join()
except ValueError as refusal:
    print("refused:", refusal)

# %% [markdown]
# ## In a class
#
# ```
# design-gans study create likes.study results/dcgan results/can_h photos --per-rater 12
# design-gans study serve likes.study --host 0.0.0.0
# ```
#
# 1. *Before.* Choose 20 to 30 pictures of each method **at random**, not by hand: who picks the best
#    of one and the usual ones of the other measures the picking. Write down what you expect.
# 2. *Time.* Count half a minute for six questions, so six minutes for twelve pictures. Stay below ten
#    minutes: tired people press anything.
# 3. *Numbers.* 30 raters with 12 pictures each are 360 answers: 120 pictures would get three each.
# 4. *Try it* with two people first. They tell you which question nobody understands.
# 5. The second line prints an address. Everybody opens it in the same network, on a phone. `Ctrl+C`
#    ends it; the same line goes on with it. It is made for a room with honest people: the connection is
#    not encrypted, and who opens a second browser is a second rater.
# 6. `design-gans study results likes.study` prints the tables of this notebook, `design-gans study close
#    likes.study` ends the study.
# 7. *Rights.* Say what it is for, that one may stop at any time, and that no names are kept. Ask your
#    school whether it needs a permission all the same.
#
# This notebook starts no server.
#
# ### On a crowd-work site
#
# `export` writes the task as such sites want it: a table with one line for each item, a form in which
# `${picture_1}` stands for a column, the pictures, and the key, which stays with you.

# %%
kdg.studies.export(study_file, folder / "crowd", url="https://example.org/likes")
for name in ("tasks.csv", "key.csv"):
    print(name)
    print("   " + "\n   ".join((folder / "crowd" / name).read_text().splitlines()[:3]))
form = (folder / "crowd" / "form.html").read_text(encoding="utf-8").splitlines()
print("form.html")
print("   " + "\n   ".join(line for line in form if "human" in line or "Who" in line))

# %% [markdown]
# Paid strangers click faster than students. Pay for the time it takes, add a few pictures whose answer is
# beyond doubt (a chair among the clothes), and decide *before* you look what you will leave out.
#
# ## What goes wrong, and how to see it
#
# **People who do not look.** Some press the same button each time. We let a quarter of the simulated
# raters say 3 to everything:

# %%
answers = [a for a in invented.answers() if a["question"] == "overall"]
lazy = set(range(1, RATERS // 4 + 1))
spoiled = [{**a, "value": 3} if a["rater"] in lazy else a for a in answers]
for name, some in {"all look": answers, "a quarter does not": spoiled}.items():
    x = means_by_rater(some)
    d = x[:, 0] - x[:, 3]
    alpha, _ = statistics.agreement([(a["rater"], a["item"], a["value"]) for a in some], "ordinal")
    print(f"{name:20} A - D = {d.mean():.2f}, alpha = {alpha:.2f}")
by_rater = defaultdict(list)
for answer in spoiled:
    by_rater[answer["rater"]].append(answer["value"])
still = [number for number, values in sorted(by_rater.items()) if np.std(values) == 0]
print("raters who always gave the same answer:", still)

# %% [markdown]
# Differences shrink towards 0, and $\alpha$ falls. Such raters are easy to find by the deviation of
# their own answers, and times between answers of a second say the same. Leave them out only by a rule
# that you wrote down before.
#
# **Many questions.** Six questions and four methods make $6\cdot6=36$ comparisons. If nothing differs at
# all, each has a chance of 5 % to look as if it did:

# %%
# NBVAL_CHECK_OUTPUT
for comparisons in (1, 6, 36):
    print(
        f"{comparisons:3} comparisons: at least one false alarm {1 - 0.95**comparisons:.0%}", end=""
    )
    print(f", with 5 % / {comparisons} for each {1 - (1 - 0.05 / comparisons) ** comparisons:.1%}")

# %% [markdown]
# (As if they were independent, which they are not quite.) Say beforehand which *one* comparison decides;
# the others are ideas for the next study. Or divide 5 % by their number (Bonferroni).
#
# Other mistakes, and how they show:
#
# - *The pictures betray their method.* A blur, a grey ground, a size. The package brings all to one size
#   and renames them, but what the pixels show stays. Ask two people after the study by what they decided.
# - *Picked pictures.* The mean of the best 20 of 2,000 says how good the picker is.
# - *One item decides.* Intervals hold for other people and the *same* pictures. With five pictures of each
#   network, another five may turn the order. Take more pictures and deal them out with `per_rater`.
# - *The question leads.* "How much do you like this creative design?" knows the answer.
# - *The order.* The first picture is rated against nothing. Random orders spread this over all methods.
#
# ## Exercises
#
# 1. Ten raters give 30 answers each, with $\rho=0.3$. How many independent answers are they worth? And
#    with 60 answers each?
# 2. All of five raters say "human" to everything. What is the interval, and why is it not $1$ to $1$?
# 3. In a study the mean is $3.4$ with $s=0.8$ and $R=16$. Give the interval. Is it better than "indifferent",
#    $3$?
# 4. Compute $\alpha$ (names) for two raters and two items: both say h to the first; one says h, one m to the
#    second.
# 5. $\alpha$ is $0.05$ for liking, and yet the intervals of A and D lie far apart. How can that be?
# 6. Make a study with questions of your own, `kdg.studies.Question("wear", "rating", "Would you wear it?",
#    "你会穿吗？")`, and run it with two friends.
#
# <details><summary>Answers</summary>
#
# 1. $300/(1+29\cdot0.3)=300/9.7=31$; $600/(1+59\cdot0.3)=600/18.7=32$. Twice the work for nothing.
# 2. `statistics.share_interval([[1] * 12] * 5)` gives $0.57$ to $1$. Where all say the same, their scatter is
#    unknown, so each rater counts once: Wilson with $n=5$. A sixth person could say "machine".
# 3. $t_{15}=2.131$, so $3.4\pm2.131\cdot0.8/4=3.4\pm0.43$: from $2.97$ to $3.83$. Not proven.
# 4. $o_{hh}=2$, $o_{hm}=o_{mh}=1$, $n_h=3$, $n_m=1$, $n=4$. $D_o=2/4$, $D_e=2\cdot3\cdot1/(4\cdot3)=1/2$,
#    so $\alpha=0$: no better than chance, though three quarters of the answers are alike.
# 5. $\alpha$ asks whether *single answers* agree, the interval how well the *mean* is known. With enough
#    people a small common taste shows in the mean under much private taste.
# 6. Yours.
#
# </details>
#
# ## What the papers reported, and what came out here
#
# | | papers | here |
# | --- | --- | --- |
# | whom | people of a crowd-work site (both papers) | **nobody**; simulated raters, to test the statistics |
# | DesIGN: questions | liking, newness and complexity of shape and of texture, human or machine | the same six, our wording, two languages |
# | DesIGN: result | about 61 % of the pictures judged human-made *and* original; DCGAN with CAN(H) rated best | not asked |
# | ModularGAN: question | which method changes the picture best | the same |
# | ModularGAN: result | chosen most often in all tasks but gender | not asked |
# | intervals | none known to us | t and Wilson, raters as the unit, checked by hand and on 2,000 simulated classes |
#
# The row *not asked* is yours to fill.
#
# ## Where to go next
#
# - Run the study of this notebook in your class, and send the numbers with their intervals, whatever they
#   say.
# - Read `keras_design_gans/studies/statistics.py`: all of it fits on two pages.
# - [Notebook 5](05_scoring_creativity.ipynb): what formulas can say, and where they end.
