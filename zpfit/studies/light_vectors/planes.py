"""The models of the page "Limits on light vectors", and their slices."""

from collections.abc import Sequence
from dataclasses import dataclass

from zpfit.analysis.exclusion.slice import Slice
from zpfit.io.document import Given
from zpfit.runs.slice_file import load_slice

DARK = 0.99
"""Branching ratio to the dark sector in the slices ``*_dark``."""


@dataclass(frozen=True)
class Vector:
    """A model with one coupling."""

    model: str
    """Name of the model."""
    title: str
    """Heading on the page."""
    symbol: str
    """Symbol of the coupling."""
    words: str
    """Charges, in words."""

    def slice_name(self, *, dark: bool) -> str:
        """Return the name of the packaged slice.

        Examples
        --------
        >>> VECTORS[0].slice_name(dark=True)
        'vectors_B-L_dark'
        """
        return f"vectors_{self.model}{'_dark' if dark else ''}"


VECTORS = (
    Vector(
        "B-L",
        "B − L",
        "g'",
        "Quarks have charge 1/3, leptons -1; the neutrinos are left-handed.",
    ),
    Vector(
        "L_mu-L_tau",
        "L_μ − L_τ",
        "g'",
        "There is no kinetic mixing, so that electrons and quarks do not couple. Loops would mix "
        "the boson with the photon, ε of about -g'/70, which brings Borexino in; `eps` in a slice "
        "adds it.",
    ),
    Vector(
        "L_e-L_mu",
        "L_e − L_μ",
        "g'",
        "There is no kinetic mixing, so that quarks do not couple.",
    ),
    Vector(
        "dark_photon",
        "Dark photon",
        "ε",
        "All couplings are -e ε times the electric charge, e = 0.3028.",
    ),
    Vector(
        "B-Q",
        "Protophobic boson, B − Q",
        "g'",
        "Baryon number minus electric charge: the neutron and every charged lepton have the "
        "coupling g', the proton and the neutrinos none. `protophobic` frees the ratios of the "
        "three couplings.",
    ),
    Vector(
        "B-3L_tau",
        "B − 3L_τ",
        "g'",
        "Quarks have charge 1/3, the tau family -3, and electrons and muons none.",
    ),
)
"""Models of the page in their order."""


def slice_of_entries(vector: Vector, entries: Sequence[str], sigma: float = 2) -> Slice:
    """Return the slice of a model with some entries alone, where measurements count pulls.

    Parameters
    ----------
    vector
        The model.
    entries
        Names of entries.
    sigma
        Standard errors beyond which a measurement excludes.
    """
    changes = [
        (("likelihood",), Given({"add": list(entries)})),
        (("reference",), Given("pull")),
        (("sigma",), Given(sigma)),
    ]
    return load_slice(vector.slice_name(dark=False), changes)
