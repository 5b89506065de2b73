"""Test checkpoints: every state of every sampler, and their files."""

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from resuming import small_batches

from zpfit.errors import DamagedCheckpoint, UnsafeCheckpoint
from zpfit.inference.checkpoint import State
from zpfit.inference.progress import SILENT
from zpfit.inference.samplers.dynesty import nested_sampling
from zpfit.inference.samplers.dynesty_state import frozen, revived
from zpfit.inference.samplers.emcee_chains import ChainOptions, run_chains
from zpfit.inference.samplers.engine import SamplingTask
from zpfit.inference.samplers.importance import Target, integrate
from zpfit.inference.samplers.peak_search import PeakOptions
from zpfit.inference.samplers.peaks import add_peaks
from zpfit.inference.samplers.proposal_map import MixtureMap
from zpfit.inference.samplers.vegas_map import MapOptions, adapt_map
from zpfit.inference.search.best_fit import SearchOptions, find_minimum
from zpfit.io.writing import partial_path
from zpfit.runs.checkpoint_files import CheckpointFiles, _write


@pytest.fixture(autouse=True)
def small_sizes() -> Iterator[None]:
    """Let samplers save several times within a second."""
    with small_batches():
        yield


class Interrupted(Exception):
    """The test has interrupted a sampler after a number of saves."""


@dataclass
class Interrupting:
    """Write every state to a file, and interrupt after a number of them."""

    files: CheckpointFiles
    left: list[int]

    def load(self) -> State | None:
        return self.files.load()

    def part(self, name: str) -> "Interrupting":
        return Interrupting(self.files.part(name), self.left)

    def save(self, state: Callable[[], State]) -> None:
        _write(self.files._path, state())
        self.left[0] -= 1
        if self.left[0] == 0:
            raise Interrupted

    def finish(self, state: Callable[[], State]) -> None:
        _write(self.files._path, state())


WALL = 1.5


def log_likelihood(u: np.ndarray) -> np.ndarray:
    """Return ln L of two ridges, with one corner excluded."""
    ridges = np.logaddexp(
        -0.5 * ((u[:, 0] * u[:, 1] - 0.2) / 0.02) ** 2, -0.5 * ((u[:, 0] - 0.7) / 0.05) ** 2
    )
    return np.where(u.sum(axis=1) > WALL, -np.inf, ridges)


def residuals(u: np.ndarray, wall: float) -> np.ndarray:
    smooth = np.stack([np.sin(9 * u[:, 0]) + u[:, 1], 3 * u[:, 1] - np.cos(7 * u[:, 0])], axis=1)
    beyond = wall * np.maximum(u.sum(axis=1) - 1.2, 0)
    return np.column_stack([smooth, beyond])


def objective(u: np.ndarray) -> np.ndarray:
    chi2 = (residuals(u, 0.0) ** 2).sum(axis=1)
    return np.where(u.sum(axis=1) > 1.2, np.inf, chi2)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


MAPS = MapOptions(batch=5_000)
PEAKS = PeakOptions(batch=2_000, prior_batches=4, map_batches=2, starts=20, fitted=500)
SEARCH = SearchOptions(kept=5, descent_steps=10)
CHAINS = ChainOptions(kept_at_once=10, max_kept_steps=200)


@cache
def _mixture() -> MixtureMap:
    return MixtureMap(
        tuple(adapt_map(log_likelihood, 2, child, options=MAPS) for child in rng().spawn(2))
    )


def _adapt(checkpoint: Any) -> Any:
    return adapt_map(log_likelihood, 2, rng(), checkpoint, MAPS)


def _peaks(checkpoint: Any) -> Any:
    task = SamplingTask(log_likelihood, 2, 100)
    found = add_peaks(task, _mixture(), rng(), checkpoint, options=PEAKS)
    return found.log_density(np.random.default_rng(1).random((100, 2)))


def _integrate(checkpoint: Any) -> Any:
    target = Target(1e-3, 0.0, 100_000)
    return integrate(log_likelihood, _mixture(), rng(), target, SILENT, checkpoint, 10_000)


def _sample(checkpoint: Any) -> Any:
    starts = rng().random((2, 8, 2)) * 0.7
    return run_chains(
        log_likelihood, _mixture(), starts, 10**6, 600, rng(), SILENT, checkpoint, CHAINS
    )


def _nested(checkpoint: Any) -> Any:
    return nested_sampling(log_likelihood, 2, 50, 0.1, rng(), SILENT, checkpoint)


def _minimum(checkpoint: Any) -> Any:
    starts = rng().random((20, 2))
    return find_minimum(residuals, objective, starts, rng(), None, checkpoint, SEARCH)


SAMPLERS = {
    "adapt_map": _adapt,
    "add_peaks": _peaks,
    "integrate": _integrate,
    "sample": _sample,
    "nested_sampling": _nested,
    "find_minimum": _minimum,
}


