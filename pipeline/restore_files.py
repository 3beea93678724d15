"""Restore picture files: read, restore, write, and tell in one row what became of each."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from models.errors import LikenessError, MaskError
from models.images import Image, Mask
from pipeline.config.production import RestoreParams
from pipeline.damage.picture import mask_from_picture
from pipeline.picture_files import is_lossless, read_picture, write_picture
from pipeline.reading import Limits
from pipeline.restoration import FaceRestorer, Restoration, Tools
from pipeline.restore import restore_photo
from pipeline.restore_requests import Request
from pipeline.routing import RequestedMode

_FIGURES = tuple(field.name for field in fields(Restoration) if field.name not in ("image", "reason"))


@dataclass(frozen=True)
class Settings:
    """What is the same for every photo of a run; `model` is the version of the restorer."""

    restorer: FaceRestorer
    model: str
    mode: RequestedMode
    params: RestoreParams
    limits: Limits
    tools: Tools
    reference: Image | None = None


@dataclass(frozen=True)
class Row:
    """One photo's outcome. `failed`: a file could not be read or written, and `reason` says why.

    `output` is None unless a file was written; `lossless` says whether its format keeps known pixels to the bit.
    """

    input: str
    output: str | None
    outcome: Literal["restored", "refused", "failed"]
    reason: str
    model: str
    milliseconds: float
    lossless: bool | None
    restoration: Restoration | None

    def as_json(self) -> str:
        """One line of JSON; figures that do not exist are null."""
        row = {name: value for name, value in vars(self).items() if name != "restoration"}
        figures = {name: getattr(self.restoration, name, None) for name in _FIGURES}
        figures["faces"] = [asdict(face) for face in figures["faces"] or ()]
        return json.dumps(row | figures)

    def as_text(self) -> str:
        """One readable line."""
        place = f" -> {self.output}" if self.output else ""
        return f"{self.outcome}: {self.input}{place}: {self.reason} [model {self.model}, {self.milliseconds:.0f} ms]"


def restore_file(request: Request, settings: Settings) -> Row:
    """Restore one file. The output appears whole or not at all, and not for a photo that is refused.

    Raises:
        DataError: no usable pair, or a file that cannot be read or written.
        MaskError: a mask of another size, or one that says nothing.
    """
    if request.problem is not None:
        raise request.problem
    start = time.perf_counter()
    image = read_picture(request.photo, settings.limits)
    hole = _read_mask(request.mask, image, settings.mode)
    restoration = restore_photo(
        image, hole, settings.restorer, settings.mode, settings.params, settings.reference, tools=settings.tools
    )
    return _write(request, restoration, settings.model, start)


def restore_all(batch: Sequence[Request], settings: Settings) -> Iterator[Row]:
    """One row per photo as soon as it is done; one that fails gives a row with its reason and stops nothing."""
    for request in batch:
        start = time.perf_counter()
        try:
            row = restore_file(request, settings)
        except LikenessError as error:
            row = _row(request, "failed", str(error), settings.model, start)
        yield row


def _read_mask(path: Path, image: Image, mode: RequestedMode) -> Mask:
    if not path.is_file():  # a pipe would never end
        raise MaskError(f"a mask file at {path}", "something else", "give a PNG of the photo's size")
    return mask_from_picture(path, (image.shape[0], image.shape[1]), may_cover_all=mode == "colorize")


def _write(request: Request, restoration: Restoration, model: str, start: float) -> Row:
    if restoration.image is None:
        return _row(request, "refused", restoration.reason, model, start, restoration)
    write_picture(request.out, restoration.image)
    return _row(request, "restored", restoration.reason, model, start, restoration)


def _row(
    request: Request,
    outcome: Literal["restored", "refused", "failed"],
    reason: str,
    model: str,
    start: float,
    restoration: Restoration | None = None,
) -> Row:
    written = outcome == "restored"
    return Row(
        input=str(request.photo),
        output=str(request.out) if written else None,
        outcome=outcome,
        reason=reason,
        model=model,
        milliseconds=round((time.perf_counter() - start) * 1000, 1),
        lossless=is_lossless(request.out) if written else None,
        restoration=restoration,
    )
