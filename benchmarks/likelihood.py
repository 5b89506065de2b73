"""Measure the speed of the likelihood beside a hand-fused kernel and a loop over single points.

Run as ``python benchmarks/likelihood.py [--json FILE]``. It uses the set
``paper_2021_cs``, points drawn from the priors ``effective``, and one core. It exits with
an error if zpfit and the kernel disagree; the printed timings have no effect on the exit
code.
"""

import os

# Set these before the import of NumPy and numba, which read them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import gc
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numba
import numpy as np
from fused_kernel import fused_likelihood

from zpfit.inference.problem import resolve
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml
from zpfit.physics.couplings import Couplings

RUN = "{model: effective, likelihood: paper_2021_cs, priors: effective}"
BATCH_SIZES = (1, 16, 128, 1024, 16384)
SEED = 2021
POOL = 65536
"""Number of drawn points; so many that a branch predictor cannot learn them."""
MAX_CALLS = 2048
"""Largest number of calls in one timing."""
LOOP_POINTS = 1024
"""Number of single points in one timing of the loop."""
ROUNDS = 25
"""Number of timings of each contestant, in turn; the shortest counts, because noise only adds
time."""
TOLERANCE = 1e-9
"""Relative tolerance between zpfit and the kernel."""
GOAL_FRACTION = 0.5
"""Smallest accepted share of the kernel's throughput, at zpfit's best batch size."""
GOAL_ONE_POINT = 60.0
"""Largest accepted time of one allowed point, in microseconds."""

LogLikelihood = Callable[[Couplings], FloatArray]


@dataclass(frozen=True)
class Row:
    """Seconds per point at one batch size."""

    batch_size: int
    points: str
    """Kind of the points: all those of the prior, or only the allowed ones."""
    zpfit: float
    fused: float
    loop: float
    """zpfit with one point per call."""


@dataclass(frozen=True)
class Contestants:
    """Two implementations of the same likelihood."""

    zpfit: LogLikelihood
    fused: LogLikelihood


def main() -> None:
    """Check the agreement, measure the times, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    options = parser.parse_args()

    contestants, points = set_up()
    allowed = check_agreement(contestants, points)
    print_environment()
    print(f"{POOL} points from the prior, {len(allowed) / POOL:.1%} allowed")
    print(f"zpfit and the fused kernel agree to {TOLERANCE:g}\n")

    single = measure(contestants, allowed, "allowed", 1)
    rows = [measure(contestants, points, "prior", size) for size in BATCH_SIZES]
    print_table([single, *rows])
    results = headlines(single, rows)
    print_headlines(results)
    if options.json is not None:
        write_json(options.json, results, [single, *rows])


def set_up() -> tuple[Contestants, Couplings]:
    """Return the likelihood in both forms, and points from the prior."""
    run = resolve(parse_yaml(RUN, Path("benchmark")), Library.beside())
    u = np.random.default_rng(SEED).random((POOL, run.posterior.dimension))
    contestants = Contestants(
        run.assembled.likelihood.log_likelihood, fused_likelihood(run.assembled.entries)
    )
    return contestants, run.posterior.couplings(u)


def check_agreement(contestants: Contestants, points: Couplings) -> Couplings:
    """Return the allowed points; exit if the contestants differ anywhere."""
    ours, fused = contestants.zpfit(points), contestants.fused(points)
    allowed = ours > -np.inf
    different = np.flatnonzero(allowed != (fused > -np.inf))
    if len(different):
        sys.exit(f"zpfit and the fused kernel differ in what is excluded: points {different[:10]}")
    deviation = np.max(np.abs(fused[allowed] / ours[allowed] - 1))
    # This form of the comparison also fails for NaN.
    if not deviation <= TOLERANCE:
        sys.exit(f"zpfit and the fused kernel differ by {deviation:.2g} > {TOLERANCE:g}")
    return points.take(np.flatnonzero(allowed))


def measure(contestants: Contestants, points: Couplings, kind: str, batch_size: int) -> Row:
    """Time all contestants in turn, so that a busy period of the machine affects each of them."""
    batches = split(points, batch_size)
    singles = split(points, 1)[:LOOP_POINTS]
    runs = (
        (contestants.zpfit, batches),
        (contestants.fused, batches),
        (contestants.zpfit, singles),
    )
    shortest = [np.inf] * len(runs)
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        for index, (function, arguments) in enumerate(runs):
            shortest[index] = min(shortest[index], seconds_per_point(function, arguments))
    gc.enable()
    return Row(batch_size, kind, *shortest)


def split(points: Couplings, batch_size: int) -> list[Couplings]:
    """Return all whole batches, at most ``MAX_CALLS``."""
    n_batches = min(len(points) // batch_size, MAX_CALLS)
    starts = range(0, n_batches * batch_size, batch_size)
    return [points.take(slice(start, start + batch_size)) for start in starts]


def seconds_per_point(function: LogLikelihood, batches: Sequence[Couplings]) -> float:
    """Time one pass over the batches."""
    start = perf_counter()
    for batch in batches:
        function(batch)
    return (perf_counter() - start) / (len(batches) * len(batches[0]))


def headlines(single: Row, rows: Sequence[Row]) -> dict[str, float]:
    """Return the numbers that the goals refer to."""
    best = min(rows, key=lambda row: row.zpfit)
    return {
        "best_batch_size": best.batch_size,
        "best_points_per_second": 1 / best.zpfit,
        "best_fraction_of_fused": best.fused / best.zpfit,
        "one_point_microseconds": 1e6 * single.zpfit,
        "one_point_over_fused": single.zpfit / single.fused,
    }


def environment() -> dict[str, str]:
    """Return versions and processor."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "cpu": cpu_model(),
    }


