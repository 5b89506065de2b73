"""Names of parameters, couplings and derived quantities: each must name one thing."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model, Values, in_words

RESERVED = frozenset(
    {
        "chain",
        "draw",
        "log_likelihood",
        "log_prior",
        "log_weight",
        "logL",
        "lp",
        "weight",
        "weights",
    }
)
"""Columns and dimensions of samples, here and in ArviZ, anesthetic and bilby."""
_UNWRITABLE = re.compile(r"[\s*?/]")
"""Characters that separate or mark names in files of GetDist and NetCDF."""
_EQUAL = 1e-9
"""Largest relative difference of a parameter and a coupling or derived quantity of its name."""


def problems_of_names(model: Model, values: Values) -> list[str]:
    """Return what is wrong with the names of a model's quantities; empty if nothing is.

    A parameter may have the name of a coupling or derived quantity only if it is that quantity, as
    in the model ``effective``. Tables of samples would hold one of the two otherwise.

    Parameters
    ----------
    model
        The model, as it is called for batches.
    values
        Every parameter at some points, each of shape (n,).

    Examples
    --------
    >>> from zpfit.models.effective import Effective
    >>> point = {p.name: np.array([0.1]) for p in Effective().parameters}
    >>> problems_of_names(Effective(), point)
    []
    """
    exists = model.exists(values)
    some = {name: column[exists] for name, column in values.items()}
    derived = model.derived(some) if exists.any() else {}
    names = {parameter.name: "parameter" for parameter in model.parameters}
    names |= {name: "derived quantity" for name in derived if name not in names}
    problems = [found for name, kind in names.items() if (found := _problem(kind, name))]
    if exists.any():
        couplings = dict(model.couplings(some).items())
        problems += _differences(some, couplings, "coupling")
        problems += _differences(couplings | some, derived, "derived quantity")
    return problems


def _problem(kind: str, name: str) -> str | None:
    if name in RESERVED:
        return f"{kind} {name!r}: samples have a column or dimension of this name; rename it"
    if _UNWRITABLE.search(name):
        return f"{kind} {name!r}: a blank, '*', '?' or '/' cannot be in a name; rename it"
    return None


def _differences(
    own: Mapping[str, FloatArray], others: Mapping[str, FloatArray], kind: str
) -> Iterator[str]:
    """Yield a problem for each name that stands for two different quantities."""
    for name in sorted(own.keys() & others.keys()):
        same = np.isclose(own[name], others[name], rtol=_EQUAL, atol=0, equal_nan=True)
        if not np.all(same):
            at = in_words({name: own[name]}, int(np.argmin(same)))
            value = float(others[name][np.argmin(same)])
            yield f"{at}: the {kind} of this name is {value:.6g}; rename one of the two"
