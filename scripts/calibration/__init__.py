"""Fit the constants that params.yaml and the models hold."""
