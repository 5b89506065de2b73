"""Progress of computations: a live table on a terminal, plain lines elsewhere, and a log."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from zpfit.api.logs import RunLog, last_words
from zpfit.cli.messages import Messages, warn
from zpfit.io.logging import LOGGER
from zpfit.io.numbers import percent

_LOG_INTERVAL = 10.0
"""Seconds between progress lines on a console without a live table."""
_LINE_INTERVAL = 3.0
"""Seconds between lines of :class:`LiveStages` where there is no live table."""
_ROWS = 12
"""Stages that a live table shows; taller tables would hide the latest rows on small terminals."""
_LEAST_PROGRESS = 0.05
"""Fraction of a stage that must be done before the time left is estimated."""
_ALMOST_DONE = 0.999
"""Largest fraction shown before a stage ends.

A sampler has several stopping conditions and reports one of them. Rich stops the clock of a full
bar, although the stage may continue.
"""


class StageLines:
    """Progress of a short computation: a line for each stage, on standard error."""

    def __init__(self) -> None:
        self._console = Messages.wanted().console()

    def stage(self, title: str) -> None:
        """Begin a stage."""
        LOGGER.info(title)
        self._console.print(Text(title, style="dim"), soft_wrap=True)

    def update(self, fraction: float, note: str) -> None:  # noqa: ARG002 - of Progress
        """Log a note; a stage lasts seconds, so that the terminal needs no update."""
        LOGGER.debug(note)

    def note(self, text: str) -> None:
        """Print something the user should know."""
        LOGGER.warning(text)
        self._console.print(Text(f"note: {text}", style="yellow"), soft_wrap=True)


class ToyLines(StageLines):
    """Progress of pseudo-experiments: stages, and at intervals the fraction done."""

    def __init__(self) -> None:
        super().__init__()
        self._last = time.monotonic()

    def update(self, fraction: float, note: str) -> None:
        """Print the fraction done, unless the last line is recent."""
        now = time.monotonic()
        if now - self._last >= _LOG_INTERVAL:
            self._last = now
            line = Text(f"  {percent(fraction)}, {note}", style="dim")
            self._console.print(line, soft_wrap=True)


class LiveStages(StageLines):
    """Progress of minutes: a live table on a terminal, elsewhere lines at least every few seconds.

    Examples
    --------
    >>> with LiveStages() as progress:
    ...     progress.stage("Dividing boxes")
    """

    def __init__(self) -> None:
        super().__init__()
        self._view: LiveView | None = None
        self._last = time.monotonic()

    def __enter__(self) -> "LiveStages":
        if self._console.is_terminal and not self._console.quiet:
            self._view = LiveView(self._console, time_left=False)
            self._view.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._view is not None:
            if kind is None:
                self._view.complete()
            self._view.stop()

    def stage(self, title: str) -> None:
        """End the stage before, and begin one."""
        self._last = time.monotonic()
        if self._view is None:
            super().stage(title)
            return
        LOGGER.info(title)
        self._view.complete()
        self._view.stage(title)

    def update(self, fraction: float, note: str) -> None:
        """Show the fraction of the stage that is done, 0 to 1, and a note.

        The note of an end (fraction 1) is always a line.
        """
        if self._view is not None:
            self._view.update(fraction, note)
        now, ends = time.monotonic(), fraction >= 1
        if not ends and now - self._last < _LINE_INTERVAL:
            LOGGER.debug(note)
            return
        self._last = now
        LOGGER.info(note)
        if self._view is None:
            self._console.print(Text(f"  {note}", style="dim"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print something the user should know."""
        if self._view is None:
            super().note(text)
            return
        LOGGER.warning(text)
        self._view.note(text)


