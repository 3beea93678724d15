"""Connected pieces of damage, each with its kind and calibrated confidence."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.damage_finder.confidence import Confidence, Measured
from models.damage_finder.damage_map import DamageMap, enlarged_rows, halved
from models.damage_finder.kinds import FAMILIES, KINDS
from models.damage_finder.overview import thick_parts
from models.images import Mask

Ints = npt.NDArray[np.int64]
WIDEST_LINE = 0.015
"""Width, in long sides of the photo, from which damage is a patch; but at least `_WIDEST_PIXELS`."""
_WIDEST_PIXELS = 14
_PATCHES, _NOTHING = len(FAMILIES), len(FAMILIES) + 1
_CLEAR = 128
"""Level of a probability of 0.5: what lies between cracks that run close together reaches it seldom."""
_RIM = 0.03
"""Width of the photo's border, in its short sides."""
_STRIP = 512
_CERTAIN = 204
"""Level of a probability of 0.8, from which a pixel is damaged almost certainly."""
_FAMILY_OF_KIND = np.array(
    [next(n for n, kinds in enumerate(FAMILIES.values()) if kind in kinds) for kind in KINDS], np.uint8
)


@dataclass(frozen=True, eq=False)
class Pieces:
    """All pieces of one photo (H, W), numbered from 0.

    A piece is connected (8 neighbours, gaps of a pixel closed) and either a patch, or thin and of one family of kinds:
    where cracks run into a lost corner, or through a stain, they are pieces of their own.

    Attributes:
        shape: (H, W).
        labels: (ceil(H / 2), ceil(W / 2)) int32, number of the piece plus one, 0 = none.
        kind: (P,) index into `KINDS`.
        confidence: (P,) probability that the piece is damage.
        pixels: (P,) size, in pixels of the photo.
        patch: (P,) bool, wider than `WIDEST_LINE`.
        boxes: (P, 4) x, y, width, height in pixels of the photo.
        seen_by_parts: (P,) share of the piece that the photo's parts show as well, not the whole alone, 0..1.
        measured: what the confidences rest on.
    """

    shape: tuple[int, int]
    labels: npt.NDArray[np.int32]
    kind: Ints
    confidence: npt.NDArray[np.float64]
    pixels: Ints
    patch: Mask
    boxes: Ints
    seen_by_parts: npt.NDArray[np.float64]
    measured: Measured

    def __len__(self) -> int:
        return len(self.kind)

    def mask_of(self, chosen: Mask, damaged: Mask) -> Mask:
        """(H, W): pixels of `damaged` (H, W) in the chosen (P,) pieces."""
        return self.levels_of(chosen.view(np.uint8), damaged).view(np.bool_)

    def levels_of(self, levels: npt.NDArray[np.uint8], damaged: Mask) -> npt.NDArray[np.uint8]:
        """(H, W): the levels (P,) of the pieces where `damaged` (H, W), 0 elsewhere."""
        by_label = np.concatenate([np.zeros(1, np.uint8), levels])
        picture = damaged.astype(np.uint8)
        for top in range(0, len(self.labels), _STRIP):  # in strips, which keeps memory small
            half = by_label[self.labels[top : top + _STRIP]]
            part = picture[2 * top : 2 * (top + _STRIP)]
            part *= half.repeat(2, axis=0).repeat(2, axis=1)[: len(part), : self.shape[1]]
        return picture


