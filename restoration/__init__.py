"""Restore damaged photos: one photo in, a restored photo or a refusal out."""
