"""The human look over real HTTP: who may, what comes first, what is shown and recorded, and when it ends."""

import base64
import hashlib
import io
import zipfile
from typing import Any

import numpy as np
import pytest

from monitoring.log.production_log import Entry, Kind
from monitoring.log.rows import Feedback
from serving.privacy.personal_data import KeptPictures
from tests.serving.reviewing import Kept
from tests.serving.site import Site, damaged, file_of, form, pixels_of, portrait

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SAID_NO = Feedback(recognised=False)
VERDICT = {"same_person": False, "invented": ["nose", "left_eye", "nose"]}


def entries(site: Site, kind: Kind, request_id: str) -> list[Entry]:
    return [entry for entry in site.service.context.log.entries(kind) if entry.key == request_id]


def waiting(site: Site, **query: Any) -> list[str]:
    """Request ids of the list, in its order."""
    with site.client("review") as client:
        found = client.get("/v1/reviews", params=query).json()
    return [one["request_id"] for one in found["reviews"]]


def test_the_list_and_the_pictures_need_the_role(site: Site, kept: Kept) -> None:
    request_id = kept.add(SAID_NO)
    place = f"/v1/restorations/{request_id}"
    statuses = {}
    for role in ("", "restore", "review", "admin"):
        with site.client(role) as client:
            answers = (
                client.get("/v1/reviews"),
                client.get(f"{place}/pictures"),
                client.post(f"{place}/review", json=VERDICT),
            )
        statuses[role] = [answer.status_code for answer in answers]
    assert statuses == {"": [401] * 3, "restore": [403] * 3, "review": [200, 200, 201], "admin": [200, 200, 201]}
    assert len(entries(site, "look", request_id)) == 2  # who was refused saw nothing, and is not on record
    assert len(entries(site, "review", request_id)) == 2


def test_the_most_worrying_comes_first_and_nothing_that_was_not_kept(site: Site, kept: Kept) -> None:
    kept.add()  # nothing to worry about
    kept.add(SAID_NO, basis="")  # nobody agreed to keep it
    kept.add(SAID_NO, days=31)
    risky = kept.add(identity_risk=0.2)
    riskier = kept.add(identity_risk=0.22)
    gone = kept.add(SAID_NO, identity_risk=0.5)
    disowned = kept.add(SAID_NO)
    site.service.context.pictures.forget(kept.subject(gone))
    assert waiting(site) == [disowned, riskier, risky]
    assert waiting(site, limit=2) == [disowned, riskier]
    assert len(waiting(site, days=32)) == 4
    with site.client("review") as client:
        first = client.get("/v1/reviews").json()["reviews"][0]
        wrong = [client.get("/v1/reviews", params=query) for query in ({"limit": 0}, {"limit": 201}, {"days": 0})]
    assert first["worries"] == ["not_recognised"]
    assert (first["identity_risk"], first["similarity_plain"]) == (0.05, 0.96)
    assert not {"model_version", "arm", "subject"} & set(first)  # who judges shall not know what made it
    assert [(answer.status_code, answer.json()["code"]) for answer in wrong] == [(422, "bad_request")] * 3


def test_what_the_service_keeps_can_be_looked_at_and_the_look_is_recorded(site: Site, kept: Kept) -> None:
    log, data = site.service.context.log, {"subject": kept.subject("over HTTP"), "keep_basis": "consent"}
    files = form() | {"references": file_of(portrait())}
    with site.client() as client:
        request_id = client.post("/v1/restorations", files=files, data=data).json()["request_id"]
        client.post(f"/v1/restorations/{request_id}/feedback", json={"recognised": False})
    assert waiting(site) == [request_id]
    with site.client("review") as client:
        answer = client.get(f"/v1/restorations/{request_id}/pictures", headers={"Accept": "application/zip"})
        shown = client.get(f"/v1/restorations/{request_id}/pictures").json()
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/zip", "no-store")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pictures = {name: archive.read(name) for name in archive.namelist()}
    assert list(pictures) == ["damaged.png", "mask.png", "restored.png", "reference-1.png"]
    image, mask = damaged()
    assert np.array_equal(pixels_of(pictures["damaged.png"]), image)
    assert np.array_equal(pixels_of(pictures["mask.png"])[..., 0] > 127, mask)
    assert np.array_equal(pixels_of(pictures["reference-1.png"]), portrait())
    restored = pixels_of(pictures["restored.png"])
    assert np.array_equal(restored[~mask], image[~mask])
    assert np.abs(restored.astype(int) - image)[mask].mean() > 20
    assert pixels_of(base64.b64decode(shown["pictures"]["restored.png"])).tobytes() == restored.tobytes()
    identity = site.tokens["review"].split("_")[1]
    looks = [entry.body for entry in entries(site, "look", request_id)]
    assert looks == [{"by": identity, "pictures": list(pictures)}] * 2
    assert [entry.body for entry in entries(site, "keeping", request_id)] == [{"references": 1}]
    assert log.verify().whole


