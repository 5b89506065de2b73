"""Messages name options of a command on the command line only."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import zpfit
from zpfit.cli.remedies import message_of
from zpfit.errors import (
    ModelsNotNested,
    OutsidePrior,
    PortInUse,
    RunFolderExists,
    Stopped,
    UnfinishedRun,
    UnwritablePath,
    ZpfitError,
)

FOLDER = Path("output/fit")


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (RunFolderExists(FOLDER), ["--output", "--force"]),
        (UnfinishedRun(FOLDER), ["--resume", "--force"]),
        (UnwritablePath(FOLDER, "no space"), ["--output"]),
        (ModelsNotNested(FOLDER, "it is not"), ["--nested output/fit: "]),
        (PortInUse("127.0.0.1", 80, "denied"), ["--port 80: "]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_command_line_adds_options(error: ZpfitError, options: list[str]):
    assert "--" not in str(error)
    message = message_of(error)
    assert str(error) in message
    assert all(option in message for option in options)


@pytest.mark.parametrize(
    ("command", "ending"), [("run", " (--resume)"), ("toys", " (without --force)"), ("paper", "")]
)
def test_a_stopped_command_says_how_it_is_resumed(command: str, ending: str):
    error = Stopped("SIGTERM", 15)
    assert message_of(error, command) == f"{error}{ending}"


def test_other_messages_stay_as_they_are():
    error = OutsidePrior("m_Zp", 500, "1 to 100")
    assert message_of(error) == str(error)


def test_exceptions_name_no_option():
    path = Path(zpfit.__file__).parent / "errors.py"
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = {option for text in texts for option in re.findall(r"(?<!\S)--[a-z]+", text)}
    assert named <= {"--nthreads"}  # this is an option of Dask


def test_commands_are_imported_when_they_are_called():
    script = (
        "import sys\n"
        "from zpfit.cli import cli\n"
        "cli(['schema', '--help'], standalone_mode=False)\n"
        "print('LOADED', sorted(n for n in sys.modules if n.startswith('zpfit.cli.')))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = process.stdout.splitlines()[-1]
    assert "zpfit.cli.export" in loaded
    assert not {"zpfit.cli.run", "zpfit.cli.data", "zpfit.cli.progress"} & set(loaded.split("'"))
