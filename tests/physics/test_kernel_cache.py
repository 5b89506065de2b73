"""Test compiled formulas on disk: many processes that start together, edits, read-only places."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from zpfit.physics import kernel_cache as module
from zpfit.physics import ufunc_loops

CHI2 = (
    "from zpfit.likelihood.build import LikelihoodSpec, assemble; "
    "from zpfit.io.library import Library; "
    "from zpfit.physics.couplings import Couplings; import numpy as np; "
    "chosen = assemble(LikelihoodSpec(set='paper_2021_cs'), Library.beside()).likelihood; "
    "print(chosen.chi2(Couplings(*np.full((10, 3), 1e-9)))[0])"
)


def start(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHI2],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_processes_that_start_together(tmp_path):
    """Without a lock these and all later processes die of a segmentation fault (numba #10128)."""
    together = []
    for _ in range(3):
        together.append(start(tmp_path))
        time.sleep(0.3)
    outputs = [process.communicate() for process in [*together, start(tmp_path)]]
    assert [process.returncode for process in together] == [0, 0, 0], outputs
    assert len(set(outputs)) == 1
    assert outputs[0][1] == ""


@pytest.mark.slow
def test_no_folder_can_be_written(tmp_path):
    file = tmp_path / "file"
    file.touch()
    process = start(file)
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert float(output) > 0


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PYCACHE", tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    module._folder.cache_clear()
    yield tmp_path
    module._folder.cache_clear()


def test_what_earlier_sources_left_is_removed(own_folder):
    (own_folder / "zpfit-0123").mkdir()
    (own_folder / "other").mkdir()
    with module.kernel_cache(len) as cached:
        assert cached
    names = {path.name for path in own_folder.iterdir()}
    assert names == {"other", f"zpfit-{module._digest()}"}


def test_what_is_complete_needs_no_lock(own_folder):
    with module.kernel_cache(len):
        pass
    _, lock = module._folder()
    with lock, module.kernel_cache(len):
        assert lock.lock_counter == 1
    with module.kernel_cache(abs):
        assert lock.lock_counter == 1
    assert lock.lock_counter == 0


def test_what_fails_is_not_complete(own_folder):
    with pytest.raises(ValueError, match="mine"), module.kernel_cache(len):
        raise ValueError("mine")
    assert not list(own_folder.glob("*/*.complete"))


def square_sum(x, y):
    return x * x + y * y


def test_loops_of_ufuncs_are_read_from_disk(own_folder, monkeypatch):
    """Compiling them anew took longer than anything else that a process does at its start."""

    def compiled():
        with module.kernel_cache(square_sum) as cached:
            return ufunc_loops.vectorize("f8(f8,f8)", cache=cached)(square_sum)

    first = compiled()
    monkeypatch.setattr(ufunc_loops._wrappers, "build_ufunc_wrapper", None)
    again = compiled()
    x = np.arange(8.0)
    for ufunc in (first, again):
        assert ufunc(x, 3.0).tolist() == (x**2 + 9).tolist()
        assert ufunc(x[::2], x[1::2]).tolist() == [1.0, 13.0, 41.0, 85.0]


def test_the_users_folder_comes_first(own_folder, monkeypatch, tmp_path_factory):
    chosen = tmp_path_factory.mktemp("chosen")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(chosen))
    with module.kernel_cache(len):
        assert str(chosen / f"zpfit-{module._digest()}") == module.numba.config.CACHE_DIR
    assert list(own_folder.iterdir()) == []


def test_copies_of_the_package_do_not_share_a_folder(monkeypatch, tmp_path):
    """Two copies with one folder would compile a formula together, and crash when they load it."""
    shutil.copytree(
        module._PACKAGE, tmp_path / "zpfit", ignore=shutil.ignore_patterns("__pycache__")
    )
    own = module._digest()
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "zpfit")
    assert module._digest() != own


def test_every_file_with_formulas_is_in_the_name_of_the_cache():
    """A proof that ran stale code after an edit would prove nothing."""
    root = Path(module.__file__).parent.parent
    decorated = re.compile(r"^@(rigorous|inline|rounded_ufunc|ufunc|gufunc|loop)\b", re.MULTILINE)
    files = [path for path in root.rglob("*.py") if decorated.search(path.read_text("utf-8"))]
    folders = {path.parent.relative_to(root).as_posix() for path in files}
    assert folders == set(module.COMPILED)
