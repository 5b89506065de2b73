"""Chains of emcee: independent ensembles on the unit cube, all walkers in one batch."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import emcee
import numpy as np
from emcee.moves import DEMove

from zpfit.inference.checkpoint import NO_CHECKPOINT, Checkpoint, State
from zpfit.inference.diagnostics import Diagnostics, diagnose
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.samplers.emcee_map_move import MapMove
from zpfit.inference.samplers.emcee_pair_move import PairMove
from zpfit.inference.samplers.engine import LogLikelihood
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.io.arrays import FloatArray

_GROWTH = 1.5
"""Factor from one convergence check to the next, in steps, if effective samples are not lacking."""
_LEAST_GROWTH, _MOST_GROWTH = 1.1, 2.0
"""Smallest and largest factor if they are; each check costs time."""
_MARGIN = 1.05
"""Factor of the steps that should suffice, so that most runs end at the next check."""

Moves = list[tuple[Any, float]]
"""emcee moves with the probability of each."""


def default_moves(adapted: MixtureMap) -> Moves:
    """Return the mixture of moves: the map, shifts along degeneracies, differential evolution."""
    return [(MapMove(adapted), 0.6), (PairMove(), 0.24), (DEMove(), 0.16)]


@dataclass(frozen=True)
class ChainOptions:
    """Tuning of the chains."""

    first_check: int = 60
    """Steps before the first convergence check."""
    kept_at_once: int = 50
    """Kept steps between two chances to save a checkpoint."""
    max_kept_steps: int = 2_000
    """Kept steps above which every second one is dropped, so that memory stays constant."""
    moves: Callable[[MixtureMap], Moves] = default_moves
    """Function from the adapted map to the moves."""


_DEFAULTS = ChainOptions()


@dataclass(frozen=True)
class EnsembleSamples:
    """Kept steps of all ensembles."""

    u: FloatArray
    """Points of the unit cube, shape (ensembles, steps, walkers, d); every ``thin``-th step."""
    log_likelihood: FloatArray
    """ln L of the points, shape (ensembles, steps, walkers)."""
    thin: int
    """Steps from one kept step to the next."""
    acceptance: FloatArray
    """Mean acceptance fraction of each ensemble, shape (ensembles,)."""
    diagnostics: Diagnostics
    shortcomings: tuple[str, ...]
    """Reasons why the samples are not converged, with remedies; empty if they are."""


def run_chains(
    log_likelihood: LogLikelihood,
    adapted: MixtureMap,
    starts: FloatArray,
    target_ess: int,
    max_steps: int,
    rng: np.random.Generator,
    progress: Progress = SILENT,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    options: ChainOptions = _DEFAULTS,
) -> EnsembleSamples:
    """Sample until the worst parameter has enough effective samples, or to the last step.

    The starts follow the posterior, so there is no burn-in. Most moves choose among draws from the
    adapted map; the others slide along degeneracies or are emcee's differential evolution.

    Parameters
    ----------
    log_likelihood
        Points of the unit cube, shape (n, d), to ln L, shape (n,).
    adapted
        Map from which most proposals are drawn.
    starts
        Points of the unit cube distributed like the posterior, shape (ensembles, walkers, d).
    target_ess
        Effective samples of the worst parameter at which to stop.
    max_steps
        Largest number of steps of each ensemble.
    rng
        Generator from which each ensemble spawns its own.
    progress
        Receiver of steps, effective samples and acceptance.
    checkpoint
        Store of the chains so far.
    options
        Tuning of the chains.

    References
    ----------
    D. Foreman-Mackey et al., Publ. Astron. Soc. Pac. 125, 306 (2013), arXiv:1202.3665.
    """
    chains = [
        _Ensemble(log_likelihood, options.moves(adapted), start, child)
        for start, child in zip(starts, rng.spawn(len(starts)), strict=True)
    ]
    clock = _Clock(min(options.first_check, max_steps))
    kept = checkpoint.load()
    if kept is not None:
        clock = _Clock(**kept["clock"])
        for index, chain in enumerate(chains):
            chain.restore(kept, index)

    def state() -> State:
        return {
            "clock": asdict(clock),
            "u": np.stack([chain.samples() for chain in chains]),
            "log_likelihood": np.stack([chain.log_likelihoods() for chain in chains]),
            "chains": [chain.state() for chain in chains],
        }

    while True:
        while remaining := (clock.next_check - chains[0].steps) // clock.thin:
            for chain in chains:
                chain.run(min(remaining, options.kept_at_once), clock.thin)
            checkpoint.save(state)
        done = chains[0].steps
        if chains[0].kept > options.max_kept_steps:
            clock.thin *= 2
            for chain in chains:
                chain.drop_every_other()
        u = np.stack([chain.samples() for chain in chains])
        diagnostics = diagnose(u, clock.thin)
        shortcomings = diagnostics.shortcomings(target_ess)
        reached = diagnostics.ess.min()
        progress.update(
            max(min(reached / target_ess, 1.0), done / max_steps),
            f"{done:,} steps, {reached:,.0f} effective samples, "
            f"acceptance {np.mean([chain.acceptance for chain in chains]):.2f}",
        )
        if not shortcomings or max_steps - done < clock.thin:
            break
        wanted = int(done * _growth(diagnostics, target_ess))
        clock.next_check = min(max(wanted, done + clock.thin), max_steps)
    checkpoint.finish(state)
    return EnsembleSamples(
        u=u,
        log_likelihood=np.stack([chain.log_likelihoods() for chain in chains]),
        thin=clock.thin,
        acceptance=np.array([chain.acceptance for chain in chains]),
        diagnostics=diagnostics,
        shortcomings=tuple(shortcomings),
    )


def _growth(diagnostics: Diagnostics, target_ess: int) -> float:
    """Return the factor of the steps after which the run should be converged."""
    reached = diagnostics.ess.min()
    if not 0 < reached < target_ess:  # NaN is the number of a parameter that never moved
        return _GROWTH
    return float(np.clip(_MARGIN * target_ess / reached, _LEAST_GROWTH, _MOST_GROWTH))


@dataclass
class _Clock:
    """Times of convergence checks."""

    next_check: int
    """Steps at which the next check is due."""
    thin: int = 1
    """Steps from one kept step to the next."""


class _Sampler(emcee.EnsembleSampler):  # type: ignore[misc]
    """emcee's sampler, which takes ln L as an array and not as a number for each walker."""

    def compute_log_prob(self, coords: FloatArray) -> tuple[FloatArray, None]:
        """Return ln L of points, shape (n,), and no other results."""
        log_likelihood = self.log_prob_fn(coords)
        if np.isnan(log_likelihood).any():
            raise ValueError("ln L is NaN at a proposed point")
        return log_likelihood, None


