"""What a person sees: progress of a run, tables of results, lists of names."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from zpfit.assembly import LikelihoodSpec, assemble
from zpfit.errors import UnknownName, ZpfitError
from zpfit.evaluate import EvaluatedPoints, describe_point
from zpfit.library import Kind, Library
from zpfit.likelihood import Likelihood
from zpfit.model_library import LoadedModel, ModelSpec, load_model, model_names
from zpfit.observables import PREDICTIONS
from zpfit.physics.compiled import FloatArray
from zpfit.physics.couplings import COUPLING_NAMES
from zpfit.run_folder import PLOT_NAMES
from zpfit.run_log import RunLog, last_words
from zpfit.yaml_file import Document, read_text

_LOG_INTERVAL = 10.0
"""Seconds between progress lines where there is no terminal to draw a bar on."""
UNVERIFIED = "[unverified]"
"""Mark of entries with numbers that only memory supports."""
_VISIBLE = 5e-4
"""Difference in chi2 that a table with three digits shows."""


class RunReporter:
    """Progress of a run: a bar on a terminal, plain lines elsewhere, all of it in the log."""

    def __init__(self, log_path: Path) -> None:
        self._console = Console(stderr=True, markup=False)
        self._log = RunLog(log_path, self._lost)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last_line = 0.0

    def __enter__(self) -> "RunReporter":
        self._log.__enter__()
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[note]}", markup=False),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is None and (words := last_words(error)):
            self._console.print(Text(self._log.line(words)), soft_wrap=True)
        self._log.__exit__(kind, error, traceback)
        if self._bar is not None:
            self._bar.stop()

    def stage(self, title: str) -> None:
        """A new stage begins."""
        self.complete()
        if self._bar is not None:
            self._task = self._bar.add_task(f"{title:<26}", total=1.0, note="")
        self._write(title)

    def update(self, fraction: float, note: str) -> None:
        """How much of the stage is done, and a few words."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=fraction, note=note)
        self._write(note, to_console=time.monotonic() - self._last_line > _LOG_INTERVAL)

    def note(self, text: str) -> None:
        """Something worth keeping in the log."""
        if self._bar is not None:
            self._bar.console.print(Text(text, style="yellow"))
        self._write(text)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """The last words of the log."""
        self.complete()
        self._write(
            f"Done: best fit chi2 {summary['best_fit']['chi2']:.4f}, "
            f"{'converged' if summary['converged'] else 'not converged'}"
        )

    def _lost(self, text: str) -> None:
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def complete(self) -> None:
        """The stage has come to its end."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=1.0)

    def _write(self, text: str, *, to_console: bool = True) -> None:
        self._log.note(text)
        if self._bar is None and to_console:
            self._last_line = time.monotonic()
            self._console.print(Text(self._log.line(text)), soft_wrap=True)


class StageLines:
    """Progress of a short computation: a line for each stage, beside the results."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, markup=False, highlight=False)

    def stage(self, title: str) -> None:
        """A new stage begins."""
        self._console.print(Text(title, style="dim"), soft_wrap=True)

    def update(self, fraction: float, note: str) -> None:
        """Stages last seconds: say nothing."""

    def note(self, text: str) -> None:
        """Something the user should know."""
        self._console.print(Text(f"note: {text}", style="yellow"), soft_wrap=True)


