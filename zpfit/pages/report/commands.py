"""Command lines that repeat what a report shows."""

import shlex
from collections.abc import Iterable
from pathlib import Path


def run_again(config: Path, output: Path | str, *, cross_check: bool = False) -> str:
    """Return the command that repeats a run.

    Parameters
    ----------
    config
        Run file.
    output
        New run folder.
    cross_check
        Compute ln Z with a second engine as well.

    Examples
    --------
    >>> run_again(Path("my fit/config.yaml"), "again", cross_check=True)
    "zpfit run 'my fit/config.yaml' --output again --cross-check"
    """
    check = ["--cross-check"] if cross_check else []
    return _joined("zpfit", "run", config, "--output", output, *check)


def comparison_again(runs: Iterable[object], output: Path | str, reference: str | None) -> str:
    """Return the command that repeats a comparison.

    Parameters
    ----------
    runs
        Folders or names of the runs.
    output
        New folder.
    reference
        Model of reference; None for the default, no Z'.

    Examples
    --------
    >>> comparison_again(["a", "b"], "again", "sm_u1")
    'zpfit compare a b --reference sm_u1 --output again'
    """
    chosen = [] if reference is None else ["--reference", reference]
    return _joined("zpfit", "compare", *runs, *chosen, "--output", output)


def _joined(*words: object) -> str:
    """Return words as a command line with quotes where a shell needs them."""
    return shlex.join(map(str, words))
