"""Proofs of the joint sigma: sound against the likelihood, tight, and able to fail."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import zpfit
from zpfit.analysis.certify.bound_below import proved_below
from zpfit.analysis.certify.bracket import certify_bracket
from zpfit.analysis.certify.contractors import survives
from zpfit.analysis.certify.leaves import _nucleosynthesis_fails
from zpfit.analysis.certify.mass_cells import mass_cells
from zpfit.analysis.certify.proof import Prover, tau_of
from zpfit.analysis.certify.quantities import (
    CAESIUM,
    FIRST_FREE,
    FLOOR_BOTH,
    FLOOR_E,
    FLOOR_NU,
    INVISIBLE,
    K_AE,
    NO_LIMIT,
    PARITY_P,
    PION_INVISIBLE,
    PION_VISIBLE,
    STARS,
    VISIBLE,
)
from zpfit.analysis.certify.structure import Quarks, structure_of
from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.errors import InvalidInput, OutsidePrior
from zpfit.models.gauge_mixing import BARE_Z_MASS
from zpfit.physics.constants import ELECTRIC_CHARGE, FERMI_CONSTANT, SIN2_THETA_W
from zpfit.physics.couplings import Couplings
from zpfit.physics.dark_photon_limits import dump_ratio
from zpfit.physics.production import production_ratio

SETS = ("paper_2021_cs", "today_leptons_cs")
MODELS = ("paper_sm_u1", "paper_nhdm_u1", "paper_froggatt_nielsen", "nhdm_u1")
WITH_QUARKS = ("closed_2021_cs", "today_cs")


@cache
def problem(model, data):
    return zpfit.load({"model": model, "likelihood": data, "priors": {"parameters": PRIORS[model]}})


def log_uniform(*names):
    signed = {"type": "signed_log_uniform", "lower": 1e-8, "upper": 0.1}
    mass = {"m_Zp": {"type": "log_uniform", "lower": 1, "upper": 100}}
    return mass | dict.fromkeys(names, signed)


PRIORS = {
    "paper_sm_u1": log_uniform("C_Ve", "C_nue", "C_numu"),
    "paper_nhdm_u1": log_uniform("C_Ve", "C_A", "C_nue", "C_numu"),
    "paper_froggatt_nielsen": log_uniform("C_Ve", "C_Ae", "C_Amu", "C_nue", "C_numu"),
    "nhdm_u1": {},
    "froggatt_nielsen": {"z_q": {"type": "signed_log_uniform", "lower": 1e-5, "upper": 100}},
}


def random_points(structure, n, rng):
    """Couplings of the class with sizes from 1e-7 to 1e-2 and masses of the domain."""
    low, high = np.log(structure.domain.mass)
    sizes = 10 ** rng.uniform(-7, -2, (5, n)) * rng.choice([-1, 1], (5, n))
    v, a, nue, numu, amu = sizes
    if structure.relation.universal_axial:
        a = np.clip(a, *structure.domain.couplings[1])
        amu = a
    tau = np.array(structure.relation.tau) @ np.array([v, a, nue, numu])
    mass = np.exp(rng.uniform(low, high, n))
    return Couplings(
        m_Zp=mass,
        C_Ve=v, C_Ae=a, C_nue=nue, C_numu=numu,
        C_Amu=amu, C_Vmu=v - a - nue + numu + amu, C_nutau=tau,
        **quarks(mass, nue - v + a, rng),
    )  # fmt: skip


def quarks(mass, left, rng):
    """Vector couplings of quarks with one Higgs doublet; left is C_uL - C_dL."""
    mixing = mass**2 / (2 * (1 - SIN2_THETA_W) * BARE_Z_MASS**2)
    isospin = left * (1 - mixing * rng.uniform(0, 1, len(mass)))
    proton = 10 ** rng.uniform(-8, -2, len(mass)) * rng.choice([-1, 1], len(mass))
    return {"C_Vu": (proton + isospin) / 3, "C_Vd": (proton - 2 * isospin) / 3}


def just_around(values, rng):
    """Intervals whose ends are a random relative distance from values, mostly a tiny one."""
    below, above = 10 ** rng.uniform(-7, 1, (2, *np.shape(values))) * np.abs(values)
    return np.stack([values - below, values + above], axis=-1)


def boxes_around(c, rng):
    rows = np.stack([c.C_Ve, c.C_Ae, c.C_nue, c.C_numu], axis=1)
    below, above = 10 ** rng.uniform(-12, 1, (2, *rows.shape)) * np.maximum(np.abs(rows), 1e-9)
    one_sided = rng.random(rows.shape)
    below, above = np.where(one_sided < 0.1, 0, below), np.where(one_sided > 0.9, 0, above)
    return np.stack([rows - below, rows + above], axis=-1), rows


def count_of_cut_points(problem, n, seed, sabotage=None):
    """Return how many of n points a box around them loses, though each meets its constraints.

    The constraints are set around the predictions of the likelihood at each point, so that
    every point meets all of them, most of them by a hair.
    """
    rng, structure = np.random.default_rng(seed), structure_of(problem)
    cells = mass_cells(structure, *structure.domain.mass, 256)
    if sabotage is not None:
        sabotage(cells.table)
    c = random_points(structure, n, rng)
    leaf = np.clip(np.searchsorted(cells.edges, c.m_Zp) - 1, 0, 255) + 256
    nodes = leaf >> rng.integers(0, 9, n)
    terms = [t for t in problem.posterior.likelihood.measurements if t.name in structure.used]
    measured = {t.name: t.prediction(c) for t in terms}
    too_light = forbidden_by_nucleosynthesis(problem, c)
    level = levels(structure, measured, c, rng)
    targets = np.stack(
        [just_around(measured[recoil.name], rng) for recoil in structure.recoils], axis=1
    )
    boxes, rows = boxes_around(c, rng)
    tau, cut = tau_of(structure), 0
    visible, invisible, stars = limits_at(c)
    pions = squared_pion_charge(c) * np.stack([c.br_ee, c.br_inv]) * (1 + 1e-9)
    seen = decays_seen(structure, c)
    columns = cells.products.copy()
    columns[:, 0] = np.arange(len(columns))
    for i in range(n):
        table = cells.table[nodes[i] : nodes[i] + 1].copy()
        table[0, [VISIBLE, INVISIBLE, STARS], 1] = visible[i], invisible[i], stars[i]
        first = cells.dumps[:, 0].astype(int)
        table[0, first, 0] *= np.where(seen[:, i] > 1e-200, 1 / np.maximum(seen[:, i], 1e-200), 0)
        products = cells.products.copy()
        for row, product in enumerate(structure.products):
            value = measured.get(product.name)
            size = value[i] if value is not None else c.C_Ve[i] * c.C_Ae[i]
            products[row, 1:] = just_around(size, rng)
        table[0, [PION_VISIBLE, PION_INVISIBLE], 1] = pions[:, i]
        if too_light[i]:
            table[0, [FLOOR_E, FLOOR_NU, FLOOR_BOTH]] = 0.0
        kept = survives(
            boxes[i], 0, table, level[i], tau, products, cells.blocks, targets[i], cells.dumps
        ) and np.all((boxes[i, :, 0] <= rows[i]) & (rows[i] <= boxes[i, :, 1]))
        cut += not kept
    return cut


def levels(structure, measured, c, rng):
    electron = just_around(measured[structure.electron[0].name], rng)
    muon = just_around(measured[structure.muon[0].name], rng)
    trident = np.array([-NO_LIMIT, NO_LIMIT]) * np.ones((len(c), 1))
    if "ccfr_1991" in structure.used:
        trident = just_around(measured["ccfr_1991"], rng)
    free = 0.0 if structure.relation.universal_axial else 1.0
    rest = np.array([structure.contact, free]) * np.ones((len(c), 1))
    none = np.array([-NO_LIMIT, NO_LIMIT]) * np.ones((len(c), 1))
    charges = [
        just_around(measured[name], rng) if name in structure.used else none
        for name in ("q_w_cs_2021", "qweak_2018")
    ]
    some = np.full((len(c), 1), float(structure.quarks != Quarks()))
    return np.concatenate([electron, muon, trident, rest, *charges, some], axis=1)


def squared_pion_charge(c):
    """Return x^2 of pi0 -> gamma Z', which is C_Vp^2 for a light Z'."""
    return ELECTRIC_CHARGE**2 * production_ratio(c, "pi0_gamma")


def forbidden_by_nucleosynthesis(problem, c):
    """Return True for points that a floor of the mass or N_eff excludes."""
    likelihood, limits = problem.posterior.likelihood, problem.settings.joint_sigma
    floors = [one for one in likelihood.exclusions if one.name.startswith("bbn")]
    found = np.any([one.ratio(c) > 1 for one in floors], axis=0)
    for term in likelihood.measurements:
        if term.name.startswith("n_eff"):
            found |= np.abs(term.pull(c)) > limits.limit(term.name)
    return found


def limits_at(c):
    """The squared limits that the points touch, with a margin for rounding."""
    hair = 1 + 1e-9
    both = c.C_Ve**2 + c.C_Ae**2
    neutrinos = c.C_nue**2 + c.C_numu**2 + c.C_nutau**2
    below_muons = c.br_ee + c.br_inv  # 1: no other channel is open
    assert np.allclose(below_muons, 1)
    return both * c.br_ee * hair, both * c.br_inv * hair, both * neutrinos * hair


def decays_seen(structure, c):
    """The decays behind each dump over their limit, which becomes what the points touch."""
    hair = 1 + 1e-9
    return np.array([dump_ratio(c, d.region, d.length_ratio) * hair for d in structure.dumps])


@pytest.mark.parametrize(
    ("model", "data"),
    [
        pytest.param(m, d, marks=[pytest.mark.slow] * ((i + j) % 2))
        for i, m in enumerate(MODELS)
        for j, d in enumerate(SETS)
    ],
)
def test_no_point_that_meets_the_constraints_is_cut(model, data):
    assert count_of_cut_points(problem(model, data), 4_000, 1) == 0


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_a_million_points_are_not_cut(model):
    for seed in range(5):
        assert count_of_cut_points(problem(model, SETS[seed % 2]), 50_000, 10 + seed) == 0


@pytest.mark.parametrize("data", WITH_QUARKS)
def test_no_point_that_meets_data_on_quarks_is_cut(data):
    assert count_of_cut_points(problem("froggatt_nielsen", data), 4_000, 2) == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("data", WITH_QUARKS)
def test_a_million_points_with_quarks_are_not_cut(data, seed):
    """125,000 points for each seed and set."""
    assert count_of_cut_points(problem("froggatt_nielsen", data), 125_000, 100 + seed) == 0


@pytest.mark.parametrize("column", [CAESIUM, PARITY_P])
def test_wrong_weak_charges_are_noticed(column):
    def sabotage(table):
        table[:, column] *= 0.9

    assert count_of_cut_points(problem("froggatt_nielsen", "today_cs"), 4_000, 1, sabotage) > 0


def test_nucleosynthesis_excludes_what_the_likelihood_does():
    """Thermal contact by electrons alone, neutrinos alone or both, at masses of 1 to 20 MeV."""
    rng, run = np.random.default_rng(5), problem("froggatt_nielsen", "today_cs")
    structure, n = structure_of(run), 4_000
    assert structure.floors[2] == 9.8
    mass = np.exp(rng.uniform(0, np.log(20), n))
    sizes = rng.choice([3e-10, 3e-9], (4, n)) * rng.choice([-1, 1], (4, n))
    names = ("C_Ve", "C_Ae", "C_nue", "C_numu")
    c = Couplings.of(m_Zp=mass, **dict(zip(names, sizes, strict=True)))
    cells = mass_cells(structure, 1.0, 20.0, 4096)
    leaf = np.clip(np.searchsorted(cells.edges, mass) - 1, 0, 4095) + 4096
    excluded = [
        _nucleosynthesis_fails(
            np.repeat(sizes[:, i, None], 2, axis=1), cells.table, leaf[i], np.zeros(4), 1e-9
        )
        for i in range(n)
    ]
    wanted = forbidden_by_nucleosynthesis(run, c)
    assert not np.any(np.array(excluded) & ~wanted)
    assert np.mean(np.array(excluded) != wanted) < 2e-3  # the cell of the floor itself


@pytest.mark.parametrize("route", ["exact", "leading_order"])
@pytest.mark.parametrize("model", ["sm_u1", "froggatt_nielsen"])
def test_one_doublet_relates_quarks_to_leptons(model, route):
    """C_Vu - C_Vd = C_nue - C_Ve + C_Ae, less at most the mixing with the Z."""
    source = {"model": {"name": model, "options": {"route": route}}, "likelihood": "today_cs"}
    run = zpfit.load(source)
    u = np.random.default_rng(3).random((1000, run.posterior.dimension))
    c = run.posterior.couplings(u)
    left = c.C_nue - c.C_Ve + c.C_Ae
    share = (left - (c.C_Vu - c.C_Vd)) / left
    mixing = c.m_Zp**2 / (2 * (1 - SIN2_THETA_W) * BARE_Z_MASS**2)
    largest = np.max(np.abs([c.C_Vu, c.C_Ve, c.C_nue]), axis=0)
    clear = np.abs(left) > 1e-5 * largest  # rounding of the differences is far below the mixing
    assert clear.sum() > 400
    assert np.all((share[clear] > -1e-9) & (share[clear] < mixing[clear] + 1e-9))


@pytest.mark.parametrize("column", [K_AE, FIRST_FREE, FIRST_FREE + 3])
def test_wrong_bounds_are_noticed(column):
    """One per cent of error in one coefficient is enough for the test of soundness to fail."""

    def sabotage(table):
        table[:, column] *= 0.99

    assert count_of_cut_points(problem("paper_nhdm_u1", SETS[0]), 4_000, 1, sabotage) > 0


BRACKETS = {
    # Joint sigmas of an independent branch and bound, and of searches in mass windows.
    "sm_u1_cs": 2.41667,
    "nhdm_u1_cs": 2.38518,
    "froggatt_nielsen_cs": 2.33180,
    "sm_u1_rb": 1.32229,
    "nhdm_u1_rb": 1.32229,
    "froggatt_nielsen_rb": 1.11052,
    "paper_sm_u1": 3.01520,
    "paper_nhdm_u1": 3.01514,
    "paper_froggatt_nielsen": 2.39996,
}
FAST = ("sm_u1_cs", "paper_sm_u1", "paper_froggatt_nielsen")


@pytest.mark.parametrize(
    "run",
    [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in BRACKETS],
)
def test_brackets_contain_the_joint_sigma(run):
    found = certify_bracket(zpfit.load(run), 1e-3)
    assert found.converged
    assert found.lower < BRACKETS[run] + 1e-5
    assert found.upper > BRACKETS[run] - 1e-5
    assert found.upper - found.lower <= 1e-3


PAPER_RB = {"model": "paper_froggatt_nielsen", "likelihood": "paper_2021_rb"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "lower", "upper"),
    [
        ("paper_sm_u1", 1.36206, 1.36296),
        ("paper_nhdm_u1", 1.36272, 1.36292),
        ("paper_froggatt_nielsen", 1.14682, 1.14772),
    ],
)
def test_the_papers_own_conditions_with_rubidium(run, lower, upper):
    found = certify_bracket(zpfit.load(run, likelihood="paper_2021_rb"), 1e-3)
    assert found.converged
    assert found.lower <= upper + 1e-5
    assert found.upper >= lower - 1e-5


DATA = (
    "cs",
    "rb",
    "closed_cs",
    "closed_rb",
    "today_leptons_cs",
    "today_leptons_rb",
    "today_cs",
    "today_rb",
    "forecast",
    "today_leptons_cs_wp2020",
)


@pytest.mark.slow
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("model", ["sm_u1", "nhdm_u1", "froggatt_nielsen"])
def test_brackets_are_tight_against_the_search(model, data):
    """Every packaged class and data set, against a search that knows nothing of proofs."""
    run = zpfit.load(f"{model}_{data}")
    found = certify_bracket(run, 1e-3)
    limits, rng = run.settings.joint_sigma, np.random.default_rng(run.settings.seed)
    searched, _ = joint_sigma_or_none(run.posterior, rng, limits)
    assert found.converged
    assert found.upper - found.lower <= 1e-3
    assert found.lower <= searched.sigma
    assert searched.sigma - found.lower < 0.01


@pytest.mark.slow
def test_a_joint_sigma_of_zero_leaves_nothing_to_prove():
    """Rubidium's moments of 2023 and 2025 are both met: no boxes are spent on a lower bound."""
    found = zpfit.certify("sm_u1_today_leptons_rb", progress=False)
    assert found.converged
    assert found.lower == 0
    assert found.upper < 1e-3
    assert found.boxes < 100_000


