"""Contractors of boxes, compiled.

Contractors shrink a box to what the constraints leave; an empty box is excluded. Every
bound is rounded outwards (:mod:`zpfit.physics.intervals`).
"""

from typing import Final

from zpfit.analysis.certify.decays import dump_that_fails, limit_of_both
from zpfit.analysis.certify.quantities import (
    FLOOR,
    FLOOR_BOTH,
    FLOOR_E,
    FLOOR_NU,
    INVISIBLE,
    K_AE,
    K_AMU,
    K_VE,
    K_VMU,
    N_COUPLINGS,
    NO_LIMIT,
    NUE,
    NUMU,
    STARS,
    VISIBLE,
    WIDTH_A,
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
    tau_coupling,
)
from zpfit.analysis.certify.quarks import axial_window, isospin_window
from zpfit.analysis.certify.rates import rate_that_fails, trident_fails
from zpfit.io.arrays import FloatArray
from zpfit.physics.intervals import (
    add,
    div,
    down,
    mul,
    rigorous,
    scale,
    sqr,
    sqrt,
    sub,
    up,
)

_ROUNDS: Final = 3
"""Passes of the contractors over a box."""


@rigorous
def _keep(box: FloatArray, row: int, low: float, high: float) -> bool:
    """Cut an interval to [low, high]; return False if nothing is left."""
    box[row, 0] = max(box[row, 0], low)
    box[row, 1] = min(box[row, 1], high)
    return bool(box[row, 0] <= box[row, 1])


@rigorous
def _keep_square(box: FloatArray, row: int, low: float, high: float) -> bool:
    """Cut to sizes whose squares lie in [low, high]; return False if nothing is left."""
    if high < 0.0:
        return False
    outer = sqrt((0.0, high))[1]
    if not _keep(box, row, -outer, outer):
        return False
    if low > 0.0:
        inner = sqrt((low, low))[0]
        if box[row, 0] > -inner:
            box[row, 0] = max(box[row, 0], inner)
        if box[row, 1] < inner:
            box[row, 1] = min(box[row, 1], -inner)
    return bool(box[row, 0] <= box[row, 1])


@rigorous
def _keep_electrons(box: FloatArray, high: float) -> bool:
    """Cut to C_Ve^2 + C_Ae^2 <= high."""
    axial, vector = sqr(coupling(box, A))[0], sqr(coupling(box, V))[0]
    return _keep_square(box, V, 0.0, up(high - axial)) and _keep_square(
        box, A, 0.0, up(high - vector)
    )


@rigorous
def _keep_neutrinos(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, low: float, high: float
) -> bool:
    """Cut to squared neutrino couplings whose sum lies in [low, high]."""
    rest = sqr(tau_coupling(box, cells, node, tau))
    for row, other in ((NUE, NUMU), (NUMU, NUE)):
        square = sqr(coupling(box, other))
        least = down(low - up(square[1] + rest[1]))
        most = up(high - down(square[0] + rest[0]))
        if not _keep_square(box, row, least, most):
            return False
    return True


@rigorous
def _nucleosynthesis(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, contact: float
) -> bool:
    """Cut to couplings below thermal contact where the mass lies below a floor."""
    alone_e, alone_nu = cells[node, FLOOR_E, 0] > 0.0, cells[node, FLOOR_NU, 0] > 0.0
    both = cells[node, FLOOR_BOTH, 0] > 0.0
    if not (alone_e or alone_nu or both):
        return True
    square = contact * contact
    electrons, neutrinos = electron_squares(box), largest_neutrino(box, cells, node, tau)
    # A floor for one sector alone holds if the other one is not in contact, or if it has a floor.
    no_electrons = (alone_e and (both or neutrinos[1] <= down(square))) or (
        both and neutrinos[0] > up(square)
    )
    no_neutrinos = (alone_nu and (both or electrons[1] <= down(square))) or (
        both and electrons[0] > up(square)
    )
    if no_electrons and not _keep_electrons(box, up(square)):
        return False
    return not no_neutrinos or _without_neutrinos(box, cells, node, tau, up(contact))


@rigorous
def _without_neutrinos(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, contact: float
) -> bool:
    """Cut to couplings to neutrinos that are at most ``contact``."""
    if not (_keep(box, NUE, -contact, contact) and _keep(box, NUMU, -contact, contact)):
        return False
    third = tau_coupling(box, cells, node, tau)
    return third[0] <= contact and third[1] >= -contact


