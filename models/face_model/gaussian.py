"""Gaussian face model: completes missing luma and colour from whatever is visible, in closed form.

Probabilistic principal components (Tipping and Bishop, 1999) over aligned faces x in YCbCr, colour at half
resolution: x = m + W z + e, z ~ N(0, I), e ~ N(0, Psi) with one variance per pixel. Given the visible entries v, the
posterior of z has precision M = I + W_v' Psi_v^-1 W_v and mean M^-1 W_v' Psi_v^-1 (x_v - m_v) (their eq. 12 with a
diagonal Psi and missing rows left out). The covariance is made symmetric under mirroring, so a visible eye
predicts the missing one; colour is visible or missing on its own, so the same formula colourizes.

The mean leaves small steps at the hole's rim. They are what the low rank cannot represent of this face; a screened
Poisson equation continues the visible residual into the hole, where it fades (docs/decisions/24).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import EllipsisType

import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import from_planes, to_planes
from models.runtime.threads import one_thread

NOISE_FACTOR = 32.0
"""Psi over the held-out residual variance: neighbours err together, so a pixel counts for less than one observation."""
_SCREEN, _SCREEN_SIZE = 0.02, 128
"""Of the rim's correction: lambda, in pictures of so many pixels a side; u falls to a third in 1 / sqrt(lambda)."""
_ROUNDS = 25
"""Of conjugate gradients."""
_COARSE = 4
"""Pixels per side of a cell of the certainty map."""


@dataclass(frozen=True)
class Completion:
    """A completed batch.

    Attributes:
        picture: (N, 3, S, S) RGB, about [-1, 1]; known pixels are close to the input, not copied.
        certainty: (N, 1, S, S) in [0, 1]: share of the prior variance that the visible pixels take away; 1 = known.
    """

    picture: Tensor
    certainty: Tensor


