"""Ratios of earlier measurements, with which a benchmark compares its own.

A ratio is a time over that of a reference in the same run, so that those of one machine hold on
another. ``benchmarks/kept.json`` holds them by script and name.
"""

import json
from collections.abc import Mapping
from pathlib import Path

KEPT = Path(__file__).with_suffix(".json")
SLOWER = 1.2
"""A ratio above the kept one by this factor is reported."""


def kept_ratios(script: str) -> dict[str, float]:
    """Return the kept ratios of a script, by name."""
    ratios: dict[str, float] = _all().get(script, {})
    return ratios


def keep(script: str, ratios: Mapping[str, float]) -> None:
    """Keep ratios; those of other names stay."""
    everything = _all() | {script: kept_ratios(script) | dict(ratios)}
    KEPT.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")


def slower(script: str, ratios: Mapping[str, float]) -> list[str]:
    """Return lines about the ratios that exceed the kept ones by more than a fifth.

    It prints the names of ratios that are not compared.
    """
    kept = kept_ratios(script)
    new = [name for name in ratios if name not in kept]
    if new:
        print(f"Not compared, as no ratio is kept (--keep): {'; '.join(new)}")
    return [
        f"slower than before by more than a fifth: {name}, {ratio:.3g} instead of {kept[name]:.3g}"
        for name, ratio in ratios.items()
        if name in kept and ratio > SLOWER * kept[name]
    ]


def _all() -> dict[str, dict[str, float]]:
    everything: dict[str, dict[str, float]] = (
        json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    )
    return everything
