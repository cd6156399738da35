"""The comparison of the ModularGAN paper: four models, transfers of three attributes, ablations.

    python benchmarks/modular_comparison.py [--steps 800] [--minutes M] [--out runs/modular]

Trains every model (32 px, width 12, to be quick) on drawn faces of three hair colours, with and
without a smile and glasses, for the same number of steps: each stage of IcGAN and each of the five
CycleGANs, one for each pair of values, as long as the others. For so short a training all rates are
5e-4 and fall to 0, the weight of StarGAN's cycle is 30, and numbers are bfloat16 on processors that
multiply them natively. As the data can draw the same face with other attributes, the pictures are
compared with the true ones, too. Then it trains ModularGAN on coloured digits, at rates of 1e-3 and
with 2 residual blocks, and asks for every subset of their factors.
Rows already in `modular_comparison.json` are not trained again: a run that was stopped goes on, and
`--minutes` begins no new training after that time. Writes `modular_comparison.md`, the tables of
the site, beside it, and for every row pictures in the run folder.
"""

import functools
import itertools
import json
from pathlib import Path

import keras
import numpy as np
from rows import missing, new_parser

from keras_design_gans import cli, datasets, metrics, models, plotting, recipes, training
from keras_design_gans.datasets import faces

RESULTS = Path(__file__).with_suffix(".json")
SIZE = 32
RATES = {"faces": 5e-4, "color_mnist": 1e-3}
# In the paper 10: its slope at a pixel is lost beside that of the discriminator.
STARGAN_CYCLE = {"cycle_weight": 30.0}
VALUES = {
    "hair_color": ("black", "brown", "blond"),
    "mouth": ("serious", "smile"),
    "glasses": ("none", "round"),
}
TASKS = {
    "H": ("hair_color",),
    "S": ("mouth",),
    "G": ("glasses",),
    "HS": ("hair_color", "mouth"),
    "HG": ("hair_color", "glasses"),
    "SG": ("mouth", "glasses"),
    "HSG": ("hair_color", "mouth", "glasses"),
}
FACTORS = ("digit", "color", "style", "background")
SUBSETS = [s for k in range(1, 5) for s in itertools.combinations(FACTORS, k)]
ABLATIONS = {"": {}, "no mask": {"use_masks": False}, "no cycle": {"use_cycle": False}}
BATCH = {"IcGAN": 32, "CycleGAN": 4, "StarGAN": 40, "ModularGAN": 40}
SCORES = {
    "classification_error": "wrong attributes, %",
    "error": "distance from the true picture",
    "error_outside": "the same where nothing should change",
}
# Zhao et al. 2018, classification error in percent. G is their gender.
PAPER = {
    "IcGAN": (7.82, 10.43, 20.86, 22.17, 20.00, 23.91, 23.18),
    "CycleGAN": (4.34, 10.43, 13.26, 13.67, 10.43, 17.82, 21.01),
    "StarGAN": (3.47, 4.56, 4.21, 4.65, 6.95, 5.52, 7.63),
    "ModularGAN": (3.86, 4.21, 2.61, 4.03, 6.51, 4.04, 6.09),
}


def combinations(steps):
    """Returns the rows of the tables, without scores."""
    asked = [("faces", name, "") for name in ("ModularGAN", "StarGAN", "IcGAN", "CycleGAN")]
    asked += [("faces", "ModularGAN", ablation) for ablation in ABLATIONS if ablation]
    asked += [("color_mnist", "ModularGAN", ablation) for ablation in ABLATIONS]
    names = ("data", "model", "ablation")
    return [{**dict(zip(names, row, strict=True)), "steps": steps, "seed": 0} for row in asked]


def load(data, split, batch_size):
    """Opens a data set; of faces, those with the chosen values."""
    keys = FACTORS if data == "color_mnist" else VALUES
    found = datasets.load(data, split, SIZE, batch_size, features=("image", *keys))
    return found if data == "color_mnist" else found.where(**VALUES)


def falling(model, rate, steps):
    """Returns the optimizers of a model's paper, with a rate that falls from another one."""
    found = model.default_optimizers()
    for player, optimizer in found.items():
        updates = steps
        if player in ("discriminator", "copier"):
            updates *= getattr(model, "discriminator_steps", 1)
        optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(rate, updates)
    return {f"{player}_optimizer": optimizer for player, optimizer in found.items()}


def fit(model, data, steps):
    """Trains a model, once for each of its stages, and returns the last one."""
    while True:
        keras.utils.set_random_seed(0)
        model.compile(**falling(model, RATES[data.name], steps))
        watchers = [training.Progress(steps, steps), keras.callbacks.TerminateOnNaN()]
        model.fit(
            data.batches(),
            steps_per_epoch=steps,
            callbacks=watchers,
            shuffle=False,
            verbose=0,
        )
        if training.in_last_stage(model):
            return model
        model = model.next_stage()


