"""Walk all entries below a folder, in one fixed order, one folder in memory at a time."""

import os
from collections.abc import Iterator
from pathlib import Path

from models.errors import DataError
from pipeline.sources.item import text_of

_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".bmp", ".mpo")


def walk(folder: Path, below: str = "") -> Iterator[tuple[str, Path]]:
    """Yield (name below the first folder, with slashes; path) of everything that is no folder, sorted by name.

    Links are yielded, never followed. A folder that calls itself a picture (`x.jpg`) is yielded, not entered.

    Raises:
        DataError: a folder cannot be listed.
    """
    try:
        with os.scandir(folder) as listing:
            entries = sorted((os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in listing)
    except OSError as error:
        raise DataError(
            f"a readable folder {text_of(str(folder))}", str(error.strerror), "check its permissions"
        ) from error
    for raw, is_folder in entries:
        name = os.fsdecode(raw)
        shown = below + text_of(name)
        if is_folder and not name.lower().endswith(_PICTURE_SUFFIXES):
            yield from walk(folder / name, shown + "/")
        else:
            yield shown, folder / name
