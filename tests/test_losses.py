"""Every formula against values worked out by hand."""

import math

import numpy as np
import pytest
from keras import ops

from keras_design_gans import losses

LOG2, LOG7 = math.log(2), math.log(7)


def value(loss):
    return float(ops.convert_to_numpy(loss))


def test_an_undecided_discriminator():
    zeros = np.zeros((5, 1), "float32")
    assert value(losses.minimax_discriminator_loss(zeros, zeros)) == pytest.approx(2 * LOG2)
    assert value(losses.nonsaturating_generator_loss(zeros)) == pytest.approx(LOG2)
    assert value(losses.minimax_generator_loss(zeros)) == pytest.approx(-LOG2)


def test_minimax_at_known_logits():
    # D(x) = 3/4 at logit log 3; D(G(z)) = 1/5 at logit -log 4.
    real, fake = np.array([[math.log(3)]], "float32"), np.array([[-math.log(4)]], "float32")
    expected = -math.log(3 / 4) - math.log(4 / 5)
    assert value(losses.minimax_discriminator_loss(real, fake)) == pytest.approx(expected)
    assert value(losses.minimax_generator_loss(fake)) == pytest.approx(math.log(4 / 5))
    assert value(losses.nonsaturating_generator_loss(fake)) == pytest.approx(-math.log(1 / 5))


def test_one_sided_smoothing_touches_the_real_term_only():
    real, fake = np.array([[math.log(3)]], "float32"), np.array([[0.0]], "float32")
    expected = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4) + LOG2
    assert value(losses.minimax_discriminator_loss(real, fake, 0.9)) == pytest.approx(expected)


def test_saturation_of_the_logits_stays_finite():
    far = np.array([[500.0]], "float32")
    assert value(losses.minimax_discriminator_loss(-far, far)) == pytest.approx(1000.0)
    assert value(losses.nonsaturating_generator_loss(-far)) == pytest.approx(500.0)


def test_least_squares():
    real, fake = np.array([[3.0], [1.0]], "float32"), np.array([[2.0], [0.0]], "float32")
    assert value(losses.least_squares_discriminator_loss(real, fake)) == pytest.approx(2.0)
    assert value(losses.least_squares_generator_loss(fake)) == pytest.approx(0.5)


def test_wasserstein():
    real, fake = np.array([[3.0], [1.0]], "float32"), np.array([[-1.0], [0.0]], "float32")
    assert value(losses.wasserstein_critic_loss(real, fake)) == pytest.approx(-2.5)
    assert value(losses.wasserstein_generator_loss(fake)) == pytest.approx(0.5)


def test_gradient_penalty_of_linear_critics():
    unit = np.full((4, 2, 2, 1), 0.5, "float32")  # norm sqrt(4 * 0.25) = 1
    assert value(losses.gradient_penalty(unit)) == 0.0
    assert value(losses.gradient_penalty(2 * unit)) == pytest.approx(1.0)
    assert value(losses.gradient_penalty(0 * unit)) == pytest.approx(1.0, abs=1e-5)


def test_weighted_penalty_of_a_linear_critic_of_norm_two():
    """The slope of f(x) = w x is w everywhere: 10 (2 - 1)^2."""
    slopes = np.broadcast_to(np.array([1.2, -1.6], "float32"), (5, 2))
    assert 10 * value(losses.gradient_penalty(slopes)) == pytest.approx(10.0)


def test_drift_is_the_mean_square_of_the_scores():
    scores = np.array([[3.0], [-1.0]], "float32")
    assert value(losses.drift_penalty(scores)) == pytest.approx((9 + 1) / 2)


def test_r1_penalty_is_half_the_mean_squared_norm():
    slopes = np.array([[3.0, 4.0], [0.0, 0.0]], "float32")
    assert value(losses.r1_penalty(slopes)) == pytest.approx((25 + 0) / 2 / 2)


def test_accuracies_are_shares_of_right_signs():
    real, fake = np.array([1.0, -1.0, 2.0, 3.0]), np.array([-1.0, -1.0, 1.0, 1.0])
    found = losses.discriminator_accuracies(real, fake)
    assert {name: value(share) for name, share in found.items()} == {
        "d_real_accuracy": 0.75,
        "d_fake_accuracy": 0.5,
    }


