r"""WGAN: the discriminator becomes a critic that estimates a distance.

Arjovsky, Chintala and Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017,
arXiv:1701.07875.

Objective: the critic maximises, the generator minimises the difference of mean scores,

$$\min_\theta\max_{w\in[-c,c]}\;\mathbb E_x f_w(x)-\mathbb E_z f_w(g_\theta(z))$$

written as losses that both descend:

$$L_C=\mathbb E_z f_w(g_\theta(z))-\mathbb E_x f_w(x)\qquad L_G=-\mathbb E_z f_w(g_\theta(z))$$

A critic with bounded weights has a bounded slope \(K\), so that \(-L_C\) is at most \(K\) times the
Wasserstein distance of real and generated images, and near it once the critic is trained.

| symbol | name in the code |
| --- | --- |
| \(g_\theta\) | `generator` |
| \(f_w\), a score without bounds | `critic` |
| \(z\sim N(0,I)\) | `noise`, `latent_dim` numbers |
| \(c\) | `clip`, 0.01 |
| \(n_{critic}\) | `critic_steps`, 5 |
| \(m\), images per update | the batch divided by `critic_steps` |
| \(L_C\), \(L_G\) | `d_loss`, `g_loss` |
| \(-L_C\) | `wasserstein_estimate` |

One step is one turn of the outer loop of algorithm 1: the batch that `fit` gives is dealt out, so
that each of the `critic_steps` updates has real images of its own (give batches of 320 for the
paper's 64 images per update), and each update of either player has new noise. Networks are those of
`dcgan.py`, whose logit is the score. As in the authors' code, every trainable weight of the critic
is clipped, the scale of batch normalisation too. Deviations: the algorithm as printed counts from 0
to \(n_{critic}\), here there are exactly \(n_{critic}\) updates; their code clips before an update,
here it is after each, as printed; their code gives the critic 100 updates at the first 25 steps and
at every 500th, here it has 5 at each.
"""

import keras
from keras import ops

from keras_design_gans.batch import Images
from keras_design_gans.losses import wasserstein_critic_loss, wasserstein_generator_loss
from keras_design_gans.models.dcgan import dcgan_discriminator, dcgan_generator
from keras_design_gans.noise_to_image import NoiseToImage


def limit_weights(network, limit):
    """Makes Keras clip the trainable weights of a network after each of its updates.

    Args:
        network: A `keras.Model`.
        limit: The weights stay in [-limit, limit].
    """
    for variable in network.trainable_variables:
        variable.constraint = lambda weight: ops.clip(weight, -limit, limit)


def deal(tensor, parts):
    """Deals a batch out to several updates.

    Args:
        tensor: Tensor of shape (batch, ...).
        parts: Number of parts.

    Returns:
        List of tensors, equally long. If the batch does not divide, the last ones begin again with
        its first examples.
    """
    n = ops.shape(tensor)[0]
    length = (n + parts - 1) // parts
    return [ops.take(tensor, (ops.arange(length) + i * length) % n, axis=0) for i in range(parts)]


def rmsprop():
    """Returns RMSprop as the authors ran it, in Torch."""
    # Keras adds epsilon below the root, Torch its 1e-8 outside. The gradients of a clipped critic
    # are so small that 1e-8 below the root would hold them back.
    return keras.optimizers.RMSprop(5e-5, rho=0.99, epsilon=1e-16)


