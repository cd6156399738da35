"""Pictures from the user's own folder, whatever their kind."""

import warnings

import numpy as np
import pytest
from PIL import Image

from keras_design_gans import datasets
from keras_design_gans.datasets.folder import FolderSource
from keras_design_gans.datasets.images import read_further, read_image
from keras_design_gans.datasets.source import SkipExample

pytestmark = pytest.mark.one_backend  # no network takes part

RED = (200, 30, 40)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pictures"
    path.mkdir()
    return path


def write(path, color=RED, size=(12, 12), **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path, **kwargs)


def fill_classes(folder, n=40):
    for index in range(n):
        kind = ("dress", "shirt")[index % 2]
        write(folder / kind / f"{index}.png", color=(index, 0, 0))


def load(folder, **kwargs):
    return datasets.from_folder(folder, **{"image_size": 8, "batch_size": 1, **kwargs})


def numbers(data):
    """The red value of each picture, which `fill_classes` sets to the number in its name."""
    return data.arrays["image"][:, 0, 0, 0].tolist()


def test_class_folders(folder):
    fill_classes(folder)
    data = load(folder, batch_size=16)
    assert data.features == ("image", "label")
    assert data.class_names == {"label": ("dress", "shirt")}
    assert data.name == "pictures"
    batch = data[0]
    assert batch["image"].shape == (16, 8, 8, 3)
    for number, label, name in zip(
        numbers(data), data.arrays["label"], data.file_names, strict=True
    ):
        assert name == f"{('dress', 'shirt')[label]}/{number}.png"
        assert label == number % 2


def test_splits_are_disjoint_complete_and_stable(folder):
    fill_classes(folder)
    train, test = load(folder), load(folder, split="test")
    assert sorted(numbers(train) + numbers(test)) == list(range(40))
    assert 1 <= test.num_examples <= 10
    fill_classes(folder, n=60)
    assert set(test.file_names) <= set(load(folder, split="test").file_names)


def test_folders_named_train_and_test_are_the_splits(folder):
    write(folder / "train" / "a" / "1.png")
    write(folder / "train" / "b" / "2.png")
    write(folder / "test" / "b" / "3.png")
    assert load(folder).num_examples == 2
    test = load(folder, split="test")
    assert test.file_names == ["b/3.png"]
    assert test.arrays["label"].tolist() == [1]


def test_flat_folder_has_no_labels(folder):
    for index in range(20):
        write(folder / f"{index}.jpg")
    (folder / "notes.txt").write_text("no picture")
    (folder / "._1.jpg").write_text("not one either")
    data = load(folder)
    assert data.features == ("image",)
    assert len(data.file_names) == data.num_examples


