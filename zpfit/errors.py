"""Failures a user can cause and mend. Each message names the place, the value and the remedy."""

import difflib
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


_MOST_PROBLEMS = 100
"""That are told at once."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 10


def in_short(value: object) -> str:
    """What a message shows of a value: all of it unless it is long."""
    return _SHORT.repr(value)


class ZpfitError(Exception):
    """Base of every failure that the command line reports without a traceback."""


class InvalidInput(ZpfitError):
    """One or more problems in what the user wrote, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.all_problems = tuple(problems)
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"and {more:,} more problems"] if more > 0 else []
        self.problems = (*self.all_problems[:_MOST_PROBLEMS], *rest)
        super().__init__("\n".join(self.problems))


class UnreadableFile(ZpfitError):
    """A file that is missing, not readable or not text."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: cannot be read ({reason}); check the path and its permissions")


class UnwritablePath(ZpfitError):
    """A folder or file that cannot be written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: cannot be written ({reason}); choose another folder")


class StaleConclusions(ZpfitError):
    """A page whose sentences no longer follow from its numbers."""

    def __init__(self, path: Path, titles: Sequence[str]) -> None:
        super().__init__(
            f"{path}: written without {', '.join(map(repr, titles))}, which the numbers no longer "
            "bear out; write these conclusions anew in zpfit/epochs.py"
        )


class InvalidYaml(ZpfitError):
    """A file that is not YAML 1.2."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: not valid YAML: {reason}")


class InvalidCurve(ZpfitError):
    """A limit curve with missing, unsorted or impossible values."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")


class UnknownName(ZpfitError):
    """A name that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str], place: str = "") -> None:
        known = sorted(known)
        where = f"{place}: " if place else ""
        super().__init__(f"{where}unknown {kind} {name!r}; {suggestion(name, known)}")


class ConflictingEntries(ZpfitError):
    """Two entries that would count the same data twice."""

    def __init__(self, first: str, second: str, reason: str) -> None:
        super().__init__(f"entries {first!r} and {second!r} {reason}; drop one of them")


class EmptyLikelihood(ZpfitError):
    """A likelihood without a single term."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}: the likelihood has no entries; name a set or add entries")


class OutsidePrior(ZpfitError):
    """A point that the prior does not reach."""

    def __init__(self, parameter: str, value: float, support: str, place: str = "") -> None:
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}{parameter} = {value:g} lies outside its prior ({support}); "
            "move the point or widen the prior"
        )


class NotANumber(ZpfitError):
    """A model or a term that returned NaN."""

    def __init__(self, source: str, point: str) -> None:
        super().__init__(
            f"{source} is not a number at {point}; restrict the priors or axes to where the model "
            "is defined, or mend the formula"
        )


class InvalidModel(ZpfitError):
    """A user's model that cannot be loaded, or does not give what a model must."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"model {model!r} {reason}")


class NeverExists(ZpfitError):
    """A model whose conditions are broken all over the prior."""

    def __init__(self, model: str, draws: int, least: Mapping[str, float]) -> None:
        ratios = ", ".join(f"{name}: {ratio:.3g} times too much" for name, ratio in least.items())
        super().__init__(
            f"model {model!r} cannot exist at any of {draws:,} points drawn from the prior (at "
            f"best {ratios}); move the priors to where its conditions hold"
        )


class NoAllowedPoint(ZpfitError):
    """A search that met no point with a finite likelihood, or too few to go on from."""

    def __init__(self, evaluations: int, found: int = 0) -> None:
        super().__init__(
            f"{found or 'none'} of {evaluations:,} points drawn from the prior allowed by the "
            "likelihood; "
            "move the priors to where the data allow, free parameters, or make exclusions soft"
        )


class PoorMap(ZpfitError):
    """A posterior that the adapted map does not follow."""

    def __init__(self, effective: float, wanted: int) -> None:
        super().__init__(
            f"only {effective:.0f} independent points of the posterior were found where {wanted} "
            "were wanted; narrow the priors to where the data allow, or make exclusions soft"
        )


class NoAnomalies(ZpfitError):
    """A likelihood without the measurements that a Z' is asked to explain."""

    def __init__(self, likelihood: str) -> None:
        super().__init__(
            f"likelihood {likelihood!r} has no magnetic moment to explain; add an entry of "
            "delta_a_e or delta_a_mu"
        )


class NoSamplingDistribution(ZpfitError):
    """A measurement of which nobody can say what a repetition would find."""

    def __init__(self, entry: str) -> None:
        super().__init__(
            f"entry {entry!r} is a table of chi2, which does not say how its data scatter, so no "
            f"pseudo-experiment can be drawn; drop it (likelihood.drop: [{entry}]), or replace it "
            "by an entry with value and error"
        )


class OtherToys(ZpfitError):
    """A folder with pseudo-experiments that come from something else."""

    def __init__(self, path: Path, difference: str) -> None:
        super().__init__(
            f"{path}: its toys come from something else: {difference}; choose another folder, or "
            "replace the toys"
        )


class NotNested(ZpfitError):
    """Two run files of which the second is not a smaller model on the same data."""

    def __init__(self, nested: Path, reason: str) -> None:
        super().__init__(
            f"nested {nested}: {reason}; give a run file with a smaller model and the same "
            "likelihood"
        )


class MixedReference(ZpfitError):
    """A reference model of which several runs share a data set."""

    def __init__(self, model: str, likelihood: str) -> None:
        super().__init__(
            f"reference {model}: several runs of it use {likelihood}; compare with one of them"
        )


