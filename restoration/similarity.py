"""How much a restored face still looks like the person: cosines of identity embeddings, per encoder."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.face.alignment import Points
from models.identity.encoders import IdentityEncoder, similarity
from models.images import Image, to_tensor
from restoration.types import LikenessFigures


@torch.inference_mode()
def likeness(
    encoders: Sequence[IdentityEncoder],
    restored: Image,
    plain: Image,
    points: Points,
    reference: tuple[Image, Points] | None,
    observe: Callable[[str, Tensor], None] | None = None,
) -> LikenessFigures:
    """Compare one aligned face (size, size, 3), with its five points (5, 2), to its evidence and to the reference.

    `observe` is called with each encoder's name and the restored face's embedding (1, dim).
    """
    to_plain: dict[str, float] = {}
    to_reference: dict[str, float] = {}
    for encoder in encoders:
        ours = _embed(encoder, restored, points)
        if observe is not None:
            observe(encoder.name, ours)
        to_plain[encoder.name] = float(similarity(ours, _embed(encoder, plain, points)))
        if reference is not None:
            to_reference[encoder.name] = float(similarity(ours, _embed(encoder, *reference)))
    return LikenessFigures(to_reference or None, to_plain or None)


def _embed(encoder: IdentityEncoder, face: Image, points: Points) -> Tensor:
    return encoder.embed(to_tensor(face), torch.from_numpy(np.asarray(points[None], np.float32)))
