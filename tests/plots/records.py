"""Small fixed results of every kind that has a figure."""

from typing import Any

import numpy as np

from zpfit.inference.samplers.result import StoredSamples

TITLE = "Gauged L_mu - L_tau with a U(1)' and its data"


def axis(name: str, symbol: str, lower: float, upper: float, scale: str, unit: str = "") -> Any:
    return {
        "name": name, "symbol": symbol, "unit": unit, "lower": lower, "upper": upper,
        "scale": scale,
    }  # fmt: skip


MASS = axis("m_Zp", "m_{Z'}", 14.0, 30.0, "log", "MeV")
COUPLING = axis("g_prime", "g^{\\prime}", 1e-5, 1e-3, "log")


def plane(regions: int, x: Any = MASS, y: Any = COUPLING) -> dict[str, Any]:
    """Return a map whose regions are boxes from the top, each a little lower than the last."""
    found = []
    for index in range(regions):
        edges = np.array([index, index + 2]) / (regions + 1)
        left, right = x["lower"] * (x["upper"] / x["lower"]) ** edges
        bottom = 1e-4 * (1 + 0.5 * np.sin(index))
        ring = [[left, bottom], [right, bottom], [right, y["upper"]], [left, y["upper"]]]
        found.append(region(f"entry_{index}_2020", f"Search {index}", "excluded", ring, 0.2))
    (x0, x1), (y0, _) = ((own["lower"], own["upper"]) for own in (x, y))
    ring = [[x0, y0], [x1, y0], [x1, 4e-5], [x0, 4e-5]]
    found.append(region("allowed", "allowed", "allowed", ring, 0.4))
    return {
        "title": TITLE, "model": "mine", "likelihood": "small", "x": x, "y": y, "fixed": {},
        "solved": [], "profiled": [], "regions": found, "contours": [],
        "allowed": {"share": 0.4, "x": [x0, x1], "y": [y0, 4e-5]}, "notes": [],
    }  # fmt: skip


def region(name: str, label: str, kind: str, ring: Any, share: float) -> dict[str, Any]:
    return {
        "name": name, "label": label, "kind": kind, "sigma": None, "share": share,
        "polygons": [[[*ring, ring[0]]]],
    }  # fmt: skip


SYMBOLS = ("m_{Z'}", "C_{Ve}", "C_{Ae}", r"C_{\nu_e}", r"C_{V\mu}", r"C_{A\mu}", r"C_{\nu_\mu}")


def samples(number: int) -> tuple[StoredSamples, dict[str, float]]:
    """Return samples of up to seven parameters, the last one in a range as narrow as 1e-7."""
    rng = np.random.default_rng(1)
    shape = (2, 20, 60)
    values = {"m_Zp": 10 ** rng.uniform(1, 1.8, shape)}
    attributes: dict[str, Any] = {"m_Zp": axis("m_Zp", "m_{Z'}", 1.0, 100.0, "log", "MeV")}
    for index, symbol in enumerate(SYMBOLS[1:number], 1):
        name = f"C_{index}"
        signs = rng.choice([-1, 1], shape)
        values[name] = signs * 10 ** rng.uniform(-8, -3 - 0.3 * index, shape)
        attributes[name] = axis(name, symbol, 1e-8, 1.0, "signed_log")
    if number > 2:
        narrow = list(values)[-1]
        values[narrow] = 1e-10 * (5 + 1e-3 * rng.uniform(-1, 1, shape))
        attributes[narrow]["scale"] = "linear"
    best = {name: float(column.ravel()[0]) for name, column in values.items()}
    return StoredSamples(values, np.zeros(shape), attributes), best


def term(pull: float) -> dict[str, Any]:
    return {
        "observable": "o", "measured": 1.0, "error": 0.1, "errors": [0.1, 0.1],
        "prediction": 1.0 - 0.1 * pull, "pull": pull, "chi2": pull**2,
    }  # fmt: skip


LABELS = {"a_e_cs_2023": r"$\Delta a_e$ (Cs, 2023)", "a_mu_2025": r"$\Delta a_\mu$ (2025)"}
SUMMARY: dict[str, Any] = {
    "title": TITLE,
    "labels": LABELS,
    "best_fit": {
        "chi2": 1.25,
        "terms": {"a_e_cs_2023": term(-1.0), "a_mu_2025": term(0.5)},
        "exclusions": {"kloe_2015": {"ratio": 0.4}, "na64_2020": {"ratio": 1.1, "chi2": 0.1}},
    },
    "no_zprime": {
        "chi2": 23.0,
        "terms": {"a_e_cs_2023": term(-1.5), "a_mu_2025": term(4.5)},
        "exclusions": {},
    },
}
TENSION: dict[str, Any] = {
    "title": TITLE, "labels": LABELS, "joint_sigma": 1.02,
    "pulls": {name: {"best_fit": 0.5, "predictive": -1.0} for name in LABELS},
    "parameter_goodness": {"chi2": 1.2, "sigma": 0.4}, "evidence": {"log_s": -1.1, "sigma": 1.5},
}  # fmt: skip


