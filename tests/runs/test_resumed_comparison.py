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


def kill_while_it_draws(
    monkeypatch: pytest.MonkeyPatch, source: Any, output: Path, *, force: bool = False
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("zpfit.plots.comparison.chi2_figure", killed)
        with pytest.raises(KeyboardInterrupt):
            zpfit.compare(source, output=output, force=force)
    assert (output / "evidence.png").exists()  # drawn before
    assert not (output / "compare.json").exists()


def test_a_comparison_that_was_killed_while_it_drew_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_it_draws(monkeypatch, run(20), tmp_path)
    completed = zpfit.compare(run(20), output=tmp_path)
    assert (tmp_path / "chi2.png").exists()
    assert completed.frame.equals(zpfit.compare(tmp_path / "runs" / "20_MeV").frame)
    with pytest.raises(FilesExist):
        zpfit.compare(run(20), output=tmp_path)


def test_a_killed_comparison_of_finished_runs_is_completed(
    stopped: tuple[Path, zpfit.Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, output = str(stopped[0] / "runs" / "20_MeV"), tmp_path / "compared"
    kill_while_it_draws(monkeypatch, made, output)
    zpfit.compare(made, output=output)
    kill_while_it_draws(monkeypatch, made, output, force=True)
    zpfit.compare(made, output=output)
    with pytest.raises(FilesExist):
        zpfit.compare(made, output=output)


def test_plots_of_others_are_kept(stopped: tuple[Path, zpfit.Result]) -> None:
    """A folder with finished runs may hold plots that no comparison has drawn."""
    folder, _ = stopped
    (folder / "evidence.png").write_bytes(b"mine")
    with pytest.raises(FilesExist):
        zpfit.compare(run(20), output=folder)
    assert (folder / "evidence.png").read_bytes() == b"mine"
