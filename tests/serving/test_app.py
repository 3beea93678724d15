"""The service over real HTTP: what it gives, in which form, and what it tells who gets nothing."""

import base64
import io
import json
import zipfile
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from models import assets
from models.load import load_restorer
from restoration.find_damage import find_damage, required
from serving.app import create_app
from tests.serving.site import (
    PARAMS,
    Shared,
    Site,
    damaged,
    doubtful,
    file_of,
    form,
    pixels_of,
    portrait,
    restored_directly,
    running,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
MARK = b"http://cv.iptc.org/newscodes/digitalsourcetype/"
"""In every file that says that a model made a part of it."""


def test_a_portrait_is_restored_as_without_the_service(site: Site) -> None:
    image, mask = damaged()
    with site.client() as client:
        found = client.post("/v1/restorations", files=form()).json()
    restorer = load_restorer(assets.ASSETS / "restorer.safetensors")
    expected = restored_directly(restorer)
    restored = pixels_of(base64.b64decode(found["picture"]))
    assert expected.image is not None
    assert np.array_equal(restored[~mask], image[~mask])
    assert np.abs(restored.astype(int) - expected.image).max() <= 1  # ONNX Runtime and torch
    assert np.abs(restored.astype(int) - image)[mask].mean() > 20
    assert (found["mode"], found["reason"]) == (expected.mode, expected.reason)
    assert found["area"] == pytest.approx(mask.mean())
    assert found["coverage"] == pytest.approx(expected.faces[0].coverage)
    assert found["faces"][0]["likeness_to_plain"].keys() == {"sface", "dlib"}
    assert sum(found["faces"][0]["trust"]["left_eye"].values()) == pytest.approx(1, abs=1e-4)
    assert found["mask"] == {
        "found": False,
        "confidence": None,
        "proposed": 0.0,
        "pieces": [],
        "piece_count": 0,
        "hints": [],
    }
    assert (found["model_version"], found["arm"], found["kept"]) == ("shipped", "champion", False)


def test_times_add_up(site: Site) -> None:
    with site.client() as client:
        found = client.post("/v1/restorations", files=form()).json()
        logged = client.get(f"/v1/restorations/{found['request_id']}").json()["figures"]
    timings = found["timings"]
    assert min(timings.values()) >= 0
    assert timings["verify"] > 1  # two encoders, two faces each
    parts = sum(timings.values()) - timings["log"]
    assert logged["milliseconds"] == pytest.approx(parts, rel=0.1, abs=10)
    assert 0 < logged["verification_cpu_seconds"] < logged["cpu_seconds"] < logged["milliseconds"] / 1000 * 1.5


@pytest.mark.parametrize(
    ("accept", "sent", "media_type", "magic"),
    [
        ("image/png", "JPEG", "image/png", b"\x89PNG"),
        ("image/*", "JPEG", "image/jpeg", b"\xff\xd8\xff"),
        ("image/*", "WEBP", "image/webp", b"RIFF"),
        ("image/*", "BMP", "image/png", b"\x89PNG"),
        ("text/html;q=1, image/tiff;q=0.5, */*;q=0.1", "PNG", "image/tiff", b"II*\0"),
    ],
)
def test_accept_decides(site: Site, accept: str, sent: str, media_type: str, magic: bytes) -> None:
    with site.client() as client:
        answer = client.post("/v1/restorations", files=form(sent), headers={"Accept": accept})
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(magic)
    assert answer.headers["x-likeness-mode"] == "inpaint"
    assert float(answer.headers["x-likeness-coverage"]) > 0.01
    assert MARK in answer.content  # as AI-restored


def test_a_zip_has_the_original_beside_the_restored_picture(site: Site) -> None:
    files = form("JPEG")
    with site.client() as client:
        answer = client.post("/v1/restorations", files=files, headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {"restored.png", "original.jpeg", "outcome.json"}
        assert archive.read("original.jpeg") == files["image"]
        figures = json.loads(archive.read("outcome.json"))
        near = cv2.dilate(damaged()[1].astype(np.uint8), np.ones((25, 25))) > 0  # as far as JPEG's edges may bleed
        known = pixels_of(files["image"])[~near]
        assert np.abs(pixels_of(archive.read("restored.png"))[~near].astype(int) - known).max() <= 2  # two decoders
    assert (figures["picture"], figures["mode"]) == (None, "inpaint")


@pytest.mark.parametrize(("wish", "magic"), [("input", b"\xff\xd8\xff"), ("png", b"\x89PNG"), ("none", None)])
def test_json_carries_the_picture_that_was_wished_for(site: Site, wish: str, magic: bytes | None) -> None:
    with site.client() as client:
        found = client.post("/v1/restorations", files=form("JPEG"), data={"picture": wish}).json()
    assert (found["picture"] is None) == (magic is None)
    assert magic is None or base64.b64decode(found["picture"]).startswith(magic)


def test_a_mask_is_found_where_none_is_given(site: Site) -> None:
    image, hole = damaged()
    image, stain = doubtful(image)
    files = {"image": file_of(image)}
    with site.client() as client:
        found = client.post("/v1/restorations", files=files).json()
        proposed = client.post("/v1/masks", files=files).json()
        bare = client.post("/v1/masks", files=files, headers={"Accept": "image/png"})
    context = site.service.context
    expected = find_damage(image, required(context.finder), context.tools.for_request().detector, PARAMS.restore.finder)
    levels = pixels_of(base64.b64decode(proposed["mask"]))[..., 0]
    assert np.array_equal(levels == 255, hole)
    assert np.array_equal(levels == 96, stain)
    assert set(np.unique(levels)) == {0, 96, 255}
    labels = pixels_of(base64.b64decode(proposed["labels"]))[..., 0]
    assert np.array_equal(labels, hole * np.uint8(1) + stain * np.uint8(2))
    assert (proposed["found"], proposed["piece_count"]) == (True, 2)
    assert proposed["confidence"] == pytest.approx(expected.confidence)
    assert (proposed["area"], proposed["proposed"]) == (pytest.approx(hole.mean()), pytest.approx(stain.mean()))
    assert proposed["note"] == "what is grey in the mask may be damaged, too"
    sure, unsure = proposed["pieces"]
    assert (sure["kind"], sure["box"], sure["used"], sure["why"]) == ("hole", [80, 90, 32, 30], True, "")
    assert (unsure["box"], unsure["used"], unsure["why"]) == ([10, 20, 16, 20], False, "not sure enough")
    assert found["mask"] == {"found": True, "hints": []} | {
        name: proposed[name] for name in ("confidence", "proposed", "pieces", "piece_count")
    }
    assert found["area"] == pytest.approx(proposed["area"])
    restored = pixels_of(base64.b64decode(found["picture"]))
    assert np.array_equal((restored != image).any(axis=-1) | hole, hole)
    assert np.array_equal(pixels_of(bare.content)[..., 0], levels)
    assert float(bare.headers["x-likeness-confidence"]) == pytest.approx(proposed["confidence"], abs=1e-4)


def test_who_asks_to_fill_everything_gets_what_may_be_damaged_filled_too(site: Site) -> None:
    image, stain = doubtful(damaged()[0])
    with site.client() as client:
        found = client.post("/v1/restorations", files={"image": file_of(image)}, data={"mode": "inpaint"}).json()
    assert found["area"] == pytest.approx((stain | damaged()[1]).mean())
    assert found["mask"]["proposed"] == 0
    restored = pixels_of(base64.b64decode(found["picture"]))
    assert (restored != image)[stain].any(axis=-1).mean() > 0.9


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_photo_without_certain_damage_comes_back_as_it_came(site: Site, kind: str) -> None:
    image, stain = doubtful(portrait())
    content, own = file_of(image, kind), f"image/{kind.lower()}"
    with site.client() as client:
        found = client.post("/v1/restorations", files={"image": content}).json()
        whole = client.post("/v1/restorations", files={"image": file_of(portrait())}).json()
        bare = client.post("/v1/restorations", files={"image": content}, headers={"Accept": own})
        packed = client.post("/v1/restorations", files={"image": content}, headers={"Accept": "application/zip"})
        proposed = client.post("/v1/masks", files={"image": content}).json()
        logged = client.get(f"/v1/restorations/{found['request_id']}").json()["figures"]
    assert (found["mode"], found["faces"], found["area"], found["coverage"]) == ("unchanged", [], 0, None)
    assert found["reason"].startswith("no damage was found for certain")
    assert whole["reason"].startswith("no damage was found;")
    assert found["mask"]["found"]
    assert found["mask"]["confidence"] is None
    assert found["mask"]["proposed"] == pytest.approx(stain.mean(), rel=0.3)
    assert found["picture_type"] == "image/png"
    picture = base64.b64decode(found["picture"])
    assert np.array_equal(pixels_of(picture), pixels_of(content))
    assert MARK not in picture
    assert (bare.status_code, bare.headers["content-type"], bare.content) == (200, own, content)
    assert bare.headers["x-likeness-mode"] == "unchanged"
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert set(archive.namelist()) == {f"original.{kind.lower()}", "outcome.json"}
    assert (proposed["found"], proposed["confidence"], proposed["area"]) == (False, None, 0)
    assert proposed["note"].startswith("nothing is damaged for certain; what is grey")
    assert (logged["mode"], logged["recognised"], logged["identity_risk"]) == ("unchanged", None, None)
    assert logged["verification_cpu_seconds"] == 0


def test_an_unchanged_photo_in_another_format_has_no_mark_either(site: Site) -> None:
    content = file_of(portrait(), "BMP")
    with site.client() as client:
        answers = {
            name: client.post("/v1/restorations", files={"image": content}, headers={"Accept": f"image/{name}"})
            for name in ("png", "jpeg", "webp", "tiff")
        }
    for name, answer in answers.items():
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{name}")
        assert MARK not in answer.content
        if name != "jpeg":
            assert np.array_equal(pixels_of(answer.content), portrait())


def test_a_photo_without_a_face_is_an_outcome(site: Site) -> None:
    image = np.full((128, 128, 3), 90, np.uint8)
    mask = np.zeros((128, 128), np.bool_)
    mask[40:60, 40:60] = True
    files = {"image": file_of(image), "mask": file_of(mask)}
    with site.client() as client:
        found = client.post("/v1/restorations", files=files).json()
        refused = client.post("/v1/restorations", files=files, headers={"Accept": "image/png"})
    assert (found["mode"], found["picture"], found["faces"]) == ("refuse", None, [])
    assert found["reason"].startswith("no face was found")
    assert (refused.status_code, refused.json()["code"]) == (422, "refused")
    assert refused.headers["x-likeness-mode"] == "refuse"


def test_references_serve(site: Site) -> None:
    files = [("image", form()["image"]), ("mask", form()["mask"]), ("references", file_of(portrait()))]
    with site.client() as client:
        found = client.post("/v1/restorations", files=files).json()
    assert found["faces"][0]["reference"] == 1
    assert found["faces"][0]["likeness_to_reference"]["dlib"] > 0.5
    assert sum(region["witness"] for region in found["faces"][0]["trust"].values()) > 0.1
    assert len(found["references"]) == 1


@pytest.mark.parametrize(
    ("files", "data", "status", "code", "words"),
    [
        ({"image": b"GIF89a" + bytes(20)}, {}, 422, "unsupported_format", "accepted: JPEG"),
        ({"image": file_of(damaged()[0])[:4000]}, {}, 422, "corrupt", "image"),
        ({"image": file_of(np.zeros((20, 20, 3), np.uint8))}, {}, 422, "too_small", "20 x 20"),
        (form() | {"mask": file_of(np.ones((9, 9), np.bool_))}, {}, 422, "bad_mask", "9 x 9 pixels"),
        (form() | {"mask": file_of(np.zeros((200, 180), np.bool_))}, {}, 422, "bad_mask", "all black"),
        (form() | {"mask": b"no picture"}, {}, 422, "bad_mask", "cannot be read"),
        (form() | {"references": b"no picture"}, {}, 422, "unsupported_format", "references"),
        ({"mask": b"x"}, {}, 422, "bad_request", "0 files"),
        ({"image": b""}, {}, 422, "bad_request", "an empty one"),
        (form(), {"mode": "guess"}, 422, "bad_request", "auto, inpaint, partial, colorize"),
        (form(), {"size": "4"}, 422, "bad_request", "'size'"),
        (form(), {"keep_basis": "consent"}, 422, "bad_request", "a subject with it"),
        (form(), {"subject": "x" * 201}, 422, "bad_request", "200 characters"),
        (form(), {"repeats": "mine"}, 422, "bad_request", "the request_id of an earlier restoration"),
        (form() | {"mode": b"auto"}, {}, 422, "bad_request", "a text as mode"),
        (form(), {"mode": ["auto", "inpaint"]}, 422, "bad_request", "one value as mode"),
    ],
)
def test_what_cannot_be_used_is_named(
    site: Site, files: dict[str, bytes], data: dict[str, str], status: int, code: str, words: str
) -> None:
    with site.client() as client:
        answer = client.post("/v1/restorations", files=files, data=data)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert words in " ".join(str(value) for value in problem.values())
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_too_many_references(site: Site) -> None:
    files = [("image", form()["image"]), *(("references", b"x") for _ in range(PARAMS.serve.max_references + 1))]
    with site.client() as client:
        problem = client.post("/v1/restorations", files=files).json()
    assert (problem["code"], problem["got"]) == ("bad_request", "5")


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status", "code"),
    [
        ("POST", "/v1/restorations", {"json": {}}, 422, "bad_request"),
        ("POST", "/v1/restorations", {"files": form(), "headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
        ("GET", "/v1/restorations", {}, 405, "method"),
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", "/v1/restorations/xyz", {}, 422, "bad_request"),
        ("GET", f"/v1/restorations/{'0' * 32}", {}, 404, "unknown_request"),
        ("POST", f"/v1/restorations/{'0' * 32}/feedback", {"json": {"recognised": True}}, 404, "unknown_request"),
        ("POST", f"/v1/restorations/{'0' * 32}/feedback", {"json": {}}, 422, "bad_request"),
        ("POST", f"/v1/restorations/{'0' * 32}/feedback", {"content": b"{"}, 422, "bad_request"),
    ],
)
def test_every_error_has_one_shape(
    site: Site, method: str, path: str, kwargs: dict[str, Any], status: int, code: str
) -> None:
    with site.client() as client:
        answer = client.request(method, path, **kwargs)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"status", "code", "expected", "got", "remedy", "request_id"}


def test_feedback_is_joined_to_its_request(site: Site) -> None:
    log = site.service.context.log
    with site.client() as client:
        request_id = client.post("/v1/restorations", files=form(), data={"picture": "none"}).json()["request_id"]
        for given in ({"recognised": True}, {"recognised": False, "preferred": "original"}):
            answer = client.post(f"/v1/restorations/{request_id}/feedback", json=given)
            assert (answer.status_code, answer.json()) == (201, {"request_id": request_id})
    row = log.after(0).set_index("request_id").loc[request_id]
    assert (bool(row["feedback_recognised"]), row["feedback_preferred"]) == (False, "original")
    assert log.verify().whole


def test_pages_take_their_limits_from_the_parameters(site: Site) -> None:
    with site.client("") as client:
        module = client.get("/settings.js")
    assert module.headers["content-type"].startswith("text/javascript")
    restore = PARAMS.restore
    assert json.loads(module.text.removeprefix("export default ").removesuffix(";\n")) == {
        "max_references": PARAMS.serve.max_references,
        "identity_risk": {"fair": restore.doubtful_identity_risk / 2, "low": restore.doubtful_identity_risk},
        "certain_damage": restore.finder.certain,
        "painted": {"visible": 26, "bright": 128},
    }


def test_request_ids_are_ours_where_the_caller_gives_none(site: Site) -> None:
    with site.client() as client:
        ids = {client.get("/healthz").headers["x-request-id"] for _ in range(3)}
        kept = client.get("/healthz", headers={"X-Request-Id": "mine"}).headers["x-request-id"]
    assert len(ids) == 3
    assert all(len(found) == 32 for found in ids)
    assert kept == "mine"


def test_answers_carry_security_headers(site: Site) -> None:
    with site.client("") as client:
        page, denied = client.get("/docs"), client.get(f"/v1/restorations/{'0' * 32}")
    for answer in (page, denied):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
    assert denied.headers["cache-control"] == "no-store"
    assert "/v1/restorations" in page.text
    assert "http" not in page.text.replace("HTTP", "").replace("http://127.0.0.1", "")  # nothing from elsewhere


def test_a_fault_shows_no_trace(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.routes.restorations.request_id", lambda scope: 1 // 0)
    with site.client() as client:
        answer = client.post("/v1/restorations", files=form())
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "division" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "content-security-policy" in answer.headers


def test_an_open_service_admits_this_machine_only(site: Site) -> None:
    with httpx.Client(base_url=site.open_url, timeout=60) as client:
        assert client.post("/v1/restorations", files=form()).status_code == 200
        for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "rebound.example"}):
            answer = client.post("/v1/restorations", files=form(), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "site")
        same = {"Origin": site.open_url}
        assert client.post("/v1/restorations", files=form(), headers=same).status_code == 200


def test_two_services_share_a_state(site: Site) -> None:
    with running(Shared.of(site.service)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/readyz").json() == {
            "ready": True,
            "champion": "shipped",
            "challenger": None,
            "registry_up": True,
            "storage_full": False,
        }
        assert create_app(site.service).title == "Likeness"