@rigorous
def _moment(box: FloatArray, cells: FloatArray, node: int, low: float, high: float) -> bool:
    """Cut to low <= k_V C_Ve^2 - k_A C_Ae^2 <= high."""
    if low > high:  # measurements contradict each other
        return False
    k_v, k_a = interval_of(cells, node, K_VE), interval_of(cells, node, K_AE)
    target = (low, high)
    vector = mul(k_v, sqr(coupling(box, V)))
    axial = div(sub(vector, target), k_a)
    if not _keep_square(box, A, axial[0], axial[1]):
        return False
    vector = div(add(target, mul(k_a, sqr(coupling(box, A)))), k_v)
    return _keep_square(box, V, vector[0], vector[1])


@rigorous
def _products(box: FloatArray, cells: FloatArray, node: int, products: FloatArray) -> bool:
    """Cut to low <= factor C_Ve C_Ae <= high for every product."""
    for row in range(products.shape[0]):
        factor = interval_of(cells, node, int(products[row, 0]))
        target = (products[row, 1], products[row, 2])
        value = mul(factor, mul(coupling(box, V), coupling(box, A)))
        if value[0] > target[1] or value[1] < target[0]:
            return False
        largest = div((0.0, max(abs(target[0]), abs(target[1]))), factor)[1]
        for one, other in ((V, A), (A, V)):
            least = sqrt((sqr(coupling(box, other))[0], 1.0))[0]
            if least > 0.0:
                end = up(largest / least)
                if not _keep(box, one, -end, end):
                    return False
    return True


@rigorous
def _both_decays(box: FloatArray, cells: FloatArray, node: int) -> bool:
    """Cut to P <= L_visible^2 + L_invisible^2, the sum of the limits on P BR."""
    limit = limit_of_both(cells, node)
    return limit >= NO_LIMIT or _keep_electrons(box, limit)


