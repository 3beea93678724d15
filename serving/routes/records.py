"""Routes of the records about a request or a person: outcome, feedback, deletion."""

from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Depends, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor

from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import LogRow
from serving.http.connection import REQUEST_ID
from serving.http.json_body import read_json
from serving.http.openapi import FEEDBACK_BODY, problems
from serving.http.problem import HttpProblem
from serving.http.request_form import read_subject
from serving.privacy.subjects import normalised
from serving.schemas.records import FeedbackGiven, FeedbackTaken, Forgotten, StoredOutcome
from serving.service import Service

REQUEST = Path(description="the request_id of the answer", pattern=f"^{REQUEST_ID}$")
"""The parameter `id` of addresses below /v1/restorations."""
_Subject = Path(description="as given in the form field `subject`; it may hold slashes")


class _SubjectConvertor(PathConvertor):
    """The rest of an address, whatever it holds: line breaks, too."""

    regex = "(?s:.*)"


register_url_convertor("subject", _SubjectConvertor())


def records_router(service: Service) -> APIRouter:
    """Make the routes of records."""
    router = APIRouter(prefix="/v1", tags=["records"])
    restorer, admin = (Depends(service.guard.require(role)) for role in ("restore", "admin"))
    log, pictures, json_bytes = service.context.log, service.context.pictures, service.params.serve.json_bytes

    @router.get("/restorations/{id}", dependencies=[restorer], responses=problems(401, 403, 404, 422, 500, 503))
    def read_an_outcome(id: str = REQUEST) -> StoredOutcome:  # noqa: A002 - the word in the address
        """Read features and scores of an earlier request; pictures are not recorded."""
        return StoredOutcome.of(find_row(log, id))

    @router.post(
        "/restorations/{id}/feedback",
        status_code=201,
        response_model=FeedbackTaken,
        responses=problems(401, 403, 404, 408, 413, 422, 429, 500, 503, 507),
        openapi_extra=FEEDBACK_BODY,
    )
    async def give_feedback(request: Request, id: str = REQUEST, by: str = restorer) -> FeedbackTaken:  # noqa: A002 - the word in the address
        """Say whether the person is recognised, or which picture is preferred. The latest answer counts."""
        place = partial(service.pool.reading, by, photo=False)
        given = await read_json(request, FeedbackGiven, "feedback", json_bytes, place)
        await run_in_threadpool(find_row, log, id)
        await run_in_threadpool(log.feedback, id, given, datetime.now(UTC))
        service.metrics.feedback.labels(str(given.recognised).lower()).inc()
        return FeedbackTaken(request_id=id)

    @router.delete("/subjects/{id:subject}", dependencies=[admin], responses=problems(401, 403, 422, 500, 503, 507))
    def forget_a_subject(id: str = _Subject) -> Forgotten:  # noqa: A002 - the word in the address
        """Delete all that was kept of a person, and the link between the log and them."""

        def record(pseudonym: str, requests: int) -> None:
            log.record("deletion", pseudonym, {"requests": requests}, datetime.now(UTC))

        # what earlier versions took for a subject can be deleted even if it is none today
        known = {subject for subject in (id, normalised(id)) if pictures.knows(subject)}
        subjects = known or {read_subject(id)}
        return Forgotten(deleted=sum(pictures.forget(subject, record) for subject in subjects))

    return router


def find_row(log: ProductionLog, identity: str) -> LogRow:
    """Find the log row of a request.

    Raises:
        HttpProblem: there is none (404).
    """
    row = log.row(identity)
    if row is None:
        remedy = "use the request_id of the answer"
        raise HttpProblem(404, "unknown_request", "the id of a logged request", identity, remedy)
    return row
