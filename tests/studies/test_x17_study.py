"""Test the study of X17: closed numbers, the fits that it plans, their records, and the page."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from zpfit.inference.problem import RunFile
from zpfit.io.library import Library
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml
from zpfit.likelihood.theory import TheoryTerm
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import find_run_file
from zpfit.studies import x17
from zpfit.studies.x17 import FOLDER, NUMBERS, PAGE, page_of
from zpfit.studies.x17.cases import (
    CLASSES,
    COUPLINGS,
    ISOTOPES,
    NUCLEI,
    Case,
    all_cases,
    best_fits_alone,
    fixed,
    subset,
    today,
)
from zpfit.studies.x17.figures import SLICES, measured_masses
from zpfit.studies.x17.fits import Record, fit_all, problem_of
from zpfit.studies.x17.points import benchmarks, ratio_of_lines, verdicts, wanted

DOCS = Path(__file__).parents[2] / "docs"


def recorded() -> dict[str, Record]:
    content = json.loads((DOCS / FOLDER / NUMBERS).read_text(encoding="utf-8"))
    return {
        name: Record(**{**one, "remarks": tuple(one["remarks"])}) for name, one in content.items()
    }


def test_couplings_that_data_want():
    """Numbers of an independent calculation, with two digits, at 17 MeV and C-12's own mass."""
    vector = {(one.datum, one.symbol): one.value for one in wanted(17.0) if one.kind == "vector"}
    assert vector["Be-8", "|ε_n|, broken isospin"] == pytest.approx(0.013, rel=0.03)
    assert vector["Be-8", "|ε_n|, mixed isospin"] == pytest.approx(0.010, rel=0.03)
    assert 0.018 < vector["He-4", "|ε_p + ε_n|"] < 0.024
    assert vector["He-4, capture", "|ε_p - ε_n|"] == pytest.approx(2.6e-3, rel=0.03)
    assert vector["C-12, 17.8 MeV", "|ε_p - ε_n|"] == pytest.approx(2.9e-3, rel=0.03)
    axial = {one.datum: one.value for one in wanted(17.0) if one.kind == "axial"}
    assert axial["Be-8"] == pytest.approx(3.2e-5, rel=0.03)
    assert axial["He-4"] == pytest.approx(7e-5, rel=0.03)
    higher = {(one.datum, one.kind): one.value for one in wanted(17.03)}
    assert higher["C-12, 17.23 MeV", "axial"] == pytest.approx(4.7e-3, rel=0.03)
    assert higher["C-12, 17.23 MeV", "vector"] == pytest.approx(4.0e-3, rel=0.03)


def test_ratio_of_the_two_lines():
    assert ratio_of_lines(17.0) == pytest.approx(0.54, abs=0.005)
    assert ratio_of_lines(16.7) == pytest.approx(0.68, abs=0.005)


def test_entries_exclude_the_protophobic_vector():
    """Its pion charge is -4e-3, a hundred times the limit; a neutrino coupling that cures it is
    seen in neutrino scattering."""
    points = benchmarks({})
    plain, cured, _, _, padme = verdicts(points, "x17_be8_he4_rb")
    assert plain.excluded["sindrum_peak_1986"] > 1000
    assert plain.better["be8_1815_2018"] > 30
    assert "sindrum_peak_1986" not in cured.excluded
    assert cured.worse["nue_texono_2010"] > 1000
    # 24e-13 against 4.0(1.6)e-13 and what vacuum polarisation changes
    assert padme.worse["a_e_rb_2023_lattice"] == pytest.approx(150, rel=0.1)


def settings_of(name: str) -> RunFile:
    return validate(RunFile, read_yaml(find_run_file(name)))


def test_runs_and_sets_of_the_study_are_packaged():
    library = Library.beside()
    for name in (*COUPLINGS, *CLASSES):
        assert settings_of(name).likelihood.set == "x17_2026_rb"
    sets = {f"{nuclei}_{isotope}" for nuclei in NUCLEI for isotope in ISOTOPES}
    assert sets <= set(library.names("likelihood set"))
    assert set(SLICES) <= set(library.names("slice"))


@pytest.mark.parametrize("name", ["x17_be8", "x17_be8_he4", "x17_2026"])
def test_sets_hold_their_anomalies(name):
    problem = problem_of(Case("x17", {"set": f"{name}_rb"}))
    likelihood = problem.posterior.likelihood
    nuclei = ["be8_1815_2018", "he4_2021", "c12_2022"][: list(NUCLEI).index(name) + 1]
    moments = {"a_e_rb_2023_lattice", "a_mu_2025_wp2025"}
    assert {term.name for term in likelihood.anomalies} == {*nuclei, *moments}
    assert "padme_2025" not in likelihood.names
    assert "sindrum_rate_1989" not in likelihood.names
    assert any("kaon decays" in note for note in problem.assembled.notes())


