"""Formulas against numbers worked out by hand and against diffusers."""

import pytest
import torch

from models.diffusion.denoiser import noise_schedule
from models.diffusion.losses import clamped_snr, clean_from_output, missing_square


def filled(value: float) -> torch.Tensor:
    return torch.full((1, 3, 2, 2), value)


def test_clean_from_velocity_by_hand() -> None:
    # signal 0.64: roots 0.8 and 0.6; clean 0.5 and noise 1 make noisy 1.0 and velocity 0.8 - 0.3 = 0.5
    clean = clean_from_output(filled(0.5), filled(1.0), torch.tensor([0.64]), "v_prediction")
    assert torch.allclose(clean, filled(0.5))  # 0.8 * 1.0 - 0.6 * 0.5


def test_pure_noise_is_answered_by_the_output_alone() -> None:
    clean = clean_from_output(filled(-0.3), filled(9.0), torch.tensor([0.0]), "v_prediction")
    assert torch.allclose(clean, filled(0.3))


def test_a_sample_is_itself() -> None:
    assert torch.equal(clean_from_output(filled(0.2), filled(9.0), torch.tensor([0.5]), "sample"), filled(0.2))


def test_it_undoes_what_diffusers_mixes() -> None:
    schedule, dice = noise_schedule("v_prediction"), torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 4, 3, 8, 8, generator=dice)
    levels = torch.tensor([0, 250, 700, 999])
    noisy, velocity = (mix(clean, noise, levels) for mix in (schedule.add_noise, schedule.get_velocity))
    found = clean_from_output(velocity, noisy, schedule.alphas_cumprod[levels], "v_prediction")
    assert torch.allclose(found, clean, atol=1e-5)


@pytest.mark.parametrize(("signal", "weight"), [(0.0, 1.0), (0.2, 1.0), (0.75, 3.0), (0.9, 5.0), (0.999, 5.0)])
def test_snr_is_held_between_one_and_gamma(signal: float, weight: float) -> None:
    assert float(clamped_snr(torch.tensor([signal]), 5.0)) == pytest.approx(weight, rel=1e-5)


def test_the_square_is_of_missing_values_alone() -> None:
    error = torch.cat([filled(2.0), filled(1.0)])
    mask = torch.zeros(2, 1, 2, 2)
    mask[0, 0, 0, 0] = 1  # three values of error 2, weight 5
    mask[1, 0, :, 0] = 1  # six values of error 1, weight 1
    assert float(missing_square(error, mask, torch.tensor([5.0, 1.0]))) == pytest.approx((5 * 3 * 4 + 6 * 1) / 9)


def test_nothing_missing_costs_nothing() -> None:
    assert float(missing_square(filled(3.0), torch.zeros(1, 1, 2, 2), torch.ones(1))) == 0.0
