"""Labels as vectors: one-hot parts, single numbers, and the way back."""

import numpy as np
import pytest
from keras import ops

from keras_design_gans.conditions import Conditions

HAIR = ["black", "blond", "brown"]


def test_a_yes_or_no_is_one_number():
    told = Conditions({"hair": HAIR, "smile": [False, True], "style": ["flat", "stroke"]})
    assert told.sizes == {"hair": 3, "smile": 1, "style": 2}
    assert told.size == 6
    numbers = {"hair": [2, 0], "smile": [1, 0], "style": [0, 1]}
    vector = told.vector({key: np.array(x, "int32") for key, x in numbers.items()})
    expected = [[0, 0, 1, 1, 1, 0], [1, 0, 0, 0, 0, 1]]
    np.testing.assert_array_equal(ops.convert_to_numpy(vector), expected)
    parts = told.split(vector)
    assert [tuple(part.shape) for part in parts.values()] == [(2, 3), (2, 1), (2, 2)]
    np.testing.assert_array_equal(ops.convert_to_numpy(parts["smile"]), [[1], [0]])


def test_names_and_numbers():
    told = Conditions({"hair": HAIR, "smile": [False, True], "n": 4})
    np.testing.assert_array_equal(told.numbers("hair", "blond", 2), [1, 1])
    np.testing.assert_array_equal(told.numbers("hair", ["brown", 0], 2), [2, 0])
    np.testing.assert_array_equal(told.numbers("smile", True, 2), [1, 1])
    np.testing.assert_array_equal(told.numbers("smile", [False, 1], 2), [0, 1])
    np.testing.assert_array_equal(told.numbers("n", 3, 1), [3])
    with pytest.raises(ValueError, match=r"one of False, True, or a number in 0..1, got 'yes'"):
        told.numbers("smile", "yes", 1)
    with pytest.raises(ValueError, match=r"no condition 'colour'.*hair, smile, n"):
        told.numbers("colour", 0, 1)
