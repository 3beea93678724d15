"""Routes of human review: kept restorations flagged for review, their pictures, and the reviewer's answer."""

from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from monitoring.log.rows import LogRow
from monitoring.review import flagged_for_review
from serving.http.json_body import read_json
from serving.http.openapi import REVIEW_BODY, STORED_PICTURES, problems
from serving.http.problem import HttpProblem
from serving.http.request_form import JSON, ZIP, chosen
from serving.inference.context import ServingContext
from serving.privacy.review_pictures import in_base64, marked_pictures, zipped
from serving.routes.records import REQUEST, find_row
from serving.schemas.reviews import ReviewGiven, Reviews, ReviewTaken, ShownPictures, WaitingReview
from serving.service import Service

_Limit = Query(50, ge=1, le=200, description="at most so many")
_Days = Query(None, gt=0.0, le=3650.0, description="so many days back; `serve.review.days` if not given")
_Accept = Header("", description="application/json, or application/zip")


def reviews_router(service: Service) -> APIRouter:
    """Make the routes for the role `review`; each access to a person's pictures is logged before they are sent."""
    router = APIRouter(prefix="/v1", tags=["reviews"])
    context, rules = service.context, service.params.serve.review
    reviewer = Depends(service.guard.require("review"))

    @router.get("/reviews", dependencies=[reviewer], responses=problems(401, 403, 422, 500, 503))
    def list_what_waits(limit: int = _Limit, days: float | None = _Days) -> Reviews:
        """List restorations flagged for review, with kept pictures and not yet reviewed; most urgent first."""
        now = datetime.now(UTC)
        since = now - timedelta(days=rules.days if days is None else days)

        def still_there(row: LogRow) -> bool:
            return context.pictures.record(row.subject, row.request_id, now) is not None

        flagged = flagged_for_review(context.log.unreviewed(since), rules, limit, still_there)
        return Reviews(since=since, reviews=tuple(WaitingReview.of(waiting) for waiting in flagged))

    @router.get(
        "/restorations/{id}/pictures",
        response_model=ShownPictures,
        responses=STORED_PICTURES | problems(401, 403, 404, 406, 410, 422, 500, 503, 507),
    )
    def look_at_the_pictures(id: str = REQUEST, accept: str = _Accept, by: str = reviewer) -> Response:  # noqa: A002 - the word in the address
        """Read the kept pictures of a request, which its sender allowed. The look is logged with the token's id."""
        media_type = chosen(accept, (JSON, ZIP))
        row = _find_kept_row(context, id)
        pictures = context.pictures.pictures(row.subject, id, datetime.now(UTC))
        if pictures is None:
            raise _pictures_deleted()
        pictures_shown = marked_pictures(pictures, row, context.limits, context.seal)
        context.log.record("look", id, {"by": by, "pictures": list(pictures_shown)}, datetime.now(UTC))
        if media_type == ZIP:
            return Response(zipped(pictures_shown), media_type=ZIP)
        return JSONResponse(ShownPictures(request_id=id, pictures=in_base64(pictures_shown)).model_dump())

    @router.post(
        "/restorations/{id}/review",
        status_code=201,
        response_model=ReviewTaken,
        responses=problems(401, 403, 404, 408, 410, 413, 422, 429, 500, 503, 507),
        openapi_extra=REVIEW_BODY,
    )
    async def give_a_review(request: Request, id: str = REQUEST, by: str = reviewer) -> ReviewTaken:  # noqa: A002 - the word in the address
        """Say whether it is the same person, and what looks invented. Reviews are counted separately from feedback."""
        place = partial(service.pool.reading, by, photo=False)
        given = await read_json(request, ReviewGiven, "a review", service.params.serve.json_bytes, place)
        await run_in_threadpool(_log_review, context, id, given, by)
        service.metrics.reviews.labels(str(given.same_person).lower()).inc()
        return ReviewTaken(request_id=id)

    return router


def _log_review(context: ServingContext, identity: str, given: ReviewGiven, by: str) -> None:
    """Log a review; after the pictures are deleted, nothing more is recorded about the person."""
    now = datetime.now(UTC)
    if context.pictures.record(_find_kept_row(context, identity).subject, identity, now) is None:
        raise _pictures_deleted()
    context.log.record("review", identity, {"by": by, **given.model_dump(mode="json")}, now)


def _find_kept_row(context: ServingContext, identity: str) -> LogRow:
    """Find the row of a request whose pictures were kept, even if they are deleted by now.

    Raises:
        HttpProblem: no such request, or no picture of it was kept with consent to review (404).
    """
    row = find_row(context.log, identity)
    if not context.log.has("keeping", identity):
        expected, remedy = "a request whose sender let its pictures be kept", "choose one from /v1/reviews"
        raise HttpProblem(404, "no_pictures", expected, f"nothing kept of {identity}", remedy)
    return row


def _pictures_deleted() -> HttpProblem:
    return HttpProblem(410, "gone", "pictures that are still kept", "deleted or expired ones", "go on with the next")
