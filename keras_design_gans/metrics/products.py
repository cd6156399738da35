"""Product retrieval: which real products come nearest to a generated design?"""

import os
from pathlib import Path

import numpy as np
from tqdm import tqdm

from keras_design_gans.metrics.neighbours import NeighbourSearch
from keras_design_gans.metrics.pictures import as_pictures, features_of, scaled


class NearestProducts:
    """Finds the products that are most similar to a generated design.

    The last step from an inspiration to something that can be bought or made. Similar means near in
    the features of a classifier, by Euclidean distance, as in the neighbour distance of Sbai et
    al., *DesIGN* (2018), section 4. What the classifier was trained to tell apart counts, and the
    rest, such as the colour, counts less.

    ```python
    products = kdg.metrics.NearestProducts(kdg.presets.load("resnet18_garments_64"))
    products.fit("path/to/products")
    designs = kdg.presets.load("design_garments_64").generate(4, seed=0)
    distances, indices, file_names = products.query(designs, k=5)
    kdg.plotting.nearest_products(designs, products, k=5)
    ```

    The search is exact and takes milliseconds among 100,000 products. Their features stay in
    memory, 8 bytes for each number; pictures of folders and data sets stay on disk.

    Args:
        classifier: `ResNet18`, trained on pictures of the same kind.

    Attributes:
        file_names: After `fit`, list with the file of each product, or `None` if there are none.
    """

    def __init__(self, classifier):
        self.classifier = classifier
        self.file_names = None
        self._search = None

    def fit(self, products):
        """Computes the features of all products, under a progress bar.

        Args:
            products: Path of a folder of pictures in one of the forms of `kdg.datasets.from_folder`
                (all of them, whatever their split), a data set from `kdg.datasets`, or an array
                (n, h, w, c), float in [-1, 1] or uint8. The size must be that of the classifier;
                a folder is read at this size.

        Returns:
            The object itself.

        Raises:
            FileNotFoundError: If there is no such folder.
            ValueError: If the folder has no usable pictures, or their shape does not fit.
        """
        if isinstance(products, (str, os.PathLike)):
            parts, self.file_names = _read_folder(Path(products), self.classifier.image_shape[0])
        else:
            parts = [as_pictures(products)]
            self.file_names = getattr(products, "file_names", None)
        self._pictures = [(part, index) for part in parts for index in range(len(part))]
        with tqdm(total=len(self._pictures), desc="Products", unit="image", mininterval=0.5) as bar:
            features = [features_of(self.classifier, part, bar) for part in parts]
        self._search = NeighbourSearch(np.concatenate(features))
        return self

    def query(self, images, k=5):
        """Finds the `k` most similar products of each design.

        Args:
            images: array (n, h, w, c), float in [-1, 1] or uint8, such as `model.generate(n)`.
            k: Number of products for each.

        Returns:
            distances, float64 array (n, k), nearest first; indices of the products, in the order
            in which they were given, integer array (n, k); and their file names, a list of n lists
            of k strings, or `None` if there are none.

        Raises:
            ValueError: If `fit` was not called, the shapes do not fit, or there are fewer than `k`
                products.
        """
        if self._search is None:
            raise ValueError("There are no products to search yet. Call `fit(products)` first.")
        distances, indices = self._search.nearest(self._features(images), k)
        names = self.file_names and [[self.file_names[i] for i in row] for row in indices]
        return distances, indices, names

    def pictures(self, indices):
        """Reads products.

        Args:
            indices: Their numbers, as `query` gives them, integer array of any shape.

        Returns:
            Array of this shape and (h, w, c), in the values that were given to `fit`.
        """
        found = [self._pictures[index] for index in np.ravel(indices)]
        pictures = np.stack([part[index] for part, index in found])
        return pictures.reshape(*np.shape(indices), *pictures.shape[1:])

    def _features(self, images):
        return self.classifier.features(scaled(images))


def _read_folder(folder, image_size):
    """Pictures and file names, relative to `folder`, of both splits of a folder."""
    from keras_design_gans import datasets

    parts, file_names, problems = [], [], []
    for split in ("train", "test"):
        try:
            dataset = datasets.from_folder(folder, split, image_size, batch_size=1)
        except ValueError as problem:  # also: no picture of a small folder is in this split
            problems.append(problem)
            continue
        parts.append(as_pictures(dataset))
        # Folders named after the splits are not part of the names.
        inside = (folder.expanduser() / dataset.file_names[0]).is_file()
        file_names += [n if inside else f"{split}/{n}" for n in dataset.file_names]
    if not parts:
        raise problems[0]
    return parts, file_names
