"""Tell the photos of a folder from what lies beside them: sidecars, films, thumbnails, notes of the file manager."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.image_io.formats import HEADER_BYTES, PICTURE_SUFFIXES, sniff

_OTHER_PICTURES = frozenset(
    {".gif", ".jp2", ".j2k", ".jxl", ".psd", ".psb", ".pdf", ".svg", ".tga", ".ppm", ".exr"}
    | {".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw"}
)
"""Extensions of pictures that cannot be read. One that lies alone is reported as failed; a raw file beside the photo
that was made of it is a companion."""


@dataclass(frozen=True)
class PhotoFiles:
    """Files of one folder, sorted by name; `left_out` are no photos. Hidden files and subfolders are in neither."""

    photos: list[Path]
    left_out: list[Path]


def photo_files(folder: Path) -> PhotoFiles:
    """List a folder. A photo is what is called one, or what begins like one; subfolders are not entered.

    A folder or a broken link that is called like a photo is among the photos, to be reported.
    """
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in entries if path.suffix.lower() in PICTURE_SUFFIXES or not path.is_dir()]
    photos = {path for path in files if path.suffix.lower() in PICTURE_SUFFIXES or _begins_like_one(path)}
    stems = {path.stem for path in photos if path.suffix.lower() not in _OTHER_PICTURES}
    others = {path for path in files if path.suffix.lower() in _OTHER_PICTURES}
    photos = photos - others | {path for path in others if path.stem not in stems}
    return PhotoFiles(
        [path for path in files if path in photos],
        [path for path in files if path not in photos],
    )


def first_bytes(path: Path) -> bytes:
    """Read so much of a file as its format needs; nothing of what is no file, or cannot be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as stream:
            return stream.read(HEADER_BYTES)
    except OSError:
        return b""


def _begins_like_one(path: Path) -> bool:
    return sniff(first_bytes(path)) is not None


def fitting_name(stem: str, ending: str) -> str:
    """Put a file's name together; the stem is cut where file systems would refuse the whole (255 bytes)."""
    room = 255 - len(os.fsencode(ending))
    raw = os.fsencode(stem)
    return (stem if len(raw) <= room else raw[:room].decode("utf-8", "ignore")) + ending
