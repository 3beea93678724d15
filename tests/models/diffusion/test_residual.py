"""What is diffused: a projection that leads from the start to the target."""

import torch

from models.diffusion.residual import missing_part, residual
from models.evidence.evidence import gather, luma
from models.face_model.shape_and_appearance import shipped_face_model
from tests.models.diffusion.parts import damaged


def white(n: int, side: int = 64) -> torch.Tensor:
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_the_missing_part_is_a_projection_that_leaves_what_is_known() -> None:
    batch, values = damaged(), white(2, 32)
    part = missing_part(values, batch)
    hole, chroma = (mask.expand_as(values) > 0.5 for mask in (batch.hole_mask, batch.chroma_mask))
    assert torch.equal(part[hole], values[hole])
    assert not part[~chroma].any()
    assert luma(part)[(batch.chroma_mask - batch.hole_mask) > 0.5].abs().max() < 1e-6
    assert torch.allclose(missing_part(part, batch), part, atol=1e-6)


def test_the_residual_leads_from_the_start_to_the_target() -> None:
    evidence, target = gather(damaged(), shipped_face_model()), white(2, 32).clamp(-1, 1)
    back = evidence.start + residual(target, evidence)
    hole = (evidence.damaged.hole_mask > 0.5).expand_as(target)
    assert torch.allclose(back[hole], target[hole], atol=1e-5)
    known = (evidence.damaged.chroma_mask < 0.5).expand_as(target)
    assert torch.equal(back[known], evidence.damaged.image[known])
