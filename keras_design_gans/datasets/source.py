"""What a data set has to offer before it is cached: a number of examples and a way to make each."""

# Pictures which few models need and which cost time to make: cached only when they are asked for.
ON_REQUEST = ("mask", "sketch")
# Test pictures are drawn from indexes that no train split reaches.
TEST_OFFSET = 10_000_000


class SkipExample(Exception):
    """Raised by `Source.example` for an example that cannot be used; the message is the reason."""


class Source:
    """One split of one data set. Subclasses set the attributes and write `example`.

    A source is pickled into the worker processes, so it holds plain values only, and its module
    must not import Keras.

    Attributes:
        name: name of the data set, for people.
        split: `"train"` or `"test"`.
        features: keys of an example, in order; `"image"` is always one of them.
        class_names: dictionary from label key to the tuple of its class names.
        num_examples: number of examples of this split.
        key: anything with a faithful `repr`. Two sources with the same key hold the same examples;
            the cache is looked up by it.
        on_request: the features that are made only when they are asked for.
        captions: keys of the sentences about each example, see `sentences`.
        described_by: the labels that `sentences` needs; `None` means all that are not on request.
        file_names: list with the file of each example, or `None`.
        apart: whether each of `ON_REQUEST` has its own files. Then they are cached one by one, so
            that a missing mask does not leave out the picture where no mask is wanted.
    """

    on_request = ON_REQUEST
    captions = ()
    described_by = None
    file_names = None
    apart = False

    def __init__(self, name, split, features, class_names, num_examples, key):
        self.name = name
        self.split = split
        self.features = tuple(features)
        self.class_names = {label: tuple(names) for label, names in class_names.items()}
        self.num_examples = num_examples
        self.key = key

    def example(self, index, image_size, features):
        """Makes one example.

        Args:
            index: int in `[0, num_examples)`.
            image_size: side of the square pictures, in pixels.
            features: the keys wanted.

        Returns:
            Dictionary with the wanted keys: pictures are uint8 arrays of shape
            `(image_size, image_size, channels)`, everything else an int or an array of ints.

        Raises:
            SkipExample: this example cannot be used and is to be left out.
        """
        raise NotImplementedError

    def sentences(self, key, index, labels):
        """Returns the sentences about one example, one or more.

        Args:
            key: one of `captions`.
            index: int in `[0, num_examples)`.
            labels: dictionary with the labels of `described_by`, as `example` makes them.

        Returns:
            A tuple of strings.
        """
        raise NotImplementedError


def check_split(split, expected=("train", "test")):
    """Raises a `ValueError` that lists the `expected` splits unless `split` is one of them."""
    if split not in expected:
        raise ValueError(f"`split` must be one of {list(expected)}. Received: split={split!r}")


def check_num_examples(num_examples, available, name):
    """Returns how many examples to use: all that are `available`, or fewer when asked for."""
    if num_examples is None:
        return available
    if not 1 <= num_examples <= available:
        raise ValueError(
            f"`num_examples` must lie in 1 ... {available}, the size of {name!r}. "
            f"Received: num_examples={num_examples}"
        )
    return num_examples
