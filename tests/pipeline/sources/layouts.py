"""Small sources on disk, and what the tests read them with."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.config.data import DataParams
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.project.paths import Paths
from pipeline.sources.catalogue import open_source
from pipeline.sources.item import SourceItem
from tests.conftest import ROOT

LIMITS = Limits(max_bytes=2**20, max_pixels=10**6, min_side=64, max_aspect=20.0)


def picture(path: Path, shade: int) -> None:
    """A plain 64 x 64 picture of its own shade, so that no two are the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), shade, np.uint8)).save(path)


def data_params(source: str, location: str, **others: object) -> DataParams:
    """The `data` section with another source."""
    changed = {"source": source, "location": location, **others}
    return load_params(ROOT / "params.yaml", {f"data.{key}": value for key, value in changed.items()}).data


def items_of(source: str, location: Path | str, root: Path, **others: object) -> Iterator[SourceItem]:
    """The stream that ingest would see."""
    return open_source(data_params(source, str(location), **others), LIMITS, Paths(root))
