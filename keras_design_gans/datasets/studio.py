"""A photographer's studio: a camera, figures in its frame, and a scene to paint them in.

Lengths are metres. x points from the tail of a car to its nose, y to the left of the driver, z up;
the ground is z = 0. In the frame x points to the right and y down.
"""

import functools
import math
from itertools import accumulate

import numpy as np

from keras_design_gans.datasets.scene import KINDS, Scene

# Side of the frame. Whole numbers are fine enough then, and quick to write.
FRAME = 10000

# Widths of the lines of a line drawing: outlines, parts, details.
BOLD, LINE, FINE = 90, 65, 45


class Camera:
    """A camera that looks at the middle of the car.

    Args:
        yaw: where it stands, in degrees: 0 before the nose, 90 on the left of the car.
        height: degrees above the horizon.
        distance: distance in metres.
        middle: the point it looks at.
    """

    def __init__(self, yaw, height, distance, middle):
        yaw, height = math.radians(yaw), math.radians(height)
        self.direction = np.array(
            [math.cos(yaw) * math.cos(height), math.sin(yaw) * math.cos(height), math.sin(height)]
        )
        right = np.array([-math.sin(yaw), math.cos(yaw), 0.0])
        self._axes = np.stack([right, -np.cross(self.direction, right), self.direction], -1)
        self._middle, self._distance = np.asarray(middle, float), distance
        self._scale, self._shift = 1.0, np.zeros(2)

    def fit(self, points, fill):
        """Zooms until the longer side of the projected points takes the part `fill` of the frame.

        Returns:
            The scale, in units of the frame per metre.
        """
        self._scale, self._shift = 1.0, np.zeros(2)
        flat = self(points)
        low, high = flat.min(0), flat.max(0)
        self._scale = FRAME * fill / (high - low).max()
        self._shift = FRAME / 2 - (low + high) / 2 * self._scale
        return self._scale

    def __call__(self, points):
        """Projects points of shape `(..., 3)` to the frame, shape `(..., 2)`, y downwards."""
        local = (np.asarray(points) - self._middle) @ self._axes
        near = self._distance / (self._distance - local[..., 2:])
        return local[..., :2] * near * self._scale + self._shift

    def towards(self, points):
        """Unit vectors from the points to the camera, same shape."""
        there = self._middle + self.direction * self._distance - points
        return there / np.linalg.norm(there, axis=-1, keepdims=True)


# --- figures ---


def figure(corners, bend=0.3, points=5):
    """A closed polygon with rounded corners, as an array of shape `(n, 2)`.

    Args:
        corners: list of points.
        bend: which part of each edge belongs to the rounding of its two ends, up to 0.5.
        points: how many points a rounding has.
    """
    corners = np.asarray(corners, float)
    i = np.arange(len(corners))
    near = corners[np.stack([i - 1, i, (i + 1) % len(i)], 1)]
    return (_figure_weights(bend, points) @ near).reshape(-1, 2)


@functools.cache
def _figure_weights(bend, points):
    """Weights of the corners before, at and after each point of a rounding and of an edge."""
    u = np.arange(points) / (points - 1)
    before, after = bend * (1 - u) ** 2, bend * u**2
    # Points on the edge too, so that it follows the surface that it is drawn on.
    edge = bend + (1 - 2 * bend) * np.array([0.2, 0.4, 0.6, 0.8])
    rounding = np.stack([before, 1 - before - after, after], -1)
    return np.concatenate([rounding, np.stack([0 * edge, 1 - edge, edge], -1)])


def shrink(flat, part):
    """A polygon drawn together towards its middle."""
    if flat is None:
        return None
    middle = (flat.min(0) + flat.max(0)) / 2
    return middle + (flat - middle) * part


def area(flat):
    """Signed area of a polygon of shape `(points, 2)`."""
    x, y = flat.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def hull(flat):
    """Convex hull of points of shape `(n, 2)`, in order."""
    ordered = sorted(map(tuple, np.asarray(flat).tolist()))

    def half(points):
        chain = []
        for p in points:
            while len(chain) > 1 and (
                (chain[-1][0] - chain[-2][0]) * (p[1] - chain[-2][1])
                <= (chain[-1][1] - chain[-2][1]) * (p[0] - chain[-2][0])
            ):
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def path(flat, closed=True):
    """The `d` attribute of a polygon or line of shape `(points, 2)`."""
    numbers = np.rint(flat).astype(int).ravel().tolist()
    return "M" + " ".join(map(str, numbers)) + ("Z" if closed else "")


