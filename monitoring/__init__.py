"""Production seen from outside: the log, drift against the reference, and when a cycle must start."""
