"""Test the study of epochs: runs, numbers, conclusions and page."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from zpfit.analysis.compare import NO_ZPRIME
from zpfit.inference.priors import LogUniform
from zpfit.inference.problem import RunFile
from zpfit.io.library import Library
from zpfit.io.schema import validate
from zpfit.io.yaml import read_yaml
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.studies import epochs
from zpfit.studies.epochs.conclusions import draw_conclusions
from zpfit.studies.epochs.numbers import (
    CLASSES,
    COMPLETE,
    EPOCHS,
    MODELS,
    QUANTITIES,
    VARIANTS,
    VARIED,
    WHOLE_NUMBERS,
    Fit,
    Numbers,
    Spot,
    allowed_region,
    find_spots,
    has_run,
    no_region,
    region_jobs,
    region_runs,
    run_name,
    run_names,
    without_edges,
)
from zpfit.studies.epochs.page import render_page


def test_every_model_has_a_run_with_every_epoch():
    for epoch in EPOCHS:
        for model in MODELS:
            if not has_run(model, epoch.likelihood):
                continue
            settings = settings_of(run_name(model, epoch.likelihood))
            complete = (settings.model.options or {}).get("completion") == "gauge_invariant"
            assert settings.model.name == ("effective" if model == COMPLETE else model)
            assert complete == (model == COMPLETE)
            assert settings.likelihood.set == epoch.likelihood
    for likelihood, name in WHOLE_NUMBERS.items():
        settings = settings_of(name)
        assert settings.likelihood.set == likelihood
        assert settings.priors.use == "froggatt_nielsen_integers"


def settings_of(name):
    return validate(RunFile, read_yaml(find_run_file(name)))


@pytest.mark.slow
def test_the_charge_of_quarks_is_free_where_data_depend_on_it():
    for epoch in EPOCHS:
        for model in CLASSES:
            names = load_run(find_run_file(run_name(model, epoch.likelihood))).posterior.names
            assert ("z_q" in names) == has_run(COMPLETE, epoch.likelihood)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.words)
def test_variants_change_what_they_say(variant):
    for likelihood in VARIED:
        for model in variant.models:
            path = find_run_file(run_name(model, likelihood))
            before, after = load_run(path), load_run(path, variant.changes(likelihood))
            names = [set(run.posterior.likelihood.names) for run in (before, after)]
            assert names[0] - names[1] == set(variant.drop)
            assert names[1] - names[0] == set(variant.add)
            assert set(before.posterior.names) - set(after.posterior.names) == set(variant.fixed)


def test_every_epoch_is_a_set():
    known = Library.beside().names("likelihood set")
    assert {epoch.likelihood for epoch in EPOCHS} <= set(known)


JOINT = {
    "paper_2021_cs": (4.25, 0.0, None, 2.4, 2.4, 2.3),
    "closed_2021_cs": (4.25, 0.3, 0.0, 2.4, 2.41, 2.3),
    "today_leptons_cs_wp2020": (5.8, 0.0, None, 3.7, 3.7, 2.9),
    "today_leptons_cs": (3.7, 0.0, None, 3.7, 3.6, 0.0),
    "today_cs": (3.9, 1.9, 2.7, 3.9, 3.8, 3.5),
    "paper_2021_rb": (4.25, 0.0, None, 1.3, 1.3, 1.1),
    "closed_2021_rb": (4.25, 0.0, 0.0, 1.3, 1.3, 1.1),
    "today_leptons_rb": (2.5, 0.0, None, 0.0, 0.0, 0.0),
    "today_rb": (2.2, 0.4, 0.0, 0.0, 0.0, 0.0),
    "forecast": (3.7, 1.5, None, 3.7, 3.7, None),
}
"""Invented joint sigmas, in the order of no Z' and the models."""
BAYES = {
    **dict.fromkeys(("today_leptons_cs", "today_cs"), -2.6),
    **dict.fromkeys(("today_leptons_rb", "today_rb"), -3.5),
    "today_leptons_cs_wp2020": 8.0,
}


def row(likelihood, model, run, joint):
    bayes = 0.0 if model == NO_ZPRIME else BAYES.get(likelihood, 1.25)
    return {
        "run": run,
        "likelihood": likelihood,
        "model": model,
        "ln_bayes_factor": bayes,
        "ln_bayes_factor_err": 0.01,
        "joint_sigma": joint,
        "joint_sigma_at": None,
        "best_fit_chi2": 5.5,
        "chi2_by_term": {"a_mu_2025_wp2025": 0.36},
        "lnZ": -10.5,
        "lnZ_err": 0.02,
    }