@pytest.mark.slow
def test_projections_and_dumps_have_a_bracket():
    """NA64's dump excludes the points that the other limits leave from 0.29 sigma on."""
    problem = zpfit.load("froggatt_nielsen_forecast")
    assert Prover(structure_of(problem)).prove(2.9).proved
    without = replace(structure_of(problem), dumps=())
    assert not Prover(without, most=30_000).prove(2.9).proved


@pytest.mark.slow
def test_the_upper_end_starts_from_a_known_point():
    """Whole-number charges: undecided boxes lead to 1.1414 only, this point to 1.1360."""
    point = {
        "m_Zp": 23.132319, "g_prime": 4.4355e-06, "eps_Y": -0.00178176,
        "z_Le": 0, "z_Lmu": -3, "n_e": -10, "n_mu": 3,
    }  # fmt: skip
    found = zpfit.certify("froggatt_nielsen_integers_rb", point=point, progress=False)
    assert found.upper <= 1.1365
    assert found.lower <= 1.1106  # proved for any charges


@pytest.mark.slow
def test_the_upper_end_needs_no_known_point():
    """A search from everywhere follows where undecided boxes lead to no better point."""
    found = certify_bracket(zpfit.load("froggatt_nielsen_integers_rb"))
    assert found.upper <= 1.1365
    found = certify_bracket(zpfit.load("froggatt_nielsen_today_leptons_cs_wp2020"))
    assert found.upper == pytest.approx(2.8776, abs=1e-3)
    assert found.converged


