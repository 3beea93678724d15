"""The pages at `/` and `/review`: static files, no build step, nothing from elsewhere."""

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from serving.views.assets import PAGES


def page_router() -> APIRouter:
    """`/`, `/review` and `/static/...` (everything in `serving/pages`)."""
    router = APIRouter(include_in_schema=False)
    router.routes.append(Mount("/static", StaticFiles(directory=PAGES), name="static"))

    @router.get("/", response_class=FileResponse)
    def index() -> FileResponse:
        return FileResponse(PAGES / "restore" / "index.html")

    @router.get("/review", response_class=FileResponse)
    def review() -> FileResponse:
        return FileResponse(PAGES / "review" / "index.html")

    return router
