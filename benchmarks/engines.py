"""Compare zpfit's engine with nautilus, UltraNest and dynesty where ln Z is known.

Run as ``python benchmarks/engines.py [--quick] [--json FILE] [--page FILE]`` after
``pip install '.[benchmark]'``. Each engine may evaluate ln L the same number of times; zpfit's
defaults, which need more, are measured beside it. ``--only`` and ``--engines`` measure a part, and
the rest of FILE stays. The script prints which results are wrong although the engine is sure.
"""

import os

# Set these before the import of NumPy and numba, which read them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import hypot, inf
from pathlib import Path
from statistics import median

from engine_problems import DRAWS, QUICK, TRIALS, Trial
from engine_runs import ENGINES, Found, Limits, Run, measured, size_of
from likelihood import cpu_model
from marked_pages import write_tables

BUDGET, QUICK_BUDGET = 200_000, 100_000
"""Evaluations of ln L."""
CPU = 20.0
"""CPU seconds after which a run is stopped."""
LONG = 12.0
"""CPU seconds of a run after which an engine is not run with further seeds."""
SEEDS = 3
FAR = 4.0
"""Largest distance from the known ln Z, in stated errors, that counts as right."""
PACKAGES = ("zpfit", "vegas", "nautilus-sampler", "ultranest", "dynesty", "numpy", "numba")


@dataclass(frozen=True)
class Row:
    """Results of one engine on one problem."""

    problem: str
    engine: str
    log_z: float
    """Known ln Z."""
    log_z_error: float
    size: int
    """Live points, or ``vegas.max_evaluations``, that the budget allows; 0 for defaults."""
    runs: tuple[Run, ...]

    @property
    def differences(self) -> list[float | None]:
        """Difference from the known ln Z in each run."""
        return [None if r.found.log_z is None else r.found.log_z - self.log_z for r in self.runs]

    @property
    def pulls(self) -> list[float]:
        """Differences in stated errors, of runs that have a value."""
        return [
            difference / hypot(run.found.error or 0.0, self.log_z_error)
            for run, difference in zip(self.runs, self.differences, strict=True)
            if difference is not None
        ]

    @property
    def sure(self) -> int:
        """Number of runs that say that they have finished well."""
        return sum(run.found.sure for run in self.runs)

    @property
    def wrong(self) -> list[float]:
        """Differences of the runs that are sure and wrong."""
        return [
            run.found.log_z - self.log_z
            for run in self.runs
            if run.found.sure
            and run.found.log_z is not None
            and abs(run.found.log_z - self.log_z)
            > FAR * hypot(run.found.error or 0.0, self.log_z_error)
        ]


def compare(trial: Trial, engines: Sequence[str], seeds: int, limits: Limits) -> Iterator[Row]:
    """Run engines on a problem with several seeds; once if a run takes long."""
    for name in engines:
        engine = ENGINES[name]
        own = limits if engine.limited else Limits(inf, limits.cpu)
        size = size_of(engine, trial.task, limits)
        runs: list[Run] = []
        while len(runs) < seeds and all(run.cpu < LONG for run in runs):
            runs.append(measured(engine.run, trial.task, len(runs), own, size))
        yield Row(trial.name, name, trial.log_z, trial.log_z_error, size, tuple(runs))


# Output


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = [
        "| problem | engine | off by (ln Z) | stated error | evaluations | CPU s | ln L s | sure |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    before = ""
    for row in rows:
        lines.append(f"| {row.problem if row.problem != before else ''} {line(row)}")
        before = row.problem
    return lines


def line(row: Row) -> str:
    """Return the cells of a row after its problem."""
    off = ", ".join("none" if d is None else f"{d:+.3f}" for d in row.differences)
    errors = [run.found.error for run in row.runs if run.found.error is not None]
    error = f"{median(errors):.3f}" if errors else "-"
    mark = " **wrong**" if row.wrong else ""
    return (
        f"| {row.engine} | {off}{mark} | {error} | "
        f"{median(run.evaluations for run in row.runs):,.0f} | "
        f"{median(run.cpu for run in row.runs):.1f} | "
        f"{median(run.cpu_likelihood for run in row.runs):.1f} | {row.sure} of {len(row.runs)} |"
    )


def as_row(data: dict[str, object]) -> Row:
    """Return a row from JSON."""
    runs = tuple(Run(**run | {"found": Found(**run["found"])}) for run in data["runs"])
    return Row(**data | {"runs": runs})


def environment() -> dict[str, str]:
    """Return versions and processor."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **packages, "cpu": cpu_model()}


def in_order(rows: dict[str, dict[str, Row]]) -> list[Row]:
    """Return all rows in the order of problems and engines."""
    return [
        rows[problem][engine]
        for problem in TRIALS
        for engine in ENGINES
        if engine in rows.get(problem, {})
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three problems, one seed")
    parser.add_argument("--only", nargs="*", choices=TRIALS, metavar="PROBLEM")
    parser.add_argument("--engines", nargs="*", choices=ENGINES, metavar="ENGINE")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--json", type=Path, help="file of all numbers; other problems stay")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    limits = Limits(QUICK_BUDGET if options.quick else BUDGET, CPU)
    names = options.only if options.only is not None else QUICK if options.quick else TRIALS
    seeds, draws = (1, DRAWS // 10) if options.quick else (options.seeds, DRAWS)
    kept: dict[str, dict[str, Row]] = {}
    if options.json is not None and options.json.exists():
        data = json.loads(options.json.read_text(encoding="utf-8"))["rows"]
        kept = {
            name: {engine: as_row(row) for engine, row in of_engines.items()}
            for name, of_engines in data.items()
        }
    for name in names:
        for row in compare(TRIALS[name](draws), options.engines or list(ENGINES), seeds, limits):
            print(f"| {row.problem} {line(row)}", flush=True)
            kept.setdefault(name, {})[row.engine] = row
            if options.json is not None:
                write_json(options.json, kept, limits)
    rows = in_order(kept)
    print("\n".join(["", *table(rows)]))
    for row in rows:
        if row.wrong:
            off = ", ".join(f"{difference:+.3f}" for difference in row.wrong)
            print(f"wrong although sure: {row.engine}, {row.problem}: off by {off}")
    if options.page is not None:
        write_tables(options.page, "engines", table(rows))


def write_json(path: Path, rows: dict[str, dict[str, Row]], limits: Limits) -> None:
    """Write all results so far."""
    data = {
        "environment": environment(),
        "limits": asdict(limits),
        "rows": {
            name: {engine: asdict(row) for engine, row in of_engines.items()}
            for name, of_engines in rows.items()
        },
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
