"""CelebA-HQ in the layout of CelebAMask-HQ (Lee et al. 2020, arXiv:1907.11922), split as CelebA (Liu et al. 2015).

`CelebA-HQ-img/0.jpg` ... `29999.jpg`, and three texts:
`CelebA-HQ-to-CelebA-mapping.txt` (a heading, then: index, original index, original file),
`list_eval_partition.txt` (original file, 0 train | 1 validation | 2 test),
`identity_CelebA.txt` (original file, number).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from models.errors import DataError
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Limits
from pipeline.sources.item import Published, SourceItem

Value = TypeVar("Value")

_MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
_PARTITION = "list_eval_partition.txt"
_IDENTITY = "identity_CelebA.txt"
_SPLITS: dict[str, Published] = {"0": "train", "1": "validation", "2": "test"}


def portraits(folder: Path, limits: Limits) -> Iterator[SourceItem]:
    """Yield the pictures that are there, in order of number.

    Raises:
        DataError: a part of the layout is missing, malformed, or does not know a picture.
    """
    pictures = folder / "CelebA-HQ-img"
    if not pictures.is_dir():
        raise DataError(f"CelebA-HQ-img in {folder.name}", "no such folder", "point data.location at CelebAMask-HQ")
    originals = {int(row[0]): row[2] for row in _rows(folder, _MAPPING, 3) if row[0].isdecimal()}
    wanted = set(originals.values())  # CelebA's texts speak of 202,599 pictures, these are 30,000 of them
    splits = {row[0]: row[1] for row in _rows(folder, _PARTITION, 2) if row[0] in wanted}
    people = {row[0]: row[1] for row in _rows(folder, _IDENTITY, 2) if row[0] in wanted}
    for number, original in sorted(originals.items()):
        path = pictures / f"{number}.jpg"
        if path.is_symlink() or path.exists():
            split = _known(_SPLITS, _known(splits, original, _PARTITION), _PARTITION)
            person = _known(people, original, _IDENTITY)
            yield SourceItem(f"CelebA-HQ-img/{number}.jpg", person, split, partial(read_file, path, limits))


def _rows(folder: Path, name: str, columns: int) -> Iterator[list[str]]:
    """Read whitespace-separated rows of a text beside the pictures, or in CelebA's own `Anno` and `Eval`."""
    for place in (folder, folder / "Anno", folder / "Eval"):
        if (place / name).is_file():
            break
    else:
        raise DataError(f"{name} in {folder.name}", "no such file", "put CelebA's text files beside CelebA-HQ-img")
    with (place / name).open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            row = line.split()
            if row and len(row) != columns:
                got = f"{len(row)} in line {number}"
                raise DataError(f"{columns} columns in {name}", got, "take the file from the data set's page again")
            if row:
                yield row


def _known(table: dict[str, Value], key: str, name: str) -> Value:
    if key not in table:
        raise DataError(f"{key} in {name}", "no entry", "take the file from the data set's page again")
    return table[key]
