"""The battery: what every model of the package must do, on every backend.

A model's test file subclasses `GanTestCase`, says how to build a tiny model and a batch for it, and
inherits all checks. Formulas and numbers of the paper are tested beside it.
"""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest


def numbers(shape, seed):
    """Returns the same small numbers for one shape and seed on every machine and backend."""
    return 0.1 * np.random.default_rng(seed).standard_normal(shape, dtype="float32")


def set_known_weights(network):
    """Fills a network with numbers that do not depend on the backend's random generator."""
    for index, variable in enumerate(network.weights):
        value = 3 * numbers(variable.shape, index)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)


def value_of(variable):
    """Returns a NumPy copy of a variable's value."""
    return np.array(keras.ops.convert_to_numpy(variable.value))


def as_float64(batch):
    """Returns a batch whose pictures are of NumPy's default type, as own code may make them."""
    return {k: x.astype("float64") if x.dtype.kind == "f" else x for k, x in batch.items()}


def snapshot(model):
    """Returns copies of everything a model remembers: weights, optimizer state, seeds, metrics."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return [value_of(variable) for variable in variables]


def same(before, after):
    """True if two snapshots are equal to the last bit."""
    return len(before) == len(after) and all(map(np.array_equal, before, after))


class GanTestCase:
    """Inherit, define `make_model` and `make_batch`, and the checks run.

    Attributes:
        sizes: Two picture sizes.
        losses: The losses that the model logs.
        pictures: Key of the pictures in a batch.
        known_pixels: Values of `known_output()`, worked out once and equal on the three backends.
    """

    sizes = (16, 32)
    losses = ("d_loss", "g_loss")
    pictures = "image"
    known_pixels = None

    def make_model(self, size=16):
        """Returns a tiny, uncompiled model for pictures of `size` pixels."""
        raise NotImplementedError

    def make_batch(self, size=16, n=8):
        """Returns a dictionary of arrays that fits the model."""
        raise NotImplementedError

    def output(self, model):
        """Returns pictures made by the model: a float32 array."""
        return model.generate(4, seed=0)

    def network_to_export(self, model):
        """Returns the network of most use outside Python, and its input, or a list of inputs."""
        return model.sampler, model.sample_latents(3, seed=0)

    def compiled(self, size=16, **arguments):
        """Returns a compiled model that starts from the same weights each time.

        TensorFlow traces a tiny network for far longer than it trains it: there, steps are eager
        in the tests that do not ask for more.
        """
        keras.utils.set_random_seed(0)
        model = self.make_model(size)
        eager = keras.backend.backend() == "tensorflow"
        model.compile(**{"run_eagerly": eager, **arguments})
        return model

    def fit(self, model, size=16, **arguments):
        """Trains on two batches in fixed order."""
        arguments = {"batch_size": 4, "epochs": 1, "shuffle": False, "verbose": 0, **arguments}
        return model.fit(self.make_batch(size), **arguments)

    def test_config_round_trip(self):
        model = self.make_model()
        config = model.get_config()
        again = type(model).from_config(json.loads(json.dumps(config)))
        assert json.dumps(again.get_config()) == json.dumps(config)
        assert [v.shape for v in again.weights] == [v.shape for v in model.weights]

    def test_shapes_and_range(self):
        for size in self.sizes:
            images = self.output(self.make_model(size))
            assert images.shape[1:3] == (size, size)
            assert images.dtype == np.float32
            assert np.abs(images).max() <= 1.0

    def test_a_step_moves_exactly_its_player(self):
        for chosen in self.make_model().players:
            model = self.compiled()
            update = model.minimize

            def minimize(objective, player, through=None, chosen=chosen, update=update):
                if player == chosen:
                    return update(objective, player, through)
                return objective(through.output) if through else objective()

            model.minimize = minimize
            players = {
                player: [v for network in networks for v in network.trainable_variables]
                for player, networks in model.players.items()
            }
            own = {id(v) for v in players[chosen]}  # of which other players may have a share
            variables = {id(v): v for each in players.values() for v in each}
            before = {key: value_of(v) for key, v in variables.items()}
            for _ in range(2):
                model.train_on_batch(as_float64(self.make_batch()))
            for key, v in variables.items():
                moved = not np.array_equal(before[key], value_of(v))
                assert moved == (key in own), (chosen, v.path)

    def test_eager_equals_compiled(self):
        logs = [self.fit(self.compiled(run_eagerly=eager)).history for eager in (True, False)]
        for name in logs[0]:
            np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=2e-3, atol=2e-3)

    def test_save_load_and_continue(self, tmp_path):
        model = self.compiled()
        self.fit(model)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert same(snapshot(model), snapshot(again))
        np.testing.assert_array_equal(self.output(model), self.output(again))
        self.fit(model)
        self.fit(again)
        assert same(snapshot(model), snapshot(again))

    @pytest.mark.parametrize(
        "policy",
        ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.one_backend)],
    )
    def test_mixed_precision_trains(self, policy):
        keras.config.set_dtype_policy(policy)
        model = self.compiled()
        before = snapshot(model)
        history = self.fit(model).history
        assert all(np.isfinite(values).all() for values in history.values())
        assert not same(before, snapshot(model))
        assert all(keras.backend.standardize_dtype(v.dtype) != "float16" for v in model.weights)
        assert self.output(model).dtype == np.float32

    def test_known_weights_give_known_pixels(self):
        model = self.make_model()
        network, inputs = self.network_to_export(model)
        set_known_weights(network)
        pixels = np.asarray(network.predict(inputs, verbose=0)).ravel()
        found = pixels[:: len(pixels) // 6][:6]
        np.testing.assert_allclose(found, self.known_pixels, atol=1e-5)

    def test_onnx_equals_keras(self, tmp_path):
        onnxruntime = pytest.importorskip("onnxruntime")
        network, inputs = self.network_to_export(self.make_model())
        set_known_weights(network)
        expected = keras.ops.convert_to_numpy(network(inputs))  # Keras exports what was called
        path = str(tmp_path / "network.onnx")
        network.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path)
        names = [node.name for node in session.get_inputs()]
        arrays = inputs if isinstance(inputs, list) else [inputs]
        found = session.run(None, dict(zip(names, arrays, strict=True)))[0]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_keras_callbacks(self, tmp_path):
        model = self.compiled()
        first = next(iter(model.optimizer.members))
        rates = []
        self.fit(
            model,
            epochs=2,
            callbacks=[
                keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
                keras.callbacks.BackupAndRestore(tmp_path / "backup"),
                keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
                keras.callbacks.ReduceLROnPlateau(self.losses[0], mode="min"),
                keras.callbacks.TensorBoard(tmp_path / "logs"),
                keras.callbacks.CSVLogger(tmp_path / "history.csv"),
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: rates.append(logs[f"learning_rate_{first}"])
                ),
            ],
        )
        assert rates[1] == pytest.approx(rates[0] / 2)
        assert (tmp_path / "2.keras").exists()
        assert (tmp_path / "history.csv").read_text().count("\n") == 3
        assert any((tmp_path / "logs").rglob("*tfevents*"))

    def test_evaluate_changes_nothing_but_seeds_and_means(self):
        model = self.compiled()
        before = [value_of(v) for v in model.trainable_variables]
        logs = model.evaluate(self.make_batch(), batch_size=4, verbose=0, return_dict=True)
        assert set(logs) >= set(self.losses)
        assert all(map(np.array_equal, before, map(value_of, model.trainable_variables)))

    def test_bad_input_is_named_and_changes_nothing(self):
        model = self.compiled()
        before = snapshot(model)
        good, key = self.make_batch(), self.pictures
        nan, out_of_range = good[key].copy(), good[key] * 255
        nan[0, 0, 0, 0] = np.nan
        bad = {
            "shape .batch, ": {**good, key: good[key][:, :-1]},
            "channels|shape .batch, ": {**good, key: good[key][..., :1]},
            "NaN": {**good, key: nan},
            "lie in .-1, 1.": {**good, key: out_of_range},
            "missing": {other: x for other, x in good.items() if other != key} or {"x": nan},
            "empty": {key: value[:0] for key, value in good.items()},
            **self.more_bad_batches(good),
        }
        for message, batch in bad.items():
            for train in (model.train_on_batch, lambda b: model.fit(b, verbose=0)):
                with pytest.raises(ValueError, match=message):
                    train(batch)
        assert same(before, snapshot(model))

    def more_bad_batches(self, good):
        """Returns further bad batches, by the message they must raise."""
        return {}


def run_in_new_process(code, **environment):
    """Runs Python code on this test's backend, in a process of its own; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend(), **environment},
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
