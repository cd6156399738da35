"""Drawn product shots of handbags: 7 shapes in 7 textures, on white.

Every picture is drawn anew from random measures: outlines, handles, straps, flaps, closures,
pockets, seams, metal, leather, colours and fabric. The same scene gives the picture, its mask and
its line drawing. Picture `n` always has shape `n % 7` and texture `n // 7 % 7`, so 49 pictures in a
row are balanced, and it depends on nothing but `(seed, n)`.

It stands for the second data set of
[DesIGN: Design Inspiration from Generative Networks](https://arxiv.org/abs/1804.00921), handbags
with labels of shape and texture.
"""

import numpy as np

from keras_design_gans.datasets.leatherwork import (
    Saddler,
    arch,
    at,
    box,
    ribbon,
    shifted,
    slab,
    trim,
)
from keras_design_gans.datasets.products import Products
from keras_design_gans.datasets.scene import circle, mirror, reverse, symmetric
from keras_design_gans.datasets.tailoring import flip

# --- the seven handbags --------------------------------------------------------------------------


def _tote(bag, rng):
    style = rng.choice(["canvas", "patch", "ring"])
    w, height = rng.uniform(25, 34), rng.uniform(42, 56)
    foot, radius = w * rng.uniform(0.78, 1.02), rng.uniform(1.5, 6)
    side, depth = rng.choice([-1, 1]), max(0, rng.uniform(-3, 7.5))
    grip, rise, width = w * rng.uniform(0.36, 0.5), rng.uniform(18, 27), rng.uniform(2.4, 3.6)
    square, lean, mouth = rng.uniform(0.5, 0.8), rng.normal(0, 1.5), rng.uniform(1.5, 4)
    start = {"canvas": 0, "patch": rng.uniform(4, 7), "ring": rng.uniform(6, 9)}[style]
    spine = arch(grip, start, rise + start, square, lean)
    bag.ground(foot, height)
    shift = side * depth
    bag.strap(shifted(spine, shift * 0.7, -mouth), width, shade=0.25)
    back = [(-w, 0), (shift - w, -mouth), (shift + w, -mouth), (w, 0), (w - 0.5, 4), (0.5 - w, 4)]
    bag.drawing.piece(back, color=bag.trim.lining, depth=0.5)
    if depth:
        bag.gusset(side, (w, 0), (foot, height), depth, mouth)
    sag = rng.uniform(0.3, 1.6)
    front = slab(w, 0, foot, height, 0.6, radius, (-sag, rng.uniform(-0.5, 0.8), 0.6))
    bag.panel(front)
    if rng.random() < 0.6:
        bag.creases(0.6 * w, 3, height - 4, 3)
    if rng.random() < 0.35:
        edge = height - rng.uniform(8, 13)
        bag.base(w + (foot - w) * edge / height + 0.1, edge, foot + 0.1, height, radius)
    if rng.random() < 0.25 and not bag.cloth.emblem:  # a pocket would cut the emblem
        pocket = box(0, height * 0.5, min(w, foot) * 0.7, height * 0.2, 2)
        bag.panel(pocket, depth=0.4, volume=0.7)
    bag.emblem(front, height * 0.54, rng.uniform(12, 14.5))
    hem = rng.uniform(2, 3)
    bag.stitches([(-w + 1, hem), (0, hem + 2 * sag, w - 1, hem)])
    ends = rng.uniform(12, 18, 2) if style == "canvas" else rng.uniform(6, 9, 2)
    for x, end in zip((-grip, grip), ends, strict=True):
        if style == "canvas":
            bag.strap([(x, end), (x, -0.5)], width)
        if style == "ring":
            bag.tab(x, start + 0.8, width + 1.4, end, 2)
            bag.ring(x, start, width * 0.55)
    bag.strap(spine, width, rolled=style != "canvas")
    if style == "patch":
        for x, end in zip((-grip, grip), ends, strict=True):
            bag.tab(x, start - 2, width + 1.6, end, 2)
    if rng.random() < 0.25:
        bag.charm(-side * grip, start)


