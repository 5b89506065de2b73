"""The paper's figures, each from its slice file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zpfit.config import with_change
from zpfit.entries import GaussianEntry
from zpfit.exclusion import exclusion_map
from zpfit.exclusion_record import as_json, keep
from zpfit.library import Library
from zpfit.paper.target_regions import FORMS, Form, babar
from zpfit.slice_file import resolve_slice
from zpfit.yaml_file import Document

_PROJECTIONS = {
    "projection": ["belle2_projection_2019", "na64_projection_2020"],
    "projection_paper": ["belle2_projection_2015", "na64_projection_2020"],
}
_WORDS = {
    "envelope": "BaBar's envelope",
    "curve": "BaBar's curve",
    "projection": "with projections",
    "projection_paper": "with the paper's projections",
}


@dataclass(frozen=True)
class Figure:
    """One figure."""

    slice_name: str
    variant: str
    """A form of BaBar's limit, or what is added to its envelope."""

    @property
    def stem(self) -> str:
        """Of its files."""
        return f"{self.slice_name.removeprefix('paper_')}_{self.variant}"


SLICES = (
    *(f"paper_fig2{panel}" for panel in "abcd"),
    *(f"paper_fig3{panel}" for panel in "abcd"),
    "paper_fig4",
    "paper_rb_vector",
)
FIGURES = (
    *(Figure(name, form) for name in SLICES for form in FORMS),
    *(Figure(f"paper_fig2{panel}", variant) for panel in "ab" for variant in _PROJECTIONS),
)
"""Every figure with both forms of BaBar's limit, and what projections leave of Fig. 2 (a, b)."""


def draw(figure: Figure, folder: Path) -> dict[str, Any]:
    """Trace a figure and write its files; returns what is left of the plane.

    Raises:
        UnwritablePath: the folder or a file cannot be written.
    """
    from zpfit.plots.exclusion import colours_of

    library = Library.beside()
    document = library.document("slice", figure.slice_name)
    chosen = resolve_slice(_changed(document, figure.variant), library)
    record = as_json(chosen, exclusion_map(chosen))
    record["title"] = f"{record['title']} ({_WORDS[figure.variant]})"
    keep(record, folder, figure.stem, colours_of(_labels(library)))
    return {"figure": figure.stem, "allowed": record["allowed"]}


def _changed(document: Document, variant: str) -> Document:
    """The slice with a variant's entries."""
    form: Form = "curve" if variant == "curve" else "envelope"
    for key, names in babar(form).items():
        old = document.data["likelihood"]
        old = old.get(key, []) if isinstance(old, dict) else []
        more = _PROJECTIONS.get(variant, []) if key == "add" else []
        document = with_change(document, ("likelihood", key), [*old, *names, *more])
    return document


def _labels(library: Library) -> list[str]:
    """Labels of every entry that a figure may show, so that each has one colour in all."""
    sets = [library.likelihood_set(name) for name in ("paper_2021_cs", "paper_2021_rb")]
    names = [name for entries in sets for name in entries.entries]
    names += [name for added in _PROJECTIONS.values() for name in added]
    entries = [library.entry(name).entry for name in names]
    # Exclusions first, which fill most of the figures and so get the plain colours.
    entries.sort(key=lambda entry: isinstance(entry, GaussianEntry))
    return [entry.label for entry in entries]
