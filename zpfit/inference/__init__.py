"""Priors, posteriors, samplers and searches on the unit cube."""
