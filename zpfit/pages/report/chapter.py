"""A chapter of the page: the part of a report about one folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from zpfit.likelihood.describe import describe_subject, describe_value
from zpfit.likelihood.entry_base import Citation
from zpfit.pages.report.answers import Answer, answers
from zpfit.pages.report.diagnostics_text import Diagnostic
from zpfit.pages.report.figures.axes import Picture
from zpfit.pages.report.read_folders import (
    CampaignContent,
    ComparisonContent,
    Content,
    RunContent,
)
from zpfit.pages.report.symbols import label_html, typeset
from zpfit.pages.report.tables import Table

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
    value: Markup
    approximations: Markup
    unverified: Markup
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


def build_chapter(content: Content, **parts: Any) -> Chapter:
    """Return a chapter with its answers, sources and software.

    Parameters
    ----------
    content
        Content of the folder.
    parts
        The other fields of :class:`Chapter`.
    """
    used = {e.name for e in content.data.entries}
    sources = tuple(
        Source(
            e.name,
            label_html(e.entry.label or e.name),
            describe_subject(e.entry),
            typeset(describe_value(e)),
            typeset(e.entry.approximations),
            typeset(e.entry.unverified),
            tuple(r.citation for r in content.data.references if e.name in r.used_for),
        )
        for e in content.data.entries
    )
    software = tuple(
        (r.citation, ", ".join(others))
        for r in content.data.references
        if (others := [use for use in r.used_for if use not in used])
    )
    missing = "The folders of the runs have moved; give them to zpfit report as well."
    return Chapter(
        kind=_KINDS[type(content)],
        path=str(content.path),
        answers=tuple(answers(content)),
        sources=sources,
        software=software,
        sources_note="" if sources else missing,
        **parts,
    )


def present(*pictures: Picture | None) -> tuple[Picture, ...]:
    """Return the pictures without those that do not exist."""
    return tuple(picture for picture in pictures if picture is not None)
