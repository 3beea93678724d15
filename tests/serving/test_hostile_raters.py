"""Whatever a visitor of the raters' page sends, the answer is a refusal in words and no fault."""

import string

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.user_study_app import create_study_app
from tests.monitoring.user_study.site import lay_out, study

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette.testclient")

ADDRESSES = (
    ("GET", "/"), ("GET", "/user_study/study.js"), ("GET", "/shared/api.js"), ("GET", "/settings.js"), ("GET",
    "/api/state"),
    ("POST", "/api/join"), ("POST", "/api/answers"), ("GET", "/pictures/x"), ("GET", "/user_study/study.%00"),
    ("GET", "/pictures/%00"), ("GET", "/pictures/..%2f"), ("GET", "/nowhere"),
)  # fmt: skip
NASTY = (
    "", "\u20ac", "\x00", "\r\nX: y", "\xff", "%", '"\\777', ";", "=", "a" * 5000, "{", "[" * 9000, '{"item": 1e999}',
    "NaN",
    '{"item": 0, "milliseconds": 99999999999999999999999999, "choice": "left"}', '{"item": -1}', '{"item": "\\ud800"}',
    '{"item": 0, "milliseconds": 1, "marks": [{"x": NaN, "y": Infinity, "radius": 1e400}]}', "null", "[]", "\ud800",
)  # fmt: skip
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8"), max_size=30))


@pytest.fixture(scope="module", params=["", "secret"])
def visitor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Raises what the application raises."""
    store = lay_out(study(people=6, trials=4, checks=2), tmp_path_factory.mktemp("study"))
    return TestClient(create_study_app(store, request.param), follow_redirects=False)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ADDRESSES), TEXT, TEXT, TEXT)
def test_no_visitor_meets_a_fault(
    visitor: TestClient, address: tuple[str, str], token: str, cookie: str, body: str
) -> None:
    given = "".join(sign for sign in cookie if sign in string.printable[:95])  # what a header may contain
    headers = {"Cookie": f"study_access={given}; study_rater={given}"}
    query = {"token": token.encode("utf-8", "replace")} if token else {}
    answer = visitor.request(*address, params=query, headers=headers, content=body.encode("utf-8", "replace"))
    assert answer.status_code < 500


@pytest.mark.parametrize("given_token", ["\u20ac", "a\r\nX: y", "x" * 9000])
def test_a_token_that_nobody_asked_for_is_no_cookie(visitor: TestClient, given_token: str) -> None:
    answer = visitor.get("/", params={"token": given_token})
    assert "set-cookie" not in answer.headers
    assert answer.status_code in {303, 403}
