"""Test campaigns: the fits of a file, equal numbers from every executor, failures, resuming."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import FEW_DATA

from zpfit.cli import cli
from zpfit.io.yaml import dump_yaml
from zpfit.runs.campaign import combine_seeds
from zpfit.runs.campaign_file import load_campaign

TINY = {
    "sampler.engine": "dynesty",
    "sampler.target_ess": 50,
    "dynesty.live_points": 50,
    "dynesty.tolerance": 1,
    "best_fit.starts": 20,
}
"""Options with which a fit takes half a second, in processes of its own too."""
RUN = {
    "model": "L_mu-L_tau",
    "likelihood": FEW_DATA,
    "priors": {"parameters": {"m_Zp": 20.0, "eps": 0.0}},
}
"""Fit of one parameter."""


def write(content, path="grid.yaml"):
    Path(path).write_text(dump_yaml({"runs": {"tiny": RUN}, "settings": TINY} | content))
    return path


def record(folder):
    return json.loads((Path(folder) / "campaign.json").read_text())


def names(path):
    return [name for _, _, name in load_campaign(Path(path)).tasks()]


# Combinations of a file


def test_every_combination(workspace):
    path = write(
        {
            "runs": {"base": RUN, "qs": "L_mu-L_tau_cs"},
            "models": ["L_mu-L_tau", "B-L"],
            "data": {
                "cs": "paper_2021_cs",
                "less": {"set": "paper_2021_rb", "drop": ["na64_2020"]},
            },
            "overrides": {"plain": {}, "few": {"best_fit.starts": 10}},
            "seeds": {"first": 5, "count": 3},
        }
    )
    found = names(path)
    assert len(set(found)) == len(found) == 2 * 2 * 2 * 2 * 3
    assert found[0] == "base-L_mu-L_tau-cs-plain-s5"


def test_combinations_have_titles_of_their_models_and_data(workspace):
    """A value without a title keeps its label, an axis with one value says nothing."""
    path = write(
        {
            "runs": {"any": {"model": "B-L", "likelihood": FEW_DATA}},
            "models": ["B-L", "sm_u1", "nhdm_u1"],
            "data": {"today_cs": "today_cs", "less": {"set": "today_cs", "drop": ["na64_2020"]}},
            "labels": {"sm_u1": "Standard model with a U(1)'"},
        }
    )
    found = [cell.title for cell in load_campaign(Path(path)).cells]
    assert found == [
        "Gauged baryon minus lepton number: Data as of 2026, Caesium",
        "Gauged baryon minus lepton number: less",
        "Standard model with a U(1)': Data as of 2026, Caesium",
        "Standard model with a U(1)': less",
        "nhdm_u1: Data as of 2026, Caesium",
        "nhdm_u1: less",
    ]


def test_changes_reach_the_runs(workspace):
    path = write(
        {
            "models": {"heavy": {"name": "L_mu-L_tau"}},
            "data": ["paper_2021_rb"],
            "overrides": {"few": {"best_fit.starts": 10, "dynesty.tolerance": 0.2}},
            "seeds": [7],
        }
    )
    [cell] = load_campaign(Path(path)).cells
    run = cell.run()
    assert run.settings.best_fit.starts == 10
    assert run.settings.dynesty.tolerance == 0.2
    assert run.settings.sampler.engine == "dynesty"
    assert run.posterior.likelihood.name == "paper_2021_rb"
    assert cell.name == "tiny-heavy-paper_2021_rb-few"


def test_run_files_lie_beside_the_campaign_file(workspace):
    Path("deep").mkdir()
    Path("deep/own.yaml").write_text(dump_yaml(RUN))
    assert names(write({"runs": ["own.yaml"]}, "deep/grid.yaml")) == ["own"]


def test_packaged_campaigns(accepted):
    assert "classes_today" in accepted("list", "campaigns")
    plan = accepted("campaign", "classes_today", "--plan")
    assert "classes-sm_u1-today_rb-s2" in plan
    assert "36 fits of 12 combinations" in plan


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"runs": {}}, ["grid.yaml", "runs"]),
        ({"runs": ["nowhere"]}, ["nowhere"]),
        ({"runs": [3]}, ["grid.yaml:", "runs", "3"]),
        ({"runs": {"a/b": RUN}}, ["grid.yaml:", "runs.a/b", "label"]),
        ({"runs": {"..": RUN}}, ["grid.yaml:", "label"]),
        ({"model": "B-L"}, ["grid.yaml:", "model"]),
        ({"models": ["L_mu-L_taw"]}, ["models.L_mu-L_taw", "L_mu-L_tau"]),
        ({"data": ["paper_2022_cs"]}, ["data.paper_2022_cs", "paper_2021_cs"]),
        (
            {"overrides": {"x": {"vegas.eror": 1}}},
            ["grid.yaml:", "overrides.x.vegas.eror"],
        ),
        ({"overrides": {"x": {"vegas.error": "small"}}}, ["overrides.x.vegas.error", "'small'"]),
        ({"settings": {"seed": -1}}, ["grid.yaml:", "settings.seed"]),
        ({"runs": ["x/own.yaml", "y/own.yaml"]}, ["grid.yaml:", "runs", "'own' occurs twice"]),
        ({"seeds": []}, ["grid.yaml:", "seeds"]),
        ({"seeds": {"count": 0}}, ["grid.yaml:", "seeds.count"]),
        ({"seeds": {"count": 10_000_001}}, ["grid.yaml:", "seeds.count"]),
    ],
)
def test_bad_files_are_refused(rejected, content, words):
    message = rejected("campaign", write(content))
    for word in words:
        assert word in message
    assert not Path("output").exists()


def test_combinations_need_names_of_their_own(rejected):
    path = write({"runs": {"a": RUN, "a-b": RUN}, "models": {"b-c": "B-L", "c": "L_mu-L_tau"}})
    assert "'a-b-c' would be the name of several fits" in rejected("campaign", path)


def test_labels_may_hold_dots(workspace):
    assert names(write({"overrides": {"v1.1": {}, "v1.2": {}}})) == ["tiny-v1.1", "tiny-v1.2"]


def test_python_code_is_announced(accepted):
    Path("mine.py").write_text(
        "def photon(m_Zp: float = 17.0, eps: float = 1e-4):\n    return {'C_Ve': eps}\n"
    )
    priors = {
        "m_Zp": {"type": "uniform", "lower": 10, "upper": 20},
        "eps": {"type": "uniform", "lower": 0, "upper": 1e-3},
    }
    run = {
        "model": {"python": "mine.py:photon"},
        "likelihood": "paper_2021_cs",
        "priors": {"parameters": priors},
    }
    path = write({"runs": {"mine": run}, "settings": {}})
    words = "note: runs Python code: model.python = mine.py:photon"
    assert words in accepted("campaign", path, "--plan")
    assert words in accepted("validate", path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--scheduler", "tcp://x:1"],
        ["--executor", "here", "--workers", "2"],
        ["--executor", "dask", "--scheduler", "tcp://x:1", "--workers", "2"],
        ["--executor", "slurm"],
        ["--workers", "0"],
    ],
)
def test_bad_choices_are_refused(invoke, arguments):
    assert invoke("campaign", write({}), *arguments).exit_code == 2


# Execution


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory):
    """Uninterrupted campaign of three fits in this process; for reading only."""
    folder = tmp_path_factory.mktemp("whole")
    path = write({"seeds": {"count": 3}}, folder / "grid.yaml")
    cli(
        ["campaign", str(path), "--executor", "here", "--output", str(folder / "out")],
        standalone_mode=False,
    )
    return folder / "out"


@pytest.fixture(scope="module")
def whole(whole_folder):
    """Record of the uninterrupted campaign."""
    return record(whole_folder)


def test_record_table_and_plot(whole_folder, whole):
    assert whole["finished"] == 3
    assert [row["seed"] for row in whole["fits"]] == [1, 2, 3]
    [cell] = whole["cells"]
    assert cell["fits"] == 3
    assert cell["log_bayes_factor"] == pytest.approx(cell["log_z"] + 0.5 * cell["chi2_no_zprime"])
    with (whole_folder / "campaign.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["chi2"]) for row in rows] == [row["chi2"] for row in whole["fits"]]
    assert (whole_folder / "campaign.png").is_file()
    # A fit of a campaign is a run like any other.
    summary = json.loads((whole_folder / "runs/tiny-s2/summary.json").read_text())
    assert summary["seed"] == 2


@pytest.fixture
def same_numbers(accepted):
    """Run a campaign in several ways, and return their records, which must be equal."""

    def run(content, ways):
        path = write(content)
        found = []
        for number, way in enumerate(ways):
            accepted("campaign", path, "--output", f"out{number}", *way)
            found.append(record(f"out{number}"))
            for mine in Path("out0").glob("runs/*/*.nc"):
                other = Path(f"out{number}", *mine.parts[1:])
                assert arrays(mine) == arrays(other)
        assert all(one == found[0] for one in found)
        return found[0]

    return run


def arrays(path):
    import h5netcdf

    with h5netcdf.File(path) as file:
        group = next(iter(file.groups.values()))
        return {name: variable[...].tobytes() for name, variable in group.variables.items()}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(["--workers", "2"], marks=pytest.mark.slow),
        pytest.param(["--executor", "dask", "--workers", "2"], marks=pytest.mark.slow),
    ],
    ids=["processes", "dask"],
)
def test_one_process_and_others(same_numbers, other):
    if "dask" in other:
        pytest.importorskip("distributed")
    ways = [["--executor", "here"], other]
    found = same_numbers({"seeds": [1, 2], "data": ["paper_2021_cs"]}, ways)
    assert found["finished"] == 2


@pytest.mark.slow
def test_finished_fits_are_left_alone_and_new_ones_added(accepted):
    accepted("campaign", write({"seeds": [1]}), "--executor", "here")
    summary = Path("output/grid/runs/tiny-s1/summary.json")
    before = summary.stat().st_mtime_ns
    accepted("campaign", write({"seeds": [1, 2]}), "--executor", "here")
    assert summary.stat().st_mtime_ns == before
    assert record("output/grid")["finished"] == 2
    accepted("campaign", write({"seeds": [1]}), "--executor", "here", "--force")
    assert summary.stat().st_mtime_ns != before


def test_failures_are_named_and_the_others_finished(invoke):
    path = write(
        {
            "overrides": {
                "fine": {},
                # Nucleosynthesis excludes all of this prior.
                "light": {"priors": {"parameters": {"m_Zp": 1.5}}},
            },
            "seeds": [1],
        }
    )
    result = invoke("campaign", path, "--executor", "here")
    assert result.exit_code == 2
    assert "1 of 2 fits failed" in result.stderr
    assert "tiny-light-s1: " in result.stderr
    assert "Traceback" not in result.output
    kept = record("output/grid")
    assert kept["finished"] == 1
    assert list(kept["failed"]) == ["tiny-light-s1"]


def test_another_run_in_a_folder_is_not_replaced(accepted, invoke):
    accepted("campaign", write({"seeds": [1]}), "--executor", "here")
    other = write({"seeds": [1], "settings": TINY | {"dynesty.tolerance": 0.9}})
    result = invoke("campaign", other, "--executor", "here")
    assert result.exit_code == 2
    assert "dynesty.tolerance was 1.0 and is 0.9" in result.stderr


def start(*arguments):
    """Run the command line in another process, forked so that it starts at once."""

    def run():
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        cli([str(word) for word in arguments])

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, Path("log").read_text()
        time.sleep(0.02)


def finished(folder):
    return len(list(Path(folder).glob("runs/*/fingerprint.json")))


HERE, TWO = ("--executor", "here"), ("--workers", "2")


@pytest.mark.parametrize(
    ("number", "way"),
    [
        (signal.SIGTERM, HERE),
        pytest.param(signal.SIGTERM, TWO, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, TWO, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, TWO, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_campaign_resumes(accepted, whole, number, way):
    path = write({"seeds": {"count": 3}})
    process = start("campaign", path, *way, "--output", "stopped")
    wait_for(lambda: finished("stopped") >= 1)
    os.kill(process.pid, number)
    process.join()
    expected = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert process.exitcode == expected, Path("log").read_text()
    assert "Traceback" not in Path("log").read_text()
    assert finished("stopped") < 3
    accepted("campaign", path, "--executor", "here", "--output", "stopped")
    assert record("stopped") == whole


@pytest.mark.slow
def test_a_dask_worker_that_dies_loses_nothing_and_changes_no_number(accepted, whole):
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("distributed")
    path = write({"seeds": {"count": 3}})
    killed = []

    def kill_one():
        wait_for(lambda: finished("shot") >= 1)
        for child in psutil.Process().children(recursive=True):
            if any("spawn_main" in word for word in child.cmdline()):
                child.kill()
                killed.append(child.pid)
                return

    killing = threading.Thread(target=kill_one)
    killing.start()
    accepted("campaign", path, "--executor", "dask", "--workers", "2", "--output", "shot")
    killing.join()
    assert killed
    assert record("shot") == whole


@pytest.mark.slow
def test_two_campaigns_in_one_folder(accepted, rejected):
    path = write({"seeds": {"count": 2}})
    process = start("campaign", path, "--executor", "here")
    wait_for(Path("output/grid/runs").exists)
    assert "another process is at work there" in rejected("campaign", path, "--executor", "here")
    process.join()
    assert process.exitcode == 0
    assert record("output/grid")["finished"] == 2


# The record


def row(name, seed, log_z, chi2, error=0.1):
    axes = {"runs": name, "models": None, "data": None, "priors": None, "overrides": None}
    return axes | {
        "name": f"{name}-s{seed}",
        "seed": seed,
        "chi2": chi2,
        "chi2_no_zprime": 20.0,
        "log_z": log_z,
        "log_z_error": error,
        "log_bayes_factor": log_z + 10,
        "converged": True,
        "best_fit": {"x": chi2},
    }


def test_means_combine_seeds():
    rows = [row("a", 1, -3.0, 5.0), row("b", 1, -1.0, 4.0), row("a", 2, -3.2, 4.5)]
    first, second = combine_seeds(rows)
    assert (first["name"], first["fits"], second["fits"]) == ("a", 2, 1)
    assert first["log_z"] == pytest.approx(-3.1)
    assert first["log_z_error"] == pytest.approx(0.1 / 2**0.5)
    assert first["log_z_scatter"] == pytest.approx(0.2 / 2**0.5)
    assert second["log_z_scatter"] is None
    assert (first["chi2"], first["best_fit"], first["chi2_worst_seed"]) == (4.5, {"x": 4.5}, 5.0)
    assert first["log_bayes_factor"] == pytest.approx(6.9)


def test_means_weigh_by_errors():
    [cell] = combine_seeds([row("a", 1, 0.0, 1.0, error=0.1), row("a", 2, 1.0, 1.0, error=0.2)])
    assert cell["log_z"] == pytest.approx(0.2)  # weights 100 and 25


@pytest.mark.slow
def test_mpi(accepted):
    """MPI gives the same numbers (skipped if MPI is not installed)."""
    pytest.importorskip("mpi4py")
    launcher = shutil.which("mpiexec") or shutil.which("mpiexec", path=Path(sys.executable).parent)
    if launcher is None:
        pytest.skip("there is no mpiexec")
    path = write({"seeds": [1, 2, 3]})
    accepted("campaign", path, "--executor", "here", "--output", "here")
    words = [launcher, "-n", "3", sys.executable, "-m", "mpi4py.futures", "-m", "zpfit"]
    words += ["campaign", path, "--executor", "mpi", "--output", "mpi"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert record("mpi") == record("here")
