"""Pages that are drawn on the server."""
