"""From picture files of every kind to square RGB arrays."""

import numpy as np
from PIL import Image, ImageOps

from keras_design_gans.datasets.source import SkipExample

FITS = ("crop", "pad")
WHITE = (255, 255, 255)


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
    try:
        with Image.open(path) as image:
            # A JPEG can be decoded at a half, a quarter or an eighth of its size, much faster.
            image.draft(None, (2 * image_size, 2 * image_size))
            return np.asarray(square(_to_rgb(ImageOps.exif_transpose(image)), image_size, fit))
    except FileNotFoundError:
        raise SkipExample("there is no such file") from None
    except Image.UnidentifiedImageError:
        raise SkipExample("it is empty or not a picture") from None
    except Exception as error:  # Broken files make Pillow raise almost anything.
        raise SkipExample(f"it cannot be read ({error})") from None


def square(image, image_size, fit="crop"):
    """Resizes an RGB or grey `PIL.Image` to a square, with the Lanczos filter.

    Args:
        image: the picture.
        image_size: side of the square, in pixels.
        fit: `"crop"` keeps the square at the centre, `"pad"` adds white at two sides.

    Returns:
        A `PIL.Image` of size `(image_size, image_size)`.
    """
    size = (image_size, image_size)
    if fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=WHITE[: len(image.getbands())])


def _to_rgb(image):
    if image.mode.startswith("I"):  # 16-bit grey, which `convert` would clip at 255.
        image = Image.fromarray((np.asarray(image, np.uint32) >> 8).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")
    return image.convert("RGB")
