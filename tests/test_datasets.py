"""The data interface: batches, order, cache, and the sets that are read or drawn."""

import errno
import gzip
import itertools
import os
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from keras_design_gans import datasets
from keras_design_gans.datasets import cache, dataset, drawn, fashion_mnist, loading
from keras_design_gans.datasets.source import Source

TINY_SET = """
import numpy as np
from pathlib import Path

NAME = "tiny"
FEATURES = ("image", "mask", "sketch", "shape")
CLASS_NAMES = {"shape": ("even", "odd")}
NUM_EXAMPLES = {"train": 300, "test": 20}

def draw(index, seed=0, image_size=64, features=FEATURES):
    with open(Path(__file__).with_name("log.txt"), "a") as file:
        file.write(f"{index} {'+'.join(features)}\\n")
    noise = np.random.default_rng([seed, index])
    pixels = {"image": 3, "mask": 1, "sketch": 1}
    example = {
        key: noise.integers(0, 256, (image_size, image_size, channels), np.uint8)
        for key, channels in pixels.items()
    }
    return {**example, "shape": index % 2}
"""


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KDG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Registers a drawn set `"tiny"`; returns its module file."""
    path = tmp_path / "tiny_set.py"
    path.write_text(TINY_SET)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tiny_set", raising=False)

    def source(**kwargs):
        return drawn.DrawnSource("tiny_set", **kwargs)

    monkeypatch.setitem(loading.SOURCES, "tiny", source)
    return path


def drawn_indexes(path):
    log = path.with_name("log.txt")
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def numbered(n=20, batch_size=4, **kwargs):
    """A data set whose only feature is the number of the example."""
    return datasets.Dataset({"number": np.arange(n)}, "numbers", batch_size=batch_size, **kwargs)


class Recorder(keras.Model):
    """Remembers the batches it is trained on."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.weight = self.add_weight(shape=())

    def call(self, data):
        return keras.ops.cast(data["number"], "float32") * self.weight

    def train_step(self, *args):
        state, data = args if len(args) == 2 else (None, args[0])  # JAX passes its state.
        self.seen.append(keras.ops.convert_to_numpy(data["number"]).tolist())
        logs = {"number": keras.ops.zeros(())}
        return logs if state is None else (logs, state)


def batches_of_fit(data, **kwargs):
    model = Recorder()
    model.compile(run_eagerly=True)
    model.fit(data, verbose=0, shuffle=False, **kwargs)
    return model.seen


def test_batches(tiny):
    data = datasets.load("tiny", image_size=16, batch_size=32, features=("image", "mask", "shape"))
    assert (len(data), data.num_examples, data.image_size) == (9, 300, 16)
    assert data.features == ("image", "mask", "shape")
    assert data.class_names == {"shape": ("even", "odd")}
    batch = data[8]
    assert batch["image"].shape == (32, 16, 16, 3)
    assert batch["mask"].shape == (32, 16, 16, 1)
    assert batch["image"].dtype == batch["mask"].dtype == np.float32
    assert batch["shape"].dtype == np.int32
    assert batch["shape"].shape == (32,)
    with pytest.raises(IndexError, match="there are 9"):
        data[9]


def test_scaling_is_exact():
    values = dataset._scale(np.arange(256, dtype=np.uint8))
    assert values.dtype == np.float32
    assert (values[0], values[255]) == (-1, 1)
    np.testing.assert_array_equal(np.round((values + 1) * 127.5), np.arange(256))


def test_take_is_unshuffled_and_scaled(tiny):
    data = datasets.load("tiny", image_size=16)
    taken = data.take(5)
    np.testing.assert_array_equal(taken["shape"], [0, 1, 0, 1, 0])
    np.testing.assert_allclose(taken["image"], data.arrays["image"][:5] / 127.5 - 1, atol=1e-6)
    with pytest.raises(ValueError, match="300"):
        data.take(301)


