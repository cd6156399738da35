"""Motifs to print on cloth: small ones for all-over prints, large ones for a chest.

Every motif is SVG in a square from -1 to 1.
"""

import math

from keras_design_gans.datasets.scene import to_svg

_PETAL = [(0, 0), (-0.55, -0.3, -0.5, -1, 0, -1), (0.5, -1, 0.55, -0.3, 0, 0)]
_NARROW_PETAL = [(0, 0), (-0.3, -0.4, -0.2, -1, 0, -1), (0.2, -1, 0.3, -0.4, 0, 0)]


def _flower(petal, count, color, heart):
    """`count` petals around a heart."""
    petals = []
    for i in range(count):
        cos, sin = math.cos(2 * math.pi * i / count), math.sin(2 * math.pi * i / count)
        turned = []
        for step in petal:
            points = zip(step[::2], step[1::2], strict=True)
            turned.append(
                tuple(v for x, y in points for v in (x * cos - y * sin, x * sin + y * cos))
            )
        petals.append(to_svg(turned))
    return f'<path d="{"".join(petals)}" fill="{color}"/><circle r=".3" fill="{heart}"/>'


def motifs(ink, accent, second):
    """The small motifs, by name.

    Args:
        ink: main colour, `"#rrggbb"`.
        accent: colour of details.
        second: another such colour.

    Returns:
        A dict of name to SVG elements in a square from -1 to 1.
    """
    return {
        "flower": _flower(_PETAL, 5, ink, accent),
        "daisy": _flower(_NARROW_PETAL, 8, ink, second),
        "leaf": f'<path d="M0 1C-.7 .3 -.6 -.5 0 -1C.6 -.5 .7 .3 0 1Z" fill="{ink}"/>'
        f'<path d="M0 .9V-.7M0 .3L.35 -.05M0 .3L-.35 -.05" stroke="{accent}" stroke-width=".1" '
        'fill="none"/>',
        "paisley": f'<path d="M.1 -1C1 -.6 .9 .9 0 .95S-1 .1 -.3 -.35S.3 -.8 .1 -1Z" fill="{ink}"/>'
        f'<circle cx="0" cy=".3" r=".33" fill="{accent}"/>',
        "bird": f'<path d="M-1 -.25C-.6 -.5 -.2 -.4 0 -.1C.2 -.6 .6 -.9 1 -.9C.8 -.3 .7 .3 0 .5'
        f'C-.4 .6 -.7 .3 -.8 .05Z" fill="{ink}"/><path d="M0 .4L.5 .95L-.2 .7Z" fill="{accent}"/>',
        "triangle": f'<path d="M0 -.9L.85 .7H-.85Z" fill="{ink}"/>'
        f'<path d="M0 -.2L.4 .5H-.4Z" fill="{accent}"/>',
        "cherry": f'<circle cx="-.45" cy=".5" r=".42" fill="{accent}"/><circle cx=".45" cy=".35" '
        f'r=".42" fill="{accent}"/><path d="M-.45 .2Q-.3 -.6 .3 -.9Q.3 -.4 .45 0" fill="none" '
        f'stroke="{ink}" stroke-width=".16"/>',
        "star": f'<path d="{_star(5, 0.42)}" fill="{ink}"/>',
    }


def _star(points, inner):
    radii = [1 if i % 2 == 0 else inner for i in range(2 * points)]
    angles = [math.pi * i / points for i in range(2 * points)]
    return to_svg([(r * math.sin(a), -r * math.cos(a)) for r, a in zip(radii, angles, strict=True)])


