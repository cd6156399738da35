r"""Masks of product photos by the random walker.

DesIGN ([Sbai et al. 2018](https://arxiv.org/abs/1804.00921)) takes its masks from product photos
with the random walker (L. Grady, *Random Walks for Image Segmentation*, IEEE PAMI 28(11), 2006).
The pixels are the nodes of a graph. Neighbours \(i, j\) with colours \(g_i, g_j\) share an edge of
weight

$$w_{ij} = \exp\left(-\beta\,\lVert g_i - g_j\rVert^2\right)$$

Some pixels are seeds: known to be object or background. From each other pixel a walker sets out
and takes every edge with a probability proportional to its weight. The probability \(x\) that it
meets an object seed before a background seed solves a linear system in the blocks of the graph's
Laplacian \(L = D - W\), with \(m = 1\) on object seeds and \(0\) on background seeds:

$$L_U\,x = -B^\top m, \qquad L = \begin{pmatrix} L_M & B \\ B^\top & L_U \end{pmatrix}$$

The mask is where \(x > 0.5\).

The paper takes pixels that are not white for the object. Here the background is whatever the
border of the picture shows, so that grey, coloured and unevenly lit backgrounds work too:

1. A plane \(a + b\,x + c\,y\) is fitted to the colours (Lab) of the border, again and again without
   the pixels that do not fit, such as a sleeve that leaves the frame.
2. The distance of a pixel is how far its colour lies from that plane, measured in the spread of
   the border (Mahalanobis), so that the grain of a floor counts less than a change of colour.
3. Object seeds are far from the background, in patches, after erosion. Background seeds are near
   it and connected to the border, or form a thick spot inside, as between an arm and the body.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

# The walk takes place at this longest side: enough for a smooth outline, and a quick solution.
MIN_SIDE, MAX_SIDE = 128, 192
BETA = 130  # scikit-image's default; it divides by the spread of the colours.
# Smallest spread of a background, in Lab / 100: noise and a faint shadow on a white table.
NOISE = 0.02
# Distances, in spreads. The object threshold adapts between its bounds (Otsu): 6 spreads of a
# clean background are about the 0.15 from white that product shots call for.
NEAR, MIN_FAR, MAX_FAR = 2.0, 3.5, 6.0


@dataclass
class Segmentation:
    """What `segment` finds out about a picture.

    Attributes:
        mask: uint8 array `(height, width, 1)`, 255 on the object and 0 on the background.
        probability: float array `(rows, columns)` in [0, 1]: that of the label "object", at the
            size of the walk.
        seeds: int array of the same shape: 1 on object seeds, 2 on background seeds, else 0.
        quality: float in [0, 1], to sort masks by: the share of the mask that differs from the
            background, times the share of the rest that does not, times the share of pixels with a
            probability below 0.1 or above 0.9, times a factor for masks below or above 15 % and
            85 % of the picture.
        doubts: tuple of strings: why the mask may be wrong. Empty when nothing looks wrong.
    """

    mask: np.ndarray
    probability: np.ndarray
    seeds: np.ndarray
    quality: float
    doubts: tuple


def product_mask(image):
    """The mask of the product in a photo with a plain background.

    Args:
        image: array `(height, width, channels)` of 1 or 3 channels, at least 8 pixels a side:
            uint8 in 0 ... 255, or float in [-1, 1].

    Returns:
        uint8 array `(height, width, 1)`: 255 on the product, 0 on the background. `segment` also
        tells how far to trust it.

    Raises:
        ValueError: the shape or the range is another.
    """
    return segment(image).mask


def segment(image):
    """Separates the product in a photo from its background.

    Args:
        image: as for `product_mask`.

    Returns:
        A `Segmentation`. A picture without any contrast has an empty mask of quality 0.

    Raises:
        ValueError: the shape or the range of the picture is another.
    """
    from skimage.color import rgb2lab
    from skimage.segmentation import random_walker

    image = _to_uint8(image)
    height, width = image.shape[:2]
    side = np.clip(max(height, width), MIN_SIDE, MAX_SIDE)
    size = [max(8, round(n * side / max(height, width))) for n in (width, height)]
    pixels = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)) / 255
    distance, fitting = _distance(rgb2lab(pixels) / 100)
    seeds = _seeds(distance)
    if not (seeds == 1).any():
        empty = np.zeros((height, width, 1), np.uint8)
        doubt = "nothing differs from the background"
        return Segmentation(empty, np.zeros(seeds.shape), seeds, 0.0, (doubt,))
    probability = random_walker(
        pixels, seeds, beta=BETA, mode="bf", return_full_prob=True, channel_axis=-1
    )[0]
    resized = Image.fromarray(probability.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    mask = _tidy(np.asarray(resized) > 0.5)
    quality, doubts = _judge(mask, probability, distance, fitting)
    return Segmentation(mask[..., None] * np.uint8(255), probability, seeds, quality, doubts)


def outline(image, mask):
    """Draws the outline of a mask on its picture, to check it by eye.

    Args:
        image: as for `product_mask`.
        mask: uint8 array `(height, width, 1)`, 255 on the product.

    Returns:
        uint8 array `(height, width, 3)`: the outline in magenta, the background darkened.
    """
    from scipy.ndimage import binary_erosion

    inside = mask[..., 0] > 127
    thickness = max(1, round(max(inside.shape) / 128))
    picture = _to_uint8(image).copy()
    picture[~inside] //= 2
    picture[inside & ~binary_erosion(inside, iterations=thickness)] = (255, 0, 255)
    return picture


def _to_uint8(image):
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or min(image.shape[:2]) < 8:
        raise ValueError(
            "Expected one picture of shape (height, width, 1 or 3) with at least 8 pixels a side. "
            f"Received: {image.shape}. Take a single picture of a batch: `images[0]`."
        )
    if image.dtype != np.uint8:
        if not (image.dtype.kind == "f" and np.all(np.abs(image) <= 1.001)):
            raise ValueError(
                "Expected uint8 in 0 ... 255 or float in [-1, 1]. Received: "
                f"{image.dtype} from {image.min():g} to {image.max():g}."
            )
        image = np.round((np.clip(image, -1, 1) + 1) * 127.5).astype(np.uint8)
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image


def _ring(shape):
    """Returns a boolean array that is true along the border."""
    width = max(2, round(0.03 * min(shape)))
    ring = np.ones(shape, bool)
    ring[width:-width, width:-width] = False
    return ring


def _distance(lab):
    """How far the colours lie from the background, which is what the border shows.

    The fit is a least trimmed one (Rousseeuw 1984): it begins with the half of the border that is
    nearest to the median colour and takes the best fitting pixels, step by step.

    Args:
        lab: float array `(rows, columns, 3)`.

    Returns:
        `(distance, fitting)`: float array `(rows, columns)`, in spreads of the background, and the
        share of the border that fits.
    """
    rows, columns = lab.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    plane = np.stack([np.ones_like(x), x, y], axis=-1)
    ring = _ring((rows, columns))
    positions, colours = plane[ring], lab[ring]
    off = np.linalg.norm(colours - np.median(colours, axis=0), axis=-1)
    fits = off <= np.median(off)
    for step in range(8):
        known = positions[fits]
        # The slopes are held back a little, for a border that fits on one side only.
        ridge = np.diag([0, 0.1, 0.1]) * len(known)
        fit = np.linalg.solve(known.T @ known + ridge, known.T @ colours[fits])
        rest = colours - positions @ fit
        # A trimmed spread is too small; 1.5 makes up for that.
        spread = 1.5 * rest[fits].T @ rest[fits] / len(known) + NOISE**2 * np.eye(3)
        off = _mahalanobis(rest, spread)
        fits = off <= np.quantile(off, 0.6) if step < 4 else off < 3
    return _mahalanobis(lab - plane @ fit, spread), fits.mean()


def _mahalanobis(differences, spread):
    squares = np.einsum("...i,ij,...j", differences, np.linalg.inv(spread), differences)
    return np.sqrt(squares)


def _seeds(distance):
    """Seeds of the walk: 1 on the object, 2 on the background, 0 between."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    disk = ndimage.generate_binary_structure(2, 1)
    distance = ndimage.gaussian_filter(distance, 0.7)
    far = np.clip(threshold_otsu(np.minimum(distance, 15)), MIN_FAR, MAX_FAR)
    # Opened against specks, then eroded: the outline itself is left to the walker.
    patches = ndimage.binary_opening(distance > far, disk)
    inside = _central(ndimage.binary_erosion(patches, disk, border_value=1))
    ring = _ring(distance.shape)
    near = distance < NEAR
    outside = ndimage.binary_propagation(
        ring & (distance < MIN_FAR), mask=near | (ring & (distance < MIN_FAR))
    )
    holes = near & ~outside
    # A hole is thick; thin spots are prints and highlights in the colour of the background.
    thickness = max(2, round(0.02 * min(distance.shape)))
    core = ndimage.binary_erosion(holes, disk, iterations=thickness)
    holes = ndimage.binary_propagation(core, mask=holes)
    background = ndimage.binary_erosion(outside | holes, disk, border_value=1)
    return np.where(inside, 1, np.where(background, 2, 0)).astype(np.int32)


