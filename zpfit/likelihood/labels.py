"""Words for labels of entries in figures and tables.

Figures import this module: it needs no likelihood.
"""

import re
from collections import Counter
from collections.abc import Mapping

_YEAR = re.compile(r"_((?:19|20)\d\d)(?:_|$)")


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
    return _with_note(label, years[-1])


def distinct_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return dated labels of entries by name.

    Entries that share a label are told apart by what their names say after the year, if anything.

    Parameters
    ----------
    labels
        Labels by name of entry.

    Examples
    --------
    >>> found = distinct_labels({"babar_2014": "BaBar", "babar_2014_envelope": "BaBar"})
    >>> list(found.values())
    ['BaBar (2014)', 'BaBar (2014, envelope)']
    """
    found = {name: dated(label, name) for name, label in labels.items()}
    counts = Counter(found.values())
    return {
        name: _with_note(label, _after_year(name)) if counts[label] > 1 else label
        for name, label in found.items()
    }


def _after_year(name: str) -> str:
    parts = _YEAR.split(name)
    return parts[-1].replace("_", " ") if len(parts) > 1 else ""


def _with_note(label: str, note: str) -> str:
    if not note:
        return label
    if label.endswith(")"):
        return f"{label[:-1]}, {note})"
    return f"{label} ({note})"


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
