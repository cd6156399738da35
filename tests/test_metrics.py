"""Scores against values worked by hand, and the classifier on the chosen backend."""

import json
import math

import keras
import numpy as np
import pytest
import scipy.linalg
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from keras_design_gans import datasets, metrics


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

    def test_prediction_entropy_by_hand(self):
        assert metrics.prediction_entropy(np.eye(7)) == 0
        assert metrics.prediction_entropy(UNIFORM_7) == pytest.approx(math.log(7))
        # -(0.9 log 0.9 + 0.1 log 0.1) = 0.0948245 + 0.2302585
        assert metrics.prediction_entropy(smoothed(2, 0.9)) == pytest.approx(0.325083, abs=1e-6)
        half_sure = [[1.0, 0.0], [0.5, 0.5]]
        assert metrics.prediction_entropy(half_sure) == pytest.approx(math.log(2) / 2)

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
        with pytest.raises(ValueError, match=message):
            metrics.prediction_entropy(rows)

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

    def test_agrees_with_all_distances_and_with_a_tree(self):
        rng = np.random.default_rng(0)
        rows, train = rng.normal(size=(300, 3)), rng.normal(size=(2000, 3))
        distances, indices = metrics.nearest_neighbours(rows, train, k=4)
        all_distances = np.linalg.norm(rows[:, None] - train, axis=-1)
        np.testing.assert_array_equal(indices, np.argsort(all_distances, axis=1)[:, :4])
        np.testing.assert_allclose(distances, np.sort(all_distances, axis=1)[:, :4])
        tree = NearestNeighbors(n_neighbors=4, algorithm="kd_tree").fit(train)
        expected = tree.kneighbors(rows)[0].mean()
        assert metrics.knn_distance(rows, train, k=4) == pytest.approx(expected)

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="number of training rows, 3, got 4"):
            metrics.knn_distance(self.train, self.train, k=4)
        with pytest.raises(ValueError, match="same number of columns"):
            metrics.knn_distance(np.zeros((2, 3)), self.train, k=1)
        with pytest.raises(ValueError, match="finite"):
            metrics.knn_distance([[math.inf, 0.0]], self.train, k=1)


def cross(a, b, centre):
    """Four points with covariance diag(2/3 a^2, 2/3 b^2) around a centre."""
    return np.add([[a, 0], [-a, 0], [0, b], [0, -b]], centre)


class TestFrechetDistance:
    def test_one_dimension_by_hand(self):
        # means 0 and 4, variances 2 and 8: 16 + (sqrt 2 - sqrt 8)^2
        score = metrics.frechet_distance([[-1.0], [1.0]], [[2.0], [6.0]])
        assert score == pytest.approx(18)

    def test_diagonal_covariances_by_hand(self):
        score = metrics.frechet_distance(cross(3, 1, [0, 0]), cross(1, 5, [2, -1]))
        assert score == pytest.approx(4 + 1 + 2 / 3 * ((3 - 1) ** 2 + (1 - 5) ** 2))

    def test_equal_sets_have_distance_zero(self):
        for shape in ((50, 4), (5, 40)):
            rows = np.random.default_rng(0).normal(1000, 1, shape)
            assert 0 <= metrics.frechet_distance(rows, rows[::-1]) < 1e-9

    def test_agrees_with_the_matrix_square_root(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(200, 8)) @ rng.normal(size=(8, 8))
        y = rng.normal(1, 2, size=(300, 8))
        sigma_x, sigma_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
        root = scipy.linalg.sqrtm(sigma_x @ sigma_y).real
        expected = np.sum((x.mean(0) - y.mean(0)) ** 2)
        expected += np.trace(sigma_x + sigma_y - 2 * root)
        assert metrics.frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)

    def test_fewer_rows_than_features(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(6, 3)), rng.normal(1, 2, size=(9, 3))
        rotation = np.linalg.qr(rng.normal(size=(64, 3)))[0].T
        expected = metrics.frechet_distance(x, y)
        assert metrics.frechet_distance(x @ rotation, y @ rotation) == pytest.approx(expected)


