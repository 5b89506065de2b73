"""What changed since the paper: the runs and the page."""

from pathlib import Path

import pytest

from zpfit import epochs
from zpfit.compare import NO_ZPRIME
from zpfit.config import RunFile, find_run_file
from zpfit.epochs import EPOCHS, MODELS, QUANTITIES, allowed_region, page, run_names
from zpfit.library import Library
from zpfit.schema import validate
from zpfit.yaml_file import read_yaml


def test_every_model_has_a_run_with_every_epoch():
    asked = set()
    for name in run_names():
        settings = validate(RunFile, read_yaml(find_run_file(name)))
        asked.add((settings.model.name, settings.likelihood.set))
    assert asked == {(model, epoch.likelihood) for model in MODELS for epoch in EPOCHS}


def test_every_epoch_is_a_set():
    known = Library.beside().names("likelihood set")
    assert {epoch.likelihood for epoch in EPOCHS} <= set(known)


def made_up_rows():
    return [
        {
            "likelihood": epoch.likelihood,
            "model": model,
            "ln_bayes_factor": 1.25,
            "ln_bayes_factor_err": 0.01,
            "joint_sigma": None if model == "sm_u1" else 0.75,
            "best_fit_chi2": 5.5,
            "lnZ": -10.5,
            "lnZ_err": 0.02,
        }
        for epoch in EPOCHS
        for model in (NO_ZPRIME, *MODELS)
    ]


def made_up_region(value):
    keys = [f"{name}_{'max' if largest else 'min'}" for name, largest in QUANTITIES]
    return dict.fromkeys(keys, value)


def test_page_has_every_number():
    regions = {epoch.likelihood: made_up_region(2.5e-4) for epoch in EPOCHS}
    regions["paper_2021_rb"] = made_up_region(None)
    text = page(made_up_rows(), regions)
    for words in ("+1.25 ± 0.01", "0.75", "none", "-10.50 ± 0.02", "0.00025-0.00025", "nothing"):
        assert words in text
    for epoch in EPOCHS:
        assert text.count(f"`{epoch.likelihood}`") == 4


def test_command_fits_every_run_and_writes_the_page(monkeypatch, workspace, accepted, rejected):
    asked = []

    def compared(names, *_, force):
        asked.extend(names)
        return made_up_rows(), ["a plot failed"]

    monkeypatch.setattr(epochs, "compare_all", compared)
    monkeypatch.setattr(epochs, "allowed_region", lambda _: made_up_region(2.5e-4))
    assert "what-changed.md" in accepted("epochs", "--output", "out")
    assert asked == run_names()
    before = Path("out/what-changed.md").read_text(encoding="utf-8")
    assert "+1.25 ± 0.01" in before
    assert "already holds what-changed.md" in rejected("epochs", "--output", "out")
    accepted("epochs", "--output", "out", "--force")
    assert Path("out/what-changed.md").read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_allowed_region_of_the_paper():
    """Independent numbers of Sec. III without neutrinos; couplings to these widen it a little."""
    region = allowed_region("paper_2021_cs")
    assert region["m_Zp_min"] == pytest.approx(17.205, rel=3e-3)
    assert region["m_Zp_max"] == pytest.approx(38.213, rel=3e-3)
    assert region["C_Ae_min"] == pytest.approx(1.361e-4, rel=1e-2)
    assert region["C_Ae_max"] == pytest.approx(3.250e-4, rel=3e-3)
    assert region["C_Vmu_min"] == pytest.approx(4.736e-4, rel=3e-3)
