"""Attacks on a real service and on the batch readers, each with what it was asked for: `make hostile`."""
