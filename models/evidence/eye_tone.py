"""Give missing eyes the darkness and the colour of what is seen of the eyes: no pale one beside a dark one.

The face model knows what eyes are like in general, and a few known pixels move it little. So the dark part of a
completed eye, iris, pupil and lashes, is shifted to the tone of the dark part of what is known of both eyes, where that
is darker. Where too little of them is seen it is shifted to what true eyes are like whose completion is as dark: a
completion is a mean of irises that do not lie on each other, and so too pale. White and skin stay.
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
LEAST = 0.3
"""Known pixels, of the area of an eye's opening, from which they speak for it."""
_DARK, _LIGHT, _IRIS = 0.15, 0.9, 0.4
"""Quantiles of luma in the opening: what counts as dark and as white, and up to which colour is compared."""
_TRUE_DARK = (-0.230, 0.708)
"""Offset and slope from the dark of completed eyes to that of the true ones, luma, where nothing is seen of them."""
_TRUE_COLOUR = (0.023, -0.032)
"""By how much true irises have more Cb and Cr than completed ones."""
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
        if (eye & missing).any():
            seen = known.sum() >= LEAST * eye.sum()
            change = _to_seen(planes[0], eye, known) if seen else _to_usual(planes[0], eye)
            changed += _shift(planes[0], eye, change) * _soft(eye & missing)
    return completed if torch.equal(changed, planes) else from_planes(changed).clamp(-1, 1)


def _to_seen(planes: Tensor, eye: Tensor, known: Tensor) -> Tensor:
    """Compute the change (3,) of an eye's dark part to that of what is known of both eyes."""
    own, theirs = planes[:, eye], planes[:, known]
    dark = _quantiles(theirs[0], _DARK) - _quantiles(own[0], _DARK)
    return torch.cat([dark, (iris_colour(theirs) - iris_colour(own))[1:]])


def _to_usual(planes: Tensor, eye: Tensor) -> Tensor:
    """Compute the change (3,) of a completed eye's dark part to that of true eyes."""
    offset, slope = _TRUE_DARK
    dark = _quantiles(planes[0, eye], _DARK)
    return torch.cat([offset + (slope - 1) * dark, dark.new_tensor(_TRUE_COLOUR)])


def _shift(planes: Tensor, eye: Tensor, change: Tensor) -> Tensor:
    """Compute by how much (3, S, S) luma and colour change: nothing at the white, all of it at the dark.

    Nothing at all where the eye would become lighter.
    """
    if change[0] >= 0:
        return torch.zeros_like(planes)
    dark, light = _quantiles(planes[0, eye], _DARK, _LIGHT)
    share = ((light - planes[0]) / (light - dark).clamp_min(1e-3)).clamp(0, 1)
    shift: Tensor = change[:, None, None] * share
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
