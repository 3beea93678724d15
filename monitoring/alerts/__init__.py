"""Send alerts, to a file and over channels."""
