"""What `garments` and `handbags` share: products of many shapes and textures, drawn on white.

Product `n` always has shape `n % shapes` and texture `n // shapes % textures`, so that pictures in
a row are balanced, and it depends on nothing but `(seed, n)`.
"""

import numpy as np

from keras_design_gans.datasets.scene import Scene, palette
from keras_design_gans.datasets.series import Series
from keras_design_gans.datasets.textiles import TEXTURES, fabric


class Products(Series):
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
        super().__init__({"shape": tuple(makers), "texture": TEXTURES})
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
        labels = self.labels(index, seed, shape=shape, texture=texture)
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
