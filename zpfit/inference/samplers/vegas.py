"""Adapt a map of the unit cube to a likelihood, with vegas.

The adapted map turns uniform random numbers into points that lie about where
the posterior is: the source of draws for the evidence, and of proposals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import vegas

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import FORGETFUL, Checkpoint, State
from zpfit.inference.samplers.proposal_map import HistogramMap, MixtureMap
from zpfit.inference.samplers.result import effective_number
from zpfit.io.arrays import FloatArray

LogLikelihood = Callable[[FloatArray], FloatArray]
"""Points of the unit cube, shape (n, d), to ln L, shape (n,)."""

_BATCH = 100_000
"""Evaluations of one adaptation."""
_SEARCH_LIMIT = 5_000_000
"""Prior draws after which a likelihood that is zero everywhere is given up."""
_COLD_ADAPTATIONS = 8
"""Adaptations to the likelihood itself."""
_MAX_ADAPTATIONS = 100
_HOTTEST = 1e-12
"""Smallest power of the likelihood."""
_HEATED_SHARE = 0.02
"""Effective share of the allowed draws that a heated likelihood keeps, so that a map can follow."""
_HEATED_NUMBER = 50
"""Effective draws that it keeps in any case, where there are so many."""
_ENOUGH_ALLOWED = 1000
"""Allowed prior draws that are enough to start from."""
_FEWEST_ALLOWED = 20
"""Of all draws of a search; fewer do not show where the posterior is."""
_CHECKED = 500
"""Points that a state holds besides the map."""
_MAX_EXPONENT = 250.0
"""Of an integrand, whose square vegas must be able to add up."""


def adapt_maps(
    log_likelihood: LogLikelihood,
    dimension: int,
    number: int,
    rng: np.random.Generator,
    checkpoint: Checkpoint = FORGETFUL,
) -> MixtureMap:
    """Several maps, each adapted from draws of its own, so that what one misses another may find.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.
    """
    return MixtureMap(
        tuple(
            adapt_map(log_likelihood, dimension, child, checkpoint.part(f"{index}"))
            for index, child in enumerate(rng.spawn(number))
        )
    )


def adapt_map(
    log_likelihood: LogLikelihood,
    dimension: int,
    rng: np.random.Generator,
    checkpoint: Checkpoint = FORGETFUL,
) -> HistogramMap:
    """Adapt a map, first to heated likelihoods L^beta with beta rising to 1, then to L.

    Heating lets the map find a posterior that fills a tiny part of the prior.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.
    """
    kept = checkpoint.load()
    if kept is None:
        adaptation = _Adaptation.started(log_likelihood, dimension, rng)
    else:
        adaptation = _Adaptation.restored(kept, rng)
    while adaptation.cold < _COLD_ADAPTATIONS and adaptation.number < _MAX_ADAPTATIONS:
        adaptation.advance(log_likelihood)
        checkpoint.save(adaptation.state)
    checkpoint.finish(adaptation.state)
    return adaptation.map().graded()


@dataclass
class _Adaptation:
    """A map on its way."""

    integrator: vegas.Integrator
    rng: np.random.Generator
    beta: float
    """Power of the likelihood."""
    last: tuple[FloatArray, FloatArray]
    """A few points and their ln L, for whoever resumes to check."""
    number: int = 0
    """Of adaptations."""
    cold: int = 0
    """Of these, to the likelihood itself."""

    @classmethod
    def started(
        cls, log_likelihood: LogLikelihood, dimension: int, rng: np.random.Generator
    ) -> "_Adaptation":
        """From prior draws."""
        integrator = vegas.Integrator([[0, 1]] * dimension, **_options(rng))
        u, log_l = _allowed_points(log_likelihood, dimension, rng)
        beta = _next_beta(0.0, log_l, np.zeros(len(u)))
        # A single batch may hold too few allowed points to follow: start from all that were found.
        integrator.map.adapt_to_samples(u, np.exp(beta * (log_l - log_l.max())), nitn=5)
        return cls(integrator, rng, beta, (u[:_CHECKED], log_l[:_CHECKED]))

    @classmethod
    def restored(cls, state: State, rng: np.random.Generator) -> "_Adaptation":
        """From what :meth:`state` gave."""
        rng.bit_generator.state = state["rng"]
        adapted = vegas.AdaptiveMap(state["edges"])
        integrator = vegas.Integrator(adapted, sigf=state["sigf"], **_options(rng))
        last = state["u"], state["log_likelihood"]
        return cls(integrator, rng, state["beta"], last, state["number"], state["cold"])

    def advance(self, log_likelihood: LogLikelihood) -> None:
        """Adapt once."""
        u, log_density = self.map().draw(self.rng, _BATCH)
        log_l = log_likelihood(u)
        self.last = u[:_CHECKED], log_l[:_CHECKED]
        self.beta = _next_beta(self.beta, log_l, log_density)
        self.integrator(_heated(log_likelihood, self.beta, log_l.max()), nitn=1)
        self.number += 1
        self.cold += self.beta == 1.0

    def state(self) -> State:
        """All that determines what comes next; ``sigf`` is where vegas's next points gather."""
        return {
            "edges": list(self.map().edges),
            "sigf": np.array(self.integrator.sigf),
            "beta": self.beta,
            "number": self.number,
            "cold": self.cold,
            "u": self.last[0],
            "log_likelihood": self.last[1],
            "rng": self.rng.bit_generator.state,
        }

    def map(self) -> HistogramMap:
        """As it is now."""
        grid = self.integrator.map.extract_grid()
        return HistogramMap(tuple(np.array(edges) for edges in grid))


