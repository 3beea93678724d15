"""Several photos on one command line; one photo, and folders, are in `test_restore_files.py`, `test_photo_files.py`."""

from pathlib import Path

import pytest
from PIL import Image as Pillow

from models.errors import DataError
from restoration.files.requests import requests_for_all


def photo(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("L", (40, 40), 120).save(path)
    return path


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return photo(tmp_path / "b" / "one.png"), photo(tmp_path / "a" / "two.jpg")


def test_each_of_several_photos_gets_an_output_beside_it(two: tuple[Path, Path], tmp_path: Path) -> None:
    batch = requests_for_all(two, None, None)
    assert [request.photo for request in batch] == list(two)
    assert [request.out for request in batch] == [
        tmp_path / "b" / "one-restored.png",
        tmp_path / "a" / "two-restored.jpg",
    ]
    assert [request.problem for request in batch] == [None, None]


def test_outputs_and_masks_of_several_photos_go_to_folders(two: tuple[Path, Path], tmp_path: Path) -> None:
    photo(tmp_path / "masks" / "one.png")
    first, second = requests_for_all(two, tmp_path / "masks", tmp_path / "out", tmp_path / "used")
    assert (first.mask, first.out) == (tmp_path / "masks" / "one.png", tmp_path / "out" / "one.png")
    assert first.save_mask == tmp_path / "used" / "one.png"
    assert second.problem is not None
    assert "one mask two.*" in str(second.problem)


def test_photos_of_one_name_are_told_where_their_outputs_would_meet(tmp_path: Path) -> None:
    same = photo(tmp_path / "a" / "one.png"), photo(tmp_path / "b" / "one.png")
    assert [request.problem for request in requests_for_all(same, None, None)] == [None, None]
    assert all("2 called one" in str(request.problem) for request in requests_for_all(same, None, tmp_path / "out"))


@pytest.mark.parametrize(
    ("photos", "mask", "out", "message"),
    [
        (["a/two.jpg", "b"], None, None, "the folder"),
        (["a/two.jpg", "b/none.png"], None, None, "no such path"),
        (["a/two.jpg", "b/one.png"], "b/one.png", None, "a folder of masks"),
        (["a/two.jpg", "b/one.png"], None, "b/one.png", "a folder for the outputs"),
        (["a/two.jpg", "b/one.png"], None, "b", "which holds inputs"),
    ],
)
def test_what_does_not_go_together_is_told(
    photos: list[str], mask: str | None, out: str | None, message: str, two: tuple[Path, Path], tmp_path: Path
) -> None:
    del two
    with pytest.raises(DataError, match=message):
        requests_for_all(
            [tmp_path / name for name in photos],
            None if mask is None else tmp_path / mask,
            None if out is None else tmp_path / out,
        )
