"""Whole photos through real detectors; the restorer is a painter, so that every pixel can be accounted for."""

import cv2
import numpy as np
import pytest

from models.images import Image
from models.region_names import FEATURES
from pipeline.config.load import load_params
from restoration.restore import restore_photo
from restoration.types import Restoration, Tools
from tests.conftest import ROOT
from tests.restoration.site import PARAMS, Painter, astronaut, box_over, damage, faces_of_group, group, tools

LOWER_FACE = (0.2, 0.55, 0.8, 1.0)


def restored(image: Image, mask: np.ndarray, painter: Painter, **more: object) -> Restoration:
    arguments: dict[str, object] = {"mode": "auto", "params": PARAMS, "tools": tools(), **more}
    return restore_photo(image, mask, painter, **arguments)  # type: ignore[arg-type] # what a test names


def test_one_face_is_restored_and_known_pixels_stay_to_the_bit() -> None:
    photo = astronaut()
    face = tools().detector.detect(photo)[0]
    mask = box_over(face, photo.shape, LOWER_FACE)
    painter = Painter()
    result = restored(damage(photo, mask), mask, painter)
    assert result.mode == "inpaint"
    assert result.image is not None
    assert np.array_equal(result.image[~mask], photo[~mask])
    assert not (result.image[mask] == (255, 0, 255)).all(axis=-1).any()
    (row,) = result.faces
    assert 0.1 < row.coverage < 0.5
    assert row.missing_features > 0.2
    assert result.area == pytest.approx(mask.mean())
    assert result.background == result.untouched == 0.0
    assert row.likeness is not None  # no encoders were given, so no figures: absent, never zero
    assert row.likeness.to_plain is row.likeness.to_reference is None


def test_what_the_hole_holds_changes_nothing() -> None:
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    contents = (np.full_like(photo, 255), np.roll(photo, 90, axis=1))  # neither lets the detector see more
    results = [restored(np.where(mask[..., None], content, photo), mask, Painter()) for content in contents]
    assert results[0].image is not None
    assert results[1].image is not None
    assert np.array_equal(results[0].image, results[1].image)
    assert results[0].faces == results[1].faces


def test_in_a_group_only_the_touched_faces_are_restored() -> None:
    photo, faces = group(), faces_of_group()
    mask = box_over(faces[1], photo.shape, LOWER_FACE) | box_over(faces[4], photo.shape, (0.1, 0.2, 0.9, 0.5))
    painter = Painter()
    result = restored(damage(photo, mask), mask, painter)
    assert result.image is not None
    assert result.face_count == len(faces) == 6
    assert len(result.faces) == 2
    assert painter.batches[0].image.shape[0] == 2
    centres = sorted(face.box[0] + face.box[2] / 2 for face in result.faces)
    assert np.allclose(centres, [faces[i].box[0] + faces[i].box[2] / 2 for i in (1, 4)], atol=25)
    assert np.array_equal(result.image[~mask], photo[~mask])


def test_a_hole_in_the_background_is_filled_with_texture_from_around() -> None:
    photo = astronaut()
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[400:450, 20:70] = True
    painter = Painter()
    result = restored(damage(photo, mask), mask, painter)
    assert not painter.batches
    assert (result.mode, result.background, result.faces) == ("inpaint", 1.0, ())
    assert result.coverage is None
    assert "touches none of the 1 faces" in result.reason
    assert result.image is not None
    assert np.array_equal(result.image[~mask], photo[~mask])
    telea = cv2.inpaint(damage(photo, mask), mask.astype(np.uint8), 3.0, cv2.INPAINT_TELEA)
    detail, smooth, wanted = (cv2.Laplacian(one, cv2.CV_32F)[mask].std() for one in (result.image, telea, photo))
    assert abs(np.log(detail / wanted)) < abs(np.log(smooth / wanted))


def test_a_little_wide_damage_on_a_cheek_is_filled_with_skin() -> None:
    photo = np.ascontiguousarray(astronaut()[:300, 70:370])
    x, y, width, height = tools().detector.detect(photo)[0].box
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.circle(mask, (round(x + 0.85 * width), round(y + 0.55 * height)), 6, 1, -1)
    hole = mask > 0
    result = restored(damage(photo, hole), hole, Painter())
    assert result.image is not None
    assert not result.faces  # too little of the face for the face model
    assert np.abs(result.image[hole].astype(float) - photo[hole]).mean() < 8  # texture from beside the face: 61


def test_no_face_is_a_refusal_not_an_error() -> None:
    photo = np.full((120, 150, 3), 90, np.uint8)
    mask = np.zeros((120, 150), np.bool_)
    mask[30:60, 30:60] = True
    result = restored(photo, mask, Painter())
    assert (result.mode, result.image, result.face_count) == ("refuse", None, 0)
    assert result.coverage is None
    assert result.missing_features is None
    assert "no face was found" in result.reason


