"""Measure how the cost of ln Z grows with parameters, terms, fits and workers.

Run as ``python benchmarks/scaling.py [--only PART ...] [--rounds N] [--fits N ...]``. Costs are CPU
seconds and points at which ln L is evaluated, until ln Z is known to 0.03. ``--json FILE`` keeps
the numbers of each part, ``--plot PNG`` draws all parts that FILE holds, and ``--page FILE``
replaces the tables of a page. The parts are ``known`` (likelihoods with known ln Z), ``effective``
(couplings of leptons and quarks), ``terms`` and ``fits`` (campaigns). ``engines.py`` compares
engines on problems at which products of histograms fail.
"""

import os

# Set these before the import of NumPy and numba, which read them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from math import inf
from pathlib import Path
from statistics import median

import calls_of_benchmarks as calls
import numpy as np
import psutil
from campaign import SMALLEST, campaign_of
from likelihood import cpu_model
from marked_pages import write_tables
from scaling_plot import Line, Panel, draw
from scaling_problems import (
    KINDS_OF_TERMS,
    KNOWN,
    Scaled,
    effective,
)

from zpfit.errors import FailedTasks, PoorProposal
from zpfit.inference.progress import Silent
from zpfit.inference.samplers import vegas
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.result import Evidence
from zpfit.io.arrays import FloatArray
from zpfit.runs.campaign_columns import run_in_columns
from zpfit.runs.executor_choice import ExecutorChoice, Kind
from zpfit.runs.workers import open_workers

ERROR = 0.03
"""Error of ln Z at which an integral stops."""
LIMIT = 4.0
"""Largest distance from a known ln Z, in stated errors, that counts as right."""
DIMENSIONS = (2, 4, 7, 12, 20)
COUPLINGS = (3, 5, 7, 10, 14, 20)
"""Numbers of parameters of the effective model."""
COPIES = (1, 2, 4, 8, 15)
"""Copies of the 13 terms of the paper's set."""
FITS = (10, 100, 1000, 10_000)
ALONE = 1000
"""Largest campaign that is also run by one worker."""
FAILURES = 2
"""Sizes at which a family of problems may fail before larger ones are left out."""
LONG = 3.0
"""CPU seconds of a size after which it is not repeated."""


@dataclass(frozen=True)
class Result:
    """One computation of ln Z, or one campaign."""

    cpu: float
    """CPU seconds."""
    evaluations: int = 0
    log_z: float | None = None
    """None if the engine gave up."""
    error: float | None = None
    converged: bool = True


@dataclass(frozen=True)
class Row:
    """Results of one size."""

    series: str
    size: int
    results: tuple[Result, ...]
    truth: float | None = None
    """Known ln Z."""
    wall: float | None = None
    """Wall seconds, for campaigns."""

    @property
    def cpu(self) -> float:
        """Median of the CPU seconds."""
        return median(result.cpu for result in self.results)

    @property
    def evaluations(self) -> float:
        """Median of the evaluations."""
        return median(result.evaluations for result in self.results)

    @property
    def error(self) -> float | None:
        """Median of the stated errors; None if the engine gave up."""
        errors = [result.error for result in self.results if result.error is not None]
        return median(errors) if errors else None

    @property
    def pulls(self) -> list[float]:
        """Distances from the known ln Z in stated errors."""
        truth = self.truth
        if truth is None:
            return []
        return [
            (r.log_z - truth) / r.error for r in self.results if r.log_z is not None and r.error
        ]

    @property
    def converged(self) -> int:
        """Number of the results that say that they are converged."""
        return sum(result.converged for result in self.results)

    @property
    def holds(self) -> bool:
        """True if all results are converged, and right where ln Z is known."""
        right = all(abs(pull) <= LIMIT for pull in self.pulls)
        return right and self.converged == len(self.results)


# Costs of ln Z


class Counted:
    """A likelihood that counts its points."""

    def __init__(self, task: SamplingTask) -> None:
        self._log_likelihood = task.log_likelihood
        self.points = 0
        self.task = replace(task, log_likelihood=self)

    def __call__(self, u: FloatArray) -> FloatArray:
        """Return ln L of a batch."""
        self.points += len(u)
        return self._log_likelihood(u)


