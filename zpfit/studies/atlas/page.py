"""The page "Which anomaly-free theories survive?" in Markdown, from numbers and a template."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined
from scipy.stats import beta

from zpfit.analysis.atlas.survival import BAR, BARS, Survival
from zpfit.studies.atlas.data import TODAY
from zpfit.studies.atlas.numbers import Accuracy, AnyFamily, Numbers, QuarkResult, Survivor

_TEMPLATE: Final = Path(__file__).with_name("page.md.jinja")
_FLAVOURS: Final = ("universal", "two_alike", "universal_doublets", "general")
_PULLS: Final = 2
"""Largest pulls that the table of survivors shows beside those of the magnetic moments."""


def render_page(found: Numbers) -> str:
    """Return the page.

    Parameters
    ----------
    found
        All numbers.
    """
    # Nothing is escaped: the page is Markdown.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        bar=f"{BAR:g}",
        survey=found.survey,
        answer=_answer(found),
        epochs=_epochs(found),
        evidence=_evidence(found),
        rubidium=_rubidium(found),
        experiments=_experiments(found),
        killers=_killers(found),
        survivors=_survivors(found.survivors),
        pulls=_pulls(found.survivors),
        quarks=_quarks(found.survivors),
        smallest=_smallest(found.smallest),
        accuracy=_accuracy(found),
        quark_words=_quark_words(found.quarks),
        any_family=_any_family(found.quarks.any_family),
        quark_rows=_quark_rows(found.quarks),
        quark_choices=_quark_choices(found.quarks),
    )


def _answer(found: Numbers) -> dict[str, str]:
    """Return the numbers of the summary."""
    # Of two lists with the same data the longer one comes last.
    rows = {(one.epoch, one.higgs): one for one in found.epochs}
    short = next(o for o in found.epochs if (o.epoch, o.higgs) == (TODAY.name, "zero"))
    answer = {"share_today_short": _percent(short.survival.fraction(BAR))}
    for (epoch, higgs), one in rows.items():
        answer[f"share_{epoch}_{higgs}"] = _percent(one.survival.fraction(BAR))
        answer[f"surviving_{epoch}_{higgs}"] = f"{one.survival.surviving[BAR]:,}"
        answer[f"signatures_{epoch}_{higgs}"] = f"{one.survival.signatures:,}"
        answer[f"surviving_sets_{epoch}_{higgs}"] = _count(one.survival.surviving_sets[BAR])
        answer[f"sets_{epoch}_{higgs}"] = f"{one.survival.sets:,}"
        if one.evidence is not None:
            answer[f"bayes_{epoch}_{higgs}"] = f"{one.evidence['largest']:+.2f}"
        answer[f"best_{epoch}_{higgs}"] = f"{one.best:.2f}"
        answer[f"without_{epoch}"] = f"{one.chi2_without:.2f}"
        answer[f"dark_{epoch}"] = f"{one.chi2_dark_photon:.2f}"
    today = rows[TODAY.name, "zero"].survival.flavours
    answer["safe_sets"] = f"{today['universal'] + today['two_alike']:,}"
    answer["universal_sets"] = _count(today["universal"])
    chosen = _surviving(found.survivors)
    counted = rows[TODAY.name, "zero"].survival.surviving[BAR]
    # Nothing is said about survivors without a fit, nor if one has charged doublets.
    neutral = bool(chosen) and found.charged.gain <= BAR
    listed = "All" if len(chosen) == counted else "All listed"
    answer["all_survivors"] = listed if neutral else ""
    answer["charged"] = _tuple(found.charged.integers.values())
    answer["charged_gain"] = f"{found.charged.gain:.2f}"
    apart = (abs(one.fit["chi2"] - one.fit["chi2_screen"]) for one in found.survivors)
    answer["fits_apart"] = _of(max, apart, ".2g")
    sample = sum(one.sample for one in found.accuracy)
    answer["sample"], answer["missed"] = f"{sample:,}", str(sum(o.missed for o in found.accuracy))
    factors = ((o.fit["ln_bayes_factor"], o.ln_bayes_screen) for o in found.survivors)
    differences = (abs(fit - screen) for fit, screen in factors if screen is not None)
    answer["bayes_apart"] = _of(max, differences, ".2f")
    answer["best_bayes"] = _of(max, (o.fit["ln_bayes_factor"] for o in chosen), "+.2f")
    answer["corrected_p"] = _of(min, (o.corrected_p for o in chosen), ".2g")
    answer["local_p"] = _of(min, (o.local_p for o in chosen), ".2g")
    return answer


def _of(choose: Callable[[list[float]], float], values: Iterable[float], form: str) -> str:
    """Return the largest or smallest value; empty without fits."""
    given = list(values)
    return format(choose(given), form) if given else ""


def _count(number: int) -> str:
    return f"{number:,}" if number else "none"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def _epochs(found: Numbers) -> str:
    """Return a table of what survives each data set."""
    heads = [
        *("policy", "data", "χ², no Z'", "χ², dark photon", "best", "median set"),
        *(f"signatures > {bar:g}" for bar in BARS),
        *(f"sets > {bar:g}" for bar in BARS),
        f"share of sets > {BAR:g}",
    ]
    lines = [heads, _rule(heads)]
    for one in found.epochs:
        counts = one.survival
        lines.append(
            [
                f"`{one.higgs}`, {one.qmax}",
                one.words,
                f"{one.chi2_without:.2f}",
                f"{one.chi2_dark_photon:.2f}",
                f"{one.best:.2f}",
                f"{one.median:.2f}",
                *(f"{counts.surviving[bar]:,}" for bar in BARS),
                *(f"{counts.surviving_sets[bar]:,}" for bar in BARS),
                _percent(counts.fraction(BAR)),
            ]
        )
    return _joined(lines)


def _evidence(found: Numbers) -> str:
    """Return a table of ln B of all signatures on today's data."""
    heads = ["policy", "signatures", "ln B > 0", "largest ln B", "its signature", "median ln B"]
    lines = [heads, _rule(heads)]
    longest = {one.higgs: (one, one.evidence) for one in found.epochs if one.evidence is not None}
    lines += [
        [
            f"`{one.higgs}`, {one.qmax}",
            f"{one.survival.signatures:,}",
            f"{factors['positive']:,}",
            f"{factors['largest']:+.3f} ± {factors['largest_error']:.3f}",
            _tuple(factors["integers"].values()),
            f"{factors['median']:+.2f}",
        ]
        for one, factors in longest.values()
    ]
    return _joined(lines)