def _clutch(bag, rng):
    style = rng.choice(["envelope", "frame", "fold", "zip", "box"])
    w, height = rng.uniform(36, 40), rng.uniform(36, 44)
    side = rng.choice([-1, 1])
    bag.ground(w, height)
    if style == "frame":
        _frame_clutch(bag, rng, w, height)
        return
    if style == "zip":
        low = rng.uniform(0.6, 0.8)
        loop = [(w - 2, 3), (w + 9, 4, w + 10, height * 0.5, w + 3, height * low)]
        loop += [(w - 4, height * 0.55, w - 3, 9, w - 1, 4)]
        bag.strap(flip(loop, side), rng.uniform(1.8, 2.5))
    radius, puff = (
        rng.uniform(5, 9) if style == "box" else rng.uniform(1.5, 4),
        rng.uniform(0.2, 1.2),
    )
    body = slab(w, 0, w, height, radius, radius, (puff, puff, puff))
    bag.panel(body, volume=1.3)
    if style == "zip":
        y = rng.uniform(3.5, 6)
        bag.emblem(body, height * 0.57, rng.uniform(10.5, 12.5))
        bag.stitches([(-w + 1.5, y + 2.6), (w - 1.5, y + 2.6)])
        bag.zipper(flip([(-w + 2, y), (w - 2, y)], side), hang=rng.uniform(4, 12))
        return
    if style == "box":
        y = height * rng.uniform(0.16, 0.24)
        bag.emblem(body, height * 0.57, rng.uniform(10.5, 12.5))
        bag.rail([(-w - puff * 0.5, y), (w + puff * 0.5, y)], rng.uniform(1.2, 1.8))
        bag.clasp(0, y, rng.uniform(2.6, 3.4))
        return
    piped = rng.random() < 0.5
    if style == "envelope":
        tip, shoulder = height * rng.uniform(0.56, 0.68), rng.uniform(1, 6)
        lower = [(w, shoulder), (w * 0.35, tip * 0.86, rng.normal(0, 0.6), tip)]
        lower += [(-w * 0.35, tip * 0.86, -w, shoulder)]
        flap = [(-w, 1.5), (-w, -0.8, -w + 3, -0.6), (w - 3, -0.6), (w, -0.8, *lower[0])]
        flap += lower[1:]
        bag.flap(body, flap, lower, piped)
    else:
        tip = height * rng.uniform(0.56, 0.7)
        cut = (w, w + 0.5, tip, rng.uniform(1, 6))
        flap = bag.straight_flap(body, cut, -0.8, 2.5, rng.uniform(-0.5, 1), piped)
    bag.emblem(flap, tip * 0.42, rng.uniform(8.5, 9.8))
    if style == "envelope" or rng.random() < 0.5:
        bag.clasp(0, tip - 2.2, rng.uniform(2.4, 3.2))
    else:
        bag.tassel(w * 0.75 * side, tip - 1, rng.uniform(10, 14), 4)


def _frame_clutch(bag, rng, w, height):
    """A pouch gathered into a metal frame with a kiss lock."""
    neck, drop = w * rng.uniform(0.74, 0.86), rng.uniform(1, 5)
    half = [(0, 1), (neck * 0.7, 1, neck, 1 + drop), (w + 2, height * 0.3, w, height * 0.66)]
    half += [(w - 2, height, w * 0.5, height, 0, height)]
    body = symmetric(half)
    bag.panel(body, volume=1.4)
    ends = height * rng.uniform(0.4, 0.65, 7)
    gathers = [
        [(x * neck, 3), (x * w * 0.97, height * 0.25), (x * w, end)]
        for x, end in zip(
            np.linspace(-0.8, 0.8, 7) + rng.uniform(-0.06, 0.06, 7), ends, strict=True
        )
    ]
    bag.drawing.folds(gathers, 2.2, 0.26)
    bag.emblem(body, height * 0.58, rng.uniform(10.5, 12.5))
    rail = [(-neck, 2.5 + drop), (-neck * 0.7, 0.6, 0, 0.6), (neck * 0.7, 0.6, neck, 2.5 + drop)]
    bag.rail(rail, rng.uniform(2.2, 3.2))
    if rng.random() < 0.5:
        for x in (-1.3, 1.3):
            bag.plate(circle(x, -1.4, 1.7))
    else:
        bag.plate(box(0, -1.2, rng.uniform(2.5, 4), 1.6, 1.2))


