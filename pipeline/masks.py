"""Stage `masks`: the damage that every model is judged on, drawn once for the test split and frozen."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from models.errors import DataError
from models.images import Mask
from pipeline.config.data import IngestParams
from pipeline.config.masks import MaskParams
from pipeline.damage.mask_table import Row, mask_row, write_rows
from pipeline.damage.sampler import Cell, DamageSampler, MaskRecord, draw_cell
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine, Shard, cut
from pipeline.portraits.read import landmarks_of
from pipeline.project.files import fresh_folder, write_bytes, write_text
from pipeline.project.paths import Paths

LOG = logging.getLogger(__name__)
SPLIT = "test"
_COLUMNS = ["portrait_id", "split", "landmarks"]
_LOG_SECONDS = 3.0


class MasksReport(BaseModel):
    """What the stage wrote.

    Attributes:
        masks: how many.
        portraits: of the test split.
        kinds: masks per kind of damage.
        buckets: masks per coverage bucket.
        mean_coverage: per bucket, share of the face hull.
        mean_missing_features: per bucket, share of the feature regions.
        seconds: wall clock.
    """

    model_config = ConfigDict(frozen=True)

    masks: int
    portraits: int
    kinds: dict[str, int]
    buckets: dict[str, int]
    mean_coverage: dict[str, float]
    mean_missing_features: dict[str, float]
    seconds: float


def masks(*, masks: MaskParams, ingest: IngestParams, paths: Paths, engine: Engine = HERE) -> MasksReport:
    """Draw `masks.evaluation.per_portrait` masks for each portrait of the test split.

    Writes data/masks/rows.parquet, `<mask_id>.hole.png` and `<mask_id>.chroma.png` (255 = missing), and the report.

    Args:
        masks: kinds, buckets and the evaluation's seed.
        ingest: gives the size of the aligned portraits.
        paths: of the checkout.
        engine: what draws them; they do not depend on it.

    Raises:
        WorkerLost: see `Engine.map_shards`.
        DataError: ingest has not run, or the test split is empty.
    """
    start, tally = time.monotonic(), _Tally()
    with fresh_folder(paths.masks) as folder:
        shards = cut("masks", _wanted(masks, paths), engine.shard_rows)
        drawn = engine.map_shards(Drawer(masks.evaluation.seed, ingest.image_size, folder), shards)
        write_rows(folder / paths.mask_rows.name, _tallied(drawn, tally))
        if not tally.kinds:
            raise DataError(f"portraits in the split {SPLIT}", "none", "raise data.split.test or give more portraits")
    report = tally.report(masks.evaluation.per_portrait, time.monotonic() - start)
    write_text(paths.mask_report, report.model_dump_json(indent=2) + "\n")
    return report


class _Tally:
    """Counts while the masks stream by."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self._buckets: Counter[str] = Counter()
        self._coverage: defaultdict[str, float] = defaultdict(float)
        self._features: defaultdict[str, float] = defaultdict(float)

    def add(self, record: MaskRecord) -> None:
        self.kinds[record.kind] += 1
        self._buckets[record.bucket] += 1
        self._coverage[record.bucket] += record.coverage
        self._features[record.bucket] += record.missing_features

    def report(self, per_portrait: int, seconds: float) -> MasksReport:
        return MasksReport(
            masks=self.kinds.total(),
            portraits=self.kinds.total() // per_portrait,
            kinds=dict(sorted(self.kinds.items())),
            buckets=dict(sorted(self._buckets.items())),
            mean_coverage=self._means(self._coverage),
            mean_missing_features=self._means(self._features),
            seconds=round(seconds, 3),
        )

    def _means(self, sums: dict[str, float]) -> dict[str, float]:
        return {bucket: round(total / self._buckets[bucket], 4) for bucket, total in sorted(sums.items())}


@dataclass(frozen=True)
class Wanted:
    """The masks of one portrait: which kind and bucket each is to have, and landmarks (68, 2)."""

    portrait_id: str
    landmarks: npt.NDArray[np.float32]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Drawer:
    """Draws the masks of a shard of portraits and writes their pictures; each depends on what is wanted only."""

    seed: int
    size: int
    folder: Path

    def __call__(self, shard: Shard[Wanted]) -> list[tuple[Row, MaskRecord]]:
        """Give a row and a record for each mask, in order."""
        return [self._draw(one, number, cell) for one in shard.items for number, cell in enumerate(one.cells)]

    def _draw(self, one: Wanted, number: int, cell: Cell) -> tuple[Row, MaskRecord]:
        rng = np.random.default_rng([self.seed, int(one.portrait_id, 16), number])
        damage, record = draw_cell(cell, rng, one.landmarks, self.size)
        mask_id = f"{one.portrait_id}-{number}"
        _write(self.folder / f"{mask_id}.hole.png", damage.hole)
        _write(self.folder / f"{mask_id}.chroma.png", damage.chroma)
        return mask_row(mask_id, one.portrait_id, record), record


def _tallied(parts: Iterable[list[tuple[Row, MaskRecord]]], tally: _Tally) -> Iterator[Row]:
    """Yield the rows, one by one, and count them."""
    logged = time.monotonic()
    for part in parts:
        for row, record in part:
            tally.add(record)
            yield row
        if time.monotonic() - logged > _LOG_SECONDS:
            logged = time.monotonic()
            LOG.info("masks: %d drawn", tally.kinds.total())


def _wanted(masks: MaskParams, paths: Paths) -> Iterator[Wanted]:
    """Share kinds and buckets out over the portraits of the test split, a batch of rows in memory at a time."""
    if not paths.portrait_rows.is_file():
        raise DataError("the table of portraits", "no such file", "run the stage ingest first")
    cells = DamageSampler(masks, training=False).cells()
    with pq.ParquetFile(paths.portrait_rows) as table:
        for batch in table.iter_batches(batch_size=1024, columns=_COLUMNS):
            for row in batch.to_pylist():
                if row["split"] == SPLIT:
                    some = tuple(islice(cells, masks.evaluation.per_portrait))
                    yield Wanted(row["portrait_id"], landmarks_of(row), some)


def _write(path: Path, mask: Mask) -> None:
    encoded, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    if not encoded:
        raise DataError("a mask that can be written as PNG", f"shape {mask.shape}", "report this as a defect")
    write_bytes(path, data.tobytes())
