"""Distance of generated pictures from the training pictures that they resemble most."""

import numpy as np

from keras_design_gans.metrics.checks import as_rows, check_same_width


class NeighbourSearch:
    """Exact search for the nearest rows of an array, by Euclidean distance.

    The array is checked and stored once, for many questions. Memory beside it stays bounded
    whatever the number of rows: scikit-learn works through them in blocks.

    Args:
        train_features: array (m, d).

    Raises:
        ValueError: If the shape does not fit, or a value is not finite.
    """

    def __init__(self, train_features):
        from sklearn.neighbors import NearestNeighbors

        self.train_features = as_rows("train_features", train_features)
        # With some hundred features a tree has to look at most rows as well, only more slowly.
        self._search = NearestNeighbors(algorithm="brute").fit(self.train_features)

    def nearest(self, features, k):
        """Distances and indices, as `nearest_neighbours`."""
        features = as_rows("features", features)
        train_features = self.train_features
        check_same_width("features", features, "train_features", train_features)
        if not 1 <= k <= len(train_features):
            raise ValueError(
                f"Expected `k` from 1 to the number of training rows, {len(train_features)}, got "
                f"{k}."
            )
        indices = self._search.kneighbors(features, k, return_distance=False)
        # The search expands |x - y|^2, which cancels digits, so the distances are taken from the
        # differences: a copy of a training picture is at distance 0.
        distances = np.stack(
            [np.linalg.norm(train_features[column] - features, axis=1) for column in indices.T],
            axis=1,
        )
        order = np.argsort(distances, axis=1)
        return np.take_along_axis(distances, order, 1), np.take_along_axis(indices, order, 1)


def nearest_neighbours(features, train_features, k=10):
    """Finds the `k` nearest training rows of every row, by Euclidean distance.

    Args:
        features: array (n, d), one row per picture, such as `ResNet18.features`.
        train_features: array (m, d), from the same network.
        k: Number of neighbours.

    Returns:
        distances, float64 array (n, k), nearest first, and indices into `train_features`, integer
        array (n, k).

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or `k` is larger than m.
    """
    return NeighbourSearch(train_features).nearest(features, k)


def knn_distance(features, train_features, k=10):
    r"""Mean distance to the `k` nearest training pictures: how far from the known?

    $$NN_k = \mathbb{E}_x\,\frac1k \sum_{y \in N_k(x)} \lVert f(x) - f(y) \rVert_2$$

    Sbai et al., *DesIGN* (2018), section 4, with \(f\) the pooled features of a ResNet-18 and
    \(k=10\). Far may mean new, and may mean broken: read it beside the other scores and beside the
    value of real test pictures.

    Args:
        features: array (n, d) of the generated pictures.
        train_features: array (m, d) of the training pictures, from the same network.
        k: Number of neighbours.

    Returns:
        float, at least 0, in the unit of the features.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or `k` is larger than m.
    """
    return float(nearest_neighbours(features, train_features, k)[0].mean())