def _backpack(bag, rng):
    zipped = rng.random() < 0.6
    w, height = rng.uniform(24, 28), rng.uniform(60, 68)
    crown, radius = rng.uniform(0.7, 0.9) * w, rng.uniform(5, 10)
    bag.ground(w, height)
    width = rng.uniform(4.2, 5.6)
    for side in (-1, 1):
        out = w + rng.uniform(6, 9)
        spine = [(9, 3), (out, -3, out + 2, height * 0.35, w + 4, height * 0.62)]
        spine += [(w + 2, height * 0.8, w - 5, height - 5)]
        bag.strap(flip(spine, side), width, width * 0.55, shade=0.1)
    loop = rng.uniform(8.5, 11)
    bag.strap(arch(rng.uniform(5, 6.5), 3, loop, 0.75, rng.normal(0, 0.6)), 2.4)
    if rng.random() < 0.5:
        top = height * rng.uniform(0.56, 0.64)
        mouth = [(w - 3, top), (w + 3, top - 1, w + 4.5, top + 4)]
        low = [(w + 5, height - 7, w + 3, height - 3), (w, height - 1, w - 3, height - 2)]
        for side in (1, -1):
            bag.drawing.piece(flip(mouth + low, side), bag.cloth, depth=1)
            bag.piping(flip(mouth, side))
    body = slab(w, 0, w + 1, height, crown, radius, (0.8, 1.2, 0.6))
    bag.panel(body, volume=1.4)
    top, inner = height * rng.uniform(0.55, 0.6), w - rng.uniform(3, 5)
    # At most one of them is of leather, so that the fabric is seen; a flap carries the emblem.
    of_leather = rng.random() < 0.45
    leather = bag.trim.leather if of_leather and (zipped or bag.cloth.emblem) else None
    bag.panel(slab(inner, top, inner + 1, height - 3, 4, radius, (0.8, 0.8, 0.8)), leather)
    if zipped:
        right = [(0, 4.5), (w - crown, 4.5), (w - 3, 4.5, w - 2, crown * 0.7), (w - 2.5, top - 4)]
        bag.emblem(body, top * 0.57, rng.uniform(10, 11.5))
        bag.zipper(reverse(mirror(right)) + right[1:], rng.choice([0.3, 0.72, 0.9]))
        y = top + rng.uniform(3.5, 5)
        bag.zipper([(-inner + 3, y), (inner - 3, y)], rng.choice([0.0, 1.0]), 4)
        return
    lip = height * rng.uniform(0.46, 0.52)
    leather = bag.trim.leather if of_leather and not bag.cloth.emblem else None
    cut = (w + 0.8, w + 0.8, lip, 6)
    flap = bag.straight_flap(body, cut, -0.6, crown, rng.uniform(0.5, 3), color=leather)
    bag.emblem(flap, lip * 0.5, rng.uniform(10, 11.5))
    for x in (-w * 0.48, w * 0.48) if rng.random() < 0.7 else (0,):
        bag.belt(x, lip - 4, lip + 11, rng.uniform(3, 3.8), lip + 4)


