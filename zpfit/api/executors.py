"""Executors of work in several processes: :class:`ExecutorChoice` and its :class:`Kind`."""

from zpfit.errors import WrongType
from zpfit.runs.executor_choice import ExecutorChoice, Kind

__all__ = ["ExecutorChoice", "Kind", "chosen"]


def chosen(executor: ExecutorChoice | None) -> ExecutorChoice:
    """Return the executor of an argument; this process if none is given.

    Raises
    ------
    WrongType
        It is something else.
    """
    if executor is None:
        return ExecutorChoice(Kind.HERE)
    if not isinstance(executor, ExecutorChoice):
        raise WrongType("executor", executor, "a zpfit.ExecutorChoice")
    return executor
