"""Runs in the formats of other programs, and zpfit's likelihood inside them."""

import csv
import json
import logging
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zpfit.interfaces.export
from zpfit.errors import FilesExist, InvalidInput, NotARunFolder, UnwritablePath
from zpfit.inference.problem import Problem
from zpfit.interfaces.cobaya_input import LIKELIHOOD, cobaya_input
from zpfit.interfaces.point_likelihood import point_likelihood
from zpfit.io.yaml import read_yaml
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

Command = Callable[..., str]

RUNS = ["quickstart", "nhdm_u1_cs", "froggatt_nielsen_integers_rb", "L_mu-L_tau_cs"]
DERIVED = ["C_nue", "C_Vtau"]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Other programs warn of what is theirs, and leave their handlers with the root logger."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    root.handlers[:] = handlers
    root.setLevel(level)


def summary_of(folder: Path) -> dict[str, Any]:
    return RunFolder(folder).summary()


def points_of(run: Problem, n: int = 40) -> tuple[list[dict[str, float]], np.ndarray]:
    """Points of the prior, allowed ones among them, and ln L of each."""
    rng = np.random.default_rng(3)
    u = rng.random((4000, run.posterior.dimension))
    log_likelihood = run.posterior.log_likelihood(u)
    u = np.concatenate([u[np.isfinite(log_likelihood)][:n], u[:n]])
    values = run.posterior.parameters(u)
    points = [{name: float(values[name][i]) for name in run.posterior.names} for i in range(len(u))]
    return points, run.posterior.log_likelihood(u)


# Exports


@pytest.mark.parametrize("weighted", [False, True])
def test_a_frame_has_the_summarys_numbers(small_run: Path, *, weighted: bool):
    frame = zpfit.interfaces.export.frame(small_run, weighted=weighted)
    summary = summary_of(small_run)
    assert frame.attrs["log_z"] == summary["evidence"]["log_z"]
    for name, row in summary["posterior"].items():
        mean = np.average(frame[name], weights=frame["weight"])
        if weighted:
            assert mean == pytest.approx(row["mean"], abs=row["sd"])
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


def test_anesthetic_reads_dead_points(accepted: Command, nested_run: Path, quiet: None):
    anesthetic = pytest.importorskip("anesthetic")
    accepted("export", nested_run, "--to", "anesthetic", "--output", "chains")
    loaded = anesthetic.read_chains("chains/nested")
    evidence = summary_of(nested_run)["evidence"]
    assert float(loaded.logZ()) == pytest.approx(evidence["log_z"], abs=3 * evidence["error"])
    # Weighted samples are another thing.
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
    # ArviZ 1 does nothing else.
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
    with pytest.raises(NotARunFolder):
        zpfit.interfaces.export.frame(tmp_path)


# The likelihood point by point


@pytest.mark.parametrize("name", RUNS)
def test_points_have_the_posteriors_likelihood(name: str):
    run = load_run(find_run_file(name))
    points, expected = points_of(run)
    found = [point_likelihood(name).log_likelihood(point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.isfinite(expected).any()


def test_a_set_and_a_model_need_no_run_file():
    given = point_likelihood(likelihood="paper_2021_cs")
    assert given.required == ("m_Zp",)
    assert "C_nutau" in given.optional
    assert given.log_likelihood({"m_Zp": 17.0}) == pytest.approx(
        given.log_likelihood_without_zprime()
    )
    assert given.log_likelihood({"m_Zp": 17.0, "C_Ve": 2.0}) == -np.inf
    assert given.log_likelihood({"m_Zp": float("nan")}) == -np.inf


def test_fixed_and_tied_parameters_follow(small_run: Path):
    given = point_likelihood(str(small_run))
    assert given.required == ("m_Zp", "C_Ve", "C_Ae", "C_Vmu")
    frame = zpfit.interfaces.export.frame(small_run).iloc[0]
    point = {name: float(frame[name]) for name in given.required}
    assert given.log_likelihood(point) == pytest.approx(float(frame["log_likelihood"]), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give run_file, or the name of a likelihood set"),
        ({"likelihood": "paper_2021_sc"}, "did you mean 'paper_2021_cs'"),
        ({"likelihood": "paper_2021_cs", "changes": {"seed": "1"}}, "give run_file as well"),
        ({"run_file": "quikstart"}, "did you mean 'quickstart'"),
    ],
)
def test_what_is_no_likelihood(arguments: dict[str, Any], message: str):
    with pytest.raises(Exception, match=message):
        point_likelihood(**arguments)


@pytest.mark.parametrize("drop", ["[a_mu_2021]", ["a_mu_2021"]])
def test_changes_are_values_or_texts(drop: Any):
    point = dict.fromkeys(point_likelihood("quickstart").required, 1e-6) | {"m_Zp": 17.0}
    changed = point_likelihood("quickstart", changes={"likelihood.drop": drop, "seed": 5})
    run = load_run(find_run_file("quickstart"), {"likelihood.drop": "[a_mu_2021]"})
    values = {name: np.array([value]) for name, value in point.items()}
    [expected] = run.posterior.log_likelihood_at(run.posterior.priors.complete(values, 1))
    assert changed.log_likelihood(point) == expected
    assert expected > point_likelihood("quickstart").log_likelihood(point)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "--set seed.*-1"),
        ({"likelihood.drop": [3]}, "--set likelihood.drop.*3"),
        ({5: "seed"}, "changes: 5 is not a text"),
        (["seed"], r"changes: \['seed'\] is not a mapping"),
    ],
)
def test_changes_that_are_none(changes: Any, message: str):
    with pytest.raises(InvalidInput, match=message):
        point_likelihood("quickstart", changes=changes)


