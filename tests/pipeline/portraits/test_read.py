"""Tables: batches on the way in, clear errors on the way out."""

import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from pipeline.image_io.write import png_bytes
from pipeline.portraits.read import landmarks_of, load_image, load_masks, points_of, read_masks, read_portraits
from pipeline.portraits.rows import PortraitRow, row_writer
from pipeline.project.paths import Paths

ROW = PortraitRow(
    portrait_id="0" * 16,
    source="folder",
    file="a.png",
    identity="ann",
    split="train",
    sha256="0" * 64,
    width=256,
    height=300,
    face_count=1,
    detector_score=0.9,
    points=[float(number) for number in range(10)],
    landmarks=[float(number) for number in range(136)],
    yaw=1.0,
    pitch=2.0,
    roll=3.0,
    brightness=100.0,
    contrast=40.0,
    sharpness=200.0,
    skin_tone=float("nan"),
    normalised=["exif_orientation"],
    consent="",
)


def test_rows_are_written_in_batches(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.portraits.mkdir(parents=True)
    with row_writer(paths.portrait_rows) as rows:
        for number in range(1100):
            rows.add(replace(ROW, portrait_id=f"{number:016x}"))
    assert [pq.ParquetFile(paths.portrait_rows).metadata.row_group(i).num_rows for i in range(3)] == [512, 512, 76]
    table = read_portraits(paths)
    assert table["portrait_id"].tolist() == [f"{number:016x}" for number in range(1100)]
    assert points_of(table.iloc[3]).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert landmarks_of(table.iloc[3])[67].tolist() == [134, 135]
    assert np.isnan(table["skin_tone"]).all()


def test_a_picture_comes_back_to_the_bit(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.portrait_images.mkdir(parents=True)
    image = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (paths.portrait_images / "x.png").write_bytes(png_bytes(image))
    assert np.array_equal(load_image(paths, "x"), image)


def test_masks_come_back_as_bool_with_white_missing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.masks.mkdir(parents=True)
    hole, chroma = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
    hole[2, 3], chroma[2:4, 3] = 255, 255
    cv2.imwrite(str(paths.masks / "m.hole.png"), hole)
    cv2.imwrite(str(paths.masks / "m.chroma.png"), chroma)
    loaded = load_masks(paths, "m")
    assert [mask.dtype for mask in loaded] == [bool, bool]
    assert [np.argwhere(mask).tolist() for mask in loaded] == [[[2, 3]], [[2, 3], [3, 3]]]


def test_what_is_missing_or_broken_is_named_with_the_stage_to_run(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(
        DataError, match=r"rows.parquet of the stage ingest; got no such file; run the stage ingest first"
    ):
        read_portraits(paths)
    with pytest.raises(DataError, match="run the stage masks first"):
        read_masks(paths)
    with pytest.raises(DataError, match=r"the picture x.png; got no such file; run the stage ingest again"):
        load_image(paths, "x")
    paths.portrait_images.mkdir(parents=True)
    paths.portrait_rows.write_bytes(b"no parquet")
    (paths.portrait_images / "x.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a parquet table in rows.parquet"):
        read_portraits(paths)
    with pytest.raises(DataError, match=r"a picture in x.png"):
        load_image(paths, "x")


def test_png_bytes_are_a_png_without_metadata() -> None:
    data = png_bytes(np.zeros((4, 4, 3), np.uint8))
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size, dict(image.info)) == ("PNG", "RGB", (4, 4), {})
