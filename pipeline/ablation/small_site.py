"""A checkout's portraits at a smaller size, for small networks: no second ingest, only scaled pictures and points."""

from collections.abc import Mapping

import cv2
import numpy as np

from pipeline.image_io.png import png_bytes
from pipeline.portraits.read import load_image, read_portraits
from pipeline.project.paths import Paths


def lay_out_small(source: Paths, target: Paths, size: int, limits: Mapping[str, int]) -> None:
    """Write data/portraits of `target`: those of `source`, scaled to `size` pixels a side.

    Args:
        source: a checkout after ingest.
        target: a folder for the smaller one.
        size: side, pixels; not larger than in `source`.
        limits: at most so many portraits by split, the first by id; all of a split that is not named.
    """
    rows = read_portraits(source).sort_values("portrait_id")
    rank = rows.groupby("split").cumcount()
    rows = rows[rank < rows["split"].map(limits).fillna(len(rows))].copy()
    target.portrait_images.mkdir(parents=True, exist_ok=True)
    factor = 1.0
    for name in rows["portrait_id"]:
        image = load_image(source, name)
        factor = size / image.shape[0]
        small = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        (target.portrait_images / f"{name}.png").write_bytes(png_bytes(small))
    for column in ("points", "landmarks"):
        rows[column] = rows[column].map(lambda value: _scaled(value, factor))
    rows.to_parquet(target.portrait_rows)


def _scaled(coordinates: object, factor: float) -> list[float]:
    """Pixel centres lie at whole numbers: the picture's edge is at -0.5."""
    moved: list[float] = ((np.asarray(coordinates, np.float32) + 0.5) * factor - 0.5).tolist()
    return moved
