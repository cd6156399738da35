r"""AttributeGAN: faces from ticked attributes.

The generator is that of Hiroshiba's site "Girl Friend Factory", which draws anime faces in the
browser (github.com/Hiroshiba/girl_friend_factory). Its discriminator, losses and data were not
published; the author credits Reed et al. 2016, whose game is played here, see `gan_cls.py`:

$$L_D=-\log D(x,a)-\tfrac12\big[\log(1-D(x,\hat a))+\log(1-D(G(z,a),a))\big]
\qquad L_G=-\log D(G(z,a),a)$$

| symbol | name in the code |
| --- | --- |
| \(a\in\{0,1\}^k\) | `attributes`, from the batch; 1 for what the picture shows |
| \(\hat a\) | the `attributes` of another row that differ, by `wrong_partners` |
| \(G(z,a)\) | `generator` of `[noise, attributes]` |
| \(D(x,a)=\sigma(\ell)\), logit \(\ell\) | `discriminator` of `[image, attributes]` |
| \(L_D\), \(L_G\) | `d_loss`, `g_loss` |

| generator at 96 pixels | kernel/stride | output | then |
| --- | --- | --- | --- |
| transposed convolution of \((z,a)\) | 6/1 | 6 x 6 x 1024 | BN |
| residual block: 256, 256, 1024 | 1/1, 3/1, 1/1 | 6 x 6 x 1024 | BN each, ReLU |
| transposed convolution | 4/2 | 12 x 12 x 512 | BN |
| residual block: 128, 128, 512 | 1/1, 3/1, 1/1 | 12 x 12 x 512 | BN each, ReLU |
| transposed convolution | 4/2 | 24 x 24 x 256 | BN, ReLU |
| transposed convolution | 4/2 | 48 x 48 x 128 | BN, ReLU |
| transposed convolution | 4/2 | 96 x 96 x 3 | tanh |

With 64 attributes and 100 numbers of noise these are the published 18,475,651 weights. The
discriminator is the residual one of `gan_cls.py`, with the attributes laid behind its smallest map
as they are. Other sizes begin from maps of 4 to 7 pixels. Attributes are 0 and 1, as on the site;
other papers have -1 and 1.
"""

import base64

import keras
import numpy as np
from keras import layers

from keras_design_gans import text
from keras_design_gans.batch import Attributes
from keras_design_gans.models.gan_cls import MatchingGAN, gan_cls_discriminator, grow


def site_batch_norm():
    """Batch normalisation with the constants of the published model."""
    return layers.BatchNormalization(momentum=0.9, epsilon=2e-5)


def attribute_generator(image_shape=(96, 96, 3), latent_dim=100, attributes=64, base_filters=128):
    """Builds the generator of `[noise, attributes]`.

    Args:
        image_shape: (height, width, channels), sides of 4 to 7 times 2, 4, 8, ... pixels.
        latent_dim: Length of the noise vector.
        attributes: Number of attributes.
        base_filters: Channels of the last hidden layer.

    Returns:
        Functional `keras.Model` to images in [-1, 1]; 18,475,651 weights with the defaults, of
        which 18,467,203 are trainable.
    """
    noise = keras.Input((latent_dim,), name="noise")
    chosen = keras.Input((attributes,), name="attributes")
    code = layers.Concatenate()([noise, chosen])
    image = grow(code, image_shape, base_filters, last_kernel=1, norm=site_batch_norm)
    return keras.Model([noise, chosen], image, name="generator")


