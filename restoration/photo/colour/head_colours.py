"""Give a photo the colours of the heads in it, with a soft edge along the picture's own edges.

The face model tells the colours of an aligned square: surely within the face, less so in hair, and hardly beside the
head. They are spread from where they are sure to pixels of like luma. What is head is cut out by luma, texture and
place, and softened where no edge of the picture bounds it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from models.face.alignment import Points
from models.face.regions import hull_polygon
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.classical import luma, with_luma
from restoration.photo.colour.colour_spread import SIDE, Guide, Plane, guided, small_side, spread
from restoration.photo.geometry import Frame, clear, from_frame
from restoration.photo.windows import Window, around, shrunk_plane

_REACH = 1.3
"""How far around a face its surroundings are looked at, in sizes of the face: nothing is head there."""
_INNER = 0.05
"""Distance within the hull, in sizes of the face, from which a pixel is the face's for certain."""
_LIKELY, _BESIDE = 0.2, 0.7
"""Distances from the hull, in sizes of the face: so near a pixel may well be head, so far it is certainly not."""
_ABOVE = 0.45
"""By which share distances count less straight above a face, where there is hair."""
_TOLD = 0.4
"""Distance from the hull, in sizes of the face, up to which the face model's colours say something."""
_SURE, _CUT, _MAYBE = 0.03, 0.15, 0.15
"""Lengths, in sizes of the face, over which what is sure, cut out or a guess holds against the neighbours."""
_TEXTURE = 7
"""Side, pixels of the copy, of the neighbourhood in which luma's deviation is measured."""
_PLACE, _ROUGH = 60.0, 4.0
"""What a size of the face, and a grey level of deviation, count for beside a grey level when a head is cut out."""
_STRIP = 128
"""Rows that are coloured together."""
_ROUNDS = 5
"""Of GrabCut; more change nothing that can be seen."""
_SOFT = (0.3, 0.7)
"""Shares of the head between which colour sets in."""
_KNOWN = 1e4
"""Weight of known colour against a neighbour's of 1."""
_NOTHING = np.float32(1e-7)
"""Weight of what is not known at all: the solution stays unique."""


@dataclass(frozen=True, eq=False)
class Head:
    """A face in a photo.

    Attributes:
        hull: its corners (K, 2), x and y in pixels of the photo.
        up: from the chin to the brows, (x, y) of length 1.
        told: (H, W) pixels of the photo whose colours the face model told.
    """

    hull: npt.NDArray[np.float32]
    up: tuple[float, float]
    told: Mask

    @property
    def size(self) -> float:
        """The square root of the hull's area, pixels."""
        return float(np.sqrt(max(cv2.contourArea(self.hull), 1.0)))

    def within(self, window: Window) -> "Head":
        """Give the same head in a window of the photo."""
        origin = np.array([window[1].start, window[0].start], np.float32)
        return replace(self, hull=self.hull - origin, told=self.told[window])


def head_of(frame: Frame, landmarks: Points, domain: Mask) -> Head:
    """Give the head with landmarks (68, 2) in its aligned frame, whose part of the photo is `domain` (H, W)."""
    points = from_frame(frame, landmarks)
    up = points[17:27].mean(axis=0) - points[8]
    x, y = up / np.maximum(np.linalg.norm(up), 1e-6)
    return Head(hull_polygon(points), (float(x), float(y)), clear(frame, domain))


