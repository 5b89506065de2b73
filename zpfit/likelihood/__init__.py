"""Published data: entries, limit curves, measurements, exclusions, and their sum."""
