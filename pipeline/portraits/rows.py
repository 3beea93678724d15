"""Write the table of portraits a batch at a time; splits go by identity, never by file."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.data import SplitParams
from pipeline.sources.item import Published, Split

_BATCH = 512

SCHEMA = pa.schema(
    [
        ("portrait_id", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("identity", pa.string()),
        ("split", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("face_count", pa.int32()),
        ("detector_score", pa.float32()),
        ("points", pa.list_(pa.float32())),
        ("landmarks", pa.list_(pa.float32())),
        ("yaw", pa.float32()),
        ("pitch", pa.float32()),
        ("roll", pa.float32()),
        ("brightness", pa.float32()),
        ("contrast", pa.float32()),
        ("sharpness", pa.float32()),
        ("skin_tone", pa.float32()),
        ("normalised", pa.list_(pa.string())),
        ("consent", pa.string()),
    ]
)


@dataclass(frozen=True)
class PortraitRow:
    """One accepted portrait with a face.

    Attributes:
        portrait_id: first 16 hex digits of `sha256`, which is that of the original bytes.
        source: name of `data.source`, or `production` for a portrait that its person let us keep.
        width: of the whole picture after normalisation, before alignment, pixels; `height` alike.
        points: 5 detector points x, y in pixels of the aligned picture.
        landmarks: 68 iBUG points x, y in pixels of the aligned picture.
        yaw: of the head in the aligned picture, degrees; `pitch` and `roll` alike.
        brightness: see `pipeline.portraits.photometry.Photometry`; so are contrast, sharpness and skin_tone.
        normalised: what the reading step changed.
        consent: id of the record under which a production portrait was kept, "" for all others.
    """

    portrait_id: str
    source: str
    file: str
    identity: str
    split: str
    sha256: str
    width: int
    height: int
    face_count: int
    detector_score: float
    points: list[float]
    landmarks: list[float]
    yaw: float
    pitch: float
    roll: float
    brightness: float
    contrast: float
    sharpness: float
    skin_tone: float
    normalised: list[str]
    consent: str


class RowWriter:
    """Collects rows and writes them in batches, so that memory does not grow with the table."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[PortraitRow] = []

    def add(self, row: PortraitRow) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist([asdict(row) for row in self._rows], schema=SCHEMA))
            self._rows.clear()


@contextmanager
def row_writer(path: Path) -> Iterator[RowWriter]:
    """Open a writer to a new parquet file; the file is whole when the block ends."""
    with pq.ParquetWriter(path, SCHEMA) as parquet:
        rows = RowWriter(parquet)
        yield rows
        rows.flush()


def split_of(identity: str, published: Published | None, params: SplitParams) -> Split:
    """Choose the split of an identity: the published one, or by a seeded hash.

    A hash depends on nothing but identity and seed, so that more portraits never move anyone; the shares hold
    approximately, with a standard deviation of sqrt(p (1 - p) / identities). `development` is shared out between
    train and validation in their proportion.
    """
    if published is not None and published != "development":
        return published
    place = _place(identity, params.seed)
    if published == "development":
        place *= params.train + params.validation
    if place < params.train:
        return "train"
    return "validation" if place < params.train + params.validation else "test"


def _place(identity: str, seed: int) -> float:
    """Hash to a number in [0, 1), the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{identity}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
