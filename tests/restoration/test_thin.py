import cv2
import numpy as np
import pytest

from models.face import regions
from models.face.alignment import invert, transform
from models.images import Image, Mask
from restoration.faces import FoundFace, damaged_faces
from restoration.modes import RequestedMode
from restoration.photo.classical import classical_photo
from restoration.restore import restore_photo
from restoration.thin import thin_damage, thin_risk
from tests.restoration.site import PARAMS, Painter, astronaut, damage, tools


def found(photo: Image, mask: Mask) -> list[FoundFace]:
    damaged = damage(photo, mask)
    return damaged_faces(damaged, classical_photo(damaged, mask, mask), mask, mask, tools(), 128, PARAMS)[1]


def face_box(photo: Image) -> tuple[int, int, int, int]:
    x, y, width, height = (round(value) for value in tools().detector.detect(photo)[0].box)
    return x, y, width, height


def scratch(photo: Image, width: int) -> Mask:
    """A line down the cheek."""
    x, y, across, down = face_box(photo)
    canvas = np.zeros(photo.shape[:2], np.uint8)
    cv2.line(canvas, (x + across // 4, y + down // 5), (x + across // 3, y + down), 1, width)
    return canvas > 0


def side(face: FoundFace) -> float:
    return face.frame.size / face.frame.scale


def test_a_scratch_over_a_face_is_thin_and_a_bar_is_not() -> None:
    photo = astronaut()
    (face,) = found(photo, scratch(photo, 5))
    narrow, wide = (max(1, round(share * side(face))) for share in (0.02, 0.07))
    for width, all_thin in ((narrow, True), (wide, False)):
        mask = scratch(photo, width)
        thin = thin_damage(mask, found(photo, mask), PARAMS.thin)
        assert thin[mask].mean() == float(all_thin)


def test_what_hides_an_eye_is_not_thin_however_narrow() -> None:
    photo = astronaut()
    (face,) = found(photo, scratch(photo, 5))
    eye = regions.feature_regions(face.landmarks, 128)["left_eye"]
    rows, columns = np.nonzero(eye)
    corners = np.array([[columns.min(), rows.min()], [columns.max(), rows.max()]], np.float32)
    low, high = (transform(corners, invert(face.frame.matrix)) + face.frame.origin).round().astype(int)
    mask = scratch(photo, 3)
    mask[low[1] : high[1] + 1 : 4, low[0] : high[0] + 1] = True  # slats over the eye: none wide, three rows of four
    mask[low[1] + 1 : high[1] + 1 : 4, low[0] : high[0] + 1] = True
    mask[low[1] + 2 : high[1] + 1 : 4, low[0] : high[0] + 1] = True
    thin = thin_damage(mask, found(photo, mask), PARAMS.thin.model_copy(update={"of_face": 0.2}))
    middle = (low + high) // 2
    assert not thin[middle[1] - 1 : middle[1] + 2, middle[0] - 2 : middle[0] + 3].any()
    assert thin.any()


def test_elsewhere_width_counts_against_the_photo() -> None:
    mask = np.zeros((400, 1000), np.bool_)
    mask[100:120, 50:900] = True
    mask[200:240, 50:900] = True
    thin = thin_damage(mask, [], PARAMS.thin)
    assert thin[100:120, 50:900].all()
    assert not thin[200:240].any()


@pytest.mark.parametrize("mode", ["auto", "inpaint"])
def test_a_scratched_face_comes_back_without_the_face_model(mode: RequestedMode) -> None:
    photo = astronaut()
    mask = scratch(photo, 4)
    painter = Painter()
    result = restore_photo(damage(photo, mask), mask, painter, mode, PARAMS, tools=tools())
    assert result.image is not None
    assert not painter.batches
    assert (result.mode, result.thin, result.background, result.untouched) == ("inpaint", 1.0, 0.0, 0.0)
    assert np.array_equal(result.image[~mask], photo[~mask])
    assert "both sides" in result.reason
    (face,) = result.faces
    assert 0 < face.identity_risk < 0.1
    assert face.coverage == pytest.approx(result.coverage)


def test_without_a_face_a_scratch_is_filled_and_a_hole_refused() -> None:
    y, x = np.mgrid[:300, :400]
    photo = np.repeat((50 + x / 4 + y / 4)[..., None], 3, axis=-1).astype(np.uint8)
    for height, comes_back in ((6, True), (80, False)):
        mask = np.zeros((300, 400), np.bool_)
        mask[100 : 100 + height, 30:350] = True
        result = restore_photo(damage(photo, mask), mask, Painter(), "auto", PARAMS, tools=tools())
        assert (result.image is not None) == comes_back


def test_a_grey_photo_stays_grey() -> None:
    photo = np.repeat(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
    mask = scratch(photo, 4)
    damaged = photo.copy()
    damaged[mask] = (250, 240, 200)
    image = restore_photo(damaged, mask, Painter(), "auto", PARAMS, tools=tools()).image
    assert image is not None
    assert np.ptp(image, axis=-1).max() == 0


def test_risk_grows_with_what_is_hidden() -> None:
    photo = astronaut()
    little, much = (found(photo, scratch(photo, width))[0] for width in (3, 8))
    assert 0 < thin_risk(little, PARAMS.risk_weights) < thin_risk(much, PARAMS.risk_weights) < 0.2
