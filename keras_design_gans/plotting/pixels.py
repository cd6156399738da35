"""Image grids as arrays and files, pixel for pixel."""

import numpy as np
from PIL import Image

GUTTER = 2  # white pixels between the pictures of a grid


def to_uint8(images):
    """Images as uint8 RGB.

    Args:
        images: array (n, h, w, c), c = 1 or 3, float in [-1, 1] or uint8.

    Returns:
        uint8 array (n, h, w, 3).

    Raises:
        ValueError: For another shape, values outside [-1, 1], or NaN.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            f"Expected images of shape (n, height, width, 1 or 3), got {images.shape}. "
            "Add the missing axis, for example `images[None]` for a single picture."
        )
    if images.dtype != np.uint8:
        images = images.astype("float32")
        if not np.all(np.abs(images) <= 1.001):
            raise ValueError(
                "Expected float images in [-1, 1] (or uint8 in [0, 255]), got values from "
                f"{images.min():g} to {images.max():g}. Rescale with `images / 127.5 - 1`."
            )
        images = np.round((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def image_grid(images, columns=None, scale=1):
    """Images side by side, row by row, with a white gutter of 2 pixels.

    Args:
        images: array (n, h, w, c), as for `to_uint8`.
        columns: Pictures per row. By default a grid close to a square.
        scale: Integer enlargement; every pixel becomes a square of this side.

    Returns:
        uint8 array (height, width, 3).
    """
    images = to_uint8(images).repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    step_y, step_x = height + GUTTER, width + GUTTER
    grid = np.full((rows * step_y - GUTTER, columns * step_x - GUTTER, 3), 255, "uint8")
    for index, image in enumerate(images):
        y, x = index // columns * step_y, index % columns * step_x
        grid[y : y + height, x : x + width] = image
    return grid


def beside(columns, *kinds):
    """Arranges pictures that belong together below each other, for `image_grid`.

    Args:
        columns: Pictures per row of the grid.
        *kinds: Arrays (n, h, w, c) as for `to_uint8`, such as sources, outputs and targets; n is a
            multiple of `columns`. The grid has a row of each kind, then the next row of each. Left
            out are `None`, and what cannot be shown because it has other channels than 1 or 3.

    Returns:
        uint8 array (n times the number of kinds, h, w, 3).

    Raises:
        ValueError: If n differs or is no multiple of `columns`.
    """
    kinds = [images for images in kinds if images is not None and images.shape[-1] in (1, 3)]
    counts = {len(images) for images in kinds}
    if len(counts) > 1 or min(counts) % columns:
        raise ValueError(
            f"Expected as many pictures of each kind, in full rows of {columns}. Got "
            f"{', '.join(str(len(images)) for images in kinds)}."
        )
    kinds = [to_uint8(images) for images in kinds]
    rows = range(0, min(counts), columns)
    return np.concatenate([images[row : row + columns] for row in rows for images in kinds])


def save_grid(images, path, columns=None, scale=1):
    """Writes `image_grid(images, columns, scale)` to an image file, one pixel for one pixel."""
    Image.fromarray(image_grid(images, columns, scale)).save(path)


def save_animation(frames, path, seconds=8):
    """Writes an animated GIF that repeats for ever and rests on its last frame.

    Args:
        frames: list of uint8 arrays (height, width, 3). Those of a model whose pictures grow are
            enlarged to the size of the last.
        path: File to write.
        seconds: Length, kept between 0.08 and 0.5 seconds per frame, plus 1.5 for the last one.
    """
    # 128 colours without dithering: a fraction of the size, and no noise that looks like texture.
    size = frames[-1].shape[1::-1]
    frames = [Image.fromarray(frame).resize(size, Image.Resampling.NEAREST) for frame in frames]
    frames = [frame.quantize(128, dither=Image.Dither.NONE) for frame in frames]
    milliseconds = int(np.clip(1000 * seconds / len(frames), 80, 500))
    durations = [milliseconds] * (len(frames) - 1) + [milliseconds + 1500]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0)
