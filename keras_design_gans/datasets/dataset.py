"""The batches that `fit` takes."""

import itertools
import warnings

import keras
import numpy as np

from keras_design_gans.datasets.cache import load_arrays


class Dataset(keras.utils.PyDataset):
    """Batches of a data set as dictionaries of NumPy arrays, for `fit` on every backend.

    Pictures (`"image"`, `"mask"`, `"sketch"`) are float32 in [-1, 1] of shape
    `(batch_size, image_size, image_size, channels)`; labels are int32 of shape `(batch_size,)`,
    and `"attributes"`, zeros and ones, `(batch_size, number of its class names)`. Captions are
    strings of shape `(batch_size,)`; where an example has several, each epoch brings the next one.
    `fit` takes numbers only: `kdg.text` turns captions into them.
    All batches are full: the examples left over at the end of an epoch are dropped.

    The order of the examples depends on `seed` and `epoch` only. The epoch goes up by itself when
    all batches were used, in `fit` or in a `for` loop. To go on with an earlier training, set
    `dataset.epoch` to the number of epochs it has behind it. `fit` shuffles the order of the
    batches once more, with Python's own generator, unless it is told `shuffle=False`.

    Args:
        arrays: dictionary of arrays with equal first dimension. uint8 arrays are pictures,
            float32 arrays are taken as they are, and all other keys are labels.
        name: name of the data set.
        split: `"train"` or `"test"`.
        batch_size: examples per batch.
        class_names: dictionary from label key to the tuple of its class names.
        shuffle: whether to change the order of the examples in each epoch.
        seed: int, seed of the order.
        file_names: list with the file of each example, or `None`.
        captions: dictionary from the key of a caption to a list with the tuple of sentences of
            each example, or with an array that has a row of numbers for each sentence.

    Attributes:
        arrays: the raw arrays, pictures as uint8.
        features: the keys of a batch.
        image_size: side of the pictures, in pixels.
        num_examples: number of examples.
        epoch: int, the epoch whose order the batches have now; can be set.

    Raises:
        ValueError: there are fewer examples than one batch.
    """

    def __init__(
        self,
        arrays,
        name,
        split="train",
        batch_size=64,
        class_names=None,
        shuffle=True,
        seed=0,
        file_names=None,
        captions=None,
    ):
        super().__init__()
        self.arrays = dict(arrays)
        self.name = name
        self.split = split
        self.batch_size = batch_size
        self.class_names = dict(class_names or {})
        self.shuffle = shuffle
        self.seed = seed
        self.file_names = file_names
        self.captions = dict(captions or {})
        columns = {**self.arrays, **self.captions}
        self.features = tuple(columns)
        self.num_examples = len(columns[self.features[0]])
        self.image_size = next((a.shape[1] for a in self.arrays.values() if a.ndim == 4), None)
        self.epoch = 0
        self._alike_by = None
        self._order_of_epoch = (None, None)
        self._in_epoch = False
        self._used = set()
        if not 1 <= batch_size <= self.num_examples:
            raise ValueError(
                f"`batch_size` must lie in 1 ... {self.num_examples}, the number of examples in "
                f"the {split} split of {name!r}. Received: batch_size={batch_size}"
            )

    def __len__(self):
        return self.num_examples // self.batch_size

    def __getitem__(self, index):
        """Returns batch `index` of the present epoch."""
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} was asked for; there are {len(self)} batches.")
        epoch = self.epoch
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        if self._alike_by and index % 2:
            rows = self._look_alikes(epoch, index)
        elif self.shuffle:
            rows = self._order(epoch)[rows]
        batch = self._rows(rows, epoch)
        if self._in_epoch:
            self._used.add(index)
        return batch

    def __iter__(self):
        self.on_epoch_begin()
        yield from super().__iter__()
        self.on_epoch_end()

    def batches(self, start=0):
        """Yields batches without end, epoch after epoch, from step `start` of a training on.

        Each one is a tuple of the dictionary alone, the form that `fit` takes from a generator.
        """
        for step in itertools.count(start):
            self.epoch, index = divmod(step, len(self))
            yield (self[index],)

    def take(self, n):
        """Returns the first `n` examples in unshuffled order, as one batch."""
        if not 0 <= n <= self.num_examples:
            raise ValueError(
                f"`n` must lie in 0 ... {self.num_examples}, the number of examples in the "
                f"{self.split} split of {self.name!r}. Received: n={n}"
            )
        return self._rows(slice(n), epoch=0)

    def where(self, **names):
        """Returns the examples whose labels are among some classes, with these classes only.

        ```python
        data.where(hair_color=("black", "blond"), mouth=("serious", "smile"))
        ```

        Args:
            **names: For each label key two or more of its class names; they become the classes 0,
                1, ... in this order.

        Returns:
            A `Dataset`. What it holds is copied to memory.

        Raises:
            ValueError: a label or class is unknown, or there are fewer examples than one batch.
        """
        chosen = np.ones(self.num_examples, bool)
        labels = {}
        for key, wanted in names.items():
            known = list(self.class_names.get(key, ()))
            unknown = [name for name in wanted if name not in known]
            if unknown or key not in self.arrays:
                raise ValueError(
                    f"`where` takes labels and their class names. Received: {key}={wanted}; the "
                    f"labels are {self.class_names}."
                )
            numbers = np.full(len(known), -1, np.int32)
            numbers[[known.index(name) for name in wanted]] = np.arange(len(wanted))
            labels[key] = numbers[np.asarray(self.arrays[key])]
            chosen &= labels[key] >= 0
        rows = np.flatnonzero(chosen)
        selected = self.select(rows)
        selected.arrays |= {key: numbers[rows] for key, numbers in labels.items()}
        selected.class_names |= {key: tuple(wanted) for key, wanted in names.items()}
        return selected

    def select(self, rows):
        """Returns some of the examples.

        Args:
            rows: their numbers, an array of integers.

        Returns:
            A `Dataset`. What it holds is copied to memory.

        Raises:
            ValueError: there are fewer examples than one batch.
        """
        return Dataset(
            {key: array[rows] for key, array in self.arrays.items()},
            self.name,
            self.split,
            self.batch_size,
            self.class_names,
            self.shuffle,
            self.seed,
            self.file_names and [self.file_names[row] for row in rows],
            {key: [column[row] for row in rows] for key, column in self.captions.items()},
        )

    def with_columns(self, arrays, captions):
        """Returns a data set of the same examples with other columns.

        Args:
            arrays: as in the constructor.
            captions: as in the constructor.
        """
        return Dataset(
            arrays,
            self.name,
            self.split,
            self.batch_size,
            self.class_names,
            self.shuffle,
            self.seed,
            self.file_names,
            captions,
        )

    def with_look_alikes(self, key):
        """Returns the same examples in batches of which every second one holds look-alikes.

        These are an example by lot and those whose labels agree with its own the most. In the other
        batches all is as before. What tells look-alikes apart has to be learnt, be it ever so
        small: models that learn from wrong pairs call them hard negatives. Call it last: what
        `select`, `where` and `with_columns` return has batches by lot again.

        Args:
            key: label key of shape (examples, k), such as `"attributes"`.

        Returns:
            A `Dataset`.

        Raises:
            ValueError: there is no such label, or it is one class number for each example.
        """
        if key not in self.arrays or self.arrays[key].ndim != 2:
            raise ValueError(
                "Look-alikes are found by a label with several numbers for each example, such as "
                f"'attributes'. Received: {key!r}; there are {', '.join(map(repr, self.arrays))}."
            )
        alike = self.with_columns(self.arrays, self.captions)
        alike._alike_by = key
        return alike

    # Keras calls `on_epoch_end` more often than an epoch ends: also before the first epoch of each
    # `fit`, after it has tried a batch to learn the shapes, and in the middle of a pass when
    # `steps_per_epoch` is less than `len(dataset)`. So an epoch is over when every batch was used.

    def on_epoch_begin(self):
        """Called by Keras before the first batch of an epoch."""
        self._in_epoch = True

    def on_epoch_end(self):
        """Called by Keras after the last batch of an epoch: moves on to the next order."""
        if len(self._used) == len(self):
            self.epoch += 1
            self._used = set()
            self._in_epoch = False

    def _order(self, epoch):
        known, order = self._order_of_epoch  # One read: Keras may ask from two threads.
        if known != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.num_examples)
            self._order_of_epoch = (epoch, order)
        return order

    def _look_alikes(self, epoch, index):
        rng = np.random.default_rng([self.seed, epoch, index])
        labels = self.arrays[self._alike_by]
        differences = (labels != labels[rng.integers(self.num_examples)]).sum(axis=1)
        lots = rng.random(self.num_examples)  # among equals
        return np.argsort(differences + lots)[: self.batch_size]

    def _rows(self, rows, epoch):
        batch = {feature: _scale(array[rows]) for feature, array in self.arrays.items()}
        numbers = np.arange(self.num_examples)[rows]
        for key, column in self.captions.items():
            # Neighbours begin with different ones: a data set may be a row of similar examples.
            chosen = [column[n][(n + epoch) % len(column[n])] for n in numbers]
            batch[key] = np.array(chosen)
        return batch


