"""Legal photos that ask most of a service: as large as it takes, with the masks that cost most."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as Pillow

from models.images import Image, Mask
from scripts.benchmarks.large_photos import sampled_portraits

SIDE = 7000
"""Pixels; 49 of the 50 megapixels that the service takes."""
_BOARD = 10
_PAINT = 235
_AS_THEY_CAME = ("colorize", "specks", "noise")
"""Cases whose photo has no damage that shows: it would make a large file."""


@dataclass(frozen=True)
class HeavyPhoto:
    """One request: its name, the photo and the mask as files, and the fields of its form."""

    name: str
    image: bytes
    mask: bytes | None
    fields: dict[str, str]


def heavy_photo(name: str, seed: int, side: int = SIDE) -> HeavyPhoto:
    """Draw the photo of a case, seeded; `side` pixels high and wide."""
    rng = np.random.default_rng(seed)
    picture = board(side, rng) if name == "board" else face(side, rng)
    mask = MASKS[name](picture.shape[:2], rng) if name in MASKS else None
    if mask is not None and name not in _AS_THEY_CAME:
        picture[mask] = _PAINT
    fields = {"picture": "input"} | ({"mode": "colorize"} if name == "colorize" else {})
    white = None if mask is None else _file(mask, "PNG")
    return HeavyPhoto(name, _file(picture, "JPEG"), white, fields)


def face(side: int, rng: np.random.Generator) -> Image:
    """One face on a grainless ground, (side, side, 3): JPEG makes a small file of it."""
    portrait = sampled_portraits(1, int(rng.integers(1000)))[0]
    picture = cv2.resize(rng.integers(60, 190, (6, 6, 3)).astype(np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(portrait, (round(side * 0.5),) * 2, interpolation=cv2.INTER_CUBIC)
    start = side // 4
    picture[start : start + len(large), start : start + len(large)] = large
    return np.asarray(picture, np.uint8)


def board(side: int, rng: np.random.Generator) -> Image:
    """A hundred portraits side by side, (side, side, 3)."""
    people = sampled_portraits(_BOARD * _BOARD, int(rng.integers(1000)))
    cell = side // _BOARD
    picture = np.full((side, side, 3), 200, np.uint8)
    for number, portrait in enumerate(people):
        top, left = number // _BOARD * cell, number % _BOARD * cell
        picture[top : top + cell, left : left + cell] = cv2.resize(
            portrait, (cell, cell), interpolation=cv2.INTER_CUBIC
        )
    return picture


def _scratch(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    """One thin scratch across the face."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.line(mask, (shape[1] // 3, shape[0] // 3), (2 * shape[1] // 3, shape[0] // 2), (1,), max(1, shape[0] // 200))
    return mask > 0


def _cracks(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    """Thin cracks all over: polygons of straight lines."""
    mask = np.zeros(shape[:2], np.uint8)
    for _unused in range(400):
        first = rng.integers(0, shape[0], 2)
        last = first + rng.integers(-shape[0] // 4, shape[0] // 4, 2)
        cv2.line(mask, first.tolist(), last.tolist(), (1,), max(1, shape[0] // 700))
    return mask > 0


def _specks(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    """Single pixels, one in a hundred."""
    mask = np.zeros(shape[:2], np.bool_)
    mask.ravel()[rng.integers(0, mask.size, mask.size // 100)] = True
    return mask


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    """Every other pixel, at random."""
    return np.stack([rng.integers(0, 2, shape[1]).astype(np.bool_) for _ in range(shape[0])])


def _rim(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    """Everything but a corner."""
    mask = np.ones(shape[:2], np.bool_)
    mask[: shape[0] // 50, : shape[1] // 50] = False
    return mask


def _holes(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    """Discs all over."""
    mask = np.zeros(shape[:2], np.uint8)
    for x, y in rng.integers(0, shape[0], (3000, 2)):
        cv2.circle(mask, (int(x), int(y)), max(2, shape[0] // 300), (1,), -1)
    return mask > 0


def _hole(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    """One wide hole over a third of the face."""
    mask = np.zeros(shape[:2], np.bool_)
    mask[shape[0] // 2 : 7 * shape[0] // 10, shape[1] // 3 : 2 * shape[1] // 3] = True
    return mask


def _grid(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    """Stripes of half the photo."""
    mask = np.zeros(shape[:2], np.bool_)
    mask[np.arange(shape[0]) % 64 < 32] = True
    return mask


def _bars(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    """A bar over each face of the board."""
    mask = np.zeros(shape[:2], np.bool_)
    cell = shape[0] // _BOARD
    for number in range(_BOARD):
        mask[number * cell + cell // 2 : number * cell + 6 * cell // 10] = True
    return mask


def _all(shape: tuple[int, ...], _: np.random.Generator) -> Mask:
    return np.ones(shape[:2], np.bool_)


MASKS: dict[str, Callable[[tuple[int, ...], np.random.Generator], Mask]] = {
    "scratch": _scratch,
    "hole": _hole,
    "cracks": _cracks,
    "specks": _specks,
    "noise": _noise,
    "rim": _rim,
    "holes": _holes,
    "grid": _grid,
    "board": _bars,
    "colorize": _all,
}
CASES = (*MASKS, "searched")


def _file(pixels: Image | Mask, kind: str) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, kind, quality=85, compress_level=1)
    return stream.getvalue()
