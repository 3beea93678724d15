"""One photo on a worker thread: decode, find the damage, restore, encode, log; where its time goes. No HTTP here."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from models.images import Image
from monitoring.log.metering import Meter, metered
from monitoring.log.observe import RequestFacts, observed
from monitoring.log.rows import LogRow
from pipeline.damage.picture import mask_from_bytes
from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits, Rejected
from pipeline.image_io.write import encoded
from restoration.find_damage import find_damage
from restoration.mask import UsedMask, found_mask, mask_for, restore_used
from restoration.provenance.marking import MarkFacts, marked, restored_share
from restoration.types import Restoration
from serving.http.accept import AnswerForm, answer_form, came_in
from serving.http.errors import Refused
from serving.http.uploads import Upload
from serving.inference.context import Bench
from serving.inference.model_store import Arms
from serving.privacy.kept_pictures import KeptPictures
from serving.schemas.restorations import Timings

NAMES = tuple(Timings.model_fields)


class Stages:
    """Seconds by stage, in the order of `Timings`; one request's, in one thread."""

    def __init__(self, queue_seconds: float) -> None:
        self._begun, self._thread_begun = time.perf_counter(), time.thread_time()
        self.seconds = dict.fromkeys(NAMES, 0.0) | {"queue": queue_seconds}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the block's time to a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun

    def move(self, seconds: float, source: str, target: str) -> None:
        """Of what was measured as `source`, so much was `target`."""
        self.seconds[source] = max(0.0, self.seconds[source] - seconds)
        self.seconds[target] += seconds

    @property
    def total(self) -> float:
        """Seconds so far, waiting included."""
        return self.seconds["queue"] + time.perf_counter() - self._begun

    @property
    def cpu(self) -> float:
        """CPU seconds of this thread so far."""
        return time.thread_time() - self._thread_begun

    def timings(self) -> Timings:
        """Milliseconds, for the answer."""
        return Timings(**{name: round(seconds * 1000, 2) for name, seconds in self.seconds.items()})


@dataclass(frozen=True, eq=False)
class Ask:
    """One request for a restoration. `arms`: what served when it came; `accept`: its Accept header."""

    request_id: str
    upload: Upload
    arms: Arms
    accept: str


class Job:
    """The steps of one request, in the order in which they are called."""

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
        rules, mode = self._bench.params.restore, self._ask.upload.mode
        done = restore_used(image, used, self._model.restorer, mode, rules, references, self._tools)
        return replace(done, reason=_nothing(used)) if done.mode == "unchanged" and not used.mask.any() else done

    def encoded(self, restoration: Restoration, answer: AnswerForm, photo: Accepted) -> bytes | None:
        form = answer.picture_format
        if restoration.image is None or form is None:
            return None
        if restoration.mode == "unchanged":  # no model made any of it: it says of itself what it said before
            own = photo.data if came_in(form, photo.format) else None
            return own or encoded(restoration.image, f".{form}")
        share = restored_share(restoration)
        facts = MarkFacts(self._model.version, restoration.mode, self._ask.request_id, share, photo.sha256)
        return marked(restoration.image, form, facts, self._bench.seal)

    def keep(self, pictures: KeptPictures) -> bool:
        upload, bench, request_id = self._ask.upload, self._bench, self._ask.request_id
        kept = bool(bench.keeper.keep(upload.subject, upload.keep_basis, pictures, request_id, self._now))
        if kept:
            bench.log.record("keeping", request_id, {"references": len(pictures.references)}, self._now)
        return kept

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


def _nothing(used: UsedMask) -> str:
    """Why a photo comes back as it came, in words of this API."""
    if not used.proposed:
        return "no damage was found; send a mask to have a part restored all the same"
    maybe = f"{used.proposed:.1%} of the photo may be damaged"
    return f"no damage was found for certain; {maybe}: /v1/masks shows where, mode inpaint takes it"


@dataclass(frozen=True, eq=False)
class Done:
    """What became of it.

    `picture`: the marked file, or an unmarked one where the photo came back as it came; None where there is none or
    none was wanted.
    """

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
    """What was found in a photo, and its picture as PNG: white = damaged, dark grey = may be, black = not."""

    used: UsedMask
    png: bytes


def restore(bench: Bench, ask: Ask, queue_seconds: float) -> Done:
    """Restore one photo and log it. What is refused is an outcome, too.

    Raises:
        Refused: a picture that cannot be read, or no form that the caller accepts.
        LikenessError: a mask that does not fit, or a log, or a store of kept pictures, that does not answer.
    """
    job = Job(bench, ask, queue_seconds)
    timed = job.stages.timed
    with timed("decode"):
        photo, references = job.decoded()
    answer = answer_form(ask.accept, ask.upload.picture, photo.format)
    with timed("mask"):
        used = job.mask_of(photo.image)
    with timed("restore"):
        restoration = job.restored(photo.image, used, references)
    job.stages.move(job.verify_seconds.take(), "restore", "verify")
    with timed("encode"):
        picture = job.encoded(restoration, answer, photo)
    with timed("log"):
        result = None if restoration.mode == "unchanged" else restoration.image
        kept = job.keep(KeptPictures(photo.image, used.mask, result, references))
        row = job.logged(restoration, photo.image, used)
    bench.metrics.observe(row, job.stages.seconds.items(), bench.tools.encoders)
    return Done(row, restoration, used, answer, picture, photo, kept, job.stages)


def propose(bench: Bench, data: bytes, queue_seconds: float) -> FoundMask:  # noqa: ARG001 - the engine tells it
    """Search a photo for damage; nothing is logged, because nothing is done to it.

    Raises:
        Refused: it cannot be read.
    """
    photo = read(data, "image", bench.limits)
    found = find_damage(photo.image, bench.finder, bench.tools.fresh().detector, bench.params.restore.finder)
    used = found_mask(found, everything=False)
    return FoundMask(used, encoded(used.picture(), ".png"))
