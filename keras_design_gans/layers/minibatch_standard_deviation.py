"""Minibatch standard deviation: a discriminator that sees when all pictures look alike."""

import keras
from keras import layers, ops

EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="keras_design_gans")
class MinibatchStandardDeviation(layers.Layer):
    r"""Adds a channel that says how much the examples of a group differ.

    $$s=\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C\sqrt{\operatorname{Var}_i(x_{i,p,c})+\epsilon}
    \qquad\epsilon=10^{-8}$$

    Karras et al. 2018, section 3: the standard deviation over a group, of every feature at every
    pixel, averaged to one number, which fills the new channel of all examples in the group. Equal
    examples give 1e-4.

    Takes maps (batch, height, width, channels). Of `m` groups, group `i` holds the examples `i`,
    `i + m`, `i + 2 m`, ...; if the batch does not divide, the last groups begin again with its
    first examples.

    Args:
        group_size: Examples in a group.
        **kwargs: Those of `keras.layers.Layer`.
    """

    def __init__(self, group_size=4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, x):
        """Appends the channel."""
        n, height, width, channels = ops.shape(x)
        groups = (n + self.group_size - 1) // self.group_size
        repeated = ops.take(ops.cast(x, "float32"), ops.arange(groups * self.group_size) % n, 0)
        grouped = ops.reshape(repeated, (self.group_size, groups, height, width, channels))
        deviations = ops.sqrt(ops.var(grouped, axis=0) + EPSILON)
        spread = ops.mean(deviations, axis=(1, 2, 3), keepdims=True)
        channel = ops.tile(spread, (self.group_size, height, width, 1))[:n]
        return ops.concatenate([x, ops.cast(channel, x.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        """One channel more."""
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "group_size": self.group_size}
