"""The pages at `/` and `/review`: static files without a build step, nothing from other servers, and their settings."""

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipeline.config.load import Params
from pipeline.damage.painted import BRIGHT, VISIBLE
from serving.views.assets import PAGES, settings_module


def page_router(params: Params) -> APIRouter:
    """Make the routes `/`, `/review`, `/settings.js` and `/static/...` (everything in `serving/pages`)."""
    router = APIRouter(include_in_schema=False)
    router.routes.append(Mount("/static", StaticFiles(directory=PAGES), name="static"))

    @router.get("/", response_class=FileResponse)
    def index() -> FileResponse:
        return FileResponse(PAGES / "restore" / "index.html")

    @router.get("/review", response_class=FileResponse)
    def review() -> FileResponse:
        return FileResponse(PAGES / "review" / "index.html")

    @router.get("/settings.js")
    def settings() -> Response:
        return settings_module(page_settings(params))

    return router


def page_settings(params: Params) -> dict[str, object]:
    """Give the pages the limits of the service, so that no page repeats one.

    `identity_risk`: from `fair` and from `low` on, identity confidence is called so; `low` is where the router calls
    the likeness doubtful. `certain_damage`: mean confidence from which a found mask is called quite sure.
    `painted`: levels of 0..255; from `visible` on the alpha of a transparent layer counts as painted, from `bright` on
    the brightest channel of an opaque mask.
    """
    low = params.restore.doubtful_identity_risk
    return {
        "max_references": params.serve.max_references,
        "identity_risk": {"fair": low / 2, "low": low},
        "certain_damage": params.restore.finder.certain,
        "painted": {"visible": VISIBLE, "bright": BRIGHT},
    }
