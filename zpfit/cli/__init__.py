"""Command line: the group of commands, its error handling and the entry point.

Each command is imported when it is called, and imports what it needs in its function. A command
therefore starts fast, and a help text appears without NumPy or matplotlib.
"""

import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from zpfit.cli.messages import LEVELS, Messages, complain, keep_log
from zpfit.cli.remedies import message_of
from zpfit.errors import InvalidInput, Stopped, ZpfitError
from zpfit.io.letters import with_one_mu

_COMMANDS = {
    "run": "run",
    "compare": "compare",
    "campaign": "campaign",
    "tension": "tension",
    "certify": "certify",
    "paper": "studies",
    "epochs": "studies",
    "vectors": "studies",
    "x17": "studies",
    "atlas": "atlas",
    "exclusion": "exclusion",
    "profile": "profile",
    "limit": "limit",
    "toys": "toys",
    "coverage": "coverage",
    "evaluate": "evaluate",
    "validate": "run",
    "list": "data",
    "show": "data",
    "cite": "data",
    "data": "data",
    "plot": "plot",
    "report": "report",
    "explore": "explore",
    "export": "export",
    "schema": "export",
    "completion": "export",
}
"""Module of ``zpfit.cli`` that holds each command, in the order of the help text."""
_GARBAGE = 500_000
"""New objects after which Python looks for unused cycles; modules and compiled functions make
300,000 objects. Its default of 700 costs a fit with plots a tenth of its time, as it looks at all
of them again and again."""
_INTERRUPTED = 130
"""Exit code after a keyboard interrupt, as shells use it."""
_BY_SIGNAL = 128
"""Exit code of a process that a signal has ended is this plus the number of the signal."""


class _Commands(click.Group):
    """A group that imports a command on demand and reports failures with exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands in the order of the help text."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"zpfit.cli.{_COMMANDS[cmd_name]}")
        commands = [found for found in vars(module).values() if isinstance(found, click.Command)]
        return next(command for command in commands if command.name == cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the micro sign as the Greek letter mu in all arguments that name no file."""
        return super().parse_args(ctx, [with_one_mu(text) for text in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and report its failure without a traceback."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            for problem in error.problems:
                complain(problem)
        except Stopped as error:
            click.echo(message_of(error, ctx.invoked_subcommand), err=True)
            return ctx.exit(_BY_SIGNAL + error.number)
        except ZpfitError as error:
            complain(message_of(error, ctx.invoked_subcommand))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            return ctx.exit(_INTERRUPTED)
        return ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zpfit", message="%(version)s")
@click.option("-q", "--quiet", is_flag=True, help="Print only results and errors.")
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Append messages with date and time to a file.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="Lowest level written to the log file.",
)
@click.pass_context
def cli(ctx: click.Context, *, quiet: bool, log: Path | None, log_level: str) -> None:
    """Fit a light Z' boson to data on leptons and quarks.

    Start with: zpfit run quickstart
    """
    ctx.obj = Messages(quiet)
    if log is not None:
        keep_log(ctx, log, log_level)


def main() -> None:
    """Run the command line; the entry point ``zpfit``."""
    gc.set_threshold(_GARBAGE)
    try:
        cli()
    except OSError as error:
        click.echo(f"error: {_place_of(error)}: {error.strerror or error}", err=True)
        sys.exit(2)
    finally:
        gc.freeze()  # Python looks for unused cycles at its end as well, which takes 0.1 s


def _place_of(error: OSError) -> str:
    """Return what could not be read or written; an error of a stream has no file name."""
    return str(error.filename) if error.filename else "standard output"
