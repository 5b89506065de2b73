"""Numbers as text: significant digits, errors, intervals and percentages of all outputs."""

from zpfit.io.numbers import apart, interval, percent, published, significant, with_error

__all__ = ["apart", "interval", "percent", "published", "significant", "with_error"]
