"""The page: one HTML file that contains its styles, scripts and data."""

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.summary import axis_attributes
from zpfit.io.versions import versions
from zpfit.likelihood.describe import describe_subject, describe_value
from zpfit.likelihood.entry_base import Citation
from zpfit.pages.report import figures
from zpfit.pages.report.answers import Answer, answers, log_bayes_factor, overview, reading
from zpfit.pages.report.figures import Picture
from zpfit.pages.report.gather import CampaignContent, ComparisonContent, Content, Data, RunContent
from zpfit.pages.report.meanings import Diagnostic, of_campaign, of_comparison, of_run
from zpfit.pages.report.records import ComparedModel, Summary
from zpfit.pages.report.slices import slices_of
from zpfit.pages.report.symbols import label_html, plain, symbol_html
from zpfit.pages.report.tables import Cell, Table, count, fixed, table, value, with_error
from zpfit.runs.campaign import RUNS

_KINDS = {RunContent: "Run", ComparisonContent: "Comparison", CampaignContent: "Campaign"}


@dataclass(frozen=True)
class Repeat:
    """The command that computes a folder again."""

    commands: tuple[str, ...]
    words: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """An entry of the data."""

    name: str
    label: Markup
    subject: str
    value: str
    approximations: str
    unverified: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Chapter:
    """The chapter about one folder."""

    identifier: str
    kind: str
    title: str
    path: str
    answers: tuple[Answer, ...]
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    slices: tuple[Picture, ...]
    slices_note: str
    diagnostics: tuple[Diagnostic, ...]
    sources: tuple[Source, ...]
    software: tuple[tuple[Citation, str], ...]
    """Publications behind formulas and engines."""
    sources_note: str
    repeat: Repeat


def page(contents: Sequence[Content]) -> str:
    """Return the HTML of the page about some folders.

    Raises
    ------
    OutsidePrior, InvalidInput
        What folders hold does not fit together.
    """
    chapters = [_chapter(content, f"part{i}") for i, content in enumerate(contents)]
    runs = [content for content in contents if isinstance(content, RunContent)]
    several = len(runs) > 1
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    plotly, script = _plotly(), _file("page.js")
    return environment.from_string(_file("page.html")).render(
        title=_title(chapters),
        chapters=chapters,
        overview=overview(runs) if several else None,
        overview_table=_overview_table(runs) if several else None,
        style=Markup(_file("page.css")),  # noqa: S704 - the package's own
        plotly=Markup(plotly),  # noqa: S704 - likewise
        script=Markup(script),  # noqa: S704 - likewise
        hashes=[_hash(plotly), _hash(script)],
        version=versions()["zpfit"],
        scale_source=SCALE_SOURCE,
    )


def _title(chapters: Sequence[Chapter]) -> str:
    if len(chapters) == 1:
        return chapters[0].title
    return f"{len(chapters)} parts: " + ", ".join(chapter.title for chapter in chapters)


