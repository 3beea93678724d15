from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from models.errors import DataError, Stopped
from models.images import Image
from models.runtime.budget import Budget
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import encoded, is_lossless, read_picture, write_picture
from tests.conftest import ROOT

LIMITS = Limits.of(load_params(ROOT / "params.yaml").ingest)


@pytest.fixture
def noise() -> Image:
    return np.random.default_rng(1).integers(0, 256, (70, 80, 3), dtype=np.uint8)


@pytest.mark.parametrize("extension", [".png", ".tif", ".TIFF", ".bmp", ".webp"])
def test_lossless_formats_keep_every_bit(tmp_path: Path, noise: Image, extension: str) -> None:
    path = tmp_path / f"deep/er/picture{extension}"
    write_picture(path, noise)
    assert is_lossless(path)
    assert np.array_equal(read_picture(path, LIMITS), noise)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_jpeg_can_be_written_but_is_not_called_lossless(tmp_path: Path, noise: Image) -> None:
    path = tmp_path / "picture.jpg"
    write_picture(path, noise)
    with Pillow.open(path) as picture:
        assert picture.format == "JPEG"
    assert not is_lossless(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, noise: Image) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"old")
    too_wide = np.zeros((1, 70_000, 3), np.uint8)  # more than a JPEG can say
    with pytest.raises(DataError, match="a picture that JPEG can hold"):
        write_picture(path, too_wide)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["picture.jpg"]


def test_a_file_where_a_folder_belongs(tmp_path: Path, noise: Image) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="choose another --out"):
        write_picture(tmp_path / "file" / "picture.png", noise)


def test_a_rejected_picture_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(DataError, match="empty_file"):
        read_picture(tmp_path / "empty.png", LIMITS)


@pytest.mark.parametrize("extension", [".png", ".tif", ".jpg", ".webp"])
def test_writing_ends_when_it_is_told(noise: Image, extension: str) -> None:
    budget = Budget()
    assert encoded(noise, extension, budget=budget)
    budget.stop("nobody who waits")
    with pytest.raises(Stopped):
        encoded(noise, extension, budget=budget)
