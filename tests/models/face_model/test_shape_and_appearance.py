"""Shape and appearance apart: bending helps, hides nothing and reads nothing that is missing."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.assets import RESEARCH
from models.face.warp import warp_grid
from models.face_model.fit import fit_shaped
from models.face_model.shape_and_appearance import ShapedFaceModel, built_face_model, shipped_face_model, warp_pictures
from models.face_model.stored import StoredFaceModel
from models.images import to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

SIDE = 128


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """A few faces of the built-in sampler."""
    return torch.cat(
        [to_tensor(one.image) for one in portraits(SamplerParams(identities=4, views=1, seed=7, population=EVERYBODY))]
    )


def over_an_eye(count: int, side: int = SIDE) -> Tensor:
    hole = torch.zeros(count, 1, side, side)
    hole[..., side * 3 // 8 : side // 2, side * 9 // 32 : side * 15 // 32] = 1
    return hole


def test_bending_brings_the_completion_nearer(faces: Tensor) -> None:
    model, hole = shipped_face_model(), over_an_eye(len(faces))
    inside = hole.expand_as(faces) > 0.5
    shaped = model.complete(faces, hole, hole).picture
    pairs = zip(faces * (1 - hole), hole, strict=True)
    straight = torch.cat(
        [model._bent(model.appearance, face[None], own[None], own[None], model.mean).picture for face, own in pairs]
    )
    assert (shaped - faces)[inside].square().mean() < 0.9 * (straight - faces)[inside].square().mean()


def test_what_is_missing_is_never_read(faces: Tensor) -> None:
    model, hole = shipped_face_model(), over_an_eye(1)
    other = torch.where(hole > 0.5, -faces[:1], faces[:1])
    found = [model.complete(picture, hole, hole) for picture in (faces[:1], other)]
    assert torch.equal(found[0].picture, found[1].picture)
    assert torch.equal(found[0].certainty, found[1].certainty)


def test_certainty_is_one_where_all_is_known_and_lower_in_the_hole(faces: Tensor) -> None:
    hole = over_an_eye(1)
    certainty = shipped_face_model().complete(faces[:1], hole, hole).certainty
    assert (certainty[hole < 0.5] == 1).all()
    assert 0 <= certainty[hole > 0.5].min() < certainty[hole > 0.5].max() < 1


def test_colour_alone_is_completed_with_every_landmark_in_sight(faces: Tensor) -> None:
    everywhere, nowhere = torch.ones(1, 1, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    grey = faces[:1].mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    completed = shipped_face_model().complete(grey, nowhere, everywhere).picture
    assert completed.shape == grey.shape
    assert (completed[:, 0] - completed[:, 2]).mean() > 0.05  # skin is warm


def test_half_the_side_completes_the_same_face(faces: Tensor) -> None:
    small, hole, fine = F.avg_pool2d(faces, 2), over_an_eye(len(faces), 64), over_an_eye(len(faces))
    inside = hole.expand_as(small) > 0.5
    completed = shipped_face_model().at(64).complete(small, hole, hole).picture
    expected = F.avg_pool2d(shipped_face_model().complete(faces, fine, fine).picture, 2)
    other = completed.roll(1, dims=0)
    assert (completed - expected)[inside].abs().mean() < 0.4 * (other - expected)[inside].abs().mean()
    np.testing.assert_allclose(shipped_face_model().at(64).mean, (shipped_face_model().mean + 0.5) / 2 - 0.5, rtol=1e-5)


def test_a_grid_of_equal_landmarks_bends_nothing(faces: Tensor) -> None:
    mean = shipped_face_model().mean
    assert torch.allclose(warp_pictures(faces[:1], warp_grid(mean, mean, SIDE)), faces[:1], atol=1e-3)


def test_the_mean_shape_is_upright_and_in_the_middle() -> None:
    mean = shipped_face_model().mean
    assert mean[27:31, 0] == pytest.approx([63.5] * 4, abs=1e-3)  # the bridge of the nose, by mirroring
    assert mean[36:48, 1].mean() < mean[33, 1] < mean[48:, 1].mean() < mean[8, 1]


def test_fitted_stored_and_read_back(tmp_path: Path, faces: Tensor) -> None:
    tensors = fit_shaped(faces, 4, torch.Generator().manual_seed(0), RESEARCH)
    StoredFaceModel.compress(tensors).save(tmp_path / "f.safetensors", {})
    model, again, hole = (
        ShapedFaceModel.of(tensors),
        built_face_model(StoredFaceModel.load(tmp_path / "f.safetensors")),
        over_an_eye(1),
    )
    assert again.size == SIDE
    expected = model.complete(faces[:1], hole, hole).picture
    assert (again.complete(faces[:1], hole, hole).picture - expected).abs().mean() < 0.02
