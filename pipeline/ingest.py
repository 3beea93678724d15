"""Portraits from a source: read, aligned, measured, one row each. What is wrong with one never stops the rest."""

import hashlib
import logging
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from models.errors import DataError, ServiceUnavailable
from models.face.detectors import detector_sha256
from pipeline.config.data import DataParams, IngestParams
from pipeline.config.identity import IdentityParams
from pipeline.image_io.outcome import Accepted, Code, Limits, Rejected
from pipeline.image_io.write import png_bytes
from pipeline.portraits.align import Aligned, Aligner
from pipeline.portraits.photometry import photometry
from pipeline.portraits.quarantine import Quarantine
from pipeline.portraits.rows import PortraitRow, RowWriter, row_writer, split_of
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
    *, data: DataParams, ingest: IngestParams, identity: IdentityParams, paths: Paths, now: datetime | None = None
) -> IngestReport:
    """Fill `data/portraits` from `data.source`, and with what production may add at `now` (`data.intake`).

    The source comes first: what is in both counts as the source's.

    Raises:
        ConfigError: the sampler, in the edition `open`.
        DataError: the source is missing, empty, or has no portrait with a face.
        ServiceUnavailable: S3 does not answer, or more than `ingest.max_not_as_stored` of its objects arrive damaged.
        WeightsError: the pack that is to detect faces is missing, or cannot.
    """
    if data.source == "sampler":
        check_terms(identity.edition)
    limits = Limits.of(ingest)
    items = chain(
        open_source(data, limits, paths), open_intake(data, limits, paths, datetime.now(UTC) if now is None else now)
    )
    with fresh_folder(paths.portraits) as folder:
        (folder / paths.portrait_images.name).mkdir()
        quarantine = Quarantine(folder / paths.quarantine.name)
        with row_writer(folder / paths.portrait_rows.name) as rows:
            aligner = Aligner(identity, ingest.min_detector_score, ingest.image_size)
            batch = _Batch(data, aligner, folder / paths.portrait_images.name, quarantine, rows)
            for item in items:
                batch.take(item)
        report = batch.report().model_copy(update={"detector_sha256": detector_sha256(identity.detector)})
        _check(report, data, ingest)
    write_text(paths.ingest_report, report.model_dump_json(indent=2) + "\n")
    return report


class _Batch:
    """One pass over a source. Grows by some hundred bytes a portrait: its digest and the names of the identities."""

    def __init__(
        self, data: DataParams, aligner: Aligner, images: Path, quarantine: Quarantine, rows: RowWriter
    ) -> None:
        self._data = data
        self._images = images
        self._quarantine = quarantine
        self._rows = rows
        self._aligner = aligner
        self._seen: dict[bytes, str] = {}
        self._accepted: set[bytes] = set()
        self._identities: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._started = self._last_logged = time.monotonic()

    def take(self, item: SourceItem) -> None:
        """Read one portrait and put it where it belongs."""
        self._counts["files"] += 1
        self._log_progress()
        outcome = item.read()
        if isinstance(outcome, Rejected):
            self._quarantine.reject(item, outcome)
            return
        digest = bytes.fromhex(outcome.sha256)
        if digest in self._seen:
            self._count_duplicate(item, self._seen[digest])
            return
        self._seen[digest] = item.identity
        aligned = self._aligner.best_face(outcome.image, item.landmarks)
        if aligned is None:
            self._quarantine.without_face(item, outcome)
            return
        self._keep(item, outcome, aligned)
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

    def _keep(self, item: SourceItem, accepted: Accepted, aligned: Aligned) -> None:
        split = split_of(item.identity, item.split, self._data.split)
        row = _row(self._data.source, item, split, accepted, aligned)
        (self._images / f"{row.portrait_id}.png").write_bytes(png_bytes(aligned.image))
        self._rows.add(row)
        self._identities.add(item.identity)
        self._counts[split] += 1
        self._counts["production"] += bool(item.consent)

    def _log_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_logged > _SECONDS_BETWEEN_LINES:
            self._last_logged = now
            done = self._counts["files"] - 1
            _LOG.info(
                "ingest: %d read, %d accepted, %.1f a second", done, len(self._accepted), done / (now - self._started)
            )


def _row(source: str, item: SourceItem, split: Split, accepted: Accepted, aligned: Aligned) -> PortraitRow:
    light = photometry(aligned.image, aligned.landmarks)
    return PortraitRow(
        portrait_id=accepted.sha256[:16],
        source="production" if item.consent else source,
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
