"""Posterior samples with emcee: independent ensembles on the unit cube, all walkers in a batch."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import emcee
import numpy as np
from emcee.moves import DEMove

from zpfit.inference.checkpoint import FORGETFUL, Checkpoint, State
from zpfit.inference.diagnostics import Diagnostics, diagnose
from zpfit.inference.progress import Progress
from zpfit.inference.samplers.map_move import MapMove
from zpfit.inference.samplers.pair_move import PairMove
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.vegas import LogLikelihood
from zpfit.io.arrays import FloatArray

_FIRST_CHECK = 250
"""Steps before the first look at convergence; later looks come at 1.5 times the steps."""
_KEPT_AT_ONCE = 50
"""Kept steps between chances to save."""
_MAX_KEPT_STEPS = 2_000
"""Kept steps beyond which every other one is dropped, so that memory stays flat."""


@dataclass(frozen=True)
class EnsembleSamples:
    """What emcee leaves behind."""

    u: FloatArray
    """Shape (ensembles, steps, walkers, d), on the unit cube, every ``thin``-th step."""
    log_likelihood: FloatArray
    """Shape (ensembles, steps, walkers)."""
    thin: int
    acceptance: FloatArray
    """Mean acceptance of each ensemble."""
    diagnostics: Diagnostics
    shortcomings: tuple[str, ...]
    """Why the samples are not converged, with remedies; empty if they are."""


def sample(
    log_likelihood: LogLikelihood,
    adapted: MixtureMap,
    starts: FloatArray,
    target_ess: int,
    max_steps: int,
    rng: np.random.Generator,
    progress: Progress,
    checkpoint: Checkpoint = FORGETFUL,
) -> EnsembleSamples:
    """Sample until the worst parameter has ``target_ess`` effective samples, or ``max_steps``.

    ``starts`` has shape (ensembles, walkers, d) and is distributed like the
    posterior, so there is no burn-in. Half of the moves draw from the adapted
    map; the others slide along degeneracies and are emcee's differential evolution.
    """
    chains = [
        _Ensemble(log_likelihood, adapted, start, child)
        for start, child in zip(starts, rng.spawn(len(starts)), strict=True)
    ]
    clock = _Clock(min(_FIRST_CHECK, max_steps))
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
                chain.run(min(remaining, _KEPT_AT_ONCE), clock.thin)
            checkpoint.save(state)
        done = chains[0].steps
        if chains[0].kept > _MAX_KEPT_STEPS:
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
        clock.next_check = min(max(int(done * 1.5), done + clock.thin), max_steps)
    checkpoint.finish(state)
    return EnsembleSamples(
        u=u,
        log_likelihood=np.stack([chain.log_likelihoods() for chain in chains]),
        thin=clock.thin,
        acceptance=np.array([chain.acceptance for chain in chains]),
        diagnostics=diagnostics,
        shortcomings=tuple(shortcomings),
    )


@dataclass
class _Clock:
    """When to look at the chains."""

    next_check: int
    """Steps."""
    thin: int = 1
    """Steps between those kept."""


class _Ensemble:
    """One emcee ensemble and the steps kept of it."""

    def __init__(
        self,
        log_likelihood: LogLikelihood,
        adapted: MixtureMap,
        start: FloatArray,
        rng: np.random.Generator,
    ) -> None:
        walkers, dimension = start.shape
        inside = _inside_cube(log_likelihood)
        self._sampler = emcee.EnsembleSampler(
            walkers,
            dimension,
            inside,
            vectorize=True,
            moves=[(MapMove(adapted), 0.5), (PairMove(), 0.3), (DEMove(), 0.2)],
        )
        self._sampler.log_prob_fn = inside  # emcee's wrapper prints what it is interrupted by
        seed = np.random.RandomState(rng.integers(2**32, size=8, dtype=np.uint32))
        self._state = emcee.State(start, random_state=seed.get_state())
        self._u: list[FloatArray] = []
        self._log_likelihood: list[FloatArray] = []
        self._accepted = 0.0
        self.steps = 0

    def state(self) -> State:
        """All that determines what comes next, beside the kept steps."""
        return {
            "coords": self._state.coords,
            "log_prob": self._state.log_prob,
            "random_state": list(self._state.random_state),
            "accepted": self._accepted,
            "steps": self.steps,
        }

    def restore(self, state: State, index: int) -> None:
        """Go back to where ensemble ``index`` of a kept state was."""
        own = state["chains"][index]
        self._u = list(state["u"][index])
        self._log_likelihood = list(state["log_likelihood"][index])
        self._accepted, self.steps = own["accepted"], own["steps"]
        self._state = emcee.State(
            own["coords"], log_prob=own["log_prob"], random_state=tuple(own["random_state"])
        )

    def run(self, n: int, thin: int) -> None:
        """Take ``n * thin`` steps and keep every ``thin``-th."""
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
        """Keep the later one of each pair of kept steps."""
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
        """Kept steps, shape (steps, walkers, d)."""
        return np.stack(self._u)

    def log_likelihoods(self) -> FloatArray:
        """Of the kept steps, shape (steps, walkers)."""
        return np.stack(self._log_likelihood)


def _inside_cube(log_likelihood: LogLikelihood) -> LogLikelihood:
    """The likelihood, and -inf outside the unit cube, where emcee's moves may lead."""

    def function(u: FloatArray) -> FloatArray:
        inside = np.flatnonzero(np.all((u > 0) & (u < 1), axis=1))
        result = np.full(len(u), -np.inf)
        if len(inside):
            result[inside] = log_likelihood(u[inside])
        return result

    return function