def test_a_point_must_be_complete_and_inside_the_priors():
    problem = zpfit.load("paper_sm_u1")
    best = {"m_Zp": 20.0, "C_Ve": 0.05, "C_nue": 1e-5, "C_numu": 1e-5}
    with pytest.raises(InvalidInput, match="point: m_Zp is missing"):
        zpfit.certify(problem, point={}, progress=False)
    with pytest.raises(OutsidePrior):
        zpfit.certify(problem, point={**best, "m_Zp": 1e6}, progress=False)


@pytest.mark.slow
def test_both_forms_of_babars_limit_give_brackets():
    curve = {"set": "paper_2021_cs", "drop": ["babar_2014_envelope"], "add": ["babar_2014"]}
    found = certify_bracket(zpfit.load("froggatt_nielsen_cs", likelihood=curve), 1e-3)
    assert found.converged
    assert found.upper <= 2.3319  # the published curve is weaker than its lower hull


@pytest.mark.parametrize("run", ["sm_u1_cs", "nhdm_u1_cs", "froggatt_nielsen_cs"])
def test_the_theorem_takes_few_boxes(run):
    theorem = zpfit.certify(run, sigma=1.0, progress=False)
    assert theorem.converged
    assert theorem.lower == 1.0
    assert theorem.boxes < 100


