"""All that the numbers of a run follow from, written down, and what differs between two."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterator
from functools import cache
from typing import Any

from zpfit.inference.problem import Problem
from zpfit.runs.run_file import resolved_settings

Fingerprint = dict[str, Any]
"""Ready for JSON, in the order in which differences are to be told."""

_PACKAGES = (
    "zpfit",
    "numpy",
    "scipy",
    "numba",
    "vegas",
    "emcee",
    "dynesty",
    "arviz",
    "arviz-stats",
)
_DIGITS = 12
"""Of a hash that a message shows."""


@cache
def versions() -> dict[str, str]:
    """Of Python and of the packages that numbers may depend on."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version()} | found


def fingerprint(run: Problem, *, cross_check: bool) -> Fingerprint:
    """That of a run: ordered parameters, priors, options, data and model by hash, versions."""
    settings = resolved_settings(run)
    priors = settings.pop("priors")["parameters"]
    found = {
        "parameters": list(run.posterior.names),
        "priors": priors,
        **settings,
        "cross_check": cross_check,
        "files": {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in sorted(run.files().items())
        },
        "versions": versions(),
    }
    result: Fingerprint = json.loads(json.dumps(found))  # as it will be read
    return result


def first_difference(kept: Fingerprint, now: Fingerprint) -> str | None:
    """In words, none if there is none."""
    return next(_differences((), kept, now), None)


def _differences(keys: tuple[str, ...], kept: Any, now: Any) -> Iterator[str]:
    if isinstance(kept, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*now, *kept]):
            yield from _differences((*keys, key), kept.get(key), now.get(key))
    elif kept != now or type(kept) is not type(now):
        yield f"{'.'.join(keys)} was {_shown(keys, kept)} and is {_shown(keys, now)}"


def _shown(keys: tuple[str, ...], value: Any) -> str:
    if keys[0] == "files" and isinstance(value, str):
        return f"SHA-256 {value[:_DIGITS]}..."
    return "absent" if value is None else repr(value)
