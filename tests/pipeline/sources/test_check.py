"""The lines of `likeness check`: one a file, whatever it is called."""

import json
import os
from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.image_io.outcome import Limits
from pipeline.sources.check import check
from scripts.hostile.bad_files import encoded, portrait

LIMITS = Limits(max_bytes=2**20, max_pixels=10**6, min_side=64, max_aspect=20.0)
ODD = ["new\nline.png", "\x1b[31mred.png", "\u202egnp.exe.png", "-rf.png", "портрет 👩‍🦰.png", "'; DROP TABLE t;--.png"]


def test_odd_names_survive_json_and_cannot_touch_the_terminal(tmp_path: Path) -> None:
    for name in ODD:
        (tmp_path / name).write_bytes(encoded(portrait(), "PNG"))
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(b"")
    lines = list(check(tmp_path, LIMITS))
    parsed = [json.loads(line.json_line()) for line in lines]
    assert {row["file"] for row in parsed} == {*ODD, "\\xff.png"}
    for line in lines:
        assert line.json_line().isascii()
        assert "\n" not in line.json_line()
        assert line.text_line().isprintable()


def test_a_line_says_what_came_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(portrait().convert("LA"), "PNG"))
    (tmp_path / "b.png").write_bytes(b"")
    accepted, rejected = check(tmp_path, LIMITS)
    assert json.loads(accepted.json_line()) == {
        "file": "a.png",
        "verdict": "accept",
        "code": "",
        "detail": "",
        "normalised": ["alpha_on_white"],
    }
    assert (rejected.verdict, rejected.code, rejected.normalised) == ("reject", "empty_file", ())
    assert accepted.text_line() == "accept  a.png  (alpha_on_white)"
    assert rejected.text_line() == "reject  b.png  (empty_file: no bytes)"


def test_files_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"junk")
    list(check(tmp_path, LIMITS))
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]


def test_a_missing_or_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder at .*absent; got no such folder"):
        list(check(tmp_path / "absent", LIMITS))
    with pytest.raises(DataError, match=r"files in .*; got none"):
        list(check(tmp_path, LIMITS))
