"""Automatic scores of generated pictures, and of real ones beside them."""

import numpy as np
from tqdm import tqdm

from keras_design_gans.metrics.class_scores import am_score, inception_score, prediction_entropy
from keras_design_gans.metrics.distribution import (
    fit_gaussian,
    gaussian_distance,
    kernel_distance,
)
from keras_design_gans.metrics.neighbours import NeighbourSearch
from keras_design_gans.metrics.pictures import as_pictures, features_of
from keras_design_gans.metrics.spread import bootstrap


def design_scores(classifier, generated, train_images, test_images, k=10):
    """Scores novelty and quality as in Sbai et al., *DesIGN* (2018), section 4, and likeness.

    A score alone says little; the same score of real pictures that the generator has not seen
    says what could be reached. Give as many test pictures as generated ones if you can: the
    inception score and the Fréchet distance change with their number.

    A progress bar counts the pictures that the classifier has seen. Pictures that lie on disk are
    read in parts.

    Args:
        classifier: `ResNet18`, trained on the labels of the training pictures.
        generated: array (n, h, w, c), float in [-1, 1] or uint8.
        train_images: Training pictures, in the same form or a data set from `kdg.datasets`.
        test_images: Real pictures that no network was trained on, an array or a data set.
        k: Neighbours of the distance.

    Returns:
        Dictionary from `frechet_distance`, `kernel_distance`, `<head>_inception_score`,
        `<head>_am_score` and `<head>_prediction_entropy` (for each head of the classifier) and
        `knn_distance` to a dictionary of four floats: the scores `generated` and `test`, and their
        standard deviations `generated_deviation` and `test_deviation`. These are taken over 100
        resamplings of the scored pictures; over 20 for the Fréchet distance, whose matrices are
        costly; and over the subsets of the kernel distance. Fit for `json.dump`.

    Raises:
        ValueError: If the pictures do not fit the classifier, or give features that are NaN.
    """
    sets = {"training": train_images, "generated": generated, "test": test_images}
    sets = {kind: as_pictures(images) for kind, images in sets.items()}
    features = {}
    with tqdm(total=sum(map(len, sets.values())), unit="image", mininterval=0.5) as bar:
        for kind, pictures in sets.items():
            bar.set_description(f"Classifying {kind} pictures")
            features[kind] = features_of(classifier, pictures, bar, kind)
        bar.set_description("Computing the scores")
        train_features = features.pop("training")
        train = classifier.classify(train_features)
        search = NeighbourSearch(train_features)
        scores = {}
        for kind, rows in features.items():
            _add_distances(scores, kind, rows, train_features)
            for head, probabilities in classifier.classify(rows).items():
                _add_class_scores(scores, head, kind, probabilities, train[head])
            distances = search.nearest(rows, k)[0].mean(axis=1)
            _add(scores, "knn_distance", kind, np.mean, distances)
    return scores


def _add_distances(scores, kind, features, train_features):
    train = fit_gaussian(train_features)
    _add(
        scores,
        "frechet_distance",
        kind,
        lambda rows: gaussian_distance(fit_gaussian(rows), train),
        features,
        repeats=20,
    )
    mean, deviation = kernel_distance(features, train_features)
    entry = scores.setdefault("kernel_distance", {})
    entry |= {kind: mean, f"{kind}_deviation": deviation}


def _add_class_scores(scores, head, kind, probabilities, train_probabilities):
    functions = {
        "inception_score": inception_score,
        "am_score": lambda rows: am_score(rows, train_probabilities),
        "prediction_entropy": prediction_entropy,
    }
    for name, function in functions.items():
        _add(scores, f"{head}_{name}", kind, function, probabilities)


def _add(scores, name, kind, function, rows, repeats=100):
    entry = scores.setdefault(name, {})
    entry[kind] = float(function(rows))
    entry[f"{kind}_deviation"] = bootstrap(function, [rows], repeats)[1]
