"""Adapt maps of the unit cube to a likelihood with vegas.

An adapted map turns uniform random numbers into points near the posterior. The evidence is
integrated with its draws, and emcee's chains take proposals from it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gvar
import numpy as np
import vegas

from zpfit.errors import NoAllowedPoint
from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.samplers.engine import LogLikelihood
from zpfit.inference.samplers.proposal_map import HistogramMap, MixtureMap
from zpfit.inference.samplers.result import effective_number
from zpfit.io.arrays import FloatArray

_HOTTEST = 1e-12
"""Smallest power of the likelihood."""
_HEATED_SHARE = 0.02
"""Effective fraction of the allowed draws that a heated likelihood keeps.

A map can follow a likelihood that changes this slowly from one adaptation to the next.
"""
_HEATED_NUMBER = 50
"""Effective draws that a heated likelihood keeps, if there are that many allowed ones."""
_COOLING = 1.5
"""Smallest factor by which the power of the likelihood grows in one adaptation."""
_MAX_EXPONENT = 250.0
"""Largest exponent of an integrand, whose square vegas must be able to add up."""


@dataclass(frozen=True)
class MapOptions:
    """Tuning of the adaptation; the defaults suit posteriors with up to ten parameters."""

    batch: int = 50_000
    """Likelihood evaluations of one adaptation; twice as many gave no better maps of seven to
    nine parameters."""
    search_limit: int = 5_000_000
    """Prior draws after which the search for allowed points ends."""
    cold_adaptations: int = 8
    """Adaptations to the likelihood itself, after heating."""
    known_adaptations: int = 4
    """The same for a map that begins with known points of the posterior, without heating."""
    max_adaptations: int = 100
    """Largest number of adaptations, heated ones included."""
    enough_allowed: int = 1000
    """Allowed prior draws that end the search early."""
    fewest_allowed: int = 20
    """Smallest number of allowed draws that show where the posterior is."""
    checked: int = 500
    """Points that a checkpoint holds besides the map, so that a resumed run can check ln L."""

    def smaller(self, share: float) -> "MapOptions":
        """Return the sizes of an adaptation that costs a share of this one, 0 < share <= 1.

        Examples
        --------
        >>> MapOptions().smaller(0.01).batch
        500
        """
        enough = max(int(share * self.enough_allowed), 5 * self.fewest_allowed)
        return replace(
            self, batch=int(share * self.batch), enough_allowed=min(enough, self.enough_allowed)
        )


_DEFAULTS = MapOptions()


def adapt_maps(
    log_likelihood: LogLikelihood,
    dimension: int,
    number: int,
    rng: np.random.Generator,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    options: MapOptions = _DEFAULTS,
    known: FloatArray | None = None,
) -> MixtureMap:
    """Adapt several maps, each with its own draws, and return their mixture.

    A mode that one map misses may be found by another.

    Parameters
    ----------
    log_likelihood
        Points of the unit cube, shape (n, d), to ln L, shape (n,).
    dimension
        Number of axes, d.
    number
        Number of maps.
    rng
        Generator from which each map spawns its own.
    checkpoint
        Store of intermediate states.
    options
        Tuning of the adaptation.
    known
        Points of a similar posterior, shape (m, d), with which the map begins.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.
    """
    return MixtureMap(
        tuple(
            adapt_map(log_likelihood, dimension, child, checkpoint.part(f"{index}"), options, known)
            for index, child in enumerate(rng.spawn(number))
        )
    )


def adapt_map(
    log_likelihood: LogLikelihood,
    dimension: int,
    rng: np.random.Generator,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    options: MapOptions = _DEFAULTS,
    known: FloatArray | None = None,
) -> HistogramMap:
    """Adapt a map, first to heated likelihoods L^beta with beta rising to 1, then to L.

    Heating lets the map find a posterior that fills a tiny fraction of the prior.

    Parameters
    ----------
    log_likelihood
        Points of the unit cube, shape (n, d), to ln L, shape (n,).
    dimension
        Number of axes, d.
    rng
        Generator of all draws.
    checkpoint
        Store of intermediate states.
    options
        Tuning of the adaptation.
    known
        Points of a similar posterior, shape (m, d), with which the map begins.

    Raises
    ------
    NoAllowedPoint
        Too few draws from the prior have a finite likelihood.

    References
    ----------
    G. P. Lepage, J. Comput. Phys. 439, 110386 (2021), arXiv:2009.05112.
    """
    if known is not None:
        options = replace(options, batch=options.batch // 2)
    kept = checkpoint.load()
    if kept is None:
        adaptation = _Adaptation.started(log_likelihood, dimension, rng, options, known)
    else:
        adaptation = _Adaptation.restored(kept, rng, options)
    while not adaptation.finished:
        adaptation.advance(log_likelihood)
        checkpoint.save(adaptation.state)
    checkpoint.finish(adaptation.state)
    return adaptation.map().graded()


@dataclass
class _Adaptation:
    """A map while it is adapted."""

    integrator: vegas.Integrator
    rng: np.random.Generator
    options: MapOptions
    beta: float
    """Power of the likelihood, between 0 and 1."""
    highest: float
    """Largest ln L so far."""
    last: tuple[FloatArray, FloatArray]
    """Some points and their ln L, so that a resumed run can check them."""
    number: int = 0
    """Adaptations so far."""
    cold: int = 0
    """Adaptations so far to the likelihood itself."""

    @classmethod
    def started(
        cls,
        log_likelihood: LogLikelihood,
        dimension: int,
        rng: np.random.Generator,
        options: MapOptions,
        known: FloatArray | None,
    ) -> "_Adaptation":
        """Start from prior draws, and from known points if there are some."""
        integrator = vegas.Integrator([[0, 1]] * dimension, **_arguments(rng, options))
        u, log_l = _allowed_points(log_likelihood, dimension, rng, options)
        beta, cold = _next_beta(0.0, log_l, np.zeros(len(u))), 0
        if known is not None and len(known):
            u = np.vstack([u, known])
            log_l = np.concatenate([log_l, log_likelihood(known)])
            beta, cold = 1.0, options.cold_adaptations - options.known_adaptations
        # A single batch may hold too few allowed points, so the map starts from all of them.
        highest = float(log_l.max())
        integrator.map.adapt_to_samples(u, np.exp(beta * (log_l - highest)), nitn=5)
        last = u[: options.checked], log_l[: options.checked]
        return cls(integrator, rng, options, beta, highest, last, cold=cold)

    @classmethod
    def restored(cls, state: State, rng: np.random.Generator, options: MapOptions) -> "_Adaptation":
        """Resume from a result of :meth:`state`."""
        rng.bit_generator.state = state["rng"]
        adapted = vegas.AdaptiveMap(state["edges"])
        integrator = vegas.Integrator(adapted, sigf=state["sigf"], **_arguments(rng, options))
        last = state["u"], state["log_likelihood"]
        beta, highest = state["beta"], state["highest"]
        return cls(integrator, rng, options, beta, highest, last, state["number"], state["cold"])

    @property
    def finished(self) -> bool:
        """True after enough adaptations to the likelihood itself, or too many in all."""
        most = self.options.max_adaptations
        return self.cold >= self.options.cold_adaptations or self.number >= most

    def advance(self, log_likelihood: LogLikelihood) -> None:
        """Adapt once."""
        if self.beta < 1:
            self._cool(log_likelihood)
        with _covariances_dropped():
            self.integrator(self._integrand(log_likelihood), nitn=1)
        self.number += 1
        self.cold += self.beta == 1.0

    def _cool(self, log_likelihood: LogLikelihood) -> None:
        """Raise the power of the likelihood as far as draws of the map can follow."""
        adapted = self.map()
        u = adapted.draw(self.rng, self.options.batch)
        log_l = log_likelihood(u)
        self._note(u, log_l)
        self.beta = _next_beta(self.beta, log_l, adapted.log_density(u))

    def _integrand(self, log_likelihood: LogLikelihood) -> Callable[[FloatArray], FloatArray]:
        """Return (L/peak)^beta in the form of a batched integrand of vegas."""
        beta, reference = self.beta, self.highest

        @vegas.batchintegrand  # type: ignore[untyped-decorator]
        def integrand(u: FloatArray) -> FloatArray:
            u = np.array(u)
            log_l = log_likelihood(u)
            self._note(u, log_l)
            # Points may lie far above the highest one so far, and must not overflow.
            return np.exp(np.minimum(beta * (log_l - reference), _MAX_EXPONENT))

        function: Callable[[FloatArray], FloatArray] = integrand
        return function

    def _note(self, u: FloatArray, log_l: FloatArray) -> None:
        self.highest = max(self.highest, float(log_l.max()))
        self.last = u[: self.options.checked], log_l[: self.options.checked]

    def state(self) -> State:
        """Return everything that determines the next steps.

        ``sigf`` sets the density of vegas's next points (adaptive stratified sampling).
        """
        return {
            "edges": list(self.map().edges),
            "sigf": np.array(self.integrator.sigf),
            "beta": self.beta,
            "highest": self.highest,
            "number": self.number,
            "cold": self.cold,
            "u": self.last[0],
            "log_likelihood": self.last[1],
            "rng": self.rng.bit_generator.state,
        }

    def map(self) -> HistogramMap:
        """Return the present map."""
        grid = self.integrator.map.extract_grid()
        return HistogramMap(tuple(np.array(edges) for edges in grid))


@contextmanager
def _covariances_dropped() -> Iterator[None]:
    """Let gvar keep what it adds for vegas's results in a covariance matrix that is dropped.

    gvar has one matrix for a process, to which every result adds a row: 4 kB a fit, which workers
    of large campaigns would never free.
    """
    gvar.switch_gvar()
    try:
        yield
    finally:
        gvar.restore_gvar()


def _arguments(rng: np.random.Generator, options: MapOptions) -> dict[str, Any]:
    """Return keyword arguments of vegas's integrator."""
    return {"ran_array_generator": rng.random, "nproc": 1, "mpi": False, "neval": options.batch}


