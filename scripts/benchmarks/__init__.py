"""Measure the figures of the docs."""