def test_points_must_be_complete():
    given = point_likelihood("quickstart")
    with pytest.raises(InvalidInput) as caught:
        given.log_likelihood({"m_Zp": 17.0, "C_Vee": 0.0})
    assert "parameter 'C_Ve' has no value" in str(caught.value)
    assert "did you mean 'C_Ve'" in str(caught.value)


NARROW = """\
import math
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import Couplings


class Narrow(Model):
    name = "narrow"
    parameters = (MASS, Parameter("x", "x", domain=(0.0, 3.0)))

    def couplings(self, values):
        return Couplings(values["m_Zp"], *[0.0] * 3, 1e-6 * math.sqrt(1 - values["x"]), *[0.0] * 5)

    def conditions(self, values):
        return {"x at most 1": values["x"]}

    def derived(self, values):
        return {"root": math.sqrt(1 - values["x"])}
"""
NARROW_RUN = """\
model: {python: "narrow.py:Narrow"}
likelihood: {add: [a_mu_2021]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    x: {type: uniform, lower: 0, upper: 3}
"""


def test_nothing_is_derived_where_the_model_cannot_exist(workspace: Path):
    Path("narrow.py").write_text(NARROW, encoding="utf-8")
    Path("narrow.yaml").write_text(NARROW_RUN, encoding="utf-8")
    given = point_likelihood("narrow.yaml")
    assert {"root", "C_Vmu"} <= set(given.derived_names)
    assert given.derived({"m_Zp": 17.0, "x": 0.75})["root"] == pytest.approx(0.5)
    for x in (2.0, -1.0, float("nan")):
        point = {"m_Zp": 17.0, "x": x}
        assert given.log_likelihood(point) == -np.inf
        found = given.derived(point)
        assert tuple(found) == given.derived_names
        assert np.isnan(list(found.values())).all()


# cobaya


