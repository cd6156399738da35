r"""Distances between two sets of pictures as wholes, in the features of a classifier.

| symbol | name in the code |
|---|---|
| \(x_i\), features of a scored picture, \(i = 1 \dots n\) | a row of `features` |
| \(y_j\), features of a training picture, \(j = 1 \dots m\) | a row of `reference_features` |
| \(d\), number of features | columns of both |

The papers take 2,048 features of an Inception network trained on ImageNet; here they come from a
classifier of the data's own labels, so the values cannot be compared with those of papers.
"""

import numpy as np

from keras_design_gans.metrics.checks import as_rows, check_same_width

SUBSET = 1_000  # rows of a subset of the kernel distance, as in the paper's code


def frechet_distance(features, reference_features):
    r"""Fréchet distance (FID): do mean and spread of the features agree with the reference?

    With mean \(\mu\) and covariance \(\Sigma\) of each set, as if both were Gaussian:

    $$FD = \lVert \mu_x - \mu_y \rVert^2
        + \mathrm{tr}\big(\Sigma_x + \Sigma_y - 2\,(\Sigma_x \Sigma_y)^{1/2}\big)$$

    Heusel et al., *GANs Trained by a Two Time-Scale Update Rule* (2017), eq. 6. Fewer pictures
    give a larger distance, even between sets of one source: compare only equal numbers, best many
    times the number of features.

    Args:
        features: array (n, d), one row per picture, such as `ResNet18.features`.
        reference_features: array (m, d) of the training pictures, from the same network.

    Returns:
        float, at least 0, in the squared unit of the features; lower is better.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or a set has a single row.
    """
    rows, reference_rows = _both(features, reference_features)
    return gaussian_distance(fit_gaussian(rows), fit_gaussian(reference_rows))


def fit_gaussian(rows):
    """Mean (d,) and a factor R (at most d, d) of the covariance R^T R of `rows` (n, d), n > 1."""
    mean = rows.mean(axis=0, dtype="float64")
    return mean, np.linalg.qr(rows - mean, mode="r") / np.sqrt(len(rows) - 1)


def gaussian_distance(gaussian, reference):
    """Squared Fréchet distance of two results of `fit_gaussian`, a float of at least 0."""
    (mean, factor), (reference_mean, reference_factor) = gaussian, reference
    # With Sx = R^T R and Sy = Q^T Q the eigenvalues of Sx Sy are the squared singular values of
    # R Q^T. This needs no matrix square root, which fails where a covariance is singular: there
    # are fewer pictures than features, or features that are always 0.
    root_trace = np.linalg.svd(factor @ reference_factor.T, compute_uv=False).sum()
    traces = np.sum(factor**2) + np.sum(reference_factor**2)
    distance = np.sum((mean - reference_mean) ** 2) + traces - 2 * root_trace
    return max(0.0, float(distance))  # rounding can leave -1e-13


def kernel_distance(features, reference_features, subsets=50, seed=0):
    r"""Kernel distance (KID): a distance of two sets that few pictures do not bias.

    $$KD = \frac{1}{s(s-1)} \sum_{i \ne j} \big(k(x_i, x_j) + k(y_i, y_j)\big)
        - \frac{2}{s^2} \sum_{i,j} k(x_i, y_j),
        \qquad k(x, y) = \Big(\frac{x \cdot y}{d} + 1\Big)^3$$

    Bińkowski et al., *Demystifying MMD GANs* (ICLR 2018), section 4: the unbiased estimate of the
    squared maximum mean discrepancy (Gretton et al. 2012, eq. 3). It is taken on random subsets of
    \(s\) pictures of each set and averaged: \(s\) is 1,000, or half of the smaller set, but at
    least 2. That bounds the memory to three matrices of \(s^2\) numbers.

    Args:
        features: array (n, d), one row per picture, such as `ResNet18.features`.
        reference_features: array (m, d) of the training pictures, from the same network.
        subsets: Number of subsets.
        seed: Seed of the subsets.

    Returns:
        (mean, standard deviation) over the subsets, two floats. Lower is better; sets of one source
        give values around 0, also below. The deviation is that of one subset: for 2,000 pictures
        about that of the mean over other pictures, for more pictures an upper bound of it.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or a set has a single row.
    """
    rows, reference_rows = _both(features, reference_features)
    rng = np.random.default_rng(seed)
    size = max(2, min(SUBSET, len(rows) // 2, len(reference_rows) // 2))
    values = [
        _squared_discrepancy(
            rng.choice(rows, size, replace=False), rng.choice(reference_rows, size, replace=False)
        )
        for _ in range(subsets)
    ]
    return float(np.mean(values)), float(np.std(values))


def _squared_discrepancy(x, y):
    """Unbiased estimate for two sets of equally many rows."""
    within = sum(_kernel(rows, rows).sum() - _kernel_diagonal(rows).sum() for rows in (x, y))
    return within / (len(x) * (len(x) - 1)) - 2 * _kernel(x, y).mean()


def _kernel(x, y):
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # many times faster than the general power of NumPy


def _kernel_diagonal(x):
    return (np.mean(x**2, axis=1) + 1) ** 3


def _both(features, reference_features):
    features = as_rows("features", features)
    reference_features = as_rows("reference_features", reference_features)
    check_same_width("features", features, "reference_features", reference_features)
    if min(len(features), len(reference_features)) < 2:
        raise ValueError(
            "Expected at least 2 rows in `features` and `reference_features`, because one picture "
            f"has no spread; got {len(features)} and {len(reference_features)}."
        )
    return features, reference_features
