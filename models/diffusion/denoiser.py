"""The denoiser: the U-Net of the generator, which also sees a noisy residual and how noisy it is; and its schedule.

What is diffused stands in `residual.py`, and it is diffused only where something is missing: known pixels carry neither
residual nor noise, in training and at each step of sampling (Saharia et al., Palette, 2022, sec. 3).

A schedule that ends in pure noise, with its last step visited: Lin et al. (2024).
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from models.diffusion.residual import missing_part
from models.diffusion.settings import LEVELS, DiffusionShape, Sampling
from models.evidence.evidence import CHANNELS, CONDITIONS, Evidence
from models.evidence.identity_condition import HINTS
from models.runtime.torchvision_ops import ensure_torchvision_ops
from models.unet.unet import UNet, UNetSize

ensure_torchvision_ops()

from diffusers import DDIMScheduler  # noqa: E402 - it imports torchvision, which needs its operators


class Denoiser(UNet):
    """Noisy residual, its noise level and the evidence -> clean residual.

    Residual and noise have the same covariance. So, if m is the residual's mean and both were Gaussian, the best guess
    from x = sqrt(signal) residual + sqrt(1 - signal) noise would be sqrt(signal) x + (1 - signal) m. The network says
    what m is, and at each level it may say better than that.
    """

    signal: Tensor

    def __init__(self, shape: DiffusionShape) -> None:
        super().__init__(UNetSize(shape.width, shape.depth, shape.widest), CHANNELS + 3, CONDITIONS + HINTS + 2)
        self.shape = shape
        self.register_buffer("signal", noise_schedule().alphas_cumprod, persistent=False)

    def forward(self, noisy: Tensor, levels: Tensor, inputs: Tensor, condition: Tensor) -> Tensor:
        """Predict for a batch; an untrained denoiser takes the mean for 0.

        Args:
            noisy: (N, 3, H, W) residual with noise; pure noise is not looked at.
            levels: (N,) int64 noise levels, [0, LEVELS).
            inputs: (N, CHANNELS, H, W), `Evidence.stacked`.
            condition: (N, CONDITIONS + HINTS), `conditioning`.

        Returns:
            (N, 3, H, W); of use only where something is missing.
        """
        signal = self.signal[levels][:, None]
        numbers = torch.cat([condition, signal.sqrt(), (1 - signal).sqrt()], dim=1)
        guess = signal.sqrt()[..., None, None] * noisy
        correction = self.correct(torch.cat([inputs, guess], dim=1), numbers)
        return guess + (1 - signal)[..., None, None] * correction


def conditioning(evidence: Evidence) -> tuple[Tensor, Tensor]:
    """Build a denoiser's inputs beside the noise: pictures (N, CHANNELS, H, W), numbers (N, CONDITIONS + HINTS)."""
    return evidence.stacked(), torch.cat([evidence.damaged.condition(), evidence.hint], dim=1)


def noise_schedule() -> DDIMScheduler:
    """Build DDIM (Song et al., 2021) on a cosine schedule (Nichol and Dhariwal, 2021) that ends at zero signal."""
    return DDIMScheduler(
        num_train_timesteps=LEVELS,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
    )


def visited_levels(levels: int) -> Tensor:
    """List evenly spaced noise levels (levels,), from pure noise down; `levels` divides LEVELS."""
    schedule = noise_schedule()
    schedule.set_timesteps(levels)
    return cast(Tensor, schedule.timesteps)


@torch.inference_mode()
def expected(denoiser: Denoiser, evidence: Evidence) -> Tensor:
    """Predict the residual (N, 3, H, W) from pure noise, which says nothing; 0 where nothing is missing."""
    nothing = torch.zeros_like(evidence.start)
    levels = torch.full((len(nothing),), LEVELS - 1, device=nothing.device)
    return missing_part(denoiser(nothing, levels, *conditioning(evidence)), evidence.damaged)


@torch.inference_mode()
def sample(denoiser: Denoiser, evidence: Evidence, mean: Tensor, noise: Tensor, sampling: Sampling) -> Tensor:
    """Draw one restoration of each picture.

    What is left after the mean has the noise's second moments, and so has their mixture at every level: a draw may
    begin at any of them, with noise at full strength.

    Args:
        denoiser: in evaluation mode.
        evidence: the batch.
        mean: (N, 3, H, W), `expected`.
        noise: (N, 3, H, W), a draw of `PosteriorNoise`; decides the draw.
        sampling: the levels visited.

    Returns:
        (N, 3, H, W) proposal, about [-1, 1]; `evidence.start` where nothing is missing.
    """
    schedule = noise_schedule()
    schedule.set_timesteps(sampling.levels)
    inputs, condition = conditioning(evidence)
    visited = cast(Sequence[Tensor], schedule.timesteps[-sampling.steps :])
    noisy = denoiser.signal[visited[0]].sqrt() * mean + noise
    for level in visited:
        clean = denoiser(noisy, level.expand(len(noisy)).to(noisy.device), inputs, condition)
        cleaner = schedule.step(clean, int(level), noisy, return_dict=False)[0]
        noisy = missing_part(cleaner, evidence.damaged)  # known pixels: neither residual nor noise
    return evidence.start + noisy