def made_up_rows():
    rows = []
    for epoch in EPOCHS:
        data = epoch.likelihood
        for model, joint in zip((NO_ZPRIME, *MODELS), JOINT[data], strict=True):
            if model == NO_ZPRIME:
                rows.append(row(data, model, NO_ZPRIME, joint))
            elif has_run(model, data):
                name = "effective" if model == COMPLETE else model
                rows.append(row(data, name, run_name(model, data), joint))
    for data, run in WHOLE_NUMBERS.items():
        rows.append(row(data, "froggatt_nielsen", run, 3.6 if data == "today_cs" else 0.0))
    return rows


def made_up_region(value):
    keys = [f"{name}_{'max' if largest else 'min'}" for name, largest in QUANTITIES]
    return dict.fromkeys(keys, value)


def made_up(rows=None):
    regions = {run: made_up_region(2.5e-4) for _, run in region_runs()}
    regions["effective_rb"] = made_up_region(None)
    regions["effective_today_rb"] |= {"C_Ae_min": None}
    closed = [f"{model}_closed_{isotope}" for isotope in ("cs", "rb") for model in CLASSES]
    places = {name: Spot(28.4, 3.5e-4, 2e-4) for name in run_names()}
    fits = [Fit.of(one) for one in rows or made_up_rows()]
    varied = {
        (run_name(model, data), variant.words): 1.23 + VARIANTS.index(variant)
        for data in VARIED
        for variant in VARIANTS
        for model in variant.models
    }
    return Numbers(fits, regions, places, dict.fromkeys(closed, 321.0), varied)


def test_page_has_every_number():
    text = render_page(made_up())
    unwrapped = " ".join(text.split())
    for words in (
        "+1.250 ± 0.010", "2.41", "none", "-10.500 ± 0.020", "0.000250 to 0.000250", "nothing",
        "up to 0.00025", "28.4 MeV, 3.5e-04, 0.020 %", "321, 321, 321", "moderate evidence",
        "by 0.6 standard errors", "1.90 and 0.40 for leptons alone", "with quark doublets", "4.23",
        "reaches 3.60 and 0.00",
    ):  # fmt: skip
        assert words in unwrapped
    for epoch in EPOCHS:
        assert text.count(f"(`{epoch.likelihood}`)") == 5


def test_page_of_the_site_has_the_words_of_the_template():
    """Tables and conclusions are not compared, because their numbers differ."""
    published = (Path(__file__).parents[2] / "docs/what-changed.md").read_text(encoding="utf-8")
    blocks = render_page(made_up()).split("\n\n")
    words = [block for block in blocks if not block.startswith(("|", "- "))]
    assert len(words) > 10
    assert [block for block in words if block not in published] == []


def test_a_theorem_is_called_so_where_it_is_proved():
    rows = made_up_rows()
    assert "No class meets both moments." in " ".join(render_page(made_up(rows)).split())
    proved = [one | {"joint_sigma_proved": 1.23456} for one in rows]
    page = " ".join(render_page(made_up(proved)).split())
    assert "The theorem is proved." in page
    assert "(≥ 1.2345)" in page
    assert "A joint sigma in brackets" in page
    assert "in brackets" not in render_page(made_up(rows))
    gap = [one | {"joint_sigma_proved": None} if one["model"] == "sm_u1" else one for one in proved]
    assert "The theorem is proved." not in " ".join(render_page(made_up(gap)).split())


@pytest.mark.parametrize(
    ("likelihood", "model", "changes", "title"),
    [
        ("paper_2021_rb", "froggatt_nielsen", {"joint_sigma": 0.9}, "The paper's data"),
        ("paper_2021_cs", "effective", {"joint_sigma": 0.5}, "The paper's data"),
        ("closed_2021_cs", "nhdm_u1", {"joint_sigma": 2.3}, "What the paper left out"),
        ("closed_2021_rb", "froggatt_nielsen", {"joint_sigma": 0.9}, "What the paper left out"),
        ("today_leptons_cs", "froggatt_nielsen", {"joint_sigma": 1.1}, "Leptons today"),
        ("today_leptons_cs", "sm_u1", {"joint_sigma": 2.0}, "Leptons today"),
        ("today_leptons_rb", "nhdm_u1", {"joint_sigma": 1.1}, "Leptons today"),
        ("today_cs", "effective", {"joint_sigma": 0.9}, "Quarks and charged currents"),
        ("today_cs", "froggatt_nielsen", {"joint_sigma": 0.9}, "Quarks and charged currents"),
        ("today_rb", "effective", {"ln_bayes_factor": -0.5}, "No model wins"),
        (
            "today_leptons_cs_wp2020",
            "sm_u1",
            {"ln_bayes_factor": 1.2},
            "The old prediction of the muon",
        ),
    ],
)
def test_conclusion_that_numbers_do_not_bear_out_is_left_out(likelihood, model, changes, title):
    rows = made_up_rows()
    assert all(claim.holds for claim in draw_conclusions(made_up(rows)))
    [index] = [
        i
        for i, one in enumerate(rows)
        if (one["likelihood"], one["run"]) == (likelihood, run_name(model, likelihood))
    ]
    rows[index] = rows[index] | changes
    assert title in {claim.title for claim in draw_conclusions(made_up(rows)) if not claim.holds}
    assert f"**{title}.**" not in render_page(made_up(rows))


