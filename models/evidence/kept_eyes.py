"""Keep the eyes of the start: a corrected eye looks odd long before measures say so.

LPIPS and identity losses reward speckle and double rims in an iris that people see at once, while encoders hardly look
there (docs/decisions/27-eyes-are-kept.md).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from models.face.landmarkers import Landmarker, aligned_landmarks
from models.face.landmarks import Landmarks
from models.face.regions import feature_regions

KEPT = ("left_eye", "right_eye")
_WIDER, _FADING = 2 / 128, 2 / 128
"""Of the side: by how much the eyes are widened, and the standard deviation over which they fade out."""


def with_kept_eyes(start: Tensor, proposal: Tensor, landmarker: Landmarker) -> Tensor:
    """Take the eyes of the start (N, 3, S, S), which `landmarker` finds, into a proposal alike, with a soft edge."""
    share = _around_eyes(aligned_landmarks(start, landmarker), start.shape[-1]).to(proposal)
    return torch.lerp(proposal, start, share)


def _around_eyes(landmarks: Sequence[Landmarks], size: int) -> Tensor:
    """Draw the eyes, (N, 1, S, S) in [0, 1]."""
    reach = max(1, round(_WIDER * size))
    square, drawn = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8), []
    for points in landmarks:
        regions = feature_regions(points, size)
        eyes = np.logical_or.reduce([regions[name] for name in KEPT]).astype(np.float32)
        drawn.append(cv2.GaussianBlur(cv2.dilate(eyes, square), (0, 0), _FADING * size))
    return torch.from_numpy(np.stack(drawn))[:, None]
