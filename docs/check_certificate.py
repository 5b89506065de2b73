"""Check the proof in a certificate of `zpfit certify --tree`. Standard library only.

    python check_certificate.py certificate.json

The tree divides the domain by cuts, so that its leaves cover it. Every leaf names a term that
no point of its box meets; this script evaluates the term in interval arithmetic. From the file
it takes the limits, the relations between couplings, the knots of published curves, the
coefficients of the rates of electron recoils, and the factor of the range of the Z' in
Caesium. Everything else is computed here.
"""

import hashlib
import json
import sys
from decimal import Decimal, getcontext
from functools import cache
from itertools import pairwise
from math import exp, expm1, inf, log, nextafter, sqrt
from pathlib import Path

getcontext().prec = 70
M_E, M_MU, G_F = 0.51099895, 105.6583755, 1.1663787e-11  # MeV, MeV, MeV^-2
SIN2, M_RHO, M_OMEGA = 0.2312, 775.49, 782.65  # MeV
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640629")
HAIR = 1e-12  # covers logarithms, exponentials and a handful of roundings
V, A, NUE, NUMU = range(4)


class WrongProof(Exception):
    """The tree does not prove what the certificate says."""


# Intervals are pairs; every operation is rounded outwards.
def out(low, high):
    return nextafter(low, -inf), nextafter(high, inf)


def add(a, b):
    return out(a[0] + b[0], a[1] + b[1])


def neg(a):
    return -a[1], -a[0]


def mul(a, b):
    ends = [x * y for x in a for y in b]
    return out(min(ends), max(ends))


def sqr(a):
    small, large = sorted(map(abs, a))
    small = 0.0 if a[0] <= 0 <= a[1] else small
    return max(0.0, nextafter(small * small, -inf)), nextafter(large * large, inf)


def wide(low, high, part=HAIR):
    return low - part * abs(low), high + part * abs(high)


# The loop integrals in closed form. 70 digits leave more than 30 after cancellations.
def arctan(x):
    for _ in range(6):  # halve the argument
        x = x / (1 + (1 + x * x).sqrt())
    term, total, k = x, x, 1
    while abs(term) > Decimal("1e-75"):
        term, k = -term * x * x, k + 2
        total += term / k
    return 64 * total


def integral(polynomial, r):
    """Return int_0^1 polynomial/(1 - x + r x^2) dx; the lowest power comes first."""
    c, total = list(polynomial), Decimal(0)
    for power in range(len(c) - 1, 1, -1):
        q = c[power] / r
        total += q / (power - 1)
        c[power - 1] += q
        c[power - 2] -= q
    delta = 1 - 4 * r
    s = abs(delta).sqrt()
    if delta > 0:
        inverse = ((1 - 2 * r + s) / (2 * r)).ln() / s
    else:
        inverse = 2 * (arctan((2 * r - 1) / s) + arctan(1 / s)) / s
    return total + c[1] * r.ln() / (2 * r) + (c[0] + c[1] / (2 * r)) * inverse


@cache
def loops(lepton, mass):
    """Return k_V and k_A: (g-2)/2 shifts by k_V C_V^2 - k_A C_A^2, Eq. (7) of 2102.07781."""
    r = (Decimal(lepton) / Decimal(mass)) ** 2
    vector = integral([0, 0, Decimal(1), Decimal(-1)], r)
    axial = integral([0, Decimal(4), Decimal(-5), 1 + 2 * r], r)
    return float(r * vector / (4 * PI**2)), float(r * axial / (4 * PI**2))


def on_curve(curve, low, high):
    """Return the largest value of a curve on a range without knots inside."""
    if low < curve[0][0] or high > curve[-1][0]:
        return inf
    right = min(i for i, (x, _) in enumerate(curve) if x > low)
    (x0, y0), (x1, y1) = curve[right - 1 : right + 1]
    return max(y0 + (x - x0) * (y1 - y0) / (x1 - x0) for x in (low, high))


