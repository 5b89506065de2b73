"""Pseudo-experiments and the p-values that they calibrate."""
