"""Short names of entries, as HTML and as plain text."""

from collections.abc import Collection
from html import escape

from markupsafe import Markup

from zpfit.likelihood.labels import distinct_labels
from zpfit.pages.report.read_folders import Data
from zpfit.pages.report.symbols import label_html


def labels_of(data: Data, names: Collection[str] | None = None) -> dict[str, str]:
    """Return HTML of the short names of entries, or of some of them; no two are equal."""
    known = {
        e.name: e.entry.label or e.name for e in data.entries if names is None or e.name in names
    }
    labels = {name: str(label_html(label)) for name, label in distinct_labels(known).items()}
    doubled = [label for label in labels.values() if list(labels.values()).count(label) > 1]
    return {n: f"{text} ({escape(n)})" if text in doubled else text for n, text in labels.items()}


def plain_labels_of(data: Data) -> dict[str, str]:
    """Return plain text of the short names of entries, for sentences."""
    return {name: Markup(text).striptags() for name, text in labels_of(data).items()}  # noqa: S704
