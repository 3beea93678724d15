"""Align faces by five points: the aligned portrait, and the crops that identity encoders expect."""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from models.images import Image

Points = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
"""(2, 3): x' = M[:, :2] @ x + M[:, 2], pixel centres at whole numbers."""

# FFHQ-like framing, unit square. `python -m scripts.calibration.measure_template ../shared/portraits/omi` printed it:
# 900 portraits, standard deviation 0.0164.
TEMPLATE = np.array(
    [[0.3725, 0.4668], [0.6275, 0.4668], [0.5, 0.6174], [0.3897, 0.7341], [0.6103, 0.7341]],
    np.float64,
)

ARCFACE_SIZE = 112
# Deng et al. 2019 (arXiv:1801.07698), the frame that ArcFace and SFace were trained in, pixels of 112.
ARCFACE_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    np.float64,
)


def similarities(points: Tensor, frame: Tensor) -> Tensor:
    """Fit rotation, scale and shift of each point set onto `frame` by least squares (Umeyama 1991, no reflection).

    In the plane this is one complex number and a shift: minimise |a p + b - q|^2, so a = <p, q> / <p, p>.

    Args:
        points: (N, K, 2) pixels.
        frame: (K, 2) pixels.

    Returns:
        (N, 2, 3) float64, picture -> frame.
    """
    source = torch.view_as_complex(points.to(torch.float64).contiguous())
    frame_points = torch.view_as_complex(frame.to(points.device, torch.float64).contiguous())
    centred = source - source.mean(1, keepdim=True)
    turn = (centred.conj() * (frame_points - frame_points.mean())).sum(1) / centred.abs().square().sum(1)
    shift = frame_points.mean() - turn * source.mean(1)
    rows = (turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag)
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def crops(images: Tensor, points: Tensor, frame: npt.NDArray[np.float64], side: int) -> Tensor:
    """Cut each picture's face out in a fixed frame, bilinear, black outside the picture; gradients reach the pictures.

    Args:
        images: (N, 3, H, W) in [-1, 1].
        points: (N, 5, 2) pixels of those pictures.
        frame: (5, 2), where the points shall lie, pixels of the crop.
        side: side of the crop, pixels.

    Returns:
        (N, 3, side, side) in [-1, 1], of the pictures' type.
    """
    height, width = images.shape[-2:]
    forward = similarities(points.detach(), torch.from_numpy(frame)).to(images.device)
    back = torch.linalg.inv(forward[:, :, :2])
    line = torch.arange(side, dtype=torch.float64, device=images.device)
    pixels = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).view(1, -1, 2)
    positions = (pixels - forward[:, None, :, 2]) @ back.transpose(1, 2)
    extent = torch.tensor([width, height], dtype=torch.float64, device=images.device)
    grid = ((2 * positions + 1) / extent - 1).view(-1, side, side, 2).to(images.dtype)
    # zero padding means black only where black is zero
    return F.grid_sample(images + 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1


def identity_crops(images: Tensor, points: Tensor) -> Tensor:
    """Cut (N, 3, H, W) in [-1, 1] at (N, 5, 2) pixels to (N, 3, 112, 112) in the ArcFace frame, differentiable."""
    return crops(images, points, ARCFACE_POINTS, ARCFACE_SIZE)


def similarity(points: npt.NDArray[np.floating], size: int) -> Matrix:
    """Fit picture -> aligned picture of side `size`: the least-squares similarity of five points onto `TEMPLATE`.

    Args:
        points: (5, 2) x, y in pixels, in the detector's order.
        size: side of the aligned picture, pixels.

    Returns:
        (2, 3) float64.
    """
    frame = TEMPLATE * size - 0.5  # the unit square's corner is half a pixel before the first pixel's centre
    matrix: Matrix = similarities(torch.from_numpy(points[None].astype(np.float64)), torch.from_numpy(frame))[0].numpy()
    return matrix


def align(image: Image, matrix: Matrix, size: int) -> Image:
    """Draw a picture in the aligned frame, reflected at its borders, smoothed first where it shrinks.

    Args:
        image: RGB uint8 (H, W, 3).
        matrix: (2, 3), picture -> aligned, from `similarity`.
        size: side of the result, pixels.

    Returns:
        RGB uint8 (size, size, 3).
    """
    shrunk, matrix = _shrink(image, matrix)
    warped = cv2.warpAffine(shrunk, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def transform(points: npt.NDArray[np.floating], matrix: Matrix) -> Points:
    """Move (K, 2) points by a (2, 3) matrix; (K, 2) float32."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def invert(matrix: Matrix) -> Matrix:
    """Compute the (2, 3) matrix that undoes another."""
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def _shrink(image: Image, matrix: Matrix) -> tuple[Image, Matrix]:
    """Average pixels down to the frame's scale (INTER_AREA), so that the warp itself never skips any."""
    scale = float(np.sqrt(np.linalg.det(matrix[:, :2])))
    if scale >= 1:
        return image, matrix
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    step = np.array([width / size[0], height / size[1]])  # pixels of the picture per pixel of the copy
    # a centre u of the copy lies at (u + 0.5) * step - 0.5 in the picture
    return shrunk, np.column_stack([matrix[:, :2] * step, matrix @ [*(0.5 * step - 0.5), 1.0]])
