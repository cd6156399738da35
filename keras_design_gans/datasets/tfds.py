"""Sets of TensorFlow Datasets, read without TensorFlow."""

import functools

import numpy as np
from PIL import Image

from keras_design_gans.datasets import captions
from keras_design_gans.datasets.images import square
from keras_design_gans.datasets.source import (
    SkipExample,
    Source,
    check_num_examples,
    check_split,
)

CYCLE_GAN = (
    "apple2orange",
    "cezanne2photo",
    "cityscapes",
    "facades",
    "horse2zebra",
    "iphone2dslr_flower",
    "maps",
    "monet2photo",
    "summer2winter_yosemite",
    "ukiyoe2photo",
    "vangogh2photo",
)
TFDS_NAMES = (
    "mnist",
    "celeb_a",
    "caltech_birds2011",
    "oxford_flowers102",
    *(f"cycle_gan/{pair}" for pair in CYCLE_GAN),
)
# What the classes of the sets with captions are; those of `celeb_a` come from its attributes.
KINDS = {"caltech_birds2011": "bird", "oxford_flowers102": "flower"}
# Labels of `celeb_a` -> attributes: what Zhao et al., ECCV 2018, change.
HAIR = {"black": "Black_Hair", "blond": "Blond_Hair", "brown": "Brown_Hair"}
YES_OR_NO = {"male": "Male", "smile": "Smiling"}


class TfdsSource(Source):
    """A set of TensorFlow Datasets, prepared with `file_format="array_record"`.

    Keys of ours -> features of the builder: `"image"` -> `image`; `"label"` -> `label`;
    `"attributes"`, zeros and ones in the order of its class names -> `attributes`; `"mask"` ->
    `segmentation_mask`. In the pairs of `cycle_gan` the label tells A from B.

    `celeb_a` has three labels more, made of its attributes for the models that change them:
    `"male"` and `"smile"`, each `False` or `True`, and `"hair_color"`, `"black"`, `"blond"` or
    `"brown"`. A picture that is marked with none of these colours (grey, bald, below a hat, or not
    clear to the annotators) or with several of them has no hair colour, and is left out wherever
    `"hair_color"` is asked for. All three repeat what annotators saw; they say nothing on what a
    person says of himself or herself. `"attributes"` and `"hair_color"` are made on request.

    These sets have no captions of their own. `"caption"` of `celeb_a`, `caltech_birds2011` and
    `oxford_flowers102` is built from the attributes or the name of the class: all pictures of a
    class have the same sentences, which tell nothing about the single picture.

    Args:
        name: one of `TFDS_NAMES`.
        split: `"train"` or `"test"`.
        seed: not used: the pictures are what they are.
        num_examples: how many to use; `None` means all.
    """

    def __init__(self, name, split, seed=0, num_examples=None):
        check_split(split)
        builder = _import_tfds().builder(name)
        parts = (f"{split}A", f"{split}B") if name.startswith("cycle_gan/") else (split,)
        self.parts = tuple((name, part) for part in parts)
        features = builder.info.features
        class_names = {}
        if "label" in features:
            class_names["label"] = features["label"].names
        if "attributes" in features:
            class_names |= dict.fromkeys(YES_OR_NO, (False, True))
            class_names["hair_color"] = tuple(HAIR)
            class_names["attributes"] = tuple(sorted(features["attributes"]))
            self.on_request, self.apart = ("hair_color", "attributes"), True
            self.described_by = ("attributes",)
        mask = ("mask",) if "segmentation_mask" in features else ()
        available = sum(len(_open(*part)) for part in self.parts)
        super().__init__(
            name=name,
            split=split,
            features=("image", *mask, *class_names),
            class_names=class_names,
            num_examples=check_num_examples(num_examples, available, name),
            key=(builder.info.full_name, str(builder.data_dir)),
        )
        self.captions = ("caption",) if name in ("celeb_a", *KINDS) else ()

    def example(self, index, image_size, features):
        """Reads example `index`, see `Source.example`."""
        part, index = self._find(index)
        record = _open(*part)[index]
        example = {"image": np.asarray(_square(record["image"], image_size).convert("RGB"))}
        if "label" in features:
            example["label"] = record["label"]
        if "attributes" in features:
            names = self.class_names["attributes"]
            example["attributes"] = [int(record["attributes"][name]) for name in names]
        for key, name in YES_OR_NO.items():
            if key in features:
                example[key] = int(record["attributes"][name])
        if "hair_color" in features:
            example["hair_color"] = _hair_color(record["attributes"])
        if "mask" in features:
            mask = _square(record["segmentation_mask"], image_size)
            example["mask"] = np.asarray(mask)[..., None]
        return example

    def sentences(self, key, index, labels):
        """Describes an example by its class or attributes, see `Source.sentences`."""
        if self.name == "celeb_a":
            shown = zip(self.class_names["attributes"], labels["attributes"], strict=True)
            return captions.celebrity({name for name, is_on in shown if is_on})
        if self.name == "caltech_birds2011":  # its labels are numbers; the names are in the records
            part, index = self._find(index)
            name = _open(*part, only="label_name")[index]["label_name"]
            name = name.decode() if isinstance(name, bytes) else name
        else:
            name = self.class_names["label"][labels["label"]]
        return captions.photo(name.replace("_", " "), KINDS[self.name])

    def _find(self, index):
        for part in self.parts:
            if index < len(_open(*part)):
                break
            index -= len(_open(*part))
        return part, index


def prepare(name):
    """Downloads a set through TensorFlow Datasets, in the form that needs no TensorFlow to read.

    For most sets this step itself needs TensorFlow. What is already there is not made again.

    Args:
        name: one of `TFDS_NAMES`.
    """
    _import_tfds().builder(name, file_format="array_record").download_and_prepare()


def _import_tfds():
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise ImportError(
            "This set comes from TensorFlow Datasets. Install it with "
            f"`pip install keras-design-gans[tfds]`. The import failed: {error}"
        ) from error
    return tensorflow_datasets


@functools.cache
def _open(name, part, only=None):
    """Opens a split for random access; `only` names the one feature to decode.

    Raises:
        FileNotFoundError: the set was not downloaded, or not in the form that can be read.
    """
    tfds = _import_tfds()
    builder = tfds.builder(name)
    decoders = only and tfds.decode.PartialDecoding({only: True})
    try:
        return builder.as_data_source(split=part, decoders=decoders)
    except (AssertionError, NotImplementedError) as error:
        raise FileNotFoundError(
            f"{name!r} is not ready in {builder.data_dir}. Download it once, on a machine with "
            f"TensorFlow, by `python data_scripts/prepare_tfds.py {name}`. ({error})"
        ) from error


def _hair_color(attributes):
    """Returns the class number of the hair colour; skips a picture that has not exactly one."""
    shown = [number for number, name in enumerate(HAIR.values()) if attributes[name]]
    if len(shown) != 1:
        raise SkipExample(f"{len(shown) or 'none'} of the hair colours {', '.join(HAIR)}")
    return shown[0]


def _square(pixels, image_size):
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return square(Image.fromarray(pixels), image_size)
