"""Evaluation: methods, metrics, intervals, slices and the report."""
