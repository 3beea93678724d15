"""Fill wide damage of background, clothes and hair with texture from the rest of the photo.

PatchMatch (Barnes et al. 2009, "PatchMatch: a randomized correspondence algorithm for structural image editing"; the
package pypatchmatch), at a bounded size, set in without a seam and with the photo's grain.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np

from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.photo.blending import blend_in
from restoration.photo.thin_fill import add_grain
from restoration.photo.windows import enlarged, shrunk_mask

_SIDE = 640
"""Long side, pixels, at which texture is looked for: its time grows with the area."""
_MOST_MISSING, _SMALLER = 200_000, 0.8
"""Pixels that are missing there at most, and by how much the photo is shrunk further with more: nobody can stop the
package, which takes about two seconds for so many."""
_PATCH = 3
"""Pixels around a pixel that are compared."""
_SEED = 1
_ONE_AT_A_TIME = threading.Lock()
"""The package has one generator of random numbers; with it the same photo is always filled alike."""
_PATIENCE = 0.2
"""Seconds after which whoever waits looks whether it still should."""
_GROWTH = 2
"""Pixels by which a shrunk hole grows, so that nothing of the damage is left at its rim."""

Box = tuple[float, float, float, float]
"""x, y, width, height."""


def fill_with_texture(
    plain: Image, wide: Mask, missing: Mask, faces: Sequence[Box], budget: Budget = UNLIMITED
) -> None:
    """Fill the pixels `wide` (H, W) of a photo (H, W, 3), in place; all others stay the same bits.

    Args:
        plain: the photo, its missing pixels filled in any way.
        wide: what is to be filled.
        missing: all missing pixels (H, W), from which nothing is copied.
        faces: nothing is copied from them either: a fill must not grow eyes.
        budget: is checked while other photos are filled, and from tile to tile.

    Raises:
        Stopped: the budget is spent.
    """
    from patchmatch import patch_match

    height, width = wide.shape
    shrink = min(1.0, _SIDE / max(height, width))
    side, hole = _shrunk(missing, shrink)
    while np.count_nonzero(hole) > _MOST_MISSING:
        shrink *= _SMALLER
        side, hole = _shrunk(missing, shrink)
    small = np.asarray(cv2.resize(plain, side, interpolation=cv2.INTER_AREA), np.uint8)
    kept_out = np.zeros_like(hole)
    for x, y, across, down in faces:
        left, top = max(0, round(x * shrink)), max(0, round(y * shrink))
        kept_out[top : round((y + down) * shrink) + 1, left : round((x + across) * shrink) + 1] = True
    kept_out &= ~hole  # what is kept out is not filled either
    if (kept_out | hole).all():
        return
    with _one_at_a_time(budget):
        patch_match.set_random_seed(_SEED)
        filled = patch_match.inpaint(
            small, hole * np.uint8(255), global_mask=kept_out * np.uint8(255), patch_size=_PATCH
        )
    fill = np.asarray(filled, np.uint8)
    blend_in(plain, lambda window: enlarged(fill, window, (height, width)), wide, missing, 1.0, budget=budget)
    add_grain(plain, wide, budget)


@contextmanager
def _one_at_a_time(budget: Budget) -> Iterator[None]:
    while not _ONE_AT_A_TIME.acquire(timeout=_PATIENCE):
        budget.check()
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()


def on_faces(mask: Mask, faces: Sequence[Box]) -> Mask:
    """Choose the pixels of a mask (H, W) in the ellipses that the boxes of faces hold."""
    chosen = np.zeros_like(mask)
    for x, y, across, down in faces:
        window = tuple(
            slice(max(0, round(start)), min(end, max(0, round(start + length))))
            for start, length, end in ((y, down, mask.shape[0]), (x, across, mask.shape[1]))
        )
        rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) + 0.5 for part in window)
        radius = ((rows - y) / down - 0.5)[:, None] ** 2 + ((columns - x) / across - 0.5) ** 2
        chosen[window] |= mask[window] & (radius < 0.25)
    return chosen


def _shrunk(mask: Mask, shrink: float) -> tuple[tuple[int, int], Mask]:
    """The side (width, height) to which a photo is shrunk, and its mask (H, W) at that size."""
    side = (max(1, round(mask.shape[1] * shrink)), max(1, round(mask.shape[0] * shrink)))
    if side[0] == mask.shape[1]:
        return side, mask
    small = shrunk_mask(mask, side)
    return side, np.asarray(cv2.dilate(small.astype(np.uint8), np.ones((2 * _GROWTH + 1,) * 2, np.uint8)) > 0)
