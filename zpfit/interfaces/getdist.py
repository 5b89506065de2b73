"""Chains as GetDist and anesthetic read them.

https://getdist.readthedocs.io/en/latest/intro.html: ``root_1.txt`` has a weight, -ln L and the
parameters in each row, ``root.paramnames`` their names, ``root.ranges`` the bounds of priors.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from zpfit.interfaces.sample_table import SampleTable

_NO_BOUND = "N"
_ENDINGS = re.compile(r"_\d+\.txt|_dead-birth\.txt|\.paramnames|\.ranges|\.properties\.ini")
"""Of the files that GetDist or anesthetic look for behind a name."""


def files_there(folder: Path, root: str) -> list[str]:
    """Names of the files of a root in a folder, which need not exist."""
    return sorted(
        path.name
        for path in folder.glob("*")
        if path.name.startswith(root) and _ENDINGS.fullmatch(path.name[len(root) :])
    )


def files(table: SampleTable, root: str) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Name of each file and how to write it."""
    columns = table.varying
    for chain, (weight, log_likelihood) in enumerate(
        zip(table.weight, table.log_likelihood, strict=True)
    ):
        rows = np.column_stack(
            [weight, -log_likelihood, *(column.values[chain] for column in columns)]
        )
        yield f"{root}_{chain + 1}.txt", partial(np.savetxt, X=rows, fmt="%.16e")
    # Derived parameters have an asterisk, and follow those that are sampled or not as they like.
    names = [f"{c.name}{'*' if c.derived else ''}\t{c.symbol}\n" for c in columns]
    yield f"{root}.paramnames", _text(names)
    ranges = [f"{c.name} {_bound(c.bounds[0])} {_bound(c.bounds[1])}\n" for c in columns]
    yield f"{root}.ranges", _text(ranges)
    settings = {"label": table.attributes["title"], "burn_removed": "T"}
    settings |= {key: table.attributes[key] for key in ("log_z", "log_z_error")}
    yield f"{root}.properties.ini", _text([f"{key} = {value}\n" for key, value in settings.items()])


def _bound(value: float | None) -> str:
    return _NO_BOUND if value is None else f"{value:.16e}"


def _text(lines: list[str]) -> Callable[[Path], object]:
    return partial(Path.write_text, data="".join(lines), encoding="utf-8")
