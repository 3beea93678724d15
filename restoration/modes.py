"""Modes: what is done to a face or a photo, and what may be asked for."""

from typing import Literal

Mode = Literal["inpaint", "partial", "colorize", "refuse", "unchanged", "fade"]
"""`partial`: what lies beyond a budget is left as it came. `unchanged`: of a photo in which no damage was found for
certain, or of which nothing could be filled; it comes back as it came. `fade`: as that, but its fading was lifted."""
UNFILLED: tuple[Mode, ...] = ("unchanged", "fade")
"""Of photos in which nothing was filled: they say nothing of a model."""
RequestedMode = Literal["auto", "inpaint", "partial", "colorize"]
