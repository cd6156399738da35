"""The callbacks inside a real `fit`, on the chosen backend."""

import types
import warnings

import keras
import numpy as np
import pytest
from PIL import Image

from keras_design_gans import callbacks
from keras_design_gans.callbacks.health_check import spread


class Painter(keras.Model):
    """One colour per latent vector, learnt by plain Keras."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential(
            [keras.Input((2,)), keras.layers.Dense(3), keras.layers.Activation("tanh")]
        )

    def call(self, latents):
        return self.generator(latents)

    def generate(self, n, seed=None, brightness=0.0):
        latents = np.random.default_rng(seed).normal(size=(n, 2)).astype("float32")
        colors = self.generator.predict(latents, verbose=0)
        return np.tile(np.clip(colors + brightness, -1, 1)[:, None, None], (1, 4, 4, 1))


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    model = Painter()
    model.compile(keras.optimizers.SGD(0.3), loss="mse")
    return model


def fit(model, *used, epochs=3, **kwargs):
    x = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
    y = np.full((32, 3), 0.5, "float32")
    return model.fit(x, y, epochs=epochs, batch_size=16, verbose=0, callbacks=list(used), **kwargs)


class Say(keras.callbacks.Callback):
    """Puts values in the logs as if the model had logged them."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: values[epoch] for name, values in self.values.items()})


class TestSampleGrid:
    def test_files(self, model, tmp_path):
        grid = callbacks.SampleGrid(tmp_path, rows=2, columns=3, every=2)
        fit(model, grid, epochs=4)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["animation.gif", "epoch_0002.png", "epoch_0004.png"]
        early, late = (np.asarray(Image.open(tmp_path / name)) for name in names[1:])
        assert early.shape == (2 * 4 + 2, 3 * 4 + 2 * 2, 3)
        assert not np.array_equal(early, late)  # the weights of each epoch, on JAX too
        with Image.open(tmp_path / "animation.gif") as animation:
            assert animation.n_frames == 2

    def test_last_picture_is_that_of_the_trained_model(self, model, tmp_path):
        fit(model, callbacks.SampleGrid(tmp_path, rows=1, columns=1, seed=5))
        trained = (model.generate(1, seed=5)[0] + 1) * 127.5
        saved = np.asarray(Image.open(tmp_path / "epoch_0003.png"))
        np.testing.assert_allclose(saved, trained, atol=0.51)

    def test_training_goes_the_same_way_without_it(self, model, tmp_path):
        losses = fit(model, callbacks.SampleGrid(tmp_path), shuffle=False).history["loss"]
        keras.utils.set_random_seed(0)
        other = Painter()
        other.compile(keras.optimizers.SGD(0.3), loss="mse")
        assert fit(other, shuffle=False).history["loss"] == pytest.approx(losses)

    def test_conditions(self, model, tmp_path):
        fit(model, callbacks.SampleGrid(tmp_path, conditions={"brightness": 2.0}), epochs=1)
        assert (np.asarray(Image.open(tmp_path / "epoch_0001.png")) == 255).all()

    def test_resumed_training_animates_all_epochs(self, model, tmp_path):
        fit(model, callbacks.SampleGrid(tmp_path), epochs=2)
        fit(model, callbacks.SampleGrid(tmp_path), epochs=4, initial_epoch=2)
        with Image.open(tmp_path / "animation.gif") as animation:
            assert animation.n_frames == 4

    def test_tensorboard(self, model, tmp_path):
        pytest.importorskip("tensorboardX")
        fit(model, callbacks.SampleGrid(tensorboard_dir=tmp_path), epochs=1)
        assert b"samples" in next(tmp_path.iterdir()).read_bytes()

    def test_notebook(self, model, monkeypatch):
        display = pytest.importorskip("IPython.display")
        shown = []

        class Handle:
            def update(self, picture):
                shown.append(("update", picture))

        def show(picture, display_id):
            shown.append(("display", picture))
            return Handle()

        monkeypatch.setattr(display, "display", show)
        fit(model, callbacks.SampleGrid(show=True))
        assert [action for action, _ in shown] == ["display", "update", "update"]
        assert shown[0][1].data.startswith(b"\x89PNG")


def test_curves(model, tmp_path):
    path = tmp_path / "run" / "curves.png"
    fit(model, callbacks.Curves(path))
    assert Image.open(path).size == (440, 320)


class TestHealthCheck:
    def test_silent_in_a_good_training(self, model):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            fit(model, callbacks.HealthCheck())

    def test_nan_stops(self, model):
        model.compile(keras.optimizers.SGD(float("nan")), loss="mse")
        with pytest.warns(RuntimeWarning, match=r"loss became NaN .* lower learning rate"):
            history = fit(model, callbacks.HealthCheck(), epochs=5)
        assert len(history.epoch) == 1

    def test_discriminator_wins(self, model):
        won = {"d_real_accuracy": [0.99] * 6, "d_fake_accuracy": [1.0] * 6}
        say = Say(**won, g_loss=[3, 4, 5, 6, 7, 8])
        with pytest.warns(RuntimeWarning, match=r"by epoch 3 .* label smoothing") as caught:
            fit(model, say, callbacks.HealthCheck(), epochs=6)
        assert len([w for w in caught if w.category is RuntimeWarning]) == 1

    @pytest.mark.parametrize(
        ("accuracy", "g_loss"),
        [([0.99, 0.99, 0.9, 0.99], [1, 2, 3, 4]), ([0.99] * 4, [4, 3, 2, 1])],
    )
    def test_discriminator_does_not_win(self, model, accuracy, g_loss):
        say = Say(d_real_accuracy=accuracy, d_fake_accuracy=[1.0] * 4, g_loss=g_loss)
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            fit(model, say, callbacks.HealthCheck(), epochs=4)

    def test_mode_collapse(self, model):
        # Training to the one colour of `y` is a collapse.
        with pytest.warns(RuntimeWarning, match="mode collapse"):
            fit(model, callbacks.HealthCheck(patience=2), epochs=30)

    def test_model_that_generates_nothing(self):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        model.compile("sgd", loss="mse")
        fit(model, callbacks.HealthCheck())

    def test_spread_by_hand(self):
        images = np.array([0.0, 0.0, 0.6]).reshape(3, 1, 1, 1) * np.ones((3, 2, 2, 3))
        assert spread(images) == pytest.approx((0 + 0.6 + 0.6) / 3)


class TestTimeLimit:
    def test_stops_before_the_limit(self, model, monkeypatch):
        clock = types.SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
        monkeypatch.setattr(callbacks.time_limit, "time", clock)

        class TenSeconds(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                clock.now += 10

        # After 30 seconds the fourth epoch would end at 40.
        history = fit(model, TenSeconds(), callbacks.TimeLimit(35 / 60), epochs=100)
        assert len(history.epoch) == 3

    def test_enough_time(self, model):
        assert len(fit(model, callbacks.TimeLimit(5)).epoch) == 3