def cpu_model() -> str:
    """Return the kernel's name of the processor, or the one that Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def print_environment() -> None:
    print(", ".join(f"{name} {value}" for name, value in environment().items()))


def print_table(rows: Sequence[Row]) -> None:
    print(
        f"{'batch':>6} {'points':>8} | {'zpfit':>9} {'us/call':>9} | {'fused':>9} {'us/call':>9} "
        f"{'zpfit/fused':>11} | {'loop':>8} {'zpfit/loop':>10}"
    )
    print(f"{'':>15} | {'points/s':>9} {'':>9} | {'points/s':>9} {'':>21} | {'points/s':>8}")
    for row in rows:
        microseconds = 1e6 * row.batch_size
        print(
            f"{row.batch_size:>6} {row.points:>8} "
            f"| {1 / row.zpfit:>9.3g} {row.zpfit * microseconds:>9.2f} "
            f"| {1 / row.fused:>9.3g} {row.fused * microseconds:>9.2f} "
            f"{row.fused / row.zpfit:>11.3f} "
            f"| {1 / row.loop:>8.3g} {row.loop / row.zpfit:>10.1f}"
        )


def print_headlines(results: dict[str, float]) -> None:
    fraction, one_point = results["best_fraction_of_fused"], results["one_point_microseconds"]
    print(
        f"\nBest throughput: {results['best_points_per_second']:.3g} points/s at batch size "
        f"{results['best_batch_size']}, {fraction:.2f} of the fused kernel's "
        f"(goal: at least {GOAL_FRACTION:g}, {verdict(met=fraction >= GOAL_FRACTION)})"
    )
    print(
        f"One allowed point: {one_point:.1f} us, {results['one_point_over_fused']:.0f} times the "
        f"fused kernel's call (goal: at most {GOAL_ONE_POINT:g} us, "
        f"{verdict(met=one_point <= GOAL_ONE_POINT)})"
    )


def verdict(*, met: bool) -> str:
    return "met" if met else "missed"


def write_json(path: Path, results: dict[str, float], rows: Sequence[Row]) -> None:
    """Return all results as JSON allows; times are in seconds per point unless the key differs."""
    data = {
        "environment": environment(),
        "headlines": results,
        "goals": {
            "best_fraction_of_fused": GOAL_FRACTION,
            "one_point_microseconds": GOAL_ONE_POINT,
        },
        "seconds_per_point": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
