"""What goes over HTTP, as checked and documented types."""