def test_a_known_minimum():
    """Without axial coupling a Z' only raises a_e: its pull of 8.7/3.6 in Caesium stays."""
    model = {"model": "sm_u1", "likelihood": {"add": ["a_e_cs_2018", "a_mu_2021"]}}
    found = certify_bracket(zpfit.load(model), 1e-4)
    assert found.lower <= 8.7 / 3.6 <= found.upper + 1e-9
    assert found.converged


@pytest.mark.parametrize("width", [0.0, 1e-10, 1e-8])
def test_a_fixed_mass_and_a_narrow_range_have_a_bracket(width):
    """The muon's moment is met at 17 MeV, so that the pull of a_e stays: 8.7/3.6 in Caesium."""
    mass = {"type": "log_uniform", "lower": 17, "upper": 17 * (1 + width)} if width else 17
    found = zpfit.certify("sm_u1_cs", progress=False, priors={"parameters": {"m_Zp": mass}})
    assert found.lower <= 8.7 / 3.6 <= found.upper + 1e-9
    assert found.converged
    assert found.boxes < 1000


def with_moments(folder, observable, *values):
    """A run with measurements of one moment that have an error of 1e-13, and another moment."""
    entries = folder / "likelihoods" / "entries"
    entries.mkdir(parents=True)
    names = [f"moment_{index}" for index in range(len(values))]
    for name, value in zip(names, values, strict=True):
        (entries / f"{name}.yaml").write_text(
            f"title: {name}\nlabel: {name}\ntype: gaussian\nmeasurement: {name}\n"
            f"observable: {observable}\nvalue: {value}\nerror: 1e-13\nconfidence_level: 0.683\n"
            "citations: [{key: 'Nobody:2027xx', journal: in preparation}]\napproximations: None.\n"
        )
    other = {"delta_a_e": "a_mu_2021", "delta_a_mu": "a_e_cs_2018"}[observable]
    run = {"model": "froggatt_nielsen", "likelihood": {"add": [*names, other]}}
    (folder / "run.yaml").write_text(json.dumps(run))
    return folder / "run.yaml"