def _satchel(bag, rng):
    buckled = rng.random() < 0.65
    w, height = rng.uniform(32, 36), rng.uniform(43, 50)
    foot, radius = w + rng.uniform(0, 2.5), rng.uniform(2, 5)
    side, depth = rng.choice([-1, 1]), rng.uniform(4, 8)
    grip, rise, width = rng.uniform(9, 12), rng.uniform(9, 13), rng.uniform(3, 4)
    bag.ground(foot, height)
    bag.gusset(side, (w, 1), (foot, height - 1), depth, -depth * 0.4)
    body = slab(w, 0, foot, height, 2, radius, (0, 0.3, 0.3))
    bag.panel(body)
    lip = height * rng.uniform(0.56, 0.68)
    if rng.random() < 0.6 and buckled:
        half = (height - lip) / 2 - 2.5
        bag.panel(box(0, height - half - 3, w * 0.84, half, 2), depth=0.4, volume=0.8)
    cut = (w, w + 0.7, lip, rng.uniform(3, 9))
    flap = bag.straight_flap(body, cut, -1, 2, rng.uniform(0, 2), rng.random() < 0.5)
    bag.emblem(flap, lip * 0.45, rng.uniform(9, 10.5))
    if buckled:
        low, wide, high = height - rng.uniform(5, 8), rng.uniform(3.6, 4.6), rng.uniform(5, 8)
        for x in (-w * 0.58, w * 0.58):
            bag.belt(x, high, low, wide, lip + 1)
    else:
        bag.clasp(0, lip - 1, rng.uniform(3.2, 4))
    for x in (-grip, grip):
        bag.tab(x, -1.5, width + 1.8, 5, 1)
    bag.strap(arch(grip, -0.5, rise, 0.8, rng.normal(0, 0.8)), width, rolled=True)
    for x in (-grip, grip):
        bag.ring(x, -0.8, width * 0.5, 1)
    if rng.random() < 0.4:
        bag.feet((-foot * 0.8, foot * 0.8), height + 0.6)
    if rng.random() < 0.2:
        bag.charm(-side * grip, 0)


def _hobo(bag, rng):
    w, dip, height = rng.uniform(32, 37), rng.uniform(7, 14), rng.uniform(42, 50)
    horn, rise = rng.uniform(0.55, 0.78) * w, rng.uniform(24, 32)
    slouch, width = np.clip(rng.normal(0, 4), -7, 7), rng.uniform(4, 6)
    lean, belly = rng.normal(0, 5), rng.uniform(1.4, 2.2)
    bag.ground(w * 0.75, height)
    spine = arch(horn - 0.5, 0, rise, rng.uniform(0.45, 0.65), lean)
    if rng.random() < 0.4:
        bag.drawing.piece(ribbon(spine, width), bag.cloth, depth=0.8)
    else:
        bag.strap(spine, width)
    mouth = [(-horn + width * 0.5, -4), (-horn * 0.5, dip, slouch, dip)]
    mouth += [(horn * 0.5, dip, horn - width * 0.5, -4)]
    sides = []
    for sign in (1, -1):
        far = w + sign * slouch
        side = [(horn + width * 0.6, -3), (far + 2, 4)]
        # One direction before and after the point where the side turns into the bottom.
        side[1] += (far * (0.8 + 0.2 * belly), height * (0.86 - 0.15 * belly))
        side[1] += (far * 0.8, height * 0.86)
        side.append((far * 0.6, height * 1.01, far * 0.3, height, 0, height))
        sides.append(flip(side, sign))
    body = mouth + sides[0] + reverse(sides[1])[1:]
    bag.panel(body, volume=1.5)
    pulls = []
    for x in (-1, 1):
        for _ in range(3):
            end = (x * w * rng.uniform(0.1, 0.6) + slouch, height * rng.uniform(0.5, 0.85))
            pulls.append([(x * horn, 1), (x * w * 0.8, end[1] * 0.65), end])
    bag.drawing.folds(pulls, 3, 0.22)
    bag.emblem(body, dip + (height - dip) * 0.5, rng.uniform(10.5, 12.5))
    if rng.random() < 0.6:
        rail = shifted(mouth, 0, 2.2)
        bag.zipper(rail, rng.choice([0.25, 0.5, 0.75]), rng.uniform(4, 11))
    else:
        bag.piping(mouth, width=1.4)
        bag.clasp(slouch, dip + 2.5, 2.6)
    ringed = rng.random() < 0.5
    for x in (-horn, horn):
        if ringed:
            bag.tab(x, -3, width + 1, 8, 2, turn=x * 0.4)
            bag.ring(x, -3.5, width * 0.55, 1.2)
        else:
            bag.stitches([(x - width * 0.5, -1.5), (x + width * 0.5, -1.5)])


