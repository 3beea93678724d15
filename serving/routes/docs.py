"""`/docs`: the OpenAPI document as a page without scripts, because nothing is loaded from elsewhere."""

from functools import cache
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from serving.views.assets import PAGES

if TYPE_CHECKING:
    from jinja2 import Template


def docs_router(app: FastAPI) -> APIRouter:
    """Make the route of the page, which is made from the app's own description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs", response_class=HTMLResponse)
    def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(_template().render(api=app.openapi(), root=request.scope.get("root_path", "")))

    return router


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader

    return Environment(
        loader=FileSystemLoader(PAGES / "docs"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    ).get_template("docs.html.j2")
