"""Which terms of a likelihood can be recorded and run in one compiled call, and which cannot."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zpfit.io.arrays import FloatArray
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.couplings import Couplings


@dataclass(frozen=True)
class Parts:
    """A likelihood as the product of two.

    ``recorded`` holds the terms whose predictions are lists of ufunc calls
    (:mod:`zpfit.physics.tracing`), ``others`` those that are called as they are, at the points that
    the exclusions among the recorded ones leave. Measurements that share errors stay together.
    """

    recorded: Likelihood
    others: Likelihood
    data: NDArray[np.intp]
    """Columns of ``others`` in an array of all data."""
    recorded_data: NDArray[np.intp]

    @classmethod
    def of(cls, likelihood: Likelihood, c: Couplings, *, apart: Collection[int]) -> "Parts":
        """Return the parts of a likelihood, found with traced couplings ``c``.

        ``apart`` holds positions of measurements that are not recorded.
        """
        fast = [
            i not in apart and _can_record(term.chi2, c)
            for i, term in enumerate(likelihood.measurements)
        ]
        for group in likelihood.linked():
            together = all(fast[i] for i in group)
            fast = [together if i in group else own for i, own in enumerate(fast)]
        return cls._split(likelihood, fast, c)

    @classmethod
    def of_pulls(cls, likelihood: Likelihood, c: Couplings, *, with_data: bool) -> "Parts":
        """Return the parts for pulls alone, which no error that measurements share ties together.

        With data of their own at each point, counts in bins are no constants and stay apart.
        """
        apart = likelihood.apart if with_data else ()
        fast = [
            i not in apart and _can_record(term.pull, c)
            for i, term in enumerate(likelihood.measurements)
        ]
        return cls._split(likelihood, fast, c)

    @classmethod
    def _split(cls, likelihood: Likelihood, fast: Sequence[bool], c: Couplings) -> "Parts":
        """Return the parts with given measurements and all exclusions that can be recorded."""
        bounds = [_can_record(exclusion.ratio, c) for exclusion in likelihood.exclusions]
        return cls(
            _some(likelihood, fast, bounds),
            _some(likelihood, [not f for f in fast], [not b for b in bounds]),
            _columns(likelihood, [not f for f in fast]),
            _columns(likelihood, fast),
        )

    @property
    def complete(self) -> bool:
        """True if every term is recorded."""
        return not (self.others.measurements or self.others.exclusions)

    def log_likelihood(self, c: Couplings) -> tuple[list[Any], Any]:
        """Return the largest ratio of each stage of hard exclusions, and ln L, both traced."""
        stages = [
            reduce(np.maximum, [exclusion.ratio(c) for exclusion in stage])
            for stage in self.recorded.stages
        ]
        return stages, -0.5 * self.recorded.chi2(c)


def _can_record(function: Callable[[Couplings], FloatArray], c: Couplings) -> bool:
    """Return True if a function of traced couplings needs nothing but ufuncs.

    Whatever it raises, it raises again where it is called with numbers, if that is its fault.
    """
    try:
        function(c)
    except Exception:  # noqa: BLE001 - a user's function, which may raise anything
        return False
    return True


def _some(likelihood: Likelihood, measured: Sequence[bool], bounds: Sequence[bool]) -> Likelihood:
    """Return the likelihood with some of its terms."""
    return replace(
        likelihood,
        measurements=_chosen(likelihood.measurements, measured),
        exclusions=_chosen(likelihood.exclusions, bounds),
    )


def _chosen(terms: tuple[Any, ...], flags: Sequence[bool]) -> tuple[Any, ...]:
    return tuple(term for term, keep in zip(terms, flags, strict=True) if keep)


def _columns(likelihood: Likelihood, flags: Sequence[bool]) -> NDArray[np.intp]:
    """Return the columns of some measurements in an array of all data."""
    chosen = _chosen(tuple(likelihood.slices), flags)
    return np.concatenate([np.zeros(0, dtype=int), *(np.r_[where] for where in chosen)])
