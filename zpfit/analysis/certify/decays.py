"""Limits on decays that contractors and leaves share, compiled."""

from zpfit.analysis.certify.quantities import (
    INVISIBLE,
    NO_LIMIT,
    VISIBLE,
    WIDTH_A,
    electron_squares,
    electron_width,
    interval_of,
    neutrino_squares,
)
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import add, down, exp, mul, rigorous, scale, up


@rigorous
def limit_of_both(cells: FloatArray, node: int) -> float:
    """Return the largest P = C_Ve^2 + C_Ae^2 that limits on both kinds of decays leave.

    P BR(ee) <= L_visible^2 and P BR(nu nu) <= L_invisible^2 add up to a limit on P, as the
    branching ratios do to 1. Cells below the threshold for electrons have none: without
    couplings to neutrinos the Z' has no decays there.
    """
    if cells[node, WIDTH_A, 0] <= 0.0:
        return NO_LIMIT
    return up(cells[node, VISIBLE, 1] + cells[node, INVISIBLE, 1])


@rigorous
def dump_that_fails(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, dumps: FloatArray
) -> int:
    """Return the first beam dump that sees too many decays in a whole box; -1 if there is none.

    The number of decays over its limit is k P BR(ee) g(t), where t is a factor times the total
    width, and g(t) = exp(-t) [1 - exp(-r t)]. It is smallest at an end of the range of t, as g
    rises to its maximum and then falls.

    Parameters
    ----------
    box : numpy.ndarray, shape (4, 2)
        Couplings.
    cells : numpy.ndarray, shape (n, columns, 2)
        Tree of mass cells.
    node : int
        Row of the mass cell.
    tau : numpy.ndarray, shape (4,)
        Factors of the couplings in C_nutau.
    dumps : numpy.ndarray, shape (k, 2)
        Column of the factor k, which that of t follows, and r of each beam dump.
    """
    both, width = electron_squares(box)[0], electron_width(box, cells, node)
    if both <= 0.0 or width[0] <= 0.0:
        return -1
    neutrinos = scale(0.5, neutrino_squares(box, cells, node, tau))
    # E/(E + N/2) grows with E and falls with N.
    share = down(width[0] / up(width[0] + neutrinos[1]))
    produced = down(both * share)
    for row in range(dumps.shape[0]):
        column, ratio = int(dumps[row, 0]), dumps[row, 1]
        seen = down(produced * cells[node, column, 0])
        if seen <= 1.0:
            continue
        times = mul(interval_of(cells, node, column + 1), add(width, neutrinos))
        if down(seen * min(_seen(times[0], ratio), _seen(times[1], ratio))) > 1.0:
            return row
    return -1


@rigorous
def _seen(time: float, ratio: float) -> float:
    """Return a lower bound of exp(-t) [1 - exp(-r t)]."""
    arrive = exp((-time, -time))[0]
    pass_by = exp((down(-ratio * time), up(-ratio * time)))[1]
    return max(down(arrive * down(1.0 - pass_by)), 0.0)
