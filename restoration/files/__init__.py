"""Restore photos that are files: which they are, where their outputs go, and what those keep."""
