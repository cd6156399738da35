"""What the drawn data sets share: a scene that becomes a picture, a mask and a line drawing.

A `Scene` is a list of pieces of cloth, seams, buttons and folds in paint order. Each of them knows
how it looks in the three kinds of picture, so the three always agree. Soft edges (shadows, folds)
are stacks of faint strokes: a Gaussian blur would cost more than the rest of the picture.
"""

import io
import math

import numpy as np
import resvg_py
from PIL import Image

KINDS = ("image", "mask", "sketch")

# Width of the dark line around a piece of cloth.
_EDGE = 0.4

# (base, contrast, accent, second accent), as a fashion house would combine them in one collection.
PALETTES = (
    ("#1f2a44", "#f0e6d2", "#c8553d", "#e3b04b"),
    ("#ece6da", "#23395b", "#b33a3a", "#8da9c4"),
    ("#2f4f3e", "#efe3c8", "#c98b3c", "#8a2f2f"),
    ("#7a1f2b", "#f3dfd3", "#1d1d24", "#d69a6a"),
    ("#c9a77c", "#2b2320", "#f5efe3", "#7c3f2a"),
    ("#26272e", "#e9e7e2", "#d7263d", "#8a8d97"),
    ("#8fa6b8", "#f6f3ec", "#2d3e50", "#e07a5f"),
    ("#e4b7a8", "#5b2333", "#fff4ec", "#a3586d"),
    ("#d3cbbb", "#3d405b", "#81b29a", "#e07a5f"),
    ("#e3b23c", "#2d2a32", "#f7f3e3", "#9a3b26"),
    ("#4f6d7a", "#f2e9dc", "#dd6e42", "#c0d6df"),
    ("#6b705c", "#f1ead8", "#cb997e", "#3a3b2f"),
    ("#b5473c", "#f7ece1", "#2a2b3d", "#f2b880"),
    ("#5d4a7a", "#efe6f5", "#f2a65a", "#2b2140"),
    ("#eebcc6", "#7d2e4e", "#4a7c7e", "#fff7f3"),
    ("#3f7d8c", "#f4efe4", "#f29559", "#1c3b45"),
    ("#a8b79a", "#36463a", "#f5f0e1", "#c2703d"),
    ("#34495e", "#ecf0f1", "#e67e22", "#95a5a6"),
    ("#8c5a3c", "#f0e0c8", "#2c1f18", "#d8a24a"),
    ("#cdd4dc", "#2c3e66", "#c44536", "#7f8fa6"),
    ("#c7364f", "#fbeee6", "#27213c", "#f3b61f"),
    ("#26547c", "#fdf3e1", "#ef476f", "#ffd166"),
    ("#e8d6a6", "#386641", "#bc4749", "#6a994e"),
    ("#50545d", "#d9d6cf", "#c9ada7", "#9a8c98"),
)


def palette(rng):
    """Four colours that go together: base, contrast and two accents.

    Args:
        rng: `numpy.random.Generator`.

    Returns:
        A list of four `"#rrggbb"` strings. A colour differs a little from one call to the next.
    """
    colors = list(PALETTES[rng.integers(len(PALETTES))])
    if rng.random() < 0.3:
        colors[0], colors[1] = colors[1], colors[0]
    return [
        mix(c, rng.choice(["#000000", "#ffffff", "#c08040"]), rng.uniform(0, 0.1)) for c in colors
    ]


