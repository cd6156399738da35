r"""WGAN-GP: a WGAN whose critic is kept gentle by a penalty instead of clipped weights.

Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville, "Improved Training of Wasserstein GANs", NeurIPS
2017, arXiv:1704.00028.

Objective: the critic's slope is drawn to 1 on the lines between real and generated images,

$$L_C=\mathbb E_z f(g(z))-\mathbb E_x f(x)
+\lambda\,\mathbb E_{\hat x}\big(\lVert\nabla_{\hat x}f(\hat x)\rVert_2-1\big)^2
\qquad\hat x=\epsilon x+(1-\epsilon)\,g(z)\qquad L_G=-\mathbb E_z f(g(z))$$

| symbol | name in the code |
| --- | --- |
| \(\hat x\) | `mixed` |
| \(\epsilon\sim U[0,1]\), one number for each image | `share` |
| \(\nabla_{\hat x}f(\hat x)\) | `slopes` |
| the mean of \((\lVert\cdot\rVert_2-1)^2\) | `gradient_penalty` |
| \(\lambda\) | `penalty_weight`, 10 |
| \(L_C\), \(L_G\) | `d_loss`, `g_loss` |
| all others | as in `wgan.py` |

The penalty speaks of each image alone, while batch normalisation makes the score of an image depend
on the whole batch: as the paper recommends, the critic has layer normalisation instead, and, as in
its code, biases. Deviations: networks are those of `dcgan.py` otherwise, initial weights included;
the others are those of `wgan.py`.
"""

import keras
from keras import layers, ops

from keras_design_gans.losses import gradient_penalty
from keras_design_gans.models.dcgan import real_head, scales, with_bias
from keras_design_gans.models.wgan import WGAN


def wgan_gp_critic(image_shape=(64, 64, 3), base_filters=64):
    """Builds the critic: that of DCGAN with layer instead of batch normalisation, and biases.

    Without biases, the normalisation would divide the contrast of an image away, and the generator
    could draw it as it likes.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model` from images to scores (batch, 1); 2,766,528 trainable weights with
        the defaults.
    """
    _, widths = scales(image_shape, base_filters)
    image = keras.Input(image_shape, name="image")
    x = image
    for level, width in enumerate(reversed(widths)):
        x = layers.Conv2D(width, 4, 2, "same", **with_bias())(x)
        if level:  # one group: mean and variance of a whole image, scale and shift per channel
            x = layers.GroupNormalization(groups=1, epsilon=1e-5)(x)
        x = layers.LeakyReLU(0.2)(x)
    return keras.Model(image, real_head(x, name="score"), name="critic")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class WGANGP(WGAN):
    """Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017).

    Batches and logs: those of `WGAN`, and `gradient_penalty`, without its weight. The
    `wasserstein_estimate` is the difference of mean scores alone, so that here it is not `-d_loss`.

    Args:
        penalty_weight: Weight of the gradient penalty.
        **kwargs: Those of `WGAN` but `clip`. An own `critic` has no batch normalisation.
    """

    def __init__(self, image_shape=(64, 64, 3), penalty_weight=10.0, **kwargs):
        super().__init__(image_shape, clip=None, **kwargs)
        self.penalty_weight = penalty_weight
        self.track("gradient_penalty")

    def default_critic(self):
        """Returns the critic with layer normalisation."""
        return wgan_gp_critic(self.image_shape, self.base_filters)

    def default_optimizers(self):
        """Adam with rate 1e-4, beta_1 0 and beta_2 0.9 for both players (algorithm 1)."""
        return {
            player: keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8)
            for player in self.players
        }

    def critic_objective(self, real, fake, training):
        """The objective of `WGAN`, and the penalty on lines between real and generated images."""
        loss, logs = super().critic_objective(real, fake, training)
        penalty = self.slope_penalty(real, fake, training)
        loss += self.penalty_weight * penalty
        return loss, {**logs, "d_loss": loss, "gradient_penalty": penalty}

    def slope_penalty(self, real, fake, training):
        """Returns the penalty at a random point between each real and a generated image."""
        return slope_penalty(self, lambda x: self.critic(x, training=training), real, fake)

    def get_config(self):
        """Returns the constructor's arguments."""
        config = {**super().get_config(), "penalty_weight": self.penalty_weight}
        del config["clip"]
        return config


def slope_penalty(model, critic, real, fake):
    """Returns the penalty of a critic, a function of images, for a model with a `noise_seed`."""
    share = keras.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=model.noise_seed)
    mixed = share * real + (1.0 - share) * fake
    slopes = model.input_gradients(critic, mixed)
    return gradient_penalty(slopes)
