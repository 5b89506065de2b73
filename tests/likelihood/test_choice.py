"""A choice of data in Python gives the same likelihood as a run file."""

from pathlib import Path
from typing import Any

import pytest

import zpfit
from zpfit import Likelihood
from zpfit.errors import InvalidInput
from zpfit.likelihood.build import LikelihoodSpec


def problem(likelihood: Any) -> Any:
    return zpfit.load({"model": "effective", "likelihood": likelihood})


def test_a_choice_stands_for_the_mapping_of_a_run_file() -> None:
    chosen = Likelihood(
        "today_leptons_cs", drop=["a_e_cs_2023"], soft=("kloe_2015",), hard=["bbn_2020"]
    )
    written = {
        "set": "today_leptons_cs",
        "drop": ["a_e_cs_2023"],
        "soft": ["kloe_2015"],
        "hard": ["bbn_2020"],
    }
    found, expected = problem(chosen), problem(written)
    assert found.settings == expected.settings
    assert found.data_hash() == expected.data_hash()
    assert found.posterior.likelihood.name == expected.posterior.likelihood.name
    assert type(found.settings.likelihood) is LikelihoodSpec


def test_entries_and_limit_files_are_added(workspace: Path) -> None:
    path = workspace / "mine.lmt"
    path.write_text("1e-2 9e-4\n4e-2 8e-4\n", encoding="utf-8")
    other = {"curve": str(path), "name": "other", "search": "invisible"}
    chosen = Likelihood(add=["a_e_cs_2018", path, other], nuisances={})
    likelihood = problem(chosen).posterior.likelihood
    assert [term.name for term in likelihood.measurements] == ["a_e_cs_2018"]
    assert [term.name for term in likelihood.exclusions] == ["mine", "other"]


def test_names_are_looked_up_when_the_run_is_loaded() -> None:
    chosen = Likelihood("today_css")
    with pytest.raises(InvalidInput, match=r"likelihood\.set: unknown likelihood set"):
        problem(chosen)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"drop": "a_e_cs_2023"}, "Likelihood: drop: must be a list, not 'a_e_cs_2023'"),
        ({"drop": [3]}, "Likelihood: drop.0: must be text, not 3"),
        ({"set": 3}, "Likelihood: set: must be text, not 3"),
        ({"nuisances": {"be7_flux": -1.0}}, "Likelihood: nuisances.be7_flux: "),
    ],
)
def test_arguments_of_the_wrong_type(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Likelihood(**given)
    assert words in str(caught.value)
