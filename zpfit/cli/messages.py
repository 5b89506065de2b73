"""What commands tell beside their results: how much of it, and a log of it."""

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
    """What a user has asked for in front of a command."""

    quiet: bool = False
    """Tell nothing but errors and results."""

    @classmethod
    def wanted(cls) -> "Messages":
        """By whoever called the command that runs."""
        context = click.get_current_context(silent=True)
        found = None if context is None else context.find_object(cls)
        return found or cls()

    def console(self) -> "Console":
        """Where progress goes: standard error, or nowhere."""
        from rich.console import Console

        return Console(stderr=True, markup=False, highlight=False, quiet=self.quiet)


def note(text: str) -> None:
    """Tell something a user should know, unless nothing is wanted."""
    LOGGER.info(text)
    if not Messages.wanted().quiet:
        click.echo(f"note: {text}", err=True)


def warn(text: str) -> None:
    """Tell what went wrong without ending a command."""
    LOGGER.warning(text)
    click.echo(f"warning: {text}", err=True)


def complain(text: str) -> None:
    """Tell what ended a command."""
    LOGGER.error(text)
    click.echo(f"error: {text}", err=True)


def keep_log(context: click.Context, path: Path, level: str) -> None:
    """Add messages of a level and above to a file until the command ends.

    Raises
    ------
    click.BadParameter: the file cannot be written.
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
