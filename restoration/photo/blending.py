"""Set a fill into a hole without a seam: inside the hole only, and without inventing detail.

The fill is shifted by a smooth field that equals, along the rim, the difference between the surroundings and the
fill, and is harmonic in between (the membrane solution of Perez et al., "Poisson Image Editing", 2003, with the
fill's own gradients as guidance). High frequencies of that difference die out within a few pixels of the rim.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.harmonic import Field, harmonic, harmonic_part
from restoration.photo.windows import Window, around, moved, shared, widened, within

_WHOLE = 1 << 20
"""Pixels of a window up to which its part is filled at once; of a larger one tile by tile, with the same result."""
_TILE = 1024
"""Side of the tiles, pixels."""
_SCATTERED, _BLOCK = 1 << 22, 32
"""Pixels of a window from which parts within a block of so many pixels, or the next one, count as one."""


def blend(canvas: Image, fill: Field, domain: Mask, missing: Mask, ramp: float, bare: Mask | None = None) -> Image:
    """A copy of `canvas` (H, W, 3) whose `domain` (H, W) pixels come from `fill` (H, W, 3); see `blend_in`."""
    result = canvas.copy()
    blend_in(result, lambda window: fill[window], domain, missing, ramp, bare)
    return result


def blend_in(
    canvas: Image,
    fill: Callable[[Window], Field],
    domain: Mask,
    missing: Mask,
    ramp: float,
    bare: Mask | None = None,
    budget: Budget = UNLIMITED,
) -> None:
    """Fill the `domain` (H, W) pixels of `canvas` (H, W, 3), in place, shifted to meet the known rim.

    Pixels outside `domain` are the same bits. Where the domain meets missing pixels that are not its own, there is
    no truth to meet: there the fill fades into the canvas instead.

    Args:
        canvas: the picture so far; its known pixels are the truth.
        fill: gives a window of the fill (h, w, 3), also valid one pixel around the domain.
        domain: pixels to fill; within `missing`.
        missing: all pixels (H, W) that are not known.
        ramp: width of that fading, pixels.
        bare: missing pixels (H, W) that will stay so: neither a truth to meet nor a fill to fade into.
        budget: is checked wherever the fill is looked at.

    Raises:
        Stopped: the budget is spent; some of the domain is filled then.
    """
    for window, part in _parts(domain):
        fixed = _known_rim(part, missing[window])
        for tile, offset in _offsets(canvas, fill, window, part, fixed, budget):
            place, own = moved(tile, window), part[tile]
            mixed = fill(place) + offset
            share = _share(place, domain, missing, bare, ramp)
            if share is not None:
                mixed = share * mixed + (1 - share) * canvas[place]
            canvas[place][own] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)[own]


def _offsets(
    canvas: Image, fill: Callable[[Window], Field], window: Window, part: Mask, fixed: Mask, budget: Budget
) -> Iterator[tuple[Window, Field]]:
    """Tiles of a part's window, with the field that shifts the fill there; known pixels alone decide about it."""

    def gap(tile: Window) -> Field:
        budget.check()
        place = moved(tile, window)
        return np.asarray(canvas[place] - fill(place), np.float32)

    height, width = part.shape
    if part.size <= _WHOLE:
        whole = slice(0, height), slice(0, width)
        yield whole, harmonic(gap(whole), fixed)
        return
    tiles = [
        moved(around(part[top : top + _TILE, left : left + _TILE], 0), (slice(top, None), slice(left, None)))
        for top in range(0, height, _TILE)
        for left in range(0, width, _TILE)
        if part[top : top + _TILE, left : left + _TILE].any()
    ]
    yield from harmonic_part(gap, fixed, tiles)


def _share(place: Window, domain: Mask, missing: Mask, bare: Mask | None, ramp: float) -> Field | None:
    """Shares (h, w, 1) of the fill: 0 on missing pixels of others, rising to 1 at `ramp` pixels from them.

    None where there are none so near: distances do not depend on what lies further away.
    """
    near = widened(place, round(1.1 * ramp) + 3, domain.shape)
    foreign = missing[near] & ~domain[near]
    if bare is not None:
        foreign &= ~bare[near]
    if not foreign.any():
        return None
    distance = cv2.distanceTransform((~foreign).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.clip(distance[within(place, near)] / ramp, 0, 1)[..., None], np.float32)


def _known_rim(part: Mask, missing: Mask) -> Mask:
    """Known pixels (h, w) beside a part."""
    rim = np.empty(part.shape, np.bool_)
    for top in range(0, len(part), _TILE):  # in strips, which keeps memory small
        rows = slice(top, min(top + _TILE, len(part)))
        seen = slice(max(0, top - 1), rows.stop + 1)
        grown = cv2.dilate(np.ascontiguousarray(part[seen]).view(np.uint8), np.ones((3, 3), np.uint8))
        rim[rows] = (grown[top - seen.start :][: rows.stop - top] > 0) & ~part[rows] & ~missing[rows]
    return rim


def _parts(domain: Mask) -> Iterator[tuple[Window, Mask]]:
    """Each connected part of `domain`: a window one pixel wider than it, and the part inside that window.

    Parts are told apart after growing by a pixel, so the rim of one never lies in another. In a large window those that
    lie near each other count as one: a hundred thousand specks would take as many windows.
    """
    if not domain.any():
        return
    place = around(domain, 1)
    own = domain[place]
    if own.size > _SCATTERED:
        yield from ((moved(window, place), part) for window, part in _near_each_other(own))
        return
    grown = cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    for label in range(1, count):
        x, y, width, height, _ = (int(figure) for figure in stats[label])
        window = slice(y, y + height), slice(x, x + width)
        yield moved(window, place), np.asarray((labels[window] == label) & own[window])


def _near_each_other(domain: Mask) -> Iterator[tuple[Window, Mask]]:
    """As `_parts`, told apart by blocks of pixels, which also takes less memory."""
    blocks = [-(-side // _BLOCK) for side in domain.shape]
    held = np.zeros((blocks[0], blocks[1]), np.uint8)
    for row in range(blocks[0]):
        columns = np.flatnonzero(domain[row * _BLOCK : (row + 1) * _BLOCK].any(axis=0))
        held[row, columns // _BLOCK] = 1
    count, labels, stats, _ = cv2.connectedComponentsWithStats(held, connectivity=8)
    for label in range(1, count):
        x, y, width, height, _ = (int(figure) for figure in stats[label])
        chosen = (labels[y : y + height, x : x + width] == label).repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
        top, left = y * _BLOCK, x * _BLOCK
        part = domain[top : top + len(chosen), left : left + chosen.shape[1]]
        own = np.zeros((part.shape[0] + 2, part.shape[1] + 2), np.bool_)
        own[1:-1, 1:-1] = part & chosen[: part.shape[0], : part.shape[1]]
        inner = around(own, 1)
        within_domain = shared(moved(inner, (slice(top - 1, None), slice(left - 1, None))), _whole(domain))
        yield within_domain, own[within(within_domain, (slice(top - 1, None), slice(left - 1, None)))]


def _whole(mask: Mask) -> Window:
    return slice(0, mask.shape[0]), slice(0, mask.shape[1])
