"""Drawn product shots of cars: 7 bodies from 6 sides, in a light studio.

Every car is a model in space, built from random measures: wheelbase, overhangs, heights of hood,
belt and roof, rake of the windows, section of the sides, wheels, lamps, grille, paint. It is seen
by a camera with a weak perspective. The same scene gives the picture, its mask and its line
drawing. Picture `n` always has body `n % 7` and view `n // 7 % 6`, so 42 pictures in a row are
balanced, and it depends on nothing but `(seed, n)`. `scene` draws the same car from any side.
"""

from dataclasses import dataclass

import numpy as np

from keras_design_gans.datasets.bodywork import STATIONS, Form, Measures
from keras_design_gans.datasets.coachwork import Coachbuilder, Look
from keras_design_gans.datasets.scene import brightness, mix
from keras_design_gans.datasets.series import Series
from keras_design_gans.datasets.studio import Camera, Shot

# Where the camera stands, in degrees: 0 is before the nose, 90 on the left of the driver.
VIEWS = {
    "front": 0,
    "front three-quarter": 37,
    "left": 90,
    "rear three-quarter": 143,
    "rear": 180,
    "right": 270,
}

_STUDIO = (
    '<linearGradient id="wall" x2="0" y2="1"><stop offset="0" stop-color="#dfe3e7"/>'
    '<stop offset=".6" stop-color="#eceff1"/><stop offset="1" stop-color="#f6f7f8"/>'
    '</linearGradient><rect width="100%" height="100%" fill="url(#wall)"/>'
)


@dataclass
class Side:
    """Windows and doors of the side of a body."""

    rear: list  # rear edge of the windows, see `Coachbuilder.side_windows`
    pillars: list  # x of the pillars between the windows
    cuts: list  # x of the cuts of the doors behind the first one
    arched: bool = True  # whether the last cut runs around the wheel arch
    low: float = 0.07
    high: float = 0.9


# Rear edges of side windows, from below upwards.
_RAKED = [(3.05, 0.07), (3.25, 0.4), (2.84, 0.9)]
_KINKED = [(2.9, 0.07), (3.1, 0.42), (2.84, 0.9)]
_UPRIGHT = [(3.0, 0.07), (2.97, 0.9)]
_DART = [(2.95, 0.25), (3.1, 0.4), (2.78, 0.9)]


# --- the seven bodies ----------------------------------------------------------------------------


def _sedan(rng):
    cowl, foot = rng.uniform(0.91, 0.97), rng.uniform(-0.4, -0.22)
    belt = cowl + rng.uniform(0.0, 0.05)
    m = Measures(
        wheelbase=rng.uniform(2.70, 2.95),
        nose=rng.uniform(0.80, 0.90),
        tail=rng.uniform(0.92, 1.10),
        width=rng.uniform(0.90, 0.95),
        wheel=rng.uniform(0.325, 0.36),
        sill=rng.uniform(0.17, 0.21),
        hood=rng.uniform(0.70, 0.77),
        cowl=cowl,
        belt=belt,
        deck=belt + rng.uniform(0.0, 0.07),
        roof=rng.uniform(1.40, 1.48),
        screen=(foot, foot - rng.uniform(0.5, 0.64)),
        back=(rng.uniform(0.2, 0.45), rng.uniform(-0.5, -0.3)),
    )
    b = rng.uniform(-0.2, -0.05)
    rear = [_RAKED, _KINKED][rng.integers(2)]
    pillars = [b, m.axles[1] + 0.33] if rng.random() < 0.5 else [b]
    return m, Side(rear, pillars, [b, m.axles[1] + 0.35])


def _hatchback(rng):
    cowl, foot, tail = rng.uniform(0.94, 1.0), rng.uniform(-0.2, 0.0), rng.uniform(0.58, 0.72)
    belt = cowl + rng.uniform(0.0, 0.08)
    m = Measures(
        wheelbase=rng.uniform(2.42, 2.60),
        nose=rng.uniform(0.74, 0.85),
        tail=tail,
        width=rng.uniform(0.86, 0.92),
        wheel=rng.uniform(0.31, 0.345),
        sill=rng.uniform(0.17, 0.21),
        hood=rng.uniform(0.74, 0.80),
        cowl=cowl,
        belt=belt,
        deck=belt + rng.uniform(-0.02, 0.02),
        roof=rng.uniform(1.44, 1.56),
        screen=(foot, foot - rng.uniform(0.55, 0.68)),
        back=(-tail + rng.uniform(0.36, 0.55), -tail + 0.19),
        droop=rng.uniform(0.03, 0.1),
        slopes=(0.9, 0.9),
    )
    b, three = rng.uniform(-0.12, 0.02), rng.random() < 0.35
    rear = [_RAKED, _KINKED, _UPRIGHT][rng.integers(3)]
    if three:
        return m, Side(rear, [b - 0.15], [b - 0.2], arched=False)
    return m, Side(rear, [b, m.axles[1] + 0.2], [b, m.axles[1] + 0.3])


