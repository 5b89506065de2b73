"""Records of analyses: the typed dictionaries that JSON files, tables, plots and pages share.

Each analysis returns a frozen result; its record holds the same numbers in the form of JSON,
with ``None`` where a number does not exist.
"""

from typing import Annotated, Any, NotRequired

from annotated_types import Len

# Pydantic, which checks the records that are read, needs this form before Python 3.12.
from typing_extensions import TypedDict


class TermRecord(TypedDict):
    """A measurement at a point."""

    observable: str
    measured: float
    error: float
    errors: Annotated[list[float], Len(2, 2)]
    """Standard errors towards larger and smaller predictions."""
    prediction: float
    pull: float
    chi2: float


class ExclusionRatioRecord(TypedDict):
    """An exclusion at a point."""

    ratio: float
    """Above 1 the point is excluded."""
    chi2: NotRequired[float]
    """Penalty of a soft exclusion."""


class PointRecord(TypedDict):
    """chi2, measurements and exclusions at a point."""

    chi2: float
    terms: dict[str, TermRecord]
    exclusions: dict[str, ExclusionRatioRecord]


class BestFitRecord(PointRecord):
    """The best fit of a run."""

    parameters: dict[str, float]
    couplings: dict[str, float | None]
    derived: dict[str, float | None]


class IndependentEvidence(TypedDict):
    """ln Z of one of several independent integrals."""

    log_z: float | None
    error: float | None


class CrossCheckRecord(TypedDict):
    """ln Z of a second engine, and the distance to the first in standard errors."""

    engine: str
    log_z: float
    error: float
    sigma: float
    agrees: bool


class EvidenceRecord(TypedDict):
    """The evidence of a run and the quality of its integral."""

    log_z: float
    error: float
    spread: float | None
    """Error of ln Z from the scatter between batches of draws; None for other engines."""
    evaluations: int
    independent: list[IndependentEvidence]
    effective_fraction: float
    largest_weight: float
    information: float
    dimensionality: float
    cross_check: NotRequired[CrossCheckRecord]


class SizeLimit(TypedDict):
    """Limits on the size of a parameter whose sign is open, at one confidence level."""

    probability: float
    delta_chi2: float
    """Largest Delta chi2 that the profile likelihood allows."""
    posterior: float
    """Quantile of the posterior."""
    profile_at_least: float
    """Largest size at points of the run that the profile likelihood allows; its limit is at least
    this. ``zpfit.limit`` computes the limit itself."""
    reaches_end_of_prior: bool
    """True if an allowed point lies at the end of the prior: there is no limit below it."""


class ParameterRecord(TypedDict):
    """Posterior moments, quantiles and diagnostics of one parameter.

    Runs of older versions lack the keys that need not be present.
    """

    median: float
    mean: float
    sd: float
    q05: float
    q16: float
    q84: float
    q95: float
    ess: float | None
    rhat: float | None
    information_gain: NotRequired[float]
    """Relative entropy of posterior and prior of the parameter, in bits."""
    prior_dominated: NotRequired[bool]
    """True if the information gain is so small that the posterior is that of the prior."""
    best_fit_at_end_of_prior: NotRequired[bool]
    size_limit: NotRequired[SizeLimit]
    """Present if prior and posterior leave the sign of the parameter open."""


class ReachRecord(TypedDict):
    """Masses that a limit curve covers, and the fraction of the posterior outside."""

    mass_range_MeV: Annotated[list[float], Len(2, 2)]
    posterior_outside: float
    best_fit_outside: bool


class SamplerRecord(TypedDict):
    """The engine of a run and its diagnostics."""

    engine: str
    ensembles: int
    walkers: int
    steps: int
    acceptance: list[float]
    autocorrelation_time: dict[str, float | None]
    thin: int


