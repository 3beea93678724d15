"""What became of a photo and of its faces: the jobs with their decisions, put together into one outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.images import Image, Mask
from restoration.faces import FoundFace
from restoration.modes import Mode
from restoration.photo.geometry import aligned_to_photo
from restoration.photo.owners import NOBODY, Owners
from restoration.references import KnownFace
from restoration.risk import Trust
from restoration.routing import Decision
from restoration.types import LikenessFigures, ReferenceNote, Restoration, RestoredFace

_NO_FACE = (
    "no face was found, neither in the classically filled copy nor in the photo as it came, in any of eight turns; "
    "the photo may lie on its side all the same: then turn it upright and try again"
)


@dataclass(frozen=True, eq=False)
class Job:
    """One damaged face with its decision, what it rests on, the photo that serves it, and its likeness if restored."""

    found: FoundFace
    decision: Decision
    trust: dict[str, Trust]
    reference: KnownFace | None = None
    likeness: LikenessFigures | None = None

    @property
    def refused(self) -> bool:
        return self.decision.mode == "refuse"

    def compared(self, figures: LikenessFigures) -> "Job":
        """The same job with likeness figures."""
        return replace(self, likeness=figures)


@dataclass(frozen=True, eq=False)
class ThinFace:
    """A face all of whose damage is filled from both sides, and the identity risk of that."""

    found: FoundFace
    risk: float


@dataclass(frozen=True)
class DamagedPhoto:
    """A photo (H, W, 3) with its masks (H, W).

    Attributes:
        image: damaged; `thin` damage is filled.
        hole: missing luma and colour.
        chroma: missing colour; contains `hole`.
        thin: what was missing and is filled from both sides; disjoint from both.
    """

    image: Image
    hole: Mask
    chroma: Mask
    thin: Mask


def outcome(
    image: Image | None,
    damage: DamagedPhoto,
    count: int,
    jobs: Sequence[Job],
    owners: Owners,
    notes: Sequence[ReferenceNote] = (),
    thin_faces: Sequence[ThinFace] = (),
    *,
    generated: bool = False,
) -> Restoration:
    """The figures of one photo.

    Args:
        image: the restored photo, None when it was refused.
        damage: what came in.
        count: how many faces were found.
        jobs: those that the damage touches.
        owners: the job that each missing pixel belongs to, by its number.
        notes: what became of the reference photos.
        thin_faces: faces all of whose damage is thin.
        generated: whether a trained model made any pixel.
    """
    thin_pixels, hole, chroma = (int(np.count_nonzero(mask)) for mask in (damage.thin, damage.hole, damage.chroma))
    missing = max(chroma + thin_pixels, 1)
    thin = 0.0 if image is None else thin_pixels / missing
    outside, left = 0.0, 1.0
    if image is not None:
        outside = int(np.count_nonzero(owners.of_any([NOBODY], damage.chroma))) / missing
        left = int(np.count_nonzero(untouched_pixels(damage, jobs, owners))) / missing
    measures = [face.measures for face in (*(job.found for job in jobs), *(one.found for one in thin_faces))]
    return Restoration(
        image=image,
        mode=_mode(image, damage, jobs, left),
        reason="; ".join(
            [
                _reason(count, jobs, thin, outside, image is not None),
                *(f"reference {note.photo} {note.reason}" for note in notes),
            ]
        ),
        area=(hole + thin_pixels) / damage.thin.size,
        chroma_area=(chroma + thin_pixels) / damage.thin.size,
        coverage=max((measured.coverage for measured in measures), default=None),
        missing_features=max((measured.missing_features for measured in measures), default=None),
        thin=thin,
        background=outside,
        untouched=left,
        face_count=count,
        faces=(*(_row(job) for job in jobs), *(_thin_row(face) for face in thin_faces)),
        references=tuple(notes),
        generated=generated,
    )


def unchanged(image: Image, reason: str, face_count: int) -> Restoration:
    """The outcome of a photo (H, W, 3) in which nothing is to be restored: it comes back as it came."""
    return Restoration(
        image=image,
        mode="unchanged",
        reason=reason,
        area=0.0,
        chroma_area=0.0,
        coverage=None,
        missing_features=None,
        thin=0.0,
        background=0.0,
        untouched=0.0,
        face_count=face_count,
        faces=(),
    )


def _mode(image: Image | None, damage: DamagedPhoto, jobs: Sequence[Job], untouched: float) -> Mode:
    """The photo's mode: the strongest of what was done to a face, where the background alone counts as inpainted."""
    if image is None:
        return "refuse"
    if untouched == 1.0:
        return "unchanged"
    if jobs and all(job.refused for job in jobs) and not damage.thin.any():
        return "partial"
    modes = {job.decision.mode for job in jobs if not job.refused}
    if "partial" in modes:
        return "partial"
    nothing_but_colour = modes == {"colorize"} or (not modes and not damage.hole.any())
    return "colorize" if nothing_but_colour and not damage.thin.any() else "inpaint"


