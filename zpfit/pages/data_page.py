"""The documentation page of all data: tables, curves and sources."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zpfit.io.writing import make_folder, write_whole
from zpfit.likelihood.check import DataCheck
from zpfit.likelihood.describe import (
    curve_in_mixing,
    describe_subject,
    describe_value,
    is_projection,
)
from zpfit.likelihood.entries import MEASUREMENTS, Entry
from zpfit.likelihood.exclusions import BeamDumpEntry, ClosedRegionEntry, PromptLimitEntry
from zpfit.likelihood.labels import distinct_labels
from zpfit.likelihood.library import LoadedEntry
from zpfit.plots.data_curves import NamedCurve, curves_figure
from zpfit.plots.style import house_style, png
from zpfit.runs.bibliography import as_markdown

PAGE = "data.md"
_IMAGES = "images/data"


@dataclass(frozen=True)
class Group:
    """Entries in one section of the page."""

    name: str
    """Name of the file of its figure."""
    title: str
    holds: Callable[[Entry], bool]
    coupling: str = ""
    """Coupling that the curves of the group limit, in LaTeX; empty without curves."""


def _searches(*names: str) -> Callable[[Entry], bool]:
    def holds(entry: Entry) -> bool:
        if not isinstance(entry, PromptLimitEntry):
            return False
        return entry.production == "electron" and entry.search in names

    return holds


def _electron_dump(entry: Entry) -> bool:
    return isinstance(entry, BeamDumpEntry) and entry.production == "electron"


GROUPS = (
    Group("measurements", "Measurements", lambda entry: isinstance(entry, MEASUREMENTS)),
    Group("visible", "Searches for decays to electrons", _searches("visible"), r"\varepsilon"),
    Group("dumps", "Searches behind beam dumps", _electron_dump, r"\varepsilon"),
    Group("invisible", "Searches for missing energy", _searches("invisible"), r"\varepsilon"),
    Group(
        "muons",
        "Searches with muons",
        _searches("muon_invisible", "muon_pair"),
        r"|C_\mu|/e",
    ),
    Group(
        "hadrons",
        "Searches with mesons and protons",
        lambda entry: isinstance(entry, PromptLimitEntry | BeamDumpEntry),
        r"\varepsilon",
    ),
    Group(
        "stars",
        "Closed regions of astrophysics",
        lambda entry: isinstance(entry, ClosedRegionEntry),
        r"\varepsilon",
    ),
    Group("bounds", "Other bounds", lambda entry: True),  # noqa: ARG005 - what is left
)


def write_page(check: DataCheck, folder: Path) -> list[Path]:
    """Write the page and a figure for each group with curves; return their paths.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    """
    make_folder(folder / _IMAGES)
    groups = dict(_grouped(check.entries))
    labels = _labels(check.entries)
    written = [folder / PAGE]
    with house_style():
        for group, entries in groups.items():
            if group.coupling:
                curves = [_curve(loaded, labels[loaded.name]) for loaded in entries]
                path = folder / _IMAGES / f"{group.name}.png"
                write_whole(path, png(curves_figure(group.title, curves, group.coupling), dpi=170))
                written.append(path)
    text = "\n".join(_page(check, groups, labels)) + "\n"
    write_whole(written[0], partial(Path.write_text, data=text, encoding="utf-8"))
    return written


def _grouped(entries: Sequence[LoadedEntry]) -> Iterator[tuple[Group, list[LoadedEntry]]]:
    """Return each entry in the first group that holds it; empty groups are left out."""
    left = list(entries)
    for group in GROUPS:
        held = [loaded for loaded in left if group.holds(loaded.entry)]
        left = [loaded for loaded in left if loaded not in held]
        if held:
            yield group, held


def _labels(entries: Sequence[LoadedEntry]) -> dict[str, str]:
    return distinct_labels({own.name: own.entry.label or own.name for own in entries})


def _curve(loaded: LoadedEntry, label: str) -> NamedCurve:
    return NamedCurve(
        label,
        curve_in_mixing(loaded),
        unverified=bool(loaded.entry.unverified),
        projection=is_projection(loaded.entry),
    )


def _page(
    check: DataCheck, groups: dict[Group, list[LoadedEntry]], labels: Mapping[str, str]
) -> Iterator[str]:
    yield "# Data"
    yield ""
    yield (
        "Every entry that ships with zpfit, written from the entries by `make data-page`."
        " **Unverified** entries hold numbers that are not checked against their publication; every"
        " run that uses them says so. `zpfit cite` writes the bibliography of a run."
    )
    for group, entries in groups.items():
        yield from ("", f"## {group.title}", "")
        if group.coupling:
            yield f"![{group.title}]({_IMAGES}/{group.name}.png)"
            yield ""
            yield (
                "Each panel shows one curve and, in grey, the others of its kind. The shaded region"
                " is excluded for a dark photon." + _styles(entries)
            )
            yield ""
        yield "| entry | label in figures | what | value or limit | CL | status | sets |"
        yield "|---|---|---|---|---|---|---|"
        yield from (_row(loaded, check, labels[loaded.name]) for loaded in entries)
        for loaded in entries:
            yield from ("", *_details(loaded, check))
    yield from ("", "## Sets")
    for name, chosen in check.sets.items():
        yield from ("", f"**`{name}`**: {chosen.title}. {chosen.description.strip()}")
        members = ", ".join(f"`{entry}`" for entry in chosen.entries)
        yield f"Exclusions {chosen.exclusions}. Entries: {members}."


def _styles(entries: Sequence[LoadedEntry]) -> str:
    unverified = any(loaded.entry.unverified for loaded in entries)
    projections = any(is_projection(loaded.entry) for loaded in entries)
    return (" Orange ones are unverified." if unverified else "") + (
        " Dashed ones are projections and exclude nothing yet." if projections else ""
    )


def _row(loaded: LoadedEntry, check: DataCheck, label: str) -> str:
    entry = loaded.entry
    level = "" if entry.confidence_level is None else f"{100 * entry.confidence_level:.3g} %"
    projection = "projection" if is_projection(entry) else ""
    status = ", ".join(filter(None, (projection, "**unverified**" if entry.unverified else "")))
    sets = str(len(check.sets_with(loaded.name)))
    cells = (
        f"`{loaded.name}`",
        label,
        describe_subject(entry),
        describe_value(loaded),
        level,
        status,
        sets,
    )
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _details(loaded: LoadedEntry, check: DataCheck) -> Iterator[str]:
    entry = loaded.entry
    yield f"### `{loaded.name}`"
    yield ""
    yield f"{entry.title}."
    yield ""
    yield f"- Source: {'; '.join(as_markdown(citation) for citation in entry.citations)}."
    if entry.unverified:
        yield f"- **Unverified**: {_line(entry.unverified)}"
    yield f"- Approximations: {_line(entry.approximations)}"
    if entry.supersedes:
        yield f"- Supersedes {', '.join(f'`{name}`' for name in entry.supersedes)}."
    sets = ", ".join(f"`{name}`" for name in check.sets_with(loaded.name))
    yield f"- Sets: {sets or 'none'}."


def _line(text: str) -> str:
    return " ".join(text.split())
