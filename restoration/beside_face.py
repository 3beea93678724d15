"""How far the face model is to be believed beside a face: in hair and background within the face's frame.

The model completes faces. Where the frame shows a window behind a chin, or the far side of a turned head, its
completion is a ghost. So it is tried first: with the hole grown by a band whose truth is known, the model and texture
both fill the band. Their errors there, spread into the hole, decide between them. On the face itself the model is
always believed.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.evidence.evidence import Damaged
from models.face.alignment import invert
from models.face.regions import face_hull
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from restoration.faces import FoundFace
from restoration.photo.classical import classical_photo
from restoration.photo.geometry import Frame, inside, spread
from restoration.photo.harmonic import harmonic
from restoration.photo.texture_fill import fill_with_texture
from restoration.photo.windows import around

Field = npt.NDArray[np.float32]

_RAMP = 0.027
"""Width, in sides of the frame, over which belief falls from 1 at the face's outline to what the band says."""
_STRIP = 256
"""Rows that are worked on together."""
_LEAST = 1.0
"""Error, grey levels, below which one method is no better than the other."""


def beside_face(face: FoundFace) -> Mask:
    """Which pixels of the frame's window lie in the frame, but not on the face: (window height, window width)."""
    frame = face.frame
    off = (~face_hull(face.landmarks, frame.size)).astype(np.uint8)
    rows, columns = frame.window
    side = (columns.stop - columns.start, rows.stop - rows.start)
    beside = cv2.warpAffine(off, invert(frame.matrix), side, flags=cv2.INTER_NEAREST) > 0
    for top in range(0, side[1], _STRIP):  # in strips, which keeps memory small
        strip = slice(top, min(top + _STRIP, side[1])), slice(0, side[0])
        beside[strip] &= inside(frame, strip)
    return np.asarray(beside)


@torch.inference_mode()
def beliefs(
    batch: Damaged,
    faces: Sequence[FoundFace],
    face_model: ShapedFaceModel,
    band: float,
    budget: Budget = UNLIMITED,
) -> list[Field]:
    """For each face how far its completion counts: (S, S), 1 = the face model alone, 0 = texture alone.

    Args:
        batch: the faces as the restorer takes them.
        faces: in the same order.
        face_model: completes them.
        band: width of the band, in sides of the frame; 0: the model is always believed.
        budget: is checked from face to face.

    Raises:
        Stopped: the budget is spent.
    """
    found = []
    for index, face in enumerate(faces):
        budget.check()
        found.append(_belief(batch, index, face, face_model, band))
    return found


def mix_in(completed: Image, own: Mask, texture: Image, frame: Frame, belief: Field) -> None:
    """Mix texture into a completed face, in place, as far as its completion is not believed.

    Args:
        completed: the frame's window of the photo, with the completion in it (h, w, 3).
        own: which pixels (h, w) may change.
        texture: what texture gives there, (N, 3), one colour for each pixel of `own`, row by row.
        frame: of the face.
        belief: (S, S), from `beliefs`.
    """
    if (belief == 1).all() or not own.any():
        return
    rows, columns = around(own, 0)
    taken = 0
    for top in range(rows.start, rows.stop, _STRIP):  # in strips, which keeps memory small
        strip = slice(top, min(top + _STRIP, rows.stop)), columns
        here = own[strip]
        share = np.clip(spread(frame, belief, strip)[here], 0, 1)[:, None]
        colours = texture[taken : taken + len(share)]
        completed[strip][here] = np.rint(share * completed[strip][here] + (1 - share) * colours).astype(np.uint8)
        taken += len(share)


def _belief(batch: Damaged, index: int, face: FoundFace, face_model: ShapedFaceModel, band: float) -> Field:
    size = face.frame.size
    on_face = _fading(face_hull(face.landmarks, size), _RAMP * size)
    reach = round(band * size)
    if reach == 0 or not (face.lost & (on_face == 0)).any():
        return np.ones_like(on_face)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = np.asarray(cv2.dilate(face.hole.astype(np.uint8), disc) > 0)
    tried = grown & ~(face.hole | face.chroma)
    if not tried.any():
        return np.ones_like(on_face)
    truth = _levels(batch.image[index])
    texture = classical_photo(truth, grown, grown)
    fill_with_texture(texture, grown, grown, [])
    ours, other = (_error(fill, truth, tried, reach) for fill in (_completed(batch, index, grown, face_model), texture))
    share = other**2 / np.maximum(ours**2 + other**2, _LEAST)
    share = np.where(ours + other < _LEAST, 1.0, share)
    spread_in = harmonic(np.repeat(share[..., None], 3, axis=-1).astype(np.float32), tried)[..., 0]
    return np.asarray(np.maximum(on_face, spread_in), np.float32)


def _completed(batch: Damaged, index: int, grown: Mask, face_model: ShapedFaceModel) -> Image:
    """The face model's completion (S, S, 3) with a larger hole."""
    part = slice(index, index + 1)
    hole = torch.from_numpy(grown.astype(np.float32))[None, None]
    chroma = torch.maximum(batch.chroma_mask[part], hole)
    return _levels(face_model.at(len(grown)).complete(batch.image[part], hole, chroma).picture[0])


def _levels(picture: torch.Tensor) -> Image:
    """(3, S, S) RGB in [-1, 1] -> (S, S, 3) uint8."""
    return np.asarray(picture.clamp(-1, 1).add(1).mul(127.5).round().permute(1, 2, 0).numpy(), np.uint8)


def _error(fill: Image, truth: Image, tried: Mask, reach: int) -> Field:
    """Mean absolute error (S, S) in grey levels around each pixel of the band."""
    error = np.abs(fill.astype(np.float32) - truth).mean(axis=-1)
    weight = tried.astype(np.float32)
    near, count = (cv2.GaussianBlur(plane, (0, 0), reach) for plane in (error * weight, weight))
    return np.asarray(near / np.maximum(count, 1e-3), np.float32)


def _fading(mask: Mask, ramp: float) -> Field:
    """1 on the mask (H, W), falling to 0 at `ramp` pixels from it."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(1 - away / ramp, 0, 1), np.float32)
