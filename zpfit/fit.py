"""One run: sample the posterior, find the best fit, keep both."""

import importlib.metadata
import platform
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from zpfit.config import Run, resolved_settings
from zpfit.evaluate import describe_point
from zpfit.inference_data import StoredSamples
from zpfit.optimize import Minimum, find_minimum
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.posterior import Posterior
from zpfit.priors import Fractions, LogUniform, SignedLogUniform, Tied
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder
from zpfit.samplers.emcee import EnsembleSamples, sample
from zpfit.samplers.vegas import adapt_map, draw_posterior
from zpfit.yaml_file import dump_yaml

_MAX_STORED = 50_000
"""Samples kept in the run folder; more would hold nothing new."""
_POSTERIOR_STARTS = 200
"""Best posterior samples from which the search for the best fit starts as well."""
_PRIOR_DRAWS = 20_000
"""Points of the prior that tell how much of it the model cannot realise."""
_STARTS, _STARTS_WITH_STEPS = 2000, 20_000
"""Random starts of the search for the best fit; a descent does not cross steps of a prior."""
_QUANTILES = {"q05": 0.05, "q16": 0.16, "q84": 0.84, "q95": 0.95}
_PACKAGES = ("zpfit", "numpy", "scipy", "numba", "emcee", "vegas", "arviz")
_NO_ZPRIME_MASS = 17.0
"""MeV; irrelevant where every coupling is zero, but a mass there must be."""


def fit(run: Run, folder: RunFolder, progress: Progress) -> dict[str, Any]:
    """Carry out a run and fill its folder; returns the summary.

    Raises:
        NeverExists: no point of the prior fulfils the model's conditions.
        NoAllowedPoint: the likelihood excludes all but a few points of the prior.
        PoorMap: the posterior is too narrow for the map that starts the walkers.
        NotANumber: the model or a term gives NaN.
        UnwritablePath: the folder cannot be written.
    """
    started = time.perf_counter()
    data_hash = run.data_hash()
    posterior, settings = run.posterior, run.settings
    map_rng, start_rng, sampler_rng, search_rng, prior_rng = np.random.default_rng(
        settings.seed
    ).spawn(5)
    for note in run.notes:
        progress.note(note)
    impossible = posterior.impossible_fraction(_PRIOR_DRAWS, prior_rng)

    progress.stage("Adapting to the posterior")
    adapted = adapt_map(posterior.log_likelihood, posterior.dimension, map_rng)
    walkers = settings.sampler.walkers
    draws = [
        draw_posterior(adapted, posterior.log_likelihood, rng, walkers)
        for rng in start_rng.spawn(settings.sampler.ensembles)
    ]
    starts = np.stack([points for points, _ in draws])

    progress.stage("Sampling the posterior")
    samples = sample(
        posterior.log_likelihood,
        adapted,
        starts,
        settings.sampler.target_ess,
        settings.sampler.max_steps,
        sampler_rng,
        progress,
    )
    shortcomings = [*samples.shortcomings, *_poor_starts(draws)]
    for shortcoming in shortcomings:
        progress.note(f"Not converged: {shortcoming}")

    # Kept before the search, so that a failure there does not cost the samples.
    parameters = _parameters(posterior, samples)
    folder.clear()
    folder.write_config(dump_yaml(resolved_settings(run)))
    folder.copy_data(run.files())
    folder.write_samples(_stored(posterior, samples, parameters), settings.title or run.name)

    progress.stage("Searching the best fit")
    best = _best_fit(run, samples, search_rng)
    summary = _summary(run, samples, parameters, best) | {
        "converged": not shortcomings,
        "shortcomings": shortcomings,
        "impossible_prior_fraction": impossible,
        "data_hash": data_hash,
        "wall_time_s": time.perf_counter() - started,
    }
    folder.write_summary(summary)
    return summary


def _poor_starts(draws: list[tuple[FloatArray, float]]) -> list[str]:
    """Ensembles that start from copies cannot tell that they have missed something."""
    return [
        f"the {len(points)} walkers of ensemble {index + 1} start from {effective:.0f} independent "
        "points: narrow the priors to where the data allow"
        for index, (points, effective) in enumerate(draws)
        if effective < len(points)
    ]


