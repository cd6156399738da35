"""Layers that Keras lacks, one public layer in each file."""

from keras_design_gans.layers.bilinear_upsampling import BilinearUpsampling
from keras_design_gans.layers.equalized_conv2d import EqualizedConv2D
from keras_design_gans.layers.fade_in import FadeIn
from keras_design_gans.layers.image_pool import ImagePool
from keras_design_gans.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from keras_design_gans.layers.pixel_normalization import PixelNormalization
from keras_design_gans.layers.reflection_padding import ReflectionPadding2D

__all__ = [
    "BilinearUpsampling",
    "EqualizedConv2D",
    "FadeIn",
    "ImagePool",
    "MinibatchStandardDeviation",
    "PixelNormalization",
    "ReflectionPadding2D",
]
