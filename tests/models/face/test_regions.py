"""Face hull, feature regions and shares, against numbers worked out by hand."""

from itertools import combinations

import numpy as np
import pytest

from models.errors import DataError
from models.face.regions import (
    area,
    coverage,
    face_hull,
    face_size,
    feature_regions,
    hull_polygon,
    missing_features,
    missing_names,
)
from models.region_names import FEATURES
from tests.faces import mean_landmarks

SIZE = 128


def test_hull_holds_every_landmark_and_reaches_the_forehead() -> None:
    points, hull = mean_landmarks(SIZE), face_hull(mean_landmarks(SIZE), SIZE)
    columns, rows = points.round().astype(int).T
    assert hull[rows, columns].all()
    # Middle of the brows at y = 0.4008, chin at 0.931, half of that up: 0.4008 - 0.2651 = 0.1357; the inner brow
    # points (y = 0.408) rise by that half, to 0.1429 of the side.
    top = float(hull_polygon(points)[:, 1].min()) / SIZE
    assert top == pytest.approx(0.408 - 0.2651, abs=0.012)
    assert np.flatnonzero(hull.any(axis=1))[0] == pytest.approx(top * SIZE, abs=1)


def test_face_size_is_the_root_of_the_hulls_area() -> None:
    landmarks = mean_landmarks(SIZE)
    assert face_size(landmarks) ** 2 == pytest.approx(np.count_nonzero(face_hull(landmarks, SIZE)), rel=0.04)
    assert face_size(landmarks * 2) == pytest.approx(2 * face_size(landmarks), rel=1e-5)


def test_a_symmetric_face_has_symmetric_regions() -> None:
    landmarks = mean_landmarks(SIZE)
    landmarks[:, 0] -= 0.5  # the mirror axis of a picture lies between its two middle pixels
    regions = feature_regions(landmarks, SIZE)
    for left, right in (("left_eye", "right_eye"), ("left_brow", "right_brow"), ("nose", "nose"), ("mouth", "mouth")):
        assert np.count_nonzero(regions[left][:, ::-1] ^ regions[right]) <= 0.06 * np.count_nonzero(regions[right])


def test_features_lie_in_the_hull_and_apart() -> None:
    landmarks = mean_landmarks(SIZE)
    regions, hull = feature_regions(landmarks, SIZE), face_hull(landmarks, SIZE)
    assert tuple(regions) == FEATURES
    for name, region in regions.items():
        assert region.any(), name
        assert np.count_nonzero(region & ~hull) == 0, name
    eyes_and_mouth = ("left_eye", "right_eye", "mouth")
    for one, other in combinations(eyes_and_mouth, 2):
        assert not (regions[one] & regions[other]).any()
    assert regions["left_eye"].nonzero()[1].mean() < regions["right_eye"].nonzero()[1].mean()


def test_regions_hold_their_own_landmarks() -> None:
    landmarks = mean_landmarks(SIZE)
    regions = feature_regions(landmarks, SIZE)
    for name, indices in {"left_eye": range(36, 42), "nose": range(27, 36), "mouth": range(48, 68)}.items():
        columns, rows = landmarks[list(indices)].round().astype(int).T
        assert regions[name][rows, columns].all(), name


def test_shares_by_hand() -> None:
    hole = np.zeros((4, 5), np.bool_)
    hole[0, :4] = True  # 4 of 20 pixels
    hull = np.zeros((4, 5), np.bool_)
    hull[:2, :3] = True  # 6 pixels, 3 of them missing
    eye, nose = np.zeros((4, 5), np.bool_), np.zeros((4, 5), np.bool_)
    eye[0, :3] = True  # all 3 missing
    nose[0:4, 2] = True  # 1 of 4 missing, and shared with the eye
    regions = {"left_eye": eye, "nose": nose}
    assert area(hole) == pytest.approx(0.2)
    assert coverage(hole, hull) == pytest.approx(0.5)
    assert missing_features(hole, regions) == pytest.approx(3 / 6)  # the union has 3 + 4 - 1 pixels
    assert missing_names(hole, regions) == ("left_eye",)


def test_half_a_feature_is_not_more_than_half() -> None:
    hole, nose = np.zeros((2, 2), np.bool_), np.ones((2, 2), np.bool_)
    hole[0] = True
    assert missing_names(hole, {"nose": nose}) == ()
    hole[1, 0] = True
    assert missing_names(hole, {"nose": nose}) == ("nose",)


def test_upper_half_of_the_picture_takes_brows_and_eyes() -> None:
    landmarks, hole = mean_landmarks(SIZE), np.zeros((SIZE, SIZE), np.bool_)
    hole[: int(0.54 * SIZE)] = True
    regions = feature_regions(landmarks, SIZE)
    assert missing_names(hole, regions) == ("left_eye", "right_eye", "left_brow", "right_brow")


def test_a_face_that_leaves_the_picture_is_clipped() -> None:
    landmarks = mean_landmarks(SIZE) + np.array([SIZE / 2, 0], np.float32)
    hull = face_hull(landmarks, (SIZE, SIZE))
    assert 0 < np.count_nonzero(hull) < 0.6 * face_size(landmarks) ** 2


def test_no_hull_is_an_error_and_not_zero_coverage() -> None:
    hull = face_hull(mean_landmarks(SIZE) + 1000, SIZE)
    with pytest.raises(DataError, match="an empty face hull"):
        coverage(np.ones((SIZE, SIZE), np.bool_), hull)


@pytest.mark.parametrize("broken", [np.zeros((5, 2)), np.full((68, 2), np.nan)])
def test_landmarks_are_checked(broken: np.ndarray) -> None:
    with pytest.raises(DataError, match="68 finite landmarks"):
        face_hull(broken, SIZE)
