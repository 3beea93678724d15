"""Any folder: order, odd names, links, identities, limits."""

import os
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError
from pipeline.image_io.outcome import Accepted, Code, Rejected
from tests.pipeline.sources.layouts import data_params, items_of, picture


def test_files_come_sorted_at_any_depth_and_links_are_not_followed(tmp_path: Path) -> None:
    for shade, name in enumerate(["b.png", "a/z.png", "a/b/c.png", "c.png"]):
        picture(tmp_path / name, shade)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "album.jpg").mkdir()
    found = {item.name: item.read() for item in items_of("folder", tmp_path, tmp_path)}
    assert list(found) == ["a/b/c.png", "a/z.png", "album.jpg", "b.png", "c.png", "link"]
    rejected = {name: outcome.code for name, outcome in found.items() if isinstance(outcome, Rejected)}
    assert rejected == {"album.jpg": Code.NOT_A_REGULAR_FILE, "link": Code.NOT_A_REGULAR_FILE}


def test_a_name_that_is_not_utf8_becomes_text(tmp_path: Path) -> None:
    picture(tmp_path / "x.png", 1)
    (tmp_path / "x.png").rename(tmp_path / os.fsdecode(b"caf\xe9.png"))
    [item] = items_of("folder", tmp_path, tmp_path)
    assert item.name == "caf\\xe9.png"
    assert item.name.encode("utf-8")
    assert isinstance(item.read(), Accepted)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ["ann/7_old", "ann/7_young", "bob/8"]),
        ("^([0-9]+)_", ["7", "7", "bob/8"]),
        ("^([a-z]+)/", ["ann", "ann", "bob"]),
    ],
)
def test_identity_by_name_by_pattern_and_by_folder(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    for shade, name in enumerate(["ann/7_old.png", "ann/7_young.png", "bob/8.png"]):
        picture(tmp_path / name, shade)
    items = items_of("folder", tmp_path, tmp_path, identity_pattern=pattern)
    assert [item.identity for item in items] == expected


def test_a_pattern_that_never_matches_is_an_error(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1)
    with pytest.raises(DataError, match=r"match '\^\(x\)'; got none; correct data\.identity_pattern"):
        list(items_of("folder", tmp_path, tmp_path, identity_pattern="^(x)"))


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "regular expression"), ("^[0-9]+", "group around the identity")]
)
def test_a_pattern_that_cannot_work_is_refused_with_the_parameters(pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        data_params("folder", "x", identity_pattern=pattern)


def test_missing_and_empty_places_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"got no such folder; correct data\.location"):
        items_of("folder", tmp_path / "absent", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="got a file"):
        items_of("folder", tmp_path / "file", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected portraits in .*empty; got none"):
        items_of("folder", tmp_path / "empty", tmp_path)


def test_a_relative_place_is_below_the_root_and_the_limit_holds(tmp_path: Path) -> None:
    for shade in range(5):
        picture(tmp_path / "mine" / f"{shade}.png", shade)
    assert len(list(items_of("folder", "mine", tmp_path, limit=3))) == 3
    assert len(list(items_of("folder", "mine", tmp_path))) == 5
