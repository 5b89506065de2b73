"""Analyses of a posterior: fit, comparison, tension, profiles, toys, exclusion planes."""
