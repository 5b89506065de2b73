"""Names that a shell offers, found without reading a file."""

from collections.abc import Sequence

from zpfit.io.places import Kind, names_in, search_roots
from zpfit.models.names import names_of_models

__all__ = ["Kind", "names_to_offer"]


def names_to_offer(kinds: Sequence[Kind], *, models: bool = False) -> list[str]:
    """Return the names of some kinds of files, sorted.

    Parameters
    ----------
    kinds
        Kinds of files.
    models
        Add the names of all models.

    Examples
    --------
    >>> "sm_u1" in names_to_offer((), models=True)
    True
    """
    roots = search_roots()
    found = [name for kind in kinds for name in names_in(roots, kind)]
    return sorted({*found, *(names_of_models(roots) if models else ())})
