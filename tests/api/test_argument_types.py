"""Arguments of another type, of every analysis: typed exceptions that name the argument."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zpfit
from zpfit.errors import InvalidInput, UnknownName, UnusableFolder, WrongType, ZpfitError
from zpfit.runs.figure_file import figure_style

pytestmark = pytest.mark.usefixtures("quick_fits")

RUN: dict[str, Any] = {
    "model": "L_mu-L_tau",
    "likelihood": "paper_2021_cs",
    "priors": {"parameters": {"m_Zp": 20, "eps": 0}},
    "sampler": {"engine": "vegas"},
    "best_fit": {"starts": 50},
}
AT = {"g_prime": 5e-4}
anything: Any = zpfit
"""The functions, called against their signatures."""


@pytest.mark.parametrize(
    ("named", "call"),
    [
        ("n", lambda: anything.coverage(RUN, AT, 0)),
        ("n", lambda: anything.coverage(RUN, AT, 2.0)),
        ("at", lambda: anything.coverage(RUN, None, 2)),
        ("at: g_prime", lambda: anything.coverage(RUN, {"g_prime": "1e-4"}, 2)),
        ("point", lambda: anything.certify("sm_u1_cs", point="m_Zp=20")),
        ("reference", lambda: anything.compare(RUN, reference=3)),
        ("seed", lambda: anything.compare(RUN, seed=-1)),
        ("parameter", lambda: anything.limit(RUN, ("g_prime", 0, 1))),
        ("output", lambda: anything.toys(RUN, 3, output=3)),
        ("output", lambda: anything.fit(RUN, output=3)),
        ("checkpoint_every", lambda: anything.fit(RUN, checkpoint_every="1")),
        ("executor", lambda: anything.toys(RUN, 3, executor="processes")),
        ("resume", lambda: anything.fit(RUN, resume=True)),
        ("resume", lambda: anything.certify("sm_u1_cs", sigma=1, resume=True)),
        ("workers", lambda: anything.ExecutorChoice(workers=0)),
        ("figure", lambda: figure_style(anything)),
    ],
)
def test_an_argument_of_another_type_is_named(named: str, call: Callable[[], object]) -> None:
    with pytest.raises((InvalidInput, WrongType), match=f"^{named}: "):
        call()


def test_an_unknown_kind_of_executor_is_refused() -> None:
    with pytest.raises(UnknownName, match="processes"):
        anything.ExecutorChoice("threads")


def test_a_dictionary_that_contains_itself_is_refused() -> None:
    run = dict(RUN)
    run["model"] = run
    with pytest.raises(ZpfitError, match="contains itself"):
        zpfit.load(run)


@pytest.mark.parametrize(("value", "article"), [(3, "an int"), (None, "a NoneType")])
def test_types_have_their_article(value: object, article: str) -> None:
    assert f"is {article}; give a path" in str(WrongType("folder", value, "a path"))


def test_integers_and_arrays_of_numpy_are_taken() -> None:
    assert zpfit.atlas(np.int64(1))[np.int64(4)].number == 4  # type: ignore[arg-type,index]
    levels: Any = np.array([0.5, 0.9])
    found = zpfit.profile(RUN, "g_prime", points=10, levels=levels)
    assert [row["probability"] for row in found.record["profile"]["levels"]] == [0.5, 0.9]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "seed: must be at least 0, not -1"),
        ({"sampler.target_ess": 0}, "sampler.target_ess: must be at least 1, not 0"),
        ({"best_fit": {"quiet_rounds": 0}}, "best_fit.quiet_rounds: must be"),
    ],
)
def test_a_value_out_of_range_is_said_in_plain_words(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        zpfit.load(RUN, **changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"m_Zp": True, "eps": 0}, "m_Zp: must be a number or a mapping of keys to values"),
        ({"m_Zp": "20", "eps": 0}, "m_Zp: must be a number or a mapping of keys to values"),
    ],
)
def test_a_prior_of_another_type_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        zpfit.load({**RUN, "priors": {"parameters": given}})


def test_a_number_is_no_form_of_a_soft_exclusion(tmp_path: Path) -> None:
    entry = tmp_path / "wall.yaml"
    packaged = zpfit.show("moller_e158_2005").files[0].path.read_text(encoding="utf-8")
    head, _, tail = packaged.partition("soft:\n")
    rest = tail[tail.index("approximations:") :]
    entry.write_text(f"{head}soft: 0.2\n{rest}", encoding="utf-8")
    with pytest.raises(ZpfitError, match=r"soft: must be a mapping of keys to values, not 0\.2"):
        zpfit.validate(entry)


def test_a_folder_without_a_run_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quickstart").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert zpfit.load("quickstart").name == "quickstart"
    for folder in ("empty", tmp_path / "empty"):
        with pytest.raises(UnusableFolder, match="is an empty folder; give the folder of a"):
            zpfit.tension(folder)


def test_a_file_that_is_no_style_sheet_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("lines.linewidth: 2\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="neither a YAML file nor a style"):
        figure_style(other)


def test_toys_replace_no_file_of_a_run_in_their_folder(tmp_path: Path) -> None:
    folder = zpfit.fit(RUN).save(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    other = {**RUN, "priors": {"parameters": {"m_Zp": 30, "eps": 0}}}
    zpfit.toys(other, 2, joint_sigma=False, output=folder)
    assert {path: path.read_bytes() for path in before} == before
    assert not list(folder.glob(".zpfit-source-*"))
    with pytest.raises(ZpfitError, match="holds toys of another run"):
        zpfit.toys(RUN, 2, joint_sigma=False, output=folder)
    assert zpfit.Result.read(folder).best_fit["m_Zp"] == 20


def test_problems_certificates_and_figures_show_themselves_in_notebooks() -> None:
    problem = zpfit.load(RUN)
    assert repr(problem).endswith(": L_mu-L_tau on paper_2021_cs, samples g_prime>")
    theorem = zpfit.certify("sm_u1_cs", sigma=1.0, progress=False)
    assert "1.0000 &lt; joint sigma" in theorem._repr_html_()
    picture: Any = zpfit.fit(RUN).corner()
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_a_script_that_imports_itself_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "no_guard.py"
    script.write_text(
        "import zpfit\n\n\n"
        "def own(m_Zp, g):\n"
        "    return {'C_Ve': g}\n\n\n"
        "run = {'model': own, 'likelihood': 'paper_2021_cs', 'priors': {'parameters': {\n"
        "    'm_Zp': 20, 'g': {'type': 'uniform', 'lower': 0, 'upper': 1e-4}}}}\n"
        "zpfit.toys(run, 2, joint_sigma=False, output='toys')\n",
        encoding="utf-8",
    )
    with pytest.raises(ZpfitError, match="below if __name__ == '__main__'"):
        zpfit.evaluate({"m_Zp": 20, "g": 1e-5}, model={"python": "no_guard.py:own"})
