"""Which photo goes with which mask and which output: two files, or two folders by stem."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError
from pipeline.picture_files import check_writable


@dataclass(frozen=True)
class Request:
    """One photo to restore. `problem` is set when no work can begin: no mask of its stem, or a stem used twice."""

    photo: Path
    mask: Path
    out: Path
    problem: DataError | None = None


def requests(photo: Path, mask: Path, out: Path) -> list[Request]:
    """The photos to restore, in order of name. From a folder every file is taken, and outputs are PNG.

    Raises:
        DataError: a missing path, a file paired with a folder, an empty folder, or outputs that would replace inputs.
    """
    for path, remedy in ((photo, "check the path"), (mask, "check --mask")):
        if not path.exists() and not path.is_symlink():
            raise DataError("a file or a folder", f"no such path: {path}", remedy)
    if photo.is_dir() != mask.is_dir():
        raise DataError("two files or two folders", f"{photo} with {mask}", "give photo and mask of the same sort")
    if photo.is_dir():
        return _folder(photo, mask, out)
    return [_single(photo, mask, out / f"{photo.stem}.png" if out.is_dir() else out)]


def _single(photo: Path, mask: Path, out: Path) -> Request:
    check_writable(out)
    if _is_one_of(out, (photo, mask)):
        raise DataError("an output beside its inputs", f"{out}, which is an input", "choose another --out")
    return Request(photo, mask, out)


def _folder(photos: Path, masks: Path, out: Path) -> list[Request]:
    if out.exists() and not out.is_dir():
        raise DataError("a folder for the outputs", f"the file {out}", "choose another --out")
    if _is_one_of(out, (photos, masks)):
        raise DataError("a folder of their own for the outputs", f"{out}, which holds inputs", "choose another --out")
    files = _visible_files(photos)
    if not files:
        raise DataError("photos", f"the empty folder {photos}", "put pictures there")
    by_stem: dict[str, list[Path]] = {}
    for mask in _visible_files(masks):
        by_stem.setdefault(mask.stem, []).append(mask)
    times = Counter(file.stem for file in files)
    return [_paired(file, by_stem.get(file.stem, []), times[file.stem], masks, out) for file in files]


def _paired(photo: Path, found: list[Path], times: int, masks: Path, out: Path) -> Request:
    problem = None
    if times > 1:
        problem = DataError("one photo per stem", f"{times} called {photo.stem}", "rename all but one")
    elif len(found) != 1:
        problem = DataError(f"one mask {photo.stem}.* in {masks}", f"{len(found)} of them", "give each photo one mask")
    mask = found[0] if found else masks / f"{photo.stem}.png"
    return Request(photo, mask, out / f"{photo.stem}.png", problem)


def _visible_files(folder: Path) -> list[Path]:
    """Everything but hidden files and plain subfolders; a folder named like a picture is kept, to be reported."""
    entries = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in entries if path.suffix or not path.is_dir())


def _is_one_of(path: Path, others: Iterable[Path]) -> bool:
    return path.exists() and any(other.exists() and path.samefile(other) for other in others)
