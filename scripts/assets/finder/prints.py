"""Damaged and intact prints that the damage finder learns from and is measured on, drawn on the fly."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from models.damage_finder.kinds import FAMILIES, KINDS
from models.damage_finder.overview import thick_parts
from models.damage_finder.scale import ENLARGED
from models.images import Image
from pipeline.damage.prints.draw import damage_print, label
from pipeline.damage.prints.look import added_grain, age, digitise, screen, soften, tone
from pipeline.damage.prints.ornaments import ORNAMENTS
from pipeline.damage.prints.picture import Pixels
from pipeline.damage.prints.sheet import mount, write_on
from scripts.assets.finder.example import Example, resized
from scripts.assets.finder.real_damage import moved_damage, real_part
from scripts.assets.finder.sources import Sources

INTACT = 0.25
"""Share of training pictures in which there is nothing to find."""
REAL_PARTS, MOVED = 0.12, 0.25
"""Shares of training pictures that are parts of damaged prints, and that have the damage of one, if there are any."""
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
HAIRLINE = (0.6, 3.0)
"""Widths of a hairline, pixels."""
_FACE_SHARE = 0.45
"""Height of the face in a portrait, as a share of the picture's."""
_LEAST_SEEN = 0.002
"""Share of a part below which its damage is drawn once more: it lies outside, or cannot be seen."""
_VEILS = [KINDS.index(kind) for kind in FAMILIES["veils"]]
_WIDE_VEIL = 33
"""Width of a veil, pixels, from which it is left to the network that sees the whole print."""
ORNATE, ORNATE_FACE = 0.5, 0.2
"""Share of pictures with ornaments, and of those that one face fills: light lines on skin are nearly always damage."""
_LARGE_FACE = 160.0
"""Height of a face, pixels, from which it fills much of a part."""
_FACES = (60.0, 1500.0)
"""Heights of faces on prints, pixels."""


def training_example(rng: np.random.Generator, sources: Sources, side: int) -> Example:
    """A random part (side, side) of a random print with no, one or several pieces of damage, as it is searched.

    Small scans are searched enlarged (`models.damage_finder.scale.ENLARGED`).
    """
    drawn = math.ceil(side / rng.choice((1.0, *(scale for _, scale in ENLARGED))))
    real = rng.random() if sources.damaged else 1.0
    if real < REAL_PARTS:
        return resized(real_part(rng, sources.damaged, drawn), side)
    kinds = drawn_kinds(rng, KIND_WEIGHTS) if rng.random() >= INTACT else []
    picture = intact_print(rng, sources, drawn)
    if real < REAL_PARTS + MOVED:
        return resized(moved_damage(rng, picture, sources.damaged), side)
    example = finished(rng, picture, kinds)
    if kinds and example.damaged.mean() < _LEAST_SEEN:
        example = finished(rng, picture, kinds)
    return _without_wide_veils(resized(example, side))


def _without_wide_veils(example: Example) -> Example:
    """Do not ask for stains, tape and silvering that are wide: a part shows too little of them to tell."""
    veil = example.damaged & np.isin(example.kind, _VEILS)
    if not veil.any():
        return example
    wide = thick_parts(veil, _WIDE_VEIL)
    kind = np.where(wide, np.uint8(255), example.kind)
    return Example(example.image, example.damaged & ~wide, kind, example.judged & ~wide)


def drawn_kinds(rng: np.random.Generator, weights: Mapping[str, float]) -> list[str]:
    """One or several kinds of damage, or a kind several times."""
    shares = np.array(list(weights.values()))
    count = 1 + min(5, rng.poisson(0.9))
    kinds = [str(kind) for kind in rng.choice(list(weights), count, p=shares / shares.sum())]
    if rng.random() < 0.25:  # nets of cracks all over
        kinds += ["crack"] * int(rng.integers(1, 4))
    return kinds


def measured_example(
    rng: np.random.Generator, portraits: Sequence[Image], kind: str | None, face: float, side: int
) -> Example:
    """A print of held-out people with damage of one kind, or none.

    Args:
        rng: source of randomness.
        portraits: (H, W, 3) each.
        kind: a kind of damage, or None.
        face: height of the face on the print, pixels.
        side: of the picture, pixels.
    """
    picture = printed(rng, people(rng, portraits, side, face))
    return finished(rng, picture, [] if kind is None else [kind])


def finished(
    rng: np.random.Generator, picture: Pixels, kinds: Sequence[str], hairline: tuple[float, float] = HAIRLINE
) -> Example:
    """Damage a print, then scan it; `hairline`: least and greatest width of a hairline, pixels."""
    scale = math.exp(rng.uniform(math.log(hairline[0]), math.log(hairline[1])))
    blur = 0.0 if rng.random() < 0.3 else rng.uniform(0.3, 1.3)
    drawn = damage_print(rng, picture, kinds, scale, blur)
    image = digitise(rng, drawn.picture)
    labels = label(drawn, added_grain(image, drawn.picture))
    return Example(image, labels.damaged, labels.kind, labels.judged)


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
    face = math.exp(rng.uniform(math.log(_FACES[0]), math.log(_FACES[1])))
    return printed(rng, people(rng, sources.portraits, side, face), _ornate(face))


def _ornate(face: float) -> float:
    """Share of pictures of a face, `face` pixels high, that have ornaments."""
    return ORNATE_FACE if face >= _LARGE_FACE else ORNATE


def people(rng: np.random.Generator, portraits: Sequence[Image], side: int, face: float) -> Pixels:
    """A part (side, side, 3) of a picture of somebody whose face is `face` pixels high, or of a group of people."""
    portrait = portraits[int(rng.integers(len(portraits)))]
    scale = face / (_FACE_SHARE * len(portrait))
    if scale * min(portrait.shape[:2]) > 0.9 * side or rng.random() < 0.4:
        return placed(rng, portrait, side, scale)
    return _group(rng, portraits, side, face / _FACE_SHARE)


def _group(rng: np.random.Generator, portraits: Sequence[Image], side: int, cell: float) -> Pixels:
    """People side by side in rows, each of `cell` pixels."""
    size = max(24, round(cell))
    count = -(-side // size) + 1
    rows = []
    for _ in range(count):
        row = [portraits[int(number)] for number in rng.integers(0, len(portraits), count)]
        rows.append(np.hstack([placed(rng, one, size, size / min(one.shape[:2])) for one in row]))
    sheet = np.vstack(rows)
    top, left = rng.integers(0, sheet.shape[0] - side + 1), rng.integers(0, sheet.shape[1] - side + 1)
    return sheet[top : top + side, left : left + side]


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


def printed(rng: np.random.Generator, picture: Pixels, ornate: float = ORNATE) -> Pixels:
    """A picture (H, W, 3), toned, aged, sometimes screened, mounted and written on; a share of them with ornaments."""
    if rng.random() < ornate:
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
    scale = math.exp(rng.uniform(-0.5, 0.7))
    picture = max((placed(rng, old, side, scale) for _ in range(2)), key=_detail)
    if rng.random() < 0.4:
        return picture
    picture = tone(rng, picture)
    return mount(rng, picture) if rng.random() < 0.2 else picture


def _detail(picture: Pixels) -> float:
    """How much fine structure a picture (H, W, 3) has: mean difference between pixels two apart, grey levels."""
    luma = picture.mean(axis=-1)
    return float(np.abs(luma[2:] - luma[:-2]).mean() + np.abs(luma[:, 2:] - luma[:, :-2]).mean())


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
