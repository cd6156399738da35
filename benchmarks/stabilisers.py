"""What each stabiliser does: the paper's setting, each one alone, all together, all in float32.

    python benchmarks/stabilisers.py [--pictures 64000] [--out runs/stabilisers]

Trains DCGAN (32 px, width 16, to be quick) on garments with each setting on the same number of
pictures. Writes one JSON file a row, so that a run that was stopped goes on, `table.md`, and
`pictures.png`: one row of pictures a setting, from the same noise.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_design_gans import plotting, recipes, training

PAPER = {
    "real_target": 1.0,
    "instance_noise": 0.0,
    "r1_weight": 0.0,
    "average_decay": None,
}
SLOW = {"rate": 2e-4, "batch_size": 64}
FAST = {"rate": 5e-4, "batch_size": 32}


def settings():
    """Returns the rows of the table: name, arguments, pace, policy."""
    full = recipes.RECIPES["dcgan_garments_64"].arguments
    chosen = {name: full[name] for name in PAPER}
    bfloat16 = "mixed_bfloat16"
    return [
        ("as in the paper", PAPER, SLOW, bfloat16),
        *(
            (f"only `{name}={value}`", {**PAPER, name: value}, SLOW, bfloat16)
            for name, value in chosen.items()
        ),
        ("only rates of 5e-4, batch 32", PAPER, FAST, bfloat16),
        ("the recipe: all of them", chosen, FAST, bfloat16),
        ("the recipe in float32", chosen, FAST, "float32"),
    ]


def train(name, arguments, pace, policy, pictures, out):
    """Trains one setting and returns its row of the table, as a dictionary."""
    keras.config.set_dtype_policy(policy)
    rate = recipes.adam(pace["rate"])
    base = recipes.RECIPES["dcgan_garments_64"]
    recipe = dataclasses.replace(
        base,
        arguments={**base.arguments, **arguments, "base_filters": 16},
        image_size=32,
        optimizers={"generator_optimizer": rate, "discriminator_optimizer": rate},
        batch_size=pace["batch_size"],
        steps=pictures // pace["batch_size"],
    )
    model, steps = training.run(recipe, out)
    history = training.read_history(out / "history.csv")
    strip = plotting.image_grid(model.generate(12, seed=0), columns=12)
    Image.fromarray(strip).save(out / "strip.png")
    last = {key: history[key][-1] for key in ("d_real_accuracy", "d_fake_accuracy")}
    return {"name": name, "steps": steps, **last, **training.score(model, recipe)}


def table(rows):
    """Returns the rows as a Markdown table."""
    scores = ["shape_inception_score", "texture_inception_score", "frechet_distance"]
    titles = ["setting", "steps", "D right on real, fake", "shape IS", "texture IS", "FID"]
    lines = [f"| {' | '.join(titles)} |", "| --- |" + " ---: |" * (len(titles) - 1)]
    for row in rows:
        cells = [row["name"], row["steps"]]
        cells.append(f"{row['d_real_accuracy']:.2f}, {row['d_fake_accuracy']:.2f}")
        cells += [f"{row[score]['generated']:.2f}" for score in scores]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    real = [f"{rows[0][score]['test']:.2f}" for score in scores]
    return "\n".join([*lines, f"| real test pictures |  |  | {' | '.join(real)} |"]) + "\n"


def main():
    """Trains what is missing, then writes the table and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=64_000, help="seen in each training")
    parser.add_argument("--out", type=Path, default=Path("runs/stabilisers"))
    options = parser.parse_args()
    rows, strips = [], []
    for index, setting in enumerate(settings()):
        out = options.out / str(index)
        result = out / "row.json"
        if not result.exists():
            row = train(*setting, options.pictures, out)
            result.write_text(json.dumps(row, indent=1) + "\n")
        rows.append(json.loads(result.read_text()))
        strips.append(np.asarray(Image.open(out / "strip.png")))
    Image.fromarray(np.concatenate(strips)).save(options.out / "pictures.png")
    (options.out / "table.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
