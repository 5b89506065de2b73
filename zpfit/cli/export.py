"""Commands towards other programs: exports, JSON Schemas, completion of shells."""

import json
from pathlib import Path

import click

from zpfit.cli.completion import RUNS_AND_FOLDERS
from zpfit.cli.output import print_or_write

_FORMATS = ("getdist", "anesthetic", "arviz", "csv", "cobaya")
_SCHEMAS = ("run", "entry", "set", "model", "priors", "slice", "campaign")


@click.command()
@click.argument("run", shell_complete=RUNS_AND_FOLDERS)
@click.option("--to", type=click.Choice(_FORMATS), required=True, help="The program or format.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder [export in the run's].")
@click.option("--weighted", is_flag=True, help="The weighted samples behind the evidence.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export(
    run: str, *, to: str, output: Path | None, weighted: bool, force: bool, as_json: bool
) -> None:
    """Write a finished run for GetDist, anesthetic, ArviZ or as CSV; an input file for cobaya.

    RUN is the folder of a finished run; for cobaya it may be a run file or the name of a packaged
    run as well.

    \b
    zpfit export output/quickstart --to getdist
    zpfit export output/quickstart --to csv --weighted --output tables
    zpfit export quickstart --to cobaya
    """
    from zpfit.interfaces.export import FORMATS, export_cobaya
    from zpfit.interfaces.export import export as export_samples

    if to in FORMATS:
        written = export_samples(run, to, output, force=force, weighted=weighted)
    elif weighted:
        raise click.UsageError("--weighted is for samples, an input of cobaya has none: drop it")
    else:
        written = export_cobaya(run, output, force=force)
    names = [str(path) for path in written]
    if as_json:
        click.echo(json.dumps({"format": to, "files": names}, indent=2))
    else:
        click.echo(f"Written: {', '.join(names)}")


@click.command()
@click.argument("kind", type=click.Choice(_SCHEMAS))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File for it.")
def schema(kind: str, *, output: Path | None) -> None:
    """JSON Schema of a kind of file, with which editors check and complete it.

    \b
    zpfit schema run --output zpfit-run.schema.json
    """
    from zpfit.runs.json_schema import json_schema

    print_or_write(json.dumps(json_schema(kind), indent=2, ensure_ascii=False), output)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which a shell completes commands, options and names.

    \b
    eval "$(zpfit completion bash)"                          # in ~/.bashrc; zsh likewise
    zpfit completion fish > ~/.config/fish/completions/zpfit.fish
    """
    from click.shell_completion import get_completion_class

    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    # As the entry point is called, whoever calls it now.
    click.echo(maker(ctx.find_root().command, {}, "zpfit", "_ZPFIT_COMPLETE").source())
