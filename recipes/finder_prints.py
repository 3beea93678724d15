"""Damaged and intact prints that the damage finder learns from and is measured on, drawn on the fly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from pipeline.damage.prints.draw import damage_print
from pipeline.damage.prints.look import age, digitise, screen, soften, tone
from pipeline.damage.prints.ornaments import ORNAMENTS
from pipeline.damage.prints.picture import Pixels
from pipeline.damage.prints.sheet import mount, write_on
from recipes.finder_sources import Sources

INTACT = 0.25
"""Share of training pictures in which there is nothing to find."""
KIND_WEIGHTS = {
    "crack": 0.34,
    "fold": 0.1,
    "scratch": 0.15,
    "dust": 0.12,
    "hair": 0.07,
    "spot": 0.07,
    "stain": 0.07,
    "silvering": 0.02,
    "ink": 0.03,
    "tape": 0.03,
    "tear": 0.08,
    "corner": 0.06,
    "hole": 0.05,
    "scrape": 0.08,
}
_FACE_SHARE = 0.45
"""Height of the face in a portrait, as a share of the picture's."""
_FACES = (60.0, 1500.0)
"""Heights of faces on prints, pixels."""


@dataclass(frozen=True, eq=False)
class Example:
    """One picture to search.

    Attributes:
        image: (H, W, 3) uint8.
        damaged: (H, W) bool.
        kind: (H, W) uint8, index of the kind of a damaged pixel, 255 elsewhere.
        judged: (H, W) bool; False where damage cannot be seen, which neither trains nor counts.
    """

    image: Image
    damaged: Mask
    kind: npt.NDArray[np.uint8]
    judged: Mask


def training_example(rng: np.random.Generator, sources: Sources, side: int) -> Example:
    """A random part (side, side) of a random print with no, one or several pieces of damage."""
    kinds: list[str] = []
    if rng.random() >= INTACT:
        weights = np.array(list(KIND_WEIGHTS.values()))
        count = 1 + min(5, rng.poisson(0.9))
        kinds = [str(kind) for kind in rng.choice(list(KIND_WEIGHTS), count, p=weights / weights.sum())]
        if rng.random() < 0.25:  # nets of cracks all over
            kinds += ["crack"] * int(rng.integers(1, 4))
    return finished(rng, intact_print(rng, sources, side), kinds)


def measured_example(rng: np.random.Generator, portrait: Image, kind: str | None, face: float, side: int) -> Example:
    """A held-out portrait as a print with damage of one kind, or none.

    Args:
        rng: source of randomness.
        portrait: (H, W, 3).
        kind: a kind of damage, or None.
        face: height of the face on the print, pixels.
        side: of the picture, pixels.
    """
    picture = printed(rng, placed(rng, portrait, side, face / (_FACE_SHARE * len(portrait))))
    return finished(rng, picture, [] if kind is None else [kind])


def finished(rng: np.random.Generator, picture: Pixels, kinds: Sequence[str]) -> Example:
    """Damage a print, then scan it."""
    scale = math.exp(rng.uniform(math.log(0.6), math.log(3.0)))
    blur = 0.0 if rng.random() < 0.3 else rng.uniform(0.3, 1.3)
    damaged = damage_print(rng, picture, kinds, scale, blur)
    return Example(digitise(rng, damaged.picture), damaged.damaged, damaged.kind, damaged.judged)


def intact_print(rng: np.random.Generator, sources: Sources, side: int) -> Pixels:
    """A random part (side, side, 3) of a random intact print."""
    choice = rng.random()
    if sources.prints and choice < 0.25:
        old = sources.prints[int(rng.integers(len(sources.prints)))]
        return _old_part(rng, old, side)
    if sources.others and choice < 0.35:
        photo = sources.others[int(rng.integers(len(sources.others)))]
        return printed(rng, placed(rng, photo, side, math.exp(rng.uniform(-0.5, 1.2))))
    if choice < 0.43:
        return _several(rng, sources, side)
    portrait = sources.portraits[int(rng.integers(len(sources.portraits)))]
    face = math.exp(rng.uniform(math.log(_FACES[0]), math.log(_FACES[1])))
    return printed(rng, placed(rng, portrait, side, face / (_FACE_SHARE * len(portrait))))


def placed(rng: np.random.Generator, image: Image, side: int, scale: float) -> Pixels:
    """A random part (side, side, 3) of a picture (H, W, 3) enlarged by `scale`; a smaller one lies on a board."""
    height, width = image.shape[:2]
    part = min(height, math.ceil(side / scale)), min(width, math.ceil(side / scale))
    top, left = int(rng.integers(0, height - part[0] + 1)), int(rng.integers(0, width - part[1] + 1))
    cut = image[top : top + part[0], left : left + part[1]].astype(np.float32)
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    target = min(side, max(8, round(part[1] * scale))), min(side, max(8, round(part[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    enlarged = cv2.resize(np.ascontiguousarray(cut), target, interpolation=method)
    if scale > 1.3 and rng.random() < 0.6:  # as sharp as if it had been taken at this size
        sigma = 0.4 * scale
        enlarged = enlarged + rng.uniform(0.5, 2.0) * (enlarged - cv2.GaussianBlur(enlarged, (0, 0), sigma))
    if target == (side, side):
        return np.asarray(enlarged, np.float32)
    board = np.full((side, side, 3), rng.uniform(0, 255), np.float32) + rng.normal(0, 15, 3).astype(np.float32)
    top, left = int(rng.integers(0, side - target[1] + 1)), int(rng.integers(0, side - target[0] + 1))
    board[top : top + target[1], left : left + target[0]] = enlarged
    return board


def printed(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A picture (H, W, 3) with ornaments, toned, aged, sometimes screened, mounted and written on."""
    if rng.random() < 0.5:
        for number in rng.integers(0, len(ORNAMENTS), int(rng.integers(1, 4))):
            picture = ORNAMENTS[number](rng, picture)
    if rng.random() < 0.35:
        picture = soften(picture, rng.uniform(0.4, 2.0))
    picture = age(rng, tone(rng, np.clip(picture, 0, 255)))
    if rng.random() < 0.06:
        picture = screen(rng, picture)
    if rng.random() < 0.3:
        picture = mount(rng, picture)
    for _ in range(int(rng.random() < 0.2) + int(rng.random() < 0.05)):
        picture = write_on(rng, picture)
    return picture


def _old_part(rng: np.random.Generator, old: Image, side: int) -> Pixels:
    """A part of an old print as it is, or toned anew."""
    picture = placed(rng, old, side, math.exp(rng.uniform(-0.5, 0.7)))
    if rng.random() < 0.4:
        return picture
    picture = tone(rng, picture)
    return mount(rng, picture) if rng.random() < 0.2 else picture


def _several(rng: np.random.Generator, sources: Sources, side: int) -> Pixels:
    """Four small prints on one scan, with or without gaps."""
    half = side // 2
    cells = []
    for _ in range(4):
        portrait = sources.portraits[int(rng.integers(len(sources.portraits)))]
        cells.append(placed(rng, portrait, half, half / min(portrait.shape[:2]) * rng.uniform(0.7, 1.3)))
    sheet = np.vstack([np.hstack(cells[:2]), np.hstack(cells[2:])])
    if rng.random() < 0.5:
        gap = int(rng.integers(1, 12))
        tone_of_gap = np.float32(rng.uniform(0, 255))
        sheet[half - gap : half + gap] = tone_of_gap
        sheet[:, half - gap : half + gap] = tone_of_gap
    return printed(rng, sheet)
