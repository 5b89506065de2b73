"""Failures that a user can cause and correct: one class each, with its data as attributes.

Messages name the place, the value, what is wrong and a remedy. A class also derives from the
built-in exception that a Python user expects: ``ValueError`` for invalid input, ``KeyError`` for
an unknown name, ``FileNotFoundError`` and ``FileExistsError`` for files and folders.
"""

import difflib
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


_MOST_PROBLEMS = 100
"""Number of problems that one message lists; more would fill the screen."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 10


def in_short(value: object) -> str:
    """Return the ``repr`` of a value, shortened if it is long.

    Examples
    --------
    >>> in_short([1, 2, 3])
    '[1, 2, 3]'
    """
    return _SHORT.repr(value)


def with_article(noun: str) -> str:
    """Return a noun after its indefinite article.

    Examples
    --------
    >>> with_article("int"), with_article("list")
    ('an int', 'a list')
    """
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


class ZpfitError(Exception):
    """Base of every failure that a user can cause and correct.

    The data of a failure are attributes of the exception, so that a program can react to them
    without reading the message. Exceptions can be pickled, as workers send them back.
    """

    def __str__(self) -> str:
        # KeyError would show the message in quotes, OSError would look for a file name.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[ZpfitError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> ZpfitError:
    """Return a pickled exception; its message is not composed again."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


class InvalidInput(ZpfitError, ValueError):
    """One or more problems in the user's input, each with its place.

    Attributes
    ----------
    problems : tuple of str
        The first hundred problems, and a line that counts the rest.
    all_problems : tuple of str
        Every problem.
    causes : tuple of ZpfitError
        Exceptions of those problems that have one of their own.
    """

    def __init__(self, problems: Sequence[str], causes: Sequence[ZpfitError] = ()) -> None:
        self.all_problems, self.causes = tuple(problems), tuple(causes)
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"and {more:,} more problems"] if more > 0 else []
        self.problems = (*self.all_problems[:_MOST_PROBLEMS], *rest)
        super().__init__("\n".join(self.problems))


class WrongType(ZpfitError, TypeError):
    """An argument of a kind that cannot be used."""

    def __init__(self, place: str, value: object, expected: str) -> None:
        self.place, self.value, self.expected = place, value, expected
        kind = with_article(type(value).__name__)
        super().__init__(f"{place}: {in_short(value)} is {kind}; give {expected}")


class UnreadableFile(ZpfitError, OSError):
    """A file that cannot be read or is not text."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: cannot be read ({reason}); check the path and its permissions")


class MissingFile(UnreadableFile, FileNotFoundError):
    """A file that does not exist."""


class UnwritablePath(ZpfitError, OSError):
    """A folder or file that cannot be written."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: cannot be written ({reason}); choose another folder")


class StaleConclusions(ZpfitError, ValueError):
    """A page with sentences that no longer follow from its numbers."""

    def __init__(self, path: Path, titles: Sequence[str]) -> None:
        self.path, self.titles = path, tuple(titles)
        super().__init__(
            f"{path}: written without {', '.join(map(repr, titles))}, which the numbers no longer "
            "bear out; write these conclusions again in zpfit/studies/epochs.py"
        )


class InvalidYaml(ZpfitError, ValueError):
    """A file that is not YAML 1.2."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        super().__init__(f"{path}:{line}: not valid YAML: {reason}")


class InvalidCurve(ZpfitError, ValueError):
    """A table with missing, unsorted or impossible values."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        super().__init__(f"{path}:{line}: {reason}")


class UnknownName(ZpfitError, KeyError):
    """A name that is not known."""

    def __init__(self, kind: str, name: str, known: Iterable[str], place: str = "") -> None:
        self.kind, self.name, self.known, self.place = kind, name, tuple(sorted(known)), place
        where = f"{place}: " if place else ""
        super().__init__(f"{where}unknown {kind} {name!r}; {suggestion(name, self.known)}")


class UnknownReference(UnknownName):
    """A reference model that a data set of a comparison has no run of."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("model", name, known, "reference")


class ConflictingEntries(ZpfitError, ValueError):
    """Two entries that would count the same data twice."""

    def __init__(self, first: str, second: str, reason: str) -> None:
        self.first, self.second, self.reason = first, second, reason
        super().__init__(f"entries {first!r} and {second!r} {reason}; drop one of them")


class EmptyLikelihood(ZpfitError, ValueError):
    """A likelihood without entries."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(f"{place}: the likelihood has no entries; name a set or add entries")


class OutsidePrior(ZpfitError, ValueError):
    """A point outside its prior."""

    def __init__(self, parameter: str, value: float, support: str, place: str = "") -> None:
        self.parameter, self.value, self.support, self.place = parameter, value, support, place
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}{parameter} = {value:g} lies outside its prior ({support}); "
            "move the point or widen the prior"
        )


