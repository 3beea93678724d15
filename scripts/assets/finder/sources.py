"""Intact pictures that the damage finder's prints are made of: portraits, old prints, other photos; by split."""

import importlib.util
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.images import Image
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from scripts.assets.finder.real_damage import RealDamage, read_real_damage

FOLDERS = ("congress", "ffhq256", "omi")
"""Folders of portraits, one person a file; folders that are not there are left out."""
HELD_OUT, VALIDATION = 0.2, 0.07
"""Shares of the files of each folder, by name, at the end: test, and validation before it."""
TRAINING_PRINTS = ("03", "04", "11", "13", "14", "15", "20", "21", "22", "25", "27", "29")
"""Old prints that training sees, by the number in their names; they show hardly any damage."""
OTHER_PHOTOS = {
    "skimage": (
        "brick.png",
        "camera.png",
        "chelsea.png",
        "coffee.png",
        "grass.png",
        "gravel.png",
        "motorcycle_left.png",
        "rocket.jpg",
    ),
    "matplotlib": ("grace_hopper.jpg",),
    "sklearn": ("china.jpg", "flower.jpg"),
}
"""Photos that come with installed packages, for what portraits lack: twigs, bars, fur, machines, cloth."""
_FOLDERS = {"skimage": "data", "matplotlib": "mpl-data/sample_data", "sklearn": "datasets/images"}
_LONGEST_SIDE = 1600


@dataclass(frozen=True, eq=False)
class Sources:
    """Intact pictures (H, W, 3) of any size, RGB, and prints on which damage was drawn by hand."""

    portraits: Sequence[Image]
    prints: Sequence[Image] = ()
    others: Sequence[Image] = ()
    damaged: Sequence[RealDamage] = ()


def read_sources(
    portraits: Path, prints: Path | None, split: str, limits: Limits, without: Collection[str] = ()
) -> Sources:
    """Read what a split may see: portraits of `portraits`/FOLDER, and for training old prints and other photos.

    `without`: names of damaged prints that are not read, so that they are a test.
    """
    people = [read_picture(file, limits) for folder in FOLDERS for file in split_files(portraits / folder, split)]
    if split != "train":
        return Sources(people)
    files = sorted(prints.glob("old_photo_*")) if prints else []
    seen = [_within(read_picture(file, limits)) for file in files if file.stem[-2:] in TRAINING_PRINTS]
    others = [_within(read_picture(file, limits)) for file in _other_files()]
    return Sources(people, seen, others, read_real_damage(prints, limits, without) if prints else ())


def split_files(folder: Path, split: str) -> list[Path]:
    """The files of one split of a folder, in order of name; an empty list where there is no such folder."""
    files = sorted(file for file in folder.glob("*") if file.is_file())
    test, validation = round(len(files) * (1 - HELD_OUT)), round(len(files) * (1 - HELD_OUT - VALIDATION))
    return {"train": files[:validation], "validation": files[validation:test], "test": files[test:]}[split]


def _other_files() -> list[Path]:
    found = []
    for package, names in OTHER_PHOTOS.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            folder = Path(spec.origin).parent / _FOLDERS[package]
            found += [folder / name for name in names if (folder / name).is_file()]
    return found


def _within(image: Image) -> Image:
    shrink = _LONGEST_SIDE / max(image.shape[:2])
    if shrink >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
