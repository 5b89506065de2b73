"""Processes that compute and draw the figures and numbers of the paper."""

from contextlib import AbstractContextManager

from zpfit.runs.side_by_side import Workers
from zpfit.runs.side_by_side import workers as workers_with

_NEEDED = (
    "zpfit.studies.paper_2021.reproduce",
    "zpfit.plots.exclusion",
    "zpfit.analysis.profile.profile",
    "zpfit.inference.sampling",
)
"""Modules of the jobs, and modules that these import late."""


def workers() -> AbstractContextManager[Workers]:
    """Open one process for each core but the caller's own; see :mod:`zpfit.runs.side_by_side`."""
    return workers_with(_NEEDED)
