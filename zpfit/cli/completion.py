"""What a shell offers for arguments: names of runs, sets, models and so on, and files."""

from collections.abc import Callable, Sequence

import click
from click.shell_completion import CompletionItem

from zpfit.io.places import Kind, names_in, search_roots
from zpfit.models.names import names_of_models

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_FILES = "file"
"""Tells the shell to offer files."""


def _names(*kinds: Kind, models: bool = False, folders: bool = False) -> Complete:
    """Names of these kinds; ``folders`` adds run folders and files."""

    def complete(
        ctx: click.Context,  # noqa: ARG001 - click's signature
        parameter: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        names = [name for name in _known(kinds, models=models) if name.startswith(incomplete)]
        # bash forgets what stands before files, and offers them where no name fits.
        files = [CompletionItem(incomplete, type=_FILES)] if folders else []
        return [*files, *map(CompletionItem, names)]

    return complete


def _known(kinds: Sequence[Kind], *, models: bool) -> list[str]:
    roots = search_roots()
    found = [name for kind in kinds for name in names_in(roots, kind)]
    return sorted({*found, *(names_of_models(roots) if models else ())})


RUNS_AND_FOLDERS = _names("run", folders=True)
SLICES = _names("slice", folders=True)
CAMPAIGNS = _names("campaign", folders=True)
SETS = _names("likelihood set")
MODELS = _names(models=True)
ANYTHING = _names("likelihood set", "entry", "priors", "run", "slice", "campaign", models=True)
CITED = _names("likelihood set", "entry", "run", "slice", folders=True)


def folders(
    ctx: click.Context,  # noqa: ARG001 - click's signature
    parameter: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Let the shell offer folders."""
    return [CompletionItem(incomplete, type="dir")]
