"""Look-alike letters: the micro sign and the Greek letter mu are one letter in names."""

import re

_MICRO, _MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
_FILE = re.compile(r"/|\\|\.[A-Za-z]{2,}")


def with_one_mu(text: str) -> str:
    r"""Return a name with the Greek letter in place of the micro sign.

    A text that names a file keeps its letters, because the file has them too.

    Examples
    --------
    >>> with_one_mu("g_\N{MICRO SIGN}") == "g_\N{GREEK SMALL LETTER MU}"
    True
    >>> with_one_mu("\N{MICRO SIGN}.lmt") == "\N{MICRO SIGN}.lmt"
    True
    """
    return text if _FILE.search(text) else text.replace(_MICRO, _MU)


def with_micro_sign(text: str) -> str:
    """Return a name with the micro sign in place of the Greek letter, as files may have it."""
    return text.replace(_MU, _MICRO)
