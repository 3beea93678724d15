"""Restore one photo on a worker thread: decode, find the damage, restore, encode, keep, log, count. No HTTP here.

`restore` is the table of contents; `RestoreJob` has its steps in the same order.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from models.images import Image
from models.runtime.budget import Budget
from models.runtime.spans import span
from monitoring.log.metering import Meter, meter_tools
from monitoring.log.observe import RequestFacts, build_log_row
from monitoring.log.rows import LogRow
from pipeline.damage.picture import read_mask
from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits, Rejected
from pipeline.image_io.write import encoded
from restoration.fading import restore_faded
from restoration.find_damage import find_damage, required
from restoration.mask import UsedMask, found_mask, given_mask, mask_for, restore_used
from restoration.modes import UNFILLED
from restoration.provenance.marking import facts_of, marked
from restoration.types import Restoration
from serving.http.problem import HttpProblem
from serving.http.request_form import AnswerForm, Upload, answer_form, has_format
from serving.inference.arms import Arms
from serving.inference.context import ServingContext
from serving.privacy.personal_data import KeptPictures
from serving.schemas.restorations import Timings


@dataclass(frozen=True, eq=False)
class RestoreRequest:
    """One request for a restoration.

    `arms`: the models that served when it arrived; `accept`: its Accept header; `deletions`: of subjects, so many had
    been when it arrived.
    """

    request_id: str
    upload: Upload
    arms: Arms
    accept: str
    deletions: int


@dataclass(frozen=True, eq=False)
class RestoreResult:
    """The outcome of a request.

    `picture`: the marked file, or an unmarked one if the photo is returned unchanged; None if there is none or the
    caller wanted none.
    """

    row: LogRow
    restoration: Restoration
    used: UsedMask
    form: AnswerForm
    picture: bytes | None
    photo: Accepted
    kept: bool
    times: "StageTimes"


def restore(context: ServingContext, request: RestoreRequest, queue_seconds: float, budget: Budget) -> RestoreResult:
    """Restore one photo and log it. A refused photo is an outcome, too.

    Raises:
        HttpProblem: a picture that cannot be read, or would take too much memory, or no form that the caller accepts.
        LikenessError: a mask that does not fit, or a log, or a store of kept pictures, that does not answer.
        Stopped: the budget is spent; nothing is kept or logged then.
    """
    upload, begun = request.upload, time.perf_counter()
    with context.memory.held(upload.image, upload.references, budget):
        return _restore(request, RestoreJob(context, request, queue_seconds + time.perf_counter() - begun, budget))


def _restore(request: RestoreRequest, job: "RestoreJob") -> RestoreResult:
    timed = job.times.timed
    with timed("decode"):
        photo, references = job.decode()
    form = answer_form(request.accept, request.upload.picture, photo.format)
    job.budget.check()
    with timed("mask"):
        used = job.choose_mask(photo.image)
    job.budget.check()
    with timed("restore"):
        restoration = job.restore(photo.image, used, references)
    job.times.move(job.verify_seconds.take(), "restore", "verify")
    job.budget.check()
    with timed("encode"):
        picture = job.encode(restoration, form, photo)
    job.budget.check()
    with timed("log"):
        result = None if restoration.mode == "unchanged" else restoration.image
        kept, row = job.keep_and_log(KeptPictures(photo.image, used.mask, result, references), restoration, used)
    job.count(row)
    return RestoreResult(row, restoration, used, form, picture, photo, kept, job.times)


class RestoreJob:
    """The steps of one request, in the order in which `restore` calls them."""

    def __init__(self, context: ServingContext, request: RestoreRequest, queue_seconds: float, budget: Budget) -> None:
        self._context, self._request, self._now = context, request, datetime.now(UTC)
        self.budget = budget
        self.times, self._verify_cpu = StageTimes(queue_seconds), Meter()
        self.verify_seconds = Meter(time.perf_counter)
        self._person = context.pictures.person(request.upload.subject, request.deletions)
        unit = self._person.pseudonym or request.upload.repeats or request.request_id
        self._model = request.arms.model_for(unit, context.params.ab.share)
        self._model.restorer.cpu_balance.take()  # left in this thread by a request that failed
        tools = meter_tools(meter_tools(context.tools.for_request(budget), self._verify_cpu), self.verify_seconds)
        full = request.upload.strength == 1.0  # a mixed face says nothing about the model's identities
        self._tools = replace(tools, observe=context.identities.window(self._model.version).add if full else None)

    def decode(self) -> tuple[Accepted, tuple[Image, ...]]:
        upload, limits = self._request.upload, self._context.limits
        photo = read(upload.image, "image", limits)
        return photo, tuple(read(data, "references", limits).image for data in upload.references)

    def choose_mask(self, image: Image) -> UsedMask:
        """Use the caller's mask, or search for damage."""
        upload, context = self._request.upload, self._context
        if upload.mask is None:
            limits, detector = context.params.restore, self._tools.detector
            return mask_for(image, None, upload.mode, context.finder, detector, limits, budget=self.budget)
        size = (image.shape[0], image.shape[1])
        all_white = upload.mode == "colorize"
        return given_mask(read_mask(upload.mask, size, may_cover_all=all_white, may_be_empty=upload.fade))

    def restore(self, image: Image, used: UsedMask, references: Sequence[Image]) -> Restoration:
        """Restore by the mask, and lift fading if that is asked for."""
        upload = self._request.upload
        restore = partial(
            restore_used,
            used=used,
            restorer=self._model.restorer,
            mode=upload.mode,
            params=self._context.params.restore,
            references=references,
            tools=self._tools,
            strength=upload.strength,
        )
        done, _ = restore_faded(image, used.mask, upload.mode, restore, fade=upload.fade)
        return replace(done, reason=_no_damage(used)) if used.source == "found" and not used.mask.any() else done

    def encode(self, restoration: Restoration, form: AnswerForm, photo: Accepted) -> bytes | None:
        """Encode and mark the restored picture; an unchanged photo has no mark, because no model made any of it."""
        wanted = form.picture_format
        if restoration.image is None or wanted is None:
            return None
        if restoration.mode == "unchanged":
            own = photo.data if has_format(photo.format, wanted) else None
            return own or encoded(restoration.image, f".{wanted}", budget=self.budget)
        facts = facts_of(restoration, self._model.version, photo.sha256, self._request.request_id)
        return marked(restoration.image, wanted, facts, self._context.seal, self.budget)

    def keep_and_log(self, pictures: KeptPictures, restoration: Restoration, used: UsedMask) -> tuple[bool, LogRow]:
        """Keep the pictures if the caller opted in, and log the request; without an entry in the log none stay kept."""
        context, request_id = self._context, self._request.request_id
        basis = self._request.upload.keep_basis
        kept = bool(context.pictures.keep(self._person, basis, pictures, request_id, self._now))
        try:
            row = build_log_row(restoration, pictures.damaged, used.mask, self._facts(), self._tools)
            context.identities.flush(context.log, self._now)  # before the row, so that both fall in the same window
            if kept:
                context.log.append_kept(row, len(pictures.references))
            else:
                context.log.append([row])
        except BaseException:
            if kept:
                context.pictures.discard(self._person, request_id)
            raise
        return kept, row

    def count(self, row: LogRow) -> None:
        """Count the outcome for Prometheus; similarity and risk only of what the model did, and at full strength."""
        self._context.storage.note_success()
        metrics = self._context.metrics
        metrics.requests.labels(row.mode, row.arm).inc()
        metrics.seconds.labels(row.arm).observe(row.milliseconds / 1000)
        for name, seconds in self.times.seconds.items():
            metrics.stages.labels(name).observe(seconds)
        metrics.cpu.labels("verification").inc(row.verification_cpu_seconds)
        metrics.cpu.labels("restoration").inc(max(0.0, row.cpu_seconds - row.verification_cpu_seconds))
        if row.mode in UNFILLED or row.strength < 1.0:
            return
        similarities = (row.similarity_plain_training, row.similarity_plain_independent)
        for encoder, cosine in zip(self._tools.encoders, similarities, strict=True):
            if cosine is not None:
                metrics.similarity.labels(encoder.name, row.arm).observe(cosine)
        if row.identity_risk is not None:
            metrics.risk.observe(row.identity_risk)

    def _facts(self) -> RequestFacts:
        return RequestFacts(
            request_id=self._request.request_id,
            time=self._now,
            model_version=self._model.version,
            arm=self._model.arm,
            subject=self._person.pseudonym,
            milliseconds=self.times.total * 1000,
            queue_milliseconds=self.times.seconds["queue"] * 1000,
            cpu_seconds=max(0.0, self.times.cpu + self._model.restorer.cpu_balance.take()),
            verification_cpu_seconds=self._verify_cpu.take(),
            threshold=self._context.threshold,
            strength=self._request.upload.strength,
        )


