"""Do weak constraints win on poor sketches? ContextualGAN, Pix2Pix and ContextEncoder compared.

    python benchmarks/sketch_robustness.py [--data cars faces garments] [--steps N] [--minutes M]

Lets the three models make pictures (64 px) of the same test sketches: as they are, with strokes
dropped (30 %, or 60 %: sparse), jittered or doubled, and in another style (XDoG). The models are
the presets; where there is none, they are trained on the same pairs, by the recipe of the faces (of
the cars for pix2pix, which has no other), or for `--steps` of it. On faces the search is also run
with a term for the labels, which a classifier of its own asks for: not the one that scores.

What is in the run folder, or in `sketch_robustness.json`, is not done again: a run that was stopped
goes on, and `--minutes` begins nothing new after that time. Writes `sketch_robustness.md`, the
table, and for every row the pictures in the run folder: sketches, results, true pictures.
"""

import argparse
import dataclasses
import functools
import itertools
import json
import time
from pathlib import Path

import keras
import numpy as np

from keras_design_gans import cli, metrics, plotting, presets, recipes, sketches, training

RESULTS = Path(__file__).with_suffix(".json")
MODELS = {
    "ContextualGAN": "contextual_gan",
    "Pix2Pix": "pix2pix",
    "ContextEncoder": "context_encoder",
}
WITH_LABELS = "ContextualGAN, labels asked for"
STYLE = "xdog"
SPARSE = 0.6  # share of the strokes that sparse sketches lack
FLAWS = sketches.FLAWS | {"sparse": functools.partial(sketches.drop_strokes, share=SPARSE)}
KINDS = ("clean", *FLAWS, STYLE)
RARE = ("glasses", "beard")  # what is lost on sparse sketches of faces; class 0 is none
ASKER_STEPS = 1_500


def rows_of(options):
    """Returns the rows of the table, without scores."""
    return [
        {
            "data": data,
            "model": model,
            "steps": recipe_of(model, data, options.steps)[1].steps,
            "sketches": kind,
            "pictures": options.pictures,
            "search": options.search,
        }
        for data, model, kind in itertools.product(options.data, [*MODELS, WITH_LABELS], KINDS)
        if model != WITH_LABELS or data == "faces"
    ]


def train(recipe, folder, minutes):
    """Trains a recipe, or goes on with it; returns the model, or `None` if the time is over."""
    resume = (folder / "run.json").exists()
    cli.set_precision()
    model, steps = training.run(recipe, folder, minutes, resume)
    keras.config.set_dtype_policy("float32")  # what the presets are scored in
    presets.save(model, folder / "preset", training.describe(recipe, steps))
    return presets.load(folder / "preset") if steps >= recipe.steps else None


def recipe_of(model, data, steps):
    """Returns the name and the recipe of a model for a data set: that of its preset, if any."""
    short = MODELS[model.partition(",")[0]]
    name = f"{short}_{data}_64"
    if name in presets.names():
        return name, recipes.RECIPES[name]
    known = recipes.RECIPES
    recipe = known.get(f"{short}_faces_64", known[f"{short}_cars_64"])
    return name, dataclasses.replace(recipe, data=data).lasting(steps or recipe.steps)


def asker_recipe(data, labels):
    """Returns the recipe of the classifier that asks for labels in the search."""
    base = recipes.RECIPES["resnet18_garments_64"]
    optimizers = {"optimizer": recipes.classifier_adam(ASKER_STEPS)}
    return dataclasses.replace(
        base, data=data, labels=labels, optimizers=optimizers, steps=ASKER_STEPS, seed=1
    )


def drawings_of(kind, test):
    """Returns the sketches of test pictures, good or poor."""
    if kind == STYLE:
        return sketches.sketch(test["image"], STYLE)
    return FLAWS[kind](test["sketch"]) if kind != "clean" else test["sketch"]


