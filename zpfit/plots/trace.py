"""Trace plot: converged ensembles stay level and agree with each other."""

import numpy as np
from matplotlib.figure import Figure

from zpfit.inference.samplers.result import StoredSamples
from zpfit.plots.scales import axis_label, scale_of
from zpfit.plots.style import ENSEMBLE_COLOURS


def trace_figure(samples: StoredSamples, title: str) -> Figure:
    """Draw mean and central 68 % over the walkers against the step, for each parameter."""
    names = list(samples.values)
    figure = Figure(figsize=(8, 1.2 + 1.15 * len(names)), layout="constrained")
    rows = np.atleast_1d(np.asarray(figure.subplots(len(names), 1, sharex=True)))
    for axes, name in zip(rows, names, strict=True):
        scale = scale_of(samples.attributes[name])
        coordinates = scale.forward(samples.values[name])
        for index, ensemble in enumerate(coordinates):
            colour = ENSEMBLE_COLOURS[index % len(ENSEMBLE_COLOURS)]
            low, high = np.quantile(ensemble, [0.16, 0.84], axis=1)
            # On the axis, where two signs average to zero; a median would jump between them.
            mean = ensemble.mean(axis=1)
            step = np.arange(len(mean))
            axes.fill_between(step, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(step, mean, color=colour, linewidth=1, label=f"ensemble {index + 1}")
        axes.set_ylabel(axis_label(samples.attributes[name]), fontsize=11)
        span = (float(coordinates.min()), float(coordinates.max()))
        axes.set_ylim(*span) if span[1] > span[0] else None
        scale.set_ticks(axes.yaxis, span)
        axes.tick_params(labelsize=9)
    rows[-1].set_xlabel("stored step")
    rows[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, fontsize=9)
    figure.suptitle(f"{title}: mean and central 68 % of the walkers", fontsize=11)
    return figure