class FitSummary(TypedDict):
    """Results of a fit, as ``summary.json`` holds them."""

    title: str
    model: str
    likelihood: str
    seed: int
    best_fit: BestFitRecord
    no_zprime: PointRecord
    evidence: EvidenceRecord
    posterior: dict[str, ParameterRecord]
    curve_reach: dict[str, ReachRecord]
    unverified: dict[str, str]
    """Unverified numbers by entry, in words."""
    unverified_influence: NotRequired[dict[str, float]]
    """Change of ln B by entry, see :mod:`zpfit.analysis.unverified`; older runs lack it."""
    sampler: SamplerRecord
    versions: dict[str, str]
    converged: bool
    shortcomings: list[str]
    impossible_prior_fraction: float
    data_hash: str
    wall_time_s: float
    labels: NotRequired[dict[str, str]]
    """Label of each entry; results of older versions lack them."""


class VariedEvidenceRecord(TypedDict):
    """ln Z under wider or narrower priors."""

    lnZ: float | None
    lnZ_err: float | None
    method: str


class HypothesisRecord(TypedDict):
    """One hypothesis of a comparison, before it is set against the reference."""

    run: str
    model: str
    title: str
    likelihood: str
    parameters: int
    best_fit_chi2: float
    delta_chi2: float
    aic: float
    bic: float | None
    lnZ: float
    lnZ_err: float
    ln_possible: float
    information: float
    dimensionality: float
    joint_sigma: float | None
    joint_sigma_at: dict[str, float] | None
    joint_sigma_proved: NotRequired[float | None]
    """No point of the domain has a smaller joint sigma; None if there is no proof. Comparisons of
    older versions lack it."""
    probability_both_within_1_sigma: float | None
    probability_both_within_1_sigma_err: float | None
    chi2_by_term: dict[str, float]
    prior_sensitivity: dict[str, VariedEvidenceRecord]
    shortcomings: list[str]
    converged: bool
    data: int
    """Number of the data set, from 1."""
    labels: NotRequired[dict[str, str]]
    """Label of each entry; results of older versions lack them."""


class ComparisonRow(HypothesisRecord):
    """One hypothesis of a comparison on one data set, against the reference."""

    reference: str
    ln_bayes_factor: float
    ln_bayes_factor_err: float
    bayes_factor: float
    evidence: str
    """Strength of the evidence in words."""
    ranks: dict[str, int | None]
    rank_changes: bool


class WrittenComparisonRow(ComparisonRow):
    """A row of ``compare.json``."""

    folder: NotRequired[str | None]
    """Folder of the run, relative to that of the comparison; None without a Z'."""


class CampaignAxes(TypedDict):
    """Labels of a fit of a campaign on each axis; None without this axis."""

    runs: str | None
    models: str | None
    data: str | None
    priors: str | None
    overrides: str | None


class CampaignFit(CampaignAxes):
    """One fit of a campaign."""

    name: str
    title: NotRequired[str]
    """Titles of the values on each axis with several; campaigns of older versions lack it."""
    seed: int
    chi2: float
    chi2_no_zprime: float
    log_z: float
    log_z_error: float
    log_bayes_factor: float
    """ln B against no Z'."""
    evaluations: int
    converged: bool
    shortcomings: list[str]
    best_fit: dict[str, float]


class CampaignRow(CampaignFit):
    """One fit of a campaign that stores its fits in columns."""

    number: int
    """Position among the fits of the campaign file."""
    combination: str
    """Labels of the axes, joined by hyphens."""
    changes: str
    """Keys of the run file that the campaign file changes, and their values, as JSON."""
    joint_sigma: float | None
    """None if it was not searched, or if no point is allowed."""
    seconds: float
    """Wall time."""
    fingerprint: str
    """SHA-256 of all inputs but the seed."""


