"""Labeled Faces in the Wild (Huang et al. 2007): a folder per person, `Name_Surname/Name_Surname_0001.jpg`.

View 1 publishes people for development: `peopleDevTrain.txt`, `peopleDevTest.txt` (a count, then: name, pictures), and
pairs of them: `pairsDevTrain.txt`, `pairsDevTest.txt` (a count, then: name, n, n or name, n, name, n).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from models.errors import DataError
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Limits
from pipeline.sources.item import Published, SourceItem
from pipeline.sources.walk import walk

_PARTS: dict[str, Published] = {"DevTrain": "development", "DevTest": "test"}


def portraits(folder: Path, limits: Limits) -> Iterator[SourceItem]:
    """Yield the pictures by person, in order of name; people in none of the published lists are split by hash.

    Raises:
        DataError: there is no folder of a person.
    """
    splits = _published(folder)
    people = _people_folder(folder)
    for person in _folders(people):
        for name, path in walk(person):
            split = splits.get(person.name)
            yield SourceItem(f"{person.name}/{name}", person.name, split, partial(read_file, path, limits))


def _people_folder(folder: Path) -> Path:
    """Find the folder of people: the archive unpacks to a folder `lfw`, and both it and its parent are taken."""
    people = folder / "lfw" if (folder / "lfw").is_dir() else folder
    if not any(_folders(people)):
        raise DataError(f"a folder per person in {folder.name}", "none", "point data.location at LFW, unpacked")
    return people


def _folders(folder: Path) -> Iterator[Path]:
    yield from sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())


def _published(folder: Path) -> dict[str, Published]:
    """Read the split of each person from the published lists; people lists, and pairs where they are missing."""
    splits: dict[str, Published] = {}
    for part, split in _PARTS.items():
        for text in (folder / f"people{part}.txt", folder / f"pairs{part}.txt"):
            if text.is_file():
                splits |= dict.fromkeys(_names(text), split)
                break
    return splits


def _names(text: Path) -> Iterator[str]:
    """List every field of a people or pairs file that is not a number."""
    for line in text.read_text(encoding="utf-8", errors="replace").splitlines():
        yield from (field for field in line.split("\t") if field and not field.strip().isdecimal())
