"""An outcome as the caller wants it: JSON, a picture with its figures in headers, or a ZIP with both pictures."""

import base64
import io
import zipfile
from dataclasses import asdict

from fastapi.responses import JSONResponse, Response

from restoration.mask import UsedMask
from restoration.types import RestoredFace
from serving.http.accept import JSON, PICTURES, ZIP
from serving.http.errors import Refused
from serving.inference.request import Done, FoundMask
from serving.schemas.restorations import DamagePiece, FaceFigures, MaskFigures, Outcome, ProposedMask, RegionTrust

_HEADERS = ("mode", "area", "coverage", "missing_features", "uncertainty", "model_version", "arm")


def answer(done: Done) -> Response:
    """The response to a request for a restoration.

    Raises:
        Refused: a picture was wanted and there is none, because the photo was refused (422, code `refused`).
    """
    figures = outcome_of(done)
    if done.form.media_type == ZIP:
        return Response(_zipped(done, figures), media_type=ZIP)
    if done.form.media_type in PICTURES:
        return _picture(done, figures)
    return JSONResponse(figures.model_dump(mode="json"), media_type=JSON)


def mask_answer(request_id: str, found: FoundMask) -> ProposedMask:
    """A proposed mask."""
    used = found.used
    return ProposedMask(
        request_id=request_id,
        found=bool(used.mask.any()),
        confidence=used.confidence,
        area=float(used.mask.mean()),
        proposed=used.proposed,
        note=_note(used),
        pieces=_pieces(used),
        piece_count=used.piece_count,
        mask=_text(found.png),
    )


def outcome_of(done: Done) -> Outcome:
    """All figures; the picture only where JSON shall carry it."""
    row, restoration = done.row, done.restoration
    inline = done.picture if done.form.media_type == JSON else None
    return Outcome(
        request_id=row.request_id,
        mode=restoration.mode,
        reason=restoration.reason,
        reasons=tuple(restoration.reason.split("; ")),
        area=restoration.area,
        coverage=restoration.coverage,
        missing_features=restoration.missing_features,
        uncertainty=row.uncertainty,
        faces=tuple(_face(face) for face in restoration.faces),
        references=tuple(note.reason for note in restoration.references),
        mask=_mask(done.used),
        model_version=row.model_version,
        arm=row.arm,
        timings=done.stages.timings(),
        kept=done.kept,
        picture_type=None if inline is None else f"image/{done.form.picture_format}",
        picture=None if inline is None else _text(inline),
    )


def _mask(used: UsedMask) -> MaskFigures:
    return MaskFigures(
        found=used.source == "found",
        confidence=used.confidence,
        proposed=used.proposed,
        pieces=_pieces(used),
        piece_count=used.piece_count,
    )


def _pieces(used: UsedMask) -> tuple[DamagePiece, ...]:
    return tuple(DamagePiece(**asdict(piece)) for piece in used.pieces)


def _note(used: UsedMask) -> str:
    """What a caller should look at before the mask is used."""
    if used.proposed:
        nothing = "" if used.mask.any() else "nothing is damaged for certain; "
        return f"{nothing}what is grey in the mask may be damaged{', too' if used.mask.any() else ''}"
    return "" if used.mask.any() else "no damage was found"


def _face(face: RestoredFace) -> FaceFigures:
    named = {name: getattr(face, name) for name in FaceFigures.model_fields if hasattr(face, name)}
    trust = {region: RegionTrust(**_shares(asdict(rests))) for region, rests in face.trust.items()}
    alike = face.likeness
    return FaceFigures(
        **(named | {"trust": trust}),
        likeness_to_plain=None if alike is None else alike.to_plain,
        likeness_to_reference=None if alike is None else alike.to_reference,
    )


def _shares(rests: dict[str, float]) -> dict[str, float]:
    """Means of many pixels may leave [0, 1] by a rounding error."""
    return {name: min(1.0, max(0.0, rests[name])) for name in RegionTrust.model_fields}


def _picture(done: Done, figures: Outcome) -> Response:
    headers = {_header(name): str(value) for name in _HEADERS if (value := getattr(figures, name)) is not None}
    if done.picture is None:
        expected, remedy = "a photo that can be restored", "see the reason; ask for application/json to get the figures"
        raise Refused(422, "refused", expected, figures.reason, remedy, headers)
    return Response(done.picture, media_type=done.form.media_type, headers=headers)


def _header(name: str) -> str:
    return "X-Likeness-" + name.replace("_", "-").title()


def _zipped(done: Done, figures: Outcome) -> bytes:
    """Stored, not deflated: pictures are compressed already. What came back as it came is in it once."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        if done.picture is not None and figures.mode != "unchanged":
            archive.writestr(f"restored.{done.form.picture_format}", done.picture)
        assert done.photo.data is not None  # it came as bytes
        archive.writestr(f"original.{done.photo.format}", done.photo.data)
        archive.writestr("outcome.json", figures.model_dump_json(indent=2))
    return stream.getvalue()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
