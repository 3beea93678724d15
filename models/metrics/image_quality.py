"""Similarity of two pictures, and Frechet distance of two sets of embeddings."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from models.errors import DataError

_RANGE = 2.0  # of pictures in [-1, 1]
# Wang, Simoncelli, Bovik 2003 ("Multiscale structural similarity"), section 3.2: weights from fine to coarse.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_SIGMA = 1.5
_STABILISERS = ((0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2)


def pixel_mse(a: Tensor, b: Tensor) -> Tensor:
    """Average squared differences over channels and pixels: (N, 3, H, W) in [-1, 1] twice -> (N,) in [0, 4]."""
    return (a - b).square().mean(dim=(1, 2, 3))


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Compute 10 log10(range^2 / MSE): (N, 3, H, W) in [-1, 1] twice -> (N,) dB; inf if equal."""
    return 10 * torch.log10(_RANGE**2 / pixel_mse(a, b))


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Compute multi-scale structural similarity (Wang et al. 2003, eq. 7) over five scales, mean over channels.

    The Gaussian window (sigma 1.5) has 11 taps, as published, where the shorter side is at least 161 pixels; below
    that it has 7, since the coarsest scale must hold the window: say so beside a figure at 128 pixels. Contrast terms
    below zero (opposed structure) count as zero, so that the powers are real.

    Args:
        a: (N, C, H, W) in [-1, 1].
        b: of the same shape.

    Returns:
        (N,) in [0, 1], 1 for equal pictures.

    Raises:
        DataError: the pictures differ in shape, or a side is under 97 pixels.
    """
    window = _gaussian(_taps(a, b)).to(a)
    a, b = a + 1, b + 1  # the luminance term is made for values from 0 on
    factors = []
    for scale, weight in enumerate(_SCALE_WEIGHTS):
        luminance, contrast = _ssim_parts(a, b, window)
        last = scale == len(_SCALE_WEIGHTS) - 1
        term = (luminance * contrast if last else contrast).mean(dim=(2, 3))
        factors.append(term.clamp(min=0) ** weight)
        a, b = _halve(a), _halve(b)
    return torch.stack(factors).prod(dim=0).mean(dim=1)


def _taps(a: Tensor, b: Tensor) -> int:
    side = min(a.shape[-2:])
    if a.shape != b.shape or side < 97:  # 97 / 2^4 is the first to hold seven taps
        raise DataError(
            "two batches of one shape with sides of at least 97 pixels",
            f"{tuple(a.shape)} and {tuple(b.shape)}",
            "compare pictures of one size, or enlarge both",
        )
    return 11 if side >= 161 else 7


def _gaussian(taps: int) -> Tensor:
    offsets = torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    return weights / weights.sum()


def _blur(x: Tensor, window: Tensor) -> Tensor:
    """Filter each channel separably, only where the window fits: (N, C, H, W) -> (N, C, H - k + 1, W - k + 1)."""
    channels = x.shape[1]
    column = window.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    return F.conv2d(F.conv2d(x, column, groups=channels), column.transpose(2, 3), groups=channels)


def _ssim_parts(a: Tensor, b: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Compute luminance and contrast-structure maps of SSIM (Wang et al. 2004, eq. 13, in two factors)."""
    c1, c2 = _STABILISERS
    mean_a, mean_b = _blur(a, window), _blur(b, window)
    variance_a = _blur(a * a, window) - mean_a.square()
    variance_b = _blur(b * b, window) - mean_b.square()
    covariance = _blur(a * b, window) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + c1) / (mean_a.square() + mean_b.square() + c1)
    contrast = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return luminance, contrast


def _halve(x: Tensor) -> Tensor:
    """Average each two by two pixels; at an odd side's end, those that there are."""
    return F.avg_pool2d(x, 2, ceil_mode=True)


def frechet_distance(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Compute the squared Frechet distance of Gaussians fitted to two sets of embeddings (Heusel et al. 2017, eq. 6).

    |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), with unbiased covariances A and B. The trace of the root comes from
    the eigenvalues of A^(1/2) B A^(1/2), which is symmetric: singular covariances (fewer samples than dimensions) need
    no added diagonal, and no imaginary part arises.

    The estimate is biased upwards for small samples, by roughly D^2 / samples for comparable spreads: compare only
    figures of equal sample sizes, and show the distance between two halves of the originals beside them.

    Args:
        a: (N, D), N at least 2.
        b: (M, D), M at least 2.

    Returns:
        At least 0; 0 for equal moments.

    Raises:
        DataError: too few samples, unlike dimensions, or a value that is not finite.
    """
    _check_samples(a, b)
    gap = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    cov_a, cov_b = _covariance(a), _covariance(b)
    root_a = _root(cov_a)
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root_a @ cov_b @ root_a), 0, None)).sum()
    return max(0.0, float(gap @ gap + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def _check_samples(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> None:
    fits = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[1] and min(len(a), len(b)) >= 2
    if not fits or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DataError(
            "two finite sets (N, D) of at least two embeddings each",
            f"shapes {a.shape} and {b.shape}" + ("" if not fits else " with values that are not finite"),
            "evaluate more portraits, or look for the one whose embedding failed",
        )


def _covariance(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return np.atleast_2d(np.cov(samples.astype(np.float64), rowvar=False))


def _root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute the symmetric square root of a positive semi-definite matrix; rounding below zero is cut off."""
    values, vectors = np.linalg.eigh(matrix)
    root: npt.NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root
