"""Run the commands that read a screen of the atlas: table and plot."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bad_input import assert_mentions

import zpfit
from zpfit.analysis.atlas.screen import Evidence, References, Screened
from zpfit.api.atlas_signatures import Screen
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs.atlas_screen import ScreenResult, read_screen, write_screen

Accepted = Callable[..., str]


@pytest.fixture
def screened(workspace: Path) -> Path:
    """Write a screen in which signature 7 is the best and the dark photon helps little."""
    table = zpfit.atlas(2).signatures("zero").table
    chi2 = np.linspace(17, 12, len(table))
    chi2[7] = 2.0
    columns = {name: np.full(len(table), value) for name, value in _POINT.items()}
    flag = np.ones(len(table), dtype=bool)
    terms = {"a_e": chi2 - 1, "a_mu": np.ones(len(table))}
    found = Screened(chi2=chi2, nested=flag, scanned=~flag, terms=terms, **columns)
    references = References(17.2, 16.0, (17.0, 1e-4))
    path = workspace / "screen.nc"
    write_screen(table, ScreenResult(LikelihoodSpec(set="made_up"), references, found, 4), path)
    return path


_POINT = {"m_Zp": 20.0, "g_prime": 1e-4, "c": -1e-5}


def test_a_screen_is_read_as_it_was_written(screened: Path) -> None:
    found = Screen.read(screened)
    assert (found.likelihood, found.without, found.dark_photon) == ("made_up", 17.2, 16.0)
    expected = zpfit.atlas(2).signatures("zero")
    assert found.signatures.frame.equals(expected.frame)
    assert (
        found.signatures.table.example(7)
        == zpfit.atlas(2)[int(expected.frame["first"][7])]._charges
    )
    assert found.frame["chi2"][7] == 2
    assert found.frame["scanned"].dtype == bool
    np.testing.assert_allclose(found.frame["chi2_a_e"] + 1, found.frame["chi2"])


def test_the_best_signatures(accepted: Accepted, screened: Path) -> None:
    given = json.loads(accepted("atlas", "table", screened, "--best", "3", "--json"))
    best = given["best"][0]
    assert len(given["best"]) == 3
    assert (best["signature"], best["chi2"]) == (7, 2)
    assert best["delta_chi2"] == pytest.approx(15.2)
    assert best["delta_chi2_dark_photon"] == pytest.approx(14)
    charges = zpfit.atlas(2)[best["first"]].charges
    assert best["charges"] == {name: list(row) for name, row in charges.items()}
    assert best["qmax"] == max(abs(z) for row in charges.values() for z in row)
    # Distribution of chi2: P(15.2) is 0.00165 with 3 and 0.0043 with 4 degrees of freedom.
    assert given["look_elsewhere"]["local_p"] == pytest.approx(0.00165, rel=0.01)
    assert given["look_elsewhere"]["p_upper_limit"] == pytest.approx(0.0043, rel=0.01)
    printed = accepted("atlas", "table", screened, "--best", "3")
    assert "chi2 of the dark photon: 16.000" in printed
    assert "p <= 0.0043" in printed


def test_the_evidence_of_all_signatures(accepted: Accepted, screened: Path) -> None:
    """Without a Z' ln Z is -chi2 / 2 = -8.6."""
    assert json.loads(accepted("atlas", "table", screened, "--json"))["evidence"] is None
    table, result = read_screen(screened)
    log_z = np.full(len(table), -11.0)
    log_z[:2] = -8.0, -8.5
    found = replace(result.screened, evidence=Evidence(log_z, np.full(len(table), 0.02)))
    write_screen(table, replace(result, screened=found), screened)
    given = json.loads(accepted("atlas", "table", screened, "--best", "1", "--json"))
    assert given["evidence"]["largest"] == pytest.approx(0.6)
    assert given["evidence"]["integers"] == dict(
        zip(table.columns, table.vectors[0].tolist(), strict=True)
    )
    assert given["evidence"]["positive"] == 2
    assert given["best"][0]["ln_bayes_factor"] == pytest.approx(-2.4)
    printed = accepted("atlas", "table", screened)
    assert "above 0 for 2 of 359 signatures; largest 0.60 +- 0.02" in printed


