"""The sampler: same seed, same people; faces that are found, with landmarks where they are said to be."""

import json
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from models.assets import ASSETS
from models.errors import WeightsError
from models.face.detector import Face, FaceDetector
from models.face.landmarks import LandmarkPredictor
from models.identity.encoders import training_encoder
from models.images import to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import SampledPortrait, portraits
from pipeline.face_sampler.geometry import (
    CANVAS,
    MIRROR,
    OUTPUT,
    border_points,
    feature_weights,
    light_basis,
    mirrored,
    rescale,
    unfolded,
    warp_map,
)
from pipeline.face_sampler.weights import load_asset

SEED = 2024


def draw(identities: int, views: int, seed: int = SEED) -> list[SampledPortrait]:
    return list(portraits(SamplerParams(identities=identities, views=views, seed=seed, population=EVERYBODY)))


@pytest.fixture(scope="module")
def samples() -> list[SampledPortrait]:
    return draw(25, 2)


@pytest.fixture(scope="module")
def faces(samples: list[SampledPortrait]) -> list[Face | None]:
    detector = FaceDetector(0.6)
    return [next(iter(detector.detect(sample.image)), None) for sample in samples]


def test_shapes_types_and_names(samples: list[SampledPortrait]) -> None:
    assert [sample.view for sample in samples[:4]] == [0, 1, 0, 1]
    assert len({sample.name for sample in samples}) == 50
    assert len({sample.identity for sample in samples}) == 25
    for sample in samples:
        assert sample.name.startswith(sample.identity)
        assert sample.image.shape == (128, 128, 3)
        assert sample.image.dtype == np.uint8
        assert sample.landmarks.shape == (68, 2)
        assert sample.landmarks.dtype == np.float32


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(samples: list[SampledPortrait]) -> None:
    for again, sample in zip(draw(2, 2), samples, strict=False):
        assert again.name == sample.name
        assert again.image.tobytes() == sample.image.tobytes()
        assert again.landmarks.tobytes() == sample.landmarks.tobytes()
    other = draw(1, 1, SEED + 1)[0]
    assert other.name != samples[0].name
    assert np.abs(other.image.astype(int) - samples[0].image).mean() > 10


def test_a_portrait_depends_on_its_own_numbers_only(samples: list[SampledPortrait]) -> None:
    """More identities or more views leave those that were there as they were."""
    wider = {sample.name: sample for sample in draw(2, 3)}
    for sample in samples[:4]:
        np.testing.assert_array_equal(wider[sample.name].image, sample.image)


def test_it_streams() -> None:
    endless = portraits(SamplerParams(identities=10**9, views=1, seed=1, population=EVERYBODY))
    assert [sample.name for sample in islice(endless, 2)] == ["sampler-1-00000-00", "sampler-1-00001-00"]


def test_people_outside_the_population_are_left_out_and_the_others_stay_as_they_are(
    samples: list[SampledPortrait],
) -> None:
    few = list(portraits(SamplerParams(identities=6, views=1, seed=SEED, population=(-0.3, 0.6))))
    expected = [sample for sample in samples if sample.view == 0 and -0.3 <= sample.component <= 0.6][:6]
    assert [one.name for one in few] == [one.name for one in expected]
    assert all(np.array_equal(one.image, other.image) for one, other in zip(few, expected, strict=True))


def test_the_detector_finds_the_faces(faces: list[Face | None]) -> None:
    assert np.mean([face is not None for face in faces]) >= 0.98


def test_landmarks_lie_in_the_picture_and_where_dlib_sees_them(
    samples: list[SampledPortrait], faces: list[Face | None]
) -> None:
    predictor, errors = LandmarkPredictor(), []
    for sample, face in zip(samples, faces, strict=True):
        inside = (sample.landmarks > -0.5) & (sample.landmarks < OUTPUT - 0.5)
        assert inside.mean() > 0.97  # a chin may leave the frame
        if face is not None:
            errors.append(np.linalg.norm(predictor.predict(sample.image, face) - sample.landmarks, axis=1).mean())
    assert np.mean(errors) < 1.5
    assert np.max(errors) < 5


def test_views_differ_and_stay_the_same_person(samples: list[SampledPortrait], faces: list[Face | None]) -> None:
    pairs = [i for i in range(0, 50, 2) if faces[i] and faces[i + 1]]
    first, second = (_embed([samples[i + k] for i in pairs], [faces[i + k] for i in pairs]) for k in (0, 1))
    similarity = (first @ second.T).numpy()
    impostors = similarity[~np.eye(len(pairs), dtype=bool)]
    assert np.percentile(impostors, 95) <= 0.45  # the card's figure is over many more pairs
    assert np.mean(np.diag(similarity) > np.percentile(impostors, 95)) >= 0.95
    for i in pairs:
        assert np.abs(samples[i].image.astype(int) - samples[i + 1].image).mean() > 2
        assert np.abs(samples[i].landmarks - samples[i + 1].landmarks).max() > 0.5


def _embed(samples: list[SampledPortrait], faces: list[Face | None]) -> torch.Tensor:
    points = torch.from_numpy(np.stack([face.points for face in faces if face]))
    with torch.no_grad():
        return training_encoder("sface").embed(to_tensor(np.stack([sample.image for sample in samples])), points)


