"""Find damage in a photo without a mask: what is damaged for certain, and what may be."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from models import assets
from models.assets import RESEARCH, Edition
from models.damage_finder.finder import Finder
from models.damage_finder.kinds import FAMILIES, KINDS, Kind
from models.damage_finder.pieces import Ints, Pieces, find_pieces
from models.errors import DataError, WeightsError
from models.face.detector import Face
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.restore import FinderParams
from restoration.photo.orientation import looking_upright
from restoration.types import Detector

_IS_VEIL = np.array([kind in FAMILIES["veils"] for kind in KINDS])
_IS_LOSS = np.array([kind in FAMILIES["losses"] and kind != "tear" for kind in KINDS])
"""A tear that is no patch is a line."""
_IS_LINE = np.array([kind in FAMILIES["lines"] or kind == "tear" for kind in KINDS])
_SLENDER = 0.1
"""Size of a piece, in squares of its diagonal, up to which it is a line, though its kind is a loss."""
_SPECK = 0.0007
"""Share of the photo below which it does not matter that a piece has the kind of a patch."""
_LONG = 0.03
"""Diagonal of a piece, in long sides of the photo, from which it can show that the photo is damaged."""
_MOST = 0.5
_SEEN = 0.2
"""Share of a wide line that the photo's parts show, from which it is no mere guess of the whole."""
_FEATURE_RADIUS = 0.35
"""Radius of an eye, the nose or the mouth around the detector's point, in distances between the eyes."""
_LISTED = 200
"""Pieces that are described one by one, the largest first; the rest are counted."""
OTHER_USED, OTHER_PROPOSED = 255, 254
"""Levels, in `FoundDamage.labels`, of pieces that are not described: those that are used, and those only proposed."""


@dataclass(frozen=True)
class Piece:
    """One connected piece of damage.

    `box`: x, y, width, height in pixels of the photo. `area`: its share of the photo. `confidence`: probability that
    it is damage. `used`: it belongs to the mask; else it is only proposed, and `why` says why.
    """

    kind: Kind
    confidence: float
    area: float
    box: tuple[int, int, int, int]
    used: bool
    why: str = ""


@dataclass(frozen=True, eq=False)
class FoundDamage:
    """What the finder found in one photo.

    Attributes:
        sure: (H, W) bool, True = damaged for certain.
        doubtful: (H, W) bool, True = perhaps damaged; disjoint from `sure`.
        pieces: the largest of them, by area.
        count: how many pieces there are in all.
        labels: (H, W) uint8, the number of the piece, from 1, in `pieces`; `OTHER_USED` or `OTHER_PROPOSED` for one
            that is not among them, 0 = no piece.
    """

    sure: Mask
    doubtful: Mask
    pieces: tuple[Piece, ...]
    count: int
    labels: Image

    @property
    def confidence(self) -> float | None:
        """That of the used pieces (`mean_confidence`)."""
        return mean_confidence(self.pieces)


