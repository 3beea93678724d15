"""What a worker thread does with one photo: decode, find the damage, restore, encode, log. No HTTP here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from models.finder import Finder
from models.images import Image, Mask
from monitoring.log import ProductionLog
from monitoring.metering import Meter, metered
from monitoring.observe import RequestFacts, observed
from monitoring.rows import LogRow
from pipeline.config import Params
from pipeline.damage.picture import mask_from_bytes
from pipeline.find_damage import propose_mask
from pipeline.marking import MarkFacts, PictureFormat, Seal, marked, restored_share
from pipeline.picture_files import encoded
from pipeline.reading import Accepted, Limits, Rejected, read_bytes
from pipeline.restoration import Restoration
from pipeline.restore import restore_photo
from pipeline.used_mask import UsedMask, mask_for
from serving.accept import JSON, PICTURES, ZIP, chosen
from serving.errors import Refused
from serving.form import Upload
from serving.identities import Identities
from serving.keeping import Keeper, KeptPictures
from serving.metrics import Metrics
from serving.models import Arms
from serving.own_tools import OwnTools
from serving.stages import Stages

_INPUT_FORMATS: dict[str, PictureFormat] = {"jpeg": "jpeg", "mpo": "jpeg", "webp": "webp", "tiff": "tiff"}
"""How a picture goes back "in the input's format"; what cannot carry a mark goes back as PNG."""
_FORMATS: dict[str, PictureFormat] = {f"image/{name}": name for name in ("png", "jpeg", "webp", "tiff")}


@dataclass(frozen=True, eq=False)
class Ask:
    """One request for a restoration. `arms`: what served when it came; `accept`: its Accept header."""

    request_id: str
    upload: Upload
    arms: Arms
    accept: str


@dataclass(frozen=True)
class AnswerForm:
    """What the answer shall be. `picture_format`: of the restored picture in it, None where none is wanted."""

    media_type: str
    picture_format: PictureFormat | None


@dataclass(frozen=True, eq=False)
class Done:
    """What became of it. `picture`: the marked file, None where there is none or none was wanted."""

    row: LogRow
    restoration: Restoration
    used: UsedMask
    form: AnswerForm
    picture: bytes | None
    photo: Accepted
    kept: bool
    stages: Stages


@dataclass(frozen=True, eq=False)
class FoundMask:
    """A proposed mask as PNG, white = missing."""

    png: bytes
    area: float
    confidence: float | None
    doubt: str


@dataclass(frozen=True, eq=False)
class Bench:
    """What all workers use.

    `threshold`: independent similarity to a reference photo from which a face counts as recognised, None if unknown.
    """

    params: Params
    limits: Limits
    tools: OwnTools
    finder: Finder
    seal: Seal
    log: ProductionLog
    keeper: Keeper
    metrics: Metrics
    identities: Identities
    threshold: float | None


def restore(bench: Bench, ask: Ask, queue_seconds: float) -> Done:
    """Restore one photo and log it. What is refused is an outcome, too.

    Raises:
        Refused: a picture that cannot be read, or no form that the caller accepts.
        LikenessError: a mask that does not fit, or a log, or a store of kept pictures, that does not answer.
    """
    job = _Job(bench, ask, queue_seconds)
    timed = job.stages.timed
    with timed("decode"):
        photo, references = job.decoded()
    answer = _answer_form(ask, photo)
    with timed("mask"):
        used = job.mask_of(photo.image)
    with timed("restore"):
        restoration = job.restored(photo.image, used, references)
    job.stages.move(job.verify_seconds.take(), "restore", "verify")
    with timed("encode"):
        picture = job.encoded(restoration, answer, photo.sha256)
    with timed("log"):
        kept = job.keep(KeptPictures(photo.image, used.mask, restoration.image, references))
        row = job.logged(restoration, photo.image, used)
    bench.metrics.observe(row, job.stages.seconds.items(), bench.tools.encoders)
    return Done(row, restoration, used, answer, picture, photo, kept, job.stages)


def propose(bench: Bench, data: bytes, queue_seconds: float) -> FoundMask:  # noqa: ARG001 - the engine tells it
    """Search a photo for damage; nothing is logged, because nothing is done to it.

    Raises:
        Refused: it cannot be read.
    """
    photo = read(data, "image", bench.limits)
    found = propose_mask(photo.image, bench.finder, bench.tools.fresh().detector, bench.params.restore)
    return FoundMask(mask_png(found.mask), float(found.mask.mean()), found.confidence, found.doubt)


def read(data: bytes, field: str, limits: Limits) -> Accepted:
    """An uploaded picture.

    Raises:
        Refused: it was rejected; the code says why.
    """
    outcome = read_bytes(data, limits)
    if isinstance(outcome, Rejected):
        remedy = "send another file"
        raise Refused(422, str(outcome.code), f"a readable picture as {field}", outcome.detail, remedy)
    return outcome


def mask_png(mask: Mask) -> bytes:
    """White = missing."""
    return encoded(np.repeat(mask[..., None] * np.uint8(255), 3, axis=-1), ".png")


def _answer_form(ask: Ask, photo: Accepted) -> AnswerForm:
    """`image/*` means the input's format, as far as that can carry a mark; JSON carries what the form field says."""
    own = _INPUT_FORMATS.get(photo.format, "png")
    media_type = chosen(ask.accept, (JSON, f"image/{own}", *PICTURES, ZIP))
    if media_type in PICTURES:
        return AnswerForm(media_type, _FORMATS[media_type])
    if media_type == JSON and ask.upload.picture == "none":
        return AnswerForm(media_type, None)
    return AnswerForm(media_type, own if ask.upload.picture == "input" else "png")


