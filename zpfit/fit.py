"""One run: sample the posterior, find the best fit, keep both."""

import importlib.metadata
import platform
import time
from typing import Any

import numpy as np

from zpfit.config import Run, resolved_settings
from zpfit.evaluate import describe_point
from zpfit.inference_data import StoredSamples
from zpfit.optimize import Minimum, find_minimum
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.posterior import Posterior
from zpfit.priors import LogUniform, SignedLogUniform, Tied
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder
from zpfit.samplers.emcee import EnsembleSamples, sample
from zpfit.samplers.vegas import adapt_map, draw_posterior
from zpfit.yaml_file import dump_yaml

_MAX_STORED = 50_000
"""Samples kept in the run folder; more would hold nothing new."""
_POSTERIOR_STARTS = 200
"""Best posterior samples from which the search for the best fit starts as well."""
_QUANTILES = {"q05": 0.05, "q16": 0.16, "q84": 0.84, "q95": 0.95}
_PACKAGES = ("zpfit", "numpy", "scipy", "numba", "emcee", "vegas", "arviz")
_NO_ZPRIME_MASS = 17.0
"""MeV; irrelevant where every coupling is zero, but a mass there must be."""


def fit(run: Run, folder: RunFolder, progress: Progress) -> dict[str, Any]:
    """Carry out a run and fill its folder; returns the summary.

    Raises:
        NoAllowedPoint: the likelihood excludes every point of the prior.
        NotANumber: the model or a term gives NaN.
        UnwritablePath: the folder cannot be written.
    """
    started = time.perf_counter()
    folder.write_config(dump_yaml(resolved_settings(run)))
    folder.copy_data(run.assembled.files())
    posterior, settings = run.posterior, run.settings
    map_rng, start_rng, sampler_rng, search_rng = np.random.default_rng(settings.seed).spawn(4)

    progress.stage("Adapting to the posterior")
    adapted = adapt_map(posterior.log_likelihood, posterior.dimension, map_rng)
    shape = (settings.sampler.ensembles, settings.sampler.walkers, posterior.dimension)
    starts = draw_posterior(adapted, posterior.log_likelihood, start_rng, shape[0] * shape[1])

    progress.stage("Sampling the posterior")
    samples = sample(
        posterior.log_likelihood,
        adapted,
        starts.reshape(shape),
        settings.sampler.target_ess,
        settings.sampler.max_steps,
        sampler_rng,
        progress,
    )
    for shortcoming in samples.shortcomings:
        progress.note(f"Not converged: {shortcoming}")

    progress.stage("Searching the best fit")
    best = _best_fit(run, samples, search_rng)

    progress.stage("Writing the results")
    stored = _thinned(posterior, samples)
    folder.write_samples(stored, settings.title or run.name)
    summary = _summary(run, samples, stored, best)
    summary["wall_time_s"] = time.perf_counter() - started
    folder.write_summary(summary)
    return summary


def _best_fit(run: Run, samples: EnsembleSamples, rng: np.random.Generator) -> Minimum:
    posterior = run.posterior
    flat = samples.u.reshape(-1, posterior.dimension)
    likeliest = np.argsort(samples.log_likelihood.ravel())[-_POSTERIOR_STARTS:]
    own = [posterior.priors.to_unit_cube(point) for point in run.settings.best_fit.points]
    starts = [
        rng.random((run.settings.best_fit.starts, posterior.dimension)),
        flat[likeliest],
        *own,
    ]
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        np.vstack(starts),
        rng,
    )


def _thinned(posterior: Posterior, samples: EnsembleSamples) -> StoredSamples:
    """Every so many steps of the samples, as parameters."""
    ensembles, steps, walkers, dimension = samples.u.shape
    stride = -(-ensembles * steps * walkers // _MAX_STORED)
    u = samples.u[:, ::stride]
    parameters = posterior.parameters(u.reshape(-1, dimension))
    varying = posterior.priors.varying
    return StoredSamples(
        values={name: parameters[name].reshape(u.shape[:3]) for name in varying},
        log_likelihood=samples.log_likelihood[:, ::stride],
        attributes={
            parameter.name: {
                "symbol": parameter.symbol,
                "unit": parameter.unit,
                **_scale(posterior, parameter.name),
            }
            for parameter in posterior.model.parameters
            if parameter.name in varying
        },
    )


def _scale(posterior: Posterior, name: str) -> dict[str, Any]:
    """The scale on which a parameter's prior is flat."""
    prior = posterior.priors.by_name[name]
    factor = 1.0
    if isinstance(prior, Tied):
        factor, prior = abs(prior.factor), posterior.priors.by_name[prior.to]
    if isinstance(prior, SignedLogUniform):
        return {"scale": "signed_log", "lower": prior.lower * factor}
    if isinstance(prior, LogUniform):
        return {"scale": "log", "lower": prior.lower * factor}
    return {"scale": "linear", "lower": 0.0}


def _summary(
    run: Run, samples: EnsembleSamples, stored: StoredSamples, best: Minimum
) -> dict[str, Any]:
    posterior, diagnostics = run.posterior, samples.diagnostics
    free = list(posterior.names)
    return {
        "title": run.settings.title or run.name,
        "model": posterior.model.name,
        "likelihood": posterior.likelihood.name,
        "seed": run.settings.seed,
        "converged": not samples.shortcomings,
        "shortcomings": list(samples.shortcomings),
        "best_fit": _at_best_fit(posterior, best),
        "no_zprime": describe_point(posterior.likelihood, _no_zprime()),
        "posterior": {
            name: _moments(values) | _trust(posterior, diagnostics, free, name)
            for name, values in stored.values.items()
        },
        "sampler": {
            "ensembles": samples.u.shape[0],
            "walkers": samples.u.shape[2],
            "steps": diagnostics.steps,
            "acceptance": [float(value) for value in samples.acceptance],
            "autocorrelation_time": {
                name: _finite(diagnostics.autocorrelation_time[axis])
                for axis, name in enumerate(free)
            },
            "stored_samples": stored.log_likelihood.size,
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
        "data_hash": run.assembled.data_hash(),
    }


def _at_best_fit(posterior: Posterior, best: Minimum) -> dict[str, Any]:
    u = best.u[None]
    parameters = {name: float(values[0]) for name, values in posterior.parameters(u).items()}
    return {"parameters": parameters} | describe_point(posterior.likelihood, posterior.couplings(u))


def _no_zprime() -> Couplings:
    mass, zero = np.array([_NO_ZPRIME_MASS]), np.zeros(1)
    return Couplings(mass, *[zero] * (len(COUPLING_NAMES) - 1))


def _moments(values: FloatArray) -> dict[str, float]:
    moments = {
        "median": float(np.median(values)),
        "mean": float(np.mean(values)),
        "sd": float(np.std(values)),
    }
    return moments | {key: float(np.quantile(values, q)) for key, q in _QUANTILES.items()}


def _trust(
    posterior: Posterior, diagnostics: Any, free: list[str], name: str
) -> dict[str, float | None]:
    """Effective size and R-hat; a tied parameter has those of the one it follows."""
    prior = posterior.priors.by_name[name]
    axis = free.index(prior.to if isinstance(prior, Tied) else name)
    return {"ess": _finite(diagnostics.ess[axis]), "rhat": _finite(diagnostics.rhat[axis])}


def _finite(value: float) -> float | None:
    """JSON has no NaN."""
    return float(value) if np.isfinite(value) else None
