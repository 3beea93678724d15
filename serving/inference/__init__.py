"""Restoring on worker threads: requests, queue, batches, and the models that serve."""
