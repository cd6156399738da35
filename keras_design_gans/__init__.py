"""Generative networks for design, in Keras 3: one source for TensorFlow, JAX and PyTorch."""

__version__ = "0.1.0"
