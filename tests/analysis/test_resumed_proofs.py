"""Proofs that are stopped resume to the same certificate."""

import json

import pytest
from helpers_samplers import first_fast

import zpfit
from zpfit.analysis.certify.proof import Prover
from zpfit.analysis.certify.resumable import ResumableProver
from zpfit.analysis.certify.structure import structure_of
from zpfit.errors import FilesExist, NoRunToResume, OtherProof, UnfinishedRun
from zpfit.inference.progress import SILENT, Silent

RUN = "froggatt_nielsen_cs"
QUICK = "paper_sm_u1"
"""A run whose bracket takes a tenth of the time."""


class Stopping(Silent):
    """Interrupt after the first level."""

    def update(self, fraction, note):  # noqa: ARG002 - of Progress
        if fraction == 1:
            raise KeyboardInterrupt


@pytest.fixture
def levels(monkeypatch):
    """Levels that are proved, not read."""
    proved, prove = [], Prover.prove

    def counted(self, sigma):
        proved.append(sigma)
        return prove(self, sigma)

    monkeypatch.setattr(Prover, "prove", counted)
    return proved


@pytest.fixture
def stopped(tmp_path, run):
    path = tmp_path / "proof.json"
    with pytest.raises(KeyboardInterrupt):
        zpfit.certify(run, tolerance=0.01, output=path, progress=Stopping())
    return path


@pytest.mark.parametrize("run", first_fast(QUICK, RUN))
def test_a_stopped_proof_resumes_to_the_same_certificate(stopped, run, levels):
    whole = zpfit.certify(run, tolerance=0.01, progress=False)
    all_levels = list(levels)
    levels.clear()
    resumed = zpfit.certify(run, tolerance=0.01, output=stopped, resume=True, progress=False)
    assert resumed.record == whole.record
    assert json.loads(stopped.read_text()) == whole.record
    assert 0 < len(levels) < len(all_levels)
    assert [path.name for path in stopped.parent.iterdir()] == ["proof.json"]


@pytest.mark.parametrize("run", first_fast(QUICK, RUN))
def test_a_stopped_proof_is_neither_lost_nor_mixed_with_another(stopped, run):
    with pytest.raises(UnfinishedRun):
        zpfit.certify(run, output=stopped, progress=False)
    for other in ({"source": run, "seed": 5}, {"source": "froggatt_nielsen_rb"}):
        with pytest.raises(OtherProof):
            zpfit.certify(**other, tolerance=0.01, output=stopped, resume=True, progress=False)
    found = zpfit.certify(run, sigma=1, output=stopped, force=True, progress=False)
    assert found.lower == 1
    with pytest.raises(FilesExist):
        zpfit.certify(run, sigma=1, output=stopped, progress=False)
    with pytest.raises(NoRunToResume):
        zpfit.certify(run, sigma=1, output=stopped, resume=True, force=True, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("run", [RUN])
def test_the_command_resumes(stopped, run, rejected, accepted):
    words = ("certify", run, "--tolerance", "0.01", "--output", stopped)
    assert "--resume, --force" in rejected(*words)
    assert "joint sigma below 2.3" in accepted(*words, "--resume")
    assert "--output" in rejected("certify", run, "--resume")


LEVELS = (2.0, 2.1, 2.15, 2.2)


class Memory:
    """A checkpoint in memory."""

    state = None

    def load(self):
        return self.state

    def save(self, state):
        self.state = state()


class Interrupt(Silent):
    """Interrupt inside a level, after some compiled calls of a few boxes."""

    def __init__(self, calls):
        self._left = calls

    def update(self, fraction, note):  # noqa: ARG002 - of Progress
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


def outcome(proof):
    return proof.sigma, proof.boxes, proof.undecided.tobytes(), proof.unfinished


def proofs_of_levels(checkpoint, progress=SILENT):
    problem = zpfit.load(RUN)
    prover = ResumableProver(problem, structure_of(problem), checkpoint, progress)
    return [outcome(prover.prove(level)) for level in LEVELS]


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr("zpfit.analysis.certify.proof._AT_ONCE", 100)


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("calls", first_fast(20, 1))
@pytest.mark.parametrize("shortage", [0, 200])
def test_a_proof_stopped_inside_a_level_visits_the_same_boxes(monkeypatch, levels, calls, shortage):
    """Also if the budget of boxes ends inside the last level."""
    whole = proofs_of_levels(Memory())
    most = sum(boxes for _, boxes, *_ in whole) - shortage
    monkeypatch.setattr("zpfit.analysis.certify.resumable.ALL_BOXES", most)
    whole = proofs_of_levels(Memory())
    assert sum(boxes for _, boxes, *_ in whole) == most
    assert whole[-1][-1] == (shortage > 0)
    memory = Memory()
    levels.clear()
    with pytest.raises(KeyboardInterrupt):
        proofs_of_levels(memory, Interrupt(calls))
    stored = [] if memory.state is None else memory.state["proofs"]
    assert len(stored) == len(levels) - 1  # the level that was stopped is not stored
    assert proofs_of_levels(memory) == whole
    assert sum(proof["boxes"] for proof in memory.state["proofs"]) == most
    assert len(levels) == len(LEVELS) + 1  # only that one is proved twice


@pytest.mark.slow
def test_a_certificate_stopped_inside_its_last_level_is_the_same(tmp_path, monkeypatch):
    """The file of an interrupted command, with boxes and undecided ones of every level."""
    monkeypatch.setattr("zpfit.analysis.certify.proof._AT_ONCE", 5_000)

    class InLastLevel(Silent):
        ended = False

        def update(self, fraction, note):
            if self.ended and fraction < 1:
                raise KeyboardInterrupt
            self.ended |= "not excluded after" in note

    whole, path = zpfit.certify(RUN, progress=False), tmp_path / "proof.json"
    with pytest.raises(KeyboardInterrupt):
        zpfit.certify(RUN, output=path, progress=InLastLevel())
    resumed = zpfit.certify(RUN, output=path, resume=True, progress=False)
    assert resumed.record == whole.record
