"""Damaged and intact pictures that the damage finder learns from and is measured on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.images import Image, Mask
from models.regions import Points
from pipeline.damage.bench import frontal_landmarks
from pipeline.damage.content import CONTENTS, render
from pipeline.damage.draw import HOLE_KINDS, draw_on
from pipeline.damage.print_look import framed, scanned, toned
from pipeline.damage.scene import Scene
from pipeline.picture_files import read_picture
from pipeline.reading import Limits

HELD_OUT, VALIDATION = 0.2, 0.07
"""Shares of the files, by name, at the end: test, and validation before it (as in the restorer's recipe)."""
INTACT = 0.3
"""Share of training pictures in which there is nothing to find."""
SCRATCH_CONTENTS = ("line", "line", "line", "paper", "black", "grey", "flat")


@dataclass(frozen=True)
class Example:
    """One picture to search.

    Attributes:
        image: (H, W, 3) uint8.
        damaged: (H, W) bool.
        judged: (H, W) bool; False where damage cannot be seen, which neither trains nor counts.
    """

    image: Image
    damaged: Mask
    judged: Mask


def read_split(folder: Path, limits: Limits) -> dict[str, list[Image]]:
    """Portraits (256, 256, 3) by split: train, validation, test."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    test, validation = round(len(files) * (1 - HELD_OUT)), round(len(files) * (1 - HELD_OUT - VALIDATION))
    images = [cv2.resize(read_picture(file, limits), (256, 256), interpolation=cv2.INTER_AREA) for file in files]
    return {"train": images[:validation], "validation": images[validation:test], "test": images[test:]}


def training_example(rng: np.random.Generator, portraits: Sequence[Image], side: int) -> Example:
    """A random view of random portraits, (side, side), with no, one or a few pieces of damage."""
    picture = toned(rng, _view(rng, portraits, side))
    if rng.random() < 0.07:
        picture = framed(rng, picture)
    pieces = 0 if rng.random() < INTACT else 1 + int(rng.random() < 0.35) + int(rng.random() < 0.15)
    example = Example(picture, np.zeros((side, side), np.bool_), np.ones((side, side), np.bool_))
    for _ in range(pieces):
        kind = str(rng.choice(list(HOLE_KINDS)))
        content = str(rng.choice(SCRATCH_CONTENTS if kind == "scratch" else list(CONTENTS)))
        example = damaged_further(rng, example, kind, content, float(0.004 + 0.6 * rng.random() ** 2))
    return Example(scanned(rng, example.image), example.damaged, example.judged)


def measured_example(rng: np.random.Generator, portrait: Image, kind: str, content: str, coverage: float) -> Example:
    """A held-out portrait as it is, with one piece of damage, then scanned."""
    shape = portrait.shape[:2]
    intact = Example(portrait, np.zeros(shape, np.bool_), np.ones(shape, np.bool_))
    example = damaged_further(rng, intact, kind, content, coverage)
    return Example(scanned(rng, example.image), example.damaged, example.judged)


def damaged_further(rng: np.random.Generator, example: Example, kind: str, content: str, coverage: float) -> Example:
    """One more piece of damage, about a face-sized place anywhere in the picture.

    Where exactly the face is does not matter to who searches, so no landmarks are needed: a schematic face is put
    somewhere, and `coverage` is the share of it that goes.
    """
    height, width = example.image.shape[:2]
    scene = Scene.of(_somewhere(rng, height, width), (height, width))
    hole = draw_on(rng, kind, max(1, round(coverage * len(scene.hull_pixels))), scene).hole
    softness = 0.0 if rng.random() < 0.45 else float(rng.choice([0.6, 1.0, 1.5, 2.5]))
    rendered = render(rng, example.image, hole, content, softness)
    hidden = rendered.touched & ~rendered.visible & ~example.damaged
    damaged = example.damaged | rendered.touched
    return Example(rendered.image, damaged, (example.judged | rendered.visible) & ~hidden)


def _somewhere(rng: np.random.Generator, height: int, width: int) -> Points:
    """(68, 2) landmarks of a schematic face of random size, its middle inside the picture."""
    size = min(height, width)
    points = frontal_landmarks(size) / size - 0.5
    middle = rng.uniform(0.2, 0.8, 2) * [width, height]
    return (points * size * rng.uniform(0.5, 1.2) + middle).astype(np.float32)


def _view(rng: np.random.Generator, portraits: Sequence[Image], side: int) -> Image:
    """A crop at a random scale, mirrored half of the time; one in eight is a group of four smaller portraits."""
    if rng.random() < 0.12:
        half = [_crop(rng, portraits, side // 2, 1.0) for _ in range(4)]
        return np.vstack([np.hstack(half[:2]), np.hstack(half[2:])])
    return _crop(rng, portraits, side, min(1.0, 0.7 * side / 256 + 0.05))


def _crop(rng: np.random.Generator, portraits: Sequence[Image], side: int, smallest: float) -> Image:
    portrait = portraits[int(rng.integers(len(portraits)))]
    part = int(rng.uniform(smallest, 1.0) * len(portrait))
    top, left = rng.integers(0, len(portrait) - part + 1, 2)
    crop = portrait[top : top + part, left : left + part]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
