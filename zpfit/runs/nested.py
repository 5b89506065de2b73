"""Dead points of nested sampling in PolyChord's format, which anesthetic and GetDist read."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zpfit.inference.samplers.result import StoredDeadPoints
from zpfit.io.arrays import FloatArray

if TYPE_CHECKING:
    from zpfit.inference.posterior import Posterior

BORN_IN_PRIOR = -1e30
"""PolyChord's value of ln 0: birth contour of points drawn from the whole prior."""
EXCLUDED = -1e29
"""ln L of points of likelihood zero.

It lies above :data:`BORN_IN_PRIOR`: readers drop a point whose ln L does not exceed its birth
contour, and would lose the excluded part of the prior.
"""


def dead_birth(points: StoredDeadPoints) -> str:
    """Return a text with one row for each dead point.

    The columns are the sampled parameters, ln L, and the birth contour, which is the ln L above
    which the point was drawn.
    """
    columns = [
        *points.values.values(),
        np.maximum(points.log_likelihood, EXCLUDED),
        np.maximum(points.log_birth, BORN_IN_PRIOR),
    ]
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack(columns), fmt="%.16e")
    return stream.getvalue()


def read_dead_points(dead: Path, names: Path) -> StoredDeadPoints:
    """Read the files with the texts of :func:`dead_birth` and :func:`paramnames`.

    Raises
    ------
    OSError, ValueError
        A file cannot be read, or the two do not belong together.
    """
    lines = names.read_text(encoding="utf-8").splitlines()
    parameters = [line.split(maxsplit=1)[0] for line in lines]
    rows = np.loadtxt(dead, ndmin=2)
    if rows.shape[1] != len(parameters) + 2:
        raise ValueError(f"{dead}: {rows.shape[1]} columns for {len(parameters)} parameters")
    *values, log_likelihood, log_birth = rows.T
    return StoredDeadPoints(
        dict(zip(parameters, values, strict=True)),
        _with_zero(log_likelihood, EXCLUDED),
        _with_zero(log_birth, BORN_IN_PRIOR),
    )


def _with_zero(log: FloatArray, zero: float) -> FloatArray:
    """Return logarithms with -inf in place of the value that stands for ln 0."""
    return np.where(log <= zero, -np.inf, log)


def paramnames(posterior: "Posterior") -> str:
    """Return a text with the name and LaTeX symbol of each sampled parameter, one per line."""
    symbols = {parameter.name: parameter.symbol for parameter in posterior.model.parameters}
    return "".join(f"{name} {symbols[name]}\n" for name in posterior.names)
