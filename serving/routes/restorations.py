"""Routes of work on pictures: restore a photo, find its damage."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from serving.http.accept import JSON, chosen
from serving.http.openapi import MASK_BODY, PICTURES, RESTORATION_BODY, problems
from serving.http.request_id import request_id
from serving.http.uploads import read_image, read_upload
from serving.inference.request import Ask, propose, restore
from serving.inference.worker_pool import full, outcome
from serving.routes.responses import answer, mask_answer
from serving.schemas.restorations import Outcome, ProposedMask
from serving.service import Service

_log = logging.getLogger("likeness.serving")


def photos_router(service: Service) -> APIRouter:
    """Addresses that take pictures; they need the role `restore`."""
    router = APIRouter(prefix="/v1", tags=["photos"], dependencies=[Depends(service.guard.needs("restore"))])
    reading = Uploads(service.params.serve.uploads)

    @router.post(
        "/restorations",
        response_model=Outcome,
        responses=PICTURES | problems(401, 403, 406, 408, 413, 422, 429, 500, 503),
        openapi_extra=RESTORATION_BODY,
    )
    async def restore_a_photo(request: Request) -> Response:
        """Restore the faces of one photo.

        A photo that is refused is an outcome as well (mode `refuse`). So is one in which nothing is damaged for
        certain: it comes back as it came (mode `unchanged`).
        """
        service.engine.check_room()
        with reading.one():
            upload = await read_upload(request, service.params.serve.max_references)
        ask = Ask(request_id(request.scope), upload, service.models.arms, request.headers.get("accept", ""))
        future = service.engine.submit(partial(restore, service.bench, ask))
        done = await outcome(request, future, service.params.serve.answer_seconds)
        _log.info("%s %s %.0f ms", ask.request_id, done.row.mode, done.row.milliseconds)
        return await run_in_threadpool(answer, done)

    @router.post(
        "/masks",
        response_model=ProposedMask,
        responses=problems(401, 403, 406, 408, 413, 422, 429, 500, 503),
        openapi_extra=MASK_BODY,
    )
    async def propose_a_mask(request: Request) -> Response:
        """Find the damage in a photo: what is certain, and what may be. `Accept: image/png` gives the bare mask."""
        media_type = chosen(request.headers.get("accept", ""), (JSON, "image/png"))
        service.engine.check_room()
        with reading.one():
            image = await read_image(request)
        future = service.engine.submit(partial(propose, service.bench, image))
        found = await outcome(request, future, service.params.serve.answer_seconds)
        _log.info("%s mask", request_id(request.scope))
        if media_type == JSON:
            return JSONResponse(mask_answer(request_id(request.scope), found).model_dump())
        confidence = found.used.confidence
        headers = {} if confidence is None else {"X-Likeness-Confidence": f"{confidence:.4f}"}
        return Response(found.png, media_type=media_type, headers=headers)

    return router


class Uploads:
    """How many bodies are read at once: they are in memory."""

    def __init__(self, limit: int) -> None:
        self._limit, self._now = limit, 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Read one.

        Raises:
            Refused: too many are being read (429).
        """
        if self._now >= self._limit:
            raise full(f"{self._now} uploads", 1)
        self._now += 1
        try:
            yield
        finally:
            self._now -= 1
