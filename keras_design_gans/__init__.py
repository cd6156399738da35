"""Generative networks for design, in Keras 3: one source for TensorFlow, JAX and PyTorch.

Submodules load on first use, so that drawing data or printing help starts no backend.
"""

import importlib

__version__ = "0.1.0"

__all__ = [
    "callbacks",
    "datasets",
    "engine",
    "export",
    "layers",
    "losses",
    "masks",
    "metrics",
    "models",
    "optimizers",
    "plotting",
    "presets",
    "recipes",
    "sketches",
    "studies",
    "text",
    "training",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*__all__, "__version__"]
