"""Recipes run from the command line: files, stops, exact continuation, errors.

The battery trains every model on every backend; what a run does with models of several kinds is the
same on all, and tried on one.
"""

import csv
import dataclasses
import json
import types

import keras
import numpy as np
import pytest
from gan_test_case import run_in_new_process
from PIL import Image
from test_dcgan import tiny_images

from keras_design_gans import cli, models, plotting, presets, recipes, sketches, training

TINY = recipes.Recipe(
    "DesIGN",
    {"latent_dim": 8, "base_filters": 4, "creativity": "can_h", "average_decay": 0.9},
    data="",
    labels=("label",),
    image_size=16,
    batch_size=4,
    optimizers={"generator_optimizer": recipes.adam(1e-3)},
    steps=5,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of pictures, a cache of their own, and rounds of two steps."""
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(training, "ROUND", 2)
    for index, image in enumerate(plotting.to_uint8(tiny_images(16, 80))):
        path = tmp_path / "pictures" / ("coat", "dress")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def recipe(folder):
    return dataclasses.replace(TINY, data=str(folder))


def weights(model):
    return [keras.ops.convert_to_numpy(v.value) for v in model.variables]


@pytest.mark.one_backend
def test_a_run_leaves_its_files(recipe, tmp_path):
    out = tmp_path / "run"
    model, steps = training.run(recipe, out)
    assert steps == 5
    assert int(model.optimizer["generator"].iterations) == 5
    assert Image.open(out / "samples.png").size[0] == Image.open(out / "samples.png").size[1]
    assert Image.open(out / "training.gif").n_frames == 3
    assert (out / "curves.png").stat().st_size > 1000
    with open(out / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert np.isfinite(float(rows[-1]["d_loss"]))
    again = keras.models.load_model(out / "model.keras")
    np.testing.assert_array_equal(again.generate(2, seed=0), model.generate(2, seed=0))


@pytest.mark.one_backend
def test_a_stopped_run_goes_on_to_the_same_result(recipe, tmp_path):
    whole, _ = training.run(recipe, tmp_path / "whole")
    _, steps = training.run(recipe, tmp_path / "parts", minutes=0)
    assert steps == 2
    run_in_new_process(
        "from pathlib import Path\n"
        "from keras_design_gans import training\n"
        f"training.ROUND = {training.ROUND}\n"
        f"folder = Path({str(tmp_path / 'parts')!r})\n"
        "training.run(training.read_run(folder)[0], folder, resume=True)\n"
    )
    assert training.read_run(tmp_path / "parts")[1] == 5
    parts = keras.models.load_model(tmp_path / "parts" / "model.keras")
    assert all(map(np.array_equal, weights(whole), weights(parts)))
    histories = [training.read_history(tmp_path / n / "history.csv") for n in ("whole", "parts")]
    assert histories[0]["d_loss"] == histories[1]["d_loss"]
    again, steps = training.run(recipe, tmp_path / "parts", resume=True)  # nothing is left to do
    assert steps == 5
    assert all(map(np.array_equal, weights(whole), weights(again)))


@pytest.fixture
def two_stages(folder):
    arguments = {"latent_dim": 8, "base_filters": 4, "average_decay": 0.9}
    return dataclasses.replace(
        TINY, model="StackGAN", arguments=arguments, data=str(folder), image_size=64
    )


@pytest.mark.one_backend
def test_stages_are_trained_one_after_the_other(two_stages, tmp_path):
    model, steps = training.run(two_stages, tmp_path / "run")
    assert (steps, model.stage) == (5, 2)
    assert int(model.optimizer["generator"].iterations) == 3  # a round of two, and half a round
    frames = sorted((tmp_path / "run" / "frames").iterdir())
    sides = [Image.open(frame).width // 8 - 1 for frame in frames]  # without the gaps
    assert sides == [16, 64, 64]
    with Image.open(tmp_path / "run" / "training.gif") as animation:
        assert animation.size == Image.open(frames[-1]).size
    assert len(training.read_history(tmp_path / "run" / "history.csv")["d_loss"]) == 3


@pytest.mark.one_backend
def test_a_run_stopped_between_two_stages_goes_on_to_the_same_result(two_stages, tmp_path):
    whole, _ = training.run(two_stages, tmp_path / "whole")
    first, steps = training.run(two_stages, tmp_path / "parts", minutes=0)
    assert (steps, first.stage) == (2, 1)
    parts, steps = training.run(two_stages, tmp_path / "parts", resume=True)
    assert steps == 5
    assert all(map(np.array_equal, weights(whole), weights(parts)))


@pytest.mark.one_backend
def test_a_growing_model_stopped_in_every_stage_goes_on_to_the_same_result(folder, tmp_path):
    arguments = {"latent_dim": 4, "base_filters": 4, "average_decay": 0.9}
    recipe = dataclasses.replace(
        TINY,
        model="PGGAN",
        arguments=arguments,
        data=str(folder),
        labels=(),
        optimizers={},
        steps=13,
    )
    whole, _ = training.run(recipe, tmp_path / "whole")
    assert (whole.stage, whole.fade_steps, float(whole.alpha)) == (3, 2, 1.0)
    sides = [
        Image.open(frame).width // 8 - 1
        for frame in sorted((tmp_path / "whole" / "frames").iterdir())
    ]
    assert sides == [4, 4, 8, 8, 16, 16, 16]
    seen = []
    while not seen or seen[-1][1] < 13:
        model, steps = training.run(recipe, tmp_path / "parts", minutes=0, resume=bool(seen))
        seen.append((model.stage, steps))
    assert seen == [(1, 2), (1, 4), (2, 6), (2, 8), (3, 10), (3, 12), (3, 13)]
    assert all(map(np.array_equal, weights(whole), weights(model)))


def test_there_are_no_scores_before_the_last_stage(recipe):
    model = models.PGGAN((16, 16, 3), latent_dim=4, base_filters=4)
    assert training.score(model, recipe) is None


def test_recipes_of_earlier_versions_name_stages():
    content = dataclasses.asdict(TINY)
    assert training.recipe_from({"recipe": {**content, "stages": 2}}) == TINY


def test_too_few_steps_for_two_stages(two_stages, tmp_path):
    with pytest.raises(ValueError, match="at least --steps 4, got 3"):
        training.run(dataclasses.replace(two_stages, steps=3), tmp_path / "run")


def test_recipes_survive_json():
    for recipe in recipes.RECIPES.values():
        content = json.loads(json.dumps(dataclasses.asdict(recipe)))
        assert training.recipe_from({"recipe": content}) == recipe


def test_a_recipe_with_a_schedule_survives_its_use():
    recipe = dataclasses.replace(
        TINY, optimizers={"generator_optimizer": recipes.classifier_adam(10)}
    )
    before = json.dumps(dataclasses.asdict(recipe))
    model = recipe.compile(models.DCGAN((16, 16, 3), base_filters=4))
    assert float(model.optimizer["generator"].learning_rate) == pytest.approx(1e-3)
    assert json.dumps(dataclasses.asdict(recipe)) == before


def test_rates_fall_within_any_number_of_steps():
    recipe = dataclasses.replace(TINY, steps=10, optimizers={"optimizer": {**recipes.adam(1e-3)}})
    assert recipe.lasting(30) == dataclasses.replace(recipe, steps=30)
    rate = recipes.adam(recipes.falling(1e-3, 10, after=10))  # one for both players
    optimizers = {"generator_optimizer": rate, "discriminator_optimizer": rate}
    longer = dataclasses.replace(recipe, optimizers=optimizers).lasting(30)  # two updates in each
    model = longer.compile(models.DCGAN((16, 16, 3), base_filters=4))
    for player in model.players:
        rate = model.optimizer[player]._learning_rate
        rates = [float(rate(step)) for step in (0, 15, 30, 45, 60, 70)]
        np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3, 5e-4, 0, 0], atol=1e-9)


def test_recipes_last_as_long_as_they_do():
    for recipe in recipes.RECIPES.values():
        assert recipe.lasting(recipe.steps) == recipe


def test_heads_follow_the_labels_of_the_data(folder):
    recipe = dataclasses.replace(TINY, labels=("shape", "label"))
    assert training.for_data(recipe, str(folder)).labels == ("label",)
    recipe = dataclasses.replace(TINY, labels=("shape", "texture"))
    assert training.for_data(recipe, str(folder)).labels == ("label",)
    assert training.for_data(dataclasses.replace(TINY, labels=()), str(folder)).labels == ()
    recipe = dataclasses.replace(recipe, arguments={"domains": ["black", "blond"], "patch": 16})
    assert training.for_data(recipe, str(folder)).arguments == {"patch": 16}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "desing"], "Did you mean design"),
        (["train"], "Name a model"),
        (["train", "design", "--data", "no-such-set"], "Unknown data set"),
        (["train", "design", "--data", "{empty}"], "no image|No image|no picture|found"),
        (["train", "design", "--out", "{full}"], "not empty"),
        (["train", "design", "--resume", "--out", "{empty}"], "no training to go on with"),
        (["generate", "nothing-here"], "no preset"),
        (["score", "nothing-here"], "no preset"),
        (["generate", "resnet18_garments_64"], "makes no pictures"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    places = {"empty": tmp_path / "empty", "full": tmp_path / "full"}
    assert cli.main([argument.format(**places) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("design-gans: ")
    assert any(part in error for part in message.split("|"))
    assert "Traceback" not in error


@pytest.mark.one_backend
def test_a_classifier_is_trained_and_tested_by_its_recipe(folder, tmp_path, capsys):
    recipe = dataclasses.replace(
        TINY,
        model="ResNet18",
        arguments={"base_filters": 4},
        data=str(folder),
        optimizers={"optimizer": recipes.classifier_adam(5)},
    )
    known, out = tmp_path / "known", tmp_path / "run"
    known.mkdir()
    presets.write_json(known / "config.json", {})
    presets.write_json(known / "metadata.json", training.describe(recipe, 0))
    assert cli.main(["train", "--preset", str(known), "--out", str(out)]) == 0
    accuracy = presets.metadata(out / "preset")["scores"]["test_label_accuracy"]
    assert f"test_label_accuracy {accuracy:.1%}" in capsys.readouterr().out
    test = training.open_data(recipe.data, 16, 1, "test")
    pictures = test.take(test.num_examples)
    answers = presets.load(out / "preset").probabilities(pictures["image"])["label"]
    assert accuracy == np.mean(answers.argmax(axis=1) == pictures["label"])


def test_list_names_presets_models_and_data(capsys):
    assert cli.main(["list"]) == 0
    text = capsys.readouterr().out
    for name in (*recipes.RECIPES, *recipes.MAIN, "garments", "fashion_mnist"):
        assert name in text


@pytest.mark.one_backend
def test_generate_from_a_run(recipe, tmp_path, capsys):
    model, steps = training.run(recipe, tmp_path / "run")
    presets.save(model, tmp_path / "run" / "preset", training.describe(recipe, steps, None))
    model = presets.load(tmp_path / "run" / "preset")
    out = tmp_path / "generated"
    assert cli.main(["generate", str(tmp_path / "run"), "--number", "3", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "0000.png",
        "0001.png",
        "0002.png",
        "grid.png",
    ]
    found = np.asarray(Image.open(out / "0002.png"))
    np.testing.assert_array_equal(found, plotting.to_uint8(model.generate(3, seed=0))[2])


@pytest.fixture
def masked(folder):
    """The same pictures with labels and masks: white squares of two sizes."""
    lines = ["file_name,label,mask_file_name"]
    for path in sorted(folder.glob("*/*.png")):
        side = 4 if path.parent.name == "coat" else 8
        mask = Image.new("L", (16, 16))
        mask.paste(255, (4, 4, 4 + side, 4 + side))
        mask.save(folder / f"mask_{path.name}")
        name = path.relative_to(folder)
        lines.append(f"{name},{path.parent.name},mask_{path.name}")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


@pytest.mark.one_backend
def test_a_model_that_needs_masks_gets_them(masked, tmp_path, capsys):
    recipe = dataclasses.replace(TINY, model="MaskStyleGAN", data=str(masked))
    out = tmp_path / "run"
    training.run(recipe, out, minutes=0)
    model, steps = training.run(recipe, out, resume=True)
    assert steps == 5
    assert np.isfinite(training.read_history(out / "history.csv")["reconstruction_loss"]).all()
    masks = training.conditions(model, recipe, 20)["masks"]
    assert masks.shape == (20, 16, 16, 1)
    own = training.open_data(str(masked), 16, 1, "test", ("mask",)).arrays["mask"]
    assert len(own) < 20  # fewer test pictures than asked for: they come again
    np.testing.assert_array_equal(masks[len(own)], own[0] / 127.5 - 1)

    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    assert cli.main(["generate", str(out), "--number", "20", "--out", str(tmp_path / "made")]) == 0
    found = np.asarray(Image.open(tmp_path / "made" / "0019.png"))
    made = presets.load(out / "preset").generate(20, seed=0, masks=masks)
    np.testing.assert_array_equal(found, plotting.to_uint8(made)[19])
    presets.write_json(out / "preset" / "metadata.json", {})
    assert cli.main(["generate", str(out), "--out", str(tmp_path / "made")]) == 2
    assert "no recipe" in capsys.readouterr().err


@pytest.mark.one_backend
def test_a_model_with_conditions_is_told_the_labels(recipe, tmp_path, capsys):
    arguments = {"latent_dim": 8, "base_filters": 4, "average_decay": 0.9}
    recipe = dataclasses.replace(recipe, model="CGAN", arguments=arguments, labels_for="conditions")
    out, made = tmp_path / "run", tmp_path / "made"
    model, steps = training.run(recipe, out)
    assert model.conditions == {"label": ["coat", "dress"]}
    test = training.open_data(recipe.data, 16, 1, "test")
    labels = training.conditions(model, recipe, 20)["label"]
    assert test.num_examples < 20  # fewer test pictures than asked for: they come again
    np.testing.assert_array_equal(labels, np.resize(test.arrays["label"], 20))

    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    model = presets.load(out / "preset")
    command = ["generate", str(out), "--number", "3", "--out", str(made)]
    for given, asked in (([], {}), (["label=dress"], {"label": 1}), (["label=0"], {"label": 0})):
        assert cli.main([*command, *(["--label", *given] if given else [])]) == 0
        found = np.asarray(Image.open(made / "0002.png"))
        expected = plotting.to_uint8(model.generate(3, seed=0, **asked))[2]
        np.testing.assert_array_equal(found, expected)
    for wrong, message in (
        ("label=shoe", "'label' must be one of coat, dress"),
        ("body=suv", "KEY of label: got body=suv"),
        ("dress", "KEY of label: got dress"),
    ):
        assert cli.main([*command, "--label", wrong]) == 2
        assert message in capsys.readouterr().err


def test_labels_are_for_models_with_conditions(capsys):
    assert cli.main(["generate", "dcgan_garments_64", "--label", "shape=coat"]) == 2
    assert "A DCGAN takes no --label" in capsys.readouterr().err


def test_a_model_with_conditions_needs_labels(recipe, tmp_path):
    recipe = dataclasses.replace(recipe, model="CGAN", labels=(), arguments={})
    with pytest.raises(ValueError, match="at least one condition"):
        training.run(recipe, tmp_path / "run")


@pytest.mark.one_backend
def test_a_model_that_translates_shows_sources_outputs_and_targets(
    masked, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 3)
    arguments = {"base_filters": 4, "patch": 16, "source": "mask"}
    recipe = dataclasses.replace(
        TINY, model="Pix2Pix", arguments=arguments, labels=(), optimizers={}, data=str(masked)
    )
    out = tmp_path / "run"
    training.run(recipe, out, minutes=0)
    model, steps = training.run(recipe, out, resume=True)
    assert steps == 5
    assert Image.open(out / "training.gif").n_frames == 3
    samples = np.asarray(Image.open(out / "samples.png"))[::2, ::2]  # it is enlarged twice
    assert samples.shape == (9 * 17 - 1, 8 * 17 - 1, 3)
    [masks] = training.conditions(model, recipe, 24).values()
    pictures = training.truth(model, recipe, 24)
    made = model.translate(masks, seed=recipe.seed)
    for row, images in ((0, masks[:8]), (1, made[:8]), (2, pictures[:8]), (3, masks[8:16])):
        for column in (0, 7):
            tile = samples[17 * row : 17 * row + 16, 17 * column : 17 * column + 16]
            np.testing.assert_array_equal(tile, plotting.to_uint8(images)[column])

    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    assert cli.main(["generate", str(out), "--number", "3", "--out", str(tmp_path / "made")]) == 0
    made = presets.load(out / "preset").translate(masks[:3], seed=0)
    found = np.asarray(Image.open(tmp_path / "made" / "0002.png"))
    np.testing.assert_array_equal(found, plotting.to_uint8(made)[2])

    scores = training.score(model, recipe)
    made = training.make_pictures(model, recipe, scores["pictures"], seed=1)
    pictures = training.truth(model, recipe, scores["pictures"])
    error = np.abs(made - pictures).mean()
    assert scores["mean_absolute_error"]["generated"] == pytest.approx(error, rel=1e-4)
    assert {"classifier", "frechet_distance", "ssim"} <= set(scores)
    cli.print_scores(scores)
    assert "ssim" in capsys.readouterr().out


@pytest.fixture
def drawn(folder):
    """The same pictures with labels and line drawings."""
    lines = ["file_name,label,sketch_file_name"]
    for path in sorted(folder.glob("*/*.png")):
        sketch = Image.open(path).convert("L").point(lambda tone: 255 * (tone > 90))
        sketch.save(folder / f"sketch_{path.name}")
        name = path.relative_to(folder)
        lines.append(f"{name},{path.parent.name},sketch_{path.name}")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("name", "arguments", "search"),
    [
        ("ContextualGAN", {"latent_dim": 8}, {"steps": 2, "candidates": 2}),
        ("ContextEncoder", {"code_dim": 8}, {}),
        ("Pix2Pix", {"patch": 16}, {}),
    ],
)
def test_sketches_are_completed(drawn, name, arguments, search, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 3)
    short = {"steps": 3, "candidates": 1}  # in place of the defaults
    complete = models.ContextualGAN.complete
    monkeypatch.setattr(
        models.ContextualGAN, "complete", lambda *a, **k: complete(*a, **{**short, **k})
    )
    arguments = {"base_filters": 4, **arguments}
    recipe = dataclasses.replace(
        TINY, model=name, arguments=arguments, labels=(), optimizers={}, data=str(drawn)
    )
    out = tmp_path / "run"
    model, steps = training.run(recipe, out)
    assert steps == 5
    assert Image.open(out / "training.gif").n_frames == 3
    assert Image.open(out / "samples.png").size == (2 * (8 * 17 - 1), 2 * (9 * 17 - 1))
    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    model = presets.load(out / "preset")
    if search:
        monkeypatch.setattr(training, "SEARCHED", 4)
        scores = training.score(model, recipe)
        assert {"frechet_distance", "ssim"} <= set(scores)
        assert scores["pictures"] == 4

    files = sorted(drawn.glob("sketch_*.png"))[:2]
    flags = [str(word) for key, value in search.items() for word in (f"--{key}", value)]
    made = tmp_path / "completed"
    command = ["complete", "--out", str(made), "--seed", "3", str(out), *map(str, files)]
    assert cli.main([*command, *flags]) == 0
    drawings = np.stack([sketches.read_drawing(file, 16) for file in files])
    expected = plotting.to_uint8(model.translate(drawings, seed=3, **search))
    for file, drawing, picture in zip(files, drawings, expected, strict=True):
        found = np.asarray(Image.open(made / file.name))
        np.testing.assert_array_equal(found[:, 16:], picture)
        np.testing.assert_array_equal(found[:, :16], plotting.to_uint8(drawing[None])[0])
    assert Image.open(made / "grid.png").size == (32, 34)

    capsys.readouterr()
    if not search:
        assert cli.main([*command, "--steps", "3"]) == 2
        assert "takes no --steps" in capsys.readouterr().err
    assert cli.main([*command, str(files[0])]) == 2
    assert "a name of its own" in capsys.readouterr().err
    assert cli.main([*command, str(tmp_path / "none.png")]) == 2
    assert "there is no such file" in capsys.readouterr().err


def test_only_some_models_complete(capsys):
    assert cli.main(["complete", "dcgan_garments_64", "sketch.png"]) == 2
    assert "A DCGAN takes no sketches" in capsys.readouterr().err


def test_data_without_sketches_is_named(recipe, tmp_path):
    arguments = {"base_filters": 4}
    recipe = dataclasses.replace(recipe, model="ContextEncoder", arguments=arguments, labels=())
    with pytest.raises(ValueError, match=r"has no .'sketch'.*make_sketches\.py"):
        training.run(recipe, tmp_path / "run")


@pytest.mark.one_backend
def test_likeness_needs_no_labels(masked, tmp_path, capsys):
    lines = (masked / "metadata.csv").read_text().splitlines()
    lines = [",".join(line.split(",")[::2]) for line in lines]  # without the column of labels
    (masked / "metadata.csv").write_text("\n".join(lines))
    recipe = dataclasses.replace(
        TINY,
        model="Pix2Pix",
        arguments={"base_filters": 2, "patch": 16, "source": "mask"},
        labels=(),
        optimizers={},
        data=str(masked),
    )
    model = recipe.build(training.open_data(recipe.data, 16, 4))
    scores = training.score(model, recipe)
    assert set(scores) == {"pictures", "mean_absolute_error", "ssim"}
    cli.print_scores(scores)
    assert "classifier" not in capsys.readouterr().out


def test_data_without_masks_is_named(recipe, tmp_path):
    recipe = dataclasses.replace(recipe, model="MaskStyleGAN")
    with pytest.raises(ValueError, match=r"has no .'mask'.*make_masks\.py"):
        training.run(recipe, tmp_path / "run")


@pytest.mark.one_backend
def test_own_data_is_scored_by_a_classifier_that_is_trained_once(
    recipe, folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 3)
    recipe = dataclasses.replace(recipe, batch_size=16)  # the test set is smaller than a batch
    model = recipe.build(training.open_data(recipe.data, 16, 16))
    first = training.score(model, recipe)
    assert "Training a classifier" in capsys.readouterr().out
    again = training.score(model, dataclasses.replace(recipe, batch_size=8, seed=1))
    assert "Training a classifier" not in capsys.readouterr().out
    assert again == first
    [cached] = (tmp_path / "cache" / "classifiers").iterdir()
    assert cached.name.startswith("pictures-16px-")
    accuracy = first["classifier_accuracy"]["label"]
    assert presets.metadata(cached)["scores"] == {"test_label_accuracy": accuracy}
    test = training.open_data(recipe.data, 16, 1, "test")
    assert first["pictures"] == test.num_examples
    images = test.take(test.num_examples)
    named = presets.load(cached).probabilities(images["image"])["label"].argmax(axis=1)
    assert accuracy == np.mean(named == images["label"])

    next(folder.rglob("*.png")).unlink()  # other data, another classifier
    training.score(model, recipe)
    assert "Training a classifier" in capsys.readouterr().out
    assert len(list((tmp_path / "cache" / "classifiers").iterdir())) == 2


def test_shipped_classifiers_come_with_their_accuracy():
    recipe = recipes.RECIPES["dcgan_garments_64"]
    heads = {"shape": range(7), "texture": range(7)}
    dataset = types.SimpleNamespace(class_names=heads)
    classifier, facts = training.classifier_for(recipe, dataset, dataset)
    assert classifier.classes == {"shape": 7, "texture": 7}
    assert facts["classifier"] == "preset resnet18_garments_64"
    assert facts["classifier_accuracy"]["shape"] > 0.9


def test_scores_are_printed_in_order(capsys):
    entry = {"generated": 4.25, "generated_deviation": 0.05, "test": 2.5, "test_deviation": 0.01}
    names = ["knn_distance", "shape_am_score", "texture_am_score", "frechet_distance"]
    scores = {"pictures": 2000, "classifier": "preset x", **dict.fromkeys(names, entry)}
    cli.print_scores(scores)  # as of earlier versions: some scores, no accuracy
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-4:]] == [
        "frechet_distance",
        "shape_am_score",
        "texture_am_score",
        "knn_distance",
    ]
    assert " ".join(lines[-4].split()) == "frechet_distance 4.25 ± 0.05 2.5 ± 0.01 lower"
    cli.print_scores({**scores, "classifier_accuracy": {"shape": 0.985, "texture": 0.9}})
    assert "accuracy on test pictures: shape 98.5%, texture 90.0%" in capsys.readouterr().out
    assert all(len(line) <= 100 for line in lines)
    cli.print_scores(None)
    assert capsys.readouterr().out == ""


def changing(folder, model, **arguments):
    """A recipe of a model that changes labels, or turns one class into the other."""
    return dataclasses.replace(
        TINY,
        model=model,
        arguments={"base_filters": 2, **arguments},
        labels_for="conditions",
        optimizers={},
        data=str(folder),
    )


@pytest.mark.one_backend
@pytest.mark.parametrize("name", ["StarGAN", "ModularGAN"])
def test_a_model_that_changes_labels_shows_sources_and_results(
    name, folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 3)
    recipe = changing(folder, name, blocks=1, discriminator_steps=2)
    out = tmp_path / "run"
    training.run(recipe, out, minutes=0)
    model, steps = training.run(recipe, out, resume=True)
    assert steps == 5
    given = training.conditions(model, recipe, 24)
    test = training.open_data(recipe.data, 16, 1, "test")
    labels = np.resize(test.arrays["label"], 24)
    np.testing.assert_array_equal(given["changes"]["label"], np.roll(labels, -1))
    assert training.truth(model, recipe, 24) is None
    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    model = presets.load(out / "preset")
    for label, wanted in (("dress", 1), (None, given["changes"]["label"][:3])):
        command = ["generate", str(out), "--number", "3", "--out", str(tmp_path / "made")]
        assert cli.main([*command, *(["--label", f"label={label}"] if label else [])]) == 0
        made = model.translate(given["images"][:3], {"label": wanted})
        found = np.asarray(Image.open(tmp_path / "made" / "0001.png"))
        np.testing.assert_array_equal(found, plotting.to_uint8(made)[1])
    scores = training.score(model, recipe)
    assert {"frechet_distance", "label_attribute_error"} <= set(scores)
    assert 0 <= scores["label_attribute_error"]["generated"] <= 1
    cli.print_scores(scores)
    assert "label_attribute_error" in capsys.readouterr().out


@pytest.mark.one_backend
def test_two_classes_are_turned_into_each_other(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "CLASSIFIER_STEPS", 3)
    domains = ["dress", "coat"]
    recipe = changing(folder, "CycleGAN", blocks=1, patch=16, pool_size=4, domains=domains)
    out = tmp_path / "run"
    training.run(recipe, out, minutes=0)
    model, steps = training.run(recipe, out, resume=True)
    assert steps == 5
    test = training.open_data(recipe.data, 16, 1, "test")
    dresses = test.arrays["image"][test.arrays["label"] == 1]
    given = training.conditions(model, recipe, 24)
    assert list(given) == ["images"]
    np.testing.assert_array_equal(given["images"][0], dresses[0] / np.float32(127.5) - 1)
    samples = np.asarray(Image.open(out / "samples.png"))
    assert samples.shape[0] > 5 * 2 * 16  # three rows of sources and three of results
    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    assert cli.main(["generate", str(out), "--number", "3", "--out", str(tmp_path / "made")]) == 0
    assert "frechet_distance" in training.score(model, recipe)


@pytest.mark.one_backend
def test_stages_that_end_with_translation(folder, tmp_path):
    recipe = dataclasses.replace(changing(folder, "IcGAN", latent_dim=4), steps=6)
    first, steps = training.run(recipe, tmp_path / "run", minutes=0)
    assert (first.stage, steps) == (1, 2)
    model, steps = training.run(recipe, tmp_path / "run", resume=True)
    assert (model.stage, steps) == (3, 6)
    history = training.read_history(tmp_path / "run" / "history.csv")
    for stage, name in enumerate(("d_loss", "z_loss", "y_loss")):
        known = [stage == row for row in range(3)]
        np.testing.assert_array_equal(np.isfinite(history[name]), known)
    assert set(training.conditions(first, recipe, 4)) == {"label"}
    assert set(training.conditions(model, recipe, 4)) == {"images", "changes"}


@pytest.mark.one_backend
def test_a_modular_model_that_makes_pictures_of_noise(folder, tmp_path):
    recipe = changing(folder, "ModularGAN", blocks=1, discriminator_steps=2, initial=["label"])
    model, steps = training.run(recipe, tmp_path / "run")
    assert steps == 5
    out = tmp_path / "run"
    presets.save(model, out / "preset", training.describe(recipe, steps, None))
    command = ["generate", str(out), "--number", "3", "--out", str(tmp_path / "made")]
    assert cli.main([*command, "--label", "label=dress"]) == 0
    made = presets.load(out / "preset").generate(3, seed=0, label="dress")
    found = np.asarray(Image.open(tmp_path / "made" / "0001.png"))
    np.testing.assert_array_equal(found, plotting.to_uint8(made)[1])
