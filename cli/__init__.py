"""The command line `likeness`."""
