"""The chapter about a campaign."""

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.pages.report.answers import reading
from zpfit.pages.report.chapter import Chapter, Repeat, build_chapter, present
from zpfit.pages.report.commands import run_again
from zpfit.pages.report.diagnostics_text import diagnose_campaign
from zpfit.pages.report.figures.comparison import draw_campaign
from zpfit.pages.report.read_folders import CampaignContent
from zpfit.pages.report.symbols import title_html
from zpfit.pages.report.tables import Cell, count, fixed, table, value, with_error
from zpfit.plots.run_labels import cell_labels
from zpfit.runs.campaign_store import RUNS


def build_campaign_chapter(content: CampaignContent, identifier: str) -> Chapter:
    """Return the chapter about a campaign."""
    record = content.record
    shown = dict(
        zip((c["name"] for c in record["cells"]), cell_labels(record["cells"]), strict=True)
    )
    cells = table(
        "Combinations",
        [
            ("combination", lambda c: Cell(title_html(shown[c["name"]]))),
            ("fits", lambda c: count(c["fits"])),
            ("converged", lambda c: count(c["converged"])),
            ("ln B", lambda c: with_error(c["log_bayes_factor"], c["log_z_error"])),
            ("reading", lambda c: Cell(reading(c["log_bayes_factor"]))),
            ("scatter", lambda c: value(c["log_z_scatter"], 2)),
            ("\u03c7\u00b2", lambda c: value(c["chi2"], 4)),
            ("worst seed", lambda c: value(c["chi2_worst_seed"], 4)),
            ("\u03c7\u00b2 without Z\u2032", lambda c: value(c["chi2_no_zprime"], 4)),
            ("name", lambda c: Cell(c["name"])),
        ],
        record["cells"],
        "ln B: against no Z\u2032 on the same data, mean over seeds; scatter: standard deviation "
        f"of ln Z between seeds. Read after {SCALE_SOURCE}.",
    )
    fits = table(
        "Fits",
        [
            ("fit", lambda f: Cell(f["name"])),
            ("seed", lambda f: Cell(str(f["seed"]), float(f["seed"]))),
            ("\u03c7\u00b2", lambda f: value(f["chi2"], 4)),
            ("ln Z", lambda f: with_error(f["log_z"], f["log_z_error"])),
            ("ln B", lambda f: fixed(f["log_bayes_factor"], 2)),
            ("converged", lambda f: Cell("yes" if f["converged"] else "no")),
            ("shortcomings", lambda f: Cell("; ".join(f["shortcomings"]))),
        ],
        record["fits"],
    )
    failed = table(
        "Failed fits",
        [("fit", lambda item: Cell(item[0])), ("why", lambda item: Cell(item[1]))],
        record["failed"].items(),
    )
    return build_chapter(
        content,
        identifier=identifier,
        title=record["title"] or f"Campaign {content.name}",
        tables=tuple(t for t in (cells, fits, failed) if t.rows),
        pictures=present(draw_campaign(record, f"{identifier}-campaign")),
        slices=(),
        slices_note="",
        diagnostics=tuple(diagnose_campaign(record)),
        repeat=_repeat(content),
    )


def _repeat(content: CampaignContent) -> Repeat:
    record, all_of_it = content.record, "zpfit campaign repeats all from the campaign file."
    if "store" in record:
        words = "The fits are rows of columnar files in the folder fits, and have no run files; "
        return Repeat((), words + all_of_it, content.versions)
    first = record["fits"][0]["name"] if record["fits"] else "NAME"
    command = run_again(content.path / RUNS / first / "config.yaml", "again")
    return Repeat(
        (command,),
        "Every fit has a complete run file with its seed and data in a folder of its own; "
        f"this command repeats one of them. {all_of_it}",
        content.versions,
    )
