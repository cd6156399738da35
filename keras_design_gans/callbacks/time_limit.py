"""Training with a clock."""

import time

import keras


class TimeLimit(keras.callbacks.Callback):
    """Stops after the epoch beyond which the next one would pass the limit.

    The next epoch is taken to last as long as the one just finished, validation and other
    callbacks included.

    Args:
        minutes: Time from the start of `fit`.
    """

    def __init__(self, minutes):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        """Starts the clock."""
        self._start = self._epoch_start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Looks at the clock."""
        now = time.monotonic()
        duration, self._epoch_start = now - self._epoch_start, now
        if now + duration - self._start > 60 * self.minutes:
            self.model.stop_training = True
