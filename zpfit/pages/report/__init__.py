"""A page about finished work: reads folders of runs, comparisons and campaigns, and never fits."""
