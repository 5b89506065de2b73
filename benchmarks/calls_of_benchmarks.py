"""Functions that benchmarks send to workers."""

import time

import zpfit.runs.campaign  # noqa: F401 - what a worker imports for its first fit


def nothing(_: int) -> None:
    """Return at once."""


def warm(_: int) -> None:
    """Take long enough for every worker to get a call."""
    time.sleep(0.2)
