import os
from pathlib import Path

import pytest

from models.errors import DataError
from restoration.files.photo_files import fitting_name, photo_files
from restoration.files.requests import requests
from scripts.hostile.bad_files import encoded, portrait

JPEG = encoded(portrait(), "JPEG")


def folder_of(tmp_path: Path, **files: bytes) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_what_lies_beside_photos_is_left_out(tmp_path: Path) -> None:
    photos = {"a.jpg": JPEG, "b.JPG": JPEG, "c.heic": b"broken", "noextension": JPEG}
    beside = {
        "a.xmp": b"<x:xmpmeta/>",
        "a.AAE": b"<plist/>",
        "a.jpg.json": b"{}",
        "b.MOV": b"\0\0\0\x14ftypqt  " + b"\0" * 64,
        "b.NEF": b"MM\0*\0\0\0\x08",
        "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "desktop.ini": b"[x]",
        "empty": b"",
    }
    folder = folder_of(tmp_path, **photos, **beside, **{"._a.jpg": b"\0\5\x16\7", ".DS_Store": b"\0"})
    (folder / "sub").mkdir()
    (folder / "more.photos").mkdir()
    os.mkfifo(folder / "pipe")
    listed = photo_files(folder)
    assert names(listed.photos) == sorted(photos)
    assert names(listed.left_out) == sorted([*beside, "pipe"])
    assert [request.problem for request in requests(folder, None, None)] == [None] * 4


def test_a_picture_that_cannot_be_read_is_reported_unless_its_photo_lies_beside(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"a.dng": b"II*\0", "a.jpg": JPEG, "b.dng": b"II*\0", "c.gif": b"GIF89a"})
    assert names(photo_files(folder).photos) == ["a.jpg", "b.dng", "c.gif"]


def test_a_folder_of_sidecars_has_no_photos(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without any"):
        requests(folder_of(tmp_path, **{"a.xmp": b"x"}), None, None)


def test_outputs_have_the_format_of_their_photo(tmp_path: Path) -> None:
    tiff, avif = encoded(portrait(), "TIFF"), encoded(portrait(), "AVIF")
    files = {"a.JPEG": JPEG, "b.tif": tiff, "c.png": JPEG, "d": avif, "e.mpo": JPEG, "f.final.v2.JPG": JPEG}
    folder = folder_of(tmp_path, **files, **{"g.jpg": b"broken"})
    written = [request.out.name for request in requests(folder, None, tmp_path / "out")]
    assert written == ["a.JPEG", "b.tif", "c.jpg", "d.avif", "e.jpg", "f.final.v2.JPG", "g.png"]
    (single,) = requests(folder / "b.tif", None, None)
    assert single.out == folder / "b-restored.tif"


def test_a_name_is_never_longer_than_a_file_system_takes(tmp_path: Path) -> None:
    assert fitting_name("a", "-restored.png") == "a-restored.png"
    long = fitting_name("ü" * 125, "-restored.png")
    assert len(os.fsencode(long)) <= 255
    assert long == "ü" * 121 + "-restored.png"
    (tmp_path / ("x" * 251 + ".jpg")).write_bytes(JPEG)
    (request,) = requests(tmp_path / ("x" * 251 + ".jpg"), None, None)
    request.out.write_bytes(b"fits")


def test_names_that_are_no_text_pair_with_their_masks(tmp_path: Path) -> None:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    for folder in (photos, masks):
        folder.mkdir()
        for raw in (b"M\xfcller.jpg", b"two\nlines.jpg", b"-rf.jpg"):
            Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)).write_bytes(JPEG)
    assert [request.problem for request in requests(photos, masks, tmp_path / "out")] == [None] * 3