class TestKernelDistance:
    def test_two_points_by_hand(self):
        # k(0, 1) = 1 and k(2, 3) = 7^3; across 1, 1, 3^3, 4^3 with mean 23.25
        score = metrics.kernel_distance([[0.0], [1.0]], [[2.0], [3.0]])
        assert score == (pytest.approx(1 + 343 - 2 * 23.25), pytest.approx(0, abs=1e-9))

    def test_the_unbiased_estimate_of_equal_sets_can_be_negative(self):
        # within 1 and 1; across 1, 1, 1, 2^3 with mean 2.75
        rows = [[0.0], [1.0]]
        assert metrics.kernel_distance(rows, rows)[0] == pytest.approx(1 + 1 - 2 * 2.75)

    def test_agrees_with_scikit_learn(self):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(2, 5)), rng.normal(1, 1, size=(2, 5))  # a subset is the whole set
        xx, yy, xy = (polynomial_kernel(a, b, degree=3) for a, b in ((x, x), (y, y), (x, y)))
        assert metrics.kernel_distance(x, y)[0] == pytest.approx(
            xx[0, 1] + yy[0, 1] - 2 * xy.mean()
        )

    def test_mean_of_subsets_agrees_with_the_whole(self, monkeypatch):
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(120, 5)), rng.normal(0.5, 1, size=(90, 5))
        xx, yy, xy = (polynomial_kernel(a, b, degree=3) for a, b in ((x, x), (y, y), (x, y)))
        expected = (xx.sum() - np.trace(xx)) / (120 * 119) + (yy.sum() - np.trace(yy)) / (90 * 89)
        expected -= 2 * xy.mean()
        monkeypatch.setattr("keras_design_gans.metrics.distribution.SUBSET", 20)
        mean, deviation = metrics.kernel_distance(x, y, subsets=2000)
        assert mean == pytest.approx(expected, abs=4 * deviation / math.sqrt(2000))
        assert metrics.kernel_distance(x, y) == metrics.kernel_distance(x, y)
        assert metrics.kernel_distance(x, y) != metrics.kernel_distance(x, y, seed=1)

    def test_sets_of_one_source_are_near_zero(self):
        x, y = np.random.default_rng(0).normal(size=(2, 400, 5))
        mean, deviation = metrics.kernel_distance(x, y)
        assert abs(mean) < 3 * deviation


@pytest.mark.parametrize("score", [metrics.frechet_distance, metrics.kernel_distance])
def test_bad_features_of_distributions(score):
    with pytest.raises(ValueError, match="at least 2 rows"):
        score([[1.0, 2.0]], np.eye(2))
    with pytest.raises(ValueError, match="same number of columns"):
        score(np.eye(3), np.eye(2))
    with pytest.raises(ValueError, match="finite"):
        score([[math.nan, 0.0], [0.0, 0.0]], np.eye(2))


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

    @pytest.mark.one_backend
    def test_pictures_of_64_pixels_train(self):
        """PyTorch crashes in the gradient of a 1x1 convolution with strides."""
        model = metrics.ResNet18((64, 64, 3), {"label": 2}, base_filters=4)
        model.compile()
        images = np.random.default_rng(0).uniform(-1, 1, (32, 64, 64, 3)).astype("float32")
        batch = {"image": images, "label": np.arange(32) % 2}
        losses = [model.train_on_batch(batch, return_dict=True)["loss"] for _ in range(3)]
        assert losses[-1] < losses[0]

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
        far = ["frechet_distance", "kernel_distance", "knn_distance"]
        alike = ["inception_score", "am_score"]
        assert set(scores) == {
            *far,
            *(f"{head}_{name}" for head in self.heads for name in [*alike, "prediction_entropy"]),
        }
        for name, score in json.loads(json.dumps(scores)).items():
            if name in far:  # grey pictures are far from everything
                assert score["generated"] > score["test"]
            elif name.endswith(tuple(alike)):  # and all alike
                assert score["generated"] < score["test"]
            else:
                assert 0 <= score["generated"] <= math.log(2) + 1e-6
            assert score["test_deviation"] > 0

        with pytest.raises(ValueError, match=r"finite numbers in `generated`.* 64 of 64 rows"):
            metrics.design_scores(model, np.full((64, 16, 16, 3), np.nan, "float32"), train, test)
        pictures = np.round((np.clip(train, -1, 1) + 1) * 127.5).astype("uint8")
        scaled = pictures / np.float32(127.5) - 1
        dataset = datasets.Dataset({"image": pictures}, "bright", batch_size=50)
        assert metrics.design_scores(model, test, dataset, test) == metrics.design_scores(
            model, test, scaled, test
        )

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


