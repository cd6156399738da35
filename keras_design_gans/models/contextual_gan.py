r"""Contextual GAN: a picture from a sketch that need not be exact, by completing the two together.

Lu, Wu, Tai and Tang, "Image Generation from Sketch Constraint Using Contextual GAN", ECCV 2018,
arXiv:1711.08972.

A joint picture has the sketch on its left half and the picture on its right. A DCGAN learns joint
pictures as any others, by the losses of `dcgan.py`. Then, for a sketch \(y\), the noise is searched
whose joint picture has this sketch on its left; the right half is the answer:

$$L_c(z)=KL(M\odot y\,\Vert\,M\odot G(z))\qquad L_p(z)=\log(1-D(G(z)))$$

$$\hat z=\arg\min_z L_c(z)+\lambda L_p(z)\qquad x=M\odot y+(1-M)\odot G(\hat z)$$

The sketch pulls at the picture, and the generator holds it to what pictures look like: a bad stroke
has nothing to become.

| symbol | name in the code |
| --- | --- |
| \(G\), \(D=\sigma(\ell)\), logit \(\ell\) | `generator`, `discriminator` |
| \(z\), uniform in \([-1,1]\) | `noise`, `latents` |
| \(y\) | `images`, the known half |
| \(M\), 1 on the known half | `known`, the name of that half |
| \(L_c\), \(L_p\) | `contextual_loss`, `perceptual_loss` |
| \(\lambda\) | `weight`, 0.01 |
| \(N\), the number of draws | `candidates`, 1,000 |

The search begins at the best of \(N\) draws, for each sketch, and goes on by Nesterov momentum:

$$v_{t+1}=\mu v_t-\eta\nabla_z L(z_t)\qquad z_{t+1}=z_t-\mu v_t+(1+\mu)v_{t+1}$$

clipped to \([-1,1]\), with \(\mu=0.9\).

| generator at 64 x 128 pixels | kernel/stride | output | then |
| --- | --- | --- | --- |
| transposed convolution of \(z\), a dense layer | 4 x 8/1 | 4 x 8 x 512 | BN, ReLU |
| three transposed convolutions | 4/2 | 32 x 64 x 64 | BN, ReLU each |
| transposed convolution | 4/2 | 64 x 128 x 3 | tanh |

The discriminator has four convolutions 4/2 of 64 to 512 channels, and one logit. The paper counts
five steps of up-sampling, but four lead from 4 to 64 pixels, and a softmax of one number, which is
always 1: here a sigmoid. Deviations: kernels 4/2 (paper 5/2), which are the same on every backend;
the KL divergence of the ink, not of the light, see `contextual_loss`; networks in inference mode in
the search, so that no sketch depends on the others of its batch.

The paper draws 10 times, goes on for 500 steps, finds the result stable after 100, and gives no
rate \(\eta\); the code of one of its authors (github.com/elliottwu/sText2Image) has what is 0.1
here. Many draws help more than many steps: the same 1,000 serve all sketches, and 100 steps of 0.01
are enough from there. For ten drawn cars the best of 10 draws and 500 steps of 0.03 came to
\(L_c=0.57\) and pictures with an SSIM of 0.53; the best of 1,000 had 0.74 and 0.57 without any
step, and 0.55 and 0.57 after 100.

Not in the paper: a term for labels that a sparse sketch does not show, such as glasses, see
`complete`.
"""

import keras
import numpy as np
from keras import ops

from keras_design_gans.batch import Images
from keras_design_gans.gradients import compiled_descent
from keras_design_gans.losses import contextual_loss, perceptual_loss
from keras_design_gans.models.dcgan import DCGAN, dcgan_discriminator, dcgan_generator

HALVES = ("sketch", "image")


def joint_shape(image_shape):
    """Returns the shape of a joint picture: twice as wide as its halves."""
    height, width, channels = image_shape
    return (height, 2 * width, channels)


def split(joint):
    """Returns the two halves of joint pictures, arrays or tensors: sketches and pictures."""
    width = joint.shape[2] // 2
    return joint[:, :, :width], joint[:, :, width:]


