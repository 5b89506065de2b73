"""Command ``certify``: proved bounds of the joint sigma."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import options
from zpfit.cli.messages import warn
from zpfit.cli.output import console, print_json, print_shortcomings, print_written

if TYPE_CHECKING:
    from zpfit.api.certificates import Certificate


@click.command()
@options.file
@click.option(
    "--sigma",
    type=options.PositiveNumber(),
    metavar="N",
    help="Prove that no point meets the anomalies within N standard errors.",
)
@click.option(
    "--tolerance",
    type=options.PositiveNumber(),
    default=1e-3,
    show_default=True,
    help="Largest distance of the two bounds.",
)
@click.option(
    "--tree",
    is_flag=True,
    help="Add the tree of the proof, which a script of the docs checks without zpfit.",
)
@options.output("JSON file of the certificate.")
@options.force()
@click.option("--resume", is_flag=True, help="Resume a proof that was stopped or killed.")
@options.seed
@options.changes()
@options.as_json
def certify(
    file: str,
    *,
    sigma: float | None,
    tolerance: float,
    tree: bool,
    output: Path | None,
    force: bool,
    resume: bool,
    seed: int | None,
    changes: options.Changes,
    as_json: bool,
) -> None:
    """Prove a lower bound of the joint sigma.

    Interval branch and bound shows that no point of the domain meets every anomaly within the
    bound. A point close above it is searched for.

    FILE is a run file, the name of a packaged run, or a run folder.

    \b
    zpfit certify sm_u1_cs --sigma 1
    zpfit certify froggatt_nielsen_cs --output certificate.json
    zpfit certify froggatt_nielsen_cs --output certificate.json --resume
    """
    from zpfit.api.certificates import certify as compute_certificate
    from zpfit.api.texts import problem_of
    from zpfit.cli.progress import LiveStages

    problem, _ = problem_of(file, options.parse_changes(changes, seed))
    if resume and output is None:
        raise click.UsageError("--resume needs --output, the certificate of the stopped proof")
    with LiveStages() as progress:
        found = compute_certificate(
            problem,
            sigma=sigma,
            tolerance=tolerance,
            tree=tree,
            output=output,
            progress=progress,
            force=force,
            resume=resume,
        )
    if tree and found.record["proof"] is None:
        warn("tree: too large to be written; prove a level below the bound with --sigma")
    if as_json:
        print_json(found.record)
        return
    print_certificate(found)
    if output is not None:
        print_written([output])


def print_certificate(found: "Certificate") -> None:
    """Print the bounds, the domain, and what the proof leaves out."""
    from zpfit.api.wording import above, below

    record = found.record
    terminal = console()
    terminal.print(f"{record['title']}\n")
    if record["lower"] > 0:
        terminal.print(
            f"Proved: no point of the domain has a joint sigma below {below(record['lower'])}."
        )
    if record["upper"] is not None:
        terminal.print(f"Found: a point with a joint sigma of at most {above(record['upper'])}.")
    if record["point"] is not None:
        point = record["point"].items()
        values = ", ".join(f"{name} = {value:.6g}{_unit(name)}" for name, value in point)
        terminal.print(f"  {values}")
    domain = record["domain"].items()
    ends = [f"{name} from {low:g} to {high:g}{_unit(name)}" for name, (low, high) in domain]
    terminal.print(f"Domain: {', '.join(ends)}.")
    terminal.print(f"Boxes examined: {record['boxes']}.")
    for name, reason in record["left_out"].items():
        terminal.print(f"Left out of the proof: {name}, as {reason}.")
    if found.shortcomings:
        print_shortcomings(found.shortcomings)


def _unit(name: str) -> str:
    from zpfit.api.wording import unit_of

    unit = unit_of(name)
    return f" {unit}" if unit else ""
