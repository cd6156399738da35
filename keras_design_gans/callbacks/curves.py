"""Training curves on disk."""

from pathlib import Path

import keras

from keras_design_gans.plotting import plot_history


class Curves(keras.callbacks.Callback):
    """Redraws the curves of all logged values into one file after every epoch.

    Args:
        path: Image file to write, such as `run/curves.png`.
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)

    def on_train_begin(self, logs=None):
        """Forgets an earlier training."""
        self._history = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        """Draws."""
        for name, value in (logs or {}).items():
            self._history.setdefault(name, []).append(float(value))
        if self._history:
            plot_history(self._history).savefig(self.path)