def test_every_epoch_has_every_example_in_another_order():
    data = numbered(22)
    epochs = [np.concatenate([batch["number"] for batch in data]) for _ in range(3)]
    assert data.epoch == 3
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert not np.array_equal(epochs[0], epochs[1])
    data.epoch = 1
    np.testing.assert_array_equal(np.concatenate([batch["number"] for batch in data]), epochs[1])
    assert not np.array_equal(next(iter(numbered(22, seed=1)))["number"], epochs[0][:4])


def test_where_keeps_some_classes():
    images = np.arange(12, dtype="uint8")[:, None, None, None] * np.ones((8, 8, 3), "uint8")
    arrays = {"image": images, "hair": np.arange(12) % 4, "mouth": np.arange(12) % 2}
    names = {"hair": ("black", "red", "blond", "grey"), "mouth": ("serious", "smile")}
    captions = {"caption": [(f"face {i}",) for i in range(12)]}
    data = datasets.Dataset(
        arrays, "faces", batch_size=2, class_names=names, shuffle=False, captions=captions
    )
    chosen = data.where(hair=("grey", "blond", "black"), mouth=("serious", "smile"))
    assert chosen.class_names == {**names, "hair": ("grey", "blond", "black")}
    batch = chosen.take(chosen.num_examples)
    np.testing.assert_array_equal(chosen.arrays["image"][:, 0, 0, 0], [0, 2, 3, 4, 6, 7, 8, 10, 11])
    np.testing.assert_array_equal(batch["hair"], [2, 1, 0] * 3)
    np.testing.assert_array_equal(batch["mouth"], [0, 0, 1] * 3)
    assert batch["caption"][2] == "face 3"
    assert data.num_examples == 12
    with pytest.raises(ValueError, match=r"hair=\('pink',\).*'black'"):
        data.where(hair=("pink",))
    with pytest.raises(ValueError, match="hat="):
        data.where(hat=("red",))


def test_select_keeps_some_examples():
    images = np.arange(6, dtype="uint8")[:, None, None, None] * np.ones((8, 8, 3), "uint8")
    arrays = {"image": images, "hair": np.arange(6) % 2}
    captions = {"caption": [(f"face {i}",) for i in range(6)]}
    names = {"hair": ("black", "red")}
    data = datasets.Dataset(arrays, "faces", "test", 2, names, shuffle=False, captions=captions)
    some = data.select(np.array([4, 1, 3]))
    assert (some.split, some.batch_size, some.class_names) == ("test", 2, names)
    batch = some.take(3)
    np.testing.assert_array_equal(some.arrays["image"][:, 0, 0, 0], [4, 1, 3])
    np.testing.assert_array_equal(batch["hair"], [0, 1, 1])
    assert batch["caption"].tolist() == ["face 4", "face 1", "face 3"]
    with pytest.raises(ValueError, match=r"1 \.\.\. 1, the number of examples"):
        data.select(np.array([0]))


def test_looking_at_batches_does_not_move_the_epoch():
    data = numbered()
    for index in range(len(data)):
        data[index]
    data.on_epoch_end()
    assert data.epoch == 0


def test_resumed_fit_sees_the_same_batches():
    whole = numbered()
    expected = batches_of_fit(whole, epochs=3)
    assert whole.epoch == 3
    for start in (0, 5, 10):
        epoch = itertools.chain.from_iterable(expected[start : start + 5])
        assert sorted(epoch) == list(range(20))
    first = batches_of_fit(numbered(), epochs=1)
    resumed = numbered()
    resumed.epoch = 1
    assert first + batches_of_fit(resumed, epochs=3, initial_epoch=1) == expected
    # The same object can also go on, and an epoch may be cut in pieces.
    pieces = numbered()
    seen = batches_of_fit(pieces, epochs=5, steps_per_epoch=1)
    assert pieces.epoch == 1
    assert seen + batches_of_fit(pieces, epochs=2) == expected


