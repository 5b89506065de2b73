"""Choice of data as it is written in run and slice files."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from zpfit.io.schema import Names, NonNegative, StrictModel
from zpfit.likelihood.limit_file import Addition, name_of

Place = Callable[..., str]
"""Function from keys below ``likelihood`` to their place in a file, for messages."""


class LikelihoodSpec(StrictModel):
    """Choice of data: a named set of entries and changes to it."""

    set: str | None = None
    add: Annotated[tuple[Addition, ...], Field(strict=False, max_length=1000)] = ()
    """Further entries: names, or limit files."""
    drop: Names = ()
    """Entries of the set to leave out."""
    hard: Names = ()
    """Exclusions to make hard, whatever the set says."""
    soft: Names = ()
    """Exclusions to make soft, whatever the set says."""
    nuisances: dict[str, NonNegative] = Field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters; the default is 1."""

    @property
    def label(self) -> str:
        """Name of the likelihood in tables: the set, and the changes to it."""
        changes = [f"+{name_of(addition)}" for addition in self.add]
        changes += [f"-{name}" for name in self.drop]
        changes += [f"{name}:hard" for name in self.hard] + [f"{name}:soft" for name in self.soft]
        changes += [f"{name}:{width:g}" for name, width in self.nuisances.items()]
        return " ".join([self.set or "entries", *changes])