def _best_fit(run: Run, samples: EnsembleSamples, rng: np.random.Generator) -> Minimum:
    posterior = run.posterior
    flat = samples.u.reshape(-1, posterior.dimension)
    likeliest = np.argsort(samples.log_likelihood.ravel())[-_POSTERIOR_STARTS:]
    own = [posterior.priors.to_unit_cube(point) for point in run.settings.best_fit.points]
    default = _STARTS_WITH_STEPS if posterior.priors.grain.any() else _STARTS
    starts = [
        rng.random((run.settings.best_fit.starts or default, posterior.dimension)),
        flat[likeliest],
        *own,
    ]
    return find_minimum(
        posterior.residuals,
        lambda u: -2 * posterior.log_likelihood(u),
        np.vstack(starts),
        rng,
        posterior.priors.grain,
    )


def _parameters(posterior: Posterior, samples: EnsembleSamples) -> dict[str, FloatArray]:
    """Parameters that vary, each of shape (ensembles, steps, walkers)."""
    parameters = posterior.parameters(samples.u.reshape(-1, posterior.dimension))
    shape = samples.u.shape[:3]
    return {name: parameters[name].reshape(shape) for name in posterior.priors.varying}


def _stored(
    posterior: Posterior, samples: EnsembleSamples, parameters: dict[str, FloatArray]
) -> StoredSamples:
    """Every so many steps of the samples."""
    stride = -(-samples.log_likelihood.size // _MAX_STORED)
    return StoredSamples(
        values={name: values[:, ::stride] for name, values in parameters.items()},
        log_likelihood=samples.log_likelihood[:, ::stride],
        attributes={
            parameter.name: {
                "symbol": parameter.symbol,
                "unit": parameter.unit,
                **_scale(posterior, parameter.name),
            }
            for parameter in posterior.model.parameters
            if parameter.name in parameters
        },
    )


def _scale(posterior: Posterior, name: str) -> dict[str, Any]:
    """The scale on which a parameter's prior is flat, and the width of its steps if it has any."""
    prior = posterior.priors.by_name[name]
    factor = sign = 1.0
    if isinstance(prior, Tied):
        factor, sign = abs(prior.factor), prior.factor
        prior = posterior.priors.by_name[prior.to]
    if isinstance(prior, SignedLogUniform):
        return {"scale": "signed_log", "lower": prior.lower * factor, "step": 0.0}
    if isinstance(prior, LogUniform) and sign < 0:
        return {"scale": "signed_log", "lower": prior.lower * factor, "step": 0.0}
    if isinstance(prior, LogUniform):
        return {"scale": "log", "lower": prior.lower * factor, "step": 0.0}
    step = factor / prior.denominator if isinstance(prior, Fractions) else 0.0
    return {"scale": "linear", "lower": 0.0, "step": step}


def _summary(
    run: Run, samples: EnsembleSamples, parameters: dict[str, FloatArray], best: Minimum
) -> dict[str, Any]:
    posterior, diagnostics = run.posterior, samples.diagnostics
    free = list(posterior.names)
    return {
        "title": run.settings.title or run.name,
        "model": posterior.model.name,
        "likelihood": posterior.likelihood.name,
        "seed": run.settings.seed,
        "best_fit": _at_best_fit(posterior, best),
        "no_zprime": describe_point(posterior.likelihood, _no_zprime()),
        "posterior": {
            name: _moments(values) | _trust(posterior, diagnostics, free, name)
            for name, values in parameters.items()
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
            "thin": samples.thin,
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _at_best_fit(posterior: Posterior, best: Minimum) -> dict[str, Any]:
    u = best.u[None]
    values = posterior.parameters(u)
    couplings = posterior.model.couplings(values)
    return {
        "parameters": _first(values),
        "couplings": _first(dict(zip(COUPLING_NAMES, couplings.rows(), strict=True))),
        "derived": _first(posterior.model.derived(values)),
    } | describe_point(posterior.likelihood, couplings)


def _first(columns: Mapping[str, FloatArray]) -> dict[str, float | None]:
    return {name: _finite(values[0]) for name, values in columns.items()}


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
