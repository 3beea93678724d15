"""What became of a photo and of its faces: the jobs with their decisions, put together into one outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.images import Image, Mask
from pipeline.found_faces import FoundFace
from pipeline.restoration import LikenessFigures, Restoration, RestoredFace
from pipeline.routing import Decision, Mode

_NO_FACE = "no face was found, neither in the classically filled copy nor in the photo as it came"


@dataclass(frozen=True)
class Job:
    """One damaged face with its decision and, when restored, its likeness figures."""

    found: FoundFace
    decision: Decision
    likeness: LikenessFigures | None = None

    @property
    def refused(self) -> bool:
        return self.decision.mode == "refuse"


@dataclass(frozen=True)
class DamagedPhoto:
    """A photo (H, W, 3) with its masks (H, W); `chroma` contains `hole`."""

    image: Image
    hole: Mask
    chroma: Mask


def outcome(
    image: Image | None, damage: DamagedPhoto, count: int, jobs: Sequence[Job], owner: npt.NDArray[np.int16]
) -> Restoration:
    """The figures of one photo.

    Args:
        image: the restored photo, None when it was refused.
        damage: what came in.
        count: how many faces were found.
        jobs: those that the damage touches.
        owner: (H, W) index of the job that each pixel belongs to, -1 for none.
    """
    missing = max(int(damage.chroma.sum()), 1)
    untouched = damage.chroma if image is None else untouched_pixels(damage, jobs, owner)
    background = np.zeros_like(damage.chroma) if image is None else damage.chroma & (owner < 0)
    outside = int(background.sum()) / missing
    return Restoration(
        image=image,
        mode=_mode(image, damage, jobs),
        reason=_reason(count, jobs, outside),
        area=float(damage.hole.mean()),
        chroma_area=float(damage.chroma.mean()),
        coverage=max((job.found.measures.coverage for job in jobs), default=None),
        missing_features=max((job.found.measures.missing_features for job in jobs), default=None),
        background=outside,
        untouched=int(untouched.sum()) / missing,
        face_count=count,
        faces=tuple(_row(job) for job in jobs),
    )


def _mode(image: Image | None, damage: DamagedPhoto, jobs: Sequence[Job]) -> Mode:
    """The photo's mode: inpaint as soon as one face, or the background alone, was inpainted."""
    if image is None:
        return "refuse"
    modes = {job.decision.mode for job in jobs if not job.refused}
    return "colorize" if modes == {"colorize"} or (not modes and not damage.hole.any()) else "inpaint"


def _reason(count: int, jobs: Sequence[Job], outside: float) -> str:
    if count == 0:
        return _NO_FACE
    if not jobs:
        return f"the damage touches none of the {count} faces found; it was filled classically"
    reasons = [job.decision.reason for job in jobs]
    if len(jobs) > 1:
        reasons = [f"face {number}: {job.decision.mode}, {job.decision.reason}" for number, job in enumerate(jobs, 1)]
    if outside >= 0.005:
        reasons.append(f"{outside:.0%} of the damage lies outside these faces and was filled classically")
    return "; ".join(reasons)


def _row(job: Job) -> RestoredFace:
    found, measures = job.found, job.found.measures
    return RestoredFace(
        box=found.face.box,
        detector_score=found.face.score,
        seen_in=found.seen_in,
        scale=found.frame.scale,
        mode=job.decision.mode,
        reason=job.decision.reason,
        area=measures.area,
        chroma_area=measures.chroma_area,
        coverage=measures.coverage,
        missing_features=measures.missing_features,
        likeness=job.likeness,
    )


def untouched_pixels(damage: DamagedPhoto, jobs: Sequence[Job], owner: npt.NDArray[np.int16]) -> Mask:
    """Missing pixels (H, W) that stay as they came, because their face was refused."""
    refused = [index for index, job in enumerate(jobs) if job.refused]
    return damage.chroma & np.isin(owner, refused)
