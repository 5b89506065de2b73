"""Test a sampling engine of an installed package: options, fits, messages."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zpfit.errors import InvalidInput, UnknownName
from zpfit.inference.samplers.registry import BUILT_IN, engine_names, find_engine, packages_behind
from zpfit.inference.sampling import cross_check, evidence_of, sample_posterior
from zpfit.io.places import packaged_data
from zpfit.runs.json_schema import json_schema
from zpfit.runs.run_file import load_run, resolved_settings

ENGINE = '''
import numpy as np

from zpfit.inference.samplers.engine import Engine
from zpfit.inference.samplers.equal_weight import from_weighted
from zpfit.inference.samplers.result import Evidence, WeightedSamples
from zpfit.io.schema import StrictModel


class RejectionOptions(StrictModel):
    draws: int = 1_000


def sample(task, options, rng, progress, checkpoint):
    """Accept prior draws with probability L/L_max."""
    u = rng.random((options.draws, task.dimension))
    log_l = task.log_likelihood(u)
    largest = log_l.max()
    ratio = np.exp(log_l - largest)
    accepted = rng.random(options.draws) < ratio
    u, log_l = u[accepted], log_l[accepted]
    mean = ratio.mean()
    log_z = float(np.log(mean) + largest)
    error = float(ratio.std() / mean / np.sqrt(options.draws))
    evidence = Evidence(log_z, error, options.draws)
    samples = WeightedSamples.normalised(u, log_l, np.zeros(len(u)))
    return from_weighted(
        "rejection", samples, evidence, task.target_ess, rng, remedy="rejection.draws"
    )


ENGINE = Engine("rejection", RejectionOptions, sample, cross_check="vegas", citations=("Mine:1",))
OTHER = RejectionOptions
'''
FIXED = {
    f"priors.parameters.{name}": value
    for name, value in {
        "m_Zp": "20",
        "C_Ve": "2e-4",
        "C_Ae": "1e-7",
        "C_nue": "1e-7",
        "C_Amu": "1e-7",
        "C_numu": "1e-7",
    }.items()
}
"""Return a run with all but the muon's vector coupling fixed: rejection needs a wide posterior."""
SMALL = FIXED | {"sampler.target_ess": 200, "rejection": {"draws": 200_000}}
QUICKSTART = packaged_data() / "runs" / "quickstart.yaml"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package with two entry points, one of which names no engine."""
    info = tmp_path / "site" / "rejecting-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: rejecting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[zpfit.samplers]\nrejection = rejecting:ENGINE\nbroken = rejecting:OTHER\n"
    )
    (info.parent / "rejecting.py").write_text(ENGINE)
    monkeypatch.syspath_prepend(str(info.parent))
    monkeypatch.delitem(sys.modules, "rejecting", raising=False)


@pytest.mark.slow
@pytest.mark.usefixtures("plugin")
def test_a_plugin_agrees_with_vegas() -> None:
    run = load_run(QUICKSTART, SMALL | {"sampler.engine": "rejection"})
    assert run.settings.engine_options("rejection").model_dump() == {"draws": 200_000}
    assert "rejecting:ENGINE of an installed package" in run.code
    result = sample_posterior(run.posterior, run.settings, np.random.default_rng(1))
    assert result.engine == "rejection"
    assert not result.shortcomings
    vegas = evidence_of(run.posterior, run.settings, np.random.default_rng(2)).evidence
    error = np.hypot(result.evidence.error, vegas.error)
    assert abs(result.evidence.log_z - vegas.log_z) < 4 * error
    few = load_run(QUICKSTART, FIXED | {"sampler.engine": "rejection", "rejection.draws": 5_000})
    short = sample_posterior(few.posterior, few.settings, np.random.default_rng(1))
    assert any("raise rejection.draws" in text for text in short.shortcomings)
    check = cross_check(result, run.posterior, run.settings, np.random.default_rng(3))
    assert check.samples.engine == "vegas"
    assert check.agrees


@pytest.mark.usefixtures("plugin")
def test_a_whole_run_by_the_command(accepted: Callable[..., str], workspace: Path) -> None:
    settings = ("sampler.engine=rejection", "rejection.draws=50000", "sampler.target_ess=50")
    fixed = [f"{key}={value}" for key, value in FIXED.items()]
    options = [w for text in (*settings, *fixed, "best_fit.starts=50") for w in ("--set", text)]
    accepted("run", "quickstart", *options, "--output", "out")
    summary = json.loads((workspace / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["sampler"]["engine"] == "rejection"
    again = load_run(workspace / "out" / "config.yaml")
    assert again.settings.engine_options("rejection").model_dump() == {"draws": 50_000}
    assert "Mine:1" in accepted("cite", "out", "--json")


@pytest.mark.usefixtures("plugin")
def test_options_stay_when_another_engine_is_chosen() -> None:
    run = load_run(QUICKSTART, {"rejection": {"draws": 7}})
    assert run.settings.sampler.engine == "emcee"
    assert resolved_settings(run)["rejection"] == {"draws": 7}


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler.engine": "rejectoin"}, "unknown sampling engine 'rejectoin'; did you"),
        ({"sampler.engine": "broken"}, "sampler.engine: sampling engine 'broken' cannot be loaded"),
        ({"rejection": {"drows": 3}}, "rejection.drows: unknown key; did you mean 'draws'?"),
        ({"rejectoin": {"draws": 3}}, "rejectoin: unknown key"),
    ],
)
def test_mistakes_have_a_place(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace("?", r"\?")):
        load_run(QUICKSTART, changes)


@pytest.mark.usefixtures("plugin")
def test_the_json_schema_lists_plugins() -> None:
    schema = json_schema("run")
    engine = schema["$defs"]["SamplerSpec"]["properties"]["engine"]
    assert engine["enum"] == ["emcee", "vegas", "dynesty", "broken", "rejection"]
    assert "rejection" in schema["properties"]


def test_without_a_plugin() -> None:
    assert engine_names() == ["emcee", "vegas", "dynesty"]
    with pytest.raises(UnknownName, match="rejection"):
        find_engine("rejection")


def test_every_engine_is_checked_by_another_and_knows_its_packages() -> None:
    for engine in BUILT_IN.values():
        assert engine.cross_check in BUILT_IN
        assert engine.cross_check != engine.name
        assert engine.citations
        assert engine.precision_keys
        assert set(engine.packages) <= set(packages_behind("emcee"))
    assert set(packages_behind("emcee")) == {"emcee", "vegas", "dynesty"}
