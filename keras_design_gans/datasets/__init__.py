"""Drawn and real data sets behind one interface: `load`, `from_folder`, `joint`, `Dataset`."""

import importlib

_HOME = {
    "Dataset": "dataset",
    "from_folder": "loading",
    "joint": "joint_pictures",
    "load": "loading",
    "names": "loading",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    # Looked up on first use, so that the processes which draw pictures import no Keras.
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
