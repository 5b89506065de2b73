"""Pairings of one charge set: which charges belong to which family, and the model that follows."""

from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import numpy as np

from zpfit.analysis.atlas.charge_sets import ChargeSet, Triple
from zpfit.analysis.atlas.signatures import HiggsPolicy, invariants, normalised, quark_invariants
from zpfit.errors import InvalidInput
from zpfit.models.gauge_mixing import FAMILIES

REFERENCE = "B. C. Allanach, J. Davighi and S. Melville, JHEP 02 (2019) 082, arXiv:1812.04602"
"""The publication that classifies the sets."""
_PRIORS = {
    "m_Zp": {"type": "log_uniform", "lower": 1, "upper": 100},
    "g_prime": {"type": "log_uniform", "lower": 1e-8, "upper": 1e-1},
    "eps": {"type": "signed_log_uniform", "lower": 1e-8, "upper": 1e-1},
}
"""Priors of a run file: those of the packaged models, with free kinetic mixing."""


@dataclass(frozen=True)
class Pairing:
    """Charges of the leptons by family, with the charge of the Higgs doublet.

    Families are those of the masses: electron, muon and tau.
    """

    L: Triple
    """Charges of the doublets of e, mu and tau."""
    e: Triple
    """Charges of the right-handed e, mu and tau."""
    H: int

    @property
    def signature(self) -> tuple[int, ...]:
        """N_e, A_e, N_mu, A_mu and |N_tau|, see :mod:`zpfit.analysis.atlas.signatures`."""
        rows = [np.array(row, dtype=np.int64) for row in (self.L, self.e, self.H)]
        return tuple(normalised(invariants(*rows)[None, :])[0].tolist())

    @property
    def powers(self) -> Triple:
        """Powers |A| of a flavon of charge 1 in the masses of e, mu and tau; 0 without flavons."""
        first, second, third = (
            abs(self.H + right - left) for left, right in zip(self.L, self.e, strict=True)
        )
        return first, second, third


def pairings(charges: ChargeSet, higgs: HiggsPolicy) -> tuple[Pairing, ...]:
    """Return all pairings of a set, those with the smallest sum of powers first.

    Parameters
    ----------
    charges
        The set.
    higgs
        Policy for the Higgs charge. With ``renormalisable`` all powers vanish, and a set whose
        leptons have no such masses has no pairing.

    Examples
    --------
    >>> zero = (0, 0, 0)
    >>> electron_only = ChargeSet(zero, (1, 0, 0), (-1, 0, 0), zero, (-1, 0, 0), (1, 0, 0))
    >>> [(found.e, found.powers) for found in pairings(electron_only, HiggsPolicy.ZERO)]
    [((-1, 0, 0), (1, 0, 0)), ((0, -1, 0), (0, 1, 0)), ((0, 0, -1), (0, 0, 1))]
    """
    h, remainder = divmod(charges.triple_higgs_charge, 3)
    if higgs is HiggsPolicy.ZERO:
        h, remainder = 0, 0
    if remainder:
        return ()
    orders = product(_orders(charges.L), _orders(charges.e))
    found = [Pairing(left, right, h) for left, right in orders]
    if higgs is HiggsPolicy.RENORMALISABLE:
        found = [pairing for pairing in found if not any(pairing.powers)]
    return tuple(sorted(found, key=lambda pairing: sum(pairing.powers)))


def _orders(charges: Triple) -> list[Triple]:
    """Return the distinct orders of three charges, sorted."""
    return sorted({(first, second, third) for first, second, third in permutations(charges)})


def quark_families(charges: ChargeSet) -> tuple[Triple, Triple, Triple]:
    """Return Q, u and d of three families of quarks.

    If two families can be alike, these are the first two. Otherwise the charges of each species
    are in ascending order, with which all Yukawa couplings are renormalisable if any pairing has
    that property.

    Examples
    --------
    >>> quarks = ChargeSet((-2, 1, 1), (-2, 1, 1), (-2, 1, 1), (0, 0, 0), (0, 0, 0))
    >>> quark_families(quarks)
    ((1, 1, 1), (1, 1, 1), (-2, -2, -2))
    """
    rows = [sorted(row) for row in (charges.Q, charges.u, charges.d)]
    if all(row[1] in (row[0], row[2]) for row in rows):
        rows = [[row[1], row[1], sum(row) - 2 * row[1]] for row in rows]
    first, second, third = zip(*rows, strict=True)
    return first, second, third


