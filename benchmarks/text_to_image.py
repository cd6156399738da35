"""The four models of Reed et al. (2016) side by side: GAN, GAN-CLS, GAN-INT and GAN-INT-CLS.

    python benchmarks/text_to_image.py [--steps 1500] [--seeds 3] [--minutes M] [--out runs/text]

Trains every variant (64 px) on drawn faces and their captions, once for each seed. One pair of hair
colour and hair style in eight never occurs in training, though each colour and each style does: the
scores tell the faces with such a pair, "unseen", from the others.
Rows already in `text_to_image.json` are not trained again: a run that was stopped goes on, and
`--minutes` begins no new training after that time. Writes `text_to_image.md`, the table of the
site, beside it, and for every row pictures in the run folder.
"""

import itertools
import json
from pathlib import Path

import keras
import numpy as np
from rows import missing, new_parser

from keras_design_gans import datasets, metrics, models, plotting, presets, recipes, training
from keras_design_gans.datasets import faces

RESULTS = Path(__file__).with_suffix(".json")
VARIANTS = {
    "GAN": {"matching_aware": False, "interpolate": False},
    "GAN-CLS": {"matching_aware": True, "interpolate": False},
    "GAN-INT": {"matching_aware": False, "interpolate": True},
    "GAN-INT-CLS": {"matching_aware": True, "interpolate": True},
}
KINDS = tuple(faces.VALUES)
SCORES = {
    "attributes": "attributes as told, %",
    "hair": "hair as told, %",
    "attributes_unseen": "attributes, unseen pairs, %",
    "hair_unseen": "hair, unseen pairs, %",
    "wrong_named": "wrong sentences named, %",
    "kernel_distance": "KID",
}


def unseen(data):
    """Returns for each face whether its pair of hair colour and hair style is kept from training.

    Colour i goes with style i: every colour and every style is left seven times out of eight.
    """
    return np.asarray(data.arrays["hair_color"]) == np.asarray(data.arrays["hair_style"])


def load(split):
    """Opens the faces with all labels."""
    features = ("image", "caption", "caption_zh", "attributes", *KINDS)
    return datasets.load("faces", split, 64, 32, features=features)


def training_faces():
    """Returns the training faces without the unseen pairs."""
    data = load("train")
    return data.select(np.flatnonzero(~unseen(data)))


def train(row):
    """Trains a row, by the settings of the recipe."""
    recipe = recipes.RECIPES["gan_int_cls_faces_64"].lasting(row["steps"])
    keras.utils.set_random_seed(row["seed"])
    arguments = {**recipe.arguments, **VARIANTS[row["variant"]]}
    arguments["average_decay"] = 0.99  # a shorter memory, for a shorter training
    model = recipe.compile(models.GANCLS(image_shape=(64, 64, 3), seed=row["seed"], **arguments))
    data = model.prepare(training_faces())
    watchers = [training.Progress(row["steps"], row["steps"]), keras.callbacks.TerminateOnNaN()]
    model.fit(
        data.batches(), steps_per_epoch=row["steps"], callbacks=watchers, shuffle=False, verbose=0
    )
    return model


def shares(answers, labels, rows):
    """Returns how often, in percent, the judge sees the values that were told, in some rows."""
    right = np.stack([answers[kind].argmax(axis=1) == labels[kind] for kind in KINDS])[:, rows]
    hair = right[[KINDS.index("hair_color"), KINDS.index("hair_style")]].all(axis=0)
    return {"attributes": 100 * float(right.mean()), "hair": 100 * float(hair.mean())}


def score(images, test, judge):
    """Returns the scores of pictures drawn for the captions of the test faces, in their order."""
    answers, new = judge.probabilities(images), unseen(test)
    scores = shares(answers, test.arrays, ~new)
    scores |= {f"{key}_unseen": value for key, value in shares(answers, test.arrays, new).items()}
    real = judge.features(test.take(test.num_examples)["image"])
    return {
        **scores,
        "kernel_distance": float(metrics.kernel_distance(judge.features(images), real)[0]),
    }


def run(row, out):
    """Trains a row and returns it with its scores."""
    model = train(row)
    raw = load("test")
    test, judge = model.prepare(raw), presets.load("resnet18_faces_64")
    vectors = test.take(test.num_examples)["embedding"]
    images = model.decode(model.sample_latents(len(vectors), seed=0), vectors)
    out.mkdir(parents=True, exist_ok=True)
    pairs = plotting.beside(12, test.take(24)["image"], images[:24])
    plotting.save_grid(pairs, out / f"{row['variant']}-{row['seed']}.png", columns=12)
    logs = model.evaluate(test, verbose=0, return_dict=True)
    scores = {**score(images, raw, judge), "wrong_named": 100 * float(logs["d_wrong_accuracy"])}
    return {**row, "scores": scores}


def table(rows, real):
    """Returns the rows as a Markdown table: means of the seeds, with the lowest and highest."""
    lines = [
        f"| | seeds | {' | '.join(SCORES.values())} |",
        "| --- |" + " ---: |" * (1 + len(SCORES)),
    ]
    for variant in dict.fromkeys(row["variant"] for row in rows):
        mine = [row["scores"] for row in rows if row["variant"] == variant]
        cells = [spread([scores[name] for scores in mine]) for name in SCORES]
        lines.append(f"| {variant} | {len(mine)} | {' | '.join(cells)} |")
    cells = [f"{real[name]:.3g}" if name in real else "" for name in SCORES]
    lines.append(f"| real test pictures | | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def spread(values):
    """Returns the mean of some numbers, and their range if there are several."""
    mean = f"{np.mean(values):.3g}"
    return f"{mean} ({min(values):.3g} to {max(values):.3g})" if len(values) > 1 else mean


def main():
    """Trains what is missing, row by row."""
    parser = new_parser(__doc__, "runs/text")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": [], "real": {}}
    rows = content["rows"]
    if not content["real"]:
        test = load("test")
        pictures = test.take(test.num_examples)["image"]
        content["real"] = score(pictures, test, presets.load("resnet18_faces_64"))
    asked = [
        {"variant": variant, "steps": options.steps, "seed": seed}
        for seed, variant in itertools.product(range(options.seeds), VARIANTS)
    ]
    for row in missing(asked, rows, options.minutes):
        rows.append(run(row, options.out))
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        RESULTS.with_suffix(".md").write_text(table(rows, content["real"]))
    print(table(rows, content["real"]))


if __name__ == "__main__":
    main()
