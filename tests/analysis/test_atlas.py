"""Check the atlas against published counts, brute force over all charges, and exact relations."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, permutations, product
from math import gcd
from typing import Any

import numpy as np
import pytest

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSet, ChargeSets
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.flags import FLAGS, QuarkFlavour, count_flags, least_powers, quark_flavour
from zpfit.analysis.atlas.pairings import model_content, pairings, quark_families
from zpfit.analysis.atlas.signatures import (
    HiggsPolicy,
    SignatureTable,
    invariants,
    quark_invariants,
    signatures,
)
from zpfit.models.gauge import GaugeOptions
from zpfit.models.model_file import ChargesFile, ChargesModel
from zpfit.runs.run_file import load_single_model

ZERO, RENORMALISABLE = HiggsPolicy.ZERO, HiggsPolicy.RENORMALISABLE

WITH_NEUTRINOS = (38, 358, 4116, 24552, 111152, 435305, 1358388, 3612734, 9587085, 21546920)
WITHOUT = (8, 22, 82, 251, 626, 1983, 3902, 7068, 14354, 23800)
"""Number of sets for Qmax 1 to 10: B. C. Allanach, J. Davighi, S. Melville, arXiv:1812.04602."""

FIELDS = {
    # multiplicity, its part of colour triplets, of weak doublets, six times the hypercharge, sign
    "Q": (6, 2, 3, 1, 1),
    "u": (3, 1, 0, -4, -1),
    "d": (3, 1, 0, 2, -1),
    "L": (2, 0, 1, -3, 1),
    "e": (1, 0, 0, 6, -1),
    "nu": (1, 0, 0, 0, -1),
}
"""Left-handed Weyl fermions; those of right-handed fields are their conjugates."""

Set = tuple[tuple[int, ...], ...]


def anomalies(*charges: Any) -> Iterator[Any]:
    """Yield the six anomaly coefficients as sums over left-handed Weyl fermions."""
    for part in ("colour", "weak", "gravity", "hyper", "quadratic", "cubic"):
        total: Any = 0
        for row, (many, colour, weak, y, sign) in zip(charges, FIELDS.values(), strict=True):
            z = sign * row
            total = (
                total
                + {
                    "colour": lambda c=colour, z=z: c * z.sum(-1),
                    "weak": lambda w=weak, z=z: w * z.sum(-1),
                    "gravity": lambda m=many, z=z: m * z.sum(-1),
                    "hyper": lambda m=many, y=y, z=z: m * y**2 * z.sum(-1),
                    "quadratic": lambda m=many, y=y, z=z: m * y * (z**2).sum(-1),
                    "cubic": lambda m=many, z=z: m * (z**3).sum(-1),
                }[part]()
            )
        yield total


def canonical(charges: Set) -> Set:
    negative = tuple(tuple(sorted(-z for z in row)) for row in charges)
    return max(charges, negative)


def brute_force(qmax: int) -> set[Set]:
    """Every anomaly-free set, from all combinations with the right sums of the two doublets."""
    rows = [*combinations_with_replacement(range(-qmax, qmax + 1), 3)]
    table = np.array(rows)
    found = set()
    for q, lepton in product(range(len(rows)), repeat=2):
        if 3 * sum(rows[q]) + sum(rows[lepton]):  # two SU(2) currents
            continue
        u, d = np.nonzero(np.add.outer(table.sum(1), table.sum(1)) == 2 * table[q].sum())
        species = (table[q], table[u][:, None, None], table[d][:, None, None], table[lepton])
        sums = anomalies(*species, table[None, :, None], table[None, None, :])
        good = np.nonzero(
            np.all([np.broadcast_to(s == 0, (len(u), *2 * (len(rows),))) for s in sums], 0)
        )
        for i, e, nu in zip(*good, strict=True):
            charges = tuple(rows[k] for k in (q, u[i], d[i], lepton, e, nu))
            if gcd(*(z for row in charges for z in row)) <= 1:
                found.add(canonical(charges))
    return found


def as_tuples(sets: ChargeSets) -> list[Set]:
    columns = [sets.charges(name).tolist() for name in SPECIES]
    return [tuple(map(tuple, rows)) for rows in zip(*columns, strict=True)]


@pytest.fixture(scope="module")
def six() -> ChargeSets:
    return enumerate_sets(6)


@pytest.fixture(scope="module")
def four() -> ChargeSets:
    return enumerate_sets(4)


@pytest.fixture(scope="module")
def two() -> ChargeSets:
    return enumerate_sets(2)


def test_the_lists_are_those_of_a_search_through_all_charges(two: ChargeSets) -> None:
    listed = [canonical(row) for row in as_tuples(two)]
    assert len(listed) == len(set(listed))
    assert set(listed) == brute_force(2)


def test_counts_up_to_six(six: ChargeSets) -> None:
    counted = {name: tuple(counts[1:]) for name, counts in count_flags(six).items()}
    assert counted["all"] == WITH_NEUTRINOS[:6]
    assert counted["sm_only"] == WITHOUT[:6]
    for name, counts in FLAGGED.items():
        assert counted[name] == counts[:6], name


def test_counts_without_neutrinos_are_the_published_ones() -> None:
    assert tuple(count_flags(enumerate_sets(10, neutrinos=False))["all"][1:]) == WITHOUT


def test_a_set_has_the_same_number_for_any_qmax(two: ChargeSets, six: ChargeSets) -> None:
    np.testing.assert_array_equal(six.members[:, : len(two)], two.members)
    assert np.all(np.diff(six.sizes().astype(int)) >= 0)


def test_anomalies_cancel_and_the_sum_rules_hold(four: ChargeSets) -> None:
    charges = [four.charges(name) for name in SPECIES]
    assert not any(total.any() for total in anomalies(*charges))
    Q, u, d, L, e, nu = (row.sum(axis=1) for row in charges)
    higgs = four.triple_higgs_charge()
    for difference in (u - Q, Q - d, L - e):
        np.testing.assert_array_equal(difference, higgs)
    # The sum of N = z_L + z_H* is that of the charges of right-handed neutrinos.
    np.testing.assert_array_equal(L + higgs, nu)


def test_one_set_states_its_anomalies(two: ChargeSets) -> None:
    for number in range(0, len(two), 7):
        assert not any(two.row(number).anomalies().values())
    wrong = ChargeSet((1, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0))
    assert wrong.anomalies()["SU(2)"] == 3


# Named models


def expected(name: str, *, factor: int = 1) -> ChargeSet:
    leptons = {"B-L": (-3, -3, -3), "L_mu-L_tau": (0, 1, -1), "B-3L_tau": (0, 0, -9)}[name]
    quarks = (0, 0, 0) if name == "L_mu-L_tau" else (1, 1, 1)
    rows = [tuple(factor * z for z in row) for row in (quarks, leptons)]
    return ChargeSet(*3 * [rows[0]], *3 * [rows[1]])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["B-L", "L_mu-L_tau"])
def test_named_models_are_found_in_any_normalisation(name: str, four: ChargeSets) -> None:
    number = four.find(expected(name))
    assert number is not None
    assert number == four.find(expected(name, factor=-2))
    assert four.row(number).size == max(abs(z) for z in expected(name).L)


def test_a_set_with_an_anomaly_or_too_large_a_charge_is_not_found(four: ChargeSets) -> None:
    assert four.find(ChargeSet((1, 1, 1), (1, 1, 1), (1, 1, 1), (-3, -3, -3), (-3, -3, -3))) is None
    assert four.find(expected("B-3L_tau")) is None


# Flags


def plain_flags(charges: Set) -> dict[str, bool]:
    """Flags from their definitions, one set at a time."""
    Q, u, d, L, e, nu = charges
    triple = sum(u) - sum(Q)

    def shifted(row: tuple[int, ...], by: int) -> list[int]:
        return sorted(3 * z + by for z in row)

    quarks = shifted(Q, triple) == shifted(u, 0) and shifted(Q, -triple) == shifted(d, 0)
    leptons = shifted(L, -triple) == shifted(e, 0)
    return {
        "sm_only": not any(nu),
        "renormalisable_leptons": leptons,
        "renormalisable_quarks": quarks,
        "renormalisable": quarks and leptons,
        "renormalisable_with_neutrinos": (
            quarks and leptons and shifted(L, triple) == shifted(nu, 0)
        ),
        "quarks_universal": all(len(set(row)) == 1 for row in (Q, u, d)),
        "two_quark_families_alike": all(len(set(row)) < 3 for row in (Q, u, d)),
        "quark_doublets_universal": len(set(Q)) == 1,
        "leptophilic": not any((*Q, *u, *d)),
        "charged_leptons_neutral": not any((*L, *e)),
        "vectorlike_leptons": sorted(L) == sorted(e),
        "integer_higgs_charge": triple % 3 == 0,
        "zero_higgs_charge": triple == 0,
    }


def test_flags_are_their_definitions() -> None:
    sets = enumerate_sets(3)
    rows = [plain_flags(charges) for charges in as_tuples(sets)]
    for name, flag in FLAGS.items():
        assert flag(sets).tolist() == [row[name] for row in rows], name


def test_flavour_structures_are_ordered_from_safe_to_general(two: ChargeSets) -> None:
    label = quark_flavour(two)
    assert np.all((label == QuarkFlavour.UNIVERSAL) == FLAGS["quarks_universal"](two))
    alike = FLAGS["two_quark_families_alike"](two)
    assert np.all((label <= QuarkFlavour.TWO_ALIKE) == alike)
    doublets = FLAGS["quark_doublets_universal"](two)
    assert np.all((label <= QuarkFlavour.UNIVERSAL_DOUBLETS) == (alike | doublets))


def test_ascending_pairs_have_the_least_powers(two: ChargeSets) -> None:
    least = least_powers(two)
    for number in range(0, len(two), 5):
        best = pairings(two.row(number), ZERO)[0]
        assert sum(best.powers) == least[number]


# Signatures


def plain_signature(numbers: tuple[int, ...]) -> tuple[int, ...]:
    common = gcd(*numbers) or 1
    result = [z // common for z in numbers]
    others = [z for i, z in enumerate(result) if i != 4]
    sign = next((-1 if z < 0 else 1 for z in others if z), 1)
    result = [sign * z for z in result]
    result[4] = abs(result[4])
    return tuple(result)


def plain_signatures(charges: Set, policy: HiggsPolicy, *, quarks: bool) -> set[tuple[int, ...]]:
    """Signatures of one set, from loops over all assignments of families."""
    Q, u, d, L, e, _ = charges
    if quarks and any(len(set(row)) == 3 for row in (Q, u, d)):
        return set()
    triple = 0 if policy is ZERO else sum(u) - sum(Q)
    if triple % 3:
        return set()
    h = triple // 3
    added: tuple[int, ...] = ()
    if quarks:
        q, up, down = (max(row, key=row.count) for row in (Q, u, d))
        added = (3 * q - h, up - q - h, down - q + h)
    found = set()
    for left, right in product(permutations(L), permutations(e)):
        n = [z + h for z in left]
        a = [h + r - z for z, r in zip(left, right, strict=True)]
        if policy is ZERO or not any(a):
            found.add(plain_signature((n[0], a[0], n[1], a[1], n[2], *added)))
    return found


def as_set(table: SignatureTable) -> set[tuple[int, ...]]:
    return set(map(tuple, table.vectors.tolist()))


@pytest.mark.parametrize("quarks", [False, True])
@pytest.mark.parametrize("policy", HiggsPolicy)
def test_signatures_are_those_of_all_assignments(
    two: ChargeSets, policy: HiggsPolicy, *, quarks: bool
) -> None:
    each = [plain_signatures(charges, policy, quarks=quarks) for charges in as_tuples(two)]
    table = signatures(two, policy, quarks=quarks)
    assert as_set(table) == set().union(*each)
    for vector, sets, first in zip(table.vectors.tolist(), table.sets, table.first, strict=True):
        having = [number for number, found in enumerate(each) if tuple(vector) in found]
        assert (len(having), having[0]) == (sets, first)


def test_a_signature_has_the_same_number_for_any_qmax(two: ChargeSets) -> None:
    for policy in HiggsPolicy:
        few, many = (signatures(sets, policy).vectors for sets in (two, enumerate_sets(3)))
        np.testing.assert_array_equal(many[: len(few)], few)


def test_policies_do_not_mix(two: ChargeSets) -> None:
    assert not signatures(two, RENORMALISABLE).vectors[:, [1, 3]].any()
    assert signatures(two, ZERO).vectors[:, [1, 3]].any()


@pytest.mark.parametrize("shift", [-2, 1, 5])
def test_shifts_along_hypercharge_change_no_invariant(two: ChargeSets, shift: int) -> None:
    z = {name: two.charges(name) for name in SPECIES}
    y = {"Q": 1, "u": 4, "d": -2, "L": -3, "e": -6, "nu": 0}  # six times the hypercharge
    shifted = {name: z[name] + shift * y[name] for name in SPECIES}
    assert not any(total.any() for total in anomalies(*shifted.values()))
    higgs = two.triple_higgs_charge() // 3
    moved = (shifted["u"].sum(1) - shifted["Q"].sum(1)) // 3
    np.testing.assert_array_equal(moved, higgs + 3 * shift)
    before, after = invariants(z["L"], z["e"], higgs), invariants(shifted["L"], shifted["e"], moved)
    np.testing.assert_array_equal(after, before)
    old, new = (np.stack([row[s][:, 0] for s in "Qud"], axis=1) for row in (z, shifted))
    np.testing.assert_array_equal(quark_invariants(new, moved), quark_invariants(old, higgs))


# Models


def couplings(content: dict[str, Any], route: str = "leading_order") -> dict[str, float]:
    file = ChargesFile.model_validate(content)
    model = ChargesModel("mine", file, GaugeOptions(route=route))  # type: ignore[arg-type]
    values = {"m_Zp": 17.0, "g_prime": 1e-4, "eps": 3e-4}
    given = {p.name: np.array([values[p.name]]) for p in model.parameters}
    return {name: float(row[0]) for name, row in model.couplings(given).items()}


@pytest.mark.parametrize("policy", HiggsPolicy)
def test_models_have_the_couplings_of_their_signatures(
    two: ChargeSets, policy: HiggsPolicy
) -> None:
    for number in range(17, len(two), 31):
        charges = two.row(number)
        for pairing in pairings(charges, policy)[::7]:
            if not any((*pairing.L, *pairing.e, pairing.H)):
                continue
            c = couplings(model_content("mine", charges, pairing))
            numbers = invariants(*(np.array(z) for z in (pairing.L, pairing.e, pairing.H)))
            universal = c["C_Ve"] - 1e-4 * (numbers[0] + numbers[1] / 2)
            rows = (("e", numbers[0], numbers[1]), ("mu", numbers[2], numbers[3]))
            for family, n, a in rows:
                assert c[f"C_nu{family}"] == pytest.approx(1e-4 * n, abs=1e-15)
                assert c[f"C_A{family}"] == pytest.approx(1e-4 * a / 2, abs=1e-15)
                # Eq. (33) of arXiv:2102.07781
                assert c[f"C_V{family}"] == pytest.approx(1e-4 * (n + a / 2) + universal, abs=1e-15)
            assert c["C_nutau"] == pytest.approx(1e-4 * numbers[4], abs=1e-15)
            first = np.array(quark_families(charges)[0])
            b, up, down = quark_invariants(first, np.array(pairing.H))
            expect = {
                "C_Vu": 1e-4 * (b / 3 + up / 2) - 2 / 3 * universal,
                "C_Vd": 1e-4 * (b / 3 + down / 2) + universal / 3,
                "C_Au": 1e-4 * up / 2,
                "C_Ad": 1e-4 * down / 2,
            }
            assert {name: c[name] for name in expect} == pytest.approx(expect, abs=1e-15)


def test_quarks_of_other_families_have_their_own_couplings() -> None:
    charges = ChargeSet((-2, 1, 1), (-2, 1, 1), (-2, 1, 1), (0, 0, 0), (0, 0, 0))
    assert not any(charges.anomalies().values())
    c = couplings(model_content("mine", charges, pairings(charges, ZERO)[0]), "exact")
    assert (c["C_Vc"], c["C_Vs"]) == (c["C_Vu"], c["C_Vd"])
    # Vector couplings of d and b differ by g' (1 + 2), up to corrections of order eps^2.
    assert c["C_Vd"] - c["C_Vb"] == pytest.approx(3e-4, rel=1e-6)


def test_the_set_of_baryon_minus_lepton_number_is_the_packaged_model() -> None:
    [pairing] = pairings(expected("B-L"), RENORMALISABLE)
    c = couplings(model_content("mine", expected("B-L"), pairing), "exact")
    model = load_single_model("B-L")[1]
    values = {"m_Zp": 17.0, "g_prime": 3e-4, "eps": 3e-4}
    packaged = model.couplings({name: np.array([value]) for name, value in values.items()})
    for name, value in c.items():
        assert value == pytest.approx(float(packaged[name][0]), rel=1e-12, abs=1e-18), name


# Counts up to Qmax 10, of an independent program

LEPTONS = {
    "zero": (33, 359, 2084, 6885, 20713, 45154, 94772, 180310, 310589, 506245),
    "renormalisable": (5, 17, 60, 124, 230, 442, 679, 1013, 1507, 1979),
}
SAFE = {
    QuarkFlavour.TWO_ALIKE: (5, 17, 48, 97, 193, 302, 485, 725, 1002, 1375),
    QuarkFlavour.UNIVERSAL: (5, 14, 35, 71, 144, 212, 371, 536, 762, 1006),
}
FLAGGED = {
    "renormalisable_leptons": (11, 63, 488, 1799, 5733, 17484, 41456, 86410, 190245, 342447),
    "renormalisable_quarks": (11, 62, 421, 1304, 4056, 11050, 23427, 45526, 94122, 163222),
    "renormalisable": (11, 60, 392, 1219, 3634, 9939, 21138, 41101, 85052, 144251),
    "renormalisable_with_neutrinos": (7, 36, 178, 607, 1800, 4309, 9685, 19153, 36181, 63087),
    "quarks_universal": (5, 10, 27, 49, 99, 172, 325, 541, 917, 1287),
    "two_quark_families_alike": (16, 103, 792, 2649, 7858, 19843, 44357, 83980, 169562, 285955),
    "leptophilic": (4, 7, 13, 18, 28, 35, 50, 61, 77, 91),
    "charged_leptons_neutral": (4, 9, 18, 33, 63, 91, 156, 216, 334, 434),
    "vectorlike_leptons": (10, 48, 319, 967, 2423, 6593, 13856, 24701, 51832, 81950),
    "integer_higgs_charge": (
        *(20, 143, 1712, 8517, 35399, 156918, 455150, 1155285),
        *(3336279, 7205281),
    ),
    "zero_higgs_charge": (
        *(18, 106, 870, 3673, 12845, 46191, 120088, 271776),
        *(688778, 1358875),
    ),
}


def test_counts_of_signatures_up_to_four(four: ChargeSets) -> None:
    for policy in HiggsPolicy:
        assert len(signatures(four, policy)) == LEPTONS[policy][3]
    for flavour, counts in SAFE.items():
        assert len(signatures(four, RENORMALISABLE, flavour=flavour)) == counts[3]


@pytest.fixture(scope="module")
def ten() -> ChargeSets:
    return enumerate_sets(10)


@pytest.mark.slow
def test_all_counts_up_to_ten(ten: ChargeSets) -> None:
    counted = count_flags(ten)
    assert tuple(counted["all"][1:]) == WITH_NEUTRINOS
    assert tuple(counted["sm_only"][1:]) == WITHOUT
    for name, counts in FLAGGED.items():
        assert tuple(counted[name][1:]) == counts, name
    both = FLAGS["quarks_universal"](ten) & FLAGS["renormalisable_leptons"](ten)
    assert both.sum() == 1132
    assert np.array_equal(both, both & FLAGS["renormalisable"](ten))
    alike = FLAGS["two_quark_families_alike"](ten) & FLAGS["renormalisable_leptons"](ten)
    assert alike.sum() == 32208


def counted_up_to(table: SignatureTable) -> tuple[int, ...]:
    """Signatures of the sets up to each Qmax, whose first sets are among the first of the list."""
    return tuple(np.searchsorted(table.first, WITH_NEUTRINOS).tolist())


@pytest.mark.slow
def test_all_counts_of_signatures_up_to_ten(ten: ChargeSets) -> None:
    for policy in HiggsPolicy:
        assert counted_up_to(signatures(ten, policy)) == LEPTONS[policy]
    for flavour, counts in SAFE.items():
        assert counted_up_to(signatures(ten, RENORMALISABLE, flavour=flavour)) == counts


@pytest.mark.slow
def test_contents_up_to_ten(ten: ChargeSets) -> None:
    """Contents that decide the number of fits, each by another count of the same columns."""
    Q, u, d, L, e, _ = ten.members.astype(np.int64)
    without_neutrinos = (((((Q << 11 | u) << 11) | d) << 11 | L) << 11) | e
    assert len(np.unique(without_neutrinos)) == 15847771
    kept = FLAGS["renormalisable_leptons"](ten) & FLAGS["two_quark_families_alike"](ten)
    rows = ten.chosen(np.flatnonzero(kept))
    first = [rows.charges(name)[:, [1]] for name in ("Q", "u", "d")]
    columns = [rows.charges("L"), rows.triple_higgs_charge()[:, None], *first]
    assert len(np.unique(np.concatenate(columns, axis=1), axis=0)) == 15488


@pytest.mark.slow
def test_baryon_minus_three_times_a_lepton_number(ten: ChargeSets) -> None:
    number = ten.find(expected("B-3L_tau"))
    assert number is not None
    assert ten.row(number).size == 9
    found = {pairing.L for pairing in pairings(ten.row(number), RENORMALISABLE)}
    assert found == {(-9, 0, 0), (0, -9, 0), (0, 0, -9)}
