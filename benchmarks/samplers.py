"""Compare the speed of zpfit with dynesty, nautilus, UltraNest, plain emcee and cobaya.

Run as ``python benchmarks/samplers.py [--quick] [--plot PNG] [--json FILE]`` after
``pip install '.[benchmark]'``. It runs the fit ``quickstart`` on the unit cube on
one core, and measures the time until ln Z is known to 0.01 and the effective samples per
second. Times are CPU time of the process, which other work on the machine hardly changes;
wall time is printed beside it. Each bar is printed as met or missed, without further effect.
"""

import os

# Set these before the import of NumPy and numba, which read them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import json
import logging
import platform
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from math import inf, nan
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import dynesty
import emcee
import nautilus
import numpy as np
import ultranest
from arviz_stats.base import array_stats
from cobaya.model import get_model
from cobaya.sampler import get_sampler
from likelihood import cpu_model, verdict
from samplers_plot import ERROR, SAMPLERS, ChainRow, EvidenceRow, draw
from ultranest.popstepsampler import PopulationSliceSampler, generate_mixture_random_direction

from zpfit.inference.posterior import Posterior
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Silent
from zpfit.inference.samplers.result import WeightedSamples
from zpfit.inference.sampling import evidence_of, sample_posterior
from zpfit.io.arrays import FloatArray
from zpfit.runs.run_file import find_run_file, load_run

RUN = "quickstart"
SEED = 2021
THIN = 20
"""Number of steps of plain emcee per stored step."""
EXCLUDED = -1e100
"""Value that replaces ln 0 for UltraNest, which needs finite values."""
BAR_DYNESTY, BAR_EMCEE, BAR_COBAYA = 1000, 50, 300
PACKAGES = (*SAMPLERS, "numpy", "numba")


@dataclass(frozen=True)
class Effort:
    """Amount of work of each contestant; caps are seconds of CPU time."""

    seeds: int
    """Number of zpfit's evidences."""
    posteriors: int
    """Number of zpfit's posteriors."""
    dynesty_live: int
    nautilus_live: int
    nautilus_effective: int
    ultranest_live: int
    nested_cap: float
    emcee_cap: float
    single_cap: float
    """Cap of plain emcee point by point."""
    cobaya_cap: float


FULL = Effort(6, 3, 500, 1000, 10_000, 400, 60, 40, 5, 45)
QUICK = Effort(4, 1, 100, 500, 2_000, 100, 20, 15, 3, 15)


class OutOfTime(BaseException):
    """A sampler has reached its cap; not an Exception, because some samplers catch these."""


class Meter:
    """Count seconds and evaluations since its creation, and stop a sampler at its cap."""

    def __init__(self, cap: float = inf) -> None:
        self._cap = cap
        self._start = process_time(), perf_counter()
        self.evaluations = 0
        self.cpu = self.wall = nan

    @property
    def elapsed(self) -> float:
        """Return the seconds of CPU time so far."""
        return process_time() - self._start[0]

    def count(self, n: int) -> None:
        """Count ``n`` more evaluations."""
        if self.elapsed > self._cap:
            raise OutOfTime
        self.evaluations += n

    def stop(self) -> None:
        """Store the times."""
        self.cpu, self.wall = self.elapsed, perf_counter() - self._start[1]


@dataclass(frozen=True)
class Metered(Posterior):
    """A posterior whose evaluations a meter counts."""

    meter: Meter

    def log_likelihood(self, u: FloatArray) -> FloatArray:
        """Count the points of a batch, and return ln L of each."""
        self.meter.count(len(u))
        return super().log_likelihood(u)

    def one(self, u: FloatArray) -> float:
        """Return ln L at a single point, the form that most samplers call."""
        return float(self.log_likelihood(u[None])[0])

    def finite(self, u: FloatArray) -> FloatArray:
        """Return ln L of a batch, with a very small number where points are excluded."""
        return np.maximum(self.log_likelihood(u), EXCLUDED)

    def inside(self, u: FloatArray) -> FloatArray:
        """Return ln L of a batch, and -inf outside the unit cube."""
        result = np.full(len(u), -np.inf)
        index = np.flatnonzero(np.all((u > 0) & (u < 1), axis=1))
        if len(index):
            result[index] = self.log_likelihood(u[index])
        return result

    def one_inside(self, u: FloatArray) -> float:
        """Return ln L at a single point, and -inf outside the unit cube."""
        return self.one(u) if np.all((u > 0) & (u < 1)) else -inf


