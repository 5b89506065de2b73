"""Slices from a file, options of the command line, or both."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zpfit.analysis.exclusion.slice import Slice, resolve_slice
from zpfit.errors import InvalidInput, ProblemCollector
from zpfit.io.document import Document, Source
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml, read_yaml
from zpfit.runs.run_file import find_file, with_change, with_limits

_NAME = "slice"
"""Of what has no file."""


def load_slice(file: str | None, options: Mapping[str, Any]) -> Slice:
    """The slice of a file or a packaged name, changed by options as the command line has them.

    ``options`` has texts ``x``, ``y``, ``likelihood`` and ``model_text``, each or None, and
    lists of texts ``fix``, ``solve``, ``profile``, ``within``, ``band``, ``limits`` and
    ``changes``.

    Raises
    ------
    UnknownName
        No slice has that name.
    InvalidInput
        Everything that is wrong, each with its place.
    """
    path = None if file is None else find_file("slice", file)
    nameless = Document(Path(_NAME), {"title": options["likelihood"] or ""}, {})
    document = nameless if path is None else read_yaml(path)
    problems = ProblemCollector()
    for keys, value, source in _changes(options, problems):
        document = with_change(document, keys, value, source)
    with problems.collecting():
        document = with_limits(document, options.get("limits") or ())
    problems.raise_if_any()
    return resolve_slice(document, Library.beside(path))


def _changes(
    options: Mapping[str, Any], problems: ProblemCollector
) -> Iterator[tuple[tuple[str, ...], Any, Source]]:
    """Keys and values that the options stand for and what messages call them, in their order."""
    for option, (name, read) in _READERS.items():
        given = options[option]
        for text in (given,) if isinstance(given, str) else given or ():
            with problems.collecting():
                keys, value = read(text)
                keyed = name in {"--set", "--model"}
                source = Source(name) if keyed else Source(f"{name} {text}", names_key=False)
                yield keys, value, source
    if options["profile"]:
        yield ("profile",), list(options["profile"]), Source("--profile")


def _axis(side: str, text: str) -> tuple[tuple[str, ...], Any]:
    place = f"--{side} {text}"
    name, separator, reach = text.partition("=")
    if not separator:
        return (side,), {"parameter": name}
    parts = reach.split(":")
    if len(parts) not in (2, 3):
        raise InvalidInput(
            [f"{place}: write NAME, NAME=LOW:HIGH or NAME=LOW:HIGH:log; NAME alone is as its prior"]
        )
    lower, upper = (_number(place, part) for part in parts[:2])
    scale = {"scale": parts[2]} if len(parts) == 3 else {}
    return (side,), {"parameter": name, "lower": lower, "upper": upper, **scale}


def _solve(text: str) -> tuple[tuple[str, ...], Any]:
    place = f"--solve {text}"
    name, _, rest = text.partition(":")
    observable, separator, end = rest.partition("=")
    value, *words = end.split(":")
    if not name or not separator or set(words) - {"negative", "nearest"}:
        raise InvalidInput(
            [f"{place}: write NAME:OBSERVABLE=VALUE, and :negative or :nearest behind it if meant"]
        )
    spec: dict[str, Any] = {"observable": observable, "value": _number(place, value)}
    spec["sign"] = "negative" if "negative" in words else "positive"
    spec["nearest"] = "nearest" in words
    return ("solve", name), spec


def _number_under(option: str, key: str, text: str) -> tuple[tuple[str, ...], Any]:
    place = f"--{option} {text}"
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise InvalidInput([f"{place}: write NAME=VALUE"])
    return (key, name), _number(place, value)


def _set(text: str) -> tuple[tuple[str, ...], Any]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise InvalidInput([f"--set {text}: write KEY=VALUE"])
    return tuple(key.split(".")), _yaml(value, f"--set {key}")


def _yaml(text: str, place: str) -> Any:
    return parse_yaml(text, Path(place)).data


def _number(place: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput([f"{place}: {text!r} is no number"]) from None


_READERS: dict[str, tuple[str, Callable[[str], tuple[tuple[str, ...], Any]]]] = {
    "x": ("--x", partial(_axis, "x")),
    "y": ("--y", partial(_axis, "y")),
    "likelihood": ("--likelihood", lambda text: (("likelihood",), text)),
    "model_text": ("--model", lambda text: (("model",), _yaml(text, "--model"))),
    "fix": ("--fix", partial(_number_under, "fix", "fix")),
    "within": ("--within", partial(_number_under, "within", "within")),
    "band": ("--band", partial(_number_under, "band", "bands")),
    "solve": ("--solve", _solve),
    "changes": ("--set", _set),
}
"""How each option is called and what it stands for."""