@pytest.mark.parametrize("observable", ["delta_a_e", "delta_a_mu"])
def test_contradicting_measurements_of_a_moment_are_an_empty_target(tmp_path, observable):
    """5(1)e-13 and -5(1)e-13 are both five standard errors from what meets them best, zero."""
    run = with_moments(tmp_path, observable, 5e-13, -5e-13)
    found = zpfit.certify(run, sigma=4.999, tree=True, progress=False)
    assert found.lower == 4.999
    assert found.boxes == 1
    assert found.record["proof"]["nodes"] == 1
    above = Prover(structure_of(zpfit.load(run))).prove(5.001)
    assert not above.proved


def test_levels_above_the_optimum_stay_undecided():
    prover = Prover(structure_of(zpfit.load("paper_sm_u1")))
    assert prover.prove(3.0150).proved
    above = prover.prove(3.0154)  # the optimum is 3.01520
    assert not above.proved
    low, high = above.undecided[0, 0]
    assert 31 < low < high < 32.5


def test_a_case_where_nothing_can_be_proved():
    """Two moments alone are both met with an axial coupling."""
    source = {"model": "froggatt_nielsen", "likelihood": {"add": ["a_e_cs_2018", "a_mu_2021"]}}
    found = zpfit.certify(source, sigma=0.5, progress=False)
    assert found.lower == 0
    assert found.upper is not None
    assert found.upper <= 0.5