def test_a_face_beyond_the_limits_is_refused_and_stays_as_it_came() -> None:
    photo, faces = group(), faces_of_group()
    lost = box_over(faces[1], photo.shape, (0.0, 0.2, 1.0, 1.0))
    mended = box_over(faces[4], photo.shape, LOWER_FACE)
    strict = PARAMS.model_copy(update={"max_identity_risk": 0.15})
    damaged = damage(photo, mended)  # the lost face can still be seen under its mask
    result = restored(damaged, lost | mended, Painter(), params=strict)
    assert result.image is not None
    modes = {face.mode: face for face in result.faces}
    assert set(modes) == {"inpaint", "refuse"}
    assert "max_identity_risk 0.150" in modes["refuse"].reason
    assert modes["inpaint"].identity_risk < 0.15 < modes["refuse"].identity_risk
    assert modes["refuse"].likeness is None
    assert modes["refuse"].trust["mouth"].known == 0.0
    assert np.array_equal(result.image[lost], damaged[lost])
    assert not np.array_equal(result.image[mended], damaged[mended])
    assert result.untouched == pytest.approx(lost.sum() / (lost | mended).sum(), abs=0.05)


def test_all_faces_refused_gives_no_picture() -> None:
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    strict = PARAMS.model_copy(update={"max_area": 0.01})
    result = restored(damage(photo, mask), mask, Painter(), params=strict)
    assert (result.mode, result.image, len(result.faces)) == ("refuse", None, 1)
    assert result.untouched == 1.0


def test_colorizing_keeps_luma_and_takes_the_restorers_colour() -> None:
    photo = astronaut()
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    everything = np.ones(photo.shape[:2], np.bool_)
    result = restored(grey, everything, Painter((0.6, 0.0, -0.4)), mode="colorize")
    assert result.mode == "colorize"
    assert result.image is not None
    assert (result.area, result.chroma_area) == (0.0, 1.0)
    luma = cv2.cvtColor(result.image, cv2.COLOR_RGB2GRAY).astype(int)
    assert np.abs(luma - grey[..., 0]).max() <= 2
    x, y, width, height = (int(value) for value in result.faces[0].box)
    face = result.image[y : y + height, x : x + width].astype(int)
    bright = (face.max(axis=-1) > 60) & (face.max(axis=-1) < 200)
    assert (face[bright][:, 0] - face[bright][:, 2]).mean() > 60  # red above blue, as painted


@pytest.mark.parametrize("mode", ["auto", "inpaint", "partial"])
def test_a_black_and_white_photograph_stays_one(mode: str) -> None:
    photo = cv2.cvtColor(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    result = restored(damage(photo, mask), mask, Painter((0.9, -0.5, -0.5)), mode=mode)
    assert result.image is not None
    assert np.ptp(result.image, axis=-1).max() == 0


def test_a_face_that_damage_hides_is_found_in_the_filled_copy() -> None:
    """Bars hide the face from the detector; the classical fill brings it back."""
    photo = np.ascontiguousarray(astronaut()[:300, 70:370])
    mask = np.zeros(photo.shape[:2], np.bool_)
    mask[:, np.arange(photo.shape[1]) % 12 < 7] = True
    damaged = damage(photo, mask)
    assert not tools().detector.detect(damaged)
    result = restored(damaged, mask, Painter(), mode="inpaint")
    assert [face.seen_in for face in result.faces] == ["filled copy"]
    assert result.image is not None
    assert np.array_equal(result.image[~mask], photo[~mask])


def test_a_face_that_the_mask_takes_whole_is_refused_with_figures() -> None:
    """The user painted generously over a face that can still be seen: no face is smeared over without a word."""
    photo, faces = group(), faces_of_group()
    mask = box_over(faces[1], photo.shape, (-0.1, -0.1, 1.1, 1.1))
    strict = PARAMS.model_copy(update={"max_identity_risk": 0.2})
    result = restored(photo, mask, Painter(), params=strict)
    assert (result.mode, result.image) == ("refuse", None)
    assert "photo" in {face.seen_in for face in result.faces}
    assert "100.0% of the facial features are missing" in result.reason


@pytest.mark.parametrize("held", [255, 40])
def test_beyond_the_budget_the_rest_stays_as_it_came(held: int) -> None:
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, (-0.1, -0.1, 1.1, 0.55))
    damaged = np.where(mask[..., None], np.uint8(held), photo)
    small = PARAMS.model_copy(update={"max_inpaint_area": 0.1, "max_identity_risk": 1.0, "doubtful_identity_risk": 1.0})
    painter = Painter()
    result = restored(damaged, mask, painter, params=small)
    assert result.image is not None
    assert (result.mode, len(painter.batches)) == ("partial", 1)
    (face,) = result.faces
    left = (result.image == held).all(axis=-1) & mask
    assert 0 < result.untouched < 1
    assert result.untouched == pytest.approx(left.sum() / mask.sum(), abs=0.01)
    assert face.untouched == pytest.approx((face.area - 0.1) / face.area, abs=0.03)
    assert np.array_equal(result.image[~mask], photo[~mask])
    assert {"left_eye", "right_eye"} <= set(face.untouched_features)
    assert "stay as they came, with left eye, right eye" in face.reason
    left_eye = tools().detector.detect(photo)[0].points[0].astype(int)
    assert (result.image[left_eye[1], left_eye[0]] == held).all()


