"""Profile likelihood and posterior of one or two parameters, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zpfit.analysis.levels import REGIONS, delta_chi2
from zpfit.analysis.profile.axis import Axis
from zpfit.analysis.profile.contours import area_below, cells_of, crossed_share
from zpfit.analysis.profile.likelihood import ProfileLikelihood, profile_likelihood
from zpfit.analysis.profile.plane import PlaneDensity
from zpfit.analysis.profile.refinement import ROUGH, TOLERANCE
from zpfit.analysis.profile.regions import Density, intervals, unknown_ends
from zpfit.analysis.records import ProfileCurve, ProfileDensity, ProfileLevel, ProfileRecord
from zpfit.analysis.summary import axis_attributes
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.importance import Integral
from zpfit.inference.sampling import evidence_of
from zpfit.inference.search.best_fit import best_fit, starting_points
from zpfit.io.arrays import FloatArray
from zpfit.io.numbers import percent

DEFAULT_POINTS = {1: 60, 2: 40}
"""Nodes on each axis before refinement, by the number of axes."""
_PRIOR_DRAWS = 20_000
"""Prior draws; the model must exist at one of them."""
_EFFECTIVE = 40_000
"""Effective number of weighted samples to aim at, for smooth regions."""
_BLURRED = 0.1
"""Growth of a posterior's areas with a kernel twice as wide above which they are uncertain."""
_ENOUGH = 10_000
"""Effective samples below which the edges of regions are dominated by noise."""


@dataclass(frozen=True)
class Level:
    """A confidence level of a profile, and the probability of a credible region."""

    probability: float
    delta_chi2: float
    """Chi2 above the least one, up to which a point is inside."""


@dataclass(frozen=True)
class Profile:
    """Profile likelihood and posterior density of one or two parameters."""

    likelihood: ProfileLikelihood
    density: Density | PlaneDensity
    """Density of the posterior in the coordinates of the axes."""
    samples: FloatArray
    """Posterior samples in the coordinates of the axes, shape (n, axes)."""
    effective: float
    """Effective number of posterior samples."""
    levels: tuple[Level, ...]
    """Levels of the intervals or regions, in increasing order."""
    shortcomings: tuple[str, ...]
    """Reasons why the result is not converged, with remedies; empty if it is."""


def profile(
    run: Problem,
    axes: Sequence[Axis],
    points: int | None,
    progress: Progress,
    integral: Integral | None = None,
    levels: Sequence[Level] = (),
) -> Profile:
    """Compute the profile likelihood on a grid, and the density of the posterior.

    Parameters
    ----------
    run
        Problem; its seed settles every random number.
    axes
        One or two axes of the grid.
    points
        Nodes on each axis before refinement; :data:`DEFAULT_POINTS` for None.
    progress
        Receiver of stages and notes.
    integral
        Samples of the posterior, if they exist already.
    levels
        Levels of intervals or regions; those of :func:`levels_of` if there are none.

    Raises
    ------
    ModelNeverValid, NoAllowedPoint, PoorProposal, UndefinedValue
        See :func:`zpfit.analysis.fit.fit`.
    """
    posterior = run.posterior
    rngs = np.random.default_rng(run.settings.seed).spawn(5)
    for note in run.notes:
        progress.note(note)
    posterior.impossible_fraction(_PRIOR_DRAWS, rngs[0])
    if integral is None:
        integral = evidence_of(posterior, run.settings, rngs[1], progress, _EFFECTIVE)
    samples = integral.samples
    progress.stage("Best fit")
    levels = tuple(levels) or levels_of(REGIONS, len(axes))
    starts = starting_points(run, samples.u, samples.log_likelihood, rngs[2])
    best = best_fit(posterior, starts, rngs[3])
    progress.stage("Profile likelihood")
    found = profile_likelihood(
        posterior,
        axes,
        DEFAULT_POINTS[len(axes)] if points is None else points,
        best,
        (samples.u, samples.log_likelihood),
        rngs[4],
        progress,
        levels=[level.delta_chi2 for level in levels],
    )
    at = np.column_stack([axis.from_cube(samples.u[:, axis.index]) for axis in axes])
    density = (Density if len(axes) == 1 else PlaneDensity).of(
        at,
        samples.weight,
        [axis.reach for axis in axes],
    )
    shortcomings = (
        *integral.shortcomings,
        *_too_few(samples.effective),
        *unresolved(found, levels),
        *_unseen(found),
        *_blurred(density),
    )
    return Profile(found, density, at, samples.effective, levels, shortcomings)


def levels_of(probabilities: Sequence[float], dimension: int) -> tuple[Level, ...]:
    """Return levels with the Delta chi2 of Wilks' theorem, for two-sided intervals or regions."""
    return tuple(Level(p, delta_chi2(p, dimension)) for p in probabilities)


def _too_few(effective: float) -> list[str]:
    if effective >= _ENOUGH:
        return []
    found = f"{effective:,.0f} effective samples of the posterior, but smooth"
    return [f"{found} regions need {_ENOUGH:,}: raise vegas.max_evaluations"]


