"""The paper's figures, each drawn from its slice file."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from zpfit.analysis.exclusion.exclusion import exclusion_maps
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import resolve_slice
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.likelihood.library import read_entry
from zpfit.runs.records import write_exclusion
from zpfit.runs.run_file import with_change
from zpfit.studies.paper_2021.target_regions import FORMS, Form, babar

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
_COLOURS = {
    "bbn_2020": ("#AA4499", ""), "white_dwarf_2013": ("#882255", ""),
    "babar_2014_envelope": ("#E69F00", ""), "kloe_2015": ("#117733", ""),
    "na64_2020": ("#CC6677", ""), "na64_projection_2020": ("#CC6677", "////"),
    "borexino_2011": ("#332288", ""), "nue_borexino_2018": ("#332288", ""),
    "moller_e158_2005": ("#DDCC77", ""), "e158_2005": ("#DDCC77", ""),
    "a_mu_2021": ("#DDCC77", ""), "texono_2010": ("#DDCC77", "////"),
    "na64_invisible_2023_annihilation": ("#DDCC77", ""), "charm2_nu_1993": ("#999933", ""),
    "charm2_nubar_1993": ("#117733", "////"), "belle2_projection_2019": ("#777777", ""),
    "a_e_cs_2018": ("#AA4499", "////"), "a_e_rb_2020": ("#882255", "////"),
    "ccfr_1991": ("#E69F00", "////"), "e141_1987": ("#882255", ""),
    "orsay_1989": ("#44AA99", ""), "a1_2014": ("#777777", ""), "kek_1986": ("#777777", "////"),
}  # fmt: skip
"""Colour and hatch of entries in all figures. Two entries of one figure never share both, and two
outlines on grey never share a colour. Entries of a single figure get the colours that are left.
"""


@dataclass(frozen=True)
class Figure:
    """A figure of the paper with one form of BaBar's limit or one set of projections."""

    slice_name: str
    variant: str | None
    """A form of BaBar's limit, or projections beside its envelope; None for the slice unchanged."""

    @property
    def stem(self) -> str:
        """Name of its files without suffix."""
        name = self.slice_name.removeprefix("paper_")
        return name if self.variant is None else f"{name}_{self.variant}"

    @property
    def panel(self) -> str:
        """Name that it shares with its variants and with the figure of today's data."""
        return self.slice_name.removeprefix("paper_").removeprefix("today_")


SLICES = (
    *(f"paper_fig2{panel}" for panel in "abcd"),
    *(f"paper_fig3{panel}" for panel in "abcd"),
    "paper_fig4",
    "paper_rb_vector",
)
TODAY = ("2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d", "4")
"""Panels with the data of 2026."""
FIGURES = (
    *(Figure(name, form) for name in SLICES for form in FORMS),
    *(Figure(f"paper_fig2{panel}", variant) for panel in "ab" for variant in _PROJECTIONS),
    *(Figure(f"today_fig{panel}", None) for panel in TODAY),
)
"""Every figure with both forms of BaBar's limit, Fig. 2 (a, b) with projections, and every figure
with today's data."""


def draw(figures: Iterable[Figure], folder: Path) -> dict[str, dict[str, Any]]:
    """Trace figures and write their files.

    Returns
    -------
    dict
        By stem of the files, the allowed region of each figure and notes on its data.

    Raises
    ------
    UnwritablePath
        The folder or a file cannot be written.
    """
    library, by_slice = Library.beside(), attrgetter("slice_name")
    drawn = {}
    for _, of_slice in groupby(sorted(figures, key=by_slice), by_slice):
        variants = list(of_slice)
        slices = [resolve_slice(_document(figure, library), library) for figure in variants]
        maps = exclusion_maps(slices[0], [each.assembled.likelihood for each in slices])
        for figure, chosen, found in zip(variants, slices, maps, strict=True):
            record = exclusion_record(chosen, found)
            _write_exclusion(record, folder, figure.stem, library)
            drawn[figure.stem] = {key: record[key] for key in ("allowed", "notes")}
    return drawn


def _write_exclusion(record: ExclusionMapRecord, folder: Path, stem: str, library: Library) -> None:
    """Write a figure's files with the colours of all figures."""
    from zpfit.plots.exclusion import colours_of, drawn_labels

    settled = {read_entry(library, name).entry.label: own for name, own in _COLOURS.items()}
    write_exclusion(record, folder, stem, colours_of(drawn_labels(record), settled))


def _document(figure: Figure, library: Library) -> Document:
    document = library.document("slice", figure.slice_name)
    return document if figure.variant is None else _changed(document, figure.variant)


def _changed(document: Document, variant: str) -> Document:
    """Return the slice with the entries of a variant, and with its name in the title."""
    form: Form = "curve" if variant == "curve" else "envelope"
    for key, names in babar(form).items():
        old = document.data["likelihood"]
        old = old.get(key, []) if isinstance(old, dict) else []
        more = _PROJECTIONS.get(variant, []) if key == "add" else []
        document = with_change(document, ("likelihood", key), [*old, *names, *more])
    if "contours" in document.data:
        return document  # bands alone, no exclusions, so that the title stays true
    words = _WORDS[variant].replace(" ", "\N{NO-BREAK SPACE}")
    return with_change(document, ("title",), f"{document.data['title']} ({words})")
