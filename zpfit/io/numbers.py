"""Numbers in text, with as many digits as their errors and distances call for."""

from math import floor, isclose, isfinite, log10

_DIGITS = 3
"""Significant digits of a number without an error."""
_DIGITS_APART = 2
"""Significant digits that the distance of two numbers in one text shows."""
_MOST_DIGITS = 12
"""Largest number of significant digits; closer numbers are equal to rounding."""
_PLAIN = (1e-3, 1e5)
"""Sizes of numbers that are written without a power of ten."""
_NOISE = 1e-6
"""Share of an error below which a number that stands beside it is zero."""
_LEAST_PERCENT = 1e-4
"""Smallest share other than zero, and distance from the whole, that a text gives in per cent."""


def with_error(value: float, *errors: float, sign: str = "", digits: int | None = None) -> str:
    """Return a value with its standard error, rounded as the Particle Data Group does.

    The error has two digits if they are 35 at most, otherwise one; the value has the same
    decimals.

    Parameters
    ----------
    value
        The value.
    errors
        The standard error, or the upward and the downward one. Without one, or with the error 0,
        the value has three significant digits.
    sign
        ``"+"`` to show the sign of positive values.
    digits
        Digits of the smallest error in place of that rule.

    References
    ----------
    Particle Data Group, Phys. Rev. D 110, 030001 (2024), Introduction, Sec. 5.3.

    Examples
    --------
    >>> with_error(-10.2713, 0.0052), with_error(0.8273, 0.119), with_error(1834.0, 119.0)
    ('-10.271 ± 0.005', '0.83 ± 0.12', '1830 ± 120')
    >>> with_error(-8.7e-13, 3.6e-13, digits=2), with_error(1.0, 0.2, 0.14), with_error(2.5, 0.0)
    ('(-8.7 ± 3.6)e-13', '1.00 +0.20 -0.14', '2.50')
    """
    given = [abs(error) for error in errors if error]
    if not given or not all(map(isfinite, (value, *given))):
        return significant(value, sign=sign)
    size = max(abs(value), *given)
    low, high = _PLAIN
    if not low <= size < high:
        power = floor(log10(size))
        inner = with_error(
            value / 10**power, *(e / 10**power for e in errors), sign=sign, digits=digits
        )
        return f"({inner})e{power:+03d}"
    decimals = _decimals_of_error(min(given), digits)
    texts = [_rounded(error, decimals) for error in errors]
    main = _rounded(value, decimals, sign)
    if len(texts) == 1 or texts[0] == texts[1]:
        return f"{main} ± {texts[0]}"
    return f"{main} +{texts[0]} -{texts[1]}"


def published(value: float, *errors: float) -> str:
    """Return a published value with two digits of its smallest error, or one that says as much.

    Examples
    --------
    >>> published(-8.7e-13, 3.6e-13), published(1.0, 0.06), published(4.8e-13, 3e-13)
    ('(-8.7 ± 3.6)e-13', '1.00 ± 0.06', '(4.8 ± 3.0)e-13')
    """
    decimals = _decimals_of_error(min(errors), 1)
    same = all(isclose(round(x, decimals), x, rel_tol=1e-9) for x in (value, *errors))
    return with_error(value, *errors, digits=1 if same else 2)


def _decimals_of_error(error: float, digits: int | None) -> int:
    """Return the decimals of an error, negative for tens; see :func:`with_error`."""
    power = floor(log10(error))
    if digits is not None:
        return digits - 1 - power
    leading = round(error / 10.0 ** (power - 2))
    if leading >= 950:  # rounds up to a power of ten; keep two digits
        return -power
    return (1 if leading < 355 else 0) - power


def _rounded(value: float, decimals: int, sign: str = "") -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(value, decimals) + 0.0:{sign}.{max(decimals, 0)}f}"


def significant(value: float, digits: int = _DIGITS, *, sign: str = "") -> str:
    """Return a number with some significant digits, zeros at the end included.

    Examples
    --------
    >>> significant(0.4), significant(400.0), significant(1.5e-5), significant(0.0)
    ('0.400', '400', '1.50e-05', '0')
    >>> significant(1000.0), significant(-12345.0), significant(1.5e6)
    ('1000', '-12300', '1.50e+06')
    """
    if value == 0:
        return "0"
    if 10**digits <= abs(value) < _PLAIN[1]:
        return _rounded(value, digits - 1 - floor(log10(abs(value))), sign)
    text = f"{value:{sign}#.{digits}g}"
    return text.replace(".e", "e").removesuffix(".")


def beside_errors(value: float, *errors: float) -> float:
    """Return a number, or zero if it is rounding noise beside the errors of what it is compared to.

    Examples
    --------
    >>> beside_errors(7.5e-33, 42.0), beside_errors(0.9976, 0.15, 0.12)
    (0.0, 0.9976)
    """
    return 0.0 if abs(value) < _NOISE * min(errors) else value


def apart(*values: float, digits: int = _DIGITS) -> tuple[str, ...]:
    """Return numbers with enough digits to tell them apart.

    Each has ``digits`` significant digits, and more if the distance to the nearest of the others
    would not show two.

    Examples
    --------
    >>> apart(0.4012, 0.4087), apart(1e-8, 5e-4), apart(20.0, 20.0)
    (('0.4012', '0.4087'), ('1.00e-08', '0.000500'), ('20.0', '20.0'))
    """
    return tuple(significant(value, _digits_apart(value, values, digits)) for value in values)


def _digits_apart(value: float, values: tuple[float, ...], digits: int) -> int:
    distances = [abs(value - other) for other in values if other != value]
    if value == 0 or not distances or not all(map(isfinite, (value, *distances))):
        return digits
    needed = floor(log10(abs(value))) - floor(log10(min(distances))) + _DIGITS_APART
    return min(max(digits, needed), _MOST_DIGITS)


def interval(low: float, high: float, digits: int = _DIGITS) -> str:
    """Return the ends of an interval, which differ in the text if they differ.

    Examples
    --------
    >>> interval(0.4012, 0.4087), interval(2, 900)
    ('0.4012 to 0.4087', '2.00 to 900')
    """
    return " to ".join(apart(low, high, digits=digits))


def percent(share: float, digits: int = 2) -> str:
    """Return a share in per cent; 0 and 100 % are exact.

    Parameters
    ----------
    share
        From 0 to 1.
    digits
        Significant digits of the share, or of what is left if that is less.

    Examples
    --------
    >>> percent(0.043), percent(0.00012), percent(0.99997), percent(0.0), percent(1e-9)
    ('4.3 %', '0.012 %', '99.9970 %', '0 %', '< 0.0001 %')
    """
    whole = 100 * share
    least = min(whole, 100 - whole)
    if least <= 0:
        return f"{whole:g} %"
    if least < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT:g} %" if whole < 50 else f"> {100 - _LEAST_PERCENT:.4f} %"
    decimals = digits - 1 - floor(log10(least))
    return f"{_rounded(whole, decimals)} %"
