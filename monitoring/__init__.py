"""What is measured in production: the log, drift against the baseline, A/B tests, and when a cycle must start."""
