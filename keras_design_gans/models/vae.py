r"""VAE: a variational autoencoder.

Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, arXiv:1312.6114; explained by
Doersch, "Tutorial on Variational Autoencoders", 2016, arXiv:1606.05908.

Objective, to be minimised: minus the evidence lower bound (ELBO), with \(\beta=1\),

$$L=\mathbb E_x\Big[\underbrace{-\mathbb E_{z\sim q(z|x)}\log p(x|z)}_{L_{rec}}
+\beta\,\underbrace{KL\big(q(z|x)\,\Vert\,N(0,I)\big)}_{L_{KL}}\Big]$$

$$q(z|x)=N(\mu,\operatorname{diag}\sigma^2)\qquad z=\mu+\sigma\odot\epsilon\qquad
p(x|z)=N(\hat x(z),I)$$

so that \(L_{rec}=\tfrac12\lVert x-\hat x(z)\rVert^2\) up to a constant. It is a bound:
\(\log p(x)-KL(q(z|x)\Vert p(z|x))=-L\) for one picture, with the posterior \(p(z|x)\) that nobody
can compute.

| symbol | name in the code |
| --- | --- |
| \(\mu,\ \log\sigma^2\) | `mean`, `log_variance`, the outputs of `encoder` |
| \(\hat x(z)\) | `decoder` |
| \(\epsilon\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(z\) | `latent` |
| \(x\) | `image`, in [-1, 1] |
| \(L_{rec}\), \(L_{KL}\), \(L\) | `reconstruction_loss`, `kl_divergence`, `loss` |
| \(\beta\) | `kl_weight` |

Both terms are sums, over pixel values and over latent numbers, and means over the batch only. The
mean over pixels in the place of the sum is a common slip: it weighs the KL term as many times too
much as the picture has values, the decoder no longer listens to \(z\), and all pictures become
their average. `kl_weight` (Higgins et al. 2017) makes the slip on purpose, with 12288 for 64 x 64 x
3; it is also the variance of the decoder: \(L/\beta\) belongs to \(p(x|z)=N(\hat x(z),\beta I)\).

Deviations: colours are in [-1, 1] as everywhere in this package, so the decoder ends with tanh and
its standard deviation of 1 is half of the range of a colour; ReLU in the place of sigmoids, and
convolutions of kernel 4/2 down to a map of side 4, where 5/2 transposed would be shifted by a pixel
on PyTorch.
"""

import math

import keras
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.losses import gaussian_reconstruction_loss, kl_to_standard_normal
from keras_design_gans.models.dcgan import scales
from keras_design_gans.noise_to_image import NoiseToImage

ARCHITECTURES = ("conv", "mlp")


def gaussian_encoder(image, features, latent_dim):
    """Ends an encoder with its two outputs, in float32 because the variance is an exponential."""
    heads = [
        layers.Dense(latent_dim, dtype="float32", name=name)(features)
        for name in ("mean", "log_variance")
    ]
    return keras.Model(image, heads, name="encoder")


