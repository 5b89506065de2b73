"""Chains for GetDist: an object in memory or text files.

The files follow https://getdist.readthedocs.io/en/latest/intro.html. A row of ``root_1.txt`` holds
a weight, -ln L and the parameters; ``root.paramnames`` holds their names and ``root.ranges`` the
bounds of their priors. anesthetic reads the same files.
"""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.interfaces.sample_table import SampleTable
from zpfit.io.extras import import_extra

_NO_BOUND = "N"
"""GetDist's word for a parameter without a bound."""
_ENDINGS = re.compile(r"_\d+\.txt|_dead-birth\.txt|\.paramnames|\.ranges|\.properties\.ini")
"""Endings of the files that GetDist or anesthetic read together with ``root``."""


def to_getdist(table: SampleTable) -> Any:
    """Return the varying columns of a table as ``getdist.MCSamples``.

    Each ensemble is a chain. Bounds of priors are passed on, so that densities are corrected at
    the edges. No burn-in is removed, because walkers start from the posterior.

    Raises
    ------
    MissingExtra
        GetDist is not installed.
    """
    getdist = import_extra("getdist", "getdist")
    columns = table.varying
    chains = range(len(table.weight))
    with redirect_stdout(io.StringIO()):  # GetDist prints that it removes no burn-in
        return getdist.MCSamples(
            samples=[np.column_stack([c.values[chain] for c in columns]) for chain in chains],
            weights=list(table.weight),
            loglikes=list(-table.log_likelihood),
            names=[_marked(c.name, derived=c.derived) for c in columns],
            labels=[c.symbol for c in columns],
            ranges={c.name: c.bounds for c in columns if c.bounds != (None, None)},
            label=str(table.attributes["title"]),
            ignore_rows=0,
        )


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield the name of each file and a function that writes it."""
    columns = table.varying
    for chain, (weight, log_likelihood) in enumerate(
        zip(table.weight, table.log_likelihood, strict=True)
    ):
        rows = np.column_stack(
            [weight, -log_likelihood, *(column.values[chain] for column in columns)]
        )
        yield f"{root}_{chain + 1}.txt", partial(np.savetxt, X=rows, fmt="%.16e")
    names = [f"{_marked(c.name, derived=c.derived)}\t{c.symbol}\n" for c in columns]
    yield f"{root}.paramnames", _text(names)
    ranges = [f"{c.name} {_bound(c.bounds[0])} {_bound(c.bounds[1])}\n" for c in columns]
    yield f"{root}.ranges", _text(ranges)
    settings = {"label": table.attributes["title"], "burn_removed": "T"}
    settings |= {key: table.attributes[key] for key in ("log_z", "log_z_error")}
    yield f"{root}.properties.ini", _text([f"{key} = {value}\n" for key, value in settings.items()])


def files_there(folder: Path, root: str) -> list[str]:
    """Return the names of the existing files that belong to a root; the folder may be missing."""
    return sorted(
        path.name
        for path in folder.glob("*")
        if path.name.startswith(root) and _ENDINGS.fullmatch(path.name[len(root) :])
    )


def _marked(name: str, *, derived: bool) -> str:
    """Return a name with GetDist's asterisk if the parameter is derived."""
    return f"{name}*" if derived else name


def _bound(value: float | None) -> str:
    return _NO_BOUND if value is None else f"{value:.16e}"


def _text(lines: list[str]) -> Callable[[Path], object]:
    return partial(Path.write_text, data="".join(lines), encoding="utf-8")
