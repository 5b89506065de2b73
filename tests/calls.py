"""Functions that tests send to workers."""

import os
import signal
import time
from pathlib import Path

from zpfit.errors import ZpfitError
from zpfit.runs.signals import listening


def square(x: int) -> int:
    return x * x


def sometimes_fails(x: int) -> int:
    if x % 5 == 3:
        raise ZpfitError(f"{x} is not to my taste")
    if x % 5 == 4:
        raise TypeError(f"{x} is a bug")
    return x


def kills_its_worker(x: int) -> int:
    if x == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def kills_its_worker_once(path: str) -> str:
    """Die in the first call with a path; the second call finds the mark that the first has left."""
    mark = Path(path)
    if mark.exists():
        return path
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


def threads_of_linear_algebra(_: int) -> list[int]:
    import scipy.linalg  # noqa: F401 - loads the libraries that are counted
    from threadpoolctl import threadpool_info

    return [int(library["num_threads"]) for library in threadpool_info()]


def stops_slowly(item: tuple[str, float]) -> float:
    """Leave a mark; after a stop request, work for ``seconds``, save, and stop."""
    folder, seconds = item
    mark = Path(folder) / f"began{seconds}"
    mark.touch()
    with listening() as stop:
        while stop.by is None:
            time.sleep(0.01)
        time.sleep(seconds)
        (Path(folder) / f"saved{seconds}").touch()
        stop.heed()
    return seconds


def leaves_its_number(folder: str) -> int:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)
    return 0


def naps(item: tuple[str, float]) -> None:
    folder, seconds = item
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(seconds)
    (Path(folder) / f"ended{os.getpid()}").touch()


def its_process(_: int) -> int:
    return os.getpid()
