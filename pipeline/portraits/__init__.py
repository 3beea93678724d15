"""Aligned portraits: their table, splits, measures, and what was not taken."""