class TestLikeness:
    def test_by_hand(self):
        """Without any structure, SSIM compares the means, here 1 and 1.5 of 2."""
        grey, light = np.zeros((2, 16, 16, 3)), np.full((2, 16, 16, 3), 0.5)
        assert metrics.mean_absolute_error(grey, light) == pytest.approx([0.5, 0.5])
        c1 = (0.01 * 2) ** 2
        expected = (2 * 1 * 1.5 + c1) / (1 + 1.5**2 + c1)
        assert metrics.ssim(grey, light) == pytest.approx([expected] * 2)

    def test_range(self):
        images = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
        assert metrics.ssim(images, images) == pytest.approx([1.0] * 3)
        assert (metrics.ssim(images, -images) < 0).all()

    @pytest.mark.parametrize(
        ("levels", "expected"), [((0, 255), 9.999e-05), ((100, 150), 0.923092), ((7, 7), 1.0)]
    )
    def test_ssim_of_even_pictures(self, levels, expected):
        """The values for tones of 0 ... 255 with a range of 255."""
        first, second = (np.full((1, 16, 16, 1), level / 127.5 - 1) for level in levels)
        assert metrics.ssim(first, second) == pytest.approx([expected], rel=1e-4)

    def test_verification(self):
        """Of three pictures the first is nearest to itself, the second to the third."""
        truth = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
        generated = np.array([[1.0, 1.0], [1.0, 3.0], [0.0, 9.0]])
        assert metrics.verification_accuracy(generated, truth) == pytest.approx(2 / 3)
        assert metrics.verification_accuracy(truth, truth) == 1.0
        with pytest.raises(ValueError, match="each of 3 generated ones, got 2"):
            metrics.verification_accuracy(generated, truth[:2])

    def test_labels(self):
        answers = {"shape": np.array([[0.9, 0.1], [0.4, 0.6]]), "tone": np.eye(3)[[2, 0]]}
        labels = {"shape": [0, 0], "tone": [2, 0], "other": [1, 1]}
        assert metrics.label_accuracy(answers, labels) == {"shape": 0.5, "tone": 1.0}
        with pytest.raises(ValueError, match="Expected 2 labels 'tone', got none"):
            metrics.label_accuracy(answers, {"shape": [0, 0]})
        with pytest.raises(ValueError, match=r"Expected 2 labels 'shape', got \(3,\)"):
            metrics.label_accuracy(answers, {"shape": [0, 0, 1], "tone": [0, 0]})

    def test_scores_are_means(self):
        images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3))
        scores = metrics.likeness_scores(0 * images, images)
        error = scores["mean_absolute_error"]
        assert error["generated"] == pytest.approx(np.abs(images).mean())
        assert 0 < error["generated_deviation"] < 0.1
        assert (error["test"], scores["ssim"]["test"]) == (0.0, 1.0)
        json.dumps(scores)
        assert "ssim" not in metrics.likeness_scores(images[:, :8], images[:, :8])

    def test_bad_input(self):
        with pytest.raises(ValueError, match="at least 11 pixels"):
            metrics.ssim(np.zeros((1, 8, 16, 3)), np.zeros((1, 8, 16, 3)))
        with pytest.raises(ValueError, match="one shape"):
            metrics.mean_absolute_error(np.zeros((2, 8, 8, 3)), np.zeros((1, 8, 8, 3)))


def test_attribute_error_counts_pictures_with_anything_wrong():
    probabilities = {
        "hair": np.array([[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]]),
        "mouth": np.array([[0.1, 0.9], [0.1, 0.9], [0.9, 0.1], [0.9, 0.1]]),
    }
    hair, mouth = np.array([0, 1, 1, 1]), np.array([1, 0, 0, 0])
    assert metrics.attribute_error(probabilities, {"hair": hair}) == 0.25
    assert metrics.attribute_error(probabilities, {"mouth": mouth}) == 0.25
    assert metrics.attribute_error(probabilities, {"hair": hair, "mouth": mouth}) == 0.5
    for wanted in ({}, {"hat": hair}):
        with pytest.raises(ValueError, match="at least one label that the classifier knows, hair"):
            metrics.attribute_error(probabilities, wanted)


def test_edit_errors_by_hand():
    """Of four pixels one shall change, from 0 to 1; the model makes it 1/2, and another one 1/4."""
    truth = np.zeros((2, 2, 2, 3))
    truth[:, 0, 0] = 1.0
    mask = np.full((2, 2, 2, 1), -1.0)
    mask[:, 0, 0] = 1.0
    made = np.zeros_like(truth)
    made[:, 0, 0], made[:, 1, 1] = 0.5, 0.25
    found = metrics.edit_errors(made, truth, mask)
    np.testing.assert_allclose(found["error"], (0.5 + 0.25) / 4)
    np.testing.assert_allclose(found["error_outside"], 0.25 / 3)
    np.testing.assert_allclose(found["error_inside"], 0.5)
    nowhere = metrics.edit_errors(made, truth, -np.ones_like(mask))
    assert np.isnan(nowhere["error_inside"]).all()
    np.testing.assert_allclose(nowhere["error_outside"], nowhere["error"])
    with pytest.raises(ValueError, match="masks of shape"):
        metrics.edit_errors(made, truth, mask[:1])
