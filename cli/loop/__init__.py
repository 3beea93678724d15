"""Commands of the loop: cycle, simulate, watch, demo, workspace."""
