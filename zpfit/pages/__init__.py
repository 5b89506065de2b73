"""HTML pages: reports, the explorer, and the page about the data."""
