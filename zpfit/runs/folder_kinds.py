"""Kinds of output folders, recognised by the files in them."""

from dataclasses import dataclass
from pathlib import Path

from zpfit.errors import UnusableFolder, with_article
from zpfit.runs.run_folder import RunFolder


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder."""

    name: str
    """Noun for messages, such as ``run``."""
    pattern: str
    """Glob pattern of a file that only this kind of folder holds."""


RUN = FolderKind("run", "summary.json")
UNFINISHED = FolderKind("unfinished run", ".unfinished/fingerprint.json")
COMPARISON = FolderKind("comparison", "compare.json")
CAMPAIGN = FolderKind("campaign", "campaign.json")
EXCLUSION = FolderKind("exclusion map", "exclusion.json")
PROFILE = FolderKind("profile likelihood", "profile_*.json")
LIMIT = FolderKind("limit", "limit_*.json")
SCAN = FolderKind("limit along a scan", "limit_*.pdf")
TENSION = FolderKind("tension test", "tension.json")
TOYS = FolderKind("set of toys", "toys.json")
COVERAGE = FolderKind("coverage test", "coverage.json")
KINDS = (
    UNFINISHED, RUN, COMPARISON, CAMPAIGN, EXCLUSION, PROFILE, LIMIT, TENSION, TOYS, COVERAGE,
)  # fmt: skip
WITH_FIGURES = (RUN, COMPARISON, CAMPAIGN, EXCLUSION, PROFILE, SCAN, TENSION, TOYS, COVERAGE)
"""Kinds whose figures can be drawn again."""


def kinds_of(folder: Path) -> tuple[FolderKind, ...]:
    """Return the kinds of results in a folder; a folder can hold several, or none.

    Examples
    --------
    >>> kinds_of(Path("no such folder"))
    ()
    """
    return tuple(kind for kind in KINDS if next(folder.glob(kind.pattern), None) is not None)


def require_kind(folder: Path, *usable: FolderKind) -> None:
    """Check that a folder holds results of a usable kind.

    Parameters
    ----------
    folder : Path
        The folder.
    *usable : FolderKind
        Kinds that the caller can read.

    Raises
    ------
    UnusableFolder
        The folder holds other results, or none, or does not exist; the message says which.
    """
    if not set(kinds_of(folder)) & set(usable):
        raise unusable(folder, *usable)


def unusable(folder: Path, *usable: FolderKind) -> UnusableFolder:
    """Return the error that says what a folder holds, and which kinds are usable."""
    finished = [kind.name for kind in usable if kind is not UNFINISHED]
    return UnusableFolder(folder, _content(folder, kinds_of(folder)), finished)


def _content(folder: Path, found: tuple[FolderKind, ...]) -> str:
    if found:
        return f"holds {_listed([kind.name for kind in found])}"
    if folder.is_file():
        return "is a file"
    if not folder.exists():
        return "does not exist"
    if RunFolder(folder).has_seen_a_run:
        return "holds a run that has stored no results"
    return "holds no results of zpfit" if any(folder.iterdir()) else "is an empty folder"


def _listed(names: list[str]) -> str:
    return " and ".join(map(with_article, names))
