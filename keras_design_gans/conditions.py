"""What pictures can be told to show: labels by name, by number, and as the input of a network."""

import numpy as np
from keras import ops

from keras_design_gans.batch import Labels, class_counts


class Conditions:
    """The labels that a model is told, side by side in one vector.

    A label with `n` classes is a one-hot vector of `n` numbers. One whose classes are `[False,
    True]` is a single number, 0 or 1.

    Args:
        classes: Dictionary from label key to its class names, or to their number; the
            `class_names` of a data set.

    Attributes:
        classes: What was given.
        counts: Dictionary from key to the number of classes.
        sizes: Dictionary from key to the length of its part of the vector.
        size: Length of the whole vector.
    """

    def __init__(self, classes):
        self.classes = dict(classes)
        self.counts = class_counts(classes)
        self.sizes = {
            key: 1 if self.names(key) == [False, True] else count
            for key, count in self.counts.items()
        }
        self.size = sum(self.sizes.values())

    @property
    def needs(self):
        """What a batch must hold."""
        return {key: Labels(count) for key, count in self.counts.items()}

    def names(self, key):
        """Returns the class names of a label as a list, empty if there is only their number."""
        given = self.classes[key]
        return [] if isinstance(given, int) else list(given)

    def part(self, key, numbers):
        """Turns class numbers (batch,) of one label into its part of the vector, float32."""
        if self.sizes[key] == 1:
            return ops.cast(ops.convert_to_tensor(numbers), "float32")[:, None]
        return ops.one_hot(numbers, self.counts[key], dtype="float32")

    def vector(self, numbers):
        """Turns class numbers into the input of the networks.

        Args:
            numbers: Dictionary from key to class numbers (batch,).

        Returns:
            float32 tensor (batch, size).
        """
        return ops.concatenate([self.part(key, numbers[key]) for key in self.classes], axis=-1)

    def split(self, vector):
        """Cuts a vector (batch, size) into the parts of the labels, a dictionary by key."""
        parts, start = {}, 0
        for key, size in self.sizes.items():
            parts[key] = vector[:, start : start + size]
            start += size
        return parts

    def check_keys(self, keys):
        """Raises `ValueError` unless all keys are labels of these conditions."""
        for key in keys:
            if key not in self.classes:
                raise ValueError(
                    f"There is no condition {key!r}. There are: {', '.join(self.classes)}."
                )

    def numbers(self, key, given, n):
        """Returns class numbers.

        Args:
            key: Label.
            given: The name or number of a class, or `n` of them.
            n: How many.

        Returns:
            int32 array (n,).

        Raises:
            ValueError: If the label or the class is unknown, or there are not `n` of them.
        """
        self.check_keys([key])
        names, count = self.names(key), self.counts[key]
        given = [given] * n if np.ndim(given) == 0 else list(given)
        if np.shape(given) != (n,):
            raise ValueError(
                f"Expected one {key!r}, or {n} of them for {n} pictures, got {np.shape(given)}."
            )
        by_label = {**{name: i for i, name in enumerate(names)}, **{i: i for i in range(count)}}
        unknown = [label for label in given if label not in by_label]
        if unknown:
            choice = f"one of {', '.join(map(str, names))}, or a number" if names else "a number"
            raise ValueError(f"{key!r} must be {choice} in 0..{count - 1}, got {unknown[0]!r}.")
        return np.array([by_label[label] for label in given], "int32")

    def drawn(self, n, seed=None, **given):
        """Returns class numbers for all labels, those that are left out drawn at random.

        Args:
            n: How many of each.
            seed: Integer; `None` draws anew each time.
            **given: For any label, as in `numbers`.

        Returns:
            Dictionary from key to an integer array (n,).

        Raises:
            ValueError: As `numbers`.
        """
        self.check_keys(given)
        found = {}
        for index, key in enumerate(self.classes):
            if key in given:
                found[key] = self.numbers(key, given[key], n)
            else:  # a stream for each, so that to choose one does not change the others
                generator = np.random.default_rng(None if seed is None else [seed, index])
                found[key] = generator.integers(self.counts[key], size=n)
        return found
