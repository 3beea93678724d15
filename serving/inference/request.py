"""What a worker thread does with one photo: decode, find the damage, restore, encode, log. No HTTP here."""

from dataclasses import dataclass

from monitoring.log.rows import LogRow
from pipeline.image_io.outcome import Accepted
from pipeline.image_io.write import encoded
from restoration.find_damage import find_damage
from restoration.mask import UsedMask, found_mask
from restoration.types import Restoration
from serving.http.answer_form import AnswerForm, answer_form
from serving.inference.context import Bench
from serving.inference.job import Ask, Job, read
from serving.inference.stages import Stages
from serving.privacy.kept_pictures import KeptPictures


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