def _bucket(bag, rng):
    w, height = rng.uniform(22, 26), rng.uniform(46, 54)
    foot, curve = w * rng.uniform(0.86, 1.02), rng.uniform(2, 3.2)
    waist, band = w * rng.uniform(0.8, 0.95), rng.uniform(7, 10)
    rise, width = rng.uniform(28, 35), rng.uniform(2.6, 4)
    bag.ground(foot, height + curve)
    bag.strap(arch(waist + 0.5, 6, rise, rng.uniform(0.5, 0.7), rng.normal(0, 2)), width)
    far = [(0, -curve - 1.5), (w * 0.6, -curve - 1.5, w, 0), (0, curve * 2, 0, curve)]
    bag.drawing.piece(symmetric(far), color=bag.trim.lining, depth=0.6)

    def sunk(x, y):
        """The point of the front at height y on the sides: a bucket is round."""
        return x * w, y + curve * (1 - x * x)

    top = [(-w, 0)]
    for i, wave in enumerate(rng.uniform(0.2, 1.6, 6)):
        x, y = sunk(-1 + (i + 0.5) / 3, -wave)
        top.append((x, y, *sunk(-1 + (i + 1) / 3, 0)))
    bottom = (foot, height + curve * 1.4, foot * 0.6, height + curve * 2, 0, height + curve * 2)
    side = [(w, 0), (waist - 0.5, band * 0.6, waist, band)]
    side += [(w + 1.5, band + 9, (w + foot) / 2 + 1, height * 0.55)]
    side += [(foot + 0.6, height * 0.8, foot, height), bottom]
    body = top + side[1:] + reverse(mirror(side))[1:]
    bag.panel(body, depth=1.3, volume=1.2)
    gathers = []
    for x in np.linspace(-0.85, 0.85, 8) + rng.uniform(-0.06, 0.06, 8):
        foot_y = band + rng.uniform(6, 16)
        gathers.append([sunk(x, 0), (x * waist, band), sunk(x, foot_y)])
    bag.drawing.folds(gathers, 1.8, 0.42)
    bag.emblem(body, height * 0.7, rng.uniform(10, 11.5))
    deep = rng.uniform(7, 11)
    edge = (foot * 0.6, height - deep + curve * 1.9, foot + 0.5, height - deep)
    if rng.random() < 0.5 and not bag.cloth.emblem:
        low = [(0, edge[1]), edge, (foot + 0.2, height), bottom]
        bag.panel(symmetric(low), bag.trim.leather, depth=1.3)
        bag.stitches(shifted([*reverse(mirror([(0, edge[1]), edge])), edge], 0, 1.3))
    else:
        seam = [
            (0, height - 3 + curve * 1.9),
            (foot * 0.6, height - 3 + curve * 1.9, foot, height - 3),
        ]
        bag.drawing.lines([reverse(mirror(seam)) + seam[1:]], opacity=0.4)
    holes = [(x * waist, sunk(x, band)[1]) for x in np.linspace(-0.88, 0.88, 8)]
    pairs = zip(holes[1::2], holes[2::2], strict=False)
    bag.cords(*([a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 1, *b)] for a, b in pairs))
    bag.studs(holes, 1.1)
    tasselled = rng.random() < 0.6
    for x, hole in ((-1, holes[3]), (1, holes[4])):
        end = (x * rng.uniform(4, 8), band + rng.uniform(9, 14))
        bag.cords([hole, (hole[0] + x * 1.5, hole[1] + 6, *end)])
        if tasselled:
            bag.tassel(*end, 6, 2.6)
        else:
            bag.plate(box(end[0], end[1] + 1, 1, 1.8))
    for x in (-waist, waist):
        bag.tab(x * 0.97, 3, width + 1.2, 9, 2)