def _suv(rng):
    cowl, foot, tail = rng.uniform(1.08, 1.15), rng.uniform(-0.35, -0.15), rng.uniform(0.78, 0.94)
    m = Measures(
        wheelbase=rng.uniform(2.64, 2.92),
        nose=rng.uniform(0.80, 0.90),
        tail=tail,
        width=rng.uniform(0.92, 0.98),
        wheel=rng.uniform(0.36, 0.40),
        sill=rng.uniform(0.25, 0.31),
        hood=rng.uniform(0.93, 1.02),
        cowl=cowl,
        belt=cowl + rng.uniform(0.0, 0.07),
        deck=cowl + rng.uniform(0.0, 0.04),
        roof=rng.uniform(1.66, 1.82),
        screen=(foot, foot - rng.uniform(0.42, 0.55)),
        back=(-tail + rng.uniform(0.24, 0.46), -tail + 0.15),
        tumble=0.13,
        slopes=(0.6, 0.6),
    )
    b = rng.uniform(-0.12, 0.0)
    rear = [_RAKED, _UPRIGHT, _UPRIGHT][rng.integers(3)]
    return m, Side(rear, [b, m.axles[1] + 0.25], [b, m.axles[1] + 0.35])


def _low(rng, **special):
    """Measures of a sports car."""
    cowl, foot = rng.uniform(0.83, 0.88), rng.uniform(-0.62, -0.4)
    belt = cowl + rng.uniform(0.0, 0.04)
    measures = {
        "wheelbase": rng.uniform(2.48, 2.72),
        "nose": rng.uniform(0.82, 0.95),
        "tail": rng.uniform(0.80, 0.98),
        "width": rng.uniform(0.91, 0.97),
        "wheel": rng.uniform(0.33, 0.365),
        "sill": rng.uniform(0.14, 0.18),
        "hood": rng.uniform(0.62, 0.70),
        "cowl": cowl,
        "belt": belt,
        "deck": belt + rng.uniform(0.0, 0.08),
        "roof": rng.uniform(1.24, 1.33),
        "screen": (foot, foot - rng.uniform(0.5, 0.62)),
        "back": (rng.uniform(0.22, 0.42), rng.uniform(-0.6, -0.42)),
        "tumble": 0.19,
        "bows": (0.26, 0.12),
    }
    return Measures(**{**measures, **special})


def _coupe(rng):
    m = _low(rng, droop=rng.uniform(0.05, 0.09))
    b = rng.uniform(-0.5, -0.35)
    rear = [_RAKED, _DART, _DART][rng.integers(3)]
    return m, Side(rear, [b], [b], arched=False)


def _convertible(rng):
    seats = rng.uniform(0.05, 0.4)
    m = _low(rng, back=(seats + 0.1, seats), roof=rng.uniform(1.27, 1.35))
    return m, Side([], [], [rng.uniform(-0.45, -0.3)], arched=False)


def _pickup(rng):
    cowl, foot = rng.uniform(1.16, 1.24), rng.uniform(-0.4, -0.2)
    double = rng.random() < 0.6
    cab = rng.uniform(0.66, 0.8) if double else rng.uniform(1.25, 1.4)
    m = Measures(
        wheelbase=rng.uniform(3.1, 3.4),
        nose=rng.uniform(0.86, 0.98),
        tail=rng.uniform(1.02, 1.2),
        width=rng.uniform(0.94, 1.0),
        wheel=rng.uniform(0.38, 0.425),
        sill=rng.uniform(0.36, 0.44),
        hood=rng.uniform(1.06, 1.13),
        cowl=cowl,
        belt=cowl + 0.02,
        deck=cowl + rng.uniform(-0.02, 0.02),
        roof=rng.uniform(1.76, 1.9),
        screen=(foot, foot - rng.uniform(0.42, 0.55)),
        back=(cab + 0.12, cab),
        tumble=0.13,
        droop=0.03,
        crown=0.02,
        slopes=(0.45, 0.2),
        bows=(0.16, 0.05),
    )
    end = m.axles[1] + cab
    if double:
        b = rng.uniform(-0.05, 0.1)
        return m, Side(_UPRIGHT, [b], [b, end + 0.1], arched=False)
    return m, Side(_UPRIGHT, [], [end + 0.12], arched=False)


