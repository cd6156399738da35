"""Figures and files, looked at pixel by pixel."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_design_gans import plotting

pytestmark = pytest.mark.one_backend  # no network takes part


def noise(count, size=8, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (count, size, size, channels)).astype("float32")


def rendered(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"))


class FakeModel:
    """Decodes the first two latents as red and green, so that a walk can be read off."""

    def sample_latents(self, n, seed=None):
        return np.random.default_rng(seed).normal(size=(n, 5)).astype("float32")

    def decode(self, latents):
        colors = np.tanh(np.concatenate([latents[:, :2], 0 * latents[:, :1]], axis=1))
        return np.broadcast_to(colors[:, None, None], (len(latents), 4, 4, 3))


class TestPixels:
    def test_values(self):
        images = np.array([-1, 0, 1]).reshape(1, 1, 3, 1)
        expected = np.repeat([[[[0], [128], [255]]]], 3, axis=-1)
        np.testing.assert_array_equal(plotting.to_uint8(images), expected)
        np.testing.assert_array_equal(plotting.to_uint8(expected.astype("uint8")), expected)

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (np.zeros((8, 8, 3)), r"images\[None\]"),
            (np.zeros((1, 8, 8, 4)), "1 or 3"),
            (np.full((1, 8, 8, 3), 255.0), "127.5"),
            (np.full((1, 8, 8, 3), np.nan), "nan"),
        ],
    )
    def test_bad_images(self, images, message):
        with pytest.raises(ValueError, match=message):
            plotting.to_uint8(images)

    def test_pictures_that_belong_together_stand_below_each_other(self):
        grey, colored = noise(4, channels=1), noise(4, seed=1)
        rows = plotting.beside(2, grey, colored)
        expected = [grey[:2], colored[:2], grey[2:], colored[2:]]
        for row, images in zip(np.split(rows, 4), expected, strict=True):
            np.testing.assert_array_equal(row, plotting.to_uint8(images))

    def test_what_is_no_picture_is_left_out(self):
        colored, four = noise(2), np.zeros((2, 8, 8, 4), "float32")
        np.testing.assert_array_equal(
            plotting.beside(2, four, colored, None), plotting.to_uint8(colored)
        )

    @pytest.mark.parametrize("counts", [(4, 3), (3, 3)])
    def test_pictures_that_do_not_fill_rows(self, counts):
        with pytest.raises(ValueError, match="full rows of 2"):
            plotting.beside(2, *(noise(count) for count in counts))

    def test_saved_grid_is_exact(self, tmp_path):
        images = noise(5)
        plotting.save_grid(images, tmp_path / "grid.png", columns=3, scale=2)
        grid = np.asarray(Image.open(tmp_path / "grid.png"))
        assert grid.shape == (2 * 16 + 2, 3 * 16 + 2 * 2, 3)
        fourth = grid[18:34, :16]
        np.testing.assert_array_equal(fourth[::2, ::2], plotting.to_uint8(images)[3])
        np.testing.assert_array_equal(fourth[1::2, 1::2], plotting.to_uint8(images)[3])
        assert (grid[16:18] == 255).all()
        assert (grid[18:, 36:] == 255).all()

    def test_animation(self, tmp_path):
        frames = [plotting.image_grid(noise(4, seed=seed)) for seed in range(3)]
        plotting.save_animation(frames, tmp_path / "a.gif")
        with Image.open(tmp_path / "a.gif") as animation:
            assert animation.n_frames == 3
            assert animation.info["duration"] == 500
            assert animation.info["loop"] == 0


class TestFigures:
    @pytest.mark.parametrize("titles", [None, ["a", "b", "c"]])
    def test_shown_pixels_are_squares(self, titles):
        images = noise(3, size=32, channels=1)
        picture = rendered(plotting.show_images(images, titles=titles))
        height = 96 + 6 + 6 + (20 if titles else 0)
        assert picture.shape == (height, 3 * 96 + 4 * 6, 3)
        second = picture[-6 - 96 : -6, 108:204]
        np.testing.assert_array_equal(second[1::3, 1::3], plotting.to_uint8(images)[1])
        np.testing.assert_array_equal(second[::3, ::3], second[2::3, 2::3])

    def test_titles_must_match(self):
        with pytest.raises(ValueError, match="one title per image"):
            plotting.show_images(noise(3), titles=["a"])

    def test_named_rows(self):
        sketches, outputs = noise(5, size=32, channels=1), noise(5, size=32, seed=1)
        figure = plotting.show_rows({"sketch": sketches, "a longer name": outputs}, columns=3)
        assert [text.get_text() for text in figure.texts] == ["sketch", "a longer name"]
        shown = [axes.images[0].get_array() for axes in figure.axes]
        expected = [*sketches[:3], *outputs[:3]]
        np.testing.assert_array_equal(shown, [plotting.to_uint8(x[None])[0] for x in expected])
        width, picture = figure.texts[1].get_window_extent(), rendered(figure)
        assert width.x0 >= 0
        assert width.x1 <= picture.shape[1] - 3 * 102 - 5
        first = picture[6:102, -3 * 102 : -3 * 102 + 96]
        np.testing.assert_array_equal(first[::3, ::3], plotting.to_uint8(sketches)[0])

    def test_rows_must_be_equally_long(self):
        with pytest.raises(ValueError, match="'a': 3, 'b': 2"):
            plotting.show_rows({"a": noise(3), "b": noise(2)})

    def test_neighbours_show_the_copied_picture_first(self):
        train = noise(6)
        figure = plotting.nearest_neighbours(train[4:5], train, k=2)
        assert [axes.get_title() for axes in figure.axes][:2] == ["generated", "distance 0.00"]
        shown = [axes.images[0].get_array() for axes in figure.axes]
        np.testing.assert_array_equal(shown[0], shown[1])

    def test_neighbours_in_features(self):
        train = noise(6)
        figure = plotting.nearest_neighbours(
            np.full((1, 8, 8, 3), 0.9, "float32"), train, k=1, features=lambda x: x.mean((1, 2))
        )
        nearest = np.linalg.norm(train.mean((1, 2)) - 0.9, axis=1).argmin()
        shown = figure.axes[1].images[0].get_array()
        np.testing.assert_array_equal(shown, plotting.to_uint8(train)[nearest])

    def test_interpolation_ends_at_the_sampled_pictures(self):
        model = FakeModel()
        figure = plotting.interpolate(model, rows=2, steps=5, seed=3)
        ends = plotting.to_uint8(model.decode(model.sample_latents(4, seed=3)))
        shown = [axes.images[0].get_array() for axes in figure.axes]
        for position, end in zip([0, 4, 5, 9], ends, strict=True):
            np.testing.assert_allclose(shown[position].astype(int), end, atol=1)

    def test_notebooks_display_a_figure(self):
        formatters = pytest.importorskip("IPython.core.formatters")
        data, _ = formatters.DisplayFormatter().format(plotting.show_images(noise(2)))
        assert "image/png" in data


class TestLatentWalk:
    def test_quarter_circle(self):
        walk = plotting.latent_walk([1.0, 0.0], [0.0, 1.0], steps=3)
        np.testing.assert_allclose(walk, [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-6)

    def test_straight_line(self):
        walk = plotting.latent_walk([1.0, 0.0], [0.0, 1.0], steps=3, spherical=False)
        np.testing.assert_allclose(walk, [[1, 0], [0.5, 0.5], [0, 1]])

    def test_parallel_vectors(self):
        walk = plotting.latent_walk([1.0, 1.0], [3.0, 3.0], steps=3)
        np.testing.assert_allclose(walk, [[1, 1], [2, 2], [3, 3]], atol=1e-6)


class TestHistory:
    def test_panels_and_lines(self):
        history = {
            "d_loss": [1.0, 0.9],
            "g_loss": [0.7, 1.0],
            "val_g_loss": [0.8, 1.1],
            "d_real_accuracy": [0.6, 0.7],
            "shape_entropy": [1.0, 1.9],
        }
        axes = plotting.plot_history(history).axes
        names = [[line.get_label() for line in a.lines if line.get_label()[0] != "_"] for a in axes]
        assert names == [
            ["d_loss", "g_loss", "val_g_loss"],
            ["d_real_accuracy"],
            ["shape_entropy"],
        ]
        g_loss, val_g_loss = axes[0].lines[1:3]
        assert g_loss.get_color() == val_g_loss.get_color()
        assert val_g_loss.get_linestyle() == "--"

    def test_empty(self):
        with pytest.raises(ValueError, match="Train first"):
            plotting.plot_history({})