class FaceModel:
    """The Gaussian and its completion; immutable.

    Args:
        basis: (D, K) float32, W; rows as `models.colour.flatten` lays them out, D = 1.5 * size**2.
        mean: (D,) float32.
        noise: (D,) float32, the diagonal of Psi, above 0.
        size: side of the aligned pictures, pixels; a multiple of 8.
    """

    def __init__(self, basis: Tensor, mean: Tensor, noise: Tensor, size: int) -> None:
        self.size, self.mean, self.noise = size, mean, noise
        self.basis = basis.contiguous()
        self._white = self.basis / noise.sqrt()[:, None]
        self._gram = torch.eye(basis.shape[1]) + _gram(self._white)
        self._cells = torch.cat([F.avg_pool2d(plane, side).flatten(1) for plane, side in self._planes(basis)], dim=1).T

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "FaceModel":
        """Build the Gaussian from left halves, as `models.face_model.fit.fit_with_noise` gives them."""
        size = int(tensors["size"])
        halves = zip((tensors["even"], tensors["odd"]), (1.0, -1.0), strict=True)
        basis = torch.cat([mirrored(half, size, sign) for half, sign in halves])
        mean, noise = (mirrored(tensors[name][None], size, 1.0)[0] for name in ("mean", "noise"))
        return cls(basis.T, mean, noise, size)

    def at(self, size: int) -> "FaceModel":
        """Scale the Gaussian to pictures of another side; fewer pixels stand for more of the face each."""
        if size == self.size:
            return self
        rows = torch.cat([self.basis.T, self.mean[None], self.noise[None]])
        planes = [_resized(plane, size * plane.shape[-1] // self.size) for plane in _split(rows, self.size)]
        resized = torch.cat([plane.flatten(1) for plane in planes], dim=1)
        return FaceModel(resized[:-2].T, resized[-2], resized[-1] * (size / self.size) ** 2, size)

    def strongest(self, components: int) -> "FaceModel":
        """Reduce the Gaussian to the components that stand out most from the noise."""
        order = self._white.square().sum(dim=0).argsort(descending=True)
        return FaceModel(self.basis[:, order[:components]], self.mean, self.noise, self.size)

    def complete(self, image: Tensor, hole_mask: Tensor, chroma_mask: Tensor) -> Completion:
        """Complete a batch, picture by picture: each has its own visible entries.

        Args:
            image: (N, 3, S, S) RGB in [-1, 1]; what missing pixels hold is never read.
            hole_mask: (N, 1, S, S), 1 = luma missing.
            chroma_mask: (N, 1, S, S), 1 = colour missing; contains `hole_mask`.
        """
        planes, masks = to_planes(image), torch.cat([hole_mask, chroma_mask, chroma_mask], dim=1)
        pairs = [self._one(plane, mask) for plane, mask in zip(planes, masks, strict=True)]
        picture, certainty = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return Completion(from_planes(picture + rim(planes - picture, masks)), certainty)

    def _one(self, planes: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Complete (3, S, S) YCbCr with masks: the posterior mean of the same shape, and the certainty (1, S, S)."""
        observed, missing = _observe(planes, masks)
        factor = self._factor(missing)
        deviation = torch.where(missing, 0.0, (observed - self.mean) / self.noise.sqrt())
        z = torch.cholesky_solve((deviation @ self._white)[:, None], factor)[:, 0]
        return _unflatten(self.mean + self.basis @ z, self.size), self._certainty(factor, masks)

    def open_directions(self, masks: Tensor) -> Tensor:
        """Compute what is left open: a root (K, K), upper triangular, of the precision of the latents.

        Args:
            masks: (3, S, S), 1 = missing; of luma, blue and red.
        """
        return self._factor(_missing(masks)).T

    def deviations(self, latents: Tensor) -> Tensor:
        """Turn deviations of the latents from their mean (N, K) into those of YCbCr pictures, (N, 3, S, S)."""
        return torch.stack([_unflatten(vector, self.size) for vector in latents @ self.basis.T])

    def unexplained(self) -> Tensor:
        """Compute the standard deviation (3, S, S) of what the components cannot show, in YCbCr."""
        return _unflatten((self.noise / NOISE_FACTOR).sqrt(), self.size)

    def _factor(self, missing: Tensor) -> Tensor:
        factor: Tensor = torch.linalg.cholesky(self._gram - _gram(self._white[missing]))
        return factor

    def _certainty(self, factor: Tensor, masks: Tensor) -> Tensor:
        """Compute the certainty of luma in the hole, of colour elsewhere; cell by cell, then enlarged."""
        hole, chroma = F.max_pool2d(masks[:2], _COARSE).flatten(1) > 0
        count = len(hole)
        rows = torch.cat([hole, chroma & ~hole, chroma & ~hole]).nonzero()[:, 0]
        cells = self._cells[rows]
        posterior = torch.linalg.solve_triangular(factor, cells.T, upper=False).square().sum(dim=0)
        prior = cells.square().sum(dim=1)
        sums = torch.zeros(2, count).index_add_(1, rows % count, torch.stack([posterior, prior]))
        share = 1 - sums[0] / sums[1].clamp_min(1e-9)
        side = self.size // _COARSE
        grid = torch.where(hole | chroma, share, 1.0).view(1, 1, side, side)
        enlarged = F.interpolate(grid, scale_factor=_COARSE, mode="bilinear", align_corners=False)[0]
        return torch.where(masks[1:2] > 0.5, enlarged.clamp(0, 1), 1.0)

    def _planes(self, basis: Tensor) -> list[tuple[Tensor, int]]:
        """Reshape components to pictures (K, 1, s, s), each with the side of a cell in its own pixels."""
        luma, blue, red = _split(basis.T, self.size)
        return [(luma, _COARSE), (blue, _COARSE // 2), (red, _COARSE // 2)]


def rim(residual: Tensor, missing: Tensor) -> Tensor:
    """Carry a residual from the known pixels into the hole: there (lambda - Laplacian) u = 0, at its rim u = residual.

    Solved by conjugate gradients; what a few rounds have not reached lies far inside, where u is nearly 0.

    Args:
        residual: (N, C, S, S); read where known only.
        missing: (N, C, S, S), 1 = missing.

    Returns:
        (N, C, S, S); the residual itself where known.
    """
    known = residual * (1 - missing)
    diagonal = _neighbours(torch.ones_like(missing)) + _SCREEN * (_SCREEN_SIZE / residual.shape[-1]) ** 2
    window = _window_around(missing)
    solved = known.clone()
    solved[window] += _carried(known[window], missing[window], diagonal[window])
    return solved


def _carried(known: Tensor, missing: Tensor, diagonal: Tensor) -> Tensor:
    """Solve for what the hole gets, 0 elsewhere; the window's outer pixels are known, or the frame's."""
    remainder = missing * _neighbours(known)
    carried, direction = torch.zeros_like(known), remainder
    energy = _energy(remainder)
    for _ in range(_ROUNDS):
        image = missing * (diagonal * direction - _neighbours(direction))
        length = energy / (direction * image).sum((-2, -1), keepdim=True).clamp_min(1e-20)
        carried = carried + length * direction
        remainder = remainder - length * image
        before, energy = energy, _energy(remainder)
        direction = remainder + energy / before.clamp_min(1e-20) * direction
    return carried


def _window_around(missing: Tensor) -> tuple[EllipsisType, slice, slice]:
    """Find the smallest window of (N, C, S, S) that holds all that is missing, and a known pixel around it."""
    sides = []
    for axis in (-1, -2):
        at = (missing.amax(axis).flatten(0, 1).amax(0) > 0).nonzero()[:, 0]
        sides.append(slice(max(0, int(at[0]) - 1), int(at[-1]) + 2) if len(at) else slice(0, 0))
    return ..., sides[0], sides[1]


def _neighbours(planes: Tensor) -> Tensor:
    """Add up the four neighbours of each pixel; beyond the frame there is nothing."""
    total = torch.zeros_like(planes)
    total[..., 1:, :] += planes[..., :-1, :]
    total[..., :-1, :] += planes[..., 1:, :]
    total[..., 1:] += planes[..., :-1]
    total[..., :-1] += planes[..., 1:]
    return total


def _energy(planes: Tensor) -> Tensor:
    return planes.square().sum((-2, -1), keepdim=True)


def flatten(planes: Tensor) -> Tensor:
    """Flatten (N, 3, S, S) YCbCr to (N, D): luma at full, colour at half resolution."""
    return torch.cat([planes[:, :1].flatten(1), F.avg_pool2d(planes[:, 1:], 2).flatten(1)], dim=1)


def mirrored(half: Tensor, size: int, sign: float) -> Tensor:
    """Complete (K, D / 2) left halves of even (sign 1) or odd (sign -1) vectors to (K, D)."""
    luma, blue, red = (
        torch.cat([plane, sign * plane.flip(-1)], dim=-1).flatten(1) for plane in _split(half, size, width=size // 2)
    )
    return torch.cat([luma, blue, red], dim=1)


def _gram(rows: Tensor) -> Tensor:
    """Multiply rows (M, K) with rows to (K, K); NumPy sees that the factors are one and computes half of it."""
    array = rows.numpy()
    with one_thread():
        return torch.from_numpy(array.T @ array)


def _observe(planes: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Read (3, S, S) twice as entries (D,), and which are missing; a colour cell is known if all its pixels are."""
    return flatten(planes[None])[0], _missing(masks)


def _missing(masks: Tensor) -> Tensor:
    """List which entries (D,) are missing."""
    return torch.cat([masks[:1].flatten(), F.max_pool2d(masks[1:], 2).flatten()]) > 0.5


def _unflatten(vector: Tensor, size: int) -> Tensor:
    luma, blue, red = _split(vector[None], size)
    colour = F.interpolate(torch.cat([blue, red], dim=1), scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([luma, colour], dim=1)[0]


def _resized(planes: Tensor, side: int) -> Tensor:
    return F.interpolate(planes, size=(side, side), mode="bilinear", align_corners=False, antialias=True)


def _split(vectors: Tensor, size: int, width: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Split (K, D) into luma (K, 1, S, width), blue and red (K, 1, S / 2, width / 2)."""
    width = width or size
    count, half = size * width, size * width // 4
    luma, blue, red = torch.tensor_split(vectors, (count, count + half), dim=1)
    small = (-1, 1, size // 2, width // 2)
    return luma.reshape(-1, 1, size, width), blue.reshape(small), red.reshape(small)