def metered(run: Problem, cap: float = inf) -> Metered:
    """Return the run's posterior and a meter that starts now."""
    p = run.posterior
    return Metered(p.model, p.priors, p.likelihood, Meter(cap))


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute and a half, smaller caps")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the results to PNG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE")
    options = parser.parse_args()
    effort = QUICK if options.quick else FULL
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)

    run = load_run(find_run_file(RUN))
    started = perf_counter()
    print(", ".join(f"{name} {text}" for name, text in environment().items()))
    print(
        f"Run {RUN}: {run.posterior.dimension} parameters, one core. CPU seconds of the process;\n"
        f"caps of {effort.nested_cap:g} s for ln Z, {effort.emcee_cap:g} s for emcee, "
        f"{effort.cobaya_cap:g} s for cobaya\n"
    )
    starts = warm_up(run)
    evidences = measure_evidences(run, effort)
    print_evidences(evidences)
    chains = measure_chains(run, effort, starts)
    print_chains(chains)
    bars = print_bars(evidences, chains)
    print(f"\nThe whole took {perf_counter() - started:.0f} s")
    if options.plot is not None:
        options.plot.parent.mkdir(parents=True, exist_ok=True)
        draw(options.plot, evidences, chains, environment())
    if options.json is not None:
        write_json(options.json, evidences, chains, bars)


def warm_up(run: Problem) -> WeightedSamples:
    """Compile and load everything; return posterior samples from which other samplers start."""
    effective_samples(np.random.default_rng(SEED).random((4, 50, 1)))
    return evidence_of(run.posterior, run.settings, np.random.default_rng(SEED), Silent()).samples


# ln Z


def measure_evidences(run: Problem, effort: Effort) -> list[EvidenceRow]:
    """Run zpfit before and after the others, so that a change of speed affects both."""
    half = effort.seeds // 2
    before = [zpfit_evidence(run, seed) for seed in range(half)]
    rivals = [
        dynesty_evidence(run, effort),
        nautilus_evidence(run, effort),
        ultranest_evidence(run, effort),
    ]
    after = [zpfit_evidence(run, seed) for seed in range(half, effort.seeds)]
    return [middle(before + after), *rivals]


def middle(rows: Sequence[EvidenceRow]) -> EvidenceRow:
    """Return medians over seeds; print the spread of the seeds."""
    values = [row.log_z for row in rows]
    print(
        f"zpfit, {len(rows)} seeds: ln Z from {min(values):.4f} to {max(values):.4f}, standard "
        f"deviation {np.std(values, ddof=1):.4f}; stated errors from "
        f"{min(row.error for row in rows):.4f} to {max(row.error for row in rows):.4f}; "
        f"CPU s from {min(row.cpu for row in rows):.2f} to {max(row.cpu for row in rows):.2f}\n"
    )
    return EvidenceRow(
        rows[0].name,
        median(values),
        median(row.error for row in rows),
        median(row.cpu for row in rows),
        median(row.wall for row in rows),
        round(median(row.evaluations for row in rows)),
        all(row.error <= ERROR for row in rows),
    )


def zpfit_evidence(run: Problem, seed: int) -> EvidenceRow:
    """Run zpfit with default settings: two adaptations, then draws until the error is 0.01."""
    posterior = metered(run)
    result = evidence_of(posterior, run.settings, np.random.default_rng(seed), Silent()).evidence
    return evidence_row("zpfit (vegas)", posterior.meter, result.log_z, result.error)


def dynesty_evidence(run: Problem, effort: Effort) -> EvidenceRow:
    """Run dynesty point by point with random walks; uniform draws, its default, are far slower."""
    posterior = metered(run, effort.nested_cap)
    sampler = dynesty.NestedSampler(
        posterior.one,
        unchanged,
        posterior.dimension,
        nlive=effort.dynesty_live,
        sample="rwalk",
        rstate=np.random.default_rng(SEED),
    )
    finished = in_time(lambda: sampler.run_nested(print_progress=False))
    posterior.meter.stop()
    log_z, error = nan, nan
    if finished:
        log_z, error = sampler.results.logz[-1], sampler.results.logzerr[-1]
    name = f"dynesty, {effort.dynesty_live} live points"
    return evidence_row(name, posterior.meter, log_z, error, finished=finished)


