"""Tests of `scripts/faults`."""
