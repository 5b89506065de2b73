"""Messages of commands on standard error, and a log file of them."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zpfit.io.logging import LOGGER

if TYPE_CHECKING:
    from rich.console import Console

LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Messages:
    """Options of the command line that concern messages."""

    quiet: bool = False
    """Print only errors and results."""

    @classmethod
    def wanted(cls) -> "Messages":
        """Return the options of the command that runs, or the defaults outside a command."""
        context = click.get_current_context(silent=True)
        found = None if context is None else context.find_object(cls)
        return found or cls()

    def console(self) -> "Console":
        """Return a console on standard error that prints nothing if messages are unwanted."""
        from rich.console import Console

        return Console(stderr=True, markup=False, highlight=False, quiet=self.quiet)


def note(text: str) -> None:
    """Print something a user should know, unless only results are wanted."""
    LOGGER.info(text)
    if not Messages.wanted().quiet:
        click.echo(f"note: {text}", err=True)


def warn(text: str) -> None:
    """Print a problem that does not end the command."""
    LOGGER.warning(text)
    click.echo(f"warning: {text}", err=True)


def complain(text: str) -> None:
    """Print a problem that ends the command."""
    LOGGER.error(text)
    click.echo(f"error: {text}", err=True)


def keep_log(context: click.Context, path: Path, level: str) -> None:
    """Append messages of a level and above to a file until the command ends.

    Raises
    ------
    click.BadParameter
        The file cannot be written.
    """
    try:
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}); choose another file"
        raise click.BadParameter(message, context, param_hint="--log") from error
    before = LOGGER.level
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(level.upper())

    def close() -> None:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)
        handler.close()

    context.call_on_close(close)
