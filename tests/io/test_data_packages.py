"""Packages of data entries are found through entry points, without an import."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zpfit.api.completions import names_to_offer
from zpfit.io.library import Library
from zpfit.io.places import data_packages, packaged_data
from zpfit.runs.run_file import load_run

Command = Callable[..., str]
Install = Callable[..., Path]
NEVER_IMPORTED = "raise RuntimeError('imported')\n"
SET = "title: {title}\ndescription: d\nexclusions: hard\nentries: [a_mu_theirs, a_e_cs_2018]\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def entry(value: str) -> str:
    path = packaged_data() / "likelihoods" / "entries" / "a_mu_2021.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(f"value: {value}" if line.startswith("value:") else line for line in lines)


def fill(folder: Path) -> None:
    """Write an entry, a set of it, a run and priors."""
    write(folder / "likelihoods" / "entries" / "a_mu_theirs.yaml", entry("3.0e-9"))
    write(folder / "likelihoods" / "sets" / "theirs.yaml", SET.format(title="Their set"))
    write(folder / "runs" / "their_run.yaml", "model: effective\nlikelihood: theirs\n")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with an entry point, and return its folder."""
    site = tmp_path / "site"

    def installed(
        code: str = "raise RuntimeError('imported')\n", point: str = "their_data"
    ) -> Path:
        write(site / "their_data" / "__init__.py", code)
        write(site / "their_data-1.0.dist-info" / "METADATA", "Name: their-data\nVersion: 1.0\n")
        write(
            site / "their_data-1.0.dist-info" / "entry_points.txt",
            f"[zpfit.data]\ntheirs = {point}\n",
        )
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "their_data", raising=False)
        return site / "their_data"

    return installed


def test_a_package_offers_its_names(workspace: Path, install: Install, accepted: Command) -> None:
    fill(install())
    run = load_run(Library.beside().find("run", "their_run"))
    assert run.posterior.likelihood.measurements[0].value == 3e-9
    assert "Their set" in accepted("list", "likelihoods")
    assert "a_mu_theirs" in accepted("list", "likelihoods")
    assert "their_run" in accepted("list", "runs")
    assert "a_mu_theirs" in accepted("show", "theirs")
    assert "theirs" in names_to_offer(["likelihood set"])
    assert "their_data" not in sys.modules


def test_the_users_files_come_before_a_package_and_zpfit_after_it(
    workspace: Path, install: Install
) -> None:
    folder = install()
    fill(folder)
    write(folder / "likelihoods" / "sets" / "today_cs.yaml", SET.format(title="Theirs"))
    library = Library.beside()
    assert library.find("likelihood set", "today_cs").is_relative_to(folder)
    own = workspace / "likelihoods" / "sets" / "today_cs.yaml"
    write(own, SET.format(title="Mine"))
    assert library.find("likelihood set", "today_cs") == own
    assert library.find("run", "quickstart").is_relative_to(packaged_data())


def test_an_attribute_may_name_the_folder(tmp_path: Path, install: Install) -> None:
    fill(tmp_path / "elsewhere")
    install(f"ROOT = {str(tmp_path / 'elsewhere')!r}\n", "their_data:ROOT")
    assert data_packages() == (tmp_path / "elsewhere",)
    assert "theirs" in Library.beside().names("likelihood set")


@pytest.mark.parametrize(
    ("code", "point", "words"),
    [
        ("", "nowhere", "'nowhere' is not an installed package"),
        ("raise RuntimeError('boom')\n", "their_data:ROOT", "RuntimeError: boom"),
        ("ROOT = '/no/such/folder'\n", "their_data:ROOT", "/no/such/folder is not a folder"),
        ("ROOT = 3\n", "their_data:ROOT", "TypeError"),
    ],
)
def test_a_broken_package_is_reported_and_left_out(
    install: Install, capsys: pytest.CaptureFixture[str], code: str, point: str, words: str
) -> None:
    import logging

    from zpfit.io.logging import LOGGER

    handler = logging.StreamHandler(sys.stdout)
    LOGGER.addHandler(handler)
    try:
        install(code, point)
        assert data_packages() == ()
    finally:
        LOGGER.removeHandler(handler)
    assert f"data package theirs = {point}: " in (printed := capsys.readouterr().out)
    assert words in printed
    assert "quickstart" in Library.beside().names("run")
