"""Map of signatures: directions of charges, coloured by the gain of each signature.

A common factor of all charges is part of g', and their common sign is no choice. Signatures are
therefore points of a projective space, and a map shows two angles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from zpfit.analysis.atlas.signatures import LEPTONS, HiggsPolicy
from zpfit.analysis.atlas.survival import BAR
from zpfit.io.arrays import FloatArray
from zpfit.io.figure_spec import FigureSpec
from zpfit.plots.pulls import add_title
from zpfit.plots.style import BEST_FIT_COLOUR, COLUMN, StyledFigure, finished, points

_HEIGHT: Final = 1.75
"""Height of a panel in inches."""
_SIZE: Final = 5.0
"""Area of a point in square points."""
_COLOURS: Final = "cividis_r"
_HALF_TURN: Final = 180.0
_TICKS: Final = (-90, -45, 0, 45, 90)
_AXES: Final = {
    HiggsPolicy.RENORMALISABLE: (
        r"$\arctan(N_\mu/N_e)$ [deg]",
        r"angle of $|N_\tau|$ to $(N_e, N_\mu)$ [deg]",
    ),
    HiggsPolicy.ZERO: (
        r"$\arctan(A_\mu/A_e)$ [deg]",
        r"angle of $N$ to $(A_e, A_\mu)$ [deg]",
    ),
}


@dataclass(frozen=True)
class MapPanel:
    """Signatures of one policy on one set of data."""

    title: str
    higgs: HiggsPolicy
    vectors: FloatArray
    """Integers of the signatures, shape (n, 5) or more."""
    gain: FloatArray
    """Gain of each signature against no Z' and the dark photon, shape (n,)."""


def angles(vectors: FloatArray, higgs: HiggsPolicy) -> tuple[FloatArray, FloatArray]:
    r"""Return the two angles of signatures on the map of a policy, in degrees.

    Parameters
    ----------
    vectors
        Integers of the signatures, shape (n, 5) or more.
    higgs
        Policy. With renormalisable masses all A vanish, and the map shows (N_e, N_mu, \|N_tau\|) as
        a hemisphere: longitude and latitude. With z_H = 0 it shows the direction of (A_e, A_mu),
        and the angle by which N leaves it; vectors without A are at 90 degrees, in the direction
        of N.

    Returns
    -------
    tuple of array, shape (n,)
        The first from above -90 to 90, the second from 0 to 90.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = angles(np.array([[1.0, 0, -1, 0, 0], [0, 1, 0, 0, 0]]), HiggsPolicy.ZERO)
    >>> x.tolist(), y.tolist()
    ([-45.0, 0.0], [90.0, 0.0])
    """
    n_e, a_e, n_mu, a_mu, n_tau = vectors[:, : len(LEPTONS)].T
    n, a = np.hypot(n_e, n_mu), np.hypot(a_e, a_mu)
    if higgs is HiggsPolicy.RENORMALISABLE:
        return _direction(n_e, n_mu), np.degrees(np.arctan2(np.abs(n_tau), n))
    first = np.where(a > 0, _direction(a_e, a_mu), _direction(n_e, n_mu))
    return first, np.degrees(np.arctan2(np.hypot(n, n_tau), a))


def _direction(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the angle of (x, y) up to the sign of both, above -90 and up to 90 degrees."""
    angle = np.degrees(np.arctan2(y, x))
    result: FloatArray = _HALF_TURN / 2 - (_HALF_TURN / 2 - angle) % _HALF_TURN
    return result


def map_figure(
    panels: Sequence[MapPanel], title: str = "", spec: FigureSpec | None = None
) -> Figure:
    """Draw maps of signatures below each other, with one scale of colours.

    Where points overlap, the one that gains most is on top. Those that survive have a red edge.

    Parameters
    ----------
    panels
        At least one; all of one policy.
    title
        Title of the figure.
    spec
        Description of the figure.
    """
    spec = spec or FigureSpec()
    width = spec.width or COLUMN
    size = spec.size(width, 0.4 + _HEIGHT * len(panels))
    figure = StyledFigure(figsize=size, layout="constrained")
    rows = np.asarray(figure.subplots(len(panels), 1, sharex=True, squeeze=False)).ravel()
    top = max(float(panel.gain.max()) for panel in panels)
    drawn = [_draw(axes, panel, top) for axes, panel in zip(rows, panels, strict=True)]
    across, up = _AXES[panels[0].higgs]
    rows[-1].set_xlabel(across, fontsize=points("axes.labelsize"))
    figure.supylabel(up, fontsize=points("axes.labelsize"))
    bar = figure.colorbar(drawn[0], ax=[*rows], pad=0.02, aspect=12 * len(panels))
    bar.set_label(r"gain $\Delta\chi^2$", fontsize=points("axes.labelsize"))
    bar.ax.tick_params(labelsize=points("ytick.labelsize"))
    add_title(figure, spec.titled(title))
    return finished(figure)


def _draw(axes: Axes, panel: MapPanel, top: float) -> PathCollection:
    order = np.argsort(panel.gain, kind="stable")
    x, y = (row[order] for row in angles(panel.vectors, panel.higgs))
    gain = panel.gain[order]
    found = axes.scatter(
        x, y, c=gain, s=_SIZE, cmap=_COLOURS, vmin=0, vmax=max(top, 1e-9), linewidths=0,
        rasterized=True,
    )  # fmt: skip
    few = gain > BAR
    if few.sum() <= len(gain) // 10:  # a red edge around most points would hide the colours
        axes.scatter(
            x[few], y[few], s=3 * _SIZE, facecolors="none", edgecolors=BEST_FIT_COLOUR,
            linewidths=0.7, clip_on=False, zorder=3,
        )  # fmt: skip
    axes.set_xlim(_TICKS[0], _TICKS[-1])
    axes.set_ylim(-2, 92)
    axes.set_xticks(_TICKS)
    axes.set_yticks((0, 30, 60, 90))
    axes.tick_params(labelsize=points("xtick.labelsize"), top=True, right=True)
    axes.set_title(panel.title, fontsize=points("axes.titlesize"))
    return found
