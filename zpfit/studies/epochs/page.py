"""The page "What changed since the paper" in Markdown, from its numbers and a template."""

from collections.abc import Callable, Mapping, Sequence
from math import isinf
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, StrictUndefined

from zpfit.analysis.certify.bracket import below
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.io.numbers import interval, percent, with_error
from zpfit.studies.epochs.conclusions import REACHED, Conclusion, draw_conclusions
from zpfit.studies.epochs.numbers import (
    CLASSES,
    COMPLETE,
    EPOCHS,
    MODELS,
    QUANTITIES,
    VARIANTS,
    VARIED,
    Fit,
    Numbers,
    Region,
    Spot,
    has_run,
    region_runs,
    run_name,
)

_TEMPLATE = Path(__file__).with_name("page.md.jinja")
_WIDTH = 99
"""Characters of a line of the page."""


def render_page(found: Numbers) -> str:
    """Return the page; conclusions that do not hold are left out."""
    with_none = (NO_ZPRIME, *MODELS)
    # Nothing is escaped: the page is Markdown.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        bayes_factors=_table(found, MODELS, _bayes_factor),
        joint_sigmas=_table(found, with_none, _joint_sigma),
        proved=any(fit.joint_sigma_proved is not None for fit in found.fits),
        spots=_table(found, CLASSES, lambda fit: _spot(fit, found.spots)),
        best_fits=_table(found, with_none, lambda fit: f"{fit.best_fit_chi2:.2f}"),
        evidences=_table(found, with_none, _evidence),
        regions=_regions_table(found.regions),
        variants=_variants_table(found),
        conclusions=[list_item(one) for one in draw_conclusions(found) if one.holds],
    )


def list_item(conclusion: Conclusion) -> str:
    """Return a conclusion as a wrapped item of a list."""
    text = " ".join(f"- **{conclusion.title}.** {conclusion.text}".split())
    return fill(
        text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )


def _table(found: Numbers, models: Sequence[str], cell: Callable[[Fit], str]) -> str:
    lines = [["data", *models], ["---"] * (len(models) + 1)]
    for epoch in EPOCHS:
        cells = [
            cell(found.fit(epoch.likelihood, m)) if has_run(m, epoch.likelihood) else ""
            for m in models
        ]
        lines.append([f"{epoch.words} (`{epoch.likelihood}`)", *cells])
    return _lines(lines)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _joint_sigma(fit: Fit) -> str:
    if fit.joint_sigma is None:
        return "none"
    proved = fit.joint_sigma_proved
    found = f"{fit.joint_sigma:.2f}"
    return found if proved is None else f"{found} (≥ {below(proved)})"


def _bayes_factor(fit: Fit) -> str:
    return with_error(fit.ln_bayes_factor, fit.ln_bayes_factor_error, sign="+")


def _evidence(fit: Fit) -> str:
    if fit.log_z_error == 0:  # exact, so that no error gives the digits
        return f"{fit.log_z:.2f}"
    return with_error(fit.log_z, fit.log_z_error)


def _spot(fit: Fit, spots: Mapping[str, Spot]) -> str:
    if fit.joint_sigma is None:
        return "none"
    if fit.joint_sigma < REACHED:
        return "many"
    spot = spots[fit.run]
    return f"{spot.mass:.1f} MeV, {spot.electron:.1e}, {percent(spot.invisible)}"


def _regions_table(regions: Mapping[str, Region]) -> str:
    names = list(dict.fromkeys(name for name, _ in QUANTITIES))
    titles = ["m_Zp [MeV]" if name == "m_Zp" else rf"\|{name}\|" for name in names]
    lines = [["data", *titles], ["---"] * (len(names) + 1)]
    for epoch, run in region_runs():
        quarks = ", charged current conserved" if run.startswith(COMPLETE) else ""
        cells = (_reach(regions[run], name) for name in names)
        lines.append([f"{epoch.words}{quarks}", *cells])
    return _lines(lines)


def _variants_table(found: Numbers) -> str:
    lines = [["data", *MODELS], ["---"] * (len(MODELS) + 1)]
    words = {epoch.likelihood: epoch.words for epoch in EPOCHS}
    for likelihood in VARIED:
        cells = [_joint_sigma(found.fit(likelihood, model)) for model in MODELS]
        lines.append([words[likelihood], *cells])
        for variant in VARIANTS:
            sigmas = (found.varied.get((run_name(m, likelihood), variant.words)) for m in MODELS)
            lines.append([f"with {variant.words}", *map(_varied, sigmas)])
    return _lines(lines)


def _varied(sigma: float | None) -> str:
    if sigma is None:
        return ""
    return "none" if isinf(sigma) else f"{sigma:.2f}"


def _reach(region: Region, name: str) -> str:
    low, high = region.get(f"{name}_min"), region[f"{name}_max"]
    if high is None:
        return "nothing"
    return f"up to {high:.3g}" if low is None else interval(low, high)
