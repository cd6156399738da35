"""The parts that garments are sewn from: bodies, sleeves, ribs, collars, lapels, pockets, folds.

A body is drawn around x = 0 with its collar at y = 0; most parts are drawn on the right and
flipped. Lengths are in units of which a garment measures about 70 to 100.
"""

import math
from dataclasses import dataclass

from keras_design_gans.datasets.scene import brightness, mirror, mix, symmetric


@dataclass
class Cut:
    """Measures of a body, from the axis outwards and from the collar (y = 0) downwards.

    Its methods return paths as `scene.to_svg` takes them.
    """

    neck: float  # half the width of the neckline
    neck_depth: float
    shoulder: float  # half the width of the shoulders
    drop: float  # how far the shoulder falls
    arm: float  # height of the underarm
    chest: float  # half the width at the underarm
    waist: float  # half the width at y = `waist_y`
    waist_y: float
    hem: float  # half the width at y = `length`
    length: float
    neckline: str = "round"  # round, v, square or boat
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


def flip(path, side):
    """The path itself for `side` 1 (right), its mirror image for -1 (left)."""
    return path if side > 0 else mirror(path)


def _between(start, end, part=0.5):
    """The point that lies `part` of the way from `start` to `end`."""
    return tuple(a + (b - a) * part for a, b in zip(start, end, strict=True))


