"""The page of a user study, a separate application, so that raters do not see the rest of the service.

A rater is identified by a random cookie, of which only the digest is stored. `monitoring/user_study/questions.py` has
the questions.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse

from monitoring.user_study.design import question_sheet
from monitoring.user_study.questions import (
    MAX_MARK_RADIUS,
    MAX_MARKS,
    GivenAnswer,
    Reply,
    State,
    feedback_of,
    is_valid_answer,
    state_of,
    visitor_state,
)
from monitoring.user_study.schema import Answer, Circle
from monitoring.user_study.store import StudyStore, pseudonym
from pipeline.config.serving import ProxyParams
from pipeline.project.storage import is_full
from serving.http.connection import BodyLimit, ForwardedHeaders
from serving.http.tracing import NO_NATIVE_TRACES
from serving.views.assets import PAGES, settings_module

if TYPE_CHECKING:
    from starlette.middleware.base import RequestResponseEndpoint

_FILES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_RATER, _ACCESS = "study_rater", "study_access"
_MONTH = 30 * 24 * 3600
_BODY_BYTES, _BODY_SECONDS = 64 * 1024, 20.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_study_app(store: StudyStore, token: str = "", proxy: ProxyParams | None = None) -> FastAPI:
    """Make the application for one study.

    Args:
        store: the study and its answers.
        token: the secret in the link, `/?token=...`; "" admits everyone.
        proxy: a reverse proxy in front of it; None: there is none, and its headers do not count.
    """
    app = FastAPI(title="Study", openapi_url=None, docs_url=None, redoc_url=None, telemetry=NO_NATIVE_TRACES)
    app.add_middleware(BodyLimit, max_bytes=_BODY_BYTES, seconds=_BODY_SECONDS)
    app.middleware("http")(_with_headers)
    if proxy is not None:
        app.add_middleware(ForwardedHeaders, proxy=proxy)
    app.add_exception_handler(OSError, _answer_no_room)
    admitted = [Depends(_access_check(token))]
    _add_pages(app, token, admitted)
    _add_questions(app, _StudySession(store), admitted)
    return app


def _add_pages(app: FastAPI, token: str, admitted: list[Any]) -> None:
    @app.get("/", response_model=None)
    def page(request: Request) -> Response:
        given = request.query_params.get("token")
        if given is None:
            _access_check(token)(request.cookies.get(_ACCESS, ""))
            return FileResponse(PAGES / "user_study" / "index.html", media_type="text/html")
        _access_check(token)(given)
        answer = RedirectResponse(_home(request), status_code=303)  # removes the token from the address bar
        if token:  # what anybody may write into the address is no cookie
            answer.set_cookie(_ACCESS, token, max_age=_MONTH, **_cookie(request))
        return answer

    @app.get("/user_study/study.{kind}", dependencies=admitted)
    def own_file(kind: str) -> FileResponse:
        if kind not in _FILES:
            raise HTTPException(404)
        return FileResponse(PAGES / "user_study" / f"study.{kind}", media_type=_FILES[kind])

    @app.get("/shared/api.js", dependencies=admitted)
    def shared_file() -> FileResponse:
        return FileResponse(PAGES / "shared" / "api.js", media_type=_FILES["js"])

    @app.get("/settings.js", dependencies=admitted)
    def settings() -> Response:
        return settings_module({"max_marks": MAX_MARKS, "max_mark_radius": MAX_MARK_RADIUS})


def _add_questions(app: FastAPI, desk: "_StudySession", admitted: list[Any]) -> None:
    @app.get("/api/state", dependencies=admitted)
    def where(study_rater: Annotated[str, Cookie()] = "") -> State:
        return desk.state(study_rater)

    @app.post("/api/join", dependencies=admitted)
    def join(request: Request, response: Response, study_rater: Annotated[str, Cookie()] = "") -> State:
        secret = desk.admit(study_rater)
        if secret != study_rater:
            response.set_cookie(_RATER, secret, max_age=_MONTH, **_cookie(request))
        return desk.state(secret)

    @app.post("/api/answers", dependencies=admitted)
    def answer(said: Annotated[GivenAnswer, Body()], study_rater: Annotated[str, Cookie()] = "") -> Reply:
        return desk.take(study_rater, said)

    @app.get("/pictures/{name}", dependencies=admitted)
    def picture(name: str) -> Response:
        content = desk.store.picture(name)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="image/png")  # no date and no tag, which could reveal an order


@dataclass(frozen=True)
class _StudySession:
    """The questions and answers of one study; `secret` is a rater's cookie, or ""."""

    store: StudyStore

    def state(self, secret: str) -> State:
        study, rater = self.store.study, pseudonym(secret)
        number = self.store.number(rater)
        return visitor_state(study) if number is None else state_of(study, number, self.store.answered(rater))

    def admit(self, secret: str) -> str:
        """Give a rater's secret; a new rater gets a new one."""
        if self.store.number(pseudonym(secret)) is not None:
            return secret
        made = self.store.join(datetime.now(UTC))
        if made is None:
            raise HTTPException(409, "This study has all the people it needs. Thank you for coming.")
        return made

    def take(self, secret: str, given: GivenAnswer) -> Reply:
        """Store an answer if it is the first to its question; gives the next question."""
        study, rater = self.store.study, pseudonym(secret)
        number = self.store.number(rater)
        if number is None:
            raise HTTPException(401, "Please start on the first page.")
        trials = question_sheet(study, number)
        if given.item >= len(trials) or not is_valid_answer(trials[given.item], given):
            raise HTTPException(422, "This is not an answer to that question.")
        if not self.store.answered(rater).issuperset(range(given.item)):
            raise HTTPException(409, "Please answer the questions in order.")
        answer = _answer(rater, given)
        self.store.answer(answer)
        return Reply(state=self.state(secret), feedback=feedback_of(study, trials[given.item], answer))


def _answer(rater: str, given: GivenAnswer) -> Answer:
    marks = tuple(Circle(**mark.model_dump()) for mark in given.marks)
    return Answer(rater=rater, marks=marks, time=datetime.now(UTC), **given.model_dump(exclude={"marks"}))


def _access_check(token: str) -> Callable[[str], None]:
    """Make a check of the access cookie."""

    def check(study_access: Annotated[str, Cookie()] = "") -> None:
        if token and not hmac.compare_digest(study_access.encode(), token.encode()):
            raise HTTPException(403, "Please use the link that you were given.")

    return check


def _answer_no_room(_: Request, error: Exception) -> Response:
    """Answer that an answer cannot be stored because the disk is full; other errors of the system are faults."""
    if not is_full(error):
        raise error
    words = "Your answer could not be stored: this study has no room left. Please tell whoever invited you."
    return JSONResponse({"detail": words}, 507)


def _home(request: Request) -> str:
    """Give the path of the page, which a proxy may show below its root."""
    return f"{request.scope.get('root_path', '')}/"


def _cookie(request: Request) -> dict[str, Any]:
    """Make the attributes of cookies: for this page alone, and with TLS, without which they would be lost over HTTP."""
    secure = request.url.scheme == "https"
    return {"httponly": True, "samesite": "strict", "secure": secure, "path": _home(request)}


async def _with_headers(request: Request, call_next: "RequestResponseEndpoint") -> Response:
    response: Response = await call_next(request)
    response.headers.update(_HEADERS)
    for name in ("last-modified", "etag"):
        if name in response.headers:
            del response.headers[name]
    return response
