"""Files and helpers of the tests of users' own models."""

import json
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., str]

MEASUREMENTS = "likelihood: {add: [a_mu_2021, a_e_cs_2018]}\n"
MASS = "    m_Zp: {type: uniform, lower: 5, upper: 50}\n"
G = "    g: {type: log_uniform, lower: 1e-5, upper: 1e-2}\n"
SMALL = [
    word
    for change in (
        "sampler.walkers=32",
        "sampler.max_steps=40",
        "sampler.target_ess=10",
        "best_fit.starts=50",
    )
    for word in ("--set", change)
]
AT = ("--likelihood", "paper_2021_cs", "--at")

CHARGES = """\
type: charges
title: mine
description: Charges of my own
reference: none
charges: {e: 1, mu: {L: -2, R: -2}, tau: 0}
"""
COUPLINGS = """\
type: couplings
title: mine
description: Couplings of my own
reference: none
parameters:
  g: {symbol: g}
couplings:
  C_Vmu: {g: 2}
"""
VECTORISED = """\
import numpy as np

def mine(m_Zp, g, extra=0.0):
    return {"C_Vmu": np.where(m_Zp > 20, np.sqrt(g), g) + extra, "C_Ve": 1e-5 * g}
"""
POINTWISE = """\
import math

def mine(m_Zp, g, extra=0.0):
    if m_Zp > 20:
        return {"C_Vmu": math.sqrt(g) + extra, "C_Ve": 1e-5 * g}
    return {"C_Vmu": g + extra, "C_Ve": 1e-5 * g}
"""
SIMPLE = "def mine(m_Zp, g):\n    return {'C_Vmu': g}\n"
CLASS = """\
import numpy as np
from zpfit.models.base import Model, Parameter
from zpfit.models.effective import MASS
from zpfit.physics.couplings import Couplings


class Mine(Model):
    name = "mine"
    parameters = (MASS, Parameter("g", "g", "", (-1.0, 1.0)))

    def __init__(self, heaviest=20.0):
        self.heaviest = heaviest

    def couplings(self, values):
        zero = np.zeros_like(values["g"])
        return Couplings(values["m_Zp"], zero, zero, zero, values["g"], *[zero] * 5)

    def conditions(self, values):
        return {"light enough": values["m_Zp"] / self.heaviest}

    def derived(self, values):
        return {"g_squared": values["g"] ** 2}
"""


def write(path: str | Path, text: str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


def fit_file(model: str, parameters: str = MASS + G, path: str = "fit.yaml") -> Path:
    text = f"model: {model}\n{MEASUREMENTS}"
    return write(path, text + (f"priors:\n  parameters:\n{parameters}" if parameters else ""))


def python_fit(code: str, options: str = "", name: str = "mine", parameters: str = MASS + G):
    write("my.py", code)
    fit_file(f"{{python: 'my.py:{name}'{options}}}", parameters)


def evaluated(accepted: Command, model: str, *points: str) -> list[dict]:
    """Return the result of ``evaluate`` at points like ``17,1e-4`` in m_Zp and g."""
    write("points.csv", "\n".join(["m_Zp,g", *points]) + "\n")
    options = ("--likelihood", "paper_2021_cs", "--model", model, "--points", "points.csv")
    return json.loads(accepted("evaluate", *options, "--json"))
