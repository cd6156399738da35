"""Larger maps, by the same numbers on every backend and in every export."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_design_gans")
class BilinearUpsampling(layers.Layer):
    """Bilinear interpolation between the centres of pixels, by a fixed transposed convolution.

    Beyond the outermost centres the border is repeated. `keras.layers.UpSampling2D` computes the
    same, but on JAX it cannot be exported for batches of any length.

    Maps (batch, height, width, channels) to (batch, factor * height, factor * width, channels).

    Args:
        factor: Even number.
        **kwargs: Those of `keras.layers.Layer`.
    """

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, maps):
        """Enlarges."""
        ramp = 1 - np.abs(np.arange(0.5 - self.factor, self.factor)) / self.factor
        kernel = np.multiply.outer(np.outer(ramp, ramp), np.eye(maps.shape[-1]))
        larger = ops.conv_transpose(
            ops.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), "symmetric"),
            ops.cast(kernel, maps.dtype),
            strides=self.factor,
            padding="same",
        )
        return larger[:, self.factor : -self.factor, self.factor : -self.factor]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "factor": self.factor}
