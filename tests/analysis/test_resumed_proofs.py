"""Proofs that are stopped resume to the same certificate."""

import json

import pytest

import zpfit
from zpfit.analysis.certify.proof import Prover
from zpfit.errors import FilesExist, NoRunToResume, OtherProof, UnfinishedRun
from zpfit.inference.progress import Silent

RUN = "froggatt_nielsen_cs"


class Stopping(Silent):
    """Interrupt after the first level."""

    def stage(self, text):  # noqa: ARG002 - of Progress
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
def stopped(tmp_path):
    path = tmp_path / "proof.json"
    with pytest.raises(KeyboardInterrupt):
        zpfit.certify(RUN, tolerance=0.01, output=path, progress=Stopping())
    return path


def test_a_stopped_proof_resumes_to_the_same_certificate(stopped, levels):
    whole = zpfit.certify(RUN, tolerance=0.01, progress=False)
    all_levels = list(levels)
    levels.clear()
    resumed = zpfit.certify(RUN, tolerance=0.01, output=stopped, resume=True, progress=False)
    assert resumed.record == whole.record
    assert json.loads(stopped.read_text()) == whole.record
    assert 0 < len(levels) < len(all_levels)
    assert [path.name for path in stopped.parent.iterdir()] == ["proof.json"]


def test_a_stopped_proof_is_neither_lost_nor_mixed_with_another(stopped):
    with pytest.raises(UnfinishedRun):
        zpfit.certify(RUN, output=stopped, progress=False)
    for other in ({"source": RUN, "seed": 5}, {"source": "froggatt_nielsen_rb"}):
        with pytest.raises(OtherProof):
            zpfit.certify(**other, tolerance=0.01, output=stopped, resume=True, progress=False)
    found = zpfit.certify(RUN, sigma=1, output=stopped, force=True, progress=False)
    assert found.lower == 1
    with pytest.raises(FilesExist):
        zpfit.certify(RUN, sigma=1, output=stopped, progress=False)
    with pytest.raises(NoRunToResume):
        zpfit.certify(RUN, sigma=1, output=stopped, resume=True, force=True, progress=False)


def test_the_command_resumes(stopped, rejected, accepted):
    words = ("certify", RUN, "--tolerance", "0.01", "--output", stopped)
    assert "--resume, --force" in rejected(*words)
    assert "joint sigma below 2.3" in accepted(*words, "--resume")
    assert "--output" in rejected("certify", RUN, "--resume")