def _file(name: str) -> str:
    return files("zpfit.pages.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    """Return Plotly's JavaScript in a form that a script element can hold."""
    from plotly.offline import get_plotlyjs

    source: str = get_plotlyjs()
    return source.replace("</script", "<\\/script")


def _hash(script: str) -> str:
    """Return the hash by which the page's content policy admits its own script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _chapter(content: Content, identifier: str) -> Chapter:
    match content:
        case RunContent():
            return _run(content, identifier)
        case ComparisonContent():
            return _comparison(content, identifier)
        case CampaignContent():
            return _campaign(content, identifier)


def _present(*pictures: Picture | None) -> tuple[Picture, ...]:
    return tuple(picture for picture in pictures if picture is not None)


# Runs


def _run(content: RunContent, identifier: str) -> Chapter:
    summary, run = content.summary, content.run
    labels = _labels(content.data)
    slices = _slices(content, labels, identifier)
    return _with_data(
        content,
        identifier=identifier,
        title=summary.title,
        tables=_run_tables(content, labels),
        pictures=_present(
            figures.corner(
                content.samples, summary.best_fit.parameters, f"{identifier}-corner", summary.title
            ),
            figures.pulls(summary, labels, f"{identifier}-pulls"),
            figures.limits(summary, labels, f"{identifier}-limits"),
        ),
        slices=slices,
        slices_note="" if slices else "None, as fewer than two parameters are sampled.",
        diagnostics=tuple(of_run(summary, run.settings.sampler.target_ess)),
        repeat=_repeat_run(content),
    )


def _labels(data: Data) -> dict[str, str]:
    """Return HTML of the short names of entries."""
    labels = {e.name: str(label_html(e.entry.label or e.name)) for e in data.entries}
    doubled = [label for label in labels.values() if list(labels.values()).count(label) > 1]
    return {n: f"{text} ({escape(n)})" if text in doubled else text for n, text in labels.items()}


def _slices(content: RunContent, labels: Mapping[str, str], identifier: str) -> tuple[Picture, ...]:
    best, attributes = content.summary.best_fit, axis_attributes(content.run.posterior)
    planes = slices_of(content.run, best)
    colours = figures.colours_of(planes)
    return tuple(
        figures.exclusion_slice(
            plane, attributes, best.parameters, best.chi2, labels, colours, f"{identifier}-slice{i}"
        )
        for i, plane in enumerate(planes)
    )


def _run_tables(content: RunContent, labels: Mapping[str, str]) -> tuple[Table, ...]:
    summary = content.summary
    best = summary.best_fit
    symbols = {p.name: (p.symbol, p.unit) for p in content.run.posterior.model.parameters}

    def named(name: str) -> Cell:
        symbol, unit = symbols.get(name, (name, ""))
        return Cell(symbol_html(symbol) + (f" [{unit}]" if unit else ""), name)

    def of_entry(name: str) -> Cell:
        return Cell(Markup(labels.get(name, escape(name))), name)  # noqa: S704 - escaped

    parameters = table(
        "Parameters",
        [
            ("parameter", named),
            ("best fit", lambda n: value(best.parameters.get(n))),
            ("median", lambda n: value(summary.posterior[n].median)),
            ("16 %", lambda n: value(summary.posterior[n].q16)),
            ("84 %", lambda n: value(summary.posterior[n].q84)),
            ("5 %", lambda n: value(summary.posterior[n].q05)),
            ("95 %", lambda n: value(summary.posterior[n].q95)),
            ("ESS", lambda n: count(summary.posterior[n].ess)),
            ("R-hat", lambda n: fixed(summary.posterior[n].rhat, 4)),
        ],
        summary.posterior,
        "Quantiles of the posterior, so that 16 % to 84 % is its central 68 %. ESS: effective "
        "samples." + _fixed_words(content),
    )
    measurements = table(
        "Measurements at the best fit",
        [
            ("measurement", of_entry),
            ("measured", lambda n: value(best.terms[n].measured, 4)),
            ("error", lambda n: value(_mean(best.terms[n].errors), 2)),
            ("predicted", lambda n: value(best.terms[n].prediction, 4)),
            ("pull", lambda n: fixed(best.terms[n].pull, 3)),
            ("\u03c7\u00b2", lambda n: fixed(best.terms[n].chi2, 3)),
            ("\u03c7\u00b2 without Z\u2032", lambda n: fixed(_chi2_without(content, n), 3)),
        ],
        best.terms,
        "Pull: (measured \u2212 predicted) / error. Of unequal errors the mean is shown.",
    )
    exclusions = table(
        "Exclusions at the best fit",
        [
            ("exclusion", of_entry),
            ("signal / limit", lambda n: _ratio(summary, n)),
            ("form", lambda n: Cell("hard" if best.exclusions[n].chi2 is None else "soft")),
            ("\u03c7\u00b2", lambda n: fixed(best.exclusions[n].chi2, 3)),
        ],
        best.exclusions,
        "Above 1 is excluded: hard exclusions cut off, soft ones add to \u03c7\u00b2."
        + (" Silent: their curves do not reach this mass." if summary.silent else ""),
    )
    return tuple(t for t in (parameters, measurements, exclusions) if t.rows)


def _ratio(summary: Summary, name: str) -> Cell:
    """Return the signal over the limit, if there is a limit."""
    return (
        Cell("silent") if name in summary.silent else value(summary.best_fit.exclusions[name].ratio)
    )


def _fixed_words(content: RunContent) -> str:
    best, varying = content.summary.best_fit, content.summary.posterior
    fixed = [f"{n} = {v:g}" for n, v in best.parameters.items() if n not in varying]
    return f" Fixed: {', '.join(fixed)}." if fixed else ""


def _chi2_without(content: RunContent, name: str) -> float | None:
    term = content.summary.no_zprime.terms.get(name)
    return None if term is None else term.chi2


def _mean(errors: Sequence[float | None]) -> float | None:
    known = [error for error in errors if error is not None]
    return sum(known) / len(known) if known else None


def _repeat_run(content: RunContent) -> Repeat:
    command = _command(
        "zpfit", "run", content.path / "config.yaml", "--output", f"{content.path}-again"
    )
    check = " --cross-check" if content.cross_checked else ""
    return Repeat(
        (command + check,),
        f"The run file in the folder is complete, with its seed ({content.summary.seed}), and the "
        "data lie beside it. With the versions below the numbers are the same.",
        content.summary.versions,
    )


def _command(*words: object) -> str:
    return shlex.join(map(str, words))


# Comparisons and campaigns


def _comparison(content: ComparisonContent, identifier: str) -> Chapter:
    rows, labels = content.rows, _labels(content.data)
    pictures: list[Picture] = []
    tables: list[Table] = []
    for data in dict.fromkeys(row.data for row in rows):
        group = [row for row in rows if row.data == data]
        tables += _compared(group)
        pictures += [
            figures.evidences(group, f"{identifier}-evidence{data}"),
            figures.chi2_by_term(group, labels, f"{identifier}-chi2{data}"),
        ]
    return _with_data(
        content,
        identifier=identifier,
        title=f"Comparison {content.name}",
        tables=tuple(tables),
        pictures=tuple(pictures),
        slices=(),
        slices_note="",
        diagnostics=tuple(of_comparison(rows)),
        repeat=_repeat_comparison(content),
    )


def _compared(group: Sequence[ComparedModel]) -> list[Table]:
    likelihood, reference = group[0].likelihood, group[0].reference
    versus = "no Z\u2032" if reference == NO_ZPRIME else reference
    evidence = table(
        f"Evidence, {likelihood}",
        [
            ("run", lambda r: Cell(r.run)),
            (
                f"ln B against {versus}",
                lambda r: with_error(r.ln_bayes_factor, r.ln_bayes_factor_err),
            ),
            ("reading", lambda r: Cell("\u2013" if r.run == reference else r.evidence)),
            ("ln Z", lambda r: with_error(r.lnZ, r.lnZ_err)),
            ("ln Z, wider priors", lambda r: value(_varied(r, "wider"), 4)),
            ("ln Z, narrower priors", lambda r: value(_varied(r, "narrower"), 4)),
            ("rank changes", lambda r: Cell("yes" if r.rank_changes else "no")),
            ("information [nats]", lambda r: value(r.information)),
        ],
        group,
        f"Read after {SCALE_SOURCE}.",
    )
    fits = table(
        f"Best fits, {likelihood}",
        [
            ("run", lambda r: Cell(r.run)),
            ("parameters", lambda r: value(r.parameters)),
            ("\u03c7\u00b2", lambda r: value(r.best_fit_chi2, 4)),
            ("\u0394\u03c7\u00b2", lambda r: value(r.delta_chi2, 4)),
            ("AIC", lambda r: value(r.aic, 4)),
            ("BIC", lambda r: value(r.bic, 4)),
            ("joint \u03c3", lambda r: fixed(r.joint_sigma, 2)),
            ("converged", lambda r: Cell("yes" if r.converged else "no")),
        ],
        group,
        "\u0394\u03c7\u00b2: against no Z\u2032. Joint \u03c3: least level at which every anomaly "
        "is met while the other measurements are within their limits.",
    )
    return [evidence, fits]


def _varied(row: ComparedModel, name: str) -> float | None:
    found = row.prior_sensitivity.get(name)
    return None if found is None else found.lnZ


def _repeat_comparison(content: ComparisonContent) -> Repeat:
    names = [row.run for row in content.rows if row.model != NO_ZPRIME]
    runs = [_argument_for(content, name) for name in names]
    reference = content.rows[0].reference
    extra = () if reference == NO_ZPRIME else ("--reference", reference)
    command = _command("zpfit", "compare", *runs, *extra, "--output", f"{content.path}-again")
    elsewhere = [name for name in names if name not in content.runs]
    return Repeat(
        (command,),
        f"Folders of {', '.join(elsewhere)} have moved or changed since: put their paths in place "
        "of their names. Give them to zpfit report as well for their data and versions."
        if elsewhere
        else "Run files and data lie in the folders of the runs; a --seed is not noted there.",
        content.versions,
    )


def _argument_for(content: ComparisonContent, name: str) -> str | Path:
    """Return the argument that names a run in the command of the comparison."""
    folder = content.runs.get(name)
    if folder is None:
        return name
    return folder / "config.yaml" if folder.parent == content.path / RUNS else folder


def _campaign(content: CampaignContent, identifier: str) -> Chapter:
    record = content.record
    cells = table(
        "Combinations",
        [
            ("combination", lambda c: Cell(c.name)),
            ("fits", lambda c: count(c.fits)),
            ("converged", lambda c: count(c.converged)),
            ("ln B", lambda c: with_error(c.log_bayes_factor, c.log_z_error)),
            ("reading", lambda c: Cell(reading(c.log_bayes_factor))),
            ("scatter", lambda c: value(c.log_z_scatter, 2)),
            ("\u03c7\u00b2", lambda c: value(c.chi2, 4)),
            ("worst seed", lambda c: value(c.chi2_worst_seed, 4)),
            ("\u03c7\u00b2 without Z\u2032", lambda c: value(c.chi2_no_zprime, 4)),
        ],
        record.cells,
        "ln B: against no Z\u2032 on the same data, mean over seeds; scatter: standard deviation "
        f"of ln Z between seeds. Read after {SCALE_SOURCE}.",
    )
    fits = table(
        "Fits",
        [
            ("fit", lambda f: Cell(f.name)),
            ("seed", lambda f: Cell(str(f.seed), float(f.seed))),
            ("\u03c7\u00b2", lambda f: value(f.chi2, 4)),
            ("ln Z", lambda f: with_error(f.log_z, f.log_z_error)),
            ("ln B", lambda f: fixed(f.log_bayes_factor, 2)),
            ("converged", lambda f: Cell("yes" if f.converged else "no")),
            ("shortcomings", lambda f: Cell("; ".join(f.shortcomings))),
        ],
        record.fits,
    )
    failed = table(
        "Failed fits",
        [("fit", lambda item: Cell(item[0])), ("why", lambda item: Cell(item[1]))],
        record.failed.items(),
    )
    first = record.fits[0].name if record.fits else "NAME"
    command = _command(
        "zpfit", "run", content.path / "runs" / first / "config.yaml", "--output", "again"
    )
    return _with_data(
        content,
        identifier=identifier,
        title=record.title or f"Campaign {content.name}",
        tables=tuple(t for t in (cells, fits, failed) if t.rows),
        pictures=_present(figures.campaign(record, f"{identifier}-campaign")),
        slices=(),
        slices_note="",
        diagnostics=tuple(of_campaign(record)),
        repeat=Repeat(
            (command,),
            "Every fit has a complete run file with its seed and data in a folder of its own; "
            "this command repeats one of them. zpfit campaign repeats all from the campaign file.",
            content.versions,
        ),
    )


# What all have


def _with_data(content: Content, **parts: Any) -> Chapter:
    """Return a chapter with the parts that follow from its data."""
    used = {e.name for e in content.data.entries}
    sources = tuple(
        Source(
            e.name,
            label_html(e.entry.label or e.name),
            describe_subject(e.entry),
            describe_value(e),
            e.entry.approximations,
            e.entry.unverified,
            tuple(r.citation for r in content.data.references if e.name in r.used_for),
        )
        for e in content.data.entries
    )
    software = tuple(
        (r.citation, ", ".join(others))
        for r in content.data.references
        if (others := [use for use in r.used_for if use not in used])
    )
    missing = "The runs are not where they were; give their folders to zpfit report as well."
    return Chapter(
        kind=_KINDS[type(content)],
        path=str(content.path),
        answers=tuple(answers(content)),
        sources=sources,
        software=software,
        sources_note="" if sources else missing,
        **parts,
    )


def _overview_table(runs: Sequence[RunContent]) -> Table:
    return table(
        "Runs",
        [
            ("run", lambda r: Cell(r.name)),
            ("model", lambda r: Cell(r.summary.model)),
            ("data", lambda r: Cell(r.summary.likelihood)),
            ("\u03c7\u00b2", lambda r: value(r.summary.best_fit.chi2, 4)),
            ("\u03c7\u00b2 without Z\u2032", lambda r: value(r.summary.no_zprime.chi2, 4)),
            (
                "ln B",
                lambda r: with_error(log_bayes_factor(r.summary), r.summary.evidence.error),
            ),
            ("reading", lambda r: Cell(plain(reading(log_bayes_factor(r.summary))))),
            ("converged", lambda r: Cell("yes" if r.summary.converged else "no")),
        ],
        runs,
        f"ln B: against no Z\u2032 on the same data. Read after {SCALE_SOURCE}.",
    )
