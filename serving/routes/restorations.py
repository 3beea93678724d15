"""Routes of work on pictures: restore a photo, find its damage.

One request for a restoration passes these files of `serving/`, in this order:

1. `http/connection.py`: time limits for slow clients, headers of proxies, request id and common headers, body limits
2. `http/auth.py`: token and role
3. `routes/restorations.py`: admission, the steps below, and the answer as JSON, picture or ZIP
4. `http/request_form.py`: the fields of the form, and the form of the answer from the Accept header
5. `inference/worker_pool.py`: queue, worker threads, deadline, each thread's tools
6. `inference/request.py`: decode, find the damage, restore, encode, keep, log, count
7. `inference/arms.py`: the model of the request's A/B arm, faces of concurrent requests in one batch
8. `privacy/personal_data.py`: pictures kept with consent, aggregates of identities
9. `privacy/subjects.py`: what may name a person, and the pseudonym of the request

`tests/serving/test_request_path.py` checks the list.
"""

import base64
import io
import logging
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from restoration.mask import UsedMask
from restoration.types import RestoredFace
from serving.http.connection import REQUEST_ID, request_id
from serving.http.openapi import MASK_BODY, PICTURES, RESTORATION_BODY, problems
from serving.http.problem import HttpProblem
from serving.http.request_form import JSON, PICTURE_TYPES, ZIP, chosen, read_image, read_upload
from serving.inference.request import FoundMask, RestoreRequest, RestoreResult, propose_mask, restore
from serving.schemas.restorations import (
    DamagePiece,
    FaceFigures,
    MaskFigures,
    Outcome,
    ProposedMask,
    RegionTrust,
)
from serving.service import Service

_HEADERS = ("mode", "area", "coverage", "missing_features", "uncertainty", "veil", "model_version", "arm")
_log = logging.getLogger("likeness.serving")


def photos_router(service: Service) -> APIRouter:
    """Make the routes that take pictures; they need the role `restore`."""
    router = APIRouter(prefix="/v1", tags=["photos"])
    caller = Depends(service.guard.require("restore"))
    pool, context, limits = service.pool, service.context, service.params.serve
    under_way: set[str] = set()

    @asynccontextmanager
    async def record_id(wanted: str) -> AsyncIterator[str]:
        """Give the request's id as that of its record; a new one if it is too short, or taken or soon to be."""
        own = wanted if re.fullmatch(REQUEST_ID, wanted) and wanted not in under_way else uuid4().hex
        under_way.add(own)
        try:
            if await run_in_threadpool(context.log.row, own) is None:
                yield own
            else:
                yield uuid4().hex
        finally:
            under_way.discard(own)

    @router.post(
        "/restorations",
        response_model=Outcome,
        responses=PICTURES | problems(401, 403, 406, 408, 413, 422, 429, 500, 503, 507),
        openapi_extra=RESTORATION_BODY,
    )
    async def restore_a_photo(request: Request, by: str = caller) -> Response:
        """Restore the faces of one photo.

        A refused photo is an outcome, too (mode `refuse`). A photo without certain damage is returned unchanged (mode
        `unchanged`), or with its fading lifted alone where `fade` asks for that (mode `fade`).
        """
        with pool.reading(by):
            deletions = await run_in_threadpool(context.pictures.deletions)
            upload = await read_upload(request, limits.max_references)
        accept = request.headers.get("accept", "")
        async with record_id(request_id(request.scope)) as own:
            wanted = RestoreRequest(own, upload, service.models.arms, accept, deletions)
            result = await pool.run(request, partial(restore, context, wanted), limits.answer_seconds)
        _log.info("%s %s %.0f ms", wanted.request_id, result.row.mode, result.row.milliseconds)
        return await run_in_threadpool(_answer, result)

    @router.post(
        "/masks",
        response_model=ProposedMask,
        responses=problems(401, 403, 406, 408, 413, 422, 429, 500, 503),
        openapi_extra=MASK_BODY,
    )
    async def propose_a_mask(request: Request, by: str = caller) -> Response:
        """Detect the certain and the possible damage in a photo. `Accept: image/png` gives the mask alone."""
        media_type = chosen(request.headers.get("accept", ""), (JSON, "image/png"))
        with pool.reading(by):
            image = await read_image(request)
        found = await pool.run(request, partial(propose_mask, context, image), limits.answer_seconds)
        _log.info("%s mask", request_id(request.scope))
        if media_type == JSON:
            return JSONResponse(_proposed_mask(request_id(request.scope), found).model_dump())
        confidence = found.used.confidence
        headers = {} if confidence is None else {"X-Likeness-Confidence": f"{confidence:.4f}"}
        return Response(found.png, media_type=media_type, headers=headers)

    return router


