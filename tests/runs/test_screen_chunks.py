"""Screens in chunks: the same numbers from any executor, and after an interruption."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.screen import Screened, ScreenOptions
from zpfit.analysis.atlas.signatures import HiggsPolicy, SignatureTable, signatures
from zpfit.errors import FailedTasks
from zpfit.inference.progress import SILENT
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs import atlas_screen
from zpfit.runs.atlas_screen import ScreenResult, screen_table, write_screen
from zpfit.runs.pools import ExecutorChoice, Kind

FEW = ScreenOptions(starts=3, steps=4, kept=1, kicks=1, gain=np.inf, masses=1)
HERE = ExecutorChoice(Kind.HERE)
DATA = LikelihoodSpec(set="paper_2021_cs")
Screen = Callable[..., ScreenResult]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> SignatureTable:
    monkeypatch.setattr(atlas_screen, "CHUNK", 6)
    return signatures(enumerate_sets(2), HiggsPolicy.RENORMALISABLE)


@pytest.fixture
def run(table: SignatureTable) -> Screen:
    def run(
        choice: ExecutorChoice = HERE, target: Path | None = None, seed: int = 1
    ) -> ScreenResult:
        return screen_table(table, DATA, choice, SILENT, options=FEW, seed=seed, target=target)

    return run


def assert_same(one: ScreenResult, other: ScreenResult) -> None:
    for field in fields(Screened):
        first, second = (getattr(r.screened, field.name) for r in (one, other))
        if field.name == "terms":
            first, second = (np.stack([*terms.values()]) for terms in (first, second))
        np.testing.assert_array_equal(first, second)


def test_an_interrupted_screen_gives_the_same_numbers(
    run: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, target, calls = run(), tmp_path / "screen.nc", []
    screen = atlas_screen.screen

    def failing(*arguments: object) -> Screened:
        calls.append(len(calls))
        if len(calls) == 2:
            raise RuntimeError("broken")
        return screen(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(atlas_screen, "screen", failing)
    with pytest.raises(FailedTasks, match="chunk 1"):
        run(target=target)
    [folder] = tmp_path.iterdir()
    stored = sorted(path.name for path in folder.iterdir())
    assert stored == ["000000.npz", "000002.npz"]
    (folder / "000002.npz").write_bytes(b"damaged")
    calls.extend((0, 0))
    assert_same(run(target=target), whole)
    assert len(calls) == 3 + 2 + 2  # the failed chunk and the damaged one


def test_chunks_of_another_screen_are_not_used(run: Screen, tmp_path: Path) -> None:
    target = tmp_path / "screen.nc"
    first, second = run(target=target), run(target=target, seed=2)
    assert len([*tmp_path.iterdir()]) == 2
    assert np.any(first.screened.m_Zp != second.screened.m_Zp)


def test_a_file_holds_the_result(run: Screen, table: SignatureTable, tmp_path: Path) -> None:
    target = tmp_path / "screen.nc"
    found = run(target=target)
    write_screen(table, found, target)
    assert [path.name for path in tmp_path.iterdir()] == ["screen.nc"]
    with xr.open_dataset(target, engine="h5netcdf") as data:
        assert data.attrs["likelihood"] == "paper_2021_cs"
        assert data.attrs["chi2_dark_photon"] == found.references.dark
        np.testing.assert_array_equal(data["chi2"].values, found.screened.chi2)
        np.testing.assert_array_equal(data["N_e"].values, table.vectors[:, 0])
        terms = [name for name in data if str(name).startswith("chi2_")]
        total = sum(data[name].values.astype(float) for name in terms)
        np.testing.assert_allclose(total, found.screened.chi2, rtol=1e-5)


@pytest.mark.slow
def test_processes_give_the_same_numbers(run: Screen) -> None:
    # Workers have chunks of the default size: one chunk holds the table.
    assert_same(run(ExecutorChoice(Kind.PROCESSES, workers=2)), run())