class UndefinedValue(ZpfitError, ValueError):
    """A model or a term of the likelihood that returned NaN."""

    def __init__(self, source: str, point: str) -> None:
        self.source, self.point = source, point
        super().__init__(
            f"{source} is not a number at {point}; restrict the priors or axes to where the model "
            "is defined, or correct the formula"
        )


class InvalidCode(ZpfitError, ValueError):
    """A user's Python code that cannot be loaded, or returns an invalid result."""

    def __init__(self, kind: str, name: str, reason: str) -> None:
        self.kind, self.name, self.reason = kind, name, reason
        super().__init__(f"{kind} {name!r} {reason}")


class InvalidModel(InvalidCode):
    """A user's model that cannot be loaded, or returns an invalid result."""

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__("model", model, reason)


class InvalidObservable(InvalidCode):
    """A user's observable that cannot be loaded, or returns an invalid result."""

    def __init__(self, observable: str, reason: str) -> None:
        self.observable = observable
        super().__init__("observable", observable, reason)


class ModelNeverValid(ZpfitError, ValueError):
    """A model whose conditions fail at every point drawn from the prior."""

    def __init__(self, model: str, draws: int, least: Mapping[str, float]) -> None:
        self.model, self.draws, self.least = model, draws, dict(least)
        ratios = ", ".join(f"{name}: {ratio:.3g} times too large" for name, ratio in least.items())
        super().__init__(
            f"model {model!r} cannot exist at any of {draws:,} points drawn from the prior (at "
            f"best {ratios}); move the priors to where its conditions hold"
        )


class NoAllowedPoint(ZpfitError, RuntimeError):
    """A search that found no point with a finite likelihood, or too few."""

    def __init__(self, evaluations: int, found: int = 0) -> None:
        self.evaluations, self.found = evaluations, found
        super().__init__(
            f"the likelihood allows {found or 'none'} of {evaluations:,} points drawn from the "
            "prior; move the priors to allowed values, free parameters, or make exclusions soft"
        )


class FailedRefit(ZpfitError, RuntimeError):
    """A search that fails for the data where a global search succeeds: there is no p-value."""

    def __init__(self, statistic: str, expected: float) -> None:
        self.statistic, self.expected = statistic, expected
        super().__init__(
            f"toys: the fast search of the {statistic} of the data found no allowed point, the "
            f"global search found {expected:.3f}: there is no p-value; change the seed, or raise "
            "best_fit.starts"
        )


class PoorProposal(ZpfitError, RuntimeError):
    """An adapted proposal that covers the posterior too poorly."""

    def __init__(self, effective: float, wanted: int) -> None:
        self.effective, self.wanted = effective, wanted
        super().__init__(
            f"only {effective:.0f} independent points of the posterior were found, but {wanted} "
            "are needed; narrow the priors to allowed values, or make exclusions soft"
        )


class NoAnomalies(ZpfitError, ValueError):
    """A likelihood without anomalies that a Z' may explain."""

    def __init__(self, likelihood: str) -> None:
        self.likelihood = likelihood
        super().__init__(
            f"likelihood {likelihood!r} has no magnetic moment to explain; add an entry of "
            "delta_a_e or delta_a_mu, or name other anomalies"
        )


class NoStructure(ZpfitError, ValueError):
    """A model or term for which no bounds can be proved."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(
            f"{name}: nothing can be proved about the joint sigma, as {reason}; search for it "
            "instead, which gives an upper bound"
        )


class NoSamplingDistribution(ZpfitError, ValueError):
    """A measurement whose entry does not define how data scatter."""

    def __init__(self, entry: str) -> None:
        self.entry = entry
        super().__init__(
            f"entry {entry!r} is a table of chi2, which does not say how its data scatter, so no "
            f"pseudo-experiment can be drawn; drop it (likelihood.drop: [{entry}]), or replace it "
            "by an entry with value and error"
        )


class ToysMismatch(ZpfitError, FileExistsError):
    """A folder that holds pseudo-experiments of another run or configuration."""

    def __init__(self, path: Path, difference: str) -> None:
        self.path, self.difference = path, difference
        super().__init__(
            f"{path}: holds toys of another run or configuration: {difference}; choose another "
            "folder, or replace the toys"
        )


class ModelsNotNested(ZpfitError, ValueError):
    """A run file that is not a smaller model on the data of another run."""

    def __init__(self, nested: Path, reason: str) -> None:
        self.nested, self.reason = nested, reason
        super().__init__(
            f"nested {nested}: {reason}; give a run file with a smaller model and the same "
            "likelihood"
        )


class AmbiguousReference(ZpfitError, ValueError):
    """A reference model with several runs on the same data."""

    def __init__(self, model: str, likelihood: str) -> None:
        self.model, self.likelihood = model, likelihood
        super().__init__(
            f"reference {model}: several runs of it use {likelihood}; compare with one of them"
        )


class RunFolderExists(ZpfitError, FileExistsError):
    """An output folder that already holds a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: already holds a run; choose another folder, or replace it")


