"""Coverage: how often the intervals of pseudo-experiments contain the true parameters.

Toys are drawn at one point of the parameters, the truth. Each is fitted and sampled as the data
would be. A profile likelihood interval contains the truth of a parameter if chi2, minimised with
that parameter fixed, exceeds its minimum by less than 1 (68.27 %) or 4 (95.45 %). A central
credible interval contains it if the posterior probability below the truth lies between the
quantiles.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from zpfit.analysis.records import (
    CoverageRecord,
    CoveredIntervals,
    CoveredRecord,
    PosteriorCounts,
)
from zpfit.analysis.toys.block import blocks_of, truth_of
from zpfit.analysis.toys.p_value import clopper_pearson
from zpfit.analysis.toys.pseudo_data import pseudo_data, search_rng
from zpfit.analysis.toys.refit import Experiments, refit, solution_pool
from zpfit.errors import InvalidInput, NoAllowedPoint, PoorProposal
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Fixed, Priors
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress, Silent
from zpfit.inference.sampling import evidence_of
from zpfit.io.arrays import FloatArray

if TYPE_CHECKING:
    from pandas import DataFrame

DELTA_CHI2, RANK = "delta_chi2", "rank"
"""Kinds of columns of a block; the parameter follows in brackets."""
CONVERGED = "converged"
"""Column of a block: 1 if the posterior of a toy is converged, 0 if not, NaN if there is none."""
LEVELS: Mapping[str, float] = {"68": 1.0, "95": 2.0}
"""Half-widths of the intervals in standard deviations of a normal distribution, by name."""
TOYS_PER_BLOCK = 10
"""Toys that share their batches: a unit of work for one process, some seconds with posteriors."""
_EFFECTIVE = 1_000
"""Effective samples of the posterior of a toy; the rank of the truth is known to 0.016."""
_TIE = 1e-3
"""Precision of chi2: a minimum with a fixed parameter may not lie below the free one."""
_POOL, _BLOCK, _POSTERIOR = 0, 1, 2
"""First key of the random streams of the pool, of the refits and of the posteriors."""
_NO_POSTERIOR = (
    "the posteriors of {} toys could not be sampled and are left out: raise "
    "vegas.max_evaluations, or widen the priors"
)
_NOT_CONVERGED = (
    "the posteriors of {} toys are not converged; their credible intervals are counted and may be "
    "wrong: raise vegas.max_evaluations"
)
_NO_REFIT = (
    "the refits of {} toys found no allowed point with a parameter at its truth; their profile "
    "intervals are left out: choose a true point farther from the exclusions"
)
_MANY_FAILED = 0.01
"""Fraction of toys with one failure above which the result has a shortcoming."""


@dataclass(frozen=True, eq=False)
class CoverageProblem:
    """Everything that a block of toys is computed from."""

    run: Problem
    truth: FloatArray
    """True point of the unit cube, shape (d,)."""
    predicted: FloatArray
    """Expectation of each measurement at the truth, shape (k,)."""
    pool: FloatArray
    """Starting points of the refits, shape (n, d)."""
    credible: bool = True
    """Sample the posterior of each toy."""

    def column_names(self) -> list[str]:
        """Return the names of the columns of a block."""
        names = self.run.posterior.names
        ranks = [*(f"{RANK}[{name}]" for name in names), CONVERGED] if self.credible else []
        return ["toy", *(f"{DELTA_CHI2}[{name}]" for name in names), *ranks]


Columns = Mapping[str, FloatArray]
RunBlocks = Callable[[CoverageProblem, Sequence[range]], Iterator[tuple[range, Columns]]]
"""Computes blocks of toys and yields each with the numbers of its toys, in any order."""


@dataclass(frozen=True)
class Covered:
    """Number of pseudo-experiments whose interval contains the truth.

    Examples
    --------
    >>> Covered(137, 200).fraction
    0.685
    """

    covered: int
    of: int
    """Pseudo-experiments with an interval."""

    @property
    def fraction(self) -> float:
        """Fraction of intervals that contain the truth; NaN without intervals."""
        return self.covered / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the fraction by Clopper and Pearson, 68.27 %."""
        return clopper_pearson(self.covered, self.of) if self.of else (0.0, 1.0)

    def record(self) -> CoveredRecord:
        """Return the numbers in the form of JSON; a fraction of nothing is None."""
        return {
            "covered": self.covered,
            "of": self.of,
            "fraction": self.fraction if self.of else None,
            "interval": list(self.interval),
        }