def _reason(count: int, jobs: Sequence[Job], thin: float, outside: float, filled: bool) -> str:
    if thin == 1.0:
        return "all damage is thin: it was filled from both sides, without the face model"
    if count == 0:
        return "no face was found; the damage was filled from its surroundings" if filled else _NO_FACE
    if not jobs:
        if not filled:
            return (
                f"colour is missing on none of the {count} faces found, and the photo has none from which it could be "
                "spread: put the mask over a face, or leave it out"
            )
        what = "what is not thin" if thin else "the damage"
        return f"{what} touches none of the {count} faces found; it was filled from its surroundings"
    reasons = [job.decision.reason for job in jobs]
    if len(jobs) > 1:
        reasons = [f"face {number}: {job.decision.mode}, {job.decision.reason}" for number, job in enumerate(jobs, 1)]
    if thin >= 0.005:
        reasons.append(f"{thin:.0%} of the damage is thin and was filled from both sides")
    if outside >= 0.005:
        reasons.append(f"{outside:.0%} of the damage lies outside these faces and was filled from its surroundings")
    return "; ".join(reasons)


def _row(job: Job) -> RestoredFace:
    found = job.found
    return RestoredFace(
        **_place(found),
        mode=job.decision.mode,
        reason=job.decision.reason,
        identity_risk=job.decision.risk,
        untouched=float(job.decision.untouched.sum()) / max(int(found.colourless.sum()), 1),
        untouched_features=job.decision.untouched_features,
        trust=job.trust,
        reference=None if job.reference is None else job.reference.number,
        likeness=job.likeness,
    )


def _thin_row(face: ThinFace) -> RestoredFace:
    return RestoredFace(
        **_place(face.found),
        mode="inpaint",
        reason="all of its damage is thin and was filled from both sides, without the face model",
        identity_risk=face.risk,
        untouched=0.0,
        untouched_features=(),
        trust={},
        reference=None,
        likeness=None,
    )


def _place(found: FoundFace) -> dict[str, Any]:
    """Where a face is, and how much of it is damaged."""
    measures = {name: share for name, share in vars(found.measures).items() if name != "missing"}
    return measures | {
        "box": found.face.box,
        "points": tuple((float(x), float(y)) for x, y in found.face.points),
        "detector_score": found.face.score,
        "seen_in": found.seen_in,
        "scale": found.frame.scale,
    }


def untouched_pixels(damage: DamagedPhoto, jobs: Sequence[Job], owners: Owners) -> Mask:
    """Missing pixels (H, W) that stay as they came: of faces that were refused, and what a budget left over."""
    refused = [index for index, job in enumerate(jobs) if job.refused]
    bare = owners.of_any(refused, damage.chroma)
    for index, job in enumerate(jobs):
        if job.decision.mode == "partial":
            left = aligned_to_photo(job.found.frame, job.decision.untouched, job.found.lost, damage.hole.shape)
            window = job.found.frame.window
            bare[window] |= owners.own(index, damage.hole, window) & left[window]
    return bare
