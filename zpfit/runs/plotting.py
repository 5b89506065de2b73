"""Plots of a run, in its own process or in one beside it.

A process beside the run imports matplotlib while the run samples, and draws each plot as soon as
what it shows is known.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from multiprocessing import Pipe, current_process, get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Protocol, cast

from zpfit.runs.pools import Spawning, begin_worker, cores
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.side_by_side import interrupts_held

_LOOK = 0.1
"""Seconds between two looks at a stop request while the other process draws."""
_LONGEST = 120.0
"""Seconds after which the other process counts as stuck; a busy machine needs some ten."""
_PATIENCE = 5.0
"""Seconds to wait for the end of a process that is being killed, which takes milliseconds."""


class Plots(Protocol):
    """The plots of a run, which are files of its folder."""

    def samples_written(self, title: str) -> None:
        """Draw what needs no best fit; the folder holds run file and samples.

        Parameters
        ----------
        title
            Title of the run.
        """

    def best_fit_found(self, best_fit: Mapping[str, float]) -> None:
        """Draw what needs the best fit alone.

        Parameters
        ----------
        best_fit
            Value of each parameter.
        """

    def finish(self, heed: Callable[[], None]) -> list[str]:
        """Draw the rest when the folder holds the summary.

        Parameters
        ----------
        heed
            Called repeatedly; may end the drawing by raising.

        Returns
        -------
        list of str
            A message for each plot that failed.
        """


class _Here:
    """Plots that this process draws when the run is finished."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def samples_written(self, title: str) -> None:
        """Wait for the summary."""

    def best_fit_found(self, best_fit: Mapping[str, float]) -> None:
        """Wait for the summary."""

    def finish(self, heed: Callable[[], None]) -> list[str]:
        """Draw all plots."""
        try:
            from zpfit.runs.drawing import draw_run  # imports matplotlib
        except Exception as error:  # noqa: BLE001 - whatever breaks, the run must stand
            return [f"plots failed: {type(error).__name__}: {error}"]
        return draw_run(self._folder, heed)


class _Beside:
    """Plots that another process draws.

    If it has ended, or has not yet imported what it needs at the end of a short run, the plots are
    drawn here.
    """

    def __init__(self, folder: RunFolder, process: BaseProcess, connection: Connection) -> None:
        self._here, self._process, self._connection = _Here(folder), process, connection

    def samples_written(self, title: str) -> None:
        """Tell the process that the samples are written."""
        self._tell(title)

    def best_fit_found(self, best_fit: Mapping[str, float]) -> None:
        """Tell the process the best fit."""
        self._tell(dict(best_fit))

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
            # Its copies, see `_copied`, end with it and then close the connection.
            while self._connection.poll(_PATIENCE):
                self._connection.recv()
        self._connection.close()

    def _tell(self, news: object) -> None:
        with suppress(OSError):  # has ended; this is noticed later
            self._connection.send(news)

    def _problems(self, heed: Callable[[], None]) -> list[str]:
        if not self._connection.poll():
            raise EOFError
        self._connection.recv()
        self._connection.send(None)
        end = monotonic() + _LONGEST
        while not self._connection.poll(_LOOK):
            heed()
            if monotonic() > end:
                raise EOFError
        return cast(list[str], self._connection.recv())


@contextmanager
def plots_of(folder: RunFolder, *, beside: bool) -> Iterator[Plots]:
    """Open the plots of a run.

    Parameters
    ----------
    folder
        Folder of the run.
    beside
        Draw in a process beside this one, if that is possible and faster.
    """
    if not (beside and _gains()):
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


def _gains() -> bool:
    """Return whether another process may be started, and draws sooner with the same settings.

    Where matplotlib is imported already, its settings may be the user's own.
    """
    return cores() > 1 and not current_process().daemon and "matplotlib" not in sys.modules


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
    with suppress(Exception):
        begin_worker()
        gc.disable()  # the process lives for seconds
        drawing = import_module("zpfit.runs.drawing")
        connection.send(None)  # ready
        drawing.warm_up()
        title = connection.recv()
        plots = drawing.RunPlots(RunFolder(folder), title, RunFolder(folder).samples())
        trace = plots.trace()
        best_fit = connection.recv()
        corner = plots.corner(best_fit)
        connection.recv()
        rest = _at_once(
            partial(plots.corner_png, best_fit),
            partial(plots.corner_pdf, best_fit),
            partial(plots.pulls, RunFolder(folder).summary()),
        )
        connection.send(list(dict.fromkeys([*corner, *rest, *trace])))
        connection.recv()  # the run ends this process


def _at_once(first: Callable[[], list[str]], *others: Callable[[], list[str]]) -> list[str]:
    """Call functions, all but the first in copies of this process; return what they do.

    A copy needs no time to import and to prepare. Systems other than Linux cannot copy a process
    safely.
    """
    if sys.platform != "linux":
        return [text for call in (first, *others) for text in call()]
    copies = [_copied(call) for call in others]
    found = first()
    return [*found, *(text for ours in copies for text in ours.recv())]


def _copied(call: Callable[[], list[str]]) -> Connection:
    """Call a function in a copy of this process; return a connection that sends the result."""
    ours, theirs = Pipe(duplex=False)
    with theirs:
        get_context("fork").Process(target=_answer, args=(call, theirs)).start()
    return ours


def _answer(call: Callable[[], list[str]], connection: Connection) -> None:
    """Send what a function returns; nothing if it raises, as the run then calls it itself."""
    with suppress(Exception):
        begin_worker()
        connection.send(call())
