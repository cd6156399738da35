r"""DesIGN: a DCGAN whose discriminator also names shape and texture, and a loss for originality.

Sbai, Elhoseiny, Bordes, LeCun and Couprie, "DesIGN: Design Inspiration from Generative Networks",
ECCV Workshops 2018, arXiv:1804.00921. The creativity loss `can` is that of Elgammal, Liu, Elhoseiny
and Mazzone, "CAN: Creative Adversarial Networks", ICCC 2017, arXiv:1706.07068.

Objective, with \(b\) running over the heads (for garments: shape and texture):

$$L_D=\lambda_{D_r}L_{D\,rf}+\lambda_{D_b}\sum_b L_{D\,cls,b}\qquad
L_G=\lambda_{G_r}L_{G\,rf}+\lambda_{G_e}\sum_b L_{G\,crea,b}$$

| symbol | name in the code |
| --- | --- |
| \(G\) | `generator` |
| \(D_r\) (as a logit) | output `"real"` of `discriminator` |
| \(D_b\) (as logits) | output named like the head, such as `"shape"` |
| \(L_{D\,rf}\), \(L_{G\,rf}\) | `minimax_discriminator_loss`, `nonsaturating_generator_loss` |
| \(L_{D\,cls,b}\) | cross-entropy of the head on real images |
| \(L_{G\,crea,b}\) | `can_loss` or `can_h_loss` of the head on fake images |
| \(\lambda_{D_r}\), \(\lambda_{D_b}\) | `d_real_weight`, `d_class_weight` |
| \(\lambda_{G_r}\), \(\lambda_{G_e}\) | `g_real_weight`, `g_creativity_weight` |

The heads learn from real images only; the creativity loss moves the generator only. Deviations: the
published text does not give the weights, here all are 1; each head is one dense layer on the last
convolution; the others are those of `dcgan.py`.
"""

import keras
from keras import layers, ops

from keras_design_gans.batch import Labels, class_counts
from keras_design_gans.losses import (
    can_h_loss,
    can_loss,
    discriminator_accuracies,
    minimax_discriminator_loss,
    nonsaturating_generator_loss,
)
from keras_design_gans.models.dcgan import DCGAN, dcgan_features, real_head

CREATIVITY_LOSSES = {"none": None, "can": can_loss, "can_h": can_h_loss}


