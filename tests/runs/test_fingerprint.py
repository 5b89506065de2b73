"""A run with any changed input is not resumed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from resuming import MODEL, RUN, Command, assert_mentions, contents, done, refused, run

from zpfit.io.places import packaged_data
from zpfit.runs.fingerprint import fingerprint, first_difference
from zpfit.runs.run_file import load_run

# The tests compare plots of forked runs as well.
pytestmark = [pytest.mark.drawn, pytest.mark.usefixtures("small_batches")]


def replaced(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def test_contents_of_a_fingerprint(own: Path):
    kept = json.loads((own / "out/.unfinished/fingerprint.json").read_text())
    assert list(kept)[:2] == ["parameters", "priors"]
    assert kept["parameters"] == ["m_Zp", "g"]
    assert kept["priors"]["g"]["lower"] == 1e-5
    assert kept["seed"] == 1
    assert kept["sampler"]["walkers"] == 8
    assert kept["cross_check"] is False
    assert kept["model"]["python"].endswith("mine.py:mine")
    assert {Path(name).name for name in kept["files"]} == {
        "mine.py",
        "mine.yaml",
        "my_limit.yaml",
        "my_limit.csv",
    }
    assert all(len(digest) == 64 for digest in kept["files"].values())
    assert {"python", "numpy", "zpfit", "emcee", "dynesty", "vegas"} <= set(kept["versions"])


SWAPPED = MODEL.replace("m_Zp, g", "g, m_Zp")
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, str, str] | None, str]] = {
    "seed": (("--seed", "5"), None, "seed was 1 and is 5"),
    "option": (("--set", "sampler.walkers=10"), None, "sampler.walkers was 8 and is 10"),
    "type": (("--set", "best_fit.points=[{m_Zp: 9, g: 1e-4}]"), None, "best_fit.points was []"),
    "title": (("--set", "title=x"), None, "title was 'All of it my own' and is 'x'"),
    "prior": (
        ("--set", "priors.parameters.m_Zp.upper=40"),
        None,
        "priors.m_Zp.upper was 50.0 and is 40.0",
    ),
    "kind of prior": (
        ("--set", "priors.parameters.m_Zp.type=log_uniform"),
        None,
        "priors.m_Zp.type was 'uniform' and is 'log_uniform'",
    ),
    "fixed parameter": (
        ("--set", "priors.parameters.g=1e-4"),
        None,
        "parameters was ['m_Zp', 'g']",
    ),
    "order": ((), ("mine.py", MODEL, SWAPPED), "parameters was ['m_Zp', 'g'] and is ['g', 'm_Zp']"),
    "model": (
        ("--set", "model={name: L_mu-L_tau}", "--set", "priors.parameters={}"),
        None,
        "parameters was ['m_Zp', 'g']",
    ),
    "model file": ((), ("mine.py", "1e-2", "2e-2"), "mine.py was SHA-256 "),
    "data value": (
        (),
        ("likelihoods/entries/mine.yaml", "2.51e-9", "2.52e-9"),
        "entries/mine.yaml was SHA-256 ",
    ),
    "curve": (
        (),
        ("likelihoods/entries/my_limit.csv", "0.0017663", "0.0017664"),
        "entries/my_limit.csv was SHA-256 ",
    ),
    "set": (("--set", "likelihood.add=[mine]"), None, "likelihood.add was ['mine', 'my_limit']"),
    "limit": (("--limit", "prompt.lmt"), None, "likelihood.add was "),
    "cross-check": (("--cross-check",), None, "cross_check was False and is True"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused(rejected: Command, own: Path, change: str):
    options, file, difference = CHANGES[change]
    if file is not None:
        replaced(*file)
    before = contents(own / "out")
    assert_mentions(rejected(*run("--resume", *options)), "out: holds another run", difference)
    assert contents(own / "out") == before


def test_a_change_of_version_is_refused(
    rejected: Command, own: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zpfit.runs.fingerprint.versions", lambda _: {"python": "3.99"})
    assert_mentions(rejected(*run("--resume")), "versions.python was '3.", "and is '3.99'")


@pytest.mark.parametrize(
    ("kept", "now", "words"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": 1}, {"a": 1.0}, "a was 1 and is 1.0"),
        ({"a": {"b": 1}}, {"a": {}}, "a.b was 1 and is absent"),
        ({"a": {}}, {"a": {"b": 1}}, "a.b was absent and is 1"),
        ({"a": None}, {"a": {"b": 1}}, "a was absent and is {'b': 1}"),
        ({"a": [1, 2], "b": 1}, {"a": [2, 1], "b": 2}, "a was [1, 2] and is [2, 1]"),
    ],
)
def test_first_difference(kept: dict[str, Any], now: dict[str, Any], words: str | None):
    assert first_difference(kept, now) == words


@pytest.mark.parametrize("name", ["quickstart", "sm_u1_cs", "froggatt_nielsen_cs"])
def test_a_fingerprint_is_what_is_read_again(name: str):
    found = fingerprint(load_run(packaged_data() / "runs" / f"{name}.yaml"), cross_check=False)
    assert first_difference(json.loads(json.dumps(found)), found) is None


def test_a_finished_run_has_nothing_to_do(undisturbed: Path, tmp_path: Path):
    place = tmp_path / "place"
    shutil.copytree(undisturbed, place)
    before = contents(place)
    process = done(place, *run("--cross-check", "--resume"))
    assert_mentions(process.stderr, "Nothing to do")
    assert_mentions(process.stdout, "C_Vmu", "out")
    assert contents(place) == before
    assert_mentions(
        refused(place, *run("--cross-check", "--resume", "--seed", "2")), "seed was 1 and is 2"
    )
    assert contents(place) == before


def test_nothing_to_resume(rejected: Command, workspace: Path):
    (workspace / "fit.yaml").write_text(RUN)
    message = rejected("run", "fit.yaml", "--resume", "--output", "out")
    assert_mentions(message, "out", "holds no run to resume", "leave out --resume")
    assert not (workspace / "out").exists()
    (workspace / "fit").mkdir()
    assert_mentions(rejected("run", "fit.yaml", "--resume"), "output/fit", "holds no run")


def test_resume_and_force_exclude_each_other(rejected: Command):
    assert_mentions(rejected("run", "quickstart", "--resume", "--force"), "--resume", "--force")
