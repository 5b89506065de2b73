"""A run file as input of cobaya: the same parameters, priors and likelihood.

Coordinates of the unit cube are what cobaya samples, with a flat prior, so that every prior of
zpfit is there exactly and evidences agree; parameters follow from them.
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
_WIDTH = 0.05
"""Of cobaya's first proposals; every chain starts at the same point."""


def starts(folder: RunFolder, names: tuple[str, ...]) -> Iterator[dict[str, float]]:
    """Sampled parameters at the best fit of a finished run, then at its samples, best first.

    Raises
    ------
    NotARunFolder
        It is damaged.
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
    """Name of the file and how to write it."""
    text = dump_yaml(cobaya_input(run, source, starts))
    yield f"{root}.cobaya.yaml", partial(Path.write_text, data=text, encoding="utf-8")


def cobaya_input(
    run: Problem, source: str, starts: Iterable[Mapping[str, float]] = ()
) -> dict[str, Any]:
    """What an input file of cobaya holds.

    ``source`` is what its ``run_file`` says; chains begin at the first of ``starts``, points with
    a value for each sampled parameter, at which cobaya finds a likelihood that is not zero; if
    there is none, anywhere in the prior where it finds one.
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
            # cobaya gives it to the likelihood, but has no column for such a name.
            params[name]["derived"] = False
    return {
        "likelihood": {LIKELIHOOD: {"run_file": source}},
        "params": params,
        "sampler": {"mcmc": {"max_tries": "10000d", "learn_proposal": True}},
    }


def _is_variable(name: str) -> bool:
    """Whether a name can be one of Python's, which cobaya asks of what it samples and keeps."""
    return name.isidentifier() and not iskeyword(name)


def _first_possible(run: Problem, points: Iterable[Mapping[str, float]]) -> FloatArray | None:
    """Coordinates of the first point that is possible where cobaya will have it.

    On the way through coordinates and formulas a point moves by a rounding, which may lead a best
    fit across the edge of an exclusion.
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
    """As cobaya computes it, to the last digit."""
    names = {"np": np, "stats": stats, "u": u}
    return float(eval(_formula(prior, "u"), names))  # noqa: S307 - a text with numbers of ours


def _formula(prior: FreePrior, u: str) -> str:
    """The inverse cumulative distribution in NumPy, as :mod:`zpfit.inference.priors` has it."""
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