def find_damage(
    image: Image, finder: Finder, detector: Detector, params: FinderParams, budget: Budget = UNLIMITED
) -> FoundDamage:
    """Search a photo (H, W, 3). That nothing was found is a value, no error.

    Lines and specks of at least `params.sure` are used, or, in a photo with a net of such lines, of at least
    `params.sure_in_net`, wide lines included where the photo's parts show them or they are `params.sure`; other patches
    of at least `params.sure_patch`; what lies within an eye, the nose or the mouth (it may be a pupil, a nostril, a
    tooth) of at least `params.sure_feature`. What else is at least `params.doubtful` is proposed. What is large and
    touches the border may be the print's mount, and what covers most of a face the face itself: such pieces are only
    ever proposed. In a photo without a net, and where no long piece is `params.certain` and no sure line goes
    `params.across`, nothing is used: weak pieces, specks and rims are what intact photos show too. What lies along the
    border counts for none of that.

    Raises:
        Stopped: the budget is spent.
    """
    found = finder.search(image, budget)
    damaged = found.probability >= round(params.threshold * 255)
    pieces = find_pieces(found, params.threshold, finder.confidence)
    likely = pieces.confidence >= params.doubtful
    large = likely & pieces.patch & (pieces.pixels >= params.large * damaged.size)
    net = net_length(pieces, params.sure) >= params.net
    sure = likely & (pieces.confidence >= (params.sure_in_net if net else params.sure))
    faces = looking_upright(detector, image, image, budget=budget).detector.detect(image) if sure.any() else []
    clear = (pieces.seen_by_parts >= _SEEN) | (pieces.confidence >= params.sure)
    wide_lines = pieces.patch & _IS_LINE[pieces.kind] & net & clear
    sure &= ~_is_area(pieces) | wide_lines | (pieces.confidence >= params.sure_patch)
    sure &= (_share_in_features(pieces, faces) <= _MOST) | (pieces.confidence >= params.sure_feature)
    reasons = _reasons(pieces, sure & large, damaged, faces, params, budget)
    sure &= np.array([not reason for reason in reasons], np.bool_)
    if not net and not (sure & _shows_damage(pieces, params)).any():
        sure[:] = False
    numbers = _largest(pieces, likely)
    return FoundDamage(
        sure=pieces.mask_of(sure, damaged),
        doubtful=pieces.mask_of(likely & ~sure, damaged),
        pieces=_listed(pieces, numbers, sure, reasons),
        count=int(likely.sum()),
        labels=pieces.levels_of(_levels(numbers, likely, sure), damaged),
    )


def mean_confidence(pieces: Sequence[Piece]) -> float | None:
    """Mean confidence of the used pieces, weighted by their area; None where none is used."""
    used = [piece for piece in pieces if piece.used]
    total = sum(piece.area for piece in used)
    return sum(piece.confidence * piece.area for piece in used) / total if total else None


def finder_of(edition: Edition) -> Finder | None:
    """The finder of an edition; `open` has none, since the one in `assets/` learnt from research data.

    Raises:
        WeightsError: missing or changed.
    """
    return shipped_finder() if edition == RESEARCH else None


def required(finder: Finder | None) -> Finder:
    """The finder, where there has to be one.

    Raises:
        DataError: there is none.
    """
    if finder is None:
        remedy = "give a mask (--mask), or set identity.edition to research in params.yaml"
        raise DataError("a mask, as the edition open has no damage finder", "none", remedy)
    return finder


@cache
def shipped_finder() -> Finder:
    """The finder in `assets/`, compared with the digest on its card.

    Raises:
        WeightsError: missing or changed.
    """
    weights, card = assets.ASSETS / "finder.safetensors", assets.ASSETS / "finder.json"
    if not card.is_file():
        raise WeightsError(f"the finder's card at {card}", "no such file", "give --mask, or run `make finder`")
    return Finder.load(weights, json.loads(card.read_text(encoding="utf-8"))["sha256"])


def _reasons(
    pieces: Pieces, large: Mask, damaged: Mask, faces: Sequence[Face], params: FinderParams, budget: Budget
) -> list[str]:
    """For each piece why it is only proposed; empty where nothing speaks against it but its confidence."""
    reasons = [""] * len(pieces)
    for number in np.flatnonzero(large):
        budget.check()
        chosen = np.arange(len(pieces)) == number
        mask = pieces.mask_of(chosen, damaged)
        if _touches_border(mask):
            reasons[number] = "large and at the border: it may be the mount"
        elif any(_share_of(face, mask) > params.face_share for face in faces):
            reasons[number] = "it covers most of a face"
    return reasons


def net_length(pieces: Pieces, sure: float) -> float:
    """Give the length of the lines of at least `sure` together, in long sides of the photo, border and specks apart."""
    lines = (pieces.confidence >= sure) & ~pieces.patch & (_lengths(pieces) >= _LONG) & _is_inside(pieces)
    return float(_lengths(pieces)[lines].sum())