def _allowed_points(
    log_likelihood: LogLikelihood, dimension: int, rng: np.random.Generator, options: MapOptions
) -> tuple[FloatArray, FloatArray]:
    """Return prior draws with a finite ln L, shape (n, d), and their ln L, shape (n,)."""
    points, values, found = [], [], 0
    for _ in range(options.search_limit // options.batch):
        u = rng.random((options.batch, dimension))
        log_l = log_likelihood(u)
        allowed = np.isfinite(log_l)
        points.append(u[allowed])
        values.append(log_l[allowed])
        found += int(allowed.sum())
        if found >= options.enough_allowed:
            break
    if found < options.fewest_allowed:
        raise NoAllowedPoint(options.search_limit, found)
    return np.concatenate(points), np.concatenate(values)


def _next_beta(beta: float, log_l: FloatArray, log_density: FloatArray) -> float:
    """Return the largest beta <= 1 whose weights L^beta/density keep enough effective draws.

    It grows by at least the factor ``_COOLING``, so that the heating ends.
    """
    allowed = np.isfinite(log_l)
    log_l, log_density = log_l[allowed], log_density[allowed]
    trial, least = 1.0, max(_COOLING * beta, _HOTTEST)
    wanted = max(_HEATED_SHARE * len(log_l), _HEATED_NUMBER)
    while trial > least:
        if effective_number(trial * log_l - log_density) >= wanted:
            return trial
        trial /= _COOLING
    return min(least, 1.0)