def colour_heads(picture: Image, heads: Sequence[Head], where: Mask, budget: Budget = UNLIMITED) -> Image:
    """Give heads their colours, and make all else grey, `where` (H, W) a photo has no colour of its own.

    Args:
        picture: (H, W, 3), with the colours of each head where they are told.
        heads: those to be coloured; there may be none.
        where: pixels to be coloured.
        budget: is checked from strip to strip.

    Returns:
        (H, W, 3) uint8 with the luma of `picture`, to a rounding; pixels elsewhere are the same bits.

    Raises:
        Stopped: the budget is spent.
    """
    result = picture.copy()
    for rows in _strips(where, budget):
        here = where[rows]
        result[rows][here] = with_luma(luma(picture[rows][here]), np.zeros((1, 3), np.float32))
    for head in heads:
        window = _surroundings(head, where.shape)
        own, seen, coloured = where[window], picture[window], result[window]
        if own.any():
            share, chroma = _of_head(seen, head.within(window))
            for rows in _strips(own, budget):
                here, shown = own[rows], luma(seen[rows])
                part = _rising(share.at(shown[..., 0], rows.start))
                mixed = part * chroma.at(shown[..., 0], rows.start) + (1 - part) * (coloured[rows] - shown)
                coloured[rows][here] = with_luma(shown[here], mixed[here])
    return result