def test_the_card_keeps_its_promises() -> None:
    card = json.loads((ASSETS / "sampler.json").read_text())
    assert card["bytes"] == (ASSETS / "sampler.safetensors").stat().st_size <= 8 * 2**20
    assert card["licence"] == "CC BY-NC-SA 4.0"
    assert "PNAS" in card["attribution"]
    figures = card["figures"]
    assert figures["detected_share"] >= 0.98
    assert figures["sface"]["impostor_95"] <= 0.40 < figures["sface"]["genuine_5"]
    for row in figures["nearest_training_portrait"].values():
        assert row["samples_highest"] < row["held_out_highest"]


def test_a_damaged_asset_is_refused(tmp_path: Path) -> None:
    content = bytearray((ASSETS / "sampler.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "sampler.safetensors").write_bytes(content)
    shutil.copy(ASSETS / "sampler.json", tmp_path)
    with pytest.raises(WeightsError, match=r"SHA-256 .*take assets/ from git"):
        next(portraits(SamplerParams(identities=1, views=1, seed=1, population=EVERYBODY), tmp_path))


def test_a_missing_asset_or_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"got no sampler\.safetensors"):
        load_asset(tmp_path)
    shutil.copy(ASSETS / "sampler.safetensors", tmp_path)
    with pytest.raises(WeightsError, match=r"got no sampler\.json"):
        load_asset(tmp_path)
    (tmp_path / "sampler.json").write_text("{}")
    with pytest.raises(WeightsError, match="an unreadable one"):
        load_asset(tmp_path)


def test_mirroring_twice_changes_nothing() -> None:
    points = np.random.default_rng(0).uniform(0, CANVAS, (68, 2)).astype(np.float32)
    np.testing.assert_array_equal(MIRROR[MIRROR], np.arange(68))
    np.testing.assert_allclose(mirrored(mirrored(points, CANVAS), CANVAS), points, atol=1e-4)
    mean = load_asset().mean_shape
    np.testing.assert_allclose(mirrored(mean, CANVAS), mean, atol=1e-3)  # the mean face is symmetric


def test_rescale_keeps_pixel_corners_together() -> None:
    np.testing.assert_allclose(rescale(np.array([[-0.5, 159.5]]), 160, 128), [[-0.5, 127.5]])


def test_the_warp_leads_landmarks_to_landmarks_and_borders_to_borders(samples: list[SampledPortrait]) -> None:
    """A spline passes through its knots; what is left is from interpolating between every other pixel."""
    mean = load_asset().mean_shape
    for sample in samples[:5]:
        at = warp_map(sample.landmarks, mean, OUTPUT, CANVAS)
        inside = (sample.landmarks > 1).all(1) & (sample.landmarks < OUTPUT - 2).all(1)
        errors = np.linalg.norm(_bilinear(at, sample.landmarks[inside]) - mean[inside], axis=1)
        assert errors.mean() < 0.2
        assert errors.max() < 2.0  # between lips that nearly touch
        np.testing.assert_allclose(at[0, 0], [0, 0], atol=1e-3)
    assert border_points(CANVAS).shape == (16, 2)


def _bilinear(field: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.floor(points).astype(int).T
    u, v = (points - np.floor(points)).T[:, :, None]
    above, below = ((1 - u) * field[row, x] + u * field[row, x + 1] for row in (y, y + 1))
    return np.asarray((1 - v) * above + v * below)


def test_an_unchanged_shape_warps_to_itself() -> None:
    mean = load_asset().mean_shape
    y, x = np.mgrid[:CANVAS, :CANVAS]
    np.testing.assert_allclose(
        warp_map(mean, mean, CANVAS, CANVAS)[:-4, :-4], np.stack([x, y], -1)[:-4, :-4], atol=1e-2
    )


def test_crossed_lips_are_put_in_order() -> None:
    points = load_asset().mean_shape.copy()
    points[62, 1], points[66, 1] = points[66, 1] + 2, points[62, 1] - 2
    heights = unfolded(points)[[51, 62, 66, 57], 1]
    assert (np.diff(heights) >= np.array([1.5, 0.4, 1.5]) - 1e-4).all()
    mean = load_asset().mean_shape
    np.testing.assert_allclose(unfolded(mean), mean, atol=1e-4)  # an orderly face stays as it is


def test_feature_weights_add_up_and_peak_on_their_features() -> None:
    mean = load_asset().mean_shape
    weights = feature_weights(mean)
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-5)
    for feature, point in ((0, mean[36:42].mean(0)), (1, mean[30]), (2, mean[62]), (3, np.array([3.0, 3.0]))):
        x, y = np.round(point).astype(int)
        assert weights[:, y, x].argmax() == feature


def test_light_from_the_right_is_odd_across_the_face() -> None:
    across, down, _ = light_basis(load_asset().mean_shape)
    np.testing.assert_allclose(across, -across[:, ::-1], atol=2e-2)
    assert (np.diff(across, axis=1) >= 0).all()
    assert (np.diff(down, axis=0) >= 0).all()
