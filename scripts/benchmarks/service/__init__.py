"""Measure the running service: where the time goes, load, memory."""
