"""Dead points of nested sampling as PolyChord writes them, for anesthetic and GetDist to read."""

import io

import numpy as np

from zpfit.posterior import Posterior
from zpfit.samplers.result import DeadPoints

_LOG_ZERO = -1e30
"""PolyChord's ln 0."""


def dead_birth(posterior: Posterior, points: DeadPoints) -> str:
    """Columns: the sampled parameters, ln L, and the ln L above which each point was drawn."""
    values = posterior.parameters(points.u)
    columns = [values[name] for name in posterior.names]
    likelihoods = [points.log_likelihood, points.log_birth]
    columns += [np.where(np.isfinite(column), column, _LOG_ZERO) for column in likelihoods]
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack(columns), fmt="%.16e")
    return stream.getvalue()


def paramnames(posterior: Posterior) -> str:
    """Name and LaTeX symbol of each sampled parameter, a line each."""
    symbols = {parameter.name: parameter.symbol for parameter in posterior.model.parameters}
    return "".join(f"{name} {symbols[name]}\n" for name in posterior.names)
