"""Measure the speed of the likelihood beside a hand-fused kernel and a loop over single points.

Run as ``python benchmarks/likelihood.py [--json FILE] [--keep]``. It uses the set
``paper_2021_cs``, points drawn from the priors ``effective``, and one core. The kernel takes
couplings, and so does ``log_likelihood_at``, while ``log_likelihood`` goes from the unit cube to
ln L, priors included. Goals refer to the latter unless they say otherwise. The script exits with
an error if zpfit and the kernel disagree, or if a ratio exceeds the kept one by more than a
fifth. Further rows time ln L and the residuals of searches for the set ``today_cs``, and for two
models ln L in one loop generated from the same steps (``benchmarks/generated_kernel.py``).
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
from typing import Any

import numba
import numpy as np
from fused_kernel import fused_likelihood
from generated_kernel import generated_likelihood
from kept import keep, slower

from zpfit.inference.posterior import Posterior
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
GOAL_FRACTION = 0.6
"""Smallest accepted share of the kernel's throughput, at zpfit's best batch size."""
GOAL_SMALL_FRACTION = 0.4
"""Smallest accepted share of the kernel's throughput in batches of 128 points."""
GOAL_ONE_POINT = 4.0
"""Largest accepted time of one allowed point over that of the kernel."""
TODAY = "today_cs"
TODAY_MODELS = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen")
GENERATED_MODELS = ("effective", "sm_u1")
"""Models whose loop is generated, without and with couplings of quarks; it compiles a minute."""
TODAY_SIZES = (1, 128, 1024, 16384)
TODAY_CALLS, TODAY_ROUNDS = 64, 9
WALL = 30.0
"""Steepness of the walls of hard exclusions, typical of a search."""

Function = Callable[[Any], FloatArray]


@dataclass(frozen=True)
class Row:
    """Seconds per point at one batch size."""

    batch_size: int
    points: str
    """Kind of the points: all those of the prior, or only the allowed ones."""
    zpfit: float
    couplings: float
    """zpfit from couplings on, without the priors."""
    fused: float
    loop: float
    """zpfit with one point per call."""


@dataclass(frozen=True)
class Contestants:
    """Two implementations of the same likelihood, and how to make their arguments from points."""

    posterior: Posterior
    """Takes points of the unit cube, so that its times include the priors."""
    fused: Callable[[Couplings], FloatArray]


@dataclass(frozen=True)
class TodayRow:
    """Seconds per point of the set ``today_cs``."""

    model: str
    batch_size: int
    points: str
    log_likelihood: float
    residuals: float
    generated: float | None
    """ln L in one generated loop."""


