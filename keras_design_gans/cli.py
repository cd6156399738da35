"""The command `design-gans`: train, generate, complete, score, export, list, study."""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

BACKENDS = ("tensorflow", "torch", "jax")
SCORES = {  # what the name of a score ends in, and which way is better
    "frechet_distance": "lower",
    "kernel_distance": "lower",
    "inception_score": "higher",
    "am_score": "higher",
    "prediction_entropy": "lower = clearer",
    "knn_distance": "higher = newer",
    "mean_absolute_error": "lower",
    "ssim": "higher",
    "attribute_error": "lower",
}


def main(arguments=None):
    """Runs the command line; returns the exit code: 0, or 2 with one line on what was wrong."""
    options = build_parser().parse_args(arguments)
    try:
        if hasattr(options, "backend"):
            set_backend(options)
        options.run(options)
    except KeyboardInterrupt:
        print("design-gans: stopped. A training goes on with --resume.", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError) as error:
        print(f"design-gans: {error}", file=sys.stderr)
        return 2
    return 0


def build_parser():
    """Describes the commands."""
    parser = argparse.ArgumentParser(
        prog="design-gans", description="Train and use generative networks for design."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model and leave pictures, model and scores")
    train.add_argument("model", nargs="?", help="model to train in a few minutes, such as: design")
    train.add_argument("--preset", help="repeat the full training of a preset")
    train.add_argument("--data", help="name of a data set, or a folder of pictures")
    train.add_argument("--size", type=int, help="side of the pictures in pixels")
    train.add_argument("--steps", type=int, help="length of the training")
    train.add_argument("--creativity", choices=["none", "can", "can_h"], help="creativity loss")
    train.add_argument("--minutes", type=float, help="stop after this time, with a checkpoint")
    train.add_argument("--out", type=Path, help="run folder (default: runs/NAME)")
    train.add_argument("--resume", action="store_true", help="go on with the run in --out")
    train.set_defaults(run=train_command)

    generate = commands.add_parser("generate", help="make pictures with a run or a preset")
    generate.add_argument("source", help="run folder, preset name or preset folder")
    generate.add_argument("--number", type=int, default=64, help="how many (default: 64)")
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument(
        "--label",
        nargs="+",
        default=[],
        metavar="KEY=CLASS",
        help="what a conditional model shall draw, or change: body=suv view=front",
    )
    generate.add_argument("--text", metavar="SENTENCE", help="what a GANCLS shall draw")
    generate.add_argument(
        "--attributes",
        nargs="+",
        metavar="NAME",
        help="what an AttributeGAN shall draw, such as: 'hair_color: red' 'mouth: smile'",
    )
    generate.add_argument("--out", type=Path, default=Path("generated"), help="folder to write to")
    generate.set_defaults(run=generate_command)

    complete = commands.add_parser("complete", help="make pictures of your own sketches")
    complete.add_argument("source", help="run folder, preset name or preset folder")
    complete.add_argument(
        "sketches", nargs="+", type=Path, metavar="SKETCH", help="drawing, or photo of one on paper"
    )
    complete.add_argument("--seed", type=int, default=0)
    complete.add_argument("--steps", type=int, help="of a ContextualGAN's search (default: 100)")
    complete.add_argument("--candidates", type=int, help="draws before it (default: 1000)")
    complete.add_argument("--out", type=Path, default=Path("completed"), help="folder to write to")
    complete.set_defaults(run=complete_command)

    score = commands.add_parser("score", help="score a run or a preset against its data")
    score.add_argument("source", help="run folder, preset name or preset folder")
    score.set_defaults(run=score_command)

    export = commands.add_parser("export", help="write the generator as ONNX or SavedModel")
    export.add_argument("source", help="run folder, preset name or preset folder")
    export.add_argument("--format", choices=["onnx", "saved_model", "litert"], default="onnx")
    export.add_argument("--out", type=Path, help="file or folder to write (default: NAME.onnx)")
    export.set_defaults(run=export_command)

    listing = commands.add_parser("list", help="list presets and data sets")
    listing.set_defaults(run=list_command)

    for command in (train, generate, complete, score, export, listing):
        command.add_argument("--backend", choices=BACKENDS, help="default: $KERAS_BACKEND")
    study = commands.add_parser("study", help="ask people which pictures are best, or how good")
    add_study_commands(study.add_subparsers(required=True, metavar="COMMAND"))
    return parser


def add_study_commands(commands):
    """Describes the commands after `design-gans study`; they need no backend."""
    create = commands.add_parser("create", help="make a study from folders of pictures")
    create.add_argument("study", type=Path, help="file to write, such as: likes.study")
    create.add_argument("folders", nargs="+", metavar="FOLDER", help="one for each method")
    create.add_argument("--questions", default="design", metavar="SET", help="default: design")
    create.add_argument("--reference", metavar="FOLDER", help="pictures to show above the question")
    create.add_argument("--title", default="", help="heading of the page")
    create.add_argument(
        "--per-rater", type=int, metavar="N", help="pictures for each (default: all)"
    )
    create.set_defaults(run=study_create_command)

    serve = commands.add_parser("serve", help="show it to raters until Ctrl+C")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for a class in one network")
    serve.add_argument("--port", type=int, default=8000)
    serve.set_defaults(run=study_serve_command)

    results = commands.add_parser("results", help="sum up the answers")
    results.add_argument("--out", type=Path, metavar="CSV", help="also write all answers here")
    results.set_defaults(run=study_results_command)

    export = commands.add_parser("export", help="write the same task for a crowd-work site")
    export.add_argument("--out", type=Path, required=True, help="folder to write")
    export.add_argument("--url", default="", help="where its folder pictures/ will be found")
    export.set_defaults(run=study_export_command)

    close = commands.add_parser("close", help="take no more answers")
    close.set_defaults(run=study_close_command)

    for command in (serve, results, export, close):
        command.add_argument("study", type=Path, help="file of the study")


def set_backend(options):
    """Chooses the backend before Keras is imported: the asked one, else one that is installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    if "KERAS_BACKEND" not in os.environ:
        installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
        if not installed:
            raise ImportError(
                "No backend is installed. Install one, for example with: "
                "pip install 'keras-design-gans[tensorflow]'"
            )
        os.environ["KERAS_BACKEND"] = installed[0]
    if not importlib.util.find_spec(os.environ["KERAS_BACKEND"]):
        name = os.environ["KERAS_BACKEND"]
        raise ImportError(
            f"The backend {name} is not installed: pip install 'keras-design-gans[{name}]'"
        )


def set_precision():
    """Uses bfloat16 on processors that multiply it natively: a quarter less time for a step."""
    import keras

    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        keras.config.set_dtype_policy("mixed_bfloat16")


def train_command(options):
    """`design-gans train`."""
    from keras_design_gans import presets, training

    name = options.model or options.preset
    if not options.resume and bool(options.model) == bool(options.preset):
        raise ValueError("Name a model, such as `train design`, or a preset with --preset NAME.")
    if not options.out and not name:
        raise ValueError("Say with --out which run to go on with.")
    out = options.out or Path("runs") / Path(name).name
    recipe = training.read_run(out)[0] if options.resume else recipe_for(name)
    if not options.resume and out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty. Go on with it by --resume, or choose another --out.")
    recipe = adapt(recipe, options)
    out.mkdir(parents=True, exist_ok=True)
    set_precision()
    model, steps = training.run(recipe, out, options.minutes, options.resume)
    presets.save(model, out / "preset", training.describe(recipe, steps))
    if training.makes_pictures(model):
        scores = training.score(model, recipe)
        print_scores(scores)
    elif hasattr(model, "embed"):
        scores = training.encoder_scores(model, recipe)
        print(*(f"{name} {value:.3f}" for name, value in scores.items()), sep="\n")
    else:
        test = training.open_data(recipe.data, recipe.image_size, 1, "test")
        scores = training.accuracies(out / "preset", test)
        print(*(f"{name} {value:.1%}" for name, value in scores.items()), sep="\n")
    description = training.describe(recipe, steps, scores)
    for path in (out / "scores.json", out / "preset" / "metadata.json"):
        presets.write_json(path, description)
    if steps < recipe.steps:
        print(f"{steps} of {recipe.steps} steps done; go on with: train --resume --out {out}")
    for path in sorted(out.iterdir()):
        if path.name not in ("frames", "run.json", "checkpoint.keras"):
            print(path)


def recipe_for(name):
    """Returns the recipe of that name, or the one that a preset directory has written down."""
    from keras_design_gans import presets, recipes, training

    if (Path(name) / "metadata.json").is_file():
        return training.recipe_from(presets.metadata(name))
    return recipes.recipe(name)


def adapt(recipe, options):
    """Returns the recipe with what the command line asks for instead."""
    import dataclasses

    from keras_design_gans import training

    asked = {}
    if options.size:
        asked["image_size"] = options.size
    if options.creativity:
        asked["arguments"] = {**recipe.arguments, "creativity": options.creativity}
    recipe = dataclasses.replace(recipe, **asked).lasting(options.steps or recipe.steps)
    return training.for_data(recipe, options.data) if options.data else recipe


def generate_command(options):
    """`design-gans generate`."""
    from PIL import Image

    from keras_design_gans import plotting, training
    from keras_design_gans.engine import translates

    model, description = open_generator(options.source)
    labels = {**labels_of(model, options.label), **description_of(model, options)}
    undescribed = hasattr(model, "described_by") and not labels
    # Others need no data, and no recipe.
    if translates(model) or "mask" in model.needs or undescribed:
        recipe = training.recipe_from(description)
        images = training.make_pictures(model, recipe, options.number, options.seed, labels)
    else:
        images = model.generate(options.number, seed=options.seed, **labels)
    options.out.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(plotting.to_uint8(images)):
        Image.fromarray(image).save(options.out / f"{index:04d}.png")
    plotting.save_grid(images, options.out / "grid.png")
    print(f"{options.number} pictures and grid.png in {options.out}")


def labels_of(model, pairs):
    """Returns the labels of `--label KEY=CLASS ...` as arguments of `model.generate`."""
    known = getattr(model, "conditions", {})
    if pairs and not known:
        raise ValueError(f"A {type(model).__name__} takes no --label; a CGAN or a StarGAN does.")
    labels = {}
    for pair in pairs:
        key, _, label = pair.partition("=")
        if key not in known or not label:
            raise ValueError(f"--label takes KEY=CLASS, with KEY of {', '.join(known)}: got {pair}")
        names = {} if isinstance(known[key], int) else {str(name): name for name in known[key]}
        number = int(label) if label.isdecimal() else label
        labels[key] = names.get(label, number)  # "2026" may be a name
    return labels


def description_of(model, options):
    """Returns what `--text` or `--attributes` say as an argument of `model.generate`."""
    takers = {"text": "GANCLS", "attributes": "AttributeGAN"}
    asked = {name: getattr(options, name) for name in takers}
    asked = {name: value for name, value in asked.items() if value is not None}
    for name in asked:
        if type(model).__name__ != takers[name]:
            raise ValueError(f"{type(model).__name__} takes no --{name}; {takers[name]} does.")
    return asked


def complete_command(options):
    """`design-gans complete`."""
    import numpy as np
    from PIL import Image

    from keras_design_gans import plotting, sketches

    model, _ = open_generator(options.source)
    name = type(model).__name__
    if getattr(model, "source", None) != "sketch":
        raise ValueError(f"A {name} takes no sketches; a ContextualGAN, for example, does.")
    search = {"steps": options.steps, "candidates": options.candidates}
    search = {key: value for key, value in search.items() if value is not None}
    if search and not hasattr(model, "complete"):
        raise ValueError(
            f"{name} takes no --{' or --'.join(search)}: only a ContextualGAN searches."
        )
    names = [path.stem for path in options.sketches]
    if len(set(names)) < len(names):
        raise ValueError("Each sketch needs a name of its own, as its result is called like it.")
    drawings = np.stack(
        [sketches.read_drawing(path, model.image_shape[0]) for path in options.sketches]
    )
    made = model.translate(drawings, seed=options.seed, **search)
    pairs = np.concatenate([np.repeat(drawings, made.shape[-1], axis=-1), made], axis=2)
    options.out.mkdir(parents=True, exist_ok=True)
    for stem, pair in zip(names, plotting.to_uint8(pairs), strict=True):
        Image.fromarray(pair).save(options.out / f"{stem}.png")
    plotting.save_grid(pairs, options.out / "grid.png", columns=1)
    print(f"{len(pairs)} sketches with their pictures, and grid.png, in {options.out}")


def score_command(options):
    """`design-gans score`."""
    from keras_design_gans import training

    model, description = open_generator(options.source)
    scores = training.score(model, training.recipe_from(description))
    if scores is None:
        raise ValueError(
            "There are no scores: the data of this model has no labels, or the training stopped "
            "before the last stage."
        )
    print_scores(scores)


def export_command(options):
    """`design-gans export`."""
    from keras_design_gans import export

    model, _ = open_generator(options.source)
    name = Path(options.source).resolve().name
    out = options.out or Path(name + export.FORMATS[options.format])
    for path in export.export(model, out, options.format):
        size = f"  {path.stat().st_size / 1e6:.1f} MB" if path.is_file() else ""
        print(f"{path}{size}")


def list_command(options):
    """`design-gans list`."""
    from keras_design_gans import datasets, presets, recipes

    print("models (design-gans train MODEL):", ", ".join(recipes.MAIN))
    print("presets (design-gans train --preset NAME, design-gans generate NAME):")
    for name, recipe in recipes.RECIPES.items():
        state = "" if name in presets.names() else "  (recipe only)"
        size = f"{recipe.image_size} px"
        print(f"  {name:28} {recipe.model:10} {recipe.data} {size}, {recipe.steps} steps{state}")
    print("data sets (--data NAME):", ", ".join(datasets.names()))


def study_create_command(options):
    """`design-gans study create`."""
    from keras_design_gans import studies

    studies.create(
        options.study,
        options.folders,
        options.questions,
        options.reference,
        options.title,
        options.per_rater,
    )
    items = studies.Study(options.study).items()
    print(f"{options.study}: {len(items)} items. Show it: design-gans study serve {options.study}")


def study_serve_command(options):
    """`design-gans study serve`."""
    from keras_design_gans import studies

    studies.serve(options.study, options.host, options.port)


def study_results_command(options):
    """`design-gans study results`."""
    import csv

    from keras_design_gans import studies

    study = studies.Study(options.study)
    summary = studies.results(study)
    print(f"{summary['raters']} raters, {summary['answers']} answered items; 95 % intervals")
    for question in study.questions:
        print_question(question, summary["questions"][question.key])
    if options.out:
        answers = study.answers()
        with open(options.out, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(answers[0]))
            writer.writeheader()
            writer.writerows(answers)
        print(options.out)


def print_question(question, summary):
    """Prints what `studies.results` says of one question."""
    meaning = {"rating": "1 to 5", "human": "share of human", "choice": "share of choices"}
    print(f"\n{question.key}: {question.en} ({meaning[summary['kind']]})")
    for method, found in summary["methods"].items():
        interval = "" if found["low"] is None else f"{found['low']:.2f} to {found['high']:.2f}"
        print(f"  {method:28} {found['value']:5.2f}  {interval:14} {found['answers']:6} answers")
    scores = {"Krippendorff's alpha": summary["alpha"], "Fleiss' kappa": summary["kappa"]}
    known = [f"{name} {value:.2f}" for name, value in scores.items() if value is not None]
    print(f"  agreement: {', '.join(known) or 'needs two raters, and answers that differ'}")


def study_export_command(options):
    """`design-gans study export`."""
    from keras_design_gans import studies

    print(*studies.export(options.study, options.out, options.url), sep="\n")


def study_close_command(options):
    """`design-gans study close`."""
    from keras_design_gans import studies

    studies.Study(options.study).close()
    print(f"{options.study} is closed; design-gans study results {options.study} sums it up.")


def open_generator(source):
    """Loads the model of a run folder or of a preset, and what is known of it."""
    from keras_design_gans import presets, training

    if (Path(source) / "preset").is_dir():
        source = Path(source) / "preset"
    model = presets.load(source)
    if not training.makes_pictures(model):
        raise ValueError(f"{source} holds a {type(model).__name__}, which makes no pictures.")
    return model, presets.metadata(source)


def print_scores(scores):
    """Prints scores of generated pictures beside those of real ones, in groups of one kind.

    Args:
        scores: What `training.score` returns. Scores that are missing are left out.
    """
    if scores is None:
        return
    print(f"scores of {scores['pictures']} generated pictures and as many real test pictures")
    if "classifier" in scores:
        print(f"classifier: {scores['classifier']}")
    if accuracy := scores.get("classifier_accuracy"):
        shares = (f"{head} {share:.1%}" for head, share in accuracy.items())
        print(f"its accuracy on test pictures: {', '.join(shares)}")
    print(f"{'score':28} {'generated':>17} {'real':>18}   better")
    for kind, better in SCORES.items():
        for name in (name for name in scores if name.endswith(kind)):
            cells = [
                f"{scores[name][column]:9.4g} ± {scores[name][column + '_deviation']:<7.2g}"
                for column in ("generated", "test")
            ]
            print(f"{name:28} {'  '.join(cells)} {better}")


if __name__ == "__main__":
    sys.exit(main())
