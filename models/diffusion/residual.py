"""The residual that is diffused: target - start where something is missing, in units of the start's usual error.

Noise has the same second moments as the residual, so that even a restoration that is poorly denoised looks like another
plausible one, not like grain (a data-dependent prior: Lee et al., PriorGrad, 2022). Three things were measured on
portraits: how far the start is off at a distance from the nearest known pixel, how the residual's power falls with
frequency, and how its colour channels go together.
"""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.colour import luma
from models.diffusion.settings import Spread
from models.evidence.evidence import Damaged, Evidence
from models.images import Mask


def missing_part(values: Tensor, damaged: Damaged) -> Tensor:
    """Select the missing values (N, 3, H, W): all in the hole, colour alone where luma is known, else 0."""
    colour = values - luma(values)
    inside = torch.where(damaged.hole_mask > 0.5, values, colour)
    return torch.where(damaged.chroma_mask > 0.5, inside, torch.zeros_like(values))


def scale(damaged: Damaged, spread: Spread) -> Tensor:
    """Estimate how far the start is off, (N, 1, H, W), in the range of pictures; 1 where nothing is missing."""
    holes = damaged.hole_mask[:, 0].cpu().numpy() > 0.5
    distances = np.stack([_distance(hole) for hole in holes])[:, None]
    inside = spread.rim + spread.growth * torch.from_numpy(distances).clamp_min(1.0).log().to(damaged.hole_mask)
    elsewhere = torch.where(damaged.chroma_mask > 0.5, spread.colour, 1.0)
    return torch.where(damaged.hole_mask > 0.5, inside, elsewhere)


def residual(target: Tensor, evidence: Evidence, spread: Spread) -> Tensor:
    """Compute what the start lacks, (N, 3, H, W), about unit variance; 0 where nothing is missing."""
    return missing_part(target - evidence.start, evidence.damaged) / scale(evidence.damaged, spread)


def coloured(white: Tensor, spread: Spread) -> Tensor:
    """Filter white noise to unit variance with the residual's spectrum and correlated channels.

    Args:
        white: (N, 3, H, W) standard normal.
        spread: its `cutoff` and `correlation`; power is 1 / ((1 + f^2) (1 + (f / cutoff)^2)) at f cycles per picture.

    Returns:
        (N, 3, H, W), periodic at its borders.
    """
    height, width = white.shape[-2:]
    rows, columns = torch.fft.fftfreq(height, 1 / height), torch.fft.fftfreq(width, 1 / width)
    square = rows[:, None].square() + columns.square()
    power = 1 / ((1 + square) * (1 + square / spread.cutoff**2))
    amplitude = (power / power.mean()).sqrt().to(white.device)
    covariance = spread.correlation + (1 - spread.correlation) * torch.eye(3)
    mixed = torch.einsum("ij,njhw->nihw", torch.linalg.cholesky(covariance).to(white), white)
    noise: Tensor = torch.fft.ifft2(torch.fft.fft2(mixed) * amplitude).real
    return noise


def _distance(hole: Mask) -> npt.NDArray[np.float32]:
    """Compute the distance (H, W) float32 of each missing pixel to the nearest known one; at most the side."""
    distance = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    limited: npt.NDArray[np.float32] = np.minimum(distance, max(hole.shape)).astype(np.float32)
    return limited