def main() -> None:
    """Check the agreement, measure the times, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    parser.add_argument("--keep", action="store_true", help="keep the ratios that are measured")
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
    today = [row for model in TODAY_MODELS for row in measure_today(model)]
    print_today(today)
    if options.json is not None:
        write_json(options.json, results, [single, *rows], today)
    ratios = ratios_to_keep(results, today)
    lines = slower("likelihood", ratios)
    if options.keep:
        keep("likelihood", ratios)
    if lines:
        sys.exit("\n".join(lines))


def ratios_to_keep(results: dict[str, float], today: Sequence[TodayRow]) -> dict[str, float]:
    """Return times over those of the reference, by name."""
    loops = {
        f"{row.model}, {row.batch_size} {row.points}": row.log_likelihood / row.generated
        for row in today
        if row.generated is not None
    }
    return loops | {
        "large batches, from couplings": 1 / results["best_fraction_of_fused"],
        "large batches, with priors": 1 / results["best_fraction_with_priors"],
        "128 points": 1 / results["fraction_of_fused_128"],
        "one allowed point": results["one_point_over_fused"],
    }


def set_up() -> tuple[Contestants, FloatArray]:
    """Return the likelihood in both forms, and points of the unit cube."""
    run = resolve(parse_yaml(RUN, Path("benchmark")), Library.beside())
    u = np.random.default_rng(SEED).random((POOL, run.posterior.dimension))
    return Contestants(run.posterior, fused_likelihood(run.assembled.entries)), u


def check_agreement(contestants: Contestants, points: FloatArray) -> FloatArray:
    """Return the allowed points; exit if the contestants differ anywhere."""
    posterior = contestants.posterior
    ours, fused = posterior.log_likelihood(points), contestants.fused(posterior.couplings(points))
    allowed = ours > -np.inf
    different = np.flatnonzero(allowed != (fused > -np.inf))
    if len(different):
        sys.exit(f"zpfit and the fused kernel differ in what is excluded: points {different[:10]}")
    deviation = np.max(np.abs(fused[allowed] / ours[allowed] - 1))
    # This form of the comparison also fails for NaN.
    if not deviation <= TOLERANCE:
        sys.exit(f"zpfit and the fused kernel differ by {deviation:.2g} > {TOLERANCE:g}")
    return points[allowed]


def measure(contestants: Contestants, points: FloatArray, kind: str, batch_size: int) -> Row:
    """Time all contestants."""
    batches = split(points, batch_size)
    singles = split(points, 1)[:LOOP_POINTS]
    posterior = contestants.posterior
    runs = (
        (posterior.log_likelihood, batches),
        # The parameters of the model "effective" are the couplings.
        (posterior.log_likelihood_at, [posterior.parameters(batch) for batch in batches]),
        (contestants.fused, [posterior.couplings(batch) for batch in batches]),
        (posterior.log_likelihood, singles),
    )
    *of_batches, of_one = shortest_times(runs, ROUNDS)
    return Row(batch_size, kind, *(time / batch_size for time in of_batches), of_one)


def measure_today(model: str) -> list[TodayRow]:
    """Time ln L and the residuals of searches with the data of today."""
    text = f"{{model: {model}, likelihood: {TODAY}, priors: {model}}}"
    posterior = resolve(parse_yaml(text, Path("benchmark")), Library.beside()).posterior
    points = np.random.default_rng(SEED).random((POOL, posterior.dimension))
    log_likelihood = posterior.log_likelihood(points)
    functions: list[Function] = [
        posterior.log_likelihood,
        lambda u: posterior.residuals(u, WALL),
    ]
    if model in GENERATED_MODELS:
        generated = generated_likelihood(posterior)
        check_generated(log_likelihood, generated(points))
        functions.append(generated)
    rows = []
    allowed = points[np.isfinite(log_likelihood)]
    for kind, some, size in [
        ("allowed", allowed, 1),
        *(("prior", points, size) for size in TODAY_SIZES),
    ]:
        batches = split(some, size)[:TODAY_CALLS]
        times = shortest_times([(function, batches) for function in functions], TODAY_ROUNDS)
        log_l, residuals, *loop = (time / size for time in times)
        rows.append(TodayRow(model, size, kind, log_l, residuals, loop[0] if loop else None))
    return rows


def check_generated(ours: FloatArray, theirs: FloatArray) -> None:
    """Exit if the generated loop differs anywhere."""
    allowed = ours > -np.inf
    same = np.allclose(theirs[allowed], ours[allowed], rtol=TOLERANCE, atol=0)
    if not (same and np.array_equal(allowed, theirs > -np.inf)):
        sys.exit(f"zpfit and the generated loop differ by more than {TOLERANCE:g}")


def shortest_times(runs: Sequence[tuple[Function, Sequence[Any]]], rounds: int) -> list[float]:
    """Return seconds per call; runs take turns, so that a busy machine affects all of them."""
    shortest = [np.inf] * len(runs)
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for index, (function, arguments) in enumerate(runs):
            shortest[index] = min(shortest[index], seconds_per_call(function, arguments))
    gc.enable()
    return shortest


def split(points: FloatArray, batch_size: int) -> list[FloatArray]:
    """Return all whole batches, at most ``MAX_CALLS``."""
    n_batches = min(len(points) // batch_size, MAX_CALLS)
    starts = range(0, n_batches * batch_size, batch_size)
    return [points[start : start + batch_size] for start in starts]


def seconds_per_call(function: Function, batches: Sequence[Any]) -> float:
    """Time one pass over the batches."""
    start = perf_counter()
    for batch in batches:
        function(batch)
    return (perf_counter() - start) / len(batches)


def headlines(single: Row, rows: Sequence[Row]) -> dict[str, float]:
    """Return the numbers that the goals refer to."""
    best = min(rows, key=lambda row: row.zpfit)
    return {
        "best_batch_size": best.batch_size,
        "best_points_per_second": 1 / best.zpfit,
        "best_fraction_of_fused": best.fused / best.couplings,
        "best_fraction_with_priors": best.fused / best.zpfit,
        "fraction_of_fused_128": fraction_at(rows, 128),
        "one_point_microseconds": 1e6 * single.zpfit,
        "one_point_over_fused": single.zpfit / single.fused,
    }


def fraction_at(rows: Sequence[Row], batch_size: int) -> float:
    """Return the share of the kernel's throughput at a batch size."""
    [row] = [row for row in rows if row.batch_size == batch_size]
    return row.fused / row.zpfit


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
        f"{'batch':>6} {'points':>8} | {'zpfit':>9} {'us/call':>9} | {'couplings':>9} | "
        f"{'fused':>9} {'us/call':>9} {'zpfit':>7} {'couplings':>9} | {'loop':>8} {'zpfit':>6}"
    )
    print(
        f"{'':>15} | {'points/s':>9} {'':>9} | {'points/s':>9} | {'points/s':>9} {'':>9} "
        f"{'/fused':>7} {'/fused':>9} | {'points/s':>8} {'/loop':>6}"
    )
    for row in rows:
        microseconds = 1e6 * row.batch_size
        print(
            f"{row.batch_size:>6} {row.points:>8} "
            f"| {1 / row.zpfit:>9.3g} {row.zpfit * microseconds:>9.2f} "
            f"| {1 / row.couplings:>9.3g} "
            f"| {1 / row.fused:>9.3g} {row.fused * microseconds:>9.2f} "
            f"{row.fused / row.zpfit:>7.3f} {row.fused / row.couplings:>9.3f} "
            f"| {1 / row.loop:>8.3g} {row.loop / row.zpfit:>6.1f}"
        )


