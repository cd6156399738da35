"""Drawn product shots of clothes: 7 shapes in 7 textures, on white.

Every picture is drawn anew from random measures: lengths, widths, sleeves, necklines, collars,
fastenings, pockets, hems, colours and fabric. The same scene gives the picture, its mask and its
line drawing. Picture `n` always has shape `n % 7` and texture `n // 7 % 7`, so 49 pictures in a row
are balanced, and it depends on nothing but `(seed, n)`.

Inspired by the labels of the clothing data in
[DesIGN: Design Inspiration from Generative Networks](https://arxiv.org/abs/1804.00921).
"""

import numpy as np

from keras_design_gans.datasets.products import Products
from keras_design_gans.datasets.scene import mix
from keras_design_gans.datasets.tailoring import Cut, Tailor, flip

# --- the seven garments --------------------------------------------------------------------------


def _jacket(drawing, rng, cloth):
    style = rng.choice(["blazer", "zip", "biker"])
    chest = rng.uniform(19.5, 22.5)
    cut = Cut(
        neck=rng.uniform(6, 7.5),
        neck_depth=rng.uniform(4, 6),
        shoulder=chest + rng.uniform(0, 1.5),
        drop=rng.uniform(3.5, 5.5),
        arm=rng.uniform(19, 22),
        chest=chest,
        waist=chest - rng.uniform(0.5, 2.5),
        waist_y=rng.uniform(38, 42),
        hem=chest + rng.uniform(-1, 0.8),
        length=rng.uniform(58, 64) if style == "blazer" else rng.uniform(50, 57),
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    gap, overlap = (rng.uniform(2.5, 6), 0.3) if style == "blazer" else (rng.uniform(0, 4), -0.2)
    tailor.open_front(gap, overlap)
    tailor.folds(2)
    tailor.emblem(cut.length * 0.6, rng.uniform(11, 13))
    finish = "rib" if style == "zip" else "plain"
    tailor.sleeves(
        rng.uniform(46, 51),
        rng.uniform(14, 20),
        rng.uniform(9, 11),
        finish,
    )
    if style == "blazer":
        end = rng.uniform(26, 34)
        tailor.lapels(rng.uniform(11, 13.5), end, overlap)
        points = [(-0.4 + gap * 0.1, end + 2 + 7 * i) for i in range(rng.integers(1, 4))]
        tailor.buttons(points, 1.2)
        tailor.pockets(7.5, cut.length * 0.72, 8.5, rng.uniform(2.2, 3.2))
        return
    edge = [(gap * 0.02, cut.neck_depth + 1), (gap * 0.3, cut.length * 0.5, gap, cut.length)]
    metal = rng.choice(["#d9d9de", "#c7a552", "#3a3a40"])
    for side in (1, -1):
        drawing.lines(
            [flip(edge, side)], color=metal, opacity=1, width=1.1, dash="1 .5", sketch=False
        )
        drawing.lines([flip([(x[-2] + 2, x[-1]) for x in edge], side)], opacity=0.3)
    slant = rng.uniform(4, 8)
    tailor.pockets(8, cut.length * 0.78, rng.uniform(5, 7), slant=slant)
    if style == "zip":
        half = [
            (gap, cut.length - 1),
            (cut.hem, cut.length - 1.5),
            (cut.hem - 1.4, cut.length + 4),
            (gap, cut.length + 5),
        ]
        for side in (1, -1):
            tailor.rib(flip(half, side))
        n = cut.neck
        tailor.rib([(-n, 0.5), (n, 0.5), (n - 0.6, -4.5), (-n + 0.6, -4.5)])
    else:
        tailor.collar(rng.uniform(7, 10))


def _coat(drawing, rng, cloth):
    chest = rng.uniform(20, 23)
    belted = rng.random() < 0.45
    length = rng.uniform(94, 104)
    cut = Cut(
        neck=rng.uniform(6, 7.5),
        neck_depth=rng.uniform(4, 6),
        shoulder=chest + rng.uniform(-0.5, 1.5),
        drop=rng.uniform(4, 6),
        arm=rng.uniform(21, 24),
        chest=chest,
        waist=chest - (rng.uniform(2, 4) if belted else rng.uniform(-1, 1)),
        waist_y=rng.uniform(43, 48),
        hem=chest + rng.uniform(2, 8),
        length=length,
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    gap, overlap = rng.uniform(0.5, 3.5), rng.uniform(1.5, 4)
    tailor.open_front(gap, overlap)
    tailor.folds(2)
    tailor.hanging_folds(3)
    tailor.emblem(cut.length * 0.62, rng.uniform(14, 17))
    tailor.sleeves(rng.uniform(60, 66), rng.uniform(11, 16), rng.uniform(10.5, 12.5))
    end = rng.uniform(28, 40)
    tailor.lapels(rng.uniform(12.5, 16), end, overlap)
    columns = (-6, 6) if rng.random() < 0.5 else (0,)
    rows = np.arange(end + 3, min(end + 30, length * 0.72), rng.uniform(9, 11))
    tailor.buttons([(x, y) for y in rows for x in columns], 1.5)
    tailor.pockets(9, length * 0.62, 8.5, rng.choice([0, 3.2]), rng.choice([0, 5]))
    if belted:
        w, y = cut.waist + 0.3, cut.waist_y
        belt = [(-w, y - 2.3), (0, y - 1.6, w, y - 2.3), (w, y + 2.3), (0, y + 3, -w, y + 2.3)]
        drawing.piece(belt, color=mix(cloth.trim, "#0c0814", 0.25), depth=0.8)
        drawing.piece(
            [(-3, y - 3), (3, y - 3), (3, y + 4), (-3, y + 4)], color="#b9a06a", depth=0.8
        )


def _shirt(drawing, rng, cloth):
    chest = rng.uniform(19, 22)
    short = rng.random() < 0.2
    cut = Cut(
        neck=rng.uniform(6, 7),
        neck_depth=4.5,
        shoulder=chest + rng.uniform(0, 1.5),
        drop=rng.uniform(4, 5.5),
        arm=rng.uniform(18, 21),
        chest=chest,
        waist=chest - rng.uniform(0, 2.5),
        waist_y=rng.uniform(38, 42),
        hem=chest - rng.uniform(-0.5, 1),
        length=rng.uniform(58, 63),
        hem_curve=rng.uniform(4, 8),
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    tailor.closed_front()
    tailor.folds(3)
    tailor.emblem(cut.length * 0.48, rng.uniform(12, 14))
    if short:
        tailor.sleeves(rng.uniform(19, 22), rng.uniform(28, 38), 13)
    else:
        tailor.sleeves(
            rng.uniform(46, 50),
            rng.uniform(14, 20),
            rng.uniform(9, 10.5),
            "cuff",
        )
    bottom = cut.length + cut.hem_curve
    placket = [(-2, 5), (2, 5), (2, bottom - 0.3), (-2, bottom - 0.3)]
    contrast = mix(cloth.base, "#ffffff", 0.25) if rng.random() < 0.3 else None
    drawing.piece(placket, cloth, contrast, depth=0.5)
    rows = np.linspace(11, bottom - 7, int(rng.integers(5, 8)))
    tailor.buttons([(0, y) for y in rows], 1.05)
    pockets = rng.integers(0, 3)
    for side in (1, -1)[: 0 if cloth.emblem else pockets]:  # a pocket would cut the emblem
        w, y = 4.6, cut.arm + 1
        pocket = [(5.5, y), (5.5 + 2 * w, y), (5.5 + 2 * w, y + 9), (5.5 + w, y + 11), (5.5, y + 9)]
        drawing.piece(flip(pocket, side), cloth, depth=0.4)
    tailor.collar(rng.uniform(6.5, 10), contrast)


def _top(drawing, rng, cloth):
    style = rng.choice(["tank", "camisole", "crop"])
    chest = rng.uniform(16.5, 19.5)
    strap = {"tank": rng.uniform(4, 6), "camisole": 1.3, "crop": rng.uniform(3, 6)}[style]
    neck = rng.uniform(8, 10)
    length = rng.uniform(40, 44) if style == "crop" else rng.uniform(52, 58)
    cut = Cut(
        neck=neck,
        neck_depth=rng.uniform(12, 17),
        shoulder=neck + strap,
        drop=rng.uniform(0.6, 1.4),
        arm=rng.uniform(19, 23),
        chest=chest,
        waist=chest - rng.uniform(1.5, 4),
        waist_y=rng.uniform(30, 34),
        hem=chest + rng.uniform(-2, 2.5),
        length=length,
        neckline=rng.choice(["round", "v", "square"]),
        hem_curve=rng.uniform(0.5, 2.5),
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    tailor.closed_front()
    tailor.folds(2)
    tailor.hanging_folds(2)
    tailor.emblem(length * 0.62, rng.uniform(9.5, 11.5))
    tailor.neckband(1.4)
    for side in (1, -1):
        arm = [(cut.shoulder, cut.drop), (*cut.armhole, cut.chest, cut.arm)]
        drawing.lines([flip(arm, side)], color=cloth.trim, opacity=1, width=1.4)
    tailor.hem_seam()


def _t_shirt(drawing, rng, cloth):
    chest = rng.uniform(18.5, 22)
    neckline = rng.choice(["round", "round", "v", "boat"])
    cut = Cut(
        neck=rng.uniform(7.5, 9.5),
        neck_depth={"round": 7.5, "v": 12, "boat": 4.5}[neckline] + rng.uniform(-1, 1.5),
        shoulder=chest + rng.uniform(0, 2),
        drop=rng.uniform(4.5, 6.5),
        arm=rng.uniform(18, 21),
        chest=chest,
        waist=chest - rng.uniform(-0.5, 2),
        waist_y=rng.uniform(38, 42),
        hem=chest + rng.uniform(-0.8, 1),
        length=rng.uniform(56, 63),
        neckline=neckline,
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    tailor.closed_front()
    tailor.folds(3)
    tailor.emblem(cut.length * 0.5, rng.uniform(11.5, 14.5))
    color = cloth.trim if rng.random() < 0.25 else None
    tailor.sleeves(
        rng.uniform(15, 20),
        rng.uniform(34, 46),
        rng.uniform(13, 15.5),
        color=color,
    )
    tailor.neckband(rng.uniform(1.6, 2.8))
    tailor.hem_seam()


def _dress(drawing, rng, cloth):
    chest = rng.uniform(14.5, 16.5)
    neckline = rng.choice(["round", "v", "square", "boat"])
    sleeves = rng.choice(["none", "strap", "short", "long"])
    neck = rng.uniform(7.5, 9)
    cut = Cut(
        neck=neck,
        neck_depth=rng.uniform(6, 11) if neckline != "boat" else 4,
        shoulder={"strap": neck + 1.4, "none": chest - 2}.get(sleeves, chest),
        drop=rng.uniform(2.5, 4),
        arm=rng.uniform(16, 18),
        chest=chest,
        waist=rng.uniform(11, 12.8),
        waist_y=rng.uniform(33, 37),
        hem=rng.uniform(24, 36),
        length=rng.uniform(80, 96),
        neckline=neckline,
        hem_curve=rng.uniform(2, 5),
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    tailor.closed_front()
    tailor.hanging_folds(int(rng.integers(4, 8)))
    tailor.emblem(cut.length * 0.68, rng.uniform(13, 16))
    if sleeves == "short":
        finish = rng.choice(["plain", "puff"])
        tailor.sleeves(rng.uniform(12, 17), rng.uniform(28, 40), 10.5, finish)
    elif sleeves == "long":
        tailor.sleeves(rng.uniform(42, 48), rng.uniform(17, 23), rng.uniform(6.5, 9))
    tailor.neckband(1.3)
    w, y, h = cut.waist + 0.2, cut.waist_y, rng.uniform(1, 2.4)
    belt = [(-w, y - h), (0, y - h + 1, w, y - h), (w, y + h), (0, y + h + 1, -w, y + h)]
    if rng.random() < 0.6:
        drawing.piece(belt, color=mix(cloth.trim, "#0c0814", 0.3), depth=0.8)
    else:
        drawing.lines([belt[:2]], opacity=0.4)


def _pullover(drawing, rng, cloth):
    chest = rng.uniform(20.5, 24)
    neckline = rng.choice(["round", "round", "v", "turtle"])
    cut = Cut(
        neck=rng.uniform(6.5, 8),
        neck_depth={"round": 5.5, "v": 13, "turtle": 3}[neckline],
        shoulder=chest + rng.uniform(0, 2),
        drop=rng.uniform(4.5, 6.5),
        arm=rng.uniform(21, 24),
        chest=chest,
        waist=chest + rng.uniform(-0.5, 1),
        waist_y=rng.uniform(40, 44),
        hem=chest - rng.uniform(0.5, 2),
        length=rng.uniform(50, 56),
        neckline="v" if neckline == "v" else "round",
    )
    tailor = Tailor(drawing, rng, cloth, cut)
    tailor.closed_front()
    tailor.folds(4)
    tailor.emblem(cut.length * 0.52, rng.uniform(12, 15))
    w, y = cut.hem, cut.length
    tailor.rib([(-w, y - 0.5), (w, y - 0.5), (w - 1.6, y + 5), (-w + 1.6, y + 5)])
    tailor.sleeves(
        rng.uniform(43, 47),
        rng.uniform(16, 24),
        rng.uniform(10, 12.5),
        "rib",
    )
    n = cut.neck
    if neckline == "turtle":
        top = -rng.uniform(5, 8)
        tailor.rib([(-n, 2), (n, 2), (n - 0.5, top), (-n + 0.5, top)])
    else:
        tailor.neckband(rng.uniform(2.6, 3.6))


_GARMENTS = Products(
    {
        "jacket": _jacket,
        "coat": _coat,
        "shirt": _shirt,
        "top": _top,
        "t-shirt": _t_shirt,
        "dress": _dress,
        "pullover": _pullover,
    },
    sway=0.5,
    tilt=0.008,
    light=(0.28, 0.45),
)
NAME = "garments"
CLASS_NAMES = _GARMENTS.class_names
FEATURES = _GARMENTS.features
NUM_EXAMPLES = {"train": 20000, "test": 2000}
scene, draw = _GARMENTS.scene, _GARMENTS.draw