def _no_damage(used: UsedMask) -> str:
    """Say why nothing of a photo is filled, in terms of this API."""
    if not used.proposed:
        return "no damage was found; send a mask to restore a part nevertheless"
    maybe = f"{used.proposed:.1%} of the photo may be damaged"
    return f"no damage was found for certain; {maybe}: /v1/masks shows it, and mode=inpaint restores it too"


class StageTimes:
    """Seconds by stage, in the order of `Timings`, of one request in one thread."""

    def __init__(self, queue_seconds: float) -> None:
        self._begun, self._thread_begun = time.perf_counter(), time.thread_time()
        self.seconds = dict.fromkeys(Timings.model_fields, 0.0) | {"queue": queue_seconds}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the block's time to a stage."""
        begun = time.perf_counter()
        try:
            with span(name):
                yield
        finally:
            self.seconds[name] += time.perf_counter() - begun

    def move(self, seconds: float, source: str, target: str) -> None:
        """Move time that was measured as part of `source` to `target`."""
        self.seconds[source] = max(0.0, self.seconds[source] - seconds)
        self.seconds[target] += seconds

    @property
    def total(self) -> float:
        """Seconds so far, including the queue."""
        return self.seconds["queue"] + time.perf_counter() - self._begun

    @property
    def cpu(self) -> float:
        """CPU seconds of this thread so far."""
        return time.thread_time() - self._thread_begun

    def timings(self) -> Timings:
        """Convert the times to milliseconds, for the answer."""
        return Timings(**{name: round(seconds * 1000, 2) for name, seconds in self.seconds.items()})


