"""Photos of people as the user knows them: which belongs to which damaged face, and whether it may be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist

import numpy as np
import numpy.typing as npt

from models.face.alignment import Points
from models.face.detector import Face
from models.face.landmarks import head_pose
from models.images import Image
from pipeline.config.restore import ReferenceUse
from restoration.photo.geometry import cut, frame_of, to_frame
from restoration.photo.orientation import looking_upright
from restoration.types import ReferenceNote, Tools

Pose = tuple[float, float, float]


@dataclass(frozen=True)
class KnownFace:
    """A face of a reference photo.

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


def known_faces(photos: Sequence[Image], tools: Tools, size: int) -> list[list[KnownFace]]:
    """Find the faces of each photo (H, W, 3), aligned; the surest first, none where there is none.

    Raises:
        Stopped: the budget of `tools` is spent.
    """
    found = []
    for number, photo in enumerate(photos, 1):
        tools.budget.check()
        found.append(_known(number, photo, tools, size))
    return found


def assign(
    candidates: Sequence[Candidate],
    known: Sequence[Sequence[KnownFace]],
    alike: npt.NDArray[np.float32],
    rules: ReferenceUse,
) -> tuple[list[KnownFace | None], list[ReferenceNote]]:
    """For each damaged face the reference face that serves it, or None; and for each photo what became of it.

    Every face of a photo is asked, wherever it stands. One belongs to the damaged face that it is most alike; it is
    believed from `rules.min_similarity` on. Where a single face is damaged and too little of it is visible to tell, the
    user is believed: of several faces in a photo it is the most alike one, if it leads by `rules.min_lead`. Of several
    photos that show one person, that whose head is turned most like the damaged one serves.

    Args:
        candidates: damaged faces.
        known: the faces of each reference photo.
        alike: (candidates, faces of all photos in their order) cosines of visible part and reference.
        rules: thresholds.
    """
    believed: list[list[KnownFace]] = [[] for _ in candidates]
    notes = []
    start = 0
    for number, faces in enumerate(known, 1):
        part = alike[:, start : start + len(faces)]
        start += len(faces)
        note, served = _judged(number, faces, candidates, part, rules)
        notes.append(note)
        for index, face in served.items():
            believed[index].append(face)
    chosen = [_nearest(candidate.pose, faces) for candidate, faces in zip(candidates, believed, strict=True)]
    used = {face.number for face in chosen if face is not None}
    return chosen, [note if note.face is None or note.photo in used else _spare(note) for note in notes]


def _known(number: int, photo: Image, tools: Tools, size: int) -> list[KnownFace]:
    detector = looking_upright(tools.detector, photo, photo).detector
    return [_aligned(number, photo, face, tools, size) for face in detector.detect(photo)]


def _aligned(number: int, photo: Image, face: Face, tools: Tools, size: int) -> KnownFace:
    frame = frame_of(face.points, (photo.shape[0], photo.shape[1]), size)
    landmarks = to_frame(frame, tools.landmarker.predict(photo, face))
    return KnownFace(number, cut(frame, photo), to_frame(frame, face.points), head_pose(landmarks, size))


def _judged(
    number: int,
    faces: Sequence[KnownFace],
    candidates: Sequence[Candidate],
    alike: npt.NDArray[np.float32],
    rules: ReferenceUse,
) -> tuple[ReferenceNote, dict[int, KnownFace]]:
    """What becomes of one photo, and by damaged face which of its faces may serve; `alike` is (candidates, faces)."""
    if not faces:
        return ReferenceNote(number, None, None, "no face was found in it"), {}
    if not candidates:
        return ReferenceNote(number, None, None, "no damaged face needs it"), {}
    served = _believed(faces, alike, rules.min_similarity)
    best, column = (int(index) for index in np.unravel_index(int(np.argmax(alike)), alike.shape))
    similarity = float(alike[best, column])
    among = f", of the {len(faces)} faces in it the one most alike" if len(faces) > 1 else ""
    figures = f"similarity {similarity:.2f} with the visible part of face {best + 1}{among}"
    if served:
        others = "".join(f"; another face in it serves face {index + 1}" for index in served if index != best)
        return ReferenceNote(number, best + 1, similarity, f"used: {figures}{others}"), served
    hidden = candidates[0].missing_features
    if len(candidates) == 1 and hidden > rules.max_missing_features:
        too_much = f"{hidden:.0%} of the features are missing, too much to tell ({figures})"
        if _leads(alike[0], rules.min_lead):
            return ReferenceNote(number, 1, similarity, f"used on trust: {too_much}"), {0: faces[column]}
        reason = f"not used, its {len(faces)} faces are alike to what is visible: {too_much}; cut out the right one"
        return ReferenceNote(number, None, similarity, reason), {}
    limit = f"restore.reference.min_similarity {rules.min_similarity:.2f}"
    reason = f"not used, it is somebody else: {figures}, less than {limit}"
    return ReferenceNote(number, None, similarity, reason), {}


def _believed(
    faces: Sequence[KnownFace], alike: npt.NDArray[np.float32], min_similarity: float
) -> dict[int, KnownFace]:
    """By damaged face the most alike of those that belong to it and are alike enough."""
    owner = alike.argmax(axis=0)
    served = {}
    for index, row in enumerate(alike):
        mine = np.where(owner == index, row, -np.inf)
        column = int(mine.argmax())
        if mine[column] >= min_similarity:
            served[index] = faces[column]
    return served


def _leads(row: npt.NDArray[np.float32], min_lead: float) -> bool:
    """Whether the most alike face is so by more than chance; a lone one is."""
    ordered = np.sort(row)
    return len(ordered) == 1 or float(ordered[-1] - ordered[-2]) >= min_lead


def _nearest(pose: Pose, faces: Sequence[KnownFace]) -> KnownFace | None:
    return min(faces, key=lambda face: dist(face.pose, pose), default=None)


def _spare(note: ReferenceNote) -> ReferenceNote:
    reason = f"not used: another photo of face {note.face} shows the head turned more like it"
    return ReferenceNote(note.photo, None, note.similarity, reason)