def _options(rng: np.random.Generator) -> dict[str, Any]:
    return {"ran_array_generator": rng.random, "nproc": 1, "mpi": False, "neval": _BATCH}


def _heated(
    log_likelihood: LogLikelihood, beta: float, peak: float
) -> Callable[[FloatArray], FloatArray]:
    """(L/peak)^beta as vegas wants its integrand."""
    reference = peak if np.isfinite(peak) else 0.0

    @vegas.batchintegrand  # type: ignore[untyped-decorator]
    def integrand(u: FloatArray) -> FloatArray:
        log_l = log_likelihood(np.asarray(u)) - reference
        result = np.zeros(len(log_l))
        allowed = np.isfinite(log_l)
        # The peak is that of a sample; a point far above it must not overflow.
        result[allowed] = np.exp(np.minimum(beta * log_l[allowed], _MAX_EXPONENT))
        return result

    function: Callable[[FloatArray], FloatArray] = integrand
    return function


def _allowed_points(
    log_likelihood: LogLikelihood, dimension: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Prior draws with a finite ln L, a thousand or as many as a long search finds."""
    points, values, found = [], [], 0
    for _ in range(_SEARCH_LIMIT // _BATCH):
        u = rng.random((_BATCH, dimension))
        log_l = log_likelihood(u)
        allowed = np.isfinite(log_l)
        points.append(u[allowed])
        values.append(log_l[allowed])
        found += int(allowed.sum())
        if found >= _ENOUGH_ALLOWED:
            break
    if found < _FEWEST_ALLOWED:
        raise NoAllowedPoint(_SEARCH_LIMIT, found)
    return np.concatenate(points), np.concatenate(values)


def _next_beta(beta: float, log_l: FloatArray, log_density: FloatArray) -> float:
    """The largest beta <= 1 whose weights L^beta/density keep an effective share of the draws.

    Grows by a half in any case, so that the heating comes to an end.
    """
    allowed = np.isfinite(log_l)
    log_l, log_density = log_l[allowed], log_density[allowed]
    trial, least = 1.0, max(1.5 * beta, _HOTTEST)
    wanted = max(_HEATED_SHARE * len(log_l), _HEATED_NUMBER)
    while trial > least:
        if effective_number(trial * log_l - log_density) >= wanted:
            return trial
        trial /= 1.5
    return min(least, 1.0)
