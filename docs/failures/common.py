"""What the failures share: small pictures, a plain discriminator, and how the pictures are kept."""

from pathlib import Path

import keras

import keras_design_gans as kdg

IMAGES = Path(__file__).parent.parent / "images" / "failures"


def garments():
    """Draws 4,000 garments of 32 x 32 pixels, in batches of 32."""
    return kdg.datasets.load("garments", image_size=32, batch_size=32, num_examples=4000)


def plain_discriminator(filters=16):
    """Builds three convolutions without batch normalisation.

    A discriminator with batch normalisation sees in one batch that all pictures are alike. This
    one judges each picture alone.
    """
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *(
                layer
                for level in range(3)
                for layer in (
                    keras.layers.Conv2D(filters * 2**level, 4, 2, "same"),
                    keras.layers.LeakyReLU(0.2),
                )
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )


def keep(name, model, history):
    """Saves 40 pictures and the curves for the page."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    kdg.plotting.save_grid(model.generate(40, seed=0), IMAGES / f"{name}.png", columns=10, scale=2)
    kdg.plotting.plot_history(history).savefig(IMAGES / f"{name}_curves.png")
