"""Searches for minima: batched descents, the best fit, and min-max problems."""
