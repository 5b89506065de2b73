"""Signals that stop a run at a point from which it can be resumed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from zpfit.errors import Stopped

REPEAT_TO_RESUME = "start it again to resume"
"""Remedy of :class:`zpfit.errors.Stopped` for work that resumes without being told to."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTICE = b"\nstopping at the next checkpoint; repeat the signal to stop at once\n"


@dataclass(eq=False)
class StopRequest:
    """A request to stop, made by a signal. It is the signal handler as well."""

    lasting: bool = False
    """Ignore further signals. Set in worker processes, whose parent decides when to kill them."""
    by: signal.Signals | None = None
    """The signal that made the request; None if there is no request."""

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Handle a signal: the first one makes the request, the second one interrupts."""
        again, self.by = self.by is not None, signal.Signals(number)
        if self.lasting:
            return
        if again:
            raise KeyboardInterrupt
        os.write(2, _NOTICE)  # unbuffered: a signal may arrive during a print

    def heed(self) -> None:
        """Stop if there is a request.

        Raises
        ------
        Stopped
            A signal has made a request.
        """
        if self.by is not None:
            raise Stopped(self.by.name, self.by.value)


def present_request() -> StopRequest:
    """Return this process's stop request, or an inert one if no handler is installed."""
    handler = signal.getsignal(signal.SIGTERM)
    in_main = threading.current_thread() is threading.main_thread()
    return handler if in_main and isinstance(handler, StopRequest) else StopRequest()


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; let the second one interrupt.

    Python handles signals in the main thread alone, so that in other threads the request is
    inert. Nested contexts share one request: a signal between the two would be lost otherwise.

    Raises
    ------
    Stopped
        A second signal has arrived.
    """
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    if isinstance(signal.getsignal(signal.SIGTERM), StopRequest):
        yield present_request()
        return
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in _SIGNALS}
    try:
        yield request
    except KeyboardInterrupt:
        request.heed()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def obey_parent() -> None:
    """Install the signal handlers of a worker process: SIGTERM requests a stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which sends SIGTERM
    signal.signal(signal.SIGTERM, StopRequest(lasting=True))
