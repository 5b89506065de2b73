"""Cases of bad input, and the conditions that every command must meet with them."""

import contextlib
import signal
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from fuzz_mutations import RANDOM, damaged, restructured, retabulated
from fuzz_seeds import (
    Seed,
    curve_seeds,
    entry_seeds,
    model_seeds,
    prior_seeds,
    run_seeds,
    set_seeds,
    slice_seeds,
)
from hypothesis import strategies as st

from zpfit.cli import cli

PATIENCE, LONG_PATIENCE = 300, 300
"""Seconds after which a check and a run count as hanging."""

TINY = {
    "sampler.engine": "emcee",
    "sampler.ensembles": "2",
    "sampler.walkers": "32",
    "sampler.max_steps": "40",
    "sampler.target_ess": "10",
    "vegas.adaptations": "2",
    "vegas.max_evaluations": "300000",
    "best_fit.starts": "50",
}
"""Options with which any run takes a second or two."""


@dataclass(frozen=True)
class Case:
    """Return a seed with another content."""

    seed: Seed
    data: bytes


def _cases(seeds: Sequence[Seed], *ways: Any) -> st.SearchStrategy[Case]:
    def of(chosen: tuple[Seed, Any]) -> st.SearchStrategy[Case]:
        seed, way = chosen
        return way(seed.text).map(lambda data: Case(seed, data))

    # st.one_of would inspect the mutations and draw the simplest most often.
    return st.tuples(st.sampled_from(seeds), st.sampled_from(ways)).flatmap(of)


def _anything(_: str) -> st.SearchStrategy[bytes]:
    return RANDOM


_YAML = (*[restructured] * 8, *[damaged] * 2, _anything)
_TABLES = (*[retabulated] * 8, *[damaged] * 2, _anything)
SEEDS = {
    "run files": run_seeds(),
    "entries": entry_seeds(),
    "curves": curve_seeds(),
    "sets": set_seeds(),
    "priors": prior_seeds(),
    "models": model_seeds(),
    "slices": slice_seeds(),
}
"""Seeds by the kind of the mutated file."""
CASES = {
    kind: _cases(seeds, *(_TABLES if kind == "curves" else _YAML)) for kind, seeds in SEEDS.items()
}


# Required behaviour


class Hangs(BaseException):
    """A command takes too long; zpfit does not catch this exception."""


@contextlib.contextmanager
def _watched(patience: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(patience)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def laid_out(case: Case) -> Iterator[Path]:
    """Create a folder with the files of a case, and make it the current one."""
    files = {name: text.encode() for name, text in case.seed.beside.items()}
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        for path, data in {**files, case.seed.path: case.data}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        yield folder


def invoke(*arguments: str, patience: int = PATIENCE) -> Result:
    """Run a command in process, with a time limit."""
    with _watched(patience):
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli, list(arguments))


def assert_clear(result: Result, *, names: Sequence[str] = ()) -> None:
    """Check that the command succeeded, or reported the fault and its place."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 2}, result.output
    if result.exit_code == 2:
        lines = result.stderr.splitlines()
        assert any(line.startswith(("error: ", "Error: ")) for line in lines), result.stderr
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        assert not names or any(name in result.stderr for name in names), result.stderr


def check(case: Case, patience: int = PATIENCE) -> bool:
    """Return True if a case is valid; otherwise check that it is refused clearly."""
    with laid_out(case):
        result = invoke(*case.seed.command, patience=patience)
    beside = str(Path(case.seed.path).parent)
    assert_clear(result, names=(case.seed.path, case.seed.command[-1], f"{beside}/"))
    return result.exit_code == 0


def check_run(case: Case) -> bool:
    """Return True if a case runs; otherwise check that the folder holds no results."""
    options = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    with laid_out(case) as folder, warnings.catch_warnings():
        # If a posterior is too narrow for the sampler's map, NumPy warns as well.
        warnings.simplefilter("ignore", RuntimeWarning)
        result = invoke("run", "fit.yaml", "--output", "out", *options, patience=LONG_PATIENCE)
        assert_clear(result)
        left = {path.name for path in (folder / "out").rglob("*")}
    assert ("summary.json" in left) == (result.exit_code == 0)
    assert not [name for name in left if name.startswith(".partial")]
    return result.exit_code == 0