def find_pieces(found: DamageMap, threshold: float, confidence: Confidence) -> Pieces:
    """The connected pieces of a photo where the probability of damage is at least `threshold` (0..1)."""
    height, width = found.probability.shape
    half = halved(found.probability)
    level = round(threshold * 255)
    widest = max(_WIDEST_PIXELS, round(WIDEST_LINE * max(height, width))) // 2
    thin = (found.parts >= level) & ~thick_parts(found.parts >= max(_CLEAR, level), widest)
    family = np.where(half >= level, np.uint8(_PATCHES), np.uint8(_NOTHING))
    family[thin] = _FAMILY_OF_KIND[found.kind[thin]]
    labels = np.zeros(half.shape, np.int32)
    boxes: list[npt.NDArray[np.int32]] = []
    for number in (*range(len(FAMILIES)), _PATCHES):
        before = len(boxes)
        part = (family == number).view(np.uint8)
        count, own, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
        np.add(own, before, out=labels, where=own > 0)
        boxes += list(stats[1:count, :4])
    patch = np.arange(len(boxes)) >= before
    box = np.array(boxes, np.int64).reshape(-1, 4)
    measured, kind = _measured(found, half, labels, box, patch, (height, width))
    low, high = _corners(box, (height, width))
    return Pieces(
        shape=(height, width),
        labels=labels,
        kind=kind,
        confidence=confidence.of(measured),
        pixels=measured.pixels.astype(np.int64),
        patch=patch,
        boxes=np.hstack([low, high - low]),
        seen_by_parts=_share_at(labels, found.parts >= level, len(box)),
        measured=measured,
    )


def _measured(
    found: DamageMap,
    half: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    boxes: Ints,
    patch: Mask,
    shape: tuple[int, int],
) -> tuple[Measured, Ints]:
    """Measure the pieces, and name the kind (P,) that most of their pixels have."""
    count = len(boxes)
    size = np.zeros(count, np.int64)
    total, highest, whole = np.zeros((3, count), np.float64)
    votes = np.zeros(count * len(KINDS), np.int64)
    for top in range(0, len(labels), _STRIP):  # in strips, which keeps memory small
        rows = slice(top, top + _STRIP)
        at = np.flatnonzero(labels[rows])
        number = labels[rows].ravel()[at] - 1
        probability = half[rows].ravel()[at] / 255
        size += np.bincount(number, minlength=count)
        total += np.bincount(number, probability, minlength=count)
        seen_whole = enlarged_rows(found.whole, rows, (labels.shape[0], labels.shape[1]))
        whole += np.bincount(number, seen_whole.ravel()[at] / 255, minlength=count)
        np.maximum.at(highest, number, probability)
        votes += np.bincount(number * len(KINDS) + found.kind[rows].ravel()[at], minlength=count * len(KINDS))
    kind = votes.reshape(count, len(KINDS)).argmax(axis=1)
    low, high = _corners(boxes, shape)
    measured = Measured(
        mean=np.asarray(total / np.maximum(size, 1), np.float64),
        highest=highest,
        whole=np.asarray(whole / np.maximum(size, 1), np.float64),
        pixels=4 * size.astype(np.float64),
        extent=np.hypot(*(high - low).T.astype(np.float64)),
        long_side=max(shape),
        border=_share_at_border(labels, size),
        group=np.where(patch, _PATCHES, _FAMILY_OF_KIND[kind]).astype(np.int64),
        state=cv2.countNonZero(np.asarray(found.parts >= _CERTAIN, np.uint8)) / found.parts.size,
    )
    return measured, kind


def _corners(boxes: Ints, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """(P, 2) x, y each: least and greatest, in pixels of the photo, of boxes at half resolution."""
    return 2 * boxes[:, :2], np.minimum(2 * (boxes[:, :2] + boxes[:, 2:]), np.array(shape[::-1]))


def _share_at_border(labels: npt.NDArray[np.int32], size: Ints) -> npt.NDArray[np.float64]:
    """(P,) share of each piece, of so many pixels, that lies along the photo's border."""
    rim = max(1, round(_RIM * min(labels.shape)))
    within = np.bincount(labels[rim:-rim, rim:-rim].ravel(), minlength=len(size) + 1)[1:]
    return np.asarray(1 - within / np.maximum(size, 1), np.float64)


def _share_at(labels: npt.NDArray[np.int32], at: Mask, count: int) -> npt.NDArray[np.float64]:
    """(P,) share of each of `count` pieces that lies where `at`."""
    inside, all_of_it = (np.bincount(part, minlength=count + 1)[1:] for part in (labels[at], labels.ravel()))
    return np.asarray(inside / np.maximum(all_of_it, 1), np.float64)