@pytest.mark.parametrize(("classes", "minimum"), [(2, 1.386294), (7, 2.870814), (10, 3.250830)])
def test_can_is_smallest_where_every_sigmoid_is_one_over_k(classes, minimum):
    logits = np.full((3, classes), -math.log(max(classes - 1, 1)), "float32")
    assert value(losses.can_loss(logits)) == pytest.approx(minimum, abs=1e-5)
    assert value(losses.can_loss(logits + 0.1)) > minimum
    assert value(losses.can_loss(logits - 0.1)) > minimum


def test_can_at_zero_logits_sums_over_classes():
    assert value(losses.can_loss(np.zeros((3, 7), "float32"))) == pytest.approx(7 * LOG2, abs=1e-5)


@pytest.mark.parametrize("classes", [2, 7, 10])
def test_can_h_is_log_k_at_uniform(classes):
    logits = np.full((3, classes), 4.2, "float32")
    assert value(losses.can_h_loss(logits)) == pytest.approx(math.log(classes), abs=1e-6)


def test_can_h_at_a_known_point():
    logits = np.array([[2.0, 0, 0, 0, 0, 0, 0]], "float32")
    assert value(losses.can_h_loss(logits)) == pytest.approx(2.308723, abs=1e-5)


def test_shifted_logits_change_can_but_not_can_h():
    ten = np.full((1, 7), 10.0, "float32")
    assert value(losses.can_loss(-ten)) == pytest.approx(10.000318, abs=1e-4)
    assert value(losses.can_loss(ten)) == pytest.approx(60.000318, abs=1e-4)
    for logits in (ten, -ten):
        assert value(losses.can_h_loss(logits)) == pytest.approx(LOG7, abs=1e-5)


@pytest.mark.parametrize("loss", [losses.can_loss, losses.can_h_loss])
def test_gradient_of_the_creativity_losses(loss):
    """Per logit: sigmoid or softmax, minus 1/K."""
    logits = np.array([[2.0, 0, 0, 0, 0, 0, 0]], "float64")
    sigmoid, softmax = 1 / (1 + np.exp(-logits)), np.exp(logits) / np.exp(logits).sum()
    expected = (sigmoid if loss is losses.can_loss else softmax) - 1 / 7
    for k in range(7):
        step = np.zeros_like(logits)
        step[0, k] = 0.05
        difference = value(loss(logits + step)) - value(loss(logits - step))
        assert difference / 0.1 == pytest.approx(expected[0, k], abs=1e-3)


def test_half_precision_logits_are_summed_in_float32():
    logits = ops.cast(np.full((1, 7), 10.0), "float16")
    assert value(losses.can_loss(logits)) == pytest.approx(60.000318, abs=1e-4)


def test_l1():
    target = np.array([1, -1, 0, 0.5], "float32").reshape(1, 2, 2, 1)
    assert value(losses.l1_loss(target, target)) == 0.0
    assert value(losses.l1_loss(0 * target, target)) == pytest.approx(2.5 / 4)


def test_mask_reconstruction():
    mask = np.array([1, 1, -1, -1], "float32").reshape(1, 2, 2, 1)
    grey = np.zeros((1, 2, 2, 3), "float32")
    assert value(losses.mask_reconstruction_loss(mask + grey, mask)) == 0.0
    assert value(losses.mask_reconstruction_loss(grey, mask)) == 1.0
    assert value(losses.mask_reconstruction_loss(-mask + grey, mask)) == 2.0
    blue = mask + np.array([0, 0, 0.5], "float32") * [[[[1]], [[0]]]]  # 2 of 12 values are off
    assert value(losses.mask_reconstruction_loss(blue, mask)) == pytest.approx(2 * 0.5 / 12)


def test_balanced_edge_loss_at_zero_logits():
    edges = np.zeros((2, 10, 10, 1), "float32")
    edges[:, 3] = 1  # 10 of 100 pixels
    found = value(losses.balanced_edge_loss(edges, np.zeros_like(edges)))
    assert found == pytest.approx(12.476649, abs=1e-5)