def test_test_split_is_not_shuffled_and_differs(tiny):
    train = datasets.load("tiny", image_size=16, num_examples=20, batch_size=20)
    test = datasets.load("tiny", split="test", image_size=16, batch_size=20)
    assert (train.shuffle, test.shuffle) == (True, False)
    np.testing.assert_array_equal(test[0]["image"], test.take(20)["image"])
    assert not np.array_equal(train.arrays["image"], test.arrays["image"])
    np.testing.assert_array_equal(test.arrays["shape"], train.arrays["shape"])


def test_workers_draw_what_one_process_draws(tiny, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    data = datasets.load("tiny", image_size=16)
    assert sorted(map(int, drawn_indexes(tiny))) == [0, *range(300)]  # 0 first tells the shapes
    few = datasets.load("tiny", image_size=16, num_examples=30, batch_size=30)
    np.testing.assert_array_equal(data.arrays["image"][:30], few.arrays["image"])


def test_cache_is_used_and_grows_by_what_is_missing(tiny):
    first = datasets.load("tiny", image_size=16, num_examples=10, batch_size=5)
    count = len(drawn_indexes(tiny))
    datasets.load("tiny", image_size=16, num_examples=10, batch_size=10)
    assert len(drawn_indexes(tiny)) == count
    keys = ("image", "sketch")
    second = datasets.load("tiny", image_size=16, num_examples=10, batch_size=5, features=keys)
    assert tiny.with_name("log.txt").read_text().splitlines()[-1] == "9 sketch"
    np.testing.assert_array_equal(first.arrays["image"], second.arrays["image"])
    other = datasets.load("tiny", image_size=16, num_examples=10, batch_size=5, seed=1)
    assert not np.array_equal(first.arrays["image"], other.arrays["image"])


def test_edited_drawing_code_is_drawn_again(tiny):
    before = drawn.code_fingerprint("tiny_set")
    assert drawn.code_fingerprint("tiny_set") == before
    tiny.write_text(TINY_SET.replace("index % 2", "1 - index % 2"))
    assert drawn.code_fingerprint("tiny_set") != before


def test_fingerprint_follows_imports_within_the_package():
    read = drawn._imports(
        b"from .scene import Path\nimport numpy as np", "keras_design_gans.datasets"
    )
    assert "keras_design_gans.datasets.scene" in read
    assert "numpy" in read


def test_interrupted_preparation_goes_on(tiny, monkeypatch):
    real = drawn.DrawnSource.example

    def stop_at_six(self, index, *args):
        if index == 6:
            raise KeyboardInterrupt
        return real(self, index, *args)

    arguments = {"image_size": 16, "num_examples": 10, "batch_size": 10}
    with monkeypatch.context() as patch:
        patch.setattr(drawn.DrawnSource, "example", stop_at_six)
        with pytest.raises(KeyboardInterrupt):
            datasets.load("tiny", **arguments)
    count = len(drawn_indexes(tiny))
    resumed = datasets.load("tiny", **arguments).arrays["image"]
    assert len(drawn_indexes(tiny)) == count + 4
    monkeypatch.setenv("KDG_CACHE", str(tiny.with_name("other_cache")))
    np.testing.assert_array_equal(resumed, datasets.load("tiny", **arguments).arrays["image"])


SCRIPT = """
from keras_design_gans.datasets.cache import checksum, load_arrays
from keras_design_gans.datasets.drawn import DrawnSource
arrays, _ = load_arrays(DrawnSource("tiny_set", "train"), 16, ("image",))
print(checksum(arrays["image"]))
"""


def test_script_without_main_guard_and_two_processes_at_once(tiny):
    script = tiny.with_name("script.py")
    script.write_text(SCRIPT)
    processes = [
        subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=_environment(tiny))
        for _ in range(2)
    ]
    sums = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sums[0] == sums[1] != b""
    assert len(drawn_indexes(tiny)) == 301  # one waited for the other


