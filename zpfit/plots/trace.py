"""Trace plot: converged ensembles stay level and agree with each other."""

import numpy as np
from matplotlib.figure import Figure

from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.pulls import add_title
from zpfit.plots.scales import axis_label, described, room_for, scale_of
from zpfit.plots.style import (
    ENSEMBLE_COLOURS,
    PAGE,
    StyledFigure,
    finished,
    points,
)

_PANEL = 0.9
"""Height of a panel in inches."""


def trace_figure(samples: StoredSamples, title: str, spec: FigureSpec | None = None) -> Figure:
    """Draw mean and central 68 % over the walkers against the step, for each parameter.

    Parameters
    ----------
    samples
        Samples of equal weight.
    title
        Title of the result.
    spec
        Description of the figure.
    """
    spec = spec or FigureSpec()
    names = [name for name in samples.values if name in (spec.parameters or samples.values)]
    height = 1.1 + _PANEL * len(names)
    figure = StyledFigure(figsize=spec.size(PAGE, height), layout="constrained")
    room = room_for(
        (figure.get_size_inches()[1] - 1.1) / len(names),
        "0",
        points("ytick.labelsize"),
        across=False,
    )
    rows = np.atleast_1d(np.asarray(figure.subplots(len(names), 1, sharex=True)))
    for axes, name in zip(rows, names, strict=True):
        values = samples.values[name]
        attributes = described(samples.attributes[name], spec.axes.get(name), values)
        scale = scale_of(attributes)
        coordinates = scale.forward(values)
        for index, ensemble in enumerate(coordinates):
            colour = ENSEMBLE_COLOURS[index % len(ENSEMBLE_COLOURS)]
            low, high = np.quantile(ensemble, [0.16, 0.84], axis=1)
            # On the axis, where two signs average to zero; a median would jump between them.
            mean = ensemble.mean(axis=1)
            step = np.arange(len(mean))
            axes.fill_between(step, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(step, mean, color=colour, linewidth=1, label=f"ensemble {index + 1}")
        axes.set_ylabel(axis_label(attributes), fontsize=points("axes.labelsize"))
        span = (float(coordinates.min()), float(coordinates.max()))
        if span[1] > span[0]:
            axes.set_ylim(*span)
            scale.set_ticks(axes.yaxis, span, room)
        axes.tick_params(labelsize=points("ytick.labelsize"))
    rows[-1].set_xlabel("stored step", fontsize=points("axes.labelsize"))
    handles = rows[0].get_legend_handles_labels()
    size = points("legend.fontsize")
    figure.legend(*handles, loc="outside lower right", ncols=4, fontsize=size)
    add_title(figure, spec.titled(f"{title}: mean and central 68 % of the walkers"))
    return finished(figure)
