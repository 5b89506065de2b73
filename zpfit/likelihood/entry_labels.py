"""Labels of the entries of a likelihood."""

from zpfit.likelihood.build import Assembled
from zpfit.likelihood.build_measurements import component_name
from zpfit.likelihood.entries import CorrelatedEntry
from zpfit.likelihood.labels import dated


def entry_labels(assembled: Assembled) -> dict[str, str]:
    """Return labels of entries, and of each component of correlated entries."""
    labels = {}
    for name, _, entry in assembled.entries:
        labels[name] = entry.label or name
        if isinstance(entry, CorrelatedEntry):
            for observable in entry.observables:
                symbol = assembled.observables.find(observable).symbol
                shown = f"${symbol}$" if symbol else str(observable)
                labels[component_name(name, observable)] = f"{labels[name]} {shown}"
    return labels


def dated_labels(assembled: Assembled) -> dict[str, str]:
    """Return labels of entries with the year of each, where its name holds one."""
    return {name: dated(label, name) for name, label in entry_labels(assembled).items()}
