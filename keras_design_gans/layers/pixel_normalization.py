"""Pixel normalisation: every feature vector gets the same length."""

import keras
from keras import layers, ops

EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="keras_design_gans")
class PixelNormalization(layers.Layer):
    r"""Divides the channels of each pixel by their root mean square.

    $$b_p=\frac{a_p}{\sqrt{\tfrac1C\sum_{c=1}^C a_{p,c}^2+\epsilon}}\qquad\epsilon=10^{-8}$$

    Karras et al. 2018, section 4.2. No weights: the strength of a signal cannot escalate from layer
    to layer, and the vector keeps its direction. (3, 4) becomes (0.848528, 1.131371).

    Takes tensors of any shape with the channels last, and noise vectors (batch, channels).
    """

    def call(self, x):
        """Normalises along the last axis, in float32: 16 bits hold neither squares nor epsilon."""
        wide = ops.cast(x, "float32")
        mean_square = ops.mean(ops.square(wide), axis=-1, keepdims=True)
        return ops.cast(wide / ops.sqrt(mean_square + EPSILON), x.dtype)
