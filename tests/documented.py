"""Blocks of the documentation, and the commands and files in them."""

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_FILE_NAME = re.compile(r"# (?P<name>[\w./-]+\.(?:yaml|py|lmt|csv|sh))")
_PROGRAM = re.compile(r"^(?:\.venv/bin/)?zpfit ")
_EVALUATED = re.compile(r'eval "\$\((?P<command>.*)\)"')


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file_name(self) -> str | None:
        """Name of the file in the block's first line, such as ``# runs/mine.yaml``, or None."""
        found = _FILE_NAME.fullmatch(self.text.partition("\n")[0])
        return found["name"] if found else None

    @property
    def commands(self) -> list[str]:
        """Lines of a console, with continued lines joined."""
        joined = re.sub(r" *\\\n *", " ", self.text)
        return [line.strip() for line in joined.splitlines() if line.strip()]


def blocks_of(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    return [
        Block(
            page=str(page.relative_to(ROOT)),
            line=content.count("\n", 0, found.start()) + 1,
            language=found["language"].strip(),
            text=textwrap.dedent(found["text"]),
        )
        for found in _FENCE.finditer(content)
    ]


def arguments_of(command: str) -> list[str] | None:
    """Return the arguments of a zpfit command without comment or redirection; None for another
    program."""
    command = re.sub(r"\s+#.*$|\s+>\s+\S+", "", command)
    evaluated = _EVALUATED.fullmatch(command.strip())
    command = evaluated["command"] if evaluated else command
    found = _PROGRAM.match(command)
    return shlex.split(command[found.end() :]) if found else None


def prose_of(page: Path) -> str:
    """Return the page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
