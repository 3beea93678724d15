"""Synthesised damage: seeded, of an exact size, fast."""

from pipeline.damage.draw import COLOUR_KINDS, HOLE_KINDS, Damage, apply, draw
from pipeline.damage.measure import Measures, measure
from pipeline.damage.sampler import DamageSampler, MaskRecord, bucket_name, buckets_of, redraw

__all__ = [
    "COLOUR_KINDS",
    "HOLE_KINDS",
    "Damage",
    "DamageSampler",
    "MaskRecord",
    "Measures",
    "apply",
    "bucket_name",
    "buckets_of",
    "draw",
    "measure",
    "redraw",
]
