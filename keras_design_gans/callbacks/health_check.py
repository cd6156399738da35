r"""Warnings when an adversarial training goes wrong, with what to try.

The spread of pictures, by which a collapse is seen, is their mean pairwise distance

$$S = \frac{2}{n(n-1)} \sum_{i<j} \sqrt{\tfrac1P \lVert x_i - x_j \rVert_2^2}$$

over the \(P\) pixel values in [-1, 1]: 0 when all pictures are equal.
"""

import warnings

import keras
import numpy as np

from keras_design_gans.engine import translates

SURE = 0.98  # accuracy from which the discriminator has hardly anything left to learn
COLLAPSED = 0.4  # share of the largest spread so far; a healthy training stayed above 0.7


class HealthCheck(keras.callbacks.Callback):
    """Stops at NaN, and warns once of a discriminator that wins and once of a mode collapse.

    - *NaN or infinity* in any logged value: training stops. Logs are looked at every 20 batches.
    - *The discriminator wins*: for `patience` epochs both `d_real_accuracy` and `d_fake_accuracy`
      are above 0.98, and `g_loss` ends higher than it began.
    - *Mode collapse*: for `patience` epochs the spread of the pictures of the same noise is below
      0.4 of the largest spread of any epoch so far. (That of real pictures is no measure: at
      first all generated pictures look alike.) A generator that knows a few modes out of many
      escapes this check: look at the pictures too.

    The warnings are `RuntimeWarning`s.

    Args:
        patience: Number of epochs.
        conditions: Dictionary of further arguments of `model.generate` for 32 pictures.
    """

    samples = 32
    batches_between_looks = 20

    def __init__(self, patience=3, conditions=None):
        super().__init__()
        self.patience = patience
        self.conditions = conditions or {}

    def on_train_begin(self, logs=None):
        """Forgets an earlier training."""
        self._wins, self._spreads, self._said = [], [], set()

    def on_train_batch_end(self, batch, logs=None):
        """Looks for NaN; the logs are means over the epoch, which a NaN does not leave again."""
        if batch % self.batches_between_looks == 0:
            self._check_finite(logs, f"batch {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        """Looks at the logs and at the pictures."""
        logs = logs or {}
        if not self._check_finite(logs, f"epoch {epoch + 1}"):
            return
        self._check_winner(logs, epoch)
        if hasattr(self.model, "generate") and not translates(self.model):
            self._check_spread(epoch)

    def _check_finite(self, logs, when):
        broken = [name for name, value in (logs or {}).items() if not np.isfinite(float(value))]
        if broken:
            self._warn(
                "finite",
                f"{', '.join(broken)} became NaN or infinite at {when}: training stops. Try a "
                "lower learning rate, gradient clipping (`clipnorm=1.0` in the optimizer) or a "
                "float32 policy, and check that the images are finite and in [-1, 1].",
            )
            self.model.stop_training = True
        return not broken

    def _check_winner(self, logs, epoch):
        if not {"d_real_accuracy", "d_fake_accuracy", "g_loss"} <= set(logs):
            return
        sure = min(logs["d_real_accuracy"], logs["d_fake_accuracy"]) > SURE
        self._wins = [*self._wins, logs["g_loss"]] if sure else []
        if len(self._wins) >= self.patience and self._wins[-1] > self._wins[-self.patience]:
            self._warn(
                "winner",
                f"The discriminator has won: by epoch {epoch + 1} it has told more than {SURE:.0%} "
                f"of real and of generated images apart for {self.patience} epochs, while g_loss "
                "rose. The generator learns little from it. Try a lower learning rate for the "
                "discriminator, one-sided label smoothing (real target 0.9), noise before the "
                "discriminator (instance_noise=0.1), fewer filters in it, more data, or a "
                "Wasserstein loss.",
            )

    def _check_spread(self, epoch):
        self._spreads.append(spread(self.model.generate(self.samples, seed=0, **self.conditions)))
        now, largest = max(self._spreads[-self.patience :]), max(self._spreads)
        if now < COLLAPSED * largest:
            self._warn(
                "collapse",
                f"The generated images look alike (mode collapse): by epoch {epoch + 1} they are "
                f"{now:.3f} apart on average, and were {largest:.3f}. Try a lower learning rate "
                "for the generator, a larger batch, or a Wasserstein loss with gradient penalty, "
                "and go back to a checkpoint from before.",
            )

    def _warn(self, topic, message):
        if topic not in self._said:
            self._said.add(topic)
            warnings.warn(message, RuntimeWarning, stacklevel=2)


def spread(images):
    """Mean distance between the images (n, h, w, c) of every pair, as root mean square of pixels.

    Args:
        images: float array, n at least 2.

    Returns:
        float, 0 if all images are equal; up to 2 for values in [-1, 1].
    """
    rows = np.asarray(images, "float64").reshape(len(images), -1)
    distances = [
        np.sqrt(np.mean((rows[i + 1 :] - rows[i]) ** 2, axis=1)) for i in range(len(rows) - 1)
    ]
    return float(np.concatenate(distances).mean())
