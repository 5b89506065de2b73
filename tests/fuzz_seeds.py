"""Valid files for mutation, and YAML text of values."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zpfit.io.places import packaged_data
from zpfit.io.yaml import parse_yaml


class Raw(str):
    """Text that is written to a YAML file unchanged, without quotes."""


def yaml_number(x: float) -> str:
    """Return a number in YAML syntax."""
    if math.isnan(x):
        return ".nan"
    return repr(x) if math.isfinite(x) else ".inf" if x > 0 else "-.inf"


def as_yaml(value: Any) -> str:
    """Return a value in YAML's flow style."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml_key(k)}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, float):
        return yaml_number(value)
    return json.dumps(value, ensure_ascii=False)


def yaml_key(key: str) -> str:
    return str(key) if isinstance(key, Raw) else json.dumps(key, ensure_ascii=False)


@dataclass(frozen=True)
class Seed:
    """A valid file, the files beside it, and the command that reads them."""

    path: str
    """Path of the mutated file, in a separate folder."""
    text: str = field(repr=False)
    command: tuple[str, ...] = ("validate", "fit.yaml")
    beside: Mapping[str, str] = field(default_factory=dict, repr=False)


def packaged(path: str) -> str:
    return (packaged_data() / path).read_text(encoding="utf-8")


def _all(folder: str, ending: str) -> list[str]:
    return sorted(path.stem for path in (packaged_data() / folder).glob(f"*.{ending}"))


_FEW = "{add: [a_mu_2021, kloe_2015]}"
_FEW_PARAMETERS = """\
priors: {parameters: {C_nue: 0, C_Amu: 0, C_numu: {type: tied, to: C_Vmu, factor: -0.5}}}
"""


def _run(
    likelihood: str = "paper_2021_cs", model: str = "effective", more: str = _FEW_PARAMETERS
) -> str:
    return f"title: mine\nmodel: {model}\nlikelihood: {likelihood}\n{more}"


_PROMPT = "#  mass  lower\n 1.0e-02 1.0e+05\n 2.0e-02 1.0e-03\n 4.0e-02 4.0e-03\n 5.0e-02 1.0e+05\n"
_DUMP = "# mass lower upper\n1e-2 1e-5 1e-3\n2e-2 2e-5 4e-4\n3e-2 3e-5 1e-4\n"
_LIMITS = {"prompt.lmt": _PROMPT, "dump.lmt": _DUMP}
_ALL_KEYS = """\
title: Everything that a run file may say
model: {name: effective, options: {}}
likelihood:
  set: paper_2021_cs
  add: [e141_1987, {curve: prompt.lmt, name: mine, search: visible, confidence_level: 0.9},
        {curve: dump.lmt, length_ratio: 2, citations: [{key: me, arxiv: "1801.04847"}]}]
  drop: [kloe_2015]
  hard: [bbn_2020]
  soft: [na64_2020]
priors:
  use: effective
  parameters:
    m_Zp: {type: log_uniform, lower: 1, upper: 100}
    C_Ve: {type: uniform, lower: -1e-3, upper: 1e-3}
    C_Ae: {type: signed_log_uniform, lower: 1e-8, upper: 1e-1}
    C_nue: {type: normal, mean: 0, sd: 1e-5}
    C_Vmu: {type: fractions, largest: 1, denominator: 100}
    C_Amu: 0
    C_numu: {type: tied, to: C_nue, factor: -0.5}
seed: 7
sampler: {engine: emcee, ensembles: 2, walkers: 32, target_ess: 10, max_steps: 40}
vegas: {adaptations: 2, error: 0.1, max_evaluations: 300000}
dynesty: {live_points: 50, tolerance: 0.5}
best_fit:
  starts: 50
  points: [{m_Zp: 20, C_Ve: 1e-4, C_Ae: 1e-4, C_nue: 1e-6, C_Vmu: 0.01}]
joint_sigma: {others: 2, within: {a_mu_2021: 1}}
"""
_KINDS = {
    "asymmetric": "type: gaussian\nobservable: delta_a_e\nvalue: 1e-12\n"
    "error: {up: 2e-12, down: 5e-13}\n",
    "shifted": "type: gaussian\nobservable: delta_a_mu\nvalue: 2e-9\nerror: 6e-10\n"
    "nuisances: {flux: 3e-10, theory: -1e-10}\n",
    "correlated": "type: correlated\nobservables: [delta_a_e, delta_a_mu, br_ee]\n"
    "values: [1e-12, 2e-9, 0.3]\nerrors: [4e-13, 6e-10, 0.2]\n"
    "correlation: [[1, 0.6, -0.2], [0.6, 1, 0.3], [-0.2, 0.3, 1]]\n",
    "counts": "type: counts\nobservable: br_ee\nobserved: 7\nsignal: 20\nbackground: 1.5\n",
    "table": "type: table\nobservable: br_ee\ncurve: table.csv\n",
}
_TABLE = "# mine\nvalue,chi2\n0.1,4\n0.3,0\n0.4,0.5\n0.8,6\n"
_COMMON = (
    "title: mine\nmeasurement: mine\napproximations: none\nconfidence_level: 0.683\n"
    "citations: [{key: mine, arxiv: '2102.07781'}]\n"
)