def train(row):
    """Trains a row; returns its model, or for CycleGAN a dictionary from pairs of values to one."""
    data = load(row["data"], "train", BATCH[row["model"]])
    keras.utils.set_random_seed(row["seed"])
    shape = (SIZE, SIZE, 3)
    conditions = {key: list(names) for key, names in data.class_names.items()}
    if row["model"] == "CycleGAN":
        found = {}
        for key, pair in pairs():
            model = models.CycleGAN(
                {key: conditions[key]}, pair, image_shape=shape, base_filters=12, patch=16
            )
            found[key, pair] = fit(model, model.prepare(data), row["steps"])
        return found
    arguments = {"base_filters": 12, "image_shape": shape, **ABLATIONS[row["ablation"]]}
    if row["model"] == "IcGAN":
        arguments |= {"average_decay": 0.999, "r1_weight": 3.0}
    if row["model"] == "StarGAN":
        arguments |= STARGAN_CYCLE
    if row["data"] == "color_mnist":
        arguments |= {"initial": ["digit"], "latent_dim": 64, "blocks": 2}
    return fit(getattr(models, row["model"])(conditions, **arguments), data, row["steps"])


def pairs():
    """Returns all pairs of two values of one attribute, in the order of their numbers."""
    return [(key, pair) for key in VALUES for pair in itertools.combinations(VALUES[key], 2)]


def classifier(data, steps, out):
    """Returns a `ResNet18` of the labels, and its accuracies on test pictures; trained once."""
    path = out / f"classifier-{data}-{steps}.keras"
    test = load(data, "test", 1)
    if not path.exists():
        train_data = load(data, "train", 32)
        keras.utils.set_random_seed(0)
        model = metrics.ResNet18((SIZE, SIZE, 3), train_data.class_names, base_filters=16)
        model.compile(keras.optimizers.deserialize(recipes.classifier_adam(steps)))
        progress = training.Progress(steps, steps)
        model.fit(
            train_data.batches(),
            steps_per_epoch=steps,
            callbacks=[progress],
            shuffle=False,
            verbose=0,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(path)
    model = keras.models.load_model(path, custom_objects={"ResNet18": metrics.ResNet18})
    pictures = test.take(test.num_examples)
    answers = model.probabilities(pictures["image"])
    return model, {
        key: 1 - metrics.attribute_error(answers, {key: pictures[key]}) for key in answers
    }


@functools.cache
def transfers(task):
    """Returns the test pictures of a task, with other values for its attributes, and the truth.

    Returns:
        Dictionary with `image`, `edited` and `mask` as `faces.edit` gives them, `labels`, the class
        numbers of the pictures, and `changes`, those that are asked for: each value becomes the
        next one.
    """
    whole = datasets.load("faces", "test", SIZE, 1, features=tuple(VALUES))
    names = {key: np.array(whole.class_names[key])[whole.arrays[key]] for key in VALUES}
    rows = np.flatnonzero(np.all([np.isin(names[key], VALUES[key]) for key in VALUES], axis=0))
    numbers = {
        key: np.array([VALUES[key].index(name) for name in names[key][rows]]) for key in VALUES
    }
    changes = {key: (numbers[key] + 1) % len(VALUES[key]) for key in TASKS[task]}
    pictures = [
        faces.edit([row], "test", image_size=SIZE, **{k: VALUES[k][changes[k][i]] for k in changes})
        for i, row in enumerate(rows)
    ]
    arrays = {k: np.concatenate([each[k] for each in pictures]) for k in pictures[0]}
    return {**arrays, "labels": numbers, "changes": changes}


def change(model, given, order=None):
    """Returns the pictures of a task, changed by a model."""
    images, labels, changes = given["image"], given["labels"], given["changes"]
    if isinstance(model, dict):  # CycleGANs, one attribute after the other
        images = images.copy()
        for (key, pair), one in model.items():
            ends = [VALUES[key].index(name) for name in pair]
            for back, (start, end) in enumerate((ends, ends[::-1])):
                rows = (labels[key] == start) & (changes.get(key, labels[key]) == end)
                if rows.any():
                    images[rows] = one.translate(images[rows], back=bool(back))
        return images
    if isinstance(model, models.StarGAN):
        return model.translate(images, changes, labels=labels)
    if order is not None:
        return model.translate(images, changes, order=order)
    return model.translate(images, changes)


def score_faces(made, given, judge):
    """Returns the scores of the changed pictures of a task."""
    wrong = metrics.attribute_error(judge.probabilities(made), given["changes"])
    errors = metrics.edit_errors(made, given["edited"], given["mask"])
    means = {name: float(np.nanmean(values)) for name, values in errors.items()}
    return {"classification_error": 100 * wrong, **means}


def run_faces(row, model, judge, path):
    """Scores a model on all tasks; of ModularGAN, also every order of the three modules."""
    scores = {
        task: score_faces(change(model, transfers(task)), transfers(task), judge) for task in TASKS
    }
    if name_of(row) == "ModularGAN":
        given = transfers("HSG")
        for order in itertools.permutations(TASKS["HSG"]):
            made = change(model, given, order)
            scores[" > ".join(order)] = score_faces(made, given, judge)
    given = transfers("HSG")
    made = change(model, given)
    kinds = [images[:12] for images in (given["image"], made, given["edited"])]
    plotting.save_grid(plotting.beside(12, *kinds), path, columns=12)
    return scores


def references(judge):
    """Returns the scores of pictures that were not changed at all, and of the true ones."""
    return {
        name: {task: score_faces(transfers(task)[key], transfers(task), judge) for task in TASKS}
        for name, key in (("unchanged pictures", "image"), ("true pictures", "edited"))
    }


def run_digits(model, judge, path, n=500):
    """Returns for every subset of the factors how often each of them, in percent, is right."""
    scores = {}
    for index, subset in enumerate(SUBSETS):
        chance = np.random.default_rng(index)
        asked = {key: chance.integers(model.told.counts[key], size=n) for key in subset}
        answers = judge.probabilities(model.generate(n, seed=index, **asked))
        scores[" + ".join(subset)] = {
            **{
                key: 100 * (1 - metrics.attribute_error(answers, {key: asked[key]}))
                for key in asked
            },
            "all": 100 * (1 - metrics.attribute_error(answers, asked)),
        }
    plotting.save_grid(model.generate(60, seed=0, **model.told.drawn(60, seed=0)), path, columns=12)
    return scores


def name_of(row):
    """Returns the model of a row, and what it is without."""
    return f"{row['model']}, {row['ablation']}" if row["ablation"] else row["model"]


def markdown(titles, rows):
    """Returns a Markdown table; numbers are rounded to three digits."""
    lines = [f"| {' | '.join(titles)} |", "| --- |" + " ---: |" * (len(titles) - 1)]
    for name, *values in rows:
        cells = ["" if value is None else f"{value:.3g}" for value in values]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines) + "\n"


