"""Section for simulated production traffic."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Count, Section, Seed, Share
from pipeline.config.masks import Kind

Shift = Literal["none", "darker", "larger-masks", "other-kinds", "more-profile", "broken-detector", "other-people"]
"""How simulated traffic differs from what the champion was measured on."""


class ShiftParams(Section):
    """How strong each shift is."""

    darker_gamma: float = Field(ge=1.0)
    larger_masks_from: Share
    other_kinds: tuple[Kind, ...] = Field(min_length=1)
    extreme_of: Count
    detector_misses: Share
    detector_score_factor: Share


class SimulateParams(Section):
    """Simulated production traffic."""

    requests: Count
    shift: Shift
    seed: Seed
    known_originals: Share
    fresh_people: bool
    workers: Count
    shifts: ShiftParams
