"""Measure the response times of the explorer for points and slices of several models, warm.

Run as ``python benchmarks/explore.py [--json FILE]``. It sends requests over HTTP to a server on
this machine, as a browser does, and prints the median and the longest of many times. It exits with
an error if any median is above a tenth of a second.
"""

import argparse
import json
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

SET = "today_cs"
MODELS = ("effective", "sm_u1", "nhdm_u1", "froggatt_nielsen", "B-L", "dark_photon")
ROUNDS = 50
GOAL = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="File for the numbers.")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "zpfit", "explore", SET, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        address = (server.stdout.readline() if server.stdout else "").split()[0]
        try:
            rows = measured(HTTPConnection(address.split("//")[1].rstrip("/"), timeout=60))
        finally:
            server.terminate()
    for row in rows:
        print(
            f"{row['model']:<18} {row['question']:<6} {row['detail']:<12} "
            f"median {1e3 * row['median']:6.1f} ms, slowest {1e3 * row['slowest']:6.1f} ms"
        )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    if any(row["median"] > GOAL for row in rows):
        sys.exit("some answers take longer than a tenth of a second")


def measured(connection: HTTPConnection) -> list[dict[str, Any]]:
    """Return the times of every model's answers, in seconds."""
    rows = []
    for model in MODELS:
        about = {"model": model, "likelihood": SET}
        subject = answer(connection, "subject", about)
        x, y = [slider["name"] for slider in subject["sliders"][:2]]
        grid = subject["grid"]
        question = about | {"point": subject["start"]}
        for kind, asked, detail in (
            ("point", question, ""),
            ("slice", question | {"x": x, "y": y}, f"{grid} x {grid}"),
        ):
            times = []
            for _ in range(ROUNDS):
                began = perf_counter()
                answer(connection, kind, asked)
                times.append(perf_counter() - began)
            rows.append(
                {
                    "model": model,
                    "question": kind,
                    "detail": detail,
                    "median": median(times),
                    "slowest": max(times),
                }
            )
    return rows


def answer(connection: HTTPConnection, kind: str, question: dict[str, Any]) -> dict[str, Any]:
    """Return the complete answer of the server."""
    body, headers = json.dumps(question), {"Content-Type": "application/json"}
    connection.request("POST", f"/api/{kind}", body, headers)
    response = connection.getresponse()
    content: dict[str, Any] = json.loads(response.read())
    if response.status != 200:
        sys.exit(f"{kind}: {content}")
    return content


if __name__ == "__main__":
    main()
