"""ModularGAN: the battery, the numbers of its modules, masks, order, and modules one by one."""

import math

import keras
import numpy as np
import pytest
from gan_test_case import GanTestCase, numbers, same, set_known_weights, value_of
from keras import ops
from test_dcgan import count, tiny_images
from test_star_gan import CONDITIONS, batch, tensors

from keras_design_gans.models import ModularGAN
from keras_design_gans.models.modular_gan import (
    modular_encoder,
    modular_generator,
    modular_reconstructor,
    modular_transformer,
)
from keras_design_gans.models.star_gan import star_gan_discriminator

FEATURES = (4, 4, 8)


def tiny_model(size=16, **arguments):
    arguments = {"base_filters": 2, "blocks": 1, "latent_dim": 8, **arguments}
    return ModularGAN(CONDITIONS, image_shape=(size, size, 3), **arguments)


class TestModularGAN(GanTestCase):
    known_pixels = [-0.1769095, -0.0817930, -0.1265870, 0.3523163, -0.2061706, 0.2379980]

    def make_model(self, size=16):
        return tiny_model(size, discriminator_steps=2)

    def make_batch(self, size=16, n=8):
        return batch(size, n)

    def output(self, model):
        images = tiny_images(model.image_shape[0], 4)
        return model.translate(images, {"smile": True, "hair": "blond"})

    def network_to_export(self, model):
        labels = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]], "float32")
        return model.sampler, [tiny_images(model.image_shape[0], 3), labels]

    def more_bad_batches(self, good):
        return {
            "'hair' must lie in 0..2": {**good, "hair": good["hair"] + 1},
            "'smile' is missing": {k: good[k] for k in ("image", "hair")},
        }


class TestWithGenerator(TestModularGAN):
    known_pixels = [0.013568, -0.507492, 0.006404, -0.514991, -0.033533, -0.568354]

    def make_model(self, size=16):
        return tiny_model(size, initial=["hair"], discriminator_steps=2)

    def output(self, model):
        return model.generate(4, seed=0, smile=True, hair="blond")

    def network_to_export(self, model):
        _, labels = super().network_to_export(model)[1]
        return model.sampler, [model.sample_latents(3, seed=0), labels]


@pytest.mark.one_backend
def test_weights_of_the_modules_at_128_pixels():
    encoder = modular_encoder()
    assert count(encoder) == 665_664
    assert encoder.output_shape == (None, 32, 32, 256)
    assert count(modular_encoder(blocks=6)) == 7_749_696
    # A residual block has 1,180,672 weights.
    assert count(modular_encoder(blocks=1)) - count(encoder) == 1_180_672
    for labels, weights in ((1, 7_689_216), (2, 7_691_520), (3, 7_693_824), (5, 7_698_432)):
        transformer = modular_transformer(labels=labels)
        assert count(transformer) == weights
        assert transformer.output["features"].shape == (None, 32, 32, 256)
        assert transformer.output["mask"].shape == (None, 32, 32, 1)
    assert count(modular_reconstructor()) == 665_152


@pytest.mark.one_backend
def test_weights_of_the_discriminators_at_128_pixels():
    for last_side, labels, weights in (
        (4, 1, 11_171_776),
        (4, 3, 11_204_544),
        (2, 1, 44_729_280),
        (2, 3, 44_745_664),
    ):
        network = star_gan_discriminator(heads={"a": labels}, last_side=last_side)
        assert count(network) == weights
        assert network.output["real"].shape == (None, last_side, last_side, 1)
        assert network.output["a"].shape == (None, labels)
    model = tiny_model(64)
    assert model.discriminators["hair"].output["real"].shape == (None, 4, 4, 1)