def tables(rows, known):
    """Returns all tables, from the rows and what is known of the classifiers."""
    of_faces = [row for row in rows if row["data"] == "faces"]
    parts = []
    for name, title in SCORES.items():
        lines = [(name_of(row), *(row["scores"][t][name] for t in TASKS)) for row in of_faces]
        for kind, scores in known.get("faces", {}).get("references", {}).items():
            lines.append((kind, *(scores[t][name] for t in TASKS)))
        parts.append(f"Faces: {title}\n\n" + markdown(["", *TASKS], lines))
    paper = [(name, *values) for name, values in PAPER.items()]
    title = "The paper's wrong attributes, %, on photos (as remembered, unverified)\n\n"
    parts.append(title + markdown(["", *TASKS], paper))
    for row in of_faces:
        orders = {name: s for name, s in row["scores"].items() if ">" in name}
        if orders:
            lines = [(name, *(scores[s] for s in SCORES)) for name, scores in orders.items()]
            title = "Faces: order of ModularGAN's modules, HSG\n\n"
            parts.append(title + markdown(["", *SCORES.values()], lines))
    for row in rows:
        if row["data"] == "color_mnist":
            lines = [
                (name, *(scores.get(key) for key in (*FACTORS, "all")))
                for name, scores in row["scores"].items()
            ]
            title = f"Digits: right factors, %, by what is asked for, {name_of(row)}\n\n"
            parts.append(title + markdown(["", *FACTORS, "all"], lines))
    for data, facts in known.items():
        shares = ", ".join(f"{key} {share:.1%}" for key, share in facts["accuracy"].items())
        parts.append(f"Accuracy of the ResNet-18 on test pictures of {data}: {shares}\n")
    return "\n".join(parts)


def findings(rows):
    """Says which claims of the paper hold in these tables."""
    found = {name_of(row): row["scores"] for row in rows if row["data"] == "faces"}
    modular = found.get("ModularGAN")
    lines = []
    for name, scores in found.items():
        if modular is None or name == "ModularGAN":
            continue
        for score, title in SCORES.items():
            lower = [task for task in TASKS if modular[task][score] < scores[task][score]]
            lines.append(
                f"{title}: ModularGAN below {name} in {len(lower)} of {len(TASKS)} tasks"
                + (f" ({', '.join(lower)})" if lower else "")
            )
    return "\n".join(lines)


def main():
    """Trains what is missing, row by row."""
    parser = new_parser(__doc__, "runs/modular")
    parser.set_defaults(steps=800)
    options = parser.parse_args()
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": [], "known": {}}
    rows, known = content["rows"], content["known"]
    cli.set_precision()
    for row in missing(combinations(options.steps), rows, options.minutes):
        judge, accuracy = classifier(row["data"], options.steps, options.out)
        known[row["data"]] = {"accuracy": accuracy}
        if row["data"] == "faces":
            known["faces"]["references"] = references(judge)
        model = train(row)
        path = (
            options.out / f"{row['data']}-{name_of(row).replace(', ', '-').replace(' ', '_')}.png"
        )
        if row["data"] == "faces":
            scores = run_faces(row, model, judge, path)
        else:
            scores = run_digits(model, judge, path)
        rows.append({**row, "scores": scores})
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        RESULTS.with_suffix(".md").write_text(tables(rows, known))
    print(tables(rows, known), findings(rows), sep="\n")


if __name__ == "__main__":
    main()
