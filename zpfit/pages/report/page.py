"""The page: one HTML file that contains its styles, scripts and data."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.io.versions import versions
from zpfit.pages.report.answers import log_bayes_factor, overview, reading
from zpfit.pages.report.campaign_chapter import build_campaign_chapter
from zpfit.pages.report.chapter import Chapter
from zpfit.pages.report.comparison_chapter import build_comparison_chapter
from zpfit.pages.report.read_folders import (
    CampaignContent,
    ComparisonContent,
    Content,
    RunContent,
)
from zpfit.pages.report.run_chapter import build_run_chapter
from zpfit.pages.report.symbols import plain, title_html
from zpfit.pages.report.tables import Cell, Table, table, value, with_error


def page(contents: Sequence[Content]) -> str:
    """Return the HTML of the page about some folders.

    Raises
    ------
    OutsidePrior, InvalidInput
        The files of a folder do not belong together.
    """
    chapters = [_chapter(content, f"part{i}") for i, content in enumerate(contents)]
    runs = [content for content in contents if isinstance(content, RunContent)]
    several = len(runs) > 1
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["title_html"] = title_html
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
            return build_run_chapter(content, identifier)
        case ComparisonContent():
            return build_comparison_chapter(content, identifier)
        case CampaignContent():
            return build_campaign_chapter(content, identifier)


def _overview_table(runs: Sequence[RunContent]) -> Table:
    return table(
        "Runs",
        [
            ("run", lambda r: Cell(r.name)),
            ("model", lambda r: Cell(r.summary["model"])),
            ("data", lambda r: Cell(r.summary["likelihood"])),
            ("\u03c7\u00b2", lambda r: value(r.summary["best_fit"]["chi2"], 4)),
            ("\u03c7\u00b2 without Z\u2032", lambda r: value(r.summary["no_zprime"]["chi2"], 4)),
            (
                "ln B",
                lambda r: with_error(log_bayes_factor(r.summary), r.summary["evidence"]["error"]),
            ),
            ("reading", lambda r: Cell(plain(reading(log_bayes_factor(r.summary))))),
            ("converged", lambda r: Cell("yes" if r.summary["converged"] else "no")),
        ],
        runs,
        f"ln B: against no Z\u2032 on the same data. Read after {SCALE_SOURCE}.",
    )
