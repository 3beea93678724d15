"""What a denoiser learns from: residuals with noise, of which it has to find the clean ones."""

from torch import Tensor

from models.diffusion.denoiser import Denoiser, conditioning
from models.diffusion.noise import PosteriorNoise, White
from models.diffusion.residual import missing_part, residual
from models.objective import Batch


def noised(denoiser: Denoiser, batch: Batch, noise: Tensor, levels: Tensor) -> Tensor:
    """Mix the residual of a batch with noise: sqrt(signal) clean + sqrt(1 - signal) noise (Ho et al., 2020).

    Args:
        denoiser: its schedule counts.
        batch: evidence and target.
        noise: (N, 3, H, W), 0 where nothing is missing.
        levels: (N,) int64, [0, LEVELS).
    """
    evidence, target = batch
    signal = denoiser.signal[levels].view(-1, 1, 1, 1)
    return signal.sqrt() * residual(target.image, evidence) + (1 - signal).sqrt() * noise


def denoised(denoiser: Denoiser, batch: Batch, noise: PosteriorNoise, white: White, levels: Tensor) -> Tensor:
    """Mix noise into a batch and let a denoiser take it away: a proposal (N, 3, H, W), about [-1, 1].

    Args:
        denoiser: gradients reach it.
        batch: evidence and target.
        noise: what is open of the batch.
        white: decides the noise.
        levels: (N,) int64 of each picture, [0, LEVELS).
    """
    evidence, _ = batch
    noisy = noised(denoiser, batch, noise.draw(white), levels)
    clean = denoiser(noisy, levels, *conditioning(evidence))
    return evidence.start + missing_part(clean.to(noisy), evidence.damaged)
