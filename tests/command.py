"""Run the command line in process, and define the options of a small run."""

from pathlib import Path

from click.testing import CliRunner, Result

from zpfit.cli import cli

_SCATTERING = ["texono_2010", "borexino_2011", "charm2_nu_1993", "charm2_nubar_1993", "ccfr_1991"]
_SEARCHES = ["white_dwarf_2013", "babar_2014_envelope", "kloe_2015", "na64_2020"]
FEW_DATA = {"set": "paper_2021_cs", "drop": _SCATTERING + _SEARCHES}
"""Likelihood of which an evaluation takes a third of the time."""
SMALL = {
    "sampler.walkers": "32",
    "sampler.max_steps": "40",
    "sampler.target_ess": "2000",
    "best_fit.starts": "50",
    "priors.parameters.C_nue": "0",
    "priors.parameters.C_Amu": "0",
    "priors.parameters.C_numu": "{type: tied, to: C_Vmu, factor: -0.5}",
}
"""Options with which the quickstart takes seconds, with a fixed and a tied parameter."""


def invoke(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, [str(word) for word in arguments])


def run_small(*arguments: str | Path) -> Result:
    options = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    return invoke("run", "quickstart", *options, *arguments)
