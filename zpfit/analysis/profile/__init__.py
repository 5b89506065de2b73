"""Profile likelihoods and posterior regions of one or two parameters."""
