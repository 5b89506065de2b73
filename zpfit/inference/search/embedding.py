"""Points of a smaller model as points of a larger one that contains it."""

from collections.abc import Mapping
from itertools import product

import numpy as np

from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import FreePrior, SignedLogUniform
from zpfit.io.arrays import FloatArray
from zpfit.models.base import Model

_SMALLEST = 1e-9
"""Distance from the middle of the unit interval, where a signed prior has its smallest sizes."""


def embedded_points(larger: Posterior, smaller: Model, point: Mapping[str, float]) -> FloatArray:
    """Return where a larger model does what a smaller one does at a point.

    Values beyond the priors move to their ends. A value that is smaller than any size of a signed
    logarithmic prior takes the smallest size of either sign, and fixed parameters keep their
    values. The points may thus differ from the smaller model's; compare their chi2.

    Parameters
    ----------
    larger
        Posterior of the larger model.
    smaller
        Smaller model.
    point
        Every parameter of the smaller model.

    Returns
    -------
    FloatArray
        Points of the larger posterior's unit cube, shape (n, d); n = 0 if it does not contain the
        smaller one, or has discrete parameters.

    Examples
    --------
    >>> from zpfit.runs.run_file import find_run_file, load_run
    >>> small, large = (load_run(find_run_file(f"{m}_cs")).posterior for m in ("sm_u1", "nhdm_u1"))
    >>> values = small.parameters(np.full((1, small.dimension), 0.7))
    >>> point = {name: float(value[0]) for name, value in values.items()}
    >>> points = embedded_points(large, small.model, point)
    >>> points.shape  # either sign of the charge that a single doublet lacks
    (2, 6)
    >>> np.allclose(large.couplings(points).C_nue, small.model.couplings(values).C_nue)
    True
    """
    none = np.empty((0, larger.dimension))
    columns = {name: np.array([value]) for name, value in point.items()}
    values = larger.model.embed(smaller, columns)
    if values is None or larger.priors.step_width.any():
        return none
    wanted = {name: float(column[0]) for name, column in values.items()}
    axes = [_coordinates(prior, wanted[name]) for name, prior in larger.priors.free.items()]
    return np.array(list(product(*axes)))


def _coordinates(prior: FreePrior, value: float) -> tuple[float, ...]:
    """Return the coordinates nearest to a value; two if either sign will do."""
    low, high = prior.support()
    value = min(max(value, low), high)
    if isinstance(prior, SignedLogUniform) and abs(value) < prior.lower:
        return 0.5 - _SMALLEST, 0.5 + _SMALLEST
    return (min(max(prior.cdf(value), 0.0), 1.0),)
