r"""Scores from the class probabilities of a classifier: inception score, AM scores, entropy.

| symbol | name in the code |
|---|---|
| \(C(x)\), class probabilities of picture \(x\) | a row of `probabilities` |
| \(\bar C = \mathbb{E}_x C(x)\) over generated pictures | `mean` |
| \(\bar C^{train}\), the same over training pictures | `train_mean` |

All logarithms are natural. Probabilities are clipped at `EPSILON` from below inside logarithms:
the AM score of a classifier that is certain would be infinite without it.
"""

import numpy as np

from keras_design_gans.metrics.checks import as_probabilities, check_same_width

EPSILON = 1e-7


def inception_score(probabilities, splits=1):
    r"""Inception score: are the pictures clear, and of many classes?

    $$IS = \exp\big(\mathbb{E}_x\,KL(C(x)\,\|\,\bar C)\big)$$

    Salimans et al., *Improved Techniques for Training GANs* (2016), section 4. The DesIGN paper
    takes it once on the shape and once on the texture.

    Args:
        probabilities: array (n, classes) of the generated pictures, rows summing to 1.
        splits: Number of equal parts of the pictures, in order, whose scores are averaged. The
            2016 paper uses 10 parts of 5,000 pictures; few pictures per part bias the score down.

    Returns:
        float from 1 (one class, or no decision) to the number of classes; higher is better.

    Raises:
        ValueError: If rows do not sum to 1, or there are fewer pictures than splits.
    """
    probabilities = as_probabilities("probabilities", probabilities)
    if not 1 <= splits <= len(probabilities):
        raise ValueError(
            f"Expected `splits` from 1 to the number of pictures, {len(probabilities)}, got "
            f"{splits}."
        )
    parts = np.array_split(probabilities, splits)
    return float(np.mean([np.exp(_divergence(part, part.mean(axis=0)).mean()) for part in parts]))


def am_score(probabilities, train_probabilities):
    r"""AM score as in DesIGN: clear pictures, classes weighted by their share in the training set.

    $$AM = \mathbb{E}_x\,KL(\bar C^{train}\,\|\,C(x)) - KL(\bar C^{train}\,\|\,\bar C)$$

    Sbai et al., *DesIGN: Design Inspiration from Generative Networks* (2018), section 4. It is
    0 when all pictures get the same probabilities and never negative (Jensen). There is no upper
    limit but the clipping: a certain classifier gives up to about 16, so compare it only between
    pictures seen by one classifier. It does not ask for the mix of the training set: if that is
    uneven, pictures with another mix may score higher. `am_gan_score` does ask for it.

    Args:
        probabilities: array (n, classes) of the generated pictures, rows summing to 1.
        train_probabilities: array (m, classes) of the training pictures, from the same classifier.

    Returns:
        float, at least 0; higher is better.

    Raises:
        ValueError: If rows do not sum to 1, or the numbers of classes differ.
    """
    probabilities, train_mean = _with_train_mean(probabilities, train_probabilities)
    # Clip before averaging, so that Jensen's inequality still holds.
    probabilities = np.maximum(probabilities, EPSILON)
    mean = probabilities.mean(axis=0)
    score = _divergence(train_mean, probabilities).mean() - _divergence(train_mean, mean)
    return max(0.0, float(score))  # rounding may leave it a little below


def am_gan_score(probabilities, train_probabilities):
    r"""AM score as in AM-GAN: low entropy for each picture, the training mix over all of them.

    $$AM_{GAN} = \mathbb{E}_x\,H(C(x)) + KL(\bar C^{train}\,\|\,\bar C)$$

    Zhou et al., *Activation Maximization Generative Adversarial Nets* (ICLR 2018), section 5.

    Args:
        probabilities: array (n, classes) of the generated pictures, rows summing to 1.
        train_probabilities: array (m, classes) of the training pictures, from the same classifier.

    Returns:
        float, at least 0; **lower** is better.

    Raises:
        ValueError: If rows do not sum to 1, or the numbers of classes differ.
    """
    probabilities, train_mean = _with_train_mean(probabilities, train_probabilities)
    distance = _divergence(train_mean, probabilities.mean(axis=0))
    return float(prediction_entropy(probabilities) + distance)


def prediction_entropy(probabilities):
    r"""Mean entropy of the predictions: how undecided is the classifier about single pictures?

    $$H = \mathbb{E}_x\Big[-\sum_k C(x)_k \log C(x)_k\Big]$$

    The first term of `am_gan_score`. Creativity losses raise the entropy of the discriminator's
    heads; this is the same of a classifier that took no part in the training. Undecided may mean
    between two classes, and may mean broken; sure does not mean right.

    Args:
        probabilities: array (n, classes) of the generated pictures, rows summing to 1.

    Returns:
        float from 0 (certain) to \(\log K\) for \(K\) classes (guessing), in nats.

    Raises:
        ValueError: If rows do not sum to 1.
    """
    probabilities = as_probabilities("probabilities", probabilities)
    surprise = -np.log(np.maximum(probabilities, EPSILON))
    return float(np.sum(probabilities * surprise, axis=1).mean())


def _with_train_mean(probabilities, train_probabilities):
    probabilities = as_probabilities("probabilities", probabilities)
    train_probabilities = as_probabilities("train_probabilities", train_probabilities)
    check_same_width("probabilities", probabilities, "train_probabilities", train_probabilities)
    return probabilities, train_probabilities.mean(axis=0)


def _divergence(p, q):
    """KL(p || q) along the last axis."""
    return np.sum(p * (np.log(np.maximum(p, EPSILON)) - np.log(np.maximum(q, EPSILON))), axis=-1)
