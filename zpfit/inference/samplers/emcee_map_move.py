"""An emcee move that proposes from adapted maps of the unit cube."""

import numpy as np
from emcee.moves import MHMove

from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.io.arrays import FloatArray


class MapMove(MHMove):  # type: ignore[misc]
    """Independence proposals: a fresh draw from the maps for each walker.

    With the proposal density q, detailed balance needs the Hastings factor
    q(old)/q(new) (Hastings 1970, Biometrika 57, 97). If the maps follow the
    posterior, a walker decorrelates in a few steps and changes modes freely. If they
    do not, the other moves of the mixture keep the chain ergodic. Draws never leave
    the unit cube.
    """

    def __init__(self, maps: MixtureMap) -> None:
        def propose(
            old: FloatArray, random: np.random.RandomState
        ) -> tuple[FloatArray, FloatArray]:
            """Return new points, shape (walkers, d), and ln of their Hastings factors."""
            # emcee owns the random state; a generator seeded from it keeps runs reproducible.
            rng = np.random.default_rng(random.randint(2**31, size=4))
            new, log_density = maps.draw(rng, len(old))
            return new, maps.log_density(old) - log_density

        super().__init__(propose)
