"""The field `strength`: what it does to a picture, what it admits, and where it is written down."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.images import Image
from models.runtime.budget import UNLIMITED
from monitoring.drift.identity_space import IdentityWindow
from serving.http.request_form import Upload
from serving.inference.arms import Arms
from serving.inference.request import RestoreRequest, restore
from tests.serving.site import Site, damaged, doubtful, file_of, form, pixels_of, portrait

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WRONG = [
    "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "-0.1", "1.0001", "2", "1e400", "-1", "half", "0,5", "50%", "1/2",
    " 0.5", "0.5 ", "+0.5", "0_1", "0x1", "\u0661", "true", "null", "[0.5]", ".", "e", "0.5\n", "0" * 4000 + "2",
]  # fmt: skip


def restored_at(site: Site, strength: str | None, **data: str) -> tuple[dict[str, Any], Image]:
    """The answer and the picture; None sends no such field."""
    given = data if strength is None else {**data, "strength": strength}
    with site.client() as client:
        answer = client.post("/v1/restorations", files=form(), data=given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found, pixels_of(base64.b64decode(found["picture"]))


def test_it_mixes_the_face_model_with_the_classical_fill(site: Site) -> None:
    image, hole = damaged()
    answers = [restored_at(site, share) for share in ("0", "0.25", "1", None)]
    assert [found["generated"] for found, _ in answers] == [False, True, True, True]
    none, some, full, usual = (picture.astype(int) for _, picture in answers)
    assert np.array_equal(full, usual)
    assert np.abs(full - none)[hole].mean() > 5
    assert np.abs(some - (0.25 * full + 0.75 * none)).max() <= 1  # both were rounded to whole levels
    for picture in (none, some):
        assert np.array_equal(picture[~hole], image[~hole])


@pytest.mark.parametrize("text", ["0", "0.0", "1", "1.0", "1.", ".5", "5e-1", "1E-3", "0.30000000000000004", "00.5"])
def test_it_admits_every_way_to_write_a_share(site: Site, text: str) -> None:
    assert restored_at(site, text)[0]["strength"] == float(text)


@pytest.mark.parametrize("text", WRONG, ids=repr)
def test_it_admits_nothing_else(site: Site, text: str) -> None:
    with site.client() as client:
        answer = client.post("/v1/restorations", files=form(), data={"strength": text})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_request")
    assert problem["expected"] == "a number from 0 to 1 as strength"
    assert problem["got"] == (repr(text[:40]) if text else "nothing")


def test_it_is_one_text(site: Site) -> None:
    with site.client() as client:
        twice = client.post("/v1/restorations", files=form(), data={"strength": ["0.2", "0.8"]}).json()
        file = client.post("/v1/restorations", files=form() | {"strength": b"0.5"}).json()
    assert (twice["code"], twice["expected"], twice["got"]) == ("bad_request", "one value as strength", "several")
    assert (file["code"], file["expected"], file["got"]) == ("bad_request", "a text as strength", "a file")


def test_it_stands_in_the_answer_and_in_the_log(site: Site) -> None:
    found, _ = restored_at(site, "0.4")
    with site.client() as client:
        logged = client.get(f"/v1/restorations/{found['request_id']}").json()["figures"]
    assert (found["strength"], logged["strength"]) == (0.4, 0.4)
    row = site.service.context.log.after(0).set_index("request_id").loc[found["request_id"]]
    assert row["strength"] == 0.4
    whole, _ = restored_at(site, None)
    assert whole["strength"] == 1.0


def test_a_mixed_face_is_no_figure_of_the_model(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    observed: list[str] = []
    monkeypatch.setattr(IdentityWindow, "add", lambda _, name, embedding: observed.append(name))

    def counted() -> float:
        labels = {"encoder": "sface", "arm": "champion"}
        registry = site.service.context.metrics.registry
        return registry.get_sample_value("likeness_identity_similarity_count", labels) or 0.0

    before = counted()
    restored_at(site, "0.4")
    assert (counted(), observed) == (before, [])
    restored_at(site, "1")
    assert (counted(), observed) == (before + 1, ["sface", "dlib"])


def test_a_repeated_restoration_stays_in_its_arm(site: Site) -> None:
    champion = site.service.models.arms.champion
    arms = Arms(champion, replace(champion, arm="challenger", version="2"))
    upload = Upload(file_of(portrait()), None, (), "auto", 1.0, False, "", "", "none", "")

    def arm(number: int, repeats: str) -> str:
        request = RestoreRequest(f"{number:032x}", replace(upload, repeats=repeats), arms, "application/json", 0)
        return restore(site.service.context, request, 0.0, UNLIMITED).row.arm

    first = [arm(number, "") for number in range(500, 508)]
    assert set(first) == {"champion", "challenger"}
    assert [arm(1000 + number, f"{number:032x}") for number in range(500, 508)] == first


def test_a_photo_that_comes_back_as_it_came_does_so_at_any_strength(site: Site) -> None:
    files = {"image": file_of(doubtful(portrait())[0])}
    with site.client() as client:
        found = client.post("/v1/restorations", files=files, data={"strength": "0.3"}).json()
    assert (found["mode"], found["strength"]) == ("unchanged", 0.3)
