r"""ResNet-18, the classifier whose probabilities and features the scores are computed from.

He, Zhang, Ren, Sun: *Deep Residual Learning for Image Recognition* (CVPR 2016), eq. 2:

$$y = \mathrm{ReLU}(F(x) + W_s x)$$

where $F$ is two 3x3 convolutions and $W_s$ is the identity, or a 1x1 convolution where the shape
changes. The DesIGN paper trains it on the labels of its own garments, one head for the shape and
one for the texture, because an ImageNet classifier knows little about either.

| symbol | name in the code |
|---|---|
| $F(x) + W_s x$ | `basic_block` |
| 512 pooled features | `ResNet18.features` |
| $C(x)$, the class probabilities | `ResNet18.probabilities` |
"""

import keras
import numpy as np
from keras import layers

from keras_design_gans.batch import (
    Images,
    Labels,
    check_first_batch,
    class_counts,
    for_fit,
    read_batch,
)


def conv_norm(x, filters, kernel_size, strides=1):
    """Bias-free convolution followed by batch normalisation."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def basic_block(x, filters, strides):
    """Two 3x3 convolutions and the shortcut around them."""
    residual = layers.ReLU()(conv_norm(x, filters, 3, strides))
    residual = conv_norm(residual, filters, 3)
    if strides != 1 or x.shape[-1] != filters:
        # Pixels are left out before the convolution, not by it: PyTorch 2.13 crashes in the
        # gradient of a 1x1 convolution with strides, on processors.
        x = conv_norm(layers.MaxPooling2D(1, strides)(x), filters, 1)
    return layers.ReLU()(layers.Add()([x, residual]))


def resnet18_backbone(image_shape, base_filters):
    """Functional model from images to `8 * base_filters` pooled features."""
    image = keras.Input(image_shape, name="image")
    if max(image_shape[:2]) <= 64:
        # The ImageNet stem would throw away three quarters of a small picture's lines at once.
        x = layers.ReLU()(conv_norm(image, base_filters, 3))
    else:
        x = layers.ReLU()(conv_norm(image, base_filters, 7, strides=2))
        x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage in range(4):
        x = basic_block(x, base_filters * 2**stage, strides=1 if stage == 0 else 2)
        x = basic_block(x, base_filters * 2**stage, strides=1)
    # Scores are compared to three digits, so the features stay float32 under mixed precision.
    return keras.Model(image, layers.GlobalAveragePooling2D(dtype="float32")(x), name="backbone")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class ResNet18(keras.Model):
    """ResNet-18 with one classification head per kind of label.

    Pictures of at most 64 pixels enter through a 3x3 convolution without pooling, larger ones
    through the paper's 7x7 convolution with stride 2 and max pooling. Four stages of two basic
    blocks follow, with `f`, `2f`, `4f`, `8f` filters, global average pooling, and one dense layer
    of logits per head.

    `fit` and `evaluate` take the batches of `kdg.datasets`: dictionaries with `image` and one
    integer label array per head. `evaluate(dataset, return_dict=True)` gives `shape_accuracy`,
    `texture_accuracy` (with a single head: `accuracy`).

    ```python
    classifier = ResNet18((64, 64, 3), heads={"shape": 7, "texture": 7})
    classifier.compile()
    classifier.fit(kdg.datasets.load("garments"), epochs=10)
    ```

    Args:
        image_shape: (height, width, channels) of the pictures.
        heads: Dictionary from the name of a label to its class names, or to their number.
        base_filters: Filters of the first stage, 64 in the paper.
    """

    def __init__(self, image_shape=(64, 64, 3), heads=None, base_filters=64, **kwargs):
        super().__init__(**kwargs)
        self.image_shape = tuple(image_shape)
        self._given_heads = dict(heads or {"shape": 7, "texture": 7})
        self.classes = class_counts(self._given_heads)
        self.base_filters = base_filters
        self.backbone = resnet18_backbone(self.image_shape, base_filters)
        self.heads = {
            name: layers.Dense(classes, name=f"{name}_logits", dtype="float32")
            for name, classes in self.classes.items()
        }
        for head in self.heads.values():
            head.build(self.backbone.output_shape)
        self.built = True

    def call(self, inputs, training=None):
        """Logits of each head; `inputs` is an image batch or a dictionary that holds `image`."""
        images = inputs["image"] if isinstance(inputs, dict) else inputs
        features = self.backbone(images, training=training)
        return {name: head(features) for name, head in self.heads.items()}

    def compile(self, optimizer=None, **kwargs):
        """Sets cross-entropy and accuracy for every head.

        Args:
            optimizer: A Keras optimizer. By default Adam with learning rate 1e-3.
            **kwargs: Further arguments of `keras.Model.compile`.
        """
        cross_entropy = keras.losses.SparseCategoricalCrossentropy
        super().compile(
            optimizer=optimizer or keras.optimizers.Adam(1e-3),
            loss={name: cross_entropy(from_logits=True) for name in self.classes},
            metrics={
                name: [keras.metrics.SparseCategoricalAccuracy("accuracy")] for name in self.classes
            },
            **kwargs,
        )

    def get_compile_config(self):
        """Only the optimizer: the losses follow from the heads."""
        if not self.compiled:
            return {}
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer)}

    def compile_from_config(self, config):
        """Restores the optimizer and its state variables."""
        self.compile(keras.saving.deserialize_keras_object(config["optimizer"]))
        self.optimizer.build(self.trainable_variables)

    @property
    def needs(self):
        """The image and one label per head."""
        labels = {name: Labels(classes) for name, classes in self.classes.items()}
        return {"image": Images(self.image_shape), **labels}

    def fit(self, x=None, *args, **kwargs):
        """Trains as `keras.Model.fit` does, after a look at the data; raises `ValueError`."""
        check_first_batch(x, self.needs)
        return super().fit(for_fit(x), *args, **kwargs)

    # A batch is one dictionary, which Keras hands on as `x` with no `y`: the labels are in `x`.

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Sum of the heads' cross-entropies."""
        return super().compute_loss(x, self._labels(x), y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Accuracy of every head."""
        return super().compute_metrics(x, self._labels(x), y_pred, sample_weight)

    def _labels(self, data):
        batch = read_batch(data, self.needs)
        return {name: batch[name] for name in self.classes}

    def features(self, images, batch_size=64):
        """Pooled features before the heads.

        Args:
            images: float array (n, h, w, c) in [-1, 1], or a data set from `kdg.datasets`.
            batch_size: Pictures per forward pass, when `images` is an array.

        Returns:
            float32 array (n, 8 * base_filters).
        """
        if not hasattr(images, "shape"):
            return np.concatenate([self.features(batch["image"]) for batch in images])
        if tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"Expected images of shape (n, {', '.join(map(str, self.image_shape))}), got "
                f"{tuple(images.shape)}. Resize them, or build the classifier with that "
                "`image_shape`."
            )
        return self.backbone.predict(images, batch_size=batch_size, verbose=0)

    def probabilities(self, images, batch_size=64):
        """Class probabilities of each head.

        Args:
            images: float array (n, h, w, c) in [-1, 1], or a data set from `kdg.datasets`.
            batch_size: Pictures per forward pass, when `images` is an array.

        Returns:
            Dictionary from each head to a float32 array (n, classes) whose rows sum to 1.
        """
        return self.classify(self.features(images, batch_size))

    def classify(self, features):
        """Class probabilities of each head, as `probabilities`, from `features` (n, d)."""
        return {
            name: keras.ops.convert_to_numpy(keras.ops.softmax(head(features)))
            for name, head in self.heads.items()
        }

    def get_config(self):
        """Arguments of the constructor."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "heads": self._given_heads,
            "base_filters": self.base_filters,
        }
