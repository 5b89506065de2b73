"""Regions of a plane of two parameters that each experiment excludes."""
