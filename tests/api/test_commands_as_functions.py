"""Test the public functions that list, show, cite, check, export and run campaigns."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import FEW_DATA
from matplotlib.figure import Figure

import zpfit
from zpfit.api.campaigns import Campaign
from zpfit.errors import InvalidInput, UnknownName, WrongType

pytestmark = pytest.mark.usefixtures("quick_fits")

MUON = {
    "model": "L_mu-L_tau",
    "likelihood": FEW_DATA,
    "sampler": {"engine": "vegas"},
    "best_fit": {"starts": 50},
    "priors": {"parameters": {"m_Zp": 20.0, "eps": 0.0}},
}
GRID = {"title": "two seeds", "runs": {"muon": MUON}, "seeds": [1, 2]}


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return zpfit.campaign(GRID, output=tmp_path_factory.mktemp("grid"))


def test_a_campaign_has_a_row_for_each_fit_and_combination(grid: Any) -> None:
    fits, cell = grid.fits, grid.frame.loc["muon"]
    assert list(fits.index) == ["muon-s1", "muon-s2"]
    weight = fits["log_z_error"] ** -2.0
    assert cell["log_z"] == pytest.approx((weight * fits["log_z"]).sum() / weight.sum())
    assert cell["chi2"] == fits["chi2"].min()
    assert (grid.failure, grid.converged) == (None, not grid.shortcomings)
    assert isinstance(grid.plot(), Figure)
    assert grid.record == json.loads((grid.folder / "campaign.json").read_text())


def test_fits_of_a_campaign_are_run_folders(grid: Any, tmp_path: Path) -> None:
    folder = grid.folder / "runs" / "muon-s1"
    assert zpfit.Result.read(folder).chi2 == grid.fits.loc["muon-s1", "chi2"]
    exported = zpfit.export(folder, "csv", output=tmp_path)
    assert [path.suffix for path in exported.files] == [".csv"]
    assert zpfit.report(folder, output=tmp_path / "page.html").is_file()
    assert {path.name for path in zpfit.plot(folder)} == {
        "corner.png", "corner.pdf", "pulls.png", "trace.png"
    }  # fmt: skip


@pytest.mark.slow
def test_failed_fits_do_not_hide_the_others(tmp_path: Path) -> None:
    blocked = tmp_path / "runs" / "muon-s2"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the folder of the fit should be", encoding="utf-8")
    found = zpfit.campaign(GRID, output=tmp_path)
    assert list(found.fits.index) == ["muon-s1"]
    assert found.failure is not None
    assert list(found.failure.failures) == ["muon-s2"]
    assert not found.converged


def test_a_plan_names_the_fits() -> None:
    planned = zpfit.plan({**GRID, "overrides": {"few": {}, "many": {"best_fit.starts": 60}}})
    assert planned.combinations == ("muon-few", "muon-many")
    assert planned.fits == ("muon-few-s1", "muon-few-s2", "muon-many-s1", "muon-many-s2")
    assert len(planned) == 4
    assert zpfit.plan(planned) is planned


def test_a_name_shows_its_model_and_files() -> None:
    model, entry = zpfit.show("sm_u1"), zpfit.show("a_mu_2021")
    assert model.model is not None
    assert set(model.parameters.index) == {p.name for p in model.model.parameters}
    [file] = entry.files
    assert (file.kind, file.path.stem, entry.model) == ("entry", "a_mu_2021", None)
    assert entry.record[0]["content"]["observable"] == "delta_a_mu"


def test_a_bibliography_is_saved(tmp_path: Path) -> None:
    found = zpfit.cite("paper_2021_cs", Path("quickstart"))
    saved = found.save(tmp_path / "new" / "references.bib").read_text(encoding="utf-8")
    assert all(f"{{{key}," in saved for key in found.frame.index)
    assert len(found) == saved.count("\n@") + 1


def test_a_run_is_validated_with_changes() -> None:
    [whole], [less] = zpfit.validate(MUON), zpfit.validate(MUON, drop="a_mu_2021")
    assert (whole.kind, whole.record["valid"], whole.plan) == ("run", True, None)
    left_out = set(whole.record["measurements"]) - set(less.record["measurements"])
    assert left_out == {"a_mu_2021"}


def test_every_file_of_a_name_is_validated() -> None:
    [planned] = zpfit.validate("classes_today")
    assert planned.plan is not None
    assert planned.plan.fits == zpfit.plan("classes_today").fits
    assert {found.kind for found in zpfit.validate("L_mu-L_tau")} == {"model", "priors"}


def test_files_are_those_in_the_folder(tmp_path: Path) -> None:
    plane = {"x": ("m_Zp", 5, 50), "y": ("C_Ae", 5e-5, 1e-3, "log")}
    found = zpfit.exclusion(**plane, likelihood="paper_2021_cs", output=tmp_path / "plane")
    assert set(found.files) == set((tmp_path / "plane").iterdir())


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: zpfit.show("sm_u2"), UnknownName),
        (lambda: zpfit.show(3), WrongType),
        (zpfit.cite, InvalidInput),
        (lambda: zpfit.cite(3), WrongType),
        (zpfit.report, InvalidInput),
        (lambda: zpfit.plan(3), WrongType),
        (lambda: zpfit.plan("classes"), UnknownName),
        (lambda: zpfit.plan({"runs": {"muon": MUON}, "sedes": [1]}), InvalidInput),
        (lambda: zpfit.schema("runs"), UnknownName),
        (lambda: zpfit.export("nowhere", "root"), UnknownName),
        (lambda: zpfit.export("quickstart", "cobaya", weighted=True), InvalidInput),
        (lambda: zpfit.export(3, "csv"), WrongType),
    ],
)
def test_wrong_arguments_are_named(call: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        call()
