"""Trained models in directories: networks, their configuration, and the recipe that made them.

A preset is a directory with `config.json` (the model), `model.weights.h5` (its networks) and
`metadata.json` (data, licence, scores, and the recipe with which `design-gans train --preset NAME`
repeats it). The presets of the package lie in `preset_files/`.
"""

import difflib
import importlib
import json
from pathlib import Path

import h5py
import keras
import numpy as np

PRESET_FILES = Path(__file__).parent / "preset_files"


def names():
    """Returns the names of the presets that come with the package, as a tuple."""
    return tuple(sorted(path.parent.name for path in PRESET_FILES.glob("*/config.json")))


def find(name_or_directory):
    """Returns the directory of a preset.

    Args:
        name_or_directory: A name from `names()`, or the path of a directory.

    Raises:
        ValueError: If there is no such preset; the message names the nearest ones.
    """
    for directory in (PRESET_FILES / str(name_or_directory), Path(name_or_directory)):
        if (directory / "config.json").is_file():
            return directory
    near = difflib.get_close_matches(str(name_or_directory), names())
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(
        f"There is no preset {str(name_or_directory)!r}, and no directory of this name with a "
        f"config.json.{hint} The presets are: {', '.join(names())}."
    )


def metadata(name_or_directory):
    """Returns the dictionary of `metadata.json`."""
    return json.loads((find(name_or_directory) / "metadata.json").read_text())


def load(name_or_directory):
    """Loads the model of a preset, ready to generate or to be compiled and trained further.

    Args:
        name_or_directory: A name from `names()`, or the path of a directory.

    Returns:
        The model.

    Raises:
        ValueError: If there is no such preset.
    """
    directory = find(name_or_directory)
    description = json.loads((directory / "config.json").read_text())
    importlib.import_module(description["module"])  # Keras finds classes that are registered
    model = keras.saving.deserialize_keras_object(description)
    model.load_weights(directory / "model.weights.h5")
    return model


def save(model, directory, metadata):
    """Writes a preset.

    An averaged generator takes the place of the trained one: a preset holds the network that makes
    the pictures, once.

    Args:
        model: A model of this package.
        directory: Where to write; made if need be.
        metadata: Dictionary for `metadata.json`.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    preset = _without_training_state(model)
    description = keras.saving.serialize_keras_object(preset)
    write_json(directory / "config.json", description)
    write_json(directory / "metadata.json", metadata)
    preset.save_weights(directory / "model.weights.h5")
    _shrink(directory / "model.weights.h5")


def _without_training_state(model):
    """Returns an uncompiled float32 copy; an averaged generator becomes its generator.

    Pools of pictures for the discriminators are left out.
    """
    config = {**model.get_config(), "dtype": "float32"}
    weights = model.weights
    if config.get("average_decay") is not None:
        config["average_decay"] = None
        pairs = zip(model.generator.weights, model.average_generator.weights, strict=True)
        averages = {id(weight): average for weight, average in pairs}
        replaced = {id(average) for average in averages.values()}
        weights = [averages.get(id(w), w) for w in weights if id(w) not in replaced]
    if config.get("pool_size"):
        config["pool_size"] = 0
        pooled = {id(w) for pool in (model.pool, model.inverse_pool) for w in pool.weights}
        weights = [w for w in weights if id(w) not in pooled]
    copy = type(model).from_config(config)
    copy.set_weights([keras.ops.convert_to_numpy(weight.value) for weight in weights])
    return copy


def write_json(path, value):
    """Writes a dictionary, readable for people."""
    path.write_text(json.dumps(value, indent=1) + "\n")


def _shrink(path):
    """Rewrites a weights file with 16-bit numbers of 8 significant bits, compressed.

    A float32 has 24 significant bits, more than pictures of 8 bits can show; the rounded numbers
    compress to less than half the size. Keras converts them back when it loads the file.
    """
    whole = path.with_suffix(".float32")
    path.rename(whole)
    with h5py.File(whole) as source, h5py.File(path, "w") as target:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                group = target.require_group(name)
                group.attrs.update(item.attrs)
                return
            value = item[()]
            if value.dtype == np.float32:
                half = value.astype(np.float16).view(np.uint16)
                value = ((half + 4) & 0xFFF8).view(np.float16)  # rounds the last 3 of 11 bits away
            packing = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
            target.create_dataset(name, data=value, **(packing if value.ndim else {}))

        source.visititems(copy)
        target.attrs.update(source.attrs)
    whole.unlink()
