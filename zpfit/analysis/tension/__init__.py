"""Agreement between groups of data: pulls, goodness of fit, suspiciousness."""
