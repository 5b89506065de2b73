"""Test JSON of every command, quiet and log modes, the live view, completion and helpful errors."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result
from rich.console import Console

from zpfit.cli import cli
from zpfit.cli.messages import Messages, keep_log
from zpfit.cli.progress import LiveStages, LiveView, RunReporter, StageLines, TimeLeft

pytestmark = pytest.mark.usefixtures("quick_fits")

Command = Callable[..., str]


# JSON


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("list models", "effective"),
        ("list likelihoods", "paper_2021_cs"),
        ("list campaigns", "classes_today"),
        ("show nhdm_u1", "tan_beta"),
        ("show a_mu_2021", "2.51e-09"),
        ("show classes_today", "campaign"),
        ("validate quickstart", "na64_2020"),
        ("cite quickstart", "Bodas:2021fsy"),
        ("campaign classes_today --plan", "sm_u1"),
        ("data check", "problems"),
    ],
)
def test_json(accepted: Command, command: str, expected: str):
    printed = accepted(*command.split(), "--json")
    json.loads(printed)
    assert expected in printed


def test_json_of_a_run_is_its_summary(accepted: Command, small_run: Path, workspace: Path):
    shutil.copytree(small_run, workspace / "run")
    printed = json.loads(accepted("run", "run", "--output", "run", "--resume", "--json"))
    summary = json.loads((workspace / "run" / "summary.json").read_text(encoding="utf-8"))
    assert printed == {"folder": "run", **summary}
    drawn = json.loads(accepted("plot", "run", "--json"))
    assert drawn["folder"] == "run"
    assert str(Path("run") / "corner.png") in drawn["files"]


def test_json_of_broken_data_has_the_problems(invoke: Callable[..., Result], workspace: Path):
    entries = workspace / "likelihoods" / "entries"
    entries.mkdir(parents=True)
    (entries / "bad.yaml").write_text("type: gaussian\n", encoding="utf-8")
    result = invoke("data", "check", "--json")
    assert result.exit_code == 2
    assert any("bad.yaml" in problem for problem in json.loads(result.stdout)["problems"])


def test_infinite_numbers_of_a_file_are_text(accepted: Command, workspace: Path):
    (workspace / "runs").mkdir()
    (workspace / "runs" / "odd.yaml").write_text("title: x\nseed: .inf\n", encoding="utf-8")
    [shown] = json.loads(accepted("show", "odd", "--json"))
    assert shown["content"]["seed"] == "inf"


def test_cite_has_one_form_at_a_time(rejected: Command):
    assert "drop them" in rejected("cite", "quickstart", "--json", "--bibtex")


# Quiet and log


@pytest.fixture
def finished(small_run: Path, workspace: Path) -> Path:
    """Copy a finished run; the command line reports that there is nothing to do."""
    shutil.copytree(small_run, workspace / "run")
    return workspace / "run"


FINISHED = ["run", "run", "--output", "run", "--resume"]


def test_quiet_prints_results_only(invoke: Callable[..., Result], finished: Path):
    loud, quiet = invoke(*FINISHED), invoke("-q", *FINISHED)
    assert "Nothing to do" in loud.stderr
    assert quiet.stderr == ""
    assert quiet.stdout == loud.stdout != ""


@pytest.mark.parametrize("quiet", [False, True])
def test_stages_are_told_unless_quiet(capsys: pytest.CaptureFixture[str], *, quiet: bool):
    with click.Context(cli, obj=Messages(quiet=quiet)):
        lines = StageLines()
    lines.stage("Searching")
    lines.note("mind this")
    told = capsys.readouterr().err
    assert ("Searching" in told) is ("mind this" in told) is not quiet


def test_a_quiet_run_fills_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with click.Context(cli, obj=Messages(quiet=True)):
        reporter = RunReporter(tmp_path / "log.txt")
    with reporter:
        reporter.stage("Sampling the posterior")
        reporter.update(0.5, "halfway")
    assert "halfway" in (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""


def test_quiet_prints_errors(rejected: Command):
    assert "did you mean 'quickstart'" in rejected("--quiet", "run", "quikstart")


def test_a_log_holds_messages_and_errors(
    invoke: Callable[..., Result], finished: Path, workspace: Path
):
    log = workspace / "my.log"
    invoke("--log", log, *FINISHED)
    invoke("--log", log, "run", "quikstart")
    lines = log.read_text(encoding="utf-8").splitlines()
    assert "INFO    Nothing to do" in lines[0]
    assert "ERROR   unknown run 'quikstart'" in lines[-1]
    assert len(lines) == 2


def test_a_log_has_levels(invoke: Callable[..., Result], finished: Path, workspace: Path):
    log = workspace / "my.log"
    invoke("--log", log, "--log-level", "error", *FINISHED)
    assert log.read_text(encoding="utf-8") == ""
    context = click.Context(cli)
    with context:
        keep_log(context, log, "debug")
        StageLines().update(0.5, "halfway")
    assert "DEBUG   halfway" in log.read_text(encoding="utf-8")


def test_a_log_that_cannot_be_written(rejected: Command):
    assert "choose another file" in rejected("--log", "no/where/a.log", "list", "runs")


def test_long_stages_are_told_at_intervals_and_at_their_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Lines on a console without a live table, and the same lines in a log."""
    seconds = iter([0.0, 0.0, 1.0, 3.1, 3.2, 3.3])
    monkeypatch.setattr("zpfit.cli.progress.time.monotonic", lambda: next(seconds))
    context, log = click.Context(cli, obj=Messages()), tmp_path / "a.log"
    with context:
        keep_log(context, log, "info")
        with LiveStages() as lines:
            lines.stage("Dividing boxes")
            for fraction, note in ((0.1, "early"), (0.2, "due"), (0.3, "soon"), (1.0, "end")):
                lines.update(fraction, note)
    told = capsys.readouterr().err
    assert told.splitlines() == ["Dividing boxes", "  due", "  end"]
    logged = [line.split("INFO")[1].strip() for line in log.read_text("utf-8").splitlines()]
    assert logged == ["Dividing boxes", "due", "end"]


