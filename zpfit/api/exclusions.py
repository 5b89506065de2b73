"""Exclusion planes: :func:`exclusion` and its :class:`ExclusionMap`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zpfit.analysis.exclusion.exclusion import ExclusionMap as TracedMap
from zpfit.analysis.exclusion.exclusion import exclusion_map
from zpfit.analysis.exclusion.record import exclusion_record
from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.api.sources import IN_PYTHON, escaped, plain_value
from zpfit.io.document import Document
from zpfit.io.library import Library
from zpfit.io.writing import make_room
from zpfit.io.yaml import read_yaml
from zpfit.runs.records import EXCLUSION_FILES, write_exclusion
from zpfit.runs.run_file import find_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from shapely import MultiPolygon


@dataclass(frozen=True, repr=False)
class ExclusionMap:
    """Regions of a plane that experiments exclude. Made by :func:`exclusion`."""

    record: ExclusionMapRecord
    """All regions in values of the parameters, as ``exclusion.json`` holds them."""
    _traced: TracedMap
    _slice: Slice

    @property
    def allowed(self) -> "MultiPolygon":
        """Allowed region in values of the parameters."""
        from shapely import transform

        x, y = self._slice.plane.x, self._slice.plane.y

        def to_values(corners: Any) -> Any:
            return np.column_stack([x.values(corners[:, 0]), y.values(corners[:, 1])])

        return transform(self._traced.allowed, to_values)

    @property
    def frame(self) -> "pd.DataFrame":
        """Name, label, kind and fraction of the plane of each region."""
        import pandas as pd

        keys = ("name", "label", "kind", "sigma", "share")
        rows = [{key: region[key] for key in keys} for region in self.record["regions"]]
        return pd.DataFrame(rows, columns=list(keys))

    def plot(self) -> "Figure":
        """Return the exclusion plot."""
        from zpfit.plots.exclusion import exclusion_figure
        from zpfit.plots.style import house_style

        with house_style():
            return exclusion_figure(self.record)

    def __repr__(self) -> str:
        allowed = self.record["allowed"]
        share = 0.0 if allowed is None else allowed["share"]
        x, y = self.record["x"]["name"], self.record["y"]["name"]
        return f"<ExclusionMap of {x}, {y}: {100 * share:.3g} % allowed>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.frame.to_html(float_format="%.3g"))


Side = tuple[str, float, float] | tuple[str, float, float, str] | str


def exclusion(
    x: Side | None = None,
    y: Side | None = None,
    *,
    source: str | Path | None = None,
    likelihood: Any = None,
    model: Any = None,
    fix: Mapping[str, float] | None = None,
    solve: Mapping[str, tuple[str, float]] | None = None,
    profile: Sequence[str] = (),
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
        Name or path of a slice file whose keys the other arguments replace.
    likelihood
        Name of a set of entries, or what a run file says under ``likelihood``.
    model
        Name of a model, or what a run file says under ``model``; "effective" by default.
    fix
        Values of parameters. Others have their defaults; couplings are then zero.
    solve
        Parameters that follow from an observable: ``{parameter: (observable, value)}``.
    profile
        Parameters that take the value that fits best.
    output
        Folder for JSON, table and figures.
    force
        Replace files in the output folder.
    **changes
        Further keys of a slice file, such as ``sigma``, ``within``, ``bands``, ``contours``.

    Returns
    -------
    ExclusionMap
        With ``allowed`` (a shapely geometry), ``frame``, ``record`` and ``plot()``.

    Raises
    ------
    InvalidInput
        Something is wrong with the arguments or the slice file.

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
    document, library = _slice_source(source)
    asked: dict[str, Any] = {**changes, "likelihood": likelihood, "model": model}
    asked |= {"fix": dict(fix) if fix else None, "profile": list(profile) or None}
    asked |= {"x": x if x is None else _side(x), "y": y if y is None else _side(y)}
    if solve:
        asked["solve"] = {
            name: {"observable": observable, "value": value, "sign": "positive"}
            for name, (observable, value) in solve.items()
        }
    for key, value in asked.items():
        if value is not None:
            document = document.with_value((key,), plain_value(key, value))
    chosen = resolve_slice(document, library)
    if output is not None:
        make_room(Path(output), EXCLUSION_FILES, force=force)
    traced = exclusion_map(chosen)
    record = exclusion_record(chosen, traced)
    if output is not None:
        write_exclusion(record, Path(output))
    return ExclusionMap(record, traced, chosen)


def _slice_source(source: str | Path | None) -> tuple[Document, Library]:
    if source is None:
        return Document(IN_PYTHON, {}, {}), Library.beside()
    path = find_file("slice", str(source))
    return read_yaml(path), Library.beside(path)


def _side(side: Side) -> dict[str, Any]:
    if isinstance(side, str):
        return {"parameter": side}
    name, lower, upper, *scale = side
    return {
        "parameter": name,
        "lower": lower,
        "upper": upper,
        "scale": scale[0] if scale else "linear",
    }
