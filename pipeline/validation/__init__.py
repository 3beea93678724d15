"""Expectations on the portraits, and running them with Great Expectations."""
