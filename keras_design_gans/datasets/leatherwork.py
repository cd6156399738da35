"""The parts that handbags are made of: panels, straps, chains, flaps, zips, buckles, tassels.

A bag is drawn around x = 0 with the top of its body at y = 0. It measures about 75 to 85 units, so
that a fabric has the scale that it has on a garment.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from keras_design_gans.datasets.scene import brightness, circle, mirror, mix, reverse, to_svg
from keras_design_gans.datasets.tailoring import flip

_INK = "#0c0814"
_LEATHERS = ("#2a2326", "#4a2e20", "#8a5530", "#b9814c", "#6e2a2a", "#30405a", "#d3bd9b")
_METALS = ("#d9b45c", "#c99f72", "#cdd0d8", "#77757e")

# Light from above, the dark of edges that turn away, and the shadow on the ground.
_SHADES = (
    '<linearGradient id="sheen" x1=".4" x2=".55" y1="0" y2="1">'
    f'<stop offset="0" stop-color="{_INK}" stop-opacity=".12"/>'
    '<stop offset=".07" stop-color="#fff" stop-opacity=".14"/>'
    '<stop offset=".35" stop-color="#fff" stop-opacity="0"/>'
    f'<stop offset=".55" stop-color="{_INK}" stop-opacity="0"/>'
    f'<stop offset=".9" stop-color="{_INK}" stop-opacity=".2"/>'
    f'<stop offset="1" stop-color="{_INK}" stop-opacity=".4"/></linearGradient>'
    '<radialGradient id="turn" cx=".46" cy=".42" r=".75">'
    f'<stop offset=".5" stop-color="{_INK}" stop-opacity="0"/>'
    f'<stop offset=".8" stop-color="{_INK}" stop-opacity=".14"/>'
    f'<stop offset="1" stop-color="{_INK}" stop-opacity=".42"/></radialGradient>'
    '<radialGradient id="ground">'
    f'<stop offset="0" stop-color="{_INK}" stop-opacity=".24"/>'
    f'<stop offset=".7" stop-color="{_INK}" stop-opacity=".09"/>'
    f'<stop offset="1" stop-color="{_INK}" stop-opacity="0"/></radialGradient>'
)


@dataclass(frozen=True)
class Trim:
    """The colours of a bag beside those of its fabric, all as `"#rrggbb"`."""

    leather: str
    metal: str
    thread: str
    lining: str


def trim(rng, cloth):
    """Chooses leather and metal for a `Fabric`; always takes the same amount of randomness."""
    matching, leather, metal = rng.random() < 0.4, rng.integers(7), rng.integers(4)
    leather = mix(cloth.trim, _INK, 0.12) if matching else _LEATHERS[leather]
    light = brightness(leather) > 0.45
    return Trim(
        leather,
        _METALS[metal],
        mix(leather, "#3a2418" if light else "#f3e3c4", 0.6),
        mix(leather, _INK, 0.62),
    )


# --- outlines ------------------------------------------------------------------------------------


def rounded(corners, bulge=(0, 0, 0, 0)):
    """A closed outline with rounded corners and curved sides.

    Args:
        corners: `(x, y, radius)` of each corner, clockwise.
        bulge: how far each side curves outwards, beginning with the one after the first corner.

    Returns:
        A path, see `scene.to_svg`.
    """
    ends = []
    for i, (x, y, radius) in enumerate(corners):
        for other in (corners[i - 1], corners[(i + 1) % len(corners)]):
            part = min(radius / math.dist((x, y), other[:2]), 0.48)
            ends.append((x + (other[0] - x) * part, y + (other[1] - y) * part))
    path = [ends[1]]
    for i, out in enumerate(bulge):
        (x0, y0), (x1, y1) = ends[2 * i + 1], ends[(2 * i + 2) % len(ends)]
        far = 2 * out / (math.dist((x0, y0), (x1, y1)) or 1)
        control = (x0 + x1) / 2 + (y1 - y0) * far, (y0 + y1) / 2 - (x1 - x0) * far
        corner = corners[(i + 1) % len(corners)][:2]
        path += [(*control, x1, y1), (*corner, *ends[(2 * i + 3) % len(ends)])]
    return path


def slab(top, y0, bottom, y1, upper=1.0, lower=1.0, bulge=(0.0, 0.0, 0.0)):
    """A panel around the axis: a trapezoid with rounded corners.

    Args:
        top: half its width at y = `y0`.
        y0: height of its upper edge.
        bottom: half its width at y = `y1`.
        y1: height of its lower edge.
        upper: size of the upper corners.
        lower: size of the lower corners.
        bulge: how far the upper edge, the sides and the lower edge curve outwards.
    """
    corners = [(-top, y0, upper), (top, y0, upper), (bottom, y1, lower), (-bottom, y1, lower)]
    return rounded(corners, (bulge[0], bulge[1], bulge[2], bulge[1]))


def box(x, y, half_width, half_height, radius=0.5):
    """A rounded rectangle around (x, y)."""
    w, h = half_width, half_height
    return shifted(slab(w, -h, w, h, radius, radius), x, y)


def arch(x, y, height, square=0.6, lean=0.0):
    """The spine of a handle from (-x, y) over (lean, y - height) to (x, y).

    The larger `square`, the fuller are its shoulders.
    """
    half = [(0, y - height), (x * square, y - height, x, y - height * square, x, y)]
    spine = reverse(mirror(half)) + half[1:]
    # A handle leans more the higher it is.
    return [
        tuple(
            v + lean * (y - step[i + 1]) / height if i % 2 == 0 else v for i, v in enumerate(step)
        )
        for step in spine
    ]


def shifted(path, dx, dy):
    """The same path elsewhere."""
    return [tuple(v + (dx, dy)[i % 2] for i, v in enumerate(step)) for step in path]


def _weights(degree, count):
    """Weights of the control points of a Bezier curve at `count` places, without its start."""
    return [
        [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)]
        for t in ((i + 1) / count for i in range(count))
    ]


_WEIGHTS = {2: _weights(1, 2), 4: _weights(2, 5), 6: _weights(3, 5)}


def _sampled(spine):
    """Points along an open path."""
    points = [spine[0]]
    for step in spine[1:]:
        knots = points[-1] + step
        points += [
            (
                sum(w * x for w, x in zip(weights, knots[::2], strict=True)),
                sum(w * y for w, y in zip(weights, knots[1::2], strict=True)),
            )
            for weights in _WEIGHTS[len(step)]
        ]
    return points


def _curve(points):
    """A smooth open path past the points."""
    steps = [(*p, (p[0] + q[0]) / 2, (p[1] + q[1]) / 2) for p, q in pairwise(points[1:])]
    return [points[0], *steps, points[-1]]


def ribbon(spine, width, end=None):
    """The closed outline of a band along an open path, `width` wide at its start."""
    points = _sampled(spine)
    left, right = [], []
    for i, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[max(i - 1, 0)], points[min(i + 1, len(points) - 1)]
        wide = width + ((width if end is None else end) - width) * i / (len(points) - 1)
        half = wide / 2 / (math.dist((x0, y0), (x1, y1)) or 1)
        dx, dy = (y0 - y1) * half, (x1 - x0) * half
        left.append((x + dx, y + dy))
        right.append((x - dx, y - dy))
    return _curve(left) + _curve(right[::-1])


def _frame(outer, width):
    """A closed outline with a hole, from a convex one around (0, 0) whose rim is `width` wide."""
    xs, ys = zip(*(step[-2:] for step in outer), strict=True)
    across, down = 1 - 2 * width / (max(xs) - min(xs)), 1 - 2 * width / (max(ys) - min(ys))
    inner = [
        tuple(v * (across, down)[i % 2] for i, v in enumerate(step)) for step in reverse(outer)
    ]
    return outer + inner


def _paced(spine, step):
    """Points `step` apart along an open path, each with its direction."""
    points = _sampled(spine)
    left = step / 2
    for start, end in pairwise(points):
        length = math.dist(start, end)
        while left < length:
            part = left / length
            yield (
                tuple(a + (b - a) * part for a, b in zip(start, end, strict=True)),
                tuple((b - a) / length for a, b in zip(start, end, strict=True)),
            )
            left += step
        left -= length


def at(spine, part):
    """The point that lies about `part` of the way along an open path."""
    points = _sampled(spine)
    return points[round(part * (len(points) - 1))]


def _inset(path):
    """The seam of a flap: its edge, a little nearer to the axis and higher."""
    return [tuple(v * 0.955 if i % 2 == 0 else v - 1.6 for i, v in enumerate(s)) for s in path]


def _covering(path):
    """The beginning of an SVG rectangle a little larger than the path: the scene will tilt it."""
    xs, ys = zip(*_sampled(path), strict=True)
    left, top = min(xs) - 1.5, min(ys) - 1.5
    return (
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{max(xs) - left + 1.5:.2f}" '
        f'height="{max(ys) - top + 1.5:.2f}"'
    )


class Saddler:
    """Makes the parts of one bag in a scene.

    Args:
        drawing: `Scene` to draw in.
        rng: `numpy.random.Generator` for the measures that a caller does not give.
        cloth: `Fabric`.
        trim: `Trim`.
    """

    def __init__(self, drawing, rng, cloth, trim):
        self.drawing, self.rng, self.cloth, self.trim = drawing, rng, cloth, trim
        drawing.define(_SHADES)

    # --- cloth and leather -----------------------------------------------------------------------

    def ground(self, width, y):
        """Adds the shadow of a bag that stands on the ground at height y, to the picture alone."""
        self.drawing.print_on(
            box(0, y, 60, 12),
            f'<ellipse cx="1" cy="{y - 0.8:.1f}" rx="{width * 1.12:.1f}" ry="4" '
            'fill="url(#ground)"/>',
        )

    def panel(self, path, color=None, depth=0.8, volume=1.0):
        """Adds a panel of the fabric or of leather, rounded off towards its edges by `volume`."""
        self.drawing.piece(path, self.cloth, color, depth=depth)
        d, cover = to_svg(path), _covering(path)
        self.drawing.print_on(
            path,
            f'{cover} fill="url(#sheen)"/>'
            f'{cover} fill="url(#turn)" fill-opacity="{min(1, 0.75 * volume):.2f}"/>'
            f'<path d="{d}" fill="none" stroke="{_INK}" stroke-opacity=".11" stroke-width="2.2"/>'
            f'<path d="{d}" fill="none" stroke="#fff" stroke-opacity=".12" stroke-width="1.4" '
            'transform="translate(1 1.5)"/>',
        )

    def gusset(self, side, top, bottom, depth, rise):
        """Adds the side of the body, as a bag that is turned a little shows it.

        Args:
            side: 1 for the right, -1 for the left.
            top: upper end of its front edge, given for the right.
            bottom: lower end of its front edge.
            depth: how much of it is seen.
            rise: how much higher its back edge begins.
        """
        (x0, y0), (x1, y1) = top, bottom
        back = [(x0 + depth, y0 - rise), (x1 + depth * 1.15, y1 * 0.5, x1 + depth * 0.85, y1 - 3)]
        sole = (x1 + depth * 0.75, y1 - depth * 0.35, x1, y1)
        path = flip([(x0 - 2, y0), *back, sole, (x1 - 3, y1)], side)
        self.drawing.piece(path, self.cloth, depth=0.3)
        self.drawing.print_on(path, f'{_covering(path)} fill="{_INK}" fill-opacity=".4"/>')
        crease = (x0 + x1) / 2 + depth * 0.3, (y0 + y1) / 2
        fold = [(x0 + depth * 0.5, y0 - rise / 2), (*crease, x1 + depth * 0.45, y1 - 3)]
        self.drawing.lines([flip(fold, side)], opacity=0.35, sketch=False)

    def flap(self, body, path, lower, piped=False, color=None):
        """Adds a flap with its shadow on `body`; `lower` is the free part of its outline."""
        self._cast(body, lower)
        self.panel(path, color)
        if piped:
            self.piping(lower)
        self.stitches(_inset(lower))

    def straight_flap(self, body, cut, top, tuck, sag=0.0, piped=False, color=None):
        """Adds a flap that ends in a straight edge.

        Args:
            body: outline of what it lies on.
            cut: half its width at the top and at the edge, height and corner of the edge.
            top: y of its fold.
            tuck: size of the corners at the fold.
            sag: how far the edge curves downwards.
            piped: whether leather piping follows the edge.
            color: `"#rrggbb"`, for a flap of leather.

        Returns:
            The outline of the flap.
        """
        width, over, lip, corner = cut
        path = slab(width, top, over, lip, tuck, corner, (0.5, 0.2, sag))
        x = over - corner
        lower = [(-over, top + tuck), (-over, lip - corner), (-over, lip, -x, lip)]
        lower += [(0, lip + 2 * sag, x, lip), (over, lip, over, lip - corner), (over, top + tuck)]
        self.flap(body, path, lower, piped, color)
        return path

    def _cast(self, path, edge):
        """Adds the shadow that the lower `edge` of a flap or a band casts inside `path`."""
        d = to_svg(edge, closed=False)
        self.drawing.print_on(
            path,
            "".join(
                f'<path d="{d}" fill="none" stroke="{_INK}" stroke-width="{width}" '
                'stroke-opacity=".22" transform="translate(0 1)"/>'
                for width in (2, 4.6)
            ),
        )

    def creases(self, reach, top, bottom, count):
        """Adds soft folds that hang down a panel, within `reach` of its axis."""
        folds = []
        for x in self.rng.uniform(-reach, reach, count):
            start = self.rng.uniform(top, top + (bottom - top) * 0.15)
            end = self.rng.uniform(start + (bottom - start) * 0.5, bottom)
            shift = self.rng.normal(0, 2)
            folds.append([(x, start), (x + shift, (start + end) / 2), (x * 0.95, end)])
        self.drawing.folds(folds, self.rng.uniform(4, 7), self.rng.uniform(0.09, 0.15))

    def base(self, top, y, bottom, height, radius):
        """Adds a bottom of leather, from half width `top` at y to half width `bottom`."""
        path = slab(top, y, bottom, height + 0.2, 0.3, radius, (0, 0, 0.6))
        self.panel(path, self.trim.leather)
        self.stitches([(-top, y + 1.2), (top, y + 1.2)])

    def stitches(self, *paths):
        """Adds seams of visible thread."""
        self.drawing.lines(
            paths,
            color=self.trim.thread,
            opacity=0.75,
            width=0.42,
            dash="1.1 .7",
            sketch=False,
        )

    def piping(self, *paths, width=0.9):
        """Adds a thin round edge of leather."""
        self.drawing.lines(paths, color=mix(self.trim.leather, _INK, 0.15), opacity=1, width=width)
        light = mix(self.trim.leather, "#ffffff", 0.35)
        self.drawing.lines(paths, color=light, opacity=0.6, width=width * 0.3, sketch=False)

    def strap(self, spine, width, end=None, rolled=False, shade=0.0):
        """Adds a band of leather: flat with stitched edges, or `rolled` with a line of light."""
        color = mix(self.trim.leather, _INK, shade)
        self.drawing.piece(ribbon(spine, width, end), color=color, depth=0.7)
        if rolled:
            light = mix(color, "#ffffff", 0.4)
            for part, alpha in ((0.5, 0.3), (0.2, 0.5)):
                line = shifted(spine, -width * 0.1, -width * 0.1)
                self.drawing.lines(
                    [line], color=light, opacity=alpha, width=width * part, sketch=False
                )
        elif width > 2:
            outline = ribbon(spine, width - 1, None if end is None else end - 1)
            half = len(outline) // 2
            self.stitches(outline[:half], outline[half:])

    def chain(self, spine, width):
        """Adds a chain of oval links, seen from the front and from the side in turns."""
        dark = mix(self.trim.metal, _INK, 0.5)
        self.drawing.piece(ribbon(spine, width * 0.35), color=dark, depth=0.3)
        links = []
        for i, ((x, y), (dx, dy)) in enumerate(_paced(spine, width * 0.75)):
            u, v = dx * width * 0.62, dy * width * 0.62
            if i % 2:
                links.append([(x - u, y - v), (x + u, y + v)])
                continue
            p, q = -dy * width * 0.6, dx * width * 0.6
            links.append(
                [
                    (x - u, y - v),
                    (x - u + p, y - v + q, x + u + p, y + v + q, x + u, y + v),
                    (x + u - p, y + v - q, x - u - p, y - v - q, x - u, y - v),
                ]
            )
        light = mix(self.trim.metal, "#ffffff", 0.15)
        for color, part in ((dark, 0.45), (light, 0.26)):
            self.drawing.lines(links, color=color, opacity=1, width=width * part, sketch=False)

    def tab(self, x, y, width, height, rivets=1, turn=0.0):
        """Adds a stitched patch of leather from (x, y) downwards, that holds a handle."""
        w = width / 2
        outline = [(-w, 0), (w, 0), (w, height * 0.75), (w, height, 0, height)]
        outline += [(-w, height, -w, height * 0.75)]
        seam = [
            (-w + 0.6, 0.5),
            (-w + 0.6, height * 0.75),
            (-w + 0.6, height - 0.6, 0, height - 0.6),
        ]
        seam += [(w - 0.6, height - 0.6, w - 0.6, height * 0.75), (w - 0.6, 0.5)]
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))

        def turned(path):
            return [
                tuple(
                    v
                    for a, b in zip(step[::2], step[1::2], strict=True)
                    for v in (x + a * cos - b * sin, y + a * sin + b * cos)
                )
                for step in path
            ]

        self.drawing.piece(turned(outline), color=self.trim.leather, depth=0.6)
        self.stitches(turned(seam))
        spots = [(0, height * (0.35 + 0.35 * i)) for i in range(rivets)]
        self.studs([point[-2:] for point in turned(spots)], min(0.8, width * 0.2))

    # --- metal -----------------------------------------------------------------------------------

    def studs(self, centers, radius):
        """Adds rivets."""
        if centers:
            self.drawing.buttons(centers, radius, self.trim.metal)
            glints = [(x - radius * 0.3, y - radius * 0.3) for x, y in centers]
            spots = [circle(x, y, radius * 0.3) for x, y in glints]
            self.drawing.lines(
                spots, color="#ffffff", opacity=0.6, width=radius * 0.4, sketch=False
            )

    def plate(self, path):
        """Adds a piece of polished metal."""
        self.drawing.piece(path, color=self.trim.metal, depth=1.3)
        xs, ys = zip(*(step[-2:] for step in path), strict=True)
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        left, top = x + 0.65 * (min(xs) - x), y + 0.65 * (min(ys) - y)
        glint = [(left, y), (left, top, x, top)]
        self.drawing.lines([glint], color="#ffffff", opacity=0.6, width=0.45, sketch=False)

    def rail(self, spine, width):
        """Adds a bar of polished metal."""
        self.drawing.piece(ribbon(spine, width), color=self.trim.metal)
        glint = shifted(spine, 0, -width * 0.2)
        self.drawing.lines([glint], color="#ffffff", opacity=0.5, width=width * 0.2, sketch=False)

    def ring(self, x, y, radius, width=0.9):
        """Adds a ring."""
        path = shifted(_frame(circle(0, 0, radius + width / 2), width), x, y)
        self.drawing.piece(path, color=self.trim.metal, depth=0.9)

    def feet(self, xs, y):
        """Adds metal feet."""
        for x in xs:
            self.plate(box(x, y, 1.1, 1))

    def belt(self, x, top, bottom, width, buckle):
        """Adds a closing strap from y = `top` down to a pointed end, with a buckle at `buckle`."""
        w = width / 2
        outline = [(x - w, top), (x + w, top), (x + w, bottom - w), (x, bottom + w * 0.4)]
        outline += [(x - w, bottom - w)]
        self.drawing.piece(outline, color=self.trim.leather, depth=0.8)
        edge = w - 0.5
        self.stitches(*([(x + dx, top + 0.5), (x + dx, bottom - w)] for dx in (-edge, edge)))
        h = width * 0.5
        frame = shifted(_frame(box(0, 0, w + 1.2, h + 0.5, 1), 1), x, buckle)
        self.drawing.piece(frame, color=self.trim.metal, depth=0.9)
        self.drawing.lines(
            [[(x, buckle - h), (x, buckle + h)]], color=self.trim.metal, opacity=1, width=0.7
        )
        holes = [
            (x, buckle + h + 1.4 + 1.6 * i) for i in range(2) if buckle + h + 2 + 1.6 * i < bottom
        ]
        for hole in holes:
            self.drawing.lines([circle(*hole, 0.25)], color=_INK, opacity=0.7, sketch=False)

    def clasp(self, x, y, size):
        """Adds what closes a flap: a snap, a turn lock, a tongue with a plate, or a padlock."""
        kind, s = self.rng.choice(["snap", "turn", "plate", "padlock"]), size
        if kind == "snap":
            self.plate(circle(x, y, s * 0.55))
            self.drawing.lines([circle(x, y, s * 0.28)], opacity=0.5, width=0.35, sketch=False)
        elif kind == "turn":
            self.plate(box(x, y, s, s * 0.6, 1))
            self.plate(box(x, y, 0.5, s * 0.45))
        elif kind == "plate":
            tongue = box(x, y - s * 0.2, s * 0.9, s, 1.2)
            self.drawing.piece(tongue, color=self.trim.leather, depth=0.7)
            self.plate(box(x, y, s * 0.65, s * 0.55))
            hole = circle(x, y, 0.3)
            self.drawing.lines([hole], color=_INK, opacity=0.8, width=0.6, sketch=False)
        else:
            shackle = arch(s * 0.45, y - s * 0.1, s * 0.9, 0.7)
            self.drawing.piece(ribbon(shifted(shackle, x, 0), 0.8), color=self.trim.metal)
            self.plate(box(x, y + s * 0.35, s * 0.75, s * 0.65))
            hole = [(x, y + s * 0.2), (x, y + s * 0.55)]
            self.drawing.lines([hole], color=_INK, opacity=0.8, width=0.6, sketch=False)

    def zipper(self, spine, pull=1.0, hang=4.5):
        """Adds a zip on a tape of leather, with its slider `pull` of the way along the spine."""
        self.drawing.piece(ribbon(spine, 2.7), color=mix(self.trim.leather, _INK, 0.35), depth=0.3)
        self.drawing.lines(
            [spine], color=self.trim.metal, opacity=0.95, width=1.2, dash=".7 .5", sketch=False
        )
        x, y = at(spine, pull)
        self.plate(box(x, y, 1, 1.2))
        if hang > 7:
            self.tassel(x, y + 1, hang)
        else:
            tip = (x + self.rng.normal(0, 0.5), y + 1 + hang)
            self.drawing.piece(ribbon([(x, y + 1), tip], 1, 1.9), color=self.trim.leather)

    # --- what dangles ----------------------------------------------------------------------------

    def cords(self, *paths):
        """Adds round cords that lie on the bag."""
        color = mix(self.trim.leather, _INK, 0.3)
        self.drawing.lines(paths, color=color, opacity=1, width=1.4)
        light = mix(self.trim.leather, "#ffffff", 0.25)
        self.drawing.lines(paths, color=light, opacity=0.9, width=0.6, sketch=False)

    def tassel(self, x, y, length, width=3.2):
        """Adds a tassel that hangs from (x, y)."""
        color, w = self.trim.leather, width / 2
        tilt = self.rng.normal(0, 0.6)
        self.drawing.piece(
            [
                (x - w * 0.45, y + length * 0.25),
                (x + w * 0.45, y + length * 0.25),
                (x + w + tilt, y + length),
                (x + tilt, y + length + 0.7, x - w + tilt, y + length),
            ],
            color=color,
        )
        fringe = [
            [(x + w * 0.4 * t, y + length * 0.35), (x + w * t + tilt, y + length - 0.2)]
            for t in (-0.6, -0.2, 0.2, 0.6)
        ]
        self.drawing.lines(fringe, opacity=0.5, width=0.3, sketch=False)
        self.plate(box(x, y + length * 0.15, w * 0.55, length * 0.16))

    def charm(self, x, y):
        """Adds something small that hangs from a handle at (x, y): a tassel, a tag or a ball."""
        kind, drop = self.rng.choice(["tassel", "tag", "ball"]), self.rng.uniform(4, 7)
        self.drawing.lines(
            [[(x, y), (x, y + drop)]],
            color=self.trim.metal,
            opacity=1,
            width=0.7,
            dash="1 .4",
            sketch=False,
        )
        if kind == "tassel":
            self.tassel(x, y + drop, self.rng.uniform(8, 11), 4)
        elif kind == "tag":
            self.tab(x, y + drop - 0.5, 5, self.rng.uniform(6.5, 8))
        else:
            self.plate(circle(x, y + drop + 2, 2.2))

    # --- prints ----------------------------------------------------------------------------------

    def emblem(self, path, y, size):
        """Prints the emblem of a graphic fabric on a panel, with centre y and half width `size`."""
        # Drawn even when there is no emblem: the cut must not depend on the fabric.
        x, turn = self.rng.normal(0, 0.4), self.rng.normal(0, 3)
        if self.cloth.emblem:
            place = f"translate({x:.2f} {y:.2f}) rotate({turn:.1f}) scale({size:.2f})"
            self.drawing.print_on(path, f'<g transform="{place}">{self.cloth.emblem}</g>')
