"""The chapter about a run."""

from collections.abc import Mapping
from functools import partial
from html import escape
from statistics import mean

from markupsafe import Markup

from zpfit.analysis.parameter_table import CAPTION, HEADINGS, ParameterRow, parameter_rows
from zpfit.analysis.records import FitSummary, TermRecord
from zpfit.analysis.summary import axis_attributes
from zpfit.io.numbers import beside_errors
from zpfit.pages.report.answers import silent_curves
from zpfit.pages.report.chapter import (
    Chapter,
    Repeat,
    build_chapter,
    present,
)
from zpfit.pages.report.commands import run_again
from zpfit.pages.report.diagnostics_text import diagnose_run
from zpfit.pages.report.figures.axes import Picture
from zpfit.pages.report.figures.corner import draw_corner
from zpfit.pages.report.figures.pulls import draw_limits, draw_pulls
from zpfit.pages.report.figures.slices import colours_of, draw_slice
from zpfit.pages.report.labels import labels_of, plain_labels_of
from zpfit.pages.report.read_folders import RunContent
from zpfit.pages.report.slices import slices_of
from zpfit.pages.report.symbols import number, symbol_html
from zpfit.pages.report.tables import Cell, Table, fixed, shown, table, value


def build_run_chapter(content: RunContent, identifier: str) -> Chapter:
    """Return the chapter about a run."""
    summary, run = content.summary, content.run
    labels = labels_of(content.data)
    slices = _slices(content, labels, identifier)
    return build_chapter(
        content,
        identifier=identifier,
        title=summary["title"],
        tables=_run_tables(content, labels),
        pictures=present(
            draw_corner(
                content.samples,
                summary["best_fit"]["parameters"],
                f"{identifier}-corner",
                summary["title"],
            ),
            draw_pulls(summary, labels, f"{identifier}-pulls"),
            draw_limits(summary, labels, f"{identifier}-limits"),
        ),
        slices=slices,
        slices_note="" if slices else "None, as fewer than two parameters are sampled.",
        diagnostics=tuple(
            diagnose_run(
                summary, run.settings.sampler.target_ess, plain_labels_of(content.data), run.notes
            )
        ),
        repeat=_repeat_run(content),
    )


def _slices(content: RunContent, labels: Mapping[str, str], identifier: str) -> tuple[Picture, ...]:
    best, attributes = content.summary["best_fit"], axis_attributes(content.run.posterior)
    planes = slices_of(content.run, best)
    colours = colours_of(planes)
    return tuple(
        draw_slice(
            plane,
            attributes,
            best["parameters"],
            best["chi2"],
            labels,
            colours,
            f"{identifier}-slice{i}",
        )
        for i, plane in enumerate(planes)
    )


def _run_tables(content: RunContent, labels: Mapping[str, str]) -> tuple[Table, ...]:
    summary = content.summary
    best = summary["best_fit"]
    symbols = {p.name: (p.symbol, p.unit) for p in content.run.posterior.model.parameters}

    def named(name: str) -> Cell:
        symbol, unit = symbols.get(name, (name, ""))
        return Cell(symbol_html(symbol) + (f" [{unit}]" if unit else ""), name)

    def of_entry(name: str) -> Cell:
        return Cell(Markup(labels.get(name, escape(name))), name)  # noqa: S704 - escaped

    parameters = table(
        "Parameters",
        [
            ("parameter", lambda row: named(row.name)),
            *((heading, partial(_parameter_cell, i)) for i, heading in enumerate(HEADINGS)),
            ("note", lambda row: Cell(row.note)),
        ],
        parameter_rows(summary),
        Markup("{}. ESS: effective samples.{}").format(CAPTION, _fixed_words(content)),
    )
    measurements = table(
        "Measurements at the best fit",
        [
            ("measurement", of_entry),
            ("measured", lambda n: value(best["terms"][n]["measured"], 4)),
            ("error", lambda n: value(mean(best["terms"][n]["errors"]), 2)),
            ("predicted", lambda n: value(_predicted(best["terms"][n]), 4)),
            ("pull", lambda n: fixed(best["terms"][n]["pull"], 3)),
            ("\u03c7\u00b2", lambda n: fixed(best["terms"][n]["chi2"], 3)),
            ("\u03c7\u00b2 without Z\u2032", lambda n: fixed(_chi2_without(content, n), 3)),
        ],
        best["terms"],
        "Pull: (measured \u2212 predicted) / error. Of unequal errors the mean is shown.",
    )
    exclusions = table(
        "Exclusions at the best fit",
        [
            ("exclusion", of_entry),
            ("signal / limit", lambda n: _ratio(summary, n)),
            (
                "form",
                lambda n: Cell("hard" if best["exclusions"][n].get("chi2") is None else "soft"),
            ),
            ("\u03c7\u00b2", lambda n: fixed(best["exclusions"][n].get("chi2"), 3)),
        ],
        best["exclusions"],
        "Above 1 is excluded: hard exclusions cut off, soft ones add to \u03c7\u00b2."
        + (" Silent: their curves do not reach this mass." if silent_curves(summary) else ""),
    )
    return tuple(t for t in (parameters, measurements, exclusions) if t.rows)


def _parameter_cell(index: int, row: ParameterRow) -> Cell:
    return shown(row.texts[index], row.keys[index])


def _predicted(term: TermRecord) -> float:
    return beside_errors(term["prediction"], *term["errors"])


def _ratio(summary: FitSummary, name: str) -> Cell:
    """Return the signal over the limit, if there is a limit."""
    return (
        Cell("silent")
        if name in silent_curves(summary)
        else value(summary["best_fit"]["exclusions"][name]["ratio"])
    )


def _fixed_words(content: RunContent) -> Markup:
    best, varying = content.summary["best_fit"], content.summary["posterior"]
    symbols = {p.name: symbol_html(p.symbol) for p in content.run.posterior.model.parameters}
    fixed = Markup(", ").join(
        Markup("{} = {}").format(symbols.get(name, name), number(x))
        for name, x in best["parameters"].items()
        if name not in varying
    )
    return Markup(" Fixed: {}.").format(fixed) if fixed else Markup()


def _chi2_without(content: RunContent, name: str) -> float | None:
    term = content.summary["no_zprime"]["terms"].get(name)
    return None if term is None else term["chi2"]


def _repeat_run(content: RunContent) -> Repeat:
    config, output = content.path / "config.yaml", f"{content.path}-again"
    return Repeat(
        (run_again(config, output, cross_check=content.cross_checked),),
        f"The run file in the folder is complete, with its seed ({content.summary['seed']}), and "
        "the data lie beside it. With the versions below the numbers are the same.",
        content.summary["versions"],
    )
