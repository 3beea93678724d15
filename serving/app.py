"""Assemble the HTTP application: routes, middleware and error handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from serving.http import errors
from serving.http.connection import AllowedHosts, BodyLimit, ForwardedHeaders, RequestId
from serving.http.tracing import NO_NATIVE_TRACES, TraceRequests, Tracing, is_wanted
from serving.routes.docs import docs_router
from serving.routes.pages import page_router
from serving.routes.records import records_router
from serving.routes.restorations import photos_router
from serving.routes.reviews import reviews_router
from serving.routes.status import status_router
from serving.schemas.records import Health, Readiness
from serving.service import Service


def create_app(service: Service) -> FastAPI:
    """Make the application over an assembled service, which it closes when it ends."""
    tracing = Tracing() if is_wanted() else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)
        if tracing is not None:
            await run_in_threadpool(tracing.close)

    app = FastAPI(
        title="Likeness",
        version="1",
        description="Restores damaged portraits without changing who is in them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_NATIVE_TRACES,
    )
    serve = service.params.serve
    app.add_middleware(BodyLimit, max_bytes=int(serve.body_mebibytes * 2**20), seconds=serve.body_seconds)
    if tracing is not None:
        app.add_middleware(TraceRequests, tracing=tracing)
    count = partial(_count_rejected, service)
    app.add_middleware(AllowedHosts, hosts=serve.proxy.hosts, refuse=partial(errors.refuse, count))
    app.add_middleware(RequestId)
    app.add_middleware(ForwardedHeaders, proxy=serve.proxy)
    errors.install(app, count)
    for router in (photos_router(service), records_router(service), reviews_router(service), _operations(service)):
        app.include_router(router)
    for pages in (
        page_router(service.params),
        status_router(service.paths, service.context.storage.full),
        docs_router(app),
    ):
        app.include_router(pages)
    return app


def _count_rejected(service: Service, code: str) -> None:
    service.metrics.rejected.labels(code).inc()
    if code in errors.STORAGE_CODES:
        service.context.storage.note_failure()


def _operations(service: Service) -> APIRouter:
    """Make the routes for operation; they contain no personal data."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    async def health() -> Health:
        """Tell whether the process answers."""
        return Health()

    @router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready: the disk is full"}})
    def readiness(response: Response) -> Readiness:
        """Tell whether models are loaded and requests can be logged. They go on while the registry is down."""
        full = service.context.storage.full()
        response.status_code = 503 if full else 200
        arms = service.models.arms
        challenger = None if arms.challenger is None else arms.challenger.version
        up = service.models.registry_up
        return Readiness(
            ready=not full,
            champion=arms.champion.version,
            challenger=challenger,
            registry_up=up,
            storage_full=full,
        )

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Export the metrics for Prometheus."""
        return Response(service.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return router