def test_metadata(folder):
    lines = ["file_name,shape,kids,size,caption,sku"]
    for index in range(150):
        write(folder / "images" / f"{index}.png", color=(index, 0, 0))
        shape = ("coat", "dress", "shirt")[index % 3]
        lines.append(
            f'images/{index}.png,{shape},{index % 2 == 0},{index % 11},"number, {index}",{index}'
        )
    (folder / "metadata.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    with pytest.warns(UserWarning, match="'sku' is left out: its 150 distinct"):
        data = load(folder)
    assert data.features == ("image", "shape", "kids", "size")
    assert data.class_names["shape"] == ("coat", "dress", "shirt")
    assert data.class_names["kids"] == ("False", "True")
    assert data.class_names["size"] == tuple(map(str, range(11)))
    red = np.array(numbers(data))
    np.testing.assert_array_equal(data.arrays["shape"], red % 3)
    np.testing.assert_array_equal(data.arrays["kids"], red % 2 == 0)
    np.testing.assert_array_equal(data.arrays["size"], red % 11)
    assert data.captions == {}
    with pytest.warns(UserWarning, match="sku"):
        data = load(folder, features=("image", "caption"), shuffle=False)
    assert data.captions == {"caption": [(f"number, {number}",) for number in red]}
    assert data[3]["caption"].tolist() == [f"number, {red[3]}"]
    with pytest.warns(UserWarning, match="sku"):
        assert load(folder, features=("image", "kids")).class_names == {"kids": ("False", "True")}


def test_captions_in_several_sentences_and_languages(folder):
    lines = ["file_name,caption,caption_zh"]
    for index in range(40):
        write(folder / f"{index}.png", color=(index, 0, 0))
        lines.append(f'{index}.png,"a coat {index}\n\nclothes {index} ",{"外套" if index else ""}')
    (folder / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    data = load(folder, features=("image", "caption", "caption_zh"), batch_size=30)
    assert data.class_names == {}
    for number, english, chinese in zip(numbers(data), *data.captions.values(), strict=True):
        assert english == (f"a coat {number}", f"clothes {number}")
        assert chinese == ("外套" if number else "",)
    assert load(folder).features == ("image",)
    # Of a broken file, the caption is left out too.
    (folder / data.file_names[2]).write_text("no picture")
    with pytest.warns(UserWarning, match="1 of the"):
        rest = load(folder, features=("caption",))
    del data.captions["caption"][2]
    assert rest.captions == {"caption": data.captions["caption"]}


def test_bad_files_are_left_out_with_one_warning(folder):
    fill_classes(folder)
    good = {name for split in ("train", "test") for name in load(folder, split=split).file_names}
    (folder / "dress" / "empty.jpg").touch()
    write(folder / "dress" / "cut.jpg", size=(200, 200))
    whole = (folder / "dress" / "cut.jpg").read_bytes()
    (folder / "dress" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "dress" / "page.png").write_text("<html>404</html>")
    messages, names, rest = "", set(), []
    for split in ("train", "test"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = load(folder, split=split)
        messages += "".join(str(warning.message) for warning in caught)
        names |= set(data.file_names)
        rest += numbers(data)
        assert len(caught) <= 1
        assert all(
            name.endswith(f"/{number}.png")
            for name, number in zip(data.file_names, numbers(data), strict=True)
        )
    assert names == good
    assert sorted(rest) == list(range(40))
    assert "dress/empty.jpg: it is empty or not a picture" in messages
    assert "dress/page.png: it is empty or not a picture" in messages
    assert "dress/cut.jpg: it cannot be read" in messages


def test_files_missing_from_metadata_are_reported(folder):
    rows = "".join(f"{index}.png\n" for index in range(20))
    for index in range(19):
        write(folder / f"{index}.png")
    (folder / "metadata.csv").write_text("file_name\n" + rows)
    split = "train" if "19.png" in FolderSource(folder, "train").file_names else "test"
    with pytest.warns(UserWarning, match=r"19.png: there is no such file"):
        load(folder, split=split)


def test_changed_file_is_read_again(folder):
    fill_classes(folder)
    before = load(folder)
    write(folder / before.file_names[0], color=(99, 0, 0), size=(13, 13))
    assert numbers(load(folder))[0] == 99


def test_crop_and_pad(folder):
    image = Image.new("RGB", (40, 20), (0, 0, 255))
    image.paste(RED, (10, 0, 30, 20))
    image.save(folder / "wide.png")
    np.testing.assert_array_equal(read_image(folder / "wide.png", 20), np.full((20, 20, 3), RED))
    padded = read_image(folder / "wide.png", 40, fit="pad")
    assert padded[0, 20].tolist() == [255, 255, 255]
    assert padded[20, 20].tolist() == list(RED)
    assert padded[20, 2].tolist() == [0, 0, 255]


def _modes(folder):
    square = Image.new("RGB", (16, 16), RED)
    square.convert("L").save(folder / "grey.png")
    square.quantize(4).save(folder / "palette.png")
    square.convert("CMYK").save(folder / "cmyk.jpg", quality=100)
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(folder / "clear.png")
    Image.new("RGBA", (16, 16), (*RED, 255)).save(folder / "opaque.webp", lossless=True)
    Image.new("LA", (16, 16), (0, 128)).save(folder / "grey_alpha.png")
    Image.fromarray(np.full((16, 16), 40_000, np.uint16)).save(folder / "16bit.png")
    Image.new("1", (16, 16), 1).save(folder / "bit.png")
    square.save(folder / "picture.gif")
    square.save(folder / "picture.bmp")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grey.png", (82, 82, 82)),
        ("palette.png", RED),
        ("cmyk.jpg", RED),
        ("clear.png", (255, 255, 255)),
        ("opaque.webp", RED),
        ("grey_alpha.png", (127, 127, 127)),
        ("16bit.png", (156, 156, 156)),
        ("bit.png", (255, 255, 255)),
        ("picture.gif", RED),
        ("picture.bmp", RED),
    ],
)
def test_kinds_of_pictures(folder, name, expected):
    _modes(folder)
    pixels = read_image(folder / name, 8)
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels, np.broadcast_to(expected, (8, 8, 3)), atol=4)


