"""Do pictures show what was asked for, and nothing else changed?"""

import numpy as np

from keras_design_gans.metrics.likeness import as_pairs
from keras_design_gans.metrics.pictures import scaled
from keras_design_gans.metrics.spread import bootstrap


def attribute_error(probabilities, wanted):
    """Share of pictures in which a classifier does not see all that was asked for.

    Args:
        probabilities: Dictionary from label to the class probabilities (n, classes), from
            `ResNet18.probabilities`. It may hold more labels than are wanted.
        wanted: Dictionary from label to the class numbers (n,) that were asked for, at least one.

    Returns:
        float from 0 to 1: a picture counts as wrong if one of its wanted labels is wrong.

    Raises:
        ValueError: If nothing is wanted, or the classifier does not know a label.
    """
    if not wanted or not set(wanted) <= set(probabilities):
        raise ValueError(
            f"Name at least one label that the classifier knows, {', '.join(probabilities)}. "
            f"Received: {', '.join(wanted)}."
        )
    wrong = [probabilities[key].argmax(axis=1) != np.asarray(wanted[key]) for key in wanted]
    return float(np.mean(np.any(wrong, axis=0)))


def attribute_scores(classifier, key, generated, wanted, test_images, labels):
    """Scores how often a label is not the one asked for, in the form of `design_scores`.

    Args:
        classifier: `ResNet18` with a head `key`.
        key: The label.
        generated: Pictures (n, h, w, c).
        wanted: Class numbers (n,) that were asked for.
        test_images: Real pictures.
        labels: Their class numbers: the error on these is the classifier's own.

    Returns:
        Dictionary of four floats: `generated`, `generated_deviation`, `test` and `test_deviation`,
        the deviations over 100 resamplings of the pictures.
    """
    scores = {}
    for kind, images, numbers in (
        ("generated", generated, wanted),
        ("test", test_images, labels),
    ):
        answers = classifier.probabilities(scaled(np.asarray(images)))[key]
        wrong = (answers.argmax(axis=1) != np.asarray(numbers)).astype("float64")
        scores[kind] = float(wrong.mean())
        scores[f"{kind}_deviation"] = bootstrap(np.mean, [wrong])[1]
    return scores


def edit_errors(made, truth, mask):
    r"""Errors of changed pictures whose true form is known, such as from `faces.edit`.

    $$e=\frac1{|P|\,C}\sum_{p,c}|y_{p,c}-\hat y_{p,c}|\qquad
    e_{out}=\frac1{|P\setminus M|\,C}\sum_{p\notin M,\,c}|y_{p,c}-\hat y_{p,c}|$$

    for each picture, with the pixels \(P\), those that should change \(M\), and the \(C\) channels.
    \(e_{out}\) is what was changed and should not have been: a model that keeps the person has a
    small one. \(e_{in}\) is the same inside of \(M\).

    Args:
        made: float array (n, height, width, channels) in [-1, 1].
        truth: What the pictures should be, of the same shape.
        mask: Where that differs from the source, (n, height, width, 1): above 0 where it does.

    Returns:
        Dictionary of three float64 arrays (n,) from 0 to 2: `error`, `error_outside` and
        `error_inside`; NaN where there are no such pixels.

    Raises:
        ValueError: If the shapes differ.
    """
    made, truth = as_pairs(made, truth)
    inside = np.asarray(mask)[..., 0] > 0
    if inside.shape != made.shape[:3]:
        raise ValueError(
            f"Expected masks of shape (n, height, width, 1) for pictures of shape {made.shape}. "
            f"Received: {np.shape(mask)}."
        )
    difference = np.abs(made - truth).mean(axis=-1)
    return {
        "error": difference.mean(axis=(1, 2)),
        "error_outside": _mean_where(difference, ~inside),
        "error_inside": _mean_where(difference, inside),
    }


def _mean_where(values, chosen):
    count = chosen.sum(axis=(1, 2))
    sums = (values * chosen).sum(axis=(1, 2))
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)
