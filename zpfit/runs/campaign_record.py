"""What a campaign leaves beside the folders of its fits: tables, and a plot over all of them."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zpfit.io.writing import write_whole
from zpfit.plots.campaign import MOST_ROWS, campaign_figure
from zpfit.plots.style import house_style, pdf, png
from zpfit.runs.campaign import CampaignResult, Row

JSON, CSV, PLOTS = "campaign.json", "campaign.csv", ("campaign.png", "campaign.pdf")
_COLUMNS = (
    "name", "runs", "models", "data", "priors", "overrides", "seed", "chi2", "chi2_no_zprime",
    "log_z", "log_z_error", "log_bayes_factor", "evaluations", "converged",
)  # fmt: skip
_AXES = ("runs", "models", "data", "priors", "overrides")


def over_seeds(rows: Sequence[Row]) -> list[Row]:
    """One row for each combination of all but the seed.

    ln Z is the mean over seeds weighted by their errors; ``log_z_scatter`` is the standard
    deviation between seeds, which should be about ``log_z_error_of_one``; the best fit is the
    best of all.
    """
    cells: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        cells.setdefault(tuple(row[axis] for axis in _AXES), []).append(row)
    return [_cell(members) for members in cells.values()]


def _cell(members: Sequence[Row]) -> Row:
    log_z, error = (np.array([row[key] for row in members]) for key in ("log_z", "log_z_error"))
    weight = 1 / np.maximum(error, 1e-12) ** 2
    best = min(members, key=lambda row: float(row["chi2"]))
    mean = float(np.sum(weight * log_z) / np.sum(weight))
    return {
        **{axis: best[axis] for axis in _AXES},
        "name": "-".join(best[axis] for axis in _AXES if best[axis]),
        "fits": len(members),
        "converged": sum(bool(row["converged"]) for row in members),
        "chi2": best["chi2"],
        "chi2_worst_seed": max(row["chi2"] for row in members),
        "chi2_no_zprime": best["chi2_no_zprime"],
        "log_z": mean,
        "log_z_error": float(1 / np.sqrt(np.sum(weight))),
        "log_z_error_of_one": float(np.sqrt(np.mean(error**2))),
        "log_z_scatter": float(np.std(log_z, ddof=1)) if len(members) > 1 else None,
        "log_bayes_factor": mean + 0.5 * best["chi2_no_zprime"],
        "log_bayes_factors": [row["log_bayes_factor"] for row in members],
        "best_fit": best["best_fit"],
    }


def as_json(title: str, result: CampaignResult) -> dict[str, Any]:
    """Everything, ready for JSON."""
    return {
        "title": title,
        "finished": len(result.rows),
        "failed": result.failures,
        "cells": over_seeds(result.rows),
        "fits": result.rows,
    }


def keep(record: Mapping[str, Any], output: Path) -> list[str]:
    """Write tables and plots; returns why there is no plot, if there is none, in words.

    Raises
    ------
    UnwritablePath
        A file cannot be written.
    """
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    write_whole(output / JSON, lambda path: path.write_text(text, encoding="utf-8"))
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(record["fits"])
    write_whole(output / CSV, lambda path: path.write_text(table.getvalue(), encoding="utf-8"))
    cells = record["cells"]
    if not cells:
        return ["no plot, as no fit is finished"]
    if len(cells) > MOST_ROWS:
        return [f"no plot of {len(cells)} combinations, as it takes at most {MOST_ROWS}"]
    with house_style():
        figure = campaign_figure(record["title"], cells)
        for name, write in zip(PLOTS, (png(figure), pdf(figure)), strict=True):
            write_whole(output / name, write)
    return []
