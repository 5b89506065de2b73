"""Simulation-based calibration of the effective model: are posteriors as wide as they say?

Run as ``python tests/calibration.py [--simulations N] [--seed S]``; writes
docs/images/calibration.png.

Parameters are drawn from the prior where no exclusion forbids, the measurements
are drawn around what these predict, and vegas fits them. The rank of the truth in
the posterior is then uniform (Talts et al., arXiv:1804.06788), and so is that of
the truth's ln L, which sees the data where single parameters do not (Modrak et
al., arXiv:2211.02383).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import binom, chisquare

from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_maps
from zpfit.io.places import packaged_data
from zpfit.plots.style import (
    BEST_FIT_COLOUR,
    ENSEMBLE_COLOURS,
    MUTED,
    PAGE,
    StyledFigure,
    finished,
    house_style,
    png,
)
from zpfit.runs.run_file import load_run

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "calibration.png"
BINS = 10
LOG_LIKELIHOOD = "ln L"
_BATCH = 20_000
_MAPS = MapOptions(batch=_BATCH)
_TARGET = Target(error=0.05, effective=2000, max_evaluations=1_000_000)
_FEWEST = 300
"""Smallest number of effective samples for which a fit gives a rank."""
_SIZES = {"C_Ve": 3e-4, "C_Ae": 1e-4, "C_nue": 1e-5, "C_Vmu": 1e-3, "C_Amu": 3e-4, "C_numu": 3e-5}
"""Largest couplings; their effects on the data are some ten standard errors, not thousands."""


def _posterior():
    priors = {
        f"priors.parameters.{name}": f"{{type: signed_log_uniform, lower: 1e-7, upper: {size}}}"
        for name, size in _SIZES.items()
    }
    return load_run(packaged_data() / "runs" / "quickstart.yaml", priors).posterior


def _truth(posterior, rng):
    """Draw from the prior until no hard exclusion forbids the point."""
    while True:
        u = rng.random((1000, posterior.dimension))
        allowed = np.flatnonzero(np.isfinite(posterior.log_likelihood(u)))
        if len(allowed):
            return u[allowed[:1]]


def _with_simulated_data(posterior, truth, rng, error_factor):
    couplings = posterior.couplings(truth)
    measurements = tuple(
        replace(
            term,
            value=float(term.prediction(couplings)[0] + term.error * rng.normal()),
            error=term.error * error_factor,
        )
        for term in posterior.likelihood.measurements
    )
    return replace(posterior, likelihood=replace(posterior.likelihood, measurements=measurements))


def _fit(posterior, rng):
    maps = adapt_maps(posterior.log_likelihood, posterior.dimension, 2, rng, options=_MAPS)
    return integrate(posterior.log_likelihood, maps, rng, _TARGET, batch=_BATCH).samples


def _ranks(samples, truth, log_likelihood):
    """Return the posterior probability below the truth."""
    below = [samples.mean(samples.u[:, axis] < value) for axis, value in enumerate(truth[0])]
    return [*below, samples.mean(samples.log_likelihood < log_likelihood)]


def calibrate(simulations, seed, error_factor=1.0):
    """Return ranks of the truth, 0 to 1, for each parameter and ln L; shape (simulations,) each.

    ``error_factor`` other than 1 fits with wrong errors, which must show.
    """
    posterior, rows = _posterior(), []
    for rng in np.random.default_rng(seed).spawn(simulations):
        truth = _truth(posterior, rng)
        simulated = _with_simulated_data(posterior, truth, rng, error_factor)
        samples = _fit(simulated, rng)
        assert samples.effective > _FEWEST, samples.effective
        rows.append(_ranks(samples, truth, simulated.log_likelihood(truth)[0]))
    names = (*posterior.names, LOG_LIKELIHOOD)
    return dict(zip(names, np.array(rows).T, strict=True))


def uniformity(ranks):
    """Return the p-value of chi2 over equal bins."""
    counts, _ = np.histogram(ranks, BINS, (0, 1))
    return float(chisquare(counts).pvalue)


def figure(ranks, symbols) -> Figure:
    """Draw a histogram of ranks for each quantity, with the band that holds 99 % of counts."""
    with house_style():
        result = StyledFigure(figsize=(PAGE, 3.7), layout="constrained")
        axes = result.subplots(2, 4, sharex=True, sharey=True).ravel()
        for axis, (name, values) in zip(axes, ranks.items(), strict=True):
            low, high = binom.interval(0.99, len(values), 1 / BINS)
            axis.axhspan(low, high, color=MUTED, alpha=0.2, lw=0)
            axis.axhline(len(values) / BINS, color=MUTED, lw=0.8)
            axis.hist(values, BINS, range=(0, 1), color=ENSEMBLE_COLOURS[0], alpha=0.8, rwidth=0.92)
            p_value = uniformity(values)
            colour = "black" if p_value > 1e-3 / len(ranks) else BEST_FIT_COLOUR
            axis.set_title(f"${symbols[name]}$, $p = {p_value:.2f}$", color=colour)
            axis.set_xlim(0, 1)
            axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            axis.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        result.supxlabel("rank of the truth in the posterior")
        result.supylabel("simulations")
        return finished(result)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ranks = calibrate(options.simulations, options.seed)
    symbols = {p.name: p.symbol for p in _posterior().model.parameters}
    symbols[LOG_LIKELIHOOD] = r"\ln L"
    with house_style():
        png(figure(ranks, symbols), dpi=170)(IMAGE)
    for name, values in ranks.items():
        sys.stdout.write(f"{name:8} p = {uniformity(values):.3f}\n")


if __name__ == "__main__":
    main()
