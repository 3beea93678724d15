"""The caller's X-Request-Id is kept: in the answer's header and body, in errors, in the log."""

import re
import threading

import httpx
import pytest

from tests.serving.site import Site, form

OWN = re.compile("[0-9a-f]{32}")


def restored(site: Site, request_id: str) -> httpx.Response:
    data = {"picture": "none"}
    with site.client() as client:
        return client.post("/v1/restorations", files=form(), data=data, headers={"X-Request-Id": request_id})


def test_it_names_the_answer_its_record_and_its_log_row(site: Site) -> None:
    answer = restored(site, "Order_17-b")
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "Order_17-b"
    row = site.service.context.log.row("Order_17-b")
    assert row is not None
    with site.client() as client:
        assert client.get("/v1/restorations/Order_17-b").json()["request_id"] == "Order_17-b"
        given = client.post("/v1/restorations/Order_17-b/feedback", json={"recognised": True})
        again = client.post(
            "/v1/restorations", files=form(), data={"picture": "none", "repeats": "Order_17-b", "strength": "0.5"}
        )
    assert (given.status_code, again.status_code) == (201, 200)


def test_one_that_a_record_has_is_echoed_and_the_new_record_gets_another(site: Site) -> None:
    first, second = restored(site, "twice"), restored(site, "twice")
    short = restored(site, "one")
    assert short.headers["x-request-id"] == "one"
    assert OWN.fullmatch(short.json()["request_id"])
    assert [answer.headers["x-request-id"] for answer in (first, second)] == ["twice", "twice"]
    assert first.json()["request_id"] == "twice"
    assert OWN.fullmatch(second.json()["request_id"])


def test_two_at_once_with_one_id_get_a_record_each(site: Site) -> None:
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(restored(site, "at-once"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    ids = {answer.json()["request_id"] for answer in answers}
    assert len(ids) == 2
    assert "at-once" in ids


@pytest.mark.parametrize(
    ("method", "address"),
    [("POST", "/v1/restorations"), ("GET", "/v1/restorations/none"), ("GET", "/nowhere"), ("GET", "/healthz")],
)
def test_errors_and_other_answers_carry_it(site: Site, method: str, address: str) -> None:
    with site.client("") as client:
        answer = client.request(method, address, headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    if answer.status_code >= 400:
        assert answer.json()["request_id"] == "mine-1"


@pytest.mark.parametrize("given", ["", "a/b", "../../etc", "a b", "a" * 65, "Ã¼", "a\tb", "<i>"])
def test_what_is_no_id_is_replaced(site: Site, given: str) -> None:
    with site.client("") as client:
        answer = client.get("/nowhere", headers={b"X-Request-Id": given.encode("latin-1")})
    assert OWN.fullmatch(answer.headers["x-request-id"])
    assert OWN.fullmatch(answer.json()["request_id"])


def test_of_two_headers_none_counts(site: Site) -> None:
    with site.client("") as client:
        answer = client.get("/nowhere", headers=[("X-Request-Id", "one"), ("X-Request-Id", "two")])
    assert OWN.fullmatch(answer.headers["x-request-id"])
