"""The atlas of anomaly-free U(1)' theories: all integer charge sets up to a largest charge."""
