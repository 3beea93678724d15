"""What a denoiser learns from: mixtures against diffusers, and a proposal that is the start plus what it found."""

import pytest
import torch

from models.diffusion.denoise import denoised, noised
from models.diffusion.denoiser import noise_schedule
from models.diffusion.noise import PosteriorNoise
from models.evidence.evidence import gather
from models.face_model.shape_and_appearance import shipped_face_model
from models.objective import Batch, Target
from tests.models.diffusion.parts import SPREAD, Oracle, damaged, small

LEVELS = torch.tensor([999, 249])


@pytest.fixture(scope="module")
def batch() -> Batch:
    target = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1
    return gather(damaged(), shipped_face_model()), Target(target, torch.zeros(2, 5, 2))


def test_it_mixes_as_diffusers_does(batch: Batch) -> None:
    oracle = Oracle(batch[0], batch[1].image)
    noise = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = noise_schedule().add_noise(oracle.clean, noise, LEVELS)
    assert torch.allclose(noised(oracle, batch, noise, LEVELS), expected, atol=1e-5)


def test_the_proposal_is_the_start_and_what_was_found(batch: Batch) -> None:
    evidence, target = batch
    noise = PosteriorNoise.of(evidence, shipped_face_model(), SPREAD)
    white = noise.white(torch.Generator().manual_seed(1), shared=False)
    assert torch.equal(denoised(small(), batch, noise, white, LEVELS)[0], evidence.start[0])  # from pure noise
    found = denoised(Oracle(evidence, target.image), batch, noise, white, LEVELS)
    hole = (evidence.damaged.hole_mask > 0.5).expand_as(found)
    assert torch.allclose(found[hole], target.image[hole], atol=1e-5)
    known = (evidence.damaged.chroma_mask < 0.5).expand_as(found)
    assert torch.equal(found[known], evidence.start[known])