def lifetimes(log_q, ratio):
    """Return s with h(s) = h(q s), h(t) = t exp(-t) [1 - exp(-r t)], by bisection of ln s."""

    def log_h(x):
        return x - exp(x) + log(-expm1(-ratio * exp(x)))

    low, high = -38.0, 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if log_h(middle + log_q) > log_h(middle):
            low = middle
        else:
            high = middle
    return exp(low)


class Cell:
    """A range of masses with enclosures of what depends on the mass; all fall or grow with it."""

    def __init__(self, proof, node):
        depth = node.bit_length() - 1
        low, high = proof["mass"]
        ends = [low * exp(log(high / low) * (node - 2**depth + k) / 2**depth) for k in (0, 1)]
        self.low, self.high = wide(*ends)
        self.proof = proof
        at = [loops(m, end) for m in (M_E, M_MU) for end in (self.high, self.low)]
        self.k = [wide(at[i][j], at[i + 1][j]) for i in (0, 2) for j in (0, 1)]
        x = [(M_E / end) ** 2 for end in (self.low, self.high)]
        root = [sqrt(max(1 - 4 * value, 0)) for value in x]
        # Close to threshold the difference magnifies rounding.
        margin = 1e-6 if 1 - 4 * x[0] < 1e-2 else HAIR
        self.w_v = max(root[0] * (1 + 2 * x[0]) - margin, 0), root[1] * (1 + 2 * x[1]) + margin
        self.w_a = max(root[0] ** 3 - margin, 0), root[1] ** 3 + margin
        self.visible = self.limit(proof["visible"])
        self.invisible = self.limit(proof["invisible"])
        self.dumps = [self.dump(*dump) for dump in proof["dumps"]]
        self.stars = inf
        if proof["stars"] is not None:
            self.stars = (proof["stars"] * G_F * self.high**2) ** 2 * (1 + HAIR)
        numbers = proof["coefficients"].get(str(node), [])
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        self.blocks = [pairs[i : i + 5] for i in range(0, len(pairs), 5)]
        *_, slack, mixing = proof["tau"]
        m2 = self.high**2
        self.quarks = self.of_quarks(proof["quarks"], proof["caesium_factors"].get(str(node)))
        self.slack = (slack + mixing * m2 / (proof["z_mass"] ** 2 - m2)) * (1 + HAIR)

    def of_quarks(self, data, factor):
        """Return what data on quarks need: shifts of weak charges, mixing, and decays of pi0."""
        if data is None or factor is None:
            return None
        ends = (self.high, self.low)
        scale = 2 * sqrt(2) / G_F
        at_rest = wide(*(scale / m**2 for m in ends))
        caesium = mul(at_rest, tuple(factor))
        proton = wide(*(scale / (m**2 + 0.0248e6) for m in ends))
        # B_rho and B_omega are 1/(1 - a) and 1/(1 - b).
        shares = []
        for m in (self.low, self.high):
            a, b = (m / M_RHO) ** 2, (m / M_OMEGA) ** 2
            shares.append((a - b) / (2 - a - b))
        share = shares[0] - HAIR, shares[1] + HAIR
        slack = self.high**2 / (2 * (1 - SIN2) * self.proof["z_mass"] ** 2) * (1 + HAIR)
        limits = self.limit(data["visible"]), self.limit(data["invisible"])
        return caesium, proton, share, slack, limits

    def limit(self, curves):
        """Return the largest squared limit: of the strongest curve between knots of any."""
        ends = log(self.low) - 10 * HAIR, log(self.high) + 10 * HAIR
        if self.high >= 2 * M_MU:  # decays to muons
            return inf
        knots = {x for curve in curves for x, _ in curve if ends[0] < x < ends[1]}
        cuts = sorted(knots | set(ends))
        parts = pairwise(cuts)
        largest = max(min((on_curve(c, *part) for c in curves), default=inf) for part in parts)
        return exp(2 * largest) * (1 + 1e-9) if largest < inf else inf

    def dump(self, ratio, region):
        """Return bounds of k and b, see seen_behind_dump; None where there is no limit."""
        low, high = log(self.low) - 10 * HAIR, log(self.high) + 10 * HAIR
        part = [row for row in region if low < row[0] < high]
        if self.high >= 2 * M_MU or self.low <= 3 * M_E:
            return None
        if not region[0][0] <= low < high <= region[-1][0]:
            return None
        for x in (low, high):
            right = min(i for i, row in enumerate(region) if row[0] > x or row is region[-1])
            row, end = region[right - 1 : right + 1]
            if None in row + end:
                return None
            share = (x - row[0]) / (end[0] - row[0])
            part.append([a + share * (b - a) for a, b in zip(row, end, strict=True)])
        if any(None in row for row in part):
            return None
        edges = [wide(f(r[1] for r in part), f(r[1] for r in part)) for f in (min, max)]
        widths = [2 * (r[2] - r[1]) for r in part]
        if min(widths) <= 1e-2 or max(widths) > 29:
            return None
        times = (
            lifetimes(max(widths), ratio) * (1 - 1e-7),
            lifetimes(min(widths), ratio) * (1 + 1e-7),
        )
        squares = [wide(exp(2 * end), exp(2 * end)) for end in (edges[0][0], edges[1][1])]
        most = min(max(log(1 + ratio) / ratio, times[0]), times[1])
        k = 1 / (squares[1][1] * exp(-most) * (1 - exp(-ratio * most))) * (1 - 1e-11)
        # The width of a dark photon: sqrt(1 - 4 x) (1 + 2 x).
        at = [
            (1 - 4 * x) ** 0.5 * (1 + 2 * x)
            for x in ((M_E / m) ** 2 for m in (self.low, self.high))
        ]
        b = times[0] / squares[1][1] / at[1], times[1] / squares[0][0] / at[0]
        return k, wide(*b, 1e-11), ratio

    def factor(self, kind):
        """Return the factor of C_Ve C_Ae in a product; E158: hep-ex/0504049."""
        if kind == "one":
            return 1.0, 1.0
        if kind != "e158":
            raise WrongProof(f"the formula {kind} is unknown")
        q2, scale = 0.026e6, 2 * sqrt(2) * G_F
        u = q2 * (1 - 0.6) / 0.6
        ends = [(1 / (q2 + m * m) + 1 / (u + m * m)) / scale for m in (self.high, self.low)]
        return wide(*ends)


