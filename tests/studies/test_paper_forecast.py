"""Compare fractions of the posterior that projections leave with a count by hand."""

from math import hypot, sqrt

import numpy as np
import pytest
from helpers_samplers import quick
from paper_by_hand import A_E, A_MU, M_E, br_ee, excesses, limit, loops, moments, na64
from paper_extremes import HIGH, LOW

from zpfit.inference.progress import Silent
from zpfit.inference.sampling import evidence_of
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies.paper_2021.forecast import PROJECTIONS, forecast


def left_by_hand(entries, m, ve, ae, nue, numu):
    """Return whether projections leave each point allowed."""
    br = br_ee(m, ve, ae, nue, numu)
    left = np.ones(len(m), dtype=bool)
    for name in entries:
        if name.startswith("na64"):
            left &= na64(name, m, ve, ae, br) <= 1
        else:
            left &= np.sqrt((ve**2 + ae**2) * br) <= limit(name, m)
    return left


def forecast_of(effective):
    """Return a forecast from about that many samples, the samples' couplings and their weights."""
    run = load_run(find_run_file("quickstart"))
    rng = np.random.default_rng(run.settings.seed)
    samples = evidence_of(run.posterior, run.settings, rng, Silent(), effective).samples
    return forecast(run.posterior, samples), run.posterior.couplings(samples.u), samples.weight


@pytest.fixture(scope="module")
def forecast_and_samples():
    with quick():  # forecast and count by hand see the same samples
        return forecast_of(4000)


def test_forecast_is_a_count_of_samples(forecast_and_samples):
    rows, c, weight = forecast_and_samples
    m, ve, ae, nue, vmu, amu, numu = c.rows()[:7]
    assert m.min() >= 9.8
    e, mu = moments(m, ve, ae, vmu, amu)
    meets_e = abs(e - A_E["cs"][0]) <= A_E["cs"][1]
    meets_mu = abs(mu - A_MU[0]) <= A_MU[1]
    parts = {"all": meets_e | True, "electron": meets_e, "both": meets_e & meets_mu}
    assert [row["projection"] for row in rows] == list(PROJECTIONS)
    for row in rows:
        left = left_by_hand(row["entries"], m, ve, ae, nue, numu)
        for part, inside in parts.items():
            share = weight[inside & left].sum() / weight[inside].sum()
            assert row[part] == pytest.approx(share, abs=1e-9)
            assert 0 <= row[part] <= 1
            assert 0 <= row[f"{part}_err"] < 0.1


def test_projections_together_leave_no_more_than_each(forecast_and_samples):
    rows, _, _ = forecast_and_samples
    shares = {frozenset(row["entries"]): row for row in rows}
    together = [entries for entries in shares if len(entries) > 1]
    assert len(together) == 2
    for entries in together:
        for name in entries:
            for part in ("all", "electron", "both"):
                assert shares[entries][part] <= shares[frozenset([name])][part]


@pytest.mark.slow
def test_forecast_by_plain_draws_from_the_prior():
    """Return weighted prior draws with a_e spread over its one sigma; no map is adapted."""
    rng = np.random.default_rng(1)
    n = 4_000_000

    def either_sign():
        return rng.choice([-1, 1], n) * 10 ** rng.uniform(-8, -1, n)

    m = np.exp(rng.uniform(np.log(9.8), np.log(100), n))
    ve, nue, vmu, amu, numu = (either_sign() for _ in range(5))
    # C_Ae follows from the drawn moment.
    moment = rng.uniform(LOW, HIGH, n)
    k_v, k_a = loops(M_E, m)
    ae = np.sqrt((k_v * ve**2 - moment) / k_a)
    weight = 1 / (2 * k_a * ae**2)  # d ln C_Ae / d moment
    some = np.flatnonzero((ae < 0.1) & (np.abs(ve * ae) < 1e-8))
    m, ve, ae, nue, vmu, amu, numu, weight, moment = (
        x[some] for x in (m, ve, ae, nue, vmu, amu, numu, weight, moment)
    )
    *hard, texono, borexino, charm, charm_bar, ccfr = excesses(
        "envelope", m, ve, ae, nue, vmu, amu, numu
    )
    weight = weight * np.all([excess <= 0 for excess in hard], axis=0)
    _, mu = moments(m, ve, ae, vmu, amu)
    pull_e, pull_mu = (moment - A_E["cs"][0]) / A_E["cs"][1], (mu - A_MU[0]) / A_MU[1]
    pulls = [texono + 2, borexino + 1, charm + 1, charm_bar + 1, ccfr + 2, pull_e, pull_mu]
    weight = weight * np.exp(-0.5 * sum(pull**2 for pull in pulls))
    rows, _, _ = forecast_of(50_000)
    for part, inside in {"electron": weight > 0, "both": abs(pull_mu) <= 1}.items():
        w = weight * inside
        for row in rows:
            left = left_by_hand(row["entries"], m, ve, ae, nue, numu)
            share = w[left].sum() / w.sum()
            error = sqrt((w**2 * (left - share) ** 2).sum()) / w.sum()
            assert error < 0.02
            assert abs(row[part] - share) <= 4 * hypot(error, row[f"{part}_err"])
