"""Test toys by the command and in folders: extended, resumed, refused."""

import json
import time

import numpy as np
import pytest
from command import FEW_DATA
from light_toys import shrink_pool

from zpfit.analysis.toys.toys import toys as in_memory
from zpfit.cli.progress import ToyLines
from zpfit.inference.progress import Silent
from zpfit.plots.toys import toys_figure
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.toy_folder import ToyFolder, as_csv
from zpfit.runs.toys import RunSource, ToyRequest, toys_in_folder

TABLE = """\
title: mine
measurement: mine
approximations: none
citations: [{key: mine, arxiv: '2102.07781'}]
confidence_level: 0.683
type: table
observable: br_ee
curve: table.csv
"""
HERE = ("--executor", "here")
QUICK = (
    "--set",
    "best_fit.starts=30",
    "--set",
    f"likelihood.drop=[{','.join(FEW_DATA['drop'])}]",
    "--set",
    "priors.parameters.C_nue=0",
    "--set",
    "priors.parameters.C_Amu=0",
    "--set",
    "priors.parameters.C_numu=0",
)


@pytest.fixture
def light(monkeypatch, quick_fits):
    shrink_pool(monkeypatch)


def command(output, n, *more):
    options = (*QUICK, "--no-joint-sigma", "--n", n, "--output", output)
    return ("toys", "quickstart", *options, *(more or HERE))


def draw(folder, n, progress=None):
    """Draw toys in blocks of four."""
    changes = dict(word.split("=", 1) for word in QUICK[1::2])
    source = RunSource(find_run_file("quickstart"), tuple(changes.items()))
    request = ToyRequest(source, n, joint_sigma=False, toys_per_block=4)
    choice = ExecutorChoice(Kind.HERE)
    return toys_in_folder(request, ToyFolder(folder), choice, progress or Silent(), force=False)


@pytest.mark.usefixtures("light")
def test_a_set_that_is_extended_equals_the_set_at_once(workspace):
    draw(workspace / "parts", 6)
    first = (workspace / "parts" / "block_00000.csv").stat().st_mtime_ns
    parts, _ = draw(workspace / "parts", 12)
    assert (workspace / "parts" / "block_00000.csv").stat().st_mtime_ns == first
    whole, toys = draw(workspace / "whole", 12)
    tables = [(workspace / name / "toys.csv").read_bytes() for name in ("parts", "whole")]
    assert tables[0] == tables[1]
    assert len(toys) == len(toys.frame) == 12
    assert parts["statistics"] == whole["statistics"]
    # The second block was half of one, so that it is drawn again, as a whole.
    assert parts["rates"]["computed_now"] == 8
    assert json.loads((workspace / "whole" / "toys.json").read_text()) == whole
    # If the folder holds more toys than requested, only the first ones count.
    assert len(draw(workspace / "whole", 5)[1]) == 5


@pytest.mark.usefixtures("light")
def test_toys_in_memory_are_those_of_a_folder(workspace):
    record, _ = draw(workspace / "set", 6)
    changes = dict(word.split("=", 1) for word in QUICK[1::2])
    run = load_run(find_run_file("quickstart"), changes)
    found = in_memory(run, 6, joint_sigma=False, toys_per_block=4)
    del record["versions"], record["rates"]
    assert {key: found.record()[key] for key in record} == record
    assert as_csv(found.columns) == (workspace / "set" / "toys.csv").read_text(encoding="utf-8")
    assert "6 toys of no-zprime: p(chi2) = " in repr(found)
    assert sorted(path.name for path in workspace.iterdir()) == ["set"]


class Interrupting(Silent):
    """Interrupt when the second block is finished."""

    def update(self, fraction, note):  # noqa: ARG002 - of Progress
        if note == "8 toys":
            raise KeyboardInterrupt


@pytest.mark.usefixtures("light")
def test_a_set_that_was_interrupted_resumes(workspace):
    with pytest.raises(KeyboardInterrupt):
        draw(workspace / "set", 12, Interrupting())
    blocks = sorted(path.name for path in (workspace / "set").glob("block_*.csv"))
    assert blocks == ["block_00000.csv", "block_00001.csv"]
    draw(workspace / "set", 12)
    whole = (workspace / "set" / "toys.csv").read_bytes()
    # A damaged block is drawn again.
    (workspace / "set" / "block_00001.csv").write_text("toy,chi2\n1,", encoding="utf-8")
    draw(workspace / "set", 12)
    assert (workspace / "set" / "toys.csv").read_bytes() == whole


