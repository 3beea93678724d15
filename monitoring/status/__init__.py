"""The state of everything, collected for the status page."""
