"""Names and files that a shell offers for arguments."""

from collections.abc import Callable, Sequence

import click
from click.shell_completion import CompletionItem

from zpfit.io.places import Kind, names_in, search_roots
from zpfit.models.names import names_of_models

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_FILES, _FOLDERS = "file", "dir"
"""Types of completion items for which the shell offers its own files or folders."""


def _names(*kinds: Kind, models: bool = False, folders: bool = False) -> Complete:
    """Return a function that offers names of these kinds, and files if ``folders`` is set."""

    def complete(
        ctx: click.Context,  # noqa: ARG001 - click's signature
        parameter: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        names = [name for name in _known(kinds, models=models) if name.startswith(incomplete)]
        # The item for files comes first: bash ignores what precedes it.
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
ENTRIES = _names("entry")
MODELS = _names(models=True)
ANYTHING = _names("likelihood set", "entry", "priors", "run", "slice", "campaign", models=True)
CITED = _names("likelihood set", "entry", "run", "slice", folders=True)


def folders(
    ctx: click.Context,  # noqa: ARG001 - click's signature
    parameter: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Return an item for which the shell offers folders."""
    return [CompletionItem(incomplete, type=_FOLDERS)]
