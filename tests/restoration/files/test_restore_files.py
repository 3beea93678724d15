import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from models.errors import MaskError
from models.images import Image, Mask
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture, write_picture
from pipeline.project.paths import Paths
from restoration.files.requests import requests
from restoration.files.restore_files import Settings, restore_all, restore_file
from restoration.modes import RequestedMode
from restoration.provenance.marking import open_seal
from tests.conftest import ROOT
from tests.models.damage_finder.finder_site import red_finder
from tests.restoration.site import PARAMS, Painter, astronaut, box_over, damage, tools

LIMITS = Limits.of(load_params(ROOT / "params.yaml").ingest)


def settings(mode: RequestedMode = "auto") -> Settings:
    return Settings(Painter(), "7", mode, PARAMS, LIMITS, tools(), finder=red_finder())


@pytest.fixture(scope="module")
def photo_and_mask() -> tuple[Image, Mask]:
    photo = np.ascontiguousarray(astronaut()[:280, 80:360])
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, (0.2, 0.55, 0.8, 1.0))
    return damage(photo, mask), mask


def as_picture(mask: Mask) -> Image:
    return np.repeat(mask[..., None] * np.uint8(255), 3, axis=-1)


def test_a_folder_with_bad_files_gives_a_row_for_each(tmp_path: Path, photo_and_mask: tuple[Image, Mask]) -> None:
    photo, mask = photo_and_mask
    photos, masks, out = tmp_path / "photos", tmp_path / "masks", tmp_path / "out"
    for stem in ("a", "faceless", "small_mask", "black"):
        write_picture(photos / f"{stem}.png", photo if stem != "faceless" else np.full_like(photo, 80))
        write_picture(masks / f"{stem}.png", as_picture(mask))
    write_picture(masks / "small_mask.png", as_picture(mask[:-1]))
    write_picture(masks / "black.png", as_picture(np.zeros_like(mask)))
    write_picture(masks / "broken.png", as_picture(mask))
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (photos / "lonely.png").write_bytes((photos / "a.png").read_bytes())
    rows = {Path(row.input).stem: row for row in restore_all(requests(photos, masks, out), settings())}
    assert {stem: row.outcome for stem, row in rows.items()} == {
        "a": "restored",
        "black": "failed",
        "broken": "failed",
        "faceless": "refused",
        "lonely": "failed",
        "small_mask": "failed",
    }
    assert "all black" in rows["black"].reason
    assert "corrupt" in rows["broken"].reason
    assert "of the photo's size" in rows["small_mask"].reason
    assert [file.name for file in out.iterdir()] == ["a.png"]
    assert np.array_equal(read_picture(out / "a.png", LIMITS)[~mask], photo[~mask])


def test_rows_as_json_have_the_same_keys_and_null_for_what_is_not_there(
    tmp_path: Path, photo_and_mask: tuple[Image, Mask]
) -> None:
    photo, mask = photo_and_mask
    write_picture(tmp_path / "a.png", photo)
    write_picture(tmp_path / "m.png", as_picture(mask))
    done = restore_file(requests(tmp_path / "a.png", tmp_path / "m.png", tmp_path / "o.png")[0], settings())
    line = done.as_json()
    assert "\n" not in line
    row = json.loads(line)
    assert row["outcome"] == "restored"
    assert row["mode"] == "inpaint"
    assert row["model"] == "7"
    assert row["lossless"] is True
    assert 0 < row["area"] < row["coverage"] < 1
    assert row["milliseconds"] > 0
    assert row["mask"] == {
        "source": "given",
        "area": pytest.approx(mask.mean()),
        "proposed": 0.0,
        "confidence": None,
        "output": None,
        "pieces": [],
        "piece_count": 0,
        "hints": [],
    }
    assert row["faces"][0]["likeness"] == {"to_reference": None, "to_plain": None}
    assert set(row["faces"][0]["trust"]["mouth"]) == {"known", "evidence", "witness", "prior", "pixels"}
    assert row["references"] == []
    assert "least sure: " in done.as_text()
    assert "NaN" not in line
    write_picture(tmp_path / "none.png", np.full_like(photo, 80))
    refused = restore_file(requests(tmp_path / "none.png", tmp_path / "m.png", tmp_path / "p.png")[0], settings())
    other = json.loads(refused.as_json())
    assert other.keys() == row.keys()
    assert (other["mode"], other["output"], other["coverage"], other["faces"]) == ("refuse", None, None, [])
    assert not (tmp_path / "p.png").exists()
    assert "refused" in refused.as_text()
    assert "no face was found" in refused.as_text()


