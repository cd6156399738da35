"""How well do two masks agree?"""

import numpy as np


def mask_iou(first, second):
    r"""Intersection over union of two masks.

    $$\mathrm{IoU}(A, B) = \frac{|A \cap B|}{|A \cup B|}$$

    (Jaccard 1912.) Two empty masks agree: 1.

    Args:
        first: Array of masks, the object above the middle: uint8 in 0 ... 255, float in [-1, 1],
            or bool. Of any shape (..., height, width, 1).
        second: Array of masks of the same shape; its type may be another.

    Returns:
        float64 array of shape (...) in [0, 1]: one score for each pair.

    Raises:
        ValueError: The shapes differ, or are not those of masks.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape or first.ndim < 3 or first.shape[-1] != 1:
        raise ValueError(
            "Expected two arrays of masks of one shape (..., height, width, 1). "
            f"Received: {first.shape} and {second.shape}."
        )
    first, second = _inside(first), _inside(second)
    union = (first | second).sum(axis=(-3, -2, -1))
    shared = (first & second).sum(axis=(-3, -2, -1))
    return np.where(union == 0, 1.0, shared / np.maximum(union, 1))


def _inside(mask):
    if mask.dtype == bool:
        return mask
    return mask > (127 if mask.dtype == np.uint8 else 0)
