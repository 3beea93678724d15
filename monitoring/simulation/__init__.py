"""Simulated production traffic, and the baseline made from it."""