def print_headlines(results: dict[str, float]) -> None:
    fraction, small = results["best_fraction_of_fused"], results["fraction_of_fused_128"]
    one_point = results["one_point_over_fused"]
    print(
        f"\nBest throughput: {results['best_points_per_second']:.3g} points/s at batch size "
        f"{results['best_batch_size']}. From couplings on, as the fused kernel counts, "
        f"{fraction:.2f} of its throughput "
        f"(goal: at least {GOAL_FRACTION:g}, {verdict(met=fraction >= GOAL_FRACTION)}); "
        f"priors included {results['best_fraction_with_priors']:.2f}"
    )
    print(
        f"Batches of 128: {small:.2f} of the fused kernel's throughput "
        f"(goal: at least {GOAL_SMALL_FRACTION:g}, {verdict(met=small >= GOAL_SMALL_FRACTION)})"
    )
    print(
        f"One allowed point: {results['one_point_microseconds']:.1f} us, {one_point:.1f} times the "
        f"fused kernel's call (goal: at most {GOAL_ONE_POINT:g}, "
        f"{verdict(met=one_point <= GOAL_ONE_POINT)})"
    )


def print_today(rows: Sequence[TodayRow]) -> None:
    print(f"\n{TODAY}, us per call; throughput of zpfit over that of one generated loop")
    print(
        f"{'model':<20} {'batch':>6} {'points':>8} {'ln L':>10} {'one loop':>10} "
        f"{'zpfit/loop':>10} {'residuals':>10}"
    )
    for row in rows:
        microseconds = 1e6 * row.batch_size
        loop = f"{'':>10} {'':>10}"
        if row.generated is not None:
            ratio = row.generated / row.log_likelihood
            loop = f"{row.generated * microseconds:>10.1f} {ratio:>10.3f}"
        print(
            f"{row.model:<20} {row.batch_size:>6} {row.points:>8} "
            f"{row.log_likelihood * microseconds:>10.1f} {loop} "
            f"{row.residuals * microseconds:>10.1f}"
        )


def verdict(*, met: bool) -> str:
    return "met" if met else "missed"


def write_json(
    path: Path, results: dict[str, float], rows: Sequence[Row], today: Sequence[TodayRow]
) -> None:
    """Return all results as JSON allows; times are in seconds per point unless the key differs."""
    data = {
        "environment": environment(),
        "headlines": results,
        "goals": {
            "best_fraction_of_fused": GOAL_FRACTION,
            "fraction_of_fused_128": GOAL_SMALL_FRACTION,
            "one_point_over_fused": GOAL_ONE_POINT,
        },
        "seconds_per_point": [asdict(row) for row in rows],
        "today": [asdict(row) for row in today],
    }
    path.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
