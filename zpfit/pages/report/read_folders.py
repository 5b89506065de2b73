"""The contents of folders, read and checked: runs, comparisons, campaigns."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zpfit.analysis.records import CampaignRecord, FitSummary, WrittenComparisonRow
from zpfit.errors import (
    ChangedData,
    DamagedRecord,
    InvalidInput,
    ProblemCollector,
    RunNotFound,
    UnfinishedRun,
)
from zpfit.inference.problem import Problem
from zpfit.inference.samplers.result import StoredSamples
from zpfit.likelihood.library import LoadedEntry
from zpfit.runs.bibliography import Reference, bibliography
from zpfit.runs.campaign_store import RUNS
from zpfit.runs.folder_kinds import CAMPAIGN, COMPARISON, RUN, UNFINISHED, require_kind
from zpfit.runs.records import read_record
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

_SUMMARY, _COMPARISON, _CAMPAIGN = "summary.json", "compare.json", "campaign.json"


@dataclass(frozen=True)
class Data:
    """Entries of the data and their files."""

    entries: tuple[LoadedEntry, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class RunContent:
    """A finished run."""

    name: str
    path: Path
    summary: FitSummary
    run: Problem
    samples: StoredSamples
    cross_checked: bool
    data: Data


@dataclass(frozen=True)
class ComparisonContent:
    """A comparison, and the data of its runs as far as their folders exist."""

    name: str
    path: Path
    rows: list[WrittenComparisonRow]
    runs: dict[str, Path]
    """Folders of the runs."""
    versions: dict[str, str]
    data: Data


@dataclass(frozen=True)
class CampaignContent:
    """A campaign, and the data of its fits."""

    name: str
    path: Path
    record: CampaignRecord
    versions: dict[str, str]
    data: Data


Content = RunContent | ComparisonContent | CampaignContent


def read_contents(folders: Sequence[Path]) -> list[Content]:
    """Read the contents of some folders, in their order.

    Raises
    ------
    InvalidInput
        A folder has problems; the message lists those of all folders.
    """
    problems, found = ProblemCollector(), []
    names = [path.resolve().name for path in folders]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"{name!r} is given twice; folders of one page need names of their own")
    for path, name in zip(folders, names, strict=True):
        with problems.collecting():
            found += _contents(path, name)
    problems.raise_if_any()
    return found


def _contents(path: Path, name: str) -> list[Content]:
    """Return the contents of one folder, which can hold several kinds."""
    require_kind(path, RUN, UNFINISHED, COMPARISON, CAMPAIGN)
    found: list[Content] = []
    if (path / _CAMPAIGN).is_file():
        found.append(_campaign(path, name))
    if (path / _COMPARISON).is_file():
        found.append(_comparison(path, name))
    if (path / _SUMMARY).is_file() or RunFolder(path).is_unfinished:
        found.append(_run(RunFolder(path), name))
    return found


def _run(folder: RunFolder, name: str) -> RunContent:
    if folder.is_unfinished:
        raise UnfinishedRun(folder.path)
    summary = read_record(FitSummary, folder.path / _SUMMARY)
    run = load_run(folder.config_path)
    if run.data_hash() != folder.summary().get("data_hash"):
        raise ChangedData(folder.path)
    _check_names(folder, summary, run)
    samples = folder.samples()
    cross_checked = bool(folder.fingerprint().get("cross_check"))
    references = tuple(bibliography([str(folder.path)]))
    data = Data(tuple(run.assembled.entries), references)
    return RunContent(name, folder.path, summary, run, samples, cross_checked, data)


def _check_names(folder: RunFolder, summary: FitSummary, run: Problem) -> None:
    """Check that summary and run file belong to one run."""
    missing = set(run.posterior.priors.by_name) - set(summary["best_fit"]["parameters"])
    if missing or set(summary["posterior"]) - set(run.posterior.priors.varying):
        raise RunNotFound(folder.path, "a summary that goes with its config.yaml")


def _comparison(path: Path, name: str) -> ComparisonContent:
    rows = read_record(list[WrittenComparisonRow], path / _COMPARISON)
    if not rows:
        raise DamagedRecord(path / _COMPARISON, "it has no rows")
    runs = {row["run"]: folder for row in rows if (folder := _folder_of(row, path)) is not None}
    folders = tuple(runs.values())
    return ComparisonContent(name, path, rows, runs, _versions(folders), _data(folders))


def _folder_of(row: WrittenComparisonRow, path: Path) -> Path | None:
    """Return the folder of a compared run; None if it is gone or holds another fit."""
    folder = Path(os.path.normpath(path / (row.get("folder") or f"{RUNS}/{row['run']}")))
    if not RunFolder(folder).is_finished:
        return None
    now = read_record(FitSummary, folder / _SUMMARY)
    return folder if now["best_fit"]["chi2"] == row["best_fit_chi2"] else None


def _campaign(path: Path, name: str) -> CampaignContent:
    record = read_record(CampaignRecord, path / _CAMPAIGN)
    # Data depend on these labels alone.
    first = {
        (fit["runs"], fit["data"], fit["overrides"]): fit["name"]
        for fit in reversed(record["fits"])
    }
    runs = [path / RUNS / fit for fit in first.values()]
    missing = [str(run) for run in runs if not RunFolder(run).is_finished]
    if missing:
        raise InvalidInput([f"{run}: is gone; repeat the campaign to fit it" for run in missing])
    return CampaignContent(name, path, record, _versions(runs), _data(runs))


def _versions(runs: Sequence[Path]) -> dict[str, str]:
    """Return versions of the packages of runs; several where they differ."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for package, version in read_record(FitSummary, run / _SUMMARY)["versions"].items():
            found.setdefault(package, {})[version] = None
    return {package: " and ".join(versions) for package, versions in found.items()}


def _data(runs: Sequence[Path]) -> Data:
    if not runs:
        return Data((), ())
    entries = {
        entry.name: entry
        for folder in runs
        for entry in load_run(RunFolder(folder).config_path).assembled.entries
    }
    return Data(tuple(entries.values()), tuple(bibliography([str(run) for run in runs])))
