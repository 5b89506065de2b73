"""Plots of a run, in its own process or in one beside it.

A process beside the run imports matplotlib and draws a first figure while the run samples, and
prepares the plots while it searches the best fit. Drawing in the run's own process takes
1.5 s longer.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from multiprocessing import Pipe, current_process, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol, cast

from zpfit.runs.pools import Spawning, begin_worker, cores
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.side_by_side import interrupts_held

_LOOK = 0.1
"""Seconds between two looks at a stop request while the other process draws."""
_PATIENCE = 5.0
"""Seconds to wait for the end of a process that is being killed, which takes milliseconds."""


class Plots(Protocol):
    """The plots of a run, which are files of its folder."""

    def begin(self, title: str) -> None:
        """Draw what needs no best fit; the folder holds run file and samples.

        Parameters
        ----------
        title
            Title of the run.
        """

    def finish(self, heed: Callable[[], None]) -> list[str]:
        """Draw the rest, and return what failed, in words; the folder holds the summary.

        Parameters
        ----------
        heed
            Called repeatedly; may end the drawing by raising.
        """


class _Here:
    """Plots that this process draws when the run is finished."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def begin(self, title: str) -> None:
        """Wait for the best fit."""

    def finish(self, heed: Callable[[], None]) -> list[str]:
        """Draw all plots."""
        from zpfit.runs.drawing import draw_run  # imports matplotlib

        return draw_run(self._folder, heed)


class _Beside:
    """Plots that another process draws.

    If it has ended, or has not yet imported what it needs at the end of a short run, the plots are
    drawn here.
    """

    def __init__(self, folder: RunFolder, process: BaseProcess, connection: Connection) -> None:
        self._here, self._process, self._connection = _Here(folder), process, connection

    def begin(self, title: str) -> None:
        """Tell the process that the samples are written."""
        with suppress(OSError):
            self._connection.send(title)

    def finish(self, heed: Callable[[], None]) -> list[str]:
        """Let the process draw the rest."""
        try:
            return self._problems(heed)
        except (OSError, EOFError):
            self.end()  # two processes must not write the same files
            return self._here.finish(heed)

    def end(self) -> None:
        """End the process, and wait until nothing of it is left."""
        self._process.kill()
        self._process.join()
        with suppress(OSError, EOFError):
            # Its copy, see `_both`, ends with it and then closes the connection.
            while self._connection.poll(_PATIENCE):
                self._connection.recv()
        self._connection.close()

    def _problems(self, heed: Callable[[], None]) -> list[str]:
        if not self._connection.poll():
            raise EOFError
        self._connection.recv()
        self._connection.send(None)
        while not self._connection.poll(_LOOK):
            heed()
        return cast(list[str], self._connection.recv())


@contextmanager
def plots_of(folder: RunFolder, *, beside: bool) -> Iterator[Plots]:
    """Open the plots of a run.

    Parameters
    ----------
    folder
        Folder of the run.
    beside
        Draw in a process beside this one, if there is a core for it. Where matplotlib is imported
        already, its settings may be the user's own, and plots are drawn here.
    """
    alone = cores() < 2 or current_process().daemon or "matplotlib" in sys.modules
    if alone or not beside:
        yield _Here(folder)
        return
    try:
        drawn = _Beside(folder, *_started(folder.path))
    except OSError:  # no memory or no process is left
        yield _Here(folder)
        return
    try:
        yield drawn
    finally:
        drawn.end()


def _started(folder: Path) -> tuple[BaseProcess, Connection]:
    """Start a process that draws the plots of a folder; return it with a connection to it."""
    ours, theirs = Pipe()
    with theirs, interrupts_held():
        if sys.platform != "win32":
            resource_tracker.ensure_running()  # it would unmask interrupts if it started later
        process = Spawning().Process(target=partial(_serve, folder, theirs))
        process.start()
    return process, ours


def _serve(folder: Path, connection: Connection) -> None:
    """Draw the plots of a folder; the main function of the process beside the run.

    An exception ends the process without an answer: the run then draws the plots itself.
    """
    begin_worker()
    gc.disable()  # the process lives for seconds
    with suppress(Exception):
        drawing = import_module("zpfit.runs.drawing")
        connection.send(None)  # ready
        drawing.warm_up()
        title = connection.recv()
        begun = drawing.begin_run(RunFolder(folder), title, connection.poll)
        connection.recv()
        corner, *others = drawing.plots_to_draw(RunFolder(folder), begun=begun)
        connection.send(_both(corner, lambda: [text for draw in others for text in draw()]))
        connection.recv()  # the run ends this process


def _both(first: Callable[[], list[str]], second: Callable[[], list[str]]) -> list[str]:
    """Call two functions, the second one in a copy of this process; return what both do.

    A copy needs no time to import and to prepare. Systems other than Linux cannot copy a process
    safely.
    """
    if sys.platform != "linux":
        return first() + second()
    ours, theirs = Pipe(duplex=False)
    copied = get_context("fork").Process(target=_answer, args=(second, theirs))
    copied.start()
    theirs.close()
    return first() + cast(list[str], ours.recv())


def _answer(call: Callable[[], list[str]], connection: Connection) -> None:
    """Send what a function returns."""
    begin_worker()
    connection.send(call())
