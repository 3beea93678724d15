"""One request on a worker thread: its tools, its meters, its model, and each of its steps."""

import time
from collections.abc import Sequence
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
from restoration.mask import UsedMask, mask_for, restore_used
from restoration.provenance.marking import MarkFacts, marked, restored_share
from restoration.types import Restoration
from serving.http.answer_form import AnswerForm, came_in
from serving.http.errors import Refused
from serving.http.uploads import Upload
from serving.inference.context import Bench
from serving.inference.model_store import Arms
from serving.inference.stages import Stages
from serving.privacy.kept_pictures import KeptPictures


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
