"""The pages at `/` and `/review`: static files, no build step, nothing from elsewhere."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

PAGES = Path(__file__).parent / "pages"
"""Every page's files; `/static/NAME` serves them."""


def page_router() -> APIRouter:
    """`/` (index.html), `/review` (review.html) and `/static/...` (everything in `serving/pages`)."""
    router = APIRouter(include_in_schema=False)
    router.routes.append(Mount("/static", StaticFiles(directory=PAGES), name="static"))

    @router.get("/", response_class=FileResponse)
    def index() -> FileResponse:
        return FileResponse(PAGES / "index.html")

    @router.get("/review", response_class=FileResponse)
    def review() -> FileResponse:
        return FileResponse(PAGES / "review.html")

    return router
