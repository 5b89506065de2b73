"""Options that several commands share, and the texts that users write behind them.

Options are decorators. Texts become plain data with the option as their origin, so that a message
about a wrong value names the option.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from zpfit.cli import completion
from zpfit.errors import InvalidInput, ProblemCollector
from zpfit.runs.pools import ExecutorChoice, Kind

if TYPE_CHECKING:
    from zpfit.analysis.profile.axis import AxisRequest
    from zpfit.io.document import Given, KeyPath

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST_WORKERS = 10_000
"""More processes than this are certainly a mistake."""
_LIMIT = re.compile(r"(?P<path>.+?\.lmt)(?P<words>(:[^:=]+=[^:]+)*)")
"""``FILE.lmt`` or ``FILE.lmt:KEY=VALUE:KEY=VALUE``."""
_SIGNS = {"negative", "nearest"}
"""Words that may follow the value of ``--solve``."""


class PositiveNumber(click.FloatRange):
    """A finite number above zero."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or fail in the words of click."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{number} is not a finite number above 0.", param, ctx)
        return number


# Decorators

file = click.argument("file", shell_complete=completion.RUNS_AND_FOLDERS)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed = click.option("--seed", type=click.IntRange(min=0), help="Seed instead of the run file's.")
limits = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="FILE.lmt[:KEY=VALUE]",
    help="Add a limit file (repeatable).",
)

fix = click.option(
    "--fix", multiple=True, metavar="NAME=VALUE", help="Fix a parameter (repeatable)."
)


def output(text: str) -> Callable[[Command], Command]:
    """Return the option ``--output`` with a help text."""
    return click.option("--output", type=click.Path(path_type=Path), help=text)


