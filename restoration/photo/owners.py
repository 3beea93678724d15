"""Which face a missing pixel belongs to, kept where pixels are missing and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.images import Mask
from restoration.photo.geometry import Frame, closeness
from restoration.photo.windows import Window, around, moved, shared, within

_STRIP = 64
"""Rows that are worked on together."""
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Owners:
    """Owners of the missing pixels of a photo.

    Attributes:
        window: rows and columns in which pixels are missing.
        index: (h, w) int16 of the window: number of the frame, `NOBODY` for none. Where frames overlap, the one whose
            centre is nearer, in units of its size, has the pixel.
    """

    window: Window
    index: npt.NDArray[np.int16]

    @classmethod
    def of(cls, frames: Sequence[Frame], missing: Mask) -> "Owners":
        """Share the pixels `missing` (H, W) of a photo among frames."""
        window = around(missing, 0) if missing.any() else (slice(0, 0), slice(0, 0))
        index = np.full((window[0].stop - window[0].start, window[1].stop - window[1].start), NOBODY, np.int16)
        for top in range(0, len(index), _STRIP):  # in strips, which keeps memory small
            strip = slice(top, min(top + _STRIP, len(index))), slice(0, index.shape[1])
            _share(frames, moved(strip, window), index[strip])
        return cls(window, index)

    def own(self, number: int, among: Mask, window: Window) -> Mask:
        """Which pixels `among` (H, W) in a window (h, w) belong to a frame."""
        result = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.bool_)
        common = shared(window, self.window)
        result[within(common, window)] = among[common] & (self.index[within(common, self.window)] == number)
        return result

    def all_of(self, number: int, among: Mask, window: Window) -> Mask:
        """As `own`, of the whole photo (H, W); memory is taken in the window, and nowhere else."""
        result = np.zeros(among.shape, np.bool_)
        result[window] = self.own(number, among, window)
        return result

    def of_any(self, numbers: Sequence[int], among: Mask) -> Mask:
        """Which pixels `among` (H, W), all of them missing, belong to one of some frames, or to `NOBODY`: (H, W)."""
        result = np.zeros(among.shape, np.bool_)
        mine, missing = result[self.window], among[self.window]
        for top in range(0, len(self.index), _STRIP):  # in strips, which keeps memory small
            rows = slice(top, top + _STRIP)
            mine[rows] = missing[rows] & np.isin(self.index[rows], numbers)
        return result


def _share(frames: Sequence[Frame], place: Window, index: npt.NDArray[np.int16]) -> None:
    """Fill the owners (h, w) of a place in the photo, in place."""
    nearest = np.full(index.shape, np.inf, np.float32)
    for number, frame in enumerate(frames):
        common = shared(place, frame.window)
        if common[0].start >= common[0].stop or common[1].start >= common[1].stop:
            continue
        here = within(common, place)
        distance = closeness(frame, within(common, frame.window))
        closer = distance < nearest[here]
        index[here][closer] = number
        nearest[here][closer] = distance[closer]
