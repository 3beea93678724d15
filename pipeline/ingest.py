"""Portraits from a source: read, aligned, measured, one row each. What is wrong with one never stops the rest."""

import hashlib
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from pydantic import BaseModel, ConfigDict

from models.errors import DataError, ServiceUnavailable
from models.face.detectors import detector_sha256
from pipeline.config.data import DataParams, IngestParams
from pipeline.config.identity import IdentityParams
from pipeline.engine.in_process import HERE
from pipeline.engine.interface import Engine, cut
from pipeline.image_io.outcome import Code, Limits
from pipeline.portraits.quarantine import Quarantine
from pipeline.portraits.rows import PortraitRow, RowWriter, row_writer
from pipeline.portraits.take import Portrait, PutAside, Taken, Taker
from pipeline.project.files import fresh_folder, write_text
from pipeline.project.paths import Paths
from pipeline.project.printable import printable
from pipeline.sources.catalogue import open_intake, open_source
from pipeline.sources.face_sampler import check_terms
from pipeline.sources.item import SourceItem, Split

_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 3.0


class IngestReport(BaseModel):
    """What went in and what came of it: files_in = accepted + duplicates + sum of quarantined.

    `quarantined` counts by code, `no_face` among them; `other_identity` counts the duplicates that were there under
    another identity, of which the first one stays; `production` counts portraits that came with consent from
    production, all in the training split; `splits` counts portraits; `digest` is the SHA-256 over the
    sorted SHA-256s of the accepted portraits, so that it names the data set whatever its order;
    `detector_sha256` is that of the detector's weights.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    files_in: int
    accepted: int
    duplicates: int
    other_identity: int = 0
    quarantined: dict[str, int]
    identities: int
    production: int = 0
    splits: dict[Split, int]
    digest: str
    detector_sha256: str = ""
    seconds: float


def ingest(
    *,
    data: DataParams,
    ingest: IngestParams,
    identity: IdentityParams,
    paths: Paths,
    now: datetime | None = None,
    engine: Engine = HERE,
) -> IngestReport:
    """Fill `data/portraits` from `data.source`, and with what production may add at `now` (`data.intake`).

    The source comes first: what is in both counts as the source's.

    Raises:
        ConfigError: the sampler, in the edition `open`.
        DataError: the source is missing, empty, or has no portrait with a face.
        ServiceUnavailable: S3 does not answer, or more than `ingest.max_not_as_stored` of its objects arrive damaged.
        WeightsError: the pack that is to detect faces is missing, or cannot.
        WorkerLost: see `Engine.map_shards`.
    """
    if data.source == "sampler":
        check_terms(identity.edition)
    limits = Limits.of(ingest)
    items = chain(
        open_source(data, limits, paths), open_intake(data, limits, paths, datetime.now(UTC) if now is None else now)
    )
    with fresh_folder(paths.portraits) as folder:
        images, aside = folder / paths.portrait_images.name, folder / paths.quarantine.name
        images.mkdir()
        quarantine = Quarantine(aside)
        taker = Taker(
            secrets.token_hex(8),
            *(data.source, data.split, identity, ingest.min_detector_score, ingest.image_size, images, aside),
        )
        with row_writer(folder / paths.portrait_rows.name) as rows:
            batch = _Batch(data, quarantine, rows)
            ahead: deque[SourceItem] = deque()
            for taken in engine.map_shards(taker, cut("ingest", _remember(items, ahead), engine.shard_rows)):
                for one in taken:
                    batch.take(ahead.popleft(), one)
        report = batch.report().model_copy(update={"detector_sha256": detector_sha256(identity.detector)})
        _check(report, data, ingest)
    write_text(paths.ingest_report, report.model_dump_json(indent=2) + "\n")
    return report


def _remember(items: Iterator[SourceItem], ahead: deque[SourceItem]) -> Iterator[SourceItem]:
    """Keep the items that workers are at, so that what comes of them needs not repeat what they are."""
    for item in items:
        ahead.append(item)
        yield item


class _Batch:
    """One pass over a source. Grows by some hundred bytes a portrait: its digest and the names of the identities."""

    def __init__(self, data: DataParams, quarantine: Quarantine, rows: RowWriter) -> None:
        self._data = data
        self._quarantine = quarantine
        self._rows = rows
        self._seen: dict[bytes, str] = {}
        self._accepted: set[bytes] = set()
        self._identities: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._started = self._last_logged = time.monotonic()

    def take(self, item: SourceItem, taken: Taken) -> None:
        """Count one portrait and put what came of it where it belongs; the first of equal pictures counts."""
        self._counts["files"] += 1
        self._log_progress()
        digest = bytes.fromhex(taken.row.sha256 if isinstance(taken, Portrait) else taken.sha256)
        if digest in self._seen:
            self._count_duplicate(item, self._seen[digest])
            return
        if digest:
            self._seen[digest] = item.identity
        if isinstance(taken, PutAside):
            self._quarantine.add(taken.record)
        elif isinstance(taken, Portrait):
            self._keep(item, taken.row)
            self._accepted.add(digest)

    def report(self) -> IngestReport:
        """Count what has been read so far."""
        return IngestReport(
            source=self._data.source,
            files_in=self._counts["files"],
            accepted=len(self._accepted),
            duplicates=self._counts["duplicates"],
            other_identity=self._counts["other_identity"],
            quarantined=dict(sorted(self._quarantine.codes.items())),
            identities=len(self._identities),
            production=self._counts["production"],
            splits={
                "train": self._counts["train"],
                "validation": self._counts["validation"],
                "test": self._counts["test"],
            },
            digest=hashlib.sha256(b"".join(sorted(self._accepted))).hexdigest(),
            seconds=round(time.monotonic() - self._started, 2),
        )

    def _count_duplicate(self, item: SourceItem, first: str) -> None:
        self._counts["duplicates"] += 1
        if item.identity != first:
            self._counts["other_identity"] += 1
            _LOG.warning(
                "ingest: %s is the same picture as one of %s, and is named as %s's: the first stays, look who it is",
                printable(item.name, 80), printable(first, 40), printable(item.identity, 40),
            )  # fmt: skip

    def _keep(self, item: SourceItem, row: PortraitRow) -> None:
        self._rows.add(row)
        self._identities.add(item.identity)
        self._counts[row.split] += 1
        self._counts["production"] += bool(item.consent)

    def _log_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_logged > _SECONDS_BETWEEN_LINES:
            self._last_logged = now
            done = self._counts["files"] - 1
            _LOG.info(
                "ingest: %d read, %d accepted, %.1f a second", done, len(self._accepted), done / (now - self._started)
            )


def _check(report: IngestReport, data: DataParams, ingest: IngestParams) -> None:
    lost = report.quarantined.get(Code.NOT_AS_STORED, 0)
    if lost > ingest.max_not_as_stored * report.files_in:
        raise ServiceUnavailable(
            f"objects in {data.location} with the checksums that are stored",
            f"{lost} of {report.files_in} that were wrong twice",
            "check the storage and the way to it, and run ingest again: whole objects are not fetched anew",
        )
    if not report.accepted:
        reasons = ", ".join(f"{code}: {count}" for code, count in report.quarantined.items())
        place = data.location or data.source
        raise DataError(
            f"portraits with a face in {place}", f"{report.files_in} files, {reasons}", "run likeness check on them"
        )
    for split, count in report.splits.items():
        if not count:
            _LOG.warning("ingest: no portrait in the split %s; add identities or change data.split.seed", split)
