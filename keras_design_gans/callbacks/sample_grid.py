"""The pictures of the same noise, epoch after epoch."""

import io
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from keras_design_gans import plotting
from keras_design_gans.callbacks.tensorboard import tensorboard_writer


class SampleGrid(keras.callbacks.Callback):
    """Draws the same noise after every few epochs, so that one sees the pictures form.

    Of a model with `translate` it draws the same sources: a row of sources, below it a row of
    outputs, and below that the true pictures, if they are given. A model that also has `generate`
    does so only if it is given sources.

    Args:
        directory: Folder for `epoch_0001.png`, ... and, at the end, `animation.gif` of at most 60
            frames. `None` saves nothing.
        rows: Pictures from top to bottom.
        columns: Pictures from left to right.
        every: Interval in epochs.
        seed: Seed of the noise, the same at every epoch.
        conditions: Dictionary of further arguments of `model.generate`, such as labels; for a
            model with `translate` the sources, `images`, as many as there are pictures, and what
            else it takes, such as `changes`.
        targets: For a model with `translate`, what the outputs should be.
        show: Display the grid in the notebook, each one in place of the last.
        tensorboard_dir: Folder for TensorBoard images. Needs `tensorboardX` or `tensorflow` with
            `tensorboard`.
    """

    def __init__(
        self,
        directory=None,
        rows=4,
        columns=8,
        every=1,
        seed=0,
        conditions=None,
        targets=None,
        show=False,
        tensorboard_dir=None,
    ):
        super().__init__()
        self.directory = Path(directory) if directory is not None else None
        self.rows, self.columns = rows, columns
        self.every = every
        self.seed = seed
        self.conditions = conditions or {}
        self.targets = targets
        self.show = show
        self.tensorboard_dir = tensorboard_dir

    def on_train_begin(self, logs=None):
        """Makes the folder."""
        self._last_epoch = 0
        self._display = None
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
        if self.tensorboard_dir is not None:
            self._write_image, self._close_tensorboard = tensorboard_writer(self.tensorboard_dir)

    def on_epoch_end(self, epoch, logs=None):
        """Draws the grid."""
        self._last_epoch = epoch + 1
        if self._last_epoch % self.every:
            return
        from_pictures = not hasattr(self.model, "generate") or "images" in self.conditions
        if from_pictures:
            images = self.model.translate(seed=self.seed, **self.conditions)
        else:
            count = self.rows * self.columns
            images = self.model.generate(count, seed=self.seed, **self.conditions)
        if not np.isfinite(images).all():
            return  # there is nothing to draw, and to say so is the task of `HealthCheck`
        if from_pictures:
            sources = self.conditions["images"]
            images = plotting.beside(self.columns, sources, images, self.targets)
        grid = plotting.image_grid(images, self.columns)
        if self.directory is not None:
            Image.fromarray(grid).save(self.directory / f"epoch_{self._last_epoch:04d}.png")
        if self.tensorboard_dir is not None:
            self._write_image("samples", grid, self._last_epoch)
        if self.show:
            self._show(grid)

    def on_train_end(self, logs=None):
        """Makes the animation."""
        if self.tensorboard_dir is not None:
            self._close_tensorboard()
        if self.directory is not None:
            self._animate()

    def _animate(self):
        # Files rather than memory: a resumed training then animates the whole story. Later epochs
        # can only be left over from another run.
        paths = [
            path
            for path in sorted(self.directory.glob("epoch_*.png"))
            if int(path.stem.removeprefix("epoch_")) <= self._last_epoch
        ]
        if paths:
            chosen = np.unique(np.linspace(0, len(paths) - 1, 60).round().astype(int))
            frames = [np.asarray(Image.open(paths[index])) for index in chosen]
            plotting.save_animation(frames, self.directory / "animation.gif")

    def _show(self, grid):
        from IPython import display

        buffer = io.BytesIO()
        Image.fromarray(grid).save(buffer, "png")
        picture = display.Image(buffer.getvalue())
        if self._display is None:
            self._display = display.display(picture, display_id=True)
        else:
            self._display.update(picture)
