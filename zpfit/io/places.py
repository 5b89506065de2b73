"""Where named files lie; apart from what reads them, so that shells complete names at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Kind = Literal["entry", "likelihood set", "model", "priors", "run", "slice", "campaign"]

FOLDERS: dict[Kind, str] = {
    "entry": "likelihoods/entries",
    "likelihood set": "likelihoods/sets",
    "model": "models",
    "priors": "priors",
    "run": "runs",
    "slice": "slices",
    "campaign": "campaigns",
}


def packaged_data() -> Path:
    """The folder with the packaged ``likelihoods``, ``models``, ``runs`` and so on."""
    package = Path(__file__).parent.parent
    installed = package / "data"
    return installed if installed.is_dir() else package.parent


def names_in(roots: Iterable[Path], kind: Kind) -> list[str]:
    """All names of a kind below some folders, sorted."""
    return sorted({path.stem for root in roots for path in (root / FOLDERS[kind]).glob("*.yaml")})
