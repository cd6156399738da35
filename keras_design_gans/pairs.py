"""Which pictures and descriptions of a batch do not belong together."""

import keras
from keras import ops


def differing(labels):
    """Compares the labels of a batch with each other.

    Args:
        labels: Tensor (batch,) of class numbers, or (batch, k) of attributes or other numbers.

    Returns:
        Boolean tensor (batch, batch): whether rows i and j have different labels.
    """
    if len(labels.shape) == 1:
        labels = labels[:, None]
    return ops.any(ops.not_equal(labels[:, None], labels[None]), axis=-1)


def wrong_partners(labels, seed):
    """Draws for each row another one whose description is wrong for it: its labels differ.

    All rows with other labels are equally likely. What belongs to a picture by chance, such as a
    caption of another picture with the same labels, is never drawn.

    Args:
        labels: As in `differing`.
        seed: `keras.random.SeedGenerator`.

    Returns:
        Tuple of the row numbers, int32 (batch,), and booleans (batch,): whether there is any such
        row. Where there is none, the number means nothing.
    """
    wrong = differing(labels)
    lots = keras.random.uniform(ops.shape(wrong), dtype="float32", seed=seed)
    partners = ops.argmax(ops.where(wrong, lots, -1.0), axis=-1)
    return ops.cast(partners, "int32"), ops.any(wrong, axis=-1)
