"""Problems at which products of histograms or searches for peaks may fail, with their ln Z."""

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma, log, pi, sqrt

import numpy as np
from scaling_problems import ESS, bent_ridge, many_peaks
from scipy.integrate import quad

from zpfit.inference.samplers.engine import LogLikelihood, SamplingTask
from zpfit.inference.sampling import sampling_task
from zpfit.io.arrays import FloatArray
from zpfit.runs.run_file import find_run_file, load_run

DRAWS = 50_000_000
"""Draws of the prior that give ln Z of a fit."""
_BLOCK = 100_000


@dataclass(frozen=True)
class Trial:
    """A problem with the value of ln Z that engines should find."""

    name: str
    task: SamplingTask
    log_z: float
    log_z_error: float = 0.0
    """Error of this value; zero for closed forms."""


def _closed(name: str, d: int, log_likelihood: LogLikelihood, log_z: float = 0.0) -> Trial:
    return Trial(f"{name}, {d} parameters", SamplingTask(log_likelihood, d, ESS), log_z)


# Closed forms


def equal_peaks(d: int, peaks: int) -> Trial:
    """Return round Gaussians of equal width and weight at random places."""
    width = 0.02
    centres = np.random.default_rng(peaks).uniform(0.15, 0.85, (peaks, d))
    norm = -log(peaks) - d * log(width * sqrt(2 * pi))
    squares = np.square(centres).sum(axis=1)

    def log_density(u: FloatArray) -> FloatArray:
        distances = np.square(u).sum(axis=1)[:, None] + squares - 2 * u @ centres.T
        parts = -0.5 / width**2 * distances
        largest = parts.max(axis=1)
        result: FloatArray = largest + np.log(np.exp(parts - largest[:, None]).sum(axis=1)) + norm
        return result

    return _closed(f"{peaks} equal peaks", d, log_density)


def unequal_peaks(d: int) -> Trial:
    """Return thirty Gaussians, close together, whose widths differ by up to five times."""
    return Trial(f"30 unequal peaks, {d} parameters", many_peaks(d).task, 0.0)


def parabola(d: int) -> Trial:
    """Return a ridge along a parabola, fifteen times as long as it is wide."""
    return Trial(f"bent ridge, {d} parameters", bent_ridge(d).task, 0.0)


def rosenbrock(blocks: int) -> Trial:
    """Return a hybrid Rosenbrock density, whose ridge bends twice in each block.

    The first coordinate is Gaussian, and each other one is Gaussian about the square of the
    coordinate before it in its block. F. Pagani, M. Wiegand and S. Nadarajah, Scand. J. Stat. 49,
    657 (2022), arXiv:1903.09556.
    """
    d = 1 + 2 * blocks
    widths = np.array([0.5, *blocks * (0.1, 0.3)])
    low = np.array([-2.0, *blocks * (-1.0, -3.0)])
    high = np.array([4.0, *blocks * (17.0, 292.0)])
    norm = np.log((high - low) / (widths * sqrt(2 * pi))).sum()

    def log_density(u: FloatArray) -> FloatArray:
        x = low + u * (high - low)
        means = np.ones_like(x)
        means[:, 1::2] = np.square(x[:, :1])
        means[:, 2::2] = np.square(x[:, 1::2])
        result: FloatArray = norm - 0.5 * np.square((x - means) / widths).sum(axis=1)
        return result

    return _closed("Rosenbrock", d, log_density)


def diagonal_ridge(d: int) -> Trial:
    """Return a Gaussian along the diagonal of the cube: every two parameters correlate by 0.999."""
    width, correlation = 0.08, 0.999
    across = width * sqrt(1 - correlation)
    along = width * sqrt(1 + (d - 1) * correlation)
    norm = -log(along) - (d - 1) * log(across) - d / 2 * log(2 * pi)

    def log_density(u: FloatArray) -> FloatArray:
        x = u - 0.5
        middle = np.square(x.sum(axis=1)) / d  # square of the part along the diagonal
        rest = np.square(x).sum(axis=1) - middle
        result: FloatArray = norm - 0.5 * (middle / along**2 + rest / across**2)
        return result

    return _closed("diagonal ridge", d, log_density)


def shell(d: int, width: float) -> Trial:
    """Return a Gaussian of the distance from the middle, of radius 0.3."""
    radius = 0.3

    def log_likelihood(u: FloatArray) -> FloatArray:
        distance = np.sqrt(np.square(u - 0.5).sum(axis=1))
        result: FloatArray = -0.5 * np.square((distance - radius) / width)
        return result

    def radial(r: float) -> float:
        return float(r ** (d - 1) * np.exp(-0.5 * ((r - radius) / width) ** 2))

    integral = quad(radial, radius - 10 * width, radius + 10 * width)[0]
    sphere = 2 * pi ** (d / 2) / gamma(d / 2)
    return _closed("shell", d, log_likelihood, log(sphere * integral))


# Fits of the packaged data


def packaged_fit(name: str, draws: int) -> Trial:
    """Return a packaged run; draws of the prior, which favour no engine, give its ln Z."""
    problem = load_run(find_run_file(name))
    task = sampling_task(problem.posterior, problem.settings)
    log_z, error = mean_over_prior(task, draws)
    return Trial(f"`{name}`, {task.dimension} parameters", task, log_z, error)


def mean_over_prior(task: SamplingTask, draws: int) -> tuple[float, float]:
    """Return ln of the mean likelihood over draws of the prior, and its standard error."""
    rng = np.random.default_rng(2021)
    first = second = 0.0
    blocks = draws // _BLOCK
    for _ in range(blocks):
        likelihood = np.exp(task.log_likelihood(rng.random((_BLOCK, task.dimension))))
        first += float(likelihood.sum())
        second += float(np.square(likelihood).sum())
    total = blocks * _BLOCK
    mean = first / total
    return log(mean), sqrt((second / total / mean**2 - 1) / total)


TRIALS: dict[str, Callable[[int], Trial]] = {
    "peaks-4": lambda _: equal_peaks(4, 5),
    "peaks-8": lambda _: equal_peaks(8, 10),
    "peaks-12": lambda _: equal_peaks(12, 30),
    "unequal-7": lambda _: unequal_peaks(7),
    "unequal-12": lambda _: unequal_peaks(12),
    "parabola": lambda _: parabola(8),
    "rosenbrock": lambda _: rosenbrock(2),
    "diagonal": lambda _: diagonal_ridge(8),
    "shell-4": lambda _: shell(4, 0.001),
    "shell-8": lambda _: shell(8, 0.003),
    "quickstart": lambda draws: packaged_fit("quickstart", draws),
    "today": lambda draws: packaged_fit("sm_u1_today_cs", draws),
}
"""Functions of the draws of the prior for fits, by the name of the problem."""
QUICK = ("peaks-4", "rosenbrock", "quickstart")
