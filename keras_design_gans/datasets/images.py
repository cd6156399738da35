"""From picture files of every kind to square RGB arrays."""

import contextlib

import numpy as np
from PIL import Image, ImageOps

from keras_design_gans.datasets.source import SkipExample

FITS = ("crop", "pad")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ORIENTATION = 0x0112  # the tag of EXIF; 5 to 8 are lying pictures


def read_image(path, image_size, fit="crop"):
    """Reads a picture file as a square.

    Args:
        path: the file.
        image_size: side of the square, in pixels.
        fit: `"crop"` or `"pad"`, see `square`.

    Returns:
        uint8 array of shape `(image_size, image_size, 3)`.

    Raises:
        SkipExample: the file is missing, or it is not a picture that can be read.
    """
    with _opened(path) as image:
        # A JPEG can be decoded at a half, a quarter or an eighth of its size, much faster.
        image.draft(None, (2 * image_size, 2 * image_size))
        return np.asarray(square(_to_rgb(ImageOps.exif_transpose(image)), image_size, fit))


def read_whole(path, longest_side):
    """Reads a picture file as a whole, made smaller where its longest side is too long.

    Args:
        path: the file.
        longest_side: of the result, in pixels at most.

    Returns:
        An upright `PIL.Image` in RGB.

    Raises:
        SkipExample: the file is missing, or it is not a picture that can be read.
    """
    with _opened(path) as image:
        image.draft(None, (2 * longest_side, 2 * longest_side))
        image = _to_rgb(ImageOps.exif_transpose(image))
        image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
        return image


def read_further(path, image_path, image_size, fit="crop", background=WHITE):
    """Reads a mask or a sketch as a square of grey, cut like the picture that it belongs to.

    Each file is turned upright by its own EXIF tag. After that both must have the same shape: a
    mask that was drawn on a lying photo would not fit the standing one.

    Args:
        path: the file of the mask or sketch.
        image_path: the file of the picture.
        image_size: side of the square, in pixels.
        fit: `"crop"` or `"pad"`, see `square`.
        background: RGB of what is added at two sides and seen through transparent pixels.

    Returns:
        uint8 array of shape `(image_size, image_size, 1)`, with soft edges.

    Raises:
        SkipExample: a file is missing or cannot be read, the shapes differ, or the values are 0
            and 1 instead of 0 and 255.
    """
    with _opened(image_path) as image:
        width, height = _upright_size(image)
    with _opened(path) as image:
        own_width, own_height = _upright_size(image)
        # Of the same shape to a pixel, at the size of the smaller one.
        if abs(own_width * height - own_height * width) > max(own_width, own_height, width, height):
            raise SkipExample(
                f"it has {own_width} x {own_height} pixels when upright, the picture "
                f"{width} x {height}: they must have the same shape"
            )
        grey = _to_rgb(ImageOps.exif_transpose(image), background).convert("L")
        if grey.getextrema()[1] == 1:
            raise SkipExample("it holds the values 0 and 1: save it with 0 and 255")
        return np.asarray(square(grey, image_size, fit, background))[..., None]


@contextlib.contextmanager
def _opened(path):
    try:
        with Image.open(path) as image:
            yield image
    except SkipExample:
        raise
    except FileNotFoundError:
        raise SkipExample("there is no such file") from None
    except Image.UnidentifiedImageError:
        raise SkipExample("it is empty or not a picture") from None
    except Exception as error:  # Broken files make Pillow raise almost anything.
        raise SkipExample(f"it cannot be read ({error})") from None


def _upright_size(image):
    lying = image.getexif().get(ORIENTATION, 1) >= 5
    return image.size[::-1] if lying else image.size


def square(image, image_size, fit="crop", background=WHITE):
    """Resizes an RGB or grey `PIL.Image` to a square, with the Lanczos filter.

    Args:
        image: the picture.
        image_size: side of the square, in pixels.
        fit: `"crop"` keeps the square at the centre, `"pad"` adds the background at two sides.
        background: RGB of what `"pad"` adds.

    Returns:
        A `PIL.Image` of size `(image_size, image_size)`.
    """
    size = (image_size, image_size)
    if fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    color = background[: len(image.getbands())]
    return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=color)


def _to_rgb(image, background=WHITE):
    if image.mode.startswith("I"):  # 16-bit grey, which `convert` would clip at 255.
        image = Image.fromarray((np.asarray(image, np.uint32) >> 8).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.has_transparency_data:
        canvas = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(canvas, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