def mix(first, second, amount):
    """The colour `amount` of the way from `first` to `second`, all as `"#rrggbb"`."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * amount):02x}" for a, b in pairs)


def brightness(color):
    """How light a `"#rrggbb"` colour looks, from 0 (black) to 1 (white)."""
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return (0.299 * r + 0.587 * g + 0.114 * b) / 255


def mirror(path):
    """The path seen in a mirror that stands at x = 0."""
    return [tuple(-v if i % 2 == 0 else v for i, v in enumerate(step)) for step in path]


def reverse(path):
    """The same path walked from its end to its start."""
    points = [step[-2:] for step in path]
    steps = [points[-1]]
    for step, previous in zip(path[:0:-1], points[-2::-1], strict=True):
        controls = [step[i : i + 2] for i in range(0, len(step) - 2, 2)][::-1]
        steps.append(tuple(v for c in controls for v in c) + tuple(previous))
    return steps


def symmetric(half):
    """A closed outline from its right half, which runs from the top centre to the bottom centre."""
    return half + reverse(mirror(half))[1:]


def circle(x, y, radius):
    """A circle as a path of four cubic curves."""
    k = 0.5523 * radius
    r = radius
    return [
        (x, y - r),
        (x + k, y - r, x + r, y - k, x + r, y),
        (x + r, y + k, x + k, y + r, x, y + r),
        (x - k, y + r, x - r, y + k, x - r, y),
        (x - r, y - k, x - k, y - r, x, y - r),
    ]


def to_svg(path, closed=True):
    """The `d` attribute of a path.

    Args:
        path: list of tuples. The first is the start `(x, y)`; each of the others ends in its end
            point and has the control points before it: 2 numbers are a line, 4 a quadratic curve,
            6 a cubic one.
        closed: whether the path returns to its start.

    Returns:
        A string.
    """
    parts = ["M{:.2f} {:.2f}".format(*path[0])]
    parts += [_STEPS[len(step)](*step) for step in path[1:]]
    return "".join(parts) + ("Z" if closed else "")


_STEPS = {
    2: "L{:.2f} {:.2f}".format,
    4: "Q{:.2f} {:.2f} {:.2f} {:.2f}".format,
    6: "C{:.2f} {:.2f} {:.2f} {:.2f} {:.2f} {:.2f}".format,
}


def _outline_points(path):
    """Points on a path: the ends and the middle of every step, enough for a bounding box."""
    points = [path[0]]
    for step in path[1:]:
        (x0, y0), (x1, y1) = points[-1], step[-2:]
        if len(step) == 4:
            points.append(((x0 + 2 * step[0] + x1) / 4, (y0 + 2 * step[1] + y1) / 4))
        elif len(step) == 6:
            x, y = x0 + 3 * (step[0] + step[2]) + x1, y0 + 3 * (step[1] + step[3]) + y1
            points.append((x / 8, y / 8))
        points.append((x1, y1))
    return points


def rasterize(svg, size):
    """Renders an SVG text.

    Args:
        svg: the SVG text, with a square `viewBox`.
        size: side of the picture in pixels.

    Returns:
        uint8 array of shape `(size, size, 3)` in `[0, 255]`.
    """
    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))


class Scene:
    """A product on white, drawn piece by piece.

    The coordinates are free: x = 0 is the axis of the product, y points down, and the view is
    fitted to what was drawn.

    Args:
        labels: dict of ints, what the scene shows.
        sway: how far the product leans to the side, in the unit of the coordinates.
        tilt: slope of the product, a small number.
        light: where across a piece the light falls, from 0 (left) to 1 (right).
        fill: the part of the frame that the longer side of the product takes.
        phase: where the unevenness of the outlines starts, in radians.
    """

    def __init__(self, labels, sway=0.0, tilt=0.0, light=0.35, fill=0.9, phase=0.0):
        self.labels = dict(labels)
        self._sway, self._tilt, self._phase = sway, tilt, phase
        self._light, self._fill = light, fill
        self._defs = []
        self._layers = {kind: [] for kind in KINDS}
        self._points = []

    def piece(self, path, fabric=None, color=None, angle=0.0, depth=1.0):
        """Adds a piece of cloth, or of something plain such as a rib or a lining.

        Args:
            path: closed outline, see `to_svg`.
            fabric: object with `base`, `defs` and `weave(box)`, see `textiles.Fabric`.
            color: `"#rrggbb"`, for a plain piece instead of the fabric.
            angle: degrees by which the cloth is turned.
            depth: strength of the shading, 1 for a sleeve, less for what lies flat.
        """
        path = self._pose(path)
        d = to_svg(path)
        points = _outline_points(path)
        self._points += points
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        xs = [x * cos + y * sin for x, y in points]
        ys = [y * cos - x * sin for x, y in points]
        box = (min(xs) - 2, min(ys) - 2, max(xs) + 2, max(ys) + 2)

        image = self._layers["image"]
        image.append(  # a faint shadow around the piece, on what lies below it
            f'<path d="{d}" fill="none" stroke="#181420" stroke-opacity=".1" stroke-width="1.5" '
            'stroke-linejoin="round" transform="translate(.3 .8)"/>'
        )
        image.append(f'<path d="{d}" fill="{color or fabric.base}"/>')
        weave = fabric.weave(box) if fabric and not color else ""
        if weave:
            clip = self._define(f'<clipPath id="%s"><path d="{d}"/></clipPath>')
            image.append(f'<g clip-path="url(#{clip})"><g transform="rotate({angle:.1f})">')
            image.append(weave + "</g></g>")
        shade = self._define(self._shade(box, angle, depth))
        image.append(
            f'<path d="{d}" fill="url(#{shade})" stroke="#100c18" stroke-opacity=".3" '
            f'stroke-width="{_EDGE}"/>'
        )
        self._layers["mask"].append(f'<path d="{d}"/>')
        self._layers["sketch"].append(f'<path d="{d}" fill="#fff"/>')

    def lines(self, paths, color="#14101c", opacity=0.35, width=0.5, dash="", sketch=True):
        """Adds seams, stitches or, with `opacity` 1, bands of cloth along open paths."""
        d = "".join(to_svg(self._pose(path), closed=False) for path in paths)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._layers["image"].append(
            f'<path d="{d}" fill="none" stroke="{color}" stroke-opacity="{opacity}" '
            f'stroke-width="{width}"{dashes}/>'
        )
        if opacity == 1:
            self._layers["mask"].append(f'<path d="{d}" fill="none" stroke-width="{width}"/>')
        if sketch:
            self._layers["sketch"].append(f'<path d="{d}" fill="none"/>')

    def buttons(self, centers, radius, color):
        """Adds round buttons."""
        d = "".join(to_svg(self._pose(circle(x, y, radius))) for x, y in centers)
        self._layers["image"].append(
            f'<path d="{d}" fill="{color}" stroke="#0c0814" stroke-opacity=".45" '
            'stroke-width=".5"/>'
        )
        self._layers["sketch"].append(f'<path d="{d}" fill="#fff"/>')

    def folds(self, creases, width=3.0, strength=0.15):
        """Adds soft creases, dark valleys with light ridges beside them, to the picture alone.

        Args:
            creases: list of `(start, middle, end)` points.
            width: width in the middle; a crease is pointed at its ends.
            strength: opacity of the darkest part.
        """
        for shift, color, alpha in ((0.0, "#0c0814", strength), (-0.7, "#fff", strength * 0.8)):
            for part in (1.0, 0.65, 0.3):  # three leaves, one inside the other, look blurred
                d = ""
                for start, (x, y), end in creases:
                    near, far = x + width * (shift - part), x + width * (shift + part)
                    d += to_svg(self._pose([start, (near, y, *end), (far, y, *start)]))
                self._layers["image"].append(
                    f'<path d="{d}" fill="{color}" fill-opacity="{alpha / 3:.3f}"/>'
                )

    def print_on(self, path, fragment):
        """Prints SVG elements on the cloth inside the closed `path`. Not in the line drawing."""
        clip = self._define(f'<clipPath id="%s"><path d="{to_svg(self._pose(path))}"/></clipPath>')
        self._layers["image"].append(f'<g clip-path="url(#{clip})">{fragment}</g>')

    def define(self, defs):
        """Adds SVG definitions that the weave of a fabric refers to."""
        self._defs.append(defs)

    def svg(self, kind="image"):
        """The scene as SVG text.

        Args:
            kind: `"image"`, `"mask"` (white silhouette on black), `"sketch"` (dark on white).

        Returns:
            A string.

        Raises:
            ValueError: for another `kind`.
        """
        if kind not in KINDS:
            raise ValueError(f"Unknown kind {kind!r}. Choose one of {', '.join(KINDS)}.")
        xs, ys = zip(*self._points, strict=True)
        side = max(max(xs) - min(xs), max(ys) - min(ys)) / self._fill
        left, top = (max(xs) + min(xs) - side) / 2, (max(ys) + min(ys) - side) / 2
        style = {
            "image": "",
            "mask": f' fill="#fff" stroke="#fff" stroke-width="{_EDGE}"',
            "sketch": ' stroke="#1c1a22" stroke-linejoin="round" '
            f'stroke-width="{side * 0.011:.2f}"',
        }[kind]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="{left:.2f} {top:.2f} {side:.2f} {side:.2f}">'
            f"<defs>{''.join(self._defs) if kind == 'image' else ''}</defs>"
            f'<rect x="{left - 1:.2f}" y="{top - 1:.2f}" width="{side + 2:.2f}" '
            f'height="{side + 2:.2f}" fill="{"#000" if kind == "mask" else "#fff"}"/>'
            f"<g{style}>{''.join(self._layers[kind])}</g></svg>"
        )

    def render(self, kind="image", size=64):
        """The scene as pixels.

        Args:
            kind: see `svg`.
            size: side of the picture in pixels.

        Returns:
            uint8 array: `(size, size, 3)` for `"image"`, `(size, size, 1)` for the others. The edge
            of a mask is antialiased: compare it with 127 for a hard one.
        """
        pixels = rasterize(self.svg(kind), size)
        return pixels if kind == "image" else pixels[..., :1].copy()

    def _pose(self, path):
        """Leans and tilts a path, and makes it a little uneven, as cloth is."""
        posed = []
        for step in path:
            point = []
            for x, y in zip(step[::2], step[1::2], strict=True):
                point.append(x + self._sway * (y / 50) ** 2 + 0.4 * math.sin(y / 7 + self._phase))
                point.append(y + self._tilt * x + 0.4 * math.sin(x / 6 - self._phase))
            posed.append(tuple(point))
        return posed

    def _define(self, template):
        name = f"d{len(self._defs)}"
        self._defs.append(template % name)
        return name

    def _shade(self, box, angle, depth):
        """A gradient across the piece: dark edges, light where the lamp stands."""
        stops = (
            (0.0, "#0c0814", 0.30),
            (self._light * 0.5, "#0c0814", 0.06),
            (self._light, "#fff", 0.16),
            ((1 + self._light) / 2, "#0c0814", 0.06),
            (1.0, "#0c0814", 0.36),
        )
        return (
            f'<linearGradient id="%s" gradientUnits="userSpaceOnUse" x1="{box[0]:.1f}" '
            f'x2="{box[2]:.1f}" y1="0" y2="0" gradientTransform="rotate({angle:.1f})">'
            + "".join(
                f'<stop offset="{at:.2f}" stop-color="{color}" stop-opacity="{alpha * depth:.2f}"/>'
                for at, color, alpha in stops
            )
            + "</linearGradient>"
        )
