"""The body of a car: surfaces through rings around it. See `studio` for the coordinates.

A surface is a stack of rings, like the layers of a printed model. All rings have the same stations
`s`, which run once around the car: 0 is the middle of the nose, 1 to 2 the left front corner, 2 to
3 the left side, 3 to 4 the corner behind it, 5 the middle of the tail, and -s is opposite to s.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from keras_design_gans.datasets.studio import area, figure

# Stations of a half ring: front, corner, side, corner, rear.
_HALF = np.concatenate([k + np.arange(n) / n for k, n in enumerate((4, 5, 12, 5, 4))] + [[5.0]])
STATIONS = np.concatenate([_HALF, 10 - _HALF[-2:0:-1]])
_AROUND = 10.0
_CLOSED = np.append(STATIONS, _AROUND)
# Which of the four faces a station belongs to: front, left, rear, right.
_FACES = np.digitize(STATIONS, (1.5, 3.5, 6.5, 8.5)) % 4

_WINDOW = np.linspace(-1, 1, 7)


def smooth(x, xs, ys, radius):
    """The polygon through the points (xs, ys), its corners rounded, at the places `x`.

    The mean of the polygon over a window has corners that are parabolas and never overshoots.
    """
    return np.interp(np.asarray(x)[..., None] + radius * _WINDOW, xs, ys).mean(-1)


def rings(front, rear, width, bow=(0.1, 0.06), taper=(0.1, 0.06), corner=(0.4, 0.3)):
    """Rings seen from above: rectangles whose sides are bent and whose corners are round.

    Args:
        front: x of the middle of the front edge of each ring.
        rear: x of the middle of the rear edge.
        width: half of the largest width.
        bow: how far the corners lie behind the middle, in front and at the rear.
        taper: by which part the corners are narrower than the middle of the side.
        corner: length of the rounding, in front and at the rear.

    Returns:
        Array of shape `(rings, stations, 2)` with x and y.
    """
    front, rear, width = (np.reshape(v, (-1, 1)) for v in (front, rear, width))
    ends = (front - bow[0], rear + bow[1])
    length = ends[0] - ends[1]

    def side(v):
        inwards = np.where(v < 0.5, taper[0], taper[1]) * np.abs(1 - 2 * v) ** 2.4
        return np.stack(np.broadcast_arrays(ends[0] - v * length, width * (1 - inwards)), -1)

    def edge(u, which):
        middle = (front, rear)[which]
        x, y = middle + (ends[which] - middle) * u**2, u * width * (1 - taper[which])
        return np.stack(np.broadcast_arrays(x, y), -1)

    def rounding(u, start, tip, end):
        u = u[:, None]
        return (1 - u) ** 2 * start + 2 * u * (1 - u) * tip + u**2 * end

    first, last = (np.minimum(c / length, 0.3) for c in corner)
    a, b = (np.clip(c / width, 0.1, 0.5) for c in corner)
    part = [_HALF[_HALF.astype(int) == k] - k for k in range(4)] + [_HALF[_HALF >= 4] - 4]
    half = np.concatenate(
        [
            edge(part[0] * (1 - a), 0),
            rounding(part[1], edge(1 - a, 0), side(0 * last), side(first)),
            side(first + part[2] * (1 - last - first)),
            rounding(part[3], side(1 - last), side(1 + 0 * last), edge(1 - b, 1)),
            edge((1 - part[4]) * (1 - b), 1),
        ],
        axis=1,
    )
    return np.concatenate([half, half[:, -2:0:-1] * (1, -1)], axis=1)


def raised(xy, z):
    """Points in space from rings seen from above and their heights."""
    return np.concatenate([xy, np.broadcast_to(z, xy.shape[:-1])[..., None]], -1)


class Surface:
    """A surface through rings, as one camera sees it.

    Args:
        rings: array of shape `(levels, stations, 3)`, from below (or outside) upwards.
        camera: `Camera`.
        heights: the `t` of each ring, from 0 to 1; evenly spaced by default.
    """

    def __init__(self, rings, camera, heights=None):
        self.rings, self.camera = rings, camera
        self.heights = np.linspace(0, 1, len(rings)) if heights is None else heights
        around = np.roll(rings, -1, 1) - np.roll(rings, 1, 1)
        up = rings[1:] - rings[:-1]
        normal = np.cross((around[1:] + around[:-1]) / 2, up)
        self.normals = normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9)
        self.views = camera.towards((rings[1:] + rings[:-1]) / 2)
        self.facing = (self.normals * self.views).sum(-1)
        # Neighbours see a little more, so that the silhouette has no teeth.
        self._shown = self.facing > 0
        self._shown[1:] |= self.facing[:-1] > 0
        self._shown[:-1] |= self.facing[1:] > 0
        self._shown |= np.roll(self._shown, 1, 1) | np.roll(self._shown, -1, 1)
        self._front = self.facing.mean(0)
        self._limits = None

    def at(self, s, t):
        """The points at stations `s` and heights `t` from 0 (first ring) to 1 (last ring)."""
        s, t = np.broadcast_arrays(np.asarray(s, float), np.asarray(t, float))
        count = len(STATIONS)
        place = np.interp(s % _AROUND, _CLOSED, np.arange(count + 1))
        j, v = self._row(t)
        i = place.astype(int)
        u, v = (place - i)[..., None], v[..., None]
        lower, upper = self.rings[j, i % count], self.rings[j + 1, i % count]
        lower = lower + (self.rings[j, (i + 1) % count] - lower) * u
        upper = upper + (self.rings[j + 1, (i + 1) % count] - upper) * u
        return lower + (upper - lower) * v

    def _row(self, t):
        """The ring below the height `t`, and how far it is from there to the next one."""
        level = np.interp(t, self.heights, np.arange(len(self.heights)))
        row = np.minimum(level.astype(int), len(self.heights) - 2)
        return row, level - row

    def side(self, x, t):
        """The stations on the left side (between 1 and 4) where the surface has this x."""
        x, t = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
        inside = slice(*np.searchsorted(STATIONS[: len(STATIONS) // 2], (1, 4)))
        row, part = self._row(t)
        xs = self.rings[:, inside, 0]
        xs = xs[row] + (xs[row + 1] - xs[row]) * part[:, None]
        i = np.clip((xs > x[:, None]).sum(1), 1, xs.shape[1] - 1)
        each = np.arange(len(x))
        left, right = xs[each, i - 1], xs[each, i]
        stations = STATIONS[inside]
        between = np.clip((left - x) / (left - right), 0, 1)
        return stations[i - 1] + (stations[i] - stations[i - 1]) * between

    def seen(self, s, t):
        """Moves the stations `s` that the camera does not see to the last ones that it sees."""
        middle, low, high = self._horizon()
        row = self._row(t)[0]
        away = (np.asarray(s) - middle + _AROUND / 2) % _AROUND - _AROUND / 2
        return middle + np.clip(away, low[row], high[row])

    def _horizon(self):
        """The station nearest to the camera, and how far each row is seen to its sides."""
        if self._limits is None:
            count = len(STATIONS)
            best = int(self._front.argmax())
            steps = np.arange(-count // 2, count // 2)
            order = (best + steps) % count
            away = STATIONS[order] - STATIONS[best]
            away += _AROUND * (((steps > 0) & (away < 0)).astype(int) - ((steps < 0) & (away > 0)))
            hidden = self.facing[:, order] <= 0
            left = np.where(hidden & (steps <= 0), np.arange(count), -1).max(1) + 1
            right = np.where(hidden & (steps >= 0), np.arange(count), count).min(1) - 1
            ends = np.maximum(left.clip(max=count // 2), 0), np.maximum(right, count // 2)
            self._limits = STATIONS[best], away[ends[0]], away[ends[1]]
        return self._limits

    def patch(self, corners, bend=0.3):
        """A closed figure on the surface with rounded corners, cut where it turns out of sight.

        Args:
            corners: list of `(s, t)`.
            bend: which part of each edge belongs to the rounding of its two ends, up to 0.5.

        Returns:
            Array of shape `(points, 2)` in the frame, or `None` when (nearly) nothing is seen.
        """
        s, t = figure(corners, bend).T
        moved = self.seen(s, t)
        if not (np.abs((moved - s + 1) % _AROUND - 1) < 1e-6).any():
            return None
        flat = self.camera(self.at(moved, t))
        return flat if abs(area(flat)) > 500 else None

    def line(self, s, t):
        """The visible part of a curve on the surface, projected: `(points, 2)`, maybe empty."""
        s, t = (np.array(v, float) for v in np.broadcast_arrays(s, t))
        kept = np.abs(self.seen(s, t) - s) % _AROUND
        kept = np.minimum(kept, _AROUND - kept) < 0.02
        return self.camera(self.at(s[kept], t[kept]))

    def strips(self, row, flat):
        """The pieces between two neighbouring rings, each on one face and running one way.

        Args:
            row: the lower ring.
            flat: the middle of the strip in the frame, shape `(stations, 2)`.

        Returns:
            Two lists of arrays of station indexes: the pieces that face the camera, and those
            just behind the horizon, turned round so that all polygons run the same way.
        """
        start = int(self._front.argmin())  # the seam lies where nobody sees it
        order = (start + np.arange(len(flat) + 1)) % len(flat)
        shown, xs, facing = self._shown[row][order], flat[order, 0], self.facing[row][order]
        way = np.where(xs[1:] > xs[:-1], 1, 2) * np.where(facing[1:] + facing[:-1] > 0, 1, -1)
        way *= shown[1:] & shown[:-1]
        turns = np.diff(way) != 0
        cuts = [0, *(np.flatnonzero(turns | (np.diff(_FACES[order[:-1]]) != 0)) + 1), len(way)]
        seen, hidden = [], []
        for a, b in pairwise(cuts):
            if way[a] > 0:
                # Into the next face, so that no gap shines through.
                more = b < len(way) and not turns[b - 1]
                seen.append(order[a : b + 1 + more])
            elif way[a] < 0:
                hidden.append(order[a : b + 1][::-1])
        return seen, hidden


@dataclass
class Measures:
    """Measures of a body in metres; x of the cabin is counted from the axle that is nearer."""

    wheelbase: float
    nose: float  # overhang in front of the front axle
    tail: float  # overhang behind the rear axle
    width: float  # half of the width
    wheel: float  # radius with the tyre
    sill: float  # height of the lower edge
    hood: float  # height of the front edge of the hood
    cowl: float  # height of the body where the windscreen begins
    belt: float  # height of the body where the side windows end
    deck: float  # height of the body at the tail
    roof: float
    screen: tuple  # x of foot and top of the windscreen, from the front axle
    back: tuple  # x of top and foot of the rear window, from the rear axle
    tumble: float = 0.16  # how far the side windows lean inwards
    droop: float = 0.05  # how far the roof falls towards its rear end
    crease: float = 0.012  # depth of the hollow below the shoulder
    crown: float = 0.05  # how much the hood is arched across
    slopes: tuple = (1.0, 1.0)  # how much nose and tail lean
    bows: tuple = (0.2, 0.1)  # how far the corners lie behind the middle, front and rear

    @property
    def axles(self):
        """The x of the front and of the rear axle."""
        return self.wheelbase / 2, -self.wheelbase / 2

    @property
    def ends(self):
        """The x of the foremost and of the last point."""
        return self.wheelbase / 2 + self.nose, -self.wheelbase / 2 - self.tail


# The side of the body from sill to shoulder: height, and how far the ring lies inside of the
# widest one at the side, in front and at the rear.
_SECTION = np.array(
    [
        (0.00, 0.130, 0.180, 0.160),
        (0.05, 0.060, 0.080, 0.080),
        (0.14, 0.032, 0.020, 0.020),
        (0.32, 0.014, 0.000, 0.000),
        (0.50, 0.000, 0.010, 0.005),
        (0.66, 0.000, 0.025, 0.018),
        (0.78, 0.010, 0.045, 0.035),
        (0.86, 0.022, 0.070, 0.050),
        (0.92, 0.040, 0.105, 0.070),
        (0.97, 0.065, 0.160, 0.110),
        (1.00, 0.095, 0.230, 0.160),
    ]
)
LEVELS = np.array([0, 0.04, 0.1, 0.2, 0.34, 0.48, 0.6, 0.7, 0.78, 0.84, 0.89, 0.93, 0.965, 1.0])
_EAVES = 0.06  # how far the edge of the roof lies below its middle
CABIN = np.array([0, 0.2, 0.42, 0.64, 0.84, 1])


class Form:
    """The rings of a body, and the heights that its parts are placed by.

    Args:
        measures: `Measures`.
        open_top: whether there is no roof.
    """

    def __init__(self, measures, open_top=False):
        m = self.measures = measures
        self.open_top = open_top
        front, rear = m.ends
        a, b = m.axles
        self.screen = (a + m.screen[0], a + m.screen[1])
        self.back = (b + m.back[0], b + m.back[1])
        edge, foot = front - 0.25, self.screen[0] - 0.15
        bent = np.linspace(foot, edge, 4)
        heights = m.hood + (m.cowl - m.hood) * np.array([1, 0.88, 0.55, 0])
        self._shoulder = (
            [rear, max(self.back[1], rear + 0.1), *bent],
            [m.deck, m.belt, *heights],
        )
        self._inset = m.width - _SECTION[-1, 1]
        width = m.width - 0.125
        self._foot = rings(
            self.screen[0], self.back[1], width, (0.3, 0.1), (0.1, 0.08), (0.16, 0.2)
        )[0]
        width -= m.tumble
        self._crown = rings(
            self.screen[1], self.back[0], width, (0.1, 0.06), (0.05, 0.05), (0.12, 0.18)
        )[0]
        self.lower = self._lower()
        self.upper = self._upper()
        self.cabin, self.roof = self._cabin(), self._roof()
        # The middle of the left mirror: beside the foot of the first pillar.
        x, _, z = self.cabin[0, np.searchsorted(STATIONS, 1.8)]
        self.mirror = np.array((x - 0.05, m.width + 0.02, z + 0.11))

    def shoulder(self, x):
        """Height of the upper edge of the side."""
        return smooth(x, *self._shoulder, 0.25)

    def bottom(self, x):
        """Height of the lower edge of the body."""
        m = self.measures
        (front, rear), (a, b) = m.ends, m.axles
        return smooth(x, [rear, b, a, front], m.sill + np.array([0.1, 0.0, 0.0, 0.03]), 0.25)

    def top(self, xy):
        """Height of hood and deck."""
        across = np.clip(np.abs(xy[..., 1]) / self._inset, 0, 1)
        return self.shoulder(xy[..., 0]) + self.measures.crown * (1 - across**2)

    def height(self, x):
        """Height of the middle of the roof."""
        m = self.measures
        (front, rear), length = (self.screen[1], self.back[0]), self.screen[1] - self.back[0]
        places = [rear, rear + 0.55 * length, front - 0.2 * length, front]
        return smooth(x, places, [m.roof - m.droop, m.roof, m.roof, m.roof - 0.03], 0.2 * length)

    def _plan(self, front, rear, width):
        return rings(front, rear, width, self.measures.bows, (0.12, 0.07), (0.38, 0.28))

    def _lower(self):
        m = self.measures
        inset, front, rear = (np.interp(LEVELS, _SECTION[:, 0], c) for c in _SECTION.T[1:])
        inset = inset + m.crease * np.exp(-(((LEVELS - 0.72) / 0.07) ** 2))
        slopes = [np.where(LEVELS < 0.5, 1, slope) for slope in m.slopes]
        xy = self._plan(
            m.ends[0] - front * slopes[0], m.ends[1] + rear * slopes[1], m.width - inset
        )
        low, high = self.bottom(xy[..., 0]), self.top(xy)
        return raised(xy, low + (high - low) * LEVELS[:, None])

    def _upper(self):
        """From the shoulder inwards over hood and deck to the foot of the windows."""
        outer, inner = self.lower[-1, :, :2], self._foot
        k = np.array([0, 0.08, 0.2, 0.38, 0.58, 0.8, 1])[:, None, None]
        xy = outer + (inner - outer) * k
        points = raised(xy, self.top(xy))
        points[0, :, 2] -= 0.012  # below the edge of the side: no gap
        return points

    def _cabin(self):
        foot, crown = self._foot, self._crown
        low, high = self.top(foot) - 0.012, self.height(crown[:, 0]) - _EAVES
        k = CABIN[:, None]
        bent = k * (1 - k)  # the glass is arched: it rises faster than it leans
        xy = foot + (crown - foot) * (k - 0.1 * bent)[..., None]
        return raised(xy, low + (high - low) * (k + 0.16 * bent))

    def _roof(self):
        crown, half = self._crown, self.measures.width * 0.5
        ridge = sorted((self.back[0] + half, self.screen[1] - half))
        middle = crown * (0, 0) + np.clip(crown, *ridge) * (1, 0)
        k = np.array([1, 0.97, 0.92, 0.82, 0.6, 0.3, 0])[:, None]
        xy = middle + (crown - middle) * k[..., None]
        return raised(xy, self.height(xy[..., 0]) - _EAVES * k**5 - 0.012 * (k == 1))