def _answer(result: RestoreResult) -> Response:
    """Answer a request for a restoration: with JSON, with a picture and figures in headers, or with a ZIP of both.

    Raises:
        HttpProblem: a picture was wanted and there is none, because the photo was refused (422, code `refused`).
    """
    figures = _outcome(result)
    if result.form.media_type == ZIP:
        return Response(_zipped(result, figures), media_type=ZIP)
    if result.form.media_type in PICTURE_TYPES:
        return _picture(result, figures)
    return Response(_as_json(result, figures), media_type=JSON)


def _outcome(result: RestoreResult) -> Outcome:
    """Collect all figures, but not the picture."""
    row, restoration = result.row, result.restoration
    inline = result.form.media_type == JSON and result.picture is not None
    return Outcome(
        request_id=row.request_id,
        mode=restoration.mode,
        strength=row.strength,
        veil=restoration.veil,
        generated=restoration.generated,
        reason=restoration.reason,
        reasons=tuple(restoration.reason.split("; ")),
        area=restoration.area,
        coverage=restoration.coverage,
        missing_features=restoration.missing_features,
        uncertainty=row.uncertainty,
        faces=tuple(_face(face) for face in restoration.faces),
        references=tuple(note.reason for note in restoration.references),
        mask=_mask(result.used),
        model_version=row.model_version,
        arm=row.arm,
        timings=result.times.timings(),
        kept=result.kept,
        picture_type=f"image/{result.form.picture_format}" if inline else None,
        picture=None,
    )


def _as_json(result: RestoreResult, figures: Outcome) -> bytes:
    """Put the picture beside the figures; a large one is in memory as few times as possible."""
    body = figures.model_dump_json(exclude={"picture"}).encode()
    picture = b"null" if result.picture is None else b'"%b"' % base64.b64encode(result.picture)
    return b"".join((body[:-1], b',"picture":', picture, b"}"))


def _mask(used: UsedMask) -> MaskFigures:
    return MaskFigures(
        found=used.source == "found",
        confidence=used.confidence,
        proposed=used.proposed,
        pieces=_pieces(used),
        piece_count=used.piece_count,
        hints=used.hints,
    )


def _pieces(used: UsedMask) -> tuple[DamagePiece, ...]:
    return tuple(DamagePiece(**asdict(piece)) for piece in used.pieces)


def _note(used: UsedMask) -> str:
    """Say what a caller should look at before the mask is used."""
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
    """Clip to [0, 1]: means of many pixels may leave it by a rounding error."""
    return {name: min(1.0, max(0.0, rests[name])) for name in RegionTrust.model_fields}


def _picture(result: RestoreResult, figures: Outcome) -> Response:
    headers = {_header(name): str(value) for name in _HEADERS if (value := getattr(figures, name)) is not None}
    if result.picture is None:
        expected, remedy = "a photo that can be restored", "see the reason; ask for application/json to get the figures"
        raise HttpProblem(422, "refused", expected, figures.reason, remedy, headers)
    return Response(result.picture, media_type=result.form.media_type, headers=headers)


def _header(name: str) -> str:
    return "X-Likeness-" + name.replace("_", "-").title()


def _zipped(result: RestoreResult, figures: Outcome) -> bytes:
    """Make a ZIP, not deflated: pictures are compressed already. An unchanged photo is in it once."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        if result.picture is not None and figures.mode != "unchanged":
            archive.writestr(f"restored.{result.form.picture_format}", result.picture)
        assert result.photo.data is not None  # uploads are bytes
        archive.writestr(f"original.{result.photo.format}", result.photo.data)
        archive.writestr("outcome.json", figures.model_dump_json(indent=2))
    return stream.getvalue()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _proposed_mask(request_id: str, proposal: FoundMask) -> ProposedMask:
    """Answer a request for a mask."""
    used = proposal.used
    return ProposedMask(
        request_id=request_id,
        found=bool(used.mask.any()),
        confidence=used.confidence,
        area=float(used.mask.mean()),
        proposed=used.proposed,
        note=_note(used),
        pieces=_pieces(used),
        piece_count=used.piece_count,
        mask=_text(proposal.png),
        labels=_text(proposal.labels),
    )