def nesterov(z, velocity, gradient, learning_rate, momentum):
    """Makes one step of Nesterov's momentum; returns the new place and velocity."""
    moved = momentum * velocity - learning_rate * gradient
    return z - momentum * velocity + (1.0 + momentum) * moved, moved


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ContextualGAN(DCGAN):
    """Completes sketches to pictures, and pictures to sketches (Lu et al. 2018).

    Batches: `joint`, float32 (batch, height, 2 width, channels) in [-1, 1], from
    `kdg.datasets.joint`. Logs are those of `DCGAN`. As a function, the model takes noise.

    Args:
        image_shape: (height, width, channels) of a half, sides of 8, 16, 32, 64, ... pixels.
        **kwargs: Those of `DCGAN`. Own networks make and judge joint pictures.
    """

    source, target = HALVES

    def __init__(self, image_shape=(64, 64, 3), **kwargs):
        super().__init__(image_shape, **kwargs)
        self._search = (None, None)

    def default_generator(self):
        """Returns the paper's generator of joint pictures."""
        return dcgan_generator(joint_shape(self.image_shape), self.latent_dim, self.base_filters)

    def default_discriminator(self):
        """Returns the paper's discriminator of joint pictures."""
        return dcgan_discriminator(joint_shape(self.image_shape), self.base_filters)

    @property
    def needs(self):
        """Joint pictures."""
        return {"joint": Images(joint_shape(self.image_shape))}

    def read(self, data):
        """Takes the joint pictures of a batch: the images of the game."""
        return {"image": super().read(data)["joint"]}

    def sample_noise(self, n):
        """Draws noise for a step: a float32 tensor (n, latent_dim), uniform in [-1, 1]."""
        return keras.random.uniform((n, self.latent_dim), -1.0, 1.0, seed=self.noise_seed)

    def sample_latents(self, n, seed=None):
        """Draws noise for `decode`, as `NoiseToImage.sample_latents`, but uniform in [-1, 1]."""
        drawn = np.random.default_rng(seed).random((n, self.latent_dim), dtype="float32")
        return 2.0 * drawn - 1.0

    def complete(
        self,
        images,
        known="sketch",
        steps=100,
        candidates=1_000,
        weight=0.01,
        learning_rate=0.01,
        momentum=0.9,
        reverse=False,
        light=False,
        saturating=True,
        classifier=None,
        labels=None,
        label_weight=0.1,
        seed=None,
        batch_size=64,
        return_history=False,
    ):
        r"""Searches for the joint pictures of which one half is known.

        Of sketches, the mean of their channels is compared, of pictures each channel. Every picture
        is searched for on its own: it depends on its known half and the seed.

        Sparse sketches lose what is rare, such as glasses. With a `classifier` the search also asks
        for labels: \(L_l(z)=-\sum_h\log p_h\), with \(p_h\) the probability that the classifier
        gives the wanted label of head \(h\) in the generated picture.

        Args:
            images: The known halves, (n, height, width, channels) in [-1, 1]; sketches may have one
                channel.
            known: `"sketch"` for a sketch whose picture is wanted, `"image"` for the reverse.
            steps: Steps of the search.
            candidates: \(N\), the number of draws of which the one with the smallest contextual
                loss is where the search begins, each sketch at its own.
            weight: \(\lambda\), weight of the perceptual loss.
            learning_rate: \(\eta\).
            momentum: \(\mu\).
            reverse: As in `contextual_loss`.
            light: As in `contextual_loss`.
            saturating: As in `perceptual_loss`.
            classifier: `ResNet18`, or another model from pictures to a dictionary of logits.
            labels: Dictionary from a head of the classifier to a class number, or to `n` of them.
            label_weight: Weight of \(L_l\).
            seed: Integer; the same seed and weights give the same draws on every backend.
            batch_size: Joint pictures computed at a time.
            return_history: Also return what the search went through.

        Returns:
            float32 array (n, height, 2 width, channels) in [-1, 1]: the known halves as they were
            given, and the generated other ones. With `return_history` also a dictionary of
            `latents`, the \(\hat z\), (n, latent_dim), and of arrays (steps + 1, n) before each
            step and after the last one: `loss`, and its parts without their weights,
            `contextual_loss`, `perceptual_loss` and, with a classifier, `label_loss`.

        Raises:
            ValueError: If shape or range of the images does not fit, or an argument is unknown or
                out of range.
        """
        images, n = self._checked(images, known), len(images)
        if steps < 0 or candidates < 1:
            raise ValueError(f"Expected steps >= 0 and candidates >= 1, got {steps}, {candidates}.")
        labels = _class_numbers(classifier, labels, n)
        step = self._compiled_search(known, reverse, light, saturating, classifier)
        settings = np.array([weight, label_weight, learning_rate, momentum], "float32")
        draws = self.sample_latents(candidates, seed)
        latents = self._best(draws, images, known, reverse, light, batch_size)
        history = []
        for first in range(0, n, batch_size):
            rows = slice(first, first + batch_size)
            mine = {head: numbers[rows] for head, numbers in labels.items()}
            given = keras.tree.map_structure(
                ops.convert_to_tensor, (_compared(images[rows], known), settings, mine)
            )
            z = ops.convert_to_tensor(latents[rows])
            velocity, logs = ops.zeros_like(z), []
            for number in range(steps + 1):  # one more, for the losses of where the search ends
                moved, velocity, losses = step(z, velocity, *given)
                z = moved if number < steps else z
                if return_history:
                    logs.append(losses)
            latents[rows] = ops.convert_to_numpy(z)
            history.append(logs)
        joint = self._paste(images, self.decode(latents, batch_size), known)
        return (joint, _history(latents, history)) if return_history else joint

    def translate(self, images, seed=None, batch_size=64, **search):
        """Turns sketches into pictures.

        Args:
            images: Sketches, as in `complete`.
            seed: As in `complete`.
            batch_size: As in `complete`.
            **search: Further arguments of `complete` other than `known`, such as `steps`.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1]: the right halves.

        Raises:
            ValueError: As `complete`.
        """
        return split(self.complete(images, seed=seed, batch_size=batch_size, **search))[1]

    def _compiled_search(self, *options):
        """Returns one step of the search. It is compiled once for the same options in a row."""
        options = (*options, self.compiled and self.jit_compile)
        if self._search[0] != options:
            self._search = (options, self._make_search(*options))
        return self._search[1]

    def _make_search(self, known, reverse, light, saturating, classifier, jit):
        def objective(z, half, settings, labels):
            joint = self.sampler(z, training=False)
            made = _compared(split(joint)[HALVES.index(known)], known)
            context = contextual_loss(half, made, reverse, light)
            likeness = perceptual_loss(self.judge(joint, training=False), saturating)
            loss = context + settings[0] * likeness
            logs = {"contextual_loss": context, "perceptual_loss": likeness}
            if classifier is not None:
                answers = classifier(split(joint)[1], training=False)
                logs["label_loss"] = sum(
                    _cross_entropy(answers[head], numbers) for head, numbers in labels.items()
                )
                loss = loss + settings[1] * logs["label_loss"]
            return loss, {"loss": loss, **logs}

        def update(z, velocity, gradient, half, settings, labels):
            z, velocity = nesterov(z, velocity, gradient, settings[2], settings[3])
            return ops.clip(z, -1.0, 1.0), velocity

        networks = [self.sampler, self.discriminator, *([classifier] if classifier else [])]
        return compiled_descent(objective, update, networks, jit)

    def _best(self, draws, images, known, reverse, light, batch_size):
        """Returns for each picture the draw with the smallest contextual loss: (n, latent_dim)."""
        images, losses = _compared(images, known), np.empty((len(images), len(draws)))
        for first in range(0, len(draws), batch_size):
            columns = slice(first, first + batch_size)
            made = split(self.decode(draws[columns], batch_size))[HALVES.index(known)]
            made = _compared(made, known)
            for row, image in enumerate(images):
                loss = contextual_loss(image[None], made, reverse, light)
                losses[row, columns] = ops.convert_to_numpy(loss)
        return draws[losses.argmin(axis=1)]

    def _checked(self, images, known):
        """Returns the known halves as float32, checked."""
        if known not in HALVES:
            raise ValueError(f"known must be 'sketch' or 'image', got {known!r}.")
        images = np.asarray(images, "float32")
        shape = self.image_shape
        if known == "sketch" and images.shape[-1:] == (1,):
            shape = (*shape[:2], 1)
        need = Images(shape)
        need.check_shape("images", images)
        if not len(images):
            raise ValueError("'images' is empty: there is nothing to complete.")
        need.check_values("images", images)
        return images

    def _paste(self, images, generated, known):
        images = np.broadcast_to(images, (*images.shape[:3], self.image_shape[-1]))
        sketches, pictures = split(generated)
        halves = (images, pictures) if known == "sketch" else (sketches, images)
        return np.concatenate(halves, axis=2)


