"""Photos of people as the user knows them: which belongs to which damaged face, and whether it may be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist

import numpy as np
import numpy.typing as npt

from models.face.alignment import Points
from models.face.landmarks import head_pose
from models.images import Image
from pipeline.config.restore import ReferenceUse
from restoration.photo.geometry import cut, frame_of, to_frame
from restoration.photo.orientation import looking_upright
from restoration.types import ReferenceNote, Tools

Pose = tuple[float, float, float]


@dataclass(frozen=True)
class KnownFace:
    """The best face of a reference photo.

    `number` counts the photos from 1. `image` (S, S, 3) and `points` (5, 2) are in the aligned frame; `pose` is yaw,
    pitch and roll in degrees.
    """

    number: int
    image: Image
    points: Points
    pose: Pose


@dataclass(frozen=True)
class Candidate:
    """A damaged face as references are compared with it: head pose, degrees, and missing share of its features."""

    pose: Pose
    missing_features: float


def known_faces(photos: Sequence[Image], tools: Tools, size: int) -> list[KnownFace | None]:
    """The best face of each photo (H, W, 3), aligned; None where there is none."""
    return [_known(number, photo, tools, size) for number, photo in enumerate(photos, 1)]


def assign(
    candidates: Sequence[Candidate],
    known: Sequence[KnownFace | None],
    alike: npt.NDArray[np.float32],
    rules: ReferenceUse,
) -> tuple[list[KnownFace | None], list[ReferenceNote]]:
    """For each damaged face the photo that serves it, or None; and for each photo what became of it.

    A photo belongs to the face that it is most alike; it is believed from `rules.min_similarity` on. Where a single
    face is damaged and too little of it is visible to tell, the user is believed. Of several photos that belong to
    one face, that whose head is turned most like it serves.

    Args:
        candidates: damaged faces.
        known: reference faces, None where a photo has none.
        alike: (candidates, known) cosines of visible part and reference; anything where there is no face.
        rules: thresholds.
    """
    believed: list[list[KnownFace]] = [[] for _ in candidates]
    notes = [_note(number, face, candidates, alike, rules) for number, face in enumerate(known)]
    for note, face in zip(notes, known, strict=True):
        if note.face is not None and face is not None:
            believed[note.face - 1].append(face)
    chosen = [_nearest(candidate.pose, faces) for candidate, faces in zip(candidates, believed, strict=True)]
    used = {face.number for face in chosen if face is not None}
    return chosen, [note if note.face is None or note.photo in used else _spare(note) for note in notes]


def _known(number: int, photo: Image, tools: Tools, size: int) -> KnownFace | None:
    faces = looking_upright(tools.detector, photo, photo).detector.detect(photo)
    if not faces:
        return None
    best = faces[0]
    frame = frame_of(best.points, (photo.shape[0], photo.shape[1]), size)
    landmarks = to_frame(frame, tools.landmarker.predict(photo, best))
    return KnownFace(number, cut(frame, photo), to_frame(frame, best.points), head_pose(landmarks, size))


def _note(
    column: int,
    known: KnownFace | None,
    candidates: Sequence[Candidate],
    alike: npt.NDArray[np.float32],
    rules: ReferenceUse,
) -> ReferenceNote:
    number = column + 1
    if known is None:
        return ReferenceNote(number, None, None, "no face was found in it")
    if not candidates:
        return ReferenceNote(number, None, None, "no damaged face needs it")
    best = int(np.argmax(alike[:, column]))
    similarity = float(alike[best, column])
    figures = f"similarity {similarity:.2f} with the visible part of face {best + 1}"
    limit = f"restore.reference.min_similarity {rules.min_similarity:.2f}"
    if similarity >= rules.min_similarity:
        return ReferenceNote(number, best + 1, similarity, f"used: {figures}")
    hidden = candidates[best].missing_features
    if len(candidates) == 1 and hidden > rules.max_missing_features:
        reason = f"used on trust: {hidden:.0%} of the features are missing, too much to tell ({figures})"
        return ReferenceNote(number, 1, similarity, reason)
    return ReferenceNote(number, None, similarity, f"not used, it is somebody else: {figures}, less than {limit}")


def _nearest(pose: Pose, faces: Sequence[KnownFace]) -> KnownFace | None:
    return min(faces, key=lambda face: dist(face.pose, pose), default=None)


def _spare(note: ReferenceNote) -> ReferenceNote:
    reason = f"not used: another photo of face {note.face} shows the head turned more like it"
    return ReferenceNote(note.photo, None, note.similarity, reason)