def row(run: str, model: str, ln_b: float) -> dict[str, Any]:
    varied = {name: {"lnZ": ln_b + shift} for name, shift in (("wider", -1), ("narrower", 1))}
    return {
        "run": run, "model": model, "title": f"With {len(model)} doublets, {TITLE}",
        "reference": "no Z'", "likelihood": "today_cs", "data": 1,
        "ln_bayes_factor": ln_b, "ln_bayes_factor_err": 0.1, "prior_sensitivity": varied,
        "best_fit_chi2": 3.5, "labels": LABELS,
        "chi2_by_term": {"a_e_cs_2023": 3.4, "a_mu_2025": 0.1},
    }  # fmt: skip


ROWS = [row("no Z'", "no Z'", 0.0), row("sm_u1_today_cs", "sm_u1", -2.7), row("mine", "mine", 3.1)]


def profile() -> dict[str, Any]:
    """Return the profile of a parabola with a wall on its right."""
    x = np.linspace(15.0, 29.0, 29)
    delta = [(value - 20) ** 2 / 4 if value < 27 else None for value in x]
    levels = [
        {"probability": p, "delta_chi2": d, "intervals": [[20 - w, 20 + w]]}
        for p, d, w in ((0.683, 1.0, 2.0), (0.954, 4.0, 4.0))
    ]
    return {
        "title": TITLE, "axes": [{**MASS, "scale": "log"}],
        "best_fit": {"chi2": 1.0, "parameters": {"m_Zp": 20.0}},
        "profile": {"values": [list(x)], "delta_chi2": delta, "levels": levels, "jumps": 1},
        "posterior": {
            "values": [list(x[:-1] + 0.25)], "edges": [list(x)], "mode": {"m_Zp": 20.5},
            "density": list(np.exp(-0.5 * ((x[:-1] - 20) / 2) ** 2)),
            "levels": [{**level, "density": 0.5} for level in levels],
        },
    }  # fmt: skip


def limit() -> dict[str, Any]:
    """Return a scan of an upper limit, at whose first mass nothing is allowed."""
    masses = [14.0, 18.0, 23.0, 30.0]
    points = [
        {
            "fixed": {"m_Zp": mass},
            "allowed": index > 0,
            "levels": [
                {"probability": 0.95, "delta_chi2": 2.7, "profile": 3e-5 * mass,
                 "posterior": 2e-5 * mass, "at_end_of_prior": False}
            ] if index else [],
        }
        for index, mass in enumerate(masses)
    ]  # fmt: skip
    return {
        "title": TITLE, "parameter": COUPLING, "one_sided": True, "fixed": {}, "scan": MASS,
        "points": points,
    }  # fmt: skip


TOYS: dict[str, Any] = {
    "title": TITLE, "hypothesis": "no-zprime", "toys": 400,
    "statistics": {
        "chi2": {"observed": 4.2, "p_upper_limit": None, "p_value": 0.5, "naive_dof": 6,
                 "naive_p_value": 0.6},
        "delta_chi2": {"observed": 12.0, "p_upper_limit": 0.007, "p_value": 0.0,
                       "naive_dof": None, "naive_p_value": None},
    },
}  # fmt: skip
TOY_COLUMNS = {
    name: np.random.default_rng(3).chisquare(dof, 400)
    for name, dof in (("chi2", 6), ("delta_chi2", 1))
}
_COVERED = {"covered": 14, "of": 20, "fraction": 0.7, "interval": [0.58, 0.81]}
COVERAGE: dict[str, Any] = {
    "title": TITLE, "toys": 20, "symbols": {"g_prime": "g'"},
    "parameters": {
        "g_prime": {kind: {"68": _COVERED, "95": _COVERED} for kind in ("profile", "credible")}
    },
}  # fmt: skip
CELLS: list[dict[str, Any]] = [
    {"name": name, "log_bayes_factors": [b - 0.1, b + 0.1], "log_bayes_factor": b,
     "log_z_error": 0.05, "chi2": 3.0 * b, "chi2_no_zprime": 60.0 * b,
     "title": f"{model}: Data as of 2026, with what is left of the paper's, {kind}"}
    for name, b, model, kind in (
        ("mine-today_cs", 2.0, "Two Higgs doublets with a U(1)'", "Caesium"),
        ("mine-today_rb", 0.5, "Gauged L_mu - L_tau", "Rubidium"),
    )
]  # fmt: skip


def couplings() -> dict[str, dict[str, Any]]:
    """Return samples of three couplings in two models; the third is zero in both."""
    rng = np.random.default_rng(2)
    return {
        model: {
            "m_Zp": 10 ** rng.normal(1.4, 0.1, 2000),
            "C_Ve": scale * rng.normal(size=2000),
            "C_Ae": np.zeros(2000),
        }
        for model, scale in (("mine", 1e-4), ("yours", 3e-5))
    }