def test_the_rest_that_is_missing_does_not_colour_the_part_that_is_filled() -> None:
    """Neither its content nor the classical fill beside it shows in the filled part."""
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, (-0.1, -0.1, 1.1, 0.55))
    small = PARAMS.model_copy(update={"max_inpaint_area": 0.1, "max_identity_risk": 1.0, "doubtful_identity_risk": 1.0})
    images = []
    for held in (255, 40):
        result = restored(np.where(mask[..., None], np.uint8(held), photo), mask, Painter(), params=small)
        assert result.image is not None
        images.append(result.image)
    filled = mask & ~((images[0] == 255).all(axis=-1) & (images[1] == 40).all(axis=-1))
    assert filled.sum() > 0.1 * mask.sum()
    assert np.array_equal(images[0][filled], images[1][filled])


def test_a_reference_reaches_the_restorer_for_the_face_it_shows() -> None:
    photo, faces = group(), faces_of_group()
    mask = box_over(faces[1], photo.shape, LOWER_FACE) | box_over(faces[4], photo.shape, (0.1, 0.2, 0.9, 0.5))
    x, y, width, height = (int(value) for value in faces[4].box)
    portrait = photo[max(0, y - height // 2) : y + 2 * height, x - width // 2 : x + 2 * width]
    painter = Painter()
    references = [np.full((90, 90, 3), 80, np.uint8), portrait, astronaut()]
    shipped = PARAMS.model_copy(update={"reference": load_params(ROOT / "params.yaml").restore.reference})
    result = restored(damage(photo, mask), mask, painter, references=references, params=shipped)
    reference = painter.batches[0].reference
    assert reference is not None
    served = [face.reference for face in result.faces]
    assert sorted(served, key=str) == [2, None]
    assert reference.present.tolist() == [float(number is not None) for number in served]
    assert [note.face for note in result.references] == [None, served.index(2) + 1, None]
    assert "no face was found in it" in result.references[0].reason
    assert "it is somebody else" in result.references[2].reason
    assert "reference 1 no face was found in it" in result.reason
    trusted, alone = (result.faces[served.index(number)].trust for number in (2, None))
    assert max(region.witness for region in trusted.values()) > 0.02
    assert max(region.witness for region in alone.values()) < 1e-6


def test_shares_of_trust_sum_to_one() -> None:
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    (face,) = restored(damage(photo, mask), mask, Painter()).faces
    assert set(face.trust) == {*FEATURES, "skin"}
    for region in face.trust.values():
        assert region.known + region.evidence + region.witness + region.prior == pytest.approx(1)
    assert face.trust["left_eye"].known == 1.0
    assert face.trust["mouth"].known < 0.1
    assert face.trust["mouth"].prior > 0.05


@pytest.mark.parametrize("zoom", [0.4, 1.7])
def test_any_size_of_photo(zoom: float) -> None:
    photo = cv2.resize(astronaut(), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    result = restored(damage(photo, mask), mask, Painter())
    assert result.image is not None
    assert result.image.shape == photo.shape
    assert np.array_equal(result.image[~mask], photo[~mask])
    assert result.faces[0].scale == pytest.approx(0.83 / zoom, rel=0.2)


@pytest.mark.slow
def test_identity_figures_say_how_alike_and_are_null_where_nothing_can_be_compared() -> None:
    from models.identity.encoders import independent_encoder, training_encoder

    encoders = training_encoder("sface"), independent_encoder("dlib")
    seeing = Tools(tools().detector, tools().landmarker, encoders, encoders[0])
    photo, faces = group(), faces_of_group()
    mask = box_over(faces[1], photo.shape, (0.55, 0.6, 0.8, 0.8))
    rows = {}
    for name, reference in {"same": photo[:, 250:450], "other": astronaut(), "nobody": photo[:60, :60]}.items():
        result = restored(damage(photo, mask), mask, Painter(), references=[reference], tools=seeing)
        rows[name] = result.faces[0].likeness
    same, other, nobody = rows["same"], rows["other"], rows["nobody"]
    assert same is not None
    assert other is not None
    assert nobody is not None
    assert nobody.to_reference is None
    assert same.to_reference is not None
    assert other.to_reference is not None
    assert set(same.to_reference) == {"sface", "dlib"} == set(same.to_plain or {})
    assert all(same.to_reference[name] > other.to_reference[name] + 0.3 for name in same.to_reference)


def test_strength_mixes_what_the_face_model_fills_with_the_classical_fill() -> None:
    photo = astronaut()
    mask = box_over(tools().detector.detect(photo)[0], photo.shape, LOWER_FACE)
    none, half, full = (restored(damage(photo, mask), mask, Painter(), strength=share).image for share in (0, 0.5, 1))
    assert none is not None
    assert half is not None
    assert full is not None
    assert np.abs(full[mask].astype(int) - none[mask]).mean() > 5
    assert np.abs(half[mask] - (full[mask].astype(float) + none[mask]) / 2).max() <= 1
    assert np.array_equal(none[~mask], photo[~mask])
    assert np.array_equal(half[~mask], photo[~mask])
