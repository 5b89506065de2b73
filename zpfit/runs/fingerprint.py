"""Fingerprints: all inputs that determine the numbers of a run, and their differences."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from zpfit.inference.problem import Problem
from zpfit.inference.samplers.registry import packages_behind
from zpfit.io.versions import versions
from zpfit.runs.run_file import resolved_settings

Fingerprint = dict[str, Any]
"""Inputs of a run in the form of JSON, in the order in which differences are reported."""

_ALGORITHMS = 2
"""Number of the algorithms of samplers and searches. It grows when the numbers of a seed, or what
checkpoints hold, change between two releases."""
_DIGITS = 12
"""Digits of a hash that messages show."""


def fingerprint(run: Problem, *, cross_check: bool) -> Fingerprint:
    """Return the fingerprint of a run.

    It holds the parameters in their order, priors, options, hashes of data and model files, the
    number of the algorithms, and versions of packages.
    """
    settings = resolved_settings(run)
    priors = settings.pop("priors")["parameters"]
    settings.pop("figure")  # no number depends on it
    found = {
        "parameters": list(run.posterior.names),
        "priors": priors,
        **settings,
        "cross_check": cross_check,
        "files": {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in sorted(run.files().items())
        },
        "algorithms": _ALGORITHMS,
        "versions": versions(packages_behind(run.settings.sampler.engine)),
    }
    result: Fingerprint = json.loads(json.dumps(found))  # the types that reading gives
    return result


def first_difference(kept: Fingerprint, now: Fingerprint) -> str | None:
    """Return the first difference as text, or None."""
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
