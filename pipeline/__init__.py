"""One module per stage, and what stages share: configuration, paths, tracking, registry."""