def nautilus_evidence(run: Problem, effort: Effort) -> EvidenceRow:
    """Run nautilus in batches, without neural networks, which cost more than this likelihood.

    The error is 1 / sqrt(n_eff), as for importance sampling; nautilus states none.
    """
    posterior = metered(run, effort.nested_cap)
    sampler = nautilus.Sampler(
        unchanged,
        posterior.log_likelihood,
        posterior.dimension,
        pass_dict=False,
        vectorized=True,
        n_live=effort.nautilus_live,
        n_networks=0,
        seed=SEED,
    )
    finished = in_time(lambda: sampler.run(n_eff=effort.nautilus_effective))
    posterior.meter.stop()
    log_z, error = sampler.log_z, sampler.n_eff**-0.5  # the value so far, if not finished
    name = f"nautilus, {effort.nautilus_live} live points"
    return evidence_row(name, posterior.meter, log_z, error, finished=finished)


def ultranest_evidence(run: Problem, effort: Effort) -> EvidenceRow:
    """Run UltraNest in batches by slices of a population; drawing from its regions takes longer."""
    posterior = metered(run, effort.nested_cap)
    np.random.seed(SEED)  # noqa: NPY002 - what UltraNest draws from
    sampler = ultranest.ReactiveNestedSampler(
        list(posterior.names), posterior.finite, unchanged, vectorized=True, log_dir=None
    )
    sampler.stepsampler = PopulationSliceSampler(
        popsize=effort.ultranest_live,
        nsteps=2 * posterior.dimension,
        generate_direction=generate_mixture_random_direction,
    )
    finished = in_time(
        lambda: sampler.run(
            min_num_live_points=effort.ultranest_live, show_status=False, viz_callback=False
        )
    )
    posterior.meter.stop()
    log_z, error = nan, nan
    if finished:
        log_z, error = sampler.results["logz"], sampler.results["logzerr"]
    name = f"UltraNest, {effort.ultranest_live} live points"
    return evidence_row(name, posterior.meter, log_z, error, finished=finished)


def evidence_row(
    name: str, meter: Meter, log_z: float, error: float, *, finished: bool = True
) -> EvidenceRow:
    if np.isnan(meter.cpu):
        meter.stop()
    return EvidenceRow(
        name, float(log_z), float(error), meter.cpu, meter.wall, meter.evaluations, finished
    )


def unchanged(u: FloatArray) -> FloatArray:
    """Return the coordinates themselves, because the prior on the unit cube is uniform."""
    return u


def in_time(sampling: Callable[[], object]) -> bool:
    """Return whether a sampler has finished within its cap."""
    try:
        sampling()
    except OutOfTime:
        return False
    return True


# Effective samples


def measure_chains(run: Problem, effort: Effort, starts: WeightedSamples) -> list[ChainRow]:
    """Run zpfit with and without the steps before the chains, and the other samplers."""
    rows = [zpfit_chains(run, seed) for seed in range(effort.posteriors)]
    whole, alone = (sorted(kind, key=lambda row: row.rate) for kind in zip(*rows, strict=True))
    middle_row = len(rows) // 2
    vectorised = plain_emcee(run, effort.emcee_cap, starts)
    return [
        whole[middle_row],
        alone[middle_row],
        vectorised,
        point_by_point(run, effort.single_cap, starts, vectorised),
        cobaya_chain(run, effort.cobaya_cap, starts),
    ]


