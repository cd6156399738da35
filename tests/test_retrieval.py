"""Product retrieval, with a classifier whose features can be worked out by hand."""

import numpy as np
import pytest
from PIL import Image
from test_plotting import rendered

from keras_design_gans import datasets, metrics, plotting

pytestmark = pytest.mark.one_backend

COLOURS = {
    "red": (200, 0, 0),
    "green": (0, 200, 0),
    "blue": (0, 0, 200),
    "dark red": (100, 0, 0),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
PRODUCTS = np.stack([np.full((16, 16, 3), colour, "uint8") for colour in COLOURS.values()])


class MeanColour:
    """Has one feature for each channel: its mean."""

    image_shape = (16, 16, 3)

    def features(self, images):
        assert images.dtype == np.float32
        return images.mean(axis=(1, 2))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A class folder for each colour, one picture in each; some fall into the test split."""
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    for name, picture in zip(COLOURS, PRODUCTS, strict=True):
        for number in range(3):
            path = tmp_path / "products" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return tmp_path / "products"


def almost(colour):
    return np.clip(np.full((1, 16, 16, 3), COLOURS[colour]) / 127.5 - 0.95, -1, 1).astype("float32")


def test_array_by_hand():
    products = metrics.NearestProducts(MeanColour()).fit(PRODUCTS)
    distances, indices, names = products.query(PRODUCTS[:1], k=6)
    assert names is None
    np.testing.assert_array_equal(indices[0, :3], [0, 3, 5])
    np.testing.assert_allclose(distances[0, :3], [0, 100 / 127.5, 200 / 127.5], rtol=1e-5)
    floats = metrics.NearestProducts(MeanColour()).fit(PRODUCTS / np.float32(127.5) - 1)
    np.testing.assert_array_equal(floats.query(almost("blue"), k=1)[1], [[2]])


def test_folder_with_all_its_pictures(folder):
    products = metrics.NearestProducts(MeanColour()).fit(folder)
    expected = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert sorted(products.file_names) == expected
    assert datasets.from_folder(folder, "test", 16, batch_size=1).num_examples > 0
    for colour in COLOURS:
        distances, indices, [names] = products.query(almost(colour), k=3)
        assert sorted(names) == [f"{colour}/{number}.png" for number in range(3)]
        assert names == [products.file_names[index] for index in indices[0]]
        assert (np.diff(distances[0]) >= 0).all()


def test_folder_of_one_picture_and_folder_of_splits(folder, tmp_path):
    single = tmp_path / "single"
    single.mkdir()
    Image.fromarray(PRODUCTS[0]).save(single / "only.png")
    products = metrics.NearestProducts(MeanColour()).fit(str(single))
    assert products.query(almost("blue"), k=1)[2] == [["only.png"]]

    for split, colour in (("train", "red"), ("test", "blue")):
        path = tmp_path / "splits" / split / "0.png"
        path.parent.mkdir(parents=True)
        (folder / colour / "0.png").rename(path)
    products = metrics.NearestProducts(MeanColour()).fit(tmp_path / "splits")
    assert products.query(almost("blue"), k=2)[2] == [["test/0.png", "train/0.png"]]


def test_data_set():
    dataset = datasets.Dataset({"image": PRODUCTS}, "colours", batch_size=4)
    products = metrics.NearestProducts(MeanColour()).fit(dataset)
    _, indices, names = products.query(PRODUCTS, k=1)
    assert names is None
    np.testing.assert_array_equal(indices[:, 0], range(6))  # also those that fill no batch


def test_figure_shows_what_the_query_finds(folder):
    products = metrics.NearestProducts(MeanColour()).fit(folder)
    designs = np.concatenate([almost("blue"), almost("dark red")])
    picture = rendered(plotting.nearest_products(designs, products, k=4))
    height, width = 96 + 20 + 6, 96 + 6
    for row, colour in enumerate(("blue", "dark red")):
        y = 6 + row * height + 20 + 48
        shown = [picture[y, 6 + 48 + column * width + (18 if column else 0)] for column in range(5)]
        np.testing.assert_array_equal(shown[0], plotting.to_uint8(designs)[row, 0, 0])
        for value in shown[1:4]:
            np.testing.assert_array_equal(value, COLOURS[colour])
        assert tuple(shown[4]) != COLOURS[colour]


def test_with_the_classifier():
    classifier = metrics.ResNet18((16, 16, 3), {"label": 2}, base_filters=4)
    products = metrics.NearestProducts(classifier).fit(PRODUCTS)
    distances, indices, _ = products.query(PRODUCTS, k=2)
    np.testing.assert_array_equal(indices[:, 0], range(6))
    np.testing.assert_allclose(distances[:, 0], 0, atol=1e-4)


def test_bad_arguments(tmp_path):
    products = metrics.NearestProducts(MeanColour())
    with pytest.raises(ValueError, match=r"Call `fit"):
        products.query(PRODUCTS)
    with pytest.raises(FileNotFoundError, match="no folder"):
        products.fit(tmp_path / "nothing")
    with pytest.raises(ValueError, match="no pictures"):
        products.fit(tmp_path)
    with pytest.raises(ValueError, match="from 1 to the number of training rows, 6, got 7"):
        products.fit(PRODUCTS).query(PRODUCTS, k=7)