def test_the_generator_doubles_from_one_pixel_on():
    sides = [
        layer.output.shape[1:]
        for layer in modular_generator().layers
        if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert sides == [(2, 2, 512), (4, 4, 512), (8, 8, 256), (16, 16, 256)]


def test_normalisation_is_over_all_channels_behind_noise():
    """Each channel apart, all plain grounds would be the same: 0."""
    for initial, together in (([], False), (["hair"], True)):
        model = tiny_model(initial=initial)
        for name in ("encoder", "transformer_smile", "reconstructor"):
            layers = model.networks[name].layers
            found = [x for x in layers if isinstance(x, keras.layers.GroupNormalization)]
            assert found
            assert all(x.groups == (1 if together else x.input.shape[-1]) for x in found)


def mask_layer(network):
    """Returns the convolution that makes the mask."""
    (conv,) = [x for x in network.layers if isinstance(x, keras.layers.Conv2D) and x.filters == 1]
    return conv


def applied(network, features, labels):
    answer = network([features, labels])
    return {key: np.array(ops.convert_to_numpy(x)) for key, x in answer.items()}


def test_the_mask_blends_new_and_old_features():
    features, labels = numbers((3, *FEATURES), seed=1), numbers((3, 2), seed=2)
    network = modular_transformer(FEATURES, 2, blocks=1)
    set_known_weights(network)
    answer = applied(network, features, labels)
    assert answer["features"].shape == features.shape
    assert answer["mask"].shape == (3, 4, 4, 1)
    assert 0 < answer["mask"].min() < answer["mask"].max() < 1
    plain = modular_transformer(FEATURES, 2, blocks=1, use_mask=False)
    plain.set_weights(network.get_weights()[:-1])
    new = applied(plain, features, labels)
    assert set(new) == {"features"}
    expected = answer["mask"] * new["features"] + (1 - answer["mask"]) * features
    np.testing.assert_allclose(answer["features"], expected, atol=1e-5)
    conv = mask_layer(network)
    conv.kernel.assign(0 * value_of(conv.kernel))  # g = 0, half of each
    answer = applied(network, features, labels)
    np.testing.assert_allclose(answer["mask"], 0.5, atol=1e-6)
    np.testing.assert_allclose(answer["features"], (features + new["features"]) / 2, atol=1e-5)


def test_an_untrained_module_changes_nothing_with_an_open_mask():
    features, labels = numbers((3, *FEATURES), seed=1), numbers((3, 2), seed=2)
    answer = applied(modular_transformer(FEATURES, 2, blocks=2), features, labels)
    np.testing.assert_array_equal(answer["features"], features)
    assert 0.25 < answer["mask"].min() < answer["mask"].max() < 0.75


@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_mask_keeps_and_an_open_one_replaces(closed):
    """g = -1 gives the old features to the last bit, g = 1 the new ones."""
    features, labels = numbers((3, *FEATURES), seed=1), numbers((3, 2), seed=2)
    network = modular_transformer(FEATURES, 2, blocks=1)
    set_known_weights(network)
    plain = modular_transformer(FEATURES, 2, blocks=1, use_mask=False)
    plain.set_weights(network.get_weights()[:-1])
    mask_layer(network).call = lambda x: ops.full((*x.shape[:3], 1), -2500.0 if closed else 2500.0)
    answer = applied(network, features, labels)
    if closed:
        np.testing.assert_array_equal(answer["features"], features)
    else:
        new = applied(plain, features, labels)["features"]
        np.testing.assert_allclose(answer["features"], new, atol=1e-6)


def known_model(**arguments):
    model = tiny_model(**arguments)
    for network in model.networks.values():
        set_known_weights(network)
    return model


def test_modules_follow_each_other_in_any_order_and_number():
    model = known_model()
    images = tiny_images(16, 3)
    changes = {"hair": "blond", "smile": True}
    one, other = (model.translate(images, changes, order) for order in (None, ["smile", "hair"]))
    assert np.abs(one - other).max() > 1e-4
    np.testing.assert_array_equal(one, model.translate(images, changes, ["hair", "smile"]))
    features = model.encoder.predict(images, verbose=0)
    plain = model.reconstructor.predict(features, verbose=0)
    np.testing.assert_array_equal(model.translate(images), plain)
    alone = model.translate(images, {"smile": True})
    assert np.abs(alone - one).max() > 1e-4
    for network in model.transformers.values():
        mask_layer(network).call = lambda x: ops.full((ops.shape(x)[0], 4, 4, 1), -2500.0)
        network.predict_function = None  # or it would go on with the one that it has
    for order in (None, ["smile", "hair"]):
        np.testing.assert_allclose(model.translate(images, changes, order), plain, atol=1e-6)


def test_the_whole_network_is_the_modules_in_their_order():
    model = known_model()
    images = tiny_images(16, 3)
    labels = np.tile(np.array([[0, 1, 0, 1]], "float32"), (3, 1))
    whole = ops.convert_to_numpy(model.sampler([images, labels]))
    expected = model.translate(images, {"hair": 1, "smile": True})
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    model = known_model(initial=["hair"])
    noise = model.sample_latents(3, seed=4)
    whole = ops.convert_to_numpy(model.sampler([noise, labels]))
    np.testing.assert_allclose(whole, model.generate(3, 4, hair=1, smile=True), atol=1e-5)


def test_masks_by_module_and_summed():
    model = known_model()
    found = model.masks(tiny_images(16, 3), {"hair": "blond", "smile": True})
    assert list(found) == ["hair", "smile", "sum"]
    np.testing.assert_allclose(found["sum"], found["hair"] + found["smile"], atol=1e-6)
    hair = found["hair"]
    assert hair.shape == (3, 16, 16, 1)
    assert 0 < hair.min() < hair.max() < 1
    np.testing.assert_array_equal(hair[:, ::4, ::4], hair[:, 3::4, 3::4])
    with pytest.raises(ValueError, match="There are no masks"):
        tiny_model(use_masks=False).masks(tiny_images(16, 1), {"smile": True})
    with pytest.raises(ValueError, match="name at least one change"):
        model.masks(tiny_images(16, 1), {})


def blind(key, size, score):
    """A discriminator that gives every picture the same score, and zero logits."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(image)
    zero = {"kernel_initializer": "zeros"}
    constant = keras.initializers.Constant(score)
    outputs = {
        "real": keras.layers.Dense(1, bias_initializer=constant, **zero)(x),
        key: keras.layers.Dense(size, **zero)(x),
    }
    return keras.Model(image, outputs)


class Shift(keras.layers.Layer):
    """A module that adds a number."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def call(self, inputs, training=False):
        if isinstance(inputs, list):
            return {"features": inputs[0] + self.number}
        return inputs + self.number


def test_objectives_by_hand():
    """Features are pictures here; E adds 1/8, R adds 1/2, T_hair adds 1/4, T_smile nothing."""
    judges = {
        "discriminator_hair": blind("hair", 3, 3.0),
        "discriminator_smile": blind("smile", 1, 5.0),
    }
    model = tiny_model(networks=judges)
    model.encoder, model.reconstructor = Shift(0.125), Shift(0.5)
    model.transformers = {"hair": Shift(0.25), "smile": Shift(0.0)}
    given = tensors(batch())
    class_loss = math.log(3) + math.log(2)
    loss, logs = model.copy_objective(given, training=True)
    assert float(loss) == float(logs["image_cycle_loss"]) == pytest.approx(0.625, rel=1e-5)
    loss, logs = model.generator_objective(given, model.wanted(given), training=True)
    # Each time from T's features through R and E: 1/2 and 1/8 are added.
    assert float(logs["feature_cycle_loss"]) == pytest.approx(2 * 0.625, rel=1e-5)
    assert float(logs["fake_class_loss"]) == pytest.approx(class_loss, rel=1e-5)
    assert float(loss) == pytest.approx(-3 - 5 + class_loss + 10 * 2 * 0.625, rel=1e-5)
    fakes = {key: given["image"] for key in CONDITIONS}
    loss, logs = model.discriminator_objective(given, fakes, training=True)
    assert float(logs["wasserstein_estimate"]) == 0.0
    assert float(logs["gradient_penalty"]) == pytest.approx(2.0, abs=1e-5)  # no slopes at all
    assert float(loss) == pytest.approx(2 * 10 + class_loss, rel=1e-5)


def test_the_penalty_is_that_of_the_mean_of_the_scores():
    """16 scores of 48 pixels each: 768 slopes of c / 16, with a norm of 1 for c = 1 / sqrt(3)."""
    image = keras.Input((16, 16, 3))
    weight = keras.initializers.Constant(3**-0.5)
    real = keras.layers.Conv2D(1, 4, 4, kernel_initializer=weight)(image)
    logits = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(image))
    judge = keras.Model(image, {"real": real, "hair": logits})
    model = ModularGAN(
        {"hair": CONDITIONS["hair"]},
        image_shape=(16, 16, 3),
        base_filters=2,
        blocks=1,
        networks={"discriminator_hair": judge},
    )
    given = tensors(batch())
    fakes = {"hair": -given["image"]}
    _, logs = model.discriminator_objective(given, fakes, training=True)
    assert float(logs["gradient_penalty"]) == pytest.approx(0.0, abs=1e-5)


