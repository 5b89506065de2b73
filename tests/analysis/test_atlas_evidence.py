"""Check the evidence of signatures: its priors, a grid, ordinary fits, and resume of a screen."""

from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

import zpfit
from zpfit.analysis.atlas.charge_sets import ChargeSet
from zpfit.analysis.atlas.evidence import COUPLINGS, DRAWS, evidence
from zpfit.analysis.atlas.pairings import chosen_pairing, run_content
from zpfit.analysis.atlas.screen import MASSES, ScreenOptions, couplings
from zpfit.analysis.atlas.signatures import HiggsPolicy
from zpfit.inference.progress import SILENT
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.likelihood import Likelihood
from zpfit.physics.constants import ELECTRIC_CHARGE, SIN2_THETA_W
from zpfit.runs import atlas_screen
from zpfit.runs.atlas_screen import screen_table, write_screen
from zpfit.runs.pools import ExecutorChoice, Kind

TODAY = LikelihoodSpec(set="today_leptons_cs")


def likelihood(name: str) -> Likelihood:
    return assemble(LikelihoodSpec(set=name), Library.beside()).likelihood


def test_priors_are_those_of_the_run_files() -> None:
    zero = (0, 0, 0)
    charges = ChargeSet(zero, (1, 0, 0), (-1, 0, 0), zero, (-1, 0, 0), (1, 0, 0))
    pairing = chosen_pairing(0, charges, HiggsPolicy.ZERO, 1)
    priors = run_content("", "mine", charges, pairing, "today_cs")["priors"]["parameters"]
    ends = {name: (prior["lower"], prior["upper"]) for name, prior in priors.items()}
    assert ends == {"m_Zp": MASSES, "g_prime": COUPLINGS, "eps": COUPLINGS}


def dark_photon_on_a_grid(data: Likelihood, nodes: int) -> float:
    """Return ln Z of kinetic mixing alone by the midpoint rule in ln m and ln |eps|."""
    share = (np.arange(nodes) + 0.5) / nodes
    m, size = (
        low * (high / low) ** x
        for (low, high), x in zip((MASSES, COUPLINGS), np.meshgrid(share, share), strict=True)
    )
    c = ELECTRIC_CHARGE * sqrt(1 - SIN2_THETA_W) * size.ravel()
    none = np.zeros((len(c), 5))
    values = [data.log_likelihood(couplings(none, m.ravel(), 0 * c, sign * c)) for sign in (-1, 1)]
    return float(np.log(np.mean(np.exp(values))))


@pytest.mark.parametrize("name", ["today_leptons_cs", "paper_2021_cs"])
def test_the_dark_photon_agrees_with_a_grid(name: str) -> None:
    data = likelihood(name)
    found = evidence(np.zeros((1, 5)), data, DRAWS, 1)
    expected = dark_photon_on_a_grid(data, 300)
    assert found.log_z[0] == pytest.approx(expected, abs=0.01 + 3 * found.log_z_error[0])
    assert found.log_z_error[0] < 0.06


def test_data_that_no_lepton_changes_leave_the_prior() -> None:
    """Only the likelihood without a Z' is left, whose mean is itself: the weights average to 1."""
    data = assemble(LikelihoodSpec(add=("na48_2015",)), Library.beside()).likelihood
    wide = replace(data, exclusions=())
    found = evidence(np.array([[1.0, 2, -1, 0, 3], [5.0, -9, 4, 4, 0]]), wide, DRAWS, 1)
    np.testing.assert_allclose(found.log_z, 0, atol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "signature"),
    [(6, (0, 1, 0, 0, 0)), (2, (1, 0, -1, 0, 0)), (4177, (0, 4, 0, -1, 0))],
)
def test_ordinary_fits_agree(first: int, signature: tuple[int, ...], tmp_path: Path) -> None:
    """The exact diagonalisation, by weighted draws of vegas, for sets with z_H = 0."""
    found = evidence(np.array([signature], dtype=float), likelihood(TODAY.set), 4 * DRAWS, 1)
    atlas = zpfit.atlas(4)[first]
    charges = atlas._charges
    pairing = next(
        choice
        for choice in range(1, 37)
        if chosen_pairing(first, charges, HiggsPolicy.ZERO, choice).signature == signature
    )
    written = atlas.write(tmp_path, "zero", pairing=pairing, likelihood=TODAY.set)
    fitted = zpfit.fit(str(written[0]), sampler={"engine": "vegas"}, progress=False)
    error = 3 * np.hypot(found.log_z_error[0], fitted.log_z_error)
    assert found.log_z[0] == pytest.approx(fitted.log_z, abs=0.02 + error)


def test_a_screen_keeps_the_evidence_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of an interrupted screen are not computed again, and give the same file."""
    monkeypatch.setattr(atlas_screen, "CHUNK", 8)
    table = zpfit.atlas(2).signatures("renormalisable").table
    options = ScreenOptions(starts=3, steps=2, kept=1, kicks=1, gain=np.inf, masses=1, draws=16)
    here, target = ExecutorChoice(Kind.HERE), tmp_path / "s.nc"
    kept = {"options": options, "seed": 1, "target": target}
    whole = screen_table(table, TODAY, here, SILENT, **{**kept, "target": None})
    calls: list[int] = []
    compute = atlas_screen.screen

    def counted(*given: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return compute(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(atlas_screen, "screen", counted)
    with pytest.raises(KeyboardInterrupt):
        screen_table(table, TODAY, here, SILENT, **kept)
    again = screen_table(table, TODAY, here, SILENT, **kept)
    assert len(calls) == 1 + len(range(0, len(table), 8))
    write_screen(table, again, target)
    read = atlas_screen.read_screen(target)[1].screened
    for found in (again.screened, read):
        assert found.evidence is not None
        assert whole.screened.evidence is not None
        np.testing.assert_array_equal(found.evidence.log_z, whole.screened.evidence.log_z)
        np.testing.assert_array_equal(found.chi2, whole.screened.chi2)
