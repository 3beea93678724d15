"""A/B tests: assignment, inference, rule and records."""