class FilesExist(ZpfitError, FileExistsError):
    """A folder that holds results of the same names."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, tuple(names)
        super().__init__(
            f"{path}: already holds {', '.join(names)}; choose another folder, or replace them"
        )


class UnrelatedFilesExist(ZpfitError, FileExistsError):
    """An output folder with other files that a run would overwrite."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, tuple(names)
        super().__init__(
            f"{path}: holds other files that a run would overwrite ({', '.join(names)}); choose "
            "another folder, or replace them"
        )


class RunNotFound(ZpfitError, FileNotFoundError):
    """A folder without a finished run."""

    def __init__(self, path: Path, missing: str) -> None:
        self.path, self.missing = path, missing
        super().__init__(f"{path}: no finished run here ({missing} is missing or damaged)")


class ChangedData(RunNotFound):
    """A finished run whose data have changed since it was fitted."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the data that it was fitted to")
        message = "the data of this run have changed since it was fitted; fit it again, or restore"
        self.args = (f"{path}: {message} the data",)


class Stopped(ZpfitError):
    """A run that a signal stopped."""

    def __init__(self, signal: str, number: int, remedy: str = "the run can be resumed") -> None:
        self.signal, self.number, self.remedy = signal, number, remedy
        super().__init__(f"stopped by {signal}; {remedy}")


class UnfinishedRun(ZpfitError, FileExistsError):
    """A folder that holds an unfinished run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: holds an unfinished run; resume it, or replace it")


class DamagedRecord(ZpfitError, ValueError):
    """A damaged JSON file of a finished run, comparison or campaign."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: damaged or of another version ({reason}); write it again")


class UnusableFolder(ZpfitError, ValueError):
    """A folder whose results are not of the kind that is needed, or that has none."""

    def __init__(self, path: Path, content: str, usable: Sequence[str]) -> None:
        self.path, self.content, self.usable = path, content, tuple(usable)
        *first, last = self.usable
        needed = f"{', '.join(first)} or {last}" if first else last
        super().__init__(f"{path}: {content}; give the folder of a finished {needed}")


class NoRunToResume(ZpfitError, FileNotFoundError):
    """A folder without a run to resume."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: holds no run to resume; start a new run")


class OtherProof(ZpfitError, FileExistsError):
    """Stored proofs of another problem than the one to resume."""

    def __init__(self) -> None:
        super().__init__(
            "the unfinished proof beside the certificate is about other data, another model or "
            "seed, or by another version; prove again from the start"
        )


class RunMismatch(ZpfitError, FileExistsError):
    """A folder that holds another run than the one to resume."""

    def __init__(self, path: Path, difference: str) -> None:
        self.path, self.difference = path, difference
        super().__init__(
            f"{path}: holds another run: {difference}; choose another folder, or replace it"
        )


class OtherStore(ZpfitError, FileExistsError):
    """A folder of a campaign whose fits are stored in another way."""

    def __init__(self, path: Path, store: str) -> None:
        self.path, self.store = path, store
        super().__init__(
            f"{path}: its fits are stored as {store}; choose this store, or another folder"
        )


class FolderInUse(ZpfitError, OSError):
    """A folder that another process writes to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path}: another process is at work there; wait for it, or choose another folder"
        )


class DamagedCheckpoint(ZpfitError, ValueError):
    """A checkpoint that cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: damaged ({reason}); replace the run")


class UnsafeCheckpoint(ZpfitError, ValueError):
    """A stored sampler state that is damaged or contains foreign objects."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the stored state of dynesty is damaged or of another version ({reason}); "
            "replace the run"
        )


class ChangedLikelihood(ZpfitError, ValueError):
    """Stored values of ln L that the present code does not reproduce."""

    def __init__(self, path: Path, kept: float, now: float, point: str) -> None:
        self.path, self.kept, self.now, self.point = path, kept, now, point
        super().__init__(
            f"{path}: ln L was {kept!r} and is {now!r} at {point}, although the recorded "
            "configuration of the run has not changed; replace the run"
        )


class MissingExtra(ZpfitError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, module: str, extra: str, reason: str) -> None:
        self.module, self.extra, self.reason = module, extra, reason
        super().__init__(
            f"{module} cannot be used ({reason}); install it with: pip install 'zpfit[{extra}]'"
        )


class WrongSuffix(ZpfitError, ValueError):
    """A file name whose ending does not fit the content."""

    def __init__(self, path: Path, suffix: str) -> None:
        self.path, self.suffix = path, suffix
        super().__init__(f"output {path}: the name must end with {suffix}; choose another name")


class PortInUse(ZpfitError, OSError):
    """An address that a server cannot listen at."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host, self.port, self.reason = host, port, reason
        super().__init__(
            f"port {port}: cannot listen at {host} ({reason}); choose another port, or leave it "
            "out for one that is free"
        )


