"""Test that no table of a command loses a number or a name on a narrow terminal."""

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import zpfit
from zpfit.api.atlases import Survival
from zpfit.api.data_checks import DataCheck
from zpfit.cli import output
from zpfit.cli.atlas import print_set
from zpfit.cli.atlas_screens import print_ranking, print_survival
from zpfit.cli.campaign import print_campaign
from zpfit.cli.compare import print_comparison
from zpfit.cli.coverage import print_coverage
from zpfit.cli.data import print_data, print_list, print_named
from zpfit.cli.exclusion import print_exclusion
from zpfit.cli.limit import print_limit
from zpfit.cli.profile import print_profile
from zpfit.cli.run import print_summary
from zpfit.cli.studies import print_paper
from zpfit.cli.tension import print_tension
from zpfit.cli.toys import print_toys
from zpfit.io.library import Library
from zpfit.likelihood.check import DataCheck as CheckedData
from zpfit.likelihood.library import read_entry, read_set

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?(?![\w.])")
FOLDER = Path("folder")
_RUNS = ["froggatt_nielsen_charges_today_cs", "nhdm_u1_today_leptons_rb", "L_mu-L_tau_paper_cs"]
_TERMS = ["a_e_cs_2023_lattice", "na64_invisible_2023_annihilation", "a_mu_2025_wp2025"]
_POINT: dict[str, Any] = {
    "chi2": 12.3456,
    "parameters": {"m_Zp": 17.654, "tan_beta_of_the_first_doublet": -0.0123},
    "terms": {
        name: {"measured": -8.76e-13, "errors": [3.61e-13, 2.9e-13], "prediction": 1.2345e-12,
               "pull": -12.34, "chi2": 1234.567}
        for name in _TERMS
    },
    "exclusions": {name: {"ratio": 8.123e-22, "chi2": 0.456} for name in _TERMS},
}  # fmt: skip
_MARGINAL = {
    "median": 0.0005351, "q16": 0.0004412, "q84": 0.0006513, "ess": 153647.0, "rhat": 1.0003,
    "information_gain": 4.1, "prior_dominated": True, "best_fit_at_end_of_prior": True,
}  # fmt: skip
_LIMIT = {"probability": 0.95, "delta_chi2": 2.71, "posterior": 9.48e-6,
          "profile_at_least": 2.84e-5, "reaches_end_of_prior": False}  # fmt: skip
_SUMMARY: Any = {
    "title": "Gauged L_mu - L_tau with free kinetic mixing and a title of many words",
    "best_fit": _POINT,
    "no_zprime": {"chi2": 24.4468},
    "posterior": {
        "m_Zp": _MARGINAL, "tan_beta_of_the_first_doublet": {**_MARGINAL, "size_limit": _LIMIT},
    },
    "evidence": {"log_z": -10.2713, "error": 0.0052, "evaluations": 300_000,
                 "effective_fraction": 3e-5, "largest_weight": 0.0061, "information": 6.64,
                 "dimensionality": 3.1},
    "impossible_prior_fraction": 0.98765,
    "curve_reach": {},
    "unverified": {},
    "shortcomings": [],
}  # fmt: skip
_ROWS: Any = [
    {
        "run": name, "model": name, "data": 1, "likelihood": "today_cs -a_mu_2025",
        "parameters": 12,
        "best_fit_chi2": 123.45, "delta_chi2": -67.89, "aic": 147.4, "bic": 151.2,
        "joint_sigma": 1.13, "joint_sigma_proved": 1.12, "probability_both_within_1_sigma": 0.012,
        "lnZ": -123.4567, "lnZ_err": 0.0123, "ln_bayes_factor": -12.34, "information": 34.5,
        "evidence": "strong evidence against it", "dimensionality": 5.6, "reference": "no_zprime",
        "ranks": {"default": 1, "wider": 2, "narrower": 3}, "rank_changes": True,
        "prior_sensitivity": {k: {"lnZ": -125.6789, "lnZ_err": 0.0456}
                              for k in ("wider", "narrower")},
        "chi2_by_term": {term: 98.76 + i for i, term in enumerate(_TERMS)}, "shortcomings": [],
    }
    for name in _RUNS
]  # fmt: skip
_TENSION: Any = {
    "title": "Tension", "joint_sigma": 1.23, "best_fit_chi2": 12.345, "shortcomings": [],
    "pulls": {n: {"best_fit": -1.23, "predictive": 2.34, "p_value": 1.2e-5} for n in _TERMS},
    "parameter_goodness": {
        "by_group": {n: {"terms": 12, "rank": 7, "chi2": 123.456} for n in _TERMS},
        "rank": 8, "chi2": 34.567, "dof": 9, "p_value": 0.0123, "sigma": 2.51,
    },
    "evidence": {
        "by_group": {n: {"log_z": -123.456, "error": 0.012, "information": 34.56,
                         "information_err": 0.03, "dimensionality": 5.67,
                         "dimensionality_err": 0.11} for n in _TERMS},
        "together": {"log_z": -223.456, "error": 0.022, "information": 44.56,
                     "information_err": 0.04, "dimensionality": 6.67, "dimensionality_err": 0.21},
        "log_r": 1.5, "log_r_err": 0.02, "log_i": 2.5, "log_i_err": 0.03, "log_s": -1.25,
        "log_s_err": 0.04, "dimensionality": 3.4, "dimensionality_err": 0.12, "p_value": 0.0312,
        "sigma": 2.15, "sigma_err": 0.11,
    },
}  # fmt: skip