def vae_mlp_encoder(image_shape=(64, 64, 3), latent_dim=100, units=500):
    """Builds the encoder of dense layers: images to `[mean, log_variance]`.

    Args:
        image_shape: (height, width, channels), any size.
        latent_dim: Length of the latent vector.
        units: Width of the two hidden layers.

    Returns:
        Functional `keras.Model`; with the decoder, 12,952,488 weights with the defaults.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(image)
    for _ in range(2):
        x = layers.Dense(units, activation="relu")(x)
    return gaussian_encoder(image, x, latent_dim)


def vae_mlp_decoder(image_shape=(64, 64, 3), latent_dim=100, units=500):
    """Builds the decoder of dense layers: latent vectors to images in [-1, 1].

    Args:
        image_shape: (height, width, channels), any size.
        latent_dim: Length of the latent vector.
        units: Width of the two hidden layers.

    Returns:
        Functional `keras.Model`.
    """
    latent = keras.Input((latent_dim,), name="latent")
    x = latent
    for _ in range(2):
        x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(math.prod(image_shape), activation="tanh", dtype="float32")(x)
    return keras.Model(latent, layers.Reshape(image_shape, dtype="float32")(x), name="decoder")


def vae_encoder(image_shape=(64, 64, 3), latent_dim=100, base_filters=64):
    """Builds the encoder of convolutions: images to `[mean, log_variance]`.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the latent vector.
        base_filters: Channels of the first layer.

    Returns:
        Functional `keras.Model`; with the decoder, 7,978,571 weights with the defaults.
    """
    _, widths = scales(image_shape, base_filters)
    image = keras.Input(image_shape, name="image")
    x = image
    for width in reversed(widths):
        x = layers.Conv2D(width, 4, 2, "same", activation="relu")(x)
    return gaussian_encoder(image, layers.Flatten()(x), latent_dim)


def vae_decoder(image_shape=(64, 64, 3), latent_dim=100, base_filters=64):
    """Builds the decoder of transposed convolutions: latent vectors to images in [-1, 1].

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the latent vector.
        base_filters: Channels of the last hidden layer.

    Returns:
        Functional `keras.Model`.
    """
    smallest, widths = scales(image_shape, base_filters)
    latent = keras.Input((latent_dim,), name="latent")
    x = layers.Dense(math.prod(smallest) * widths[0], activation="relu")(latent)
    x = layers.Reshape((*smallest, widths[0]))(x)
    for width in widths[1:]:
        x = layers.Conv2DTranspose(width, 4, 2, "same", activation="relu")(x)
    x = layers.Conv2DTranspose(image_shape[-1], 4, 2, "same", activation="tanh", dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class VAE(NoiseToImage):
    """Variational autoencoder (Kingma and Welling 2013): no game, one player, one loss.

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1].
    Logs: `loss`, `reconstruction_loss`, `kl_divergence` (without its weight).

    Args:
        image_shape: (height, width, channels); for convolutions, sides of 8, 16, 32, ... pixels.
        latent_dim: Length of the latent vector.
        architecture: `"conv"`, or `"mlp"` for dense layers only.
        base_filters: Channels of the convolutions next to the image.
        units: Width of the dense layers of `"mlp"`.
        kl_weight: Weight of the KL divergence. Below 1, reconstructions are sharper and latent
            vectors from N(0, 1) fit them less; far above 1, all pictures become one.
        encoder: Own network from images to `[mean, log_variance]`.
        decoder: Own network from (batch, latent_dim) to images.
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.

    Raises:
        ValueError: If `architecture` is unknown.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        architecture="conv",
        base_filters=64,
        units=500,
        kl_weight=1.0,
        encoder=None,
        decoder=None,
        seed=0,
        **kwargs,
    ):
        if architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture must be one of {', '.join(map(repr, ARCHITECTURES))}, "
                f"got {architecture!r}."
            )
        super().__init__(image_shape, latent_dim, average_decay=None, seed=seed, **kwargs)
        self.architecture = architecture
        self.base_filters = base_filters
        self.units = units
        self.kl_weight = kl_weight
        self.remember_own(encoder=encoder, decoder=decoder)
        if architecture == "conv":
            make_encoder, make_decoder, width = vae_encoder, vae_decoder, base_filters
        else:
            make_encoder, make_decoder, width = vae_mlp_encoder, vae_mlp_decoder, units
        self.encoder = encoder or make_encoder(self.image_shape, latent_dim, width)
        self.decoder = decoder or make_decoder(self.image_shape, latent_dim, width)
        self.track("loss", "reconstruction_loss", "kl_divergence")

    @property
    def players(self):
        """The autoencoder alone, of both networks."""
        return {"autoencoder": [self.encoder, self.decoder]}

    def default_optimizers(self):
        """Adam with rate 1e-3."""
        return {"autoencoder": keras.optimizers.Adam(1e-3)}

    @property
    def needs(self):
        """Images only."""
        return {"image": Images(self.image_shape)}

    @property
    def sampler(self):
        """The network that makes pictures: the decoder."""
        return self.decoder

    def train_step(self, data):
        """Encodes, draws a latent vector, decodes, and updates both networks by one loss."""
        batch = self.read(data)
        _, logs = self.minimize(lambda: self.objective(batch, training=True), "autoencoder")
        return self.log(**logs)

    def test_step(self, data):
        """Computes the same losses without updates, networks in inference mode."""
        _, logs = self.objective(self.read(data), training=False)
        return self.log(**logs)

    def objective(self, batch, training):
        """Returns the loss and logs."""
        mean, log_variance = self.encoder(batch["image"], training=training)
        # The noise does not depend on the encoder, so the gradient passes through mean and variance
        noise = self.sample_noise(ops.shape(mean)[0])
        latent = mean + ops.exp(0.5 * log_variance) * noise
        reconstruction = gaussian_reconstruction_loss(
            batch["image"], self.decoder(latent, training=training)
        )
        kl = kl_to_standard_normal(mean, log_variance)
        loss = reconstruction + self.kl_weight * kl
        return loss, {"loss": loss, "reconstruction_loss": reconstruction, "kl_divergence": kl}

    def encode(self, images, batch_size=64):
        """Finds the latent vectors that images may have come from.

        Args:
            images: float32 array (n, height, width, channels) in [-1, 1].
            batch_size: Images computed at a time.

        Returns:
            Mean and log variance of each image's latent vector, two arrays (n, latent_dim).

        Raises:
            ValueError: If shape or values of the images do not fit.
        """
        self.needs["image"].check_shape("images", images)
        self.needs["image"].check_values("images", images)
        mean, log_variance = self.encoder.predict(images, batch_size=batch_size, verbose=0)
        return mean, log_variance

    def reconstruct(self, images, batch_size=64):
        """Encodes images and decodes the means.

        Args:
            images: float32 array (n, height, width, channels) in [-1, 1].
            batch_size: Images computed at a time.

        Returns:
            float32 array of the same shape, in [-1, 1].

        Raises:
            ValueError: As `encode`.
        """
        return self.decode(self.encode(images, batch_size)[0], batch_size)

    def get_config(self):
        """Returns the constructor's arguments."""
        config = super().get_config()
        del config["average_decay"]
        return {
            **config,
            "architecture": self.architecture,
            "base_filters": self.base_filters,
            "units": self.units,
            "kl_weight": self.kl_weight,
        }
