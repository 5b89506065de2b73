"""Test the fits of the page about epochs: runs that begin with what their neighbours have found."""

from types import SimpleNamespace

import numpy as np
import pytest

from zpfit.inference.sampling import evidence_of
from zpfit.inference.search.best_fit import best_fit, starting_points
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies.epochs import fits
from zpfit.studies.epochs.fits import fit_alike, fit_runs, rows_of

NAMES = ("sm_u1_cs", "quickstart", "sm_u1_rb", "effective_rb")


def loaded(*names):
    return [load_run(find_run_file(name)) for name in names]


def last_first(jobs):
    """Run jobs, and return their results in another order: several processes keep none."""
    return {name: jobs[name]() for name in reversed(jobs)}


def test_each_run_gets_its_own_fit(monkeypatch):
    monkeypatch.setattr(
        fits, "fit_alike", lambda runs, _: [SimpleNamespace(run=run) for run in runs]
    )
    monkeypatch.setattr(fits, "_in_order", lambda found, _: found)
    runs = loaded(*NAMES)
    assert [one.run.name for one in fit_runs(runs, 1, last_first)] == list(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("nhdm_u1_closed_cs", "nhdm_u1_today_cs", "nhdm_u1_closed_rb"),
        ("effective_closed_cs", "effective_today_cs", "effective_today_leptons_rb"),
    ],
)
def test_neighbours_change_no_result(names):
    runs = loaded(*names)
    for found in fit_alike(runs, np.random.default_rng(1).spawn(3))[1:]:
        rng, posterior = np.random.default_rng(2), found.run.posterior
        alone = evidence_of(posterior, found.run.settings, rng)
        error = np.hypot(found.evidence.error, alone.evidence.error)
        assert abs(found.evidence.log_z - alone.evidence.log_z) < 4 * error < 0.06
        samples, log_l = alone.samples.resampled(rng, 1000)
        best = best_fit(posterior, starting_points(found.run, samples, log_l, rng), rng)
        assert found.best.chi2 < best.chi2 + 1e-3
        assert not found.shortcomings


@pytest.mark.slow
def test_rows_have_the_joint_sigmas_of_the_paper():
    """arXiv:2102.07781 with Caesium; zpfit certify proves both from below to 1e-3."""
    found = fit_runs(loaded("sm_u1_cs", "sm_u1_rb"), 1, last_first)
    rows = rows_of(found, 1, last_first)
    assert [row.run for row in rows] == ["no Z'", "sm_u1_cs", "no Z'", "sm_u1_rb"]
    assert [row.joint_sigma for row in rows] == pytest.approx([4.25, 2.42, 4.25, 1.32], abs=5e-3)
    for row in rows[1::2]:
        assert 0 <= row.joint_sigma - row.joint_sigma_proved < 1.1e-3
        assert row.ln_bayes_factor == pytest.approx(1.85, abs=0.06)