def _van(rng):
    cowl, foot, tail = rng.uniform(1.1, 1.18), rng.uniform(0.15, 0.35), rng.uniform(0.85, 1.05)
    m = Measures(
        wheelbase=rng.uniform(2.9, 3.2),
        nose=rng.uniform(0.80, 0.92),
        tail=tail,
        width=rng.uniform(0.94, 1.0),
        wheel=rng.uniform(0.33, 0.365),
        sill=rng.uniform(0.2, 0.26),
        hood=rng.uniform(0.92, 1.0),
        cowl=cowl,
        belt=cowl + rng.uniform(-0.02, 0.03),
        deck=cowl,
        roof=rng.uniform(1.9, 2.15),
        screen=(foot, foot - rng.uniform(0.6, 0.8)),
        back=(-tail + rng.uniform(0.16, 0.28), -tail + 0.11),
        tumble=0.09,
        droop=0.02,
        slopes=(0.9, 0.35),
    )
    b, start = rng.uniform(0.1, 0.25), m.axles[1] + rng.uniform(0.3, 0.5)
    if rng.random() < 0.4:  # a delivery van
        s = [(2.3, 0.07), (2.28, 0.8)]
        return m, Side(s, [], [b, start - 0.2], arched=False, high=0.8)
    return m, Side(_UPRIGHT, [b, start], [b, start], arched=False, high=0.85)


BODIES = {
    "sedan": _sedan,
    "hatchback": _hatchback,
    "suv": _suv,
    "coupe": _coupe,
    "convertible": _convertible,
    "pickup": _pickup,
    "van": _van,
}

# --- paint and designs ---------------------------------------------------------------------------

# Weight, how metallic, and colours, roughly as seen on the road.
_PAINTS = (
    (0.16, 0.0, ("#eeeeeb", "#f2f1ec", "#e6e8ea")),
    (0.10, 0.6, ("#1a1b1e", "#141619", "#202327")),
    (0.11, 1.0, ("#5b6068", "#484c52", "#7a7f86")),
    (0.11, 1.0, ("#b4b9be", "#c3c6c9", "#a3a8ad")),
    (0.15, 0.9, ("#1f3f77", "#2a5d9c", "#14274a", "#3f7fbf")),
    (0.15, 0.6, ("#a3161d", "#7c1420", "#c02026")),
    (0.07, 0.8, ("#24513f", "#3d5a45", "#66765c")),
    (0.05, 0.8, ("#6b4a35", "#9b8468", "#bda98a")),
    (0.06, 0.0, ("#e0b021", "#d96d1e", "#c8cc3a")),
    (0.04, 0.2, ("#7fb3b5", "#9cb8c9", "#d8cdb4")),
)
_SPOKES = (("star", 5), ("star", 7), ("wide", 5), ("wide", 6), ("split", 5), ("split", 6))
_SPOKES += (("blade", 7), ("blade", 9), ("star", 10))
_RIMS = ("#c8ccd0", "#b2b7bc", "#d6d9dc", "#5a5e64", "#2e3135")
_FACES = {  # lamps and grilles that suit a body; a convertible has those of a coupe
    "sedan": (("slim", "wide"), ("tall", "wide", "slim"), ("wide", "bar")),
    "hatchback": (("slim", "wide", "round"), ("wide", "slim", "none"), ("wide", "tall", "round")),
    "suv": (("slim", "wide", "tall"), ("tall", "wide"), ("wide", "tall", "bar")),
    "coupe": (("slim", "wide", "round"), ("wide", "slim", "none"), ("wide", "bar", "round")),
    "pickup": (("wide", "tall"), ("tall", "wide"), ("tall",)),
    "van": (("wide", "tall"), ("wide", "slim"), ("tall",)),
}


