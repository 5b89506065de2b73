"""Wrong arguments of the Python interface: typed exceptions that name the argument."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zpfit
from zpfit.api.sources import progress_of
from zpfit.errors import InvalidInput, WrongType, ZpfitError

pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.mark.parametrize("points", [None, "x", 5, pd.Series({"m_Zp": 18.0}), [[18, 19]]])
def test_points_of_another_kind_are_refused(points: Any) -> None:
    with pytest.raises(WrongType, match="point"):
        zpfit.evaluate(points)


@pytest.mark.parametrize("value", ["x", None, 1 + 2j, 10**400, True, [[18, 19]]])
def test_a_value_that_is_no_number_is_named_with_its_parameter(value: Any) -> None:
    with pytest.raises(InvalidInput, match="m_Zp"):
        zpfit.evaluate({"m_Zp": value})


def test_predictions_keep_the_index_of_the_points() -> None:
    points = pd.DataFrame({"m_Zp": [18.0, 19.0]}, index=[7, 8])
    assert list(zpfit.evaluate(points).index) == [7, 8]


@pytest.mark.parametrize("likelihood", [5, ["a"]])
def test_a_likelihood_of_another_kind_is_refused(likelihood: Any) -> None:
    with pytest.raises(WrongType, match="likelihood"):
        zpfit.evaluate({"m_Zp": 18}, likelihood=likelihood)


@pytest.mark.parametrize("kind", [5, ["models"]])
def test_a_kind_of_names_that_is_no_text_is_refused(kind: Any) -> None:
    with pytest.raises(WrongType, match="kind"):
        zpfit.available(kind)


def test_progress_and_folders_of_another_kind_are_refused() -> None:
    with pytest.raises(WrongType, match="progress"):
        progress_of(5)  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="folder"):
        zpfit.Result.read(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 5, [], lambda: None, b"quickstart"])
def test_a_source_of_another_kind_is_refused(source: Any) -> None:
    with pytest.raises(WrongType, match="source"):
        zpfit.load(source)


def test_the_sampler_of_a_problem_can_be_named() -> None:
    assert zpfit.load("quickstart", sampler="vegas").settings.sampler.engine == "vegas"


def test_a_result_is_a_source_and_its_summary_is_a_copy() -> None:
    result = zpfit.fit(
        {
            "model": "L_mu-L_tau",
            "likelihood": "paper_2021_cs",
            "priors": {"parameters": {"m_Zp": 20, "eps": 0}},
            "sampler": {"engine": "vegas"},
        },
        best_fit={"starts": 20},
    )
    assert zpfit.load(result) is result.problem
    before = result.log_z
    result.summary["evidence"]["log_z"] = before + 5
    assert result.log_z == before


def test_a_comparison_needs_a_source() -> None:
    with pytest.raises(InvalidInput, match="sources"):
        zpfit.compare()


@pytest.mark.parametrize("file", ["compare.json", "runs/quickstart/summary.json"])
def test_the_output_of_a_comparison_is_checked_before_any_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    def never(*_: object) -> None:
        pytest.fail("fitted before the folder was checked")

    monkeypatch.setattr("zpfit.runs.comparison.carry_out", never)
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    with pytest.raises(ZpfitError, match=str(tmp_path)):
        zpfit.compare(zpfit.load("quickstart"), reference="no Z'", output=tmp_path)


def test_a_problem_from_a_run_folder_has_the_name_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "c3"
    folder.mkdir()
    run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs"}
    (folder / "config.yaml").write_text("".join(f"{k}: {v}\n" for k, v in run.items()))
    assert zpfit.load(folder).name == "c3"


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", None, True])
def test_a_number_of_toys_that_cannot_be_drawn_is_refused(n: Any) -> None:
    with pytest.raises((InvalidInput, WrongType), match="n: "):
        zpfit.toys("quickstart", n)


def test_an_unknown_hypothesis_is_refused() -> None:
    with pytest.raises(InvalidInput, match="hypothesis: 'x'"):
        zpfit.toys("quickstart", 2, hypothesis="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("points", [0, 1, 2, -3, 2.5, "5", 401])
def test_a_number_of_nodes_out_of_range_is_refused(points: Any) -> None:
    with pytest.raises((InvalidInput, WrongType), match="points: "):
        zpfit.profile("quickstart", "m_Zp", points=points)


@pytest.mark.parametrize("x", [None, 5, ("m_Zp", 10), ("m_Zp", "a", "b")])
def test_an_axis_of_another_form_is_refused(x: Any) -> None:
    with pytest.raises(WrongType, match="x: "):
        zpfit.profile("quickstart", x)


def test_a_problem_offers_names_and_ln_l() -> None:
    problem = zpfit.load("quickstart")
    u = np.full((2, problem.posterior.dimension), 0.5)
    assert problem.names == problem.posterior.names
    assert np.array_equal(problem.log_likelihood(u), problem.posterior.log_likelihood(u))


def test_no_points_give_no_rows() -> None:
    frame = zpfit.evaluate([], likelihood="paper_2021_cs")
    assert list(frame["chi2_total"]) == list(frame["excluded_by"]) == []


@pytest.mark.parametrize("shape", [(3, 2), (7,), (1, 7, 1), (3, 8)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    posterior = zpfit.load("quickstart").posterior
    with pytest.raises(InvalidInput, match=r"u: .*shape \(n, 7\)"):
        posterior.log_likelihood(np.full(shape, 0.5))
    with pytest.raises(WrongType, match=r"u: .*shape \(n, 7\)"):
        posterior.log_likelihood([[0.5] * 7])  # type: ignore[arg-type]


PLANE = {"x": ("m_Zp", 5, 50), "y": ("C_Ae", 5e-5, 1e-3, "log"), "likelihood": "paper_2021_cs"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"x": ("m_Zp", 5)}, "x"),
        ({"x": ("m_Zp", 5, 50, "log", 3)}, "x"),
        ({"y": ("C_Ae", "a", "b")}, "y"),
        ({"solve": {"C_Ve": 1.0}}, "solve.C_Ve"),
        ({"solve": [("C_Ve", 1.0)]}, "solve"),
        ({"fix": 3}, "fix"),
        ({"profile": "C_nue"}, "profile"),
    ],
)
def test_an_argument_of_a_plane_of_another_form_is_refused(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(WrongType, match=f"^{named}: "):
        zpfit.exclusion(**PLANE | change)


def test_a_resolved_slice_takes_no_changes_and_empty_arguments_clear_a_file() -> None:
    solved = zpfit.exclusion(source="paper_fig2a")
    assert "C_Ve" in solved.slice.settings.solve
    with pytest.raises(InvalidInput, match=r"likelihood, fix: a resolved slice"):
        zpfit.exclusion(source=solved.slice, likelihood="today_cs", fix={"C_nue": 0})
    cleared = zpfit.exclusion(source="paper_fig2a", solve={}, fix={"C_Ve": 1e-4})
    assert not cleared.slice.settings.solve
