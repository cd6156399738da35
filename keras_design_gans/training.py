"""Runs a recipe: data, model, callbacks, checkpoints, and the files a run leaves behind."""

import csv
import dataclasses
import hashlib
import json
import math
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from keras_design_gans import __version__, callbacks, datasets, metrics, plotting, presets
from keras_design_gans.batch import check_first_batch
from keras_design_gans.datasets.cache import cache_folder, checksum
from keras_design_gans.engine import translates
from keras_design_gans.recipes import Recipe, classifier_adam

ROUND = 100  # steps between two checkpoints, frames of the animation, and points of the curves
SCORED = 2_000  # generated pictures, and real ones beside them
SEARCHED = 256  # the same, where each picture takes a search
CLASSIFIER_STEPS = 600  # of the classifier of own data: minutes on two cores


def open_data(data, image_size, batch_size, split="train", features=None):
    """Opens a data set by name, or a folder of pictures by path."""
    if data in datasets.names():
        return datasets.load(data, split, image_size, batch_size, features)
    if not Path(data).is_dir():
        datasets.load(data)  # raises the error that names the data sets
    return datasets.from_folder(data, split, image_size, batch_size, features)


def for_data(recipe, data):
    """Returns the recipe for other data: its heads learn the labels that the data has.

    Args:
        recipe: A `Recipe`.
        data: Name of a data set, or path of a folder of pictures.
    """
    if recipe.labels_for == "attributes":  # there is no other label that could take their place
        return dataclasses.replace(recipe, data=data)
    present = open_data(data, recipe.image_size, recipe.batch_size).class_names
    labels = tuple(key for key in recipe.labels if key in present) or tuple(present)
    # They belong to the data: without names of classes a model takes the first two, without
    # features it learns to see.
    bound = ("domains", "feature_extractor")
    arguments = {key: value for key, value in recipe.arguments.items() if key not in bound}
    return dataclasses.replace(
        recipe, data=data, labels=labels if recipe.labels else (), arguments=arguments
    )


def run(recipe, out, minutes=None, resume=False):
    """Trains a recipe until its last step, or until the time is over.

    A run that was stopped goes on with `resume=True` to the same result as one without a stop:
    weights, optimizers, seeds and the order of the data are taken up where they were.

    Args:
        recipe: The `Recipe`; to go on with a run, that of `read_run`, with more steps if you like.
            A rate that has fallen to 0 stays there.
        out: Run folder. It will hold `checkpoint.keras` and `run.json` from the first round on, and
            `samples.png`, `training.gif`, `curves.png`, `history.csv` and `model.keras`.
        minutes: Time limit of the training; `None` for none.
        resume: Go on with the training in `out`.

    Returns:
        The model and the number of steps it has behind it.

    Raises:
        ValueError: If the data does not fit the model, or there is nothing to resume.
    """
    out = Path(out)
    deadline = math.inf if minutes is None else time.monotonic() + 60 * minutes
    done = read_run(out)[1] if resume else 0
    labels = ("image", *recipe.labels)
    dataset = open_data(recipe.data, recipe.image_size, recipe.batch_size, features=labels)
    if resume:
        known = {recipe.model: recipe.model_class}  # Keras finds only classes that were imported
        model = keras.models.load_model(out / "checkpoint.keras", custom_objects=known)
    else:
        model = recipe.build(dataset)
        shutil.rmtree(out / "frames", ignore_errors=True)
    stages = stages_of(model)
    if recipe.steps < stages * ROUND and stages > 1:
        raise ValueError(
            f"{recipe.model} trains in {stages} stages of {ROUND} steps or more: pass at least "
            f"--steps {stages * ROUND}, got {recipe.steps}."
        )
    if set(model.needs) - set(dataset.features):  # drawn or read only for models that need them
        dataset = open_for(model, recipe, recipe.batch_size)
    check_first_batch(dataset, model.needs)
    out.mkdir(parents=True, exist_ok=True)
    while done < recipe.steps:
        if done == stage_end(recipe, model):
            model = recipe.next_stage(model)
        _fit(model, recipe, dataset, out, done, (deadline - time.monotonic()) / 60)
        _, done = read_run(out)
        if done < stage_end(recipe, model) or time.monotonic() > deadline:
            break
    model.save(out / "model.keras")
    curves = plotting.plot_history(read_history(out / "history.csv"), steps_per_epoch=ROUND)
    curves.savefig(out / "curves.png")
    if makes_pictures(model):
        plotting.save_grid(samples(model, recipe), out / "samples.png", 8, scale=2)
        animation = out / "frames" / "animation.gif"
        if animation.exists():  # not if there was nothing left to train
            animation.replace(out / "training.gif")
    return model, done