def print_summary(summary: Mapping[str, Any], folder: Path) -> None:
    """The result of a run, and where the rest of it is."""
    console = Console(markup=False)
    best, posterior = summary["best_fit"], summary["posterior"]
    caption = "median and central 68 % of the posterior"
    table = Table(title=summary["title"], box=box.SIMPLE_HEAD, caption=caption)
    for heading in ("parameter", "best fit", "median", "16 %", "84 %", "ESS", "R-hat"):
        table.add_column(heading, justify="left" if heading == "parameter" else "right")
    for name, row in posterior.items():
        numbers = (best["parameters"][name], row["median"], row["q16"], row["q84"])
        table.add_row(
            name,
            *(f"{n:.3g}" for n in numbers),
            _or_dash(row["ess"], ".0f"),
            _or_dash(row["rhat"], ".4f"),
        )
    console.print(table)
    console.print(_terms_table(best))
    console.print(
        f"Best fit chi2 {best['chi2']:.4f}; without a Z' {summary['no_zprime']['chi2']:.4f}."
    )
    evidence = summary["evidence"]
    console.print(
        f"ln Z = {evidence['log_z']:.3f} ± {evidence['error']:.3f} ({evidence['evaluations']:,} "
        f"evaluations, {evidence['effective_fraction']:.1%} effective, largest weight "
        f"{evidence['largest_weight']:.2%}), information {evidence['information']:.2f} nats, "
        f"dimensionality {evidence['dimensionality']:.1f}."
    )
    if "cross_check" in evidence:
        check = evidence["cross_check"]
        verdict = "agrees" if check["agrees"] else "disagrees"
        console.print(
            f"{check['engine']} {verdict}: {check['log_z']:.3f} ± {check['error']:.3f} "
            f"({check['sigma']:+.1f} standard errors)."
        )
    if summary["impossible_prior_fraction"]:
        share = summary["impossible_prior_fraction"]
        console.print(
            f"The model cannot exist in {share:.1%} of the prior, which counts as excluded."
        )
    silent = [name for name, row in summary["curve_reach"].items() if row["best_fit_outside"]]
    if silent:
        names = ", ".join(silent)
        console.print(
            Text(f"The mass of the best fit lies outside these curves, which say nothing: {names}.")
        )
    if summary["unverified"]:
        names = ", ".join(summary["unverified"])
        console.print(Text(f"Unverified numbers (zpfit show NAME): {names}", style="yellow"))
    for shortcoming in summary["shortcomings"]:
        console.print(Text(f"Not converged: {shortcoming}", style="yellow"))
    console.print(f"Run folder: {folder}", soft_wrap=True)
    plots = ", ".join(name for name in PLOT_NAMES if (folder / name).exists())
    console.print(f"Plots: {plots}", soft_wrap=True)


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _terms_table(point: Mapping[str, Any]) -> Table:
    caption = "ratio: signal over limit, above 1 is excluded"
    if any(abs(t["chi2"] - t["pull"] ** 2) > _VISIBLE for t in point["terms"].values()):
        caption += "\nchi2 of correlated measurements: what each adds to those before it"
    table = Table(box=box.SIMPLE_HEAD, padding=0, caption=caption)
    for heading in ("entry", "measured", "predicted", "pull", "chi2", "ratio"):
        table.add_column(heading, justify="left" if heading == "entry" else "right", no_wrap=True)
    for name, term in point["terms"].items():
        table.add_row(
            name,
            _measured(term),
            f"{term['prediction']:.4g}",
            f"{term['pull']:+.2f}",
            f"{term['chi2']:.3f}",
            "",
        )
    for name, exclusion in point["exclusions"].items():
        chi2 = f"{exclusion['chi2']:.3f}" if "chi2" in exclusion else ""
        table.add_row(name, "", "", "", chi2, f"{exclusion['ratio']:.3g}")
    return table


def _measured(term: Mapping[str, Any]) -> str:
    up, down = (f"{error:.2g}" for error in term["errors"])
    spread = f"± {up}" if up == down else f"+{up} -{down}"
    return f"{term['measured']:.3g} {spread}"


def print_points(
    likelihood: Likelihood, points: Sequence[Mapping[str, float]], evaluated: EvaluatedPoints
) -> None:
    """What model and likelihood say of each point."""
    console = Console(markup=False)
    existing = iter(range(len(evaluated.couplings)))
    for point, broken in zip(points, evaluated.impossible, strict=True):
        console.print(", ".join(f"{name} = {value:g}" for name, value in point.items()))
        if broken:
            reasons = ", ".join(
                f"{name}: {ratio:.4g} times too much" for name, ratio in broken.items()
            )
            console.print(f"impossible ({reasons})\n")
            continue
        _print_point(console, likelihood, evaluated, next(existing))


def _print_point(
    console: Console, likelihood: Likelihood, evaluated: EvaluatedPoints, index: int
) -> None:
    c = evaluated.couplings.take(np.array([index]))
    console.print(_quantities("couplings", dict(zip(COUPLING_NAMES, c.rows(), strict=True)), 0))
    if evaluated.derived:
        console.print(_quantities("derived", evaluated.derived, index))
    if not likelihood.measurements and not likelihood.exclusions:
        predictions = {name: observable.function(c) for name, observable in PREDICTIONS.items()}
        console.print(_quantities("predictions", predictions, 0) + "\n")
        return
    console.print(_terms_table(describe_point(likelihood, c)))
    [excluded_by] = likelihood.excluded_by(c)
    verdict = (
        f"excluded by {', '.join(excluded_by)}"
        if excluded_by
        else "allowed by every hard exclusion"
    )
    console.print(f"chi2 {float(likelihood.chi2(c)[0]):.4f}, {verdict}\n")


