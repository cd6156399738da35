"""How near do pictures come to the ones they should be?"""

import numpy as np

from keras_design_gans.metrics.neighbours import nearest_neighbours
from keras_design_gans.metrics.spread import bootstrap

SMALLEST = 11  # pixels: the window of the SSIM


def mean_absolute_error(first, second):
    """Mean distance of the values of pictures, pair by pair.

    Args:
        first: float array (n, height, width, channels) in [-1, 1].
        second: Array of the same shape.

    Returns:
        float64 array (n,), from 0 for equal pictures to 2.

    Raises:
        ValueError: If the shapes differ, or are not those of pictures.
    """
    first, second = as_pairs(first, second)
    return np.abs(first - second).mean(axis=(1, 2, 3))


def ssim(first, second):
    r"""Structural similarity of pictures, pair by pair.

    $$\mathrm{SSIM}(x,y)=\frac{(2\mu_x\mu_y+c_1)(2\sigma_{xy}+c_2)}
    {(\mu_x^2+\mu_y^2+c_1)(\sigma_x^2+\sigma_y^2+c_2)}$$

    Wang et al. 2004, with their settings: means, variances and covariance in a Gaussian window of
    11 pixels (\(\sigma=1.5\)), \(c_1=(0.01\,L)^2\), \(c_2=(0.03\,L)^2\), here for each
    colour channel, and with the range \(L=2\) of values in [-1, 1] (taken in [0, 2], where the
    formula for pictures of 0 ... 255 has its zero: black). The score is the mean over all positions
    and channels.

    Args:
        first: float array (n, height, width, channels) in [-1, 1], sides of 11 pixels or more.
        second: Array of the same shape.

    Returns:
        float64 array (n,), from -1 to 1, which only equal pictures have.

    Raises:
        ValueError: If the shapes differ, are not those of pictures, or are too small.
    """
    from skimage.metrics import structural_similarity

    first, second = as_pairs(first, second)
    if min(first.shape[1:3]) < SMALLEST:
        raise ValueError(
            f"The SSIM needs pictures with sides of at least {SMALLEST} pixels, got {first.shape}."
        )
    return np.array(
        [
            structural_similarity(
                x + 1,
                y + 1,
                data_range=2.0,
                channel_axis=-1,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
            )
            for x, y in zip(first, second, strict=True)
        ]
    )


def verification_accuracy(features, true_features):
    r"""How often is the real picture that comes nearest the true one?

    $$V=\frac1n\sum_{i=1}^n\Big[\,i=\arg\min_j\lVert f(G_i)-f(x_j)\rVert_2\Big]$$

    After Lu et al. 2018 (Contextual GAN), section 5, who compare features of faces; the definition
    is ours: each generated picture is compared with the true pictures of all.

    Args:
        features: array (n, d) of the generated pictures, such as `ResNet18.features`.
        true_features: array (n, d) of the pictures they should be, in the same order.

    Returns:
        float from 0 to 1; some 1/n for pictures that have nothing to do with the true ones.

    Raises:
        ValueError: If the shapes do not fit, or a value is not finite.
    """
    if len(features) != len(true_features):
        raise ValueError(
            f"Expected a true picture for each of {len(features)} generated ones, got "
            f"{len(true_features)}."
        )
    nearest = nearest_neighbours(features, true_features, k=1)[1][:, 0]
    return float(np.mean(nearest == np.arange(len(nearest))))


def label_accuracy(probabilities, labels):
    """How often does a classifier see in generated pictures what should be there?

    Args:
        probabilities: Dictionary from label key to an array (n, classes), such as
            `ResNet18.probabilities` of the generated pictures.
        labels: Dictionary from label key to the class numbers (n,) of the true pictures.

    Returns:
        Dictionary from the label keys of `probabilities` to floats from 0 to 1.

    Raises:
        ValueError: If a label is missing, or its number of rows differs.
    """
    accuracy = {}
    for key, rows in probabilities.items():
        if key not in labels or np.shape(labels[key]) != (len(rows),):
            found = np.shape(labels[key]) if key in labels else "none"
            raise ValueError(f"Expected {len(rows)} labels {key!r}, got {found}.")
        accuracy[key] = float(np.mean(np.argmax(rows, axis=1) == np.asarray(labels[key])))
    return accuracy


def likeness_scores(generated, truth):
    """Scores of pictures that should be equal to known ones, in the form of `design_scores`.

    Args:
        generated: float array (n, height, width, channels) in [-1, 1].
        truth: The pictures they should be.

    Returns:
        Dictionary from `mean_absolute_error` and `ssim` (of pictures that are not too small for it)
        to a dictionary of four floats: the mean `generated`, its standard deviation
        `generated_deviation` over 100 resamplings of the pictures, and `test` and `test_deviation`,
        those of the true pictures themselves.
    """
    perfect = {mean_absolute_error: 0.0, ssim: 1.0}
    if min(truth.shape[1:3]) < SMALLEST:
        del perfect[ssim]
    scores = {}
    for score, best in perfect.items():
        values = score(generated, truth)
        scores[score.__name__] = {
            "generated": float(values.mean()),
            "generated_deviation": bootstrap(np.mean, [values])[1],
            "test": best,
            "test_deviation": 0.0,
        }
    return scores


def as_pairs(first, second):
    """Returns two arrays of pictures as float64; raises `ValueError` unless their shapes agree."""
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    if first.shape != second.shape or first.ndim != 4:
        raise ValueError(
            "Expected two arrays of pictures of one shape (n, height, width, channels). Received: "
            f"{first.shape} and {second.shape}."
        )
    return first, second
