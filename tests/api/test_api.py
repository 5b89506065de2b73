"""Test the public Python API: results in memory, changes, names, and the import time."""

import html
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command import FEW_DATA
from light_toys import shrink_pool
from matplotlib.figure import Figure

import zpfit
from zpfit.analysis.parameter_table import parameter_rows
from zpfit.errors import DamagedRecord, RunMismatch, UnfinishedRun
from zpfit.runs import pools
from zpfit.runs.execution import Start, claimed
from zpfit.runs.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("quick_fits")

SMALL = {"walkers": 32, "max_steps": 40, "target_ess": 10}
FEW_STARTS = {"starts": 50}
LIGHT = {"title": "light", "model": "L_mu-L_tau", "likelihood": FEW_DATA}
PUBLIC = [
    "ExecutorChoice",
    "Likelihood",
    "Model",
    "Result",
    "ZpfitError",
    "available",
    "campaign",
    "certify",
    "check_data",
    "cite",
    "compare",
    "coverage",
    "evaluate",
    "exclusion",
    "explore",
    "export",
    "fit",
    "limit",
    "load",
    "plan",
    "plot",
    "profile",
    "report",
    "schema",
    "show",
    "tension",
    "toys",
    "validate",
]


@pytest.fixture(scope="module")
def result() -> zpfit.Result:
    return zpfit.fit("quickstart", sampler=SMALL, best_fit=FEW_STARTS, seed=3)


def small(source: object, **changes: object) -> zpfit.Result:
    vegas = {"engine": "vegas"}
    return zpfit.fit(source, sampler=vegas, best_fit=FEW_STARTS, **changes)


@pytest.fixture(scope="module")
def light() -> zpfit.Result:
    """Fit that several tests read."""
    return small(LIGHT)