def output_by_default(folder: str, text: str) -> Callable[[Command], Command]:
    """Return the option ``--output`` with a default folder and a help text."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path),
        default=Path(folder),
        show_default=True,
        help=text,
    )


def force(
    text: str = "Replace existing results in the output folder.",
) -> Callable[[Command], Command]:
    """Return the flag ``--force`` with a help text."""
    return click.option("--force", is_flag=True, help=text)


@dataclass(frozen=True)
class Changes:
    """Changes of a file, as a user types them."""

    texts: tuple[str, ...] = ()
    """``KEY=VALUE`` of each ``--set``."""
    added: tuple[str, ...] = ()
    """Entries of ``--add``."""
    dropped: tuple[str, ...] = ()
    """Entries of ``--drop``."""

    def __bool__(self) -> bool:
        return any((self.texts, self.added, self.dropped))

    @property
    def entries(self) -> dict[str, "Given"]:
        """Entries to add to the data and to leave out, as keyword arguments of the API."""
        from zpfit.io.document import Given, Source

        named = {"add": self.added, "drop": self.dropped}
        return {key: Given([*v], Source(f"--{key}")) for key, v in named.items() if v}


def changes(kind: str = "run") -> Callable[[Command], Command]:
    """Add the options ``--set``, ``--add`` and ``--drop``; a command receives :class:`Changes`.

    Parameters
    ----------
    kind
        Kind of file that ``--set`` changes.
    """

    def decorated(command: Command) -> Command:
        @wraps(command)
        def collecting(
            *args: Any,
            changes: Sequence[str],
            added: Sequence[str],
            dropped: Sequence[str],
            **others: Any,
        ) -> Any:
            given = Changes(tuple(changes), tuple(added), tuple(dropped))
            return command(*args, changes=given, **others)

        text = f"Change a value of the {kind} file (repeatable)."
        setting = click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help=text)
        return cast(Command, setting(entries(collecting)))

    return decorated


def named(given: Changes, key: str) -> list["Given"]:
    """Return the entries of ``add`` or ``drop`` one by one, for functions of :mod:`zpfit.runs`."""
    from zpfit.runs.run_file import items_of

    return items_of(given.entries[key]) if key in given.entries else []


def entries(command: Command) -> Command:
    """Add the options ``--add`` and ``--drop``."""
    for option, parameter, text in (
        ("--drop", "dropped", "Leave an entry out of the data (repeatable)."),
        ("--add", "added", "Add an entry to the data (repeatable)."),
    ):
        command = click.option(
            option,
            parameter,
            multiple=True,
            metavar="NAME",
            help=text,
            shell_complete=completion.ENTRIES,
        )(command)
    return command


def executor(command: Command) -> Command:
    """Add the options of commands that distribute work over processes."""
    kinds = click.Choice([kind.value for kind in Kind])
    for option in (
        click.option("--scheduler", metavar="ADDRESS", help="Address of a running Dask scheduler."),
        click.option(
            "--workers",
            type=click.IntRange(1, _MOST_WORKERS),
            help="Number of processes [one per core].",
        ),
        click.option(
            "--executor",
            type=kinds,
            default=Kind.PROCESSES.value,
            show_default=True,
            help="Compute in this process, in processes of this machine, with Dask, or with MPI.",
        ),
    ):
        command = option(command)
    return command


def executor_choice(kind: str, workers: int | None, scheduler: str | None) -> ExecutorChoice:
    """Return what the options of :func:`executor` ask for.

    Raises
    ------
    click.UsageError
        The options contradict each other.
    """
    if scheduler is not None and kind != Kind.DASK:
        raise click.UsageError("--scheduler is the address of a Dask cluster: give --executor dask")
    if workers is not None and (scheduler is not None or kind in {Kind.HERE, Kind.MPI}):
        raise click.UsageError("--workers starts new processes: leave it out here")
    return ExecutorChoice(Kind(kind), workers, scheduler)


# Texts


def parse_changes(changes: Changes, seed: int | None = None) -> dict[str, "Given"]:
    """Return new values of a run file by key, and ``add`` and ``drop`` with entries.

    Raises
    ------
    InvalidInput
        A text has another form.
    """
    from zpfit.io.document import Given, Source

    values = dict(_assignment(text, "--set") for text in changes.texts)
    if seed is not None:
        values["seed"] = str(seed)
    given = {key: Given(value, Source("--set")) for key, value in values.items()}
    return given | changes.entries


def parse_limits(texts: Sequence[str]) -> list["Given"]:
    """Return items for ``likelihood.add`` from ``--limit FILE.lmt:KEY=VALUE``.

    Paths are relative to the current folder.

    Raises
    ------
    InvalidInput
        Texts have another form; each is reported.
    """
    problems, found = ProblemCollector(), []
    for text in texts:
        with problems.collecting():
            found.append(_limit(text))
    problems.raise_if_any()
    return found


def _limit(text: str) -> "Given":
    from zpfit.io.document import Given, Source

    place = f"--limit {text}"
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise InvalidInput(
            [f"{place}: write FILE.lmt or FILE.lmt:KEY=VALUE, such as FILE.lmt:length_ratio=4"]
        )
    words = [word.partition("=") for word in match["words"].split(":")[1:]]
    values = {key: _yaml(value, place) for key, _, value in words}
    path = str(Path.cwd() / match["path"])
    return Given({"curve": path, **values}, Source(place, names_key=False))


def parse_point(texts: Sequence[str]) -> dict[str, float]:
    """Return parameter values from ``--at "NAME=VALUE NAME=VALUE"``.

    Raises
    ------
    InvalidInput
        Assignments are malformed or repeated; each is reported.
    """
    problems, point = ProblemCollector(), dict[str, float]()
    for word in " ".join(texts).split():
        with problems.collecting():
            name, value = _assignment(word, "--at")
            if name in point:
                problems.add(f"--at {word}: {name} is given twice")
            point[name] = _number(value, f"--at {word}")
    problems.raise_if_any()
    return point


def parse_fix(texts: Sequence[str]) -> dict[str, float]:
    """Return values of parameters from ``--fix NAME=VALUE``.

    Raises
    ------
    InvalidInput
        Texts have another form; each is reported.
    """
    problems, found = ProblemCollector(), dict[str, float]()
    for text in texts:
        with problems.collecting():
            name, value = _assignment(text, "--fix")
            found[name] = _number(value, f"--fix {text}")
    problems.raise_if_any()
    return found


def parse_axis(option: str, text: str) -> "AxisRequest":
    """Return the axis that ``NAME`` or ``NAME=LOW:HIGH`` stands for.

    Raises
    ------
    InvalidInput
        The text has another form.
    """
    from zpfit.analysis.profile.axis import AxisRequest

    name, ends, _ = _axis(option, text, scales=False)
    return AxisRequest(name, ends, option, text)


def _axis(
    option: str, text: str, *, scales: bool
) -> tuple[str, tuple[float, float] | None, str | None]:
    """Return name, ends and scale of an axis; the scale may be given where ``scales`` is set."""
    place = f"{option} {text}"
    name, separator, reach = text.partition("=")
    if not separator:
        return name, None, None
    parts = reach.split(":")
    if len(parts) != 2 and not (scales and len(parts) == 3):
        form = "NAME=LOW:HIGH or NAME=LOW:HIGH:log" if scales else "NAME=LOW:HIGH"
        raise InvalidInput(
            [f"{place}: {reach!r} is no range; write {form}, or NAME for the range of its prior"]
        )
    low, high = (_number(part, place) for part in parts[:2])
    return name, (low, high), parts[2] if len(parts) == 3 else None


def parse_slice(options: Mapping[str, Any]) -> list[tuple["KeyPath", "Given"]]:
    """Return the changes to a slice file that options of ``zpfit exclusion`` stand for.

    Parameters
    ----------
    options
        Texts ``x``, ``y``, ``likelihood``, ``model_text``, ``reference``, ``cl`` and ``curves``,
        each or None, and lists of texts
        ``fix``, ``solve``, ``profile``, ``within``, ``band`` and ``changes``.

    Raises
    ------
    InvalidInput
        Texts have another form; each is reported.
    """
    problems = ProblemCollector()
    found = list(_slice_changes(options, problems))
    problems.raise_if_any()
    return found


def _slice_changes(
    options: Mapping[str, Any], problems: ProblemCollector
) -> Iterator[tuple["KeyPath", "Given"]]:
    from zpfit.io.document import Given, Source

    for option, (name, read) in _READERS.items():
        given = options[option]
        for text in (given,) if isinstance(given, str) else given or ():
            with problems.collecting():
                keys, value = read(text)
                # YAML may hold several keys: the message names the wrong one.
                is_yaml = name in ("--set", "--model")
                source = Source(name) if is_yaml else Source(f"{name} {text}", names_key=False)
                yield keys, Given(value, source)
    if options["profile"]:
        yield ("profile",), Given(list(options["profile"]), Source("--profile"))


def _slice_axis(side: str, text: str) -> tuple["KeyPath", Any]:
    name, ends, scale = _axis(f"--{side}", text, scales=True)
    spec: dict[str, Any] = {"parameter": name}
    if ends is not None:
        spec["lower"], spec["upper"] = ends
    if scale is not None:
        spec["scale"] = scale
    return (side,), spec


def _solve(text: str) -> tuple["KeyPath", Any]:
    place = f"--solve {text}"
    name, _, rest = text.partition(":")
    observable, separator, end = rest.partition("=")
    value, *words = end.split(":")
    if not name or not separator or set(words) - _SIGNS:
        raise InvalidInput(
            [f"{place}: write NAME:OBSERVABLE=VALUE, optionally with :negative or :nearest"]
        )
    return ("solve", name), {
        "observable": observable,
        "value": _number(value, place),
        "sign": "negative" if "negative" in words else "positive",
        "nearest": "nearest" in words,
    }


def _number_below(option: str, key: str, text: str) -> tuple["KeyPath", Any]:
    place = f"{option} {text}"
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise InvalidInput([f"{place}: write NAME=VALUE"])
    return (key, name), _number(value, place)


def _change(text: str) -> tuple["KeyPath", Any]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise InvalidInput([f"--set {text}: write KEY=VALUE"])
    return tuple(key.split(".")), _yaml(value, f"--set {key}")


_READERS: dict[str, tuple[str, Callable[[str], tuple["KeyPath", Any]]]] = {
    "x": ("--x", partial(_slice_axis, "x")),
    "y": ("--y", partial(_slice_axis, "y")),
    "likelihood": ("--likelihood", lambda text: (("likelihood",), text)),
    "model_text": ("--model", lambda text: (("model",), _yaml(text, "--model"))),
    "fix": ("--fix", partial(_number_below, "--fix", "fix")),
    "within": ("--within", partial(_number_below, "--within", "within")),
    "band": ("--band", partial(_number_below, "--band", "bands")),
    "reference": ("--reference", lambda text: (("reference",), text)),
    "cl": ("--cl", lambda text: (("cl",), _yaml(text, "--cl"))),
    "curves": ("--curves", lambda text: (("curves",), text)),
    "solve": ("--solve", _solve),
    "changes": ("--set", _change),
}
"""Name of each option of a slice and the reader of its text, in the order of the changes."""


def _assignment(text: str, option: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise InvalidInput([f"{option} {text}: write NAME=VALUE"])
    return name, value


def _number(text: str, place: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput([f"{place}: {text!r} is no number"]) from None


def _yaml(text: str, place: str) -> Any:
    from zpfit.io.yaml import parse_yaml

    return parse_yaml(text, Path(place)).data