def _central(inside):
    """Keeps the patches that weigh most, those near the centre counting more."""
    from scipy import ndimage

    rows, columns = inside.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    # Dilated, so that a seam does not part a garment.
    patches, count = ndimage.label(ndimage.binary_dilation(inside))
    if not count:
        return inside
    weights = ndimage.sum(np.exp(-2 * (x**2 + y**2)), patches, np.arange(1, count + 1))
    return inside & np.isin(patches, 1 + np.flatnonzero(weights >= 0.1 * weights.max()))


def _tidy(mask):
    """Removes islands below a twentieth of the largest piece, and holes of a few pixels."""
    from scipy import ndimage

    pieces, count = ndimage.label(mask)
    areas = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    mask = np.isin(pieces, 1 + np.flatnonzero(areas >= 0.05 * areas.max(initial=0)))
    gaps, _ = ndimage.label(~mask)
    small = np.bincount(gaps.ravel()) < 0.001 * mask.size
    return mask | small[gaps]


def _judge(mask, probability, distance, fitting):
    """Returns the quality of a mask and the doubts about it, see `Segmentation`."""
    from scipy import ndimage

    size = probability.shape[::-1]
    mask = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    pieces = ndimage.label(mask)[1]
    area, touching = mask.mean(), mask[_ring(mask.shape)].mean()
    # Averages with one pixel more, for masks that are empty or full.
    odd = distance > MIN_FAR
    contrast = odd[mask].sum() / (mask.sum() + 1)
    plain = 1 - odd[~mask].sum() / ((~mask).sum() + 1)
    decided = (np.abs(probability - 0.5) > 0.4).mean()
    quality = contrast * plain * decided * min(1, area / 0.15, (1 - area) / 0.15)
    doubts = (
        (area < 0.1, f"it covers only {area:.0%} of the picture"),
        (area > 0.9, f"it covers {area:.0%} of the picture"),
        (touching > 0.4, f"it covers {touching:.0%} of the border"),
        (pieces > 3, f"it falls into {pieces} pieces"),
        (contrast < 0.75, f"{1 - contrast:.0%} of it looks like the background"),
        (plain < 0.85, f"{1 - plain:.0%} of the background does not look like the border"),
        (decided < 0.8, f"{1 - decided:.0%} of the picture is undecided"),
        (fitting < 0.6, f"{1 - fitting:.0%} of the border is not plain"),
    )
    return float(quality), tuple(text for doubtful, text in doubts if doubtful)
