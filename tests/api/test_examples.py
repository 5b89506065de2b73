"""Run the examples of the public API, from one source to all kinds of results."""

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import zpfit

pytestmark = pytest.mark.usefixtures("quick_fits")

SMALL = {"engine": "vegas"}
FEW = {"starts": 50}


@pytest.fixture(scope="module")
def result() -> zpfit.Result:
    return zpfit.fit("L_mu-L_tau_cs", sampler=SMALL, best_fit=FEW)


def test_samples_table_and_terms(result: zpfit.Result) -> None:
    q95 = result.summary["posterior"]["g_prime"]["q95"]
    assert result.samples["g_prime"].quantile(0.95) == pytest.approx(q95, rel=1e-12)
    lower, upper = result.problem.posterior.priors.support("g_prime")
    assert result.samples["g_prime"].between(lower, upper).all()
    assert set(result.best_fit) == {"m_Zp", "g_prime", "eps"}
    assert isinstance(result.terms, pd.DataFrame)
    assert result.converged is (not result.shortcomings)
    assert (result.log_z, result.log_z_error) == (
        result.summary["evidence"]["log_z"],
        result.summary["evidence"]["error"],
    )


def test_objects_of_other_programs(result: zpfit.Result) -> None:
    tree = result.to_arviz()
    assert set(result.problem.posterior.priors.varying) <= set(tree["posterior"].data_vars)
    weighted_mean = result.samples["m_Zp"].mean()
    assert result.to_anesthetic()["m_Zp"].mean() == pytest.approx(weighted_mean)
    assert result.to_getdist().mean("m_Zp") == pytest.approx(weighted_mean)


def test_a_dictionary_with_a_changed_set() -> None:
    dropped = zpfit.Likelihood("today_leptons_cs", drop=["a_e_cs_2023"])
    problem = zpfit.load({"model": "L_mu-L_tau", "likelihood": dropped})
    assert "a_e_cs_2023" not in problem.posterior.likelihood.names


def test_points_that_are_excluded_say_by_what() -> None:
    frame = zpfit.evaluate({"m_Zp": [18, 22], "C_Ae": 1.6e-4}, likelihood="paper_2021_cs")
    assert frame["excluded_by"].tolist() == [["na64_2020"], []]


def test_a_function_is_a_model(tmp_path: Path) -> None:
    def leptophilic(m_Zp, g):
        return {"C_Ve": g, "C_Vmu": g}

    found = zpfit.fit(
        {
            "model": leptophilic,
            "likelihood": "paper_2021_cs",
            "priors": {
                "parameters": {
                    "m_Zp": {"type": "log_uniform", "lower": 1, "upper": 100},
                    "g": {"type": "log_uniform", "lower": 1e-8, "upper": 1e-1},
                }
            },
        },
        sampler=SMALL,
        best_fit=FEW,
    )
    assert set(found.best_fit) == {"m_Zp", "g"}


@pytest.mark.drawn
def test_an_exclusion_plane_is_drawn() -> None:
    found = zpfit.exclusion(
        x=("m_Zp", 5, 50),
        y=("C_Ae", 5e-5, 1e-3, "log"),
        likelihood={"set": "paper_2021_cs", "drop": ["a_mu_2021"]},
        solve={"C_Ve": ("delta_a_e", -8.7e-13)},
    )
    assert isinstance(found.plot(), Figure)


def test_points_of_different_lengths_are_refused() -> None:
    with pytest.raises(zpfit.ZpfitError, match="m_Zp has 2, C_Ve has 3"):
        zpfit.evaluate({"m_Zp": [1, 2], "C_Ve": [1, 2, 3]})
