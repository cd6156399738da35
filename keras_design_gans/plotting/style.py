"""What all figures have in common."""

import io

INK = "#333333"
DISCRIMINATOR, GENERATOR = "#1f5fa8", "#d1602a"
OTHERS = ["#4d9078", "#8a6bb1", "#b08d2e", "#b5485d", "#2e8fa3", "#7a7a7a"]


def new_figure(width, height):
    """A figure of `width` x `height` pixels that notebooks display and scripts only save.

    It is made without `pyplot`, so nothing needs a display, figures do not pile up in memory, and
    a notebook shows one once.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), dpi=100)

    def png():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()

    figure._repr_png_ = png  # how IPython asks an object for a picture of itself
    return figure