@rigorous
def _visible(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P E/(E + N/2) <= L^2 with E = w_V C_Ve^2 + w_A C_Ae^2, w_V >= w_A."""
    limit = cells[node, VISIBLE, 1]
    if limit >= NO_LIMIT:
        return True
    both = electron_squares(box)
    width = electron_width(box, cells, node)
    if both[0] > limit:
        # N >= 2 E (P/L^2 - 1), which grows with P and with E.
        excess = down(down(both[0] / limit) - 1.0)
        if not _keep_neutrinos(
            box, cells, node, tau, down(2.0 * down(width[0] * excess)), NO_LIMIT
        ):
            return False
        if neutrino_squares(box, cells, node, tau)[1] < down(2.0 * down(width[0] * excess)):
            return False
    least = cells[node, WIDTH_A, 0]
    if least <= 0.0:
        return True
    # E >= w_A P gives w_A P^2 <= L^2 (w_A P + N/2).
    ratio = up(up(2.0 * up(neutrino_squares(box, cells, node, tau)[1] * limit)) / least)
    root = sqrt((0.0, up(up(limit * limit) + ratio)))[1]
    return _keep_electrons(box, up(0.5 * up(limit + root)))


@rigorous
def _invisible(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P (N/2)/(E + N/2) <= L^2, where E <= w_V P."""
    limit = cells[node, INVISIBLE, 1]
    if limit >= NO_LIMIT:
        return True
    both, most = electron_squares(box), cells[node, WIDTH_V, 1]
    if both[0] > limit:
        # N (P - L^2) <= 2 L^2 w_V P; the bound on N falls with P.
        bound = up(up(2.0 * up(up(limit * most) * both[0])) / down(both[0] - limit))
        if not _keep_neutrinos(box, cells, node, tau, 0.0, bound):
            return False
        if neutrino_squares(box, cells, node, tau)[0] > bound:
            return False
    half = 0.5 * neutrino_squares(box, cells, node, tau)[0]
    spare = down(half - up(limit * most))
    if spare > 0.0:  # P (N/2 - L^2 w_V) <= L^2 N/2; the bound on P falls with N.
        return _keep_electrons(box, up(up(limit * half) / spare))
    return True


@rigorous
def _stars(box: FloatArray, cells: FloatArray, node: int, tau: FloatArray) -> bool:
    """Cut to P N <= limit."""
    limit = cells[node, STARS, 1]
    if limit >= NO_LIMIT:
        return True
    both, neutrinos = electron_squares(box), neutrino_squares(box, cells, node, tau)
    if down(both[0] * neutrinos[0]) > limit:
        return False
    if both[0] > 0.0 and not _keep_neutrinos(box, cells, node, tau, 0.0, up(limit / both[0])):
        return False
    least = neutrino_squares(box, cells, node, tau)[0]
    return least <= 0.0 or _keep_electrons(box, up(limit / least))


@rigorous
def _between(
    box: FloatArray, factors: tuple[float, float, float, float], low: float, high: float
) -> bool:
    """Cut to a sum of couplings with given factors between two ends.

    A box that is excluded is left as it is: cuts of a tree follow from contracted boxes.
    """
    total = (0.0, 0.0)
    for row in range(N_COUPLINGS):
        if factors[row] != 0.0:
            total = add(total, scale(factors[row], coupling(box, row)))
    if low > high or total[0] > high or total[1] < low:
        return False
    for row in range(N_COUPLINGS):
        factor = factors[row]
        if factor == 0.0:
            continue
        # The others leave at least low - (their largest) and at most high - (their smallest).
        others = (0.0, 0.0)
        for other in range(N_COUPLINGS):
            if other != row:
                others = add(others, scale(factors[other], coupling(box, other)))
        left = scale(factor, (down(low - others[1]), up(high - others[0])))
        if not _keep(box, row, left[0], left[1]):
            return False
    return True


@rigorous
def _quarks(
    box: FloatArray, cells: FloatArray, node: int, tau: FloatArray, level: FloatArray
) -> bool:
    """Cut to C_nue - C_Ve + C_Ae and C_Ae that data on quarks leave."""
    if level[12] == 0.0:
        return True
    _, window = isospin_window(box, cells, node, tau, level)
    if not _between(box, (-1.0, 1.0, 1.0, 0.0), window[0], window[1]):
        return False
    axial = axial_window(box, cells, node, level)
    return _keep(box, A, axial[0], axial[1])


@rigorous
def _muon(
    box: FloatArray, cells: FloatArray, node: int, low: float, high: float, free_axial: float
) -> bool:
    """Cut to low <= (g-2)/2 of the muon <= high.

    If C_Amu is free, the largest moment at given S = C_Vmu - C_Amu is S^2/(1/k_V - 1/k_A).
    Else C_Amu = C_Ae and C_Vmu = C_Ve - C_nue + C_numu.
    """
    if low > high:  # measurements contradict each other
        return False
    k_v, k_a = interval_of(cells, node, K_VMU), interval_of(cells, node, K_AMU)
    if free_axial > 0.0:
        axial, most = 1.0, NO_LIMIT
        inverse = sub(div((1.0, 1.0), k_v), div((1.0, 1.0), k_a))
        square = mul((max(low, 0.0), max(low, 0.0)), (max(inverse[0], 0.0), max(inverse[1], 0.0)))
    else:
        axial = 0.0
        part = mul(k_a, sqr(coupling(box, A)))
        square = div(add((low, low), part), k_v)
        upper = div(add((high, high), part), k_v)[1]
        if upper < 0.0:
            return False
        most = sqrt((0.0, upper))[1]
    least = sqrt((square[0], square[0]))[0] if square[0] > 0.0 else 0.0
    total, factors = difference(box, axial), (1.0, -axial, -1.0, 1.0)
    if least > 0.0:
        if total[1] < least:
            return _between(box, factors, -most, -least)
        if total[0] > -least:
            return _between(box, factors, least, most)
    return free_axial > 0.0 or _between(box, factors, -most, most)


@rigorous
def _size(box: FloatArray) -> float:
    """Return the sum of the relative widths of a box."""
    total = 0.0
    for row in range(N_COUPLINGS):
        largest = max(abs(box[row, 0]), abs(box[row, 1]))
        total += (box[row, 1] - box[row, 0]) / (largest + FLOOR)
    return total


@rigorous
def survives(
    box: FloatArray,
    node: int,
    cells: FloatArray,
    level: FloatArray,
    tau: FloatArray,
    products: FloatArray,
    blocks: IntArray,
    targets: FloatArray,
    dumps: FloatArray,
) -> bool:
    """Contract a box in place; return False if no point of it meets every constraint.

    ``level`` holds the ends for the moments of electron and muon, those for tridents, the
    coupling of thermal contact, 1 if C_Amu is free, the ends for the weak charges of Caesium and
    the proton, and 1 if there are data on quarks.
    """
    for _ in range(_ROUNDS):
        before = _size(box)
        if not (
            _nucleosynthesis(box, cells, node, tau, level[6])
            and _moment(box, cells, node, level[0], level[1])
            and _products(box, cells, node, products)
            and _both_decays(box, cells, node)
            and _visible(box, cells, node, tau)
            and _invisible(box, cells, node, tau)
            and _stars(box, cells, node, tau)
            and _muon(box, cells, node, level[2], level[3], level[7])
            and _quarks(box, cells, node, tau, level)
        ):
            return False
        if _size(box) > 0.9 * before:
            break
    if level[7] == 0.0 and trident_fails(box, cells, node, level[4], level[5]):
        return False
    if dump_that_fails(box, cells, node, tau, dumps) >= 0:
        return False
    return rate_that_fails(box, cells, node, tau, blocks, targets) < 0
