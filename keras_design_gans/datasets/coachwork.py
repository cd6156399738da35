"""The parts of a car: lacquer, windows, lamps, wheels, mirrors, lines.

See `studio` for the coordinates and `bodywork` for the places `(s, t)` on a surface.
"""

import math
from dataclasses import dataclass

import numpy as np

from keras_design_gans.datasets.bodywork import CABIN, LEVELS, Surface, raised
from keras_design_gans.datasets.scene import brightness, mix
from keras_design_gans.datasets.studio import BOLD, FINE, LINE, figure, hexes, hull, shrink

_CIRCLE = np.linspace(0, 2 * math.pi, 37)[:-1]
_DARK = "#121417"


# --- paint ---------------------------------------------------------------------------------------


@dataclass
class Look:
    """Colours and designs of one car."""

    paint: str
    metallic: float  # 0 is a solid colour
    roof: str  # colour of the roof
    trim: str  # colour of frames and grilles: chrome or black
    seats: str  # colour of the seats
    rim: str  # colour of the rims
    spokes: tuple  # design of the rims, see `SPOKES`, and number
    cladding: float  # up to which height the lower side is of dark plastic
    rails: bool  # whether there are rails on the roof
    lamp: str  # see `HEADLAMPS`
    tail: str  # see `TAIL_LAMPS`
    grille: str  # see `GRILLES`
    hatch: tuple  # half width, lower and upper edge of the rear window


