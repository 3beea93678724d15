"""What a damaged portrait still says: a classical fill to start from, and the mirrored other half.

The prior is asked only for what the evidence leaves open: the generator corrects `Evidence.start`, and known
pixels never pass through it (`compose`).
"""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from models.images import Image, Mask, to_tensor, to_uint8

FillMethod = Literal["telea", "navier-stokes"]
CHANNELS = 9
"""Channels of `Evidence.stacked`."""
CONDITIONS = 4
"""Numbers in `Damaged.condition`."""

_FLAGS: dict[FillMethod, int] = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}
_RADIUS = 3.0  # pixels; the customary neighbourhood of cv2.inpaint
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Damaged:
    """A batch of damaged portraits.

    Attributes:
        image: (N, 3, H, W) RGB in [-1, 1]; missing pixels hold any value, colourless ones their luma.
        hole_mask: (N, 1, H, W), 1 = luma and chroma are missing.
        chroma_mask: (N, 1, H, W), 1 = chroma is missing; contains `hole_mask`.
        coverage: (N,) missing share of the face hull, [0, 1].
        missing_features: (N,) missing share of the eye, brow, nose and mouth regions, [0, 1].
    """

    image: Tensor
    hole_mask: Tensor
    chroma_mask: Tensor
    coverage: Tensor
    missing_features: Tensor

    def condition(self) -> Tensor:
        """(N, CONDITIONS): coverage, missing features, hole area, colourless area; all in [0, 1]."""
        hole, chroma = self.hole_mask.mean((1, 2, 3)), self.chroma_mask.mean((1, 2, 3))
        return torch.stack([self.coverage, self.missing_features, hole, chroma - hole], dim=1)

    def to(self, device: torch.device) -> "Damaged":
        """The same batch on another device."""
        return Damaged(**{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Evidence:
    """A damaged batch with what can be read off it without a prior.

    Attributes:
        damaged: the batch itself.
        start: (N, 3, H, W) classical fill of it, in [-1, 1].
    """

    damaged: Damaged
    start: Tensor

    def stacked(self) -> Tensor:
        """(N, CHANNELS, H, W): start, both masks, the mirrored start, and where the mirrored pixel is known."""
        masks = torch.cat([self.damaged.hole_mask, self.damaged.chroma_mask], dim=1)
        return torch.cat([self.start, masks, self.start.flip(-1), 1 - self.damaged.hole_mask.flip(-1)], dim=1)

    def to(self, device: torch.device) -> "Evidence":
        """The same evidence on another device."""
        return replace(self, damaged=self.damaged.to(device), start=self.start.to(device))


def classical_fill(image: Image, hole: Mask, chroma: Mask, method: FillMethod) -> Image:
    """Inpaint without a learnt prior: `cv2.inpaint` in the hole, and for colour alone where only chroma is gone.

    Args:
        image: (H, W, 3) uint8 RGB.
        hole: (H, W), True = luma and chroma missing.
        chroma: (H, W), True = chroma missing; contains `hole`.
        method: Telea (2004) or Navier-Stokes (Bertalmio et al., 2001).

    Returns:
        (H, W, 3) uint8 RGB. Known pixels are those of `image`. A picture with no known pixel at all comes back grey,
        one with no known colour comes back colourless.
    """
    filled = _inpaint(image, hole, method)
    colourless = chroma & ~hole
    if not colourless.any():
        return filled
    ycrcb = cv2.cvtColor(filled, cv2.COLOR_RGB2YCrCb)
    recoloured = np.dstack([ycrcb[..., 0], _inpaint(np.ascontiguousarray(ycrcb[..., 1:]), chroma, method)])
    rgb = cv2.cvtColor(recoloured, cv2.COLOR_YCrCb2RGB)
    return np.where(chroma[..., None], rgb, image).astype(np.uint8)


def gather(damaged: Damaged, method: FillMethod = "telea") -> Evidence:
    """Add the classical fill to a batch (picture by picture: OpenCV has no batches)."""
    holes = damaged.hole_mask[:, 0].cpu().numpy() > 0.5
    chromas = damaged.chroma_mask[:, 0].cpu().numpy() > 0.5
    pictures = zip(to_uint8(damaged.image), holes, chromas, strict=True)
    filled = np.stack([classical_fill(image, hole, chroma, method) for image, hole, chroma in pictures])
    return Evidence(damaged, to_tensor(filled).to(damaged.image.device))


def compose(damaged: Damaged, proposal: Tensor) -> Tensor:
    """Take from `proposal` only what is missing; everything known is copied, to the bit.

    In the hole the whole proposal; where chroma alone is gone, the proposal's colour on the known luma.

    Args:
        damaged: the batch.
        proposal: (N, 3, H, W), about [-1, 1].

    Returns:
        (N, 3, H, W); missing pixels clamped to [-1, 1].
    """
    coloured = proposal - luma(proposal) + luma(damaged.image)
    missing = torch.where(damaged.hole_mask > 0.5, proposal, coloured).clamp(-1, 1)
    return torch.where(damaged.chroma_mask > 0.5, missing, damaged.image)


def luma(images: Tensor) -> Tensor:
    """(N, 3, H, W) RGB -> (N, 1, H, W) luma in the same range (ITU-R BT.601 weights)."""
    weights = images.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)


def _inpaint(image: Image, missing: Mask, method: FillMethod) -> Image:
    if not missing.any():
        return image
    if missing.all():
        return np.full_like(image, 128)
    if image.shape[-1] == 2:  # OpenCV takes one or three channels
        planes = [_inpaint(np.ascontiguousarray(image[..., k]), missing, method) for k in range(2)]
        return np.dstack(planes)
    filled: Image = cv2.inpaint(image, missing.astype(np.uint8), _RADIUS, _FLAGS[method])
    keep = ~missing if image.ndim == 2 else ~missing[..., None]
    return np.where(keep, image, filled).astype(np.uint8)
