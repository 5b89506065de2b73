"""Toys per second of one core, with and without the joint sigma, and against global searches.

Run with one thread: OMP_NUM_THREADS=1 python benchmarks/toys.py [--json FILE]
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from zpfit.analysis.toys.block import TOYS_PER_BLOCK
from zpfit.analysis.toys.joint_sigma import joint_sigmas
from zpfit.analysis.toys.pseudo_data import predictions, pseudo_data, search_rng
from zpfit.analysis.toys.refit import refit, solution_pool
from zpfit.inference.posterior import Posterior
from zpfit.inference.search.best_fit import find_minimum
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import find_run_file, load_run

RUNS = ("quickstart", "sm_u1_cs", "nhdm_u1_cs", "froggatt_nielsen_cs")
GOAL, GOAL_WITH_JOINT_SIGMA = 120.0, 40.0
"""Toys per second of one core: of the first run, and of every run with the joint sigma."""
BLOCKS = 3
SLOW_TOYS, SLOW_STARTS = 5, 2000
SEED = 1


@dataclass(frozen=True)
class Row:
    """Result of one run file; times are processor seconds."""

    run: str
    pool_points: int
    pool_seconds: float
    toys_per_second: float
    toys_per_second_with_joint_sigma: float
    slow_toys_per_second: float
    ratio: float
    """Ratio of the fast rate to the slow one, for the same toys in the same minute."""
    mean_difference: float
    """chi2 of the fast refit minus that of the global search."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    rows = [measure(name) for name in RUNS]
    for row in rows:
        print(
            f"{row.run}: {row.toys_per_second:.1f} toys/s, with joint sigma "
            f"{row.toys_per_second_with_joint_sigma:.1f}; global search "
            f"{row.slow_toys_per_second:.2f} toys/s, ratio {row.ratio:.0f}, mean difference in "
            f"chi2 {row.mean_difference:+.4f}; {row.pool_points} starts in {row.pool_seconds:.1f} s"
        )
    slowest = min(row.toys_per_second_with_joint_sigma for row in rows)
    for name, found, goal in (
        (f"toys/s of {RUNS[0]}", rows[0].toys_per_second, GOAL),
        ("toys/s with joint sigma, slowest run", slowest, GOAL_WITH_JOINT_SIGMA),
    ):
        verdict = "met" if found >= goal else "missed"
        print(f"{name}: {found:.1f} (goal: at least {goal:g}, {verdict})")
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def measure(name: str) -> Row:
    run = load_run(find_run_file(name))
    posterior = run.posterior
    truth = predictions(posterior.likelihood, Couplings.none())
    warm_up = np.random.default_rng(SEED).random((100, posterior.dimension))
    posterior.residuals(warm_up, 1.0)
    posterior.log_likelihood(warm_up)
    started = time.process_time()
    pool = solution_pool(posterior, truth, search_rng(SEED, 0))
    pool_seconds = time.process_time() - started
    fitting = levels = 0.0
    chi2 = []
    for block in range(BLOCKS):
        toys = range(block * TOYS_PER_BLOCK, (block + 1) * TOYS_PER_BLOCK)
        data = pseudo_data(posterior.likelihood, truth, SEED, toys)
        started = time.process_time()
        fits = refit(posterior, pool, data, search_rng(SEED, 1, block))
        fitted = time.process_time()
        limits = run.settings.joint_sigma
        joint_sigmas(posterior, pool, data, fits.u, limits, search_rng(SEED, 2, block))
        fitting += fitted - started
        levels += time.process_time() - fitted
        chi2.append(fits.chi2)
    toys = BLOCKS * TOYS_PER_BLOCK
    data = pseudo_data(posterior.likelihood, truth, SEED, range(SLOW_TOYS))
    started = time.process_time()
    slow = np.array([global_search(posterior, row) for row in data])
    slow_rate = SLOW_TOYS / (time.process_time() - started)
    return Row(
        run=name,
        pool_points=len(pool),
        pool_seconds=pool_seconds,
        toys_per_second=toys / fitting,
        toys_per_second_with_joint_sigma=toys / (fitting + levels),
        slow_toys_per_second=slow_rate,
        ratio=toys / fitting / slow_rate,
        mean_difference=float(np.mean(chi2[0][:SLOW_TOYS] - slow)),
    )


def global_search(posterior: Posterior, row: FloatArray) -> float:
    """Return the least chi2 of one toy by the global search of a run."""

    def residuals(u: FloatArray, wall: float) -> FloatArray:
        return posterior.residuals(u, wall, np.broadcast_to(row, (len(u), len(row))))

    def objective(u: FloatArray) -> FloatArray:
        result = np.full(len(u), np.inf)
        allowed = np.isfinite(posterior.log_likelihood(u))
        result[allowed] = np.sum(residuals(u[allowed], 0.0) ** 2, axis=1)
        return result

    rng = np.random.default_rng(SEED)
    starts = rng.random((SLOW_STARTS, posterior.dimension))
    return find_minimum(residuals, objective, starts, rng).chi2


if __name__ == "__main__":
    main()
