"""Answers to the question of a folder, in two sentences with numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zpfit.analysis.bayes_factors import verbal
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.records import FitSummary, WrittenComparisonRow
from zpfit.pages.report.labels import plain_labels_of
from zpfit.pages.report.read_folders import CampaignContent, ComparisonContent, Content, RunContent
from zpfit.pages.report.symbols import number
from zpfit.pages.report.tables import with_error

_MEANING = {"for": "a Z\u2032 of this kind", "against": "no Z\u2032"}


@dataclass(frozen=True)
class Answer:
    """The answer to one question."""

    question: str
    first: str
    second: str


def answers(content: Content) -> list[Answer]:
    """Return the answer of a folder; a comparison has one for each data set."""
    match content:
        case RunContent():
            return [_of_run(content)]
        case ComparisonContent():
            return list(_of_comparison(content))
        case CampaignContent():
            return [_of_campaign(content)]


def overview(runs: Sequence[RunContent]) -> Answer:
    """Return the answer about several run folders together."""
    best = max(runs, key=lambda run: log_bayes_factor(run.summary))
    worst = min(runs, key=lambda run: log_bayes_factor(run.summary))
    converged = sum(run.summary["converged"] for run in runs)
    lowest = _log_b(*_evidence_of(worst.summary))
    likelihoods = {run.summary["likelihood"] for run in runs}
    caution = (
        "" if len(likelihoods) == 1 else " (on different data, each against no Z\u2032 on the same)"
    )
    return Answer(
        f"How do {len(runs)} fits compare?",
        first=(
            f"{_best_of('run', len(runs), best.name, *_evidence_of(best.summary))}, and "
            f"{worst.name} has the lowest evidence, with {lowest}{caution}."
        ),
        second=(
            f"The best fit of {best.name} has {_gain(best.summary)}, and {converged} of "
            f"{len(runs)} runs converged."
        ),
    )


def log_bayes_factor(summary: FitSummary) -> float:
    """Return ln B against no Z', whose evidence is its likelihood."""
    return summary["evidence"]["log_z"] + 0.5 * summary["no_zprime"]["chi2"]


def reading(log_b: float) -> str:
    """Return the strength of ln B on Trotta's scale."""
    word = verbal(log_b)
    strength, _, side = word.partition(" ")
    return "inconclusive" if not side else f"{strength} evidence for {_MEANING[side]}"


def _of_run(content: RunContent) -> Answer:
    summary = content.summary
    mass = summary["best_fit"]["couplings"].get("m_Zp")
    where = "" if mass is None else f" at {mass:.3g} MeV"
    labels = plain_labels_of(content.data)
    excluding = [
        labels.get(name, name)
        for name, limit in summary["best_fit"]["exclusions"].items()
        if limit["ratio"] > 1
    ]
    survives = (
        f"and lies beyond the limit of {', '.join(excluding)}, which is a soft limit"
        if excluding
        else _survival(summary, labels)
    )
    converged = "converged" if summary["converged"] else "did not converge"
    return Answer(
        f"Can a Z\u2032 of the model {summary['model']} explain the data {summary['likelihood']}?",
        first=f"The best fit{where} has {_gain(summary)}, {survives}.",
        second=(
            f"{_one_against_none(*_evidence_of(summary))}, over the whole prior; the run "
            f"{converged}."
        ),
    )


def silent_curves(summary: FitSummary) -> list[str]:
    """Return the exclusions whose curves do not cover the mass of the best fit."""
    exclusions, reach = summary["best_fit"]["exclusions"], summary["curve_reach"]
    return [name for name, r in reach.items() if r["best_fit_outside"] and name in exclusions]


def _survival(summary: FitSummary, labels: Mapping[str, str]) -> str:
    """Return how a best fit survives the exclusions.

    Curves without coverage at its mass do not count as survived.
    """
    count = len(summary["best_fit"]["exclusions"])
    silent = [labels.get(name, name) for name in silent_curves(summary)]
    if not count:
        return "with no exclusions in the data"
    if not silent:
        return f"and survives all {count} exclusions"
    return (
        f"and survives {count - len(silent)} of {count} exclusions; "
        f"{', '.join(silent)} set{'s' if len(silent) == 1 else ''} no limit at this mass"
    )


def _gain(summary: FitSummary) -> str:
    best, without = summary["best_fit"]["chi2"], summary["no_zprime"]["chi2"]
    return f"\u03c7\u00b2 = {number(best)} where no Z\u2032 has {number(without)}"


def _evidence_of(summary: FitSummary) -> tuple[float, float]:
    """Return ln B against no Z' and its standard error."""
    return log_bayes_factor(summary), summary["evidence"]["error"]