def tau(box, cell):
    total = -cell.slack, cell.slack
    for row, factor in enumerate(cell.proof["tau"][:4]):
        total = add(total, mul((factor, factor), box[row])) if factor else total
    return total


def difference(box, *, axial):
    """Return C_Ve - C_nue + C_numu, less C_Ae if C_Amu is free."""
    total = add(add(box[V], neg(box[NUE])), box[NUMU])
    return add(total, neg(box[A])) if axial else total


def moment_fails(moment, data, sigma):
    least, most = -inf, inf
    for value, up, down in data:
        slack = HAIR * (abs(value) + sigma * (up + down))
        least = max(least, value - sigma * down - slack)
        most = min(most, value + sigma * up + slack)
    return least > most or moment[1] < least or moment[0] > most


def electron_fails(box, cell):
    k_v, k_a = cell.k[:2]
    moment = add(mul(k_v, sqr(box[V])), neg(mul(k_a, sqr(box[A]))))
    return moment_fails(moment, cell.proof["electron"], cell.proof["sigma"])


def muon_fails(box, cell):
    k_v, k_a = cell.k[2:]
    if cell.proof["universal_axial"]:  # C_Amu = C_Ae
        moment = add(mul(k_v, sqr(difference(box, axial=False))), neg(mul(k_a, sqr(box[A]))))
        return moment_fails(moment, cell.proof["muon"], cell.proof["sigma"])
    # The largest moment at given S = C_Vmu - C_Amu is S^2/(1/k_V - 1/k_A), if k_A > k_V.
    inverse = (1 / k_v[1]) * (1 - HAIR) - (1 / k_a[0]) * (1 + HAIR)
    if inverse <= 0:
        return False
    largest = sqr(difference(box, axial=True))[1] / inverse * (1 + HAIR)
    return moment_fails((-inf, largest), cell.proof["muon"], cell.proof["sigma"])


