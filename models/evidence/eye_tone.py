"""Give missing eyes the darkness and the colour of what is seen of the eyes: no pale one beside a dark one.

The face model knows what eyes are like in general, and a few known pixels move it little. So the dark part of a
completed eye, iris, pupil and lashes, is shifted to the tone of the dark part of what is known of both eyes, where that
is darker. White and skin stay.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import from_planes, to_planes
from models.face.landmarks import Landmarks

EYES = (slice(36, 42), slice(42, 48))
"""Landmarks of the lids: left and right in the picture."""
_LEAST = 0.3
"""Known pixels, of the area of an eye's opening, from which they speak for it."""
_DARK, _LIGHT, _IRIS = 0.15, 0.9, 0.4
"""Quantiles of luma in the opening: what counts as dark and as white, and up to which colour is compared."""
_SOFT = 1 / 128
"""Standard deviation, in sides, of the edge over which the shift fades out."""
_FRACTION_BITS = 4


def with_like_eyes(completed: Tensor, chroma_mask: Tensor, landmarks: Sequence[Landmarks]) -> Tensor:
    """Shift the dark part of missing eyes to the tone of what is known of the eyes.

    Args:
        completed: (N, 3, S, S) completed portraits in [-1, 1]; known pixels are true.
        chroma_mask: (N, 1, S, S), 1 = colour, or all, is missing.
        landmarks: 68 points for each, pixels.

    Returns:
        (N, 3, S, S) in [-1, 1]; pixels away from the eyes are those of `completed`.
    """
    return torch.cat([_one(completed[n : n + 1], chroma_mask[n, 0] > 0.5, own) for n, own in enumerate(landmarks)])


def _one(completed: Tensor, missing: Tensor, landmarks: Landmarks) -> Tensor:
    eyes = [opening(landmarks[eye], completed.shape[-1]) for eye in EYES]
    known = (eyes[0] | eyes[1]) & ~missing
    planes = to_planes(completed)
    changed = planes.clone()
    for eye in eyes:
        if (eye & missing).any() and known.sum() >= _LEAST * eye.sum():
            changed += _shift(planes[0], eye, known) * _soft(eye & missing)
    return completed if torch.equal(changed, planes) else from_planes(changed).clamp(-1, 1)


def _shift(planes: Tensor, eye: Tensor, known: Tensor) -> Tensor:
    """Compute by how much (3, S, S) luma and colour change: nothing at the white, all of it at the dark."""
    y, own, theirs = planes[0], planes[:, eye], planes[:, known]
    (dark, light), theirs_dark = _quantiles(own[0], _DARK, _LIGHT), _quantiles(theirs[0], _DARK)[0]
    if theirs_dark >= dark:
        return torch.zeros_like(planes)
    share = ((light - y) / (light - dark).clamp_min(1e-3)).clamp(0, 1)
    colour = (iris_colour(theirs) - iris_colour(own))[1:]
    shift: Tensor = torch.cat([(theirs_dark - dark)[None], colour])[:, None, None] * share
    return shift


def iris_colour(pixels: Tensor) -> Tensor:
    """Average the darker ones of an eye's pixels (3, K), Y, Cb and Cr: (3,)."""
    darker: Tensor = pixels[:, pixels[0] <= _quantiles(pixels[0], _IRIS)[0]]
    return darker.mean(dim=1)


def _quantiles(values: Tensor, *shares: float) -> Tensor:
    return torch.quantile(values, torch.tensor(shares, dtype=values.dtype))


def opening(points: Landmarks, size: int) -> Tensor:
    """Draw what lies between the lids of an eye, given by six points (6, 2) in pixels: (S, S) bool."""
    canvas = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.round(points * 2**_FRACTION_BITS).astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, 1, shift=_FRACTION_BITS)
    return torch.from_numpy(canvas > 0)


def _soft(mask: Tensor) -> Tensor:
    """Widen a mask (S, S) by a pixel of 128, and soften its edge: (S, S) in [0, 1]."""
    size = mask.shape[-1]
    reach, sigma = max(1, round(size / 128)), _SOFT * size
    wide = F.max_pool2d(mask.float()[None, None], 2 * reach + 1, 1, reach)[0, 0]
    return torch.from_numpy(cv2.GaussianBlur(wide.numpy(), (0, 0), sigma))
