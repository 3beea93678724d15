"""The faces of a damaged photo, each with its frame and with what is missing of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from models.errors import DataError
from models.face import regions
from models.face.alignment import Points
from models.face.detector import Face
from models.images import Image, Mask
from models.runtime.budget import Budget
from pipeline.config.restore import RestoreParams
from pipeline.damage.draw import Damage
from pipeline.damage.measure import Measures, measure
from restoration.photo.geometry import Frame, cut_mask, cut_share, frame_of, to_frame
from restoration.types import Detector, Tools

SAME_FACE = 0.3
"""Overlap of boxes (intersection over union) from which two detections are one face."""
_BATCH = 8
"""Faces that networks see at once."""
Item = TypeVar("Item")


@dataclass(frozen=True)
class FoundFace:
    """One face of a damaged photo. Masks (size, size), points (5, 2) and landmarks (68, 2) are in the aligned frame.

    `hole` and `chroma` are what the restorer may not trust; `lost` and `colourless` are what is truly missing, without
    that caution, and so are `measures`. `landmarks` are those of the filled copy.
    `seen_in`: "filled copy" or "photo", where the detector was more certain.
    """

    face: Face
    seen_in: str
    frame: Frame
    hole: Mask
    chroma: Mask
    lost: Mask
    colourless: Mask
    points: Points
    landmarks: Points
    measures: Measures


def damaged_faces(
    image: Image, plain: Image, hole_mask: Mask, chroma_mask: Mask, tools: Tools, size: int, params: RestoreParams
) -> tuple[int, list[FoundFace]]:
    """How many faces the photo has, and those of which more than `params.context` of face or features is damaged.

    Args:
        image: the damaged photo (H, W, 3).
        plain: its classically filled copy, on which landmarks are predicted.
        hole_mask: (H, W), luma and colour missing.
        chroma_mask: (H, W), colour missing; contains `hole_mask`.
        tools: detector and landmark predictor.
        size: side of the aligned frame.
        params: how little damage is none, and how certain a detection must be.

    Raises:
        DataError: more such faces than `tools.budget` admits.
        Stopped: the budget is spent.
    """
    faces = find_faces(image, plain, tools.detector, params.min_certain_score)
    touched: list[FoundFace] = []
    for face, seen_in in faces:
        tools.budget.check()
        frame = frame_of(face.points, (image.shape[0], image.shape[1]), size)
        if chroma_mask[frame.window].any():
            landmarks = to_frame(frame, tools.landmarker.predict(plain, face))
            measured = measured_face(face, seen_in, frame, landmarks, hole_mask, chroma_mask, params.context)
            touched += [] if measured is None else [measured]
    most = tools.budget.max_faces
    if most is not None and len(touched) > most:
        remedy = "send the photo in parts, or mark the damage of fewer faces at a time"
        raise DataError(f"at most {most} damaged faces in one photo", str(len(touched)), remedy)
    return len(faces), touched


def in_batches(faces: Sequence[Item], budget: Budget) -> Iterator[Sequence[Item]]:
    """Some faces at a time, so that memory does not grow with their number; the budget is checked before each batch.

    Raises:
        Stopped: it is spent.
    """
    for first in range(0, len(faces), _BATCH):
        budget.check()
        yield faces[first : first + _BATCH]


def find_faces(image: Image, plain: Image, detector: Detector, certain: float) -> list[tuple[Face, str]]:
    """Faces of the classically filled copy and of the photo as it came; each with where it was seen.

    Of two detections of one face the copy's counts, so that what a hole holds cannot mislead the detector, unless
    its score is below `certain`: then the higher score counts, as where a mask covers a face that can still be seen.
    On 240 damaged portraits (10-50 % of the face) the copy showed every face and the damaged picture 235; the five
    points lay 0.034 face sizes from those of the intact picture, against 0.055.
    """
    detections = [(face, "filled copy") for face in detector.detect(plain)] + [
        (f, "photo") for f in detector.detect(image)
    ]
    detections.sort(key=lambda item: (item[1] == "photo" or item[0].score < certain, -item[0].score))
    kept: list[tuple[Face, str]] = []
    for face, where in detections:
        if not any(overlap(face, other) > SAME_FACE for other, _ in kept):
            kept.append((face, where))
    return kept


def measured_face(
    face: Face, seen_in: str, frame: Frame, landmarks: Points, hole_mask: Mask, chroma_mask: Mask, context: float
) -> FoundFace | None:
    """The face with its measures; None when the damage hardly touches it or it lies outside its frame."""
    hull, features = regions.face_hull(landmarks, frame.size), regions.feature_regions(landmarks, frame.size)
    colourless = cut_share(frame, chroma_mask)
    if not hull.any():
        return None
    if max(regions.coverage(colourless, hull), regions.missing_features(colourless, features)) <= context:
        return None
    lost = cut_share(frame, hole_mask)
    return FoundFace(
        face=face,
        seen_in=seen_in,
        frame=frame,
        hole=cut_mask(frame, hole_mask),
        chroma=cut_mask(frame, chroma_mask),
        lost=lost,
        colourless=lost | colourless,
        points=to_frame(frame, face.points),
        landmarks=landmarks,
        measures=measure(Damage(lost, colourless, "found"), landmarks),
    )


def overlap(a: Face, b: Face) -> float:
    """Intersection over union of two boxes, 0..1."""
    first, second = np.array(a.box), np.array(b.box)
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    return common / (float(np.prod(first[2:]) + np.prod(second[2:])) - common)
