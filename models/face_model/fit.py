"""Fit the face model to aligned portraits, or fit one further to more of them.

What a model knows of the people that it was fitted to is their number, mean and covariance: with these it is fitted
further as if they were there (Ross, Lim, Lin and Yang 2008, "Incremental learning for robust visual tracking", whose
update of a truncated covariance is the one here, by Gram matrix instead of QR).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import eigh
from torch import Tensor

from models.assets import EDITIONS, Edition
from models.colour import to_planes
from models.face.landmarkers import aligned_landmarks, load_landmarker
from models.face.landmarks import MIRRORED, Landmarks, mirrored_points
from models.face.warp import warp_grid
from models.face_model.gaussian import NOISE_FACTOR, flatten
from models.face_model.shape_and_appearance import warp_pictures

_LEAST_NOISE = 1e-4
_RIDGE = 0.03


Floats = npt.NDArray[np.float64]
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class BentFaces:
    """Portraits that were bent to a frame.

    Attributes:
        pictures: (N, 3, S, S) RGB in [-1, 1].
        points: (N, 68, 2) their landmarks before, pixels.
        frame: (68, 2) landmarks that all of them have now, pixels.
        edition: whose landmarks these are.
    """

    pictures: Tensor
    points: Floats
    frame: Landmarks
    edition: Edition

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> "BentFaces":
        """Choose some of them, (N,) bool."""
        return replace(self, pictures=self.pictures[torch.from_numpy(chosen)], points=self.points[chosen])


def bend(pictures: Tensor, edition: Edition, frame: Landmarks | None = None) -> BentFaces:
    """Bend portraits (N, 3, S, S) in [-1, 1] to a frame, by default to their mean landmarks, which are predicted."""
    size = pictures.shape[-1]
    points = np.stack(aligned_landmarks(pictures, load_landmarker(edition))).astype(np.float64)
    if frame is None:
        frame = _with_mirrored(points, size).mean(axis=0).astype(np.float32)
    straight = torch.empty_like(pictures)
    for number, own in enumerate(points):
        grid = warp_grid(frame, own.astype(np.float32), size)
        straight[number] = warp_pictures(pictures[number : number + 1], grid)[0].clamp(-1, 1)
    return BentFaces(straight, points, frame, edition)


def fit(pictures: Tensor, components: int, prior: Tensors | None = None, prior_faces: float = 0.0) -> dict[str, Tensor]:
    """Fit maximum-likelihood components to portraits and their mirror images, in float32.

    Covariance and mirroring commute, so every component is even or odd: it is found, and kept, as a left half.

    Args:
        pictures: (N, 3, S, S) RGB in [-1, 1].
        components: how many to keep, by variance.
        prior: a model of `prior_faces` further faces, in the same frame; None = there are none.
        prior_faces: how many faces the prior counts for.

    Returns:
        Tensors for `FaceModel`: even, odd (K, D / 2), mean, noise (D / 2,), size ().
    """
    size = pictures.shape[-1]
    even, odd = _parts(pictures)
    mean, count = even.mean(dim=0), len(even)
    rows = {"even": (even - mean) / count**0.5, "odd": odd / count**0.5}
    if prior is not None:
        share = prior_faces / (prior_faces + count)
        apart = ((1 - share) * share) ** 0.5 * (prior["mean"] - mean)[None]
        rows = {name: torch.cat([share**0.5 * prior[name], (1 - share) ** 0.5 * own]) for name, own in rows.items()}
        rows["even"] = torch.cat([rows["even"], apart])
        mean = torch.lerp(mean, prior["mean"], share)
    groups = [_principal(rows[name], components) for name in ("even", "odd")]
    known = max(1, sum(len(part) for part in rows.values()) - 2)
    kept = torch.cat([values for values, _ in groups]).topk(min(components, known)).values.min()
    chosen = [vectors[values >= kept] for values, vectors in groups]
    shape = {"even": chosen[0], "odd": chosen[1], "mean": mean, "size": torch.tensor(size)}
    return shape | {"noise": torch.ones_like(mean)}


def fit_with_noise(
    pictures: Tensor,
    components: int,
    generator: torch.Generator,
    prior: Tensors | None = None,
    prior_faces: float = 0.0,
) -> dict[str, Tensor]:
    """Fit as `fit` does, with Psi from two halves that predict each other; a prior's Psi counts by its faces."""
    order = torch.randperm(len(pictures), generator=generator)
    first, second = pictures[order[: len(order) // 2]], pictures[order[len(order) // 2 :]]
    pairs = [pair for pair in ((first, second), (second, first)) if all(len(part) for part in pair)]
    residuals = [_residual(fit(a, components, prior, prior_faces), b) for a, b in pairs]
    fitted = fit(pictures, components, prior, prior_faces)
    if not residuals:  # one picture: there is nothing to predict it by
        return fitted | ({} if prior is None else {"noise": prior["noise"]})
    noise = (NOISE_FACTOR * torch.stack(residuals).mean(dim=0)).clamp_min(_LEAST_NOISE)
    if prior is not None:
        noise = torch.lerp(noise, prior["noise"], prior_faces / (prior_faces + len(pictures)))
    return fitted | {"noise": noise}


def fit_shaped(pictures: Tensor, components: int, generator: torch.Generator, edition: Edition) -> dict[str, Tensor]:
    """Fit as `fit_with_noise` does, to pictures bent to their mean shape; also gives that shape's covariance.

    Landmarks are predicted; each face counts twice, as it is and mirrored.
    """
    return fit_bent(bend(pictures, edition), components, generator)


def fit_bent(
    faces: BentFaces,
    components: int,
    generator: torch.Generator,
    prior: Tensors | None = None,
    prior_weight: float = 1.0,
) -> dict[str, Tensor]:
    """Fit shape and appearance to faces that are bent already.

    Args:
        faces: bent to the prior's frame if there is one.
        components: of the appearance, how many to keep.
        generator: divides the faces into the halves that tell Psi.
        prior: the expanded tensors of a model that is fitted further; None = there is none.
        prior_weight: what one of its faces counts beside one of `faces`, above 0.

    Returns:
        Tensors for `ShapedFaceModel.of`: those of `fit`, shape_mean, frame (68, 2), shape_covariance (136, 136) in
        square pixels, faces (), edition ().
    """
    count, before = len(faces.points), 0.0 if prior is None else prior_weight * float(prior["faces"])
    appearance = fit_with_noise(faces.pictures, components, generator, prior, before)
    both = _with_mirrored(faces.points, faces.pictures.shape[-1])
    mean = both.mean(axis=0)
    deviations = (both - mean).reshape(len(both), -1)
    covariance = deviations.T @ deviations / len(deviations)
    if prior is not None:
        mean, covariance = _merged_shapes(mean, covariance, count, prior, before)
    shape = {"shape_mean": mean, "shape_covariance": covariance, "frame": faces.frame}
    stored = {name: torch.from_numpy(np.asarray(value)).float() for name, value in shape.items()}
    facts = {
        "faces": torch.tensor(before + count, dtype=torch.float64),
        "edition": torch.tensor(EDITIONS.index(faces.edition)),
    }
    return appearance | stored | facts


def _merged_shapes(
    mean: Floats, covariance: Floats, count: int, prior: Tensors, before: float
) -> tuple[Floats, Floats]:
    """Mean and covariance of two groups together, from those of each."""
    share = before / (before + count)
    earlier, spread = (prior[name].double().numpy() for name in ("shape_mean", "shape_covariance"))
    apart = (earlier - mean).reshape(-1)
    merged = share * spread + (1 - share) * covariance + share * (1 - share) * np.outer(apart, apart)
    return share * earlier + (1 - share) * mean, merged


def _with_mirrored(points: Floats, size: int) -> Floats:
    return np.concatenate([points, mirrored_points(points, size, MIRRORED)])


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
    """Compute variances (n,), descending, and principal directions (n, D / 2) scaled to their standard deviations.

    By the N x N Gram matrix of rows (N, D / 2) whose squares add up to the covariance: they are fewer than pixels. n is
    `count`, or N if that is less.
    """
    last = len(rows) - 1
    values, vectors = eigh((rows @ rows.T).double().numpy(), subset_by_index=(max(0, last + 1 - count), last))
    directions = torch.from_numpy(vectors.T[::-1].copy()).to(rows.dtype) @ rows
    return torch.from_numpy(values[::-1].copy()).to(rows.dtype), directions


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
