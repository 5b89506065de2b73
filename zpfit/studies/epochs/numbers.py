"""The numbers of the page "What changed since the paper": fits, allowed regions and couplings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import inf
from typing import Any

import numpy as np

from zpfit.analysis.certify.bound_below import is_least
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.extremes import Sought, extremes
from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.records import PointRecord
from zpfit.errors import NoAllowedPoint
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import find_run_file, load_run

SEED = 1
"""Seed of the searches for extremes, and of the comparison."""
_EDGE = 1.02
"""Ratio to the lower end of a prior up to which an extreme counts as that end: a search for the
smallest coupling stops within 2 % of the end."""
_MISSING_ENERGY = "na64_invisible_2019"
"""Entry of the strongest limit on invisible decays with couplings to electrons in 2021."""

Region = Mapping[str, float | None]
"""Extremes of an allowed region by name, such as ``C_Ae_max``; None where there is none."""


@dataclass(frozen=True)
class Epoch:
    """A data set of the page."""

    likelihood: str
    words: str


EPOCHS = (
    Epoch("paper_2021_cs", "2021, the paper, Caesium"),
    Epoch("closed_2021_cs", "2021, with what the paper left out, Caesium"),
    Epoch("today_leptons_cs_wp2020", "2026, leptons, muon prediction of 2020, Caesium"),
    Epoch("today_leptons_cs", "2026, leptons, Caesium"),
    Epoch("today_cs", "2026, quarks and charged currents too, Caesium"),
    Epoch("paper_2021_rb", "2021, the paper, Rubidium"),
    Epoch("closed_2021_rb", "2021, with what the paper left out, Rubidium"),
    Epoch("today_leptons_rb", "2026, leptons, Rubidium"),
    Epoch("today_rb", "2026, quarks and charged currents too, Rubidium"),
    Epoch("forecast", "2026, leptons, and projections, Caesium"),
)
LEPTONS, COMPLETE = "effective", "effective_complete"
"""Effective couplings of leptons alone, and with quarks that conserve the charged current."""
MODELS = (LEPTONS, COMPLETE, "sm_u1", "nhdm_u1", "froggatt_nielsen")
CLASSES = ("sm_u1", "nhdm_u1", "froggatt_nielsen")
"""Classes of models that the no-go theorem is about."""
WITH_QUARKS = ("closed_2021_cs", "today_cs", "closed_2021_rb", "today_rb")
"""Data sets that depend on quarks; with others, quark couplings of the effective model are free."""
WHOLE_NUMBERS = {
    "today_leptons_cs": "froggatt_nielsen_integers_today_leptons_cs",
    "today_leptons_rb": "froggatt_nielsen_integers_today_leptons_rb",
    "today_cs": "froggatt_nielsen_integers_today_cs",
    "today_rb": "froggatt_nielsen_integers_today_rb",
}
"""Runs of Froggatt-Nielsen models with integer charges, by likelihood."""
_SHORT = {"paper_2021_cs": "cs", "paper_2021_rb": "rb"}
QUANTITIES = (
    ("m_Zp", False), ("m_Zp", True), ("C_Ae", False), ("C_Ae", True), ("C_Ve", False),
    ("C_Ve", True), ("C_nue", True), ("C_Vmu", False), ("C_Vmu", True), ("C_numu", True),
)  # fmt: skip
"""Extremes of the allowed region: the mass or a coupling, and whether its largest size."""


def run_names() -> list[str]:
    """Return the names of the runs of every model with every epoch, integer charges included."""
    pairs = [(model, epoch.likelihood) for epoch in EPOCHS for model in MODELS]
    return [*(run_name(*pair) for pair in pairs if has_run(*pair)), *WHOLE_NUMBERS.values()]


def has_run(model: str, likelihood: str) -> bool:
    """Return True if a model is fitted to a data set."""
    return model != COMPLETE or likelihood in WITH_QUARKS


def run_name(model: str, likelihood: str) -> str:
    """Return the name of the packaged run of a model with a data set.

    Examples
    --------
    >>> run_name("sm_u1", "closed_2021_rb")
    'sm_u1_closed_rb'
    """
    short = _SHORT.get(likelihood, likelihood.replace("closed_2021", "closed"))
    name = f"{model}_{short}"
    return "quickstart" if name == "effective_cs" else name


@dataclass(frozen=True)
class Fit:
    """One row of the comparison: a model, or no Z', with a data set."""

    run: str
    likelihood: str
    model: str
    ln_bayes_factor: float
    """Logarithm of the Bayes factor against no Z'."""
    ln_bayes_factor_error: float
    joint_sigma: float | None
    """None where the other measurements cannot be met within their limits."""
    joint_sigma_proved: float | None
    """Proved lower bound of the joint sigma; None if there is no proof."""
    joint_sigma_at: Mapping[str, float] | None
    """Parameters at which the joint sigma is reached."""
    best_fit_chi2: float
    chi2_by_term: Mapping[str, float]
    log_z: float
    log_z_error: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Fit":
        """Take the numbers from a row of a comparison."""
        return cls(
            run=row["run"],
            likelihood=row["likelihood"],
            model=row["model"],
            ln_bayes_factor=row["ln_bayes_factor"],
            ln_bayes_factor_error=row["ln_bayes_factor_err"],
            joint_sigma=row["joint_sigma"],
            joint_sigma_proved=row.get("joint_sigma_proved"),
            joint_sigma_at=row["joint_sigma_at"],
            best_fit_chi2=row["best_fit_chi2"],
            chi2_by_term=row["chi2_by_term"],
            log_z=row["lnZ"],
            log_z_error=row["lnZ_err"],
        )