@pytest.mark.parametrize(
    ("name", "nuclei"),
    [("be8", ["be8_1815_2018"]), ("he4+c12", ["he4_2021", "c12_2022"])],
)
def test_subsets_hold_their_anomalies_and_no_data_on_other_nuclei(name, nuclei):
    case = all_cases()[subset(name, "cs")]
    likelihood = problem_of(case).posterior.likelihood
    found = {term.name for term in likelihood.anomalies}
    assert found == {*nuclei, "a_e_cs_2023_lattice", "a_mu_2025_wp2025"}
    names = [n for n in likelihood.names if n.startswith(("be8", "he4", "c12"))]
    assert len(names) == 2 * len(nuclei)


def test_fits_without_nuisances_have_no_uncertain_inputs():
    terms = problem_of(all_cases()[fixed("x17", "x17_2026", "rb")]).posterior.likelihood
    assert not any(isinstance(term, TheoryTerm) for term in terms.measurements)


def test_best_fits_alone_are_the_same_fits():
    cases = all_cases()
    alone = best_fits_alone(cases)
    assert [(c.run, c.likelihood) for c in alone.values()] == [
        (c.run, c.likelihood) for c in cases.values()
    ]
    assert not any(case.evidence or case.joint for case in alone.values())


@pytest.mark.parametrize("name", ["varied/capture_rb", "today/x17_vector_x17_be8_cs"])
def test_cases_are_those_of_their_records(name):
    """Without a Z' the chi2 is that of the record, of the same data."""
    likelihood = problem_of(all_cases()[name]).posterior.likelihood
    assert likelihood.chi2(Couplings.none())[0] == pytest.approx(recorded()[name].chi2_none)


def test_records_are_read_again(tmp_path, monkeypatch):
    made = []
    record = next(iter(recorded().values()))

    def fitted(case: Case) -> Record:
        made.append(case)
        return record

    monkeypatch.setattr("zpfit.studies.x17.fits.fit_case", fitted)
    cases = dict(list(all_cases().items())[:2])
    first = fit_all(cases, tmp_path, x17_silent())
    assert fit_all(cases, tmp_path, x17_silent()) == first
    assert len(made) == 2
    for damaged in ("{", '{"chi2": 1}', "[]"):
        (tmp_path / f"{next(iter(cases))}.json").write_text(damaged)
        assert fit_all(cases, tmp_path, x17_silent()) == first
    assert len(made) == 5


def x17_silent():
    from zpfit.inference.progress import SILENT

    return SILENT


def test_mean_of_the_masses():
    """1/sum(1/error^2): 0.16, 0.24 and 0.23 MeV give 0.116 MeV."""
    mean = measured_masses()[-1]
    weights = [0.16**-2, 0.2418677**-2, 0.23**-2]
    expected = sum(w * m for w, m in zip(weights, (17.01, 16.94, 17.03), strict=True))
    assert mean.value == pytest.approx(expected / sum(weights), abs=2e-3)
    assert mean.error == pytest.approx(sum(weights) ** -0.5, rel=0.01)


def test_page_is_that_of_the_records():
    assert set(recorded()) == set(all_cases())
    assert page_of(recorded()) == (DOCS / PAGE).read_text(encoding="utf-8")


def test_fits_never_exceed_those_of_smaller_models():
    found = recorded()
    for nuclei in NUCLEI:
        for isotope in ISOTOPES:
            best = found[today("x17", nuclei, isotope)].chi2
            for run in ("x17_vector", "x17_axial", "x17_gauge_invariant"):
                assert best <= found[today(run, nuclei, isotope)].chi2 + 0.05
            for run in COUPLINGS:
                profiled = found[today(run, nuclei, isotope)].chi2
                assert profiled <= found[fixed(run, nuclei, isotope)].chi2 + 0.05


def test_joint_sigmas_never_fall_with_more_anomalies():
    found = recorded()
    for isotope in ISOTOPES:
        for run in (*COUPLINGS, *CLASSES):
            sigmas = [found[today(run, n, isotope)].joint_sigma for n in NUCLEI]
            assert sigmas[0] <= sigmas[1] + 0.02
            assert sigmas[1] <= sigmas[2] + 0.02


def test_the_page_says_what_was_not_computed():
    alone = {
        name: replace(
            one, joint_sigma=None, joint_sigma_none=None, ln_bayes_factor=None, remarks=()
        )
        for name, one in recorded().items()
    }
    assert page_of(alone).count("not computed") > 50
    assert "none found" not in page_of(alone)


def test_command_writes_page_figures_and_numbers(monkeypatch, workspace, accepted, rejected):
    monkeypatch.setattr(x17, "fit_all", lambda *_: recorded())
    monkeypatch.setattr(x17, "write_planes", lambda _: None)
    assert "x17.md" in accepted("x17", "--output", "out")
    assert Path("out", FOLDER, "masses.png").stat().st_size > 1000
    assert json.loads(Path("out", FOLDER, NUMBERS).read_text()) == {
        name: json.loads(json.dumps(asdict(one))) for name, one in recorded().items()
    }
    assert "already holds x17.md" in rejected("x17", "--output", "out")


@pytest.mark.slow
def test_a_fit_is_what_its_record_says():
    name = "varied/capture_rb"
    case = replace(all_cases()[name])
    from zpfit.studies.x17.fits import fit_case

    assert fit_case(case).chi2 == pytest.approx(recorded()[name].chi2, abs=1e-3)