def test_an_all_white_mask_is_for_colour_only(tmp_path: Path, photo_and_mask: tuple[Image, Mask]) -> None:
    photo, mask = photo_and_mask
    write_picture(tmp_path / "a.png", photo)
    write_picture(tmp_path / "m.png", as_picture(np.ones_like(mask)))
    (request,) = requests(tmp_path / "a.png", tmp_path / "m.png", tmp_path / "o.png")
    with pytest.raises(MaskError, match="all white"):
        restore_file(request, settings())
    assert restore_file(request, settings("colorize")).outcome == "restored"


def test_a_folder_without_masks_is_searched(tmp_path: Path, photo_and_mask: tuple[Image, Mask]) -> None:
    photo, mask = photo_and_mask
    write_picture(
        tmp_path / "photos" / "damaged.png", np.where(mask[..., None], np.array([255, 0, 0], np.uint8), photo)
    )
    write_picture(tmp_path / "photos" / "intact.png", np.repeat(photo[..., 1:2], 3, axis=-1))
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    batch = requests(tmp_path / "photos", None, None, tmp_path / "masks")
    rows = {Path(row.input).stem: row for row in restore_all(batch, settings())}
    assert {stem: row.outcome for stem, row in rows.items()} == {
        "broken": "failed",
        "damaged": "restored",
        "intact": "unchanged",
    }
    assert rows["broken"].mask is None
    assert "no damage was found" in rows["intact"].reason
    assert rows["intact"].marked is None
    out = tmp_path / "photos-restored"
    assert (out / "intact.png").read_bytes() == (tmp_path / "photos" / "intact.png").read_bytes()
    note = rows["damaged"].mask
    assert note is not None
    assert note.source == "found"
    assert mask.mean() <= note.area < 1.1 * mask.mean()
    assert note.pieces[0].used
    assert note.confidence is not None
    assert f"mask found: {note.area:.1%} of the photo, confidence {note.confidence:.2f}" in rows["damaged"].as_text()
    assert json.loads(rows["damaged"].as_json())["mask"]["output"] == str(tmp_path / "masks" / "damaged.png")
    found = read_picture(tmp_path / "masks" / "damaged.png", LIMITS)[..., 0] == 255
    assert found[mask].mean() > 0.95
    restored = read_picture(tmp_path / "photos-restored" / "damaged.png", LIMITS)
    known = cv2.dilate((found | mask).astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert np.array_equal(restored[known], photo[known])
    assert json.loads(rows["intact"].as_json()).keys() == json.loads(rows["damaged"].as_json()).keys()


def test_an_unchanged_photo_in_another_format_keeps_its_pixels(
    tmp_path: Path, photo_and_mask: tuple[Image, Mask]
) -> None:
    intact = np.repeat(photo_and_mask[0][..., 1:2], 3, axis=-1)
    write_picture(tmp_path / "a.jpg", intact)
    row = restore_file(requests(tmp_path / "a.jpg", None, tmp_path / "o.png")[0], settings())
    assert (row.outcome, row.lossless, row.marked) == ("unchanged", True, None)
    assert np.array_equal(read_picture(tmp_path / "o.png", LIMITS), read_picture(tmp_path / "a.jpg", LIMITS))
    assert json.loads(row.as_json())["mode"] == "unchanged"
    assert row.as_text().startswith(f"unchanged: {tmp_path / 'a.jpg'} -> ")


def test_with_fade_an_undamaged_photo_comes_back_lifted_and_marked(tmp_path: Path) -> None:
    faded = np.rint(70 + astronaut() * 0.5).astype(np.uint8)
    write_picture(tmp_path / "faded.png", faded)
    (request,) = requests(tmp_path / "faded.png", None, tmp_path / "out.png")
    row = restore_file(request, replace(settings(), fade=True))
    assert (row.outcome, row.lossless, row.marked, row.veil) == ("restored", False, True, 1.0)
    assert "no pixel is as it came" in row.as_text()
    told = json.loads(row.as_json())
    assert (told["mode"], told["veil"], told["strength"]) == ("fade", 1.0, 1.0)
    lifted = read_picture(tmp_path / "out.png", LIMITS)
    assert np.abs(lifted.astype(int) - astronaut()).mean() < 0.3 * np.abs(faded.astype(int) - astronaut()).mean()
    without = restore_file(request, settings())
    assert (without.outcome, without.lossless, without.veil) == ("unchanged", True, None)
    assert np.array_equal(read_picture(tmp_path / "out.png", LIMITS), faded)


def test_with_fade_a_black_mask_says_that_nothing_else_is_to_be_done(
    tmp_path: Path, photo_and_mask: tuple[Image, Mask]
) -> None:
    photo, mask = photo_and_mask
    torn = np.rint(70 + np.where(mask[..., None], np.array([255, 0, 0]), photo) * 0.5).astype(np.uint8)
    write_picture(tmp_path / "torn.png", torn)
    write_picture(tmp_path / "black.png", as_picture(np.zeros_like(mask)))
    (request,) = requests(tmp_path / "torn.png", tmp_path / "black.png", tmp_path / "out.png")
    row = restore_file(request, replace(settings(), fade=True))
    assert (row.outcome, row.veil, row.reason) == ("restored", 1.0, "nothing is marked in the mask")
    lifted = read_picture(tmp_path / "out.png", LIMITS)
    assert (lifted[mask][:, 0] > lifted[mask][:, 1].astype(int) + 100).all()  # the damage is as red as before
    with pytest.raises(MaskError, match="all black"):
        restore_file(request, settings())


@pytest.mark.parametrize("filled", [False, True])
def test_the_mark_of_a_lifted_photo_names_what_was_done(
    tmp_path: Path, photo_and_mask: tuple[Image, Mask], *, filled: bool
) -> None:
    photo, mask = photo_and_mask
    write_picture(tmp_path / "faded.png", np.rint(70 + photo * 0.5).astype(np.uint8))
    write_picture(tmp_path / "mask.png", as_picture(mask if filled else np.zeros_like(mask)))
    (request,) = requests(tmp_path / "faded.png", tmp_path / "mask.png", tmp_path / "out.png")
    seal = open_seal(Paths(tmp_path))
    assert restore_file(request, replace(settings(), fade=True, seal=seal)).marked
    file = (tmp_path / "out.png").read_bytes()
    state, manifest = seal.read(file, "image/png")
    types = {act["action"]: act.get("digitalSourceType", "") for act in manifest["assertions"][0]["data"]["actions"]}
    assert state == "Trusted"
    assert types["c2pa.adjustedColor"].endswith("/algorithmicallyEnhanced")
    assert types.get("c2pa.edited", "").endswith("/compositeWithTrainedAlgorithmicMedia") is filled
    assert (b"TrainedAlgorithmicMedia" in file) is filled
    with Pillow.open(tmp_path / "out.png") as opened:
        told = opened.getxmp()["xmpmeta"]["RDF"]["Description"]
    kind = "compositeWithTrainedAlgorithmicMedia" if filled else "algorithmicallyEnhanced"
    assert told["DigitalSourceType"] == f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"
    assert (told["Mode"], told.get("ModelVersion")) == (("inpaint", "7") if filled else ("fade", None))
    assert (float(told["Veil"]), float(told["RestoredShare"])) == (1.0, 1.0)


def test_rows_say_which_share_of_the_face_model_was_used(tmp_path: Path, photo_and_mask: tuple[Image, Mask]) -> None:
    photo, mask = photo_and_mask
    write_picture(tmp_path / "photos" / "a.png", photo)
    write_picture(tmp_path / "masks" / "a.png", as_picture(mask))
    write_picture(tmp_path / "photos" / "faceless.png", np.full_like(photo, 80))
    write_picture(tmp_path / "masks" / "faceless.png", as_picture(mask))
    write_picture(tmp_path / "photos" / "lonely.png", photo)
    batch = requests(tmp_path / "photos", tmp_path / "masks", tmp_path / "out")
    rows = {row.outcome: row for row in restore_all(batch, replace(settings(), strength=0.4))}
    told = {outcome: json.loads(row.as_json())["strength"] for outcome, row in rows.items()}
    assert told == {"restored": 0.4, "refused": 0.4, "failed": None}
    assert "40% of what the face model fills" in rows["restored"].as_text()
    assert "of what the face model fills" not in rows["failed"].as_text()
    whole = restore_file(next(request for request in batch if request.photo.stem == "a"), settings())
    assert json.loads(whole.as_json())["strength"] == 1.0
    assert "of what the face model fills" not in whole.as_text()


def test_with_fade_an_intact_photo_without_damage_is_unchanged(tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.png", astronaut())
    (request,) = requests(tmp_path / "photo.png", None, tmp_path / "out.png")
    row = restore_file(request, replace(settings(), fade=True))
    assert (row.outcome, row.veil) == ("unchanged", None)
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "photo.png").read_bytes()