class SchedulerUnreachable(ZpfitError, ConnectionError):
    """A Dask scheduler that does not answer."""

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(
            f"scheduler {address}: nothing answers ({reason}); start one with dask scheduler"
        )


class MultithreadedWorkers(ZpfitError, RuntimeError):
    """A Dask cluster whose workers have several threads."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(
            f"scheduler {address}: its workers have several threads, which may change results "
            "and slows them down; start them with dask worker --nthreads 1"
        )


class FailedTasks(ZpfitError, RuntimeError):
    """Tasks that failed while others succeeded."""

    def __init__(self, failures: Mapping[str, str], of: int, kind: str = "fits") -> None:
        self.failures, self.of, self.kind = dict(failures), of, kind
        lines = [f"{name}: {error}" for name, error in failures.items()]
        super().__init__(
            f"{len(failures)} of {of} {kind} failed; start the same work again to retry only them, "
            "and remove the folder of one to restart it:\n" + "\n".join(lines)
        )


class WorkerKilled(ZpfitError, RuntimeError):
    """A worker process that was killed."""

    def __init__(self) -> None:
        super().__init__(
            "a worker process was killed, most likely because memory ran out; close other "
            "programs and try again"
        )


class ProblemCollector:
    """Collects problems, so that a user sees all of them at once.

    Examples
    --------
    >>> problems = ProblemCollector()
    >>> with problems.collecting():
    ...     raise UnknownName("model", "efective", ["effective", "sm_u1"])
    >>> problems.found
    ["unknown model 'efective'; did you mean 'effective'?"]
    """

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._causes: list[ZpfitError] = []

    @contextmanager
    def collecting(self, *kinds: type[ZpfitError]) -> Iterator[None]:
        """Note a failure of the enclosed block instead of raising it.

        Parameters
        ----------
        *kinds : classes of ZpfitError, optional
            Note only problems of these kinds and drop others, which may be consequences of a
            problem that was noted before. All kinds by default.
        """
        try:
            yield
        except ZpfitError as error:
            causes = error.causes if isinstance(error, InvalidInput) else (error,)
            if kinds:
                causes = tuple(cause for cause in causes if isinstance(cause, kinds))
                self._problems.extend(map(str, causes))
            elif isinstance(error, InvalidInput):
                self._problems.extend(error.all_problems)
            else:
                self._problems.append(str(error))
            self._causes.extend(causes)

    @property
    def found(self) -> list[str]:
        """Every problem, once."""
        return list(dict.fromkeys(self._problems))

    @property
    def causes(self) -> tuple[ZpfitError, ...]:
        """Exceptions of those problems that have one of their own."""
        return tuple(self._causes)

    def add(self, *problems: str, cause: ZpfitError | None = None) -> None:
        """Note problems, and the exception behind them if there is one."""
        self._problems.extend(problems)
        if cause is not None:
            self._causes.append(cause)

    def raise_if_any(self) -> None:
        """Raise the problems that were noted.

        Raises
        ------
        InvalidInput
            There is at least one problem.
        """
        if self._problems:
            raise InvalidInput(self.found, self._causes)


@overload
def all_of(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def all_of(
    first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /
) -> tuple[A, B, C]: ...
def all_of(*steps: Callable[[], object]) -> tuple[object, ...]:
    """Return the result of each step; run all steps even if an earlier one fails.

    Raises
    ------
    InvalidInput
        At least one step failed; lists the problems of all of them.

    Examples
    --------
    >>> all_of(lambda: 1, lambda: "two")
    (1, 'two')
    """
    problems, results = ProblemCollector(), []
    for step in steps:
        with problems.collecting():
            results.append(step())
    problems.raise_if_any()
    return tuple(results)


_MANY = 20
"""Number of names from which a message does not list them all."""


def suggestion(name: str, known: Sequence[str]) -> str:
    """Return ``did you mean ...?`` for a close match, else the list of known names.

    Examples
    --------
    >>> suggestion("efective", ["effective", "sm_u1"])
    "did you mean 'effective'?"
    >>> suggestion("B-l", ["B-Q", "B-L"])
    "did you mean 'B-L'?"
    >>> suggestion("dark", ["effective", "sm_u1"])
    'known: effective, sm_u1'
    """
    close = difflib.get_close_matches(name, known, n=len(known) or 1, cutoff=0.6)
    if close:
        alike = [one for one in close if one.casefold() == name.casefold()]
        return f"did you mean {(alike or close)[0]!r}?"
    if len(known) > _MANY:
        return f"none of the {len(known)} known names is like it"
    return "known: " + ", ".join(known) if known else "there are none"
