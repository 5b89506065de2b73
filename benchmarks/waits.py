"""Measure how long a person waits for the commands that matter most, and compare with kept times.

Run as ``python benchmarks/waits.py [--rounds N] [--only NAME ...] [--keep] [--page FILE]``. Each
command runs N times in an empty folder, after a first time that fills the caches. A time is divided
by that of a fixed calculation on the same machine, so that kept ratios hold on another one. The
script exits with an error if a command is slower than its kept ratio by more than a fifth.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from kept import keep, kept_ratios, slower
from marked_pages import write_tables

PAPER = ("quickstart", "sm_u1_cs", "nhdm_u1_cs", "froggatt_nielsen_cs")
TODAY = ("effective_today_cs", "sm_u1_today_cs", "nhdm_u1_today_cs", "froggatt_nielsen_today_cs")
COMMANDS = {
    "quickstart": ("run", "quickstart", "--output", "quickstart", "--force"),
    "fit today": ("run", "sm_u1_today_cs", "--output", "today", "--force"),
    "compare paper": ("compare", *PAPER),
    "compare today": ("compare", *TODAY),
    "paper": ("paper", "--output", "paper", "--force"),
    "epochs": ("epochs", "--output", "epochs", "--force"),
}
"""Arguments of zpfit by the name of the measurement."""
GOALS = {"quickstart": 6.0, "compare paper": 15.0, "paper": 20.0, "epochs": 90.0}
"""Largest waits in seconds on two quiet cores."""
LONG = ("epochs",)
"""Commands that run once and only if they are asked for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, metavar="NAME")
    parser.add_argument("--keep", action="store_true", help="Keep the ratios that are measured.")
    parser.add_argument("--page", type=Path, help="Page whose table is replaced.")
    arguments = parser.parse_args()
    names = arguments.only or [name for name in COMMANDS if name not in LONG]
    waits = {name: wait(COMMANDS[name], 1 if name in LONG else arguments.rounds) for name in names}
    unit = yardstick()
    ratios = {name: seconds / unit for name, seconds in waits.items()}
    lines = table(waits, ratios, kept_ratios("waits"))
    print("\n".join(lines))
    if arguments.page is not None:
        write_tables(arguments.page, "waits", lines)
    lines = slower("waits", ratios)
    if arguments.keep:
        keep("waits", ratios)
    if lines:
        sys.exit("\n".join(lines))


def wait(arguments: Sequence[str], rounds: int) -> float:
    """Return the median wall time of a command in seconds."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds + (rounds > 1)):
            start = perf_counter()
            command = [sys.executable, "-m", "zpfit", *arguments]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603
            times.append(perf_counter() - start)
    return median(times[1:] or times)


def yardstick() -> float:
    """Return the shortest of several times in seconds of a calculation in Python and NumPy.

    Its arrays are small: the memory of large ones may be returned to the system each time, which
    takes three times as long in one process and not in another.
    """
    u = np.random.default_rng(1).random((500, 8))
    times = []
    for _ in range(15):
        start = perf_counter()
        for _ in range(12_000):
            np.sqrt(u * u + 1).sum()
        sum(index % 7 for index in range(2_000_000))
        times.append(perf_counter() - start)
    return min(times)  # other load may last longer than the median


def table(waits: dict[str, float], ratios: dict[str, float], kept: dict[str, float]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = ["| command | seconds | goal | ratio | kept ratio |", "|---|---:|---:|---:|---:|"]
    for name, seconds in waits.items():
        goal = f"{GOALS[name]:g}" if name in GOALS else "-"
        before = f"{kept[name]:.1f}" if name in kept else "-"
        lines.append(f"| {name} | {seconds:.1f} | {goal} | {ratios[name]:.1f} | {before} |")
    return lines


if __name__ == "__main__":
    main()