def nucleosynthesis_fails(box, cell):
    """Return whether contact by electrons alone, neutrinos alone or both is forbidden."""
    *floors, contact = cell.proof["floors"]
    alone_e, alone_nu, both = (cell.high * (1 + HAIR) < floor for floor in floors)
    least, most = wide(contact**2, contact**2)
    electrons = add(sqr(box[V]), sqr(box[A]))
    squares = [sqr(c) for c in (box[NUE], box[NUMU], tau(box, cell))]
    neutrinos = [max(ends) for ends in zip(*squares, strict=True)]

    def forbidden(e, nu):
        return both if e and nu else alone_e if e else alone_nu if nu else False

    in_contact = [
        [True] * (x[1] > least) + [False] * (x[0] <= most) for x in (electrons, neutrinos)
    ]
    return all(forbidden(e, nu) for e in in_contact[0] for nu in in_contact[1])


def quarks_fail(box, cell):
    """Return whether no coupling of the proton meets the data on quarks.

    With one Higgs doublet w = C_Vu - C_Vd is C_nue - C_Ve + C_Ae, less a part of at most slack.
    Weak charges bound C_Ae C_Vp and C_Ae (133 C_Vp - 78 w), pi0 -> gamma Z' bounds
    C_Vp + share (w - C_Vp) times a root of a branching ratio.
    """
    if cell.quarks is None:
        raise WrongProof("the factor of Caesium is missing")
    caesium, proton, share, slack, limits = cell.quarks
    data, sign, axial = cell.proof["quarks"], 1.0, box[A]
    if axial[1] < 0:
        sign, axial = -1.0, neg(axial)
    if axial[0] <= 0:
        return False
    free = -1e100, 1e100
    w = mul(add(add(box[NUE], neg(box[V])), box[A]), (nextafter(1 - slack, -inf), 1.0))
    of_cs = over(data["caesium"], caesium) if data["caesium"] else free
    of_p = over(data["proton"], proton) if data["proton"] else free
    signs = (sign, sign)
    windows = [mul(signs, over(w_of(of_cs, of_p), axial))]
    of_cs, of_p = (mul(signs, over(x, axial)) for x in (of_cs, of_p))
    electrons, width, half = widths(box, cell)
    squares = []
    if width[0] > 0:
        squares += [sum(limits), limits[0] * (width[0] + half[1]) / width[0]]
    if half[0] > 0:
        squares.append(limits[1] * (half[0] + cell.w_v[1] * electrons[1]) / half[0])
    most = min(squares, default=inf)
    if most < 1e100:
        most = sqrt(most) * (1 + HAIR)
        charge = over(add((-most, most), neg(mul(share, w))), add((1.0, 1.0), neg(share)))
        of_p = max(of_p[0], charge[0]), min(of_p[1], charge[1])
    if of_p[0] > of_p[1]:
        return True
    windows.append(w_of(of_cs, of_p))
    low, high = max(x[0] for x in windows), min(x[1] for x in windows)
    return low > high or low > w[1] or high < w[0]


def over(a, b):
    """Return a / b for positive b."""
    ends = [x / y for x in a for y in b]
    return out(min(ends), max(ends))


def w_of(caesium, proton):
    """Return w from 133 C_Vp - 78 w and C_Vp."""
    return over(add(mul((133.0, 133.0), proton), neg(caesium)), (78.0, 78.0))


def widths(box, cell):
    """Return P = C_Ve^2 + C_Ae^2, the width to electrons, and half the squares of neutrinos."""
    electrons = add(sqr(box[V]), sqr(box[A]))
    width = add(mul(cell.w_v, sqr(box[V])), mul(cell.w_a, sqr(box[A])))
    total = add(add(sqr(box[NUE]), sqr(box[NUMU])), sqr(tau(box, cell)))
    return electrons, width, mul((0.5, 0.5), total)


def visible_fails(box, cell):
    electrons, width, half = widths(box, cell)
    if width[0] <= 0:
        return False
    return electrons[0] * width[0] / (width[0] + half[1]) * (1 - HAIR) > cell.visible


