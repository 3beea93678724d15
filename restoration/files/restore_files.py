"""Restore picture files: read, restore, write, and tell in one row what became of each."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models.errors import LikenessError
from models.images import Image
from models.runtime.memory import give_back_memory
from pipeline.config.restore import RestoreParams
from pipeline.image_io.outcome import Accepted, Limits
from pipeline.image_io.write import check_writable, read_accepted
from restoration.fading import restore_faded
from restoration.files.requests import Request
from restoration.files.write_back import Mark, Written, merged, write_as_it_came, write_merged
from restoration.mask import MaskNote, mask_for, restore_used
from restoration.modes import RequestedMode
from restoration.provenance.marking import Seal, facts_of, format_of, markable
from restoration.types import FaceRestorer, Restoration, Tools

if TYPE_CHECKING:
    from models.damage_finder.finder import Finder

RowOutcome = Literal["restored", "unchanged", "refused", "failed"]
_FIGURES = tuple(field.name for field in fields(Restoration) if field.name not in ("image", "reason"))


@dataclass(frozen=True)
class Settings:
    """What is the same for every photo of a run.

    `model` is the version of the restorer; `finder` proposes the mask of a photo that comes without one; `seal` signs
    the outputs; `strip` keeps no metadata in them; `strength` is the share of what the face model fills; `fade` lifts
    what fading and yellowing laid over the whole photo.
    """

    restorer: FaceRestorer
    model: str
    mode: RequestedMode
    params: RestoreParams
    limits: Limits
    tools: Tools
    references: Sequence[Image] = ()
    finder: "Finder | None" = None
    seal: Seal | None = None
    strip: bool = False
    strength: float = 1.0
    fade: bool = False


@dataclass(frozen=True)
class Row:
    """One photo's outcome.

    `failed`: a file could not be read or written, and `reason` says why. `unchanged`: nothing was found that is damaged
    for certain, and the output is the photo as it came.
    `output` is None unless a file was written; `lossless` says whether it keeps known pixels to the bit, `marked`
    whether it says in itself that it was restored (BMP cannot).
    `normalised`: what was changed to see the photo, in order (`Accepted.normalised`); `lost`: what of its file is not
    in the output, in words. Both are empty where nothing was read or written.
    `strength`: share of what the face model fills; None where the file was not restored.
    `mask` is None unless there was one, or a search for one. `restoration` is None when it came to none.
    """

    input: str
    output: str | None
    outcome: RowOutcome
    reason: str
    model: str
    strength: float | None
    milliseconds: float
    lossless: bool | None
    marked: bool | None
    normalised: tuple[str, ...]
    lost: tuple[str, ...]
    mask: MaskNote | None
    restoration: Restoration | None

    @property
    def veil(self) -> float | None:
        """How much of a veil was lifted from every pixel of the output (`Restoration.veil`)."""
        return None if self.restoration is None else self.restoration.veil

    def as_json(self) -> str:
        """One line of JSON; figures that do not exist are null."""
        row = {name: value for name, value in vars(self).items() if name != "restoration"}
        row["mask"] = None if self.mask is None else asdict(self.mask)
        figures = {name: getattr(self.restoration, name, None) for name in _FIGURES}
        for name in ("faces", "references"):
            figures[name] = [asdict(entry) for entry in figures[name] or ()]
        return json.dumps(row | figures)

    def as_text(self) -> str:
        """One readable line."""
        place = f" -> {self.output}" if self.output else ""
        notes = [] if self.mask is None else [self.mask.as_text()]
        notes += least_sure(self.restoration)
        notes += ["not marked as restored: this format cannot say so"] if self.marked is False else []
        notes += [f"read with {', '.join(self.normalised)}"] if self.normalised else []
        notes += [] if self.veil is None else [f"{self.veil:.0%} of a veil lifted: no pixel is as it came"]
        notes += [f"{self.strength:.0%} of what the face model fills"] if self.strength not in (None, 1.0) else []
        notes += [f"lost: {'; '.join(self.lost)}"] if self.lost else []
        notes += [f"model {self.model}", f"{self.milliseconds:.0f} ms"]
        return f"{self.outcome}: {self.input}{place}: {self.reason} [{', '.join(notes)}]"


def least_sure(restoration: Restoration | None) -> list[str]:
    """The region of all faces that rests most on the prior, in words; empty where there is no face."""
    faces = () if restoration is None else restoration.faces
    regions = [(name, share) for face in faces for name, share in face.trust.items()]
    if not regions:
        return []
    name, rests = max(regions, key=lambda region: region[1].prior)
    words = name.replace("_", " ")
    return [
        f"least sure: {words} (known {rests.known:.0%}, evidence {rests.evidence:.0%}, "
        f"reference {rests.witness:.0%}, prior {rests.prior:.0%})"
    ]


def restore_file(request: Request, settings: Settings) -> Row:
    """Restore one file. The output appears whole or not at all, and not for a photo that is refused.

    A photo without a mask in which the finder finds nothing that it is sure of comes back as it came.

    Raises:
        DataError: no usable pair, or a file that cannot be read or written.
        MaskError: a mask of another size, or one that says nothing.
    """
    if request.problem is not None:
        raise request.problem
    start = time.perf_counter()
    photo = read_accepted(request.photo, settings.limits)
    used = mask_for(
        photo.image,
        request.mask,
        settings.mode,
        settings.finder,
        settings.tools.detector,
        settings.params,
        may_be_empty=settings.fade,
    )
    note = used.keep(request.save_mask)
    restore = partial(
        restore_used,
        used=used,
        restorer=settings.restorer,
        mode=settings.mode,
        params=settings.params,
        references=settings.references,
        tools=settings.tools,
        strength=settings.strength,
    )
    restoration, veil = restore_faded(photo.image, used.mask, settings.mode, restore, fade=settings.fade)
    row = _row(request, "refused", restoration.reason, settings.model, start, note, restoration, photo)
    row = replace(row, strength=settings.strength)
    if restoration.image is None:
        return row
    check_writable(request.out)
    if restoration.mode == "unchanged":
        written = write_as_it_came(request.out, photo, settings.limits, strip=settings.strip)
        return _written(row, request, written, start)
    mark = Mark(facts_of(restoration, settings.model, photo.sha256), settings.seal)
    original = merged(
        request.out,
        photo,
        restoration.image,
        settings.limits,
        strip=settings.strip,
        coloured="colorize" in (settings.mode, restoration.mode),
        veil=veil,
    )
    del photo, used  # an encoder takes more memory than both
    give_back_memory()
    return _written(row, request, write_merged(request.out, original, mark), start)


def restore_all(batch: Sequence[Request], settings: Settings) -> Iterator[Row]:
    """One row per photo as soon as it is done; one that fails gives a row with its reason and stops nothing."""
    for request in batch:
        start = time.perf_counter()
        try:
            row = restore_file(request, settings)
        except LikenessError as error:
            row = _row(request, "failed", str(error), settings.model, start)
        yield row


def failed_row(photo: Path, error: LikenessError) -> Row:
    """The row of a single photo that failed, before or while it was restored."""
    return _row(Request(photo, None, photo), "failed", str(error), "", time.perf_counter())


def _written(row: Row, request: Request, written: Written, start: float) -> Row:
    """Complete the row of a photo that was written."""
    unchanged = row.restoration is not None and row.restoration.mode == "unchanged"
    return replace(
        row,
        outcome="unchanged" if unchanged else "restored",
        output=str(request.out),
        lossless=written.lossless,
        marked=None if unchanged else markable(format_of(request.out.suffix)),
        lost=written.lost,
        milliseconds=_milliseconds(start),
    )


def _milliseconds(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)


def _row(
    request: Request,
    outcome: RowOutcome,
    reason: str,
    model: str,
    start: float,
    note: MaskNote | None = None,
    restoration: Restoration | None = None,
    photo: Accepted | None = None,
) -> Row:
    """A row of a photo without an output."""
    notes = () if photo is None else photo.normalised
    return Row(
        input=str(request.photo),
        output=None,
        outcome=outcome,
        reason=reason,
        model=model,
        strength=None,
        milliseconds=_milliseconds(start),
        lossless=None,
        marked=None,
        normalised=tuple(note for note in notes if note != "metadata_dropped"),  # `lost` says which
        lost=(),
        mask=note,
        restoration=restoration,
    )
