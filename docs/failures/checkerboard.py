"""Checkerboard: a transposed convolution whose kernel (3) is not a multiple of its stride (2)."""

import keras
import numpy as np
from common import IMAGES, garments
from keras import layers

import keras_design_gans as kdg


def doubled(last_layers):
    """Builds a generator: resize and convolve from 4 to 16 pixels, then `last_layers` to 32."""
    stack = [keras.Input((32,)), layers.Dense(4 * 4 * 64), layers.Reshape((4, 4, 64))]
    for filters in (64, 32):
        stack += [
            layers.UpSampling2D(),
            layers.Conv2D(filters, 3, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    return keras.Sequential([*stack, *last_layers, layers.Activation("tanh", dtype="float32")])


ENDINGS = {
    "transposed": [layers.Conv2DTranspose(3, 3, 2, "same")],
    "resized": [layers.UpSampling2D(), layers.Conv2D(3, 3, padding="same")],
}
for name, last_layers in ENDINGS.items():
    keras.utils.set_random_seed(0)
    model = kdg.models.DCGAN(
        (32, 32, 3), latent_dim=32, base_filters=16, generator=doubled(last_layers)
    )
    model.compile()
    model.fit(garments().batches(), steps_per_epoch=50, epochs=12)
    pictures = model.generate(256, seed=0)
    mean = pictures.mean(axis=0, keepdims=True)  # textures average out, a common grid does not
    kdg.plotting.save_grid(
        np.concatenate([pictures[:9], mean]), IMAGES / f"checkerboard_{name}.png", 5, scale=4
    )
