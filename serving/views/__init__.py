"""Pages that are rendered on the server."""