def test_noise_is_no_prediction_and_no_influence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    terms = {"w_width": _POINT["terms"][_TERMS[0]] | {"prediction": 7.5e-33}}
    influences = {"less than 0.01": 1e-9, "at most -1.2 (w_width)": -1.234}
    for words, influence in influences.items():
        more = {"unverified": {"w_width": "?"}, "unverified_influence": {"w_width": influence}}
        print_summary(_SUMMARY | more | {"best_fit": _POINT | {"terms": terms}}, FOLDER)
        printed = capsys.readouterr().out
        assert f"ln B changes by {words} if" in printed
        assert "e-33" not in printed


def test_a_joint_sigma_of_zero_is_met_by_its_point(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    for sigma, proved, words in ((2e-4, None, "met"), (1.13, 1.1234, "> 1.123"), (1.13, None, "-")):
        row = _ROWS[0] | {"joint_sigma": sigma, "joint_sigma_proved": proved}
        print_comparison([row], None)
        line = next(text for text in capsys.readouterr().out.splitlines() if "0.012" in text)
        assert line.split(f"{sigma:.2f}")[1].split("0.012")[0].strip(" │") == words


def limit_record(*, one_sided: bool) -> Any:
    upper = {"profile": 1.234e-4, "posterior": 5.678e-4, "at_end_of_prior": True}
    ends = [[-1.234e-4, 5.678e-4], [0.00123, 0.00456]]
    own = upper if one_sided else {"profile_intervals": ends, "posterior_intervals": ends}
    levels = [{"probability": p, "delta_chi2": 2.7, **own} for p in (0.9, 0.95, 0.9973)]
    points = [{"fixed": {"m_Zp": mass}, "levels": levels} for mass in (2.5, 900.0)]
    points.append({"fixed": {"m_Zp": 17.3}, "levels": []})
    return {
        "title": "L_mu - L_tau", "parameter": {"name": "g_prime", "unit": ""},
        "one_sided": one_sided, "scan": {"name": "m_Zp", "unit": "MeV"}, "points": points,
        "shortcomings": [],
    }  # fmt: skip


def profile_record(axes: int) -> Any:
    area = {"area": 0.00012345}
    ends = {"intervals": [[0.4012, 0.4087], [12.34, 567.8]]}
    levels = [{"probability": p, "delta_chi2": d, **(ends if axes == 1 else area)}
              for p, d in ((0.6827, 1.0), (0.9545, 4.0))]  # fmt: skip
    names = ["m_Zp", "tan_beta_of_the_first_doublet"][:axes]
    return {
        "title": "A profile", "axes": [{"name": name, "unit": "MeV"} for name in names],
        "profile": {"levels": levels, "jumps": 0}, "best_fit": _POINT, "shortcomings": [],
        "posterior": {"levels": levels, "mode": _POINT["parameters"]},
    }  # fmt: skip


def toys_record() -> Any:
    row = {
        "observed": 123.456, "toys_quantiles": {"median": 98.765}, "p_value": 0.01234,
        "p_interval": [0.01201, 0.01267], "p_upper_limit": None, "sigma": 2.51,
        "naive_p_value": 0.00345, "naive_dof": 12,
    }  # fmt: skip
    return {
        "title": "Toys", "hypothesis": "best-fit", "model": "nhdm_u1", "nested": None,
        "toys": 12345, "statistics": {"chi2": row, "delta_chi2": row, "joint_sigma": row},
        "rates": {"computed_now": 0}, "shortcomings": [],
    }  # fmt: skip


def coverage_record() -> Any:
    row = {"of": 1000, "fraction": 0.6827, "interval": [0.6678, 0.6972]}
    levels = {kind: {"68": row, "95": row} for kind in ("profile", "credible")}
    names = ["g_prime", "tan_beta_of_the_first_doublet"]
    return {
        "title": "Coverage", "toys": 1000, "truth": dict.fromkeys(names, 0.000123),
        "parameters": dict.fromkeys(names, levels), "shortcomings": [],
    }  # fmt: skip


def campaign_record() -> Any:
    cell = {
        "fits": 12, "converged": 11, "chi2": 123.45, "log_z": -123.4567, "log_z_error": 0.0123,
        "log_bayes_factor": -12.34, "log_z_scatter": 0.0234, "log_z_error_of_one": 0.0345,
    }  # fmt: skip
    cells = [{"name": f"{run}_today_cs_wider_priors", **cell} for run in _RUNS]
    return {"title": "A campaign", "cells": cells, "fits": []}


def exclusion_record() -> Any:
    region = {"kind": "excluded", "sigma": None, "level": 0.9, "share": 0.0001234}
    reference = {"kind": "no_zprime", "cl": 0.9, "delta_chi2": 4.605, "parameters": 2}
    regions = [{"name": name, **region} for name in _TERMS]
    allowed = {"share": 0.000321, "x": [17.123, 17.234], "y": [1.2e-4, 3.4e-3]}
    return {
        "likelihood": "today_cs", "x": {"name": "m_Zp"}, "y": {"name": "C_Ae"},
        "regions": regions, "allowed": allowed, "notes": [],
        "reference": {**reference, "curves": "published"},
    }  # fmt: skip


def claims() -> Any:
    row = {
        "place": "Fig. 2a and the text", "relation": "<", "paper": 1.628, "computed": 1.788,
        "computed_curve": 1.6789, "agrees": False, "agrees_curve": True, "note": "",
    }  # fmt: skip
    return SimpleNamespace(claims=[{"id": f"joint_sigma_of_{run}", **row} for run in _RUNS])


def checked() -> DataCheck:
    library = Library.beside()
    entries = tuple(read_entry(library, name) for name in [*_TERMS, "coherent_csi_2021"])
    sets = {name: read_set(library, name) for name in ("today_leptons_cs", "forecast")}
    return DataCheck(CheckedData(entries, sets, ()))


def atlas_screen_record() -> Any:
    species = ("L_e", "L_mu", "L_tau", "e_R", "mu_R", "tau_R", "nu_1", "nu_2", "nu_3")
    row = {
        "integers": {"N_e": -12, "A_e": 10, "N_mu": -11, "A_mu": -10, "N_tau": 9},
        "chi2": 12.345, "delta_chi2": -1.234, "m_Zp": 87.6, "g_prime": 1.23e-5,
        "ln_bayes_factor": -2.95, "joint_sigma": 3.69, "sets": 123456, "first": 7654321,
        "charges": {name: [10, -10, i] for i, name in enumerate(species)},
    }  # fmt: skip
    found = {
        "gain": 15.25, "signatures": 6885, "measurements": 12, "local_p": 1.6e-3,
        "local_sigma": 3.2, "p_by_signatures": 1.0, "p_by_data": 0.23, "p_upper_limit": 0.23,
        "sigma_lower_limit": 1.2,
    }  # fmt: skip
    factors = {
        "log_z_without": -8.6, "largest": -1.63, "largest_error": 0.02, "median": -2.82,
        "positive": 0, "integers": row["integers"],
    }  # fmt: skip
    record = {"title": "today_leptons_cs, zero", "signatures": 506245, "best": [row, row]}
    chi2 = {"chi2_without": 17.202, "chi2_dark_photon": 16.543}
    return record | chi2 | {"look_elsewhere": found, "evidence": factors}


def survival() -> Survival:
    counts = {4.0: 123456, 9.0: 23456, 16.0: 345}
    flavours = {"universal": 12, "two_alike": 345, "universal_doublets": 6789, "general": 16310}
    return Survival(506245, counts, 21546920, {b: 9 * n for b, n in counts.items()}, 9.0, flavours)


_TABLES: dict[str, Callable[[], None]] = {
    "run": lambda: print_summary(_SUMMARY, FOLDER),
    "compare": lambda: print_comparison(_ROWS, None),
    "tension": lambda: print_tension(_TENSION),
    "upper limits": lambda: print_limit(limit_record(one_sided=True)),
    "intervals": lambda: print_limit(limit_record(one_sided=False)),
    "profile": lambda: print_profile(profile_record(1)),
    "plane": lambda: print_profile(profile_record(2)),
    "toys": lambda: print_toys(toys_record()),
    "coverage": lambda: print_coverage(coverage_record()),
    "campaign": lambda: print_campaign(campaign_record(), FOLDER),
    "exclusion": lambda: print_exclusion(exclusion_record()),
    "paper": lambda: print_paper(claims(), FOLDER),
    "list": lambda: print_list("likelihoods"),
    "show": lambda: print_named("nhdm_u1"),
    "data check": lambda: print_data(checked()),
    "atlas set": lambda: print_set(zpfit.atlas(1)[2], "zero"),
    "atlas screen": lambda: print_ranking(atlas_screen_record()),
    "atlas survivors": lambda: print_survival(survival()),
}


@pytest.mark.parametrize(("kind", "width"), list(product(_TABLES, (80, 60))))
def test_a_narrow_terminal_shows_every_number(
    kind: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    printed = {}
    for columns in (1000, width):
        monkeypatch.setenv("COLUMNS", str(columns))
        _TABLES[kind]()
        printed[columns] = capsys.readouterr().out
    narrow = printed[width]
    assert "\u2026" not in narrow
    rules = [line for line in narrow.splitlines() if "\u2500" in line]
    assert rules or kind == "list"
    assert max(map(len, rules), default=0) <= width
    numbers = set(_NUMBER.findall(printed[1000]))
    assert len(numbers) > 3
    assert numbers <= set(_NUMBER.findall(narrow))


def test_every_command_with_a_table_is_here():
    """A module that makes a table prints it in one of the tests above."""
    tested = {"run", "compare", "tension", "limit", "profile", "toys", "coverage", "campaign"}
    tested |= {
        "exclusion",
        "studies",
        "atlas",
        "atlas_screens",
        "data",
        "tables",
        "output",
        "fitted",
    }
    folder = Path(output.__file__).parent
    making = {path.stem for path in folder.glob("*.py") if "add_column" in path.read_text("utf-8")}
    assert making <= tested


def test_columns_of_a_wide_table_begin_with_its_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "30")
    made = output.table("title", caption="the caption")
    for heading in ("name", "one", "two", "three"):
        made.add_column(heading, justify="left" if heading == "name" else "right")
    made.add_row("babar_2014_envelope", "1.234567", "2.345678", "3.456789")
    output.print_table(made)
    printed = capsys.readouterr().out
    assert printed.count("babar_2014_") == 3
    assert printed.count("title") == printed.count("the caption") == 1
