"""Functions that benchmarks send to workers, and processes that they start."""

import time

STARTED = time.process_time()

import asyncio  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from zpfit.analysis.records import CampaignRow  # noqa: E402
from zpfit.runs.campaign_columns import RowTask, fit_row  # noqa: E402 - as in a worker
from zpfit.runs.campaign_file import load_campaign  # noqa: E402

PARAMETERS = ("m_Zp", "g_prime", "eps")


def nothing(_: int) -> None:
    """Return at once."""


def warm(_: int) -> None:
    """Take long enough for every worker to get a call."""
    time.sleep(0.2)


def row(number: int) -> CampaignRow:
    """Return a row of a campaign with random numbers."""
    numbers = np.random.default_rng(number).random(9).tolist()
    return {
        "name": f"tiny-s{number}", "runs": "tiny", "models": None, "data": None, "priors": None,
        "overrides": None, "seed": number, "chi2": numbers[0], "chi2_no_zprime": numbers[1],
        "log_z": numbers[2], "log_z_error": numbers[3], "log_bayes_factor": numbers[4],
        "evaluations": 6000, "converged": True, "shortcomings": [],
        "best_fit": dict(zip(PARAMETERS, numbers[5:8], strict=True)), "number": number,
        "combination": "tiny", "changes": 200 * "x", "joint_sigma": None, "seconds": numbers[8],
        "fingerprint": 64 * "f",
    }  # fmt: skip


def payload(rows: int) -> list[CampaignRow]:
    """Return the rows of a task."""
    return [row(number) for number in range(rows)]


def measure(path: Path) -> dict[str, float]:
    """Measure CPU seconds of the start of a worker and of the fits of a campaign."""
    campaign = load_campaign(path)
    tasks = [
        RowTask(cell, seed, 0, cross_check=False, joint_sigma=False, campaign_id="")
        for cell, seed, _ in campaign.tasks()
    ]
    fit_row(tasks[0])
    start = time.process_time() - STARTED
    before = time.process_time()
    for task in tasks[1:]:
        fit_row(task)
    fit = (time.process_time() - before) / len(tasks[1:])
    before = time.process_time()
    tasks[0].cell.run()
    return {"start_s": start, "fit_s": fit, "resolve_s": time.process_time() - before}


async def be_workers(count: int, scheduler: str) -> None:
    """Run many workers of Dask in this process, until it is ended."""
    from distributed import Worker

    with tempfile.TemporaryDirectory() as scratch:
        places = [f"{scratch}/{number}" for number in range(count)]
        for place in places:
            await Worker(
                scheduler_file=scheduler, nthreads=1, dashboard=False, local_directory=place
            )
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "--workers":
        asyncio.run(be_workers(int(sys.argv[2]), sys.argv[3]))
    else:
        print(json.dumps(measure(Path(sys.argv[1]))))
