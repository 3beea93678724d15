"""Formulas of the diffusion objective: pure functions of tensors.

`signal` is the share of signal power at a noise level, the cumulative alpha-bar of Ho et al. (2020), in [0, 1]:
noisy = sqrt(signal) clean + sqrt(1 - signal) noise. All tensors of pictures are (N, 3, H, W), `signal` is (N,).
"""

from typing import Literal

import torch
from torch import Tensor


def clean_from_output(
    output: Tensor, noisy: Tensor, signal: Tensor, prediction: Literal["v_prediction", "sample"]
) -> Tensor:
    """Compute the clean picture that a network's output stands for.

    The output itself (`sample`), or sqrt(signal) noisy - sqrt(1 - signal) v, for the velocity
    v = sqrt(signal) noise - sqrt(1 - signal) clean (Salimans and Ho, 2022, app. D).
    """
    if prediction == "sample":
        return output
    remaining, lost = _roots(signal)
    return remaining * noisy - lost * output


def clamped_snr(signal: Tensor, gamma: float) -> Tensor:
    """Compute the weight (N,) of the clean picture's squared error: signal / (1 - signal), held within 1 and `gamma`.

    From above as min-SNR (Hang et al., 2023, eq. 4), so that nearly clean pictures do not rule; from below as
    truncated SNR (Salimans and Ho, 2022, sec. 4), since a schedule that ends in pure noise would weigh its end by 0.
    """
    return (signal / (1 - signal)).clamp(1.0, gamma)


def missing_square(error: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    """Average the squared error over missing values, each picture's values weighted; 0 if nothing is missing.

    Args:
        error: (N, 3, H, W).
        mask: (N, 1, H, W), 1 = anything of the pixel is missing.
        weights: (N,) of each picture.

    Returns:
        Scalar: weighted sum of squares over the number of missing values in the batch.
    """
    values = mask.expand_as(error)
    squares = (error.square() * values).sum((1, 2, 3))
    return (weights * squares).sum() / values.sum().clamp_min(1.0)


def _roots(signal: Tensor) -> tuple[Tensor, Tensor]:
    column = signal.view(-1, 1, 1, 1)
    return torch.sqrt(column), torch.sqrt(1 - column)
