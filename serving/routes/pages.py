"""The pages at `/` and `/review`: static files without a build step, nothing from other servers, and their settings."""

import json

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipeline.config.load import Params
from serving.views.assets import PAGES


def page_router(params: Params) -> APIRouter:
    """Make the routes `/`, `/review`, `/settings.js` and `/static/...` (everything in `serving/pages`)."""
    router = APIRouter(include_in_schema=False)
    router.routes.append(Mount("/static", StaticFiles(directory=PAGES), name="static"))
    settings = f"export default {json.dumps(page_settings(params))};\n"

    @router.get("/", response_class=FileResponse)
    def index() -> FileResponse:
        return FileResponse(PAGES / "restore" / "index.html")

    @router.get("/review", response_class=FileResponse)
    def review() -> FileResponse:
        return FileResponse(PAGES / "review" / "index.html")

    @router.get("/settings.js")
    def settings_module() -> Response:
        return Response(settings, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    return router


def page_settings(params: Params) -> dict[str, object]:
    """Give the pages the limits of params.yaml, so that no page repeats one.

    `identity_risk`: from `fair` and from `low` on, identity confidence is called so; `low` is where the router calls
    the likeness doubtful. `certain_damage`: mean confidence from which a found mask is called quite sure.
    """
    low = params.restore.doubtful_identity_risk
    return {
        "max_references": params.serve.max_references,
        "identity_risk": {"fair": low / 2, "low": low},
        "certain_damage": params.restore.finder.certain,
    }
