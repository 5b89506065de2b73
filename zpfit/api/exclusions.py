"""Exclusion planes: :func:`exclusion` and its :class:`ExclusionMap`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zpfit.analysis.exclusion.exclusion import ExclusionMap as TracedMap
from zpfit.analysis.exclusion.exclusion import exclusion_map
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import Reference, Slice, resolve_slice
from zpfit.analysis.exclusion.statement import blocking_words, statement
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.api.sources import IN_PYTHON, escaped, files_in, folder_of, named_entries, plain_value
from zpfit.errors import InvalidInput, WrongType
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.numbers import percent
from zpfit.io.writing import make_room
from zpfit.io.yaml import read_yaml
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.records import EXCLUSION_FILES, write_exclusion
from zpfit.runs.run_file import find_file, with_entries

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from shapely import MultiPolygon


__all__ = ["ExclusionMap", "blocking_words", "exclusion", "statement"]


@dataclass(frozen=True, repr=False)
class ExclusionMap:
    """Regions of a plane that experiments exclude. Made by :func:`exclusion`."""

    record: ExclusionMapRecord
    """All regions in values of the parameters, as ``exclusion.json`` holds them."""
    _traced: TracedMap
    slice: Slice
    """Plane, model and data of the regions."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def allowed(self) -> "MultiPolygon":
        """Allowed region in values of the parameters."""
        from shapely import transform

        x, y = self.slice.plane.x, self.slice.plane.y

        def to_values(corners: Any) -> Any:
            return np.column_stack([x.values(corners[:, 0]), y.values(corners[:, 1])])

        return transform(self._traced.allowed, to_values)

    @property
    def frame(self) -> "pd.DataFrame":
        """Name, label, kind, level and fraction of the plane of each region."""
        import pandas as pd

        keys = ("name", "label", "kind", "sigma", "level", "share")
        rows = [{key: region[key] for key in keys} for region in self.record["regions"]]
        return pd.DataFrame(rows, columns=list(keys))

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the exclusion plot.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`; its keys prevail over those of
            the slice.
        """
        from zpfit.plots.exclusion import exclusion_figure

        style = figure_style(figure)
        with style.context():
            return exclusion_figure(self.record, style.spec)

    def __repr__(self) -> str:
        allowed = self.record["allowed"]
        share = 0.0 if allowed is None else allowed["share"]
        x, y = self.record["x"]["name"], self.record["y"]["name"]
        return f"<ExclusionMap of {x}, {y}: {percent(share)} allowed>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.frame.to_html(float_format="%.3g"))


Side = tuple[str, float, float] | tuple[str, float, float, str] | str


def exclusion(
    x: Side | None = None,
    y: Side | None = None,
    *,
    source: str | Path | Slice | None = None,
    likelihood: Any = None,
    model: Any = None,
    fix: Mapping[str, float] | None = None,
    solve: Mapping[str, tuple[str, float]] | None = None,
    profile: Sequence[str] | None = None,
    reference: Reference | None = None,
    cl: float | str | None = None,
    output: str | Path | None = None,
    force: bool = False,
    **changes: Any,
) -> ExclusionMap:
    """Trace the regions of a plane of two parameters that each experiment excludes.

    Parameters
    ----------
    x, y
        Sides of the plane: ``(name, lower, upper)`` or ``(name, lower, upper, "log")``.
    source
        Name or path of a slice file whose keys the other arguments replace; or a resolved slice,
        which takes no other argument than ``output`` and ``force``.
    likelihood
        Name of a set of entries, or what a run file says under ``likelihood``.
    model
        Name of a model, or what a run file says under ``model``; "effective" by default.
    fix
        Values of parameters. Others have their defaults; couplings are then zero. An empty
        mapping removes those of the slice file, as with ``solve`` and ``profile``.
    solve
        Parameters that follow from an observable: ``{parameter: (observable, value)}``.
    profile
        Parameters that take the value that fits best.
    reference
        What the chi2 of a measurement is compared with: ``"no_zprime"`` (default), its
        ``"best_fit"`` in the plane, or the datum (``"pull"``), from which ``sigma`` and ``within``
        count standard errors.
    cl
        Confidence level of Delta chi2 for the two parameters of the plane, from 0.5 to 0.9999 or
        ``"2 sigma"``; 0.90 by default. Not for pulls.
    output
        Folder for JSON, table and figures.
    force
        Replace files in the output folder.
    **changes
        Further keys of a slice file, such as ``curves="rescaled"``, ``sigma``, ``within``,
        ``bands``, ``contours``; and ``add`` and ``drop``, entries to add to the data or to leave
        out.

    Returns
    -------
    ExclusionMap
        With ``allowed`` (a shapely geometry), ``frame``, ``record`` and ``plot()``.

    Raises
    ------
    InvalidInput
        Something is wrong with the arguments or the slice file, or a resolved slice is given with
        other arguments.
    WrongType
        A side, ``fix``, ``solve`` or ``profile`` has another form.

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.exclusion(
    ...     x=("m_Zp", 5, 50), y=("C_Ae", 5e-5, 1e-3, "log"), likelihood="paper_2021_cs",
    ...     solve={"C_Ve": ("delta_a_e", -8.7e-13)},
    ... )
    >>> "babar_2014_envelope" in set(found.frame["name"])
    True
    """
    given: dict[str, Any] = {
        **changes,
        "likelihood": likelihood,
        "model": model,
        "x": None if x is None else _side("x", x),
        "y": None if y is None else _side("y", y),
        "fix": None if fix is None else _values(fix),
        "solve": None if solve is None else _conditions(solve),
        "profile": None if profile is None else _names(profile),
        "reference": reference,
        "cl": cl,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if isinstance(source, Slice):
        _take_no_changes(given)
        return _traced(source, output, force=force)
    document, library = _slice_source(source)
    entries = [named_entries(given, key) for key in ("add", "drop")]
    for key, value in given.items():
        if key not in {"add", "drop"}:
            document = document.with_value((key,), plain_value(key, value))
    document = with_entries(document, *entries)
    return _traced(resolve_slice(document, library), output, force=force)


def _take_no_changes(given: Mapping[str, Any]) -> None:
    if given:
        names = ", ".join(given)
        raise InvalidInput([f"{names}: a resolved slice cannot be changed; give the file's name"])


def _traced(chosen: Slice, output: str | Path | None, *, force: bool) -> ExclusionMap:
    if output is not None:
        make_room(folder_of(output, "output"), EXCLUSION_FILES, force=force)
    traced = exclusion_map(chosen)
    record = exclusion_record(chosen, traced)
    if output is not None:
        write_exclusion(record, folder_of(output, "output"))
    return ExclusionMap(record, traced, chosen, files_in(output, EXCLUSION_FILES))


def _slice_source(source: str | Path | None) -> tuple[Document, Library]:
    if source is None:
        return Document(IN_PYTHON, {}, {}), Library.beside()
    path = find_file("slice", str(source))
    return read_yaml(path), Library.beside(path)


def _side(place: str, side: Side) -> dict[str, Any]:
    if isinstance(side, str):
        return {"parameter": side}
    expected = 'a name, (name, lower, upper) or (name, lower, upper, "log")'
    if not isinstance(side, (tuple, list)) or not _AXIS_ITEMS <= len(side) <= _AXIS_ITEMS + 1:
        raise WrongType(place, side, expected)
    name, lower, upper, *scale = side
    numbers = all(isinstance(value, Real) for value in (lower, upper))
    if not numbers or not all(isinstance(word, str) for word in (name, *scale)):
        raise WrongType(place, side, expected)
    kind = scale[0] if scale else "linear"
    return {"parameter": name, "lower": lower, "upper": upper, "scale": kind}


_AXIS_ITEMS = 3
"""Name, lower and upper end."""


def _values(fix: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(fix, Mapping):
        raise WrongType("fix", fix, "values by the names of parameters")
    return dict(fix)


def _conditions(solve: Mapping[str, tuple[str, float]]) -> dict[str, dict[str, Any]]:
    """Return conditions of a slice file."""
    expected = "{parameter: (observable, value)}"
    if not isinstance(solve, Mapping):
        raise WrongType("solve", solve, expected)
    for name, pair in solve.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise WrongType(f"solve.{name}", pair, "(observable, value)")
    return {
        name: {"observable": observable, "value": value, "sign": "positive"}
        for name, (observable, value) in solve.items()
    }


def _names(profile: Sequence[str]) -> list[str]:
    if isinstance(profile, str) or not isinstance(profile, Sequence):
        raise WrongType("profile", profile, "a list of names")
    return list(profile)