def test_a_restored_picture_leaves_with_its_marks(site: Site, kept: Kept) -> None:
    request_id = kept.add(SAID_NO)
    with site.client("review") as client:
        shown = client.get(f"/v1/restorations/{request_id}/pictures").json()["pictures"]
    restored, original = (base64.b64decode(shown[name]) for name in ("restored.png", "damaged.png"))
    state, manifest = site.service.context.seal.read(restored, "image/png")
    assert state == "Trusted"
    assert hashlib.sha256(original).hexdigest() in str(manifest)
    assert b"compositeWithTrainedAlgorithmicMedia" in restored
    assert b"compositeWithTrainedAlgorithmicMedia" not in original


def test_a_verdict_is_recorded_counted_apart_and_ends_the_wait(site: Site, kept: Kept) -> None:
    log = site.service.context.log
    ids = [kept.add(SAID_NO), kept.add(SAID_NO), kept.add(SAID_NO)]
    before = log.after(0).set_index("request_id").loc[ids, ["recognised", "feedback_recognised"]]
    with site.client("review") as client:
        counted = _counts(client.get("/metrics").text)
        for request_id, same in zip(ids, (True, False, None), strict=True):
            answer = client.post(f"/v1/restorations/{request_id}/review", json=VERDICT | {"same_person": same})
            assert (answer.status_code, answer.json()) == (201, {"request_id": request_id})
        later = _counts(client.get("/metrics").text)
    assert waiting(site) == []
    assert {said: later[said] - counted.get(said, 0) for said in later} == {"true": 1, "false": 1, "none": 1}
    (entry,) = entries(site, "review", ids[1])
    identity = site.tokens["review"].split("_")[1]
    assert entry.body == {"by": identity, "same_person": False, "invented": ["left_eye", "nose"]}
    assert log.after(0).set_index("request_id").loc[ids, ["recognised", "feedback_recognised"]].equals(before)
    assert log.verify().whole


def _counts(exposition: str) -> dict[str, int]:
    lines = [line for line in exposition.splitlines() if line.startswith("likeness_reviews_total{")]
    return {line.split('"')[1]: round(float(line.split()[-1])) for line in lines}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "Field required"),
        (b'{"same_person": true, "note": "that is Ann"}', "Extra inputs"),
        (b'{"same_person": true, "invented": ["ear"]}', "left_eye"),
        (b"no JSON", "JSON"),
    ],
)
def test_a_verdict_has_no_room_for_free_text(site: Site, kept: Kept, body: bytes, words: str) -> None:
    request_id = kept.add(SAID_NO)
    with site.client("review") as client:
        answer = client.post(f"/v1/restorations/{request_id}/review", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
    assert words in answer.json()["got"]
    assert entries(site, "review", request_id) == []


def test_nothing_is_shown_without_a_basis(site: Site, kept: Kept) -> None:
    not_kept, stranger = kept.add(SAID_NO, basis=""), "f" * 32
    with site.client("admin") as client:
        for request_id, code in ((not_kept, "no_pictures"), (stranger, "unknown_request")):
            place = f"/v1/restorations/{request_id}"
            for answer in (client.get(f"{place}/pictures"), client.post(f"{place}/review", json=VERDICT)):
                assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert entries(site, "look", not_kept) + entries(site, "review", not_kept) == []


def test_consent_from_before_there_were_reviewers_is_not_stretched(site: Site, kept: Kept) -> None:
    context = site.service.context
    request_id = kept.add(SAID_NO, basis="")
    image, mask = damaged()
    row = context.log.row(request_id)
    assert row is not None
    person = context.pictures.person(kept.subject(request_id), context.pictures.deletions())
    context.pictures.keep(person, "for training", KeptPictures(image, mask, portrait()), request_id, row.time)
    with site.client("review") as client:
        answer = client.get(f"/v1/restorations/{request_id}/pictures")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_pictures")
    assert waiting(site) == []


def test_deletion_ends_a_review_under_way(site: Site, kept: Kept) -> None:
    request_id = kept.add(SAID_NO)
    place = f"/v1/restorations/{request_id}"
    with site.client("review") as reviewer, site.client("admin") as admin:
        assert reviewer.get(f"{place}/pictures").status_code == 200
        assert admin.delete(f"/v1/subjects/{kept.subject(request_id)}").json() == {"deleted": 1}
        answers = reviewer.get(f"{place}/pictures"), reviewer.post(f"{place}/review", json=VERDICT)
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
        assert answer.json()["remedy"] == "go on with the next"
    assert waiting(site) == []
    assert len(entries(site, "look", request_id)) == 1
    assert entries(site, "review", request_id) == []
