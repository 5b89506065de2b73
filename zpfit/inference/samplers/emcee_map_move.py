"""An emcee move that proposes from adapted maps of the unit cube."""

import numpy as np
from emcee import State
from emcee.model import Model
from emcee.moves.move import Move
from numpy.typing import NDArray

from zpfit.inference.samplers.proposal_map import MixtureMap

_CANDIDATES = 8
"""Draws for each walker and move. Fewer leave most of the time to calls of few points; more repeat
what a walker forgets at once."""


class MapMove(Move):  # type: ignore[misc]
    """Choice among fresh draws from the maps and the present point of each walker.

    Each of them is chosen in proportion to its weight L/q, with the density q of the
    maps: iterated sampling importance resampling. With a single draw it would be
    Barker's rule for independence proposals. If the maps follow the posterior, a
    walker decorrelates in a step or two and changes modes freely. If they do not, the
    other moves of the mixture keep the chain ergodic.

    References
    ----------
    C. Andrieu, A. Lee and M. Vihola, Bernoulli 24, 842 (2018), arXiv:1312.6432.
    """

    def __init__(self, maps: MixtureMap, candidates: int = _CANDIDATES) -> None:
        self._maps, self._candidates = maps, candidates

    def propose(self, model: Model, state: State) -> tuple[State, NDArray[np.bool_]]:
        """Return the ensemble after the move, and which walkers have moved."""
        # emcee owns the random state; a generator seeded from it keeps runs reproducible.
        rng = np.random.default_rng(model.random.randint(2**31, size=4))
        walkers = np.arange(len(state.coords))
        new, log_density = self._maps.draw(rng, self._candidates * len(walkers))
        log_likelihood, _ = model.compute_log_prob_fn(new)
        present = state.log_prob - self._maps.log_density(state.coords)
        fresh = (log_likelihood - log_density).reshape(self._candidates, -1)
        log_weight = np.vstack([fresh, present])
        # The largest of ln w plus Gumbel's noise is a choice in proportion to w.
        chosen = np.argmax(log_weight + rng.gumbel(size=log_weight.shape), axis=0)
        moved = chosen < self._candidates
        index = (chosen * len(walkers) + walkers)[moved]
        state.coords[moved], state.log_prob[moved] = new[index], log_likelihood[index]
        return state, moved
