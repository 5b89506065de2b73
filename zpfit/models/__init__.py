"""Models: a vector of parameters to the effective couplings."""