def test_a_terminal_shows_long_stages_in_a_live_table(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, height=50)
    monkeypatch.setattr(Messages, "console", lambda _: console)
    with LiveStages() as lines:
        for level in range(20):
            lines.stage(f"Level {level}")
            lines.update(0.5, f"{level} boxes")
        lines.note("mind this")
    told = screen.getvalue()
    last_frame = told[told.rindex("Level 8 ") :]
    assert all(f"{level} boxes" in last_frame for level in range(8, 20))
    assert "Level 7" not in last_frame
    assert "mind this" in told


def test_certify_tells_its_phases(invoke: Callable[..., Result], workspace: Path):
    log = workspace / "my.log"
    told = invoke("--log", log, "certify", "paper_sm_u1", "--sigma", "4").stderr
    logged = log.read_text(encoding="utf-8")
    phases = (
        "Enclosing 4096 cells of mass", "Dividing at 4 sigma", "4 sigma not excluded after",
        "Compiling the likelihood", "Searching near open boxes",
    )  # fmt: skip
    for phase in phases:
        assert phase in told
        assert phase in logged
    assert [told.index(phase) for phase in phases] == sorted(map(told.index, phases))


# The live view


def test_a_stage_is_not_done_before_it_ends():
    view = LiveView(Console(file=io.StringIO(), force_terminal=True, width=100))
    view.stage("Integrating")
    view.update(1.0, "ln Z is known, but not all is")
    [task] = view.tasks
    assert not task.finished
    view.complete()
    assert task.finished


def test_time_left_counts_from_the_first_report():
    """A resumed run begins with much of its work done."""
    view = LiveView(Console(file=io.StringIO(), force_terminal=True, width=100))
    view.stage("Integrating")
    view.update(0.8, "as before")
    assert str(TimeLeft().render(view.tasks[0])) == ""
    view.update(0.9, "a tenth later")
    [task] = view.tasks
    task.start_time -= 3600  # as if that tenth had taken an hour, so that the rest takes another
    assert str(TimeLeft().render(task)) in {"0:59:59 left", "1:00:00 left", "1:00:01 left"}