def model_content(title: str, charges: ChargeSet, pairing: Pairing) -> dict[str, Any]:
    """Return the content of the model file of a set.

    Parameters
    ----------
    title
        Title of the model.
    charges, pairing
        The set, and the charges of its leptons by family.
    """
    first, *others = (dict(zip("Lud", row, strict=True)) for row in quark_families(charges))
    leptons = zip(FAMILIES, pairing.L, pairing.e, strict=True)
    table: dict[str, Any] = {name: {"L": left, "R": right} for name, left, right in leptons}
    table |= {"H": pairing.H, "quarks": first}
    for name, row in zip(("quarks_second", "quarks_third"), others, strict=True):
        table |= {name: row} if row != first else {}
    return {
        "type": "charges",
        "title": title,
        "description": (
            "An anomaly-free set of charges. Right-handed neutrinos, of charges "
            f"{', '.join(map(str, charges.nu))}, are taken to be too heavy to matter. Decays that "
            "change flavour are not predicted."
        ),
        "reference": REFERENCE,
        "charges": table,
    }


def run_content(
    title: str,
    name: str,
    charges: ChargeSet,
    pairing: Pairing,
    likelihood: str | dict[str, Any],
) -> dict[str, Any]:
    """Return the content of a run file for the model of a set.

    Parameters
    ----------
    title
        Title of the run.
    name
        Name of the model.
    charges, pairing
        The set, and the charges of its leptons by family.
    likelihood
        Name of a likelihood set, or a mapping as in a run file.
    """
    visible = (*pairing.L, *pairing.e, pairing.H, *charges.Q, *charges.u, *charges.d)
    # Kinetic mixing alone has no g'.
    priors = {key: prior for key, prior in _PRIORS.items() if key != "g_prime" or any(visible)}
    return {
        "title": title,
        "model": name,
        "likelihood": likelihood,
        "priors": {"parameters": priors},
    }


def chosen_pairing(number: int, charges: ChargeSet, higgs: HiggsPolicy, choice: int) -> Pairing:
    """Return one of the pairings of a set, counted from 1.

    Parameters
    ----------
    number
        Number of the set, for messages.
    charges, higgs
        The set and the policy for the Higgs charge.
    choice
        Position among :func:`pairings`, from 1.

    Raises
    ------
    InvalidInput
        The set has no such pairing.
    """
    found = pairings(charges, higgs)
    if not found:
        reason = "no Higgs charge gives all leptons their masses without flavons"
        raise InvalidInput([f"set {number}: {reason}; choose the policy 'zero'"])
    if not 1 <= choice <= len(found):
        raise InvalidInput([f"pairing: {choice} is out of range; give 1 to {len(found)}"])
    return found[choice - 1]


def pairing_with(charges: ChargeSet, higgs: HiggsPolicy, signature: tuple[int, ...]) -> int:
    """Return the first pairing of a set that has a signature, counted from 1.

    Parameters
    ----------
    charges, higgs
        The set and the policy for the Higgs charge.
    signature
        Integers of the signature: those of leptons, then those of quarks if it has some.

    Raises
    ------
    InvalidInput
        No pairing of the set has this signature.

    Examples
    --------
    >>> zero = (0, 0, 0)
    >>> right_handed = ChargeSet(zero, (1, 0, 0), (-1, 0, 0), zero, (-1, 0, 0), (1, 0, 0))
    >>> pairing_with(right_handed, HiggsPolicy.ZERO, (0, 0, 0, 1, 0))
    2
    """
    for choice, found in enumerate(pairings(charges, higgs), start=1):
        if _full_signature(found, charges, len(signature)) == signature:
            return choice
    raise InvalidInput([f"signature {signature}: no pairing of the charges {charges} has it"])


def _full_signature(found: Pairing, charges: ChargeSet, width: int) -> tuple[int, ...]:
    """Return the integers of a pairing; a width above that of leptons adds quarks."""
    leptons = invariants(*(np.array(row, dtype=np.int64) for row in (found.L, found.e, found.H)))
    shared = np.array([sorted(row)[1] for row in (charges.Q, charges.u, charges.d)])
    quarks = quark_invariants(shared, np.array(found.H))
    row = np.concatenate([leptons, quarks])[:width]
    return tuple(normalised(row[None, :])[0].tolist())
