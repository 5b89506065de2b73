"""Test the command zpfit paper: page, files, processes, interrupts."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from paper_extremes import electron_extreme

from zpfit.cli import cli
from zpfit.errors import NoAllowedPoint, WorkerKilled, ZpfitError
from zpfit.inference.progress import Silent
from zpfit.runs.run_file import find_run_file
from zpfit.runs.side_by_side import interrupts_held
from zpfit.studies.paper_2021 import processes, reproduce, target_regions
from zpfit.studies.paper_2021.claims import closed_claims
from zpfit.studies.paper_2021.figures import FIGURES, Figure, draw
from zpfit.studies.paper_2021.target_regions import FORMS

slow = pytest.mark.slow
PATIENCE = 300.0
"""Timeout of a test, in seconds."""


EXPECTED = {
    *("mass_min", "mass_max", "c_ae_min", "c_ae_max", "c_ve_max", "c_nue_max"),
    *("c_vmu_min", "c_vmu_max", "c_amu_max", "c_numu_max", "fn_left_max", "fn_right_min"),
    *("rb_mass_min", "rb_coupling_min"),
    *(
        f"joint_sigma_{model_class}_{isotope}_{form}"
        for model_class in ("sm_u1", "nhdm", "fn")
        for isotope in ("cs", "rb")
        for form in ("envelope", "curve")
    ),
}


def check_claims(rows):
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert set(ids) >= EXPECTED
    for row in rows:
        assert set(row) >= {"id", "paper", "computed", "agrees", "note"}
        assert isinstance(row["agrees"], bool)
        assert isinstance(row["note"], str)
        for key in ("paper", "computed", "computed_curve"):
            assert row[key] is None or isinstance(row[key], float)
        if row["id"].startswith("joint_sigma"):
            assert row["paper"] == 1
            assert row["agrees"] == (row["computed"] > 1)


def check_links(folder):
    """Check that every link of the page leads to a file, and that the page links every figure."""
    text = (folder / "paper.md").read_text(encoding="utf-8")
    links = re.findall(r'src="([^"]+)"', text) + re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 20
    for link in links:
        assert (folder / link).is_file(), link
    for figure in FIGURES:
        assert f"figures/{figure.stem}.png" in links


@pytest.fixture
def quick(workspace, monkeypatch):
    """Run the command in this process, with invented numbers and figures."""

    def extremes(self, ends, form):
        return [20.0] * len(ends)

    def canned(figures, folder):
        drawn = {}
        for figure in figures:
            for kind in ("png", "pdf"):
                (folder / f"{figure.stem}.{kind}").write_bytes(b"drawn")
            notes = ["some numbers are unverified"] if figure.variant is None else []
            drawn[figure.stem] = {"allowed": {"stretches": [[17.0, 38.0]]}, "notes": notes}
        return drawn

    def posterior(folder):
        (folder / "profile_m_Zp.png").write_bytes(b"drawn")
        levels = [{"probability": 0.683, "intervals": [[17.0, 38.0]]}]
        shares = dict.fromkeys(("all", "electron", "both"), 0.5)
        errors = {f"{part}_err": 0.01 for part in shares}
        row = {"projection": "a search", "entries": [], **shares, **errors}
        mass = {"profile": {"levels": levels}, "posterior": {"levels": levels, "reach": [[1, 38]]}}
        return mass, [row]

    monkeypatch.setattr(target_regions.TargetRegion, "extremes", extremes)
    monkeypatch.setattr(
        reproduce, "joint_sigma_of", lambda *_: target_regions.BoundedSigma(2.0, 1.9)
    )
    monkeypatch.setattr(reproduce, "draw", canned)
    monkeypatch.setattr(reproduce, "_posterior", posterior)
    monkeypatch.setattr(processes, "workers", lambda: nullcontext(Here()))


class Here:
    """Executor that runs jobs at once."""

    def results_of(self, jobs, _):
        return {name: job() for name, job in jobs.items()}


def test_page_and_numbers(quick, accepted):
    printed = accepted("paper", "--json", "deep/numbers.json")
    folder = Path("output/paper")
    rows = json.loads((folder / "claims.json").read_text())
    check_claims(rows)
    check_links(folder)
    assert json.loads(Path("deep/numbers.json").read_text()) == rows
    assert json.loads((folder / "forecast.json").read_text())[0]["projection"] == "a search"
    assert "(50.0 ± 1.0) %" in (folder / "paper.md").read_text(encoding="utf-8")
    assert (folder / "paper.md").read_text().count("- some numbers are unverified") == 1
    assert "17.0-38.0 (where the prior ends)" in (folder / "paper.md").read_text(encoding="utf-8")
    assert "17.0-38.0 MeV" in (folder / "paper.md").read_text(encoding="utf-8")
    for name in ("mass_min", "joint_sigma_fn_rb_curve", "paper.md"):
        assert name in printed
    assert not list(Path().rglob(".partial-*"))


def test_every_id_can_be_read_on_a_narrow_terminal(quick, workspace):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["paper"])
    assert result.exit_code == 0, result.output
    for name in EXPECTED:
        assert name in result.stdout


def test_own_folder_is_written_again(quick, accepted):
    accepted("paper", "--output", "out")
    before = Path("out/claims.json").read_text()
    Path("out/claims.json").write_text("[]")
    Path("out/notes.txt").write_text("mine")
    accepted("paper", "--output", "out")
    assert Path("out/claims.json").read_text() == before
    assert Path("out/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["claims.json", "paper.md", "forecast.json", "figures/own.png"])
def test_foreign_files_are_not_replaced_without_force(quick, rejected, accepted, name):
    file = Path("out") / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    message = rejected("paper", "--output", "out")
    assert "out: already holds" in message
    assert name.partition("/")[0] in message
    assert "--force" in message
    assert [path for path in Path("out").rglob("*") if path.is_file()] == [file]
    assert file.read_text() == "mine"
    accepted("paper", "--output", "out", "--force")
    check_claims(json.loads(Path("out/claims.json").read_text()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output", "blocked"],
        ["--output", "blocked/deep"],
        ["--output", "taken"],
        ["--json", "blocked/numbers.json"],
        ["--json", "folder"],
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_computed(
    monkeypatch, workspace, rejected, arguments
):
    monkeypatch.setattr(processes, "workers", nullcontext)  # these compute nothing
    Path("blocked").write_text("a file")
    Path("folder").mkdir()
    Path("taken").mkdir()
    Path("taken/figures").write_text("a file")
    (Path("taken") / ".zpfit-paper").touch()
    message = rejected("paper", *arguments)
    assert arguments[1].partition("/")[0] in message
    assert "cannot be written" in message or "is a directory" in message
    assert not list(Path().rglob(".partial-*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission(quick, rejected):
    Path("locked").mkdir(mode=0o500)
    assert "cannot be written" in rejected("paper", "--output", "locked")
    assert "cannot be written" in rejected("paper", "--json", "locked/numbers.json")


def test_failure_of_one_job_is_what_the_command_says(quick, rejected, monkeypatch):
    def broken(*_):
        raise NoAllowedPoint(100)

    monkeypatch.setattr(reproduce, "rubidium_window", broken)
    message = rejected("paper")
    assert "allows none of 100 points drawn from the prior" in message
    assert not Path("output/paper/claims.json").exists()


def test_failure_in_another_process_travels_as_words():
    with pytest.raises(ZpfitError, match="unknown run 'nowhere'"), processes.workers() as pool:
        pool.results_of({"bad": partial(find_run_file, "nowhere")}, Silent())


@pytest.mark.slow
def test_a_process_that_dies_is_reported_without_doing_the_rest():
    jobs = {str(index): partial(_die_elsewhere, os.getpid()) for index in range(20)}
    with pytest.raises(WorkerKilled, match="memory"), processes.workers() as pool:
        pool.results_of(jobs, _Few())


class _Few(Silent):
    """Fail if almost all jobs end: the caller stops after the job during which the other died."""

    def update(self, fraction, note):  # noqa: ARG002 - of Progress
        assert fraction < 0.9


def _die_elsewhere(here):
    if os.getpid() != here:
        os._exit(3)
    time.sleep(1)


def test_other_processes_of_the_caller_are_left_alone():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with pytest.raises(ZeroDivisionError), processes.workers():
        _ = 1 / 0
    assert other.poll() is None
    other.communicate(b"\n")


@pytest.mark.slow
def test_the_caller_and_other_processes_share_the_jobs():
    jobs = {str(index): partial(_pid, 0.5) for index in range(10)}
    with processes.workers() as pool:
        results = pool.results_of(jobs, Silent())
    assert set(results) == set(jobs)
    assert os.getpid() in results.values()
    assert set(results.values()) != {os.getpid()}


def _pid(seconds):
    time.sleep(seconds)
    return os.getpid()


@pytest.fixture
def heard():
    """Listen to SIGINT, which a shell ignores for commands in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_interrupts_are_held_and_not_lost():
    after = []

    def interrupted():
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            after.append("held")
        after.append("lost")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert after == ["held"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@slow
@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("importing", [False, True])
def test_an_interrupt_ends_all_processes_at_once(tmp_path, number, importing):
    """SIGINT reaches every process, as from a terminal; SIGTERM reaches the first one only."""
    psutil = pytest.importorskip("psutil")
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    script = f"{heard}\nfrom zpfit.cli import cli\ncli()"  # pytest may ignore the signal
    process = subprocess.Popen(
        [sys.executable, "-c", script, "paper", "--output", tmp_path / "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    others = partial(psutil.Process(process.pid).children, recursive=True)
    if importing:
        wait_for(lambda: len(others()) >= 2)  # including the process of multiprocessing itself
    else:
        assert process.stderr.readline().startswith("Tracing")
    left = others()
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    printed, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: -15}[number]
    assert not printed
    assert "Traceback" not in complaint
    assert complaint.endswith("interrupted\n") == (number == signal.SIGINT)
    assert not psutil.wait_procs(left, timeout=PATIENCE)[1]


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_one_figure(tmp_path):
    """Fig. 2 (a) with the envelope gives the files and the lightest allowed mass."""
    record = draw([Figure("paper_fig2a", "envelope")], tmp_path)["fig2a_envelope"]
    for kind in ("png", "pdf", "json", "csv"):
        assert (tmp_path / f"fig2a_envelope.{kind}").stat().st_size > 1000
    assert json.loads((tmp_path / "fig2a_envelope.json").read_text())["allowed"] is not None
    low, high = record["allowed"]["x"]
    assert electron_extreme("mass_min", "envelope") * (1 - 1e-3) < low < high


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(cli, ["paper", "--output", "out", "--json", "numbers.json"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.slow
def test_paper_from_start_to_finish(reproduced):
    out = reproduced / "out"
    rows = json.loads((out / "claims.json").read_text())
    check_claims(rows)
    check_links(out)
    assert json.loads((reproduced / "numbers.json").read_text()) == rows
    for row in json.loads((out / "forecast.json").read_text()):
        assert all(0 <= row[part] <= 1 for part in ("all", "electron", "both"))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("panel", [*(f"{n}{p}" for n in (2, 3) for p in "abcd"), "4"])
def test_every_figure_of_the_paper(reproduced, panel, form):
    figures = reproduced / "out" / "figures"
    png = (figures / f"fig{panel}_{form}.png").read_bytes()
    pdf = (figures / f"fig{panel}_{form}.pdf").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert min(len(png), len(pdf)) > 5000


@pytest.mark.slow
def test_numbers_of_the_command_are_those_of_its_parts(reproduced):
    rows = json.loads((reproduced / "numbers.json").read_text())
    by_id = {row["id"]: row for row in rows}
    assert by_id["mass_min"]["computed"] == pytest.approx(
        electron_extreme("mass_min", "envelope"), rel=1e-4
    )
    assert by_id["mass_max"]["computed_curve"] == pytest.approx(
        electron_extreme("mass_max", "curve"), rel=1e-4
    )
    for checked in closed_claims():
        assert by_id[checked.claim.id]["computed"] == checked.computed["envelope"]
