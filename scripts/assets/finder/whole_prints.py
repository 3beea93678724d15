"""Whole prints, shrunk, from which the damage finder learns what is larger than a tile."""

import math

import numpy as np

from models.damage_finder.overview import thick_parts
from pipeline.damage.prints.picture import Pixels
from scripts.assets.finder.example import Example, resized
from scripts.assets.finder.prints import (
    KIND_WEIGHTS,
    drawn_kinds,
    finished,
    intact_print,
    people,
    placed,
    printed,
)
from scripts.assets.finder.real_damage import real_part
from scripts.assets.finder.sources import Sources

WHOLE_WEIGHTS = {
    "stain": 0.2,
    "silvering": 0.07,
    "ink": 0.12,
    "tape": 0.15,
    "tear": 0.14,
    "corner": 0.18,
    "hole": 0.16,
    "scrape": 0.16,
    "spot": 0.07,
    "fold": 0.05,
    "crack": 0.12,
    "scratch": 0.03,
}
"""How often each kind is drawn; thin ones are there to be left alone."""
INTACT = 0.35
"""Share of whole prints in which there is nothing to find."""
PHOTO_SIDES = (512, 640, 960)
"""Sides of photos, pixels."""
DIGITAL = 0.25
"""Share of photos that were never printed and show no damage."""
REAL = 0.2
"""Share of whole prints that are damaged ones, if there are any: their buttons and pearls are to be left alone."""
_VIEWED = (0.9, 1.4)
"""Long side at which a damaged print is seen, as a share of the picture's."""
_HAIRLINE = (0.4, 2.0)
"""Widths of a hairline on a whole print of 384 pixels."""
_SIDE = 384


def whole_example(rng: np.random.Generator, sources: Sources, side: int) -> Example:
    """A random print (side, side) as a whole, with thick damage to find; thin damage is not judged."""
    if sources.damaged and rng.random() < REAL:
        return _thick_only(real_part(rng, sources.damaged, side, (_VIEWED[0] * side, _VIEWED[1] * side)))
    kinds = drawn_kinds(rng, WHOLE_WEIGHTS) if rng.random() >= INTACT else []
    fine = 2 if rng.random() < 0.35 else 1
    print_ = _whole_print(rng, sources, fine * side)
    widths = (_HAIRLINE[0] * fine * side / _SIDE, _HAIRLINE[1] * fine * side / _SIDE)
    return _thick_only(resized(finished(rng, print_, kinds, widths), side))


def photo_example(rng: np.random.Generator, sources: Sources) -> Example:
    """A random print as a whole, at the size of a scan, with damage of any kind or none; or an unprinted photo."""
    side = int(rng.choice(PHOTO_SIDES))
    if rng.random() < DIGITAL:
        portrait = sources.portraits[int(rng.integers(len(sources.portraits)))]
        scale = side / min(portrait.shape[:2]) * rng.uniform(0.7, 1.5)
        return finished(rng, placed(rng, portrait, side, scale), [])
    kinds = drawn_kinds(rng, WHOLE_WEIGHTS if rng.random() < 0.4 else KIND_WEIGHTS) if rng.random() >= INTACT else []
    return finished(rng, _whole_print(rng, sources, side), kinds)


def _whole_print(rng: np.random.Generator, sources: Sources, side: int) -> Pixels:
    choice = rng.random()
    if choice < 0.2:
        return intact_print(rng, sources, side)
    if sources.prints and choice < 0.45:
        old = sources.prints[int(rng.integers(len(sources.prints)))]
        picture = placed(rng, old, side, side / min(old.shape[:2]) * rng.uniform(0.7, 1.3))
        return picture if rng.random() < 0.4 else printed(rng, picture)
    if sources.others and choice < 0.52:
        photo = sources.others[int(rng.integers(len(sources.others)))]
        return printed(rng, placed(rng, photo, side, side / min(photo.shape[:2]) * rng.uniform(0.8, 1.5)))
    return printed(rng, people(rng, sources.portraits, side, side * math.exp(rng.uniform(math.log(0.1), 0))))


def _thick_only(example: Example) -> Example:
    thick = thick_parts(example.damaged)
    kind = np.where(thick, example.kind, np.uint8(255))
    return Example(example.image, thick, kind, example.judged & (thick | ~example.damaged))
