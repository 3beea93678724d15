"""Stage `masks`: the damage that every model is judged on, drawn once for the test split and frozen."""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
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
from pipeline.damage.sampler import DamageSampler, MaskRecord
from pipeline.portraits.read import landmarks_of
from pipeline.project.files import fresh_folder, write_text
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


def masks(*, masks: MaskParams, ingest: IngestParams, paths: Paths) -> MasksReport:
    """Draw `masks.evaluation.per_portrait` masks for each portrait of the test split.

    Writes data/masks/rows.parquet, `<mask_id>.hole.png` and `<mask_id>.chroma.png` (255 = missing), and the report.

    Args:
        masks: kinds, buckets and the evaluation's seed.
        ingest: gives the size of the aligned portraits.
        paths: of the checkout.

    Raises:
        DataError: ingest has not run, or the test split is empty.
    """
    start, tally = time.monotonic(), _Tally()
    with fresh_folder(paths.masks) as folder:
        write_rows(folder / paths.mask_rows.name, _draw_masks(masks, ingest.image_size, paths, folder, tally))
        if not tally.portraits:
            raise DataError(f"portraits in the split {SPLIT}", "none", "raise data.split.test or give more portraits")
    report = tally.report(time.monotonic() - start)
    write_text(paths.mask_report, report.model_dump_json(indent=2) + "\n")
    return report


class _Tally:
    """Counts while the masks stream by."""

    def __init__(self) -> None:
        self.portraits = 0
        self.kinds: Counter[str] = Counter()
        self._buckets: Counter[str] = Counter()
        self._coverage: defaultdict[str, float] = defaultdict(float)
        self._features: defaultdict[str, float] = defaultdict(float)

    def add(self, record: MaskRecord) -> None:
        self.kinds[record.kind] += 1
        self._buckets[record.bucket] += 1
        self._coverage[record.bucket] += record.coverage
        self._features[record.bucket] += record.missing_features

    def report(self, seconds: float) -> MasksReport:
        return MasksReport(
            masks=self.kinds.total(),
            portraits=self.portraits,
            kinds=dict(sorted(self.kinds.items())),
            buckets=dict(sorted(self._buckets.items())),
            mean_coverage=self._means(self._coverage),
            mean_missing_features=self._means(self._features),
            seconds=round(seconds, 3),
        )

    def _means(self, sums: dict[str, float]) -> dict[str, float]:
        return {bucket: round(total / self._buckets[bucket], 4) for bucket, total in sorted(sums.items())}


def _draw_masks(masks: MaskParams, size: int, paths: Paths, folder: Path, tally: _Tally) -> Iterator[Row]:
    """Draw the masks and write their pictures; yields rows, one by one."""
    sampler, logged = DamageSampler(masks, training=False), time.monotonic()
    for portrait_id, landmarks in _test_portraits(paths):
        tally.portraits += 1
        for number in range(masks.evaluation.per_portrait):
            rng = np.random.default_rng([masks.evaluation.seed, int(portrait_id, 16), number])
            damage, record = sampler.sample(rng, landmarks, size)
            mask_id = f"{portrait_id}-{number}"
            _write(folder / f"{mask_id}.hole.png", damage.hole)
            _write(folder / f"{mask_id}.chroma.png", damage.chroma)
            tally.add(record)
            yield mask_row(mask_id, portrait_id, record)
        if time.monotonic() - logged > _LOG_SECONDS:
            logged = time.monotonic()
            LOG.info("masks for %d portraits", tally.portraits)


def _test_portraits(paths: Paths) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Read identifier and landmarks (68, 2) of each portrait of the test split, a batch of rows in memory at a time."""
    if not paths.portrait_rows.is_file():
        raise DataError("the table of portraits", "no such file", "run the stage ingest first")
    with pq.ParquetFile(paths.portrait_rows) as table:
        for batch in table.iter_batches(batch_size=1024, columns=_COLUMNS):
            for row in batch.to_pylist():
                if row["split"] == SPLIT:
                    yield row["portrait_id"], landmarks_of(row)


def _write(path: Path, mask: Mask) -> None:
    encoded, data = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    if not encoded:
        raise DataError("a mask that can be written as PNG", f"shape {mask.shape}", "report this as a defect")
    path.write_bytes(data.tobytes())
