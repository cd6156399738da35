"""A soft switch from one tensor to another."""

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="keras_design_gans")
class FadeIn(layers.Layer):
    r"""Blends an old and a new tensor: \((1-\alpha)\,\text{old}+\alpha\,\text{new}\).

    Karras et al. 2018, figure 2. \(\alpha\) is the weight `alpha`, which no optimizer moves: the
    model assigns it. It begins at 0, where the result is the old tensor to the last bit; at 1 it is
    the new one.

    Takes a list of two tensors of one shape.
    """

    def build(self, input_shape):
        """Creates the weight of the new tensor."""
        self.alpha = self.add_weight((), "zeros", trainable=False, name="alpha")

    def call(self, tensors):
        """Blends."""
        old, new = tensors
        return (1.0 - self.alpha) * old + self.alpha * new
