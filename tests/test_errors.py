"""Check the exceptions: attributes, built-in base classes, pickling."""

import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest

from zpfit import errors
from zpfit.errors import InvalidInput, ProblemCollector, UnknownName, ZpfitError
from zpfit.io.yaml import read_yaml

FOLDER = Path("output/first")
EXAMPLES: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "InvalidInput": (ValueError, {"problems": ("a: wrong", "b: wrong")}),
    "UnreadableFile": (OSError, {"path": FOLDER, "reason": "Permission denied"}),
    "MissingFile": (FileNotFoundError, {"path": FOLDER, "reason": "No such file"}),
    "UnwritablePath": (OSError, {"path": FOLDER, "reason": "Permission denied"}),
    "StaleConclusions": (ValueError, {"path": FOLDER, "titles": ("Muons",)}),
    "InvalidYaml": (ValueError, {"path": FOLDER, "line": 3, "reason": "a tab"}),
    "InvalidCurve": (ValueError, {"path": FOLDER, "line": 3, "reason": "no number"}),
    "UnknownReference": (KeyError, {"name": "efective", "known": ("effective",)}),
    "UnknownName": (
        KeyError,
        {"kind": "model", "name": "dark", "known": ("effective", "sm_u1"), "place": "fit.yaml:1"},
    ),
    "ConflictingEntries": (ValueError, {"first": "a", "second": "b", "reason": "clash"}),
    "EmptyLikelihood": (ValueError, {"place": "fit.yaml"}),
    "OutsidePrior": (
        ValueError,
        {"parameter": "m_Zp", "value": 3.0, "support": "10 to 20", "place": "fit.yaml:1"},
    ),
    "UndefinedValue": (ValueError, {"source": "term 'a'", "point": "m_Zp = 1"}),
    "InvalidCode": (ValueError, {"kind": "model", "name": "mine", "reason": "is not found"}),
    "InvalidObservable": (ValueError, {"observable": "mine", "reason": "returned text"}),
    "InvalidModel": (ValueError, {"model": "mine", "reason": "takes no arguments"}),
    "ModelNeverValid": (ValueError, {"model": "mine", "draws": 100, "least": {"width": 3.0}}),
    "NoAllowedPoint": (RuntimeError, {"evaluations": 100, "found": 2}),
    "FailedRefit": (RuntimeError, {"statistic": "chi2", "expected": 7.5}),
    "PoorProposal": (RuntimeError, {"effective": 3.0, "wanted": 100}),
    "WrongType": (TypeError, {"place": "n", "value": 2.5, "expected": "an integer"}),
    "NoStructure": (ValueError, {"name": "mine", "reason": "it declares no relation"}),
    "NoAnomalies": (ValueError, {"likelihood": "mine"}),
    "NoSamplingDistribution": (ValueError, {"entry": "table"}),
    "ToysMismatch": (FileExistsError, {"path": FOLDER, "difference": "seed"}),
    "ModelsNotNested": (ValueError, {"nested": FOLDER, "reason": "another likelihood"}),
    "AmbiguousReference": (ValueError, {"model": "sm_u1", "likelihood": "today_cs"}),
    "RunFolderExists": (FileExistsError, {"path": FOLDER}),
    "FilesExist": (FileExistsError, {"path": FOLDER, "names": ("a.json",)}),
    "UnrelatedFilesExist": (FileExistsError, {"path": FOLDER, "names": ("a.json",)}),
    "RunNotFound": (FileNotFoundError, {"path": FOLDER, "missing": "summary.json"}),
    "ChangedData": (FileNotFoundError, {"path": FOLDER}),
    "Stopped": (ZpfitError, {"signal": "SIGTERM", "number": 15, "remedy": "resume it"}),
    "UnfinishedRun": (FileExistsError, {"path": FOLDER}),
    "DamagedRecord": (ValueError, {"path": FOLDER, "reason": "no number"}),
    "UnusableFolder": (
        ValueError,
        {"path": Path("fits"), "content": "is empty", "usable": ("run",)},
    ),
    "NoRunToResume": (FileNotFoundError, {"path": FOLDER}),
    "OtherProof": (FileExistsError, {}),
    "RunMismatch": (FileExistsError, {"path": FOLDER, "difference": "seed"}),
    "OtherStore": (FileExistsError, {"path": FOLDER, "store": "folders"}),
    "FolderInUse": (OSError, {"path": FOLDER}),
    "DamagedCheckpoint": (ValueError, {"path": FOLDER, "reason": "no zip file"}),
    "UnsafeCheckpoint": (ValueError, {"reason": "os.system"}),
    "ChangedLikelihood": (
        ValueError,
        {"path": FOLDER, "kept": -1.0, "now": -2.0, "point": "m_Zp = 1"},
    ),
    "MissingExtra": (ImportError, {"module": "dask", "extra": "dask", "reason": "not found"}),
    "WrongSuffix": (ValueError, {"path": FOLDER, "suffix": ".html"}),
    "PortInUse": (OSError, {"host": "127.0.0.1", "port": 80, "reason": "in use"}),
    "SchedulerUnreachable": (ConnectionError, {"address": "tcp://x:1", "reason": "timeout"}),
    "MultithreadedWorkers": (RuntimeError, {"address": "tcp://x:1"}),
    "FailedTasks": (RuntimeError, {"failures": {"a": "failed"}, "of": 3, "kind": "fits"}),
    "WorkerKilled": (RuntimeError, {}),
}


def test_every_exception_has_an_example() -> None:
    found = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, ZpfitError) and kind.__module__ == errors.__name__
    }
    assert found - {"ZpfitError"} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_exception_keeps_its_data_and_survives_pickling(name: str) -> None:
    base, given = EXAMPLES[name]
    error = getattr(errors, name)(**given)
    error.add_note("a note")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    for found in (error, copy):
        assert isinstance(found, ZpfitError)
        assert isinstance(found, base)
        for key, value in given.items():
            assert getattr(found, key) == value
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert str(error)
    assert not str(error).startswith(("'", '"'))  # as a KeyError would show it
    assert copy.__notes__ == ["a note"]


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.yaml: cannot be read"):
        read_yaml(tmp_path / "none.yaml")


def test_collected_problems_keep_their_exceptions() -> None:
    problems = ProblemCollector()
    with problems.collecting():
        raise UnknownName("model", "dark", ["effective"])
    with problems.collecting():
        raise InvalidInput(["a: wrong"], [UnknownName("entry", "x", [])])
    with pytest.raises(InvalidInput) as caught:
        problems.raise_if_any()
    assert [cause.name for cause in caught.value.causes] == ["dark", "x"]
    assert len(caught.value.problems) == 2


def test_problems_of_other_kinds_are_left_out() -> None:
    problems = ProblemCollector()
    with problems.collecting(UnknownName):
        raise InvalidInput(["a: wrong", "unknown entry"], [UnknownName("entry", "x", ["y"])])
    with problems.collecting(UnknownName):
        raise InvalidInput(["b: wrong"])
    assert problems.found == ["unknown entry 'x'; known: y"]