def _rubidium(found: Numbers) -> str:
    heads = ["data", "set", "χ², no Z'", "χ², dark photon", f"a gain of {BAR:g} is possible"]
    rows = (
        [
            one.words,
            f"`{one.likelihood}`",
            f"{one.chi2_without:.2f}",
            f"{one.chi2_dark_photon:.2f}",
            "yes" if one.could_survive else "no",
        ]
        for one in found.rubidium
    )
    return _joined([heads, _rule(heads), *rows])


def _experiments(found: Numbers) -> str:
    """Return a table of what survives as experiments are added, alone, and left out."""
    heads = ["experiments", "entries", "added in this order", "alone", "all others"]
    lines = [heads, _rule(heads)]
    lines.append(["electron g-2", "", _counted(found.anomaly), "", ""])
    for one in found.experiments:
        cells = [_counted(part) for part in (one.added, one.alone, one.dropped)]
        lines.append([one.words, ", ".join(f"`{name}`" for name in one.entries), *cells])
    lines.append(["all", "", _counted(found.complete), "", _counted(found.complete)])
    return _joined(lines)


def _counted(found: Survival) -> str:
    return f"{found.surviving[BAR]:,} ({found.surviving_sets[BAR]:,})"


def _killers(found: Numbers) -> dict[str, str]:
    """Return the words about experiments that depend on the numbers."""
    before, killed = found.anomaly.surviving[BAR], {}
    for one in found.experiments:
        killed[one.words] = before - one.added.surviving[BAR]
        before = one.added.surviving[BAR]
    first, second = sorted(killed, key=lambda words: -killed[words])[:2]
    kept = found.complete.surviving[BAR]
    freed = {
        one.words: one.dropped.surviving[BAR] - kept
        for one in found.experiments
        if one.dropped.surviving[BAR] > kept
    }
    listed = ", ".join(f"{words} ({count} more)" for words, count in freed.items())
    strongest = sorted(found.experiments, key=lambda one: one.alone.surviving[BAR])[:2]
    alone = (f"{one.words} ({one.alone.surviving[BAR]:,} left)" for one in strongest)
    return {
        "alone": " and ".join(alone),
        "anomaly": f"{found.anomaly.surviving[BAR]:,}",
        "all": f"{found.anomaly.signatures:,}",
        "first": first,
        "first_killed": f"{killed[first]:,}",
        "second": second,
        "second_killed": f"{killed[second]:,}",
        "freed": listed or "none",
        "kept": str(kept),
    }


