"""The stages of a run as a table that moves, on a terminal."""

from datetime import timedelta

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

_TELLS = 0.05
"""Share of a stage from which the time that is left can be told."""


class _TimeLeft(ProgressColumn):
    """By the share that is done: engines come nearer to their aims at a steady pace."""

    def render(self, task: Task) -> Text:
        """Hours, minutes and seconds, or nothing."""
        if task.finished or task.elapsed is None or task.completed < _TELLS:
            return Text("")
        left = task.elapsed * (1 - task.completed) / task.completed
        return Text(f"{timedelta(seconds=round(left))} left", style="dim")


class LiveView:
    """A row for each stage: its name, a bar, what is known by now, time spent and time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[words]}", markup=False, table_column=Column(ratio=1)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            _TimeLeft(table_column=Column(no_wrap=True, min_width=12)),
            console=console,
            expand=True,
        )
        self._task: TaskID | None = None

    def start(self) -> None:
        """Take the last lines of the terminal."""
        self._progress.start()

    def stop(self) -> None:
        """Leave the table as it is."""
        self._progress.stop()

    def stage(self, title: str) -> None:
        """A new row; its bar runs to and fro until something is known."""
        self._task = self._progress.add_task(title, total=None, words="")

    def update(self, fraction: float, words: str) -> None:
        """How much of the stage is done, 0 to 1, and what is known by now."""
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=fraction, words=words)

    def complete(self) -> None:
        """The stage has come to its end."""
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)

    def note(self, text: str) -> None:
        """A line above the table."""
        self._progress.console.print(Text(text, style="yellow"))
