"""One run: sample the posterior, find the best fit, keep both."""

import time
from typing import Any

import numpy as np

from zpfit.analysis.summary import equal_samples, summarise, weighted_samples
from zpfit.inference.checkpoint import Checkpoint
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.inference.sampling import cross_check, sample_posterior
from zpfit.inference.search.best_fit import best_fit, starting_points
from zpfit.io.yaml import dump_yaml
from zpfit.runs.nested import dead_birth, paramnames
from zpfit.runs.run_file import resolved_settings
from zpfit.runs.run_folder import RunFolder

_PRIOR_DRAWS = 20_000
"""Points of the prior that tell how much of it the model cannot realise."""


def fit(
    run: Problem,
    folder: RunFolder,
    progress: Progress,
    checkpoint: Checkpoint,
    *,
    check: bool = False,
) -> dict[str, Any]:
    """Compute everything and fill the folder; returns the summary.

    With ``check`` a second engine computes ln Z as well. What ``checkpoint`` holds is not
    computed again, and the numbers are the same.

    Raises
    ------
    NeverExists
        No point of the prior fulfils the model's conditions.
    NoAllowedPoint
        The likelihood excludes all but a few points of the prior.
    PoorMap
        The posterior is too narrow for the map that starts the walkers.
    NotANumber
        The model or a term gives NaN.
    UnwritablePath
        The folder cannot be written.
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
    samples = sample_posterior(
        posterior, settings, sampler_rng, progress, checkpoint.part("sampling")
    )
    checked = (
        cross_check(samples, posterior, settings, check_rng, progress, checkpoint.part("check"))
        if check
        else None
    )
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
    flat = samples.u.reshape(-1, posterior.dimension)
    start_rng, kick_rng = search_rng.spawn(2)
    starts = starting_points(run, flat, samples.log_likelihood.ravel(), start_rng)
    best = best_fit(posterior, starts, kick_rng, checkpoint.part("best_fit"))
    summary = summarise(run, samples, best, checked) | {
        "converged": not shortcomings,
        "shortcomings": shortcomings,
        "impossible_prior_fraction": impossible,
        "data_hash": data_hash,
        "wall_time_s": time.perf_counter() - started,
    }
    folder.write_summary(summary)
    return summary
