"""JSON of every command, quiet and log modes, the live view, completion, and helpful errors."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import Result
from rich.console import Console

from zpfit.cli import cli
from zpfit.live_view import LiveView
from zpfit.messages import Messages, keep_log
from zpfit.terminal import RunReporter, StageLines

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
    assert "corner.png" in drawn["files"]


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
    """A copy of a finished run, of which the command line says that there is nothing to do."""
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


# The live view


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_view_tells_everything(width: int):
    console = terminal(width)
    view = LiveView(console)
    view.start()
    view.update(0.5, "before any stage")
    view.stage("Sampling the posterior")
    view.update(0.5, "1,000 effective samples, acceptance 0.33")
    view.note("[red]mind this[/red]")
    view.complete()
    view.stage("Searching the best fit")
    view.stop()
    shown = console.file.getvalue()
    assert "[red]mind this[/red]" in shown
    for words in ("Sampling the posterior", "1,000", "samples", "0.33", "Searching the best fit"):
        assert words in shown
    rows = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).splitlines()
    assert max(map(len, rows)) <= width
    assert "before any stage" not in shown


def test_a_run_on_a_terminal_has_a_live_view(
    small_run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    console = terminal(120)
    monkeypatch.setattr(Messages, "console", lambda _: console)
    with RunReporter(tmp_path / "log.txt") as reporter:
        reporter.stage("Integrating the evidence")
        reporter.update(1.0, "ln Z -9.420 +- 0.0020")
    assert "ln Z -9.420 +- 0.0020" in console.file.getvalue()
    assert "ln Z -9.420" in (tmp_path / "log.txt").read_text(encoding="utf-8")


# Completion


def offered(words: str, incomplete: str = "") -> list[str]:
    complete = ShellComplete(cli, {}, "zpfit", "_ZPFIT_COMPLETE")
    return [item.value for item in complete.get_completions(words.split(), incomplete)]


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ("", "ex", ["exclusion", "explore", "export"]),
        ("run", "quick", ["quickstart"]),
        ("validate", "sm_u1_cs", ["sm_u1_cs"]),
        ("exclusion", "paper_fig2a", ["paper_fig2a"]),
        ("campaign", "classes", ["classes_today"]),
        ("evaluate --likelihood", "today_c", ["today_cs", "today_cs_wp2020"]),
        ("evaluate --model", "eff", ["effective"]),
        ("show", "texono", ["texono_2010"]),
        ("schema", "sl", ["slice"]),
        ("export quickstart --to", "get", ["getdist"]),
        ("list", "mo", ["models"]),
        ("run quickstart", "--chec", ["--checkpoint-every"]),
    ],
)
def test_names_are_completed(workspace: Path, words: str, incomplete: str, expected: list[str]):
    assert [name for name in offered(words, incomplete) if name != incomplete or name in expected][
        : len(expected)
    ] == expected


def test_own_files_are_completed(workspace: Path):
    (workspace / "runs").mkdir()
    (workspace / "runs" / "mine.yaml").write_text("", encoding="utf-8")
    assert "mine" in offered("run", "mi")


@pytest.mark.parametrize(
    ("shell", "instruction", "environment", "expected"),
    [
        (
            "bash",
            "bash_complete",
            {"COMP_WORDS": "zpfit run quick", "COMP_CWORD": "2"},
            "plain,quickstart",
        ),
        ("zsh", "zsh_complete", {"COMP_WORDS": "zpfit plo", "COMP_CWORD": "1"}, "plot"),
        ("fish", "fish_complete", {"COMP_WORDS": "zpfit plo", "COMP_CWORD": "plo"}, "plot"),
    ],
)
def test_shells_are_answered(
    shell: str, instruction: str, environment: dict[str, str], expected: str
):
    snippet = "import sys; sys.argv = ['zpfit']; from zpfit.cli import main; main()"
    given = os.environ | environment | {"_ZPFIT_COMPLETE": instruction}
    done = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=False, env=given
    )
    assert expected in done.stdout, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_protocol(
    accepted: Command, monkeypatch: pytest.MonkeyPatch, shell: str
):
    monkeypatch.setattr(
        "click.shell_completion.BashComplete._check_version", staticmethod(lambda: None)
    )
    script = accepted("completion", shell)
    assert f"_ZPFIT_COMPLETE={shell}_complete" in script


# Errors that teach


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("rn quickstart", "Did you mean 'run'"),
        ("run --ouput x quickstart", "Did you mean '--output'"),
        ("run quikstart", "did you mean 'quickstart'"),
        ("show efective", "did you mean 'effective'"),
        ("validate quickstart --set modell=effective", "did you mean 'model'"),
        ("validate quickstart --set likelihood.set=paper_2021_sc", "did you mean 'paper_2021_cs'"),
        ("validate quickstart --set seed", "write NAME=VALUE"),
        ("plot nowhere", "no finished run here"),
        ("data chekc", "Did you mean 'check'"),
    ],
)
def test_mistakes_are_met_with_a_remedy(rejected: Command, words: str, remedy: str):
    assert remedy in rejected(*words.split())
