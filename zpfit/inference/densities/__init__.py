"""Compiled densities on the unit cube, from which samplers draw."""