@keras.saving.register_keras_serializable(package="keras_design_gans")
class WGAN(NoiseToImage):
    r"""Wasserstein GAN with clipped weights (Arjovsky et al. 2017).

    Batches: `image`, float32 (batch, height, width, channels) in [-1, 1], of which each update of
    the critic takes the share `1 / critic_steps`. Logs: `d_loss` and `g_loss`, the losses of critic
    and generator, and `wasserstein_estimate`, which is `-d_loss`: how far apart the critic finds
    real and generated images at its last update in a step. There are no accuracies, because a score
    has no threshold between real and fake.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, 64, ... pixels.
        latent_dim: Length of the noise vector.
        base_filters: Channels of the layers next to the image.
        critic_steps: Updates of the critic for one of the generator.
        clip: Largest absolute value of the critic's weights.
        average_decay: Decay of the averaged generator used for sampling, such as 0.99; `None`
            samples from the trained generator itself, as the paper does.
        generator: Own network from (batch, latent_dim) to images, instead of the paper's.
        critic: Own network from images to scores (batch, 1).
        seed: Seed of the noise.
        **kwargs: `name` and `dtype`.
    """

    def __init__(
        self,
        image_shape=(64, 64, 3),
        latent_dim=100,
        base_filters=64,
        critic_steps=5,
        clip=0.01,
        average_decay=None,
        generator=None,
        critic=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, average_decay, seed, **kwargs)
        self.base_filters = base_filters
        self.critic_steps = critic_steps
        self.clip = clip
        self.remember_own(generator=generator, critic=critic)
        self.use_generator(generator or self.default_generator())
        self.critic = critic or self.default_critic()
        if clip is not None:
            limit_weights(self.critic, clip)
        self.track("d_loss", "g_loss", "wasserstein_estimate")

    def default_generator(self):
        """Returns the paper's generator: that of DCGAN."""
        return dcgan_generator(self.image_shape, self.latent_dim, self.base_filters)

    def default_critic(self):
        """Returns the paper's critic: the discriminator of DCGAN, whose logit is the score."""
        return dcgan_discriminator(self.image_shape, self.base_filters)

    @property
    def players(self):
        """The generator and the critic."""
        return {"generator": [self.generator], "critic": [self.critic]}

    def default_optimizers(self):
        """RMSprop with rate 5e-5 for both players (algorithm 1 of the paper)."""
        return {player: rmsprop() for player in self.players}

    @property
    def needs(self):
        """Images only."""
        return {"image": Images(self.image_shape)}

    def train_step(self, data):
        """Updates the critic `critic_steps` times, then the generator once."""
        batch = self.read(data)
        parts = deal(batch["image"], self.critic_steps)
        for real in parts:
            c_logs = self.update_critic(real)
        n = ops.shape(parts[0])[0]
        _, g_logs = self.minimize(lambda: self.generator_objective(n, training=True), "generator")
        self.update_sampler()
        return self.log(**c_logs, **g_logs)

    def update_critic(self, real):
        """Updates the critic once, which also clips its weights; returns what it logs."""
        fake = self.make_fakes(ops.shape(real)[0], training=True)
        _, logs = self.minimize(
            lambda: self.critic_objective(real, ops.stop_gradient(fake), training=True), "critic"
        )
        return logs

    def test_step(self, data):
        """Computes the same losses without updates, networks in inference mode."""
        real = self.read(data)["image"]
        n = ops.shape(real)[0]
        fake = self.make_fakes(n, training=False)
        _, c_logs = self.critic_objective(real, fake, training=False)
        _, g_logs = self.generator_objective(n, training=False)
        return self.log(**c_logs, **g_logs)

    def make_fakes(self, n, training):
        """Returns `n` images from new noise."""
        return self.generator(self.sample_noise(n), training=training)

    def critic_objective(self, real, fake, training):
        """Returns the critic's loss and logs. Batch norm sees real and fake apart."""
        real_scores = self.critic(real, training=training)
        fake_scores = self.critic(fake, training=training)
        loss = wasserstein_critic_loss(real_scores, fake_scores)
        return loss, {"d_loss": loss, "wasserstein_estimate": -loss}

    def generator_objective(self, n, training):
        """Returns the generator's loss on `n` new images and what it logs."""
        fake_scores = self.critic(self.make_fakes(n, training), training=training)
        loss = wasserstein_generator_loss(fake_scores)
        return loss, {"g_loss": loss}

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "base_filters": self.base_filters,
            "critic_steps": self.critic_steps,
            "clip": self.clip,
        }
