"""Formulas in texts that people write in ASCII, such as titles."""

import re

_GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "mu", "nu", "tau", "chi", "phi")
_NAMES = re.compile("|".join(_GREEK))
_SUBSCRIPT = rf"Zp|nu(?:e|mu|tau)|[VA]?(?:{'|'.join(_GREEK)}|[a-z])|[A-Z0-9]"
_SYMBOL = rf"\d?[A-Za-z]_(?:{_SUBSCRIPT})"
"""A letter with a subscript, such as L_mu, 3L_tau, C_Ve or m_Zp."""
_CHARGE = rf"(?:{_SYMBOL}|\d?[BLQ])"
_START, _END = r"(?<![\w\\./+-])", r"(?!\w|[-./+]\w)"
"""Ends of a formula that is no part of a name or a path."""
_SUM = re.compile(rf"{_START}(?:{_CHARGE}(?: ?[-+] ?{_CHARGE})+|{_SYMBOL}){_END}")
_SUBSCRIPTS = re.compile(rf"_({_SUBSCRIPT})")
_NAMED = (
    (re.compile(r"\bDelta chi2\b"), r"$\\Delta\\chi^2$"),
    (re.compile(r"(?<!\\)\bchi2\b"), r"$\\chi^2$"),
    (re.compile(r"\bln ([BSZ])\b"), r"$\\ln \1$"),
    (re.compile(r"\bU\((\d)\)'"), r"$U(\1)'$"),
    (re.compile(r"\b(Be|He|C|Cs|Rb)-(\d{1,3})\b"), r"$^{\2}$\1"),
    (re.compile(r"\(g-2\)_(e|mu|tau)\b"), lambda match: f"$(g-2)_{{{_latex(match[1])}}}$"),
    (re.compile(r"\(g-2\)|\bg-2\b"), r"$g-2$"),
)
_FORMULAS = re.compile(r"(\$[^$]*\$)")


def as_formulas(text: str) -> str:
    r"""Return a text in which symbols of physics in ASCII are formulas.

    Formulas that stand between dollar signs, and names such as ``L_mu-L_tau_cs``, stay as they are.

    Examples
    --------
    >>> print(as_formulas("Gauged L_mu - L_tau, m_Zp = 20 MeV, run L_mu-L_tau_cs"))
    Gauged $L_{\mu} - L_{\tau}$, $m_{Z'}$ = 20 MeV, run L_mu-L_tau_cs
    >>> print(as_formulas("Standard model with a U(1)', least chi2, B-3L_tau, Be-8"))
    Standard model with a $U(1)'$, least $\chi^2$, $B-3L_{\tau}$, $^{8}$Be
    """
    for pattern, formula in ((_SUM, _formula), *_NAMED):
        parts = _FORMULAS.split(text)
        parts[::2] = [pattern.sub(formula, words) for words in parts[::2]]
        text = "".join(parts)
    return text


def _formula(found: re.Match[str]) -> str:
    """Return a sum of letters with subscripts in LaTeX, between dollar signs."""
    latex = _SUBSCRIPTS.sub(lambda part: f"_{{{_latex(part[1])}}}", found[0])
    return f"${latex}$"


def _latex(subscript: str) -> str:
    if subscript == "Zp":
        return "Z'"
    greek = _NAMES.sub(lambda name: rf"\{name[0]} ", subscript).strip()
    return greek.replace(r"\nu ", r"\nu_") if greek.startswith(r"\nu ") else greek