def invisible_fails(box, cell):
    electrons, _, half = widths(box, cell)  # the width is at most w_V P
    if electrons[0] <= 0 or half[0] <= 0:
        return False
    share = half[0] / (half[0] + cell.w_v[1] * electrons[0])
    return electrons[0] * share * (1 - HAIR) > cell.invisible


def both_decays_fail(box, cell):
    """Return whether P exceeds the sum of the limits on P BR(ee) and P BR(nu nu)."""
    electrons, _, _ = widths(box, cell)
    return cell.w_a[0] > 0 and electrons[0] * (1 - HAIR) > cell.visible + cell.invisible


def dump_fails(box, cell, index):
    """Return whether a beam dump sees too many decays: k P BR(ee) g(b W) > 1.

    g(t) = exp(-t) [1 - exp(-r t)] rises and then falls; W is the total width.
    """
    if cell.dumps[index] is None:
        return False
    k, b, ratio = cell.dumps[index]
    electrons, width, half = widths(box, cell)
    if width[0] <= 0:
        return False
    times = mul(b, add(width, half))
    least = min(exp(-t) * -expm1(-ratio * t) for t in times)
    share = width[0] / (width[0] + half[1])
    return k * electrons[0] * share * least * (1 - 1e-11) > 1


def stars_fail(box, cell):
    electrons, _, half = widths(box, cell)
    return 2 * electrons[0] * half[0] * (1 - HAIR) > cell.stars


def product_fails(box, cell, index):
    kind, low, high = cell.proof["products"][index]
    value = mul(cell.factor(kind), mul(box[V], box[A]))
    return value[0] > high or value[1] < low


def form(coefficients, x, y):
    """Return a x + b y + p x^2 + q x y + s y^2 at a point."""
    a, b, p, q, s = coefficients
    x, y = (x, x), (y, y)
    squares = add(mul(p, sqr(x)), add(mul(q, mul(x, y)), mul(s, sqr(y))))
    return add(add(mul(a, x), mul(b, y)), squares)


def least(coefficients, x, y):
    """Return a lower bound of a convex form over a rectangle: a plane that touches it."""
    a, b, p, q, s = coefficients
    ma, mb, mp, mq, ms = (0.5 * (c[0] + c[1]) for c in coefficients)
    x0, y0 = 0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1])
    for _ in range(60):
        x0 = min(max(-(ma + mq * y0) / (2 * mp), x[0]), x[1]) if mp > 0 else x0
        y0 = min(max(-(mb + mq * x0) / (2 * ms), y[0]), y[1]) if ms > 0 else y0
    px, py = (x0, x0), (y0, y0)
    slope_x = add(a, add(mul((2.0, 2.0), mul(p, px)), mul(q, py)))
    slope_y = add(b, add(mul(q, px), mul((2.0, 2.0), mul(s, py))))
    rise = add(mul(slope_x, add(x, neg(px))), mul(slope_y, add(y, neg(py))))
    return add(form(coefficients, x0, y0), rise)[0]


def trident_fails(box, cell):
    """Return whether Eq. (16) of 2102.07781 fails; C_Amu is not in it."""
    low, high = cell.proof["trident"]
    if low > high:  # measurements contradict each other
        return True
    logs = [2.6e11 * log(M_MU / m) for m in (cell.high, cell.low)]
    second = logs[0] - 2.6e11 * HAIR, logs[1] + 2.6e11 * HAIR
    if second[0] <= 0 or not cell.proof["universal_axial"]:
        return False
    none = (0.0, 0.0)
    form_of_x = (wide(5.6e5, 5.6e5), none, second, none, none)
    x = mul(difference(box, axial=False), box[NUMU])
    largest = max(form(form_of_x, end, 0.0)[1] for end in x)
    smallest = nextafter(1 + least(form_of_x, x, none), -inf)
    return smallest > high or nextafter(1 + largest, inf) < low