def test_a_joint_sigma_without_a_point_is_a_dash(accepted: Accepted, screened: Path) -> None:
    given = ("atlas", "table", screened, "--best", "1")
    assert "joint_sigma" not in json.loads(accepted(*given, "--json"))["best"][0]
    assert "joint sigma" not in accepted(*given)
    table, result = read_screen(screened)
    found = replace(result.screened, joint_sigma=np.full(len(table), np.inf))
    write_screen(table, replace(result, screened=found), screened)
    assert json.loads(accepted(*given, "--json"))["best"][0]["joint_sigma"] is None
    assert_mentions(accepted(*given), "joint sigma", " - ")


def test_all_signatures_as_csv(accepted: Accepted, rejected: Accepted, screened: Path) -> None:
    given = ("atlas", "table", screened, "--output")
    assert "Written: new/all.csv" in accepted(*given, "new/all.csv")
    with Path("new/all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 359
    assert rows[0]["signature"] == "7"
    assert float(rows[1]["delta_chi2"]) == pytest.approx(5.2)
    assert_mentions(rejected(*given, "new/all.csv"), "all.csv", "--force")
    assert_mentions(rejected(*given, "all.txt"), "all.txt", ".csv")


def test_a_screen_is_drawn_in_the_style_that_is_given(
    accepted: Accepted, rejected: Accepted, screened: Path
) -> None:
    style = Path("letter.yaml")
    style.write_text("width: prl\ntitle: Mine\n")
    printed = accepted("atlas", "plot", screened, "--style", style, "--output", "one.pdf")
    assert "Written: one.pdf" in printed
    assert Path("one.pdf").stat().st_size > 1000
    figure = Screen.read(screened).plot({"width": "prl", "title": "Mine"})
    assert figure.get_size_inches()[0] == pytest.approx(3.375)
    assert figure.get_suptitle().startswith("Mine")
    left, right = figure.axes
    assert left.patches[0].get_data().values.sum() == 359
    [best] = [line for line in right.lines if line.get_label() == "best signature"]
    charges, lowest = best.get_data()
    np.testing.assert_array_equal(charges, [1, 2])
    assert np.min(lowest) == 2
    assert_mentions(rejected("atlas", "plot", screened, "--output", "one.jpg"), "one.jpg", ".png")


def test_charge_sets_that_survive(accepted: Accepted, rejected: Accepted, screened: Path) -> None:
    """Signature 7 gains 14 against the dark photon, all others at most 4."""
    sets = zpfit.atlas(2, output="sets.nc")
    given = json.loads(accepted("atlas", "table", screened, "--sets", "sets.nc", "--json"))
    found = given["survival"]
    count = int(sets.signatures("zero").frame["sets"][7])
    assert found["surviving"]["9.0"] == 1
    assert found["surviving_sets"]["9.0"] == count
    assert sum(found["flavours"].values()) == count
    printed = accepted("atlas", "table", screened, "--sets", "sets.nc")
    assert "two alike" in printed
    zpfit.atlas(3, output="more.nc")
    assert_mentions(rejected("atlas", "table", screened, "--sets", "more.nc"), "not all signatures")


def test_a_map_of_a_screen(accepted: Accepted, screened: Path) -> None:
    printed = accepted("atlas", "plot", screened, "--map")
    assert "screen_map.png" in printed
    assert Path("screen_map.pdf").stat().st_size > 1000


@pytest.mark.parametrize("command", ["table", "plot"])
def test_other_files_are_refused(accepted: Accepted, rejected: Accepted, command: str) -> None:
    assert_mentions(rejected("atlas", command, "none.nc"), "none.nc", "no such file")
    Path("text.nc").write_text("not NetCDF")
    assert_mentions(rejected("atlas", command, "text.nc"), "text.nc", "no table of signatures")
    zpfit.atlas(1).signatures("zero", output="s.nc")
    assert_mentions(rejected("atlas", command, "s.nc"), "s.nc", "no screen")
