"""Fabrics: what a piece of cloth is woven or printed with, as vector patterns.

Lengths are in the units of the scene, where a garment is about 70 to 100 units tall. A pattern
repeats after 8 units or more, so that it can still be seen in a picture of 64 pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from keras_design_gans.datasets.motifs import emblem, motifs
from keras_design_gans.datasets.scene import brightness, mix, to_svg

TEXTURES = ("uniform", "tiled", "striped", "animal_skin", "dotted", "print", "graphic")


@dataclass(frozen=True)
class Fabric:
    """A cloth.

    Args:
        base: colour of the ground, `"#rrggbb"`.
        trim: colour of ribs, collars and linings that go with it.
        weave: function of a box `(left, top, right, bottom)` that returns SVG elements which
            cover it, or `""` for plain cloth.
        defs: SVG definitions that the weave refers to.
        emblem: one large motif in a square from -1 to 1, or `""`.
    """

    base: str
    trim: str
    weave: Callable = lambda box: ""
    defs: str = ""
    emblem: str = ""


def fabric(texture, rng, colors):
    """Weaves or prints a fabric.

    Args:
        texture: one of `TEXTURES`.
        rng: `numpy.random.Generator`.
        colors: four `"#rrggbb"` strings, see `scene.palette`.

    Returns:
        A `Fabric`.

    Raises:
        ValueError: for an unknown texture.
    """
    if texture not in TEXTURES:
        raise ValueError(f"Unknown texture {texture!r}. Choose one of {', '.join(TEXTURES)}.")
    return _WEAVERS[texture](rng, colors)


def _lines(box, period, vertical, offset=0.0):
    """Parallel lines through a box, as a path."""
    left, top, right, bottom = box
    low, high = (left, right) if vertical else (top, bottom)
    places = [
        (i + offset) * period for i in range(math.floor(low / period), math.ceil(high / period) + 1)
    ]
    if vertical:
        return "".join(f"M{x:.1f} {top:.1f}V{bottom:.1f}" for x in places)
    return "".join(f"M{left:.1f} {y:.1f}H{right:.1f}" for y in places)


def _stroke(d, color, width, opacity=1.0):
    return (
        f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{width:.2f}" '
        f'stroke-opacity="{opacity:.2f}"/>'
    )


def _lattice(box, period, jitter=0.0, rng=None):
    """Points of a brick lattice that cover a box, each moved at random by up to `jitter`."""
    left, top, right, bottom = box
    reach = period * 0.6  # a motif whose centre is further away does not touch the box
    rise = period * 0.866
    for row in range(math.ceil((top - reach) / rise), math.floor((bottom + reach) / rise) + 1):
        shift = 0.5 * (row % 2)
        first = math.ceil((left - reach) / period - shift)
        last = math.floor((right + reach) / period - shift)
        for column in range(first, last + 1):
            dx, dy = rng.uniform(-jitter, jitter, 2).tolist() if jitter else (0.0, 0.0)
            yield (column + shift) * period + dx, row * rise + dy


def _turned(weave, angle):
    """The same weave, turned by `angle` degrees."""
    if not angle:
        return weave
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))

    def turned(box):
        left, top, right, bottom = box
        x, y = (left + right) / 2, (top + bottom) / 2
        across = ((right - left) * cos + (bottom - top) * sin) / 2
        down = ((right - left) * sin + (bottom - top) * cos) / 2
        inner = weave((x - across, y - down, x + across, y + down))
        return f'<g transform="rotate({angle:.1f} {x:.1f} {y:.1f})">{inner}</g>'

    return turned


# --- uniform -------------------------------------------------------------------------------------


def _uniform(rng, colors):
    base = colors[0] if rng.random() < 0.8 else colors[2]
    trim = mix(base, "#000000" if brightness(base) > 0.3 else "#ffffff", rng.uniform(0.05, 0.2))
    grain = rng.choice(["plain", "plain", "knit", "twill"])
    if grain == "plain":
        return Fabric(base, trim)
    ink = "#000000" if brightness(base) > 0.3 else "#ffffff"

    def weave(box):
        return _stroke(_lines(box, 2.2, vertical=True), ink, 0.7, 0.08)

    return Fabric(base, trim, weave if grain == "knit" else _turned(weave, 45))


# --- tiled ---------------------------------------------------------------------------------------


def _tiled(rng, colors):
    base, contrast, accent, second = colors
    period = rng.uniform(10, 14)
    kind = rng.choice(["gingham", "tartan", "window", "check", "argyle"])
    if kind == "gingham":
        light, dark = sorted((base, contrast), key=brightness, reverse=True)
        light = mix(light, "#ffffff", 0.4)

        def weave(box):
            return "".join(
                _stroke(_lines(box, period, v), dark, period / 2, 0.55) for v in (True, False)
            )

        return Fabric(light, dark, weave)
    if kind == "tartan":
        period *= 1.25
        widths = (period * rng.uniform(0.35, 0.45), period * 0.12, period * 0.06)

        def weave(box):
            return "".join(
                _stroke(_lines(box, period, v), accent, widths[0], 0.6)
                + _stroke(_lines(box, period, v, 0.5), contrast, widths[1], 0.75)
                + _stroke(_lines(box, period, v, 0.0), second, widths[2], 0.9)
                for v in (True, False)
            )

        return Fabric(base, base, weave)
    if kind == "window":

        def weave(box):
            return "".join(
                _stroke(_lines(box, period, v), contrast, period * 0.17) for v in (True, False)
            )

        return Fabric(base, base, weave)

    def squares(box):
        """A chessboard: dashed thick lines, every second one shifted by a dash."""
        left, top, right, bottom = box
        side = period / 2
        cells = []
        for row in range(math.floor(top / side), math.ceil(bottom / side) + 1):
            start = 2 * math.floor(left / period) + row % 2
            cells += [
                f"M{i * side:.1f} {row * side:.1f}h{side:.1f}v{side:.1f}h{-side:.1f}z"
                for i in range(start, math.ceil(right / side) + 1, 2)
            ]
        return f'<path d="{"".join(cells)}" fill="{contrast if kind == "check" else accent}"/>'

    if kind == "check":
        return Fabric(base, base, squares)
    period *= 1.2

    def argyle(box):
        return squares(box) + "".join(
            _stroke(_lines(box, period / 2, v, 0.5), contrast, 0.7, 0.9) for v in (True, False)
        )

    return Fabric(base, base, _turned(argyle, 45))


# --- striped -------------------------------------------------------------------------------------


def _striped(rng, colors):
    base, contrast, accent, _ = colors
    period = rng.uniform(8.5, 13)
    width = period * rng.uniform(0.35, 0.55)
    second = rng.random() < 0.4
    angle = rng.choice([0, 90, 90, 45, -45])

    def weave(box):
        bands = _stroke(_lines(box, period, vertical=True), contrast, width)
        if second:
            bands += _stroke(_lines(box, period, vertical=True, offset=0.5), accent, period * 0.18)
        return bands

    return Fabric(base, base if rng.random() < 0.6 else contrast, _turned(weave, angle))


# --- animal skin ---------------------------------------------------------------------------------


def _animal_skin(rng, colors):
    draw = (_leopard, _zebra, _tiger, _giraffe, _cow)[rng.integers(5)]
    return draw(rng)


def _blob(rng, x, y, radius, roughness, corners=7, stretch=1.0):
    """A closed, soft, irregular spot as SVG path data."""
    turn = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(turn), math.sin(turn)
    points = []
    for i, r in enumerate(rng.uniform(1 - roughness, 1 + roughness, corners).tolist()):
        angle = 2 * math.pi * i / corners
        u, v = radius * r * stretch * math.cos(angle), radius * r * math.sin(angle)
        points.append((x + u * cos - v * sin, y + u * sin + v * cos))
    return _smooth(points)


def _smooth(points):
    """A closed curve that passes between the points, as SVG path data."""
    middles = [
        ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        for a, b in zip(points, points[1:] + points[:1], strict=True)
    ]
    return to_svg([middles[-1]] + [p + m for p, m in zip(points, middles, strict=True)])


def _leopard(rng):
    base = mix(
        *rng.choice([["#d9a866", "#c28444"], ["#e6cfa6", "#d8b078"], ["#cfc9c1", "#b5aea6"]]),
        rng.random(),
    )
    heart = mix(base, "#6b3a16", 0.45)
    period = rng.uniform(8.5, 11)

    def weave(box):
        hearts, rings = [], []
        for x, y in _lattice(box, period, period * 0.16, rng):
            radius = period * rng.uniform(0.26, 0.34)
            hearts.append(_blob(rng, x, y, radius, 0.25, 6))
            turn = rng.uniform(0, 360)
            rings.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" '
                f'transform="rotate({turn:.0f} {x:.1f} {y:.1f})"/>'
            )
        dash = f"{period * 0.55:.1f} {period * 0.25:.1f} {period * 0.4:.1f} {period * 0.3:.1f}"
        return (
            f'<path d="{"".join(hearts)}" fill="{heart}"/>'
            f'<g fill="none" stroke="#23150d" stroke-width="{period * 0.2:.1f}" '
            f'stroke-linecap="round" stroke-dasharray="{dash}">{"".join(rings)}</g>'
        )

    return Fabric(base, "#2a1a10", weave)


def _tapered(rng, start, end, y, thickness, wave, phase):
    """A wavy stripe from x = `start` to x = `end`, thick in the middle and pointed at its ends."""
    halves = thickness * rng.uniform(0.75, 1.25, len(_TAPER))
    upper, lower = [(start, y + wave * math.sin(phase + start * 0.22))], []
    for (t, taper), half in zip(_TAPER, halves.tolist(), strict=True):
        x = start + (end - start) * t
        middle = y + wave * math.sin(phase + x * 0.22)
        upper.append((x, middle - half * taper))
        lower.append((x, middle + half * taper))
    upper.append((end, y + wave * math.sin(phase + end * 0.22)))
    return _smooth(upper + lower[::-1])


# Places along a stripe of fur and its relative thickness there.
_TAPER = [(i / 5, math.sin(math.pi * i / 5) ** 0.6) for i in range(1, 5)]


def _stripes_of_fur(rng, period, length, fullness):
    """Rows of wavy, tapered, interrupted stripes, as zebra and tiger have."""
    wave, phase = period * rng.uniform(0.2, 0.35), rng.uniform(0, 6)

    def weave(box):
        left, top, right, bottom = box
        stripes = []
        for row in range(math.floor(top / period) - 1, math.ceil(bottom / period) + 1):
            x = left - rng.uniform(0, length)
            while x < right:
                reach = length * rng.uniform(0.7, 1.4)
                y = (row + 0.5 * rng.random()) * period
                turn = phase + row * 0.35
                stripes.append(_tapered(rng, x, x + reach, y, period * fullness * 0.4, wave, turn))
                x += reach * rng.uniform(0.75, 0.95)
        return "".join(stripes)

    return weave


def _zebra(rng):
    fur = _stripes_of_fur(rng, rng.uniform(7.5, 9.5), 38, 1.05)

    def weave(box):
        return f'<path d="{fur(box)}" fill="#1b191c"/>'

    return Fabric("#efebe3", "#1b191c", _turned(weave, rng.choice([0, 25, -25, 90])))


def _tiger(rng):
    base = mix("#d9822b", "#e8a24a", rng.random())
    fur = _stripes_of_fur(rng, rng.uniform(8.5, 10.5), 22, 0.8)

    def weave(box):
        return f'<path d="{fur(box)}" fill="#20130b"/>'

    return Fabric(base, "#20130b", _turned(weave, rng.uniform(-20, 20)))


def _giraffe(rng):
    patch = mix("#9a5a2a", "#7a3f1c", rng.random())
    period = rng.uniform(9, 12)

    def weave(box):
        patches = []
        for x, y in _lattice(box, period):  # six-sided cells with uneven corners and pale gaps
            angles = [math.pi * (i + 0.5 + rng.uniform(-0.3, 0.3)) / 3 for i in range(6)]
            radii = [period * rng.uniform(0.4, 0.52) for _ in range(6)]
            corners = zip(angles, radii, strict=True)
            patches.append(to_svg([(x + r * math.cos(a), y + r * math.sin(a)) for a, r in corners]))
        return f'<path d="{"".join(patches)}" fill="{patch}"/>'

    return Fabric("#ecd9b0", patch, weave)


def _cow(rng):
    ink = rng.choice(["#1d1b1e", "#5a3420"])

    def weave(box):
        d = [
            _blob(rng, x, y, rng.uniform(3, 6.5), 0.4, 8, 1.3)
            for x, y in _lattice(box, 15, 3.5, rng)
        ]
        return f'<path d="{"".join(d)}" fill="{ink}"/>'

    return Fabric("#f0ebe2", ink, weave)


# --- dotted --------------------------------------------------------------------------------------


def _dotted(rng, colors):
    base, contrast, accent, _ = colors
    period = rng.uniform(8, 13)
    width = period * rng.uniform(0.42, 0.6)
    inks = (contrast, accent) if rng.random() < 0.25 else (contrast,)

    def weave(box):
        points = list(_lattice(box, period))
        return "".join(
            f'<path d="{"".join(f"M{x:.1f} {y:.1f}h.01" for x, y in points[i :: len(inks)])}" '
            f'stroke="{ink}" stroke-width="{width:.1f}" stroke-linecap="round"/>'
            for i, ink in enumerate(inks)
        )

    return Fabric(base, base if rng.random() < 0.6 else contrast, weave)


# --- print ---------------------------------------------------------------------------------------


def _print(rng, colors):
    base, contrast, accent, second = colors
    drawings = motifs(contrast, accent, second)
    chosen = rng.permutation(sorted(drawings))[: rng.integers(1, 3)]
    period = rng.uniform(11, 14.5)
    defs = "".join(f'<g id="motif{i}">{drawings[name]}</g>' for i, name in enumerate(chosen))

    def weave(box):
        return "".join(
            f'<use href="#motif{i % len(chosen)}" transform="translate({x:.1f} {y:.1f}) '
            f'rotate({rng.uniform(-60, 60):.0f}) scale({period * rng.uniform(0.34, 0.44):.2f})"/>'
            for i, (x, y) in enumerate(_lattice(box, period, period * 0.07, rng))
        )

    return Fabric(base, base, weave, defs)


# --- graphic -------------------------------------------------------------------------------------


def _graphic(rng, colors):
    base, contrast, *accents = colors
    # The first accent lies on the contrast colour, so it is the one that differs more from it.
    accents.sort(key=lambda color: -abs(brightness(color) - brightness(contrast)))
    trim = base if rng.random() < 0.7 else accents[0]
    return Fabric(base, trim, emblem=emblem(rng, contrast, *accents))


_WEAVERS = {
    "uniform": _uniform,
    "tiled": _tiled,
    "striped": _striped,
    "animal_skin": _animal_skin,
    "dotted": _dotted,
    "print": _print,
    "graphic": _graphic,
}
