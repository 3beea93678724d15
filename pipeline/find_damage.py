"""From a photo without a mask to the mask that will be restored, or the reason why there is none."""

import json
from dataclasses import dataclass
from functools import cache

from models.errors import WeightsError
from models.finder import Finder
from models.images import Image, Mask
from pipeline import layout
from pipeline.config.production import RestoreParams


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


def propose_mask(image: Image, finder: Finder, params: RestoreParams) -> Proposal:
    """Search a photo (H, W, 3). That nothing was found is a value, no error.

    A colourless photo is not damaged for that: the finder looks for holes, stains and scratches only.
    """
    found = finder.find(image, params.finder_threshold, params.finder_certain, params.finder_margin)
    area = float(found.mask.mean())
    if found.confidence is None or area < params.finder_min_area:
        return Proposal(found.mask & False, None, _nothing(area, params))
    if found.confidence < params.finder_min_confidence:
        return Proposal(found.mask, found.confidence, _unsure(found.confidence, area, params))
    return Proposal(found.mask, found.confidence, "")


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
