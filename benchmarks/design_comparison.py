"""The comparison of the DesIGN paper: three architectures, four ways to ask for novelty, two sets.

    python benchmarks/design_comparison.py [--steps 1500] [--minutes M] [--out runs/comparison]

Trains every combination (64 px, width 16, to be quick) for the same number of steps, each stage of
StackGAN as long as the other models, and scores it.
Rows already in `design_comparison.json` are not trained again: a run that was stopped goes on, and
`--minutes` begins no new training after that time. Writes `design_comparison.md`, the table of the
site, beside it, and for every row the pictures of the same noise in the run folder.
"""

import dataclasses
import itertools
import json
import shutil
from pathlib import Path

from rows import missing, new_parser

from keras_design_gans import plotting, recipes, training

RESULTS = Path(__file__).with_suffix(".json")
ARCHITECTURES = {
    "DCGAN": "design_garments_64",
    "StackGAN": "stackgan_garments_64",
    "MaskStyleGAN": "mask_stylegan_garments_64",
}
LOSSES = {"none": "GAN", "can": "CAN", "can_h": "CAN(H)"}
HEADS = (("shape", "texture"), ("shape",), ("texture",))
SCORES = {
    "shape_inception_score": "shape IS",
    "texture_inception_score": "texture IS",
    "shape_am_score": "shape AM",
    "texture_am_score": "texture AM",
    "knn_distance": "kNN distance",
    "shape_prediction_entropy": "shape entropy",
    "texture_prediction_entropy": "texture entropy",
    "frechet_distance": "FID",
}


def combinations(steps):
    """Returns the rows of the table, the most telling first, without scores.

    Single heads are compared on DCGAN only: each row takes minutes.
    """
    asked = [((), "none"), *itertools.product(HEADS, LOSSES)]
    return [
        {
            "data": data,
            "architecture": architecture,
            "heads": list(heads),
            "creativity": creativity,
            "steps": steps,
            "seed": 0,
        }
        for heads in ((), *HEADS)
        for data in ("garments", "handbags")
        for architecture in ARCHITECTURES
        for labels, creativity in asked
        if labels == heads and (architecture == "DCGAN" or len(heads) != 1)
    ]


def recipe_of(row):
    """Returns the recipe that trains a row."""
    base = recipes.RECIPES[ARCHITECTURES[row["architecture"]]]
    same = {"base_filters": 16, "creativity": row["creativity"], "g_creativity_weight": 0.1}
    return dataclasses.replace(
        base,
        arguments={**base.arguments, **same},
        data=row["data"],
        labels=tuple(row["heads"]),
        steps=row["steps"] * getattr(base.model_class, "stages", 1),
        seed=row["seed"],
    )


def name_of(row):
    """Returns the loss of a row in the words of the paper."""
    if not row["heads"]:
        return "none"
    return {**LOSSES, "none": "classification"}[row["creativity"]]


def train(row, out):
    """Trains a row and returns it with its scores."""
    recipe = recipe_of(row)
    folder = out / "-".join([row["data"], row["architecture"], *row["heads"], row["creativity"]])
    shutil.rmtree(folder, ignore_errors=True)
    model, _ = training.run(recipe, folder)
    images = model.generate(24, seed=0, **training.conditions(model, recipe, 24))
    plotting.save_grid(images, folder.with_suffix(".png"), columns=12)
    scores = training.score(model, recipe)
    return {**row, "scores": {name: scores[name] for name in SCORES}}


def table(rows):
    """Returns the rows as a Markdown table, real pictures first for each data set."""
    titles = ["data", "architecture", "heads", "loss", *SCORES.values()]
    lines = [f"| {' | '.join(titles)} |", "| --- | --- | --- | --- |" + " ---: |" * len(SCORES)]
    for data in dict.fromkeys(row["data"] for row in rows):
        mine = [row for row in rows if row["data"] == data]
        lines.append(line(data, "real test pictures", "", "", mine[0], "test"))
        for row in sorted(mine, key=lambda row: list(ARCHITECTURES).index(row["architecture"])):
            heads = " + ".join(row["heads"])
            lines.append(line(data, row["architecture"], heads, name_of(row), row, "generated"))
    return "\n".join(lines) + "\n"


def line(data, architecture, heads, loss, row, kind):
    """Returns one line of the table, scores with their standard deviations."""
    cells = [
        f"{score[kind]:.3g} ± {score[kind + '_deviation']:.1g}" for score in row["scores"].values()
    ]
    return f"| {' | '.join([data, architecture, heads, loss, *cells])} |"


def findings(rows):
    """Counts in how many pairs of rows, alike but for the loss, the paper's findings hold."""
    found = {(row["data"], row["architecture"], *row["heads"], name_of(row)): row for row in rows}
    pairs = [
        (row, found[(*key[:-1], "CAN")])
        for key, row in found.items()
        if key[-1] == "CAN(H)" and (*key[:-1], "CAN") in found
    ]

    def share(name):
        higher = sum(
            holistic["scores"][name]["generated"] > can["scores"][name]["generated"]
            for holistic, can in pairs
        )
        return f"{higher} of {len(pairs)}"

    return "\n".join(
        f"{title}: CAN(H) above CAN in {share(k)} pairs" for k, title in SCORES.items()
    )


def main():
    """Trains what is missing, row by row."""
    options = new_parser(__doc__, "runs/comparison").parse_args()
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    for row in missing(combinations(options.steps), rows, options.minutes):
        rows.append(train(row, options.out))
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
        RESULTS.with_suffix(".md").write_text(table(rows))
    print(table(rows), findings(rows), sep="\n")


if __name__ == "__main__":
    main()
