"""Run the command ``atlas``: lists, signatures, sets, and the files with which they are fitted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bad_input import assert_mentions

import zpfit
from zpfit.errors import InvalidInput, UnknownName, WrongType

Accepted = Callable[..., str]


@pytest.fixture
def written(accepted: Accepted) -> Path:
    accepted("atlas", "enumerate", "--qmax", "2", "--output", "atlas.nc")
    return Path("atlas.nc")


def test_the_list_and_its_counts(accepted: Accepted) -> None:
    printed = accepted("atlas", "enumerate", "--qmax", "2", "--output", "new/atlas.nc")
    assert "358" in printed
    assert "Written: new/atlas.nc" in printed
    given = json.loads(
        accepted("atlas", "enumerate", "--qmax", "2", "--no-neutrinos", "--json", "--force")
    )
    assert given["written"] == ["output/atlas.nc"]
    assert given["counts"]["all"] == {"1": 8, "2": 22}  # arXiv:1812.04602


def test_signatures_of_a_list(accepted: Accepted, written: Path) -> None:
    printed = accepted("atlas", "signatures", written, "--higgs", "zero")
    assert printed == "359 signatures, policy zero.\n"
    options = ("--higgs", "renormalisable", "--quarks", "--output", "s.nc", "--json")
    found = json.loads(accepted("atlas", "signatures", written, *options))
    assert found == {"higgs": "renormalisable", "signatures": 56, "written": ["s.nc"]}


def test_a_set_and_its_pairings(accepted: Accepted) -> None:
    atlas = zpfit.atlas(1)
    found = atlas.find((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 0), (-1, 0, 0), (1, 0, 0))
    assert found is not None
    printed = accepted("atlas", "show", str(found.number), "--higgs", "zero")
    assert "Quark families: two_alike" in printed
    assert "-1, 0, 0" in printed
    given = json.loads(accepted("atlas", "show", str(found.number), "--higgs", "zero", "--json"))
    # Only the right-handed lepton of one family is charged: A = 1, and one power of a flavon.
    assert given["charges"]["e"] == [-1, 0, 0]
    assert {(row["A_e"], row["A_mu"], row["n_tau"]) for row in given["pairings"]} == {
        *((1, 0, 0), (0, 1, 0), (0, 0, 1))
    }


def test_a_set_can_be_fitted_with_the_files_of_the_command(accepted: Accepted) -> None:
    number = _muon_minus_tau()
    options = ("--higgs", "renormalisable", "--output", ".", "--likelihood", "paper_2021_cs")
    for pairing in ("1", "3"):
        given = ("atlas", "show", number, *options, "--pairing", pairing, "--force")
        name = f"atlas_{number}.yaml"
        assert f"Written: {name}, models/{name}" in accepted(*given)
        accepted("validate", name)
    # The third pairing leaves out the electron.
    point = ("--at", "m_Zp=17 g_prime=4e-4 eps=0", "--likelihood", "paper_2021_cs", "--json")
    [ours] = json.loads(accepted("evaluate", "--model", f"atlas_{number}", *point))
    [packaged] = json.loads(accepted("evaluate", "--model", "L_mu-L_tau", *point))
    assert ours["chi2_total"] == pytest.approx(packaged["chi2_total"], rel=1e-12)


def _muon_minus_tau() -> str:
    neutral, charged = (0, 0, 0), (0, 1, -1)
    found = zpfit.atlas(1).find(neutral, neutral, neutral, charged, charged, charged)
    assert found is not None
    pairings = found.pairings("renormalisable")
    assert pairings.loc[3, ["L_e", "R_e"]].tolist() == [0, 0]
    return str(found.number)


def test_a_set_without_visible_charges_mixes_alone(accepted: Accepted) -> None:
    """Neutrinos alone are charged in set 1: what is left is the dark photon."""
    accepted("atlas", "show", "1", "--higgs", "zero", "--output", ".")
    accepted("validate", "atlas_1.yaml")
    assert "g_prime" not in Path("atlas_1.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("enumerate", "--qmax", "0"), ("qmax: 0", "1 to 12")),
        (("enumerate", "--qmax", "13"), ("qmax: 13", "1 to 12")),
        (("enumerate", "--qmax", "1", "--output", "a.csv"), ("a.csv", ".nc")),
        (("enumerate", "--qmax", "1", "--output", "old.nc"), ("old.nc", "--force")),
        (("signatures", "none.nc", "--higgs", "zero"), ("none.nc", "no such file")),
        (("signatures", "old.nc", "--higgs", "zero"), ("old.nc", "no list of charge sets")),
        (("show", "99999999999999999999", "--higgs", "zero"), ("0 to 357", "Qmax")),
        (("show", "1", "--higgs", "zero", "--pairing", "2"), ("pairing: 2", "1 to 1")),
        (("show", "13", "--higgs", "renormalisable", "--pairing", "99"), ("pairing: 99",)),
        (("show", "5", "--higgs", "zero", "--likelihood", "mine"), ("mine",)),
        (("show", "5", "--higgs", "one"), ("one",)),
    ],
)
def test_bad_input_is_refused(
    rejected: Callable[..., str],
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zpfit.api.atlases._SEARCHED", (2,))
    Path("old.nc").write_text("not NetCDF")
    given = [*arguments, "--output", "."] if arguments[0] == "show" else arguments
    assert_mentions(rejected("atlas", *given), *words)


def test_a_set_without_renormalisable_masses_names_the_other_policy(
    accepted: Accepted, rejected: Callable[..., str]
) -> None:
    found = zpfit.atlas(1).find((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 0), (-1, 0, 0), (1, 0, 0))
    assert found is not None
    shown = ("atlas", "show", str(found.number), "--higgs", "renormalisable")
    assert "No pairing with the policy renormalisable." in accepted(*shown)
    assert "'zero'" in rejected(*shown, "--output", ".")


def test_a_screen_prints_the_best_signatures(
    accepted: Accepted, rejected: Callable[..., str], written: Path
) -> None:
    given = ("atlas", "screen", written, "--higgs", "renormalisable", "--executor", "here")
    printed = accepted(*given, "--likelihood", "paper_2021_cs", "--output", "s.nc")
    assert "chi2 without a Z': 24.447" in printed  # docs/models.md
    assert "chi2 of the dark photon: 19.35" in printed
    assert "Written: s.nc" in printed
    assert_mentions(rejected(*given, "--likelihood", "today_cs"), "today_cs", "quarks")
    assert_mentions(rejected(*given, "--likelihood", "mine"), "mine")
    alone = ("--likelihood", "paper_2021_cs", "--drop")
    assert_mentions(rejected(*given, *alone, "na64_2023"), "na64_2023", "not in the set")
    # The muon's moment of the paper's data adds (251 / 59)^2 to chi2 without a Z'.
    fewer = accepted(*given, *alone, "a_mu_2021", "--output", "fewer.nc", "--json")
    assert json.loads(fewer)["likelihood"] == "paper_2021_cs -a_mu_2021"
    assert json.loads(fewer)["chi2_without"] == pytest.approx(24.447 - (251 / 59) ** 2, abs=0.01)
    assert_mentions(rejected(*given, "--likelihood", "paper_2021_cs", "--output", "s.nc"), "s.nc")


def test_functions_refuse_what_they_cannot_use(tmp_path: Path) -> None:
    atlas = zpfit.atlas(1)
    with pytest.raises(WrongType, match="qmax"):
        zpfit.atlas(2.5)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="renormalisable"):
        atlas.signatures("renormalizable")
    with pytest.raises(UnknownName, match="two_alike"):
        atlas.signatures("zero", flavour="two")
    with pytest.raises(UnknownName, match="starts"):
        atlas.signatures("renormalisable").screen("paper_2021_cs", options={"start": 3})
    refused: list[tuple[Any, type[Exception], str]] = [
        ({"draws": 3}, InvalidInput, "power of two"),
        ({"joint_descents": -1}, InvalidInput, "at least 0"),
        ({"starts": "many"}, WrongType, "integer"),
        ({"gain": "large"}, WrongType, "a number"),
    ]
    for options, error, words in refused:
        with pytest.raises(error, match=words):
            atlas.signatures("renormalisable").screen("paper_2021_cs", options=options)
    with pytest.raises(WrongType, match="seed"):
        atlas.signatures("renormalisable").screen("paper_2021_cs", seed=-1)
    with pytest.raises(WrongType, match="number"):
        atlas["1"]  # type: ignore[index]
    with pytest.raises(InvalidInput, match="Q: "):
        atlas.find((1, 2), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0))
    with pytest.raises(InvalidInput, match="leave out"):
        zpfit.atlas("atlas.nc", neutrinos=False)


def test_frames_hold_charges_flags_and_signatures(tmp_path: Path) -> None:
    atlas = zpfit.atlas(2, output=tmp_path / "atlas.nc", progress=False)
    assert zpfit.atlas(tmp_path / "atlas.nc").frame.equals(atlas.frame)
    row = atlas.frame.loc[13]
    assert {name: tuple(row[f"{name}_{i}"] for i in (1, 2, 3)) for name in ("Q", "nu")} == {
        name: atlas[13].charges[name] for name in ("Q", "nu")
    }
    assert atlas.frame["renormalisable"].sum() == atlas.counts["renormalisable"].iloc[-1]
    table = atlas.signatures("zero").frame
    assert table.loc[0, "first"] == 0
    assert table["sets"].iloc[0] > 1