class CampaignCell(CampaignAxes):
    """Fits of a campaign that differ by their seeds."""

    name: str
    title: NotRequired[str]
    """Titles of the values on each axis with several; campaigns of older versions lack it."""
    fits: int
    """Number of fits."""
    converged: int
    """Number of converged fits."""
    chi2: float
    """chi2 of the best seed."""
    chi2_worst_seed: float
    chi2_no_zprime: float
    log_z: float
    """Mean over seeds, weighted by inverse squared errors."""
    log_z_error: float
    log_z_error_of_one: float
    """Quadratic mean of the errors of one fit."""
    log_z_scatter: float | None
    """Standard deviation between seeds; None with one seed."""
    log_bayes_factor: float
    log_bayes_factors: list[float]
    """ln B of each seed."""
    best_fit: dict[str, float]
    """Parameters of the best seed."""


class CampaignRecord(TypedDict):
    """Fits, combinations of the axes and failures of a campaign."""

    title: str
    finished: int
    failed: dict[str, str]
    """Error messages by name of the fit."""
    cells: list[CampaignCell]
    fits: list[CampaignFit]
    """Empty if the fits are stored in columns."""
    store: NotRequired[str]
    """How the fits are stored; without it, as folders."""
    not_converged: NotRequired[list[str]]
    """Names of the first fits that have not converged, if the fits are stored in columns."""


class TensionRecord(TypedDict):
    """Agreement between groups of data."""

    title: str
    model: str
    likelihood: str
    seed: int
    best_fit_chi2: float
    pulls: dict[str, dict[str, float]]
    joint_sigma: float | None
    parameter_goodness: dict[str, Any]
    evidence: dict[str, Any]
    converged: bool
    shortcomings: list[str]
    labels: NotRequired[dict[str, str]]
    """Label of each entry; results of older versions lack them."""
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class ToyStatisticRecord(TypedDict):
    """A test statistic of the data and of pseudo-experiments; None for what does not exist."""

    observed: float | None
    """By the fast refit, as for the toys; None if infinite."""
    observed_global: float | None
    """By the global search."""
    extreme: int
    """Number of toys at least as extreme as the data."""
    p_value: float
    p_interval: Annotated[list[float], Len(2, 2)]
    p_upper_limit: float | None
    """Upper limit of p at 95 % if no toy is as extreme; ``sigma`` is then a lower limit."""
    sigma: float
    sigma_interval: Annotated[list[float | None], Len(2, 2)]
    naive_dof: int | None
    naive_p_value: float | None
    naive_sigma: float | None
    toys_mean: float | None
    toys_quantiles: dict[str, float | None]


class ToyRatesRecord(TypedDict):
    """Speed of the toys that were not read from a folder."""

    computed_now: int
    toys_per_second_per_core: float | None
    toys_per_second_per_core_without_joint_sigma: float | None


class ToysRecord(TypedDict):
    """Pseudo-experiments of one hypothesis, and the p-values that they give."""

    title: str
    model: str
    nested: str | None
    likelihood: str
    hypothesis: str
    seed: int
    toys: int
    statistics: dict[str, ToyStatisticRecord]
    rates: ToyRatesRecord
    shortcomings: list[str]
    versions: NotRequired[dict[str, str]]
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class CoveredRecord(TypedDict):
    """Pseudo-experiments whose interval contains the truth."""

    covered: int
    of: int
    """Pseudo-experiments with an interval."""
    fraction: float | None
    """None without such pseudo-experiments."""
    interval: Annotated[list[float], Len(2, 2)]
    """Interval of the fraction by Clopper and Pearson, 68.27 %."""


class PosteriorCounts(TypedDict):
    """Pseudo-experiments by what became of their posteriors."""

    converged: int
    not_converged: int
    """Their credible intervals are counted all the same."""
    failed: int
    """They have no credible interval."""


class CoveredIntervals(TypedDict):
    """Coverage of the intervals of 68.27 % and 95.45 % of one parameter."""

    profile: dict[str, CoveredRecord]
    """Profile likelihood intervals, by ``"68"`` and ``"95"``."""
    credible: NotRequired[dict[str, CoveredRecord]]
    """Central credible intervals."""


