"""Any folder of portraits, at any depth. Top folders named train, validation and test keep their split."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Limits
from pipeline.sources.item import Identities, Published, SourceItem
from pipeline.sources.walk import walk

_SPLITS: dict[str, Published] = {"train": "train", "validation": "validation", "test": "test"}


def portraits(folder: Path, identity_pattern: str, limits: Limits) -> Iterator[SourceItem]:
    """Yield every file below `folder` in order of name; the reading step rejects what is no picture.

    Raises:
        DataError: a folder cannot be listed, or the pattern matches no file at all.
    """
    identities = Identities(identity_pattern)
    for name, path in walk(folder):
        yield SourceItem(
            name, identities.of(name), _SPLITS.get(PurePosixPath(name).parts[0]), partial(read_file, path, limits)
        )
    identities.check()
