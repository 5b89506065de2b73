"""Names of everything that can be used: :func:`available`."""

from typing import TYPE_CHECKING

from zpfit.errors import UnknownName, WrongType
from zpfit.io.library import Library
from zpfit.runs.catalogue import LISTS, listed

if TYPE_CHECKING:
    import pandas as pd


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

    Examples
    --------
    >>> import zpfit
    >>> "sm_u1" in set(zpfit.available("models")["name"])
    True
    """
    import pandas as pd

    if kind is not None and not isinstance(kind, str):
        raise WrongType("kind", kind, f"one of {', '.join(LISTS)}")
    if kind is not None and kind not in LISTS:
        raise UnknownName("kind of name", kind, LISTS)
    kinds = [kind] if kind else list(LISTS)
    rows = [row for one in kinds for row in listed(one, Library.beside())]
    columns = ("kind", "name", "title", "unverified")
    return pd.DataFrame([{c: getattr(row, c) for c in columns} for row in rows])
