"""Labels of entries in figures and tables."""

import re
from collections.abc import Mapping

from zpfit.likelihood.build import Assembled
from zpfit.likelihood.build_measurements import component_name
from zpfit.likelihood.entries import CorrelatedEntry

_YEAR = re.compile(r"_((?:19|20)\d\d)(?:_|$)")


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


def dated(label: str, name: str) -> str:
    r"""Return a label with the year that a name holds.

    Examples
    --------
    >>> dated(r"$\\Delta a_e$ (Cs)", "a_e_cs_2023"), dated("KLOE", "kloe_2015")
    ('$\\\\Delta a_e$ (Cs, 2023)', 'KLOE (2015)')
    """
    years = _YEAR.findall(name)
    if not years or years[-1] in label:
        return label
    if label.endswith(")"):
        return f"{label[:-1]}, {years[-1]})"
    return f"{label} ({years[-1]})"


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """Return the label of an entry; results of older versions have none, and get one of the name.

    Examples
    --------
    >>> label_of("kloe_2015", {}), label_of("kloe_2015", {"kloe_2015": "KLOE (2015)"})
    ('kloe (2015)', 'KLOE (2015)')
    """
    if name in labels:
        return labels[name]
    return dated(_YEAR.sub("_", name).strip("_").replace("_", " "), name)
