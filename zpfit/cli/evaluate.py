"""Command ``evaluate``: couplings, predictions and chi2 at given points."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import completion, options
from zpfit.cli.messages import note
from zpfit.cli.output import console
from zpfit.cli.tables import print_terms
from zpfit.errors import all_of

if TYPE_CHECKING:
    from zpfit.analysis.evaluate import EvaluatedPoints
    from zpfit.io.arrays import FloatArray
    from zpfit.likelihood.likelihood import Likelihood


@click.command()
@click.option(
    "--likelihood",
    metavar="SET",
    shell_complete=completion.SETS,
    help="A likelihood set (see zpfit list likelihoods).",
)
@options.entries
@click.option(
    "--model",
    "model_text",
    default="effective",
    show_default=True,
    metavar="NAME",
    shell_complete=completion.MODELS,
    help="A model: a name, or a mapping in YAML as in a run file.",
)
@click.option(
    "--at", multiple=True, metavar="NAME=VALUE", help="A parameter of the point (repeatable)."
)
@click.option(
    "--points", type=click.Path(path_type=Path), metavar="FILE.csv", help="File with many points."
)
@options.as_json
def evaluate(
    *,
    likelihood: str | None,
    added: Sequence[str],
    dropped: Sequence[str],
    model_text: str,
    at: Sequence[str],
    points: Path | None,
    as_json: bool,
) -> None:
    """Compute couplings, predictions and chi2 at given points.

    With --likelihood the result has the pull and chi2 of every term.

    Give one point with --at NAME=VALUE (separate several assignments by spaces), or many with
    --points and a CSV file that has one column per parameter. Parameters that are left out have
    their default value (see zpfit show MODEL); couplings of the model effective are then zero.

    \b
    zpfit evaluate --likelihood paper_2021_cs --at m_Zp=18 --at C_Ae=1.6e-4 --at C_Vmu=5e-4
    zpfit evaluate --likelihood paper_2021_rb --points my_points.csv --json
    zpfit evaluate --likelihood paper_2021_cs --model B-L --at "m_Zp=20 g_prime=1e-5"
    zpfit evaluate --model "{name: B-L, options: {mass: zS_vS}}" --at "zS_vS=2e6 g_prime=1e-5"
    """
    from zpfit.api.points import evaluate_rows
    from zpfit.runs.run_file import load_single_model

    if bool(at) == (points is not None):
        raise click.UsageError("give the point with --at NAME=VALUE, or points with --points FILE")
    chosen, model, (points_given, places) = all_of(
        lambda: _likelihood(likelihood, options.Changes((), tuple(added), tuple(dropped))),
        lambda: load_single_model(model_text, "--model"),
        lambda: _points(at, points),
    )
    found = evaluate_rows(points_given, places, model, chosen, "--model")
    for text in found.notes:
        note(text)
    if as_json:
        click.echo(json.dumps(found.records, indent=2))
    else:
        print_points(found.likelihood, points_given, found.points)


def _likelihood(name: str | None, given: options.Changes) -> "Likelihood":
    from zpfit.io.document import Document, Source
    from zpfit.runs.run_file import load_likelihood

    document = Document(Path("--likelihood"), {}, {})
    if name is not None:
        origin = Source("--likelihood", names_key=False)
        document = document.with_value(("likelihood",), {"set": name}, origin)
    added, dropped = (options.named(given, key) for key in ("add", "drop"))
    return load_likelihood(document, added, dropped)


def _points(at: Sequence[str], path: Path | None) -> tuple[list[dict[str, float]], list[str]]:
    """Return points, and the place of each for messages."""
    from zpfit.io.points import read_points

    return ([options.parse_point(at)], ["--at"]) if path is None else read_points(path)


def print_points(
    likelihood: "Likelihood", points: Sequence[Mapping[str, float]], evaluated: "EvaluatedPoints"
) -> None:
    """Print couplings, predictions and terms of the likelihood at each point.

    Parameters
    ----------
    likelihood
        The data; without terms, predictions are printed.
    points
        Parameter values as the user gave them.
    evaluated
        The model at these points.
    """
    terminal = console()
    # The model has couplings only at points where it exists.
    existing = iter(range(len(evaluated.couplings)))
    for point, broken in zip(points, evaluated.impossible, strict=True):
        terminal.print(", ".join(f"{name} = {value:g}" for name, value in point.items()))
        if broken:
            reasons = ", ".join(
                f"{name}: {ratio:.4g} times the allowed value" for name, ratio in broken.items()
            )
            terminal.print(f"impossible ({reasons})\n")
            continue
        _print_point(likelihood, evaluated, next(existing))


def _print_point(likelihood: "Likelihood", evaluated: "EvaluatedPoints", index: int) -> None:
    import numpy as np

    from zpfit.analysis.evaluate import describe_point
    from zpfit.physics.observables import predictions_for

    terminal = console()
    c = evaluated.couplings.take(np.array([index]))
    terminal.print(_quantities("couplings", dict(c.items()), 0))
    if evaluated.derived:
        terminal.print(_quantities("derived", evaluated.derived, index))
    if not likelihood.measurements and not likelihood.exclusions:
        predicted = {name: found.function(c) for name, found in predictions_for(c).items()}
        terminal.print(_quantities("predictions", predicted, 0) + "\n")
        return
    print_terms(describe_point(likelihood, c))
    [excluded_by] = likelihood.excluded_by(c)
    verdict = (
        f"excluded by {', '.join(excluded_by)}"
        if excluded_by
        else "allowed by every hard exclusion"
    )
    terminal.print(f"chi2 {float(likelihood.chi2(c)[0]):.4f}, {verdict}\n")


def _quantities(title: str, columns: "Mapping[str, FloatArray]", index: int) -> str:
    # Adding zero turns -0.0 into 0.0.
    values = ", ".join(f"{name} = {values[index] + 0.0:.6g}" for name, values in columns.items())
    return f"{title}: {values}"