def test_the_identity_has_no_cycle_loss():
    model = tiny_model()
    model.encoder, model.reconstructor = Shift(0.0), Shift(0.0)
    model.transformers = {"hair": Shift(0.0), "smile": Shift(0.0)}
    given = tensors(batch())
    _, logs = model.generator_objective(given, model.wanted(given), training=True)
    assert float(logs["feature_cycle_loss"]) == 0.0
    assert float(model.copy_objective(given, training=True)[0]) == 0.0


@pytest.mark.one_backend
def test_ablations():
    model = tiny_model(use_masks=False, use_cycle=False)
    model.compile()
    logs = model.train_on_batch(batch(), return_dict=True)
    assert not [name for name in logs if "cycle" in name]
    assert model.translate(tiny_images(16, 2), {"smile": 1}).shape == (2, 16, 16, 3)
    model = tiny_model(initial=["hair"], use_cycle=False)
    assert model.encoder is None
    model.compile()
    assert np.isfinite(model.train_on_batch(batch(), return_dict=True)["g_loss"])


def values(network):
    return [value_of(variable) for variable in network.weights]


def test_a_new_module_is_trained_alone():
    old = tiny_model()
    set_known_weights(old.encoder)
    model = old.with_module("glasses", ["none", "round"])
    assert list(model.conditions) == ["hair", "smile", "glasses"]
    assert set(model.needs) == {"image", "glasses"}
    model.compile()
    before = {name: values(network) for name, network in model.networks.items()}
    data = {"image": tiny_images(16, 10), "glasses": np.arange(10, dtype="int32") % 2}
    for _ in range(2):
        logs = model.train_on_batch(data, return_dict=True)
    assert "image_cycle_loss" not in logs
    changed = {
        name for name, network in model.networks.items() if not same(before[name], values(network))
    }
    assert changed == {"transformer_glasses", "discriminator_glasses"}
    for name, network in old.networks.items():
        assert same(values(network), values(model.networks[name]))
    images = tiny_images(16, 2)
    hair = {"hair": "blond"}
    np.testing.assert_array_equal(old.translate(images, hair), model.translate(images, hair))
    assert model.translate(images, {**hair, "glasses": "round"}).shape == images.shape


