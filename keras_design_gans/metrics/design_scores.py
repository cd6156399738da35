"""The automatic scores of the DesIGN paper, for generated pictures and real ones beside them."""

import numpy as np

from keras_design_gans.metrics.class_scores import am_score, inception_score
from keras_design_gans.metrics.neighbours import nearest_neighbours
from keras_design_gans.metrics.spread import bootstrap


def design_scores(classifier, generated, train_images, test_images, k=10):
    """Scores novelty and quality as in Sbai et al., *DesIGN* (2018), section 4.

    A score alone says little; the same score of real pictures that the generator has not seen
    says what could be reached. Give as many test pictures as generated ones if you can: the
    inception score grows with their number.

    Args:
        classifier: `ResNet18`, trained on the labels of the training pictures.
        generated: float array (n, h, w, c) in [-1, 1].
        train_images: Training pictures, a float array or a data set from `kdg.datasets`.
        test_images: Real pictures that no network was trained on, in the same form.
        k: Neighbours of the distance.

    Returns:
        Dictionary from `<head>_inception_score` and `<head>_am_score` (for each head of the
        classifier) and `knn_distance` to a dictionary of four floats: the scores `generated` and
        `test`, and their standard deviations over 100 resamplings of the scored pictures,
        `generated_deviation` and `test_deviation`. Fit for `json.dump`.
    """
    train_features = classifier.features(train_images)
    train_probabilities = classifier.classify(train_features)
    scores = {}
    for kind, images in {"generated": generated, "test": test_images}.items():
        features = classifier.features(images)
        for head, probabilities in classifier.classify(features).items():
            train = train_probabilities[head]
            functions = {
                "inception_score": inception_score,
                "am_score": lambda rows, train=train: am_score(rows, train),
            }
            for name, function in functions.items():
                _add(scores, f"{head}_{name}", kind, function, probabilities)
        distances = nearest_neighbours(features, train_features, k)[0].mean(axis=1)
        _add(scores, "knn_distance", kind, lambda rows: float(np.mean(rows)), distances)
    return scores


def _add(scores, name, kind, function, rows):
    entry = scores.setdefault(name, {})
    entry[kind] = function(rows)
    entry[f"{kind}_deviation"] = bootstrap(function, [rows])[1]
