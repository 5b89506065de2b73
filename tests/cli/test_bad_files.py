"""Files and folders that cannot be used give a message and exit code 2, and stay unchanged."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bad_input import (
    EVALUATE,
    PARAMETERS,
    RUN,
    Command,
    assert_mentions,
    contents,
    gaussian,
    own_entry,
    write,
)
from click.testing import CliRunner

from zpfit.cli import cli, main
from zpfit.errors import UndefinedValue
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import Priors, Uniform
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.models.base import Model, Parameter
from zpfit.physics.couplings import COUPLING_NAMES, Couplings

pytestmark = pytest.mark.usefixtures("quick_fits")

# Files that cannot be read or written


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.yaml", ["none.yaml", "No such file", "check the path"]),
        ("folder.yaml", ["folder.yaml", "directory", "check the path"]),
        ("binary.yaml", ["binary.yaml", "not UTF-8"]),
        ("binary.yaml/fit.yaml", ["binary.yaml/fit.yaml", "cannot be read"]),
        ("quikstart", ["unknown name 'quikstart'", "did you mean 'quickstart'"]),
    ],
)
def test_unreadable_run_file(rejected: Command, workspace: Path, path: str, words: list[str]):
    (workspace / "folder.yaml").mkdir()
    (workspace / "binary.yaml").write_bytes(bytes(range(256)))
    assert_mentions(rejected("validate", path), *words)


@pytest.mark.parametrize("path", ["none.csv", "folder.csv", "binary.csv"])
def test_unreadable_points_file(rejected: Command, workspace: Path, path: str):
    (workspace / "folder.csv").mkdir()
    (workspace / "binary.csv").write_bytes(bytes(range(256)))
    assert_mentions(rejected(*EVALUATE, "--points", path), path, "cannot be read", "check the path")


@pytest.mark.parametrize("output", ["file", "file/below"])
def test_unwritable_output(rejected: Command, output: str):
    write("file", "precious\n")
    message = rejected("run", "quickstart", "--output", output)
    assert_mentions(message, output, "cannot be written", "--output")
    assert Path("file").read_text(encoding="utf-8") == "precious\n"


def python_m_zpfit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zpfit", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_exit_code_of_the_process(workspace: Path):
    write("fit.yaml", RUN + "seeed: 3\n")
    process = python_m_zpfit("run", "fit.yaml", cwd=workspace)
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.strip() == "error: fit.yaml:3: seeed: unknown key; did you mean 'seed'?"


def test_exit_code_of_the_process_without_a_command(workspace: Path):
    process = python_m_zpfit("rn", "quickstart", cwd=workspace)
    assert process.returncode == 2
    assert_mentions(process.stderr, "'rn'")
    assert "Traceback" not in process.stderr


def test_exit_code_of_an_interrupted_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zpfit.cli.data.print_list", interrupted)
    monkeypatch.setattr(sys, "argv", ["zpfit", "list", "models"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert "interrupted" in capsys.readouterr().err


# Models and likelihoods that fail while running


@dataclass(frozen=True)
class Root(Model):
    """Model that is defined for x >= 0 only."""

    broken: str
    name: str = "root"
    description: str = "C = sqrt(x)."
    reference: str = "none"
    parameters: tuple[Parameter, ...] = (Parameter("x", "x", "", (-1.0, 1.0)),)

    def couplings(self, values):
        x = values["x"]
        columns = dict.fromkeys(COUPLING_NAMES, 1e-6 * np.abs(x)) | {"m_Zp": np.full(len(x), 25.0)}
        columns[self.broken] = np.where(x < 0, np.nan, columns[self.broken])
        return Couplings(**columns)


@pytest.mark.parametrize(
    ("broken", "entry"),
    [
        ("C_Ae", "a_e_cs_2018"),
        ("C_Vmu", "a_mu_2021"),
        ("m_Zp", "a_mu_2021"),
        ("C_Ve", "kloe_2015"),
        ("C_Ve", "na64_2020"),
    ],
)
def test_not_a_number_from_a_model(broken: str, entry: str):
    likelihood = assemble(LikelihoodSpec(add=(entry,)), Library.beside()).likelihood
    posterior = Posterior(Root(broken), Priors({"x": Uniform(lower=-1, upper=1)}), likelihood)
    assert np.isfinite(posterior.log_likelihood(np.array([[0.7]]))).all()
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(UndefinedValue, match=rf"{broken}.*'root'.*x = -0\.6\b.*restrict the priors"),
    ):
        posterior.log_likelihood(np.array([[0.7], [0.2], [0.9], [0.1]]))


def test_impossible_likelihood(rejected: Command):
    write("fit.yaml", PARAMETERS + "    m_Zp: 5\n")
    message = rejected("run", "fit.yaml", "--output", "out")
    assert_mentions(message, "none of", "allowed", "move the priors", "soft")
    assert "none of" in Path("out/log.txt").read_text(encoding="utf-8")
    assert not Path("out/summary.json").exists()
    assert_mentions(rejected("plot", "out"), "out", "has stored no results")


# Run folders


def test_a_finished_run_is_not_overwritten(rejected: Command, small_run: Path):
    before = contents(small_run)
    message = rejected("run", "quickstart", "--output", small_run)
    assert_mentions(message, str(small_run), "already holds a run", "--force", "--output")
    assert contents(small_run) == before


def test_a_mistake_with_force_leaves_the_run(rejected: Command, small_run: Path):
    before = contents(small_run)
    write("fit.yaml", RUN + "seeed: 3\n")
    assert "seeed" in rejected("run", "fit.yaml", "--output", small_run, "--force")
    assert contents(small_run) == before


def test_force_replaces_the_run_and_keeps_foreign_files(replaced_run: Path):
    assert (replaced_run / "notes.txt").read_text(encoding="utf-8") == "mine\n"
    assert (replaced_run / "summary.json").exists()
    log = (replaced_run / "log.txt").read_text(encoding="utf-8")
    assert log.rstrip().splitlines()[-1].split("  ")[-1].startswith("Done")
    assert not [path for path in contents(replaced_run) if ".partial" in path]


def test_a_plot_that_fails_costs_only_itself(replaced_run: Path):
    log = (replaced_run / "log.txt").read_text(encoding="utf-8")
    assert_mentions(log, "corner", "failed", "out of ink", "Done")
    files = {path.name for path in replaced_run.iterdir()}
    assert {"summary.json", "samples.nc", "config.yaml", "pulls.png", "trace.png"} <= files
    assert not {"corner.png", "corner.pdf"} & files


def test_a_plot_that_fails_when_drawn_again(
    rejected: Command, small_run: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("out of ink")

    for figure in ("corner", "pulls", "trace"):
        monkeypatch.setattr(f"zpfit.runs.drawing.{figure}_figure", broken)
    shutil.copytree(small_run, workspace / "run")
    message = rejected("plot", "run")
    assert_mentions(message, "corner plot failed", "pulls plot failed", "trace", "out of ink")
    assert contents(workspace / "run") == contents(small_run)


@pytest.mark.parametrize("name", ["config.yaml", "log.txt", "samples.nc", "corner.png"])
def test_files_that_no_run_wrote_are_not_replaced(rejected: Command, name: str):
    write("fit.yaml", PARAMETERS + "    m_Zp: 17\n")
    write(f"mine/{name}", "precious\n")
    assert_mentions(rejected("run", "fit.yaml", "--output", "mine"), "mine", name, "--force")
    assert contents(Path("mine")) == {name: b"precious\n"}


def test_a_forced_run_that_fails_leaves_the_earlier_one(
    rejected: Command, small_run: Path, workspace: Path
):
    shutil.copytree(small_run, workspace / "run")
    before = contents(workspace / "run")
    write("fit.yaml", PARAMETERS + "    m_Zp: 5\n")
    rejected("run", "fit.yaml", "--output", "run", "--force")
    after = contents(workspace / "run")
    changed = {name for name in before if after.get(name) != before[name]}
    assert {Path(name).name for name in changed} <= {"log.txt"}


@pytest.mark.usefixtures("stopped_early")
@pytest.mark.parametrize("options", [[], ["--force"]])
def test_own_files_survive_a_run_beside_them(rejected: Command, options: list[str]):
    own_entry(gaussian())
    write("likelihoods/sets/other.yaml", "precious\n")
    write("priors/other.yaml", "precious\n")
    before = contents(Path())
    rejected("run", "fit.yaml", "--output", ".", *options)
    after = contents(Path())
    assert {name: after.get(name) for name in before} == before


@pytest.mark.usefixtures("stopped_early")
def test_a_run_repeated_in_its_own_folder_keeps_its_data(
    rejected: Command, small_run: Path, workspace: Path
):
    shutil.copytree(small_run, workspace / "run")
    data = contents(workspace / "run" / "data")
    rejected("run", "run/config.yaml", "--output", "run", "--force")
    assert contents(workspace / "run" / "data") == data


@pytest.mark.parametrize(
    ("folder", "content"),
    [
        ("nothing", "does not exist"),
        ("empty", "is an empty folder"),
        ("file", "is a file"),
        ("other", "holds no results of zpfit"),
    ],
)
@pytest.mark.parametrize("command", ["plot", "report"])
def test_a_folder_of_another_kind(
    rejected: Command, workspace: Path, command: str, folder: str, content: str
):
    for name in ("empty", "other"):
        (workspace / name).mkdir()
    for file in ("file", "other/data.csv"):
        write(file, "text\n")
    message = rejected(command, folder)
    assert_mentions(message, f"{folder}: {content}; give the folder of a finished run")


def test_a_folder_of_proofs_has_no_report(rejected: Command, workspace: Path):
    (workspace / "proof").mkdir()
    for file in ("proof/tension.json", "proof/coverage.json"):
        write(file, "text\n")
    message = rejected("report", "proof")
    assert_mentions(message, "proof: holds a tension test and a coverage test; give the folder")


@pytest.mark.parametrize(
    ("damaged", "kept"),
    [("samples.nc", 0.5), ("samples.nc", 0.0), ("summary.json", 0.5), ("summary.json", 0.0)],
)
def test_plot_of_a_damaged_run(
    rejected: Command, small_run: Path, workspace: Path, damaged: str, kept: float
):
    shutil.copytree(small_run, workspace / "run")
    path = workspace / "run" / damaged
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    message = rejected("plot", "run")
    assert_mentions(message, "run", "no finished run", damaged, "damaged")


# Text and numbers that must not break a finished run


def test_square_brackets_in_names_and_titles_are_only_text(workspace: Path):
    write("runs/odd.yaml", "title: 'Limits [/b] [muon]'\nmodel: effective\n")
    result = CliRunner().invoke(cli, ["list", "runs"])
    assert result.exit_code == 0
    assert "Limits [/b] [muon]" in result.output


def test_one_unreadable_run_does_not_hide_the_others(workspace: Path):
    write("runs/broken.yaml", "title: [\n")
    result = CliRunner().invoke(cli, ["list", "runs"])
    assert result.exit_code == 0
    assert_mentions(result.output, "broken", "unreadable", "quickstart")