class CoverageRecord(TypedDict):
    """Coverage of the intervals of each parameter at one truth."""

    title: str
    model: str
    likelihood: str
    seed: int
    toys: int
    truth: dict[str, float]
    symbols: NotRequired[dict[str, str]]
    """LaTeX symbol of each parameter, for the figure."""
    parameters: dict[str, CoveredIntervals]
    shortcomings: list[str]
    posteriors: NotRequired[PosteriorCounts]
    """Present with credible intervals."""
    versions: NotRequired[dict[str, str]]
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class ProfileBestFit(TypedDict):
    """The point of least chi2."""

    chi2: float
    parameters: dict[str, float]


class ProfileLevel(TypedDict):
    """Intervals of one axis, or the area of the regions of a plane, at one probability."""

    probability: float
    delta_chi2: NotRequired[float]
    """Threshold of a profile likelihood."""
    density: NotRequired[float]
    """Threshold of a posterior density."""
    intervals: NotRequired[list[list[float]]]
    area: NotRequired[float]
    """Fraction of the plane."""


class ProfileCurve(TypedDict):
    """Profile likelihood at the nodes of a grid."""

    values: list[list[float]]
    """Nodes of each axis."""
    delta_chi2: list[Any]
    """A number for each node, None where excluded; a list for each value of x in a plane."""
    levels: list[ProfileLevel]
    jumps: int
    """Pairs of neighbouring nodes between which Delta chi2 jumps."""


class ProfileDensity(TypedDict):
    """Posterior density in bins."""

    values: list[list[float]]
    edges: list[list[float]]
    density: list[Any]
    """A number for each bin; a list for each bin of x in a plane."""
    levels: list[ProfileLevel]
    mode: dict[str, float]
    effective_samples: float
    reach: list[list[float]]


class ProfileRecord(TypedDict):
    """Profile likelihood and posterior density of one or two parameters."""

    title: str
    model: str
    likelihood: str
    seed: int
    axes: list[dict[str, Any]]
    best_fit: ProfileBestFit
    profile: ProfileCurve
    posterior: ProfileDensity
    converged: bool
    shortcomings: list[str]
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class LimitLevel(TypedDict):
    """Limits on the size of a parameter, or intervals of it, at one confidence level."""

    probability: float
    delta_chi2: float
    """Largest Delta chi2 that the profile likelihood allows."""
    profile: NotRequired[float]
    """Upper limit of the profile likelihood."""
    posterior: NotRequired[float]
    """Quantile of the posterior."""
    at_end_of_prior: NotRequired[bool]
    """True if the prior ends before the profile likelihood does, so that there is no limit."""
    profile_intervals: NotRequired[list[list[float]]]
    posterior_intervals: NotRequired[list[list[float]]]


class LimitPoint(TypedDict):
    """Limits with some parameters fixed."""

    fixed: dict[str, float]
    """The parameter of a scan with its value; empty without a scan."""
    allowed: bool
    """False if the data exclude every value of the parameter."""
    best_fit: NotRequired[ProfileBestFit]
    levels: list[LimitLevel]
    shortcomings: list[str]


class LimitRecord(TypedDict):
    """Limits on one parameter, at one point or at each point of a scan."""

    title: str
    model: str
    likelihood: str
    seed: int
    parameter: dict[str, Any]
    one_sided: bool
    fixed: dict[str, float]
    """Parameters with the same value at all points."""
    scan: dict[str, Any] | None
    """The parameter of the scan; None if there is one point."""
    points: list[LimitPoint]
    converged: bool
    shortcomings: list[str]
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class ExclusionMapRecord(TypedDict):
    """Regions of a plane that experiments exclude, in values of the parameters."""

    title: str
    model: str
    likelihood: str
    x: dict[str, Any]
    y: dict[str, Any]
    fixed: dict[str, float]
    solved: list[dict[str, Any]]
    profiled: list[str]
    reference: NotRequired[dict[str, Any]]
    """Reference and level of measurements; older records have none."""
    regions: list[dict[str, Any]]
    contours: list[dict[str, Any]]
    allowed: dict[str, Any] | None
    """None if the whole plane is excluded."""
    excluded_by: NotRequired[dict[str, Any]]
    """Names of the regions that exclude the whole plane, alone or together."""
    notes: list[str]
    figure: NotRequired[dict[str, Any]]
    """Description of the figure, if the file gives one."""


