"""Scores against values worked by hand, and the classifier on the chosen backend."""

import json
import math

import keras
import numpy as np
import pytest

from keras_design_gans import metrics


def smoothed(classes, own, rows_per_class=2):
    """Rows with `own` on one class, the rest spread evenly, every class equally often."""
    rows = np.full((classes, classes), (1 - own) / (classes - 1))
    np.fill_diagonal(rows, own)
    return np.tile(rows, (rows_per_class, 1))


UNIFORM_7 = np.full((3, 7), 1 / 7)
UNIFORM_2 = np.full((3, 2), 0.5)


class TestClassScores:
    def test_inception_score_by_hand(self):
        assert metrics.inception_score(np.eye(7)) == pytest.approx(7, rel=1e-5)
        assert metrics.inception_score(UNIFORM_7) == pytest.approx(1)
        assert metrics.inception_score(smoothed(7, 0.94)) == pytest.approx(5.010006, abs=1e-6)

    def test_inception_score_of_splits_is_their_mean(self):
        one_class, two_classes = np.tile([[1.0, 0.0]], (4, 1)), np.tile(np.eye(2), (2, 1))
        rows = np.concatenate([one_class, two_classes])
        assert metrics.inception_score(rows, splits=2) == pytest.approx((1 + 2) / 2, rel=1e-5)

    def test_am_score_by_hand(self):
        constant = np.tile([[0.2, 0.8]], (5, 1))
        assert metrics.am_score(constant, np.array([[0.7, 0.3]])) == pytest.approx(0, abs=1e-9)
        assert metrics.am_score(smoothed(7, 0.94), UNIFORM_7) == pytest.approx(2.010218, abs=1e-6)
        assert metrics.am_score(smoothed(2, 0.9), UNIFORM_2) == pytest.approx(0.510826, abs=1e-6)

    def test_am_score_of_a_certain_classifier_is_clipped(self):
        # mean log C = (0 + log 1e-7) / 2 for each class, log of the mean = log 0.5
        expected = math.log(0.5) - math.log(1e-7) / 2
        assert metrics.am_score(np.eye(2), UNIFORM_2) == pytest.approx(expected, abs=1e-6)

    def test_am_score_is_never_negative(self):
        rng = np.random.default_rng(0)
        for _ in range(20):
            rows, train = rng.dirichlet(np.full(5, 0.1), 9), rng.dirichlet(np.ones(5), 4)
            assert metrics.am_score(rows, train) >= 0

    def test_am_gan_score_by_hand(self):
        score = metrics.am_gan_score
        assert score(smoothed(7, 0.94), UNIFORM_7) == pytest.approx(0.334473, abs=1e-6)
        assert score(smoothed(2, 0.9), UNIFORM_2) == pytest.approx(0.325083, abs=1e-6)
        assert score(np.array([[0.9, 0.1]] * 3), UNIFORM_2) == pytest.approx(0.835909, abs=1e-6)
        assert score(np.eye(2), UNIFORM_2) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([[2.0, -1.0]], "softmax"),
            ([[0.5, 0.4]], "softmax"),
            ([[math.nan, 1.0]], "NaN"),
            ([0.5, 0.5], "shape"),
            (np.empty((0, 2)), "shape"),
        ],
    )
    def test_bad_probabilities(self, rows, message):
        with pytest.raises(ValueError, match=message):
            metrics.inception_score(rows)
        with pytest.raises(ValueError, match=message):
            metrics.am_score(UNIFORM_2, rows)

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="same number of columns"):
            metrics.am_score(UNIFORM_2, UNIFORM_7)
        with pytest.raises(ValueError, match="splits"):
            metrics.inception_score(UNIFORM_2, splits=4)


class TestNeighbours:
    train = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])

    def test_by_hand(self):
        distances, indices = metrics.nearest_neighbours([[0.0, 0.0]], self.train, k=3)
        np.testing.assert_allclose(distances, [[0, 1, 5]])
        np.testing.assert_array_equal(indices, [[0, 2, 1]])
        assert metrics.knn_distance([[0.0, 0.0]], self.train, k=2) == pytest.approx(0.5)

    def test_training_set_has_distance_zero_to_itself(self):
        rows = np.random.default_rng(0).normal(1000, 1, (50, 8)).astype("float32")
        assert metrics.knn_distance(rows, rows, k=1) == 0

    def test_chunks_change_nothing(self, monkeypatch):
        rng = np.random.default_rng(0)
        rows, train = rng.normal(size=(7, 3)), rng.normal(size=(20, 3))
        whole = metrics.nearest_neighbours(rows, train, k=4)
        monkeypatch.setattr("keras_design_gans.metrics.neighbours.DISTANCES_AT_ONCE", 40)
        chunked = metrics.nearest_neighbours(rows, train, k=4)
        np.testing.assert_array_equal(whole[0], chunked[0])
        np.testing.assert_array_equal(whole[1], chunked[1])
        all_distances = np.linalg.norm(rows[:, None] - train, axis=-1)
        np.testing.assert_allclose(whole[0], np.sort(all_distances, axis=1)[:, :4])

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="number of training rows, 3, got 4"):
            metrics.knn_distance(self.train, self.train, k=4)
        with pytest.raises(ValueError, match="same number of columns"):
            metrics.knn_distance(np.zeros((2, 3)), self.train, k=1)
        with pytest.raises(ValueError, match="finite"):
            metrics.knn_distance([[math.inf, 0.0]], self.train, k=1)


