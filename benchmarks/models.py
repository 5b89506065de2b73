"""Measure the cost of models: each model and route alone and inside the posterior, beside eigh.

Run as ``python benchmarks/models.py [--json FILE] [--keep]``. It uses the set
``paper_2021_cs``, points drawn from each model's priors, and one core. It exits with an
error if the closed form and the numerical diagonalisation disagree by more than rounding, or if
a ratio exceeds the kept one by more than a fifth.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import sqrt
from pathlib import Path
from time import perf_counter

import numba
import numpy as np
from kept import keep, slower
from scipy.linalg import eigh

from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import resolve
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml
from zpfit.models.gauge_mixing import BARE_Z_MASS, HYPERCHARGE_COUPLING, VEV
from zpfit.models.nhdm_u1 import NHDMOptions, NHiggsDoubletU1
from zpfit.physics.constants import ELECTRIC_CHARGE, SIN2_THETA_W

LIKELIHOOD = "paper_2021_cs"
BATCH_SIZES = (16384, 256)
"""Batch sizes: one pass of the likelihood, and about one step of an ensemble of walkers."""
SEED = 2021
POOL = 65536
"""Number of points drawn from the priors of each model."""
LOOP_POINTS = 2048
"""Number of these points for models and methods that work point by point."""
MAX_CALLS = 32
"""Largest number of calls in one timing."""
ROUNDS = 41
"""Number of timings of each contestant, in turn; medians count."""
GOAL_RATIO = 3.0
"""Largest accepted cost of the exact route per point, in units of that of leading order."""
ROUNDING = 1e-15
"""Rounding error of eigh relative to the largest matrix element."""

LEADING_ORDER, EXACT = "leading_order", "exact"

_LEPTONS = """
    z_Le: {type: signed_log_uniform, lower: 1e-5, upper: 1e2},
    z_Lmu: {type: signed_log_uniform, lower: 1e-5, upper: 1e2},
    z_Ltau: 0"""
THREE_DOUBLETS = f"""{{parameters: {{
    m_Zp: {{type: log_uniform, lower: 1, upper: 100}},
    g_prime: 1e-3,
    eps_Y: {{type: signed_log_uniform, lower: 1e-8, upper: 1e-1}},
    z_1: {{type: signed_log_uniform, lower: 1e-5, upper: 1e2}},
    z_2: {{type: signed_log_uniform, lower: 1e-5, upper: 1e2}},
    z_3: 0,
    tan_beta_1: {{type: log_uniform, lower: 1e-2, upper: 1e2}},
    tan_beta_2: {{type: log_uniform, lower: 1e-2, upper: 1e2}},{_LEPTONS}}}}}"""
"""Priors ``nhdm_u1`` with one more doublet."""
OWN = """{parameters: {
    m_Zp: {type: log_uniform, lower: 1, upper: 100},
    g_prime: {type: log_uniform, lower: 1e-8, upper: 1e-1},
    eps: {type: signed_log_uniform, lower: 1e-8, upper: 1e-1}}}"""


def own_model(m_Zp, g_prime, eps):  # noqa: ARG001 - the mass is a parameter as it stands
    """Return couplings of B-L with a mixed photon, as a user would write them."""
    charged = ELECTRIC_CHARGE * eps - g_prime
    return {
        **{f"C_V{family}": charged for family in ("e", "mu", "tau")},
        **{f"C_nu{family}": -g_prime for family in ("e", "mu", "tau")},
    }


@dataclass(frozen=True)
class Case:
    """A model in the form of a run file."""

    name: str
    model: str
    """Name of the model without its options."""
    options: Mapping[str, str]
    priors: str = ""
    """Priors; the model's own if empty."""
    pointwise: bool = False


def gauge_cases(name: str, model: str, priors: str = "", **options: str) -> list[Case]:
    """Return a gauge model by either route."""
    routes = (LEADING_ORDER, EXACT)
    return [Case(name, model, {**options, "route": route}, priors) for route in routes]


_OWN = f"python: {__name__}:own_model"
CASES = (
    Case("effective", "name: effective", {}),
    *gauge_cases("sm_u1", "name: sm_u1"),
    *gauge_cases("nhdm_u1, 2 doublets", "name: nhdm_u1"),
    *gauge_cases("nhdm_u1, 3 doublets", "name: nhdm_u1", THREE_DOUBLETS, doublets="3"),
    *gauge_cases("froggatt_nielsen", "name: froggatt_nielsen"),
    *gauge_cases("B-L", "name: B-L"),
    Case("own function, arrays", f"{_OWN}, vectorised: true", {}, OWN),
    Case("own function, one by one", f"{_OWN}, vectorised: false", {}, OWN, pointwise=True),
)


