"""Matplotlib figures, drawn from records."""
