"""An emcee move that proposes from an adapted map of the unit cube."""

import numpy as np
from emcee.moves import MHMove

from zpfit.physics.compiled import FloatArray
from zpfit.samplers.proposal_map import MixtureMap


class MapMove(MHMove):  # type: ignore[misc]
    """Independence proposals: each walker is offered a fresh draw from the map.

    With the proposal density q, detailed balance needs the Hastings factor
    q(old)/q(new) (Hastings 1970, Biometrika 57, 97). Where the map follows the
    posterior, a walker forgets its past in a few steps and changes modes freely;
    where it does not, the moves it is mixed with keep the chain ergodic.
    """

    def __init__(self, adapted: MixtureMap) -> None:
        def propose(
            old: FloatArray, random: np.random.RandomState
        ) -> tuple[FloatArray, FloatArray]:
            # emcee owns the random state; a generator seeded from it keeps runs reproducible.
            rng = np.random.default_rng(random.randint(2**31, size=4))
            new, log_density = adapted.draw(rng, len(old))
            return new, adapted.log_density(old) - log_density

        super().__init__(propose)
