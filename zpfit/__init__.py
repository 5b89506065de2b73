"""Bayesian global fits of a light Z' boson.

``import zpfit`` is fast: the names below are imported when they are first used. See
:mod:`zpfit.api` for what a source is and for the rules that all functions share.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zpfit.api.atlases import atlas as atlas
    from zpfit.api.bibliographies import cite as cite
    from zpfit.api.campaigns import campaign as campaign
    from zpfit.api.campaigns import campaign_fits as campaign_fits
    from zpfit.api.campaigns import plan as plan
    from zpfit.api.certificates import certify as certify
    from zpfit.api.comparisons import compare as compare
    from zpfit.api.coverages import coverage as coverage
    from zpfit.api.data_checks import check_data as check_data
    from zpfit.api.exclusions import exclusion as exclusion
    from zpfit.api.executors import ExecutorChoice as ExecutorChoice
    from zpfit.api.exports import export as export
    from zpfit.api.exports import schema as schema
    from zpfit.api.figures import Figure as Figure
    from zpfit.api.fits import Result as Result
    from zpfit.api.fits import fit as fit
    from zpfit.api.limits import limit as limit
    from zpfit.api.names import available as available
    from zpfit.api.names import show as show
    from zpfit.api.points import evaluate as evaluate
    from zpfit.api.profiles import profile as profile
    from zpfit.api.reports import explore as explore
    from zpfit.api.reports import plot as plot
    from zpfit.api.reports import report as report
    from zpfit.api.sources import load as load
    from zpfit.api.tensions import tension as tension
    from zpfit.api.toy_sets import toys as toys
    from zpfit.api.validations import validate as validate
    from zpfit.errors import ZpfitError as ZpfitError
    from zpfit.likelihood.choice import Likelihood as Likelihood
    from zpfit.models.base import Model as Model
    from zpfit.models.python_model import symbols as symbols

_PLACES = {
    "ExecutorChoice": ("zpfit.api.executors", "ExecutorChoice"),
    "Figure": ("zpfit.api.figures", "Figure"),
    "Likelihood": ("zpfit.likelihood.choice", "Likelihood"),
    "Model": ("zpfit.models.base", "Model"),
    "Result": ("zpfit.api.fits", "Result"),
    "ZpfitError": ("zpfit.errors", "ZpfitError"),
    "atlas": ("zpfit.api.atlases", "atlas"),
    "available": ("zpfit.api.names", "available"),
    "campaign": ("zpfit.api.campaigns", "campaign"),
    "campaign_fits": ("zpfit.api.campaigns", "campaign_fits"),
    "certify": ("zpfit.api.certificates", "certify"),
    "check_data": ("zpfit.api.data_checks", "check_data"),
    "cite": ("zpfit.api.bibliographies", "cite"),
    "compare": ("zpfit.api.comparisons", "compare"),
    "coverage": ("zpfit.api.coverages", "coverage"),
    "evaluate": ("zpfit.api.points", "evaluate"),
    "exclusion": ("zpfit.api.exclusions", "exclusion"),
    "explore": ("zpfit.api.reports", "explore"),
    "export": ("zpfit.api.exports", "export"),
    "fit": ("zpfit.api.fits", "fit"),
    "limit": ("zpfit.api.limits", "limit"),
    "load": ("zpfit.api.sources", "load"),
    "plan": ("zpfit.api.campaigns", "plan"),
    "plot": ("zpfit.api.reports", "plot"),
    "profile": ("zpfit.api.profiles", "profile"),
    "report": ("zpfit.api.reports", "report"),
    "schema": ("zpfit.api.exports", "schema"),
    "show": ("zpfit.api.names", "show"),
    "symbols": ("zpfit.models.python_model", "symbols"),
    "tension": ("zpfit.api.tensions", "tension"),
    "toys": ("zpfit.api.toy_sets", "toys"),
    "validate": ("zpfit.api.validations", "validate"),
}
"""Module and name of each public object."""

__all__ = [*_PLACES]  # noqa: PLE0604 - names of strings, which ruff does not follow


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name in _PLACES:
        module, attribute = _PLACES[name]
        value = getattr(import_module(module), attribute)
        globals()[name] = value
        return value
    if name == "__version__":
        from importlib.metadata import version

        return version("zpfit")
    raise AttributeError(f"module 'zpfit' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*_PLACES, "__version__"])
