"""Checkpoints that are changed, damaged or foreign are refused."""

import os
import pickle
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from resuming import (
    RUN,
    Command,
    assert_mentions,
    at_stage,
    checkpoint_files,
    contents,
    run,
    sent,
    zpfit,
)

from zpfit.runs.checkpoint_files import CheckpointFiles, _write
from zpfit.runs.run_folder import RunFolder

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]


def with_points(place: Path) -> Path:
    return next(path for path in checkpoint_files(place) if path.stem.endswith("integral"))


@pytest.mark.parametrize("name", ["log_likelihood", "u"])
def test_changed_log_likelihoods(rejected: Command, own: Path, name: str):
    path = with_points(own)
    files = CheckpointFiles(path.parent, 0.0, name=path.stem)
    state = dict(files.load())
    state[name] = state[name] * (1 + 1e-6)
    _write(path, state)
    before = contents(own / "out/.unfinished")
    message = rejected(*run("--resume"))
    assert_mentions(message, path.name, "ln L was", "and is", "m_Zp =", "g =", "--force")
    assert contents(own / "out/.unfinished") == before


def test_unchanged_log_likelihoods(own: Path):
    folder = own / "out/.unfinished/checkpoints"
    found = [len(u) for _, u, _ in CheckpointFiles(folder, 0.0).points()]
    assert len(found) >= 2
    assert sum(found) > 1000
    assert min(found) >= 20  # the search for peaks keeps the draws that stand out most


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "text", "array", "object"])
@pytest.mark.parametrize("which", [0, -1])
def test_a_damaged_checkpoint(rejected: Command, own: Path, damage: str, which: int):
    path = checkpoint_files(own)[which]
    data = path.read_bytes()
    if damage == "array":
        np.save(path.with_suffix(".npy"), np.zeros(3))
        path.with_suffix(".npy").replace(path)
    elif damage == "object":
        np.savez(path, json=np.array([os.system], dtype=object))
    else:
        texts = {"cut": data[: len(data) // 2], "empty": b"", "garbage": os.urandom(len(data))}
        path.write_bytes(texts.get(damage, b"hello\n"))
    assert_mentions(rejected(*run("--resume")), path.name, "damaged", "--force")
    assert RunFolder(own / "out").is_unfinished


class Stranger:
    """Object that no state of a sampler contains."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


def test_a_state_from_a_stranger_runs_no_code(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(RUN.replace("emcee", "dynesty"))
    at = at_stage("Searching the best fit", sent(signal.SIGKILL))
    assert zpfit(workspace, *run(), hooks=(at,)).ended() == -signal.SIGKILL
    [path] = [path for path in checkpoint_files(workspace) if path.stem.endswith("nested")]
    state = dict(CheckpointFiles(path.parent, 0.0, name=path.stem).load())
    state["sampler"] = pickle.dumps(Stranger(workspace / "bad"))
    _write(path, state)
    assert_mentions(rejected(*run("--resume")), "dynesty", "system", "--force")
    assert not (workspace / "bad").exists()
    assert RunFolder(workspace / "out").is_unfinished
