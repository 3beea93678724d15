"""Flickr-Faces-HQ (Karras et al. 2019, arXiv:1812.04948): 70,000 numbered portraits, one person each.

Layout as published: `images1024x1024/00000/00000.png` or `thumbnails128x128/00000/00000.png`, one folder per thousand.
The authors trained on the first 60,000 and validated on the last 10,000; here the last are the test split, and
validation comes out of the first.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from models.errors import DataError
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Limits
from pipeline.sources.item import Published, SourceItem
from pipeline.sources.walk import walk

FIRST_TEST = 60_000
_FOLDERS = ("images1024x1024", "thumbnails128x128")


def portraits(folder: Path, limits: Limits) -> Iterator[SourceItem]:
    """Yield the numbered pictures in order, the large ones if both sizes are there.

    Raises:
        DataError: neither folder of the published layout is there.
    """
    pictures = _pictures(folder)
    for name, path in walk(pictures):
        if path.suffix.lower() == ".png" and path.stem.isdecimal():
            split: Published = "test" if int(path.stem) >= FIRST_TEST else "development"
            yield SourceItem(f"{pictures.name}/{name}", path.stem, split, partial(read_file, path, limits))


def _pictures(folder: Path) -> Path:
    for candidate in (folder / _FOLDERS[0], folder / _FOLDERS[1], folder):
        if candidate.name in _FOLDERS and candidate.is_dir():
            return candidate
    expected = f"{' or '.join(_FOLDERS)} in {folder.name}"
    raise DataError(expected, "neither", "point data.location at the folder that holds FFHQ, unpacked")