def hexes(rgb):
    """Colours of shape `(n, 3)` in [0, 1] as `"#rrggbb"`."""
    return [f"#{color:06x}" for color in whole(rgb).tolist()]


def whole(rgb):
    """Colours of shape `(..., 3)` in [0, 1] as whole numbers 0xrrggbb of shape `(...)`."""
    return (np.clip(rgb, 0, 1) * 255 + 0.5).astype(int) @ (65536, 256, 1)


def _alike(colors):
    """Whether nobody could tell the colours 0xrrggbb apart."""
    channels = ([color >> shift & 255 for color in colors] for shift in (16, 8, 0))
    return all(max(values) - min(values) < 5 for values in channels)


class Shot(Scene):
    """A scene in a square frame of side `FRAME`, painted in layers from back to front.

    Args:
        labels: dict of ints, what the scene shows.
        camera: `Camera`, fitted.
        background: SVG fragment that lies behind everything in the picture.
    """

    def __init__(self, labels, camera, background):
        super().__init__(labels)
        self.camera = camera
        self._background = background

    def shape(self, flat, fill, line=LINE, opacity=1.0, clear=False):
        """Adds a closed polygon.

        Args:
            flat: its corners `(points, 2)`, or `None` for nothing.
            fill: colour or gradient.
            line: width of its outline in the line drawing, or 0.
            opacity: how much of what lies behind it is hidden in the picture.
            clear: whether the line drawing shows what lies behind it.
        """
        if flat is None:
            return
        d = path(flat)
        faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
        self._layers["image"].append(f'<path d="{d}" fill="{fill}"{faint}/>')
        self._layers["mask"].append(f'<path d="{d}"/>')
        stroke = f'stroke-width="{line}"' if line else 'stroke="none"'
        white = "none" if clear else "#fff"
        self._layers["sketch"].append(f'<path d="{d}" fill="{white}" {stroke}/>')

    def shapes(self, flats, fill, line=FINE):
        """Adds many closed polygons at once, see `shape`."""
        d = "".join(map(path, flats))
        self._layers["image"].append(f'<path d="{d}" fill="{fill}"/>')
        self._layers["mask"].append(f'<path d="{d}"/>')
        self._layers["sketch"].append(f'<path d="{d}" fill="#fff" stroke-width="{line}"/>')

    def tint(self, flat, fill, opacity=1.0):
        """Adds a polygon to the picture alone: a reflection, a shade."""
        if flat is not None:
            faint = f' fill-opacity="{opacity:.3g}"' if opacity < 1 else ""
            self._layers["image"].append(f'<path d="{path(flat)}" fill="{fill}"{faint}/>')

    def stroke(self, flat, color="#0b0d10", width=35, opacity=0.6, line=LINE):
        """Adds an open line. `line` is its width in the line drawing, or 0."""
        if flat is None or len(flat) < 2:
            return
        d = path(flat, closed=False)
        self._layers["image"].append(
            f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{width:.0f}" '
            f'stroke-opacity="{opacity:.2f}" stroke-linecap="round"/>'
        )
        if opacity == 1:
            self._layers["mask"].append(
                f'<path d="{d}" fill="none" stroke="#fff" stroke-width="{width:.0f}"/>'
            )
        if line:
            self._layers["sketch"].append(
                f'<path d="{d}" fill="none" stroke-width="{line}" stroke-linecap="round"/>'
            )

    def outline(self, d, width=BOLD):
        """Adds the union of the polygons `d` of a skin to the mask and the line drawing."""
        self._layers["mask"].append(f'<path d="{d}" stroke="#fff" stroke-width="30"/>')
        # All strokes, and then all insides in white over them, leave the outline of the union.
        self._layers["sketch"].append(
            f'<path d="{d}" stroke-width="{2 * width}"/><path d="{d}" fill="#fff" stroke="none"/>'
        )

    def skin(self, surface, colors):
        """Paints a surface in the picture.

        Args:
            surface: `Surface`.
            colors: array of shape `(levels - 1, stations, 3)` in [0, 1].

        Returns:
            The polygons that it consists of as one `d` attribute, for `outline`.
        """
        ground = hexes(colors[surface.facing > 0].mean(0, keepdims=True))[0]
        flat, colors = self.camera(surface.rings), whole(colors)
        middle, upwards = (flat[1:] + flat[:-1]) / 2, flat[1:] - flat[:-1]
        # Each strip reaches under the next one, so that no gap shines through.
        upper = flat[1:].copy()
        upper[:-1] += 0.5 * upwards[1:]
        paths, seen, hidden = [], [], []
        for row in range(len(upper)):
            front, back = surface.strips(row, middle[row])
            for i in front:
                seen.append(path(np.concatenate([flat[row, i], upper[row, i[::-1]]])))
                fill = self._shading(middle[row], upwards[row], colors[row], i)
                paths.append(f'<path d="{seen[-1]}" fill="{fill}"/>')
            hidden += [path(np.concatenate([flat[row, i], upper[row, i[::-1]]])) for i in back]
        d = "".join(seen + hidden)
        self._layers["image"] += [f'<path d="{d}" fill="{ground}"/>', *paths]
        return d

    def _shading(self, flat, upwards, colors, stations):
        """A fill that has the `colors` (0xrrggbb) at the points `flat` of stations in a row.

        A colour is the same along `upwards`, the way to the next ring. Plain numbers are faster
        than arrays of so few points.
        """
        up_x, up_y = upwards[stations[len(stations) // 2]].tolist()
        stations = stations[:: max(1, len(stations) // 7)]
        colors = colors[stations].tolist()
        points = flat[stations].tolist()
        (x, y), (end_x, end_y) = points[0], points[-1]
        end_x, end_y, across_x, across_y = end_x - x, end_y - y, -up_y, up_x
        length = end_x * across_x + end_y * across_y
        if abs(length) < 0.3 * math.hypot(up_x, up_y) * math.hypot(end_x, end_y):
            across_x, across_y = end_x, end_y
            length = end_x**2 + end_y**2
        square = across_x**2 + across_y**2
        if _alike(colors) or length**2 < 1e4 * square:
            return f"#{colors[len(colors) // 2]:06x}"
        places = [((a - x) * across_x + (b - y) * across_y) / length for a, b in points]
        names = [f"#{color:06x}" for color in colors]
        part = length / square
        return self.gradient(
            (x, y),
            (x + across_x * part, y + across_y * part),
            zip(accumulate(places, max), names, strict=True),
        )

    def gradient(self, start, end, stops):
        """Defines a linear gradient between two points; stops are `(offset, color)`."""
        inner = "".join(f'<stop offset="{at:.3f}" stop-color="{color}"/>' for at, color in stops)
        name = self._define(
            f'<linearGradient id="%s" gradientUnits="userSpaceOnUse" x1="{start[0]:.0f}" '
            f'y1="{start[1]:.0f}" x2="{end[0]:.0f}" y2="{end[1]:.0f}">{inner}</linearGradient>'
        )
        return f"url(#{name})"

    def clipped(self, flat):
        """Adds to all layers what is drawn `with` it, cut to the inside of a polygon."""
        return _Clip(self, path(flat))

    def svg(self, kind="image"):
        """The scene as SVG text, see `Scene.svg`."""
        if kind not in KINDS:
            raise ValueError(f"Unknown kind {kind!r}. Choose one of {', '.join(KINDS)}.")
        paper = {
            "image": self._background,
            "mask": '<rect width="100%" height="100%" fill="#000"/>',
            "sketch": '<rect width="100%" height="100%" fill="#fff"/>',
        }[kind]
        style = {
            "image": "",
            "mask": ' fill="#fff"',
            "sketch": ' stroke="#1c1a22" stroke-linejoin="round"',
        }[kind]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {FRAME} {FRAME}">'
            f"<defs>{''.join(self._defs)}</defs>{paper}"
            f"<g{style}>{''.join(self._layers[kind])}</g></svg>"
        )


class _Clip:
    """What is drawn inside a `with` block is cut to a path."""

    def __init__(self, shot, d):
        self._shot = shot
        self._name = shot._define(f'<clipPath id="%s"><path d="{d}"/></clipPath>')

    def __enter__(self):
        for layer in self._shot._layers.values():
            layer.append(f'<g clip-path="url(#{self._name})">')

    def __exit__(self, *_):
        for layer in self._shot._layers.values():
            layer.append("</g>")
