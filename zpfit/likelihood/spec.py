"""Choice of data as it is written in run and slice files."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from zpfit.io.schema import AlsoAs, Names, NonNegative, StrictModel
from zpfit.likelihood.limit_file import Addition, name_of

Place = Callable[..., str]
"""Function from keys below ``likelihood`` to their place in a file, for messages."""


ALL = "all"
"""Word that stands for every exclusion of a likelihood."""


def _all_is_a_list(value: Any) -> Any:
    return [ALL] if value == ALL else value


Exclusions = Annotated[Names, BeforeValidator(_all_is_a_list), AlsoAs("string")]
"""Names of exclusions, or the word ``all``."""


class LikelihoodSpec(StrictModel):
    """Choice of data: a named set of entries and changes to it."""

    set: str | None = None
    add: Annotated[tuple[Addition, ...], Field(strict=False, max_length=1000)] = ()
    """Further entries: names, or limit files."""
    drop: Names = ()
    """Entries of the set to leave out."""
    hard: Exclusions = ()
    """Exclusions to make hard, whatever the set says: names, or ``all`` but those in ``soft``."""
    soft: Exclusions = ()
    """Exclusions to make soft, whatever the set says: names, or ``all`` but those in ``hard``."""
    anomalies: Names = ()
    """Measurements that the joint sigma is about; by default those of the set, or else the magnetic
    moments."""
    nuisances: dict[str, NonNegative] = Field(default_factory=dict)
    """Standard deviations of the priors of nuisance parameters; the default is 1."""

    def makes_soft(self, name: str, *, by_default: bool) -> bool:
        """Return True if an exclusion is soft.

        Parameters
        ----------
        name
            Name of the exclusion.
        by_default
            True if the set makes its exclusions soft.

        Examples
        --------
        >>> spec = LikelihoodSpec(soft=("all",), hard=("kloe_2015",))
        >>> spec.makes_soft("na64_2020", by_default=False)
        True
        >>> spec.makes_soft("kloe_2015", by_default=True)
        False
        """
        if name in self.soft or name in self.hard:
            return name in self.soft
        return ALL in self.soft or (by_default and ALL not in self.hard)

    @property
    def label(self) -> str:
        """Name of the likelihood in tables: the set, and the changes to it."""
        changes = [f"+{name_of(addition)}" for addition in self.add]
        changes += [f"-{name}" for name in self.drop]
        changes += [f"{name}:hard" for name in self.hard] + [f"{name}:soft" for name in self.soft]
        changes += [f"{name}:{width:g}" for name, width in self.nuisances.items()]
        return " ".join([self.set or "entries", *changes])

    @property
    def content(self) -> str | dict[str, Any]:
        """Value of the key ``likelihood`` of a run file with this choice.

        Examples
        --------
        >>> LikelihoodSpec(set="today_cs").content
        'today_cs'
        >>> LikelihoodSpec(set="today_cs", drop=("kloe_2015",)).content
        {'set': 'today_cs', 'drop': ['kloe_2015']}
        """
        given: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return str(self.set) if [*given] == ["set"] else given
