"""Keras callbacks that watch a generative network learn.

They work on every backend. On JAX the variables live outside the model during an epoch and come
back when a callback asks for `self.model`, so no callback here keeps a network from one call to
the next.
"""

from keras_design_gans.callbacks.curves import Curves as Curves
from keras_design_gans.callbacks.health_check import HealthCheck as HealthCheck
from keras_design_gans.callbacks.sample_grid import SampleGrid as SampleGrid
from keras_design_gans.callbacks.time_limit import TimeLimit as TimeLimit