class _Ensemble:
    """One emcee ensemble and its kept steps."""

    def __init__(
        self,
        log_likelihood: LogLikelihood,
        moves: Moves,
        start: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        walkers, dimension = start.shape
        inside = _inside_cube(log_likelihood)
        self._sampler = _Sampler(
            walkers,
            dimension,
            inside,
            vectorize=True,
            moves=moves,
        )
        self._sampler.log_prob_fn = inside  # emcee's wrapper prints on interruption
        seed = np.random.RandomState(rng.integers(2**32, size=8, dtype=np.uint32))
        self._state = emcee.State(start, random_state=seed.get_state())
        self._u: list[FloatArray] = []
        self._log_likelihood: list[FloatArray] = []
        self._accepted = 0.0
        self.steps = 0

    def state(self) -> State:
        """Return everything that determines the next steps, except the kept steps."""
        return {
            "coords": self._state.coords,
            "log_prob": self._state.log_prob,
            "random_state": list(self._state.random_state),
            "accepted": self._accepted,
            "steps": self.steps,
        }

    def restore(self, state: State, index: int) -> None:
        """Restore ensemble ``index`` of a checkpoint."""
        own = state["chains"][index]
        self._u = list(state["u"][index])
        self._log_likelihood = list(state["log_likelihood"][index])
        self._accepted, self.steps = own["accepted"], own["steps"]
        self._state = emcee.State(
            own["coords"], log_prob=own["log_prob"], random_state=tuple(own["random_state"])
        )

    def run(self, n: int, thin: int) -> None:
        """Take ``n * thin`` steps and keep every ``thin``-th one."""
        for state in self._advance(n, thin):
            self._u.append(state.coords.copy())
            self._log_likelihood.append(state.log_prob.copy())

    def _advance(self, n: int, thin: int) -> Iterator[emcee.State]:
        self._sampler.reset()
        for state in self._sampler.sample(self._state, iterations=n, thin_by=thin):
            self._state = state
            yield state
        self._accepted += float(self._sampler.acceptance_fraction.mean()) * n * thin
        self.steps += n * thin

    def drop_every_other(self) -> None:
        """Drop the earlier one of each pair of kept steps."""
        first = (self.kept + 1) % 2
        self._u = self._u[first::2]
        self._log_likelihood = self._log_likelihood[first::2]

    @property
    def kept(self) -> int:
        """Number of kept steps."""
        return len(self._u)

    @property
    def acceptance(self) -> float:
        """Mean fraction of accepted proposals."""
        return self._accepted / max(self.steps, 1)

    def samples(self) -> FloatArray:
        """Return the kept steps, shape (steps, walkers, d)."""
        return np.stack(self._u)

    def log_likelihoods(self) -> FloatArray:
        """Return ln L of the kept steps, shape (steps, walkers)."""
        return np.stack(self._log_likelihood)


def _inside_cube(log_likelihood: LogLikelihood) -> LogLikelihood:
    """Return ln L that is -inf outside the unit cube, where emcee's moves may lead."""

    def function(u: FloatArray) -> FloatArray:
        inside = np.flatnonzero(np.all((u > 0) & (u < 1), axis=1))
        result = np.full(len(u), -np.inf)
        if len(inside):
            result[inside] = log_likelihood(u[inside])
        return result

    return function
