"""From a trained generator to files that run without Keras: ONNX, SavedModel, LiteRT.

An ONNX file comes with a small JSON beside it, which says how long the noise is, and which
attributes the network can be told. The page "Character factory" of the docs site runs the two.
"""

import warnings
from pathlib import Path

import keras
import numpy as np

from keras_design_gans import presets

FORMATS = {"onnx": ".onnx", "saved_model": "", "litert": ".tflite"}  # and the ending of their files
OPSET = {"tensorflow": 15, "torch": 18, "jax": 21}  # old enough for onnxruntime of 2024
SMALL = 1_000  # numbers; below this, 16-bit storage saves nothing


def export(model, path, format="onnx", name=None):
    """Writes the network of a model that makes the pictures.

    Args:
        model: A model of this package, such as `presets.load(...)`.
        path: File to write; a folder for `"saved_model"`.
        format: `"onnx"`, `"saved_model"` or `"litert"`.
        name: What to call the model in the JSON; by default as the file.

    Returns:
        List of the written paths.

    Raises:
        ValueError: If the format is unknown, or the model has no network with fixed inputs.
        ImportError: If the format's converter is not installed.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}.")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    network = named_network(model)
    if format != "onnx":
        network.export(path, format={"saved_model": "tf_saved_model"}.get(format, format))
        return [path]
    opset = OPSET[keras.backend.backend()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converters' own, about their insides
        network.export(str(path), format="onnx", verbose=False, opset_version=opset)
    tidy(path, [tensor.name for tensor in network.inputs])
    if "noise" not in (tensor.name for tensor in network.inputs):
        return [path]
    beside = path.with_suffix(".json")
    presets.write_json(beside, describe(model, network, name or path.stem))
    return [path, beside]


def named_network(model):
    """Returns the network that makes the pictures, with inputs `noise` and `attributes`.

    Networks that take something else, such as a picture, keep the names of their inputs.
    """
    network = getattr(model, "sampler", None) or getattr(model, "generator", None)
    if not getattr(network, "inputs", None):
        raise ValueError(f"A {type(model).__name__} has no single network that can be exported.")
    known = attributes(model)
    shapes = [(getattr(model, "latent_dim", None),), (sum(len(each["names"]) for each in known),)]
    names = [tensor.name for tensor in network.inputs]
    if [tensor.shape[1:] for tensor in network.inputs] == shapes[: 2 if known else 1]:
        names = ["noise", "attributes"][: len(names)]
    inputs = [
        keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for name, tensor in zip(names, network.inputs, strict=True)
    ]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    named = keras.Model(inputs, network(inputs))
    named(keras.tree.map_structure(lambda x: np.zeros((1, *x.shape[1:]), x.dtype), inputs))
    return named


def attributes(model):
    """Returns what a model can be told, in groups.

    Args:
        model: With `conditions`, as a `CGAN`, or with `attributes`: names such as
            `"hair_color: red"`, or without a group, such as `"smiling"`.

    Returns:
        List of dictionaries: `group`, `names`, and `optional` where none of them may be asked for.
        The names of all groups, one after the other, are the input `attributes` of the network.
    """
    from keras_design_gans.datasets import faces

    conditions = getattr(model, "conditions", {})
    if conditions:
        return [
            {
                "group": key,
                "names": [str(n) for n in (range(names) if isinstance(names, int) else names)],
            }
            for key, names in conditions.items()
        ]
    groups = {}
    for tag in getattr(model, "attributes", None) or ():
        group, _, name = tag.partition(": ")
        groups.setdefault(group, []).append(name or "yes")
    return [
        {"group": group, "names": names, "optional": "none" in faces.CLASS_NAMES.get(group, "none")}
        for group, names in groups.items()
    ]


def describe(model, network, name):
    """Returns the content of the JSON beside an ONNX file, see the page of the factory."""
    return {
        "name": name,
        "latent_dim": model.latent_dim,
        "image_shape": list(network.output_shape[1:]),
        "attributes": attributes(model),
    }


def tidy(path, names):
    """Makes an ONNX file small and whole: one file, inputs with names, weights of 16 bits.

    Presets hold weights of 16 bits. Those that have not changed on the way are stored so again, and
    turned into float32 when the file is loaded: the same numbers in half the space.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    renamed = {
        node.name: name for node, name in zip(graph.input, names, strict=True) if node.name != name
    }
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    for node, name in zip(graph.input, names, strict=True):
        node.name = name
        node.type.tensor_type.shape.dim[0].dim_param = "batch"
    casts = []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < SMALL:
            continue
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        if np.array_equal(half.astype(np.float32), array):
            whole, stored = tensor.name, f"{tensor.name}.half"
            tensor.CopyFrom(numpy_helper.from_array(half, stored))
            casts.append(helper.make_node("Cast", [stored], [whole], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    external = path.with_name(path.name + ".data")
    onnx.save(model, path)  # with all weights inside
    external.unlink(missing_ok=True)
