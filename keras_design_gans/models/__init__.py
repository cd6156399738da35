"""One paper, one file: the networks of a paper and its `keras.Model`."""

from keras_design_gans.models.dcgan import DCGAN
from keras_design_gans.models.design import DesIGN

__all__ = ["DCGAN", "DesIGN"]
