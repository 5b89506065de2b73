"""Profile likelihoods: :func:`profile` and its :class:`Profile`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zpfit.analysis.levels import REGIONS, SMALLEST_REGION, check_levels
from zpfit.analysis.profile.axis import AxisRequest, choose_axes
from zpfit.analysis.profile.profile import levels_of, profile_record
from zpfit.analysis.profile.profile import profile as profile_problem
from zpfit.analysis.records import ProfileRecord
from zpfit.api.reported import Reported
from zpfit.api.sources import Source, escaped, files_in, fixed, folder_of, load, progress_of
from zpfit.errors import InvalidInput, WrongType
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_room
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.records import profile_files, write_profile

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


__all__ = ["REGIONS", "AxisRequest", "Profile", "profile"]


@dataclass(frozen=True, repr=False)
class Profile(Reported):
    """Profile likelihood and posterior of one or two parameters. Made by :func:`profile`."""

    record: ProfileRecord
    """All numbers, as the JSON file of the profile holds them."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def frame(self) -> "pd.DataFrame":
        """Delta chi2 at each node of the grid, a column for each axis; NaN where excluded."""
        import pandas as pd

        names = [axis["name"] for axis in self.record["axes"]]
        grids = np.meshgrid(*self.record["profile"]["values"], indexing="ij")
        delta = np.array(self.record["profile"]["delta_chi2"], dtype=float)
        columns = {name: grid.ravel() for name, grid in zip(names, grids, strict=True)}
        return pd.DataFrame({**columns, "delta_chi2": delta.ravel()})

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of profile likelihood and posterior.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.profile import profile_figure

        style = figure_style(figure)
        with style.context():
            return profile_figure(self.record, style.spec)

    def __repr__(self) -> str:
        names = ", ".join(axis["name"] for axis in self.record["axes"])
        return f"<Profile of {names}: {self.record['model']} on {self.record['likelihood']}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


AxisChoice = str | tuple[str, float, float] | AxisRequest
"""Name of a parameter; name, lower and upper end of its range; or a request."""


def profile(
    source: Source,
    x: AxisChoice,
    y: AxisChoice | None = None,
    *,
    points: int | None = None,
    levels: Sequence[float | str] = REGIONS,
    fix: Mapping[str, float] | None = None,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Profile:
    """Compute the profile likelihood and the posterior density of one or two parameters.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    x, y
        Sampled parameters, each a name or ``(name, lower, upper)``.
    points
        Nodes on each axis before refinement, 10 to 400: 60 with one axis, 40 with two by default.
    levels
        Confidence levels of intervals or regions, such as ``(0.9, 0.95)``; 68.3 and 95.4 % by
        default. ``(0.393, 0.865)`` are 1 and 2 sigma of a Gaussian in two dimensions.
    fix
        Parameters with fixed values in place of their priors.
    output
        Folder for JSON and plots.
    progress, force
        See :func:`fit`.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Raises
    ------
    InvalidInput
        An axis is no sampled parameter, its range leaves the prior, or a level is out of range.

    Examples
    --------
    >>> import zpfit
    >>> muon = {"m_Zp": 20, "eps": 0}  # one free parameter, g_prime
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "sampler": {"engine": "vegas"}}
    >>> found = zpfit.profile({**run, "priors": {"parameters": muon}}, "g_prime", points=10)
    >>> list(found.frame)
    ['g_prime', 'delta_chi2']
    """
    _check_points(points)
    checked = check_levels(levels, "levels", SMALLEST_REGION)
    chosen_levels = levels_of(checked, 1 if y is None else 2)
    problem = load(source, **changes, **fixed(fix))
    chosen = [("x", x)] if y is None else [("x", x), ("y", y)]
    axes = choose_axes(problem.posterior.priors, [_request(side, a) for side, a in chosen])
    names = profile_files([axis.name for axis in axes])
    if output is not None:
        make_room(folder_of(output, "output"), names, force=force)
    reporter = progress_of(progress)
    found = profile_problem(problem, axes, points, reporter, levels=chosen_levels)
    record = profile_record(problem, found)
    if output is not None:
        write_profile(record, folder_of(output, "output"))
    return Profile(record, files_in(output, names))


_AXIS_ITEMS = 3
"""Name, lower and upper end."""


def _check_points(points: int | None) -> None:
    if points is None:
        return
    if isinstance(points, bool) or not isinstance(points, Integral):
        raise WrongType("points", points, "an integer from 10 to 400")
    if not _FEWEST <= points <= _MOST:
        raise InvalidInput([f"points: {points} is out of range; give {_FEWEST} to {_MOST}"])


_FEWEST, _MOST = 10, 400
"""Nodes on an axis before refinement, as the command requires."""


def _request(side: str, axis: AxisChoice) -> AxisRequest:
    if isinstance(axis, AxisRequest):
        return axis
    if isinstance(axis, str):
        return AxisRequest(axis, source=side)
    if not isinstance(axis, (tuple, list)) or len(axis) != _AXIS_ITEMS:
        raise WrongType(side, axis, "a name or (name, lower, upper)")
    name, lower, upper = axis
    if not isinstance(name, str) or not all(isinstance(v, Real) for v in (lower, upper)):
        raise WrongType(side, axis, "a name or (name, lower, upper) with numbers")
    return AxisRequest(name, (lower, upper), side)
