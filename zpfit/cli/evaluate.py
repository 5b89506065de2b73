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
    from zpfit.api.points import DescribedPoint, Evaluation, TotalLikelihood


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
    from zpfit.api.texts import model_of

    if bool(at) == (points is not None):
        raise click.UsageError("give the point with --at NAME=VALUE, or points with --points FILE")
    chosen, model, (points_given, places) = all_of(
        lambda: _likelihood(likelihood, options.Changes((), tuple(added), tuple(dropped))),
        lambda: model_of(model_text, "--model"),
        lambda: _points(at, points),
    )
    found = evaluate_rows(points_given, places, model, chosen, "--model")
    for text in found.notes:
        note(text)
    if as_json:
        click.echo(json.dumps(found.records, indent=2))
    else:
        print_points(points_given, found)


def _likelihood(name: str | None, changes: options.Changes) -> "TotalLikelihood":
    from zpfit.api.texts import given, likelihood_of

    chosen = None if name is None else given(name, "--likelihood", names_key=False)
    return likelihood_of(chosen, options.named(changes, "add"), options.named(changes, "drop"))


def _points(at: Sequence[str], path: Path | None) -> tuple[list[dict[str, float]], list[str]]:
    """Return points, and the place of each for messages."""
    from zpfit.api.texts import points_of

    return ([options.parse_point(at)], ["--at"]) if path is None else points_of(path)


def print_points(points: Sequence[Mapping[str, float]], found: "Evaluation") -> None:
    """Print couplings, predictions and terms of the likelihood at each point.

    Parameters
    ----------
    points
        Parameter values as the user gave them.
    found
        Model and likelihood at these points; without terms, predictions are printed.
    """
    terminal = console()
    for point, described in zip(points, found.described(), strict=True):
        terminal.print(", ".join(f"{name} = {value:g}" for name, value in point.items()))
        if described.impossible:
            reasons = ", ".join(
                f"{name}: {ratio:.4g} times the allowed value"
                for name, ratio in described.impossible.items()
            )
            terminal.print(f"impossible ({reasons})\n")
        else:
            _print_point(described)


def _print_point(point: "DescribedPoint") -> None:
    terminal = console()
    terminal.print(_quantities("couplings", point.couplings))
    if point.derived:
        terminal.print(_quantities("derived", point.derived))
    if point.terms is None:
        terminal.print(_quantities("predictions", point.predictions) + "\n")
        return
    print_terms(point.terms)
    verdict = (
        f"excluded by {', '.join(point.excluded_by)}"
        if point.excluded_by
        else "allowed by every hard exclusion"
    )
    terminal.print(f"chi2 {point.terms['chi2']:.4f}, {verdict}\n")


def _quantities(title: str, values: Mapping[str, float]) -> str:
    return f"{title}: " + ", ".join(f"{name} = {value:.6g}" for name, value in values.items())