@dataclass(frozen=True)
class Row:
    """Seconds per point of a model at one batch size."""

    batch_size: int
    name: str
    route: str
    """Name of the route, empty if there is only one."""
    couplings: float
    """Time from parameters to couplings."""
    log_likelihood: float
    """Time from the unit cube to ln L: priors, couplings and likelihood."""
    allowed: float
    """Share of the points that no exclusion forbids."""
    couplings_ratio: float | None
    """Cost over that of leading order, the median of the rounds' ratios; None if there is only one
    route."""
    log_likelihood_ratio: float | None


@dataclass(frozen=True)
class Diagonalisation:
    """Seconds per point from parameters to mass and couplings of the Z'."""

    closed_form: float
    scipy: float
    """Time of scipy.linalg.eigh with one point per call."""
    numpy: float
    """Time of Cholesky by hand and numpy.linalg.eigh with all points in one call."""
    numpy_over_closed_form: float
    scipy_over_closed_form: float
    worst_coupling: float
    """Largest relative deviation of any coupling of either method from the closed form."""


def main() -> None:
    """Check the agreement, measure the times, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    parser.add_argument("--keep", action="store_true", help="keep the ratios that are measured")
    options = parser.parse_args()

    posteriors = [posterior(case) for case in CASES]
    print(", ".join(f"{name} {value}" for name, value in environment().items()))
    print(f"medians of {ROUNDS} rounds over points from the priors, likelihood {LIKELIHOOD}\n")
    rows = [row for size in BATCH_SIZES for row in measure_models(posteriors, size)]
    print_table(rows)
    print_verdicts(rows)
    diagonalisation = measure_diagonalisation()
    print_diagonalisation(diagonalisation)
    if options.json is not None:
        write_json(options.json, rows, diagonalisation)
    ratios = ratios_to_keep(rows, diagonalisation)
    lines = slower("models", ratios)
    if options.keep:
        keep("models", ratios)
    if lines:
        sys.exit("\n".join(lines))


def ratios_to_keep(rows: Sequence[Row], diagonalisation: Diagonalisation) -> dict[str, float]:
    """Return costs over those of the leading order, and of the closed form over SciPy."""
    exact = {
        f"{row.name}, {row.batch_size} {what}": getattr(row, f"{what}_ratio")
        for row in rows
        if row.route == EXACT
        for what in ("couplings", "log_likelihood")
    }
    return exact | {"closed form": 1 / diagonalisation.scipy_over_closed_form}


def posterior(case: Case) -> Posterior:
    """Return the posterior of a run file with this model."""
    options = ", ".join(f"{key}: {value}" for key, value in case.options.items())
    model = f"{{{case.model}, options: {{{options}}}}}"
    priors = f", priors: {case.priors}" if case.priors else ""
    run = parse_yaml(f"{{model: {model}, likelihood: {LIKELIHOOD}{priors}}}", Path("benchmark"))
    return resolve(run, Library.beside()).posterior


def measure_models(posteriors: Sequence[Posterior], batch_size: int) -> list[Row]:
    """Time all models in turn, so that a busy period of the machine affects each of them."""
    functions: list[Callable[[], float]] = []
    allowed = []
    for case, model in zip(CASES, posteriors, strict=True):
        n_points = LOOP_POINTS if case.pointwise else POOL
        # Use the same points for both routes of a model.
        u = np.random.default_rng(SEED).random((n_points, model.dimension))
        cubes = split(u, batch_size)
        values = [model.parameters(cube) for cube in cubes]
        functions.append(partial(seconds_per_point, model.model.couplings, values))
        functions.append(partial(seconds_per_point, model.log_likelihood, cubes))
        allowed.append(np.mean(model.log_likelihood(u) > -np.inf))
    seconds = interleaved(functions)
    couplings, log_likelihoods = seconds[::2], seconds[1::2]
    rows = []
    for index, case in enumerate(CASES):
        route = case.options.get("route", "")
        # The row of leading order precedes this one.
        reference = {LEADING_ORDER: index, EXACT: index - 1}.get(route)
        ratios = [
            None if reference is None else float(np.median(times[index] / times[reference]))
            for times in (couplings, log_likelihoods)
        ]
        medians = (float(np.median(times[index])) for times in (couplings, log_likelihoods))
        rows.append(Row(batch_size, case.name, route, *medians, float(allowed[index]), *ratios))
    return rows


def split(u: FloatArray, batch_size: int) -> list[FloatArray]:
    """Return all whole batches, at least one and at most ``MAX_CALLS``."""
    n_batches = max(1, min(len(u) // batch_size, MAX_CALLS))
    return [u[index * batch_size : (index + 1) * batch_size] for index in range(n_batches)]


def seconds_per_point(function: Callable, batches: Sequence) -> float:
    """Time one pass over the batches."""
    n_points = sum(
        len(next(iter(b.values()))) if isinstance(b, Mapping) else len(b) for b in batches
    )
    start = perf_counter()
    for batch in batches:
        function(batch)
    return (perf_counter() - start) / n_points


def interleaved(functions: Sequence[Callable[[], float]]) -> FloatArray:
    """Return the result of each function in each round, shape (functions, rounds)."""
    for function in functions:
        function()
    gc.collect()
    gc.disable()
    seconds = np.array([[function() for function in functions] for _ in range(ROUNDS)]).T
    gc.enable()
    return seconds


@dataclass(frozen=True)
class Matrices:
    """Kinetic and mass matrices of two doublets before mixing is removed: B, W3, X; in MeV^2."""

    kinetic: FloatArray
    mass: FloatArray
    fermions: FloatArray
    """Charges of e_L, e_R, nu_e and so on, nine for three families; shape (n, 9, 3)."""


def matrices(values: Mapping[str, FloatArray]) -> Matrices:
    """Return the matrices for charges of nhdm_u1 with the option mass: zS_vS."""
    n = len(values["eps_Y"])
    g_1, g_2 = HYPERCHARGE_COUPLING, ELECTRIC_CHARGE / sqrt(SIN2_THETA_W)
    g_prime = values["g_prime"]
    kinetic = np.tile(np.eye(3), (n, 1, 1))
    kinetic[:, 0, 2] = kinetic[:, 2, 0] = values["eps_Y"]
    mass = np.zeros((n, 3, 3))
    mass[:, 2, 2] = (g_prime * values["zS_vS"]) ** 2
    share = 1 / (1 + values["tan_beta"] ** 2)
    for vev_share, z in ((share, values["z_1"]), (1 - share, values["z_2"])):
        doublet = charge_vectors(g_1 / 2, -g_2 / 2, g_prime * z)
        mass += (VEV**2 * vev_share)[:, None, None] * doublet[:, :, None] * doublet[:, None, :]
    fermions = []
    for family in ("e", "mu", "tau"):
        left = g_prime * values[f"z_L{family}"]
        right = left - g_prime * values["z_2"]
        fermions.append(charge_vectors(-g_1 / 2, -g_2 / 2, left))
        fermions.append(charge_vectors(-g_1, 0.0, right))
        fermions.append(charge_vectors(-g_1 / 2, g_2 / 2, left))
    return Matrices(kinetic, mass, np.stack(fermions, axis=1))


def charge_vectors(b: float, w: float, x: FloatArray) -> FloatArray:
    """Return couplings to B, W3 and X, shape (n, 3)."""
    return np.stack([np.full_like(x, b), np.full_like(x, w), x], axis=-1)


def couplings_of(m2: FloatArray, light: FloatArray, fermions: FloatArray) -> FloatArray:
    """Return m_Zp, then C_V, C_A and C_nu of each family, shape (10, n)."""
    # The sign of an eigenvector is arbitrary; the light one consists mostly of X.
    light = light * np.sign(light[:, 2])[:, None]
    left, right, neutrino = (fermions[:, first::3] @ light[:, :, None] for first in range(3))
    by_family = np.concatenate([(left + right) / 2, (right - left) / 2, neutrino], axis=2)
    return np.vstack([np.sqrt(m2), by_family.reshape(-1, 9).T])


def by_scipy(values: Mapping[str, FloatArray]) -> FloatArray:
    """Solve the generalised eigenvalue problem point by point; the photon is the lightest."""
    given = matrices(values)
    solved = [eigh(m, k) for m, k in zip(given.mass, given.kinetic, strict=True)]
    m2 = np.array([squares[1] for squares, _ in solved])
    light = np.array([vectors[:, 1] for _, vectors in solved])
    return couplings_of(m2, light, given.fermions)


def by_numpy(values: Mapping[str, FloatArray]) -> FloatArray:
    """Solve it in a batch, with unit kinetic terms by Cholesky."""
    given = matrices(values)
    inverse = np.linalg.inv(np.linalg.cholesky(given.kinetic))
    transposed = inverse.swapaxes(1, 2)
    squares, vectors = np.linalg.eigh(inverse @ given.mass @ transposed)
    light = (transposed @ vectors[:, :, 1:2])[:, :, 0]
    return couplings_of(squares[:, 1], light, given.fermions)


def measure_diagonalisation() -> Diagonalisation:
    """Time closed form, scipy and numpy for two doublets with the mass from the vevs."""
    case = Case(
        "nhdm_u1", "name: nhdm_u1", {"mass": "zS_vS", "route": EXACT}, "{use: nhdm_u1_singlet}"
    )
    priors = posterior(case)
    u = np.random.default_rng(SEED).random((POOL, priors.dimension))
    many, few = priors.parameters(u), priors.parameters(u[:LOOP_POINTS])
    model = NHiggsDoubletU1(NHDMOptions(route=EXACT, mass="zS_vS"))
    leptons = np.array(model.couplings(few).rows()[:10])  # the mass comes first
    worst = check_agreement(leptons, by_scipy(few), by_numpy(few))
    batches = [{name: column[:16384] for name, column in many.items()}]
    closed_form, scipy, numpy = interleaved(
        [
            partial(seconds_per_point, model.couplings, batches),
            partial(seconds_per_point, by_scipy, [few]),
            partial(seconds_per_point, by_numpy, [few]),
        ]
    )
    return Diagonalisation(
        closed_form=float(np.median(closed_form)),
        scipy=float(np.median(scipy)),
        numpy=float(np.median(numpy)),
        numpy_over_closed_form=float(np.median(numpy / closed_form)),
        scipy_over_closed_form=float(np.median(scipy / closed_form)),
        worst_coupling=worst,
    )


def check_agreement(closed_form: FloatArray, *numerical: FloatArray) -> float:
    """Return the largest relative deviation of a coupling; exit if rounding does not explain it.

    The error of an eigenvector is the matrix's rounding over the distance of the
    eigenvalues, which is m_Zp^2 between photon and Z'.
    """
    m = closed_form[0]
    error = ROUNDING * BARE_Z_MASS**2 / m**2
    for result in numerical:
        deviation = np.abs(result - closed_form) / np.vstack([m, *[np.ones_like(m)] * 9])
        # This form of the comparison also fails for NaN.
        if not np.all(deviation <= error):
            worst = float(np.max(deviation / error))
            sys.exit(f"closed form and eigh differ by {worst:.2g} times what rounding explains")
    relative = [np.abs(result[1:] / closed_form[1:] - 1) for result in numerical]
    return float(np.max(relative))


def environment() -> dict[str, str]:
    """Return the versions of packages."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def print_table(rows: Sequence[Row]) -> None:
    print(
        f"{'batch':>6} {'model':<25} {'route':<14}| {'couplings':>9} {'ns/point':>9} {'ratio':>6} "
        f"| {'ln L':>9} {'ns/point':>9} {'ratio':>6} {'allowed':>8}"
    )
    print(f"{'':>47}| {'points/s':>9} {'':>16} | {'points/s':>9}")
    for row in rows:
        print(
            f"{row.batch_size:>6} {row.name:<25} {row.route:<14}"
            f"| {1 / row.couplings:>9.3g} {1e9 * row.couplings:>9.1f} {ratio(row.couplings_ratio)} "
            f"| {1 / row.log_likelihood:>9.3g} {1e9 * row.log_likelihood:>9.1f} "
            f"{ratio(row.log_likelihood_ratio)} {row.allowed:>8.1%}"
        )


