"""A run file as input of cobaya: the same parameters, priors and likelihood.

Coordinates of the unit cube are what cobaya samples, with a flat prior, so that every prior of
zpfit is there exactly and evidences agree; parameters follow from them.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zpfit.config import Run
from zpfit.priors import FreePrior, LogUniform, Normal, SignedLogUniform, Uniform
from zpfit.yaml_file import dump_yaml

LIKELIHOOD = "zpfit.interfaces.cobaya.ZpfitLikelihood"
_COORDINATE = "u_"
_WIDTH = 0.05
"""Of cobaya's first proposals and of the scatter of its first points."""


def files(
    run: Run, source: str, start: Mapping[str, float] | None, root: str
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Name of the file and how to write it."""
    text = dump_yaml(cobaya_input(run, source, start))
    yield f"{root}.cobaya.yaml", partial(Path.write_text, data=text, encoding="utf-8")


def cobaya_input(run: Run, source: str, start: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What an input file of cobaya holds.

    ``source`` is what its ``run_file`` says; chains begin about ``start``, a value for each
    sampled parameter, or anywhere in the prior where the likelihood is not zero.
    """
    symbols = {p.name: p.symbol or p.name for p in run.posterior.model.parameters}
    free = run.posterior.priors.free
    cube = None if start is None else run.posterior.priors.to_unit_cube(start)
    params: dict[str, Any] = {}
    for axis, (name, prior) in enumerate(free.items()):
        coordinate: dict[str, Any] = {"prior": {"min": 0.0, "max": 1.0}}
        if cube is not None:
            coordinate["ref"] = float(cube[axis])
        params[f"{_COORDINATE}{name}"] = coordinate | {"proposal": _WIDTH, "drop": True}
        params[name] = {
            "value": f"lambda {_COORDINATE}{name}: {_formula(prior, f'{_COORDINATE}{name}')}",
            "latex": symbols[name],
        }
    return {
        "likelihood": {LIKELIHOOD: {"run_file": source}},
        "params": params,
        "sampler": {"mcmc": {"max_tries": "10000d", "learn_proposal": True}},
    }


def _formula(prior: FreePrior, u: str) -> str:
    """The inverse cumulative distribution in NumPy, as :mod:`zpfit.priors` has it."""
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
    steps = round((1 / prior.grain - 1) / 2)
    values = 2 * steps + 1
    return f"(np.clip(np.floor({u} * {values}), 0, {values - 1}) - {steps}) / {prior.denominator}"
