"""The parts that garments are sewn from: bodies, sleeves, ribs, collars, lapels, pockets, folds.

A body is drawn around x = 0 with its collar at y = 0; most parts are drawn on the right and
flipped.
"""

import math
from dataclasses import dataclass

from keras_design_gans.datasets.scene import brightness, mirror, mix, symmetric


@dataclass
class Cut:
    """Measures of a body, from the axis outwards and from the collar (y = 0) downwards."""

    neck: float  # half the width of the neckline
    neck_depth: float
    shoulder: float  # half the width of the shoulders
    drop: float  # how far the shoulder falls
    arm: float  # height of the underarm
    chest: float  # half widths ...
    waist: float
    waist_y: float
    hem: float
    length: float
    neckline: str = "round"
    hem_curve: float = 1.0  # how much the hem sags in the middle

    @property
    def armhole(self):
        """Control point between shoulder and underarm."""
        return (min(self.shoulder, self.chest) - 1.5, self.drop * 0.3 + self.arm * 0.7)

    def side(self):
        """From the shoulder down to the hem, on the right."""
        middle = (self.arm + self.waist_y) / 2, (self.waist_y + self.length) / 2
        flare = self.waist + (self.hem - self.waist) * 0.3
        return [
            (self.shoulder, self.drop),
            (*self.armhole, self.chest, self.arm),
            (self.chest - 0.4, middle[0], self.waist, middle[0] + 1, self.waist, self.waist_y),
            (self.waist, self.waist_y + 3, flare, middle[1], self.hem, self.length),
        ]

    def neck_edge(self):
        """From the middle of the neckline up to the shoulder seam."""
        n, d = self.neck, self.neck_depth
        if self.neckline == "round":
            return [(0, d), (n * 0.85, d, n, d * 0.45, n, 0)]
        if self.neckline == "v":
            return [(0, d), (n * 0.62, d * 0.45, n, 0)]
        if self.neckline == "square":
            return [(0, d), (n * 0.88, d), (n, 0)]
        return [(0, d), (n * 0.7, d * 0.9, n, 0)]  # boat

    def front(self):
        """Outline of the closed front."""
        bottom = (self.hem * 0.5, self.length + self.hem_curve, 0, self.length + self.hem_curve)
        return symmetric([*self.neck_edge(), *self.side(), bottom])

    def panel(self, gap, overlap):
        """Right half of an open front: apart by `gap` at the hem, over the middle at the top."""
        bottom = (self.hem * 0.5, self.length + self.hem_curve, gap, self.length + self.hem_curve)
        edge = (gap * 0.3 - overlap, self.length * 0.5, -overlap, self.neck_depth)
        return [(-overlap, self.neck_depth), (self.neck, 0), *self.side(), bottom, edge]

    def inside(self, bottom):
        """What is seen of the inside of the back, from the neckline down to y = `bottom`."""
        n = self.neck
        return symmetric([(0, 1.6), (n * 0.7, 1.4, n, 0), (n, bottom), (0, bottom)])


def lining(drawing, cloth, cut, bottom):
    """Adds the dark inside of the back; the front is laid over it."""
    drawing.piece(cut.inside(bottom), color=mix(cloth.trim, "#0c0814", 0.4), depth=0.6)


def flip(path, side):
    return path if side > 0 else mirror(path)