@pytest.mark.one_backend
def test_a_module_is_replaced_without_touching_the_rest(tmp_path):
    old = known_model()
    own = modular_transformer(FEATURES, 1, blocks=2)
    model = old.with_module("smile", transformer=own)
    assert model.trained == ["smile"]
    for name, network in old.networks.items():
        if name != "transformer_smile":
            assert same(values(network), values(model.networks[name]))
    assert same(values(own), values(model.transformers["smile"]))
    model.compile()
    model.train_on_batch(batch(n=10))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.trained == ["smile"]
    images = tiny_images(16, 2)
    both = {"hair": 1, "smile": True}
    np.testing.assert_array_equal(again.translate(images, both), model.translate(images, both))
    alone = {"hair": 1}
    np.testing.assert_array_equal(old.translate(images, alone), model.translate(images, alone))


def test_modules_are_models_of_their_own(tmp_path):
    first = known_model()
    names = {"encoder", "reconstructor", "transformer_hair", "transformer_smile"}
    assert set(first.networks) == names | {"discriminator_hair", "discriminator_smile"}
    first.networks["transformer_hair"].save(tmp_path / "hair.keras")
    hair = keras.models.load_model(tmp_path / "hair.keras")
    assert hair.name == "transformer_hair"
    networks = {
        "encoder": first.encoder,
        "reconstructor": first.reconstructor,
        "transformer_hair": hair,
    }
    second = tiny_model(networks=networks)
    images, changes = tiny_images(16, 2), {"hair": "brown"}
    np.testing.assert_array_equal(
        first.translate(images, changes), second.translate(images, changes)
    )
    again = ModularGAN.from_config(second.get_config())
    assert [v.shape for v in again.weights] == [v.shape for v in second.weights]


