"""Helpers of tests of bad input: files to write, and the content required of a message."""

from collections.abc import Callable
from pathlib import Path

from zpfit.io.places import packaged_data

Command = Callable[..., str]

RUN = "model: effective\nlikelihood: paper_2021_cs\n"
SET = "model: effective\nlikelihood:\n  set: paper_2021_cs\n"
PARAMETERS = RUN + "priors:\n  parameters:\n"
EVALUATE = ("evaluate", "--likelihood", "paper_2021_cs")
MUON_MOMENT = """\
title: mine
type: gaussian
observable: delta_a_mu
value: 2.5e-9
error: 5.9e-10
confidence_level: 0.683
citations: [{key: mine}]
approximations: none
"""


def write(path: str | Path, text: str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def packaged(path: str) -> str:
    return (packaged_data() / path).read_text(encoding="utf-8")


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def own_entry(text: str, name: str = "mine") -> None:
    write(f"likelihoods/entries/{name}.yaml", text)
    write("fit.yaml", SET + f"  add: [{name}]\n")


def gaussian(**changes: str) -> str:
    """Return an entry like the packaged muon moment, with changed lines after the first one."""
    lines = MUON_MOMENT.splitlines()
    values = {"measurement": "another one"} | changes
    kept = [line for line in lines if line.split(":")[0] not in values]
    return "\n".join([f"{key}: {value}" for key, value in values.items()] + kept) + "\n"