def _crossbody(bag, rng):
    style = rng.choice(["flap", "flap", "camera", "saddle"])
    w, height, rise = rng.uniform(23, 27), rng.uniform(32, 37), rng.uniform(40, 48)
    radius = rng.uniform(12, 15) if style == "saddle" else rng.uniform(3, 8)
    grip, width = w - rng.uniform(0, 2), rng.uniform(1.7, 2.4)
    side, depth = rng.choice([-1, 1]), rng.uniform(1, 4)
    bag.ground(w, height)
    spine = arch(grip, 4, rise, rng.uniform(0.35, 0.55), rng.normal(0, 4))
    if rng.random() < 0.4:
        bag.chain(spine, width)
    else:
        bag.strap(spine, width)
        x, y = at(spine, rng.choice([0.15, 0.85]))
        bag.plate(box(x, y, width * 0.75, 1))
    if style != "saddle":
        bag.gusset(side, (w, 2), (w, height - radius * 0.6), depth, -depth * 0.5)
    tuck = 6 if style == "saddle" else 2.5
    body = slab(w, 0, w, height, tuck, radius, (0.4, 0.6, 0.8))
    bag.panel(body, volume=1.2)
    if style == "camera":
        y = rng.uniform(4, 5.5)
        pocket = box(0, height * 0.62, w * 0.8, height * 0.29, 4)
        bag.panel(pocket, depth=0.5, volume=0.9)
        bag.emblem(pocket, height * 0.62, rng.uniform(8, 9.2))
        bag.zipper([(-w + 2.5, y), (w - 2.5, y)], rng.choice([0.05, 0.95]), rng.uniform(4, 11))
    else:
        saddle = style == "saddle"
        lip = height * (rng.uniform(0.66, 0.78) if saddle else rng.uniform(0.55, 0.72))
        corner = rng.uniform(0.5, 0.7) * lip if saddle else rng.uniform(3, 9)
        cut = (w, w + 0.5, lip, corner)
        flap = bag.straight_flap(body, cut, -0.8, tuck, rng.uniform(0, 1.5), rng.random() < 0.4)
        bag.emblem(flap, lip * 0.41, rng.uniform(7.6, 8.8))
        bag.clasp(0, lip - 0.8, rng.uniform(2.6, 3.2))
    for x in (-grip, grip):
        bag.ring(x, 3.5, 1.7, 0.9)


def _sewn(maker):
    """Gives a maker of bags the leather and metal of one bag, in a stream of their own."""

    def make(drawing, rng, cloth):
        maker(Saddler(drawing, rng, cloth, trim(rng.spawn(1)[0], cloth)), rng)

    return make


_HANDBAGS = Products(
    {
        "tote": _sewn(_tote),
        "clutch": _sewn(_clutch),
        "backpack": _sewn(_backpack),
        "satchel": _sewn(_satchel),
        "hobo": _sewn(_hobo),
        "bucket": _sewn(_bucket),
        "crossbody": _sewn(_crossbody),
    },
    sway=0.6,
    tilt=0.01,
    light=(0.26, 0.45),
)
NAME = "handbags"
CLASS_NAMES = _HANDBAGS.class_names
FEATURES = _HANDBAGS.features
NUM_EXAMPLES = {"train": 20000, "test": 2000}
scene, draw = _HANDBAGS.scene, _HANDBAGS.draw