def test_a_bound_is_proved_next_to_a_point():
    """A bound lies below the known joint sigma, and no proof succeeds for one above it."""
    problem = zpfit.load("paper_sm_u1")
    bound = proved_below(problem, 3.0152)
    assert bound is not None
    assert 3.0152 - 0.005 <= bound < 3.0152
    assert 2.98 < proved_below(problem, 3.05) < 3.0152  # a search that ends too high
    assert proved_below(problem, 3.2) is None
    assert proved_below(zpfit.load("quickstart"), 1.0) is None
    assert proved_below(problem, None) is None


def test_limits_without_bounds_are_listed_and_the_proof_holds_without_them():
    found = zpfit.certify("sm_u1_today_leptons_cs", sigma=1.0, progress=False)
    assert found.lower == 1.0
    assert "trident_ccfr_1991" in found.left_out


def test_quarks_are_used_where_one_doublet_relates_them_to_leptons():
    names = {"q_w_cs_2021", "qweak_2018", "na48_2015", "na62_invisible_2019"}
    one = structure_of(zpfit.load("froggatt_nielsen_closed_cs"))
    several = structure_of(zpfit.load("nhdm_u1_closed_cs"))
    assert names <= set(one.used)
    assert names <= set(several.left_out)
    assert one.left_out["sindrum_rate_1989"] == "one Higgs doublet conserves the charged current"
    assert {"n_eff_2025", "bbn_mixed_2020"} <= set(
        structure_of(zpfit.load("nhdm_u1_today_cs")).used
    )


