"""The logger of the package and the log of a run folder, for programs that show progress."""

from zpfit.io.logging import LOGGER
from zpfit.runs.log import RunLog, last_words

__all__ = ["LOGGER", "RunLog", "last_words"]
