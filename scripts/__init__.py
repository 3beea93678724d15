"""Scripts that made what ships in assets/ and what the docs show."""
