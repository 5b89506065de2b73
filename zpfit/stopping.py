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


@dataclass
class StopRequest:
    """Whether someone has asked, and how."""

    by: signal.Signals | None = None
    """The signal, if someone has asked."""

    def heed(self) -> None:
        """Stop if it was asked for.

        Raises:
            Stopped: it was.
        """
        if self.by is not None:
            raise Stopped(self.by.name, self.by.value)


@contextmanager
def listening() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; the second one stops at once.

    Only in a main thread, as no other may; elsewhere nobody ever asks.

    Raises:
        Stopped: a second signal came.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, _: FrameType | None) -> None:
        again, request.by = request.by is not None, signal.Signals(number)
        if again:
            raise KeyboardInterrupt
        os.write(2, _WORDS)  # unbuffered: a signal may come in the middle of a print

    # A worker of a pool leaves SIGINT to its parent.
    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield request
    except KeyboardInterrupt:
        request.heed()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
