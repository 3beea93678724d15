"""Cut the aligned frame of one face out of a photo of any size, and paste it back into the hole only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, hypot

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from torch import Tensor

from models.face.alignment import Matrix, Points, align, invert, similarity, transform
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from models.runtime.spans import span
from restoration.photo.blending import blend_in
from restoration.photo.harmonic import Field
from restoration.photo.windows import Window, around, widened

_EDGE = 1.0
"""Aligned pixels along the frame's edge that are not pasted: interpolation there sees only half a neighbourhood."""

_STRIP = 64
"""Rows that are worked on together."""

_FADING = 0.06
"""Width, in sides of the frame, over which a fill fades out where the hole goes on beyond the frame."""


@dataclass(frozen=True)
class Frame:
    """Where one aligned face lies in a photo.

    `window`: rows and columns of the photo that the frame needs; `matrix` (2, 3): window pixels to aligned pixels;
    `size`: side of the aligned picture.
    """

    window: tuple[slice, slice]
    matrix: Matrix
    size: int

    @property
    def scale(self) -> float:
        """Aligned pixels per photo pixel; below 1 the photo has more detail than the model sees."""
        return hypot(self.matrix[0, 0], self.matrix[1, 0])

    @property
    def origin(self) -> npt.NDArray[np.float32]:
        """(x, y) of the window's first pixel in the photo."""
        return np.array([self.window[1].start, self.window[0].start], np.float32)


def frame_of(points: Points, shape: tuple[int, int], size: int) -> Frame:
    """The frame of the face with five detector points (5, 2), in pixels of a photo of `shape` (height, width)."""
    matrix = similarity(points, size)
    corners = transform(_outline(size), invert(matrix))
    margin = ceil(3 / hypot(matrix[0, 0], matrix[1, 0])) + 3  # what interpolation and the mask's growth reach
    left, top = (max(0, int(low) - margin) for low in np.floor(corners.min(axis=0)))
    right, bottom = (int(high) + margin + 1 for high in np.ceil(corners.max(axis=0)))
    window = slice(top, min(bottom, shape[0])), slice(left, min(right, shape[1]))
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ np.array([left, top])
    return Frame(window, shifted, size)


def cut(frame: Frame, image: Image) -> Image:
    """The aligned face (size, size, 3) of a photo (H, W, 3)."""
    return align(image[frame.window], frame.matrix, frame.size)


def cut_mask(frame: Frame, mask: Mask) -> Mask:
    """The aligned mask (size, size): missing where any photo pixel that the aligned one depends on is missing."""
    own = mask[frame.window]
    if not own.any():
        return np.zeros((frame.size, frame.size), np.bool_)
    reach = ceil(2 / min(frame.scale, 1.0))  # the cubic kernel's two pixels, at either scale
    # beyond the damage lies nothing, but beyond the photo's border its mirror image
    near = _lies_within(frame)
    place = widened(around(own, 0), reach + 2, own.shape) if near else _whole(frame)
    border = cv2.BORDER_CONSTANT if near else cv2.BORDER_REFLECT_101
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    source = cv2.dilate(own[place].astype(np.uint8), kernel).astype(np.float32)
    matrix = frame.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([place[1].start, place[0].start])
    side = (frame.size, frame.size)
    return np.asarray(cv2.warpAffine(source, matrix, side, flags=cv2.INTER_LINEAR, borderMode=border) > 0)


def cut_share(frame: Frame, mask: Mask) -> Mask:
    """The aligned mask (size, size) for measuring: missing where most of what the aligned pixel shows is missing."""
    own = mask[frame.window]
    if not own.any():
        return np.zeros((frame.size, frame.size), np.bool_)
    return np.asarray(align(own.view(np.uint8) * np.uint8(255), frame.matrix, frame.size) > 127)


def aligned_to_photo(frame: Frame, chosen: Mask, among: Mask, shape: tuple[int, ...]) -> Mask:
    """Photo pixels (height, width of `shape`) whose nearest aligned pixel of `among` (size, size) is in `chosen`.

    A photo pixel is missing where the aligned one is not quite: at the rim it goes with its neighbour.
    """
    _, (rows, columns) = ndimage.distance_transform_edt(~among, return_indices=True)
    spread_out = (chosen[rows, columns] & among.any()).astype(np.uint8)
    side = (frame.window[1].stop - frame.window[1].start, frame.window[0].stop - frame.window[0].start)
    result = np.zeros(shape[:2], np.bool_)
    back = invert(frame.matrix)
    result[frame.window] = cv2.warpAffine(spread_out, back, side, flags=cv2.INTER_NEAREST) > 0
    return result


def to_frame(frame: Frame, points: Points) -> Points:
    """Photo points (K, 2) -> aligned points (K, 2)."""
    return transform(points - frame.origin, frame.matrix)


def from_frame(frame: Frame, points: Points) -> Points:
    """Aligned points (K, 2) -> photo points (K, 2)."""
    return np.asarray(transform(points, invert(frame.matrix)) + frame.origin, np.float32)


def clear(frame: Frame, domain: Mask) -> Mask:
    """The pixels of a domain (H, W) of the photo that lie so far within the frame that a fill does not fade there."""
    result = np.zeros(domain.shape, np.bool_)  # takes memory where it is written to, and nowhere else
    inner = _from_centre(frame, _whole(frame)) <= (0.5 - _FADING) * frame.size - _EDGE
    result[frame.window] = domain[frame.window] & inner
    return result