def test_bootstrap_of_a_mean_has_the_textbook_deviation():
    rows = np.random.default_rng(0).normal(5, 2, 400)
    mean, deviation = metrics.bootstrap(np.mean, [rows], repeats=300)
    assert mean == pytest.approx(5, abs=0.3)
    assert deviation == pytest.approx(2 / math.sqrt(400), rel=0.2)


def bright_and_striped(count, seed=0):
    """Pictures whose label `shape` is their brightness and `texture` the way of their stripes."""
    rng = np.random.default_rng(seed)
    shape, texture = rng.integers(0, 2, (2, count)).astype("int32")
    stripes = np.where(np.arange(16) % 4 < 2, 0.4, -0.4) * np.ones((16, 1))
    image = np.where(texture[:, None, None] == 0, stripes, stripes.T)
    image = image + np.where(shape == 0, -0.4, 0.4)[:, None, None]
    image = image[..., None] + rng.uniform(-0.2, 0.2, (count, 16, 16, 3))
    return {"image": image.astype("float32"), "shape": shape, "texture": texture}


class TestResNet18:
    heads = {"shape": 2, "texture": 2}

    @pytest.mark.parametrize(
        ("image_shape", "classes", "parameters"),
        [((224, 224, 3), 1000, 11_689_512), ((32, 32, 3), 10, 11_173_962)],
    )
    def test_has_the_known_number_of_weights(self, image_shape, classes, parameters):
        model = metrics.ResNet18(image_shape, heads={"label": classes})
        assert sum(math.prod(v.shape) for v in model.trainable_variables) == parameters
        assert model.backbone.output_shape == (None, 512)

    def test_learns_saves_and_scores(self, tmp_path):
        keras.utils.set_random_seed(0)
        model = metrics.ResNet18((16, 16, 3), self.heads, base_filters=4)
        model.compile(keras.optimizers.Adam(0.01))
        data = bright_and_striped(128)
        model.fit(data, epochs=8, batch_size=32, verbose=0)
        results = model.evaluate(data, return_dict=True, verbose=0)
        assert results["shape_accuracy"] > 0.9
        assert results["texture_accuracy"] > 0.9

        model.save(tmp_path / "classifier.keras")
        loaded = keras.models.load_model(tmp_path / "classifier.keras")
        probabilities = model.probabilities(data["image"])
        assert {k: v.shape for k, v in probabilities.items()} == {
            "shape": (128, 2),
            "texture": (128, 2),
        }
        np.testing.assert_array_equal(
            loaded.probabilities(data["image"])["shape"], probabilities["shape"]
        )
        continued = [m.train_on_batch(data, return_dict=True)["loss"] for m in (model, loaded)]
        assert continued[0] == pytest.approx(continued[1], rel=1e-5)

        train, test = data["image"], bright_and_striped(64, seed=1)["image"]
        scores = metrics.design_scores(model, np.zeros((64, 16, 16, 3), "float32"), train, test)
        assert set(scores) == {
            "shape_inception_score",
            "shape_am_score",
            "texture_inception_score",
            "texture_am_score",
            "knn_distance",
        }
        for name, score in json.loads(json.dumps(scores)).items():
            if name == "knn_distance":  # grey pictures are far from everything
                assert score["generated"] > score["test"]
            else:  # and all alike
                assert score["generated"] < score["test"]
            assert score["test_deviation"] > 0

    def test_features_of_a_data_set_equal_those_of_its_images(self):
        model = metrics.ResNet18((16, 16, 3), self.heads, base_filters=4)
        data = bright_and_striped(6)
        batches = [{k: v[:4] for k, v in data.items()}, {k: v[4:] for k, v in data.items()}]
        expected = model.features(data["image"])
        assert expected.shape == (6, 32)
        np.testing.assert_allclose(model.features(batches), expected, atol=1e-5)

    def test_bad_input(self):
        model = metrics.ResNet18((16, 16, 3), {"label": 2}, base_filters=4)
        model.compile()
        with pytest.raises(ValueError, match="'label' is missing"):
            model.fit(bright_and_striped(4), verbose=0)
        with pytest.raises(ValueError, match="image_shape"):
            model.features(np.zeros((2, 32, 32, 3), "float32"))
