"""The single term that excludes a box, compiled: a check without contraction."""

from typing import Final

from zpfit.analysis.certify.decays import dump_that_fails, limit_of_both
from zpfit.analysis.certify.quantities import (
    FLOOR_BOTH,
    FLOOR_E,
    FLOOR_NU,
    INVISIBLE,
    K_AE,
    K_AMU,
    K_VE,
    K_VMU,
    NO_LIMIT,
    STARS,
    VISIBLE,
    WIDTH_V,
    A,
    IntArray,
    V,
    coupling,
    difference,
    electron_squares,
    electron_width,
    interval_of,
    largest_neutrino,
    neutrino_squares,
)
from zpfit.analysis.certify.quarks import quarks_fail
from zpfit.analysis.certify.rates import rate_that_fails, trident_fails
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import div, down, mul, rigorous, sqr, sub, up

(
    ELECTRON,
    MUON,
    NUCLEOSYNTHESIS,
    VISIBLE_DECAYS,
    INVISIBLE_DECAYS,
    STARS_COOL,
    TRIDENT,
    BOTH_DECAYS,
    QUARKS,
) = range(1, 10)
"""Codes of terms; 0 stands for none."""
PRODUCT: Final = 10
"""Code of the first product."""
DUMP: Final = 50
"""Code of the first beam dump."""
RATE: Final = 100
"""Code of the first rate of recoils."""


@rigorous
def _electron_fails(box: FloatArray, cells: FloatArray, node: int, low: float, high: float) -> bool:
    vector = mul(interval_of(cells, node, K_VE), sqr(coupling(box, V)))
    moment = sub(vector, mul(interval_of(cells, node, K_AE), sqr(coupling(box, A))))
    return bool(low > high or moment[1] < low or moment[0] > high)


@rigorous
def _muon_fails(
    box: FloatArray, cells: FloatArray, node: int, low: float, high: float, free: float
) -> bool:
    if low > high:  # measurements contradict each other
        return True
    k_v, k_a = interval_of(cells, node, K_VMU), interval_of(cells, node, K_AMU)
    if free > 0.0:
        inverse = down(div((1.0, 1.0), k_v)[0] - div((1.0, 1.0), k_a)[1])
        return bool(inverse > 0.0 and sqr(difference(box, 1.0))[1] < down(low * inverse))
    moment = sub(mul(k_v, sqr(difference(box, 0.0))), mul(k_a, sqr(coupling(box, A))))
    return bool(moment[1] < low or moment[0] > high)


@rigorous
def _nucleosynthesis_fails(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, contact: float
) -> bool:
    alone_e, alone_nu = cells[node, FLOOR_E, 0] > 0.0, cells[node, FLOOR_NU, 0] > 0.0
    both = cells[node, FLOOR_BOTH, 0] > 0.0
    if not (alone_e or alone_nu or both):
        return False
    least, most = down(contact * contact), up(contact * contact)
    electrons, neutrinos = electron_squares(box), largest_neutrino(box, cells, node, tau)
    if electrons[0] > most:
        none, some = alone_e or neutrinos[0] > most, both or neutrinos[1] <= least
        return bool(none and some)
    none, some = alone_nu or electrons[0] > most, both or electrons[1] <= least
    return bool(neutrinos[0] > most and none and some)


@rigorous
def _decays_fail(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> int:
    both, neutrinos = electron_squares(box)[0], neutrino_squares(box, cells, node, tau)
    if both <= 0.0:
        return 0
    if both > limit_of_both(cells, node):
        return BOTH_DECAYS
    if down(both * neutrinos[0]) > cells[node, STARS, 1]:
        return STARS_COOL
    width = electron_width(box, cells, node)[0]
    if width > 0.0:
        share = down(width / up(width + up(0.5 * neutrinos[1])))
        if down(both * share) > cells[node, VISIBLE, 1]:
            return VISIBLE_DECAYS
    half = 0.5 * neutrinos[0]
    if half > 0.0:
        share = down(half / up(half + up(cells[node, WIDTH_V, 1] * up(both))))
        if down(both * share) > cells[node, INVISIBLE, 1]:
            return INVISIBLE_DECAYS
    return 0


@rigorous
def _product_that_fails(box: FloatArray, cells: FloatArray, node: int, products: FloatArray) -> int:
    for row in range(products.shape[0]):
        factor = interval_of(cells, node, int(products[row, 0]))
        value = mul(factor, mul(coupling(box, V), coupling(box, A)))
        if value[0] > products[row, 2] or value[1] < products[row, 1]:
            return PRODUCT + row
    return 0


@rigorous
def excluding_term(
    box: FloatArray,
    node: int,
    cells: FloatArray,
    level: FloatArray,
    tau: FloatArray,
    products: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
    dumps: FloatArray,
) -> int:
    """Return the code of a term that no point of a box meets; 0 if there is none.

    Parameters are those of :func:`zpfit.analysis.certify.contractors.survives`.
    """
    if _electron_fails(box, cells, node, level[0], level[1]):
        return ELECTRON
    if _muon_fails(box, cells, node, level[2], level[3], level[7]):
        return MUON
    if _nucleosynthesis_fails(box, cells, node, tau, level[6]):
        return NUCLEOSYNTHESIS
    code = _decays_fail(box, cells, node, tau)
    if code == 0:
        code = _product_that_fails(box, cells, node, products)
    if code == 0 and level[12] > 0.0:
        code = QUARKS if quarks_fail(box, cells, node, tau, level) else 0
    if code == 0 and level[7] == 0.0 and level[4] > -NO_LIMIT:
        code = TRIDENT if trident_fails(box, cells, node, level[4], level[5]) else 0
    if code == 0:
        dump = dump_that_fails(box, cells, node, tau, dumps)
        code = DUMP + dump if dump >= 0 else 0
    if code == 0:
        rate = rate_that_fails(box, cells, node, tau, blocks, targets)
        code = RATE + rate if rate >= 0 else 0
    return code
