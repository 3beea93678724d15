"""Deletion reaches requests that are under way, and every subject that can be kept can be deleted."""

import socket
import stat
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.serving.site import Site, form

BASIS = "consent of 2 March"


def kept_files(site: Site) -> list[str]:
    kept = site.paths.kept
    return sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())


def restore(site: Site, subject: str) -> dict[str, Any]:
    with site.client() as client:
        data = {"subject": subject, "keep_basis": BASIS, "picture": "none"}
        answer: dict[str, Any] = client.post("/v1/restorations", files=form(), data=data, timeout=200).json()
    return answer


def delete(site: Site, subject: str, safe: str = "") -> httpx.Response:
    with site.client("admin") as client:
        return client.delete(f"/v1/subjects/{quote(subject, safe=safe)}")


def under_way(site: Site, requests: int) -> None:
    """Wait until so many requests are in the queue or in work."""
    deadline = time.monotonic() + 60
    while site.service.pool.waiting() + site.service.pool.running() < requests:
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("known", [True, False])
def test_requests_under_way_keep_nothing_of_a_person_who_is_deleted(known: bool, site: Site) -> None:
    """Eight at once, some in work and the others in the queue, of a person known before and of a new one."""
    subject = f"under way, known before: {known}"
    if known:
        assert restore(site, subject)["kept"]
    with ThreadPoolExecutor(8) as pool:
        begun: list[Future[dict[str, Any]]] = [pool.submit(restore, site, subject) for _ in range(8)]
        under_way(site, 8)
        assert delete(site, subject).json() == {"deleted": int(known)}
        answers = [one.result() for one in begun]
    assert [answer["kept"] for answer in answers] == [False] * 8
    assert kept_files(site) == []
    log = site.service.context.log
    rows = [log.row(answer["request_id"]) for answer in answers]
    names = {row.subject for row in rows if row is not None}
    assert not any(log.has("keeping", answer["request_id"]) for answer in answers)
    assert restore(site, subject)["kept"]  # consent that is given anew
    assert site.service.context.pictures.pseudonym(subject) not in names
    assert delete(site, subject).json() == {"deleted": 1}
    assert kept_files(site) == []


def test_a_request_that_is_being_uploaded_keeps_nothing_of_a_person_who_is_deleted(site: Site) -> None:
    """Also where the person sends another request, with a new consent, before the upload ends."""
    subject = "uploading"
    request = httpx.Request(
        "POST",
        f"{site.url}/v1/restorations",
        headers={"Authorization": f"Bearer {site.tokens['restore']}", "Connection": "close"},
        data={"subject": subject, "keep_basis": BASIS, "picture": "none"},
        files=form(),
    )
    body, address = request.read(), urlsplit(site.url)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(f"POST /v1/restorations HTTP/1.1\r\n{head}\r\n".encode() + body[:-500])
        time.sleep(0.3)
        assert delete(site, subject).json() == {"deleted": 0}
        again = restore(site, subject)
        connection.sendall(body[-500:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert again["kept"]
    assert b"200 OK" in answer
    assert b'"kept":false' in answer
    assert {name.split("/")[1] for name in kept_files(site)} == {again["request_id"]}
    assert delete(site, subject).json() == {"deleted": 1}


@pytest.mark.parametrize(
    "subject",
    ["ward/17", "a/b/c.d", "Zoë", "Zoe\u0308", "50 % of #3?", "%2F", "a+b@c;d", "مریم\u200cجان", "x" * 200, "😀"],
)
def test_whoever_can_be_kept_can_be_deleted(subject: str, site: Site) -> None:
    answer = restore(site, subject)
    assert answer["kept"]
    safe = "/" if "%" not in subject else ""
    assert delete(site, subject, safe).json() == {"deleted": 1}
    assert kept_files(site) == []


@pytest.mark.parametrize(
    "subject", [".", "..", "a/../b", "a//b", "/a", "a/", " ", " a", "a\t", "a\nb", "a\x7f", "a\\b", "x" * 201, "\ufffd"]
)
def test_whoever_could_not_be_deleted_is_not_kept(subject: str, site: Site) -> None:
    answer = restore(site, subject)
    assert (answer["status"], answer["code"]) == (422, "bad_request")
    assert "as subject" in answer["expected"]
    request = f"DELETE /v1/subjects/{quote(subject, safe='').replace('.', '%2E')} HTTP/1.1\r\nHost: x\r\n"
    request += f"Authorization: Bearer {site.tokens['admin']}\r\nConnection: close\r\n\r\n"
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(request.encode())
        assert b" 422 " in connection.recv(65536).split(b"\r\n")[0]


def test_names_typed_on_two_systems_are_one_subject(site: Site) -> None:
    assert restore(site, "Zoe\u0308")["kept"]
    assert delete(site, "Zoë").json() == {"deleted": 1}


def test_what_an_earlier_version_took_for_a_subject_can_be_deleted(site: Site) -> None:
    pictures = site.service.context.pictures
    for subject in ("a//b", "Zoe\u0308 of old"):
        pictures.pseudonym(subject)
        assert delete(site, subject).status_code == 200
        assert not pictures.knows(subject)
    assert delete(site, "a//b").status_code == 422


def test_a_deletion_that_cannot_be_logged_is_completed_by_the_next(site: Site) -> None:
    """The pictures are gone, the salt stays until the log has the entry."""
    pictures, log = site.service.context.pictures, site.service.context.log
    assert restore(site, "twice")["kept"]
    name = pictures.pseudonym("twice")

    def refuse(pseudonym: str, requests: int) -> None:
        raise OSError(28, f"No space left on device {pseudonym} {requests}")

    with pytest.raises(OSError, match=f"{name} 1"):
        pictures.forget("twice", refuse)
    assert kept_files(site) == []
    assert pictures.pseudonym("twice") == name
    before = len(log.entries("deletion"))
    assert delete(site, "twice").status_code == 200
    assert not pictures.knows("twice")
    assert [entry.key for entry in log.entries("deletion")[before:]] == [name]


def test_nothing_in_state_is_for_other_users(site: Site) -> None:
    """The service was started by a process whose umask admits others."""
    assert restore(site, "hidden")["kept"]
    state = site.paths.state
    open_to_others = [
        path.relative_to(state).as_posix()
        for path in (state, *state.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert delete(site, "hidden").json() == {"deleted": 1}
    assert open_to_others == []


def test_threads_that_keep_and_delete_at_once_leave_no_picture(site: Site) -> None:
    """Deletions while the pictures themselves are being written."""
    from datetime import UTC, datetime

    from serving.privacy.personal_data import KeptPictures
    from tests.serving.site import damaged, portrait

    pictures, stop = site.service.context.pictures, threading.Event()
    image, mask = damaged()
    shown = KeptPictures(image, mask, portrait())

    def keep_on(worker: int) -> None:
        for number in range(6):
            person = pictures.person("busy", pictures.deletions())
            pictures.keep(person, BASIS, shown, f"{worker:016x}{number:016x}", datetime.now(UTC))

    def forget_on() -> None:
        while not stop.wait(0.02):
            pictures.forget("busy")

    with ThreadPoolExecutor(4) as pool:
        deleting = pool.submit(forget_on)
        for worker in [pool.submit(keep_on, worker) for worker in range(3)]:
            worker.result()
        stop.set()
        deleting.result()
    pictures.forget("busy")
    assert kept_files(site) == []