def test_workers_end_with_a_process_that_is_killed(tiny):
    tiny.write_text(TINY_SET.replace("noise =", "__import__('time').sleep(0.1); noise ="))
    code = "import os; os.cpu_count = lambda: 2\n" + SCRIPT
    process = subprocess.Popen([sys.executable, "-c", code], env=_environment(tiny))
    while not tiny.with_name("log.txt").exists() or len(drawn_indexes(tiny)) < 5:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    time.sleep(1)
    count = len(drawn_indexes(tiny))
    time.sleep(1)
    assert len(drawn_indexes(tiny)) == count < 300


def test_preparing_imports_no_keras(tiny):
    code = (
        SCRIPT + "import sys; assert not {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=_environment(tiny))


def _environment(tiny):
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tiny.parent), *sys.path])}


def test_worker_failure_is_reported(tiny, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    tiny.write_text(TINY_SET.replace("noise =", "1 / (290 - index); noise ="))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        datasets.load("tiny", image_size=16)


def test_full_disk(tiny, monkeypatch):
    def no_space(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", no_space)
    with pytest.raises(OSError, match=r"No space left.*KDG_CACHE"):
        datasets.load("tiny", image_size=16)
    assert not list(tiny.parent.rglob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "tiyn"}, "Did you mean 'tiny'.*fashion_mnist.*from_folder"),
        ({"name": "tiny", "split": "valid"}, "'train', 'test'"),
        ({"name": "tiny", "features": ("image", "colour")}, "colour.*sketch"),
        ({"name": "tiny", "features": ()}, "at least"),
        ({"name": "tiny", "image_size": 0}, "at least 8"),
        ({"name": "tiny", "num_examples": 0}, "num_examples=0"),
        ({"name": "tiny", "num_examples": 10, "image_size": 8}, r"1 \.\.\. 10.*batch_size=64"),
    ],
)
def test_wrong_arguments(tiny, arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.load(**arguments)


def test_names():
    assert {"garments", "faces", "fashion_mnist", "celeb_a", "cycle_gan/maps"} <= set(
        datasets.names()
    )


def test_any_source_can_be_cached():
    class Numbers(Source):
        def example(self, index, image_size, features):
            return {"image": np.full((image_size, image_size, 3), index, np.uint8)}

    arrays, skipped = cache.load_arrays(Numbers("n", "train", ["image"], {}, 3, ""), 8, ("image",))
    assert skipped == {}
    assert arrays["image"][:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.fixture
def idx_files(tmp_path):
    """The four files of Fashion-MNIST with a few made-up pictures each."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for prefix, n in (("train", 12), ("t10k", 4)):
        images = np.full((n, 28, 28), 7, np.uint8) * np.arange(n, dtype=np.uint8)[:, None, None]
        labels = np.arange(n, dtype=np.uint8) % 10
        for kind, header, values in (
            ("images-idx3", 16, images),
            ("labels-idx1", 8, labels),
        ):
            with gzip.open(folder / f"{prefix}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + values.tobytes())
    return folder


def test_fashion_mnist(idx_files, monkeypatch):
    monkeypatch.setenv("KDG_FASHION_MNIST", str(idx_files))
    data = datasets.load("fashion_mnist", num_examples=12, batch_size=4, image_size=32)
    assert data.arrays["image"].shape == (12, 32, 32, 3)
    assert data.arrays["shape"].tolist() == [*range(10), 0, 1]
    assert data.arrays["image"][5, 16, 16].tolist() == [35, 35, 35]
    assert data.class_names["shape"][1] == "Trouser"


def test_fashion_mnist_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", str(tmp_path))

    def no_network():
        raise OSError("no network")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", no_network)
    with pytest.raises(FileNotFoundError, match=r"apt-get.*internet.*no network"):
        datasets.load("fashion_mnist")
    monkeypatch.setenv("KDG_FASHION_MNIST", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="KDG_FASHION_MNIST"):
        datasets.load("fashion_mnist")
