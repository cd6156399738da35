"""A drawn face: from the names of its parts to a picture, a mask and a line drawing.

The drawings are "Avataaars" by Pablo Stanley (https://avataaars.com, free for personal and
commercial use), as packed by DiceBear. None of them is part of this package.
"""

import functools
import importlib.resources
import json
import re

from keras_design_gans.datasets.scene import KINDS, rasterize

INK, PAPER = "#1c1a22", "#ffffff"
# The whole head with its hair and the shoulders fill the frame.
_VIEW = {"scale": 1.2, "translateY": 8}
_GLASSES = "#262e33"
# What the line drawing leaves white; glasses stay dark.
_COLORS = ("skinColor", "hairColor", "facialHairColor", "clothesColor", "hatColor")
_FILL = re.compile(r'fill="(?!none)([^"]+)"(?: fill-opacity="([^"]+)")?')


class Avatar:
    """One face.

    Args:
        labels: dict of ints, or of lists of ints, what the face shows.
        parts: dictionary from an option of the style, such as `"mouthVariant"`, to a name or a
            `"#rrggbb"` colour. A component that is not named is not drawn.
        background: `"#rrggbb"`.
    """

    def __init__(self, labels, parts, background):
        self.labels = dict(labels)
        self._parts = parts
        self._background = background

    def svg(self, kind="image"):
        """The face as SVG text.

        Args:
            kind: `"image"`, `"mask"` (white silhouette on black), `"sketch"` (dark on white).

        Returns:
            A string.

        Raises:
            ValueError: for another `kind`.
        """
        if kind not in KINDS:
            raise ValueError(f"Unknown kind {kind!r}. Choose one of {', '.join(KINDS)}.")
        parts, background = self._parts, self._background
        if kind == "sketch":
            parts = {**parts, **dict.fromkeys(_COLORS, PAPER)}
        drawing = _draw(parts)
        if kind == "mask":
            drawing, background = _FILL.sub('fill="#fff" stroke="#fff"', drawing), "#000"
        elif kind == "sketch":
            drawing, background = _FILL.sub(_outline, drawing), PAPER
        # Behind everything: the first group of the drawing is the clipped face.
        before, group, rest = drawing.partition("<g clip-path")
        return f'{before}<rect width="100%" height="100%" fill="{background}"/>{group}{rest}'

    def render(self, kind="image", size=64):
        """The face as pixels.

        Args:
            kind: see `svg`.
            size: side of the picture in pixels.

        Returns:
            uint8 array: `(size, size, 3)` for `"image"`, `(size, size, 1)` for the others.
        """
        pixels = rasterize(self.svg(kind), size)
        return pixels if kind == "image" else pixels[..., :1].copy()


def _outline(fill):
    """Turns the fill of a shape into what a line drawing shows of it."""
    color, opacity = fill[1], float(fill[2] or 1)
    if opacity < 0.5:  # shade and shine
        return 'fill="none"'
    if color in ("black", _GLASSES):  # eyes, brows, mouth
        return f'fill="{INK}"'
    return f'fill="{PAPER}" stroke="{INK}" stroke-width="2.6" stroke-linejoin="round"'


@functools.cache
def _style():
    """Reads the style, with one slot more: what is worn on the head, over the hair.

    In the style itself a hat takes the place of the hair, so that a face with a hat would show no
    colour and no style of hair.
    """
    try:
        import dicebear
        import dicebear_styles
    except ImportError as error:
        raise ImportError(
            "The faces are drawn by DiceBear. Install it with "
            f"`pip install keras-design-gans[faces]`. The import failed: {error}"
        ) from error
    path = importlib.resources.files(dicebear_styles) / "avataaars.json"
    style = json.loads(path.read_text(encoding="utf-8"))
    tops = {name: top["elements"] for name, top in style["components"]["top"]["variants"].items()}
    worn = {
        "hat": tops["hat"][:1],  # without the shade, which would cover short hair
        "headband": tops["froBand"][1:],  # without the hair
        "flowers": tops["frida"][2:16],  # without the hair, its shade and the earring
    }
    style["components"]["headwear"] = {
        "width": 260,
        "height": 280,
        "variants": {name: {"elements": elements} for name, elements in worn.items()},
    }
    elements = style["canvas"]["elements"]
    place = next(i for i, element in enumerate(elements) if element["name"] == "top")
    elements.insert(place + 1, {**elements[place], "name": "headwear"})
    return dicebear.Style(style)


def _draw(parts):
    """Returns the SVG text of the parts, without a background."""
    style = _style()
    from dicebear import Avatar as Drawing

    options = {key: [value] for key, value in parts.items()}
    options["accessoriesColor"] = [_GLASSES]
    for name in ("accessories", "facialHair", "headwear"):
        options[f"{name}Probability"] = 100 if f"{name}Variant" in parts else 0
    # The seed decides nothing: every option is given.
    return Drawing(style, {"seed": "", **_VIEW, **options}).to_string()
