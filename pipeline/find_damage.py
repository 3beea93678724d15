"""From a photo without a mask to the mask that will be restored, or the reason why there is none."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.detector import Face
from models.errors import WeightsError
from models.finder import Finder
from models.images import Image, Mask
from pipeline import layout
from pipeline.config.production import RestoreParams
from pipeline.restoration import Detector

Window = tuple[slice, slice]
"""Rows and columns of a photo."""
_PORTRAIT = 0.5
"""A window of more than this share of the photo: then the photo is a portrait, and is searched whole."""


@dataclass(frozen=True)
class Proposal:
    """What the finder proposes for one photo.

    Attributes:
        mask: (H, W) bool, True = missing; empty where nothing was found.
        confidence: expected intersection over union of the mask with the damage; None for an empty mask.
        doubt: why the mask should not be used, with its figures; empty when nothing speaks against it.
    """

    mask: Mask
    confidence: float | None
    doubt: str


def propose_mask(image: Image, finder: Finder, detector: Detector, params: RestoreParams) -> Proposal:
    """Search a photo (H, W, 3). That nothing was found is a value, no error.

    A colourless photo is not damaged for that: the finder looks for holes, stains and scratches only. It learnt on
    portraits and takes much of a room for damage: of a larger scene only the surroundings of faces are searched.
    """
    mask, confidence = _searched(image, windows(detector.detect(image), image, params.finder_window), finder, params)
    area = float(mask.mean())
    if confidence is None or area < params.finder_min_area:
        return Proposal(mask & False, None, _nothing(area, params))
    if confidence < params.finder_min_confidence:
        return Proposal(mask, confidence, _unsure(confidence, area, params))
    return Proposal(mask, confidence, "")


def windows(faces: Sequence[Face], image: Image, reach: float) -> list[Window]:
    """Where to search a photo (H, W, 3): squares around its faces, or all of it where it has none or is a portrait.

    Args:
        faces: in the photo.
        image: the photo.
        reach: side of a square in heights of the face's box; a square is cut at the photo's border.
    """
    height, width = image.shape[:2]
    found = []
    for face in faces:
        x, y, box_width, box_height = face.box
        middle, half = np.array([y + box_height / 2, x + box_width / 2]), reach * box_height / 2
        top, left = np.clip(middle - half, 0, (height, width)).astype(int)
        bottom, right = np.ceil(np.clip(middle + half, 0, (height, width))).astype(int)
        found.append((slice(top, bottom), slice(left, right)))
    if (
        not found
        or max((w[0].stop - w[0].start) * (w[1].stop - w[1].start) for w in found) > _PORTRAIT * height * width
    ):
        return [(slice(0, height), slice(0, width))]
    return found


def _searched(
    image: Image, places: Sequence[Window], finder: Finder, params: RestoreParams
) -> tuple[Mask, float | None]:
    """What was found in all windows, and the mean of their confidences, weighted by what was found in each."""
    mask, sizes, confidences = np.zeros(image.shape[:2], np.bool_), [], []
    for window in places:
        part = np.ascontiguousarray(image[window])
        found = finder.find(part, params.finder_threshold, params.finder_certain, params.finder_margin)
        mask[window] |= found.mask
        if found.confidence is not None:
            sizes.append(int(found.mask.sum()))
            confidences.append(found.confidence)
    return mask, float(np.average(confidences, weights=sizes)) if sum(sizes) else None


@cache
def shipped_finder() -> Finder:
    """The finder in `assets/`, compared with the digest on its card.

    Raises:
        WeightsError: missing or changed.
    """
    weights, card = layout.ASSETS / "finder.safetensors", layout.ASSETS / "finder.json"
    if not card.is_file():
        raise WeightsError(f"the finder's card at {card}", "no such file", "give --mask, or run `make finder`")
    return Finder.load(weights, json.loads(card.read_text(encoding="utf-8"))["sha256"])


def _nothing(area: float, params: RestoreParams) -> str:
    least = f"restore.finder_min_area {params.finder_min_area:.2%}"
    seen = f"{area:.2%} of the photo, less than {least}" if area else "no piece that is certain enough"
    return f"no damage was found ({seen}); give --mask to restore a part of it all the same"


def _unsure(confidence: float, area: float, params: RestoreParams) -> str:
    return (
        f"{area:.1%} of the photo looks damaged, but with a confidence of {confidence:.2f}, less than "
        f"restore.finder_min_confidence {params.finder_min_confidence:.2f}; keep the proposal with --save-mask, "
        "correct it and give it as --mask, or take it as it is with --mode inpaint"
    )
