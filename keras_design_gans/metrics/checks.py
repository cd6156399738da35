"""Checks that every score makes of its input."""

import numpy as np


def as_probabilities(name, probabilities):
    """`probabilities` as a float64 array (n, classes); rows must sum to 1."""
    probabilities = as_rows(name, probabilities)
    worst = np.abs(probabilities.sum(axis=1) - 1).max()
    if worst > 1e-3 or probabilities.min() < 0:
        raise ValueError(
            f"Expected the rows of `{name}` to be probabilities: at least 0, and summing to 1. Got "
            f"a smallest entry of {probabilities.min():g}, and a sum that is off by {worst:g}. "
            "Apply softmax to logits first."
        )
    return probabilities


def as_rows(name, rows):
    """`rows` as a float64 array (n, d) with n > 0 and without NaN."""
    rows = np.asarray(rows, "float64")
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"Expected `{name}` of shape (n, d), one row per image, got {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError(
            f"Expected finite numbers in `{name}`, got NaN or infinity in "
            f"{np.count_nonzero(~np.isfinite(rows).all(axis=1))} of {len(rows)} rows. Look at the "
            "images of these rows, and at the training that made them."
        )
    return rows


def check_same_width(name, rows, train_name, train_rows):
    """Both arrays must have the same number of columns."""
    if rows.shape[1] != train_rows.shape[1]:
        raise ValueError(
            f"Expected `{name}` and `{train_name}` to have the same number of columns, got "
            f"{rows.shape[1]} and {train_rows.shape[1]}. Compute both with the same network."
        )
