"""Observables of entries: registered ones by name, or a user's own Python functions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Discriminator, Tag

from zpfit.errors import InvalidInput, InvalidObservable, ProblemCollector, suggestion
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.python_code import ListedFiles, called, load_object, names_an_object, numbers
from zpfit.io.schema import StrictModel
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.physics.observables import (
    RENAMED,
    Group,
    Observable,
    declaration_of,
    find_observable,
    observable_names,
)

_GROUPS = {
    "electron": Group.ELECTRON,
    "muon": Group.MUON,
    "scattering": Group.SCATTERING,
    "other": Group.OTHER,
}

_PROBE_MASSES = (17.0, 18.3, 29.0, 64.0, 210.0, 1200.0)
"""MeV; below and above the thresholds of muon pairs."""
_PROBE_COUPLINGS = (3.1e-5, -1.7e-4, 2.3e-4, -1.3e-5, 7.1e-5, -3.1e-4)
"""Values of the size that searches constrain, with both signs."""
_PROBES_AGREE = 1e-12
"""Largest relative difference between a point in a batch and the same point alone. It leaves room
for another order of summation."""


def _in_the_folder(source: str) -> str:
    path = PurePosixPath(source.rpartition(":")[0])
    # The run folder keeps a copy under the same path.
    if path.suffix == ".py" and (path.is_absolute() or ".." in path.parts):
        raise ValueError(f"{source!r} must lie in the folder of the run file or below it")
    return source


class PythonObservable(StrictModel):
    """A Python function of the couplings as an observable."""

    python: Annotated[str, AfterValidator(names_an_object), AfterValidator(_in_the_folder)]
    """``file.py:function`` beside the run file, or ``package.module:function``."""
    files: ListedFiles = ()
    """Files that the function reads, relative to the folder of ``file.py``."""
    group: Literal["electron", "muon", "scattering", "other"] | None = None
    """The kind of data that the observable belongs to, for tension between kinds.

    By default, that of the function if it is declared with
    :func:`zpfit.physics.observables.observable`, or else "other"."""

    def __str__(self) -> str:
        return self.python


def _form(value: Any) -> str:
    return "python" if isinstance(value, dict | PythonObservable) else "name"


ObservableRef = Annotated[
    Annotated[str, Tag("name")] | Annotated[PythonObservable, Tag("python")],
    Discriminator(_form),
]
"""The observable of an entry: a name, or a Python function."""

FindObservable = Callable[[str | PythonObservable], Observable]
"""Function from the observable of an entry to its prediction."""


def named_observable(reference: str | PythonObservable) -> Observable:
    """Return a registered observable; runs no code of a user's files.

    Raises
    ------
    InvalidObservable
        The observable is a Python function.
    KeyError, ImportError
        See :func:`zpfit.physics.observables.find_observable`.
    """
    if isinstance(reference, PythonObservable):
        raise InvalidObservable(str(reference), "is a Python function, which is not loaded here")
    return find_observable(reference)


def check_name(name: str, place: str) -> None:
    """Check that a registered observable has a name.

    Raises
    ------
    InvalidInput
        None has it, or the installed package that offers it cannot be imported.
    """
    try:
        find_observable(name)
    except KeyError as error:
        hint = suggestion(name, observable_names())
        raise InvalidInput([f"{place}: unknown {name!r}; {hint}"]) from error
    except ImportError as error:
        raise InvalidInput([f"{place}: {error}"]) from error


def renamed(names: Iterable[str]) -> dict[str, str]:
    """Return the present names of those observables that are given by a former name."""
    return {name: RENAMED[name] for name in names if name in RENAMED}


@dataclass(frozen=True)
class FunctionObservable:
    """A user's function of the couplings behind a guard; called with n points, returns (n,).

    Its failures become :class:`~zpfit.errors.InvalidObservable`. A function that takes no
    batches is called point by point, with couplings that are plain numbers.
    """

    name: str
    function: Callable[[Couplings], Any]
    pointwise: bool = False

    def __call__(self, c: Couplings) -> FloatArray:
        """Return predictions, shape (n,).

        Raises
        ------
        InvalidObservable
            The function fails, returns another shape, or NaN at a point without NaN.
        """
        result = self.unchecked(c)
        undefined = np.isnan(result)
        if undefined.any():
            # Models may have NaN couplings at points that cannot exist.
            undefined &= ~np.any([np.isnan(row) for _, row in c.items()], axis=0)
        if undefined.any():
            at = _in_words(c, int(np.argmax(undefined)))
            raise self._fail(f"is NaN at {at}; mend it, or return a finite number there")
        return result

    def unchecked(self, c: Couplings) -> FloatArray:
        """Return predictions, which may be NaN; shape (n,)."""
        if not self.pointwise:
            return self._called(c, (len(c),), "an array of points")
        points = (_single(c, index) for index in range(len(c)))
        rows = [self._called(one, (), _in_words(one, None)) for one in points]
        return np.array(rows, dtype=float)

    def _called(self, c: Couplings, shape: tuple[int, ...], called_with: str) -> FloatArray:
        remedy = "return a number for every point"
        result = called(lambda: self.function(c), called_with, remedy, self._fail)
        return numbers("a prediction", result, shape, self._fail)

    def _fail(self, reason: str) -> InvalidObservable:
        return InvalidObservable(self.name, reason)


def _single(c: Couplings, index: int) -> Couplings:
    return Couplings(**{name: float(row[index]) for name, row in c.items()})


def _in_words(c: Couplings, index: int | None) -> str:
    point = {name: row if index is None else row[index] for name, row in c.items()}
    return ", ".join(f"{name} = {float(value):.6g}" for name, value in point.items() if value)


def _probes() -> Couplings:
    rows = {name: np.roll(_PROBE_COUPLINGS, shift) for shift, name in enumerate(COUPLING_NAMES[1:])}
    rows["width_dark"] = 1e-5 * np.abs(rows["width_dark"])  # of the size of other widths, in MeV
    return Couplings.of(m_Zp=_PROBE_MASSES, **rows)


def guarded(name: str, function: Any) -> FunctionObservable:
    """Return a user's function behind a guard, after a trial at a few points.

    Parameters
    ----------
    name : str
        Name in messages and tables.
    function : callable
        Takes :class:`~zpfit.physics.couplings.Couplings`. It may return an array of shape
        (n,) for n points, or a number for one point.

    Raises
    ------
    InvalidObservable
        The object is no function, the function fails at a single point, or it is NaN
        without a Z', the hypothesis that every analysis compares with.

    Examples
    --------
    >>> guarded("product", lambda c: c.C_Ve * c.C_nue).pointwise
    False
    >>> guarded("larger", lambda c: max(abs(c.C_Ve), abs(c.C_Ae))).pointwise
    True
    """
    whole = FunctionObservable(name, function)
    if not callable(function) or isinstance(function, type):
        raise InvalidObservable(name, "is no function of the couplings")
    chosen = whole if _takes_batches(whole) else FunctionObservable(name, function, pointwise=True)
    with np.errstate(all="ignore"):
        chosen.unchecked(_probes())
        chosen(Couplings.none())
    return chosen


def _takes_batches(whole: FunctionObservable) -> bool:
    """Return True if the function gives at each point of a batch what it gives there alone."""
    probes = _probes()
    try:
        with np.errstate(all="ignore"):
            together = whole.unchecked(probes)
            alone = [
                whole.unchecked(probes.take(slice(index, index + 1)))[0]
                for index in range(len(probes))
            ]
    except InvalidObservable:
        return False
    return np.allclose(together, alone, rtol=_PROBES_AGREE, atol=0, equal_nan=True)


_SLOW = (
    "observable {!r} is called point by point, hundreds of times slower than a function that "
    "takes arrays"
)


@dataclass(frozen=True)
class ResolvedObservables:
    """The Python observables of some entries, imported and tried out."""

    functions: Mapping[PythonObservable, Observable] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    """Python files, by their path in a library."""
    code: tuple[str, ...] = ()
    """Entries that name Python code, and the code."""
    notes: tuple[str, ...] = ()

    def find(self, reference: str | PythonObservable) -> Observable:
        """Return the observable of an entry."""
        if isinstance(reference, PythonObservable):
            return self.functions[reference]
        return find_observable(reference)


def resolve_observables(
    entries: Iterable[tuple[str, str, tuple[str | PythonObservable, ...]]],
    library: Library,
    *,
    allow_code: bool = True,
) -> ResolvedObservables:
    """Import the Python observables of entries.

    Parameters
    ----------
    entries : iterable of (name, place, observables)
        ``place`` names the file of an entry in messages.
    library : Library
        Folders in which Python files are looked up.
    allow_code : bool
        Refuse Python code if False.

    Raises
    ------
    InvalidInput
        Code is refused, cannot be imported or fails; lists every problem.
    """
    functions: dict[PythonObservable, Observable] = {}
    files: dict[str, Path] = {}
    code: list[str] = []
    notes: list[str] = []
    problems = ProblemCollector()
    for name, place, references in entries:
        for reference in references:
            if not isinstance(reference, PythonObservable):
                continue
            code.append(f"observable of entry {name!r} = {reference}")
            if not allow_code:
                problems.add(f"{place}: observable: names Python code, which is not loaded here")
                continue
            with problems.collecting(), _at(f"{place}: observable"):
                fail = partial(InvalidObservable, reference.python)
                loaded = load_object(reference.python, library.roots, fail, reference.files)
                function = guarded(reference.python, loaded.target)
                functions[reference] = _declared(reference, loaded.target, function)
                files.update(loaded.files)
                notes += [_SLOW.format(reference.python)] if function.pointwise else []
    problems.raise_if_any()
    return ResolvedObservables(functions, files, tuple(code), tuple(dict.fromkeys(notes)))


def _declared(
    reference: PythonObservable, target: object, function: FunctionObservable
) -> Observable:
    """Return a user's function with the declaration that it carries, if any.

    Raises
    ------
    InvalidObservable
        The entry and the function name different groups.
    """
    group = None if reference.group is None else _GROUPS[reference.group]
    declared = declaration_of(target)
    if declared is None:
        return Observable(reference.python, function, group or Group.OTHER)
    if group not in (None, declared.group):
        names = {member: name for name, member in _GROUPS.items()}
        raise InvalidObservable(
            reference.python,
            f"has group {reference.group!r} in the entry but {names[declared.group]!r} in its "
            "declaration; leave out that of the entry, or make them equal",
        )
    return replace(declared, name=reference.python, function=function)


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Add the place of an observable to its failure."""
    try:
        yield
    except InvalidObservable as error:
        raise InvalidInput([f"{place}: {error}"], [error]) from error
