"""What a person sees: progress of a run, tables of results, lists of names."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, get_args

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zpfit.analysis.evaluate import EvaluatedPoints, describe_point
from zpfit.cli.messages import Messages, warn
from zpfit.cli.progress import LiveView
from zpfit.io.arrays import FloatArray
from zpfit.io.library import Library
from zpfit.io.logging import LOGGER
from zpfit.likelihood.likelihood import Likelihood
from zpfit.models.library import LoadedModel
from zpfit.physics.observables import predictions
from zpfit.runs.catalogue import listed, named
from zpfit.runs.log import RunLog, last_words
from zpfit.runs.run_folder import PLOT_NAMES

_LOG_INTERVAL = 10.0
"""Seconds between progress lines where there is no terminal to draw a bar on."""
UNVERIFIED = "[unverified]"
"""Mark of entries with numbers that only memory supports."""
_HEADINGS = {"likelihood set": "sets", "entry": "entries"}
_VISIBLE = 5e-4
"""Difference in chi2 that a table with three digits shows."""


class RunReporter:
    """Progress of a run: a live view on a terminal, plain lines elsewhere, all of it in the log."""

    def __init__(self, log_path: Path) -> None:
        self._console = Messages.wanted().console()
        self._log = RunLog(log_path, warn)
        self._view: LiveView | None = None
        self._last_line = 0.0

    def __enter__(self) -> "RunReporter":
        self._log.__enter__()
        if self._console.is_terminal and not self._console.quiet:
            self._view = LiveView(self._console)
            self._view.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._view is None and (words := last_words(error)):
            self._console.print(Text(self._log.line(words)), soft_wrap=True)
        self._log.__exit__(kind, error, traceback)
        if self._view is not None:
            self._view.stop()

    def stage(self, title: str) -> None:
        """A new stage begins."""
        self.complete()
        if self._view is not None:
            self._view.stage(title)
        self._write(title, logging.INFO)

    def update(self, fraction: float, note: str) -> None:
        """How much of the stage is done, and a few words."""
        if self._view is not None:
            self._view.update(fraction, note)
        to_console = time.monotonic() - self._last_line > _LOG_INTERVAL
        self._write(note, logging.DEBUG, to_console=to_console)

    def note(self, text: str) -> None:
        """Something worth keeping in the log."""
        if self._view is not None:
            self._view.note(text)
        self._write(text, logging.WARNING)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """The last words of the log."""
        self.complete()
        self._write(
            f"Done: best fit chi2 {summary['best_fit']['chi2']:.4f}, "
            f"{'converged' if summary['converged'] else 'not converged'}",
            logging.INFO,
        )

    def complete(self) -> None:
        """The stage has come to its end."""
        if self._view is not None:
            self._view.complete()

    def _write(self, text: str, level: int, *, to_console: bool = True) -> None:
        LOGGER.log(level, text)
        self._log.note(text)
        if self._view is None and to_console:
            self._last_line = time.monotonic()
            self._console.print(Text(self._log.line(text)), soft_wrap=True)


class StageLines:
    """Progress of a short computation: a line for each stage, beside the results."""

    def __init__(self) -> None:
        self._console = Messages.wanted().console()

    def stage(self, title: str) -> None:
        """A new stage begins."""
        LOGGER.info(title)
        self._console.print(Text(title, style="dim"), soft_wrap=True)

    def update(self, fraction: float, note: str) -> None:  # noqa: ARG002 - of Progress
        """Stages last seconds: only the log is told."""
        LOGGER.debug(note)

    def note(self, text: str) -> None:
        """Something the user should know."""
        LOGGER.warning(text)
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
    console.print(_quantities("couplings", dict(c.items()), 0))
    if evaluated.derived:
        console.print(_quantities("derived", evaluated.derived, index))
    if not likelihood.measurements and not likelihood.exclusions:
        predicted = {name: observable.function(c) for name, observable in predictions().items()}
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


def print_list(what: str) -> None:
    """Names of a kind with a line about each."""
    table = Table(show_header=False, box=None, pad_edge=False)
    heading = None
    for item in listed(what, Library.beside()):
        if what == "likelihoods" and item.kind != heading:
            heading = item.kind
            table.add_row(Text(_HEADINGS[heading], style="bold"))
        table.add_row(item.name, f"{item.title} {UNVERIFIED}" if item.unverified else item.title)
    Console(markup=False).print(table)


def print_named(name: str) -> None:
    """Everything about a name, whatever it is the name of.

    Raises
    ------
    UnknownName
        Nothing has that name.
    """
    console = Console(markup=False)
    model, files = named(name, Library.beside())
    if model is not None:
        _print_model(console, model)
    for file in files:
        console.print(Text(f"{file.kind} {name} ({file.path})", style="bold"), soft_wrap=True)
        console.print(Text(file.text), soft_wrap=True)
        for note in file.notes:
            console.print(Text(f"Note: {note}", style="yellow"), soft_wrap=True)


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
