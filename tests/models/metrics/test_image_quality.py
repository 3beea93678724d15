"""Metrics against values worked out by hand and against independent implementations."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
import skimage.data
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from models.errors import DataError
from models.images import to_tensor
from models.metrics.image_quality import frechet_distance, ms_ssim, pixel_mse, psnr

Array = npt.NDArray[np.float64]


def noisy_pair(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    a = to_tensor(skimage.data.astronaut()[:side, 100 : 100 + side].copy())
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(0))
    return a, (a + 0.3 * noise).clamp(-1, 1)


def test_psnr_and_mse_by_hand() -> None:
    a = torch.zeros(2, 3, 4, 4)
    b = a.clone()
    b[0] += 0.2  # MSE 0.04, 10 log10(4 / 0.04) = 20 dB
    b[1, :, :2] += 0.2  # half of the pixels: MSE 0.02, 3.0103 dB more
    assert pixel_mse(a, b).tolist() == pytest.approx([0.04, 0.02])
    assert psnr(a, b).tolist() == pytest.approx([20.0, 23.0103], abs=1e-4)


def test_equal_pictures() -> None:
    a, _ = noisy_pair(128)
    assert psnr(a, a).item() == math.inf
    assert ms_ssim(a, a).item() == pytest.approx(1.0, abs=1e-6)


def halved(x: Array) -> Array:
    even = np.pad(x, [(0, side % 2) for side in x.shape], mode="edge")
    return np.asarray(even.reshape(even.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)))


def ms_ssim_of_channel(a: Array, b: Array, radius: int) -> float:
    """Wang et al. 2003, eq. 7, on 0..1 values in double precision, through scipy's Gaussian filter."""
    product = 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        inner = (slice(radius, -radius),) * 2
        mean_a, mean_b, aa, bb, ab = (
            gaussian_filter(x, 1.5, radius=radius)[inner] for x in (a, b, a * a, b * b, a * b)
        )
        contrast = (2 * (ab - mean_a * mean_b) + 9e-4) / (aa - mean_a**2 + bb - mean_b**2 + 9e-4)
        luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
        product *= float(np.mean(contrast * luminance if scale == 4 else contrast)) ** weight
        a, b = halved(a), halved(b)
    return product


@pytest.mark.parametrize(("side", "radius"), [(128, 3), (160, 3), (161, 5), (192, 5)])
def test_ms_ssim_agrees_with_scipy(side: int, radius: int) -> None:
    a, b = noisy_pair(side)
    unit = [((x[0].double() + 1) / 2).numpy() for x in (a, b)]
    channels = [ms_ssim_of_channel(x, y, radius) for x, y in zip(*unit, strict=True)]
    assert ms_ssim(a, b).item() == pytest.approx(np.mean(channels), abs=1e-4)


def test_ms_ssim_is_per_image_and_falls_with_damage() -> None:
    a, b = noisy_pair(128)
    values = ms_ssim(a.expand(3, -1, -1, -1), torch.cat([a, (a + b) / 2, b]))
    assert values.shape == (3,)
    assert values[0] > values[1] > values[2] > 0


def test_ms_ssim_of_opposed_structure_is_zero_and_not_nan() -> None:
    a, _ = noisy_pair(128)
    assert ms_ssim(a, -a).item() == 0


def test_ms_ssim_refuses_what_it_cannot_measure() -> None:
    with pytest.raises(DataError, match="at least 97 pixels"):
        ms_ssim(torch.zeros(1, 3, 96, 128), torch.zeros(1, 3, 96, 128))
    with pytest.raises(DataError, match="compare pictures of one size"):
        ms_ssim(torch.zeros(1, 3, 128, 128), torch.zeros(2, 3, 128, 128))
    assert ms_ssim(torch.zeros(1, 3, 97, 97), torch.zeros(1, 3, 97, 97)).item() == pytest.approx(1.0)


def samples_with(mean: Array, covariance: Array, count: int, seed: int) -> Array:
    """Samples whose own mean and unbiased covariance are exactly the ones asked for."""
    raw = np.random.default_rng(seed).standard_normal((count, len(mean)))
    centred = raw - raw.mean(axis=0)
    whitened = centred @ scipy.linalg.inv(scipy.linalg.sqrtm(np.cov(centred, rowvar=False)).real)
    return np.asarray(whitened @ scipy.linalg.sqrtm(covariance).real + mean)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-3, 3)]), min_size=2, max_size=5))
def test_frechet_of_diagonal_gaussians(axes: list[tuple[float, float, float]]) -> None:
    """For commuting covariances the distance is the sum of (sigma_a - sigma_b)^2 and of squared gaps."""
    sigma_a, sigma_b, gap = np.array(axes).T
    a = samples_with(np.zeros(len(axes)), np.diag(sigma_a**2), 40, 1)
    b = samples_with(gap, np.diag(sigma_b**2), 50, 2)
    expected = np.sum((sigma_a - sigma_b) ** 2) + gap @ gap
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_frechet_of_covariances_that_do_not_commute() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 4)), rng.standard_normal((60, 4))
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    gap = a.mean(axis=0) - b.mean(axis=0)
    assert frechet_distance(a, b) == pytest.approx(gap @ gap + np.trace(cov_a + cov_b - 2 * root), rel=1e-6)


def test_frechet_with_fewer_samples_than_dimensions() -> None:
    """Rank-one covariances along two axes at right angles: nothing is shared, the traces add up."""
    a, b = np.zeros((2, 8)), np.zeros((2, 8))
    a[:, 0], b[:, 1] = [-1, 1], [-2, 2]  # unbiased variances 2 and 8
    assert frechet_distance(a, b) == pytest.approx(10)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_bias_shrinks_with_samples() -> None:
    rng = np.random.default_rng(5)
    few, many = (frechet_distance(*rng.standard_normal((2, count, 16))) for count in (40, 2000))
    assert few > 5 * many > 0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.zeros((1, 3)), np.zeros((5, 3))),
        (np.zeros((5, 3)), np.zeros((5, 4))),
        (np.full((5, 3), np.nan), np.ones((5, 3))),
    ],
)
def test_frechet_refuses_what_has_no_covariance(a: Array, b: Array) -> None:
    with pytest.raises(DataError, match="at least two embeddings"):
        frechet_distance(a, b)
