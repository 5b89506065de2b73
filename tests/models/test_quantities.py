"""Names of parameters, couplings and derived quantities."""

import numpy as np
import pytest
from helpers_models import assert_mentions, python_fit, write

from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.models.quantities import RESERVED, problems_of_names
from zpfit.physics.couplings import Couplings

GIVEN = {"m_Zp": np.array([10.0, 20.0]), "C_Ve": np.array([1e-4, 2e-4])}


def function(argument, returned):
    return f"def mine(m_Zp, {argument}):\n    return {returned}\n"


def priors(name):
    return f"    m_Zp: 17\n    {name}: {{type: log_uniform, lower: 1e-6, upper: 1e-3}}\n"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_of_the_columns_of_samples_are_refused(rejected, name):
    python_fit(function(name, f"{{'C_Ve': {name}}}"), parameters=priors(name))
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "fit.yaml:", "model", f"parameter {name!r}", "rename")


def test_a_parameter_like_a_coupling_must_be_that_coupling(accepted, rejected):
    python_fit(function("C_Ve", "{'C_Ve': C_Ve, 'C_Vmu': C_Ve}"), parameters=priors("C_Ve"))
    accepted("validate", "fit.yaml")
    write("my.py", function("C_Ve", "{'C_Ve': 2 * C_Ve}"))
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, "C_Ve = ", "the coupling of this name is ", "rename one of the two")
    # A coupling that is not returned is zero.
    write("my.py", function("C_Ve", "{'C_Vmu': C_Ve}"))
    assert "the coupling of this name is 0" in rejected("validate", "fit.yaml")


class Derived(Model):
    """A model with one derived quantity."""

    name = "with_derived"
    parameters = (MASS, Parameter("C_Ve", "C"))

    def __init__(self, name, factor):
        self._name, self._factor = name, factor

    def couplings(self, values):
        return Couplings.of(m_Zp=values["m_Zp"], C_Ve=values["C_Ve"], C_Vmu=3 * values["C_Ve"])

    def derived(self, values):
        return {self._name: self._factor * values["C_Ve"]}


@pytest.mark.parametrize(
    ("name", "factor", "words"),
    [
        ("width", 2, []),
        ("C_Ve", 1, []),
        ("C_Ve", 2, ["derived quantity of this name is 0.0002"]),
        ("C_Vmu", 3, []),
        ("C_Vmu", 2, ["C_Vmu = 0.0003: the derived quantity of this name is 0.0002"]),
        ("weight", 2, ["derived quantity 'weight'"]),
        ("a/b", 2, ["cannot be in a name"]),
    ],
)
def test_a_derived_quantity_has_a_name_of_its_own(name, factor, words):
    found = problems_of_names(Derived(name, factor), GIVEN)
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


@pytest.mark.parametrize("given", ["\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"])
@pytest.mark.parametrize("typed", ["\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"])
def test_mu_is_one_letter_in_every_name(accepted, given, typed):
    model = f"parameters: {{g_{given}: {{symbol: g, largest: 0.1}}}}\n"
    model += f"couplings: {{C_Vmu: {{g_{given}: 1}}}}\n"
    texts = "type: couplings\ntitle: x\ndescription: x\nreference: x\n"
    write(f"models/to_{given}.yaml", texts + model)
    prior = "{type: uniform, lower: 0, upper: 0.1}"
    run = f"model: to_{typed}\nlikelihood: paper_2021_cs\n"
    write("fit.yaml", f"{run}priors: {{parameters: {{m_Zp: 20, g_{typed}: {prior}}}}}\n")
    assert "1 sampled" in accepted("validate", "fit.yaml")
    changed = accepted("validate", "fit.yaml", "--set", f"priors.parameters.g_{typed}={prior}")
    assert "1 sampled" in changed
    point = accepted("evaluate", "--model", f"to_{typed}", "--at", f"m_Zp=20 g_{typed}=1e-4")
    assert "C_Vmu" in point
    assert "valid model" in accepted("validate", f"to_{typed}")


def test_letters_mean_what_they_mean_in_python(accepted):
    """Python reads the micro sign as the Greek letter."""
    code = function("\N{MICRO SIGN}", "{'C_Ve': \N{MICRO SIGN}}")
    python_fit(code, parameters=priors("\N{MICRO SIGN}"))
    assert "1 sampled" in accepted("validate", "fit.yaml")
