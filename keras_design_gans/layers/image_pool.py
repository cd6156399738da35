"""A memory of pictures that a generator made before."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ImagePool(layers.Layer):
    """Keeps pictures, and gives some of the kept ones back in place of new ones.

    Shrivastava et al. 2017, section 2.3, in the form of CycleGAN: the first `size` pictures are
    kept and handed on. From then on each new picture is handed on, or, with probability 1/2, takes
    the place of a kept one, chosen at random, which is handed on instead. A discriminator that sees
    the history of a generator is not led in circles by it.

    Takes pictures (batch, height, width, channels) and returns as many; those of a batch beyond
    `size` are handed on. The memory is a weight that no optimizer moves: a file keeps it.

    Args:
        image_shape: (height, width, channels).
        size: Number of pictures that are kept.
        seed: Seed of the choice.
        **kwargs: Those of `keras.layers.Layer`.
    """

    def __init__(self, image_shape, size=50, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.image_shape = tuple(image_shape)
        self.size = size
        self.seed = seed
        self.choice_seed = keras.random.SeedGenerator(seed)
        shape = (size, *self.image_shape)
        self.kept = self.add_weight(shape, "zeros", trainable=False, name="kept")
        self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self.built = True

    def call(self, images):
        """Keeps the images and returns as many, new and kept ones."""
        images, rest = images[: self.size], images[self.size :]
        n = ops.shape(images)[0]
        rows = ops.arange(n, dtype="int32")
        places = keras.random.shuffle(ops.arange(self.size, dtype="int32"), seed=self.choice_seed)
        lots = keras.random.uniform((n,), seed=self.choice_seed)
        new = self.count + rows < self.size  # there is still room for them
        swapped = ops.logical_and(ops.logical_not(new), lots < 0.5)
        # No place twice: empty ones follow each other, and the others are shuffled. What would
        # meet an empty place of this batch stays in no place.
        filled = self.count >= self.size
        places = ops.where(filled, places[:n], (self.count + rows) % self.size)
        swapped = ops.logical_and(swapped, filled)
        before = ops.take(self.kept, places, axis=0)
        column = (slice(None), None, None, None)
        stays = ops.logical_or(new, swapped)[column]
        self.kept.assign(
            ops.scatter_update(self.kept, places[:, None], ops.where(stays, images, before))
        )
        self.count.assign(ops.minimum(self.count + n, self.size))
        return ops.concatenate([ops.where(swapped[column], before, images), rest], axis=0)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "size": self.size,
            "seed": self.seed,
        }
