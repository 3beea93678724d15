"""Faults of every kind, drawn by seed and tried on real parts: `make faults`."""