class RelationRecord(TypedDict):
    """Relations between couplings on which a proof rests."""

    universal_axial: bool
    """True if C_A is one number for all families."""
    tau: Annotated[list[float], Len(4, 4)]
    """Factors of C_Ve, C_Ae, C_nue and C_numu in C_nutau."""
    tau_slack: float
    tau_mixing: float
    one_doublet: bool
    """One Higgs doublet gives all quarks their mass."""


class AnomalyRecord(TypedDict):
    """A magnetic moment and its standard errors."""

    value: float
    up: float
    down: float


class TreeRecord(TypedDict):
    """A proof that a reader can check without zpfit: its inputs and its tree of boxes."""

    sigma: float
    """Level that the tree proves."""
    mass: Annotated[list[float], Len(2, 2)]
    """Ends of the domain in MeV."""
    box: list[list[float]]
    """Ends of C_Ve, C_Ae, C_nue and C_numu, with a common sign chosen."""
    universal_axial: bool
    tau: Annotated[list[float], Len(6, 6)]
    """Factors of the four couplings in C_nutau, and two slacks."""
    z_mass: float
    electron: list[list[float]]
    """Value and errors of each moment."""
    muon: list[list[float]]
    products: list[list[str | float]]
    """Formula and limits of factors of C_Ve C_Ae."""
    trident: list[float] | None
    visible: list[list[list[float]]]
    """Knots of curves: ln of the mass in MeV and ln of the limit."""
    invisible: list[list[list[float]]]
    dumps: list[list[float | list[list[float | None]]]]
    """Beam dumps: length of the decay volume over that of the shielding, and knots of the region,
    ln of the mass in MeV and of both edges; no number in a gap."""
    stars: float | None
    floors: Annotated[list[float], Len(4, 4)]
    """Least masses in MeV for electrons alone, neutrinos alone and both in thermal contact, and
    the coupling of contact."""
    quarks: dict[str, list[float] | list[list[list[float]]] | None] | None
    """Limits of the weak charges of Caesium and the proton, and knots of curves for pi0 -> gamma Z'
    with decays to electrons and to neutrinos."""
    caesium_factors: dict[str, list[float]]
    """Ends of the factor of the range of the Z' in Caesium, by node of the mass, where needed."""
    rates: list[list[float]]
    """Limits of rates of electron recoils."""
    blocks: list[list[int]]
    """Rate and flavour of each block of coefficients."""
    coefficients: dict[str, list[float]]
    """Five intervals for each block, by mass cell."""
    nodes: int
    sha256: str
    """Hash of the inputs."""
    tree: str
    """Cuts and leaves, a node before its parts and the lower part first."""


class CertificateRecord(TypedDict):
    """A proved lower bound of the joint sigma, and a point above it."""

    model: str
    likelihood: str
    title: str
    lower: float
    """No point of the domain has a smaller joint sigma."""
    upper: float | None
    """Joint sigma of the point."""
    sigma: float | None
    """Level that was asked about; None for a bracket."""
    converged: bool
    tolerance: float
    point: dict[str, float] | None
    """Mass (MeV) and couplings."""
    parameters: dict[str, float] | None
    """Parameters of the model at the point."""
    boxes: int
    """Boxes examined in all."""
    boxes_of_proof: int | None
    """Boxes of the proof of the lower bound."""
    domain: dict[str, list[float]]
    """Smallest and largest mass (MeV) and couplings."""
    relation: RelationRecord
    anomalies: dict[str, AnomalyRecord]
    targets: dict[str, list[float]]
    """Limits of the rates and products that the proof uses."""
    used: list[str]
    left_out: dict[str, str]
    """Terms that the proof does not use, and why."""
    constants: dict[str, float]
    proof: TreeRecord | None
    """Tree of the proof, if one was asked for."""
    data_hash: str
    version: str


