"""Input files of cobaya with the parameters, priors and likelihood of a run file.

cobaya samples the coordinates of the unit cube with a flat prior and computes the parameters from
them. Every prior of zpfit is therefore reproduced exactly, and evidences agree.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from zpfit.inference.priors import FreePrior, LogUniform, Normal, SignedLogUniform, Uniform
from zpfit.inference.problem import Problem
from zpfit.interfaces.point_likelihood import PointLikelihood
from zpfit.io.arrays import FloatArray
from zpfit.io.yaml import dump_yaml
from zpfit.runs.run_folder import RunFolder

LIKELIHOOD = "zpfit.interfaces.cobaya.ZpfitLikelihood"
_COORDINATE = "u_"
"""Prefix of the name of a unit-cube coordinate."""
_WIDTH = 0.05
"""Width of cobaya's first proposals on the unit cube; cobaya then learns its own."""


def starts(folder: RunFolder, names: tuple[str, ...]) -> Iterator[dict[str, float]]:
    """Yield the sampled parameters at the best fit of a run, then at its samples, best first.

    Raises
    ------
    RunNotFound
        The folder is damaged.
    """
    best = folder.summary()["best_fit"]["parameters"]
    yield {name: best[name] for name in names}
    stored = folder.samples()
    values = {name: stored.values[name].ravel() for name in names}
    for index in np.argsort(-stored.log_likelihood, axis=None):
        yield {name: float(column[index]) for name, column in values.items()}


def files(
    run: Problem, source: str, starts: Iterable[Mapping[str, float]], root: str
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield the name of the file and a function that writes it."""
    text = dump_yaml(cobaya_input(run, source, starts))
    yield f"{root}.cobaya.yaml", partial(Path.write_text, data=text, encoding="utf-8")


def cobaya_input(
    run: Problem, source: str, starts: Iterable[Mapping[str, float]] = ()
) -> dict[str, Any]:
    """Return the content of an input file of cobaya.

    Parameters
    ----------
    run : Problem
        Model, priors and likelihood.
    source : str
        Name or path of the run file, for the option ``run_file`` of the likelihood.
    starts : iterable of mappings
        Points with a value for each sampled parameter. Chains start at the first point with a
        likelihood above zero, or at a draw from the prior if there is none.
    """
    symbols = {p.name: p.symbol or p.name for p in run.posterior.model.parameters}
    free = run.posterior.priors.free
    cube = _first_possible(run, starts)
    params: dict[str, Any] = {}
    for axis, (name, prior) in enumerate(free.items()):
        coordinate: dict[str, Any] = {"prior": {"min": 0.0, "max": 1.0}}
        if cube is not None:
            coordinate["ref"] = float(cube[axis])
        variable = _is_variable(name)
        u = f"{_COORDINATE}{name}" if variable else f"{_COORDINATE}axis_{axis}"
        params[u] = coordinate | {"proposal": _WIDTH, "drop": True}
        params[name] = {"value": f"lambda {u}: {_formula(prior, u)}", "latex": symbols[name]}
        if not variable:
            # cobaya passes such a parameter to the likelihood, but cannot have a column for it.
            params[name]["derived"] = False
    return {
        "likelihood": {LIKELIHOOD: {"run_file": source}},
        "params": params,
        "sampler": {"mcmc": {"max_tries": "10000d", "learn_proposal": True}},
    }


def _is_variable(name: str) -> bool:
    """Return whether a name is a Python variable, as cobaya requires of sampled parameters."""
    return name.isidentifier() and not iskeyword(name)


def _first_possible(run: Problem, points: Iterable[Mapping[str, float]]) -> FloatArray | None:
    """Return the coordinates of the first point with a likelihood above zero in cobaya.

    cobaya computes the point from its coordinates, which changes it by rounding. A best fit at the
    edge of an exclusion can become excluded.
    """
    likelihood = PointLikelihood(run.posterior)
    free = run.posterior.priors.free
    for point in points:
        cube = run.posterior.priors.to_unit_cube(point)
        moved = {n: _by_formula(free[n], u) for n, u in zip(free, cube.tolist(), strict=True)}
        if likelihood.log_likelihood(moved) > -np.inf:
            return cube
    return None


def _by_formula(prior: FreePrior, u: float) -> float:
    """Return a parameter as cobaya computes it, to the last digit."""
    names = {"np": np, "stats": stats, "u": u}
    return float(eval(_formula(prior, "u"), names))  # noqa: S307 - built from numbers alone


def _formula(prior: FreePrior, u: str) -> str:
    """Return the inverse cumulative distribution of :mod:`zpfit.inference.priors` as NumPy code."""
    match prior:
        case Uniform():
            return f"{prior.lower!r} + {u} * {prior.upper - prior.lower!r}"
        case LogUniform():
            return f"{prior.lower!r} * {prior.upper / prior.lower!r} ** {u}"
        case SignedLogUniform():
            size = f"{prior.lower!r} * {prior.upper / prior.lower!r} ** np.abs(2 * {u} - 1)"
            return f"np.copysign({size}, 2 * {u} - 1)"
        case Normal():
            return f"stats.norm.ppf({u}, {prior.mean!r}, {prior.sd!r})"
    steps = round((1 / prior.step_width - 1) / 2)
    values = 2 * steps + 1
    return f"(np.clip(np.floor({u} * {values}), 0, {values - 1}) - {steps}) / {prior.denominator}"
