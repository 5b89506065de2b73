"""Test the built wheel in a clean environment, outside the repository."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = (
    "sampler.walkers=32",
    "sampler.max_steps=40",
    "sampler.target_ess=10",
    "best_fit.starts=50",
)


def run(*words: str | Path, cwd: Path) -> str:
    """Run a command without the repository on Python's path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_runs_the_quickstart_from_an_empty_folder(tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path / "dist", ROOT, cwd=tmp_path)
    [wheel] = (tmp_path / "dist").glob("zpfit-*.whl")
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", wheel, cwd=tmp_path)

    empty = tmp_path / "empty"
    empty.mkdir()
    zpfit = tmp_path / "clean" / "bin" / "zpfit"
    changes = [word for setting in SETTINGS for word in ("--set", setting)]
    run(zpfit, "run", "quickstart", "--output", "quickstart", *changes, cwd=empty)
    summary = json.loads((empty / "quickstart" / "summary.json").read_text(encoding="utf-8"))
    # Without a Z' the chi2 of the quickstart is that of the paper's six measurements.
    # These are pulls of a_e, a_mu, TEXONO and CCFR; Borexino and CHARM-II measured exactly 1.
    chi2 = (8.7 / 3.6) ** 2 + (25.1 / 5.9) ** 2 + (0.08 / 0.26) ** 2 + (0.18 / 0.28) ** 2
    assert summary["no_zprime"]["chi2"] == pytest.approx(chi2, rel=1e-9)
    assert (empty / "quickstart" / "corner.png").exists()
    assert "Hanneke:2008tm" in run(zpfit, "cite", "quickstart", "--bibtex", cwd=empty)
    # Reports need an optional package, which the message names.
    report = subprocess.run(
        [zpfit, "report", "quickstart"], cwd=empty, capture_output=True, text=True, check=False
    )
    assert report.returncode == 2
    assert "pip install 'zpfit[report]'" in report.stderr
