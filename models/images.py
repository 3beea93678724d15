"""Convert between uint8 pictures at the edges and float tensors in the core."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Image = npt.NDArray[np.uint8]
"""RGB picture, (H, W, 3), 0..255."""
Mask = npt.NDArray[np.bool_]
"""(H, W), True = missing."""


def to_tensor(images: npt.NDArray[np.uint8]) -> Tensor:
    """Convert RGB (N, H, W, 3) or (H, W, 3) uint8 0..255 to (N, 3, H, W) float32 in [-1, 1]."""
    batch = images[None] if images.ndim == 3 else images
    tensor = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)
    return tensor.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> npt.NDArray[np.uint8]:
    """Convert (N, 3, H, W) float in [-1, 1] to (N, H, W, 3) uint8, rounded and clipped; inverse of `to_tensor`."""
    scaled = images.detach().to(torch.float32).add(1.0).mul(127.5).round().clamp(0, 255)
    array: npt.NDArray[np.uint8] = scaled.permute(0, 2, 3, 1).to("cpu", torch.uint8).numpy()
    return array


def mask_to_tensor(masks: npt.NDArray[np.bool_]) -> Tensor:
    """Convert (N, H, W) or (H, W) bool to (N, 1, H, W) float32, 1 = missing."""
    batch = masks[None] if masks.ndim == 2 else masks
    return torch.from_numpy(np.ascontiguousarray(batch)).unsqueeze(1).to(torch.float32)
