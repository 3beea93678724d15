"""Names of a registered version's files, as whoever writes it and whoever loads it know them."""

WEIGHTS = "weights"
"""The network and the face model that goes with it."""
RESTORE = "restore"
"""Section `restore` of params.yaml, as JSON: the router's calibration and the limits."""
INPAINTER = "inpainter"
"""The user's own network of `restore.inpainter`; not there where that is null."""