class AtlasSignatureRecord(TypedDict):
    """The best point of a signature of the atlas, and the first charge set that has it."""

    signature: int
    """Number of the signature in its table."""
    integers: dict[str, int]
    chi2: float
    delta_chi2: float
    """chi2 without a Z' minus chi2."""
    delta_chi2_dark_photon: float
    """chi2 of the best dark photon minus chi2."""
    m_Zp: float
    g_prime: float
    c: float
    qmax: int
    """Largest charge of the first set."""
    sets: int
    """Number of charge sets that have the signature in some pairing."""
    first: int
    """Number of the first of them."""
    charges: dict[str, list[int]]
    """Charges of that set by species."""
    ln_bayes_factor: float | None
    """ln Z minus ln Z without a Z'; None if the screen has no evidence."""
    joint_sigma: NotRequired[float | None]
    """None if no point meets the other data; absent if the screen has no joint sigmas."""
    scanned: bool
    chi2_by_term: dict[str, float]


class LookElsewhereRecord(TypedDict):
    """Upper limits of the probability that chance gives the best signature its gain."""

    gain: float
    signatures: int
    measurements: int
    local_p: float
    local_sigma: float
    p_by_signatures: float
    p_by_data: float
    p_upper_limit: float
    sigma_lower_limit: float


class AtlasEvidenceRecord(TypedDict):
    """ln B of all signatures of a screen against no Z', which has no parameter."""

    log_z_without: float
    """ln Z without a Z'."""
    largest: float
    """Largest ln B."""
    largest_error: float
    """Standard error of it."""
    integers: dict[str, int]
    """Signature with the largest ln B."""
    median: float
    """Median of ln B."""
    positive: int
    """Number of signatures with ln B above zero."""


class AtlasScreenRecord(TypedDict):
    """A screen of the atlas: references, and its best signatures."""

    title: str
    likelihood: str
    higgs: str
    signatures: int
    chi2_without: float
    chi2_dark_photon: float
    gain_of_3_sigma: float
    """Gain in chi2 with a local significance of 3 sigma, for three parameters."""
    look_elsewhere: LookElsewhereRecord
    evidence: AtlasEvidenceRecord | None
    """None if the screen has no evidence."""
    best: list[AtlasSignatureRecord]


class AtlasFitRecord(TypedDict):
    """The fit of a signature: that of the first charge set that has it, by the exact route."""

    signature: int
    integers: dict[str, int]
    set: int
    pairing: int
    chi2_screen: float
    """Least chi2 of the screen."""
    chi2: float
    """Least chi2 of the fit."""
    parameters: dict[str, float]
    joint_sigma: float | None
    """None if no point meets the other data, or if the data name no anomaly."""
    joint_sigma_at: dict[str, float] | None
    log_z: float
    log_z_error: float
    ln_bayes_factor: float
    """ln Z minus ln Z without a Z', which has no parameter."""
    shortcomings: list[str]
    """Reasons not to trust the fit."""
    run_file: str
    """Run file of the fit, relative to the folder of the fits."""
    inputs: str
    """Hash of the run file, the model and the data."""


class AtlasFitsRecord(TypedDict):
    """Fits of the best signatures of a screen."""

    title: str
    likelihood: str
    higgs: str
    log_z_without: float
    """ln Z without a Z'."""
    look_elsewhere: LookElsewhereRecord
    fits: list[AtlasFitRecord]
