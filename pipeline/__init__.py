"""Stages, one module each, and a folder for each thing that they share."""
