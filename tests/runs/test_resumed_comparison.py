"""A comparison that was stopped: its finished runs are read, the others made."""

from pathlib import Path
from typing import Any

import pytest

import zpfit
from zpfit.errors import FilesExist, RunMismatch

pytestmark = pytest.mark.usefixtures("quick_fits")


def run(mass: float) -> dict[str, Any]:
    """Return a run with one free parameter."""
    return {
        "title": f"{mass} MeV",
        "model": "L_mu-L_tau",
        "likelihood": "paper_2021_cs",
        "priors": {"parameters": {"m_Zp": mass, "eps": 0}},
        "sampler": {"engine": "vegas"},
        "best_fit": {"starts": 50},
    }


@pytest.fixture
def stopped(tmp_path: Path) -> tuple[Path, zpfit.Result]:
    """Return the folder of a comparison that was stopped after its first fit, and that fit."""
    first = zpfit.fit(run(20))
    first.save(tmp_path / "runs" / "20_MeV")
    return tmp_path, first


def test_finished_runs_are_reused(stopped: tuple[Path, zpfit.Result]) -> None:
    folder, first = stopped
    made = (folder / "runs" / "20_MeV" / "samples.nc").stat().st_mtime_ns
    resumed = zpfit.compare(run(20), run(30), output=folder)
    assert (folder / "runs" / "20_MeV" / "samples.nc").stat().st_mtime_ns == made
    assert resumed.frame.equals(zpfit.compare(first, run(30)).frame)


def test_another_run_is_not_taken_for_one_of_the_comparison(
    stopped: tuple[Path, zpfit.Result],
) -> None:
    folder, _ = stopped
    other = {**run(25), "title": "20 MeV"}
    with pytest.raises(RunMismatch, match="holds another run"):
        zpfit.compare(other, run(30), output=folder)
    assert not (folder / "runs" / "30_MeV" / "summary.json").exists()


def test_a_comparison_that_was_killed_while_it_drew_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("zpfit.plots.comparison.chi2_figure", killed)
        with pytest.raises(KeyboardInterrupt):
            zpfit.compare(run(20), output=tmp_path)
    assert (tmp_path / "evidence.png").exists()  # drawn before
    assert not (tmp_path / "compare.json").exists()
    completed = zpfit.compare(run(20), output=tmp_path)
    assert (tmp_path / "chi2.png").exists()
    assert completed.frame.equals(zpfit.compare(tmp_path / "runs" / "20_MeV").frame)
    with pytest.raises(FilesExist):
        zpfit.compare(run(20), output=tmp_path)
