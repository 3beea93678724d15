"""A visible eye speaks for its fellow, and for nothing else."""

import pytest
import torch
from torch import Tensor

from models.evidence.mirrored_eye import with_mirrored_eyes
from models.face.landmarkers import aligned_landmarks
from models.face.landmarks import LandmarkPredictor
from models.images import to_tensor
from pipeline.config.data import EVERYBODY, SamplerParams
from pipeline.face_sampler.generate import portraits

SIDE = 128
ROWS, LEFT, RIGHT = slice(46, 70), slice(34, 60), slice(68, 94)


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """Two intact faces of the built-in sampler."""
    return torch.cat(
        [to_tensor(one.image) for one in portraits(SamplerParams(identities=2, views=1, seed=7, population=EVERYBODY))]
    )


def hole(*columns: slice, rows: slice = ROWS) -> Tensor:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    for part in columns:
        mask[..., rows, part] = 1
    return mask.expand(2, -1, -1, -1)


def mix(completed: Tensor, mask: Tensor) -> Tensor:
    return with_mirrored_eyes(completed, mask, aligned_landmarks(completed, LandmarkPredictor()))


def test_an_eye_that_was_painted_pale_becomes_more_like_its_fellow(faces: Tensor) -> None:
    mask = hole(LEFT)
    pale = torch.where(mask > 0.5, 0.5 * faces + 0.3, faces)
    mixed = mix(pale, mask)
    inside = mask.expand_as(faces) > 0.5
    assert (mixed - faces)[inside].abs().mean() < 0.9 * (pale - faces)[inside].abs().mean()


def test_a_darker_fellow_makes_it_darker(faces: Tensor) -> None:
    mask = hole(LEFT)
    darker = faces.clone()
    darker[..., 54:62, 76:86] -= 0.5
    light, dark = (mix(picture.clamp(-1, 1), mask) for picture in (faces, darker))
    eye = (slice(None), slice(None), slice(54, 62), slice(42, 52))
    assert (dark[eye] - light[eye]).mean() < -0.05


def test_away_from_eyes_and_brows_nothing_changes(faces: Tensor) -> None:
    mixed = mix(faces, hole(LEFT))
    assert torch.equal(mixed[..., 80:, :], faces[..., 80:, :])
    assert not torch.equal(mixed, faces)


@pytest.mark.parametrize("mask", [hole(), hole(slice(20, 108), rows=slice(25, 80)), torch.ones(2, 1, SIDE, SIDE)])
def test_without_a_visible_fellow_all_stays(faces: Tensor, mask: Tensor) -> None:
    mixed = mix(faces, mask)
    assert torch.equal(mixed, faces)