def bits(value: Any) -> Any:
    """Return the content of a result, comparable to the last bit."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, tuple | list):
        return [bits(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: bits(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def interrupted(compute: Callable[[Any], Any], folder: Path, every: int) -> tuple[Any, int]:
    """Interrupt after every ``every`` saves; return result and number of interruptions."""
    files, number = CheckpointFiles(folder, 0.0), 0
    while True:
        try:
            return compute(Interrupting(files, [every])), number
        except Interrupted:
            number += 1


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n == "nested_sampling")) for n in SAMPLERS],
)
def test_every_state_leads_to_the_same_numbers(tmp_path: Path, name: str):
    """A chain of interruptions passes through every state; dynesty has hundreds."""
    compute = SAMPLERS[name]
    expected = bits(compute(CheckpointFiles(tmp_path / "none", 1e9)))
    for every in {"find_minimum": (2, 3), "nested_sampling": (23,)}.get(name, (1, 2)):
        folder = tmp_path / f"{every}"
        result, number = interrupted(compute, folder, every)
        assert number >= 2
        assert bits(result) == expected
        assert bits(compute(Interrupting(CheckpointFiles(folder, 0.0), [0]))) == expected


@pytest.mark.slow
def test_every_single_state_of_dynesty(tmp_path: Path):
    expected = bits(_nested(CheckpointFiles(tmp_path / "none", 1e9)))
    result, number = interrupted(_nested, tmp_path / "states", 1)
    assert number > 200
    assert bits(result) == expected


# Files of checkpoints


def test_states_come_back_as_they_were(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 0.0, name="a").part("b")
    state = {
        "array": np.array([[1.5, -np.inf], [np.nan, 0.1]]),
        "bits": np.array([True, False]),
        "list": [np.arange(3), {"deep": b"\x00\xff", "none": None}],
        "big": 2**120,
        "inf": np.inf,
        "scalar": np.float64(0.1),
        "text": "é",
        "tuple": (1, 2),
    }
    assert files.load() is None
    files.save(lambda: state)
    assert (tmp_path / "a-b.npz").exists()
    found = files.load()
    np.testing.assert_array_equal(found["array"], state["array"])
    assert found["bits"].dtype == bool
    assert found["list"][1] == state["list"][1]
    assert (found["big"], found["inf"], found["scalar"]) == (2**120, np.inf, 0.1)
    assert (found["text"], found["tuple"]) == ("é", [1, 2])


def test_saves_keep_their_distance(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 1e3, name="rare")
    files.save(lambda: {"x": 1})
    files.finish(lambda: {"x": 2})
    assert files.load() is None
    often = CheckpointFiles(tmp_path, 0.0, name="often")
    often.save(lambda: {"x": 1})
    often.save(lambda: {"x": 2})  # a write takes longer than the interval
    assert often.load() == {"x": 1}
    often.finish(lambda: {"x": 3})
    assert often.load() == {"x": 3}


def test_a_file_that_a_kill_has_left_incomplete_is_no_checkpoint(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 0.0, name="state")
    files.save(lambda: {"u": np.zeros((3, 2)), "log_likelihood": np.arange(3.0)})
    partial_path(tmp_path / "state.npz").touch()
    [(path, u, log_likelihood)] = files.points()
    assert (path.name, u.shape, log_likelihood.tolist()) == ("state.npz", (3, 2), [0, 1, 2])


def test_a_flipped_byte_is_found_or_does_no_harm(tmp_path: Path):
    files = CheckpointFiles(tmp_path, 0.0, name="state")
    state = {"x": np.arange(50.0), "text": "abc", "n": 2**100, "bytes": b"pickle"}
    files.save(lambda: state)
    path = tmp_path / "state.npz"
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for position in rng.choice(len(data), 400, replace=False):
        flipped = bytearray(data)
        flipped[position] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        try:
            found = files.load()
        except DamagedCheckpoint:
            continue
        assert str(found) == str(state)


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"garbage",
        pickle.dumps(os.system),
        pickle.dumps(eval),
        b"\x80\x04\x8c\x0ddynesty.utils\x8c\x0cpickle.loads\x93.",
        b"\x80\x04\x8c\x0edynesty.dynesty\x8c\x12traceback.sys.exit\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x04load\x93.",
        b"\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93.",
        b"\x80\x04K\x07Q.",
        b"\x80\x04\x8c\x01xQ.",
    ],
)
def test_states_that_hold_more_than_a_sampler(state: bytes):
    with pytest.raises(UnsafeCheckpoint, match="replace the run"):
        revived(state, len)


def test_functions_are_left_out_and_put_back():
    state = frozen([np.arange(3.0), len, repr], len, repr)
    assert b"repr" not in state
    array, first, second = revived(state, max, min)
    assert array.tolist() == [0, 1, 2]
    assert (first, second) == (max, min)
