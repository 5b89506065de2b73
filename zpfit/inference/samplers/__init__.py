"""Samplers: they see a batched log-likelihood on the unit cube and nothing else."""
