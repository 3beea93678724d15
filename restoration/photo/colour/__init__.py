"""Colours of a photo: its one tone or its veil of fading, and the colours of heads."""