class RunReporter:
    """Progress of a run: a live table on a terminal, plain lines elsewhere, and the run's log."""

    def __init__(self, log_path: Path) -> None:
        self._console = Messages.wanted().console()
        self._log = RunLog(log_path, warn)
        self._view: LiveView | None = None
        self._last_line = 0.0

    def __enter__(self) -> "RunReporter":
        self._log.__enter__()
        if self._console.is_terminal and not self._console.quiet:
            self._view = LiveView(self._console)
            self._view.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._view is None and (words := last_words(error)):
            self._console.print(Text(self._log.line(words)), soft_wrap=True)
        self._log.__exit__(kind, error, traceback)
        if self._view is not None:
            self._view.stop()

    def stage(self, title: str) -> None:
        """Begin a stage."""
        self.complete()
        if self._view is not None:
            self._view.stage(title)
        self._write(title, logging.INFO)

    def update(self, fraction: float, note: str) -> None:
        """Report the fraction of the stage that is done, 0 to 1, and a short note."""
        if self._view is not None:
            self._view.update(fraction, note)
        to_console = time.monotonic() - self._last_line > _LOG_INTERVAL
        self._write(note, logging.DEBUG, to_console=to_console)

    def note(self, text: str) -> None:
        """Report something the user should know."""
        if self._view is not None:
            self._view.note(text)
        self._write(text, logging.WARNING)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Report the result of the run."""
        self.complete()
        self._write(
            f"Done: best fit chi2 {summary['best_fit']['chi2']:.4f}, "
            f"{'converged' if summary['converged'] else 'not converged'}",
            logging.INFO,
        )

    def complete(self) -> None:
        """End the stage."""
        if self._view is not None:
            self._view.complete()

    def _write(self, text: str, level: int, *, to_console: bool = True) -> None:
        LOGGER.log(level, text)
        self._log.note(text)
        if self._view is None and to_console:
            self._last_line = time.monotonic()
            self._console.print(Text(self._log.line(text)), soft_wrap=True)


@dataclass(frozen=True)
class _Report:
    """Fraction of a stage that was done at a time, in seconds since the stage began."""

    done: float
    elapsed: float


class TimeLeft(ProgressColumn):
    """Estimated time left in a stage.

    The rate is measured from the first report on, because a resumed run begins a stage with much of
    it done.
    """

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds, or an empty text before there is an estimate."""
        first: _Report | None = task.fields["first"]
        if task.finished or first is None or task.elapsed is None:
            return Text("")
        since = task.completed - first.done
        if since < _LEAST_PROGRESS:
            return Text("")
        left = (task.elapsed - first.elapsed) * (1 - task.completed) / since
        return Text(f"{timedelta(seconds=round(left))} left", style="dim")


class LiveView:
    """A live table with a row for each stage: name, bar, note, time spent and time left.

    Parameters
    ----------
    console
        The terminal.
    time_left
        Estimate the time left, which supposes that the fraction grows steadily.
    """

    def __init__(self, console: Console, *, time_left: bool = True) -> None:
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[note]}", markup=False, table_column=Column(ratio=1)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
        ]
        if time_left:
            columns.append(TimeLeft(table_column=Column(no_wrap=True, min_width=12)))
        self._progress = Progress(*columns, console=console, expand=True)
        self._task: TaskID | None = None

    @property
    def tasks(self) -> list[Task]:
        """Rows of the table."""
        return self._progress.tasks

    def start(self) -> None:
        """Show the table below the last line of the terminal."""
        self._progress.start()

    def stop(self) -> None:
        """Stop updating the table; it stays on the terminal."""
        self._progress.stop()

    def stage(self, title: str) -> None:
        """Add a row; its bar pulses until the first update."""
        self._task = self._progress.add_task(title, total=None, note="", first=None)
        for task in self._progress.tasks[:-_ROWS]:
            self._progress.update(task.id, visible=False)

    def update(self, fraction: float, note: str) -> None:
        """Show the fraction of the stage that is done, 0 to 1, and a note."""
        if self._task is None:
            return
        done, task = min(fraction, _ALMOST_DONE), self._progress.tasks[self._task]
        first = task.fields["first"] or _Report(done, task.elapsed or 0.0)
        self._progress.update(self._task, total=1.0, completed=done, note=note, first=first)

    def complete(self) -> None:
        """Fill the bar of the stage."""
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._progress.console.print(Text(text, style="yellow"))