class _Job:
    """One request on a worker thread: its tools, its meters, its model."""

    def __init__(self, bench: Bench, ask: Ask, queue_seconds: float) -> None:
        self._bench, self._ask, self._now = bench, ask, datetime.now(UTC)
        self.stages, self._verify_cpu, self.verify_seconds = Stages(queue_seconds), Meter(), Meter(time.perf_counter)
        self._subject = bench.keeper.pseudonym(ask.upload.subject)
        self._model = ask.arms.serving(self._subject or ask.request_id, bench.params.ab.share)
        self._model.restorer.foreign.take()  # what a request that failed left behind in this thread
        own = metered(metered(bench.tools.fresh(), self._verify_cpu), self.verify_seconds)
        self._tools = replace(own, observe=bench.identities.window(self._model.version).add)

    def decoded(self) -> tuple[Accepted, tuple[Image, ...]]:
        upload, limits = self._ask.upload, self._bench.limits
        photo = read(upload.image, "image", limits)
        return photo, tuple(read(data, "references", limits).image for data in upload.references)

    def mask_of(self, image: Image) -> UsedMask:
        upload, bench = self._ask.upload, self._bench
        if upload.mask is None:
            return mask_for(image, None, upload.mode, bench.finder, self._tools.detector, bench.params.restore)
        size = (image.shape[0], image.shape[1])
        return UsedMask(mask_from_bytes(upload.mask, size, may_cover_all=upload.mode == "colorize"), "given")

    def restored(self, image: Image, used: UsedMask, references: Sequence[Image]) -> Restoration:
        if used.doubt:
            return _doubted(used, len(self._tools.detector.detect(image)))
        rules, mode = self._bench.params.restore, self._ask.upload.mode
        return restore_photo(image, used.mask, self._model.restorer, mode, rules, references, tools=self._tools)

    def encoded(self, restoration: Restoration, answer: AnswerForm, original_sha256: str) -> bytes | None:
        if restoration.image is None or answer.picture_format is None:
            return None
        share = restored_share(restoration)
        facts = MarkFacts(self._model.version, restoration.mode, self._ask.request_id, share, original_sha256)
        return marked(restoration.image, answer.picture_format, facts, self._bench.seal)

    def keep(self, pictures: KeptPictures) -> bool:
        upload, keeper = self._ask.upload, self._bench.keeper
        return bool(keeper.keep(upload.subject, upload.keep_basis, pictures, self._ask.request_id, self._now))

    def logged(self, restoration: Restoration, image: Image, used: UsedMask) -> LogRow:
        bench = self._bench
        row = observed(restoration, image, used.mask, self._facts(), self._tools)
        bench.identities.flush(bench.log, self._now)  # before the row, so that both fall in the same window
        bench.log.append([row])
        return row

    def _facts(self) -> RequestFacts:
        return RequestFacts(
            request_id=self._ask.request_id,
            time=self._now,
            model_version=self._model.version,
            arm=self._model.arm,
            subject=self._subject,
            milliseconds=self.stages.total * 1000,
            queue_milliseconds=self.stages.seconds["queue"] * 1000,
            cpu_seconds=max(0.0, self.stages.cpu + self._model.restorer.foreign.take()),
            verification_cpu_seconds=self._verify_cpu.take(),
            threshold=self._bench.threshold,
        )


def _doubted(used: UsedMask, faces: int) -> Restoration:
    """No mask that may be used: the outcome of a photo that is left as it came."""
    area = float(used.mask.mean())
    return Restoration(
        image=None,
        mode="refuse",
        reason=used.doubt,
        area=area,
        chroma_area=area,
        coverage=None,
        missing_features=None,
        background=0.0,
        untouched=1.0,
        face_count=faces,
        faces=(),
    )
