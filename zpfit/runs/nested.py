"""Dead points of nested sampling in PolyChord's format, which anesthetic and GetDist read."""

import io

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.samplers.result import DeadPoints

BORN_IN_PRIOR = -1e30
"""PolyChord's value of ln 0: birth contour of points drawn from the whole prior."""
EXCLUDED = -1e29
"""ln L of points of likelihood zero.

It lies above :data:`BORN_IN_PRIOR`: readers drop a point whose ln L does not exceed its birth
contour, and would lose the excluded part of the prior.
"""


def dead_birth(posterior: Posterior, points: DeadPoints) -> str:
    """Return a text with one row for each dead point.

    The columns are the sampled parameters, ln L, and the birth contour, which is the ln L above
    which the point was drawn.
    """
    values = posterior.parameters(points.u)
    columns = [values[name] for name in posterior.names]
    columns += [
        np.maximum(points.log_likelihood, EXCLUDED),
        np.maximum(points.log_birth, BORN_IN_PRIOR),
    ]
    stream = io.StringIO()
    np.savetxt(stream, np.column_stack(columns), fmt="%.16e")
    return stream.getvalue()


def paramnames(posterior: Posterior) -> str:
    """Return a text with the name and LaTeX symbol of each sampled parameter, one per line."""
    symbols = {parameter.name: parameter.symbol for parameter in posterior.model.parameters}
    return "".join(f"{name} {symbols[name]}\n" for name in posterior.names)
