"""Names that can be used, and what is behind them: :func:`available` and :func:`show`."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from zpfit.errors import UnknownName, WrongType
from zpfit.io.library import Library
from zpfit.runs.catalogue import LISTS, Listed, Named, NamedFile, NamedModel, as_json, named
from zpfit.runs.catalogue import listed as listed_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Listed", "NamedModel", "Shown", "available", "listed", "show"]


def available(kind: str | None = None) -> "pd.DataFrame":
    """List what can be used by name.

    Parameters
    ----------
    kind
        "models", "likelihoods", "priors", "runs", "slices" or "campaigns"; all by default.

    Returns
    -------
    DataFrame
        A row for each name, with ``kind``, ``name``, ``title`` and ``unverified``.

    Raises
    ------
    UnknownName, WrongType
        ``kind`` is none of these.

    Examples
    --------
    >>> import zpfit
    >>> "sm_u1" in set(zpfit.available("models")["name"])
    True
    """
    import pandas as pd

    columns = ("kind", "name", "title", "unverified")
    return pd.DataFrame([{c: getattr(row, c) for c in columns} for row in listed(kind)])


def listed(kind: str | None = None) -> tuple[Listed, ...]:
    """Return the rows of :func:`available` as objects, without pandas.

    Parameters
    ----------
    kind
        See :func:`available`.

    Raises
    ------
    UnknownName, WrongType
        ``kind`` is none of the known ones.

    Examples
    --------
    >>> [row.name for row in listed("campaigns")]
    ['classes_today']
    """
    if kind is not None and not isinstance(kind, str):
        raise WrongType("kind", kind, f"one of {', '.join(LISTS)}")
    if kind is not None and kind not in LISTS:
        raise UnknownName("kind of name", kind, LISTS)
    kinds = [kind] if kind else list(LISTS)
    return tuple(row for one in kinds for row in listed_in(one, Library.beside()))


@dataclass(frozen=True, repr=False)
class Shown:
    """The model and the files that have a name. Made by :func:`show`."""

    _found: Named

    @property
    def name(self) -> str:
        """The name."""
        return self._found.name

    @property
    def model(self) -> NamedModel | None:
        """Description, formulas, parameters and options of the model; None if there is none."""
        return self._found.model

    @property
    def files(self) -> tuple[NamedFile, ...]:
        """Kind, path and text of each file, with notes such as unverified numbers."""
        return self._found.files

    @property
    def parameters(self) -> "pd.DataFrame":
        """Unit, ends of the domain, default and meaning of each parameter of the model."""
        import pandas as pd

        columns = ("unit", "lower", "upper", "default", "meaning")
        rows = [] if self.model is None else self.model.parameters
        table = {p.name: (p.unit, *p.domain, p.default, p.meaning) for p in rows}
        return pd.DataFrame.from_dict(table, orient="index", columns=list(columns))

    @property
    def record(self) -> list[dict[str, Any]]:
        """Model and content of the files as plain data.

        Raises
        ------
        InvalidYaml
            A file cannot be parsed.
        """
        return as_json(self._found)

    def __repr__(self) -> str:
        kinds = [*(["model"] if self.model else []), *(file.kind for file in self.files)]
        return f"<{self.name}: {', '.join(kinds)}>"

    def _repr_html_(self) -> str:
        texts = "".join(f"<pre>{escape(file.text)}</pre>" for file in self.files)
        if self.model is None:
            return escape(repr(self)) + texts
        formulas = "".join(f"<br>{escape(formula)}" for formula in self.model.formulas)
        about = f"<b>{escape(self.name)}</b>: {escape(self.model.description)}{formulas}"
        return f"{about}{self.parameters.to_html()}{texts}"


def show(name: str) -> Shown:
    """Show everything about a name.

    Parameters
    ----------
    name
        Name of a model, likelihood set, entry, priors, run, slice or campaign.

    Returns
    -------
    Shown
        With ``model``, ``parameters``, ``files`` and ``record``.

    Raises
    ------
    UnknownName
        Nothing has this name.
    WrongType
        The name is no text.

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.show("L_mu-L_tau")
    >>> list(found.parameters.index), [file.kind for file in found.files]
    (['m_Zp', 'g_prime', 'eps'], ['priors'])
    """
    if not isinstance(name, str):
        raise WrongType("name", name, "a text")
    return Shown(named(name, Library.beside()))
