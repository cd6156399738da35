"""What `garments` and `handbags` share: products of many shapes and textures, drawn on white.

Product `n` always has shape `n % shapes` and texture `n // shapes % textures`, so that pictures in
a row are balanced, and it depends on nothing but `(seed, n)`.
"""

import numpy as np

from keras_design_gans.datasets.scene import KINDS, Scene, palette
from keras_design_gans.datasets.textiles import TEXTURES, fabric


class Products:
    """An endless series of drawn products.

    Args:
        makers: dictionary from the name of a shape to the function that draws it:
            `maker(drawing, rng, cloth)` with the `Scene`, a `numpy.random.Generator` for the
            measures, and the `Fabric`.
        sway: standard deviation of the lean, see `Scene`.
        tilt: standard deviation of the tilt.
        light: range of the place of the lamp.
    """

    def __init__(self, makers, sway, tilt, light):
        self.class_names = {"shape": tuple(makers), "texture": TEXTURES}
        self.features = (*KINDS, *self.class_names)
        self._makers = makers
        self._sway, self._tilt, self._light = sway, tilt, light

    def scene(self, index, seed=0, shape=None, texture=None):
        """The scene of one product.

        Args:
            index: which product, 0 or more.
            seed: which endless series of products, 0 or more.
            shape: name of a shape, to draw another than the balanced one.
            texture: name of a texture, likewise. The cut and the colours stay the same, so a
                product can be drawn in all textures.

        Returns:
            A `Scene` with the labels `shape` and `texture`.

        Raises:
            ValueError: for an unknown shape or texture, or a negative index or seed.
        """
        if index < 0 or seed < 0:
            raise ValueError(f"`index` and `seed` must be 0 or more. Received {index} and {seed}.")
        labels = {
            "shape": self._label("shape", shape, index),
            "texture": self._label("texture", texture, index // len(self._makers)),
        }
        # One stream each, so that another texture changes neither the cut nor the colours.
        cut, weave, dye = (np.random.default_rng((seed, index, stream)) for stream in range(3))
        cloth = fabric(TEXTURES[labels["texture"]], weave, palette(dye))
        drawing = Scene(
            labels,
            sway=cut.normal(0, self._sway),
            tilt=cut.normal(0, self._tilt),
            light=cut.uniform(*self._light),
            phase=cut.uniform(0, 6.28),
            fill=cut.uniform(0.88, 0.92),
        )
        drawing.define(cloth.defs)
        maker = self._makers[self.class_names["shape"][labels["shape"]]]
        maker(drawing, cut, cloth)
        return drawing

    def draw(self, index, seed=0, image_size=64, features=None):
        """One example of the data set.

        Args:
            index: which product, 0 or more.
            seed: which endless series of products.
            image_size: side of the pictures in pixels.
            features: the names wanted, of `self.features`; `None` means all. Only these are
                rendered.

        Returns:
            A dict with, as far as asked for, the uint8 arrays `image` `(size, size, 3)`, `mask`
            `(size, size, 1)` (255 on the product; compare with 127) and `sketch` `(size, size, 1)`
            (dark lines on white), and the ints `shape` and `texture`.

        Raises:
            ValueError: for an unknown feature.
        """
        features = self.features if features is None else features
        unknown = [name for name in features if name not in self.features]
        if unknown:
            raise ValueError(f"Unknown features {unknown}. Choose from {', '.join(self.features)}.")
        drawing = self.scene(index, seed)
        return {
            name: drawing.render(name, image_size) if name in KINDS else drawing.labels[name]
            for name in features
        }

    def _label(self, kind, name, index):
        names = self.class_names[kind]
        if name is None:
            return index % len(names)
        if name not in names:
            raise ValueError(f"Unknown {kind} {name!r}. Choose one of {', '.join(names)}.")
        return names.index(name)
