"""Commands for photos: restore, check."""
