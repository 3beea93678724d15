"""Checkouts of the project for cycles, and DVC in them."""