def paste(frame: Frame, canvas: Image, aligned: Field, domain: Mask, missing: Mask, bare: Mask | None = None) -> Image:
    """A copy of the photo `canvas` (H, W, 3) with the pixels of `domain` (H, W) filled from `aligned`, no seam.

    `aligned` is (size, size, 3) float32 in grey levels 0..255; `missing` (H, W) are all missing pixels of the photo.
    Enlarged where the photo has more detail than the model: such a fill is softer than its surroundings, and stays
    so. Where the hole reaches beyond the frame, the fill fades into the canvas, but not into the pixels of `bare`
    (H, W), which will stay missing. Other pixels are the same bits.
    """
    result = canvas.copy()
    paste_in(frame, result, aligned, domain[frame.window], missing, bare)
    return result


def paste_in(
    frame: Frame,
    canvas: Image,
    aligned: Field,
    domain: Mask,
    missing: Mask,
    bare: Mask | None = None,
    budget: Budget = UNLIMITED,
) -> None:
    """As `paste`, in place; `domain` has the frame's window alone: (window height, window width).

    Raises:
        Stopped: the budget is spent.
    """
    window = frame.window
    if not domain.any():
        return
    own = np.zeros(domain.shape, np.bool_)
    rows, columns = around(domain, 0)
    for top in range(rows.start, rows.stop, _STRIP):  # in strips, which keeps memory small
        strip = slice(top, min(top + _STRIP, rows.stop)), columns
        own[strip] = domain[strip] & _inside(frame, strip)
    smooth = _smoothed(frame, aligned)
    ramp = _FADING * frame.size / frame.scale
    left = None if bare is None else bare[window]
    blend_in(canvas[window], lambda part: _spread(frame, smooth, part), own, missing[window], ramp, left, budget)


@span("paste")
def paste_all(
    frames: Sequence[Frame],
    canvas: Image,
    aligned: Tensor,
    domains: Iterable[Mask],
    missing: Mask,
    bare: Mask | None = None,
    budget: Budget = UNLIMITED,
) -> None:
    """As `paste_in`, one face after the other; `aligned` is (N, 3, size, size) RGB in [-1, 1], a domain for each."""
    fields = aligned.add(1).mul(127.5).permute(0, 2, 3, 1).cpu().numpy()
    for frame, field, domain in zip(frames, fields, domains, strict=True):
        paste_in(frame, canvas, field, domain, missing, bare, budget)


def spread(frame: Frame, aligned: Field, part: Window | None = None) -> Field:
    """The aligned picture (size, size, 3) or plane (size, size), float32, at the scale of the photo.

    Of the frame's window, or of a part of it in the window's own pixels.
    """
    return _spread(frame, _smoothed(frame, aligned), _whole(frame) if part is None else part)


def inside(frame: Frame, part: Window | None = None) -> Mask:
    """Which pixels of the window, or of a part of it in its own pixels, lie within the aligned picture."""
    return _inside(frame, _whole(frame) if part is None else part)


def closeness(frame: Frame, part: Window) -> npt.NDArray[np.float32]:
    """Distance of each pixel of a part of the window from the frame's centre, in sides; infinite outside the frame."""
    return np.asarray(np.where(_inside(frame, part), _from_centre(frame, part) / frame.size, np.inf), np.float32)


def _lies_within(frame: Frame) -> bool:
    """Whether all of the frame lies in its window: none of it beyond the photo's border."""
    corners = transform(_outline(frame.size), invert(frame.matrix))
    rows, columns = _whole(frame)
    return bool((corners >= 0).all() and (corners <= (columns.stop - 1, rows.stop - 1)).all())


def _outline(size: int) -> Points:
    """The corners (4, 2) of an aligned picture."""
    return np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32) - np.float32(0.5)


def _whole(frame: Frame) -> Window:
    """The frame's window, in its own pixels."""
    rows, columns = frame.window
    return slice(0, rows.stop - rows.start), slice(0, columns.stop - columns.start)


def _smoothed(frame: Frame, aligned: Field) -> Field:
    """Take out of an aligned picture that is to be shrunk what the photo's grid cannot hold."""
    if frame.scale <= 1:
        return aligned
    return np.asarray(cv2.GaussianBlur(aligned, (0, 0), 0.5 * (frame.scale**2 - 1) ** 0.5 + 1e-3), np.float32)


def _spread(frame: Frame, smooth: Field, part: Window) -> Field:
    """A part of the window, in whose pixels it is, filled from a smoothed aligned picture."""
    back = frame.matrix.copy()
    back[:, 2] += back[:, :2] @ np.array([part[1].start, part[0].start])
    side = (part[1].stop - part[1].start, part[0].stop - part[0].start)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(smooth, back, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _inside(frame: Frame, part: Window) -> Mask:
    return np.asarray(_from_centre(frame, part) <= frame.size / 2 - _EDGE)


def _from_centre(frame: Frame, part: Window) -> npt.NDArray[np.float32]:
    """Distance of each pixel of a part of the window from the frame's centre, in aligned pixels.

    By the larger coordinate.
    """
    y, x = (np.arange(one.start, one.stop, dtype=np.float32) for one in part)
    (a, b, c), (d, e, f) = frame.matrix
    centre = (frame.size - 1) / 2
    across = a * x + (b * y)[:, None] + c - centre
    down = d * x + (e * y)[:, None] + f - centre
    return np.asarray(np.maximum(abs(across), abs(down)), np.float32)