@dataclass(frozen=True, eq=False)
class Coverage:
    """Coverage of the intervals of each sampled parameter at one truth."""

    title: str
    model: str
    likelihood: str
    seed: int
    truth: Mapping[str, float]
    """True value of each sampled parameter."""
    columns: Columns
    """By name, each of shape (toys,): ``delta_chi2[...]`` of the truth of each parameter, not
    finite where a refit failed, and ``rank[...]``, the posterior probability below it, NaN where
    sampling failed; ``converged`` says whether the posterior is."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """LaTeX symbol of each sampled parameter."""
    figure: Mapping[str, Any] = field(default_factory=dict)
    """Description of the figure in the run file."""

    def __len__(self) -> int:
        """Return the number of toys."""
        return len(self.columns["toy"])

    @property
    def frame(self) -> "DataFrame":
        """One row for each toy."""
        from pandas import DataFrame

        return DataFrame(dict(self.columns))

    def profile(self, parameter: str) -> dict[str, Covered]:
        """Return the coverage of a parameter's profile likelihood intervals, by level."""
        found = self.columns[f"{DELTA_CHI2}[{parameter}]"]
        return {name: _count(found < width**2, found) for name, width in LEVELS.items()}

    def credible(self, parameter: str) -> dict[str, Covered] | None:
        """Return the coverage of a parameter's central credible intervals; None without any."""
        found = self.columns.get(f"{RANK}[{parameter}]")
        if found is None:
            return None
        return {
            name: _count(np.abs(found - 0.5) < norm.cdf(width) - 0.5, found)
            for name, width in LEVELS.items()
        }

    @property
    def posteriors(self) -> PosteriorCounts | None:
        """Numbers of toys by what became of their posteriors; None without credible intervals."""
        converged = self.columns.get(CONVERGED)
        if converged is None:
            return None
        return {
            "converged": int(np.sum(converged == 1)),
            "not_converged": int(np.sum(converged == 0)),
            "failed": int(np.sum(np.isnan(converged))),
        }

    @property
    def failed_refits(self) -> int:
        """Number of toys in which chi2 at the truth of a parameter was not found."""
        found = [values for name, values in self.columns.items() if name.startswith(DELTA_CHI2)]
        return int(np.sum(~np.isfinite(found).all(axis=0)))

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons not to trust the result, with remedies."""
        counts = self.posteriors or {"failed": 0, "not_converged": 0}
        reasons = (
            (counts["failed"], _NO_POSTERIOR),
            (counts["not_converged"], _NOT_CONVERGED),
            (self.failed_refits, _NO_REFIT),
        )
        many = _MANY_FAILED * len(self)
        return tuple(text.format(f"{n} of {len(self)}") for n, text in reasons if n > many)

    def record(self) -> CoverageRecord:
        """Return the result in the form of JSON."""
        counts = self.posteriors
        result: CoverageRecord = {
            "title": self.title,
            "model": self.model,
            "likelihood": self.likelihood,
            "seed": self.seed,
            "toys": len(self),
            "truth": dict(self.truth),
            "symbols": dict(self.symbols),
            "parameters": {name: self._intervals(name) for name in self.truth},
            "shortcomings": list(self.shortcomings),
        }
        if counts is not None:
            result["posteriors"] = counts
        if self.figure:
            result["figure"] = dict(self.figure)
        return result

    def _intervals(self, parameter: str) -> CoveredIntervals:
        profile = self.profile(parameter)
        result: CoveredIntervals = {
            "profile": {level: found.record() for level, found in profile.items()}
        }
        credible = self.credible(parameter)
        if credible is not None:
            result["credible"] = {level: found.record() for level, found in credible.items()}
        return result

    def __repr__(self) -> str:
        """Return one line with the fractions of the profile intervals of 68 %."""
        found = ", ".join(f"{name} {self.profile(name)['68'].fraction:.3g}" for name in self.truth)
        return f"Coverage({self.title!r}, {len(self)} toys: {found} of 0.683)"


def _count(inside: "np.ndarray[Any, np.dtype[np.bool_]]", values: FloatArray) -> Covered:
    known = np.isfinite(values)
    return Covered(int(np.sum(inside & known)), int(np.sum(known)))


def coverage(
    run: Problem,
    at: Mapping[str, float],
    n: int,
    *,
    credible: bool = True,
    progress: Progress | None = None,
    run_blocks: RunBlocks | None = None,
) -> Coverage:
    """Measure how often the intervals of ``n`` pseudo-experiments contain the truth.

    The seed of the run decides every number. Exclusions are conditions: they are the same in every
    toy.

    Parameters
    ----------
    run
        Model, priors, likelihood and settings.
    at
        True value of every sampled parameter.
    n
        Number of toys, at least 1.
    credible
        Sample the posterior of each toy as well, about a second each.
    progress
        Gets the stages and the number of finished toys. The default reports nothing.
    run_blocks
        Computes the blocks, by default one after the other in this process.

    Returns
    -------
    Coverage
        Counts for each parameter, and the columns of the toys.

    Raises
    ------
    InvalidInput
        The point is incomplete, names other parameters, or is excluded.
    OutsidePrior
        A value has no prior density.
    NoSamplingDistribution
        A measurement is a table of chi2.

    References
    ----------
    G. J. Feldman, R. D. Cousins, Phys. Rev. D 57, 3873 (1998), for coverage.
    """
    progress = progress or Silent()
    problem = prepare_coverage(run, at, progress, credible=credible)
    wanted = blocks_of(n, TOYS_PER_BLOCK)
    progress.stage(f"{n} toys")
    blocks: dict[range, Columns] = {}
    for block, columns in (run_blocks or _run_blocks_here)(problem, wanted):
        blocks[block] = columns
        done = sum(map(len, blocks))
        progress.update(done / n, f"{done} toys")
    columns = {
        name: np.concatenate([blocks[block][name] for block in wanted])
        for name in problem.column_names()
    }
    return coverage_of(run, at, columns)


def coverage_of(run: Problem, at: Mapping[str, float], columns: Columns) -> Coverage:
    """Return the coverage that the columns of all toys give; see :func:`coverage`."""
    return Coverage(
        title=run.title,
        model=run.posterior.model.name,
        likelihood=run.posterior.likelihood.name,
        seed=run.settings.seed,
        truth={name: float(at[name]) for name in run.posterior.names},
        columns=columns,
        symbols={p.name: p.symbol for p in run.posterior.model.parameters if p.name in at},
        figure=run.settings.figure.as_record(),
    )


def prepare_coverage(
    run: Problem, at: Mapping[str, float], progress: Progress, *, credible: bool = True
) -> CoverageProblem:
    """Check the truth and find starting points for the toys; see :func:`coverage`."""
    posterior = run.posterior
    truth = check_truth(posterior, at)
    predicted = truth_of(posterior, truth)
    progress.stage("Starting points of the refits")
    pool = solution_pool(posterior, predicted, search_rng(run.settings.seed, _POOL))
    return CoverageProblem(run, truth, predicted, pool, credible)


def check_truth(posterior: Posterior, at: Mapping[str, float]) -> FloatArray:
    """Return the truth as a point of the unit cube, shape (d,).

    Raises
    ------
    InvalidInput, OutsidePrior, NoSamplingDistribution
        See :func:`coverage`.
    """
    names = posterior.names
    unknown = [name for name in at if name not in names]
    missing = [name for name in names if name not in at]
    if unknown or missing:
        wanted = f"give a value of each sampled parameter: {', '.join(names)}"
        found = f"no value for {', '.join(missing)}" if missing else f"{unknown[0]!r} not sampled"
        raise InvalidInput([f"at: {found}; {wanted}"])
    u = posterior.priors.to_unit_cube(at, "at")
    if not np.isfinite(posterior.log_likelihood(u[None])[0]):
        excluded = posterior.likelihood.excluded_by(posterior.couplings(u[None]))[0]
        by = f"excluded by {', '.join(excluded)}" if excluded else "no point of the model"
        raise InvalidInput([f"at: the true point is {by}; choose an allowed one"])
    # Raises where a measurement has no sampling distribution, before anything is computed.
    pseudo_data(posterior.likelihood, truth_of(posterior, u), 0, range(1))
    return u


def _run_blocks_here(
    problem: CoverageProblem, blocks: Sequence[range]
) -> Iterator[tuple[range, Columns]]:
    for block in blocks:
        yield block, coverage_block(problem, block)


def coverage_block(problem: CoverageProblem, toys: range) -> Columns:
    """Draw the toys of a block, and return the columns of :class:`Coverage`.

    Parameters
    ----------
    problem
        The run, the truth and starting points.
    toys
        Numbers of the toys.
    """
    posterior, seed = problem.run.posterior, problem.run.settings.seed
    data = pseudo_data(posterior.likelihood, problem.predicted, seed, toys)
    rng = search_rng(seed, _BLOCK, toys.start)
    found = _delta_chi2(posterior, problem.pool, problem.truth, data, rng)
    if problem.credible:
        ranks = [
            _of_posterior(problem, row, search_rng(seed, _POSTERIOR, toy))
            for toy, row in zip(toys, data, strict=True)
        ]
        found = np.hstack([found, ranks])
    columns = np.hstack([np.array(toys, dtype=float)[:, None], found])
    return dict(zip(problem.column_names(), columns.T, strict=True))


def _delta_chi2(
    posterior: Posterior,
    pool: FloatArray,
    truth: FloatArray,
    data: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return chi2 with each parameter fixed at its truth, less the least chi2; shape (toys, d)."""
    rngs = rng.spawn(len(truth) + 1)
    least = refit(posterior, pool, data, rngs[0], known=truth[None]).chi2
    fixed = [
        _chi2_with_fixed(posterior, axis, pool, truth, data, rngs[axis + 1])
        for axis in range(len(truth))
    ]
    # A search with a fixed parameter may find a better point than the free one.
    least = np.minimum(least, np.min(fixed, axis=0) + _TIE)
    result: FloatArray = np.maximum(np.array(fixed) - least, 0.0).T
    return result


