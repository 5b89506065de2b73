"""The stages of a run as a table that moves, on a terminal."""

from dataclasses import dataclass
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
_NEARLY = 0.999
"""Most that is done of a stage which has not ended: an engine has several aims, of which it tells
one, and the clock of a whole bar stands still.
"""


@dataclass(frozen=True)
class _Report:
    """What share of a stage was done at a time, in seconds from its beginning."""

    done: float
    elapsed: float


class TimeLeft(ProgressColumn):
    """A guess by what was done since the first report, which a resumed run begins with much of."""

    def render(self, task: Task) -> Text:
        """Hours, minutes and seconds, or nothing."""
        first: _Report | None = task.fields["first"]
        if task.finished or first is None or task.elapsed is None:
            return Text("")
        since = task.completed - first.done
        if since < _TELLS:
            return Text("")
        left = (task.elapsed - first.elapsed) * (1 - task.completed) / since
        return Text(f"{timedelta(seconds=round(left))} left", style="dim")


class LiveView:
    """A row for each stage: its name, a bar, what is known by now, time spent and time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[words]}", markup=False, table_column=Column(ratio=1)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TimeLeft(table_column=Column(no_wrap=True, min_width=12)),
            console=console,
            expand=True,
        )
        self._task: TaskID | None = None

    @property
    def tasks(self) -> list[Task]:
        """Of each stage so far."""
        return self._progress.tasks

    def start(self) -> None:
        """Take the last lines of the terminal."""
        self._progress.start()

    def stop(self) -> None:
        """Leave the table as it is."""
        self._progress.stop()

    def stage(self, title: str) -> None:
        """A new row; its bar runs to and fro until something is known."""
        self._task = self._progress.add_task(title, total=None, words="", first=None)

    def update(self, fraction: float, words: str) -> None:
        """How much of the stage is done, 0 to 1, and what is known by now."""
        if self._task is None:
            return
        done, task = min(fraction, _NEARLY), self._progress.tasks[self._task]
        first = task.fields["first"] or _Report(done, task.elapsed or 0.0)
        self._progress.update(self._task, total=1.0, completed=done, words=words, first=first)

    def complete(self) -> None:
        """The stage has come to its end."""
        if self._task is not None:
            self._progress.update(self._task, total=1.0, completed=1.0)

    def note(self, text: str) -> None:
        """A line above the table."""
        self._progress.console.print(Text(text, style="yellow"))
