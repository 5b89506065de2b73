"""Dead points of nested sampling as PolyChord writes them, for anesthetic to read."""

import io

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import DeadPoints

_BORN_IN_PRIOR = -1e30
"""PolyChord's ln 0, above which the prior draws lie."""
_EXCLUDED = -1e29
"""ln L of points of likelihood zero, above that: readers drop what does not outlive its birth,
and with it the prior that is excluded."""


def dead_birth(posterior: Posterior, points: DeadPoints) -> str:
    """Columns: the sampled parameters, ln L, and the ln L above which each point was drawn."""
    values = posterior.parameters(points.u)
    columns = [values[name] for name in posterior.names]
    columns += [
        np.maximum(points.log_likelihood, _EXCLUDED),
        np.maximum(points.log_birth, _BORN_IN_PRIOR),
    ]
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack(columns), fmt="%.16e")
    return stream.getvalue()


def paramnames(posterior: Posterior) -> str:
    """Name and LaTeX symbol of each sampled parameter, a line each."""
    symbols = {parameter.name: parameter.symbol for parameter in posterior.model.parameters}
    return "".join(f"{name} {symbols[name]}\n" for name in posterior.names)
