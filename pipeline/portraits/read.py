"""Read what ingest and masks wrote: rows as data frames, pictures as arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from models.errors import DataError
from models.images import Image, Mask
from pipeline.project.paths import Paths


class Row(Protocol):
    """A row of a table: a pandas Series or a mapping."""

    def __getitem__(self, key: str, /) -> object: ...


def read_portraits(paths: Paths) -> pd.DataFrame:
    """Read one row per accepted portrait with a face, in order of ingest; columns as in `pipeline/portraits/rows.py`.

    Raises:
        DataError: ingest has not run, or its table cannot be read.
    """
    return _table(paths.portrait_rows, "ingest")


def read_masks(paths: Paths) -> pd.DataFrame:
    """Read one row per frozen evaluation mask.

    Raises:
        DataError: the masks stage has not run, or its table cannot be read.
    """
    return _table(paths.mask_rows, "masks")


def load_image(paths: Paths, portrait_id: str) -> Image:
    """Load the aligned portrait, RGB uint8 (S, S, 3).

    Raises:
        DataError: there is no such picture.
    """
    stored = _picture(paths.portrait_images / f"{portrait_id}.png", cv2.IMREAD_COLOR, "ingest")
    return np.asarray(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB), np.uint8)


def load_masks(paths: Paths, mask_id: str) -> tuple[Mask, Mask]:
    """Load hole and chroma masks, bool (S, S), True = missing; chroma includes the hole.

    Raises:
        DataError: there is no such mask.
    """
    hole, chroma = (
        _picture(paths.masks / f"{mask_id}.{part}.png", cv2.IMREAD_GRAYSCALE, "masks") > 127
        for part in ("hole", "chroma")
    )
    return hole, chroma


def landmarks_of(row: Row) -> npt.NDArray[np.float32]:
    """Read 68 iBUG landmarks (68, 2), x and y in pixels of the aligned picture."""
    return np.asarray(row["landmarks"], np.float32).reshape(68, 2)


def points_of(row: Row) -> npt.NDArray[np.float32]:
    """Read the detector's points (5, 2), x and y in pixels of the aligned picture."""
    return np.asarray(row["points"], np.float32).reshape(5, 2)


@contextmanager
def table_errors(path: Path, stage: str) -> Iterator[None]:
    """Translate errors of reading a table that a stage wrote."""
    remedy = f"run the stage {stage} first"
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"the table {path.name} of the stage {stage}", "no such file", remedy) from error
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise DataError(f"a parquet table in {path.name}", str(error).splitlines()[0], remedy) from error


def _table(path: Path, stage: str) -> pd.DataFrame:
    with table_errors(path, stage):
        return pd.read_parquet(path)


def _picture(path: Path, flags: int, stage: str) -> npt.NDArray[np.uint8]:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except FileNotFoundError as error:
        raise DataError(f"the picture {path.name}", "no such file", f"run the stage {stage} again") from error
    decoded = cv2.imdecode(data, flags) if data.size else None
    if decoded is None:
        raise DataError(f"a picture in {path.name}", "bytes that are no picture", f"run the stage {stage} again")
    return np.asarray(decoded, np.uint8)
