"""Choose the mask of one request: given by the user, found in the photo, or all of it where colour is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.errors import MaskError
from models.images import Image, Mask
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.restore import RestoreParams
from pipeline.damage.painted import Painted
from pipeline.damage.picture import read_mask
from pipeline.image_io.write import write_picture
from restoration.find_damage import FoundDamage, Piece, find_damage, mean_confidence, required
from restoration.modes import RequestedMode
from restoration.outcome import unchanged
from restoration.photo.leftovers import with_leftovers
from restoration.restore import restore_photo
from restoration.types import Detector, FaceRestorer, Restoration, Tools

if TYPE_CHECKING:
    from models.damage_finder.finder import Finder

Source = Literal["given", "found", "whole photo"]

PROPOSED_GREY = 96
"""Level, in a mask picture, of what is only proposed; below the level from which a given mask counts as missing."""
NOTHING_MARKED = "nothing is marked in the mask"
"""Why a photo is not restored by the mask that was given."""


@dataclass(frozen=True)
class MaskNote:
    """What a row tells of its mask.

    `area`: its share of the photo. `proposed`: share that may be damaged but is not in the mask. `confidence`: mean
    probability that its pieces are damage, for a mask that was found; None otherwise. `output`: the file that it was
    written to, or None. `pieces`: the largest, `piece_count`: how many were found.
    `hints`: what about a given mask may not be meant.
    """

    source: Source
    area: float
    proposed: float
    confidence: float | None
    output: str | None
    pieces: tuple[Piece, ...] = ()
    piece_count: int = 0
    hints: tuple[str, ...] = ()

    def as_text(self) -> str:
        """A few words."""
        place = "" if self.output is None else f" -> {self.output}"
        maybe = f", {self.proposed:.1%} more proposed" if self.proposed else ""
        if self.source == "found" and self.area == 0:
            return f"mask: none found for certain{maybe}{place}"
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        hints = "".join(f"; {hint}" for hint in self.hints)
        return f"mask {self.source}: {self.area:.1%} of the photo{sure}{maybe}{place}{hints}"


@dataclass(frozen=True, eq=False)
class UsedMask:
    """A mask (H, W), True = missing, with where it comes from, and what was found besides.

    `doubtful`: (H, W) pixels that may be damaged and are not in the mask; None where nothing was searched.
    """

    mask: Mask
    source: Source
    confidence: float | None = None
    doubtful: Mask | None = None
    pieces: tuple[Piece, ...] = ()
    piece_count: int = 0
    hints: tuple[str, ...] = ()

    @property
    def proposed(self) -> float:
        """Share of the photo that is only proposed."""
        return 0.0 if self.doubtful is None else float(self.doubtful.mean())

    def picture(self) -> Image:
        """(H, W, 3): white = missing, dark grey = only proposed, black = known."""
        levels = self.mask * np.uint8(255)
        if self.doubtful is not None:
            levels = np.where(self.doubtful & ~self.mask, np.uint8(PROPOSED_GREY), levels)
        return np.repeat(levels[..., None], 3, axis=-1)

    def keep(self, path: Path | None) -> MaskNote:
        """Write the picture of the mask where a path is given; a mask without a white pixel is written as well."""
        if path is not None:
            write_picture(path, self.picture())
        output = None if path is None else str(path)
        area = float(self.mask.mean())
        found = (self.confidence, output, self.pieces, self.piece_count)
        return MaskNote(self.source, area, self.proposed, *found, self.hints)


def given_mask(read: Painted) -> UsedMask:
    """A mask that the user gave."""
    return UsedMask(read.mask, "given", hints=read.hints)


def mask_for(
    photo: Image,
    given: Path | None,
    mode: RequestedMode,
    finder: "Finder | None",
    detector: Detector,
    params: RestoreParams,
    *,
    may_be_empty: bool = False,
    budget: Budget = UNLIMITED,
) -> UsedMask:
    """The mask for a photo (H, W, 3). An explicit mode `inpaint` also takes what the finder is not sure of.

    `may_be_empty`: a given one may mark nothing.

    Raises:
        MaskError: the given one cannot be used.
        DataError: there is none, and no finder either.
        Stopped: the budget is spent.
    """
    if given is not None:
        return given_mask(_read(given, photo, mode, may_be_empty))
    if mode == "colorize":
        return UsedMask(np.ones(photo.shape[:2], np.bool_), "whole photo")
    damage = find_damage(photo, required(finder), detector, params.finder, budget)
    return found_mask(damage, everything=mode == "inpaint")


def found_mask(found: FoundDamage, *, everything: bool) -> UsedMask:
    """The mask of what was found: what is sure, or `everything`."""
    mask = found.sure | found.doubtful if everything else found.sure
    doubtful = found.doubtful & ~mask
    pieces = tuple(replace(piece, used=True) for piece in found.pieces) if everything else found.pieces
    return UsedMask(mask, "found", mean_confidence(pieces), doubtful, pieces, found.count)


def restore_used(
    image: Image,
    used: UsedMask,
    restorer: FaceRestorer,
    mode: RequestedMode,
    params: RestoreParams,
    references: Sequence[Image],
    tools: Tools,
    strength: float = 1.0,
) -> Restoration:
    """Restore a photo (H, W, 3) by its mask; where that marks nothing, it comes back as it came.

    A mask that was found takes what it left of its damage; one that was given means what it says.

    Raises:
        DataError, Stopped: as `restore_photo`.
    """
    if not used.mask.any():
        return unchanged(image, _nothing(used), len(tools.detector.detect(image)))
    found = used.source == "found"
    mask = with_leftovers(image, used.mask, tools.budget) if found else used.mask
    return restore_photo(
        image, mask, restorer, mode, params, references, tools=tools, always_return=found, strength=strength
    )


def _nothing(used: UsedMask) -> str:
    if used.source == "given":
        return NOTHING_MARKED
    if not used.proposed:
        return "no damage was found; mark it in a mask (--mask) to have a part restored all the same"
    return (
        f"no damage was found for certain; {used.proposed:.1%} of the photo may be damaged: --save-mask shows where, "
        "--mode inpaint takes it"
    )


def _read(path: Path, photo: Image, mode: RequestedMode, may_be_empty: bool) -> Painted:
    if not path.is_file():  # a pipe would never end
        raise MaskError(f"a mask file at {path}", "something else", "give a PNG of the photo's size")
    size = (photo.shape[0], photo.shape[1])
    return read_mask(path, size, may_cover_all=mode == "colorize", may_be_empty=may_be_empty)
