"""Server of the page on the loopback address."""

import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from zpfit.errors import PortInUse

_LOOPBACK = "127.0.0.1"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 2
"""Seconds that open requests have when the server stops."""


def serve(app: ASGIApp, port: int, ready: Callable[[str], None]) -> None:
    """Answer requests from this machine until SIGINT or SIGTERM.

    Parameters
    ----------
    app
        The ASGI application.
    port
        Port; 0 for any free one.
    ready
        Called with the address when the server listens.

    Raises
    ------
    PortInUse
        Another program listens at the port, or the system refuses it.
    """
    with _listening(port) as listener:
        address = f"http://{_LOOPBACK}:{listener.getsockname()[1]}/"
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
        )
        _Server(config, lambda: ready(address)).run(sockets=[listener])


def open_browser(address: str) -> None:
    """Open the page in a browser, without waiting for it."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # With the protocol named, asyncio disables Nagle's algorithm, which delays answers by 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        # Allows the port of a server that has just ended; on Windows it would share a port in use.
        if hasattr(socket, "SO_REUSEPORT"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, port))
            listener.listen(128)
        except OSError as error:
            raise PortInUse(_LOOPBACK, port, error.strerror or str(error)) from error
        yield listener


class _Server(uvicorn.Server):
    """Server that ends normally at the first signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
