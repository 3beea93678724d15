"""What a worker thread does with one photo: decode, find the damage, restore, encode, log. No HTTP here."""

from dataclasses import dataclass

import numpy as np

from models.images import Mask
from monitoring.rows import LogRow
from pipeline.find_damage import propose_mask
from pipeline.picture_files import encoded
from pipeline.reading import Accepted
from pipeline.restoration import Restoration
from pipeline.used_mask import UsedMask
from serving.answer_form import AnswerForm, answer_form
from serving.bench import Bench
from serving.job import Ask, Job, read
from serving.keeping import KeptPictures
from serving.stages import Stages


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


def mask_png(mask: Mask) -> bytes:
    """White = missing."""
    return encoded(np.repeat(mask[..., None] * np.uint8(255), 3, axis=-1), ".png")
