"""How far would a score move with other pictures?"""

import numpy as np


def bootstrap(score, arrays, repeats=100, seed=0):
    """Mean and standard deviation of a score over resampled pictures.

    Every array is resampled by rows, with replacement (Efron 1979). Keep one fixed by closing over
    it: `bootstrap(lambda p: am_score(p, train_probabilities), [probabilities])`.

    Args:
        score: Function of the arrays that returns a float.
        arrays: List of arrays, pictures along the first axis.
        repeats: Number of resamplings.
        seed: Seed of the resampling.

    Returns:
        (mean, standard deviation), two floats.
    """
    rng = np.random.default_rng(seed)
    values = [
        score(*(array[rng.integers(len(array), size=len(array))] for array in arrays))
        for _ in range(repeats)
    ]
    return float(np.mean(values)), float(np.std(values))
