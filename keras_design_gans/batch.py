"""What a model needs from a batch, checked before any weight moves."""

import dataclasses
import itertools
import math

import keras
import numpy as np
from keras import ops, tree


@dataclasses.dataclass(frozen=True)
class Images:
    """Pictures of one size: float32 of shape (batch, height, width, channels) in [-1, 1]."""

    shape: tuple
    dtype = "float32"

    def check_shape(self, key, value):
        """Raises `ValueError` unless `value` has this picture shape."""
        if tuple(value.shape[1:]) != tuple(self.shape):
            raise ValueError(
                f"{key!r} must have shape (batch, {', '.join(map(str, self.shape))}), got "
                f"{tuple(value.shape)}. Load the data at this size, or build the model with "
                f"image_shape=({', '.join(map(str, value.shape[1:3]))}, channels)."
            )

    def check_values(self, key, value):
        """Raises `ValueError` unless `value` is finite and in [-1, 1]."""
        low, high = float(value.min()), float(value.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{key!r} holds NaN or infinite values. Look for broken files.")
        if low < -1.001 or high > 1.001:
            raise ValueError(
                f"{key!r} must lie in [-1, 1], got values from {low:g} to {high:g}. "
                "For 8-bit pictures use images / 127.5 - 1."
            )


@dataclasses.dataclass(frozen=True)
class Labels:
    """Class numbers: integers of shape (batch,) in [0, classes)."""

    classes: int
    dtype = "int32"

    def check_shape(self, key, value):
        """Raises `ValueError` unless `value` is one integer per example."""
        if len(value.shape) != 1 or "int" not in keras.backend.standardize_dtype(value.dtype):
            raise ValueError(
                f"{key!r} must be integers of shape (batch,), got {value.dtype} of shape "
                f"{tuple(value.shape)}. One-hot labels become class numbers with argmax(axis=-1)."
            )

    def check_values(self, key, value):
        """Raises `ValueError` unless every label names a class."""
        low, high = int(value.min()), int(value.max())
        if low < 0 or high >= self.classes:
            raise ValueError(
                f"{key!r} must lie in 0..{self.classes - 1}, got labels from {low} to {high}. "
                f"Build the model with the number of classes of the data."
            )


@dataclasses.dataclass(frozen=True)
class AnyLabels:
    """What tells rows apart: integers of shape (batch,) or (batch, k), of whatever values."""

    dtype = "int32"

    def check_shape(self, key, value):
        """Raises `ValueError` unless `value` is a row of integers per example, or one."""
        if len(value.shape) not in (1, 2) or "int" not in str(value.dtype):
            raise ValueError(
                f"{key!r} must be integers of shape (batch,) or (batch, k), got {value.dtype} of "
                f"shape {tuple(value.shape)}."
            )

    def check_values(self, key, value):
        """Does nothing: all integers will do."""


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Descriptions: float32 of shape (batch, size)."""

    size: int
    dtype = "float32"

    def check_shape(self, key, value):
        """Raises `ValueError` unless `value` has `size` numbers per example."""
        if len(value.shape) != 2 or value.shape[1] != self.size:
            raise ValueError(
                f"{key!r} must have shape (batch, {self.size}), got {tuple(value.shape)}."
            )

    def check_values(self, key, value):
        """Raises `ValueError` unless `value` is finite."""
        if not np.isfinite(value).all():
            raise ValueError(f"{key!r} holds NaN or infinite values.")


@dataclasses.dataclass(frozen=True)
class Attributes(Vectors):
    """What a picture shows: zeros and ones of shape (batch, size), of any dtype."""

    def check_values(self, key, value):
        """Raises `ValueError` unless `value` holds zeros and ones."""
        if not np.isin(value, (0, 1)).all():
            raise ValueError(
                f"{key!r} must be zeros and ones, got values from {value.min():g} to "
                f"{value.max():g}. Attributes of -1 and 1 become them by (attributes + 1) / 2."
            )


@dataclasses.dataclass(frozen=True)
class Characters:
    """Sentences as `kdg.text.encode` makes them: integers (batch, length) in [0, kinds]."""

    length: int
    kinds: int
    dtype = "int32"

    def check_shape(self, key, value):
        """Raises `ValueError` unless `value` is a row of integers per example."""
        if tuple(value.shape[1:]) != (self.length,) or "int" not in str(value.dtype):
            raise ValueError(
                f"{key!r} must be integers of shape (batch, {self.length}), got {value.dtype} of "
                f"shape {tuple(value.shape)}. Sentences become numbers by kdg.text.encode, those "
                "of a data set by model.prepare(dataset)."
            )

    def check_values(self, key, value):
        """Raises `ValueError` unless every number is a character or 0."""
        low, high = int(value.min()), int(value.max())
        if low < 0 or high > self.kinds:
            raise ValueError(
                f"{key!r} must lie in 0..{self.kinds}, got numbers from {low} to {high}. "
                "Make them by kdg.text.encode."
            )


def class_counts(heads):
    """Returns the number of classes of each head, given that number or the class names."""
    return {key: c if isinstance(c, int) else len(c) for key, c in (heads or {}).items()}


def read_batch(data, needs):
    """Takes from a batch what a model needs, and checks the shapes.

    Args:
        data: What Keras passes to `train_step`: a dictionary, an array of images alone, or either
            of them as the first element of a tuple.
        needs: Dictionary from key to `Images`, `Labels`, ...

    Returns:
        Dictionary with the keys of `needs`.

    Raises:
        ValueError: If a key is missing or a shape does not fit.
    """
    if isinstance(data, (tuple, list)):
        data = data[0]
    if not isinstance(data, dict):
        data = {"image": data}
    missing = [key for key in needs if key not in data]
    if missing:
        hint = "Ask for it with load(..., features=...)."
        if "joint" in missing:
            hint = "Joint pictures are made by kdg.datasets.joint(dataset)."
        raise ValueError(
            f"The model needs {', '.join(map(repr, needs))} in every batch, but "
            f"{', '.join(map(repr, missing))} is missing. Keys present: "
            f"{', '.join(map(repr, data))}. {hint}"
        )
    for key, need in needs.items():
        need.check_shape(key, data[key])
    return {key: data[key] for key in needs}


def check_first_batch(x, needs):
    """Checks shapes and values of the data that `fit` was given, as far as it can be looked at.

    Arrays are checked whole; of a data set that can be read again, the first batch; one-shot
    generators not at all, since looking would use up their first batch.

    Args:
        x: The first argument of `fit`, `evaluate` or `train_on_batch`.
        needs: Dictionary from key to `Images`, `Labels`, ...

    Raises:
        ValueError: If the data is empty or does not fit the model.
    """
    if isinstance(x, keras.utils.PyDataset):
        if x.num_batches == 0:
            raise ValueError("The data set is empty: it has no full batch.")
        x = x[0]
    elif hasattr(x, "take") and hasattr(x, "element_spec"):  # tf.data.Dataset
        x = next(iter(x.take(1)), None)
    elif hasattr(x, "__next__"):
        return
    elif hasattr(x, "batch_sampler"):  # torch.utils.data.DataLoader
        x = next(iter(x), None)
    if x is None:
        raise ValueError("The data set is empty: it has no batch.")
    for key, value in read_batch(x, needs).items():
        if value.shape[0] == 0:
            raise ValueError(f"{key!r} is empty: it has no example.")
        needs[key].check_values(key, np.asarray(ops.convert_to_numpy(value)))


def for_fit(x):
    """Returns data in the form that `keras.Model.fit` shall get.

    On TensorFlow a generator becomes a `tf.data.Dataset` that does not tune itself. That of Keras
    does, in a thread that sleeps for up to as long as the training has taken, a minute at most, and
    `fit` cannot end before it wakes.

    Args:
        x: The first argument of `fit`.

    Returns:
        A `tf.data.Dataset` of the same batches for a generator on TensorFlow, else `x`.
    """
    if keras.backend.backend() != "tensorflow" or not hasattr(x, "__next__"):
        return x
    import tensorflow as tf

    first = next(x, None)
    if first is None:
        raise ValueError("The data set is empty: it has no batch.")
    first = tree.map_structure(np.asarray, first)
    signature = tree.map_structure(lambda a: tf.TensorSpec((None, *a.shape[1:]), a.dtype), first)
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = tf.data.Dataset.from_generator(
        lambda: itertools.chain([first], x), output_signature=signature
    )
    return batches.prefetch(1).with_options(options)
