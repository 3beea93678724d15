"""params.yaml as frozen, typed objects: one file per section, and `load` for the whole."""
