"""Pictures on their way into a classifier, in parts, so that not all are in memory at once."""

import numpy as np

from keras_design_gans.metrics.checks import as_rows

AT_ONCE = 256


def as_pictures(images):
    """The rows of pictures of a data set from `kdg.datasets`, unread; an array as it is."""
    return images.arrays["image"] if hasattr(images, "arrays") else images


def scaled(images):
    """uint8 pictures as float32 in [-1, 1]; float pictures as they are."""
    return images / np.float32(127.5) - 1 if images.dtype == np.uint8 else images


def features_of(classifier, pictures, bar, name="pictures"):
    """Features of many pictures.

    Args:
        classifier: `ResNet18`.
        pictures: array (n, h, w, c), float in [-1, 1] or uint8; it may lie on disk.
        bar: Progress bar of `tqdm`, moved on by n.
        name: What an error calls the pictures.

    Returns:
        float32 array (n, d).

    Raises:
        ValueError: If pictures hold NaN, which a network may hide.
    """
    parts = []
    for start in range(0, len(pictures), AT_ONCE):
        part = scaled(pictures[start : start + AT_ONCE])
        as_rows(name, part.reshape(len(part), -1))
        parts.append(classifier.features(part))
        bar.update(len(part))
    return np.concatenate(parts)