def score(row, model, classifier, asker, test, out):
    """Returns the row with its scores, and saves its first pictures."""
    drawings = drawings_of(row["sketches"], test)
    search = {"steps": row["search"]} if hasattr(model, "complete") else {}
    if row["model"] == WITH_LABELS:
        labels = {head: test[head] for head in asker.classes}
        search |= {"classifier": asker, "labels": labels}
    made = model.translate(drawings, seed=0, **search)
    name = "-".join([row["data"], row["model"].replace(", ", "-").replace(" ", "_")])
    grid = plotting.beside(12, drawings[:12], made[:12], test["image"][:12])
    plotting.save_grid(grid, out / f"{name}-{row['sketches']}.png", columns=12)
    features, true = classifier.features(made), classifier.features(test["image"])
    answers = classifier.classify(features)
    scores = {
        "ssim": float(metrics.ssim(made, test["image"]).mean()),
        "verification": metrics.verification_accuracy(features, true),
        "labels": float(np.mean(list(metrics.label_accuracy(answers, test).values()))),
    }
    for head in (head for head in RARE if head in answers):
        worn = test[head] > 0
        mine = metrics.label_accuracy({head: answers[head][worn]}, {head: test[head][worn]})
        scores[head] = mine[head]
    return {**row, "scores": scores}


def table(rows):
    """Returns the rows as a Markdown table."""
    titles = ["data", "sketches", "model", "steps", "SSIM", "verification", "labels", *RARE]
    lines = [f"| {' | '.join(titles)} |", "| --- | --- | --- |" + " ---: |" * (len(titles) - 3)]
    for row in sorted(rows, key=lambda row: (row["data"], KINDS.index(row["sketches"]))):
        scores = row["scores"]
        shares = [
            f"{scores[name]:.1%}" if name in scores else ""
            for name in ("verification", "labels", *RARE)
        ]
        cells = [row["data"], row["sketches"], row["model"], f"{row['steps']:,}"]
        cells += [f"{scores['ssim']:.3f}", *shares]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def findings(rows):
    """Returns for each score how often ContextualGAN is above a baseline, clean and poor apart."""
    found = {(row["data"], row["sketches"], row["model"]): row["scores"] for row in rows}
    lines = []
    for baseline, name in itertools.product(list(MODELS)[1:], ("ssim", "verification", "labels")):
        for title, kinds in (("clean", KINDS[:1]), ("poor", KINDS[1:])):
            pairs = [
                (scores[name], found[data, kind, baseline][name])
                for (data, kind, model), scores in found.items()
                if model == "ContextualGAN" and kind in kinds and (data, kind, baseline) in found
            ]
            wins = sum(mine > other for mine, other in pairs)
            lines.append(f"{name}, {title}: above {baseline} in {wins} of {len(pairs)}")
    return "\n".join(lines)


def main():
    """Trains and scores what is missing, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=["cars", "faces", "garments"])
    parser.add_argument("--steps", type=int, help="of the training of models without a preset")
    parser.add_argument("--search", type=int, default=100, help="steps of each search")
    parser.add_argument("--pictures", type=int, default=256, help="test sketches of each row")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--out", type=Path, default=Path("runs/robustness"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    known = [{**row, "scores": None} for row in rows]
    missing = [row for row in rows_of(options) if {**row, "scores": None} not in known]
    for (data, name), group in itertools.groupby(missing, lambda row: (row["data"], row["model"])):
        if time.monotonic() > end:
            break
        preset, recipe = recipe_of(name, data, options.steps)
        if preset in presets.names():
            model = presets.load(preset)
        else:
            left = (end - time.monotonic()) / 60
            model = train(recipe, options.out / f"{recipe.model}-{data}", left)
        splits = [training.open_data(data, 64, 1, split) for split in ("train", "test")]
        asker = None
        if model is not None and name == WITH_LABELS:
            labels = tuple(splits[0].class_names)
            left = (end - time.monotonic()) / 60
            asker = train(asker_recipe(data, labels), options.out / f"asker-{data}", left)
        if model is None or (name == WITH_LABELS and asker is None):
            break
        classifier, _ = training.classifier_for(recipe, *splits)
        features = ("image", "sketch", *splits[1].class_names)
        test = training.open_data(data, 64, 1, "test", features).take(options.pictures)
        for row in group:
            if time.monotonic() > end:
                break
            print(*row.values())
            rows.append(score(row, model, classifier, asker, test, options.out))
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
            RESULTS.with_suffix(".md").write_text(table(rows))
    if time.monotonic() > end:
        print("The time is over; the same command goes on.")
    print(table(rows), findings(rows), sep="\n")


if __name__ == "__main__":
    main()
