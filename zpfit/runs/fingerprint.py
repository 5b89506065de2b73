"""All that the numbers of a run follow from, written down, and what differs between two."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from zpfit.inference.problem import Problem
from zpfit.inference.samplers.registry import packages_behind
from zpfit.io.versions import versions
from zpfit.runs.run_file import resolved_settings

Fingerprint = dict[str, Any]
"""Ready for JSON, in the order in which differences are to be told."""

_DIGITS = 12
"""Of a hash that a message shows."""


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
        "versions": versions(packages_behind(run.settings.sampler.engine)),
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
