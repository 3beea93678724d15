"""What is diffused: a projection, a scale by distance, and noise with the moments that it claims."""

import math
from dataclasses import replace

import pytest
import torch

from models.diffusion.residual import coloured, missing_part, residual, scale
from models.diffusion.settings import Spread
from models.evidence.evidence import Damaged, gather, luma
from models.face_model.shape_and_appearance import shipped_face_model
from tests.models.diffusion.parts import SPREAD, damaged


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


def test_the_scale_grows_with_the_distance_by_hand() -> None:
    found = scale(damaged(), SPREAD)[0, 0]
    # the hole spans 8..19 in both directions; (8, 14) lies on its edge, (10, 14) three pixels from what is known
    assert float(found[8, 14]) == pytest.approx(0.2)
    assert float(found[10, 14]) == pytest.approx(0.2 + 0.05 * math.log(3))
    assert float(found[14, 24]) == pytest.approx(0.1)  # colour alone is missing
    assert float(found[0, 0]) == 1.0


def test_a_picture_without_a_known_pixel_has_a_scale() -> None:
    everything = torch.ones(1, 1, 16, 16)
    batch = Damaged(torch.zeros(1, 3, 16, 16), everything, everything, torch.ones(1), torch.ones(1))
    assert float(scale(batch, SPREAD).max()) == pytest.approx(0.2 + 0.05 * math.log(16))


def test_the_residual_leads_from_the_start_to_the_target() -> None:
    evidence, target = gather(damaged(), shipped_face_model()), white(2, 32).clamp(-1, 1)
    back = evidence.start + residual(target, evidence, SPREAD) * scale(evidence.damaged, SPREAD)
    hole = (evidence.damaged.hole_mask > 0.5).expand_as(target)
    assert torch.allclose(back[hole], target[hole], atol=1e-5)
    known = (evidence.damaged.chroma_mask < 0.5).expand_as(target)
    assert torch.equal(back[known], evidence.damaged.image[known])


def test_coloured_noise_has_unit_variance_and_its_correlation() -> None:
    noise = coloured(white(400), replace(SPREAD, correlation=0.6))
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    values = noise.transpose(0, 1).flatten(1)
    assert torch.allclose(values.var(1), torch.ones(3), atol=0.05)
    assert torch.allclose(torch.corrcoef(values), 0.6 + 0.4 * torch.eye(3), atol=0.03)


def test_coloured_noise_has_its_spectrum() -> None:
    spread = Spread(rim=1.0, growth=0.0, colour=1.0, cutoff=8.0, correlation=0.0)
    power = torch.fft.fft2(coloured(white(400), spread)).abs().square().mean((0, 1))

    def expected(frequency: float) -> float:
        return 1 / ((1 + frequency**2) * (1 + (frequency / 8) ** 2))

    for row, column in ((0, 4), (8, 0), (12, 5), (0, 30)):
        ratio = float(power[row, column] / power[0, 1])
        assert ratio == pytest.approx(expected(math.hypot(row, column)) / expected(1), rel=0.15)
