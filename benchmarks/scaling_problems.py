"""Problems of a size that is chosen: likelihoods with known ln Z, and fits of the packaged data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log, pi, sqrt

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.engine import LogLikelihood, SamplingTask
from zpfit.inference.sampling import sampling_task
from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import GaussianTerm, Measurement
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import find_run_file, load_run

ESS = 1000
"""Effective samples that engines are asked for; the error of ln Z needs more draws."""
FULL_SET, SHORT_SET = "effective_today_cs", "quickstart"
PRIOR = {"type": "signed_log_uniform", "lower": 1e-8, "upper": 1e-1}
"""Prior of the couplings of taus and quarks, as of the other couplings."""
LEPTONS = ("C_Ve", "C_Vmu", "C_nue", "C_numu", "C_Ae", "C_Amu")
MORE = ("C_Vtau", "C_Atau", "C_nutau", *(f"C_{kind}{quark}" for quark in "udscb" for kind in "VA"))
"""Couplings of taus and quarks, zero unless a fit frees them."""


@dataclass(frozen=True)
class Scaled:
    """A problem of one size."""

    series: str
    """Name of the line in the figure."""
    size: int
    """Number of parameters or terms."""
    task: SamplingTask
    log_z: float | None = None
    """Known ln Z."""


# Likelihoods with known ln Z


def few_peaks(d: int) -> Scaled:
    """Return four Gaussians of random places, weights, axes and widths."""
    return _normalised("4 peaks", d, _turned_peaks(np.random.default_rng(d), d, 4))


def many_peaks(d: int) -> Scaled:
    """Return thirty round Gaussians of random places, weights and widths."""
    return _normalised("30 peaks", d, _round_peaks(np.random.default_rng(d), d, 30))


def bent_ridge(d: int) -> Scaled:
    """Return a ridge along a parabola, fifteen times as long as it is wide."""
    return _normalised("bent ridge", d, _ridge(np.random.default_rng(d), d))


KNOWN: tuple[Callable[[int], Scaled], ...] = (few_peaks, many_peaks, bent_ridge)


def _normalised(series: str, d: int, log_density: LogLikelihood) -> Scaled:
    """Return a density as a likelihood: less than 1e-6 of it lies outside the cube."""
    return Scaled(series, d, SamplingTask(log_density, d, ESS), log_z=0.0)


def _turned_peaks(rng: np.random.Generator, d: int, peaks: int) -> LogLikelihood:
    """Return ln of a mixture of Gaussians whose principal widths are between 0.01 and 0.05."""
    shares, centres = rng.dirichlet(np.full(peaks, 2.0)), rng.uniform(0.3, 0.7, (peaks, d))
    widths = np.exp(rng.uniform(log(0.01), log(0.05), (peaks, d)))
    axes = [np.linalg.qr(rng.normal(size=(d, d)))[0] / row for row in widths]
    norms = np.log(shares) - np.log(widths).sum(axis=1) - d / 2 * log(2 * pi)

    def log_density(u: FloatArray) -> FloatArray:
        parts = [
            norm - 0.5 * np.square((u - centre) @ matrix).sum(axis=1)
            for norm, centre, matrix in zip(norms, centres, axes, strict=True)
        ]
        result: FloatArray = np.logaddexp.reduce(parts)
        return result

    return log_density


def _round_peaks(rng: np.random.Generator, d: int, peaks: int) -> LogLikelihood:
    """Return ln of a mixture of Gaussians whose widths are between 0.01 and 0.05."""
    shares, centres = rng.dirichlet(np.full(peaks, 2.0)), rng.uniform(0.3, 0.7, (peaks, d))
    widths = np.exp(rng.uniform(log(0.01), log(0.05), peaks))
    factors = centres.T / widths**2
    norms = np.log(shares) - d * np.log(widths * sqrt(2 * pi))
    norms -= 0.5 * np.square(centres / widths[:, None]).sum(axis=1)

    def log_density(u: FloatArray) -> FloatArray:
        parts = u @ factors - 0.5 * np.square(u).sum(axis=1)[:, None] / widths**2 + norms
        largest = parts.max(axis=1)
        result: FloatArray = largest + np.log(np.exp(parts - largest[:, None]).sum(axis=1))
        return result

    return log_density


def _ridge(rng: np.random.Generator, d: int) -> LogLikelihood:
    """Return ln of a Gaussian of the first axis times Gaussians about parabolas of it."""
    length, width = 0.1, 0.01
    bend = rng.choice([-1, 1], d - 1) * rng.uniform(0.5, 1.5, d - 1)
    norm = -log(length) - (d - 1) * log(width) - d / 2 * log(2 * pi)

    def log_density(u: FloatArray) -> FloatArray:
        along = u[:, :1] - 0.5
        across = u[:, 1:] - 0.5 - bend * (along**2 - length**2)
        result: FloatArray = norm - 0.5 * (
            (along[:, 0] / length) ** 2 + np.square(across / width).sum(axis=1)
        )
        return result

    return log_density


# Fits of the packaged data


def effective(d: int) -> Scaled:
    """Return the fit of the effective model with the mass and ``d`` - 1 couplings to today's data.

    The couplings of electrons and muons come first, then those of taus and quarks.
    """
    zero = {f"priors.parameters.{name}": 0 for name in LEPTONS[d - 1 :]}
    free = {f"priors.parameters.{name}": PRIOR for name in MORE[: max(d - 7, 0)]}
    problem = load_run(find_run_file(FULL_SET), zero | free)
    return Scaled("effective", d, sampling_task(problem.posterior, problem.settings))


def shared_terms(copies: int) -> Scaled:
    """Return the fit ``quickstart`` with every term repeated, and the same posterior.

    The copies of a term have the same prediction, which zpfit computes once.
    """
    return _repeated_terms("same predictions", copies, lambda function, _: function)


def separate_terms(copies: int) -> Scaled:
    """Return the same fit, with a prediction of its own for each copy."""
    return _repeated_terms("own predictions", copies, _apart)


KINDS_OF_TERMS: tuple[Callable[[int], Scaled], ...] = (shared_terms, separate_terms)
Prediction = Callable[..., FloatArray]
Change = Callable[[Prediction, int], Prediction]
"""Function from a prediction and the number of a copy to the prediction of the copy."""


def _repeated_terms(series: str, copies: int, change: Change) -> Scaled:
    problem = load_run(find_run_file(SHORT_SET))
    given = problem.posterior
    posterior = Posterior(given.model, given.priors, repeated(given.likelihood, copies, change))
    size = len(posterior.likelihood.names)
    return Scaled(series, size, sampling_task(posterior, problem.settings))


def repeated(likelihood: Likelihood, copies: int, change: Change) -> Likelihood:
    """Return a likelihood with ``copies`` independent measurements of each, with wider errors."""
    numbers = range(copies)
    measurements = [_wider(t, copies, k, change) for k in numbers for t in likelihood.measurements]
    exclusions = [
        replace(term, name=f"{term.name} {k}", ratio=change(term.ratio, k))
        for k in numbers
        for term in likelihood.exclusions
    ]
    return Likelihood(likelihood.name, tuple(measurements), tuple(exclusions))


def _wider(term: Measurement, copies: int, k: int, change: Change) -> GaussianTerm:
    if not isinstance(term, GaussianTerm):
        raise TypeError(f"{term.name}: only Gaussian measurements can be repeated")
    observable = replace(term.observable, function=change(term.observable.function, k))
    error = sqrt(copies) * term.error
    return replace(term, name=f"{term.name} {k}", observable=observable, error=error)


def _apart(prediction: Prediction, k: int) -> Prediction:
    """Return a prediction at a point so near that no result changes, but no call is shared."""
    factor = 1 + 1e-13 * k

    def function(c: Couplings) -> FloatArray:
        rows = {name: factor * getattr(c, name) for name in ("m_Zp", *LEPTONS)}
        return prediction(Couplings(**rows))

    return function
