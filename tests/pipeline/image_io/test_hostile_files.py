"""What hostile and awkward files come to: made here, and the 123 of ../shared where they are."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.files import read_file
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.sources.check import check
from scripts.hostile.bad_files import SIZE, encoded, files, portrait

LIMITS = Limits(max_bytes=25 * 2**20, max_pixels=50_000_000, min_side=64, max_aspect=20.0)
FILES = files()


def code_of(outcome: Accepted | Rejected) -> str:
    return "" if isinstance(outcome, Accepted) else outcome.code


@pytest.mark.parametrize("name", FILES)
def test_each_hostile_file_gets_its_code(name: str) -> None:
    data, expected = FILES[name]
    assert code_of(read_bytes(data, LIMITS)) == expected


def test_the_made_files_and_the_folder_cases_cover_every_code(tmp_path: Path) -> None:
    # they depend on limits, on the file system, and on S3
    elsewhere = {Code.TOO_MANY_BYTES, Code.NOT_A_REGULAR_FILE, Code.NOT_AS_STORED}
    assert {code for _, code in FILES.values()} - {""} == set(Code) - elsewhere


def test_a_file_above_the_byte_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    with path.open("wb") as stream:
        stream.truncate(2**40)  # sparse: a terabyte that no disk holds
    outcome = read_file(path, LIMITS)
    assert isinstance(outcome, Rejected)
    assert outcome.code == Code.TOO_MANY_BYTES
    assert outcome.data is None


def test_the_byte_limit_is_inclusive() -> None:
    data = encoded(portrait(), "PNG")
    just = Limits(len(data), 50_000_000, 64, 20.0)
    below = Limits(len(data) - 1, 50_000_000, 64, 20.0)
    assert code_of(read_bytes(data, just)) == ""
    assert code_of(read_bytes(data, below)) == Code.TOO_MANY_BYTES


def test_the_pixel_limit_is_inclusive() -> None:
    data = encoded(portrait(), "BMP")
    pixels = SIZE[0] * SIZE[1]
    assert code_of(read_bytes(data, Limits(2**20, pixels, 64, 20.0))) == ""
    assert code_of(read_bytes(data, Limits(2**20, pixels - 1, 64, 20.0))) == Code.TOO_MANY_PIXELS


def test_links_folders_pipes_and_sockets_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(encoded(portrait(), "PNG"))
    (tmp_path / "link.png").symlink_to("good.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket.png"))
        names = ["link", "loop", "folder", "pipe", "socket", "absent"]
        codes = {name: code_of(read_file(tmp_path / f"{name}.png", LIMITS)) for name in names}
    assert codes == dict.fromkeys(names, "not_a_regular_file")
    assert code_of(read_file(tmp_path / "good.png", LIMITS)) == ""


def test_a_rejection_says_why_in_one_printable_line() -> None:
    for data, code in FILES.values():
        outcome = read_bytes(data, LIMITS)
        if code:
            assert isinstance(outcome, Rejected)
            assert outcome.detail
            assert outcome.detail.isprintable()
            assert " at 0x" not in outcome.detail  # no address: the same file gives the same record


def test_what_a_file_smuggles_does_not_reach_the_picture() -> None:
    plain = read_bytes(encoded(portrait(), "JPEG", quality=88), LIMITS)
    smuggler = read_bytes(FILES["zip_behind.jpg"][0], LIMITS)
    assert isinstance(plain, Accepted)
    assert isinstance(smuggler, Accepted)
    assert np.array_equal(plain.image, smuggler.image)


def test_all_123_files_of_the_shared_generator(shared: Path, tmp_path: Path) -> None:
    generator = shared / "badimages" / "make_bad_images.py"
    subprocess.run([sys.executable, "-W", "ignore", str(generator), str(tmp_path)], check=True, capture_output=True)
    rows = json.loads((tmp_path / "selfmade.json").read_text(encoding="utf-8"))
    assert len(rows) == 123
    found = {line.file: (line.verdict, line.code) for line in check(tmp_path, LIMITS)}
    expected = {row["file"]: (row["expected"], row["code"]) for row in rows}
    assert {name: found.get(name) for name in expected} == expected