class Stopwatch(Silent):
    """Record the time at which chains begin."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.chains_begin = nan, nan, 0

    def stage(self, title: str) -> None:  # noqa: ARG002
        """Sampling the chains is the last stage."""
        self.chains_begin = self._meter.elapsed, perf_counter(), self._meter.evaluations


def zpfit_chains(run: Problem, seed: int) -> tuple[ChainRow, ChainRow]:
    """Return the results from the first adaptation on, and of the chains alone."""
    posterior = metered(run)
    watch = Stopwatch(posterior.meter)
    samples = sample_posterior(posterior, run.settings, np.random.default_rng(seed), watch)
    meter, end = posterior.meter, perf_counter()
    meter.stop()
    ensembles, steps, walkers, dimension = samples.u.shape
    by_walker = samples.u.transpose(0, 2, 1, 3).reshape(ensembles * walkers, steps, dimension)
    starts = ensembles * walkers
    whole = chain_row(
        "zpfit, with adaptation and ln Z", run, by_walker, meter, steps * samples.thin, starts
    )
    cpu, wall, evaluations = watch.chains_begin
    alone = replace(
        whole,
        name="zpfit, chains alone",
        cpu=meter.cpu - cpu,
        wall=end - wall,
        evaluations=meter.evaluations - evaluations,
    )
    return whole, alone


def plain_emcee(run: Problem, cap: float, starts: WeightedSamples) -> ChainRow:
    """Run the default stretch move with as many walkers as zpfit, each half in one batch."""
    posterior = metered(run)
    sampler = emcee.EnsembleSampler(
        n_walkers(run), posterior.dimension, posterior.inside, vectorize=True
    )
    kept = []
    for state in sampler.sample(
        first_state(run, starts), iterations=10**9, thin_by=THIN, store=False
    ):
        kept.append(state.coords.copy())
        if posterior.meter.elapsed > cap:
            break
    posterior.meter.stop()
    by_walker = np.stack(kept, axis=1)
    name = "plain emcee, in batches"
    return chain_row(name, run, by_walker, posterior.meter, len(kept) * THIN, n_walkers(run))


def point_by_point(
    run: Problem, cap: float, starts: WeightedSamples, vectorised: ChainRow
) -> ChainRow:
    """The same chain, slower: its seconds per step, with the effective samples of the batched one.

    In the time given it would take too few steps to tell how many are effective.
    """
    posterior = metered(run)
    sampler = emcee.EnsembleSampler(n_walkers(run), posterior.dimension, posterior.one_inside)
    steps = 0
    for _ in sampler.sample(first_state(run, starts), iterations=10**9, store=False):
        steps += 1
        if posterior.meter.elapsed > cap:
            break
    posterior.meter.stop()
    meter, longer = posterior.meter, vectorised.steps / steps
    return replace(
        vectorised,
        name="plain emcee, point by point*",
        cpu=meter.cpu * longer,
        wall=meter.wall * longer,
        evaluations=round(meter.evaluations * longer),
    )


def n_walkers(run: Problem) -> int:
    """Return effective samples of all ensembles together."""
    return run.settings.sampler.walkers * run.settings.sampler.ensembles


def first_state(run: Problem, starts: WeightedSamples) -> emcee.State:
    """Return walkers at independent draws from the posterior."""
    u, _ = starts.resampled(np.random.default_rng(SEED), n_walkers(run))
    return emcee.State(u, random_state=np.random.RandomState(SEED).get_state())


def cobaya_chain(run: Problem, cap: float, starts: WeightedSamples) -> ChainRow:
    """Run one chain from a draw of the posterior, with the posterior's covariance as proposal."""
    posterior = metered(run, cap)
    names = list(posterior.names)
    draws, _ = starts.resampled(np.random.default_rng(SEED), 20_000)

    def log_likelihood(**parameters: float) -> float:
        return posterior.one(np.array([parameters[name] for name in names]))

    options = {
        "mcmc": {
            "covmat": np.cov(draws.T),
            "covmat_params": names,
            "seed": SEED,
            "max_tries": 10**6,
            "Rminus1_stop": 1e-6,  # never reached: the cap ends it
        }
    }
    info = {
        "likelihood": {"fit": {"external": log_likelihood, "input_params": names}},
        "params": {
            name: {"prior": {"min": 0, "max": 1}, "ref": float(draws[0, axis])}
            for axis, name in enumerate(names)
        },
    }
    sampler = get_sampler(options, get_model(info))
    in_time(sampler.run)
    posterior.meter.stop()
    chain = sampler.collection
    repeats = chain["weight"].to_numpy().astype(int)
    u = np.repeat(chain[names].to_numpy(dtype=float), repeats, axis=0)
    return chain_row("cobaya MCMC, point by point", run, u[None], posterior.meter, len(u), 1)


def chain_row(
    name: str, run: Problem, by_walker: FloatArray, meter: Meter, steps: int, starts: int
) -> ChainRow:
    ess = effective_samples(by_walker)
    worst = int(np.argmin(ess))
    return ChainRow(
        name,
        float(ess[worst]),
        run.posterior.names[worst],
        meter.cpu,
        meter.wall,
        meter.evaluations,
        steps,
        starts,
    )