def test_turned_photos_stand_upright(folder):
    image = Image.new("RGB", (32, 32), RED)
    image.paste((0, 0, 0), (0, 0, 32, 16))
    exif = Image.Exif()
    exif[0x0112] = 3  # Orientation: upside down.
    image.save(folder / "turned.jpg", exif=exif, quality=100)
    pixels = read_image(folder / "turned.jpg", 8)
    assert pixels[0, 4, 0] > 150
    assert pixels[7, 4, 0] < 50


def test_float_picture_is_refused(folder):
    Image.fromarray(np.zeros((8, 8), np.float32)).save(folder / "float.tif")
    with pytest.raises(SkipExample, match="no known range"):
        read_image(folder / "float.tif", 8)


def test_wrong_folders(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder.*metadata.csv"):
        load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"There are no pictures.*per class.*\.png"):
        load(folder)
    (folder / "1.png").touch()
    with pytest.raises(ValueError, match=r"falls into the|cannot be used"):
        load(folder)
    (folder / "metadata.csv").write_text("file;kind\n1.png;x\n")
    with pytest.raises(ValueError, match=r"column `file_name`.*commas.*file;kind"):
        load(folder)
    (folder / "metadata.csv").write_text("file_name,image\n1.png,x\n")
    with pytest.raises(ValueError, match="rename the columns"):
        load(folder)
    (folder / "metadata.csv").write_bytes("file_name,shape\n1.png,é\n".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        load(folder)


def test_wrong_arguments(folder):
    fill_classes(folder)
    with pytest.raises(ValueError, match=r"crop.*pad"):
        load(folder, fit="stretch")
    write(folder / "loose.png")
    with pytest.raises(ValueError, match="Move these into a class folder"):
        load(folder)


def test_all_files_bad(folder):
    for index in range(30):
        (folder / f"{index}.png").touch()
    with pytest.raises(ValueError, match=r"cannot be used:\n.*\n(.*\n)+.*and \d+ more"):
        load(folder)


def write_further(folder, n=40, size=(12, 12)):
    """A folder with masks, white on the left, and sketches, black on the left."""
    lines = ["file_name,mask_file_name,mask_quality,sketch_file_name,shape"]
    for index in range(n):
        write(folder / f"{index}.png", color=(index, 0, 0), size=size)
        for kind, left, right in (("mask", 255, 0), ("sketch", 0, 255)):
            image = Image.new("L", size, right)
            image.paste(left, (0, 0, size[0] // 2, size[1]))
            (folder / kind).mkdir(exist_ok=True)
            image.save(folder / kind / f"{index}.png")
        lines.append(f"{index}.png,mask/{index}.png,0.{index},sketch/{index}.png,{index % 2}")
    (folder / "metadata.csv").write_text("\n".join(lines))


def test_masks_and_sketches_on_request(folder):
    write_further(folder)
    assert load(folder).features == ("image", "shape")
    data = load(folder, features=("image", "mask", "sketch", "shape"), batch_size=4)
    batch = data[0]
    for kind in ("mask", "sketch"):
        assert data.arrays[kind].dtype == np.uint8
        assert batch[kind].shape == (4, 8, 8, 1)
    assert (batch["mask"][:, :, :3] > 0.98).all()
    assert (batch["mask"][:, :, 5:] < -0.98).all()
    assert (batch["sketch"][:, :, :3] < -0.98).all()
    assert load(folder, features=("mask",))[0]["mask"].shape == (1, 8, 8, 1)


def test_masks_are_cut_like_their_picture(folder):
    write_further(folder, n=20, size=(24, 12))
    features = ("image", "mask", "sketch")
    padded = load(folder, features=features, fit="pad").arrays
    assert (padded["image"][:, 0] == 255).all()
    assert (padded["mask"][:, 0] == 0).all()
    assert (padded["sketch"][:, 0] == 255).all()
    assert (padded["mask"][:, 4, 0] > 250).all()
    cropped = load(folder, features=features).arrays
    assert (cropped["mask"][:, 0, 0] > 250).all()
    assert (cropped["mask"][:, 0, -1] < 5).all()
    # Soft edges: the border of the mask runs through a pixel of the smaller picture.
    odd = load(folder, features=features, image_size=9).arrays["mask"]
    assert 100 < odd[0, 4, 4, 0] < 155


def test_a_missing_mask_leaves_out_its_example_where_masks_are_wanted(folder):
    write_further(folder)
    everything = load(folder)
    gone, broken, unnamed = everything.file_names[3], everything.file_names[5], "7.png"
    (folder / "mask" / gone).unlink()
    (folder / "mask" / broken).write_text("<html>404</html>")
    table = folder / "metadata.csv"
    table.write_text(table.read_text().replace(f",mask/{unnamed},", ",,"))
    count = everything.num_examples
    assert load(folder).num_examples == count
    with pytest.warns(UserWarning, match="3 of the") as caught:
        data = load(folder, features=("image", "mask", "shape"))
    message = str(caught[0].message)
    assert f"{gone}: its mask mask/{gone}: there is no such file" in message
    assert f"{broken}: its mask mask/{broken}: it is empty or not a picture" in message
    assert f"{unnamed}: it has no `mask_file_name`" in message
    assert {gone, broken, unnamed}.isdisjoint(data.file_names)
    assert data.num_examples == count - 3
    assert [f"{number}.png" for number in numbers(data)] == data.file_names
    np.testing.assert_array_equal(data.arrays["shape"], np.array(numbers(data)) % 2)
    assert load(folder, features=("image", "sketch")).num_examples == count
    (folder / everything.file_names[0]).write_text("no picture either")
    with pytest.warns(UserWarning, match="4 of the"):
        data = load(folder, features=("mask", "image"))
    assert [f"{number}.png" for number in numbers(data)] == data.file_names
    assert len(data.arrays["mask"]) == data.num_examples == count - 4


def _photo_with_tag(path, orientation, size=(32, 16)):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.new("RGB", size)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    image.save(path, exif=exif, quality=100)


def test_a_mask_stands_upright_like_its_photo(folder):
    photo, mask = folder / "photo.jpg", folder / "mask.png"
    _photo_with_tag(photo, 6)  # stored lying, shown as 16 x 32 with red on top
    upright = Image.new("L", (16, 32))
    upright.paste(255, (0, 0, 16, 16))
    upright.save(mask)
    red = read_image(photo, 8, "pad")
    white = read_further(mask, photo, 8, "pad", (0, 0, 0))
    assert white.shape == (8, 8, 1)
    assert (white[1, 3:5, 0] > 250).all()
    assert (white[6, 3:5, 0] < 5).all()
    np.testing.assert_allclose(red[1, 3], RED, atol=12)
    _photo_with_tag(folder / "tagged.jpg", 6)  # a mask with the tag of its photo
    assert read_further(folder / "tagged.jpg", photo, 8)[1, 3, 0] > 50
    upright.transpose(Image.Transpose.ROTATE_90).save(mask)
    with pytest.raises(SkipExample, match="32 x 16 pixels when upright, the picture 16 x 32"):
        read_further(mask, photo, 8)


def test_masks_of_other_kinds(folder):
    write(folder / "photo.png", size=(30, 30))
    Image.new("1", (15, 15), 1).save(folder / "bit.png")
    assert (read_further(folder / "bit.png", folder / "photo.png", 8) == 255).all()
    Image.new("RGBA", (60, 60), (255, 255, 255, 0)).save(folder / "clear.png")
    assert not read_further(folder / "clear.png", folder / "photo.png", 8, "crop", (0, 0, 0)).any()
    Image.new("L", (30, 30), 1).save(folder / "small.png")
    with pytest.raises(SkipExample, match="values 0 and 1: save it with 0 and 255"):
        read_further(folder / "small.png", folder / "photo.png", 8)
