"""Align damaged faces a second time, on a photo in which the face model has completed them.

The detector's five points are guesses where an eye or the mouth is covered, and a classical fill misleads it. On 62
damaged validation portraits as photos of 256 pixels the frame lay 2.6 aligned pixels off that of the intact photo, and
the identity distance was 0.85 of Telea's; detected again on the completed face, 1.3 pixels and 0.80; with the intact
photo's frame it would be 0.73 (`python -m scripts.benchmarks.measure_photos`). A third look gains nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from models.face.detector import Face
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.evidence import damaged_batch
from restoration.faces import SAME_FACE, FoundFace, in_batches, measured_face, overlap
from restoration.photo.geometry import frame_of, paste_all, to_frame
from restoration.photo.owners import Owners
from restoration.photo.windows import lay, picked
from restoration.types import Tools


def aligned_again(
    plain: Image,
    found: Sequence[FoundFace],
    hole_mask: Mask,
    chroma_mask: Mask,
    tools: Tools,
    face_model: ShapedFaceModel,
    context: float,
) -> list[FoundFace]:
    """The same faces with better frames, points and landmarks; score and `seen_in` stay those of the first look.

    Left alone are faces of which no luma is missing, and those that the detector saw better in the photo itself.

    Args:
        plain: the classically filled photo (H, W, 3).
        found: the damaged faces in it.
        hole_mask: (H, W), luma and colour missing.
        chroma_mask: (H, W), colour missing; contains `hole_mask`.
        tools: detector and landmark predictor.
        face_model: completes the faces.
        context: as in `measured_face`.
    """
    if not any(_guessed(face) for face in found):
        return list(found)
    with completed_photo(plain, found, chroma_mask, face_model, tools.budget) as sketch:
        detections = tools.detector.detect(sketch)
        return [_again(face, detections, sketch, (hole_mask, chroma_mask), tools, context) for face in found]


def _again(
    old: FoundFace, detections: Sequence[Face], sketch: Image, masks: tuple[Mask, Mask], tools: Tools, context: float
) -> FoundFace:
    same = max(detections, key=lambda face: overlap(face, old.face), default=None)
    if same is None or not _guessed(old) or overlap(same, old.face) < SAME_FACE:
        return old
    face = Face(same.box, same.points, old.face.score)
    frame = frame_of(face.points, (sketch.shape[0], sketch.shape[1]), old.frame.size)
    landmarks = to_frame(frame, tools.landmarker.predict(sketch, same))
    return measured_face(face, old.seen_in, frame, landmarks, *masks, context) or old


@contextmanager
@torch.inference_mode()
def completed_photo(
    plain: Image,
    faces: Sequence[FoundFace],
    missing: Mask,
    face_model: ShapedFaceModel,
    budget: Budget = UNLIMITED,
) -> Iterator[Image]:
    """Lend the classically filled photo with the face model's completion of each face in the missing pixels.

    It is `plain` itself, so that a large photo is in memory once; afterwards that is as it was.

    Raises:
        Stopped: the budget is spent.
    """
    completed = torch.cat([_completed(plain, part, face_model) for part in in_batches(faces, budget)])
    frames = [face.frame for face in faces]
    owners = Owners.of(frames, missing)
    domains = [owners.own(number, missing, frame.window) for number, frame in enumerate(frames)]
    before = [picked(plain[frame.window], domain) for frame, domain in zip(frames, domains, strict=True)]
    try:
        paste_all(frames, plain, completed, domains, missing, budget=budget)
        yield plain.view()  # another object: a detector may remember faces of `plain`
    finally:
        for frame, domain, pixels in zip(frames, domains, before, strict=True):
            lay(plain[frame.window], pixels, domain)


def _completed(plain: Image, faces: Sequence[FoundFace], face_model: ShapedFaceModel) -> Tensor:
    batch = damaged_batch(plain, faces)
    return face_model.at(batch.image.shape[-1]).complete(batch.image, batch.hole_mask, batch.chroma_mask).picture


def _guessed(face: FoundFace) -> bool:
    return face.seen_in == "filled copy" and bool(face.lost.any())
