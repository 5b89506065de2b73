"""Commands ``export``, ``schema`` and ``completion``: files for other programs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.cli import options
from zpfit.cli.completion import RUNS_AND_FOLDERS
from zpfit.cli.messages import warn
from zpfit.cli.output import print_json, print_or_write, print_written

if TYPE_CHECKING:
    from zpfit.api.exports import Program

_FORMATS = ("getdist", "anesthetic", "arviz", "csv", "cobaya")
_SCHEMAS = ("run", "entry", "set", "model", "priors", "slice", "campaign", "figure")


@click.command()
@click.argument("run", shell_complete=RUNS_AND_FOLDERS)
@click.option("--to", type=click.Choice(_FORMATS), required=True, help="Program or format.")
@options.output("Folder [export, inside the run folder].")
@click.option(
    "--weighted", is_flag=True, help="Write the weighted samples from which ln Z is computed."
)
@options.force("Replace existing files.")
@options.as_json
def export(
    run: str, *, to: "Program", output: Path | None, weighted: bool, force: bool, as_json: bool
) -> None:
    """Export a run for GetDist, anesthetic, ArviZ, cobaya or as CSV.

    RUN is the folder of a finished run. For cobaya an input file is written; RUN may then also be
    a run file or the name of a packaged run.

    \b
    zpfit export output/quickstart --to getdist
    zpfit export output/quickstart --to csv --weighted --output tables
    zpfit export quickstart --to cobaya
    """
    from zpfit.api.exports import export as export_run

    if weighted and to == "cobaya":
        raise click.UsageError(
            "--weighted selects samples, and an input file of cobaya has none: drop it"
        )
    found = export_run(run, to, weighted=weighted, output=output, force=force)
    for text in found.notes:
        warn(text)
    if as_json:
        print_json({"format": to, "files": [str(path) for path in found.files]})
    else:
        print_written(found.files)


@click.command()
@click.argument("kind", type=click.Choice(_SCHEMAS))
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File for the schema."
)
def schema(kind: str, *, output: Path | None) -> None:
    """Print the JSON Schema of a kind of file.

    Editors use it to check and complete files.

    \b
    zpfit schema run --output zpfit-run.schema.json
    """
    from zpfit.api.exports import schema as schema_of

    print_or_write(json.dumps(schema_of(kind), indent=2, ensure_ascii=False), output)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a completion script for a shell.

    With it, the shell completes commands, options and names.

    \b
    eval "$(zpfit completion bash)"                          # in ~/.bashrc; zsh likewise
    zpfit completion fish > ~/.config/fish/completions/zpfit.fish
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"click has no completion for {shell}")
    # The script must name the installed command, also if python -m zpfit prints it.
    click.echo(maker(ctx.find_root().command, {}, "zpfit", "_ZPFIT_COMPLETE").source())
