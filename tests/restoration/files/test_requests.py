from pathlib import Path

import pytest

from models.errors import DataError
from restoration.files.requests import requests


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_two_files(tmp_path: Path) -> None:
    photo, mask = tmp_path / "a.jpg", tmp_path / "m.png"
    touch(photo, mask)
    (request,) = requests(photo, mask, tmp_path / "out.png")
    assert (request.photo, request.mask, request.out) == (photo, mask, tmp_path / "out.png")
    (tmp_path / "results").mkdir()
    assert requests(photo, mask, tmp_path / "results")[0].out == tmp_path / "results" / "a.png"


def test_folders_pair_by_stem_and_bad_pairs_are_told_not_dropped(tmp_path: Path) -> None:
    photos, masks, out = tmp_path / "photos", tmp_path / "masks", tmp_path / "out"
    touch(*(photos / name for name in ("b.jpg", "a.tif", "c.png", "d.png", "d.jpg", ".hidden.png")))
    touch(*(masks / name for name in ("a.png", "b.png", "b.bmp", "d.png")))
    (photos / "sub").mkdir()
    (photos / "folder.png").mkdir()
    found = {request.photo.name: request for request in requests(photos, masks, out)}
    assert list(found) == ["a.tif", "b.jpg", "c.png", "d.jpg", "d.png", "folder.png"]
    assert found["a.tif"].problem is None
    assert found["a.tif"].out == out / "a.png"
    assert "one mask b.*" in str(found["b.jpg"].problem)
    assert "got 2 of them" in str(found["b.jpg"].problem)
    assert "got 0 of them" in str(found["c.png"].problem)
    assert "one photo per stem" in str(found["d.jpg"].problem)


@pytest.mark.parametrize(
    ("photo", "mask", "out", "message"),
    [
        ("nowhere.png", "m.png", "o.png", "no such path"),
        ("a.png", "nowhere.png", "o.png", "check --mask"),
        ("a.png", "masks", "o.png", "two files or two folders"),
        ("a.png", "m.png", "o.gif", r"use \.png"),
        ("a.png", "m.png", "a.png", "which is an input"),
        ("a.png", "m.png", "m.png", "which is an input"),
        ("empty", "masks", "out", "empty folder"),
        ("photos", "masks", "photos", "which holds inputs"),
        ("photos", "masks", "masks", "which holds inputs"),
        ("photos", "masks", "a.png", "a folder for the outputs"),
    ],
)
def test_what_cannot_work_is_told_before_any_work(
    tmp_path: Path, photo: str, mask: str, out: str, message: str
) -> None:
    touch(tmp_path / "a.png", tmp_path / "m.png", tmp_path / "photos" / "a.png", tmp_path / "masks" / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        requests(tmp_path / photo, tmp_path / mask, tmp_path / out)


def test_without_mask_and_output_the_result_lies_beside_the_input(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "photos" / "b.jpg", tmp_path / "photos" / "b.png")
    (request,) = requests(tmp_path / "a.jpg", None, None)
    assert (request.mask, request.out, request.save_mask) == (None, tmp_path / "a-restored.png", None)
    several = requests(tmp_path / "photos", None, None, tmp_path / "found")
    assert [r.out for r in several] == [tmp_path / "photos-restored" / "b.png"] * 2
    assert [r.save_mask for r in several] == [tmp_path / "found" / "b.png"] * 2
    assert all("one photo per stem" in str(r.problem) for r in several)


def test_a_folder_without_masks_has_no_problem(tmp_path: Path) -> None:
    touch(tmp_path / "photos" / "b.jpg", tmp_path / "photos" / "c.jpg")
    assert [r.problem for r in requests(tmp_path / "photos", None, tmp_path / "out")] == [None, None]


@pytest.mark.parametrize(
    ("photo", "save_mask", "message"),
    [
        ("a.png", "m.jpg", "lossless"),
        ("a.png", "a.png", "a file of its own for the mask"),
        ("a.png", "o.png", "a file of its own for the mask"),
        ("photos", "a.png", "choose another --save-mask"),
        ("photos", "photos", "which holds inputs; choose another --save-mask"),
        ("photos", "o.png", "two folders"),
    ],
)
def test_a_kept_mask_replaces_nothing(tmp_path: Path, photo: str, save_mask: str, message: str) -> None:
    touch(tmp_path / "a.png", tmp_path / "photos" / "b.png")
    with pytest.raises(DataError, match=message):
        requests(tmp_path / photo, None, tmp_path / "o.png", tmp_path / save_mask)