def _survivors(survivors: Sequence[Survivor]) -> str:
    """Return a table of the best signatures and their fits."""
    heads = [
        *("N_e, A_e, N_μ, A_μ, |N_τ|", "χ²", "gain", "m [MeV]", "g'", "ε", "joint σ", "ln B"),
        *("p, alone", "p, corrected", "set", "L", "R", "powers"),
    ]
    lines = [heads, _rule(heads)]
    for one in survivors:
        fit = one.fit
        values = fit["parameters"]
        lines.append(
            [
                _integers(one) + ("" if one.gain > BAR else " †"),
                f"{fit['chi2']:.3f}",
                f"{one.gain:.2f}",
                f"{values['m_Zp']:.1f}",
                f"{values['g_prime']:.2e}",
                f"{values['eps']:.2e}",
                _sigma(fit["joint_sigma"]),
                f"{fit['ln_bayes_factor']:+.2f}" + (" *" if fit["shortcomings"] else ""),
                f"{one.local_p:.2g}",
                f"{one.corrected_p:.2g}",
                str(one.set),
                _tuple(one.left),
                _tuple(one.right),
                _tuple(one.powers),
            ]
        )
    return _joined(lines)


def _surviving(found: Iterable[Survivor]) -> list[Survivor]:
    return [one for one in found if one.gain > BAR]


def _integers(one: Survivor) -> str:
    return ", ".join(map(str, one.integers.values()))


def _tuple(charges: Iterable[int]) -> str:
    return ", ".join(map(str, charges))


def _pulls(survivors: Sequence[Survivor]) -> str:
    """Return a table of the pulls of the moments, and of the largest others."""
    heads = ["signature", "electron g-2", "muon g-2", "largest others"]
    lines = [heads, _rule(heads)]
    for one in _surviving(survivors):
        moments = [f"{v:+.2f}" for name, v in one.pulls.items() if name.startswith("a_")]
        others = {name: v for name, v in one.pulls.items() if not name.startswith("a_")}
        largest = sorted(others, key=lambda name: -abs(others[name]))[:_PULLS]
        words = ", ".join(f"`{name}` {others[name]:+.2f}" for name in largest)
        lines.append([_integers(one), *moments, words])
    return _joined(lines)


def _quarks(survivors: Sequence[Survivor]) -> str:
    """Return a table of the charge sets behind each signature, by flavour structure."""
    heads = ["signature", "sets", *(f"`{name}`" for name in _FLAVOURS), "first flavour-safe set"]
    lines = [heads, _rule(heads)]
    for one in _surviving(survivors):
        counts = [f"{one.flavours[name]:,}" for name in _FLAVOURS]
        safe = "none" if one.safe_set is None else f"{one.safe_set}: {_set(one.safe_charges)}"
        lines.append([_integers(one), f"{one.sets:,}", *counts, safe])
    return _joined(lines)


def _set(charges: Mapping[str, Iterable[int]]) -> str:
    words = {"nu": "ν"}
    return "; ".join(f"{words.get(name, name)} {_tuple(row)}" for name, row in charges.items())


def _smallest(found: Survivor | None) -> dict[str, str] | None:
    """Return the words about the smallest survivor; None without one."""
    if found is None:
        return None
    safe = found.safe_set is not None
    return {
        "signature": _integers(found),
        "set": str(found.set),
        "charges": _set(found.charges),
        "flavour": found.flavour,
        "qmax": str(found.qmax),
        "safe_set": str(found.safe_set) if safe else "none",
        "safe_charges": _set(found.safe_charges),
    }


def _quark_words(found: QuarkResult) -> dict[str, str]:
    """Return the numbers of the text about quarks."""
    best = found.rows[0]
    reference = min(found.chi2_without, found.chi2_dark_photon)
    return {
        "sets": f"{found.sets:,}",
        "signatures": f"{found.signatures:,}",
        "axial": str(found.axial),
        "qmax": str(found.qmax),
        "without": f"{found.chi2_without:.2f}",
        "dark": f"{found.chi2_dark_photon:.2f}",
        "best_gain": f"{best.gain:.2f}",
        "best": _tuple(best.integers.values()),
        "real_gain": f"{found.largest_gain:.2f}",
        "real_chi2": f"{found.real.chi2:.2f}",
        "real_mass": f"{found.real.m_Zp:.0f}",
        "real_axial": f"{found.real.C_Ae:.1e}",
        "real_verdict": "can" if found.largest_gain > BAR else "cannot",
        "real_changes": ", ".join(f"`{n}` {v:+.1f}" for n, v in found.real.changes.items()),
        "verdict": "None survives" if best.gain <= BAR else "Some survive",
        "reference": f"{reference:.2f}",
    }