def _chi2_with_fixed(
    posterior: Posterior,
    axis: int,
    pool: FloatArray,
    truth: FloatArray,
    data: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the least chi2 of each toy with one parameter at its truth, shape (toys,)."""
    others = np.delete(truth, axis)[None]
    if not others.size:
        toys = np.arange(len(data))
        return Experiments(posterior, data).chi2(np.tile(truth, (len(data), 1)), toys)
    name = posterior.names[axis]
    value = float(posterior.parameters(truth[None])[name][0])
    priors = Priors({**posterior.priors.by_name, name: Fixed(value=value)})
    reduced = replace(posterior, priors=priors)
    return refit(reduced, np.delete(pool, axis, axis=1), data, rng, known=others).chi2


def _of_posterior(
    problem: CoverageProblem, data: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return the posterior probability below the truth of each parameter of a toy, shape (d + 1,).

    The last number is 1 if the posterior is converged, 0 if not. All are NaN without a posterior.
    """
    posterior = problem.run.posterior
    of_toy = replace(posterior, likelihood=posterior.likelihood.with_data(data))
    try:
        found = evidence_of(of_toy, problem.run.settings, rng, effective=_EFFECTIVE)
    except (NoAllowedPoint, PoorProposal):
        return np.full(len(problem.truth) + 1, np.nan)
    # The coordinates of the unit cube increase with the parameters.
    below = found.samples.u < problem.truth
    return np.append(np.exp(found.samples.log_weight) @ below, float(not found.shortcomings))
