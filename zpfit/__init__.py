"""Bayesian global fits of a light Z' boson to lepton data."""

from importlib.metadata import version

__version__ = version("zpfit")
