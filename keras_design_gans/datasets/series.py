"""An endless series of drawn things: labels that are balanced, and pictures of a scene."""

from keras_design_gans.datasets.scene import KINDS


class Series:
    """What all drawn sets share. A subclass has `scene(index, seed)`, with `labels` and `render`.

    Thing `n` usually has the same labels in all series: the first kind changes from one to the
    next, the second one after all classes of the first, so that things in a row are balanced.

    Args:
        class_names: dictionary from the kind of label to the names of its classes.

    Attributes:
        kinds: what `render` draws.
    """

    kinds = KINDS

    def __init__(self, class_names):
        self.class_names = class_names
        self.features = (*self.kinds, *class_names)

    def draw(self, index, seed=0, image_size=64, features=None):
        """One example of the data set.

        Args:
            index: which thing, 0 or more.
            seed: which endless series.
            image_size: side of the pictures in pixels.
            features: the names wanted, of `self.features`; `None` means all. Only these are
                rendered.

        Returns:
            A dict with, as far as asked for, the uint8 arrays of `kinds`, usually `image` `(size,
            size, 3)`, `mask` `(size, size, 1)` (255 on the thing; compare with 127) and `sketch`
            `(size, size, 1)` (dark lines on white), and the ints of the labels.

        Raises:
            ValueError: for an unknown feature.
        """
        features = self.features if features is None else features
        unknown = [name for name in features if name not in self.features]
        if unknown:
            raise ValueError(f"Unknown features {unknown}. Choose from {', '.join(self.features)}.")
        drawing = self.scene(index, seed)
        return {
            name: drawing.render(name, image_size) if name in self.kinds else drawing.labels[name]
            for name in features
        }

    def labels(self, index, seed, **asked):
        """The class numbers of one thing.

        Args:
            index: which thing, 0 or more.
            seed: which endless series, 0 or more.
            **asked: for each kind of label a name to use instead of the usual one, or `None`.

        Returns:
            Dictionary from the kind of label to an int.

        Raises:
            ValueError: for an unknown kind or name, or a negative index or seed.
        """
        if index < 0 or seed < 0:
            raise ValueError(f"`index` and `seed` must be 0 or more. Received {index} and {seed}.")
        found = self._usual_labels(index, seed)
        for kind, name in asked.items():
            if kind not in self.class_names:
                known = ", ".join(self.class_names)
                raise ValueError(f"Unknown kind of label {kind!r}. Choose from {known}.")
            names = self.class_names[kind]
            if name is not None and name not in names:
                raise ValueError(f"Unknown {kind} {name!r}. Choose one of {', '.join(names)}.")
            if name is not None:
                found[kind] = names.index(name)
        return found

    def _usual_labels(self, index, seed):
        found = {}
        for kind, names in self.class_names.items():
            found[kind] = index % len(names)
            index //= len(names)
        return found