def rgb(color):
    """The colour `"#rrggbb"` as an array in [0, 1]."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def studio(up):
    """What a surface mirrors that sees the studio at slope `up`: the floor, a wall, the lamps."""
    floor = 0.5 * np.clip(-up * 2.2, 0, 1) ** 0.8
    lamps = np.clip((up - 0.02) / 0.6, 0, 1)
    return 0.2 + floor + 0.9 * lamps * lamps * (3 - 2 * lamps)


def lacquer(color, metallic, normals, views):
    """How paint looks.

    Args:
        color: `"#rrggbb"`.
        metallic: 0 for a solid colour, up to 1.
        normals: array of shape `(..., 3)`.
        views: directions to the camera, same shape.

    Returns:
        Array of the same shape, red, green and blue in about [0, 1].
    """
    front = np.clip((normals * views).sum(-1, keepdims=True), 0, 1)
    # Between the slope of the mirrored ray and that of the surface: lacquer is no perfect mirror.
    seen = studio((1.2 * front + 0.6) * normals[..., 2:] - 0.8 * views[..., 2:])
    light = 0.74 + 0.26 * normals[..., 2:]
    flop = 1 + metallic * (0.3 * front - 0.2)
    gloss = 0.13 + 0.04 * metallic + 0.12 * (1 - front) ** 4
    # Light colours gain less from what they mirror.
    contrast = 0.6 - 0.36 * brightness(color)
    bright = rgb(color) * light * flop * (0.96 + contrast * (seen - 0.58)) + gloss * (seen - 0.25)
    return np.minimum(bright, 0.8 + 0.2 * np.tanh((bright - 0.8) / 0.2))


# --- the car -------------------------------------------------------------------------------------


class Coachbuilder:
    """Paints the parts of one car into a shot; each method adds one part.

    Args:
        shot: `Shot` to paint in.
        form: `Form`.
        look: `Look`.
        scale: units of the frame per metre.
    """

    def __init__(self, shot, form, look, scale):
        self.shot, self.form, self.look, self.scale = shot, form, look, scale
        self.m, self.camera = form.measures, shot.camera
        self.body = Surface(form.lower, self.camera, LEVELS)
        self.hood = Surface(form.upper, self.camera)
        self.cabin = Surface(form.cabin, self.camera, CABIN)
        across = self.camera.direction[1]
        self.near = 0 if abs(across) < 0.3 else int(np.sign(across))  # the side that is seen
        self.ahead = self.camera.direction[0] > 0
        # How far outside the faces of the wheels stand: a little inside of the body.
        sides = self._on_side(self.m.axles, self.m.wheel * 1.2, 1)[:, 1] - 0.03
        self._faces = dict(zip(self.m.axles, sides, strict=True))

    def _lacquered(self, surface, color=None):
        color = color or self.look.paint
        return lacquer(color, self.look.metallic, surface.normals, surface.views)

    def _upright(self, flat, stops):
        """A gradient from the top of a polygon to its bottom."""
        return self.shot.gradient((0, flat[:, 1].min()), (0, flat[:, 1].max()), stops)

    # --- large parts

    def ground(self):
        """The shadow on the floor, in the picture alone."""
        m, (front, rear) = self.m, self.m.ends
        # Faint leaves, one inside the other, look blurred.
        for inset in np.linspace(-0.12, 0.5, 10):
            y = m.width - 0.3 * inset
            corners = [(x, k * y) for k in (-1, 1) for x in (front - inset, rear + inset)[::k]]
            leaf = self.camera(raised(figure(corners, 0.3), 0.0))
            self.shot.tint(leaf, "#0d1116", 0.055)

    def underside(self):
        """The dark floor between the wheels."""
        m, (a, b) = self.m, self.m.axles
        y, low, high = m.width - 0.16, min(m.sill - 0.04, 0.21), m.sill + 0.2
        corners = [(x, k * y, z) for x in (a + 0.3, b - 0.3) for k in (-1, 1) for z in (low, high)]
        self.shot.shape(hull(self.camera(corners)), "#0c0d0f", BOLD)

    def shell(self):
        """The side, the hood and the deck."""
        colors = self._lacquered(self.body)
        clad = LEVELS[:-1] < self.look.cladding
        plastic = lacquer("#2a2d31", 0, self.body.normals[clad], self.body.views[clad])
        colors[clad] = plastic
        d = self.shot.skin(self.body, colors)
        d += self.shot.skin(self.hood, self._lacquered(self.hood))
        self.shot.outline(d)

    def greenhouse(self):
        """Pillars, roof, windscreen and rear window."""
        self.shot.outline(self.shot.skin(self.cabin, self._lacquered(self.cabin)))
        roof = Surface(self.form.roof, self.camera)
        colors = self._lacquered(roof, self.look.roof)
        colors[3:] = colors[3:].mean((0, 1))  # the middle is nearly flat
        self.shot.outline(self.shot.skin(roof, colors), LINE)
        for s, width, low, high in ((0, 1.3, 0.02, 0.95), (5, *self.look.hatch)):
            corners = [(s - width, low), (s - width, high), (s + width, high), (s + width, low)]
            self.glass(self.cabin.patch(corners, 0.06))
        if self.look.rails and self.near:
            rail = self.cabin.at(self.near * np.linspace(2.1, 3.0, 12), 1.0)
            rail[:, 2] += 0.03
            self.shot.stroke(self.camera(rail), self.look.trim, 0.035 * self.scale, 1)

    # --- glass

    def glass(self, flat):
        """A window with the reflection of the sky."""
        if flat is None:
            return
        (left, top), (right, bottom) = flat.min(0), flat.max(0)
        slant = 0.25 * min(right - left, bottom - top)
        sky = [(0, "#93a1ac"), (0.35, "#56646f"), (0.5, "#3d4851"), (0.56, "#2d363d")]
        sky.append((1, "#171c21"))
        fill = self.shot.gradient((left, top), (left + slant, bottom), sky)
        self.shot.shape(flat, fill)

    def side_windows(self, rear, pillars, low=0.07, high=0.9):
        """The windows of the near side.

        Args:
            rear: where they end: list of `(s, t)` from below upwards.
            pillars: x of the pillars between the windows.
            low: height of their lower edge.
            high: height of their upper edge.
        """
        if not self.near:
            return
        front = [(1.75, low), (1.9, high)]
        frame = self.cabin.patch([(self.near * s, t) for s, t in front + rear[::-1]], 0.07)
        if frame is None:
            return
        self.shot.shape(frame, "#0f1114")
        edge = np.concatenate([frame, frame[:1]])
        self.shot.stroke(edge, self.look.trim, 0.014 * self.scale, 0.9, 0)
        edges, heights = [front], np.array([low, high])
        for x in pillars:
            for shift in (0.025, -0.025):
                places = self.cabin.side(x + shift - 0.03 * heights, heights)
                edges.append(list(zip(places, heights, strict=True)))
        edges.append(rear)
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            corners = [(self.near * s, t) for s, t in left + right[::-1]]
            self.glass(shrink(self.cabin.patch(corners, 0.07), 0.95))

    def cockpit(self):
        """The open inside of a convertible: seats and the windscreen with its frame."""
        top, rear = self.form.screen[1], self.form.back[1] + 0.12
        self.shot.shape(self.camera(self.form.upper[-1]), mixed(self.look.seats, 0.75))
        seats = [(x, y) for x in (top - 0.62, rear + 0.2) for y in (0.37, -0.37)]
        if not self.ahead:
            self._windscreen()
        for x, y in sorted(seats, key=lambda seat: np.dot(seat, self.camera.direction[:2])):
            low = self.form.shoulder(x) - 0.02
            high = self.m.roof - (0.14 if x > rear + 0.2 else 0.24)  # those behind are lower
            self._cushion((x, y), (0.07, 0.2), (low, high - 0.15))
            self._cushion((x, y), (0.05, 0.11), (high - 0.16, high))
        if self.ahead:
            self._windscreen()

    def bed(self):
        """The open bed of a pickup."""
        m, rear = self.m, self.form.measures.ends[1]
        end = self.form.back[1] - 0.1
        self.opening(rear + 0.22, end, m.width - 0.2, "#1b1d20")
        heights = np.linspace(0.99, 0.1, 8)
        self.side_line(np.full(8, end + 0.02), heights, opacity=0.8, width=45)

    def opening(self, rear, front, y, color):
        """A dark hole in the deck."""
        xy = figure([(rear, -y), (rear, y), (front, y), (front, -y)], 0.12)
        self.shot.shape(self.camera(raised(xy, self.form.top(xy))), color)

    def _cushion(self, middle, half, heights):
        """A back or a headrest: a block that leans to the rear."""
        (x, y), (deep, wide), (low, high) = middle, half, heights
        signs = [(a, b) for a in (-1, 1) for b in (-1, 1)]
        corners = [(x + a * deep, y + b * wide, low) for a, b in signs]
        corners += [(x + a * deep - 0.12, y + b * wide * 0.85, high) for a, b in signs]
        flat = figure(hull(self.camera(corners)), 0.3, 3)
        light = [(0, mixed(self.look.seats, -0.12)), (1, mixed(self.look.seats, 0.5))]
        self.shot.shape(flat, self._upright(flat, light))

    def _windscreen(self):
        t = np.linspace(0, 0.92, 7)
        s = np.linspace(-1.35, 1.35, 15)
        edge = [(-1.35 + 0 * t, t), (s, 0.92 + 0 * s), (1.35 + 0 * t, t[::-1])]
        frame = np.concatenate([self.camera(self.cabin.at(*part)) for part in edge])
        foot = self.camera(self.cabin.at(s[::-1], 0 * s))
        self.shot.shape(np.concatenate([frame, foot]), "#5d6b76", LINE, 0.45, clear=True)
        self.shot.stroke(frame, "#15181b", 0.05 * self.scale, 1)

    # --- wheels

    def _on_side(self, x, z, side):
        """Points of the side at x and height z, in space."""
        x, z = np.broadcast_arrays(np.asarray(x, float), np.asarray(z, float))
        low, high = self.form.bottom(x), self.form.shoulder(x)
        level = np.clip((z - low) / (high - low), 0, 1)
        return self.body.at(side * self.body.side(x, level), level)

    def tyres(self):
        """All four wheels as they are seen below the body."""
        for side in (-1, 1) if self.camera.direction[1] > 0 else (1, -1):
            for x in self.m.axles[:: -1 if self.ahead else 1]:
                self._tyre(x, side)

    def wheels(self):
        """The wheels of the near side in their arches."""
        if not self.near:
            return
        for x in self.m.axles[:: -1 if self.ahead else 1]:
            with self.shot.clipped(self._arch(x, self.near)):
                self._rim(*self._tyre(x, self.near))

    def _arch(self, x, side):
        """The dark hole of a wheel arch; returns the region where the wheel is seen."""
        radius, angles = self.m.wheel * 1.12, np.linspace(-0.5, math.pi + 0.5, 33)
        xs, zs = x + radius * np.cos(angles), self.m.wheel + radius * np.sin(angles)
        edge = self.camera(self._on_side(xs, np.maximum(zs, self.form.bottom(xs)), side))
        self.shot.shape(edge, "#08090b")
        if self.look.cladding > 0.15:
            self.shot.stroke(edge[3:-3], "#25282c", 0.055 * self.scale, 0.99, 0)
        wide = math.copysign(0.3 * self.scale, edge[-1, 0] - edge[0, 0])
        end, start = edge[-1], edge[0]
        below = np.array([(wide, 0), (wide, 4000), (-wide, 4000), (-wide, 0)])
        below += (end, end, start, start)
        return np.concatenate([edge, below])

    def _tyre(self, x, side):
        """A tyre; returns the middle and the two half axes of its outer face in the frame."""
        r, face = self.m.wheel, self._faces[x]
        steps = np.array([(0, 0, 0), (r, 0, 0), (0, 0, r), (0, -0.2 * side, 0)])
        points = self.camera(np.array((x, side * face, r)) + steps)
        middle, axes, inwards = points[0], points[1:3] - points[0], points[3] - points[0]
        outer = middle + np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], -1) @ axes
        along = np.stack([-np.sin(_CIRCLE), np.cos(_CIRCLE)], -1) @ axes
        turned = along[:, 0] * inwards[1] - along[:, 1] * inwards[0]
        # The half that lies towards the inside belongs to the inner face: so the whole is convex.
        inner = turned * (axes[0, 0] * axes[1, 1] - axes[0, 1] * axes[1, 0]) < 0
        self.shot.shape(outer + inwards * inner[:, None], "#15161a", BOLD)
        return middle, axes

    def _rim(self, middle, axes):
        """The face of a wheel."""

        def disc(radius, angles=_CIRCLE):
            return middle + (radius * np.stack([np.cos(angles), np.sin(angles)])).T @ axes

        rim, (design, count) = self.look.rim, self.look.spokes
        self.shot.tint(disc(0.97), "#2b2d32")
        self.shot.tint(disc(0.85), "#1c1e21")
        self.shot.shape(disc(0.72), rim)
        self.shot.tint(disc(0.665), "#15171a")
        self.shot.tint(disc(0.4), "#3d4045")
        shapes = []
        for turn in 2 * math.pi * (np.arange(count) + 0.25) / count:
            for corners in SPOKES[design]:
                radii, angles = np.transpose(corners)
                shapes.append(disc(radii, turn + angles * math.pi / count))
        self.shot.shapes(shapes, rim)
        self.shot.shape(disc(0.15), rim, FINE)
        self.shot.tint(disc(0.07), "#202226")

    # --- front and rear

    def both(self, corners, bend=0.25):
        """A patch of the body on the left and its mirror image, as far as they are seen."""
        return [self.body.patch([(k * s, t) for s, t in corners], bend) for k in (1, -1)]

    def middle(self, width, low, high, s=0, flare=0.0, bend=0.15):
        """A patch of the body around the axis of the nose (s = 0) or of the tail (5)."""
        wide = width + flare
        corners = [(s - width, low), (s - wide, high), (s + wide, high), (s + width, low)]
        return self.body.patch(corners, bend)

    def face(self):
        """Headlamps, grille and the openings of the front bumper."""
        self.shot.shape(self.middle(0.7, 0.08, 0.27, flare=-0.1), _DARK, FINE)
        for flat in self.both([(1.02, 0.14), (1.06, 0.31), (1.4, 0.34), (1.42, 0.2)]):
            self.shot.shape(flat, _DARK, FINE)
        width, low, high, flare = GRILLES[self.look.grille]
        frame = self.middle(width, low, high, flare=flare)
        self.shot.shape(frame, self.look.trim)
        self.shot.shape(shrink(frame, 0.9), _DARK, 0)
        for t in np.linspace(low, high, 5)[1:-1] if frame is not None else ():
            bar = self.body.line(np.linspace(-width, width, 9) * 0.9, np.full(9, t))
            self.shot.stroke(bar, self.look.trim, 0.012 * self.scale, 0.55, 0)
        at = 0.16 if low < 0.42 else 0.36
        self.shot.shape(self.middle(0.26, at, at + 0.1), "#e8eaec", FINE)
        for flat in self.both(HEADLAMPS[self.look.lamp]):
            self._headlamp(flat)

    def _headlamp(self, flat):
        if flat is None:
            return
        self.shot.shape(flat, "#20242a")
        lit = [(0, "#9fb0bd"), (0.45, "#eef4f8"), (1, "#ffffff")]
        self.shot.tint(shrink(flat, 0.8), self._upright(flat, lit))
        if np.ptp(flat[:, 0]) > 300:
            self.shot.shape(shrink(flat, 0.3), "#5c6a75", FINE, 0.7)

    def tail(self):
        """Tail lamps, number plate, bumper and the cut of the trunk."""
        self.shot.shape(self.middle(0.75, 0.02, 0.17, 5, -0.12), "#1a1c1f", FINE)
        self.shot.shape(self.middle(0.3, 0.5, 0.63, 5), "#e8eaec", FINE)
        cut = np.linspace(3.3, 6.7, 25)
        self.shot.stroke(self.body.line(cut, np.full(25, 0.42)), width=30, line=FINE)
        t = np.linspace(0.42, 1, 9)
        for k in (1, -1):
            self.shot.stroke(self.body.line(5 - k * (0.8 + 0.1 * t), t), width=30, line=FINE)
        for corners in TAIL_LAMPS[self.look.tail]:
            for flat in self.both(corners):
                if flat is not None:
                    self.shot.shape(flat, "#52080d")
                    self.shot.tint(shrink(flat, 0.72), "#d8222c")

    # --- lines of the side

    def side_line(self, xs, levels, **look):
        """A line on the near side through places given by x and height."""
        if self.near:
            levels = np.asarray(levels, float)
            s = self.near * self.body.side(xs, levels)
            self.shot.stroke(self.body.line(s, levels), **look)

    def crest(self):
        """The lines of the hood and the light along the shoulder."""
        t = np.linspace(0.04, 0.97, 9)
        for k in (1, -1):
            self.shot.stroke(
                self.hood.line(k * (0.78 + 0.3 * t), t), width=28, opacity=0.35, line=FINE
            )
        if self.near:
            s = self.near * np.linspace(1.6, 3.6, 24)
            self.shot.stroke(self.body.line(s, np.full(24, 0.9)), "#ffffff", 50, 0.28, 0)
            self.shot.stroke(self.body.line(s, np.full(24, 0.76)), width=30, opacity=0.2, line=FINE)

    def doors(self, cuts, arched):
        """The cuts of the doors and their handles.

        Args:
            cuts: x of the cuts from the front to the rear; a handle stands before each but the
                first.
            arched: whether the last cut runs around the wheel arch.
        """
        heights = np.linspace(0.97, 0.12, 9)
        for i, x in enumerate(cuts):
            xs = np.full(9, float(x))
            if arched and i == len(cuts) - 1:
                arch = self.m.axles[1] + self.m.wheel * 1.2
                xs = np.maximum(xs, arch + np.linspace(-0.35, 0.06, 9))
            self.side_line(xs, heights)
            if i:
                self._handle(xs[2] + 0.06)
        self.side_line(np.linspace(cuts[0], xs[-1], 12), np.full(12, 0.12))

    def _handle(self, x):
        if self.near:
            s = self.body.side([x + 0.19, x], [0.8, 0.8]) * self.near
            corners = [(s[0], 0.785), (s[0], 0.815), (s[1], 0.82), (s[1], 0.79)]
            self.shot.shape(self.body.patch(corners, 0.2), "#c9ced3", FINE, 0.7)

    def mirrors(self, near):
        """The mirrors that stand before the body (`near`) or behind it."""
        for side in (1, -1):
            if (side == self.near or (not self.near and self.ahead)) == near:
                self._mirror(side)

    def _mirror(self, side):
        middle = self.form.mirror * (1, side, 1)
        corners = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
        points = middle + corners * (0.05, 0.1, 0.055)
        points[:, 0] -= 0.035 * side * corners[:, 1]  # its outer end lies further back
        inner = points[corners[:, 1] == -side] * (1, 1, 0.7) + (0, 0, 0.3 * middle[2])
        x, y, z = middle - (0, side * 0.16, 0.1)
        arm = [*inner, *((x + a, y, z + c) for a in (-0.03, 0.05) for c in (-0.02, 0.03))]
        self.shot.shape(hull(self.camera(arm)), "#191b1e")
        flat = figure(hull(self.camera(points)), 0.35, 3)
        slopes = np.array([(0, 0.5, 0.86), (0, 0.8, -0.6)])
        shades = lacquer(self.look.paint, self.look.metallic, slopes, slopes * 0 + (0, 1, 0))
        stops = zip((0, 1), hexes(shades), strict=True)
        self.shot.shape(flat, self._upright(flat, stops), BOLD)


def mixed(color, amount):
    """A colour made darker, or lighter where `amount` is negative."""
    return mix(color, "#08090b" if amount > 0 else "#ffffff", abs(amount))


# --- designs -------------------------------------------------------------------------------------


def _round(s, t, width, height):
    """Corners of a disc."""
    return [(s + width * math.cos(a), t + height * math.sin(a)) for a in _CIRCLE[::3]]


# Corners as (s, t) on the left, clockwise from below; the right is their mirror image.
HEADLAMPS = {
    "slim": [(0.74, 0.66), (1.55, 0.70), (1.8, 0.80), (1.5, 0.83), (0.78, 0.77)],
    "wide": [(0.72, 0.57), (1.45, 0.6), (1.8, 0.8), (1.4, 0.86), (0.76, 0.8)],
    "tall": [(0.9, 0.5), (1.35, 0.5), (1.6, 0.82), (0.92, 0.84)],
    "round": _round(1.05, 0.68, 0.26, 0.13),
}
GRILLES = {  # half width, lower and upper edge, how much wider the upper edge is
    "tall": (0.5, 0.34, 0.82, 0.1),
    "wide": (0.62, 0.52, 0.74, 0.06),
    "slim": (0.66, 0.66, 0.76, 0.0),
    "none": (0, 0.5, 0.5, 0),
}
_WIDE = [(4.4, 0.66), (3.45, 0.7), (3.2, 0.8), (3.5, 0.86), (4.4, 0.85)]
TAIL_LAMPS = {
    "wide": [_WIDE],
    "bar": [[(5.7, 0.73), (4.3, 0.73), (4.3, 0.79), (5.7, 0.79)], _WIDE],
    "tall": [[(3.85, 0.46), (3.45, 0.46), (3.35, 0.97), (3.8, 0.98)]],
    "round": [_round(3.85, 0.7, 0.2, 0.1), _round(4.3, 0.7, 0.18, 0.1)],
}
# Spokes as (radius, angle): radius 1 is the tyre, angle 1 half of the room of a spoke.
SPOKES = {
    "star": [[(0.1, -0.9), (0.67, -0.3), (0.67, 0.3), (0.1, 0.9)]],
    "wide": [[(0.1, -1), (0.67, -0.62), (0.67, 0.62), (0.1, 1)]],
    "split": [
        [(0.1, -0.8), (0.67, -0.6), (0.67, -0.25), (0.1, 0.2)],
        [(0.1, -0.2), (0.67, 0.25), (0.67, 0.6), (0.1, 0.8)],
    ],
    "blade": [[(0.1, -1), (0.67, 0.2), (0.67, 0.95), (0.1, 0.6)]],
}
