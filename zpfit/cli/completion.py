"""Names and files that a shell offers for arguments."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from zpfit.api.completions import Kind

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_FILES, _FOLDERS = "file", "dir"
"""Types of completion items for which the shell offers its own files or folders."""


def _names(*kinds: "Kind", models: bool = False, folders: bool = False) -> Complete:
    """Return a function that offers names of these kinds, and files if ``folders`` is set."""

    def complete(
        ctx: click.Context,  # noqa: ARG001 - click's signature
        parameter: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        from zpfit.api.completions import names_to_offer

        known = names_to_offer(kinds, models=models)
        names = [name for name in known if name.startswith(incomplete)]
        # The item for files comes first: bash ignores what precedes it.
        files = [CompletionItem(incomplete, type=_FILES)] if folders else []
        return [*files, *map(CompletionItem, names)]

    return complete


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
