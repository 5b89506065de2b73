"""Tests on every supported Python, and with the oldest allowed version of every dependency.

``make versions`` runs both sessions; a Python that is not on the machine is skipped.
``nox --session tests-3.13 -- tests/physics`` runs part of the tests on one Python.
"""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import nox
from packaging.requirements import Requirement

nox.options.error_on_missing_interpreters = False
nox.options.default_venv_backend = "venv"

PYTHONS = ("3.11", "3.12", "3.13")
"""Supported versions, in ascending order."""
PYTEST = (
    "python",
    "-m",
    "pytest",
    "--mpl",
    "-n",
    "2",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
)


def show_all_of_pyenv() -> None:
    """Let pyenv offer every installed version, not only the active one."""
    pyenv = shutil.which("pyenv")
    if pyenv and "PYENV_VERSION" not in os.environ:
        listed = subprocess.run(
            [pyenv, "versions", "--bare"], capture_output=True, text=True, check=True
        )
        versions = [v for v in listed.stdout.split() if v.startswith(PYTHONS)]
        os.environ["PYENV_VERSION"] = ":".join([*reversed(versions), "system"])


show_all_of_pyenv()


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests with the newest allowed dependencies."""
    session.install("--editable", ".[test]")
    session.run(*PYTEST, *session.posargs)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """Run the tests with the lower bound of every direct dependency."""
    constraints = Path(session.create_tmp()) / "oldest.txt"
    constraints.write_text("\n".join(lower_bounds()) + "\n", encoding="utf-8")
    session.install("--editable", ".[test]", "--constraint", str(constraints))
    # Old versions use features that newer versions of their own dependencies deprecate, and an
    # old matplotlib draws the kept pictures a little differently.
    session.run(
        *(p for p in PYTEST if p != "--mpl"), "-W", "ignore::DeprecationWarning", *session.posargs
    )


def lower_bounds() -> list[str]:
    """Return ``name==version`` for every requirement in pyproject.toml that has a lower bound."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = (project["dependencies"], *project["optional-dependencies"].values())
    found = {}
    for requirement in map(Requirement, (text for group in groups for text in group)):
        for bound in requirement.specifier:
            if bound.operator == ">=":
                found[requirement.name] = f"{requirement.name}=={bound.version}"
    return sorted(found.values())
