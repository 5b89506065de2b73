"""Diagnostics of runs, with their meaning and the values to worry about."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zpfit.analysis.records import CampaignRecord, FitSummary, WrittenComparisonRow
from zpfit.inference.diagnostics import MIN_AUTOCORRELATION_TIMES, RHAT_LIMIT
from zpfit.inference.samplers.registry import find_engine
from zpfit.io.numbers import percent, with_error
from zpfit.pages.report.symbols import number
from zpfit.physics.branching_ratios import HADRONIC_WIDTHS

_LARGEST_WEIGHT = 0.05
_SILENT = 0.1
"""Fraction of a posterior outside the masses of a curve above which a warning appears."""
_UNIMPORTANT = 1.0
"""Change of ln B that leaves conclusions as they are, the width of a class on Trotta's scale."""
_VISIBLE = 0.05
"""Change of ln B below which entries are not listed."""
_LOW_ACCEPTANCE = 0.05
_WIDE_SCATTER = 2.0


@dataclass(frozen=True)
class Diagnostic:
    """One row of the table of diagnostics."""

    name: str
    value: str
    good: bool
    meaning: str


def diagnose_run(
    summary: FitSummary,
    target_ess: int,
    labels: Mapping[str, str],
    notes: Sequence[str] = (),
) -> list[Diagnostic]:
    """Return the diagnostics of a run, the most important first.

    Parameters
    ----------
    summary
        Record of the run.
    target_ess
        Number of effective samples that the run asked for.
    labels
        Short names of entries.
    notes
        Remarks made before the run.
    """
    return [
        *_shortcomings(summary["shortcomings"]),
        *_sampling(summary, target_ess),
        *_evidence(summary),
        *_silent_curves(summary, labels),
        *_unverified(summary, labels),
        *_hadrons(notes),
    ]


def _shortcomings(found: Iterable[str], where: str = "Shortcoming") -> Iterator[Diagnostic]:
    for text in found:
        meaning = "The run itself says that it is not converged, and what to change."
        yield Diagnostic(where, text, good=False, meaning=meaning)


def _worst(
    values: Iterable[float | None], choose: Callable[[Iterable[float]], float]
) -> float | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None


def _sampling(summary: FitSummary, target_ess: int) -> Iterator[Diagnostic]:
    marginals, sampler = summary["posterior"].values(), summary["sampler"]
    ess = _worst((m["ess"] for m in marginals), min)
    yield Diagnostic(
        "Effective samples",
        f"{number(ess, 4)} of {target_ess} requested",
        good=ess is not None and ess >= target_ess,
        meaning="Number of independent samples with the same information, for the worst parameter. "
        "With few of them, medians and intervals are imprecise. Worry below the requested number.",
    )
    rhat = _worst((m["rhat"] for m in marginals), max)
    if rhat is not None:
        yield Diagnostic(
            "R-hat",
            f"{rhat:.4f}",
            good=rhat <= RHAT_LIMIT,
            meaning="Scatter between independent ensembles over that within them. Worry above "
            f"{RHAT_LIMIT}: the ensembles have not found the same posterior.",
        )
    time = _worst(sampler["autocorrelation_time"].values(), max)
    if time is not None and find_engine(sampler["engine"]).chains:
        yield Diagnostic(
            "Autocorrelation time",
            f"{number(time)} of {sampler['steps']} steps",
            good=sampler["steps"] >= MIN_AUTOCORRELATION_TIMES * time,
            meaning="Steps until the position of a walker is independent of its start. Worry if "
            f"the run has fewer than {MIN_AUTOCORRELATION_TIMES} of these times.",
        )
    if sampler["acceptance"]:
        yield Diagnostic(
            "Acceptance",
            ", ".join(f"{share:.2f}" for share in sampler["acceptance"]),
            good=min(sampler["acceptance"]) >= _LOW_ACCEPTANCE,
            meaning="Share of proposed moves that each ensemble took. Worry below "
            f"{_LOW_ACCEPTANCE}: walkers hardly move.",
        )


def _evidence(summary: FitSummary) -> Iterator[Diagnostic]:
    evidence = summary["evidence"]
    yield Diagnostic(
        "Error of ln Z",
        number(evidence["error"], 2),
        good=evidence["error"] < 0.5,
        meaning="Standard error of the evidence. Worry if it is not small beside the ln B that a "
        "conclusion rests on.",
    )
    if evidence["spread"] is not None:
        yield Diagnostic(
            "Spread of ln Z",
            number(evidence["spread"], 2),
            good=evidence["spread"] < _WIDE_SCATTER * max(evidence["error"], 0.01),
            meaning="The same error from the scatter between batches of draws. Worry if it is more "
            "than twice the error above: a part of the posterior is rarely hit.",
        )
    if find_engine(summary["sampler"]["engine"]).independent_draws:
        yield Diagnostic(
            "Effective fraction",
            number(evidence["effective_fraction"], 2),
            good=evidence["effective_fraction"] > 1e-4,
            meaning="Effective fraction of the draws of the evidence integral. Worry if it is "
            "tiny: few draws then reach the posterior.",
        )
        yield Diagnostic(
            "Largest weight",
            number(evidence["largest_weight"], 2),
            good=evidence["largest_weight"] < _LARGEST_WEIGHT,
            meaning="Largest contribution of a single draw to the evidence. Worry above "
            f"{percent(_LARGEST_WEIGHT)}: one more draw could change the result.",
        )
    check = evidence.get("cross_check")
    if check is None:
        yield Diagnostic(
            "Cross-check of ln Z",
            "not requested",
            good=True,
            meaning="A second engine can compute the evidence too, in a run with a cross-check. "
            "Request it before a conclusion is published.",
        )
    else:
        found = f"{with_error(check['log_z'], check['error'])} by {check['engine']}"
        yield Diagnostic(
            "Cross-check of ln Z",
            f"{found}, {abs(check['sigma']):.1f} standard errors away",
            good=check["agrees"],
            meaning="The evidence by another engine. Worry if the two disagree: one of them has "
            "missed a part of the posterior.",
        )
    yield Diagnostic(
        "Prior without a model",
        percent(summary["impossible_prior_fraction"]),
        good=summary["impossible_prior_fraction"] < 0.99,
        meaning="Share of the prior at which the model cannot exist, which counts against its "
        "evidence. Worry if it is near 100 %: the effective prior is then much "
        "narrower than the given one.",
    )


