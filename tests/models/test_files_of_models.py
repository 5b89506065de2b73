"""The files that a Python model depends on: modules beside it, and data that it reads."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers_models import MASS, SMALL, G, assert_mentions, fit_file, write

from zpfit.io.python_files import modules_beside
from zpfit.runs.run_file import load_run

MODEL = """\
from pathlib import Path
import numpy as np
import own_scales as scales
TABLE = np.loadtxt(Path(__file__).with_name("table.dat"))

def mine(m_Zp, g):
    from own_package.parts import half
    return {"C_Vmu": scales.SCALE * float(TABLE) * half(g)}
"""
PARTS = "from .more import TWO\n\ndef half(x):\n    return x / TWO\n"


def written(folder: str, scale: float = 1.0, table: float = 1.0) -> Path:
    """A run whose coupling is scale * table * g / 2."""
    write(f"{folder}/my.py", MODEL)
    write(f"{folder}/own_scales.py", f"import math\nSCALE = {scale}\n")
    write(f"{folder}/own_package/__init__.py", "")
    write(f"{folder}/own_package/parts.py", PARTS)
    write(f"{folder}/own_package/more.py", "TWO = 2.0\n")
    write(f"{folder}/table.dat", f"{table}\n")
    model = "{python: 'my.py:mine', files: [table.dat]}"
    return fit_file(model, MASS + G, f"{folder}/fit.yaml")


def coupling(path: Path) -> float:
    point = {"m_Zp": np.array([20.0]), "g": np.array([1e-3])}
    return float(load_run(path).posterior.model.couplings(point).C_Vmu[0])


def test_a_run_depends_on_what_its_model_imports_and_reads(workspace):
    run = load_run(written("a"))
    assert next(iter(run.model_files)) == "my.py"
    assert set(run.model_files) == {
        "my.py",
        "own_scales.py",
        "own_package/__init__.py",
        "own_package/parts.py",
        "own_package/more.py",
        "table.dat",
    }
    before = run.data_hash()
    for name in run.model_files:
        path = workspace / "a" / name
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert load_run(workspace / "a" / "fit.yaml").data_hash() != before
        path.write_bytes(content)
    assert load_run(workspace / "a" / "fit.yaml").data_hash() == before


@pytest.mark.usefixtures("workspace")
def test_modules_are_those_beside_the_model_as_they_are_now():
    first, second = written("a", scale=1.0), written("b", scale=3.0, table=2.0)
    assert coupling(first) == pytest.approx(5e-4)
    assert coupling(second) == pytest.approx(30e-4)
    assert coupling(first) == pytest.approx(5e-4)
    # An edit of the same length within the same second, which Python's cache would miss.
    write("a/own_scales.py", "import math\nSCALE = 7.0\n")
    assert coupling(first) == pytest.approx(35e-4)


def test_modules_of_python_and_of_zpfit_are_not_beside_a_model(workspace):
    for name in ("json", "zpfit", "unused"):
        write(f"{name}.py", "")
    path = write("my.py", "import json\nimport zpfit\nimport absent\nfrom . import unused\n")
    assert modules_beside(path) == {}
    assert modules_beside(write("broken.py", "import (")) == {}
    assert modules_beside(workspace / "missing.py") == {}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("{python: 'my.py:mine', files: [absent.dat]}", ["'absent.dat'", "no file"]),
        ("{python: 'my.py:mine', files: [../table.dat]}", ["'../table.dat'", "must lie in"]),
        ("{python: 'math:sin', files: [table.dat]}", ["lists files", "file.py"]),
        ("{name: effective, files: [table.dat]}", ["files are for Python models only"]),
    ],
)
def test_lists_of_files_that_cannot_be(rejected, model, words):
    written("a")
    shutil.copy("a/table.dat", "table.dat")
    path = fit_file(model, MASS + G, "a/fit.yaml")
    assert_mentions(rejected("validate", path), "fit.yaml:1", *words)


READ = 'np.loadtxt(Path(__file__).with_name("table.dat"))'


@pytest.mark.parametrize(
    ("table", "read"), [(READ, "TABLE"), ("None", READ), ("None", 'open("table.dat").read()')]
)
@pytest.mark.usefixtures("workspace")
def test_a_missing_file_that_a_model_reads_is_to_be_listed(rejected, table, read):
    """When the module is imported, and when the function is called."""
    path = written("a")
    code = MODEL.replace(READ, table).replace("float(TABLE)", f"float({read})")
    write("a/my.py", code)
    Path("a/table.dat").unlink()
    text = path.read_text(encoding="utf-8").replace(", files: [table.dat]", "")
    path.write_text(text, encoding="utf-8")
    assert_mentions(
        rejected("validate", path), "my.py", "table.dat", "list it under files: next to python:"
    )


@pytest.mark.usefixtures("quick_fits")
def test_run_folders_repeat_their_runs_and_export_them(accepted, rejected, invoke, workspace):
    path = written("a", scale=2.0)
    accepted("run", path, *SMALL, "--output", "first")
    write("a/own_scales.py", "import math\nSCALE = 9.0\n")
    assert "files.own_scales.py was SHA-256" in rejected(
        "run", path, *SMALL, "--output", "first", "--resume"
    )
    shutil.rmtree("a")
    accepted("run", "first/config.yaml", "--output", "second")
    fits = [
        json.loads((workspace / name / "summary.json").read_text()) for name in ("first", "second")
    ]
    assert fits[0]["best_fit"] == fits[1]["best_fit"]
    accepted("export", "second", "--to", "csv")
    assert "C_Vmu" in header(workspace / "second" / "export" / "second.csv")
    # Exports need the samples alone.
    shutil.rmtree("second/data")
    for form in ("csv", "getdist", "arviz"):
        result = invoke("export", "second", "--to", form, "--force")
        assert result.exit_code == 0
        assert "the model cannot be loaded" in result.stderr
    names = header(workspace / "second" / "export" / "second.csv")
    assert names == "chain,weight,log_likelihood,m_Zp,g"
    ranges = (workspace / "second" / "export" / "second.ranges").read_text().split()
    assert [float(x) for x in ranges[1::3] + ranges[2::3]] == [5, 1e-5, 50, 1e-2]


def header(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0]