def by_vegas(problem: Scaled, seed: int, options: vegas.VegasOptions) -> Result:
    """Measure vegas, with its peaks, until the error or the limit of evaluations is reached."""

    def run(task: SamplingTask, rng: np.random.Generator) -> tuple[Evidence, bool]:
        _, integral = vegas.adapt_and_integrate(task, options, rng)
        return integral.evidence, not integral.shortcomings

    return measured(problem, seed, run)


Integrator = Callable[[SamplingTask, np.random.Generator], tuple[Evidence, bool]]


def measured(problem: Scaled, seed: int, run: Integrator) -> Result:
    """Run an engine and measure it; formulas and programs are compiled before."""
    warm = np.random.default_rng(seed).random((100, problem.task.dimension))
    problem.task.log_likelihood(warm)
    if problem.task.residuals is not None:
        problem.task.residuals(warm, 1.0)
    counted = Counted(problem.task)
    started = time.process_time()
    try:
        evidence, converged = run(counted.task, np.random.default_rng(seed))
    except PoorProposal:
        return Result(time.process_time() - started, counted.points, converged=False)
    cpu = time.process_time() - started
    return Result(cpu, counted.points, evidence.log_z, evidence.error, converged)


def row_of(problem: Scaled, rounds: int) -> Row:
    """Measure vegas on a problem, with another seed in each round; once if it takes long."""
    options = vegas.VegasOptions(error=ERROR)
    results: list[Result] = []
    while len(results) < rounds and sum(result.cpu for result in results) < LONG:
        results.append(by_vegas(problem, len(results), options))
    return Row(problem.series, problem.size, tuple(results), problem.log_z)


def known(rounds: int) -> Iterator[Row]:
    """Measure problems with known ln Z; a family ends with the second size that fails."""
    for problem in KNOWN:
        failed = 0
        for d in DIMENSIONS:
            if failed < FAILURES:
                row = row_of(problem(d), rounds)
                failed += not row.holds
                yield row


def fits_of_couplings(rounds: int) -> Iterator[Row]:
    """Measure the effective model with more and more couplings."""
    for d in COUPLINGS:
        yield row_of(effective(d), rounds)


def terms(rounds: int) -> Iterator[Row]:
    """Measure a likelihood whose terms are repeated."""
    for problem in KINDS_OF_TERMS:
        for copies in COPIES:
            yield row_of(problem(copies), rounds)


# Campaigns


def campaigns(sizes: Sequence[int], _: int) -> Iterator[Row]:
    """Measure campaigns of small fits with one and two workers."""
    for workers in (1, 2):
        for size in sizes:
            if workers > 1 or size <= ALONE:
                yield campaign_row(size, workers)


def campaign_row(fits: int, workers: int) -> Row:
    """Measure the fits of a campaign in columns, without the start of the workers."""
    choice = ExecutorChoice(Kind.PROCESSES, workers)
    with tempfile.TemporaryDirectory() as scratch, open_workers(choice) as opened:
        list(opened.run(calls.warm, range(8 * workers)))
        campaign = campaign_of(fits, Path(scratch), SMALLEST)
        before, started = cpu_of_all(), time.perf_counter()
        record = run_in_columns(campaign, Path(scratch) / "out", opened, Silent())
        wall, cpu = time.perf_counter() - started, cpu_of_all() - before
    if record["failed"]:
        raise FailedTasks(record["failed"], fits)
    words = f"{workers} worker{'s' * (workers > 1)}"
    return Row(words, fits, (Result(cpu),), wall=wall)


def cpu_of_all() -> float:
    """Return the CPU seconds so far of this process and of those that it has started."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(t.user + t.system for t in times)


# Exponents and tables


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of ln cost over ln size."""
    slope = float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
    return round(slope, 2) + 0.0  # no negative zero


def slopes(rows: Sequence[Row]) -> str:
    """Return the exponents of the sizes that hold, in words; empty if there are too few."""
    good = [row for row in rows if row.holds]
    if len({row.size for row in good}) < 3:
        return ""
    sizes = [row.size for row in good]
    text = f"{exponent(sizes, [row.cpu for row in good]):.2f} (CPU)"
    if all(row.wall is None for row in good):
        text += f", {exponent(sizes, [row.evaluations for row in good]):.2f} (evaluations)"
    return f"{text}, sizes {min(sizes)} to {max(sizes)}"


