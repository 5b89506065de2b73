"""Limit files named on the command line, as what a run or slice file would have under ``add``."""

import re
from pathlib import Path
from typing import Any

from zpfit.errors import InvalidInput
from zpfit.io.document import Document, Given, Source
from zpfit.io.yaml import parse_yaml

OPTION = "--limit"
_FORM = re.compile(r"(?P<path>.+?\.lmt)(?P<words>(:[^:=]+=[^:]+)*)")


def with_limit(document: Document, text: str) -> Document:
    """The document with the limit that ``FILE.lmt`` or ``FILE.lmt:KEY=VALUE`` names.

    Paths are relative to the current folder.

    Raises
    ------
    InvalidInput
        The text has another form.
    """
    source = Source(f"{OPTION} {text}", names_key=False)
    return document.with_item(("likelihood", "add"), Given(_limit(text), source))


def _limit(text: str) -> dict[str, Any]:
    place = f"{OPTION} {text}"
    found = _FORM.fullmatch(text)
    if found is None:
        remedy = "write FILE.lmt, and :KEY=VALUE behind it if meant, such as :length_ratio=4"
        raise InvalidInput([f"{place}: {remedy}"])
    words = [word.partition("=") for word in found["words"].split(":")[1:]]
    values = {key: parse_yaml(value, Path(place)).data for key, _, value in words}
    return {"curve": str(Path.cwd() / found["path"]), **values}