def effective_samples(by_walker: FloatArray) -> FloatArray:
    """Return the ESS of each parameter from samples of shape (walkers, steps, d)."""
    axes = np.moveaxis(by_walker, -1, 0)
    return np.array([float(array_stats.ess(chains, method="mean")) for chains in axes])


# Output


def environment() -> dict[str, str]:
    """Return versions and processor."""
    packages = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **packages, "cpu": cpu_model()}


def print_evidences(rows: Sequence[EvidenceRow]) -> None:
    ours = rows[0]
    print(
        f"{'ln Z':<30} {'ln Z':>8} {'error':>7} {'pull':>5} | {'CPU s':>7} {'wall s':>7} "
        f"{'evaluations':>11} | {f'to {ERROR:g}':>9} {'over zpfit':>10}"
    )
    for row in rows:
        pull = (row.log_z - ours.log_z) / np.hypot(row.error, ours.error)
        least = "" if row.finished else ">"
        print(
            f"{row.name:<30} {row.log_z:>8.3f} {row.error:>7.4f} {pull:>5.1f} "
            f"| {row.cpu:>7.2f} {row.wall:>7.2f} {row.evaluations:>11,} "
            f"| {least + f'{row.seconds:.4g}':>9} {least + f'{row.seconds / ours.seconds:.3g}':>10}"
        )
    print(
        f"to {ERROR:g}: CPU s, scaled by error squared where the error is larger\n"
        ">: cut off by the cap, a lower bound; ln Z as it stood. pull: difference to zpfit over "
        "both errors\n"
    )


def print_chains(rows: Sequence[ChainRow]) -> None:
    ours = rows[0]
    print(
        f"{'effective samples':<32} {'ESS':>6} {'worst of 7':>10} | {'CPU s':>7} {'wall s':>7} "
        f"{'steps':>7} {'evaluations':>11} | {'ESS/CPU s':>9} {'zpfit over':>10}"
    )
    for row in rows:
        print(
            f"{row.name:<32} {row.ess:>6.0f} {row.worst:>10} | {row.cpu:>7.2f} {row.wall:>7.2f} "
            f"{row.steps:>7} {row.evaluations:>11,} | {row.rate:>9.4g} "
            f"{ours.rate / row.rate:>10.3g}"
        )
    batched = rows[2]
    beyond = ours.rate_beyond_starts / batched.rate_beyond_starts
    print(
        "*: seconds per step from a shorter run, scaled to the steps of the run in batches\n"
        f"Of plain emcee's {batched.ess:.0f} effective samples {batched.starts} are its starting "
        f"points, drawn from the posterior and free.\nWithout starts it gains "
        f"{batched.rate_beyond_starts:.2g}/s, zpfit {ours.rate_beyond_starts:.4g}/s: "
        f"{beyond:.3g} times as many\n"
    )


def print_bars(
    evidences: Sequence[EvidenceRow], chains: Sequence[ChainRow]
) -> dict[str, dict[str, float | str]]:
    """Print the bars and whether each is met, and return them as JSON allows."""
    zpfit, nested = evidences[:2]
    whole, _, batched, _, cobaya = chains
    asked = (
        (f"ln Z +- {ERROR:g}, dynesty over zpfit", nested.seconds / zpfit.seconds, BAR_DYNESTY),
        ("effective samples per second, zpfit over emcee", whole.rate / batched.rate, BAR_EMCEE),
        ("effective samples per second, zpfit over cobaya", whole.rate / cobaya.rate, BAR_COBAYA),
    )
    results: dict[str, dict[str, float | str]] = {}
    for text, ratio, bar in asked:
        outcome = verdict(met=ratio >= bar)
        print(f"{text}: {ratio:.4g} (bar: at least {bar}, {outcome})")
        results[text] = {"ratio": ratio, "bar": bar, "outcome": outcome}
    return results


def write_json(
    path: Path,
    evidences: Sequence[EvidenceRow],
    chains: Sequence[ChainRow],
    bars: dict[str, dict[str, float | str]],
) -> None:
    """Write all results, which ``samplers_plot.py`` draws again."""
    data = {
        "environment": environment(),
        "evidence": [asdict(row) | {"seconds_to_error": row.seconds} for row in evidences],
        "error": ERROR,
        "samples": [asdict(row) | {"ess_per_second": row.rate} for row in chains],
        "bars": bars,
    }
    path.write_text(json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