def unresolved(found: ProfileLikelihood, levels: Sequence[Level]) -> list[str]:
    """Return a shortcoming for each level whose intervals or regions are known too poorly."""
    result, remedy = [], "choose a narrower range of the axes, or raise the number of points"
    delta = found.delta_chi2
    for level in (own.delta_chi2 for own in levels):
        if delta.ndim == 1:
            error, limit = unknown_ends(found.coordinates[0], delta, level), TOLERANCE
            what = "ends of the intervals"
        else:
            error = 0.25 * crossed_share(found.coordinates, cells_of(delta), level)
            limit, what = 0.25 * ROUGH, "areas of the regions"
        if error > 1.001 * limit:
            known = f"known to {percent(error)} only" if error < 1 else "unknown"
            result.append(f"{what} with Delta chi2 < {level:g} are {known}: {remedy}")
    return result


def _unseen(found: ProfileLikelihood) -> list[str]:
    if not found.hidden:
        return []
    what = f"{found.hidden} allowed points of the search and the samples lie outside the regions"
    return [f"{what} of the profile: choose a narrower range of the axes, or more points"]


def _blurred(density: Density | PlaneDensity) -> list[str]:
    """Return a shortcoming if the areas of a plane depend on how the samples are smoothed."""
    if isinstance(density, Density) or density.excess <= _BLURRED:
        return []
    grown = f"{percent(density.excess)} larger with kernels twice as wide"
    what = f"areas of the posterior's regions are {grown}, and may be too large by as much"
    remedy = "choose narrower priors, or parameters along and across the regions"
    return [f"{what}: {remedy}"]


def profile_record(run: Problem, result: Profile) -> ProfileRecord:
    """Return the record of a result; None where a number does not exist."""
    found, posterior = result.likelihood, run.posterior
    attributes = axis_attributes(posterior)
    record: ProfileRecord = {
        "title": run.title,
        "model": posterior.model.name,
        "likelihood": posterior.likelihood.name,
        "seed": run.settings.seed,
        "axes": [{"name": axis.name, **attributes[axis.name]} for axis in found.axes],
        "best_fit": {
            "chi2": found.best.chi2,
            "parameters": _point(posterior, found.best.u),
        },
        "profile": _profile(found, result.levels),
        "posterior": _posterior(found.axes, result),
        "converged": not result.shortcomings,
        "shortcomings": list(result.shortcomings),
    }
    if figure := run.settings.figure.as_record():
        record["figure"] = figure
    return record


def _point(posterior: Posterior, u: FloatArray) -> dict[str, float]:
    return {name: float(values[0]) for name, values in posterior.parameters(u[None]).items()}


def _profile(found: ProfileLikelihood, chosen: Sequence[Level]) -> ProfileCurve:
    delta = found.delta_chi2
    levels: list[ProfileLevel] = []
    for level in chosen:
        row: ProfileLevel = {"probability": level.probability, "delta_chi2": level.delta_chi2}
        if delta.ndim == 1:
            pieces = intervals(found.coordinates[0], delta, level.delta_chi2)
            row["intervals"] = in_values(found.axes[0], pieces)
        else:
            row["area"] = area_below(found.coordinates, delta, level.delta_chi2)
        levels.append(row)
    return {
        "values": _columns(found.axes, found.coordinates),
        "delta_chi2": _finite(np.round(delta, 6).tolist()),
        "levels": levels,
        "jumps": found.jumps,
    }


def _finite(table: Any) -> Any:
    """Return a table with None in place of infinity, which JSON lacks."""
    if isinstance(table, list):
        return [_finite(row) for row in table]
    return table if np.isfinite(table) else None


def _posterior(axes: Sequence[Axis], result: Profile) -> ProfileDensity:
    density = result.density
    levels: list[ProfileLevel] = []
    for probability in (level.probability for level in result.levels):
        row: ProfileLevel = {
            "probability": probability,
            "density": density.threshold(probability),
        }
        if isinstance(density, Density):
            row["intervals"] = in_values(axes[0], density.intervals(probability))
        else:
            row["area"] = _area(axes, density, probability)
        levels.append(row)
    mode = zip(axes, density.mode, strict=True)
    edges, shown = density.shown()
    return {
        "values": _columns(axes, [(own[1:] + own[:-1]) / 2 for own in edges]),
        "edges": _columns(axes, edges),
        "density": shown.tolist(),
        "levels": levels,
        "mode": {axis.name: float(axis.values(np.array([c]))[0]) for axis, c in mode},
        "effective_samples": result.effective,
        "reach": _ends_of_priors(axes),
    }


def _area(axes: Sequence[Axis], density: PlaneDensity, probability: float) -> float:
    """Return the fraction of the plane in a region of highest density."""
    ends = [(axis.low, axis.high) for axis in axes]
    return density.area(probability, ends) / float(np.prod(np.diff(ends)))


def _columns(axes: Sequence[Axis], coordinates: Sequence[FloatArray]) -> list[list[float]]:
    return [axis.values(c).tolist() for axis, c in zip(axes, coordinates, strict=True)]


def in_values(axis: Axis, pieces: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Return intervals of an axis's coordinate as values of its parameter."""
    return [axis.values(np.array(ends)).tolist() for ends in pieces]


def _ends_of_priors(axes: Sequence[Axis]) -> list[list[float]]:
    """Return the ends of the prior of each axis."""
    return [axis.values(np.array(axis.reach)).tolist() for axis in axes]