# Capital letters and figures as strokes in a square from -1 to 1: no font is the same everywhere.
_GLYPHS = {
    "A": "M-.6 .85L0 -.85L.6 .85M-.36 .25H.36",
    "K": "M-.5 -.85V.85M.55 -.85L-.5 .1M-.1 -.25L.6 .85",
    "M": "M-.65 .85V-.85L0 .3L.65 -.85V.85",
    "R": "M-.5 .85V-.85H.1A.45 .45 0 0 1 .1 .1H-.5M.05 .1L.6 .85",
    "X": "M-.6 -.85L.6 .85M.6 -.85L-.6 .85",
    "Z": "M-.55 -.85H.55L-.55 .85H.6",
    "1": "M-.4 -.4L.1 -.85V.85",
    "3": "M-.5 -.85H.5L-.05 -.2A.52 .52 0 1 1 -.55 .6",
    "5": "M.5 -.85H-.4L-.45 -.1Q.6 -.4 .55 .3T-.55 .65",
    "7": "M-.55 -.85H.55L-.1 .85",
    "8": "M0 -.1A.4 .38 0 1 1 .01 -.1A.52 .47 0 1 1 -.01 -.1",
    "0": "M0 -.85C.75 -.85 .75 .85 0 .85S-.75 -.85 0 -.85",
}


def _glyph(name, color, width):
    return f'<path d="{_GLYPHS[name]}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def emblem(rng, ink, accent, second):
    """One large motif, chosen and varied at random.

    Args:
        rng: `numpy.random.Generator`.
        ink: main colour, `"#rrggbb"`, that stands out from the cloth.
        accent: colour of the parts upon it.
        second: another such colour.

    Returns:
        SVG elements in a square from -1 to 1.
    """
    kind = rng.choice(
        ["letter", "number", "star", "heart", "bolt", "sunset", "face", "art", "bloom"]
    )
    if kind == "letter":
        letter = rng.choice([name for name in _GLYPHS if name.isalpha()])
        if rng.random() < 0.5:
            return _glyph(letter, ink, 0.42)
        badge = f'<circle r="1.1" fill="{ink}"/>'
        return f'{badge}<g transform="scale(.62)">{_glyph(letter, accent, 0.42)}</g>'
    if kind == "number":
        digits = rng.choice([name for name in _GLYPHS if name.isdigit()], 2)
        return "".join(
            f'<g transform="translate({x} 0) scale(.75 1)">{_glyph(digit, ink, 0.36)}</g>'
            for x, digit in zip((-0.56, 0.56), digits, strict=True)
        )
    if kind == "star":
        star = _star(5, 0.42)
        inner = f'<path d="{star}" fill="{accent}" transform="scale(.5)"/>'
        return f'<path d="{star}" fill="{ink}"/>{inner}'
    if kind == "heart":
        heart = "M0 .95C-1.5 -.1 -1 -1 -.45 -.9Q-.1 -.85 0 -.45Q.1 -.85 .45 -.9C1 -1 1.5 -.1 0 .95Z"
        return f'<path d="{heart}" fill="{ink}"/>'
    if kind == "bolt":
        bolt = "M.25 -.85L-.5 .15H-.05L-.25 .85L.5 -.15H.05Z"
        return f'<circle r="1" fill="{ink}"/><path d="{bolt}" fill="{accent}"/>'
    if kind == "sunset":
        return (
            f'<circle r="1" fill="{ink}"/><circle cy="-.1" r=".5" fill="{second}"/>'
            f'<path d="M-.95 .3L-.4 -.25L0 .2L.4 -.1L.95 .3A1 1 0 0 1 -.95 .3Z" fill="{accent}"/>'
        )
    if kind == "face":
        return (
            f'<circle r="1" fill="{ink}"/><g fill="none" stroke="{accent}" stroke-width=".2" '
            'stroke-linecap="round"><path d="M-.35 -.3v.12M.35 -.3v.12M-.5 .25Q0 .8 .5 .25"/></g>'
        )
    if kind == "bloom":
        return _flower(_PETAL, int(rng.integers(5, 9)), ink, accent)
    x, y = rng.uniform(-0.4, 0.4, 2)
    return (
        f'<rect x="-.9" y="-.9" width="1.2" height="1.3" fill="{ink}"/>'
        f'<circle cx="{0.3 + x / 2:.2f}" cy="{y:.2f}" r=".6" fill="{accent}"/>'
        f'<path d="M-.9 .9L{x:.2f} -.2L.9 .95Z" fill="{second}"/>'
    )
