"""Commands for running the service and everything around it."""