def _log_b(log_b: float, error: float) -> str:
    return f"ln B = {with_error(log_b, error).text}".replace(" ", "\u00a0")


def _strength(log_b: float) -> str:
    return f"{verbal(log_b).partition(' ')[0]} evidence"


def _one_against_none(log_b: float, error: float) -> str:
    """Return a clause that names the winner between one model and no Z'."""
    if verbal(log_b) == "inconclusive":
        return f"The evidence does not decide against or for a Z\u2032: {_log_b(log_b, error)}"
    winner = "a Z\u2032 of this kind" if log_b > 0 else "no Z\u2032"
    return f"The evidence prefers {winner}: {_log_b(log_b, error)} ({_strength(log_b)})"


def _best_of(kind: str, count: int, best: str, log_b: float, error: float) -> str:
    """Return a clause that names the winner among some models and no Z'.

    Parameters
    ----------
    kind
        Word for one of the models, such as ``run``.
    count
        Number of models, that without a Z' not counted.
    best
        Name of the model with the highest evidence.
    log_b, error
        ln B of this model against no Z', and its standard error.
    """
    name = f"the best {kind}, {best}," if count > 1 else best
    found = _log_b(log_b, error)
    if verbal(log_b) == "inconclusive":
        return f"The data do not decide: {name} has {found} against no Z\u2032"
    if log_b > 0:
        return f"The data prefer {name} to no Z\u2032 by {found} ({_strength(log_b)})"
    return f"The data prefer no Z\u2032; {name} is disfavoured by {found} ({_strength(log_b)})"


def _of_comparison(content: ComparisonContent) -> Iterator[Answer]:
    for data in dict.fromkeys(row["data"] for row in content.rows):
        yield _of_group([row for row in content.rows if row["data"] == data])


def _of_group(rows: Sequence[WrittenComparisonRow]) -> Answer:
    models = [row for row in rows if row["model"] != NO_ZPRIME]
    fitting = min(models, key=lambda row: row["best_fit_chi2"])
    without = fitting["best_fit_chi2"] - fitting["delta_chi2"]
    shaky = [row["run"] for row in models if not row["converged"]]
    trust = f"{', '.join(shaky)} did not converge" if shaky else "all runs converged"
    moves = any(row["rank_changes"] for row in rows)
    rank = "some ranks change" if moves else "no rank changes"
    return Answer(
        _question(models, rows[0]["likelihood"]),
        first=(
            f"{_winner(rows)}. The lowest \u03c7\u00b2 is that of {fitting['run']}, "
            f"{number(fitting['best_fit_chi2'])} where no Z\u2032 has {number(without)}."
        ),
        second=f"With wider or narrower priors {rank}, and {trust}.",
    )


def _question(models: Sequence[WrittenComparisonRow], likelihood: str) -> str:
    if len(models) == 1:
        return f"Do the data {likelihood} favour {models[0]['run']}?"
    return f"Which of {len(models)} models do the data {likelihood} favour?"


def _winner(rows: Sequence[WrittenComparisonRow]) -> str:
    """Return a clause that names the row of highest evidence, no Z' included."""
    models = [row for row in rows if row["model"] != NO_ZPRIME]
    best = max(models, key=lambda row: row["lnZ"])
    none = next(row for row in rows if row["model"] == NO_ZPRIME)
    return _best_of("class", len(models), best["run"], best["lnZ"] - none["lnZ"], best["lnZ_err"])


def _of_campaign(content: CampaignContent) -> Answer:
    record = content.record
    planned = record["finished"] + len(record["failed"])
    converged = sum(cell["converged"] for cell in record["cells"])
    several = len(record["cells"]) != 1
    first = (
        f"Of {planned} fits of {len(record['cells'])} combination{'s' * several} "
        f"{record['finished']} are "
        f"finished, {len(record['failed'])} failed, and {converged} converged."
    )
    second = "No combination has a result."
    if record["cells"]:
        best = max(record["cells"], key=lambda cell: cell["log_bayes_factor"])
        worst = min(record["cells"], key=lambda cell: cell["log_bayes_factor"])
        highest = best["log_bayes_factor"], best["log_z_error"]
        lowest = worst["log_bayes_factor"], worst["log_z_error"]
        second = _best_of("combination", len(record["cells"]), best["name"], *highest)
        if several:
            second += (
                f", and {worst['name']} has the lowest evidence on its data, with {_log_b(*lowest)}"
            )
        second += "."
    return Answer(f"What do the fits of the campaign {content.name} say?", first, second)
