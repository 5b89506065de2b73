"""The log of a run folder, for programs that show progress."""

from zpfit.runs.log import RunLog, last_words

__all__ = ["RunLog", "last_words"]