def colour_between(picture: Image, heads: Sequence[Head], where: Mask, budget: Budget = UNLIMITED) -> Image:
    """Colour pixels `where` (H, W) colour is missing from the known ones around them, and from the heads.

    Args:
        picture: (H, W, 3): known elsewhere, and with the colours of each head where they are told.
        heads: those that lie there; there may be none.
        where: pixels to be coloured, at least one.
        budget: is checked from strip to strip.

    Returns:
        As `colour_heads`.

    Raises:
        Stopped: the budget is spent.
    """
    window = around(where, 4 * max(1, max(where.shape) // SIDE))
    own, missing = picture[window], where[window]
    width, side = missing.shape[1], small_side(missing.shape)
    seen = ~missing
    weights = np.where(_small_mask(seen, side) > 0.5, np.float32(_KNOWN), np.float32(0))
    for head in (head.within(window) for head in heads):
        weights = np.maximum(weights, _telling(_distance(head, side, missing.shape), head, side, missing.shape))
        seen[head.told] = True
    share = _small_mask(seen, side)
    planes = [shrunk_plane(partial(_chroma, own, channel, seen), width, side) for channel in range(3)]
    mean = np.asarray(np.stack(planes, axis=-1) / np.maximum(share, 1e-3)[..., None], np.float32)
    small = shrunk_plane(partial(_luma, own), width, side)
    weights = np.asarray(weights * (share > 0) + _NOTHING, np.float32)
    chroma = guided(spread(small, mean, weights), small, (missing.shape[0], width))
    result = picture.copy()
    for rows in _strips(missing, budget):
        here, shown = missing[rows], luma(own[rows])
        result[window][rows][here] = with_luma(shown[here], chroma.at(shown[..., 0], rows.start)[here])
    return result


def _strips(where: Mask, budget: Budget) -> Iterator[slice]:
    """Some rows at a time of those in which a mask (H, W) has pixels: a photo's colours are too much in floats."""
    for top in range(0, len(where), _STRIP):
        budget.check()
        rows = slice(top, min(top + _STRIP, len(where)))
        if where[rows].any():
            yield rows


def _luma(picture: Image, columns: slice) -> Plane:
    return luma(picture[:, columns])[..., 0]


def _chroma(picture: Image, channel: int, seen: Mask | None, columns: slice) -> Plane:
    """One channel of some columns less their luma, 0 where it is not `seen`."""
    colour = picture[:, columns, channel] - _luma(picture, columns)
    return np.asarray(colour if seen is None else colour * seen[:, columns], np.float32)


def _of_head(picture: Image, head: Head) -> tuple[Guide, Guide]:
    """Share (1 value, not yet clipped) and colour (3 values) of a head in a window (H, W, 3) of a photo."""
    height, width = picture.shape[:2]
    side = small_side(picture.shape)
    away, small = _distance(head, side, picture.shape[:2]), shrunk_plane(partial(_luma, picture), width, side)
    weights = _telling(away, head, side, picture.shape[:2]) + _NOTHING
    planes = [shrunk_plane(partial(_chroma, picture, channel, None), width, side) for channel in range(3)]
    colour = guided(spread(small, np.stack(planes, axis=-1), weights), small, (height, width))
    is_head, sure = _cut_out(small, away)
    unit = head.size * side[0] / width
    weights = np.where(sure, _holding(_SURE, unit), _holding(_CUT, unit)).astype(np.float32)
    return guided(spread(small, is_head[..., None], weights), small, (height, width)), colour


def _rising(share: Plane) -> Plane:
    """How much colour a share of a head gives, 0..1."""
    rising = np.clip((share - _SOFT[0]) / (_SOFT[1] - _SOFT[0]), 0, 1)
    return np.asarray(rising * rising * (3 - 2 * rising), np.float32)


def _cut_out(small: Plane, away: Plane) -> tuple[Plane, Mask]:
    """What is head (GrabCut, Rother et al. 2004), 0 or 1, and where that is sure; (h, w) both."""
    inside, beside = away < -_INNER, away > _BESIDE
    likely = away < _LIKELY
    if not inside.any() or likely.all():
        return likely.astype(np.float32), inside | beside
    side = (_TEXTURE, _TEXTURE)
    mean = cv2.blur(small, side)
    deviation = np.sqrt(np.maximum(cv2.blur(small * small, side) - mean * mean, 0))
    looks = np.clip(np.stack([small, 128 + _PLACE * away, _ROUGH * deviation], axis=-1), 0, 255).astype(np.uint8)
    labels = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    labels = np.where(inside, cv2.GC_FGD, np.where(beside, cv2.GC_BGD, labels)).astype(np.uint8)
    cv2.setRNGSeed(1)  # the same photo is always cut alike
    cv2.grabCut(looks, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32), inside | beside


def _telling(away: Plane, head: Head, side: tuple[int, int], shape: tuple[int, ...]) -> Plane:
    """How surely the face model tells the colour of each pixel of the copy (h, w), as a weight."""
    unit = head.size * side[0] / shape[1]
    guess = np.clip(1 - away / _TOLD, 0, 1) ** 2 * _holding(_MAYBE, unit)
    told = _small_mask(head.told, side) > 0.99
    return np.asarray(told * np.where(away < -_INNER, _holding(_SURE, unit), guess), np.float32)


def _holding(length: float, unit: float) -> float:
    """Weight with which a target holds over a length, in sizes of a face of `unit` pixels, against its neighbours."""
    return 1 / max(length * unit, 0.1) ** 2


def _distance(head: Head, side: tuple[int, int], shape: tuple[int, ...]) -> Plane:
    """Distance from the hull, in sizes of the face, of each pixel of the copy; negative within, less above it."""
    scale = side[0] / shape[1]
    outline = (head.hull + 0.5) * scale - 0.5
    face = cv2.fillConvexPoly(np.zeros(side[::-1], np.uint8), np.rint(outline).astype(np.int32), 1)
    if not face.any():
        return np.full(side[::-1], 1e3, np.float32)
    outside, inside = (cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for one in (1 - face, face))
    x, y = np.meshgrid(*(np.arange(length) - middle for length, middle in zip(side, outline.mean(axis=0), strict=True)))
    above = (x * head.up[0] + y * head.up[1]) / np.maximum(np.hypot(x, y), 1)
    nearer = 1 - _ABOVE * np.clip(above, 0, 1)
    return np.asarray((outside * nearer - inside) / (head.size * scale), np.float32)


def _surroundings(head: Head, shape: tuple[int, ...]) -> Window:
    margin = _REACH * head.size
    low, high = head.hull.min(axis=0) - margin, head.hull.max(axis=0) + margin
    left, top = (max(0, int(one)) for one in low)
    return slice(top, max(top, min(shape[0], int(high[1]) + 2))), slice(
        left, max(left, min(shape[1], int(high[0]) + 2))
    )


def _small_mask(mask: Mask, side: tuple[int, int]) -> Plane:
    """The share of a mask (H, W) in each pixel of a copy of `side` (width, height)."""
    return shrunk_plane(lambda columns: mask[:, columns].astype(np.float32), mask.shape[1], side)