def by_series(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each series."""
    ordered = sorted(rows, key=lambda row: [r.series for r in rows].index(row.series))
    return {name: list(group) for name, group in groupby(ordered, key=lambda row: row.series)}


def table(part: str, rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = _campaign_table(rows) if part == "fits" else _evidence_table(part, rows)
    found = {name: slopes(group) for name, group in by_series(rows).items()}
    words = [f"{name} {text}" for name, text in found.items() if text]
    return [*lines, "", f"Exponents: {'; '.join(words)}."] if words else lines


def _evidence_table(part: str, rows: Sequence[Row]) -> list[str]:
    size = "terms" if part == "terms" else "parameters"
    lines = [
        f"| {part} | {size} | CPU s | evaluations | stated error | off by (errors) | converged |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        error = "gave up" if row.error is None else f"{row.error:.3f}"
        pulls = ", ".join(f"{pull:+.1f}" for pull in row.pulls) or "-"
        lines.append(
            f"| {row.series} | {row.size} | {row.cpu:.2f} | {row.evaluations:,.0f} | {error} | "
            f"{pulls} | {row.converged} of {len(row.results)} |"
        )
    return lines


def _campaign_table(rows: Sequence[Row]) -> list[str]:
    lines = ["| fits | workers | CPU s | wall s | CPU ms a fit |", "|---:|---|---:|---:|---:|"]
    lines += [
        f"| {row.size:,} | {row.series} | {row.cpu:.1f} | {row.wall or inf:.1f} | "
        f"{1000 * row.cpu / row.size:.0f} |"
        for row in rows
    ]
    return lines


# Figure


def panels(rows: Mapping[str, Sequence[Row]]) -> list[Panel]:
    """Return CPU time and evaluations by parameters, and CPU time by terms and by fits."""
    of_size = [*rows.get("known", ()), *rows.get("effective", ())]
    terms, fits = rows.get("terms", ()), rows.get("fits", ())
    seconds = "CPU seconds"
    return [
        Panel("Parameters: time", "parameters", seconds, lines_of(of_size, lambda r: r.cpu)),
        Panel(
            "Parameters: evaluations",
            "parameters",
            "million evaluations of ln L",
            lines_of(of_size, lambda r: r.evaluations / 1e6),
        ),
        Panel("Terms", "terms", seconds, lines_of(terms, lambda r: r.cpu)),
        Panel("Campaigns", "fits", seconds, lines_of(fits, lambda r: r.cpu)),
    ]


def lines_of(rows: Sequence[Row], cost: Callable[[Row], float]) -> list[Line]:
    """Return a line for each series."""
    return [
        Line(
            name,
            [row.size for row in group],
            [cost(row) for row in group],
            [row.holds for row in group],
        )
        for name, group in by_series(rows).items()
    ]


# Files


def as_data(rows: Sequence[Row]) -> dict[str, object]:
    """Return a part as JSON allows, with the machine."""
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "rows": [asdict(row) for row in rows]}


def as_rows(data: dict[str, list[dict[str, object]]]) -> list[Row]:
    """Return the rows of a part from JSON."""
    return [
        Row(**values | {"results": tuple(Result(**result) for result in values["results"])})
        for values in data["rows"]
    ]


def parts_of(fits: Sequence[int]) -> dict[str, Callable[[int], Iterator[Row]]]:
    """Return the function of each part, which takes the number of rounds."""
    return {
        "known": known,
        "effective": fits_of_couplings,
        "terms": terms,
        "fits": partial(campaigns, fits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=parts_of(FITS), metavar="PART")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions, of which the median")
    parser.add_argument("--fits", type=int, nargs="+", default=FITS, help="sizes of campaigns")
    parser.add_argument("--json", type=Path, help="file of all numbers; other parts stay")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    parser.add_argument("--page", type=Path, help="page whose tables are replaced")
    options = parser.parse_args()
    parts = parts_of(options.fits)
    exists = options.json is not None and options.json.exists()
    kept = json.loads(options.json.read_text(encoding="utf-8")) if exists else {}
    for part in options.only if options.only is not None else parts:
        rows = []
        for row in parts[part](options.rounds):
            print(table(part, [row])[2], flush=True)
            rows.append(row)
        kept[part] = as_data(rows)
    lines: list[str] = []
    for part in (name for name in parts if name in kept):
        lines += [*table(part, as_rows(kept[part])), ""]
    print("\n".join(lines))
    if options.json is not None:
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if options.plot is not None:
        draw(options.plot, panels({part: as_rows(data) for part, data in kept.items()}))
    if options.page is not None:
        write_tables(options.page, "scaling", lines[:-1])


if __name__ == "__main__":
    main()
