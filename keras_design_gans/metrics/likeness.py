"""How near do pictures come to the ones they should be?"""

import numpy as np

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
    first, second = _pairs(first, second)
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

    first, second = _pairs(first, second)
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


def _pairs(first, second):
    first, second = np.asarray(first, "float64"), np.asarray(second, "float64")
    if first.shape != second.shape or first.ndim != 4:
        raise ValueError(
            "Expected two arrays of pictures of one shape (n, height, width, channels). Received: "
            f"{first.shape} and {second.shape}."
        )
    return first, second
