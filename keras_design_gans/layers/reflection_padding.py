"""A border of mirrored pixels."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ReflectionPadding2D(layers.Layer):
    """Continues maps beyond their edges as in a mirror, the outermost pixels not repeated.

    A row `a b c` becomes `c b a b c b a` by a padding of 2. Maps (batch, height, width, channels)
    to (batch, height + 2 padding, width + 2 padding, channels), of sides above `padding`.

    Args:
        padding: Pixels at each of the four sides.
        **kwargs: Those of `keras.layers.Layer`.
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, maps):
        """Pads."""
        sides = (self.padding, self.padding)
        return ops.pad(maps, ((0, 0), sides, sides, (0, 0)), "reflect")

    def compute_output_shape(self, input_shape):
        """Both sides longer by twice the padding."""
        batch, height, width, channels = input_shape
        return batch, height + 2 * self.padding, width + 2 * self.padding, channels

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "padding": self.padding}
