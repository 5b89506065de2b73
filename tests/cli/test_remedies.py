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


PACKAGE = Path(zpfit.__file__).parent
COMMAND_LINES = PACKAGE / "pages" / "report" / "commands.py"
"""Reports show command lines, which are built here."""


def options_in_texts(path: Path) -> set[str]:
    """Return the options in the texts of a module, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in alone
    ]
    return {option for text in texts for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)}


def test_only_commands_name_options():
    outside = set(PACKAGE.rglob("*.py")) - set((PACKAGE / "cli").glob("*.py")) - {COMMAND_LINES}
    named = {path.name: found for path in outside if (found := options_in_texts(path))}
    assert named == {"errors.py": {"--nthreads"}}  # this is an option of Dask
    assert "--output" in options_in_texts(COMMAND_LINES)


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