def open_labelled(recipe, split):
    """Opens the data with its labels, also those of the recipe that are made on request."""
    # Batches of one: a small test set need not fill a batch of the training.
    dataset = open_data(recipe.data, recipe.image_size, 1, split)
    # `attributes` are many answers of yes or no: no classes that exclude each other.
    if {*recipe.labels} <= {*dataset.features, "attributes"}:
        return dataset
    features = dict.fromkeys((*dataset.features, *recipe.labels))
    return open_data(recipe.data, recipe.image_size, 1, split, tuple(features))


def open_for(model, recipe, batch_size, split="train", features=None):
    """Opens the data with what a model needs: sentences as numbers, and joint pictures.

    Args:
        model: Any model.
        recipe: Its `Recipe`.
        batch_size: Pictures per batch.
        split: `"train"` or `"test"`.
        features: The keys of a batch; `None` means all that the model needs.
    """
    if hasattr(model, "made_from"):  # batches of another form than those of the data
        dataset = open_data(recipe.data, recipe.image_size, batch_size, split, model.made_from)
        return model.prepare(dataset)
    keys = tuple(model.needs) if features is None else tuple(features)
    if "joint" not in keys:
        return open_data(recipe.data, recipe.image_size, batch_size, split, keys)
    halves = open_data(recipe.data, recipe.image_size, batch_size, split, ("sketch", "image"))
    arrays = datasets.joint(halves).arrays
    return halves.with_columns({key: arrays[key] for key in keys}, {})


def stages_of(model):
    """Returns the number of stages that a model is trained in; `next_stage` leads through them."""
    return getattr(model, "stages", 1)


def in_last_stage(model):
    """Whether a model makes pictures of full size: `next_stage` leads no further."""
    return getattr(model, "stage", 1) == stages_of(model)


def stage_end(recipe, model):
    """Returns the step at which the stage that the model plays ends: a whole round but the last."""
    if in_last_stage(model):
        return recipe.steps
    return ROUND * round(recipe.steps * model.stage / model.stages / ROUND)


