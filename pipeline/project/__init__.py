"""The project on this machine: paths, environment, files, locks, processes."""