def design_discriminator(image_shape=(64, 64, 3), heads=(("shape", 7),), base_filters=64):
    """Builds the discriminator with heads.

    Args:
        image_shape: (height, width, channels), sides of 8, 16, 32, ... pixels.
        heads: Dictionary, or pairs, from head name to its number of classes.
        base_filters: Channels of the first convolution.

    Returns:
        Functional `keras.Model` from images to a dictionary that holds `"real"`, logits (batch, 1),
        and every head, logits (batch, classes). 2,880,270 trainable weights with two heads of
        seven classes.
    """
    image = keras.Input(image_shape, name="image")
    features = dcgan_features(image, base_filters)
    flat = layers.Flatten()(features)
    outputs = {"real": real_head(features)}
    for name, classes in dict(heads).items():
        outputs[name] = layers.Dense(
            classes,
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
            dtype="float32",
            name=name,
        )(flat)
    return keras.Model(image, outputs, name="discriminator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class DesIGN(DCGAN):
    r"""DCGAN with classification heads and a creativity loss (Sbai et al. 2018).

    Batches: `image` as in `DCGAN`, and for every head an integer label (batch,) under the head's
    name. Logs, beside those of `DCGAN`: per head `<head>_accuracy` (of the discriminator on real
    images) and `<head>_entropy` (of its prediction for fakes, in nats: the creativity losses raise
    it towards \(\log K\)), and `creativity_loss`.

    Args:
        heads: Dictionary from label key to its class names, or to their number; pass the
            `class_names` of a data set. An empty dictionary gives a plain DCGAN.
        creativity: `"can_h"`, `"can"`, or `"none"` (the heads then only classify).
        d_real_weight: Weight of real against fake in the discriminator's loss.
        d_class_weight: Weight of the sum of classification losses.
        g_real_weight: Weight of the adversarial loss of the generator.
        g_creativity_weight: Weight of the sum of creativity losses.
        class_smoothing: Share of each label that is spread over all classes, such as 0.1 (Szegedy
            et al. 2016, section 7): heads that may be certain grow logits without end, and the
            creativity loss with them.
        **kwargs: Those of `DCGAN`. An own `discriminator` returns a dictionary with `"real"` and
            every head.

    Raises:
        ValueError: If `creativity` is unknown, or a loss is asked for without heads.
    """

    def __init__(
        self,
        heads=None,
        creativity="can_h",
        d_real_weight=1.0,
        d_class_weight=1.0,
        g_real_weight=1.0,
        g_creativity_weight=1.0,
        class_smoothing=0.0,
        **kwargs,
    ):
        if creativity not in CREATIVITY_LOSSES:
            raise ValueError(
                f"creativity must be one of {', '.join(map(repr, CREATIVITY_LOSSES))}, "
                f"got {creativity!r}."
            )
        if creativity != "none" and not heads:
            raise ValueError(
                f"creativity={creativity!r} needs at least one head: pass "
                "heads=dataset.class_names, such as heads={'shape': 7}, or creativity='none'."
            )
        self._class_counts = class_counts(heads)
        super().__init__(**kwargs)
        self.heads = dict(heads or {})
        self.creativity = creativity
        self.d_real_weight = d_real_weight
        self.d_class_weight = d_class_weight
        self.g_real_weight = g_real_weight
        self.g_creativity_weight = g_creativity_weight
        self.class_smoothing = class_smoothing
        for head in self._class_counts:
            self.track(f"{head}_accuracy", f"{head}_entropy")
        if creativity != "none":
            self.track("creativity_loss")

    def default_discriminator(self):
        """Returns the paper's discriminator, with one dense layer for each head."""
        return design_discriminator(self.image_shape, self._class_counts, self.base_filters)

    @property
    def needs(self):
        """Images, and one label for each head."""
        return {
            **super().needs,
            **{head: Labels(classes) for head, classes in self._class_counts.items()},
        }

    def discriminator_objective(self, batch, fake, training):
        """Real against fake, and the labels of the real images."""
        real = self.judge(batch["image"], training)
        fake_logits = self.judge(fake, training)["real"]
        logs = discriminator_accuracies(real["real"], fake_logits)
        loss = self.d_real_weight * minimax_discriminator_loss(
            real["real"], fake_logits, self.real_target
        )
        loss += self.slope_penalty(batch["image"], training)
        for head, classes in self._class_counts.items():
            labels, logits = batch[head], real[head]
            cross_entropy = keras.losses.categorical_crossentropy(
                ops.one_hot(labels, classes),
                logits,
                from_logits=True,
                label_smoothing=self.class_smoothing,
            )
            loss += self.d_class_weight * ops.mean(cross_entropy)
            correct = ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int32"))
            logs[f"{head}_accuracy"] = ops.mean(ops.cast(correct, "float32"))
        return loss, {"d_loss": loss, **logs}

    def real_logits(self, answer):
        """Takes the logits of real against fake from the discriminator's answer."""
        return answer["real"]

    def generator_objective(self, batch, fake, training):
        """Realism, and originality with respect to every head."""
        logits = self.judge(fake, training)
        logs = {f"{head}_entropy": entropy(logits[head]) for head in self._class_counts}
        loss = self.g_real_weight * nonsaturating_generator_loss(logits["real"])
        creativity_loss = CREATIVITY_LOSSES[self.creativity]
        if creativity_loss is not None:
            logs["creativity_loss"] = sum(creativity_loss(logits[h]) for h in self._class_counts)
            loss += self.g_creativity_weight * logs["creativity_loss"]
        return loss, {"g_loss": loss, **logs}

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "heads": self.heads,
            "creativity": self.creativity,
            "d_real_weight": self.d_real_weight,
            "d_class_weight": self.d_class_weight,
            "g_real_weight": self.g_real_weight,
            "g_creativity_weight": self.g_creativity_weight,
            "class_smoothing": self.class_smoothing,
        }


def entropy(logits):
    """Returns the mean entropy of the predictions, in nats."""
    log_p = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.mean(ops.sum(ops.exp(log_p) * log_p, axis=-1))