def test_balanced_edge_loss_weighs_each_image_by_its_own_edges():
    edges = np.array([[1, 0, 0, 0], [1, 1, 0, 0]], "float32").reshape(2, 2, 2, 1)
    logits = np.array([[math.log(3), 0, 0, 0], [0, 0, 0, 0]], "float32").reshape(2, 2, 2, 1)
    first = 3 / 4 * -math.log(3 / 4) + 1 / 4 * 3 * LOG2
    second = 1 / 2 * 2 * LOG2 + 1 / 2 * 2 * LOG2
    found = value(losses.balanced_edge_loss(edges, logits))
    assert found == pytest.approx((first + second) / 2, abs=1e-6)


def test_balanced_edge_loss_without_edges_is_zero():
    empty = np.zeros((1, 4, 4, 1), "float32")
    assert value(losses.balanced_edge_loss(empty, empty + 5)) == 0


def test_reconstruction_is_half_the_sum_of_squares():
    images = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], "float32").reshape(2, 1, 1, 3)
    grey = np.zeros_like(images)
    assert value(losses.gaussian_reconstruction_loss(images, images)) == 0.0
    assert value(losses.gaussian_reconstruction_loss(images, grey)) == pytest.approx((1 + 0) / 2)
    wide = np.tile(images, (1, 2, 2, 1))  # a sum: four times as many pixels, four times the loss
    assert value(losses.gaussian_reconstruction_loss(wide, 0 * wide)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("mean", "variance", "expected"),
    [(0.0, 1.0, 0.0), (1.0, 1.0, 0.5), (0.0, math.e, 0.359141), (0.0, 4.0, 0.806853)],
)
def test_kl_to_the_standard_normal(mean, variance, expected):
    means = np.full((5, 3), mean, "float32")
    log_variances = np.full((5, 3), math.log(variance), "float32")
    found = value(losses.kl_to_standard_normal(means, log_variances))
    assert found == pytest.approx(3 * expected, abs=1e-5)  # a sum over three components


def test_matching_aware_at_known_logits():
    zeros = np.zeros((5, 1), "float32")
    assert value(losses.matching_aware_discriminator_loss(zeros, zeros, zeros)) == pytest.approx(
        1.386294, abs=1e-6
    )
    # s_r = 3/4, s_w = 1/5, s_f = 1/3
    logits = [np.array([[x]], "float32") for x in (math.log(3), -math.log(4), -math.log(2))]
    expected = -math.log(3 / 4) - 0.5 * (math.log(4 / 5) + math.log(2 / 3))
    assert value(losses.matching_aware_discriminator_loss(*logits)) == pytest.approx(expected)
    expected = -0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4)
    expected -= 0.5 * (math.log(4 / 5) + math.log(2 / 3))
    assert value(losses.matching_aware_discriminator_loss(*logits, 0.9)) == pytest.approx(expected)
    far = np.array([[500.0]], "float32")
    assert value(losses.matching_aware_discriminator_loss(far, -far, -far)) == 0.0


def test_what_a_discriminator_reaches_without_reading():
    """It knows all generated pictures, and gives right and wrong descriptions the same score."""
    fake = np.array([[-500.0]], "float32")
    scores = np.linspace(0.01, 0.99, 99)  # 2/3 is the best of them
    reached = []
    for score in [*scores, 2 / 3]:
        same = np.array([[math.log(score / (1 - score))]], "float32")
        reached.append(value(losses.matching_aware_discriminator_loss(same, same, fake)))
    assert min(reached) == reached[-1] == pytest.approx(0.954771, abs=1e-6)


def test_structured_joint_embedding():
    n = 4
    others = ~np.eye(n, dtype=bool)
    zeros = np.zeros((n, 3), "float32")
    found = value(losses.structured_joint_embedding_loss(zeros, zeros, others))
    assert found == pytest.approx(2 * (1 - 1 / n))
    # Scores [[2, 0], [3, 1]]: of sentence 1 for picture 0 no loss in either direction by margin
    # 1, as 0 - 2 + 1 < 0 and 0 - 1 + 1 = 0; of sentence 0 for picture 1, 3 - 1 + 1 and 3 - 2 + 1.
    images = np.array([[2, 0], [3, 1]], "float32")
    texts = np.eye(2, dtype="float32")
    others = ~np.eye(2, dtype=bool)
    found = value(losses.structured_joint_embedding_loss(images, texts, others))
    assert found == pytest.approx((3 + 2) / 4)
    nothing_wrong = np.zeros((2, 2), bool)
    assert value(losses.structured_joint_embedding_loss(images, texts, nothing_wrong)) == 0.0