def _fit(model, recipe, dataset, out, done, minutes):
    """Trains the stage that the model plays, `done` steps of the recipe after its beginning."""
    end = stage_end(recipe, model)
    searches = hasattr(model, "complete")  # which takes long: pictures of noise are shown meanwhile
    pairs = translates(model) and not searches
    shown = {} if searches else conditions(model, recipe, 16 if pairs else 32)
    targets = truth(model, recipe, 16) if pairs else None
    watchers = [
        Progress(recipe.steps, end),
        History(out / "history.csv"),
        Checkpoint(recipe, out, end),
        callbacks.HealthCheck(conditions=shown),
        callbacks.TimeLimit(minutes),
    ]
    if makes_pictures(model):
        grid = callbacks.SampleGrid(out / "frames", 4, 8, conditions=shown, targets=targets)
        watchers.append(grid)
    model.fit(
        dataset.batches(start=done),
        steps_per_epoch=ROUND,
        initial_epoch=done // ROUND,
        epochs=-(-end // ROUND),
        callbacks=watchers,
        shuffle=False,
        verbose=0,
    )


def conditions(model, recipe, n):
    """Returns what `model.generate` or `model.translate` takes beside the seed, for `n` pictures.

    Args:
        model: Any model.
        recipe: Its `Recipe`.
        n: Number of pictures.

    Returns:
        Dictionary of arguments: for a model that translates, needs masks or is told what to draw,
        the sources, masks, labels, attributes or sentences of the first test pictures, from the
        beginning again where there are fewer than `n`; empty for all others. A model that changes
        labels is asked to give each picture those of the next one.
    """
    if translates(model) and not hasattr(model, "source"):
        first = _first_tests(model, recipe, model.needs, n)
        changes = {key: np.roll(first[key], -1) for key in model.conditions}
        return {"images": first["image"], "changes": changes}
    if translates(model):
        arguments = {model.source: "images"}
    else:
        arguments = {key: key for key in getattr(model, "conditions", ())}
        if "mask" in model.needs:
            arguments["mask"] = "masks"
        if hasattr(model, "described_by"):
            arguments[model.described_by] = model.described_by
    first = _first_tests(model, recipe, arguments, n) if arguments else {}
    return {argument: first[key] for key, argument in arguments.items()}


def truth(model, recipe, n):
    """Returns the pictures that a model with `translate` should make of `conditions`.

    `None` if it is not known: of models that make pictures of noise, or learn without pairs.
    """
    if not (translates(model) and hasattr(model, "target")):
        return None
    return _first_tests(model, recipe, (model.source, model.target), n)[model.target]


def _first_tests(model, recipe, features, n):
    test = open_for(model, recipe, 1, "test", features)
    first = test.take(min(n, test.num_examples))
    return {key: values[np.arange(n) % len(values)] for key, values in first.items()}


def makes_pictures(model):
    """Whether a model makes pictures, from noise or from other pictures."""
    return hasattr(model, "generate") or hasattr(model, "translate")


def make_pictures(model, recipe, n, seed, changes=None):
    """Returns `n` pictures of a model, of test sources or masks if it needs them.

    Args:
        model: Any model that makes pictures.
        recipe: Its `Recipe`.
        n: Number of pictures.
        seed: Seed of the noise.
        changes: For a model that changes labels, which ones it shall give all pictures; `None`
            gives each those of the next one.
    """
    given = conditions(model, recipe, n)
    if changes and "changes" in given:
        given["changes"] = changes
    if translates(model):
        return model.translate(seed=seed, **given)
    return model.generate(n, seed=seed, **given)


def samples(model, recipe):
    """Returns 64 pictures; of a model with `translate` 24, below their sources.

    Below them come the pictures that they should be, where these are known.
    """
    if not translates(model):
        return make_pictures(model, recipe, 64, recipe.seed)
    sources = conditions(model, recipe, 24)["images"]
    made = make_pictures(model, recipe, 24, recipe.seed)
    targets = truth(model, recipe, 24)
    return plotting.beside(8, sources, made, targets)


def read_history(path):
    """Returns the columns of a `history.csv` as lists of floats, without the epoch numbers.

    What was not logged in an epoch, such as the losses of another stage, is NaN.
    """
    rows = read_rows(path)
    logged = [name for name in rows[0] if name != "epoch"]
    return {
        name: [math.nan if row[name] == "NA" else float(row[name]) for row in rows]
        for name in logged
    }


def read_rows(path):
    """Returns the rows of a CSV file with a header as dictionaries of strings."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def read_run(out):
    """Returns the recipe of a run folder and the steps it has behind it.

    Raises:
        ValueError: If the folder holds no run.
    """
    path = Path(out) / "run.json"
    if not path.is_file():
        raise ValueError(f"{out} holds no training to go on with: {path.name} is missing.")
    content = json.loads(path.read_text())
    return recipe_from(content), content["steps"]


def recipe_from(metadata):
    """Returns the `Recipe` that a run or preset has written down.

    Raises:
        ValueError: If there is none, as in a preset that was saved without one.
    """
    if "recipe" not in metadata:
        raise ValueError(
            "This model has no recipe in its metadata.json, which says what data it belongs to. "
            "Models of `design-gans train` have one."
        )
    recipe = {**metadata["recipe"], "labels": tuple(metadata["recipe"]["labels"])}
    recipe.pop("stages", None)  # of earlier recipes; now the model knows them
    return Recipe(**recipe)


def score(model, recipe):
    """Scores a generator against the data it was trained on.

    Args:
        model: A model with `generate` or `translate`.
        recipe: Its `Recipe`.

    Returns:
        Dictionary of `kdg.metrics.design_scores`, with the number of `pictures`, the origin of the
        `classifier`, and `classifier_accuracy`, a dictionary from head to the share of test
        pictures named correctly, from 0 to 1. For a model with `translate` also
        `kdg.metrics.likeness_scores`, if the true pictures are known, which are all there is if the
        data has no labels to train a classifier on; for other models `None` then. For a model that
        is told labels, or what a picture with labels shows, also `<label>_attribute_error`, see
        `kdg.metrics.attribute_scores`. `None` also before the last stage of a model, whose pictures
        may be smaller than those of the data.
    """
    if not in_last_stage(model):
        return None
    test = open_labelled(recipe, "test")
    n = min(SEARCHED if hasattr(model, "complete") else SCORED, test.num_examples)
    targets = truth(model, recipe, n)
    if not test.class_names and targets is None:
        return None
    generated = make_pictures(model, recipe, n, seed=1)
    scores = {"pictures": n}
    if targets is not None:
        scores |= metrics.likeness_scores(generated, targets)
    # The classifier knows the key "image", which a model may also translate from.
    if not test.class_names or (targets is not None and model.target != "image"):
        return scores
    train = open_labelled(recipe, "train")
    classifier, facts = classifier_for(recipe, train, test)
    train_images, test_images = train.arrays["image"][: 4 * SCORED], test.arrays["image"][:n]
    scores |= metrics.design_scores(classifier, generated, train_images, test_images)
    # Sentences and attributes are those of the first test pictures.
    asked = test.arrays if hasattr(model, "described_by") else conditions(model, recipe, n)
    asked = asked.get("changes", asked)
    wanted = {key: asked[key][:n] for key in facts["classifier_accuracy"] if key in asked}
    for key, numbers in wanted.items():
        real = test.arrays[key][:n]
        scores[f"{key}_attribute_error"] = metrics.attribute_scores(
            classifier, key, generated, numbers, test_images, real
        )
    return {**facts, **scores}


def classifier_for(recipe, train, test):
    """Returns the classifier that scores pictures of a data set.

    It is the shipped one, or one trained on the spot, which then lies in the cache of the data sets
    until the data changes.

    Args:
        recipe: `Recipe` of the generator; names the data and the size.
        train: Its training set.
        test: Its test set.

    Returns:
        `ResNet18`, and a dictionary with its origin, `classifier`, and its accuracy on the test set
        by head, `classifier_accuracy`.
    """
    name = f"resnet18_{recipe.data}_{recipe.image_size}"
    origin = f"preset {name}"
    if name not in presets.names():
        name = _own_classifier(recipe, train, test)
        origin = f"a ResNet-18 trained for {CLASSIFIER_STEPS} steps on the labels"
    known = presets.metadata(name)["scores"]
    heads = [key for key in train.class_names if f"test_{key}_accuracy" in known]
    accuracy = {key: known[f"test_{key}_accuracy"] for key in heads}
    return presets.load(name), {"classifier": origin, "classifier_accuracy": accuracy}


def _own_classifier(recipe, train, test):
    """Returns the folder in the cache with a classifier of this data, training it if need be."""
    recipe = Recipe(
        "ResNet18",
        {"base_filters": 16},
        data=recipe.data,
        labels=tuple(train.class_names),
        image_size=recipe.image_size,
        batch_size=min(32, train.num_examples),
        optimizers={"optimizer": classifier_adam(CLASSIFIER_STEPS)},
        steps=CLASSIFIER_STEPS,
    )
    # The contents and not the path: models of one data set are scored by one classifier.
    contents = [checksum(array) for data in (train, test) for array in data.arrays.values()]
    identity = (__version__, recipe.steps, train.class_names, contents)
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:16]
    folder = cache_folder() / "classifiers" / f"{train.name}-{recipe.image_size}px-{digest}"
    if folder.is_dir():
        return folder
    print("Training a classifier on the labels of the data, once, for the scores.")
    classifier = recipe.build(train)
    labels = ("image", *recipe.labels)
    classifier.fit(
        open_data(recipe.data, recipe.image_size, recipe.batch_size, features=labels).batches(),
        steps_per_epoch=recipe.steps,
        shuffle=False,
        verbose=0,
        callbacks=[Progress(recipe.steps, recipe.steps)],
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        preset = Path(partial, "preset")
        presets.save(classifier, preset, {})
        scores = accuracies(preset, test)
        presets.write_json(preset / "metadata.json", describe(recipe, recipe.steps, scores))
        if not folder.is_dir():  # another process may have been faster
            preset.rename(folder)
    return folder


def accuracies(preset, test):
    """Returns the shares of test pictures that a classifier names correctly, by `test_*_accuracy`.

    Args:
        preset: Name or folder of the classifier. Not the model in memory, because saving rounds
            the weights, and the saved one will score.
        test: Test set with its labels.
    """
    pictures = test.take(min(SCORED, test.num_examples))
    answers = presets.load(preset).probabilities(pictures["image"])
    return {
        f"test_{key}_accuracy": float(np.mean(rows.argmax(axis=1) == pictures[key]))
        for key, rows in answers.items()
    }


def encoder_scores(model, recipe):
    """Returns the means of what an encoder logs on test pictures, by `test_*`.

    Of captions in several languages also `test_translation_accuracy`: how many of the sentences in
    the first one lie nearest (cosine) to the sentence of their own picture in the second one, among
    those of `SCORED` pictures at most.

    Args:
        model: A compiled `CharCNNRNN`.
        recipe: Its `Recipe`; in batches of its size a sentence has as many rivals as in training.
    """
    test = open_for(model, recipe, recipe.batch_size, "test")
    logs = model.evaluate(test, verbose=0, return_dict=True)
    scores = {f"test_{name}": float(value) for name, value in logs.items()}
    if len(model.captions) > 1:
        raw = open_data(recipe.data, recipe.image_size, 1, "test", ("image", *model.captions))
        first, second = (
            _unit(model.embed([sentences[0] for sentences in raw.captions[key][:SCORED]]))
            for key in model.captions[:2]
        )
        nearest = (first @ second.T).argmax(axis=1)
        scores["test_translation_accuracy"] = float((nearest == np.arange(len(first))).mean())
    return scores


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def describe(recipe, steps, scores=None):
    """Returns the metadata of a trained model: what, on which data, how long, where, how good."""
    return {
        "recipe": dataclasses.asdict(recipe),
        "steps": steps,
        "seed": recipe.seed,
        "policy": keras.config.dtype_policy().name,
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "scores": scores,
    }


class History(keras.callbacks.Callback):
    """Writes what each epoch logs to a CSV file, whose columns are those of all stages.

    `keras.callbacks.CSVLogger` puts the values of a stage that logs something else below the names
    of the first one.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        """Writes the file anew; what a stopped run logged beyond this epoch is left out."""
        rows = read_rows(self.path) if epoch and self.path.exists() else []
        rows = [row for row in rows if int(row["epoch"]) < epoch]
        rows.append({"epoch": epoch, **{name: float(value) for name, value in logs.items()}})
        names = dict.fromkeys(name for row in rows for name in row)
        with open(self.path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(names), restval="NA")
            writer.writeheader()
            writer.writerows(rows)


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole model and the step count after every round, until the step `end`."""

    def __init__(self, recipe, out, end):
        super().__init__()
        self.recipe = recipe
        self.out = out
        self.end = end

    def on_epoch_end(self, epoch, logs=None):
        """Saves beside the last checkpoint and then replaces it: a kill leaves one of the two."""
        self.model.save(self.out / "next.keras")
        (self.out / "next.keras").replace(self.out / "checkpoint.keras")
        steps = min((epoch + 1) * ROUND, self.end)
        content = {"recipe": dataclasses.asdict(self.recipe), "steps": steps}
        presets.write_json(self.out / "run.json", content)


class Progress(keras.callbacks.Callback):
    """One bar over the whole training, with the time it will still take; stops at step `end`."""

    def __init__(self, steps, end):
        super().__init__()
        self.steps = steps
        self.end = end

    def on_train_begin(self, logs=None):
        """Opens the bar."""
        self._bar = None

    def on_epoch_begin(self, epoch, logs=None):
        """Opens the bar, where the training begins or goes on."""
        if self._bar is None:
            seconds = 0.5 if sys.stderr.isatty() else 30  # few lines where the output is a file
            self._bar = tqdm(
                total=self.steps,
                initial=epoch * ROUND,
                unit="step",
                smoothing=0.05,
                mininterval=seconds,
            )

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar, and stops at the end, in the middle of a round if need be."""
        self._bar.update()
        if batch % 20 == 0:
            losses = {k: v for k, v in logs.items() if k in ("d_loss", "g_loss", "loss")}
            text = {name: f"{float(value):.2f}" for name, value in losses.items()}
            self._bar.set_postfix(text, refresh=False)
        if self._bar.n >= self.end:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Closes the bar."""
        if self._bar is not None:
            self._bar.close()