class RunFolderExists(ZpfitError):
    """An output folder that already holds a run."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: already holds a run; choose another folder, or replace it")


class FilesExist(ZpfitError):
    """Results that a command would replace."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__(
            f"{path}: already holds {', '.join(names)}; choose another folder, or replace them"
        )


class ForeignFiles(ZpfitError):
    """An output folder with files of somebody else that a run would replace."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__(
            f"{path}: holds {', '.join(names)} of something else, which a run would replace; "
            "choose another folder, or replace them"
        )


class NotARunFolder(ZpfitError):
    """A folder that holds no finished run."""

    def __init__(self, path: Path, missing: str) -> None:
        super().__init__(f"{path}: no finished run here ({missing} is missing or damaged)")


class Stopped(ZpfitError):
    """A run that a signal has asked to stop."""

    def __init__(self, signal: str, number: int, remedy: str = "the run can be resumed") -> None:
        self.signal, self.number, self.remedy = signal, number, remedy
        super().__init__(f"stopped by {signal}; {remedy}")

    def __reduce__(self) -> tuple[type["Stopped"], tuple[str, int, str]]:
        return Stopped, (self.signal, self.number, self.remedy)


class UnfinishedRun(ZpfitError):
    """A run folder that holds a run on its way."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: holds an unfinished run; resume it, or replace it"
        )


class DamagedRecord(ZpfitError):
    """A JSON file of a finished run, comparison or campaign that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged or of another version ({reason}); write it again")


class NothingToReport(ZpfitError):
    """A folder without results."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: holds no finished run, comparison or campaign; give a folder that "
            "a run, a comparison or a campaign has written"
        )


class NothingToResume(ZpfitError):
    """A folder without a run."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: holds no run to resume; start a new run")


class DifferentRun(ZpfitError):
    """A run that is not the one it is to go on with."""

    def __init__(self, path: Path, difference: str) -> None:
        super().__init__(
            f"{path}: holds another run: {difference}; choose another folder, or replace it"
        )


class FolderInUse(ZpfitError):
    """A folder that another process fills."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: another process is at work there; wait for it, or choose another folder"
        )


class DamagedCheckpoint(ZpfitError):
    """A file that a run cannot go on from."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged ({reason}); replace the run")


class UnsafeCheckpoint(ZpfitError):
    """A kept sampler that holds more than a sampler does."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the kept state of dynesty is damaged or not of this version ({reason}); "
            "replace the run"
        )


class ChangedLikelihood(ZpfitError):
    """Kept values of ln L that the present code does not give."""

    def __init__(self, path: Path, kept: float, now: float, point: str) -> None:
        super().__init__(
            f"{path}: ln L was {kept!r} and is {now!r} at {point}, though nothing that is "
            "recorded of the run has changed; replace the run"
        )


class MissingExtra(ZpfitError, ImportError):
    """An optional package that is asked for and not there."""

    def __init__(self, module: str, extra: str, reason: str) -> None:
        super().__init__(
            f"{module} cannot be used ({reason}); install it with: pip install 'zpfit[{extra}]'"
        )


class PortInUse(ZpfitError):
    """An address at which nobody can listen."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"port {port}: cannot listen at {host} ({reason}); choose another port, or leave it "
            "out for one that is free"
        )


class NoScheduler(ZpfitError):
    """A Dask scheduler that does not answer."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"scheduler {address}: nothing answers ({reason}); start one with dask scheduler"
        )


class ThreadedWorkers(ZpfitError):
    """A Dask cluster whose workers make several calls at once."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"scheduler {address}: its workers have several threads, in which neither the same "
            "numbers nor full speed are sure; start them with dask worker --nthreads 1"
        )


class FailedTasks(ZpfitError):
    """Tasks that failed while others of their kind went on."""

    def __init__(self, failures: Mapping[str, str], of: int, kind: str = "fits") -> None:
        lines = [f"{name}: {error}" for name, error in failures.items()]
        super().__init__(
            f"{len(failures)} of {of} {kind} failed; the same command tries them again, from the "
            "start where their folder is removed:\n" + "\n".join(lines)
        )


class ProcessDied(ZpfitError):
    """A process that ended before it could say why."""

    def __init__(self) -> None:
        super().__init__(
            "a process that computes ended without a word, most likely because memory ran out; "
            "close other programs and try again; a script must call it under "
            "if __name__ == '__main__'"
        )


class ProblemCollector:
    """Gathers problems so that a user sees all of them at once."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Note a failure of the enclosed block and go on."""
        try:
            yield
        except InvalidInput as error:
            self._problems.extend(error.all_problems)
        except ZpfitError as error:
            self._problems.append(str(error))

    @property
    def found(self) -> list[str]:
        """Every problem, once."""
        return list(dict.fromkeys(self._problems))

    def add(self, problem: str) -> None:
        """Note a problem."""
        self._problems.append(problem)

    def raise_if_any(self) -> None:
        """Report what was gathered.

        Raises
        ------
        InvalidInput
            There was at least one problem.
        """
        if self._problems:
            raise InvalidInput(self.found)


@overload
def all_of(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def all_of(
    first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /
) -> tuple[A, B, C]: ...
def all_of(*steps: Callable[[], object]) -> tuple[object, ...]:
    """What each step returns; every step is tried even if an earlier one fails.

    Raises
    ------
    InvalidInput
        The problems of all steps that failed.
    """
    problems, results = ProblemCollector(), []
    for step in steps:
        with problems.collecting():
            results.append(step())
    problems.raise_if_any()
    return tuple(results)


def suggestion(name: str, known: Sequence[str]) -> str:
    """``did you mean ...?`` for a close match, else what there is."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(known) if known else "there are none"