def _look(rng, body):
    """Paint and designs; always takes the same amount of randomness."""
    chance = rng.random(8)
    weights = [weight for weight, _, _ in _PAINTS]
    _, metallic, colors = _PAINTS[rng.choice(len(_PAINTS), p=weights)]
    paint = colors[rng.integers(len(colors))]
    paint = mix(paint, rng.choice(["#000000", "#ffffff"]), rng.uniform(0, 0.06))
    two_tone = chance[0] < (0.2 if body in ("hatchback", "suv") else 0)
    lamps, grilles, tails = _FACES.get(body, _FACES["coupe"])
    rugged = chance[1] < {"suv": 0.6, "pickup": 0.5, "van": 0.4}.get(body, 0.1)
    back = {"sedan": (1.0, 0.1, 0.92), "coupe": (1.0, 0.12, 0.9), "pickup": (1.1, 0.12, 0.85)}
    return Look(
        paint=paint,
        metallic=metallic,
        roof="#17181b" if two_tone else paint,
        trim="#d3d7db" if chance[2] < 0.55 or brightness(paint) < 0.15 else "#17191c",
        seats=("#2b2b2e", "#7a4a2c", "#c9b697", "#8a1d22")[int(chance[3] * 4)],
        rim=_RIMS[int(chance[4] ** 2 * len(_RIMS))],
        spokes=_SPOKES[rng.integers(len(_SPOKES))],
        cladding=0.21 if rugged else 0.06,
        rails=body == "suv" and chance[2] < 0.6,
        lamp=lamps[int(chance[5] * len(lamps))],
        grille=grilles[int(chance[6] * len(grilles))],
        tail=tails[int(chance[7] * len(tails))],
        hatch=back.get(body, (1.25, 0.12, 0.84)),
    )


def _camera(form, view, rng):
    """A camera that sees the whole car, and its scale."""
    m = form.measures
    yaw = VIEWS[view] + rng.uniform(-3, 3) * (1.6 if "three" in view else 1)
    camera = Camera(yaw, rng.uniform(5, 8), rng.uniform(9, 12), (0, 0, m.roof / 2))
    points = [(x, k * (m.width - 0.1), 0) for x in m.axles for k in (-1, 1)]
    points += [form.mirror * (1, k, 1) + np.array((0, 0.1 * k, 0)) for k in (-1, 1)]
    # A convertible ends with its windscreen, whose top is the front of the crown.
    upper = form.cabin[-2, np.abs(STATIONS - 5) > 3.6] if form.open_top else form.roof
    points = np.concatenate([form.lower.reshape(-1, 3), upper.reshape(-1, 3), points])
    return camera, camera.fit(points, rng.uniform(0.88, 0.92))


def _paint(car, side, body):
    """Paints a car from back to front."""
    car.ground()
    car.tyres()
    car.underside()
    car.mirrors(near=False)
    car.shell()
    car.crest()
    if body == "convertible":
        car.cockpit()
    else:
        if body == "pickup":
            car.bed()
        car.greenhouse()
        car.side_windows(side.rear, side.pillars, side.low, side.high)
    car.face()
    car.tail()
    start = car.m.axles[0] - car.m.wheel * 1.2 - 0.05
    car.doors([start, *side.cuts], side.arched)
    car.wheels()
    car.mirrors(near=True)


class Cars(Series):
    """An endless series of drawn cars."""

    def __init__(self):
        super().__init__({"body": tuple(BODIES), "view": tuple(VIEWS)})

    def scene(self, index, seed=0, body=None, view=None):
        """The scene of one car.

        Args:
            index: which car, 0 or more.
            seed: which endless series of cars, 0 or more.
            body: name of a body, to draw another than the balanced one.
            view: name of a view, likewise. The car stays the same, so it can be drawn from all
                sides.

        Returns:
            A `Shot` with the labels `body` and `view`.

        Raises:
            ValueError: for an unknown body or view, or a negative index or seed.
        """
        labels = self.labels(index, seed, body=body, view=view)
        body = self.class_names["body"][labels["body"]]
        view = self.class_names["view"][labels["view"]]
        # One stream each, so that another view changes neither the shape nor the paint.
        cut, dye, place = (np.random.default_rng((seed, index, stream)) for stream in range(3))
        measures, side = BODIES[body](cut)
        form = Form(measures, open_top=body == "convertible")
        camera, scale = _camera(form, view, place)
        shot = Shot(labels, camera, _STUDIO)
        _paint(Coachbuilder(shot, form, _look(dye, body), scale), side, body)
        return shot


_CARS = Cars()
NAME = "cars"
CLASS_NAMES = _CARS.class_names
FEATURES = _CARS.features
NUM_EXAMPLES = {"train": 20000, "test": 2000}
scene, draw = _CARS.scene, _CARS.draw
