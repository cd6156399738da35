"""Scores of novelty, quality and likeness, and the classifier that they are computed with."""

from keras_design_gans.metrics.resnet18 import ResNet18 as ResNet18
