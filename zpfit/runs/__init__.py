"""Run, slice and campaign files; run folders, checkpoints, workers, and stored records."""