def run_seeds() -> list[Seed]:
    """Return seeds of run files."""
    texts = [packaged(f"runs/{name}.yaml") for name in _all("runs", "yaml")]
    examples = Path(__file__).parent.parent / "examples"
    beside = {
        "hidden_photon.py": (examples / "hidden_photon.py").read_text(encoding="utf-8"),
        "models/L_e-3L_mu.yaml": (examples / "models/L_e-3L_mu.yaml").read_text(encoding="utf-8"),
    }
    own = [path.read_text(encoding="utf-8") for path in sorted(examples.glob("*.yaml"))]
    return [
        *(Seed("fit.yaml", text) for text in texts),
        *(Seed("fit.yaml", text, beside=beside) for text in own),
        # This file has the most keys, so it appears as often as all short ones together.
        *[Seed("fit.yaml", _ALL_KEYS, beside=_LIMITS)] * 20,
    ]


def entry_seeds() -> list[Seed]:
    """Return seeds of entries."""
    path = "likelihoods/entries/mine.yaml"
    run = {"fit.yaml": _run("{add: [mine]}")}
    seeds = []
    for name in _all("likelihoods/entries", "yaml"):
        beside = dict(run)
        if (packaged_data() / f"likelihoods/entries/{name}.csv").is_file():
            beside[f"likelihoods/entries/{name}.csv"] = packaged(f"likelihoods/entries/{name}.csv")
        seeds.append(Seed(path, packaged(f"likelihoods/entries/{name}.yaml"), beside=beside))
    beside = run | {"likelihoods/entries/table.csv": _TABLE}
    own = [Seed(path, _COMMON + text, beside=beside) for text in _KINDS.values()]
    return [*seeds, *own * 5]


def set_seeds() -> list[Seed]:
    """Return seeds of likelihood sets."""
    beside = {"fit.yaml": _run("mine")}
    return [
        Seed("likelihoods/sets/mine.yaml", packaged(f"likelihoods/sets/{name}.yaml"), beside=beside)
        for name in _all("likelihoods/sets", "yaml")
    ]


def prior_seeds() -> list[Seed]:
    """Return seeds of priors files."""
    seeds = []
    for name in _all("priors", "yaml"):
        text = packaged(f"priors/{name}.yaml")
        model = parse_yaml(text, Path(name)).data["model"]
        options = ", options: {mass: zS_vS}" if "singlet" in name else ""
        run = _run(_FEW, f"{{name: {model}{options}}}", "priors: mine\n")
        seeds.append(Seed("priors/mine.yaml", text, beside={"fit.yaml": run}))
    return seeds


def model_seeds() -> list[Seed]:
    """Return seeds of model files."""
    seeds = []
    for name in _all("models", "yaml"):
        if (packaged_data() / f"priors/{name}.yaml").is_file():
            priors = parse_yaml(packaged(f"priors/{name}.yaml"), Path(name)).data
        else:
            priors = parse_yaml(packaged(f"runs/{name}.yaml"), Path(name)).data["priors"]
        more = f"priors: {{parameters: {as_yaml(priors['parameters'])}}}\n"
        beside = {"fit.yaml": _run(_FEW, "mine", more)}
        seeds.append(Seed("models/mine.yaml", packaged(f"models/{name}.yaml"), beside=beside))
    return seeds


def slice_seeds() -> list[Seed]:
    """Return seeds of slice files, which another command reads."""
    command = ("cite", "slice.yaml")
    return [
        Seed("slice.yaml", packaged(f"slices/{name}.yaml"), command)
        for name in _all("slices", "yaml")
    ]


def curve_seeds() -> list[Seed]:
    """Return seeds of limit tables, DarkCast's files and tables of chi2."""
    entries = "likelihoods/entries"
    seeds = []
    for name in _all(entries, "csv"):
        beside = {
            "fit.yaml": _run("{add: [mine]}"),
            f"{entries}/mine.yaml": packaged(f"{entries}/{name}.yaml"),
        }
        seeds.append(
            Seed(f"{entries}/{name}.csv", packaged(f"{entries}/{name}.csv"), beside=beside)
        )
    own = {"fit.yaml": _run("{add: [mine]}"), f"{entries}/mine.yaml": _COMMON + _KINDS["table"]}
    table = Seed(f"{entries}/table.csv", _TABLE, beside=own)
    prompt = Seed("mine.lmt", _PROMPT, beside={"fit.yaml": _run("{add: [mine.lmt]}")})
    added = "{add: [{curve: mine.lmt, length_ratio: 2}]}"
    dump = Seed("mine.lmt", _DUMP, beside={"fit.yaml": _run(added)})
    return [*seeds, *[table] * 4, *[prompt] * 6, *[dump] * 6]