def rate_fails(box, cell, rate):
    low, high = cell.proof["rates"][rate]
    neutrinos = (box[NUE], box[NUMU], tau(box, cell))
    smallest, largest = 1.0, {(v, a): 1.0 for v in box[V] for a in box[A]}
    for (which, flavour), block in zip(cell.proof["blocks"], cell.blocks, strict=True):
        if which != rate:
            continue
        middle = [0.5 * (c[0] + c[1]) for c in block]
        if min(middle[2], middle[4]) < 0 or middle[3] ** 2 > 4 * middle[2] * middle[4]:
            raise WrongProof("a rate is not convex")
        nu = neutrinos[flavour]
        bound = least(block, mul(nu, box[V]), mul(nu, box[A]))
        smallest = nextafter(smallest + bound, -inf)
        # Convex in each coupling: the largest value is at a corner.
        for (v, a), so_far in largest.items():
            ends = []
            for n in nu:
                x, y = mul((n, n), (v, v)), mul((n, n), (a, a))
                ends += [form(block, i, j)[1] for i in x for j in y]
            largest[v, a] = nextafter(so_far + max(ends), inf)
    return smallest > high or max(largest.values()) < low


TERMS = {
    "e": electron_fails,
    "m": muon_fails,
    "b": nucleosynthesis_fails,
    "v": visible_fails,
    "i": invisible_fails,
    "s": stars_fail,
    "t": trident_fails,
    "d": both_decays_fail,
    "x": dump_fails,
    "p": product_fails,
    "q": quarks_fail,
    "r": rate_fails,
}


def check_tree(proof):
    """Raise WrongProof unless every leaf of the tree is excluded; return how many there are."""
    first = [list(row) for row in proof["box"]]
    # Half of the domain is enough, as a common sign of all couplings changes nothing.
    if sum(row[0] != -row[1] for row in first) > 1 or any(r[0] not in (0, -r[1]) for r in first):
        raise WrongProof("the first box is not half of a symmetric domain")
    cell, leaves = cache(lambda node: Cell(proof, node)), 0
    steps = iter(proof["tree"].split())
    stack = [(first, 1)]
    while stack:
        box, node = stack.pop()
        step = next(steps, None)
        if step is None:
            raise WrongProof("a box of the domain is missing from the tree")
        if step == "/":
            stack += [(box, 2 * node + 1), (box, 2 * node)]
        elif step[0] in "VANM":
            row, point = "VANM".index(step[0]), float(step[1:])
            if not box[row][0] <= point <= box[row][1]:
                raise WrongProof(f"the cut {step} lies outside its box")
            lower, upper = [list(r) for r in box], [list(r) for r in box]
            lower[row][1] = upper[row][0] = point
            stack += [(upper, node), (lower, node)]
        else:
            leaves += 1
            if not TERMS[step[0]](box, cell(node), *map(int, step[1:].split())):
                raise WrongProof(f"the term {step} does not exclude box {leaves}: {box}")
    if next(steps, None) is not None:
        raise WrongProof("the tree holds more boxes than the domain")
    return leaves


def check(record):
    """Check a certificate; return its level and the number of boxes."""
    proof = record["proof"]
    outer = {"sha256", "tree", "nodes"}
    inputs = {name: value for name, value in proof.items() if name not in outer}
    text = json.dumps(inputs, sort_keys=True)
    if hashlib.sha256(text.encode()).hexdigest() != proof["sha256"]:
        raise WrongProof("the inputs of the proof have changed since it was written")
    stated = record["domain"]
    reach = [max(-row[0], row[1]) for row in proof["box"]]
    names = ("C_Ve", "C_Ae", "C_nue", "C_numu")
    if stated["m_Zp"] != proof["mass"] or [stated[n][1] for n in names] != reach:
        raise WrongProof("the domain of the proof is not the one that is stated")
    if not 0 < proof["sigma"] <= record["lower"]:
        raise WrongProof("the level of the tree is above the stated bound")
    moments = [[d["value"], d["up"], d["down"]] for d in record["anomalies"].values()]
    if moments != proof["electron"] + proof["muon"]:
        raise WrongProof("the moments of the proof are not those that are stated")
    return proof["sigma"], check_tree(proof)


if __name__ == "__main__":
    certificate = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        sigma, leaves = check(certificate)
    except WrongProof as wrong:
        sys.exit(f"Not proved: {wrong}.")
    print(f"Proved: joint sigma > {sigma} ({leaves} boxes checked).")