def test_ends_of_priors_are_no_bounds():
    priors = {"m_Zp": LogUniform(lower=1, upper=100), "C_Ae": LogUniform(lower=1e-8, upper=0.1)}
    region = {"m_Zp_min": 1.5, "m_Zp_max": 90.0, "C_Ae_min": 1.001e-8, "C_Ae_max": None}
    assert without_edges(region, priors) == region | {"C_Ae_min": None}


def test_spot_of_a_joint_sigma():
    """Without neutrinos no decay is invisible; C_nu of one flavour counts half of an equal C_V."""
    values = {p.name: 0.0 for p in load_run(find_run_file("quickstart")).posterior.model.parameters}
    at = values | {"m_Zp": 50.0, "C_Ve": 3e-4, "C_Ae": 4e-4}
    fit = Fit.of(row("paper_2021_cs", "effective", "quickstart", 0.0) | {"joint_sigma_at": at})
    nowhere = Fit.of(row("paper_2021_cs", "sm_u1", "x", None))
    found = find_spots([fit, nowhere])
    assert found == {"quickstart": Spot(50.0, pytest.approx(5e-4), 0.0)}
    fit = replace(fit, joint_sigma_at=values | {"m_Zp": 50.0, "C_Ve": 1e-4, "C_nue": 1e-4})
    assert find_spots([fit])["quickstart"].invisible == pytest.approx(1 / 3, rel=1e-3)


def test_command_writes_numbers_and_the_page(monkeypatch, workspace, accepted, rejected):
    rows = made_up_rows()
    monkeypatch.setattr(epochs, "workers", lambda _: nullcontext())
    monkeypatch.setattr(epochs, "compute", lambda *_: (made_up(rows), ["a fit failed"]))
    assert "what-changed.md" in accepted("epochs", "--output", "out")
    before = Path("out/what-changed.md").read_text(encoding="utf-8")
    assert "+1.250 ± 0.010" in before
    numbers = json.loads(Path("out/epochs.json").read_text(encoding="utf-8"))
    assert [one["run"] for one in numbers["fits"]] == [one["run"] for one in rows]
    assert numbers["varied"][0]["joint_sigma"] == 1.23
    assert "already holds" in rejected("epochs", "--output", "out")
    printed = accepted("epochs", "--output", "out", "--force", "--json")
    assert json.loads(printed) == {"written": ["out/what-changed.md", "out/epochs.json"]}
    assert Path("out/what-changed.md").read_text(encoding="utf-8") == before
    [today] = [i for i, one in enumerate(rows) if one["run"] == "nhdm_u1_today_leptons_rb"]
    rows[today]["joint_sigma"] = 1.5
    message = rejected("epochs", "--output", "out", "--force")
    assert "written without 'Leptons today', which the numbers no longer bear out" in message
    assert "**Leptons today.**" not in Path("out/what-changed.md").read_text(encoding="utf-8")


def test_nothing_is_searched_where_a_joint_sigma_forbids_it():
    jobs = region_jobs(made_up().fits)
    assert list(jobs) == [run for _, run in region_runs()]
    searched = {run for run, job in jobs.items() if job is not no_region}
    assert {"quickstart", "effective_today_rb"} <= searched
    assert not {"effective_today_cs", "effective_forecast"} & searched
    assert set(no_region().values()) == {None}


@pytest.mark.slow
def test_allowed_region_of_the_paper():
    """Independent numbers of Sec. III without neutrinos; couplings to them widen the ranges a
    little."""
    region = allowed_region("quickstart")
    assert region["m_Zp_min"] == pytest.approx(17.205, rel=3e-3)
    assert region["m_Zp_max"] == pytest.approx(38.213, rel=3e-3)
    assert region["C_Ae_min"] == pytest.approx(1.361e-4, rel=1e-2)
    assert region["C_Ae_max"] == pytest.approx(3.250e-4, rel=3e-3)
    assert region["C_Vmu_min"] == pytest.approx(4.736e-4, rel=3e-3)