@pytest.mark.parametrize("name", RUNS)
def test_cobaya_has_the_same_likelihood_and_priors(name: str, quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    run = load_run(find_run_file(name))
    model = cobaya_model.get_model(cobaya_input(run, name) | {"stop_at_error": True})
    rng = np.random.default_rng(5)
    u = rng.random((3000, run.posterior.dimension))
    expected = run.posterior.log_likelihood(u)
    chosen = np.flatnonzero(np.isfinite(expected))[:10]
    values = run.posterior.parameters(u[chosen])
    names = [f"u_{n}" for n in run.posterior.names]
    for row, (point, log_likelihood) in enumerate(zip(u[chosen], expected[chosen], strict=True)):
        given = dict(zip(names, point, strict=True))
        assert model.loglike(given, return_derived=False) == pytest.approx(log_likelihood, rel=1e-9)
        assert model.logprior(given) == pytest.approx(0.0, abs=1e-12)
        inputs = model.parameterization.to_input(given)
        for parameter in run.posterior.names:
            assert inputs[parameter] == pytest.approx(values[parameter][row], rel=1e-9)


def test_cobaya_reads_the_file_and_derives_couplings(
    accepted: Command, small_run: Path, quiet: None
):
    cobaya = pytest.importorskip("cobaya.run")
    written = accepted("export", small_run, "--to", "cobaya", "--output", "c").split()[-1]
    yaml = pytest.importorskip("cobaya.yaml")
    info = yaml.yaml_load_file(written)
    info["params"] |= {"C_Vtau": {"derived": True}, "C_numu": {"derived": True}}
    # The best fit is where the chains begin.
    info["sampler"] = {"evaluate": {}}
    for parameter in info["params"].values():
        parameter.pop("proposal", None)
    _, sampler = cobaya.run(info, debug=False)
    best = summary_of(small_run)["best_fit"]
    row = sampler.products()["sample"]
    assert float(row["m_Zp"].iloc[0]) == pytest.approx(best["parameters"]["m_Zp"], rel=1e-6)
    run = load_run(find_run_file(str(small_run)))
    point = {name: np.array([float(row[name].iloc[0])]) for name in run.posterior.names}
    values = run.posterior.priors.complete(point, 1)
    [expected] = run.posterior.log_likelihood_at(values)
    assert float(row["chi2"].iloc[0]) == pytest.approx(-2 * expected, rel=1e-6)


def test_cobaya_starts_where_the_likelihood_is_not_zero(small_run: Path, tmp_path: Path):
    folder = shutil.copytree(small_run, tmp_path / "run")
    summary = summary_of(folder)
    # As a rounding might: into what is excluded.
    summary["best_fit"]["parameters"] |= {"C_Ve": 0.09}
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    [path] = zpfit.interfaces.export.export_cobaya(str(folder), tmp_path)
    params = read_yaml(path).data["params"]
    best = zpfit.interfaces.export.frame(small_run).sort_values("log_likelihood").iloc[-1]
    run = load_run(find_run_file(str(small_run)))
    cube = run.posterior.priors.to_unit_cube({n: float(best[n]) for n in run.posterior.names})
    assert [params[f"u_{name}"]["ref"] for name in run.posterior.names] == cube.tolist()


def test_cobaya_starts_anywhere_if_no_point_is_possible():
    run = load_run(find_run_file("quickstart"))
    excluded = dict.fromkeys(run.posterior.names, 0.09) | {"m_Zp": 17.0}
    params = cobaya_input(run, "quickstart", [excluded])["params"]
    assert not any("ref" in parameter for parameter in params.values())


HYPHEN = """\
type: couplings
title: hyphen
description: A name that is none of Python's
reference: none
parameters:
  g-x: {symbol: g_x}
couplings:
  C_Vmu: {g-x: 2}
"""
HYPHEN_RUN = """\
model: hyphen
likelihood: {add: [a_mu_2021]}
priors:
  parameters:
    m_Zp: {type: uniform, lower: 5, upper: 50}
    g-x: {type: log_uniform, lower: 1.0e-5, upper: 1.0e-2}
"""


def test_cobaya_takes_names_that_python_does_not(workspace: Path, quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    Path("models").mkdir()
    Path("models/hyphen.yaml").write_text(HYPHEN, encoding="utf-8")
    Path("hyphen.yaml").write_text(HYPHEN_RUN, encoding="utf-8")
    run = load_run(Path("hyphen.yaml"))
    model = cobaya_model.get_model(cobaya_input(run, "hyphen.yaml") | {"stop_at_error": True})
    given = {"u_m_Zp": 0.3, "u_axis_1": 0.4}
    [expected] = run.posterior.log_likelihood(np.array([[0.3, 0.4]]))
    assert model.loglike(given, return_derived=False) == pytest.approx(expected, rel=1e-9)


def test_cobaya_takes_a_set_and_a_model(quiet: None):
    cobaya_model = pytest.importorskip("cobaya.model")
    info = {
        "likelihood": {LIKELIHOOD: {"set": "paper_2021_cs"}},
        "params": {
            "m_Zp": {"prior": {"min": 5, "max": 50}},
            "C_Ae": {"prior": {"min": -1e-3, "max": 1e-3}},
            "C_Vtau": 0.0,
        },
    }
    given = point_likelihood(likelihood="paper_2021_cs")
    point = {"m_Zp": 17.0, "C_Ae": 1e-6}
    model = cobaya_model.get_model(info)
    assert model.loglike(point, return_derived=False) == pytest.approx(given.log_likelihood(point))


def test_cobaya_hears_what_is_wrong(quiet: None, capfd: pytest.CaptureFixture[str]):
    cobaya_model = pytest.importorskip("cobaya.model")
    from cobaya.log import LoggedError

    with pytest.raises(LoggedError, match="did you mean 'quickstart'"):
        cobaya_model.get_model({"likelihood": {LIKELIHOOD: {"run_file": "quikstart"}}})


@pytest.mark.slow
def test_cobaya_samples_the_file(accepted: Command, small_run: Path):
    pytest.importorskip("cobaya")
    written = accepted("export", small_run, "--to", "cobaya", "--output", "c").split()[-1]
    path = Path(written)
    path.write_text(path.read_text(encoding="utf-8") + "    max_samples: 300\n", encoding="utf-8")
    command = [sys.executable, "-m", "cobaya", "run", str(path), "--output", "chains/small"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path("chains/small.1.txt").exists()


# bilby


@pytest.mark.parametrize("name", RUNS)
def test_bilby_has_the_same_likelihood_and_priors(name: str, quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    run = load_run(find_run_file(name))
    likelihood = ZpfitLikelihood(name)
    points, expected = points_of(run, 10)
    found = [likelihood.log_likelihood(point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    priors = likelihood.priors()
    u = np.random.default_rng(2).random(run.posterior.dimension)
    ours = run.posterior.parameters(u[None])
    theirs = priors.rescale(run.posterior.names, u)
    for parameter, value in zip(run.posterior.names, np.ravel(theirs), strict=True):
        assert value == pytest.approx(float(ours[parameter][0]), rel=1e-9)
    assert likelihood.noise_log_likelihood() == pytest.approx(
        float(point_likelihood(name).log_likelihood_without_zprime())
    )


def test_bilby_gets_no_priors_that_nobody_gave(quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    assert point_likelihood(likelihood="paper_2021_cs").priors is None
    with pytest.raises(InvalidInput, match="give run_file, or bilby's own priors of m_Zp"):
        ZpfitLikelihood(likelihood="paper_2021_cs").priors()


def test_bilby_hears_of_a_misspelt_parameter(quiet: None):
    pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    likelihood = ZpfitLikelihood(likelihood="paper_2021_cs")
    with pytest.raises(InvalidInput, match="did you mean 'C_Ve'"):
        likelihood.log_likelihood({"m_Zp": 17.0, "C_Vee": 0.5})
    # Columns of a posterior, which bilby hands over when it weights samples anew.
    point = {"m_Zp": 17.0, "C_Ve": 1e-6}
    expected = likelihood.log_likelihood(point)
    assert likelihood.log_likelihood(point | {"log_likelihood": 1.0, "log_prior": 2.0}) == expected


def test_bilby_joins_it_with_another_likelihood(quiet: None):
    bilby = pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import ZpfitLikelihood

    class Nuisance(bilby.Likelihood):
        def log_likelihood(self, parameters: dict[str, float]) -> float:
            return -0.5 * parameters["nu"] ** 2

        def noise_log_likelihood(self) -> float:
            return 0.0

    ours = ZpfitLikelihood(likelihood="paper_2021_cs", others=["nu"])
    joint = bilby.core.likelihood.JointLikelihood(ours, Nuisance())
    point = {"m_Zp": 17.0, "C_Ve": 1e-6}
    assert joint.log_likelihood(point | {"nu": 1.0}) == ours.log_likelihood(point) - 0.5


def test_either_sign_ends_at_its_bounds_in_bilby(quiet: None):
    bilby = pytest.importorskip("bilby")
    from zpfit.interfaces.bilby import EitherSign

    prior = EitherSign(1e-8, 0.1, name="C_Ve")
    values = np.array([-0.5, -0.1, -1e-3, -1e-9, 0.0, 1e-9, 1e-8, 1e-3, 0.1, 0.5])
    inside = [False, True, True, False, False, False, True, True, True, False]
    np.testing.assert_array_equal(np.isfinite(prior.ln_prob(values)), inside)
    np.testing.assert_allclose(prior.prob(values[:5]), prior.prob(-values[:5]))
    assert prior.ln_prob(0.5) == -np.inf
    assert prior.ln_prob(1e-3) == pytest.approx(-np.log(2 * 1e-3 * np.log(1e7)))
    assert (prior.minimum, prior.maximum) == (-0.1, 0.1)
    u = np.array([0.01, 0.3, 0.7, 0.99])
    np.testing.assert_allclose(prior.cdf(prior.rescale(u)), u)
    np.testing.assert_array_equal(prior.cdf(np.array([-1.0, 0.0, 1.0])), [0, 0.5, 1])
    # As bilby does with the priors of a result.
    assert json.loads(prior.to_json(), object_hook=bilby.core.utils.decode_bilby_json) == prior


# Without the other programs


@pytest.mark.parametrize("name", ["cobaya", "bilby"])
def test_a_missing_program_is_named(name: str):
    snippet = (
        f"import sys\nsys.modules[{name!r}] = None\n"
        "from zpfit.errors import MissingExtra\n"
        f"try:\n    import zpfit.interfaces.{name}\n"
        "except MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=True
    )
    assert f"pip install 'zpfit[{name}]'" in done.stdout


def test_the_input_of_cobaya_is_valid_yaml(accepted: Command, workspace: Path):
    accepted("export", "quickstart", "--to", "cobaya")
    data = read_yaml(workspace / "output" / "export" / "quickstart.cobaya.yaml").data
    assert data["likelihood"][LIKELIHOOD] == {"run_file": "quickstart"}
    assert len(data["params"]) == 14