@dataclass(frozen=True)
class Spot:
    """The couplings at which a joint sigma is reached."""

    mass: float
    """Mass of the Z' in MeV."""
    electron: float
    """Coupling of the electron, sqrt(C_Ve^2 + C_Ae^2)."""
    invisible: float
    """Branching ratio of the Z' to neutrinos."""


@dataclass(frozen=True)
class Numbers:
    """All numbers of the page."""

    fits: Sequence[Fit]
    regions: Mapping[str, Region]
    """Allowed regions of the effective couplings, by run."""
    spots: Mapping[str, Spot]
    """Couplings at the joint sigmas, by run."""
    hidden: Mapping[str, float]
    """Ratios of NA64's limit to the best fit, by run, see :func:`hidden_below`."""
    varied: Mapping[tuple[str, str], float]
    """Joint sigmas with other readings of the data, by run and :class:`Variant`."""

    def fit(self, likelihood: str, model: str) -> Fit:
        """Return the fit of a model, or of no Z', with continuous charges."""
        if model == NO_ZPRIME:
            return next(f for f in self.fits if (f.likelihood, f.model) == (likelihood, model))
        return next(one for one in self.fits if one.run == run_name(model, likelihood))

    def whole(self, likelihood: str) -> Fit:
        """Return the fit of the Froggatt-Nielsen model with integer charges."""
        return next(one for one in self.fits if one.run == WHOLE_NUMBERS[likelihood])

    def whole_joint(self, *likelihoods: str) -> list[float]:
        """Return the joint sigmas of the same model, infinite where there is none."""
        found = [self.whole(likelihood).joint_sigma for likelihood in likelihoods]
        return [inf if sigma is None else sigma for sigma in found]

    def joint(self, likelihood: str, models: Sequence[str] = CLASSES) -> list[float]:
        """Return the joint sigmas of models, infinite where there is none."""
        found = [self.fit(likelihood, model).joint_sigma for model in models]
        return [inf if sigma is None else sigma for sigma in found]

    def proved(self, likelihood: str) -> float:
        """Return the least proved bound of the joint sigmas of the classes, 0 without a proof."""
        return min(self.fit(likelihood, model).joint_sigma_proved or 0.0 for model in CLASSES)

    def bayes(self, likelihood: str, models: Sequence[str] = CLASSES) -> list[float]:
        """Return the ln Bayes factors of models against no Z'."""
        return [self.fit(likelihood, model).ln_bayes_factor for model in models]


