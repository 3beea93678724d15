"""What made the pixels of a restored picture, and the words of IPTC and C2PA for it: one table for both marks."""

from dataclasses import dataclass
from typing import Literal

from restoration.modes import UNFILLED

Work = Literal["lifted", "mended", "generated"]
"""`lifted`: fading, from every pixel. `mended`: filled from the photo itself, without a trained model; `generated`:
filled or coloured by a trained model, at least in part."""

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a real picture of which a trained model made a part."""
ENHANCED = f"{_SOURCE_TYPES}algorithmicallyEnhanced"
"""IPTC's word for a real picture that an algorithm corrected or augmented a little."""


@dataclass(frozen=True)
class Words:
    """C2PA's action for a kind of work, and IPTC's digital source type of what it made."""

    action: str
    source_type: str


WORDS: dict[Work, Words] = {
    "lifted": Words("c2pa.adjustedColor", ENHANCED),
    "mended": Words("c2pa.edited", ENHANCED),
    "generated": Words("c2pa.edited", COMPOSITE),
}


def works(mode: str, veil: float | None, generated: bool) -> tuple[Work, ...]:
    """What was done to a photo, in this order.

    Args:
        mode: of the restoration; in some nothing is filled.
        veil: how much of its fading was lifted; None for none.
        generated: whether a trained model made any of its pixels.
    """
    lifted: tuple[Work, ...] = () if veil is None else ("lifted",)
    if mode in UNFILLED:
        return lifted
    return (*lifted, "generated" if generated else "mended")


def source_type(done: tuple[Work, ...]) -> str:
    """IPTC's digital source type of the whole picture: a part that a trained model made decides."""
    return COMPOSITE if "generated" in done else ENHANCED
