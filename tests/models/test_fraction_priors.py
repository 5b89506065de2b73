"""Test priors over whole numbers and fractions, with models of charges."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers_models import (
    COUPLINGS,
    MASS,
    SIMPLE,
    SMALL,
    Command,
    assert_mentions,
    fit_file,
    python_fit,
    write,
)

from zpfit.errors import OutsidePrior
from zpfit.inference.priors import Fractions, Priors, Uniform


@pytest.mark.parametrize(
    ("largest", "denominator", "steps"), [(2, 1, 2), (2, 3, 6), (1.5, 2, 3), (0.7, 10, 7)]
)
def test_fractions(largest: float, denominator: int, steps: int):
    prior = Fractions(largest=largest, denominator=denominator)
    u = np.linspace(0, 1, 10_001)
    values = [float(Fraction(k, denominator)) for k in range(-steps, steps + 1)]
    found, counts = np.unique(prior.ppf(u), return_counts=True)
    np.testing.assert_allclose(found, values, atol=1e-15)
    np.testing.assert_allclose(counts / len(u), prior.step_width, atol=2e-4)
    assert prior.step_width * len(values) == pytest.approx(1)
    assert prior.support() == (values[0], values[-1])
    centres = [(k + 0.5) / len(values) for k in range(len(values))]
    np.testing.assert_allclose([prior.cdf(value) for value in values], centres, atol=1e-12)
    assert prior.ppf(np.array(centres)).tolist() == values


def test_fractions_on_the_unit_cube_and_back():
    priors = Priors({"z": Fractions(largest=4, denominator=3), "g": Uniform(lower=0, upper=1)})
    for z in (-4, -1 / 3, 0, 2 / 3, 4):
        u = priors.to_unit_cube({"z": z, "g": 0.25})
        back = priors.transform(u[None])
        assert math.isclose(back["z"][0], z, abs_tol=1e-15)
        assert back["g"][0] == 0.25
    for z in (0.5, 13 / 3, -5, 0.3333):
        with pytest.raises(OutsidePrior, match=r"z = .*fractions: largest 4, denominator 3"):
            priors.to_unit_cube({"z": z, "g": 0.25})


FRACTIONS = "    g: {type: fractions, largest: 2, denominator: 3}\n"


@pytest.mark.parametrize("g", ["0.5", "3", "-2.3333333"])
def test_a_starting_point_that_is_no_such_fraction(rejected: Command, g: str):
    python_fit(SIMPLE, parameters=MASS + FRACTIONS)
    points = f"best_fit.points=[{{m_Zp: 17, g: 0.66666666666667}}, {{m_Zp: 17, g: {g}}}]"
    message = rejected("validate", "fit.yaml", "--set", points)
    assert_mentions(message, "best_fit.points.1", f"g = {float(g):g}", "fractions: largest 2")
    assert "points.0" not in message


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        ("largest: 0.3, denominator: 3", ["g: ", "largest (0.3)", "below 1/denominator"]),
        ("largest: 2, denominator: 1.5", ["g.denominator", "must be an integer", "1.5"]),
        ("largest: 2, denominator: 1/3", ["g.denominator", "must be an integer", "'1/3'"]),
        ("largest: 2, denominator: 0", ["g.denominator", "at least 1", "not 0"]),
        ("largest: 2, denominator: 2000", ["g.denominator", "1000", "not 2000"]),
        ("largest: -2", ["g.largest", "greater than 0", "not -2"]),
        ("largest: .inf", ["g.largest", "finite", "inf"]),
        ("largest: 1e9", ["g.largest", "10000"]),
        ("denominator: 2", ["g.largest", "is missing"]),
        ("largest: 2, denom: 2", ["g.denom", "did you mean 'denominator'"]),
    ],
)
def test_mistake_in_fractions(rejected: Command, prior: str, words: list[str]):
    python_fit(SIMPLE, parameters=MASS + f"    g: {{type: fractions, {prior}}}\n")
    place, *rest = words
    message = rejected("validate", "fit.yaml")
    assert_mentions(message, f"fit.yaml:6: priors.parameters.{place}", *rest)


def test_fractions_beyond_the_domain(rejected: Command):
    write("models/own.yaml", COUPLINGS)
    fit_file("own", MASS + FRACTIONS)
    message = rejected("validate", "fit.yaml")
    assert_mentions(
        message, "fit.yaml:6: priors.parameters.g: ", "-2 to 2", "between -1 and 1", "narrow"
    )


@pytest.mark.usefixtures("few_draws")
def test_a_run_with_fractions(accepted: Command):
    code = "def mine(m_Zp, z, n):\n    return {'C_Vmu': 3e-4 * z, 'C_Ve': 1e-4 * n}\n"
    charges = "    z: {type: fractions, largest: 2, denominator: 3}\n    n: {type: tied, to: z}\n"
    python_fit(code, parameters=MASS + charges)
    accepted("run", "fit.yaml", *SMALL, "--output", "out")
    summary = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
    best = summary["best_fit"]["parameters"]
    assert 3 * best["z"] == pytest.approx(round(3 * best["z"]), abs=1e-12)
    assert best["z"] == best["n"]
    assert "valid" in accepted("validate", "out/config.yaml")