@dataclass(frozen=True)
class Variant:
    """Another reading of an experiment, or another assumption about the quarks."""

    words: str
    models: tuple[str, ...]
    """Models whose joint sigma is computed again."""
    drop: tuple[str, ...] = ()
    """Entries that ``add`` replaces."""
    add: tuple[str, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    """Parameters with fixed values."""

    def changes(self, likelihood: str) -> dict[str, Any]:
        """Return the changes of the run file of a fit to a data set."""
        found: dict[str, Any] = {f"priors.parameters.{k}": v for k, v in self.fixed.items()}
        if self.drop:
            data = {"set": likelihood, "drop": list(self.drop), "add": list(self.add)}
            found["likelihood"] = data
        return found


VARIANTS = (
    Variant(
        "SINDRUM's search for a peak, limit 5e-10",
        MODELS,
        ("sindrum_rate_1989",),
        ("sindrum_peak_1986",),
    ),
    Variant(
        "SINDRUM's search for a peak, limit 1e-10",
        MODELS,
        ("sindrum_rate_1989",),
        ("sindrum_peak_1986_strong",),
    ),
    Variant(
        "weak charge of Caesium as the Particle Data Group reads it",
        (COMPLETE, *CLASSES),
        ("q_w_cs_2021",),
        ("q_w_cs_pdg_2024",),
    ),
    Variant("quark doublets without charge, z_q = 0", CLASSES, fixed={"z_q": 0.0}),
)
"""Doubts about the data, and an assumption, whose effect the page shows."""
VARIED = ("today_cs", "today_rb")
"""Data sets that are varied."""


Varied = tuple[str, str]
"""A run, and the words of a variant of its data."""


def varied_jobs(fits: Sequence[Fit]) -> dict[Varied, Callable[[], float]]:
    """Return functions that compute the joint sigma of each run with each of :data:`VARIANTS`.

    Parameters
    ----------
    fits
        Fits of the page, with whose joint sigmas the searches begin.
    """
    at = {fit.run: fit.joint_sigma_at for fit in fits}
    jobs: dict[Varied, Callable[[], float]] = {}
    for likelihood, variant in product(VARIED, VARIANTS):
        for model in variant.models:
            name = run_name(model, likelihood)
            changes = variant.changes(likelihood)
            jobs[name, variant.words] = partial(varied_joint_sigma, name, changes, at.get(name))
    return jobs


def varied_joint_sigma(
    name: str, changes: Mapping[str, Any], at: Mapping[str, float] | None
) -> float:
    """Return the joint sigma of a run with changed data, infinite if there is none.

    Parameters
    ----------
    name
        Name of the run.
    changes
        Keys of the run file with new values.
    at
        Parameters of the joint sigma with the data as they are, from which the search begins.
    """
    run = load_run(find_run_file(name), changes)
    posterior = run.posterior
    known = None if at is None else posterior.priors.to_unit_cube(at)[None]
    joint, _ = joint_sigma_or_none(
        posterior,
        np.random.default_rng(SEED),
        run.settings.joint_sigma,
        partial(is_least, run),
        known=known,
        nearby=True,
    )
    return inf if joint is None else joint.sigma


def find_spots(fits: Sequence[Fit]) -> dict[str, Spot]:
    """Return, by run, the couplings at which the joint sigma of each fit is reached."""
    found = {}
    for fit in fits:
        if fit.joint_sigma_at is not None:
            values = {name: np.array([value]) for name, value in fit.joint_sigma_at.items()}
            c = load_run(find_run_file(fit.run)).posterior.model.couplings(values)
            electron = float(np.hypot(c.C_Ve, c.C_Ae)[0])
            found[fit.run] = Spot(float(c.m_Zp[0]), electron, float(c.br_inv[0]))
    return found


def hidden_below(run: str, point: PointRecord) -> dict[str, float]:
    """Return, by run, the ratio of NA64's missing-energy limit of 2019 to a best fit.

    Only fits of :data:`CLASSES` to what had been published by 2021 count.

    Parameters
    ----------
    run
        Name of the run.
    point
        Terms and exclusions at its best fit.
    """
    names = [run_name(*pair) for pair in product(CLASSES, ("closed_2021_cs", "closed_2021_rb"))]
    return {run: 1 / point["exclusions"][_MISSING_ENERGY]["ratio"]} if run in names else {}


def region_jobs(fits: Sequence[Fit]) -> dict[str, Callable[[], Region]]:
    """Return functions that compute the allowed regions of effective couplings, by run.

    Parameters
    ----------
    fits
        Fits of the page. Where a joint sigma is above 1, nothing is allowed.
    """
    sigmas = {fit.run: fit.joint_sigma for fit in fits}
    jobs: dict[str, Callable[[], Region]] = {}
    for _, run in region_runs():
        sigma = sigmas[run]
        met = sigma is not None and sigma <= 1
        jobs[run] = partial(allowed_region, run) if met else no_region
    return jobs


def no_region() -> dict[str, float | None]:
    """Return the extremes of a region in which nothing is allowed."""
    return dict.fromkeys(f"{n}_{'max' if largest else 'min'}" for n, largest in QUANTITIES)


def region_runs() -> list[tuple[Epoch, str]]:
    """Return the runs of effective couplings whose allowed regions the page shows."""
    pairs = [(epoch, model) for epoch in EPOCHS for model in (LEPTONS, COMPLETE)]
    return [
        (epoch, run_name(m, epoch.likelihood)) for epoch, m in pairs if has_run(m, epoch.likelihood)
    ]


def allowed_region(run: str) -> dict[str, float | None]:
    """Return the extremes of the effective couplings that a data set allows.

    Allowed are points with both moments within 1 standard error, the other measurements within 2
    and no exclusion violated.

    Parameters
    ----------
    run
        Name of a run of effective couplings.

    Returns
    -------
    dict
        Masses in MeV and sizes of couplings under keys such as ``m_Zp_min``. They are None where
        nothing is allowed, and where the smallest size is the end of the prior.
    """
    posterior = load_run(find_run_file(run)).posterior
    moments = [term.name for term in posterior.likelihood.anomalies]
    limits = JointSigmaSpec(within=dict.fromkeys(moments, 1.0))
    sought = [Sought(partial(_size, name), largest) for name, largest in QUANTITIES]
    values: list[float | None]
    try:
        found = extremes(posterior, sought, limits, np.random.default_rng(SEED))
        values = [each.value for each in found]
    except NoAllowedPoint:
        values = [None] * len(sought)
    keys = [f"{name}_{'max' if largest else 'min'}" for name, largest in QUANTITIES]
    result = dict(zip(keys, values, strict=True))
    return without_edges(result, {name: posterior.priors.by_name[name] for name, _ in QUANTITIES})


def without_edges(region: Region, priors: Mapping[str, Any]) -> dict[str, float | None]:
    """Replace the smallest sizes that are the lower end of a prior by None."""
    return {
        key: None
        if value is not None
        and key.endswith("_min")
        and value <= _EDGE * priors[key.removesuffix("_min")].lower
        else value
        for key, value in region.items()
    }


def _size(name: str, c: Couplings) -> FloatArray:
    result: FloatArray = np.abs(c[name])
    return result