@keras.saving.register_keras_serializable(package="keras_design_gans")
class AttributeGAN(MatchingGAN):
    """Pictures from attributes that are there or not (generator of Girl Friend Factory).

    Batches: `image` as in `DCGAN`, and `attributes`, zeros and ones (batch, k). Logs: those of
    `GANCLS`. As a function, the model takes `[noise, attributes]`.

    Args:
        attributes: The names of the attributes; pass `dataset.class_names["attributes"]`.
        image_shape: (height, width, channels), sides of 64, 96, ... pixels, see
            `attribute_generator`.
        base_filters: Channels of the discriminator's first convolution; the generator has twice as
            many next to the image.
        **kwargs: Those of `DCGAN`, and `matching_aware` and `interpolate` of `GANCLS`. An own
            `generator` takes `[noise, attributes]`, an own `discriminator` `[image, attributes]`.

    Raises:
        ValueError: If there are no attributes.
    """

    described_by = "attributes"

    def __init__(self, attributes=(), image_shape=(96, 96, 3), base_filters=64, **kwargs):
        if not attributes or isinstance(attributes, str):
            raise ValueError(
                "AttributeGAN needs the names of its attributes: pass "
                f"attributes=dataset.class_names['attributes'], got {attributes!r}."
            )
        self.attributes = list(attributes)
        super().__init__(image_shape=image_shape, base_filters=base_filters, **kwargs)

    def default_generator(self):
        """Returns the generator of the site."""
        return attribute_generator(
            self.image_shape, self.latent_dim, len(self.attributes), 2 * self.base_filters
        )

    def default_discriminator(self):
        """Returns the residual discriminator of `gan_cls.py`."""
        return gan_cls_discriminator(
            self.image_shape, len(self.attributes), self.base_filters, text_dim=None, residual=True
        )

    @property
    def needs(self):
        """Images and their attributes."""
        return {**super().needs, "attributes": Attributes(len(self.attributes))}

    def vectors(self, attributes):
        """Returns attributes in the form of `decode`.

        The vectors between two of them, from `kdg.plotting.latent_walk(first, second, 7,
        spherical=False)`, turn one picture into another ("attribute morphing").

        Args:
            attributes: Names, such as `["hair_color: red", "mouth: smile"]`; a list of such lists;
                or numbers, array (k,) or (n, k).

        Returns:
            float32 array (1, k), or (n, k).

        Raises:
            ValueError: If a name is unknown; the message has the nearest ones.
        """
        if not isinstance(attributes, np.ndarray):
            attributes = [attributes] if isinstance(attributes, str) else list(attributes)
            several = attributes and not isinstance(attributes[0], str)
            attributes = np.array(
                [self._ticked(names) for names in (attributes if several else [attributes])]
            )
        return np.atleast_2d(attributes).astype("float32")

    def _ticked(self, names):
        """Returns a list with 1 for each attribute that is named, and 0 for the others."""
        text.check_names(names, self.attributes, "attribute")
        return [float(name in names) for name in self.attributes]

    def generate(self, n, seed=None, attributes=None):
        """Generates `n` images with the attributes that are asked for, and no other.

        Args:
            n: Number of images.
            seed: Integer; the same seed, attributes and weights give the same images on every
                backend.
            attributes: As in `vectors`.

        Returns:
            float32 array (n, height, width, channels) in [-1, 1].

        Raises:
            ValueError: If there are no attributes, or as in `vectors`.
        """
        if attributes is None:
            raise ValueError(
                "Say what to draw: generate(n, attributes=[...]) with names of "
                f"{', '.join(self.attributes)}."
            )
        vectors = self.vectors(attributes)
        if len(vectors) not in (1, n):
            raise ValueError(f"Expected attributes of 1 or {n} pictures, got {len(vectors)}.")
        return self.decode(self.sample_latents(n, seed), vectors)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {**super().get_config(), "attributes": self.attributes}


def latents_to_code(latents):
    """Writes a latent vector as text, the "seed" of the site: 268 characters for 100 numbers.

    Args:
        latents: Array (latent_dim,).

    Returns:
        String: numbers of 16 bits, little-endian, in URL-safe base64.
    """
    return base64.urlsafe_b64encode(np.asarray(latents, "<f2").tobytes()).decode()


def code_to_latents(code):
    """Reads what `latents_to_code` wrote.

    Args:
        code: String.

    Returns:
        float32 array (latent_dim,), each number within a 2048th of what it was.

    Raises:
        ValueError: If `code` is no such text.
    """
    return np.frombuffer(base64.b64decode(code, altchars=b"-_", validate=True), "<f2").astype(
        "float32"
    )
