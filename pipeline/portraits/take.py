"""Read, align and measure a shard of portraits. Whoever reads a picture writes it; what is told of it is small."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.config.data import SplitParams
from pipeline.config.identity import IdentityParams
from pipeline.engine.interface import Shard
from pipeline.image_io.outcome import Accepted, Rejected
from pipeline.image_io.write import png_bytes
from pipeline.portraits.align import Aligned, Aligner
from pipeline.portraits.photometry import photometry
from pipeline.portraits.quarantine import NO_FACE, QuarantineRecord
from pipeline.portraits.rows import PortraitRow, split_of
from pipeline.project.files import write_bytes
from pipeline.sources.item import SourceItem, Split


@dataclass(frozen=True)
class Portrait:
    """A picture with a face; its aligned picture is written."""

    row: PortraitRow


@dataclass(frozen=True)
class PutAside:
    """A picture without a face, or a file that was not read; a copy is in quarantine unless consent forbids it.

    `sha256` is empty for a file that was not read: only pictures can be duplicates.
    """

    sha256: str
    record: QuarantineRecord


@dataclass(frozen=True)
class Again:
    """A picture with the same bytes as one before it in its shard."""

    sha256: str


Taken = Portrait | PutAside | Again


@dataclass(frozen=True)
class Taker:
    """What portraits are read with, and where to; a worker loads the detector once for all shards of a run.

    Attributes:
        run: tells runs apart, so that weights which have changed since are read anew.
        source: `data.source`.
        images: folder of aligned pictures.
        quarantine: folder of copies of what was put aside.
    """

    run: str
    source: str
    split: SplitParams
    identity: IdentityParams
    min_detector_score: float
    image_size: int
    images: Path
    quarantine: Path

    def __call__(self, shard: Shard[SourceItem]) -> list[Taken]:
        """Take the portraits of a shard, in order."""
        seen: set[str] = set()
        return [self._take(item, seen) for item in shard.items]

    def _take(self, item: SourceItem, seen: set[str]) -> Taken:
        outcome = item.read()
        if isinstance(outcome, Rejected):
            return PutAside("", self._put_aside(item, str(outcome.code), outcome.detail, outcome.sha256, outcome.data))
        if outcome.sha256 in seen:
            return Again(outcome.sha256)
        seen.add(outcome.sha256)
        aligned = load_aligner(self).best_face(outcome.image, outcome.landmarks)
        if aligned is None:  # what never was a file is kept as PNG
            data = outcome.data if outcome.data is not None else png_bytes(outcome.image)
            detail = "the detector found no face"
            return PutAside(outcome.sha256, self._put_aside(item, NO_FACE, detail, outcome.sha256, data))
        row = _row(self, item, outcome, aligned)
        write_bytes(self.images / f"{row.portrait_id}.png", png_bytes(aligned.image))
        return Portrait(row)

    def _put_aside(self, item: SourceItem, code: str, detail: str, sha256: str, data: bytes | None) -> QuarantineRecord:
        """Copy a file; of what a person let us keep there is no copy: it lies where its consent does."""
        record_id = (sha256 or hashlib.sha256(item.name.encode()).hexdigest())[:16]
        if data is not None and not item.consent:
            write_bytes(self.quarantine / f"{record_id}.bin", data)
        return QuarantineRecord(record_id, item.name, code, detail, sha256, None if data is None else len(data))


@lru_cache(maxsize=1)
def load_aligner(taker: Taker) -> Aligner:
    """Load detector and landmark predictor.

    Raises:
        WeightsError: the pack that is to detect faces is missing, or cannot.
    """
    return Aligner(taker.identity, taker.min_detector_score, taker.image_size)


def _row(taker: Taker, item: SourceItem, accepted: Accepted, aligned: Aligned) -> PortraitRow:
    light = photometry(aligned.image, aligned.landmarks)
    split: Split = split_of(item.identity, item.split, taker.split)
    return PortraitRow(
        portrait_id=accepted.sha256[:16],
        source="production" if item.consent else taker.source,
        file=item.name,
        identity=item.identity,
        split=split,
        sha256=accepted.sha256,
        width=accepted.image.shape[1],
        height=accepted.image.shape[0],
        face_count=aligned.face_count,
        detector_score=aligned.score,
        points=aligned.points.ravel().tolist(),
        landmarks=aligned.landmarks.ravel().tolist(),
        yaw=aligned.pose[0],
        pitch=aligned.pose[1],
        roll=aligned.pose[2],
        brightness=light.brightness,
        contrast=light.contrast,
        sharpness=light.sharpness,
        skin_tone=light.skin_tone,
        normalised=list(accepted.normalised),
        consent=item.consent,
    )