def _quantities(title: str, columns: Mapping[str, FloatArray], index: int) -> str:
    values = ", ".join(f"{name} = {values[index] + 0.0:.6g}" for name, values in columns.items())
    return f"{title}: {values}"


def print_list(kind: str) -> None:
    """Names of a kind with a line about each."""
    console, library = Console(markup=False), Library.beside()
    table = Table(show_header=False, box=None, pad_edge=False)
    if kind == "models":
        for name in model_names(library):
            try:
                table.add_row(name, _named_model(name, library).model.description)
            except ZpfitError as error:
                table.add_row(name, f"unusable: {error}")
    elif kind == "likelihoods":
        table.add_row(Text("sets", style="bold"))
        _add_titles(table, library, "likelihood set")
        table.add_row(Text("entries", style="bold"))
        _add_titles(table, library, "entry")
    else:
        kinds: dict[str, Kind] = {
            "priors": "priors",
            "runs": "run",
            "slices": "slice",
            "campaigns": "campaign",
        }
        _add_titles(table, library, kinds[kind])
    console.print(table)


def _add_titles(table: Table, library: Library, kind: Kind) -> None:
    for name in library.names(kind):
        try:
            data = library.document(kind, name).data
        except ZpfitError as error:
            table.add_row(name, f"unreadable: {error}")
            continue
        table.add_row(name, _title(data) if isinstance(data, dict) else "")


def _title(data: Mapping[str, Any]) -> str:
    mark = f" {UNVERIFIED}" if data.get("unverified") else ""
    return f"{data.get('title', '')}{mark}"


def print_named(name: str) -> None:
    """Everything about a name, whatever it is the name of.

    Raises:
        UnknownName: nothing has that name.
    """
    console, library = Console(markup=False), Library.beside()
    if name in model_names(library):
        _print_model(console, _named_model(name, library))
    found = name in model_names(library)
    kinds: tuple[Kind, ...] = ("likelihood set", "entry", "priors", "run", "slice", "campaign")
    for kind in kinds:
        if name in library.names(kind):
            found = True
            path = library.find(kind, name)
            console.print(Text(f"{kind} {name} ({path})", style="bold"), soft_wrap=True)
            console.print(Text(read_text(path)), soft_wrap=True)
            for note in _notes(kind, name, library):
                console.print(Text(f"Note: {note}", style="yellow"), soft_wrap=True)
    if not found:
        known = {n for kind in kinds for n in library.names(kind)} | set(model_names(library))
        raise UnknownName("name", name, known)


def _notes(kind: Kind, name: str, library: Library) -> tuple[str, ...]:
    """Which entries behind a name are unverified; a broken file is shown all the same."""
    specs = {
        "entry": LikelihoodSpec(add=(name,)),
        "likelihood set": LikelihoodSpec(set=name),
    }
    try:
        texts = assemble(specs[kind], library).unverified() if kind in specs else {}
    except ZpfitError:
        return ()
    return tuple(f"entry {entry} is unverified: {text}" for entry, text in texts.items())


def _named_model(name: str, library: Library) -> LoadedModel:
    document = Document(Path("model"), {"model": {"name": name}}, {})
    return load_model(ModelSpec(name=name), document, library)


def _print_model(console: Console, loaded: LoadedModel) -> None:
    model = loaded.model
    console.print(Text(f"model {model.name}", style="bold"))
    console.print(Text(model.description))
    console.print(Text(f"Reference: {model.reference or 'none given'}."))
    for formula in model.formulas:
        console.print(Text(f"  {formula}"), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("parameter", "unit", "from", "to", "default", "meaning"):
        table.add_column(heading)
    for parameter in model.parameters:
        low, high = parameter.domain
        default = "" if parameter.default is None else f"{parameter.default:g}"
        table.add_row(
            parameter.name, parameter.unit, f"{low:g}", f"{high:g}", default, parameter.meaning
        )
    console.print(table)
    for name, field in loaded.options.model_fields.items():
        console.print(
            Text(f"option {name}: {_choices(field.annotation)}; {field.default} unless given")
        )


def _choices(annotation: Any) -> str:
    return " or ".join(str(choice) for choice in get_args(annotation)) or "a whole number"