def sleeves(drawing, rng, cloth, cut, length, angle, cuff, finish="plain", color=None):
    """Both sleeves; `finish` is how they end: plain, rib, cuff (buttoned) or puff."""
    for side in (1, -1):
        lean = math.radians(angle + rng.normal(0, 1.5))
        reach = length * rng.uniform(0.98, 1.02)
        d, n = (math.sin(lean), math.cos(lean)), (math.cos(lean), -math.sin(lean))

        def at(along, across, origin, d=d, n=n):
            return origin[0] + d[0] * along + n[0] * across, origin[1] + d[1] * along + n[
                1
            ] * across

        top, pit = (cut.shoulder, cut.drop), (cut.chest, cut.arm)
        outer = at(reach, 0, top)
        inner = at(reach, -cuff, top)
        bulge = 3.2 if finish == "puff" else 1.2 + reach * 0.02
        elbow = at(reach * 0.35, bulge, top)
        middle = ((inner[0] + pit[0]) / 2 + n[0] * 0.6, (inner[1] + pit[1]) / 2 + n[1] * 0.6)
        outline = [top, (*elbow, *outer), inner, (*middle, *pit), (*cut.armhole, *top)]
        turn = -side * math.degrees(lean)
        drawing.piece(flip(outline, side), cloth, color, angle=turn)
        creases = []
        for _ in range(int(rng.integers(2, 5)) if reach > 25 else 1):
            start = at(reach * rng.uniform(0.25, 0.8), -cuff * rng.uniform(0.75, 0.95), top)
            end = at(reach * rng.uniform(-0.04, 0.1), cuff * rng.uniform(0.5, 0.75), start)
            middle = at(1.5, 0, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
            creases.append(flip([start, middle, end], side))
        drawing.folds(creases, 1.2, 0.3)
        corners = [outer, inner]
        if finish in ("rib", "cuff"):
            size = rng.uniform(3.5, 5)
            grow = 0.4 if finish == "cuff" else -0.5
            corners = [at(0, grow, outer), at(0, -grow, inner)]
            band = [*corners, at(size, -grow, inner), at(size, grow, outer)]
            if finish == "rib":
                rib(drawing, flip(band, side), cloth.trim)
            else:
                drawing.piece(flip(band, side), cloth, color, angle=turn)
        else:
            hem = [at(-1.8, 0, outer), at(-1.8, 0, inner)]
            drawing.lines([flip(hem, side)], opacity=0.25, width=0.4)


def rib(drawing, corners, color):
    """A ribbed band between the edges (corner 0, corner 1) and (corner 3, corner 2)."""
    a, b, c, d = corners
    drawing.piece([a, b, c, d], color=color, depth=0.8)
    count = max(3, round(math.dist(a, b) / 1.8))
    ribs = []
    for i in range(1, count):
        t = i / count
        start = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
        end = (d[0] + (c[0] - d[0]) * t, d[1] + (c[1] - d[1]) * t)
        ribs.append([start, end])
    drawing.lines(ribs[::2], opacity=0.25, width=0.45, sketch=False)
    drawing.lines(ribs[1::2], opacity=0.25, width=0.45)


def folds(drawing, rng, cut, count):
    """Soft creases that hang from the chest and gather at the waist."""
    creases = []
    for _ in range(count):
        x = rng.uniform(-0.7, 0.7)
        top = rng.uniform(cut.arm - 3, cut.waist_y)
        bottom = min(top + rng.uniform(14, 28), cut.length - 3)
        middle = (x * cut.waist + rng.normal(0, 2.5), (top + bottom) / 2)
        creases.append([(x * cut.chest, top), middle, (x * cut.waist, bottom)])
    drawing.folds(creases, rng.uniform(2.5, 4.5), rng.uniform(0.18, 0.3))
    pulls = []
    for side in (1, -1):  # from the underarm towards the middle, where every sleeve pulls
        start = (cut.chest - 1, cut.arm + rng.uniform(-2, 1))
        end = (cut.chest * rng.uniform(0.35, 0.6), cut.arm + rng.uniform(6, 14))
        pulls.append(flip([start, (start[0] - 3, end[1] - 2), end], side))
    drawing.folds(pulls, 1.4, 0.25)


def emblem(drawing, rng, cloth, outline, y, size):
    if cloth.emblem:
        place = f"translate({rng.normal(0, 0.5):.2f} {y:.2f}) rotate({rng.normal(0, 3):.1f})"
        drawing.print_on(outline, f'<g transform="{place} scale({size:.2f})">{cloth.emblem}</g>')


def button_color(rng, cloth):
    light = brightness(cloth.base) > 0.45
    return rng.choice(["#2b2420", "#5b3a22"] if light else ["#e8dcc4", "#c9a14a", "#141318"])


def collar(drawing, cloth, cut, spread, color=None):
    """A shirt collar: the stand behind the neck and two leaves."""
    n = cut.neck
    stand = [(-n, 0), (-n * 0.6, -4.2, 0, -4.2), (n * 0.6, -4.2, n, 0), (0, 4, -n, 0)]
    drawing.piece(stand, color=mix(cloth.trim, "#0c0814", 0.3), depth=0.5)
    leaf = [(0, 4.6), (n * 0.75, 1, n - 1.2, -3.6), (n + 1.2, -2, n + 1.8, 1.4), (spread, 10.2)]
    for side in (1, -1):
        drawing.piece(flip(leaf, side), cloth, color, angle=side * 35, depth=0.7)


def lapels(drawing, cloth, cut, width, end, overlap, color=None):
    """A tailored collar whose lapels run down to y = `end`."""
    n = cut.neck
    collar = [(-n - 1, 1), (-n * 0.6, -4, 0, -4), (n * 0.6, -4, n + 1, 1), (0, 2.5, -n - 1, 1)]
    drawing.piece(collar, cloth, color, depth=0.7)
    notch = end * 0.36
    for side in (1, -1):
        lapel = [
            (n - 1.5, -2.6),
            (n + 2.5, 0.5),
            (width - 0.5, notch - 2.5),
            (width - 3, notch - 1),
            (width + 1, notch + 1.2),
            (width * 0.75, end * 0.72, -overlap, end),
            (n * 0.5, end * 0.4, n - 1.5, -2.6),
        ]
        drawing.piece(flip(lapel, side), cloth, color, angle=-side * 20, depth=0.9)


def pockets(drawing, cloth, x, y, width, flap, slant=0.0):
    for side in (1, -1):
        top = [(x, y), (x + width, y - slant)]
        if flap:
            box = [*top, (x + width, y - slant + flap), (x, y + flap)]
            drawing.piece(flip(box, side), cloth, depth=0.8)
        else:
            drawing.lines([flip(top, side)], opacity=0.6, width=0.9)


def hanging_folds(drawing, rng, cut, count):
    """Long folds from the waist to the hem, that fan out with the skirt."""
    creases = []
    for i in range(count):
        x = (i + 0.5 + rng.uniform(-0.25, 0.25)) / count * 1.8 - 0.9
        start = (x * cut.waist, cut.waist_y + rng.uniform(1, 10))
        end = (x * cut.hem, cut.length + rng.uniform(-6, 0))
        middle = (start[0] * 0.35 + end[0] * 0.65, start[1] * 0.35 + end[1] * 0.65)
        creases.append([start, middle, end])
    drawing.folds(creases, rng.uniform(2.2, 4), rng.uniform(0.25, 0.4))


def neckband(drawing, cut, color, width):
    """The band along the neckline of a top or t-shirt."""
    edges = [flip(cut.neck_edge(), side) for side in (1, -1)]
    drawing.lines(edges, color=color, opacity=1, width=width)
    drawing.lines(edges, opacity=0.3, width=0.35, sketch=False)


def hem_seam(drawing, cut):
    y = cut.length - 2.2
    seam = [(-cut.hem + 0.6, y), (0, y + cut.hem_curve * 1.6, cut.hem - 0.6, y)]
    drawing.lines([seam], opacity=0.22)
