"""Test the survey of the atlas: its data, resume, the line of neutral doublets, and the page."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zpfit.analysis.atlas.charge_sets import ChargeSet
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.screen import ScreenOptions, couplings, reads_quarks
from zpfit.analysis.atlas.signatures import HiggsPolicy, signatures
from zpfit.analysis.atlas.survival import Survival
from zpfit.inference.progress import SILENT
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.runs.pools import ExecutorChoice, Kind
from zpfit.studies.atlas import FOLDER, NUMBERS, PAGE, screens
from zpfit.studies.atlas.axial_quarks import axial_choices, axial_in_quarks, hopeful
from zpfit.studies.atlas.data import ANOMALY, EPOCHS, EXPERIMENTS, RUBIDIUM, TODAY, first, without
from zpfit.studies.atlas.figures import neutral_line
from zpfit.studies.atlas.lists import flavour_safe, neutral_doublets
from zpfit.studies.atlas.numbers import (
    Accuracy,
    AnyFamily,
    ChargedDoublets,
    EpochResult,
    ExperimentResult,
    Hopeless,
    Numbers,
    QuarkChoice,
    QuarkResult,
    QuarkRow,
    RealCharges,
    Survey,
    Survivor,
)
from zpfit.studies.atlas.page import render_page
from zpfit.studies.atlas.real_charges import neutral_couplings
from zpfit.studies.atlas.screens import Screener, Signed

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = "atlas survey"


def survival(content: Mapping[str, Any]) -> Survival:
    bars = {
        key: {float(bar): count for bar, count in content[key].items()}
        for key in ("surviving", "surviving_sets")
    }
    return Survival(**{**content, **bars})


def recorded() -> Numbers:
    content = json.loads((DOCS / FOLDER / NUMBERS).read_text(encoding="utf-8"))
    experiments = (
        {**one, **{key: survival(one[key]) for key in ("added", "alone", "dropped")}}
        for one in content["experiments"]
    )
    epochs = ({**one, "survival": survival(one["survival"])} for one in content["epochs"])
    return Numbers(
        survey=Survey(**content["survey"]),
        epochs=tuple(EpochResult(**one) for one in epochs),
        rubidium=tuple(Hopeless(**one) for one in content["rubidium"]),
        anomaly=survival(content["anomaly"]),
        experiments=tuple(ExperimentResult(**one) for one in experiments),
        complete=survival(content["complete"]),
        survivors=tuple(Survivor(**one) for one in content["survivors"]),
        charged=ChargedDoublets(**content["charged"]),
        accuracy=tuple(Accuracy(**one) for one in content["accuracy"]),
        quarks=QuarkResult(
            **{
                **content["quarks"],
                "rows": tuple(QuarkRow(**row) for row in content["quarks"]["rows"]),
                "real": RealCharges(**content["quarks"]["real"]),
                "any_family": AnyFamily(**content["quarks"]["any_family"]),
                "choices": tuple(QuarkChoice(**one) for one in content["quarks"]["choices"]),
            }
        ),
    )


def test_experiments_are_all_entries_of_today() -> None:
    """Each entry once, so that the last step of the order has all data."""
    entries = assemble(TODAY.data, Library.beside()).entries
    listed = [*ANOMALY.entries, *(name for one in EXPERIMENTS for name in one.entries)]
    assert sorted(listed) == sorted(entry.name for entry in entries)
    assert sorted(first(len(EXPERIMENTS)).add) == sorted(listed)
    dropped = assemble(without(EXPERIMENTS[0]), Library.beside()).entries
    assert {entry.name for entry in entries} - {entry.name for entry in dropped} == {
        *EXPERIMENTS[0].entries
    }


def test_data_of_every_epoch_read_no_quarks() -> None:
    library = Library.beside()
    for epoch in (*EPOCHS, *RUBIDIUM):
        assert not reads_quarks(assemble(epoch.data, library).likelihood), epoch.name
    for name in EPOCHS[1].data.drop:
        assert reads_quarks(assemble(LikelihoodSpec(add=(name,)), library).likelihood), name


def test_a_screen_of_the_same_data_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = enumerate_sets(1)
    signed = Signed(sets, signatures(sets, HiggsPolicy.RENORMALISABLE))
    few = ScreenOptions(starts=3, steps=2, kept=1, kicks=1, gain=np.inf, masses=1)
    screener = Screener(tmp_path, ExecutorChoice(Kind.HERE), SILENT)
    made = screener.screen("mine", signed, first(0), few)
    assert made.path.name == "mine_renormalisable_1.nc"

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the screen was repeated")

    monkeypatch.setattr(screens, "screen_table", refused)
    again = screener.screen("mine", signed, first(0), few)
    np.testing.assert_array_equal(again.gain, made.gain)
    with pytest.raises(AssertionError, match="repeated"):
        screener.screen("mine", signed, first(1), few)


def test_a_damaged_screen_is_repeated(tmp_path: Path) -> None:
    sets = enumerate_sets(1)
    signed = Signed(sets, signatures(sets, HiggsPolicy.RENORMALISABLE))
    few = ScreenOptions(starts=3, steps=2, kept=1, kicks=1, gain=np.inf, masses=1)
    screener = Screener(tmp_path, ExecutorChoice(Kind.HERE), SILENT)
    made = screener.screen("mine", signed, first(0), few)
    made.path.write_bytes(made.path.read_bytes()[:500])
    again = screener.screen("mine", signed, first(0), few)
    np.testing.assert_array_equal(again.gain, made.gain)
    assert made.path.stat().st_size > 500


def test_screens_without_evidence_are_repeated_where_it_is_needed(tmp_path: Path) -> None:
    sets = enumerate_sets(1)
    signed = Signed(sets, signatures(sets, HiggsPolicy.RENORMALISABLE))
    few = ScreenOptions(starts=3, steps=2, kept=1, kicks=1, gain=np.inf, masses=1)
    screener = Screener(tmp_path, ExecutorChoice(Kind.HERE), SILENT)
    made = screener.screen("mine", signed, first(0), few)
    again = screener.screen("mine", signed, first(0), replace(few, draws=16))
    assert made.result.screened.evidence is None
    assert again.result.screened.evidence is not None


def test_a_longer_list_begins_with_a_shorter_one(tmp_path: Path) -> None:
    short, long = (
        Signed(sets, signatures(sets, HiggsPolicy.ZERO)) for sets in map(enumerate_sets, (1, 2))
    )
    few = ScreenOptions(starts=3, steps=2, kept=1, kicks=1, gain=np.inf, masses=1, draws=16)
    whole = Screener(tmp_path, ExecutorChoice(Kind.HERE), SILENT).screen(
        "mine", long, first(0), few
    )
    cut = whole.cut(short)
    np.testing.assert_array_equal(long.table.vectors[: len(short.table)], short.table.vectors)
    np.testing.assert_array_equal(cut.gain, whole.gain[: len(short.table)])
    assert cut.result.screened.evidence is not None
    assert len(cut.result.screened.evidence.log_z) == len(short.table)


def test_the_line_of_neutral_doublets() -> None:
    vectors = np.array([[0, 2, 0, 1, 0], [0, 0, 0, 1, 0], [1, 1, 0, 0, 0], [0, 4, 0, -1, 0]])
    ratio, chi2 = neutral_line(vectors.astype(float), np.array([1.0, 2.0, 3.0, 4.0]))
    assert ratio.tolist() == [-0.25, 0.5]
    assert chi2.tolist() == [4, 1]


def test_quarks_without_vector_couplings() -> None:
    """u = (2, 2, 0), d = (-1, -1, -2), e = (-3, 0, -1) of the first two families, and one of d."""
    charges = ChargeSet(
        Q=(0, 0, 0), u=(2, 2, 0), d=(-1, -1, -2), L=(0, 0, 0), e=(-3, 0, -1), nu=(1, 1, 2)
    )
    assert not any(charges.anomalies().values())
    rows = np.array([[0, -3, 0, 0, 0, 0, 2, -1], [0, -3, 0, 0, 0, 0, 2, 1]], dtype=float)
    assert axial_in_quarks(rows).tolist() == [True, False]
    g, c = np.full(2, 1e-4), np.full(2, 1.5e-4)  # c = -g' A_e / 2
    found = couplings(rows, np.full(2, 20.0), g, c)
    for name in ("C_Ve", "C_Vu", "C_Vd"):
        assert float(found[name][0]) == pytest.approx(0, abs=1e-18), name
    assert float(found["C_Vd"][1]) == pytest.approx(1e-4)
    assert [float(found[name][0]) for name in ("C_Ae", "C_Au")] == pytest.approx([-1.5e-4, 1e-4])


def test_real_charges_hold_those_of_a_set() -> None:
    """Couplings of the cube are neutral, and C_Ve, C_Vu and C_Vd are its coordinates."""
    u = np.array([[0.5, 0.5, 0.75, 0.5, 0.5, 0.5, 0.5], [0.2, 0.7, 0.1, 0.9, 0.8, 0.3, 0.6]])
    c = neutral_couplings(u)
    np.testing.assert_allclose(c["m_Zp"], 100 ** u[:, 0])
    np.testing.assert_allclose(c["C_Ae"], 1e-6 * 1e4 ** u[:, 1])
    np.testing.assert_allclose(c["C_Amu"] / c["C_Ae"], 2 * u[:, 2] - 1)
    for name in ("C_nue", "C_numu", "C_nutau"):
        assert not np.any(c[name])
    for name in ("C_Ve", "C_Vu", "C_Vd"):
        assert float(c[name][0]) == pytest.approx(0, abs=1e-15)
        assert abs(c[name][1]) > 1e-6
    # z_Q = 0 and no vector couplings: z_u = -2/3 and z_d = 1/3 of A_e, couplings g' z / 2.
    axial = float(c["C_Ae"][0])
    expected = [-2 / 3 * axial, axial / 3]
    assert [float(c[name][0]) for name in ("C_Au", "C_Ad")] == pytest.approx(expected)


def test_leptons_that_may_survive() -> None:
    rows = np.array([[0, 2, 0, -1, 0], [0, 3, 0, 2, 0], [0, 0, 0, 1, 0], [0, -1, 0, 0, 0]])
    assert hopeful(rows.astype(np.int8)).tolist() == [True, False, False, True]


def test_any_choice_of_quarks_without_vector_couplings() -> None:
    """One after the other; 13 sets of Qmax 3 with a neutral muon were counted independently."""
    neutral = neutral_doublets(enumerate_sets(3))
    expected: dict[tuple[int, ...], set[int]] = {}
    for place, number in enumerate(neutral.numbers.tolist()):
        row = neutral.sets.row(place)
        for (a_e, a_mu), q, u, d in product(permutations(row.e, 2), row.Q, row.u, row.d):
            purely_axial = 3 * (q + u) == -2 * a_e and 3 * (q + d) == a_e
            if a_e and purely_axial and 2 * abs(a_mu) <= abs(a_e):
                vector = np.array([0, a_e, 0, a_mu, 0, 3 * q, u - q, d - q])
                key = np.sign(a_e) * vector // np.gcd.reduce(vector)
                expected.setdefault(tuple(key.tolist()), set()).add(number)
    found = axial_choices(neutral)
    table = found.table
    rows = zip(map(tuple, table.vectors.tolist()), table.sets, table.first, strict=True)
    assert {key: (count, first) for key, count, first in rows} == {
        key: (len(sets), min(sets)) for key, sets in expected.items()
    }
    assert found.sets == len(set.union(*expected.values()))
    neutral_muon = [sets for key, sets in expected.items() if key[3] == 0]
    assert len(set.union(*neutral_muon)) == 13
    for number in range(len(table)):
        assert table.example(number) == neutral.sets.row(
            int(np.searchsorted(neutral.numbers, table.first[number]))
        )


def test_flavour_safe_sets_keep_their_numbers() -> None:
    sets = enumerate_sets(3)
    found = flavour_safe(neutral_doublets(sets))
    for place in range(0, len(found.sets), 5):
        row = found.sets.row(place)
        assert row == sets.row(int(found.numbers[place]))
        assert row.L == (0, 0, 0)
        for species in ("Q", "u", "d"):
            assert len(set(row.species(species))) < 3


def test_the_page_is_that_of_its_numbers() -> None:
    found = recorded()
    assert render_page(found) == (DOCS / PAGE).read_text(encoding="utf-8")


def test_the_page_claims_nothing_of_survivors_without_fits() -> None:
    page = render_page(replace(recorded(), survivors=()))
    assert "No survivor is fitted." in page
    assert "fits of survivors by the exact" not in page
    assert "have neutral lepton doublets" not in page
    charged = replace(recorded().charged, gain=9.5)
    assert "have neutral lepton doublets" not in render_page(replace(recorded(), charged=charged))


def test_the_numbers_agree_with_each_other() -> None:
    """Nesting of bars and policies, and counts of the list that are published."""
    found = recorded()
    for one in found.epochs:
        counts = [*one.survival.surviving_sets.values()]
        assert counts == sorted(counts, reverse=True)
        assert one.best <= one.median <= min(one.chi2_without, one.chi2_dark_photon) + 1e-9
    renormalisable = {one.epoch: one for one in found.epochs if one.higgs == "renormalisable"}
    zero = {one.epoch: one for one in found.epochs if one.higgs == "zero"}
    assert renormalisable["today"].survival.sets == 342447
    assert zero["paper_2021"].survival.sets == 435305
    short, long = (o for o in found.epochs if (o.epoch, o.higgs) == ("today", "zero"))
    assert (short.survival.sets, long.survival.sets) == (435305, 21546920)
    assert short.survival.surviving_sets[9] <= long.survival.surviving_sets[9]
    # Fewer data admit more, and the first theories that were found are among the survivors.
    assert found.anomaly.surviving[9] >= found.experiments[-1].added.surviving[9]
    assert found.experiments[-1].added.surviving[9] == found.complete.surviving[9]
    white_dwarfs = next(one for one in found.experiments if one.words == "white dwarfs")
    assert white_dwarfs.dropped.surviving[9] == found.complete.surviving[9]
    [electron] = [s for s in found.survivors if tuple(s.integers.values()) == (0, 1, 0, 0, 0)]
    assert electron.fit["chi2"] == pytest.approx(1.95, abs=0.01)  # that of docs/models.md
    # Integers are some of the real numbers.
    assert found.quarks.real.chi2 <= found.quarks.rows[0].chi2
    for one in found.survivors:
        assert one.fit["chi2"] == pytest.approx(one.fit["chi2_screen"], abs=0.1)
        assert sum(one.flavours.values()) == one.sets


def test_all_survivors_have_neutral_doublets() -> None:
    for one in recorded().survivors:
        if one.gain > 9:
            assert (one.integers["N_e"], one.integers["N_mu"], one.integers["N_tau"]) == (0, 0, 0)
            assert abs(one.integers["A_mu"]) < one.integers["A_e"]


@pytest.mark.slow
def test_the_command_writes_the_page(accepted: Callable[..., str]) -> None:
    sizes = ("--qmax", "1", "--qmax-today", "2", "--qmax-renormalisable", "1")
    given = (*sizes, "--fits", "1", "--sample", "20", "--output", "mine")
    printed = accepted(*COMMAND.split(), *given)
    assert f"mine/{PAGE}" in printed
    assert "## The survivors" in Path("mine", PAGE).read_text(encoding="utf-8")
    images = {path.name for path in Path("mine", FOLDER).glob("*.png")}
    assert images == {
        "distributions.png", "experiments.png", "neutral_doublets.png", "map_zero.png",
        "map_renormalisable.png",
    }  # fmt: skip