def test_noise_decides_what_is_not_asked_for():
    model = known_model(initial=["hair"])
    plain = model.generate(4, seed=1, hair="blond")
    np.testing.assert_array_equal(model.generate(4, seed=1, hair=["blond"] * 4), plain)
    assert np.abs(model.generate(4, seed=2, hair="blond") - plain).max() > 1e-4
    smiling = model.generate(4, seed=1, hair="blond", smile=True)
    assert np.abs(smiling - plain).max() > 1e-4
    np.testing.assert_array_equal(model.generate(4, seed=1), model.generate(4, seed=1))
    masks = model.generate_masks(4, seed=1, smile=True)
    np.testing.assert_array_equal(masks["smile"], masks["sum"])
    # The encoder that was trained beside the generator can read pictures, too.
    assert model.translate(plain, {"smile": True}).shape == plain.shape


def test_what_does_not_fit_is_named():
    model, images = tiny_model(), tiny_images(16, 2)
    with pytest.raises(ValueError, match="order must hold every changed condition once, smile"):
        model.translate(images, {"smile": True}, order=["hair"])
    with pytest.raises(ValueError, match=r"no condition 'hat'.*hair, smile"):
        model.translate(images, {"hat": 1})
    with pytest.raises(ValueError, match="'smile' must be one of False, True"):
        model.translate(images, {"smile": "yes"})
    with pytest.raises(ValueError, match="no generator: it changes pictures"):
        model.generate(2)
    with pytest.raises(ValueError, match=r"'images' must have shape .batch, 16, 16, 3."):
        model.translate(images[:, :8])
    with pytest.raises(ValueError, match=r"'glasses' is new: pass its class names"):
        model.with_module("glasses")
    with pytest.raises(ValueError, match="There is no module 'transformer_hat'"):
        tiny_model(networks={"transformer_hat": modular_encoder((16, 16, 3), 2)})
    with pytest.raises(ValueError, match="no condition 'hat'"):
        tiny_model(initial=["hat"])
    told = tiny_model(initial=["hair"], use_cycle=False)
    with pytest.raises(ValueError, match="no encoder: it makes pictures of noise"):
        told.translate(images)
    with pytest.raises(ValueError, match="'hair' is told to the generator"):
        told.with_module("hair")
    with pytest.raises(ValueError, match="ModularGAN needs at least one condition"):
        ModularGAN()