def _scale(values):
    """Maps uint8 pictures from 0 ... 255 to [-1, 1]; labels become int32, float32 stays."""
    if values.dtype == np.float32:
        return np.asarray(values)
    if values.dtype != np.uint8:
        return np.asarray(values, np.int32)
    values = np.divide(values, np.float32(127.5), dtype=np.float32)
    values -= 1
    return values


def open_dataset(source, image_size, batch_size, features, seed, shuffle):
    """Opens a `Source` as a `Dataset`, preparing it in the cache first where needed.

    Args:
        source: the `Source`.
        image_size: side of the square pictures, in pixels.
        batch_size: examples per batch.
        features: the keys of a batch; `None` means the image and all labels.
        seed: int, seed of the order.
        shuffle: whether to shuffle; `None` means all splits but the test split.

    Returns:
        A `Dataset`. One warning lists the examples that had to be left out, with the reasons.

    Raises:
        ValueError: an argument is out of range, or no example can be used.
    """
    if features is None:
        features = [feature for feature in source.features if feature not in source.on_request]
    known = (*source.features, *source.captions)
    if unknown := [feature for feature in features if feature not in known]:
        makers = {"mask": "make_masks.py makes masks", "sketch": "make_sketches.py makes drawings"}
        hint = "".join(
            f" data_scripts/{makers[key]} of photos." for key in unknown if key in makers
        )
        raise ValueError(
            f"{source.name!r} has no {unknown}. Received: features={tuple(features)}; "
            f"this set has {known}.{hint}"
        )
    if not features:
        raise ValueError(f"`features` must name one of {known} at least.")
    if not (isinstance(image_size, int) and image_size >= 8):
        raise ValueError(f"`image_size` must be an int of at least 8. Received: {image_size!r}")
    keys = [key for key in features if key in source.captions]
    wanted = [key for key in features if key not in keys]
    # Some sources need the labels to say anything; these are made with the image in any case.
    labels = source.described_by
    if labels is None:
        labels = [key for key in source.class_names if key not in source.on_request]
    labels = labels if keys else ()
    extra = [*labels, "image"] if keys else []
    arrays, skipped = load_arrays(source, image_size, tuple(dict.fromkeys([*wanted, *extra])))
    if skipped:
        message = _skipped_message(source, skipped)
        if len(skipped) == source.num_examples:
            raise ValueError(message)
        warnings.warn(message, stacklevel=3)
    kept = [index for index in range(source.num_examples) if index not in skipped]
    columns = {key: np.asarray(arrays[key]) for key in labels}
    captions = {
        key: [
            source.sentences(key, index, {label: columns[label][row] for label in labels})
            for row, index in enumerate(kept)
        ]
        for key in keys
    }
    return Dataset(
        {key: arrays[key] for key in wanted},
        name=source.name,
        split=source.split,
        batch_size=batch_size,
        class_names={f: names for f, names in source.class_names.items() if f in wanted},
        shuffle=source.split != "test" if shuffle is None else shuffle,
        seed=seed,
        file_names=source.file_names and [source.file_names[index] for index in kept],
        captions=captions,
    )


def _skipped_message(source, skipped, limit=20):
    names = source.file_names or range(source.num_examples)
    lines = [f"  {names[index]}: {reason}" for index, reason in skipped.items()]
    if len(lines) > limit:
        lines = [*lines[:limit], f"  ... and {len(lines) - limit} more"]
    return (
        f"{len(skipped)} of the {source.num_examples} examples in the {source.split} split of "
        f"{source.name!r} cannot be used:\n" + "\n".join(lines)
    )
