"""Fits of the best signatures of a screen, with a run folder's files for each.

Each signature is fitted as ``zpfit run`` fits the first charge set that has it: exact route, priors
of the run file, weighted draws of vegas. Its run file, its model file and its result lie in a
folder of their own, so that finished fits are reused and any of them can be repeated.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np

from zpfit.analysis.atlas.pairings import (
    chosen_pairing,
    model_content,
    pairing_with,
    run_content,
)
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.analysis.fit import fit
from zpfit.analysis.joint_sigma import joint_sigma_or_none
from zpfit.analysis.records import AtlasFitRecord
from zpfit.errors import Stopped
from zpfit.inference.problem import Problem
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_folder, write_text
from zpfit.io.yaml import dump_yaml
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs.executor_choice import ExecutorChoice
from zpfit.runs.run_file import load_run
from zpfit.runs.signals import REPEAT_TO_RESUME, listening
from zpfit.runs.workers import open_workers

RESULT: Final = "fit.json"
"""File with the result of one signature."""


@dataclass(frozen=True)
class SignatureFit:
    """Fit of one signature, as a worker gets it."""

    folder: Path
    name: str
    """Name of the run file without its suffix, and of the model."""
    signature: int
    integers: dict[str, int]
    first: int
    pairing: int
    chi2_screen: float

    @property
    def run_file(self) -> Path:
        """Run file of the fit."""
        return self.folder / f"{self.name}.yaml"


def prepare_fits(
    table: SignatureTable,
    numbers: Sequence[int],
    chi2: Sequence[float],
    data: LikelihoodSpec,
    folder: Path,
    seed: int,
) -> list[SignatureFit]:
    """Write the run file and the model file of each signature.

    Parameters
    ----------
    table
        The signatures.
    numbers
        Numbers of those that are fitted.
    chi2
        Least chi2 of each of them in the screen.
    data
        Choice of data.
    folder
        Folder for the fits, with a folder for each signature.
    seed
        Seed of each fit.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    return [
        _prepared(table, number, least, data, folder, seed)
        for number, least in zip(numbers, chi2, strict=True)
    ]


def _prepared(
    table: SignatureTable, number: int, chi2: float, data: LikelihoodSpec, folder: Path, seed: int
) -> SignatureFit:
    charges, first = table.example(number), int(table.first[number])
    integers = tuple(table.vectors[number].tolist())
    choice = pairing_with(charges, table.higgs, integers)
    pairing = chosen_pairing(first, charges, table.higgs, choice)
    name = f"atlas_{'' if table.neutrinos else 'sm_'}{first}"
    title = f"Signature {', '.join(map(str, integers))} of the atlas, charge set {first}"
    run = run_content(title, name, charges, pairing, data.content)
    run |= {"sampler": {"engine": "vegas"}, "seed": seed}
    own = folder / f"signature_{number}"
    make_folder(own / "models")
    found = SignatureFit(
        own, name, number, dict(zip(table.columns, integers, strict=True)), first, choice, chi2
    )
    write_text(found.run_file, dump_yaml(run))
    write_text(own / "models" / f"{name}.yaml", dump_yaml(model_content(title, charges, pairing)))
    return found


def run_fits(
    fits: Sequence[SignatureFit], choice: ExecutorChoice, progress: Progress
) -> Iterator[tuple[int, AtlasFitRecord]]:
    """Yield position and result of each fit; finished ones are read.

    Parameters
    ----------
    fits
        Result of :func:`prepare_fits`.
    choice
        Executor of the fits, which do not depend on it.
    progress
        Gets the stages.

    Raises
    ------
    FailedTasks
        Fits have failed.
    Stopped
        On SIGINT or SIGTERM; finished fits are reused when the command is repeated.
    """
    progress.stage(f"Fits of {len(fits)} signatures")
    with ExitStack() as stack:
        stop = stack.enter_context(listening())
        workers = stack.enter_context(open_workers(choice, stop))
        names = [f"signature {fit.signature}" for fit in fits]
        try:
            found = workers.run_all(fit_or_read, fits, names, "fits")
            for done, (index, record) in enumerate(found, 1):
                progress.update(done / len(fits), f"{done} of {len(fits)} fits")
                yield index, record
        except Stopped as error:
            raise Stopped(error.signal, error.number, REPEAT_TO_RESUME) from error


def fit_or_read(task: SignatureFit) -> AtlasFitRecord:
    """Return the result of a fit, from its folder if the same inputs gave it.

    Parameters
    ----------
    task
        The signature, whose files are written.

    Raises
    ------
    UnwritablePath
        The result cannot be written.
    """
    problem = load_run(task.run_file)
    inputs = _inputs(task, problem)
    path = task.folder / RESULT
    stored = _stored(path)
    if stored is not None and stored.get("inputs") == inputs:
        return stored
    record = _fitted(task, problem, inputs)
    write_text(path, json.dumps(record, indent=2, allow_nan=False) + "\n")
    return record


def _inputs(task: SignatureFit, problem: Problem) -> str:
    """Return a hash of everything that settles a fit."""
    model = task.folder / "models" / task.run_file.name
    content = task.run_file.read_bytes() + model.read_bytes() + problem.data_hash().encode()
    return hashlib.sha256(content).hexdigest()


def _stored(path: Path) -> AtlasFitRecord | None:
    """Return a stored result; None if there is none, or a damaged one."""
    try:
        return cast("AtlasFitRecord", json.loads(path.read_text()))
    except (OSError, ValueError):
        return None


def _fitted(task: SignatureFit, problem: Problem, inputs: str) -> AtlasFitRecord:
    posterior, settings = problem.posterior, problem.settings
    summary = fit(problem).summary
    best, evidence = summary["best_fit"], summary["evidence"]
    rng = np.random.default_rng([settings.seed, task.signature])
    joint, notes = joint_sigma_or_none(posterior, rng, settings.joint_sigma)
    at = None if joint is None else posterior.parameters(joint.u[None])
    return {
        "signature": task.signature,
        "integers": task.integers,
        "set": task.first,
        "pairing": task.pairing,
        "chi2_screen": task.chi2_screen,
        "chi2": best["chi2"],
        "parameters": dict(best["parameters"]),
        "joint_sigma": None if joint is None else joint.sigma,
        "joint_sigma_at": None if at is None else {n: float(row[0]) for n, row in at.items()},
        "log_z": evidence["log_z"],
        "log_z_error": evidence["error"],
        # Without a Z' there is no parameter, so that ln Z is ln L.
        "ln_bayes_factor": evidence["log_z"] + summary["no_zprime"]["chi2"] / 2,
        "shortcomings": [*summary["shortcomings"], *notes],
        "run_file": f"{task.folder.name}/{task.run_file.name}",
        "inputs": inputs,
    }
