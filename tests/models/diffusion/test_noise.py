"""Noise from the posterior: where it is, how strong, and that its draws depend on nothing but what they should."""

from dataclasses import replace

import pytest
import torch

from models.diffusion.noise import PosteriorNoise, White, banded
from models.evidence.evidence import Damaged, Evidence, gather, luma
from models.face_model.shape_and_appearance import shipped_face_model
from tests.models.diffusion.parts import SPREAD

SIDE = 128


def damaged(top: int = 40, height: int = 48) -> Damaged:
    """A grey face with a hole across it, and a colourless stripe below."""
    hole, chroma = torch.zeros(2, 2, 1, SIDE, SIDE)
    hole[:, :, top : top + height, 24:104] = 1
    chroma[:, :, top : top + height + 16, 24:104] = 1
    return Damaged(torch.zeros(2, 3, SIDE, SIDE), hole, chroma, torch.full((2,), 0.4), torch.full((2,), 0.3))


def evidence_of(batch: Damaged) -> Evidence:
    return gather(batch, shipped_face_model())


def made(evidence: Evidence, **changes: float) -> PosteriorNoise:
    return PosteriorNoise.of(evidence, shipped_face_model(), replace(SPREAD, **changes))


def several(noise: PosteriorNoise, count: int = 12) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.stack([noise.draw(noise.white(rng, shared=True)) for _ in range(count)])


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return evidence_of(damaged())


def test_known_pixels_carry_no_noise_and_known_luma_stays(evidence: Evidence) -> None:
    draws, batch = several(made(evidence), 2), evidence.damaged
    assert not draws[(batch.chroma_mask < 0.5).expand_as(draws)].any()
    colourless = (batch.chroma_mask - batch.hole_mask) > 0.5
    assert luma(draws[0])[colourless].abs().max() < 1e-5
    assert draws[0][colourless.expand_as(draws[0])].abs().max() > 0.01


def test_latents_leave_more_open_far_from_what_is_known(evidence: Evidence) -> None:
    strength = several(made(evidence, fine=0.0))[:, 0].square().mean((0, 1)).sqrt()
    assert float(strength[62:66, 40:88].mean()) > 2.5 * float(strength[40, 40:88].mean())


def test_a_smaller_hole_leaves_less_open(evidence: Evidence) -> None:
    small = evidence_of(damaged(61, 6))
    strong, weak = (several(made(one, fine=0.0))[..., 61:67, 40:88].std() for one in (evidence, small))
    assert float(weak) < 0.7 * float(strong)


def test_parts_have_their_factors(evidence: Evidence) -> None:
    one = made(evidence)
    white = one.white(torch.Generator().manual_seed(3), shared=True)
    latents = replace(one, spread=replace(SPREAD, latents=1.0, fine=0.0)).draw(white)
    fine = replace(one, spread=replace(SPREAD, latents=1e-9, fine=1.0)).draw(white)
    assert torch.allclose(one.draw(white), SPREAD.latents * latents + SPREAD.fine * fine, atol=1e-5)


def test_colour_alone_has_a_factor(evidence: Evidence) -> None:
    colourless = ((evidence.damaged.chroma_mask - evidence.damaged.hole_mask) > 0.5).expand(-1, 3, -1, -1)
    half, whole = (several(made(evidence, colour=factor), 1)[0] for factor in (0.5, 1.0))
    assert torch.allclose(half[colourless], 0.5 * whole[colourless], atol=1e-6)
    assert torch.equal(half[~colourless], whole[~colourless])


def test_portraits_share_a_draw_or_have_their_own(evidence: Evidence) -> None:
    noise = made(evidence)
    shared, own = (noise.draw(noise.white(torch.Generator().manual_seed(2), shared=one)) for one in (True, False))
    assert torch.allclose(shared[0], shared[1], atol=1e-5)  # both portraits are the same
    assert not torch.allclose(own[0], own[1], atol=0.05)


def test_neighbours_in_the_batch_do_not_matter() -> None:
    batch = damaged()
    alone = Damaged(**{name: value[1:] for name, value in vars(batch).items() if value is not None})
    together, single = (several(made(evidence_of(one)), 1)[0] for one in (batch, alone))
    assert torch.allclose(together[1:], single, atol=1e-5)


def test_fine_noise_has_unit_variance_and_its_spectrum() -> None:
    white = torch.randn(400, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    noise = banded(white, 8.0)
    assert float(noise.var()) == pytest.approx(1.0, abs=0.02)
    power = torch.fft.fft2(noise).abs().square().mean((0, 1))

    rows = torch.fft.fftfreq(64, 1 / 64)
    x = (rows[:, None].square() + rows.square()) / 64
    expected = x / (1 + x) ** 3
    assert float(power[0, 0]) < 1e-6
    for row, column in ((0, 4), (8, 0), (12, 5), (0, 30)):
        ratio = float(power[row, column] / power.mean())
        assert ratio == pytest.approx(float(expected[row, column] / expected.mean()), rel=0.2)


def test_other_white_numbers_make_another_draw(evidence: Evidence) -> None:
    noise = made(evidence)
    white = noise.white(torch.Generator().manual_seed(4), shared=True)
    assert torch.equal(noise.draw(white), noise.draw(white))
    turned = White(-white.latents, -white.pixels)
    assert torch.allclose(noise.draw(turned), -noise.draw(white), atol=1e-5)