def ratio(value: float | None) -> str:
    return f"{'':>6}" if value is None else f"{value:>6.2f}"


def print_verdicts(rows: Sequence[Row]) -> None:
    print()
    exact = [row for row in rows if row.route == EXACT]
    for size in BATCH_SIZES:
        for what in ("couplings", "log_likelihood"):
            row = max(
                (row for row in exact if row.batch_size == size),
                key=lambda row: getattr(row, f"{what}_ratio"),
            )
            worst = getattr(row, f"{what}_ratio")
            print(
                f"Exact over leading order, {what} at batch size {size}: at most {worst:.2f} "
                f"({row.name}; goal: below {GOAL_RATIO:g}, {verdict(met=worst < GOAL_RATIO)})"
            )


def print_diagonalisation(result: Diagonalisation) -> None:
    print(
        f"\nTwo doublets, from charges and vevs to mass and couplings: closed form "
        f"{1e9 * result.closed_form:.1f} ns a point,\nscipy.linalg.eigh point by point "
        f"{1e9 * result.scipy:.0f} ns ({result.scipy_over_closed_form:.0f} times), "
        f"numpy.linalg.eigh in a batch {1e9 * result.numpy:.0f} ns "
        f"({result.numpy_over_closed_form:.0f} times)\n"
        f"All agree within what eigh loses to rounding, {result.worst_coupling:.1g} of the worst "
        "coupling"
    )


def verdict(*, met: bool) -> str:
    return "met" if met else "missed"


def write_json(path: Path, rows: Sequence[Row], diagonalisation: Diagonalisation) -> None:
    """Return all results as JSON allows; times in seconds per point."""
    data = {
        "environment": environment(),
        "goals": {"exact_over_leading_order": GOAL_RATIO},
        "models": [asdict(row) for row in rows],
        "diagonalisation": asdict(diagonalisation),
    }
    path.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
