"""Modes: what is done to a face or a photo, and what may be asked for."""

from typing import Literal

Mode = Literal["inpaint", "partial", "colorize", "refuse", "unchanged"]
"""`partial`: what lies beyond a budget is left as it came. `unchanged`: of a photo in which no damage was found for
certain; it comes back as it came."""
RequestedMode = Literal["auto", "inpaint", "partial", "colorize"]
