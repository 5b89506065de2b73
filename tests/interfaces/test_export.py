"""Test samples in files for other programs."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers_interfaces import summary_of

import zpfit
import zpfit.interfaces.export
from zpfit.errors import FilesExist, RunNotFound, UnwritablePath
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.samples import load

pytestmark = pytest.mark.usefixtures("quick_fits")

Command = Callable[..., str]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_frame_has_the_summarys_numbers(small_run: Path, *, weighted: bool):
    frame = zpfit.interfaces.export.frame(small_run, weighted=weighted)
    summary = summary_of(small_run)
    stored = load(small_run / "weighted.nc")
    weights = np.exp(stored.log_weight).ravel()
    assert weights.sum() == pytest.approx(1, rel=1e-9)
    assert frame.attrs["log_z"] == summary["evidence"]["log_z"]
    for name, row in summary["posterior"].items():
        mean = np.average(frame[name], weights=frame["weight"])
        if weighted:
            values = stored.values[name].ravel()
            assert mean == pytest.approx(np.average(values, weights=weights), rel=1e-12)
        else:
            assert mean == pytest.approx(row["mean"], rel=1e-12)
    assert frame["C_nue"].eq(0).all()
    np.testing.assert_allclose(frame["C_numu"], -0.5 * frame["C_Vmu"])
    assert {"C_Vtau", "chain", "log_likelihood"} <= set(frame)


def test_the_frames_likelihood_is_that_of_its_rows(small_run: Path):
    frame = zpfit.interfaces.export.frame(small_run).head(50)
    run = load_run(find_run_file(str(small_run)))
    parameters = {p.name: frame[p.name].to_numpy() for p in run.posterior.model.parameters}
    np.testing.assert_allclose(
        run.posterior.log_likelihood_at(parameters), frame["log_likelihood"], rtol=1e-9
    )


def test_csv_reads_back_to_the_last_digit(accepted: Command, small_run: Path, workspace: Path):
    accepted("export", small_run, "--to", "csv", "--output", "tables")
    with (workspace / "tables" / "quickstart.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    frame = zpfit.interfaces.export.frame(small_run)
    assert list(rows[0]) == list(frame)
    for name in frame:
        np.testing.assert_array_equal([float(row[name]) for row in rows], frame[name])


def test_getdist_reads_the_chains(accepted: Command, small_run: Path, quiet: None):
    getdist = pytest.importorskip("getdist")
    accepted("export", small_run, "--to", "getdist", "--output", "chains")
    loaded = getdist.loadMCSamples("chains/quickstart", no_cache=True)
    summary = summary_of(small_run)
    for name, row in summary["posterior"].items():
        assert loaded.mean(name) == pytest.approx(row["mean"], rel=1e-9)
    info = loaded.paramNames.parWithName("C_Ve")
    assert info.label == "C_{V e}"
    assert not info.isDerived
    assert loaded.paramNames.parWithName("C_numu").isDerived
    assert loaded.ranges.getUpper("m_Zp") == 100
    assert loaded.ranges.getLower("C_Ve") == pytest.approx(-0.1)
    assert len(loaded.chain_offsets) - 1 == 2
    frame = zpfit.interfaces.export.frame(small_run)
    np.testing.assert_allclose(loaded.loglikes, -frame["log_likelihood"])


def test_getdist_has_weights(accepted: Command, small_run: Path, quiet: None):
    getdist = pytest.importorskip("getdist")
    accepted("export", small_run, "--to", "getdist", "--weighted", "--output", "chains")
    loaded = getdist.loadMCSamples("chains/quickstart", no_cache=True)
    frame = zpfit.interfaces.export.frame(small_run, weighted=True)
    mean = np.average(frame["C_Ae"], weights=frame["weight"])
    assert loaded.mean("C_Ae") == pytest.approx(mean, rel=1e-9)


def test_anesthetic_reads_chains(accepted: Command, small_run: Path, quiet: None):
    anesthetic = pytest.importorskip("anesthetic")
    accepted("export", small_run, "--to", "anesthetic", "--output", "chains")
    loaded = anesthetic.read_chains("chains/quickstart")
    for name, row in summary_of(small_run)["posterior"].items():
        assert np.ravel(loaded[name].mean())[0] == pytest.approx(row["mean"], rel=1e-9)


@pytest.mark.slow
def test_anesthetic_reads_dead_points(accepted: Command, nested_run: Path, quiet: None):
    anesthetic = pytest.importorskip("anesthetic")
    accepted("export", nested_run, "--to", "anesthetic", "--output", "chains")
    loaded = anesthetic.read_chains("chains/nested")
    evidence = summary_of(nested_run)["evidence"]
    assert float(loaded.logZ()) == pytest.approx(evidence["log_z"], abs=3 * evidence["error"])
    # Weighted samples are a separate export.
    accepted("export", nested_run, "--to", "anesthetic", "--weighted", "--output", "weighted")
    assert Path("weighted/nested_1.txt").exists()


def test_arviz_reads_the_tree(accepted: Command, small_run: Path):
    arviz = pytest.importorskip("arviz")
    accepted("export", small_run, "--to", "arviz", "--output", "tree")
    data = arviz.from_netcdf("tree/quickstart.nc")
    summary = summary_of(small_run)
    assert data.attrs["log_z"] == summary["evidence"]["log_z"]
    for name, row in summary["posterior"].items():
        assert float(data.posterior[name].mean()) == pytest.approx(row["mean"], rel=1e-12)
        rhat = arviz.rhat(data, var_names=[name])[name]
        assert float(rhat) == pytest.approx(row["rhat"], abs=0.05)
    assert data.posterior["m_Zp"].dims == ("chain", "draw")
    assert data.posterior["m_Zp"].attrs == {"symbol": "m_{Z'}", "unit": "MeV"}
    assert "lp" in data.sample_stats
    data.close()


def test_xarray_reads_both_files_as_trees(accepted: Command, small_run: Path):
    # ArviZ 1 supports only this.
    xarray = pytest.importorskip("xarray")
    accepted("export", small_run, "--to", "arviz", "--output", "tree")
    for path in (Path("tree/quickstart.nc"), small_run / "samples.nc"):
        with xarray.open_datatree(path, engine="h5netcdf") as tree:
            assert {"posterior", "sample_stats"} <= set(tree.children)
            assert tree["posterior"]["m_Zp"].dims == ("chain", "draw")


def test_exports_lie_in_the_run_folder_and_are_not_replaced(small_run: Path, tmp_path: Path):
    files = zpfit.interfaces.export.export(small_run, "csv", tmp_path / "here")
    assert files == (tmp_path / "here" / "quickstart.csv",)
    with pytest.raises(FilesExist):
        zpfit.interfaces.export.export(small_run, "csv", tmp_path / "here")
    zpfit.interfaces.export.export(small_run, "csv", tmp_path / "here", force=True)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_chains_of_an_earlier_export_do_not_mix_with_new_ones(small_run: Path, tmp_path: Path):
    beside = tmp_path / "quickstart_2_1.txt"
    beside.write_text("another root's\n", encoding="utf-8")
    old = zpfit.interfaces.export.export(small_run, "getdist", tmp_path)
    assert tmp_path / "quickstart_2.txt" in old
    new = zpfit.interfaces.export.export(small_run, "getdist", tmp_path, weighted=True, force=True)
    assert tmp_path / "quickstart_2.txt" not in new
    assert files_in(tmp_path) == {path.name for path in (*new, beside)}


def test_dead_points_survive_reading_and_saving(nested_run: Path, tmp_path: Path, quiet: None):
    anesthetic = pytest.importorskip("anesthetic")
    read = zpfit.Result.read(nested_run)
    saved = read.save(tmp_path / "saved")
    for name in ("nested_dead-birth.txt", "nested.paramnames"):
        assert (saved / name).read_bytes() == (nested_run / name).read_bytes()
    samples = read.to_anesthetic()
    assert isinstance(samples, anesthetic.NestedSamples)
    # anesthetic integrates the dead points itself; both know ln Z to about this error.
    assert float(samples.logZ()) == pytest.approx(read.log_z, abs=3 * read.log_z_error)


def test_chains_and_dead_points_are_one_family(nested_run: Path, tmp_path: Path):
    zpfit.interfaces.export.export(nested_run, "getdist", tmp_path)
    (tmp_path / "nested.paramnames").unlink()
    with pytest.raises(FilesExist, match=r"nested_1\.txt"):
        zpfit.interfaces.export.export(nested_run, "anesthetic", tmp_path)
    zpfit.interfaces.export.export(nested_run, "anesthetic", tmp_path, force=True)
    assert files_in(tmp_path) == {"nested_dead-birth.txt", "nested.paramnames"}


def test_an_export_that_fails_leaves_the_earlier_one(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    zpfit.interfaces.export.export(small_run, "getdist", tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zpfit.interfaces.getdist.Path.write_text", full)
    with pytest.raises(UnwritablePath, match="No space left"):
        zpfit.interfaces.export.export(small_run, "getdist", tmp_path, weighted=True, force=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_export_says_what_it_wrote(accepted: Command, small_run: Path):
    said = json.loads(accepted("export", small_run, "--to", "getdist", "--output", "g", "--json"))
    assert said["format"] == "getdist"
    assert all(Path(name).exists() for name in said["files"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "--to", "csv"], "no finished run here"),
        (["nowhere", "--to", "cobaya"], "unknown run 'nowhere'"),
        (["quickstart", "--to", "cobaya", "--weighted"], "drop it"),
        (["quickstart", "--to", "root"], "'getdist', 'anesthetic'"),
    ],
)
def test_export_refuses(rejected: Command, words: list[str], message: str):
    assert message in rejected("export", *words)


def test_no_frame_without_a_run(tmp_path: Path):
    with pytest.raises(RunNotFound):
        zpfit.interfaces.export.frame(tmp_path)
