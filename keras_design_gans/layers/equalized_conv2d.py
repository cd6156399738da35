"""Convolution with an equalised learning rate."""

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_design_gans")
class EqualizedConv2D(layers.Layer):
    r"""Convolution whose weights are kept near 1 and scaled when they are used.

    $$y=x*\frac{g}{\sqrt{f}}\,w+b\qquad w\sim N(0,1)\qquad f=k_h\,k_w\,C_{in}$$

    Karras et al. 2018, section 4.1. \(g/\sqrt f\) is the standard deviation of He et al. 2015, so
    that the first outputs are those of an ordinary convolution. But Adam moves all weights by
    steps of about its learning rate, whatever their size: with weights of one size in all layers,
    all layers learn at one speed.

    On a map of 1 x 1 it is a dense layer.

    Args:
        filters: Output channels.
        kernel_size: Side of the kernel, or (height, width).
        gain: \(g\): \(\sqrt2\) before a ReLU or leaky ReLU, 1 before nothing.
        padding: "same" or "valid".
        **kwargs: Those of `keras.layers.Layer`.
    """

    def __init__(self, filters, kernel_size, gain=2**0.5, padding="same", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        square = isinstance(kernel_size, int)
        self.kernel_size = (kernel_size,) * 2 if square else tuple(kernel_size)
        self.gain = gain
        self.padding = padding

    def build(self, input_shape):
        """Creates weights from N(0, 1), and zeros for the bias."""
        shape = (*self.kernel_size, input_shape[-1], self.filters)
        normal = keras.initializers.RandomNormal(0.0, 1.0)
        self.kernel = self.add_weight(shape, normal, name="kernel")
        self.bias = self.add_weight((self.filters,), "zeros", name="bias")
        self.scale = self.gain / math.sqrt(math.prod(shape[:-1]))

    def call(self, x):
        """Scales the weights and convolves."""
        return ops.conv(x, self.scale * self.kernel, padding=self.padding) + self.bias

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "gain": self.gain,
            "padding": self.padding,
        }