def _compared(half, known):
    """Returns what the contextual loss compares of a half: sketches have no colours."""
    return ops.mean(half, axis=-1, keepdims=True) if known == "sketch" else half


def _class_numbers(classifier, labels, n):
    """Returns the wanted labels as a dictionary of int32 arrays (n,)."""
    if (classifier is None) != (not labels):
        raise ValueError("To ask for labels, pass both: classifier=... and labels={head: ...}.")
    numbers = {head: np.asarray(given, "int32") for head, given in (labels or {}).items()}
    for head, given in numbers.items():
        if given.shape not in ((), (n,)):
            raise ValueError(f"Expected one label or {n} of {head!r}, got shape {given.shape}.")
    return {head: np.resize(given, n) for head, given in numbers.items()}


def _cross_entropy(logits, numbers):
    """Returns minus the logarithm of the probability of each row's label."""
    logits = ops.cast(logits, "float32")
    wanted = ops.one_hot(numbers, logits.shape[-1])
    return -ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1)


def _history(latents, batches):
    """Joins the losses of all steps and batches to arrays (steps + 1, n)."""
    return {
        "latents": latents,
        **{
            name: np.concatenate(
                [np.array([ops.convert_to_numpy(x[name]) for x in logs]) for logs in batches],
                axis=1,
            )
            for name in batches[0][0]
        },
    }
