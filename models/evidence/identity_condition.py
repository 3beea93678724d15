"""Identity embedding that conditions the network: of the reference photo, else of what is visible, else nothing.

By SFace, whatever encoder losses use: the networks have learnt to read its numbers.
"""

import torch
from torch import Tensor

from models.evidence.reference_photo import Reference
from models.face.alignment import TEMPLATE
from models.identity.encoders import sface_encoder

HINTS = 128 + 3
"""An embedding, and one of three flags: nothing is known, the visible part, a reference photo."""
_SCALE = 8.0
"""A unit vector of 128 numbers has entries near 1 / 11; the networks get them near 1."""


@torch.no_grad()
def identity_hint(start: Tensor, reference: Reference | None) -> Tensor:
    """Embed completed portraits (N, 3, S, S) in the aligned frame and, where present, reference photos: (N, HINTS)."""
    present = start.new_zeros(len(start)) if reference is None else reference.present
    pictures = start if reference is None else torch.where(present.view(-1, 1, 1, 1) > 0, reference.image, start)
    embedding = sface_encoder().embed(pictures, template_points(start)) * _SCALE
    return torch.cat([embedding, torch.stack([torch.zeros_like(present), 1 - present, present], dim=1)], dim=1)


def without_hint(hint: Tensor, dropped: Tensor) -> Tensor:
    """Replace `hint` by "nothing is known" where `dropped` (N,) is 1."""
    nothing = torch.zeros_like(hint)
    nothing[:, -3] = 1
    return torch.where(dropped[:, None] > 0, nothing, hint)


def template_points(images: Tensor) -> Tensor:
    """List the five points (N, 5, 2) that aligned pictures (N, 3, S, S) have by construction, pixels."""
    points = torch.from_numpy(TEMPLATE).to(images) * images.shape[-1] - 0.5
    return points.expand(len(images), 5, 2)