@pytest.mark.slow
def test_a_bound_with_quarks_is_proved_next_to_a_point():
    """The search ends at 3.5488; without weak charges the class meets both moments."""
    problem = zpfit.load("froggatt_nielsen_today_cs")
    assert 3.547 < proved_below(problem, 3.5488) < 3.5488
    without = replace(structure_of(problem), quarks=Quarks())
    assert not Prover(without, most=30_000).prove(1.0).proved


def test_a_rotated_relation_is_used_as_written(tmp_path):
    """A coupling that is twice a parameter has twice its domain."""
    (tmp_path / "models").mkdir()
    text = """\
type: couplings
title: Twice
description: Twice
reference: none
parameters: {half: {symbol: x}, C_Ve: {symbol: y}}
couplings:
  C_nue: {half: 2}
  C_Ve: {C_Ve: 1}
  C_numu: {half: 2}
  C_Vmu: {C_Ve: 1}
"""
    (tmp_path / "models" / "twice.yaml").write_text(text)
    run = tmp_path / "run.yaml"
    priors = {name: {"type": "uniform", "lower": -0.1, "upper": 0.1} for name in ("half", "C_Ve")}
    priors["m_Zp"] = {"type": "log_uniform", "lower": 10, "upper": 50}
    content = {"model": "twice", "likelihood": "paper_2021_cs", "priors": {"parameters": priors}}
    run.write_text(json.dumps(content))
    domain = structure_of(zpfit.load(run)).domain
    assert domain.mass == (10, 50)
    np.testing.assert_allclose(domain.couplings[:, 1], [0.1, 0, 0.2, 0.2])


def test_white_dwarfs_bound_the_product_of_squares():
    """(G_F m^2)^2 at the upper end of each cell."""
    structure = structure_of(problem("paper_nhdm_u1", "paper_2021_cs"))
    cells = mass_cells(structure, 10.0, 20.0, 16)
    np.testing.assert_allclose(
        cells.table[16:, STARS, 1], (FERMI_CONSTANT * cells.edges[1:] ** 2) ** 2, rtol=1e-9
    )
    assert cells.table[1, STARS, 1] == cells.table[31, STARS, 1]
