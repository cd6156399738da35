"""Figures of images: grids with titles, rows with names, nearest neighbours, latent walks."""

import numpy as np

from keras_design_gans import metrics
from keras_design_gans.plotting.pixels import to_uint8
from keras_design_gans.plotting.style import INK, new_figure


def show_images(images, columns=None, titles=None):
    """Figure of images in a grid, each with an optional title.

    Pictures are enlarged by a whole number without smoothing, so that every pixel stays a square;
    `figure.savefig(path)` keeps this exact.

    Args:
        images: array (n, h, w, c), as for `to_uint8`.
        columns: Pictures per row. By default at most 8.
        titles: Sequence of n strings written above the pictures.

    Returns:
        `matplotlib.figure.Figure`.
    """
    images = to_uint8(images)
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"Expected one title per image: {len(images)}, got {len(titles)} titles.")
    columns = columns or min(8, len(images))
    return _cells(images, columns, titles)


def show_rows(rows, columns=8):
    """Figure of pictures that belong together, below each other in rows with names.

    Args:
        rows: Dictionary from the name of a row to an array (n, h, w, c), as for `to_uint8`, such as
            `{"sketch": ..., "output": ..., "true": ...}`. All pictures have the same height and
            width.
        columns: Pictures per row, the first ones of each array; all, where there are fewer.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the rows are not equally long.
    """
    rows = {name: to_uint8(images[:columns]) for name, images in rows.items()}
    counts = {name: len(images) for name, images in rows.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"Expected rows of the same number of pictures, got {counts}.")
    return _cells(np.concatenate([*rows.values()]), max(counts.values()), names=list(rows))


def nearest_neighbours(images, train_images, k=5, features=None):
    """Figure of generated pictures, each beside the training pictures nearest to it.

    A generator that copies shows up here: the neighbours equal the picture, at a distance near 0.

    Args:
        images: array (n, h, w, c), as for `to_uint8`; the first column of the figure.
        train_images: array (m, h, w, c).
        k: Number of neighbours.
        features: Function from float images to an array (n, d) in which distances are taken, such
            as `ResNet18.features`. By default the pixels themselves, in [-1, 1].

    Returns:
        `matplotlib.figure.Figure`; Euclidean distances stand above the neighbours.
    """
    pictures, train_pictures = to_uint8(images), to_uint8(train_images)
    if features is None:
        rows, train_rows = (
            images.reshape(len(images), -1),
            train_images.reshape(len(train_images), -1),
        )
    else:
        rows, train_rows = features(images), features(train_images)
    distances, indices = metrics.nearest_neighbours(rows, train_rows, k)
    return _with_neighbours(pictures, train_pictures[indices], distances)


def nearest_products(images, products, k=5):
    """Figure of designs, each beside the products that are most similar to it, with distances.

    Args:
        images: array (n, h, w, c), as for `to_uint8`; the first column of the figure.
        products: `kdg.metrics.NearestProducts`, fitted.
        k: Number of products for each.

    Returns:
        `matplotlib.figure.Figure`; the distances stand above the products.

    Raises:
        ValueError: As `NearestProducts.query`.
    """
    distances, indices, _ = products.query(images, k)
    near = np.stack([to_uint8(found) for found in products.pictures(indices)])
    return _with_neighbours(to_uint8(images), near, distances)


def latent_walk(start, end, steps=8, spherical=True):
    r"""Vectors on the way from `start` to `end`, both included.

    With the angle \(\Omega\) between the two vectors and \(t\) from 0 to 1 (Shoemake 1985;
    proposed for generators by White, *Sampling Generative Networks*, 2016):

    $$z_t = \frac{\sin((1-t)\,\Omega)}{\sin\Omega}\,z_0 + \frac{\sin(t\,\Omega)}{\sin\Omega}\,z_1$$

    Gaussian vectors of many dimensions lie near a sphere. The straight line leaves it, into a
    region that the generator has never seen; this arc does not.

    Args:
        start: array (latent_dim,), the first vector.
        end: array (latent_dim,), the last vector.
        steps: Number of vectors.
        spherical: `False` walks the straight line.

    Returns:
        float32 array (steps, latent_dim).
    """
    start, end = np.asarray(start, "float64"), np.asarray(end, "float64")
    t = np.linspace(0, 1, steps)[:, None]
    weights = 1 - t, t
    if spherical:
        cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end))
        angle = np.arccos(np.clip(cosine, -1, 1))
        if np.sin(angle) > 1e-6:  # parallel vectors: the arc is the line
            weights = np.sin((1 - t) * angle) / np.sin(angle), np.sin(t * angle) / np.sin(angle)
    return (weights[0] * start + weights[1] * end).astype("float32")


def interpolate(model, rows=4, steps=8, spherical=True, seed=0):
    """Figure of walks through the latent space: each row leads from one picture to another.

    Args:
        model: Model with `sample_latents(n, seed=...)` and `decode(latents)`.
        rows: Number of walks.
        steps: Pictures per walk.
        spherical: Walk on an arc (see `latent_walk`) or, if `False`, on the straight line.
        seed: Seed of the end points.

    Returns:
        `matplotlib.figure.Figure`.
    """
    ends = model.sample_latents(2 * rows, seed=seed).reshape(rows, 2, -1)
    walks = [latent_walk(start, end, steps, spherical) for start, end in ends]
    return show_images(model.decode(np.concatenate(walks)), columns=steps)


def _with_neighbours(pictures, neighbours, distances):
    """Each picture in a row with its neighbours; all uint8, and an array of distances."""
    cells, titles = [], []
    for picture, near, row in zip(pictures, neighbours, distances, strict=True):
        cells += [picture, *near]
        titles += ["generated", *(f"distance {value:.2f}" for value in row)]
    return _cells(np.stack(cells), distances.shape[1] + 1, titles, gap=18)


def _cells(images, columns, titles=None, gap=0, names=()):
    """Places every image on whole pixels of a figure.

    `gap` more pixels follow the first column; `names` of the rows stand to the left of it.
    """
    margin, title_height = 6, 20 if titles is not None else 0
    name_width = max([8 * len(name) + 8 for name in names], default=0)
    scale = max(1, round(96 / images.shape[1]))
    height, width = scale * images.shape[1], scale * images.shape[2]
    step_x, step_y = width + margin, height + title_height + margin
    total_width = name_width + columns * step_x + margin + gap
    total_height = -(-len(images) // columns) * step_y + margin
    figure = new_figure(total_width, total_height)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        left = name_width + margin + column * step_x + (gap if column else 0)
        bottom = total_height - (row + 1) * step_y
        box = np.divide(
            (left, bottom, width, height), (total_width, total_height, total_width, total_height)
        )
        axes = figure.add_axes(box)
        axes.imshow(image, interpolation="nearest")
        axes.set_axis_off()
        if titles is not None:
            axes.set_title(titles[index], fontsize=8, color=INK, pad=4)
        if names and not column:
            middle = (bottom + height / 2) / total_height
            place = {"ha": "right", "va": "center", "fontsize": 9, "color": INK}
            figure.text(name_width / total_width, middle, names[row], **place)
    return figure
