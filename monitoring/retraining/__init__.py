"""Deciding when to retrain."""
