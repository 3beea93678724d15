"""The HTTP service: every address, its role, and what it may answer."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from serving import errors
from serving.accept import JSON, chosen
from serving.answers import answer, mask_answer
from serving.docs_page import docs_router
from serving.engine import full, outcome
from serving.envelope import Envelope, request_id
from serving.errors import Refused
from serving.form import read_image, read_upload
from serving.limits import BodyLimit
from serving.openapi import FEEDBACK_BODY, MASK_BODY, PICTURES, RESTORATION_BODY, problems
from serving.page import page_router
from serving.schema import (
    FeedbackGiven,
    FeedbackTaken,
    Forgotten,
    Health,
    Outcome,
    ProposedMask,
    Readiness,
    StoredOutcome,
)
from serving.service import Service
from serving.status_page import status_router
from serving.work import Ask, propose, restore

_log = logging.getLogger("likeness.serving")
_Id = Path(description="the request_id of the answer", pattern="^[0-9a-f]{32}$")
_Subject = Path(description="as given in the form field `subject`", max_length=200)


def create_app(service: Service) -> FastAPI:
    """The application over an assembled service, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="Likeness",
        version="1",
        description="Restores damaged portraits without changing who is in them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    serve = service.params.serve
    app.add_middleware(BodyLimit, max_bytes=int(serve.body_mebibytes * 2**20), seconds=serve.body_seconds)
    app.add_middleware(Envelope)
    errors.install(app, lambda code: service.metrics.rejected.labels(code).inc())
    for router in (_photos(service), _records(service), _operations(service)):
        app.include_router(router)
    for pages in (page_router(), status_router(service.paths), docs_router(app)):
        app.include_router(pages)
    return app


def _photos(service: Service) -> APIRouter:
    """Work on pictures."""
    router = APIRouter(prefix="/v1", tags=["photos"], dependencies=[Depends(service.guard.needs("restore"))])
    reading = Uploads(service.params.serve.uploads)

    @router.post(
        "/restorations",
        response_model=Outcome,
        responses=PICTURES | problems(401, 403, 406, 408, 413, 422, 429, 500, 503),
        openapi_extra=RESTORATION_BODY,
    )
    async def restore_a_photo(request: Request) -> Response:
        """Restore the faces of one photo. A photo that is refused is an outcome as well (mode `refuse`)."""
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
        """Find the damage in a photo. `Accept: image/png` gives the bare mask."""
        media_type = chosen(request.headers.get("accept", ""), (JSON, "image/png"))
        service.engine.check_room()
        with reading.one():
            image = await read_image(request)
        future = service.engine.submit(partial(propose, service.bench, image))
        found = await outcome(request, future, service.params.serve.answer_seconds)
        _log.info("%s mask", request_id(request.scope))
        if media_type == JSON:
            return JSONResponse(mask_answer(request_id(request.scope), found).model_dump())
        headers = {} if found.confidence is None else {"X-Likeness-Confidence": f"{found.confidence:.4f}"}
        return Response(found.png, media_type=media_type, headers=headers)

    return router


def _records(service: Service) -> APIRouter:
    """What is on record of a request or a person."""
    router = APIRouter(prefix="/v1", tags=["records"])
    restorer, admin = ([Depends(service.guard.needs(role))] for role in ("restore", "admin"))
    log, keeper = service.bench.log, service.bench.keeper

    @router.get("/restorations/{id}", dependencies=restorer, responses=problems(401, 403, 404, 422, 500, 503))
    def read_an_outcome(id: str = _Id) -> StoredOutcome:  # noqa: A002 - the word in the address
        """Features and scores of an earlier request; pictures are not on record."""
        row = log.one(id)
        if row is None:
            raise _unknown(id)
        return StoredOutcome.of(row)

    @router.post(
        "/restorations/{id}/feedback",
        dependencies=restorer,
        status_code=201,
        response_model=FeedbackTaken,
        responses=problems(401, 403, 404, 408, 413, 422, 500, 503),
        openapi_extra=FEEDBACK_BODY,
    )
    async def give_feedback(request: Request, id: str = _Id) -> FeedbackTaken:  # noqa: A002 - the word in the address
        """Say whether the person is recognised, or which picture is preferred. The latest answer counts."""
        given = _feedback(await request.body())
        if await run_in_threadpool(log.one, id) is None:
            raise _unknown(id)
        await run_in_threadpool(log.feedback, id, given, datetime.now(UTC))
        service.metrics.feedback.labels(str(given.recognised).lower()).inc()
        return FeedbackTaken(request_id=id)

    @router.delete("/subjects/{id}", dependencies=admin, responses=problems(401, 403, 422, 500, 503))
    def forget_a_subject(id: str = _Subject) -> Forgotten:  # noqa: A002 - the word in the address
        """Delete all that was kept of a person, and the link between the log and them."""
        pseudonym = keeper.pseudonym(id)
        deleted = keeper.forget(id)
        log.record("deletion", pseudonym, {"requests": deleted}, datetime.now(UTC))
        return Forgotten(deleted=deleted)

    return router


def _operations(service: Service) -> APIRouter:
    """For machines that look after the service; no figure here is about a person."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def health() -> Health:
        """The process answers."""
        return Health()

    @router.get("/readyz")
    async def readiness() -> Readiness:
        """Models are loaded. A registry that is down does not matter: what is loaded goes on serving."""
        arms = service.models.arms
        challenger = None if arms.challenger is None else arms.challenger.version
        up = service.models.registry_up
        return Readiness(ready=True, champion=arms.champion.version, challenger=challenger, registry_up=up)

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """For Prometheus."""
        return Response(service.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

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


def _feedback(body: bytes) -> FeedbackGiven:
    try:
        return FeedbackGiven.model_validate_json(body)
    except ValidationError as error:
        got = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise Refused(422, "bad_request", "feedback as JSON", got, "see /docs") from error


def _unknown(identity: str) -> Refused:
    return Refused(404, "unknown_request", "the id of a logged request", identity, "use the request_id of the answer")