@pytest.mark.slow
def test_any_number_of_workers_draws_the_same_toys(accepted, workspace):
    accepted(*command("one", 100))
    accepted(*command("two", 100, "--workers", "2"))
    one, two = (workspace / name / "toys.csv" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.usefixtures("light")
def test_toys_of_something_else_are_not_continued(accepted, rejected, workspace):
    accepted(*command("set", 3))
    for change, words in (
        (("--seed", "7"), "seed was 2021 and is 7"),
        (("--hypothesis", "best-fit"), "hypothesis was 'no-zprime' and is"),
        (("--set", "likelihood.set=paper_2021_rb"), "run.likelihood.set"),
        (("--set", "priors.parameters.C_Ve=0"), "run.priors.parameters.C_Ve"),
    ):
        message = rejected(*command("set", 3, *change, *HERE))
        assert words in message
        assert "--force" in message
    accepted(*command("set", 3, "--seed", "7", "--force", *HERE))
    assert json.loads((workspace / "set" / "toys.json").read_text())["seed"] == 7
    other = workspace / "other"
    other.mkdir()
    (other / "toys.csv").write_text("mine", encoding="utf-8")
    assert "toys.csv" in rejected(*command("other", 10))


@pytest.mark.slow
@pytest.mark.usefixtures("light")
def test_a_nested_model_and_the_table_of_results(accepted, workspace):
    larger = (workspace / "larger.yaml").write_text
    text = (
        "model: effective\nlikelihood: paper_2021_cs\nseed: 3\nbest_fit: {starts: 30}\n"
        "priors: {use: effective, parameters: {C_nue: 0, C_Amu: 0, C_numu: 0%s}}\n"
    )
    larger(text % "", encoding="utf-8")
    (workspace / "smaller.yaml").write_text(text % ", C_Vmu: 0", encoding="utf-8")
    arguments = ("toys", "larger.yaml", "--n", 10, "--nested", "smaller.yaml", *HERE)
    printed = accepted(*arguments, "--hypothesis", "nested", "--json")
    result = json.loads(printed)
    rows = result["statistics"]
    assert set(rows) == {"chi2", "delta_chi2", "delta_chi2_nested", "joint_sigma"}
    # Without a coupling of the muon its moment remains 4.2 standard errors off.
    assert rows["delta_chi2_nested"]["observed"] == pytest.approx(17.5, abs=1)
    assert rows["delta_chi2_nested"]["naive_dof"] == 1
    assert rows["delta_chi2_nested"]["p_upper_limit"] == pytest.approx(1 - 0.05**0.1)
    folder = workspace / "output" / "toys_larger"
    assert {"toys.json", "toys.csv", "toys.png", "toys.pdf"} <= {p.name for p in folder.iterdir()}
    shown = accepted(*arguments, "--hypothesis", "nested")
    assert "Delta chi2 of effective" in shown
    assert "< 0.26 (95 %)" in shown


@pytest.mark.usefixtures("light")
def test_without_anomalies_toys_have_no_joint_sigma(accepted):
    drop = ("--set", "likelihood.drop=[a_e_cs_2018,a_mu_2021]")
    result = accepted("toys", "quickstart", *QUICK, *HERE, "--n", 3, *drop, "--json")
    assert set(json.loads(result)["statistics"]) == {"chi2", "delta_chi2"}


def test_progress_is_told_now_and_then(capsys, monkeypatch):
    lines = ToyLines()
    now = time.monotonic()
    monkeypatch.setattr("zpfit.cli.progress.time.monotonic", lambda: now)
    for seconds in (1, 11, 12, 22):
        monkeypatch.setattr("zpfit.cli.progress.time.monotonic", lambda s=seconds: now + s)
        lines.update(seconds / 100, f"{seconds} toys")
    assert "11 %, 11 toys" in (said := capsys.readouterr().err)
    assert "22 %, 22 toys" in said
    assert "12 toys" not in said


@pytest.mark.usefixtures("light")
def test_bad_input(invoke, rejected, workspace):
    for number in ("0", "-3", "many"):
        result = invoke("toys", "quickstart", "--n", number)
        assert result.exit_code == 2
        assert "--n" in result.stderr
    assert "smaller model" in rejected(*command("a", 10, "--hypothesis", "nested"))
    other = rejected("toys", "quickstart", "--n", 5, "--nested", "sm_u1_rb")
    assert "likelihood is not that of" in other
    assert "smaller model" in other
    larger = rejected("toys", "sm_u1_cs", "--n", 5, "--nested", "quickstart")
    assert "not fewer" in larger
    (workspace / "file").write_text("", encoding="utf-8")
    assert "cannot be written" in rejected(*command("file/inside", 10))
    entries = workspace / "likelihoods" / "entries"
    entries.mkdir(parents=True)
    (entries / "my_table.yaml").write_text(TABLE, encoding="utf-8")
    (entries / "table.csv").write_text("# mine\nvalue,chi2\n0,4\n0.3,0\n1,6\n", encoding="utf-8")
    message = rejected(*command("a", 10, "--set", "likelihood.add=[my_table]"))
    assert "'my_table' is a table of chi2" in message
    assert not (workspace / "a").exists()


def test_the_figure_draws_infinite_and_missing_values():
    rng = np.random.default_rng(1)
    toys = {"chi2": rng.chisquare(2, 50), "joint_sigma": np.append(np.zeros(40), [np.inf] * 10)}
    rows = {
        name: {
            "observed": observed,
            "p_value": 0.5,
            "p_upper_limit": None,
            "naive_dof": dof,
            "naive_p_value": 0.3,
        }
        for name, observed, dof in (("chi2", 3.0, 2), ("joint_sigma", None, None))
    }
    record = {"statistics": rows, "title": "toy", "toys": 50, "hypothesis": "best-fit"}
    figure = toys_figure(record, toys)
    titles = [axes.get_title() for axes in figure.axes]
    assert "naive $p$ = 0.3, 2 dof" in titles[0]
    assert "10 toys without any" in titles[1]


@pytest.mark.usefixtures("light")
def test_as_many_toys_are_computed_as_are_asked_for(workspace):
    record, toys = draw(workspace / "set", 5)
    rows = [len(path.read_text().splitlines()) - 1 for path in workspace.glob("set/block_*.csv")]
    assert sorted(rows) == [1, 4]
    assert record["toys"] == record["rates"]["computed_now"] == len(toys) == 5
