"""Helpers of the tests of zpfit's interfaces to other programs."""

from pathlib import Path
from typing import Any

import numpy as np

from zpfit.inference.problem import Problem
from zpfit.runs.run_folder import RunFolder

RUNS = ["quickstart", "nhdm_u1_cs", "froggatt_nielsen_integers_rb", "L_mu-L_tau_cs"]


def summary_of(folder: Path) -> dict[str, Any]:
    return RunFolder(folder).summary()


def points_of(run: Problem, n: int = 40) -> tuple[list[dict[str, float]], np.ndarray]:
    """Return points of the prior, some of them allowed, and ln L of each."""
    rng = np.random.default_rng(3)
    u = rng.random((4000, run.posterior.dimension))
    log_likelihood = run.posterior.log_likelihood(u)
    u = np.concatenate([u[np.isfinite(log_likelihood)][:n], u[:n]])
    values = run.posterior.parameters(u)
    points = [{name: float(values[name][i]) for name in run.posterior.names} for i in range(len(u))]
    return points, run.posterior.log_likelihood(u)