def test_the_public_names_are_there() -> None:
    assert set(PUBLIC) <= set(dir(zpfit))
    for name in PUBLIC:
        assert getattr(zpfit, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="fits"):
        zpfit.fits  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, zpfit; heavy = {'numpy', 'pandas', 'numba', 'matplotlib', 'scipy'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_api_loads_no_plots_and_compiles_nothing_before_it_is_called() -> None:
    """A formula that is compiled at import would cost every process a second."""
    code = (
        "import sys, zpfit; zpfit.fit, zpfit.compare, zpfit.tension, zpfit.evaluate; "
        "loaded = {'matplotlib', 'arviz', 'corner'} & set(sys.modules); "
        "from numba.core.dispatcher import Dispatcher; "
        "names = [n for m in list(sys.modules.values()) if m.__name__.startswith('zpfit.') "
        "for n, f in vars(m).items() if isinstance(f, Dispatcher) and f.signatures]; "
        "sys.exit(', '.join([*loaded, *names]) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_fit_prints_and_writes_nothing_and_logs_its_stages(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    logged: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    with logged.at_level(logging.INFO, logger="zpfit"):
        small(LIGHT)
        assert "Searching the best fit" in logged.text
        logged.clear()
        small(LIGHT, progress=False)
        assert not logged.text
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_frames(result: zpfit.Result) -> None:
    free = result.problem.posterior.priors.varying
    assert list(result.samples) == [*free, "log_likelihood"]
    assert result.weighted["weight"].sum() == pytest.approx(1)
    assert list(result.table.index) == list(free)
    summary = result.summary["posterior"]["m_Zp"]
    assert result.table.loc["m_Zp", "median"] == summary["median"]
    assert result.samples.attrs["units"]["m_Zp"] == "MeV"
    terms = result.terms
    np.testing.assert_allclose(
        terms["pull"],
        [
            (m - p) / e
            for p, m, e in terms[["prediction", "measured", "error"]].itertuples(index=False)
        ],
        rtol=1e-9,
    )
    assert terms["chi2"].sum() == pytest.approx(result.chi2)


def test_results_are_frozen(result: zpfit.Result) -> None:
    with pytest.raises(AttributeError):
        result.folder = Path()  # type: ignore[misc]


def test_a_result_is_shown_in_one_line_and_as_html(result: zpfit.Result) -> None:
    assert "\n" not in repr(result)
    assert f"{result.log_z:.3f}" in repr(result)
    assert "m_Zp" in result._repr_html_()
    assert not result.converged
    assert result.shortcomings[0].split(":")[0] in result._repr_html_()


@pytest.mark.drawn
def test_plots_are_figures(result: zpfit.Result, light: zpfit.Result) -> None:
    for figure in (light.corner(), light.pulls(), result.trace()):
        assert isinstance(figure, Figure)


@pytest.mark.slow  # a folder and memory agree below; test_engines.py repeats each engine
def test_the_seed_settles_everything(result: zpfit.Result) -> None:
    again = zpfit.fit("quickstart", sampler=SMALL, best_fit=FEW_STARTS, seed=3)
    pd.testing.assert_frame_equal(again.samples, result.samples)
    assert again.log_z == result.log_z
    assert again.best_fit == result.best_fit


def test_saved_and_read(result: zpfit.Result, light: zpfit.Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    read = zpfit.Result.read(folder)
    pd.testing.assert_frame_equal(read.samples, result.samples)
    assert read.summary == result.summary
    assert read.folder == folder
    assert {p.name for p in folder.iterdir()} >= {"config.yaml", "samples.nc", "summary.json"}
    with pytest.raises(RunMismatch):
        light.save(folder)


def _without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda summary: {k: v for k, v in summary.items() if k != key}


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        *((_without(key), key) for key in ("title", "model", "posterior", "shortcomings")),
        (lambda summary: {**summary, "converged": "perhaps"}, "converged"),
        (lambda summary: {**summary, "evidence": {"log_z": 1.0}}, "evidence.error"),
        (lambda _: float("nan"), "NaN"),
    ],
)
def test_a_damaged_summary_is_named_with_its_key(
    damage: Callable[[dict[str, Any]], object], named: str, light: zpfit.Result, tmp_path: Path
) -> None:
    folder = RunFolder(light.save(tmp_path / "run"))
    folder.summary_path.write_text(json.dumps(damage(json.loads(folder.summary_path.read_text()))))
    with pytest.raises(DamagedRecord, match=named) as refused:
        zpfit.Result.read(folder.path)
    assert refused.value.path == folder.summary_path


def test_a_run_is_saved_once(light: zpfit.Result, tmp_path: Path) -> None:
    folder = light.save(tmp_path / "run")
    results = [folder / name for name in ("config.yaml", "samples.nc", "summary.json")]
    written = [path.stat().st_mtime_ns for path in results]
    assert light.save(folder) == folder
    assert [path.stat().st_mtime_ns for path in results] == written
    folder_of_a_part = RunFolder(tmp_path / "part")
    with claimed(light.problem, folder_of_a_part, Start.NEW):
        pass
    with pytest.raises(UnfinishedRun):
        light.save(folder_of_a_part.path)


@pytest.fixture
def session_model() -> Callable[..., object]:
    """Model of a notebook, which no file holds."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec("def leptophilic(g):\n    return {'m_Zp': 20 + 0 * g, 'C_Vmu': g}", space)  # noqa: S102
    model: Callable[..., object] = space["leptophilic"]
    return model


SESSION_PRIORS = {"parameters": {"g": {"type": "log_uniform", "lower": 1e-8, "upper": 1e-2}}}


def test_the_numbers_of_a_notebooks_model_can_be_read(
    session_model: Callable[..., object], tmp_path: Path
) -> None:
    source = {"model": session_model, "likelihood": "paper_2021_cs", "priors": SESSION_PRIORS}
    fitted = small(source, output=tmp_path / "run", plots=False)
    read = zpfit.Result.read(tmp_path / "run")
    pd.testing.assert_frame_equal(read.samples, fitted.samples)
    pd.testing.assert_frame_equal(read.weighted, fitted.weighted)
    assert read.summary == fitted.summary
    assert repr(read).startswith("<Result run: ")
    with pytest.raises(zpfit.ZpfitError, match=r"not saved; write it to a file"):
        _ = read.problem.posterior
    with pytest.raises(zpfit.ZpfitError, match=r"not saved; write it to a file"):
        read.save(tmp_path / "again")


def test_toys_of_a_notebooks_model_write_nothing_before_they_are_refused(
    session_model: Callable[..., object], tmp_path: Path
) -> None:
    source = {"model": session_model, "likelihood": "paper_2021_cs", "priors": SESSION_PRIORS}
    for arguments in ({"source": source}, {"source": "quickstart", "nested": source}):
        with pytest.raises(zpfit.ZpfitError, match=r"not saved; write it to a file"):
            zpfit.toys(n=1, output=tmp_path / "toys", **arguments)
    assert not (tmp_path / "toys").exists()


def test_memory_and_folder_give_the_same_numbers(light: zpfit.Result, tmp_path: Path) -> None:
    memory = light
    folder = small(LIGHT, output=tmp_path / "run", plots=False)
    pd.testing.assert_frame_equal(memory.samples, folder.samples)
    pd.testing.assert_frame_equal(memory.weighted, folder.weighted)
    skipped = {"wall_time_s"}
    one, two = ({k: v for k, v in r.summary.items() if k not in skipped} for r in (memory, folder))
    assert one == two


def test_sources(tmp_path: Path) -> None:
    by_name = zpfit.load("quickstart")
    text = "model: L_mu-L_tau\nlikelihood: today_cs\nseed: 4\n"
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    by_path = zpfit.load(str(tmp_path / "own.yaml"))
    by_dict = zpfit.load({"model": "L_mu-L_tau", "likelihood": "today_cs", "seed": 4})
    assert by_name.settings.seed == 2021
    assert by_path.settings == by_dict.settings
    assert by_dict.name == "L_mu-L_tau_today_cs"
    assert by_path.data_hash() == by_dict.data_hash()
    assert zpfit.load(by_dict) is by_dict
    assert zpfit.load(by_dict, seed=9).settings.seed == 9


def test_changes_merge_options_and_replace_data() -> None:
    problem = zpfit.load(
        "quickstart",
        sampler={"walkers": 64},
        likelihood={"set": "today_rb", "drop": ["a_mu_2025_wp2025"]},
        priors={"parameters": {"C_nue": 0, "m_Zp": {"type": "uniform", "lower": 10, "upper": 40}}},
        **{"vegas.error": 0.02},
    )
    packaged = zpfit.load("quickstart").settings
    assert problem.settings.sampler.walkers == 64
    assert problem.settings.sampler.target_ess == packaged.sampler.target_ess
    assert problem.settings.vegas.error == 0.02
    assert problem.posterior.likelihood.name == "today_rb -a_mu_2025_wp2025"
    assert "C_nue" not in problem.posterior.names
    assert problem.posterior.priors.support("m_Zp") == (10, 40)


def test_numbers_of_numpy_are_numbers() -> None:
    problem = zpfit.load("quickstart", **{"priors.parameters.C_Ae": np.float64(1e-4)})
    assert "C_Ae" not in problem.posterior.names


def test_a_misspelt_key_is_named() -> None:
    with pytest.raises(zpfit.ZpfitError, match=r"likelihood.sofft.*did you mean 'soft'"):
        zpfit.load({"model": "effective", "likelihood": {"set": "today_cs", "sofft": []}})
    with pytest.raises(zpfit.ZpfitError, match=r"sampler.walker.*did you mean 'walkers'"):
        zpfit.load("quickstart", sampler={"walker": 3})
    with pytest.raises(zpfit.ZpfitError, match="quickstart"):
        zpfit.load("quickstrat")


def test_evaluate_takes_mappings_lists_and_frames() -> None:
    points = {"m_Zp": [18.0, 22.0], "C_Ae": 1.6e-4}
    frame = zpfit.evaluate(points, likelihood="paper_2021_cs")
    as_list = [{"m_Zp": 18.0, "C_Ae": 1.6e-4}, {"m_Zp": 22.0, "C_Ae": 1.6e-4}]
    pd.testing.assert_frame_equal(frame, zpfit.evaluate(as_list, likelihood="paper_2021_cs"))
    pd.testing.assert_frame_equal(
        frame, zpfit.evaluate(pd.DataFrame(as_list), likelihood="paper_2021_cs")
    )
    assert len(frame) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("few_draws")  # in this process
def test_compare_in_memory(light: zpfit.Result, tmp_path: Path) -> None:
    heavy = small({"model": "dark_photon", "likelihood": FEW_DATA})
    found = zpfit.compare(light, heavy)
    assert list(found.frame.index) == ["no Z'", light.name, heavy.name]
    row = found.frame.loc[light.name]
    assert row["lnZ"] == light.log_z
    assert row["ln_bayes_factor"] == light.log_z - found.frame.loc["no Z'", "lnZ"]
    assert found.frame.sort_values("lnZ")["lnZ"].is_monotonic_increasing
    assert found.converged == (not found.shortcomings)
    light.save(tmp_path / light.name)
    read = zpfit.Result.read(tmp_path / light.name)
    assert read.summary == light.summary
    with pytest.raises(zpfit.ZpfitError, match="twice"):
        zpfit.compare(light, light)


@pytest.mark.slow
def test_profile() -> None:
    few = {"best_fit": FEW_STARTS, "sampler": {"engine": "vegas"}}
    found = zpfit.profile("L_mu-L_tau_cs", ("m_Zp", 5, 50), points=10, **few)
    assert len(found.frame) >= 10
    assert found.frame["m_Zp"].min() == pytest.approx(5)
    assert found.frame["delta_chi2"].min() >= 0
    with pytest.raises(zpfit.ZpfitError, match="C_Ve"):
        zpfit.profile("L_mu-L_tau_cs", "C_Ve")


def test_exclusion() -> None:
    found = zpfit.exclusion(
        x=("m_Zp", 5, 50),
        y=("C_Ae", 5e-5, 1e-3, "log"),
        likelihood={"set": "paper_2021_cs", "drop": ["a_mu_2021"]},
        solve={"C_Ve": ("delta_a_e", -8.7e-13)},
    )
    x_low, y_low, x_high, y_high = found.allowed.bounds
    assert 5 <= x_low < x_high <= 50
    assert 5e-5 <= y_low < y_high <= 1e-3
    assert found.record["allowed"]["x"] == pytest.approx([x_low, x_high], rel=1e-6)
    assert set(found.frame["kind"]) >= {"excluded", "allowed"}


@pytest.mark.slow
def test_toys_in_memory_and_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_pool(monkeypatch)
    problem = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "seed": 5}
    options = {"best_fit": {"starts": 50}, "joint_sigma": False, "progress": False}
    memory = zpfit.toys(problem, 3, **options)
    assert len(memory) == len(memory.frame) == 3
    assert set(memory.p_values.index) == {"chi2", "delta_chi2"}
    # Toys run in this process by default: a script without a __main__ guard works.
    monkeypatch.setitem(pools._OPENERS, pools.Kind.PROCESSES, None)
    kept = zpfit.toys(problem, 3, output=tmp_path / "toys", **options)
    pd.testing.assert_frame_equal(kept.frame, memory.frame)
    assert (tmp_path / "toys" / "toys.json").is_file()


def test_available() -> None:
    everything = zpfit.available()
    assert {"quickstart", "sm_u1", "today_cs", "paper_fig2b"} <= set(everything["name"])
    assert set(zpfit.available("runs")["kind"]) == {"run"}
    with pytest.raises(zpfit.ZpfitError, match="models"):
        zpfit.available("model")


def test_a_result_can_be_a_key_and_its_table_holds_the_best_fit(light: zpfit.Result) -> None:
    assert {light: "first"}[light] == "first"
    fixed = {"eps": 0.0}
    assert light.table["best_fit"].to_dict() | fixed == light.best_fit


def test_a_notebook_shows_the_table_of_the_terminal(result: zpfit.Result) -> None:
    shown = html.unescape(result._repr_html_())
    open_signs = [name for name, row in result.table.iterrows() if row["size_limit_posterior"] > 0]
    assert open_signs
    for row in parameter_rows(result.summary):
        assert row.name in shown
        assert all(text in shown for text in (*row.texts, row.note))


def test_a_profile_in_a_plane_has_its_values_at_its_nodes() -> None:
    names = ("g_prime", "eps")
    changes = {"priors": {"parameters": {"m_Zp": 20}}, "seed": 1}
    found = zpfit.profile("L_mu-L_tau_cs", *names, points=10, progress=False, **changes)
    curve = found.record["profile"]
    assert len(curve["values"][0]) != len(curve["values"][1])
    frame = found.frame.set_index(list(names))["delta_chi2"]
    for i, x in enumerate(curve["values"][0]):
        for j, y in enumerate(curve["values"][1]):
            stored = curve["delta_chi2"][i][j]
            assert frame.loc[(x, y)] == stored or stored is None
