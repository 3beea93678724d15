"""The faces of a damaged photo, each with its frame and with what is missing of it."""

from dataclasses import dataclass

import numpy as np

from models import regions
from models.alignment import Points
from models.detector import Face
from models.images import Image, Mask
from pipeline.damage import Damage, Measures, measure
from pipeline.photo import Frame, cut_mask, cut_share, frame_of, to_frame
from pipeline.restoration import Detector, Tools

_SAME_FACE = 0.3
"""Overlap of boxes (intersection over union) from which two detections are one face."""


@dataclass(frozen=True)
class FoundFace:
    """One face of a damaged photo. Masks (size, size) and points (5, 2) are in the aligned frame.

    The masks are what the restorer may not trust; `measures` are the true shares, without that caution.
    `seen_in`: "photo" when the detector saw it in the photo as given, "filled copy" when only there.
    """

    face: Face
    seen_in: str
    frame: Frame
    hole: Mask
    chroma: Mask
    points: Points
    measures: Measures


def damaged_faces(
    image: Image, plain: Image, hole_mask: Mask, chroma_mask: Mask, tools: Tools, size: int, context: float
) -> tuple[int, list[FoundFace]]:
    """How many faces the photo has, and those of which more than `context` of the face or its features is damaged.

    Args:
        image: the damaged photo (H, W, 3).
        plain: its classically filled copy, on which landmarks are predicted.
        hole_mask: (H, W), luma and colour missing.
        chroma_mask: (H, W), colour missing; contains `hole_mask`.
        tools: detector and landmark predictor.
        size: side of the aligned frame.
        context: share, 0..1.
    """
    faces = find_faces(image, plain, tools.detector)
    found = []
    for face, seen_in in faces:
        frame = frame_of(face.points, (image.shape[0], image.shape[1]), size)
        if chroma_mask[frame.window].any():
            landmarks = to_frame(frame, tools.landmarker.predict(plain, face))
            measured = _measured(face, seen_in, frame, landmarks, hole_mask, chroma_mask, context)
            found += [] if measured is None else [measured]
    return len(faces), found


def find_faces(damaged: Image, filled: Image, detector: Detector) -> list[tuple[Face, str]]:
    """Faces of the damaged photo, and those that only its filled copy shows; best first, with where each was seen."""
    in_photo = detector.detect(damaged)
    in_copy = [face for face in detector.detect(filled) if not any(_overlap(face, b) > _SAME_FACE for b in in_photo)]
    everything = [(face, "photo") for face in in_photo] + [(face, "filled copy") for face in in_copy]
    return sorted(everything, key=lambda item: -item[0].score)


def _measured(
    face: Face, seen_in: str, frame: Frame, landmarks: Points, hole_mask: Mask, chroma_mask: Mask, context: float
) -> FoundFace | None:
    """The face with its measures; None when the damage hardly touches it or it lies outside its frame."""
    hull, features = regions.face_hull(landmarks, frame.size), regions.feature_regions(landmarks, frame.size)
    colourless = cut_share(frame, chroma_mask)
    if not hull.any():
        return None
    if max(regions.coverage(colourless, hull), regions.missing_features(colourless, features)) <= context:
        return None
    measures = measure(Damage(cut_share(frame, hole_mask), colourless, "found"), landmarks)
    hole, chroma = cut_mask(frame, hole_mask), cut_mask(frame, chroma_mask)
    return FoundFace(face, seen_in, frame, hole, chroma, to_frame(frame, face.points), measures)


def _overlap(a: Face, b: Face) -> float:
    """Intersection over union of two boxes, 0..1."""
    first, second = np.array(a.box), np.array(b.box)
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    return common / (float(np.prod(first[2:]) + np.prod(second[2:])) - common)
