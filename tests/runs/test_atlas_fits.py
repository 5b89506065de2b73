"""Fits of the best signatures of a screen: their files, resume, and known numbers."""

from pathlib import Path

import numpy as np
import pytest

import zpfit
from zpfit.analysis.atlas.pairings import pairing_with
from zpfit.analysis.atlas.screen import References, Screened
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.analysis.records import AtlasFitRecord
from zpfit.api.atlas_fits import fit_best
from zpfit.api.atlas_signatures import Screen, Signatures
from zpfit.errors import FailedTasks, InvalidInput
from zpfit.inference.problem import Problem
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs import atlas_fits
from zpfit.runs.atlas_fits import SignatureFit
from zpfit.runs.atlas_screen import ScreenResult

DATA = LikelihoodSpec(set="today_leptons_cs")


@pytest.mark.parametrize("higgs", ["zero", "renormalisable"])
@pytest.mark.parametrize("quarks", [False, True])
def test_the_first_set_of_every_signature_has_it(higgs: str, *, quarks: bool) -> None:
    table = zpfit.atlas(2).signatures(higgs, quarks=quarks).table
    for number in range(0, len(table), 20):
        integers = tuple(table.vectors[number].tolist())
        assert pairing_with(table.example(number), table.higgs, integers) >= 1


def test_a_signature_of_another_set_is_refused() -> None:
    table = zpfit.atlas(1).signatures("zero").table
    with pytest.raises(InvalidInput, match="no pairing"):
        pairing_with(table.example(0), table.higgs, (0, 1, 0, 0, 0))


def _screen(*best: tuple[int, ...]) -> Screen:
    """Return a screen of which some signatures are the best, in this order."""
    table = zpfit.atlas(1).signatures("zero").table
    chi2 = np.full(len(table), 17.0)
    for place, integers in enumerate(best):
        chi2[_number(table, integers)] = place
    columns = {name: np.full(len(table), 1.0) for name in ("m_Zp", "g_prime", "c")}
    flag = np.ones(len(table), dtype=bool)
    found = Screened(chi2=chi2, nested=flag, scanned=flag, terms={}, **columns)
    result = ScreenResult(DATA, References(17.2, 17.2, (100.0, 0.0)), found, 12)
    return Screen(Signatures(table), result)


def _number(table: SignatureTable, integers: tuple[int, ...]) -> int:
    return int(np.flatnonzero((table.vectors == integers).all(axis=1))[0])


def test_finished_fits_are_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []
    broken = True

    def fit(task: SignatureFit, problem: Problem, inputs: str) -> AtlasFitRecord:
        if broken and len(fitted) == 1:
            raise ValueError("interrupted")
        assert problem.settings.sampler.engine == "vegas"
        fitted.append(task.signature)
        return {
            "signature": task.signature,
            "integers": task.integers,
            "set": task.first,
            "pairing": task.pairing,
            "chi2_screen": task.chi2_screen,
            "chi2": 1.0,
            "parameters": {},
            "joint_sigma": None,
            "joint_sigma_at": None,
            "log_z": -9.0,
            "log_z_error": 0.01,
            "ln_bayes_factor": -0.4,
            "shortcomings": [],
            "run_file": "",
            "inputs": inputs,
        }

    monkeypatch.setattr(atlas_fits, "_fitted", fit)
    screen = _screen((0, 1, 0, 0, 0), (0, 0, 0, 1, 0))
    with pytest.raises(FailedTasks, match="interrupted"):
        fit_best(screen, tmp_path, best=2, progress=False)
    broken = False
    found = fit_best(screen, tmp_path, best=2, progress=False)
    assert len(fitted) == 2
    assert found.frame.index.tolist() == fitted
    assert found.frame[["A_e", "A_mu"]].to_numpy().tolist() == [[1, 0], [0, 1]]
    assert found.record["log_z_without"] == -8.6
    fit_best(screen, tmp_path, best=2, progress=False)
    assert len(fitted) == 2
    fit_best(screen, tmp_path, best=1, seed=2, progress=False)
    assert len(fitted) == 3
    with pytest.raises(InvalidInput, match="best: 0"):
        fit_best(screen, tmp_path, best=0)


@pytest.mark.slow
def test_right_handed_electrons_explain_caesium_but_are_not_preferred(tmp_path: Path) -> None:
    found = fit_best(_screen((0, 1, 0, 0, 0)), tmp_path, best=1, progress=False)
    [row] = found.record["fits"]
    assert row["shortcomings"] == []
    assert row["chi2"] == pytest.approx(1.953, abs=0.005)
    assert row["joint_sigma"] == pytest.approx(0, abs=0.01)
    # An independent integral (Sobol points in three charts) gave ln B = -2.5 to 0.1.
    assert row["ln_bayes_factor"] == pytest.approx(-2.5, abs=0.1)
    problem = zpfit.load(tmp_path / row["run_file"])
    point = {name: np.array([value]) for name, value in row["parameters"].items()}
    again = -2 * problem.posterior.log_likelihood_at(point)
    assert again[0] == pytest.approx(row["chi2"], abs=1e-6)
