"""How well do two masks agree, and does a model that draws into masks use mask and noise?"""

import numpy as np

from keras_design_gans.masks import product_mask


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


def mask_fidelity(images, masks):
    """How well pictures keep to the masks they were drawn from.

    The mask of each picture is found by `kdg.masks.product_mask`, which errs a little: compare with
    the value of real pictures and their masks.

    Args:
        images: Array (n, height, width, channels): uint8, or float in [-1, 1].
        masks: Array (n, height, width, 1) or (1, height, width, 1), as for `mask_iou`.

    Returns:
        float64 array (n,): the `mask_iou` of the mask found and the mask given, 1 for a perfect
        outline.

    Raises:
        ValueError: The shapes do not fit.
    """
    found = np.stack([product_mask(image) for image in images])
    masks = np.asarray(masks)
    if len(masks) == 1:
        masks = np.repeat(masks, len(found), axis=0)
    return mask_iou(found, masks)


def texture_spread(images, mask):
    r"""How much pictures of one mask differ inside it: does the model listen to the noise?

    $$S = \frac1{|M|\,C}\sum_{p\in M}\sum_{c=1}^C \operatorname{std}_i x_{i,p,c}$$

    Args:
        images: float array (n, height, width, channels) in [-1, 1]: one mask, n vectors of noise.
        mask: Array (height, width, 1), as for `mask_iou`; \(M\) are its pixels on the object.

    Returns:
        float from 0, where the noise is ignored, to 1.

    Raises:
        ValueError: The sizes differ, or the mask is empty.
    """
    images, mask = np.asarray(images, "float64"), np.asarray(mask)
    if images.ndim != 4 or mask.shape != (*images.shape[1:3], 1):
        raise ValueError(
            "Expected pictures (n, height, width, channels) and one mask (height, width, 1) of "
            f"their size. Received: {images.shape} and {mask.shape}."
        )
    inside = _inside(mask)[..., 0]
    if not inside.any():
        raise ValueError("The mask is empty: there is nothing inside it to compare.")
    return float(images.std(axis=0)[inside].mean())


def _inside(mask):
    if mask.dtype == bool:
        return mask
    return mask > (127 if mask.dtype == np.uint8 else 0)
