"""Landmarks of damaged faces: what is hidden is not read, and is placed better than by trees and Gaussian."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.assets import RESEARCH
from models.errors import WeightsError
from models.face.landmark_network import (
    SIDE,
    LandmarkNetwork,
    load_landmark_network,
    observe,
    save_landmark_network,
    shipped_landmark_network,
)
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import MIRRORED, LandmarkPredictor, mirrored_points
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import to_tensor
from models.weight_files import write_weights
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

MEAN = shipped_face_model().mean
KNOWN = shipped_face_model().shape, MEAN, LandmarkPredictor()


@pytest.fixture(scope="module")
def faces() -> Tensor:
    people = portraits(SamplerParams(identities=6, views=1, seed=11, population=EVERYBODY))
    return torch.cat([to_tensor(one.image) for one in people])


def hole_over(count: int, rows: slice, columns: slice) -> Tensor:
    hole = torch.zeros(count, 1, SIDE, SIDE)
    hole[:, :, rows, columns] = 1
    return hole


EYES, LOWER = (slice(40, 72), slice(20, 108)), (slice(68, 118), slice(30, 98))


def test_what_the_hole_holds_is_not_read(faces: Tensor) -> None:
    hole = hole_over(1, *LOWER)
    other = torch.where(hole > 0.5, -faces[:1], faces[:1])
    own, others = (shipped_landmark_network(RESEARCH).place(one, hole, hole, *KNOWN) for one in (faces[:1], other))
    np.testing.assert_array_equal(own, others)


def test_untrained_it_mixes_its_mean_with_the_gaussians_word_by_what_is_missing(faces: Tensor) -> None:
    hole = hole_over(2, *LOWER)
    observed = observe(faces[:2], hole, hole, *KNOWN)
    placed = LandmarkNetwork(torch.from_numpy(MEAN))(observed)
    for point, share in ((37, 0.5), (66, 1 / (1 + np.exp(6)))):  # an eye that is seen; the middle of the mouth
        assert observed.missing[:, point].tolist() == [0.0 if share == 0.5 else 1.0] * 2
        expected = MEAN[point] + share * (observed.expected[:, point].numpy() - MEAN[point])
        np.testing.assert_allclose(placed[:, point].detach().numpy(), expected, rtol=1e-4)


def test_a_mirrored_portrait_has_mirrored_landmarks(faces: Tensor) -> None:
    hole, network = hole_over(1, slice(40, 72), slice(20, 64)), shipped_landmark_network(RESEARCH)
    own = network.place(faces[:1], hole, hole, *KNOWN)
    turned = network.place(faces[:1].flip(-1), hole.flip(-1), hole.flip(-1), *KNOWN)
    np.testing.assert_allclose(turned, mirrored_points(own, SIDE, MIRRORED), atol=1e-3)


@pytest.mark.parametrize("place", [EYES, LOWER])
def test_hidden_points_are_nearer_than_by_trees_and_gaussian(faces: Tensor, place: tuple[slice, slice]) -> None:
    hole, true = hole_over(len(faces), *place), np.stack(aligned_landmarks(faces, LandmarkPredictor()))
    network = shipped_landmark_network(RESEARCH)
    placed = np.stack([network.place(face[None], hole[:1], hole[:1], *KNOWN) for face in faces])
    expected = observe(faces, hole, hole, *KNOWN).expected.numpy()
    column, row = np.clip(np.rint(true), 0, SIDE - 1).astype(int).transpose(2, 0, 1)
    hidden = hole[0, 0].numpy()[row, column] > 0.5
    distances = [np.linalg.norm(points - true, axis=2)[hidden].mean() for points in (placed, expected)]
    assert distances[0] < 0.8 * distances[1]


def test_stored_weights_are_those_of_training_to_half_a_level(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LandmarkNetwork(torch.from_numpy(MEAN))
    torch.nn.init.normal_(network.both.weight)
    save_landmark_network(network, tmp_path / "n.safetensors")
    again = load_landmark_network(tmp_path / "n.safetensors").state_dict()
    for name, value in network.state_dict().items():
        wide = name.endswith("weight") and value.dim() > 1
        level = value.flatten(1).abs().amax(1) / 127 if wide else torch.zeros(1)
        error = (again[name] - value).flatten(1).abs().amax(1) if wide else (again[name] - value).abs().max()
        assert (error <= 0.5001 * level + 1e-6).all(), name
    assert (tmp_path / "n.safetensors").stat().st_size < 1_000_000


def test_files_that_are_missing_or_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        load_landmark_network(tmp_path / "n.safetensors")
    write_weights({"a": torch.zeros(1)}, {"kind": "gan"}, tmp_path / "n.safetensors")
    with pytest.raises(WeightsError, match="landmark network"):
        load_landmark_network(tmp_path / "n.safetensors")
