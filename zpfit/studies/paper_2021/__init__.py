"""Reproduces arXiv:2102.07781: its figures, its numbers, its forecasts."""
