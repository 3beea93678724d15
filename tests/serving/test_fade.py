"""The field `fade`: what it does to a picture, what it admits, and where it is written down."""

import base64
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from models.images import Image
from monitoring.log.features import measure_photo
from restoration.photo.colour.veil import find_veil
from tests.serving.reviewing import Kept
from tests.serving.site import Site, file_of, hole, pixels_of, portrait

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ENHANCED, COMPOSITE = b"digitalsourcetype/algorithmicallyEnhanced", b"compositeWithTrainedAlgorithmicMedia"
NOTHING = np.zeros(portrait().shape[:2], np.bool_)


def faded() -> Image:
    """The astronaut with less than half of its range, yellowed."""
    return np.asarray(np.rint([80, 70, 50] + portrait() * 0.45), np.uint8)


def lifted(image: Image) -> Image:
    """What lifting alone makes of it."""
    veil = find_veil(image, NOTHING)
    assert veil is not None
    return veil.lift(image)


def answered(site: Site, files: Mapping[str, bytes], **data: str) -> tuple[dict[str, Any], bytes]:
    """The figures, and the file of the picture."""
    with site.client() as client:
        answer = client.post("/v1/restorations", files=dict(files), data=data)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found, base64.b64decode(found["picture"])


def counted(site: Site, mode: str) -> float:
    registry = site.service.context.metrics.registry
    return registry.get_sample_value("likeness_requests_total", {"mode": mode, "arm": "champion"}) or 0.0


def test_a_photo_without_damage_comes_back_lifted_and_says_so(site: Site) -> None:
    before = counted(site, "fade")
    found, picture = answered(site, {"image": file_of(faded())}, fade="true")
    assert (found["mode"], found["veil"], found["area"], found["faces"]) == ("fade", 1.0, 0.0, [])
    assert found["generated"] is False
    assert found["reason"] == "no damage was found; send a mask to restore a part nevertheless"
    assert np.array_equal(pixels_of(picture), lifted(faded()))
    range_before, range_after = (np.ptp(np.quantile(shown, (0.01, 0.99))) for shown in (faded(), pixels_of(picture)))
    assert range_after > 1.8 * range_before
    with site.client() as client:
        logged = client.get(f"/v1/restorations/{found['request_id']}").json()["figures"]
    assert (logged["mode"], logged["veil"]) == ("fade", 1.0)
    assert logged["contrast"] == pytest.approx(measure_photo(faded(), NOTHING).contrast)  # of the photo as it came
    assert counted(site, "fade") == before + 1


def test_its_mark_names_no_model(site: Site) -> None:
    found, picture = answered(site, {"image": file_of(faded())}, fade="true")
    state, manifest = site.service.context.seal.read(picture, "image/png")
    actions = [action["action"] for action in manifest["assertions"][0]["data"]["actions"]]
    assert (state, actions) == ("Trusted", ["c2pa.opened", "c2pa.adjustedColor"])
    assert ENHANCED in picture
    assert COMPOSITE not in picture
    assert manifest["title"] == f"restored {found['request_id']}"


def test_it_is_lifted_before_what_is_damaged_is_filled(site: Site) -> None:
    mask = hole(portrait())
    torn = faded()
    torn[mask] = (255, 0, 0)
    found, picture = answered(site, {"image": file_of(torn), "mask": file_of(mask)}, fade="true")
    assert (found["mode"], found["veil"]) == ("inpaint", 1.0)
    veil = find_veil(torn, mask)
    assert veil is not None
    assert np.array_equal(pixels_of(picture)[~mask], veil.lift(torn)[~mask])
    assert COMPOSITE in picture
    assert site.service.context.log.after(0).set_index("request_id").loc[found["request_id"], "veil"] == 1.0
    without, plain = answered(site, {"image": file_of(torn), "mask": file_of(mask)}, fade="false")
    assert (without["mode"], without["veil"]) == ("inpaint", None)
    assert np.array_equal(pixels_of(plain)[~mask], torn[~mask])


def test_an_empty_mask_lifts_fading_alone(site: Site) -> None:
    torn = faded()
    torn[hole(torn)] = (255, 0, 0)  # the finder would be sure of it
    files = {"image": file_of(torn), "mask": file_of(NOTHING)}
    found, picture = answered(site, files, fade="true")
    veil = find_veil(torn, NOTHING)  # the tear counts as a part of the photo
    assert veil is not None
    assert (found["mode"], found["reason"]) == ("fade", "nothing is marked in the mask")
    assert found["veil"] == round(veil.strength, 3)
    assert np.array_equal(pixels_of(picture), veil.lift(torn))
    with site.client() as client:
        refused = client.post("/v1/restorations", files=files)
    assert (refused.status_code, "nothing to restore" in refused.json()["got"]) == (422, True)


def test_where_there_is_no_veil_the_file_itself_comes_back(site: Site) -> None:
    found, picture = answered(site, {"image": file_of(portrait())}, fade="true")
    assert (found["mode"], found["veil"], picture) == ("unchanged", None, file_of(portrait()))


def test_every_form_of_the_answer_says_so(site: Site) -> None:
    files, data = {"image": file_of(faded(), "JPEG")}, {"fade": "true"}
    with site.client() as client:
        bare = client.post("/v1/restorations", files=files, data=data, headers={"Accept": "image/*"})
        packed = client.post("/v1/restorations", files=files, data=data, headers={"Accept": "application/zip"})
    assert (bare.status_code, bare.headers["content-type"]) == (200, "image/jpeg")
    assert (bare.headers["x-likeness-mode"], bare.headers["x-likeness-veil"]) == ("fade", "1.0")
    assert ENHANCED in bare.content
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == ["restored.png", "original.jpeg", "outcome.json"]
        assert ENHANCED in archive.read("restored.png")


@pytest.mark.parametrize("text", ["1", "yes", "True", "on", " true", "null"])
def test_it_admits_true_and_false_alone(site: Site, text: str) -> None:
    with site.client() as client:
        answer = client.post("/v1/restorations", files={"image": file_of(faded())}, data={"fade": text})
    assert answer.status_code == 422
    assert (answer.json()["expected"], answer.json()["got"]) == ("one of true, false as fade", repr(text))


def test_a_reviewer_gets_it_with_the_same_mark(site: Site, kept: Kept) -> None:
    request_id = kept.add(mode="fade", veil=1.0)
    with site.client("review") as client:
        shown = client.get(f"/v1/restorations/{request_id}/pictures").json()["pictures"]
    restored = base64.b64decode(shown["restored.png"])
    assert ENHANCED in restored
    assert COMPOSITE not in restored
