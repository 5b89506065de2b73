"""Compare output that a page shows with what the command above it prints; write it anew.

    python tests/printed.py docs/tutorial.md

runs the commands of a page, which may take minutes, and writes the numbers that they print into
the page. A line whose words have changed is reported, and has to be written by hand.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from documented import ROOT, Block, arguments_of, blocks_of

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_RELATIVE, _UNITS = 0.02, 2.0
"""Largest difference of numbers: a share, or so many units of the last digit that is shown.

On one machine numbers are equal to the last digit; sums of random draws differ between machines.
"""
WIDTH = 80
"""Columns of the terminal whose output pages show."""


@dataclass(frozen=True)
class Shown:
    """A block of output below the command that prints it."""

    command: str
    block: Block

    def lines(self) -> Iterator[str]:
        """Yield the lines to compare: not those that only stand for others, nor rules."""
        for line in self.block.text.splitlines():
            if line.strip() not in {"", "..."} and not set(line.strip()) <= {"─"}:
                yield line


def shown_on(page: Path) -> list[Shown]:
    """Return each block of text that follows a console, with the last command in it."""
    blocks, found = blocks_of(page), []
    for above, below in pairwise(blocks):
        end = above.line + above.text.count("\n") + 2
        adjacent = below.line - end <= 1
        if above.language == "console" and below.language == "text" and adjacent:
            found.append(Shown(above.commands[-1], below))
    return found


def _masked(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())


def counterpart(line: str, printed: list[str]) -> str | None:
    """Return the printed line with the same words, and the nearest numbers; None without one."""
    start = line.rstrip().removesuffix("...")
    cut = start != line.rstrip()
    wanted = _masked(start)
    same = [p for p in printed if (_masked(p).startswith(wanted) if cut else _masked(p) == wanted)]
    return min(same, key=lambda other: len(different(line, other)), default=None)


def different(line: str, printed: str) -> list[tuple[str, str]]:
    """Return the pairs of numbers that differ between a shown and a printed line."""
    pairs = zip(_NUMBER.findall(line), _NUMBER.findall(printed), strict=False)
    return [(a, b) for a, b in pairs if not _near(a, b)]


def _near(shown: str, printed: str) -> bool:
    a, b = (float(text.replace(",", "")) for text in (shown, printed))
    mantissa, _, exponent = shown.replace(",", "").partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return abs(a - b) <= max(_RELATIVE * abs(b), _UNITS * unit)


def problems_of(shown: Shown, printed: str) -> list[str]:
    """Return what a page shows and the command does not print."""
    lines, found = printed.splitlines(), []
    for line in shown.lines():
        other = counterpart(line, lines)
        if other is None:
            found.append(f"{shown.block.place}: no longer printed: {line.strip()}")
        elif different(line, other):
            found.append(f"{shown.block.place}: {line.strip()}\n  is now {other.strip()}")
    return found


def _renewed(line: str, printed: list[str]) -> str:
    other = counterpart(line, printed)
    if other is None or not different(line, other):
        return line
    if not line.rstrip().endswith("..."):
        return other.rstrip()
    numbers = iter(_NUMBER.findall(other))
    return _NUMBER.sub(lambda _: next(numbers), line)


def renew(page: Path, run: Callable[[str], str]) -> list[str]:
    """Write the numbers of all commands into a page; return what has to be written by hand."""
    left, shown = [], {item.command: item for item in shown_on(page)}
    commands = [line for b in blocks_of(page) if b.language == "console" for line in b.commands]
    for command in commands:
        if arguments_of(command) is None:
            continue
        printed = run(command)
        if command in shown:
            block = shown[command].block
            lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
            # Lines of the page, as those of the block have lost a common indent.
            for index in range(block.line, block.line + len(block.text.splitlines())):
                lines[index] = _renewed(lines[index].rstrip("\n"), printed.splitlines()) + "\n"
            page.write_text("".join(lines), encoding="utf-8")
            left += [p for p in problems_of(shown[command], printed) if "no longer" in p]
    return left


def _typed(command: str, folder: Path) -> str:
    environment = os.environ | {"COLUMNS": str(WIDTH), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "zpfit", *(arguments_of(command) or [])]
    done = subprocess.run(
        words, cwd=folder, env=environment, text=True, capture_output=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:]:
            left = renew(Path(name).resolve(), lambda command: _typed(command, Path(scratch)))
            sys.stdout.writelines(f"{problem}\n" for problem in left)