class Tailor:
    """Sews the parts of one garment into a scene.

    Args:
        drawing: `Scene` to draw in.
        rng: `numpy.random.Generator` for the measures that a caller does not give.
        cloth: `Fabric`.
        cut: `Cut`, the measures of the body.
    """

    def __init__(self, drawing, rng, cloth, cut):
        self.drawing, self.rng, self.cloth, self.cut = drawing, rng, cloth, cut

    def closed_front(self):
        """Adds the inside of the neck and a front in one piece."""
        self._inside(self.cut.neck_depth + 2)
        self.drawing.piece(self.cut.front(), self.cloth)

    def open_front(self, gap, overlap):
        """Adds the inside of the back and two panels before it, see `Cut.panel`."""
        self._inside(self.cut.length - 1)
        for side in (-1, 1):
            self.drawing.piece(flip(self.cut.panel(gap, overlap), side), self.cloth)

    def _inside(self, bottom):
        color = mix(self.cloth.trim, "#0c0814", 0.4)
        self.drawing.piece(self.cut.inside(bottom), color=color, depth=0.6)

    def sleeves(self, length, angle, cuff, finish="plain", color=None):
        """Adds both sleeves.

        Args:
            length: from the shoulder down to the cuff.
            angle: degrees between sleeve and body.
            cuff: width at the wrist.
            finish: `"plain"`, `"rib"`, `"cuff"` or `"puff"`.
            color: `"#rrggbb"`, for sleeves in a plain second colour.
        """
        for side in (1, -1):
            lean = math.radians(angle + self.rng.normal(0, 1.5))
            reach = length * self.rng.uniform(0.98, 1.02)
            self._sleeve(side, lean, reach, cuff, finish, color)

    def _sleeve(self, side, lean, length, cuff, finish, color):
        cut, rng = self.cut, self.rng
        sin, cos = math.sin(lean), math.cos(lean)

        def at(along, across, origin):
            """The point so far along the sleeve and so far outwards from `origin`."""
            return origin[0] + sin * along + cos * across, origin[1] + cos * along - sin * across

        shoulder, pit = (cut.shoulder, cut.drop), (cut.chest, cut.arm)
        outer, inner = at(length, 0, shoulder), at(length, -cuff, shoulder)
        bulge = 3.2 if finish == "puff" else 1.2 + length * 0.02
        elbow = at(length * 0.35, bulge, shoulder)
        crook = at(0, 0.6, _between(inner, pit))
        outline = [shoulder, (*elbow, *outer), inner, (*crook, *pit), (*cut.armhole, *shoulder)]
        turn = -side * math.degrees(lean)
        self.drawing.piece(flip(outline, side), self.cloth, color, angle=turn)

        creases = []
        for _ in range(int(rng.integers(2, 5)) if length > 25 else 1):
            start = at(length * rng.uniform(0.25, 0.8), -cuff * rng.uniform(0.75, 0.95), shoulder)
            end = at(length * rng.uniform(-0.04, 0.1), cuff * rng.uniform(0.5, 0.75), start)
            creases.append(flip([start, at(1.5, 0, _between(start, end)), end], side))
        self.drawing.folds(creases, 1.2, 0.3)

        if finish in ("plain", "puff"):
            hem = [at(-1.8, 0, outer), at(-1.8, 0, inner)]
            self.drawing.lines([flip(hem, side)], opacity=0.25, width=0.4)
            return
        size, grow = rng.uniform(3.5, 5), 0.4 if finish == "cuff" else -0.5
        top = [at(0, grow, outer), at(0, -grow, inner)]
        band = flip([*top, at(size, -grow, inner), at(size, grow, outer)], side)
        if finish == "rib":
            self.rib(band)
        else:
            self.drawing.piece(band, self.cloth, color, angle=turn)

    def rib(self, corners):
        """Adds a ribbed band; its ribs run from corners 0 and 1 to corners 3 and 2."""
        a, b, c, d = corners
        self.drawing.piece(corners, color=self.cloth.trim, depth=0.8)
        count = max(3, round(math.dist(a, b) / 1.8))
        ribs = [[_between(a, b, i / count), _between(d, c, i / count)] for i in range(1, count)]
        self.drawing.lines(ribs[::2], opacity=0.25, width=0.45, sketch=False)
        self.drawing.lines(ribs[1::2], opacity=0.25, width=0.45)

    def folds(self, count):
        """Adds soft creases that hang from the chest, and one from each underarm."""
        cut, rng = self.cut, self.rng
        creases = []
        for _ in range(count):
            x = rng.uniform(-0.7, 0.7)
            top = rng.uniform(cut.arm - 3, cut.waist_y)
            bottom = min(top + rng.uniform(14, 28), cut.length - 3)
            middle = (x * cut.waist + rng.normal(0, 2.5), (top + bottom) / 2)
            creases.append([(x * cut.chest, top), middle, (x * cut.waist, bottom)])
        self.drawing.folds(creases, rng.uniform(2.5, 4.5), rng.uniform(0.18, 0.3))
        pulls = []
        for side in (1, -1):
            start = (cut.chest - 1, cut.arm + rng.uniform(-2, 1))
            end = (cut.chest * rng.uniform(0.35, 0.6), cut.arm + rng.uniform(6, 14))
            pulls.append(flip([start, (start[0] - 3, end[1] - 2), end], side))
        self.drawing.folds(pulls, 1.4, 0.25)

    def hanging_folds(self, count):
        """Adds long folds from the waist to the hem, that fan out with the skirt."""
        cut, rng = self.cut, self.rng
        creases = []
        for i in range(count):
            x = (i + 0.5 + rng.uniform(-0.25, 0.25)) / count * 1.8 - 0.9
            start = (x * cut.waist, cut.waist_y + rng.uniform(1, 10))
            end = (x * cut.hem, cut.length + rng.uniform(-6, 0))
            creases.append([start, _between(start, end, 0.65), end])
        self.drawing.folds(creases, rng.uniform(2.2, 4), rng.uniform(0.25, 0.4))

    def emblem(self, y, size):
        """Prints the emblem of a graphic fabric, with centre y and half width `size`."""
        # Drawn even when there is no emblem: the cut must not depend on the fabric.
        x, turn = self.rng.normal(0, 0.5), self.rng.normal(0, 3)
        if self.cloth.emblem:
            place = f"translate({x:.2f} {y:.2f}) rotate({turn:.1f}) scale({size:.2f})"
            emblem = f'<g transform="{place}">{self.cloth.emblem}</g>'
            self.drawing.print_on(self.cut.front(), emblem)

    def buttons(self, centers, radius):
        """Adds buttons that stand out from the cloth."""
        light = brightness(self.cloth.base) > 0.45
        colors = ("#2b2420", "#5b3a22") if light else ("#e8dcc4", "#c9a14a")
        self.drawing.buttons(centers, radius, colors[self.rng.integers(2)])

    def collar(self, spread, color=None):
        """Adds a shirt collar, a stand and two leaves whose points lie at x = `spread`."""
        n = self.cut.neck
        stand = [(-n, 0), (-n * 0.6, -4.2, 0, -4.2), (n * 0.6, -4.2, n, 0), (0, 4, -n, 0)]
        self.drawing.piece(stand, color=mix(self.cloth.trim, "#0c0814", 0.3), depth=0.5)
        leaf = [(0, 4.6), (n * 0.75, 1, n - 1.2, -3.6), (n + 1.2, -2, n + 1.8, 1.4), (spread, 10.2)]
        for side in (1, -1):
            self.drawing.piece(flip(leaf, side), self.cloth, color, angle=side * 35, depth=0.7)

    def lapels(self, width, end, overlap):
        """Adds a tailored collar; its lapels reach out to `width` and run down to y = `end`."""
        n = self.cut.neck
        collar = [(-n - 1, 1), (-n * 0.6, -4, 0, -4), (n * 0.6, -4, n + 1, 1), (0, 2.5, -n - 1, 1)]
        self.drawing.piece(collar, self.cloth, depth=0.7)
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
            self.drawing.piece(flip(lapel, side), self.cloth, angle=-side * 20, depth=0.9)

    def pockets(self, x, y, width, flap=0.0, slant=0.0):
        """Adds a pocket on either side: a slit from (x, y), or a flap of height `flap`."""
        for side in (1, -1):
            top = [(x, y), (x + width, y - slant)]
            if flap:
                box = [*top, (x + width, y - slant + flap), (x, y + flap)]
                self.drawing.piece(flip(box, side), self.cloth, depth=0.8)
            else:
                self.drawing.lines([flip(top, side)], opacity=0.6, width=0.9)

    def neckband(self, width):
        """Adds the band along the neckline."""
        edges = [flip(self.cut.neck_edge(), side) for side in (1, -1)]
        self.drawing.lines(edges, color=self.cloth.trim, opacity=1, width=width)
        self.drawing.lines(edges, opacity=0.3, width=0.35, sketch=False)

    def hem_seam(self):
        """Adds the seam above the hem."""
        x, y = self.cut.hem - 0.6, self.cut.length - 2.2
        seam = [(-x, y), (0, y + self.cut.hem_curve * 1.6, x, y)]
        self.drawing.lines([seam], opacity=0.22)