def read(data: bytes, field: str, limits: Limits) -> Accepted:
    """Decode an uploaded picture.

    Raises:
        HttpProblem: it was rejected; the code says why.
    """
    outcome = read_bytes(data, limits)
    if isinstance(outcome, Rejected):
        remedy = "send another file"
        raise HttpProblem(422, str(outcome.code), f"a readable picture as {field}", outcome.detail, remedy)
    return outcome


@dataclass(frozen=True, eq=False)
class FoundMask:
    """The damage of a photo, its mask as PNG (white = damaged, dark grey = may be damaged, black = not), its pieces.

    `labels`: PNG, grey, the level of a pixel is the number of its piece (`FoundDamage.labels`).
    """

    used: UsedMask
    png: bytes
    labels: bytes


def propose_mask(context: ServingContext, data: bytes, queue_seconds: float, budget: Budget) -> FoundMask:  # noqa: ARG001 - of the queue
    """Search a photo for damage; nothing is logged, because nothing is done to it.

    Raises:
        HttpProblem: it cannot be read, or would take too much memory.
        DataError: the edition has no finder.
        Stopped: the budget is spent.
    """
    with context.memory.held(data, (), budget):
        photo = read(data, "image", context.limits)
        detector, rules = context.tools.for_request(budget).detector, context.params.restore.finder
        damage = find_damage(photo.image, required(context.finder), detector, rules, budget)
        used = found_mask(damage, everything=False)
        return FoundMask(used, *(encoded(one, ".png", budget=budget) for one in (used.picture(), damage.labels)))
