"""How much a restored face still looks like the person: cosines of identity embeddings, per encoder."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.alignment import Points
from models.identity import IdentityEncoder, similarity
from models.images import Image, to_tensor
from pipeline.photo import cut, frame_of, to_frame
from pipeline.restoration import Detector, LikenessFigures


@torch.inference_mode()
def likeness(
    encoders: Sequence[IdentityEncoder],
    restored: Image,
    plain: Image,
    points: Points,
    reference: tuple[Image, Points] | None,
) -> LikenessFigures:
    """Compare one aligned face (size, size, 3), with its five points (5, 2), to its evidence and to the reference."""
    to_plain: dict[str, float] = {}
    to_reference: dict[str, float] = {}
    for encoder in encoders:
        ours = _embed(encoder, restored, points)
        to_plain[encoder.name] = float(similarity(ours, _embed(encoder, plain, points)))
        if reference is not None:
            to_reference[encoder.name] = float(similarity(ours, _embed(encoder, *reference)))
    return LikenessFigures(to_reference or None, to_plain or None)


def reference_face(photo: Image, detector: Detector, size: int) -> tuple[Image, Points] | None:
    """The best face of an intact photo, aligned (size, size, 3), and its points (5, 2); None where there is none."""
    faces = detector.detect(photo)
    if not faces:
        return None
    frame = frame_of(faces[0].points, (photo.shape[0], photo.shape[1]), size)
    return cut(frame, photo), to_frame(frame, faces[0].points)


def _embed(encoder: IdentityEncoder, face: Image, points: Points) -> Tensor:
    return encoder.embed(to_tensor(face), torch.from_numpy(np.asarray(points[None], np.float32)))
