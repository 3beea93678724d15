"""Restore on worker threads: queue, requests, batches, and the models that serve."""