def _silent_curves(summary: FitSummary, labels: Mapping[str, str]) -> Iterator[Diagnostic]:
    for name, reach in summary["curve_reach"].items():
        if reach["posterior_outside"] < _SILENT and not reach["best_fit_outside"]:
            continue
        low, high = reach["mass_range_MeV"]
        best = ", the best fit too" if reach["best_fit_outside"] else ""
        yield Diagnostic(
            f"Reach of {labels.get(name, name)}",
            f"{percent(reach['posterior_outside'])} of the posterior outside{best}",
            good=False,
            meaning=f"Its curve covers {low:.3g} to {high:.3g} MeV and sets no limit at other "
            "masses. Worry if a conclusion rests on it: no data exclude points outside.",
        )


def _hadrons(notes: Sequence[str]) -> Iterator[Diagnostic]:
    if HADRONIC_WIDTHS in notes:
        yield Diagnostic(
            "Hadronic widths",
            "masses above 135 MeV",
            good=True,
            meaning=f"{HADRONIC_WIDTHS[0].upper()}{HADRONIC_WIDTHS[1:]}.",
        )


def _unverified(summary: FitSummary, labels: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield one row on all unverified numbers, with their influence on ln B."""
    names, influence = list(summary["unverified"]), summary.get("unverified_influence", {})
    if not names:
        return
    names.sort(key=lambda name: -abs(influence.get(name, np.inf)))
    listed = [
        f"{labels.get(name, name)} {influence[name]:+.1f}".replace("-", "\u2212")
        if name in influence
        else labels.get(name, name)
        for name in names
        if abs(influence.get(name, np.inf)) >= _VISIBLE
    ]
    rest = [f"the others below {_VISIBLE:g}"] if len(listed) < len(names) else []
    largest = max((abs(change) for change in influence.values()), default=np.inf)
    yield Diagnostic(
        "Unverified numbers",
        f"{len(names)} entries: {', '.join([*listed, *rest])}",
        good=largest < _UNIMPORTANT,
        meaning="Change of ln B if the measurement is shifted by its error, or the limit is twice "
        "as strong. The data below say what is unverified. Check these numbers before a "
        f"conclusion rests on them. Worry above {_UNIMPORTANT:g}.",
    )


def diagnose_comparison(rows: Iterable[WrittenComparisonRow]) -> list[Diagnostic]:
    """Return the shortcomings of each run, and whether the priors decide the order."""
    found: list[Diagnostic] = []
    rows = list(rows)
    for row in rows:
        found += _shortcomings(row["shortcomings"], f"Shortcoming of {row['run']}")
    if not found:
        meaning = "No run of the comparison reports a shortcoming; their own pages show more."
        found.append(Diagnostic("Convergence", "every run converged", good=True, meaning=meaning))
    changing = [row["run"] for row in rows if row["rank_changes"]]
    meaning = (
        "Whether any two models change places when all priors are made wider or narrower. Worry "
        "if they do: the prior and not the data ranks them."
    )
    text = ", ".join(changing) if changing else "none changes"
    found.append(Diagnostic("Ranks under other priors", text, good=not changing, meaning=meaning))
    return found


def diagnose_campaign(record: CampaignRecord) -> list[Diagnostic]:
    """Return failures, convergence, and the agreement between seeds."""
    converged = sum(cell["converged"] for cell in record["cells"])
    found = [
        Diagnostic(
            "Failed fits",
            str(len(record["failed"])),
            good=not record["failed"],
            meaning="Fits without a result. Worry if there are any: means leave them out.",
        ),
        Diagnostic(
            "Converged fits",
            f"{converged} of {record['finished']}",
            good=converged == record["finished"],
            meaning="Fits without a shortcoming. Worry about a combination in which "
            "most seeds did not converge.",
        ),
    ]
    for cell in record["cells"]:
        if cell["log_z_scatter"] is None:
            continue
        if cell["log_z_scatter"] > _WIDE_SCATTER * cell["log_z_error_of_one"]:
            found.append(
                Diagnostic(
                    f"Seeds of {cell['name']}",
                    f"scatter {number(cell['log_z_scatter'], 2)}, error "
                    f"{number(cell['log_z_error_of_one'], 2)}",
                    good=False,
                    meaning="ln Z scatters between seeds by more than twice its error: the error "
                    "is too small, and the scatter is the true uncertainty of ln B.",
                )
            )
    return found