def _any_family(found: AnyFamily | None) -> dict[str, str] | None:
    """Return the words about quarks of any family; None if no set can be purely axial."""
    if found is None:
        return None
    return {
        "sets": f"{found.sets:,}",
        "signatures": f"{found.signatures:,}",
        "gain": f"{found.gain:.2f}",
        "best": _tuple(found.integers.values()),
        "set": f"{found.set}: {_set(found.charges)}",
    }


def _quark_rows(found: QuarkResult) -> str:
    """Return a table of the best signatures with quarks."""
    heads = [
        *("N_e, A_e, N_μ, A_μ, |N_τ|, B, A_u, A_d", "χ²", "gain", "m [MeV]", "g'"),
        *("exact fit: χ²", "joint σ", "ln B", "first set", "changes of χ² against no Z'"),
    ]
    lines = [heads, _rule(heads)]
    for row in found.rows:
        fitted = ["", "", ""]
        if row.fit is not None:
            joint, shown = row.fit["joint_sigma"], row.fit["ln_bayes_factor"]
            fitted = [f"{row.fit['chi2']:.2f}", _sigma(joint), f"{shown:+.2f}"]
        changes = ", ".join(
            f"`{name}` {value:+.1f}"
            for name, value in sorted(row.changes.items(), key=lambda item: item[1])
        )
        lines.append(
            [
                _tuple(row.integers.values()) + (" ‡" if row.axial else ""),
                f"{row.chi2:.2f}",
                f"{row.gain:.2f}",
                f"{row.m_Zp:.1f}",
                f"{row.g_prime:.2e}",
                *fitted,
                _set(row.set_charges),
                changes,
            ]
        )
    return _joined(lines)


def _quark_choices(found: QuarkResult) -> str:
    """Return a table of data on quarks at the best leptonic point."""
    heads = [
        *("first-family quarks", "z_Q/A_e", "z_u/A_e", "z_d/A_e"),
        *("changes of χ² against no Z'", "excluded by (signal over limit)"),
    ]
    lines = [heads, _rule(heads)]
    for one in found.choices:
        charges = [f"{one.charges[name]:.3g}" for name in ("Q", "u", "d")]
        changes = ", ".join(f"`{name}` {value:+,.0f}" for name, value in one.changes.items())
        excluded = ", ".join(f"`{name}` {value:.2f}" for name, value in one.excluded.items())
        lines.append([one.words, *charges, changes, excluded or "none"])
    return _joined(lines)


def _sigma(value: float | None) -> str:
    return "none found" if value is None else f"{value:.2f}"


def _accuracy(found: Numbers) -> str:
    heads = [
        *("policy", "sample", "above the search at fixed masses by > 0.05", "of all, at 95 %"),
        *("worst", "below it by > 0.05", "random starts above a reference"),
    ]
    rows = (
        [
            f"`{one.higgs}`, {one.qmax}",
            f"{one.sample:,} of {one.signatures:,}",
            f"{one.missed} ({_percent(one.missed / one.sample)})",
            _at_most(one),
            f"{one.worst:.2g}",
            str(one.missed_by_scan),
            f"{one.not_nested:,}",
        ]
        for one in found.accuracy
    )
    return _joined([heads, _rule(heads), *rows])


def _at_most(one: Accuracy) -> str:
    """Return the share of missed signatures, or its upper limit at 95 % from a sample."""
    if one.sample == one.signatures:
        return _percent(one.missed / one.sample)
    # Clopper and Pearson, Biometrika 26 (1934) 404.
    limit = float(beta.ppf(0.95, one.missed + 1, one.sample - one.missed))
    return f"< {_percent(limit)}"


def _rule(heads: Sequence[str]) -> list[str]:
    return ["---"] * len(heads)


def _joined(lines: Iterable[Sequence[str]]) -> str:
    # A vertical bar would end a cell.
    return "\n".join(
        f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells)} |" for cells in lines
    )
