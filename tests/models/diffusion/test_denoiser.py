"""The schedule against numbers worked out by hand, the sampler against an oracle, known pixels at every step."""

import math

import pytest
import torch

from models.diffusion.denoiser import conditioning, expected, noise_schedule, sample, visited_levels
from models.diffusion.noise import PosteriorNoise
from models.diffusion.settings import LEVELS, Sampling
from models.evidence.evidence import Evidence, gather, luma
from models.face_model.shape_and_appearance import shipped_face_model
from tests.models.diffusion.parts import SPREAD, Oracle, damaged, small


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return gather(damaged(), shipped_face_model())


@pytest.fixture(scope="module")
def noise(evidence: Evidence) -> torch.Tensor:
    posterior = PosteriorNoise.of(evidence, shipped_face_model(), SPREAD)
    return posterior.draw(posterior.white(torch.Generator().manual_seed(5), shared=True))


def any_noise(seed: int = 5) -> torch.Tensor:
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def cosine(share: float) -> float:
    """Nichol and Dhariwal 2021, eq. 17, by hand."""
    return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2


def test_the_schedule_is_a_cosine_that_ends_in_pure_noise() -> None:
    signal = noise_schedule().alphas_cumprod
    for level in (0, 99, 499, 899):
        assert float(signal[level]) == pytest.approx(cosine((level + 1) / LEVELS) / cosine(0), rel=2e-3)
    assert float(signal[-1]) == 0.0


@pytest.mark.parametrize("count", [2, 4, 5, 8, 10, 20])
def test_the_first_level_is_pure_noise(count: int) -> None:
    assert visited_levels(count).tolist() == [LEVELS * (count - i) // count - 1 for i in range(count)]


def test_one_step_by_hand() -> None:
    schedule = noise_schedule()
    schedule.set_timesteps(2)
    moved = schedule.step(torch.tensor([[0.5]]), 999, torch.tensor([[1.0]]), return_dict=False)[0]
    # at level 999 there is noise alone: 1; the clean value is 0.5; next comes level 499
    kept = cosine(0.5) / cosine(0)  # 0.4938
    assert float(moved) == pytest.approx(math.sqrt(kept) * 0.5 + math.sqrt(1 - kept) * 1.0, abs=1e-3)
    assert float(moved) == pytest.approx(1.0628, abs=1e-3)


def test_an_untrained_denoiser_guesses_what_a_gaussian_of_mean_zero_would(evidence: Evidence) -> None:
    noisy = any_noise().expand(2, -1, -1, -1)
    output = small()(noisy, torch.tensor([999, 499]), *conditioning(evidence))
    assert not output[0].any()
    assert torch.allclose(output[1], math.sqrt(cosine(0.5) / cosine(0)) * noisy[1], atol=1e-3)


def test_an_untrained_denoiser_expects_the_start_and_draws_from_the_posterior(
    evidence: Evidence, noise: torch.Tensor
) -> None:
    mean = expected(small(), evidence)
    assert not mean.any()
    half = sample(small(), evidence, mean, noise, Sampling(levels=2, steps=1, samples=1))
    assert torch.allclose(half, evidence.start + math.sqrt(cosine(0.5) / cosine(0)) * noise, atol=1e-3)


def test_a_mean_moves_the_draws_of_a_gaussian_as_a_whole(evidence: Evidence, noise: torch.Tensor) -> None:
    class Gaussian(type(small())):  # type: ignore[misc] # the class is that of `small`
        """Knows the mean, 0.1, and nothing else."""

        def correct(self, pictures: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
            return torch.full_like(pictures[:, :3], 0.1)

    torch.manual_seed(0)
    knowing = Gaussian(small().shape).eval()
    sampling = Sampling(levels=4, steps=2, samples=1)
    moved = sample(knowing, evidence, expected(knowing, evidence), noise, sampling)
    still = sample(small(), evidence, expected(small(), evidence), noise, sampling)
    hole = (evidence.damaged.hole_mask > 0.5).expand_as(moved)
    assert torch.allclose(moved[hole] - still[hole], torch.tensor(0.1), atol=1e-4)


def test_pure_noise_is_not_looked_at(evidence: Evidence) -> None:
    denoiser, levels = small(random=True), torch.tensor([999, 999])
    answers = [denoiser(any_noise(seed).expand(2, -1, -1, -1), levels, *conditioning(evidence)) for seed in (1, 2)]
    assert torch.equal(*answers)


def test_every_parameter_learns(evidence: Evidence) -> None:
    denoiser = small(random=True)
    noisy, levels = any_noise().expand(2, -1, -1, -1), torch.tensor([999, 49])
    denoiser(noisy, levels, *conditioning(evidence)).square().sum().backward()
    silent = [
        name
        for name, parameter in denoiser.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert not silent


@pytest.mark.parametrize("what", ["level", "condition", "evidence", "noise"])
def test_everything_it_is_told_counts(evidence: Evidence, what: str) -> None:
    denoiser = small(random=True)
    inputs, condition = (part[:1] for part in conditioning(evidence))
    usual = {"noisy": any_noise(), "levels": torch.tensor([499]), "inputs": inputs, "condition": condition}
    changes = {
        "level": {"levels": torch.tensor([99])},
        "condition": {"condition": condition + 0.5},
        "evidence": {"inputs": inputs.flip(-1)},
        "noise": {"noisy": any_noise(6)},
    }
    assert not torch.allclose(denoiser(**usual), denoiser(**(usual | changes[what])), atol=1e-4)


@pytest.mark.parametrize("sampling", [Sampling(2, 1, 1), Sampling(4, 3, 1), Sampling(20, 5, 1)])
def test_an_oracle_leads_to_the_target(evidence: Evidence, noise: torch.Tensor, sampling: Sampling) -> None:
    target = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(9)) * 2 - 1
    oracle = Oracle(evidence, target)
    found = sample(oracle, evidence, expected(oracle, evidence), noise, sampling)
    assert torch.allclose(found, evidence.start + oracle.clean, atol=1e-4)


def test_known_pixels_carry_neither_residual_nor_noise_at_any_step(evidence: Evidence, noise: torch.Tensor) -> None:
    oracle = Oracle(evidence, torch.zeros_like(evidence.start))
    mean = torch.zeros_like(evidence.start)
    sample(oracle, evidence, mean, noise, Sampling(10, 9, 1))
    batch = evidence.damaged
    known = (batch.chroma_mask < 0.5).expand(-1, 3, -1, -1)
    assert [int(levels[0]) for levels, _ in oracle.seen] == visited_levels(10).tolist()[1:]
    for _, noisy in oracle.seen:
        assert not noisy[known].any()
        assert luma(noisy)[(batch.chroma_mask - batch.hole_mask) > 0.5].abs().max() < 1e-5


def test_a_draw_begins_with_the_mean_and_noise_at_full_strength(evidence: Evidence, noise: torch.Tensor) -> None:
    oracle = Oracle(evidence, torch.zeros_like(evidence.start))
    mean = 0.3 * noise
    sample(oracle, evidence, mean, noise, Sampling(levels=4, steps=2, samples=1))
    assert [int(levels[0]) for levels, _ in oracle.seen] == [499, 249]
    assert torch.allclose(oracle.seen[0][1], math.sqrt(cosine(0.5) / cosine(0)) * mean + noise, atol=1e-3)


def test_sides_must_fit_the_fold() -> None:
    with pytest.raises(RuntimeError, match="pixel_unshuffle"):
        small()(torch.zeros(1, 3, 31, 31), torch.tensor([1]), torch.zeros(1, 18, 31, 31), torch.zeros(1, 135))
