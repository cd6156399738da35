"""What all models that turn noise into images share: noise, an averaged generator, sampling."""

import keras
import numpy as np

from keras_design_gans.engine import AdversarialModel


class NoiseToImage(AdversarialModel):
    """An adversarial game whose player `"generator"` turns noise into images.

    A subclass hands its generator to `use_generator` in the constructor, and calls
    `update_sampler` at the end of its `train_step`.

    Args:
        image_shape: (height, width, channels).
        latent_dim: Length of the noise vector.
        average_decay: Decay of the averaged generator used for sampling; `None` samples from the
            trained generator itself.
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.
    """

    def __init__(self, image_shape, latent_dim, average_decay, seed, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.average_decay = average_decay
        self.seed = seed
        self.noise_seed = keras.random.SeedGenerator(seed)

    def use_generator(self, generator):
        """Takes the network to train, and copies it if an average is wanted."""
        self.generator = generator
        averaged = self.average_decay is not None
        self.average_generator = self.copy_for_average(generator) if averaged else None

    def update_sampler(self):
        """Lets the average follow the generator by one step."""
        if self.average_generator is not None:
            self.update_average(
                self.average_generator, self.generator, self.average_decay, "generator"
            )

    @property
    def sampler(self):
        """The network that makes pictures: the averaged generator if there is one."""
        return self.average_generator or self.generator

    @property
    def noise_size(self):
        """Length of the noise vector that the sampler takes."""
        return self.latent_dim

    def sample_noise(self, n):
        """Draws noise for a step: a float32 tensor (n, noise_size) from N(0, 1)."""
        return keras.random.normal((n, self.noise_size), dtype="float32", seed=self.noise_seed)

    def sample_latents(self, n, seed=None):
        """Draws noise for `decode`: a NumPy array, the same on every backend for one seed.

        Args:
            n: Number of vectors.
            seed: Integer; `None` draws anew each time.

        Returns:
            float32 array (n, noise_size) from N(0, 1).
        """
        return np.random.default_rng(seed).standard_normal((n, self.noise_size), dtype="float32")

    def decode(self, latents, batch_size=64):
        """Turns noise into images, with the averaged generator if there is one.

        Args:
            latents: Array (n, noise_size).
            batch_size: Images computed at a time.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].
        """
        images = self.sampler.predict(latents, batch_size=batch_size, verbose=0)
        return np.clip(images, -1.0, 1.0)  # some generators end without bounds

    def generate(self, n, seed=None):
        """Generates `n` images.

        Args:
            n: Number of images.
            seed: Integer; the same seed and weights give the same images on every backend.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].
        """
        return self.decode(self.sample_latents(n, seed))

    def call(self, inputs, training=False):
        """Applies the sampling generator to noise (batch, latent_dim)."""
        return self.sampler(inputs, training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "average_decay": self.average_decay,
            "seed": self.seed,
        }
