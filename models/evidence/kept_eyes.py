"""Keep the eyes of the start where anything is seen of them: a corrected eye beside a seen one looks odd.

LPIPS and identity losses reward speckle and double rims in an iris that people see at once, while encoders hardly look
there. Where neither eye is seen, there is no fellow to be held against, and the proposal's own are sharper and more
alike (docs/decisions/27-eyes-are-kept.md).
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from models.evidence.evidence import Evidence
from models.evidence.eye_tone import EYES, LEAST, opening
from models.face.landmarkers import Landmarker, aligned_landmarks
from models.face.landmarks import Landmarks
from models.face.regions import feature_regions

KEPT = ("left_eye", "right_eye")
_WIDER, _FADING = 2 / 128, 2 / 128
"""Of the side: by how much the eyes are widened, and the standard deviation over which they fade out."""


def with_kept_eyes(evidence: Evidence, proposal: Tensor, landmarker: Landmarker) -> Tensor:
    """Take the eyes of the start into a proposal (N, 3, S, S) where something of them is seen, with a soft edge.

    Args:
        evidence: of N portraits; their start tells where the eyes are.
        proposal: what a network makes of it, [-1, 1].
        landmarker: finds the eyes.
    """
    seen = (evidence.damaged.chroma_mask < 0.5) | (evidence.reference_mask > 0.5)
    points = aligned_landmarks(evidence.start, landmarker)
    kept = [number for number, own in enumerate(points) if are_seen(own, seen[number, 0])]
    mixed = proposal.clone()
    if kept:
        mixed[kept] = _mixed(evidence.start[kept], proposal[kept], [points[number] for number in kept])
    return mixed


def with_eyes_of_start(start: Tensor, proposal: Tensor, landmarker: Landmarker) -> Tensor:
    """Take all eyes of the start (N, 3, S, S) into a proposal alike, with a soft edge."""
    return _mixed(start, proposal, aligned_landmarks(start, landmarker))


def are_seen(points: Landmarks, seen: Tensor) -> bool:
    """Say whether enough is seen of the eyes of 68 landmarks, given the pixels (S, S) that are seen."""
    left, right = (opening(points[eye], seen.shape[-1]) for eye in EYES)
    known = (left | right) & seen.cpu()
    return bool(known.sum() >= LEAST * min(left.sum(), right.sum()))


def _mixed(start: Tensor, proposal: Tensor, points: Sequence[Landmarks]) -> Tensor:
    share = torch.stack([_around_eyes(own, proposal.shape[-1]) for own in points])
    return torch.lerp(proposal, start, share.to(proposal))


def _around_eyes(points: Landmarks, size: int) -> Tensor:
    """Draw the eyes, (1, S, S) in [0, 1]."""
    reach = max(1, round(_WIDER * size))
    regions = feature_regions(points, size)
    eyes = np.logical_or.reduce([regions[name] for name in KEPT]).astype(np.float32)
    wide = cv2.dilate(eyes, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return torch.from_numpy(cv2.GaussianBlur(wide, (0, 0), _FADING * size))[None]