def tones(*values):
    """A picture of one row, from tones in [0, 1]: white is 1."""
    return 2.0 * np.array(values, "float32")[None, None, :, None] - 1.0


def divergence(known, generated, **options):
    [found] = ops.convert_to_numpy(losses.contextual_loss(known, generated, **options))
    return float(found)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"light": True, "epsilon": 0.0}, 0.269055),
        ({"light": True, "epsilon": 0.0, "reverse": True}, 0.866938),
        ({"epsilon": 0.01}, 1.222604),
        ({"epsilon": 0.01, "reverse": True}, 2.097142),
    ],
)
def test_a_missing_stroke_by_hand(options, expected):
    """Four pixels, one of ink, all of which are white in the generated sketch."""
    sketch, generated = tones(0.01, 1, 1, 1), tones(1, 1, 1, 1)
    assert divergence(sketch, generated, **options) == pytest.approx(expected, abs=1e-5)


def test_contextual_loss_of_three_pixels():
    first, second = tones(0.5, 0.25, 0.25), tones(0.25, 0.25, 0.5)
    for reverse in (False, True):
        found = divergence(first, second, light=True, reverse=reverse)
        assert found == pytest.approx(0.173287, abs=1e-5)
    assert divergence(first, first) == pytest.approx(0.0, abs=1e-6)


def test_contextual_loss_does_not_see_how_dark_the_ink_is():
    ink = np.array([0.8, 0.4, 0.0, 0.2], "float32")
    assert divergence(tones(*1 - ink), tones(*1 - ink / 2), epsilon=1e-12) < 1e-6


def test_contextual_loss_is_of_each_picture_and_a_mean_over_channels():
    white, stroke = tones(1, 1, 1, 1), tones(0.01, 1, 1, 1)
    known = np.concatenate([np.concatenate([stroke, white], -1), np.concatenate([white] * 2, -1)])
    found = ops.convert_to_numpy(losses.contextual_loss(known, np.ones_like(known), epsilon=0.01))
    np.testing.assert_allclose(found, [1.222604 / 2, 0.0], atol=1e-5)


def test_contextual_loss_is_finite_without_any_ink():
    assert np.isfinite(divergence(tones(1, 1), tones(0, 1)))
    assert np.isfinite(divergence(tones(0, 1), tones(1, 1)))


def test_perceptual_loss_of_an_undecided_discriminator():
    logits = np.array([[0.0], [-1.0]], "float32")
    found = ops.convert_to_numpy(losses.perceptual_loss(logits))
    np.testing.assert_allclose(found, [-0.693147, -np.log(1 + np.exp(-1))], atol=1e-6)
    found = ops.convert_to_numpy(losses.perceptual_loss(logits, saturating=False))
    np.testing.assert_allclose(found, [0.693147, np.log(1 + np.exp(1))], atol=1e-6)


def test_l2():
    generated, target = np.array([[0.0, 0.5]]), np.array([[1.0, -0.5]])
    assert value(losses.l2_loss(generated, target)) == pytest.approx(1.0)


def test_classification_at_known_logits():
    labels = np.array([0, 2, 1, 2, 0])
    three = value(losses.classification_loss(np.zeros((5, 3), "float32"), labels))
    assert three == pytest.approx(1.098612, abs=1e-6)  # log 3
    yes_or_no = [
        value(losses.classification_loss(np.zeros((5, 1), "float32"), labels % 2)) for _ in range(3)
    ]
    assert sum(yes_or_no) == pytest.approx(2.079442, abs=1e-6)  # 3 log 2: not the same
    # softmax (1/2, 1/4, 1/4), and the sigmoid 3/4
    logits = np.log(np.array([[2, 1, 1], [2, 1, 1]], "float32"))
    found = value(losses.classification_loss(logits, np.array([0, 2])))
    assert found == pytest.approx((math.log(2) + math.log(4)) / 2)
    logits = np.full((2, 1), math.log(3), "float32")
    found = value(losses.classification_loss(logits, np.array([1, 0])))
    assert found == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
    far = np.array([[500.0]], "float32")
    assert value(losses.classification_loss(far, np.array([1]))) == 0.0
