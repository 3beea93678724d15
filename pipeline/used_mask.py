"""The mask of one request: given by the user, found in the photo, or all of it where colour alone is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.errors import DataError, MaskError
from models.images import Image, Mask
from pipeline.config.production import RestoreParams
from pipeline.damage.picture import mask_from_picture
from pipeline.find_damage import propose_mask
from pipeline.picture_files import write_picture
from pipeline.restoration import Detector
from pipeline.routing import RequestedMode

if TYPE_CHECKING:
    from models.finder import Finder

Source = Literal["given", "found", "whole photo"]


@dataclass(frozen=True)
class MaskNote:
    """What a row tells of its mask.

    `area`: its share of the photo. `confidence`: expected intersection over union with the damage, for a mask that
    was found; None otherwise. `output`: the file that it was written to, or None.
    """

    source: Source
    area: float
    confidence: float | None
    output: str | None

    def as_text(self) -> str:
        """A few words."""
        if self.source == "found" and self.confidence is None:
            return "mask: none found"
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        place = "" if self.output is None else f" -> {self.output}"
        return f"mask {self.source}: {self.area:.1%} of the photo{sure}{place}"


@dataclass(frozen=True)
class UsedMask:
    """A mask (H, W), True = missing, with where it comes from. `doubt`: why it must not be used; empty if it may."""

    mask: Mask
    source: Source
    confidence: float | None = None
    doubt: str = ""

    def keep(self, path: Path | None) -> MaskNote:
        """Write the mask, white = missing, where a path is given; a mask without a white pixel is written as well."""
        if path is not None:
            write_picture(path, np.repeat(self.mask[..., None] * np.uint8(255), 3, axis=-1))
        return MaskNote(self.source, float(self.mask.mean()), self.confidence, None if path is None else str(path))


def mask_for(
    photo: Image,
    given: Path | None,
    mode: RequestedMode,
    finder: "Finder | None",
    detector: Detector,
    params: RestoreParams,
) -> UsedMask:
    """The mask for a photo (H, W, 3).

    An explicit mode `inpaint` overrides the finder's doubts, as it does the router's limits, but a mask without a
    single pixel leaves nothing to do.

    Raises:
        MaskError: the given one cannot be used.
        DataError: there is none, and no finder either.
    """
    if given is not None:
        return UsedMask(_read(given, photo, mode), "given")
    if mode == "colorize":
        return UsedMask(np.ones(photo.shape[:2], np.bool_), "whole photo")
    if finder is None:
        raise DataError("a mask or a damage finder", "neither", "give --mask")
    proposal = propose_mask(photo, finder, detector, params)
    doubt = "" if mode == "inpaint" and proposal.mask.any() else proposal.doubt
    return UsedMask(proposal.mask, "found", proposal.confidence, doubt)


def _read(path: Path, photo: Image, mode: RequestedMode) -> Mask:
    if not path.is_file():  # a pipe would never end
        raise MaskError(f"a mask file at {path}", "something else", "give a PNG of the photo's size")
    return mask_from_picture(path, (photo.shape[0], photo.shape[1]), may_cover_all=mode == "colorize")
