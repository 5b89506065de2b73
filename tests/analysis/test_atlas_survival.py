"""Survivors of a screen: charge sets with all their pairings, bars, and flavour structures."""

import numpy as np
import pytest

from zpfit.analysis.atlas.charge_sets import ChargeSet, ChargeSets
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.flags import FLAGS
from zpfit.analysis.atlas.pairings import pairings
from zpfit.analysis.atlas.screen import References, Screened, ScreenOptions, find_references, screen
from zpfit.analysis.atlas.signatures import (
    HiggsPolicy,
    SignatureTable,
    invariants,
    least_of_sets,
    normalised,
    quark_invariants,
    signatures,
)
from zpfit.analysis.atlas.survival import could_survive, gain_of_sets, gains, survival_of
from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble


@pytest.fixture(scope="module")
def sets() -> ChargeSets:
    return enumerate_sets(2)


def values_of(table: SignatureTable) -> dict[tuple[int, ...], float]:
    rng = np.random.default_rng(1)
    rows = map(tuple, table.vectors.tolist())
    return dict(zip(rows, rng.random(len(table)).tolist(), strict=True))


def signatures_of(
    charges: ChargeSet, policy: HiggsPolicy, *, quarks: bool
) -> list[tuple[int, ...]]:
    """Return the signature of each pairing, from the charges themselves."""
    found = []
    for pairing in pairings(charges, policy):
        row = invariants(*(np.array(z, dtype=np.int64) for z in (pairing.L, pairing.e, pairing.H)))
        if quarks:
            shared = np.array([sorted(z)[1] for z in (charges.Q, charges.u, charges.d)])
            row = np.concatenate([row, quark_invariants(shared, np.array(pairing.H))])
        found.append(tuple(normalised(row[None])[0].tolist()))
    return found


@pytest.mark.parametrize("policy", HiggsPolicy)
@pytest.mark.parametrize("quarks", [False, True])
def test_a_set_has_the_best_signature_of_its_pairings(
    sets: ChargeSets, policy: HiggsPolicy, *, quarks: bool
) -> None:
    table = signatures(sets, policy, quarks=quarks)
    values = values_of(table)
    found = least_of_sets(sets, table, np.array([*values.values()]))
    alike = FLAGS["two_quark_families_alike"](sets)
    for number in range(0, len(sets), 3):
        wanted = signatures_of(sets.row(number), policy, quarks=quarks)
        admitted = bool(wanted) and (alike[number] or not quarks)
        expected = min(values[one] for one in wanted) if admitted else np.inf
        assert found[number] == expected


def test_a_table_that_lacks_signatures_is_refused(sets: ChargeSets) -> None:
    table = signatures(enumerate_sets(1), HiggsPolicy.ZERO)
    with pytest.raises(InvalidInput, match="not all signatures"):
        least_of_sets(sets, table, np.zeros(len(table)))


def test_every_set_counts_once(sets: ChargeSets) -> None:
    """Each set has several signatures, so that the sets of signatures add up to more."""
    table = signatures(sets, HiggsPolicy.ZERO)
    gain = np.full(len(table), 10.0)
    found = survival_of(sets, gain, gain_of_sets(sets, table, gain))
    assert (found.signatures, found.sets) == (359, 358)
    assert found.surviving == {4.0: 359, 9.0: 359, 16.0: 0}
    assert found.surviving_sets == {4.0: 358, 9.0: 358, 16.0: 0}
    assert sum(found.flavours.values()) == 358
    assert found.fraction(9.0) == 1
    assert table.sets.sum() > 358
    table, gain = signatures(sets, HiggsPolicy.RENORMALISABLE), np.zeros(17)
    other = survival_of(sets, gain, gain_of_sets(sets, table, gain))
    assert (other.sets, other.surviving_sets[4.0]) == (63, 0)


def test_a_gain_is_measured_from_the_lower_reference() -> None:
    row = np.array([3.0, 10.0])
    flag = np.ones(2, dtype=bool)
    found = Screened(chi2=row, m_Zp=row, g_prime=row, c=row, nested=flag, scanned=flag, terms={})
    np.testing.assert_array_equal(gains(found, References(17.0, 10.0, (17.0, 1e-4))), [7, 0])


def test_no_chi2_is_negative() -> None:
    assert not could_survive(References(20.0, 8.9, (17.0, 1e-4)))
    assert could_survive(References(9.1, 9.1, (17.0, 1e-4)))


def test_signatures_above_the_bar_need_no_search_at_fixed_masses() -> None:
    """L_mu - L_tau gains 11.9 against the dark photon on the paper's data (docs/models.md)."""
    spec = LikelihoodSpec(set="paper_2021_cs")
    data = assemble(spec, Library.beside()).likelihood
    references = find_references(data)
    row = np.array([[0.0, 0, 1, 0, 1]])
    few = {"starts": 6, "kept": 1, "masses": 1}
    for enough, scanned in ((9.0, False), (15.0, True)):
        options = ScreenOptions(gain=5.0, enough=enough, **few)  # type: ignore[arg-type]
        found = screen(row, data, references, (1, 0), options)
        assert gains(found, references)[0] > 11.5
        assert found.scanned[0] == scanned