def _shows_damage(pieces: Pieces, params: FinderParams) -> Mask:
    """(P,) whether each piece shows alone that the photo is damaged: certain and no speck, or a long sure line."""
    certain = (pieces.confidence >= params.certain) & (_lengths(pieces) >= _LONG)
    across = (pieces.confidence >= params.sure) & ~pieces.patch & (_lengths(pieces) >= params.across)
    return np.asarray((certain | across) & _is_inside(pieces))


def _is_inside(pieces: Pieces) -> Mask:
    """(P,) whether each piece does not lie along the photo's border: the rim of an intact print looks like a tear."""
    return np.asarray(pieces.measured.border <= _MOST)


def _is_area(pieces: Pieces) -> Mask:
    """(P,) whether each piece covers an area: a patch, a veil, or a loss that is no line; specks never do."""
    slender = pieces.pixels <= _SLENDER * pieces.measured.extent**2
    area = _IS_VEIL[pieces.kind] | (_IS_LOSS[pieces.kind] & ~slender)
    return np.asarray(pieces.patch | (area & (pieces.pixels >= _SPECK * pieces.shape[0] * pieces.shape[1])))


def _lengths(pieces: Pieces) -> npt.NDArray[np.float64]:
    """(P,) diagonals of the pieces' boxes, in long sides of the photo."""
    return np.asarray(pieces.measured.extent / max(pieces.shape), np.float64)


def _share_in_features(pieces: Pieces, faces: Sequence[Face]) -> npt.NDArray[np.float64]:
    """(P,) share of each piece that lies within an eye, the nose or the mouth of a face."""
    features = np.zeros(pieces.labels.shape, np.uint8)
    for face in faces:
        middle = np.vstack([face.points[:3], face.points[3:].mean(axis=0, keepdims=True)])
        radius = _FEATURE_RADIUS * float(np.hypot(*(face.points[1] - face.points[0])))
        for x, y in middle / 2:  # the labels are at half resolution
            cv2.circle(features, (round(float(x)), round(float(y))), max(1, round(radius / 2)), 1, -1)
    inside = np.bincount(pieces.labels[features > 0], minlength=len(pieces) + 1)[1:]
    return np.asarray(4 * inside / np.maximum(pieces.pixels, 1), np.float64)


def _touches_border(mask: Mask) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _share_of(face: Face, mask: Mask) -> float:
    x, y, width, height = (round(value) for value in face.box)
    inside = mask[max(0, y) : y + height, max(0, x) : x + width]
    return float(inside.mean()) if inside.size else 0.0


def _largest(pieces: Pieces, likely: Mask) -> Ints:
    """Numbers of the pieces that are described, the largest first."""
    numbers = np.flatnonzero(likely)
    return np.asarray(numbers[np.argsort(-pieces.pixels[numbers], kind="stable")][:_LISTED])


def _levels(numbers: Ints, likely: Mask, sure: Mask) -> npt.NDArray[np.uint8]:
    """(P,) the level of each piece in `FoundDamage.labels`."""
    levels = np.where(sure, OTHER_USED, OTHER_PROPOSED).astype(np.uint8)
    levels[~likely] = 0
    levels[numbers] = np.arange(1, len(numbers) + 1)
    return levels


def _listed(pieces: Pieces, numbers: Ints, sure: Mask, reasons: Sequence[str]) -> tuple[Piece, ...]:
    height, width = pieces.shape
    return tuple(
        Piece(
            kind=KINDS[int(pieces.kind[number])],
            confidence=round(float(pieces.confidence[number]), 3),
            area=float(pieces.pixels[number]) / (height * width),
            box=tuple(int(value) for value in pieces.boxes[number]),  # type: ignore[arg-type] # four numbers
            used=bool(sure[number]),
            why=reasons[number] or ("" if sure[number] else "not sure enough"),
        )
        for number in numbers.tolist()
    )
