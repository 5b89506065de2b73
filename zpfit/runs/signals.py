"""Signals that ask a run to stop: it does so where it can go on later."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from zpfit.errors import Stopped

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WORDS = b"\nstopping where the run can go on later; once more to stop at once\n"


@dataclass(eq=False)
class StopRequest:
    """Whether someone has asked, and how. Is itself a signal handler."""

    lasting: bool = False
    """Of a process that works for another: further signals do not hurry it."""
    by: signal.Signals | None = None
    """The signal, if someone has asked."""

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        again, self.by = self.by is not None, signal.Signals(number)
        if self.lasting:
            return
        if again:
            raise KeyboardInterrupt
        os.write(2, _WORDS)  # unbuffered: a signal may come in the middle of a print

    def heed(self) -> None:
        """Stop if it was asked for.

        Raises
        ------
        Stopped
            It was.
        """
        if self.by is not None:
            raise Stopped(self.by.name, self.by.value)


def present_request() -> StopRequest:
    """Of whoever listens in this process; one that nobody makes if nobody does."""
    handler = signal.getsignal(signal.SIGTERM)
    in_main = threading.current_thread() is threading.main_thread()
    return handler if in_main and isinstance(handler, StopRequest) else StopRequest()


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request, and let the second one interrupt.

    Only in a main thread, as no other may; elsewhere nobody ever asks. Where someone listens
    already, the request is theirs, so that none is lost between the two.

    Raises
    ------
    Stopped
        A second signal came.
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
    """In a new process that works for another: SIGTERM asks to stop for good."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent asks
    signal.signal(signal.SIGTERM, StopRequest(lasting=True))
