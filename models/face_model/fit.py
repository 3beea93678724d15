"""Fit the face model to aligned portraits, and store it small."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.linalg import eigh
from torch import Tensor

from models.colour import to_planes
from models.face.landmark_shift import LandmarkShift
from models.face.landmarks import MIRRORED, aligned_landmarks, mirrored_points
from models.face.warp import warp_grid
from models.face_model.gaussian import FaceModel, flatten, mirrored
from models.face_model.shape_and_appearance import OF_SHAPES, ShapedFaceModel, warp_pictures

COMPONENTS = 700
"""Of the model that ships: further ones gain little, and cost 12 kB each."""
NOISE_FACTOR = 32.0
"""Psi over the held-out residual variance: neighbours err together, so a pixel counts for less than one observation."""
_LEAST_NOISE = 1e-4
_RIDGE = 0.03
_LEVELS = 127


def fit(pictures: Tensor, components: int) -> dict[str, Tensor]:
    """Fit maximum-likelihood components to portraits and their mirror images, in float32.

    Covariance and mirroring commute, so every component is even or odd: it is found, and kept, as a left half.

    Args:
        pictures: (N, 3, S, S) RGB in [-1, 1].
        components: how many to keep, by variance.

    Returns:
        Tensors for `FaceModel`: even, odd (K, D / 2), mean, noise (D / 2,), size ().
    """
    size = pictures.shape[-1]
    even, odd = _parts(pictures)
    mean = even.mean(dim=0)
    groups = [_principal(even - mean, components), _principal(odd, components)]
    kept = torch.cat([values for _, values in groups]).topk(min(components, 2 * len(even) - 2)).values.min()
    chosen = [vectors[values >= kept] for vectors, values in groups]
    shape = {"even": chosen[0], "odd": chosen[1], "mean": mean, "size": torch.tensor(size)}
    return shape | {"noise": torch.ones_like(mean)}


def fit_with_noise(pictures: Tensor, components: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Fit as `fit` does, with Psi from two halves that predict each other."""
    order = torch.randperm(len(pictures), generator=generator)
    first, second = pictures[order[: len(order) // 2]], pictures[order[len(order) // 2 :]]
    residuals = [_residual(fit(a, components), b) for a, b in ((first, second), (second, first))]
    noise = (NOISE_FACTOR * torch.stack(residuals).mean(dim=0)).clamp_min(_LEAST_NOISE)
    return fit(pictures, components) | {"noise": noise}


def fit_shaped(pictures: Tensor, components: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Fit as `fit_with_noise` does, to pictures bent to their mean shape; also gives that shape's covariance."""
    straight, shape = straighten(pictures)
    return fit_with_noise(straight, components, generator) | shape


def straighten(pictures: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Bend portraits to the mean of their landmarks, which are predicted; each face counts twice, also mirrored.

    Args:
        pictures: (N, 3, S, S) RGB in [-1, 1].

    Returns:
        The bent portraits, of the same shape and range, and the shape's part of what `fit_shaped` gives.
    """
    size = pictures.shape[-1]
    points = np.stack(aligned_landmarks(pictures)).astype(np.float64)
    both = np.concatenate([points, mirrored_points(points, size, MIRRORED)])
    mean = both.mean(axis=0)
    deviations = (both - mean).reshape(len(both), -1)
    straight = torch.empty_like(pictures)
    for number, own in enumerate(points):
        grid = warp_grid(mean.astype(np.float32), own.astype(np.float32), size)
        straight[number] = warp_pictures(pictures[number : number + 1], grid)[0].clamp(-1, 1)
    shape = {"shape_mean": mean, "shape_covariance": deviations.T @ deviations / len(deviations)}
    return straight, {name: torch.from_numpy(value).float() for name, value in shape.items()}


def shaped_face_model(tensors: Mapping[str, Tensor]) -> ShapedFaceModel:
    """Build the model from the results of `fit_shaped`."""
    appearance = face_model(tensors)
    covariance = tensors["shape_covariance"].double().numpy()
    return ShapedFaceModel(
        appearance, tensors["shape_mean"].numpy(), LandmarkShift(covariance, appearance.size, OF_SHAPES)
    )


def face_model(tensors: Mapping[str, Tensor]) -> FaceModel:
    """Build the model from the results of `fit`."""
    size = int(tensors["size"])
    basis = torch.cat([mirrored(tensors["even"], size, 1.0), mirrored(tensors["odd"], size, -1.0)])
    mean, noise = (mirrored(tensors[name][None], size, 1.0)[0] for name in ("mean", "noise"))
    return FaceModel(basis.T, mean, noise, size)


def save_face_model(tensors: Mapping[str, Tensor], path: Path, facts: Mapping[str, object]) -> None:
    """Write components as int8 with one scale each, the rest as float16; about 12 kB a component at 128 pixels."""
    stored: dict[str, Tensor] = {"size": tensors["size"]}
    for name in ("even", "odd"):
        scale = tensors[name].abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / _LEVELS
        stored |= {name: (tensors[name] / scale).round().to(torch.int8), f"{name}_scale": scale}
    stored |= {name: tensors[name].half() for name in ("mean", "noise")}
    stored |= {name: value for name, value in tensors.items() if name.startswith("shape_")}
    temporary = path.with_suffix(".tmp")
    save_file(stored, temporary, metadata={"facts": json.dumps(dict(facts))})
    temporary.replace(path)


def _parts(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Split (N, 3, S, S) into left halves of the even and odd parts, (N, D / 2) each."""
    left, right = _halves(pictures), _halves(pictures.flip(-1))
    return (left + right) / 2, (left - right) / 2


def _halves(pictures: Tensor) -> Tensor:
    size = pictures.shape[-1]
    luma, colour = torch.tensor_split(flatten(to_planes(pictures)), (size**2,), dim=1)
    left_luma = luma.reshape(-1, size, size)[..., : size // 2].flatten(1)
    left_colour = colour.reshape(-1, 2, size // 2, size // 2)[..., : size // 4].flatten(1)
    return torch.cat([left_luma, left_colour], dim=1)


def _principal(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Compute principal directions (n, D / 2), scaled to their standard deviations, and their variances, descending.

    By the N x N Gram matrix: there are fewer faces than pixels. n is `count`, or N if that is less.
    """
    last = len(rows) - 1
    values, vectors = eigh((rows @ rows.T).double().numpy(), subset_by_index=(max(0, len(rows) - count), last))
    directions = torch.from_numpy(np.ascontiguousarray(vectors.T[::-1])).to(rows.dtype) @ rows / len(rows) ** 0.5
    return directions, torch.from_numpy(np.ascontiguousarray(values[::-1])).to(rows.dtype) / len(rows)


def _residual(tensors: Mapping[str, Tensor], pictures: Tensor) -> Tensor:
    """Average the squared residual (D / 2,) of pictures that the components have not seen, with everything visible."""
    total = torch.zeros_like(tensors["mean"])
    for name, part in zip(("even", "odd"), _parts(pictures), strict=True):
        centred = part - tensors["mean"] if name == "even" else part
        basis = tensors[name]
        gram = basis @ basis.T + _RIDGE * torch.eye(len(basis))
        z = torch.linalg.solve(gram, basis @ centred.T)
        total += (centred - z.T @ basis).square().mean(dim=0)
    return total
