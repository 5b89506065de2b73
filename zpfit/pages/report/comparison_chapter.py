"""The chapter about a comparison."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.analysis.certify.bracket import below, is_met
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.records import WrittenComparisonRow
from zpfit.pages.report.chapter import Chapter, Repeat, build_chapter
from zpfit.pages.report.commands import comparison_again
from zpfit.pages.report.diagnostics_text import diagnose_comparison
from zpfit.pages.report.figures.axes import Picture
from zpfit.pages.report.figures.comparison import (
    draw_chi2_by_term,
    draw_evidences,
    labels_of_rows,
)
from zpfit.pages.report.labels import labels_of
from zpfit.pages.report.read_folders import ComparisonContent
from zpfit.pages.report.tables import Cell, Table, fixed, table, value, with_error
from zpfit.runs.campaign_store import RUNS


def build_comparison_chapter(content: ComparisonContent, identifier: str) -> Chapter:
    """Return the chapter about a comparison."""
    rows = content.rows
    pictures: list[Picture] = []
    tables: list[Table] = []
    for data in dict.fromkeys(row["data"] for row in rows):
        group = [row for row in rows if row["data"] == data]
        labels = labels_of(content.data, {name for row in group for name in row["chi2_by_term"]})
        tables += _compared(group)
        pictures += [
            draw_evidences(group, f"{identifier}-evidence{data}"),
            draw_chi2_by_term(group, labels, f"{identifier}-chi2{data}"),
        ]
    return build_chapter(
        content,
        identifier=identifier,
        title=f"Comparison {content.name}",
        tables=tuple(tables),
        pictures=tuple(pictures),
        slices=(),
        slices_note="",
        diagnostics=tuple(diagnose_comparison(rows)),
        repeat=_repeat_comparison(content),
    )


def _compared(group: Sequence[WrittenComparisonRow]) -> list[Table]:
    likelihood, reference = group[0]["likelihood"], group[0]["reference"]
    names = [row["run"] for row in group]
    labels = dict(zip(names, map(Markup, labels_of_rows(group)), strict=True))
    versus = "no Z\u2032" if reference == NO_ZPRIME else reference
    evidence = table(
        f"Evidence, {likelihood}",
        [
            ("model", lambda r: Cell(labels[r["run"]])),
            (
                f"ln B against {versus}",
                lambda r: with_error(r["ln_bayes_factor"], r["ln_bayes_factor_err"]),
            ),
            ("reading", lambda r: Cell("\u2013" if r["run"] == reference else r["evidence"])),
            ("ln Z", lambda r: with_error(r["lnZ"], r["lnZ_err"])),
            ("ln Z, wider", lambda r: value(_varied(r, "wider"), 4)),
            ("ln Z, narrower", lambda r: value(_varied(r, "narrower"), 4)),
            ("rank changes", lambda r: Cell("yes" if r["rank_changes"] else "no")),
            ("information [nats]", lambda r: value(r["information"])),
            ("run", _name),
        ],
        group,
        f"Read after {SCALE_SOURCE}. Wider, narrower: with other widths of all priors.",
    )
    fits = table(
        f"Best fits, {likelihood}",
        [
            ("model", lambda r: Cell(labels[r["run"]])),
            ("parameters", lambda r: value(r["parameters"])),
            ("\u03c7\u00b2", lambda r: value(r["best_fit_chi2"], 4)),
            ("\u0394\u03c7\u00b2", lambda r: value(r["delta_chi2"], 4)),
            ("AIC", lambda r: value(r["aic"], 4)),
            ("BIC", lambda r: value(r["bic"], 4)),
            ("joint \u03c3", lambda r: fixed(r["joint_sigma"], 2)),
            (
                "proved to be at least",
                lambda r: _proved(r["joint_sigma"], r.get("joint_sigma_proved")),
            ),
            ("converged", lambda r: Cell("yes" if r["converged"] else "no")),
            ("run", _name),
        ],
        group,
        "\u0394\u03c7\u00b2: against no Z\u2032. Joint \u03c3: least level at which every anomaly "
        "is met while the other measurements are within their limits. A search finds it, so that "
        "it is an upper bound; the next column has the lower bound that is proved, if there is "
        "one. Met: a point meets every anomaly, within 0.001 of its error.",
    )
    return [evidence, fits]


def _name(row: WrittenComparisonRow) -> Cell:
    return Cell("\u2013" if row["model"] == NO_ZPRIME else row["run"])


def _proved(sigma: float | None, bound: float | None) -> Cell:
    if is_met(sigma):
        return Cell("met")
    return Cell("\u2013" if bound is None else below(bound))


def _varied(row: WrittenComparisonRow, name: str) -> float | None:
    found = row["prior_sensitivity"].get(name)
    return None if found is None else found["lnZ"]


def _repeat_comparison(content: ComparisonContent) -> Repeat:
    names = [row["run"] for row in content.rows if row["model"] != NO_ZPRIME]
    runs = [_argument_for(content, name) for name in names]
    reference = content.rows[0]["reference"]
    chosen = None if reference == NO_ZPRIME else reference
    command = comparison_again(runs, f"{content.path}-again", chosen)
    elsewhere = [name for name in names if name not in content.runs]
    return Repeat(
        (command,),
        f"Folders of {', '.join(elsewhere)} have moved or changed since: put their paths in place "
        "of their names. Give them to zpfit report as well for their data and versions."
        if elsewhere
        else "Run files and data lie in the folders of the runs; they do not record a "
        "seed given on the command line.",
        content.versions,
    )


def _argument_for(content: ComparisonContent, name: str) -> str | Path:
    """Return the argument that names a run in the command of the comparison."""
    folder = content.runs.get(name)
    if folder is None:
        return name
    return folder / "config.yaml" if folder.parent == content.path / RUNS else folder
