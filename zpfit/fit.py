"""One run: sample the posterior, find the best fit, keep both."""

import time
from typing import Any

import numpy as np

from zpfit.config import Run, resolved_settings
from zpfit.nested_export import dead_birth, paramnames
from zpfit.optimize import Minimum, find_minimum
from zpfit.progress import Progress
from zpfit.run_folder import RunFolder
from zpfit.samplers.result import Samples
from zpfit.sampling import cross_check, sample_posterior
from zpfit.summary import equal_samples, summarise, weighted_samples
from zpfit.yaml_file import dump_yaml

_POSTERIOR_STARTS = 200
"""Best posterior samples from which the search for the best fit starts as well."""
_PRIOR_DRAWS = 20_000
"""Points of the prior that tell how much of it the model cannot realise."""
_STARTS, _STARTS_WITH_STEPS = 2000, 20_000
"""Random starts of the search for the best fit; a descent does not cross steps of a prior."""


def fit(run: Run, folder: RunFolder, progress: Progress, *, check: bool = False) -> dict[str, Any]:
    """Carry out a run and fill its folder; returns the summary.

    With ``check`` a second engine computes ln Z as well.

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
    sampler_rng, search_rng, prior_rng, prune_rng, check_rng = np.random.default_rng(
        settings.seed
    ).spawn(5)
    for note in run.notes:
        progress.note(note)
    impossible = posterior.impossible_fraction(_PRIOR_DRAWS, prior_rng)
    samples = sample_posterior(posterior, settings, sampler_rng, progress)
    checked = cross_check(samples, posterior, settings, check_rng, progress) if check else None
    shortcomings = [*samples.shortcomings, *([] if checked is None else checked.shortcomings)]
    for shortcoming in shortcomings:
        progress.note(f"Not converged: {shortcoming}")

    # Kept before the search, so that a failure there does not cost the samples.
    title = settings.title or run.name
    folder.clear()
    folder.write_config(dump_yaml(resolved_settings(run)))
    folder.copy_data(run.files())
    folder.write_samples(equal_samples(posterior, samples), title)
    folder.write_weighted(weighted_samples(posterior, samples.weighted, prune_rng), title)
    nested = samples.dead_points or (checked and checked.samples.dead_points)
    if nested:
        folder.write_nested(dead_birth(posterior, nested), paramnames(posterior))

    progress.stage("Searching the best fit")
    best = _best_fit(run, samples, search_rng)
    summary = summarise(run, samples, best, checked) | {
        "converged": not shortcomings,
        "shortcomings": shortcomings,
        "impossible_prior_fraction": impossible,
        "data_hash": data_hash,
        "wall_time_s": time.perf_counter() - started,
    }
    folder.write_summary(summary)
    return summary


def _best_fit(run: Run, samples: Samples, rng: np.random.Generator) -> Minimum:
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
