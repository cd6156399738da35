"""Training curves."""

from keras_design_gans.plotting.style import DISCRIMINATOR, GENERATOR, INK, OTHERS, new_figure

COLORS = {
    "d_loss": DISCRIMINATOR,
    "g_loss": GENERATOR,
    "d_real_accuracy": DISCRIMINATOR,
    "d_fake_accuracy": GENERATOR,
}


def plot_history(history, steps_per_epoch=None):
    """Figure of what training logged: the losses, the accuracies, and the rest, over time.

    Blue is the discriminator and what it says of real pictures, orange the generator and what the
    discriminator says of its pictures. In a healthy game the accuracies stay between 0.5 (dotted:
    the discriminator guesses) and 1 (it wins). Validation values are dashed.

    Args:
        history: What `fit` returns, or its dictionary from a name to one value per epoch.
        steps_per_epoch: Length of an epoch; time is then counted in steps.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If nothing was logged.
    """
    history = getattr(history, "history", history)
    if not history:
        raise ValueError("Expected a history with logged values, got an empty one. Train first.")
    panels = {"loss": [], "accuracy": [], "other": []}
    for name in history:
        panels[next((panel for panel in panels if panel in name), "other")].append(name)
    panels = {panel: names for panel, names in panels.items() if names}
    figure = new_figure(440 * len(panels), 320)
    for column, (panel, names) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), column)
        if panel == "accuracy":
            axes.set_ylim(-0.03, 1.03)
            axes.axhline(0.5, color=INK, linewidth=0.8, linestyle=":")
        _draw(axes, {name: history[name] for name in names}, steps_per_epoch)
        axes.set_title({"other": "other values"}.get(panel, panel), color=INK, fontsize=11)
    figure.tight_layout()
    return figure


def _draw(axes, curves, steps_per_epoch):
    from matplotlib.ticker import MaxNLocator

    spare = iter(OTHERS * len(curves))
    colors = {}
    for name, values in curves.items():
        base = name.removeprefix("val_")
        if base not in colors:
            colors[base] = COLORS.get(base) or next(spare)
        axes.plot(
            [(steps_per_epoch or 1) * epoch for epoch in range(1, len(values) + 1)],
            values,
            label=name,
            color=colors[base],
            linestyle="-" if base == name else "--",
            linewidth=1.6,
            marker="o" if len(values) == 1 else None,
        )
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    axes.set_xlabel("step" if steps_per_epoch else "epoch", color=INK, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.tick_params(colors=INK, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
