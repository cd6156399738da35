"""The engine: gradients, several updates, schedules, processes, devices."""

import json

import keras
import numpy as np
import pytest
from gan_test_case import run_in_new_process, same, snapshot, value_of
from keras import ops
from test_dcgan import tiny_images

from keras_design_gans.batch import Images, for_fit
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.losses import (
    gradient_penalty,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from keras_design_gans.models import DCGAN

BACKEND = keras.backend.backend()


def tiny_dcgan(**arguments):
    keras.utils.set_random_seed(0)
    return DCGAN((16, 16, 3), latent_dim=8, base_filters=4, **arguments)


class LinearGame(AdversarialModel):
    """A critic with a gradient penalty and three updates for each update of the generator.

    Small enough to be followed by hand: the critic is f(x) = w.x, the generator is G(z) = v z.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.critic = keras.Sequential(
            [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
        )
        self.generator = keras.Sequential(
            [
                keras.Input((1,)),
                keras.layers.Dense(4, use_bias=False),
                keras.layers.Reshape((2, 2, 1)),
            ]
        )
        self.track("c_loss", "g_loss")

    @property
    def players(self):
        return {"critic": [self.critic], "generator": [self.generator]}

    @property
    def needs(self):
        return {"image": Images((2, 2, 1))}

    def default_optimizers(self):
        return {player: keras.optimizers.SGD(0.1) for player in self.players}

    def critic_objective(self, real, fake):
        penalty = gradient_penalty(self.input_gradients(self.critic, real))
        return wasserstein_critic_loss(self.critic(real), self.critic(fake)) + 10.0 * penalty

    def train_step(self, data):
        real = self.read(data)["image"]
        noise = ops.ones((ops.shape(real)[0], 1))
        for _ in range(3):
            fake = self.generator(noise)
            c_loss = self.minimize(lambda fake=fake: self.critic_objective(real, fake), "critic")
        g_loss = self.minimize(
            lambda: wasserstein_generator_loss(self.critic(self.generator(noise))), "generator"
        )
        return self.log(c_loss=c_loss, g_loss=g_loss)


@pytest.mark.parametrize("eager", [True, False])
def test_gradient_penalty_and_several_updates_by_hand(eager):
    model = LinearGame()
    w, v = np.array([1.0, 0, 0, 0]), np.array([0.5, 0.5, 0, 0])
    model.critic.layers[-1].kernel.assign(w[:, None])
    model.generator.layers[0].kernel.assign(v[None])
    model.compile(run_eagerly=eager)
    image = np.full((4, 2, 2, 1), 0.25, "float32")
    logs = model.train_on_batch(image, return_dict=True)
    for _ in range(3):
        norm = np.linalg.norm(w)
        c_loss = w @ (v - 0.25) + 10 * (norm - 1) ** 2
        w = w - 0.1 * ((v - 0.25) + 20 * (norm - 1) * w / norm)
    g_loss = -w @ v
    v = v + 0.1 * w
    assert float(logs["c_loss"]) == pytest.approx(c_loss, rel=1e-4)
    assert float(logs["g_loss"]) == pytest.approx(g_loss, rel=1e-4)
    np.testing.assert_allclose(value_of(model.critic.layers[-1].kernel)[:, 0], w, rtol=1e-4)
    np.testing.assert_allclose(value_of(model.generator.layers[0].kernel)[0], v, rtol=1e-4)
    assert [int(o.iterations) for o in model.optimizer.optimizers] == [3, 1]


def test_the_shared_pass_gives_the_gradient_of_a_pass_of_its_own():
    class OwnPass(DCGAN):
        def train_step(self, data):
            batch = self.read(data)
            noise = self.sample_noise(ops.shape(batch["image"])[0])
            self.minimize(
                lambda: self.generator_objective(batch, self.generator(noise, training=True), True),
                "generator",
            )
            return self.log()

    class SharedPass(DCGAN):
        def train_step(self, data):
            batch = self.read(data)
            noise = self.sample_noise(ops.shape(batch["image"])[0])
            fake = self.shared_pass(lambda: self.generator(noise, training=True), "generator")
            self.minimize(
                lambda x: self.generator_objective(batch, x, True), "generator", through=fake
            )
            return self.log()

    weights = []
    for cls in (OwnPass, SharedPass):
        keras.utils.set_random_seed(0)
        model = cls((16, 16, 3), latent_dim=8, base_filters=4)
        model.compile(generator_optimizer=keras.optimizers.SGD(1.0))
        model.train_on_batch(tiny_images(16, 4))
        weights.append([value_of(v) for v in model.generator.weights])
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_every_player_follows_its_own_schedule():
    model = tiny_dcgan()
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [1e-3, 1e-4])
    model.compile(
        generator_optimizer=keras.optimizers.Adam(schedule),
        discriminator_optimizer=keras.optimizers.Adam(5e-4),
    )
    rates = []
    for _ in range(4):
        model.train_on_batch(tiny_images(16, 4))
        rates.append(
            [float(ops.convert_to_numpy(o.learning_rate)) for o in model.optimizer.optimizers]
        )
    assert rates[0] == pytest.approx([1e-3, 5e-4])
    assert rates[-1] == pytest.approx([1e-4, 5e-4])


def test_the_average_follows_its_formula():
    model = tiny_dcgan(average_decay=0.2)
    model.compile()
    weight = model.generator.trainable_variables[0]
    expected = value_of(weight)
    for t in range(1, 4):
        model.train_on_batch(tiny_images(16, 4))
        decay = min(0.2, (1 + t) / (10 + t))  # 2/11, then 0.2
        expected = decay * expected + (1 - decay) * value_of(weight)
    found = value_of(model.average_generator.weights[0])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_generator_trains_from_a_data_set_that_does_not_tune_itself():
    pictures = [np.full((2, 4, 4, 3), value, "float32") for value in (0.0, 0.5, 1.0)]
    batches = (({"image": each},) for each in pictures)
    given = for_fit(batches)
    if BACKEND == "tensorflow":
        assert given.options().autotune.enabled is False
        for (batch,), expected in zip(given, pictures, strict=True):
            np.testing.assert_array_equal(batch["image"], expected)
        with pytest.raises(ValueError, match="The data set is empty"):
            for_fit(batches)
    else:
        assert given is batches
    assert for_fit(pictures) is pictures


@pytest.mark.skipif(BACKEND == "torch", reason="Keras does not offer it on PyTorch")
def test_steps_per_execution_changes_nothing():
    results = []
    for steps in (1, 2):
        model = tiny_dcgan()
        model.compile(steps_per_execution=steps)
        model.fit(tiny_images(16, 16), batch_size=4, shuffle=False, verbose=0)
        results.append(snapshot(model))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.skipif(BACKEND == "torch", reason="torch.compile takes minutes on a CPU")
def test_jit_compile_trains():
    model = tiny_dcgan()
    model.compile(jit_compile=True)
    assert np.isfinite(model.train_on_batch(tiny_images(16, 4), return_dict=True)["g_loss"])


def test_names_of_optimizers_are_checked():
    with pytest.raises(TypeError, match="generator_optimizer, discriminator_optimizer"):
        tiny_dcgan().compile(optimizer="adam")
    model = tiny_dcgan()
    model.compile()
    with pytest.raises(AttributeError, match=r"model\.optimizer\['generator'\]"):
        model.optimizer.learning_rate  # noqa: B018


def test_importing_the_package_loads_no_other_backend():
    code = (
        "import sys, keras_design_gans as kdg; kdg.models, kdg.datasets, kdg.metrics\n"
        "print([name for name in ('tensorflow', 'jax', 'torch', 'tensorflow_datasets',"
        " 'resvg_py') if name in sys.modules])"
    )
    # Keras itself loads PyTorch or JAX helpers only for their own backend.
    loaded = json.loads(run_in_new_process(code).splitlines()[-1].replace("'", '"'))
    assert "resvg_py" not in loaded
    assert "tensorflow_datasets" not in loaded
    assert "tensorflow" not in loaded or BACKEND == "tensorflow"


TRAIN = """
import keras, numpy as np
from test_engine import tiny_dcgan
from test_dcgan import tiny_images
from gan_test_case import snapshot
images = tiny_images(16, 12)
"""
SIX_STEPS = """
model = tiny_dcgan(average_decay=0.9)
model.compile()
model.fit(images, batch_size=4, epochs=2, shuffle=False, verbose=0)
np.savez({path!r}, *snapshot(model))
"""
THREE_STEPS = """
model = tiny_dcgan(average_decay=0.9)
model.compile()
model.fit(images, batch_size=4, epochs=1, shuffle=False, verbose=0)
model.save({path!r})
"""
THREE_MORE = """
import keras_design_gans.models
model = keras.models.load_model({saved!r})
model.fit(images, batch_size=4, epochs=1, shuffle=False, verbose=0)
np.savez({path!r}, *snapshot(model))
"""


def test_six_steps_equal_three_and_three_in_another_process(tmp_path):
    whole, saved, parts = (str(tmp_path / n) for n in ("whole.npz", "half.keras", "parts.npz"))
    run_in_new_process(TRAIN + SIX_STEPS.format(path=whole))
    run_in_new_process(TRAIN + THREE_STEPS.format(path=saved))
    run_in_new_process(TRAIN + THREE_MORE.format(saved=saved, path=parts))
    assert same(list(np.load(whole).values()), list(np.load(parts).values()))


def test_a_killed_training_continues_from_its_backup(tmp_path):
    """BackupAndRestore: the second process starts at the epoch in which the first one died."""
    code = (
        TRAIN
        + f"""
class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        print("epoch", epoch, flush=True)
        if epoch == 1 and {{kill}}:
            import os
            os._exit(0)
model = tiny_dcgan()
model.compile()
model.fit(images, batch_size=4, epochs=2, shuffle=False, verbose=0,
    callbacks=[keras.callbacks.BackupAndRestore({str(tmp_path / "backup")!r}), Kill()])
print("steps", int(model.optimizer.iterations))
"""
    )
    first = run_in_new_process(code.format(kill=True))
    assert "epoch 1" in first
    assert "steps" not in first
    second = run_in_new_process(code.format(kill=False))
    assert "epoch 0" not in second
    assert "steps 6" in second


@pytest.mark.skipif(BACKEND != "jax", reason="keras.distribution")
def test_data_parallel_on_two_devices_gives_the_numbers_of_one():
    code = (
        TRAIN
        + """
devices = {devices}
if devices > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
import jax
assert len(jax.devices()) == devices
model = tiny_dcgan()
model.compile()
for _ in range(2):
    logs = model.train_on_batch(images[:8], return_dict=True)
print(*(float(value) for value in logs.values()))
"""
    )
    outputs = [
        run_in_new_process(
            code.format(devices=devices),
            XLA_FLAGS=f"--xla_force_host_platform_device_count={devices}",
        ).splitlines()[-1]
        for devices in (1, 2)
    ]
    one, two = ([float(number) for number in output.split()] for output in outputs)
    np.testing.assert_allclose(one, two, rtol=1e-4)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_mirrored_strategy_trains_on_two_devices():
    code = (
        TRAIN
        + """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = tiny_dcgan()
    model.compile()
before = model.generate(4, seed=0)
history = model.fit(images, batch_size=4, epochs=2, verbose=0).history
assert strategy.num_replicas_in_sync == 2
assert all(np.isfinite(values).all() for values in history.values())
print("moved", np.abs(model.generate(4, seed=0) - before).max())
"""
    )
    assert float(run_in_new_process(code).split()[-1]) > 1e-4
