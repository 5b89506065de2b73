"""Calibrated p-values from pseudo-experiments that are drawn from a hypothesis and fitted again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np

from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.significance import chi2_tail, two_sided_sigma
from zpfit.analysis.toys.block import (
    CHI2,
    CHI2_NESTED,
    CHI2_NO_ZPRIME,
    DELTA_CHI2,
    DELTA_CHI2_NESTED,
    JOINT_SIGMA,
    TOYS_PER_BLOCK,
    BlockResult,
    RunSource,
    ToyProblem,
    chi2_without,
    run_from,
    statistics,
    toy_block,
    truth_of,
)
from zpfit.analysis.toys.p_value import EmpiricalP, empirical_p
from zpfit.analysis.toys.pseudo_data import pseudo_data, search_rng
from zpfit.analysis.toys.refit import solution_pool
from zpfit.errors import FailedTasks, InvalidInput, NotNested, OtherToys, Stopped
from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.registry import packages_behind
from zpfit.inference.search.best_fit import best_fit, starting_points
from zpfit.io.arrays import FloatArray
from zpfit.io.versions import versions
from zpfit.io.writing import make_folder, write_whole
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.run_file import find_run_file, resolved_settings
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.signals import listening
from zpfit.runs.toy_folder import ToyFolder
from zpfit.runs.workers import Workers, open_workers

Hypothesis = Literal["no-zprime", "best-fit", "nested"]
_PREPARATION = 0
"""First number of the random streams of searches before the blocks."""
_TIE = 1e-3
"""Difference in a statistic that searches cannot tell."""
_AGREEMENT = 0.1
"""Difference in chi2 between fast refit and global search of the data that is worth a word."""
_SAME = 1e-9
"""Relative; another processor may round differently."""
_QUANTILES = {"q16": 0.16, "median": 0.5, "q84": 0.84, "q95": 0.95, "q99": 0.99}


@dataclass(frozen=True)
class ToyRequest:
    """What :command:`zpfit toys` is asked for."""

    file: RunSource
    toys: int
    hypothesis: Hypothesis = "no-zprime"
    nested: RunSource | None = None
    joint_sigma: bool = True


@dataclass(frozen=True)
class Statistic:
    """One test statistic: of the data, of toys, and how extreme the data are."""

    observed: float
    """By the fast refit, which toys had; infinite where the joint sigma does not exist."""
    by_global_search: float
    toys: FloatArray
    p: EmpiricalP
    naive_degrees: int | None
    """Of the chi2 distribution that linear models without bounds would follow; None: none."""


@dataclass(frozen=True)
class ToyResult:
    """Everything that :command:`zpfit toys` reports."""

    statistics: Mapping[str, Statistic]
    columns: Mapping[str, FloatArray]
    """A row for each toy."""
    new: tuple[BlockResult, ...]
    """Blocks that were computed now and not before."""
    shortcomings: tuple[str, ...]


def toys_in_folder(
    request: ToyRequest,
    folder: ToyFolder,
    choice: ExecutorChoice,
    progress: Progress,
    *,
    force: bool,
) -> tuple[dict[str, Any], ToyResult]:
    """Draw toys with workers of its own and keep everything; returns the record as well.

    Raises
    ------
    FolderInUse
        Another process is at work there.
    Stopped
        A signal asked for it; the same command goes on.
    MissingExtra, NoScheduler
        See :func:`zpfit.runs.workers.open_workers`.
    As :func:`checked` and :func:`toys`.
    """
    asked = checked(request)
    make_folder(folder.path)
    with RunFolder(folder.path).locked():
        try:
            with listening() as stop, open_workers(choice, stop) as workers:
                result = toys(asked, folder, workers, progress, force=force)
        except Stopped as error:
            raise Stopped(
                error.signal, error.number, "the same command goes on (without --force)"
            ) from error
        record = as_json(request, result)
        keep(record, result, folder)
    return record, result


@dataclass(frozen=True)
class CheckedRequest:
    """A request that makes sense, and the runs that it names."""

    request: ToyRequest
    run: Problem
    smaller: Problem | None


def checked(request: ToyRequest) -> CheckedRequest:
    """Resolve a request. Without anomalies in the likelihood there is no joint sigma.

    Raises
    ------
    InvalidInput
        The request contradicts itself.
    NotNested
        The second run file is no smaller model on the same data.
    NoSamplingDistribution
        A measurement is a table of chi2.
    """
    run = run_from(request.file)
    if not run.posterior.likelihood.anomalies:
        request = replace(request, joint_sigma=False)
    smaller = _nested(request, run)
    pseudo_data(run.posterior.likelihood, truth_of(run.posterior, None), 0, range(1))
    return CheckedRequest(request, run, smaller)


def toys(
    asked: CheckedRequest, folder: ToyFolder, workers: Workers, progress: Progress, *, force: bool
) -> ToyResult:
    """Draw toys up to the number asked for, of which those in the folder are taken as they are.

    Raises
    ------
    OtherToys, FilesExist
        See :meth:`zpfit.runs.toy_folder.ToyFolder.open`.
    NoAllowedPoint, NotANumber
        As :func:`zpfit.analysis.fit.fit`.
    FailedTasks
        Blocks failed while others went on.
    Stopped
        A signal asked for it.
    """
    run, smaller = asked.run, asked.smaller
    request = asked.request
    folder.open(_origin(request, run, smaller), force=force)
    for note in run.notes:
        progress.note(note)
    problem, observed = _prepared(request, run, folder, progress)
    columns, new = _all_blocks(problem, request.toys, folder, workers, progress)
    as_toys = _data_as_toys(problem)
    found = {
        name: Statistic(
            observed=as_toys[name],
            by_global_search=observed[name],
            toys=columns[name],
            p=empirical_p(columns[name], as_toys[name], _TIE),
            naive_degrees=_naive_degrees(name, request.hypothesis, run.posterior, smaller),
        )
        for name in (CHI2, DELTA_CHI2, DELTA_CHI2_NESTED, JOINT_SIGMA)
        if name in columns
    }
    return ToyResult(found, columns, new, tuple(_shortcomings(found)))


def _data_as_toys(problem: ToyProblem) -> dict[str, float]:
    """Statistics of the data by the procedure that toys have, in a block of toys like any other.

    What the searches miss they miss in both, so that p stays what it says.
    """
    likelihood = problem.posterior().likelihood
    rng = search_rng(problem.seed, _PREPARATION, 9)
    noise = rng.standard_normal((TOYS_PER_BLOCK - 1, len(problem.truth)))
    block = np.vstack([likelihood.data, likelihood.drawn(problem.truth, noise)])
    columns = statistics(problem, block, rng).columns
    return {name: float(values[0]) for name, values in columns.items()}


def _nested(request: ToyRequest, run: Problem) -> Problem | None:
    if request.nested is None:
        if request.hypothesis == "nested":
            raise InvalidInput(["--hypothesis nested: needs --nested FILE, the smaller model"])
        return None
    smaller = run_from(request.nested)
    path = request.nested.path
    if _data_of(smaller) != _data_of(run):
        raise NotNested(path, f"its likelihood is not that of {request.file.path}")
    if smaller.posterior.dimension >= run.posterior.dimension:
        raise NotNested(
            path,
            f"it has {smaller.posterior.dimension} sampled parameters, not fewer than the "
            f"{run.posterior.dimension} of {request.file.path}",
        )
    return smaller


def _data_of(run: Problem) -> tuple[str, dict[str, bool]]:
    soft = {exclusion.name: exclusion.soft for exclusion in run.posterior.likelihood.exclusions}
    return run.assembled.data_hash(), soft


def _origin(request: ToyRequest, run: Problem, smaller: Problem | None) -> dict[str, Any]:
    """All that toys depend on but their number."""
    return {
        "versions": versions(packages_behind(run.settings.sampler.engine)),
        "hypothesis": request.hypothesis,
        "seed": run.settings.seed,
        "joint_sigma": request.joint_sigma,
        "run": _origin_of(run),
        "nested": None if smaller is None else _origin_of(smaller),
        "toys_per_block": TOYS_PER_BLOCK,
    }


def _origin_of(run: Problem) -> dict[str, Any]:
    settings = resolved_settings(run)
    kept = ("model", "likelihood", "priors", "best_fit", "joint_sigma")
    return {name: settings[name] for name in kept} | {"data_hash": run.data_hash()}


def _prepared(
    request: ToyRequest, run: Problem, folder: ToyFolder, progress: Progress
) -> tuple[ToyProblem, dict[str, float]]:
    """What every block starts from, and the statistics of the data by global searches."""
    stored = folder.start()
    if stored is None:
        stored = _prepare(request, run, progress)
        stored["pool_chi2"] = _chi2_of(run.posterior, stored["pool"])
        folder.write_start(stored)
    elif not np.allclose(_chi2_of(run.posterior, stored["pool"]), stored["pool_chi2"], rtol=_SAME):
        raise OtherToys(folder.path, "chi2 of the same points has changed, as if code had")
    problem = ToyProblem(
        run=request.file,
        nested=request.nested,
        seed=run.settings.seed,
        joint_sigma=request.joint_sigma,
        truth=stored["truth"],
        pool=stored["pool"],
        nested_pool=stored.get("nested_pool"),
    )
    names = (CHI2, CHI2_NO_ZPRIME, DELTA_CHI2, CHI2_NESTED, DELTA_CHI2_NESTED, JOINT_SIGMA)
    return problem, {name: float(stored[name]) for name in names if name in stored}


def _chi2_of(posterior: Posterior, u: FloatArray) -> FloatArray:
    residuals = posterior.residuals(u, 0.0)
    result: FloatArray = np.einsum("nk,nk->n", residuals, residuals)
    return result


def _prepare(request: ToyRequest, run: Problem, progress: Progress) -> dict[str, FloatArray]:
    posterior, seed = run.posterior, run.settings.seed
    progress.stage("Global best fit of the data")
    best_u, chi2 = _global_fit(run, posterior, search_rng(seed, _PREPARATION, 0))
    without = float(chi2_without(posterior, posterior.likelihood.data[None])[0])
    found = {CHI2: chi2, CHI2_NO_ZPRIME: without, DELTA_CHI2: without - chi2}
    nested_posterior: Posterior | None = None
    nested_u = best_u
    if request.nested is not None:
        smaller = run_from(request.nested)
        nested_posterior = replace(smaller.posterior, likelihood=posterior.likelihood)
        nested_u, least = _global_fit(smaller, nested_posterior, search_rng(seed, _PREPARATION, 1))
        found |= {CHI2_NESTED: least, DELTA_CHI2_NESTED: least - chi2}
    if request.joint_sigma:
        progress.stage("Joint sigma of the data")
        reached, notes = joint_sigma_or_none(
            posterior, search_rng(seed, _PREPARATION, 2), run.settings.joint_sigma
        )
        for note in notes:
            progress.note(note)
        if reached is not None or notes:
            found[JOINT_SIGMA] = np.inf if reached is None else reached.sigma
    truths: dict[Hypothesis, Callable[[], FloatArray]] = {
        "no-zprime": lambda: truth_of(posterior, None),
        "best-fit": lambda: truth_of(posterior, best_u),
        "nested": lambda: truth_of(nested_posterior or posterior, nested_u),
    }
    truth = truths[request.hypothesis]()
    progress.stage("Starting points of the fast refit")
    arrays = {name: np.array(value) for name, value in found.items()}
    arrays |= {"truth": truth}
    arrays["pool"] = solution_pool(posterior, truth, search_rng(seed, _PREPARATION, 3))
    if nested_posterior is not None:
        rng = search_rng(seed, _PREPARATION, 4)
        arrays["nested_pool"] = solution_pool(nested_posterior, truth, rng)
    return arrays


def _global_fit(
    run: Problem, posterior: Posterior, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    start_rng, kick_rng = rng.spawn(2)
    nothing = np.empty((0, posterior.dimension))
    starts = starting_points(run, nothing, np.empty(0), start_rng)
    best = best_fit(posterior, starts, kick_rng)
    return best.u, best.chi2


def _all_blocks(
    problem: ToyProblem, toys: int, folder: ToyFolder, workers: Workers, progress: Progress
) -> tuple[dict[str, FloatArray], tuple[BlockResult, ...]]:
    """The first so many toys, column by column, and the blocks that had to be computed."""
    names = _column_names(problem)
    blocks = range(-(-toys // TOYS_PER_BLOCK))
    there = {block: folder.block(block, names, TOYS_PER_BLOCK) for block in blocks}
    missing = [block for block in blocks if there[block] is None]
    done = len(blocks) - len(missing)
    kept = f", {done * TOYS_PER_BLOCK} from before" if done else ""
    progress.stage(f"{len(blocks) * TOYS_PER_BLOCK} toys{kept}")
    new, failures = [], {}
    items = [(problem, block) for block in missing]
    for outcome in workers.run(toy_block, items):
        block = missing[outcome.index]
        if outcome.value is None:
            failures[f"block {block}"] = outcome.error or ""
            continue
        folder.write_block(block, outcome.value.columns)
        there[block] = dict(outcome.value.columns)
        new.append(outcome.value)
        toys_done = (done + len(new)) * TOYS_PER_BLOCK
        progress.update(len(new) / len(missing), f"{toys_done} toys")
    if failures:
        raise FailedTasks(failures, len(missing), "blocks of toys")
    whole = [columns for block in blocks if (columns := there[block]) is not None]
    joined = {name: np.concatenate([part[name] for part in whole])[:toys] for name in names}
    return joined, tuple(new)


def _column_names(problem: ToyProblem) -> list[str]:
    names = ["toy", CHI2, CHI2_NO_ZPRIME, DELTA_CHI2]
    names += [CHI2_NESTED, DELTA_CHI2_NESTED] if problem.nested_pool is not None else []
    names += [JOINT_SIGMA] if problem.joint_sigma else []
    likelihood = problem.posterior().likelihood
    return names + [f"data[{term.name}]" for term in likelihood.measurements]


def _naive_degrees(
    name: str, hypothesis: Hypothesis, posterior: Posterior, smaller: Problem | None
) -> int | None:
    """Degrees of freedom if parameters were linear, free and all measured; None without any.

    A difference of two chi2 has them only where toys come from the smaller of the two models.
    """
    terms = len(posterior.likelihood.measurements)
    fitted = min(posterior.dimension, terms)
    degrees = {CHI2: terms - fitted}
    if hypothesis == "no-zprime":
        degrees[DELTA_CHI2] = fitted
    if smaller is not None and hypothesis != "best-fit":
        degrees[DELTA_CHI2_NESTED] = fitted - min(smaller.posterior.dimension, terms)
    return degrees.get(name) or None


def _shortcomings(found: Mapping[str, Statistic]) -> list[str]:
    result = []
    for name, row in found.items():
        off = row.observed - row.by_global_search
        if abs(off) > _AGREEMENT:
            result.append(
                f"the fast refit of the data gives a {name} that is {off:+.3f} off the global "
                "search, and that of toys may be as far off: try another --seed, or more "
                "best_fit.starts"
            )
    infinite = int(np.sum(~np.isfinite(found[CHI2].toys)))
    if infinite:
        result.append(f"no allowed point was found for {infinite} toys; they count as extreme")
    if DELTA_CHI2_NESTED in found:
        negative = int(np.sum(found[DELTA_CHI2_NESTED].toys < -_AGREEMENT))
        if negative:
            result.append(
                f"the smaller model fits {negative} toys better than the larger one: it is not "
                "contained in it, or the refit of the larger one misses minima"
            )
    return result


def as_json(request: ToyRequest, result: ToyResult) -> dict[str, Any]:
    """The result as JSON writes it; None where a number does not exist."""
    run = run_from(request.file)
    return {
        "title": run.title,
        "model": run.posterior.model.name,
        "nested": None if request.nested is None else run_from(request.nested).posterior.model.name,
        "likelihood": run.posterior.likelihood.name,
        "hypothesis": request.hypothesis,
        "seed": run.settings.seed,
        "toys": request.toys,
        "statistics": {name: _statistic(row) for name, row in result.statistics.items()},
        "rates": _rates(result.new),
        "shortcomings": list(result.shortcomings),
        "versions": versions(packages_behind(run.settings.sampler.engine)),
    }


def _statistic(row: Statistic) -> dict[str, Any]:
    naive = (
        None if row.naive_degrees is None else chi2_tail(row.by_global_search, row.naive_degrees)
    )
    return {
        "observed": _finite(row.observed),
        "observed_global": _finite(row.by_global_search),
        "extreme": row.p.extreme,
        "p_value": row.p.p_value,
        "p_interval": list(row.p.interval),
        "p_upper_limit": row.p.upper_limit,
        "sigma": row.p.sigma,
        "sigma_interval": list(row.p.sigma_interval),
        "naive_dof": row.naive_degrees,
        "naive_p_value": naive,
        "naive_sigma": None if naive is None else two_sided_sigma(naive),
        "toys_mean": _finite(float(np.mean(row.toys))),
        # Of joint sigmas some may be infinite: then a quantile is one of the toys.
        "toys_quantiles": {
            name: _finite(float(np.quantile(row.toys, q, method="inverted_cdf")))
            for name, q in _QUANTILES.items()
        },
    }


def _rates(new: tuple[BlockResult, ...]) -> dict[str, Any]:
    """Of the toys computed now, in toys per second of one core."""
    toys = len(new) * TOYS_PER_BLOCK
    fit = sum(block.fit_seconds for block in new)
    level = sum(block.joint_sigma_seconds for block in new)
    return {
        "computed_now": toys,
        "toys_per_second_per_core": toys / (fit + level) if new else None,
        "toys_per_second_per_core_without_joint_sigma": toys / fit if new else None,
    }


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if np.isfinite(value) else None


def keep(record: Mapping[str, Any], result: ToyResult, folder: ToyFolder) -> None:
    """Write numbers, rows and figure to the folder.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    from zpfit.plots.style import house_style, pdf, png
    from zpfit.plots.toys import toys_figure

    folder.write_results(record, result.columns)
    with house_style():
        figure = toys_figure(record, result.columns)
        write_whole(folder.path / "toys.png", png(figure))
        write_whole(folder.path / "toys.pdf", pdf(figure))


def sources(
    file: str, nested: str | None, changes: Mapping[str, str]
) -> tuple[RunSource, RunSource | None]:
    """Run files as every process finds them; what changes the data changes them for both."""
    asked = uuid4().hex
    shared = {k: v for k, v in changes.items() if k.split(".")[0] in {"likelihood", "seed"}}
    smaller = None if nested is None else _source(nested, shared, asked)
    return _source(file, changes, asked), smaller


def default_folder(source: RunSource) -> Path:
    """Where toys go that nobody has a place for."""
    return Path("output") / f"toys_{run_from(source).name}"


def _source(file: str, changes: Mapping[str, str], asked: str) -> RunSource:
    return RunSource(find_run_file(file).resolve(), tuple(sorted(changes.items())), asked)
