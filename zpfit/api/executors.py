"""Executors of work in several processes: :class:`ExecutorChoice` and its :class:`Kind`."""

from zpfit.runs.executor_choice import ExecutorChoice, Kind

__all__ = ["ExecutorChoice", "Kind"]
