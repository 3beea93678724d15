"""Synthesised damage: seeded, of an exact size, fast."""
