"""Noise from the face model's posterior: start + noise is a portrait that the known pixels allow.

What the model leaves open has two parts. Its latents have a posterior covariance, which is small beside known pixels
and large far from them; and there is what its components cannot show, whose deviation it knows for each place of the
face. Their sum is close to target - start in strength, place and spectrum (docs/diffusion.md), so that a clean picture
and noise have the same second moments at every noise level (a data-dependent prior: Lee et al., PriorGrad, 2022).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.colour import from_planes
from models.diffusion.residual import missing_part
from models.diffusion.settings import Spread
from models.evidence.evidence import Damaged, Evidence
from models.face.landmarkers import aligned_landmarks
from models.face.warp import warp_grid
from models.face_model.gaussian import FaceModel, rim
from models.face_model.shape_and_appearance import ShapedFaceModel

SIDE = 64
"""Of the pictures in which latents are drawn: they show nothing finer, and cost a fourth."""
_TOUCHED = 0.25
"""Share of a small pixel that may be missing before it counts as missing."""


@dataclass(frozen=True)
class White:
    """Standard normal numbers that decide a draw.

    Attributes:
        latents: (N or 1, K), of the face model's components.
        pixels: (N or 1, 3, S, S).
    """

    latents: Tensor
    pixels: Tensor


@dataclass(frozen=True, eq=False)
class PosteriorNoise:
    """What a face model leaves open of a batch of portraits; draws cost little once it is made.

    Attributes:
        damaged: the batch.
        spread: how strong the parts are.
        appearance: of faces of side `SIDE`, bent to the frame.
        roots: (N, K, K) upper triangular, of the precision of each portrait's latents.
        grids: (N, SIDE, SIDE, 2), from the frame to each portrait.
        missing: (N, 1, SIDE, SIDE), 1 = anything of the pixel is missing.
        unexplained: (N, 3, S, S) deviation of what the components cannot show, YCbCr.
    """

    damaged: Damaged
    spread: Spread
    appearance: FaceModel
    roots: Tensor
    grids: Tensor
    missing: Tensor
    unexplained: Tensor

    @classmethod
    def of(cls, evidence: Evidence, face_model: ShapedFaceModel, spread: Spread) -> "PosteriorNoise":
        """Work out what is open: about 15 ms a portrait; gradients do not pass."""
        with torch.no_grad():
            return cls._of(evidence, face_model, spread)

    @classmethod
    def _of(cls, evidence: Evidence, face_model: ShapedFaceModel, spread: Spread) -> "PosteriorNoise":
        small, side = face_model.at(SIDE), evidence.start.shape[-1]
        scale = SIDE / side
        there, back = [], []
        for points in aligned_landmarks(evidence.start, face_model.landmarker):
            own = np.asarray((points + 0.5) * scale - 0.5, np.float32)
            there.append(warp_grid(small.frame, own, SIDE))
            back.append(warp_grid(own, small.frame, SIDE))
        own_masks = torch.cat([evidence.damaged.hole_mask, evidence.damaged.chroma_mask], dim=1).cpu()
        masks = F.interpolate(own_masks, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        bent = (_warped(masks, torch.cat(there)) > _TOUCHED).float()
        bent[:, 1:] = bent.amax(dim=1, keepdim=True)
        roots = torch.stack([small.appearance.open_directions(bent[n, [0, 1, 1]]) for n in range(len(bent))])
        grids = torch.cat(back)
        deviation = F.interpolate(face_model.appearance.unexplained()[None], (SIDE, SIDE), mode="area")
        unexplained = _enlarged(_warped(deviation.expand(len(grids), -1, -1, -1), grids), side)
        missing = (masks[:, 1:] > _TOUCHED).float()
        return cls(evidence.damaged, spread, small.appearance, roots, grids, missing, unexplained)

    def white(self, rng: torch.Generator, *, shared: bool) -> White:
        """Draw what decides a draw: `shared` by all portraits, or for each of them."""
        count, side = 1 if shared else len(self.roots), self.unexplained.shape[-1]
        latents = torch.randn(count, self.roots.shape[-1], generator=rng)
        return White(latents, torch.randn(count, 3, side, side, generator=rng))

    def draw(self, white: White) -> Tensor:
        """Draw noise of each portrait, (N, 3, S, S) in the range of pictures; 0 where nothing is missing."""
        latents = torch.linalg.solve_triangular(self.roots, white.latents[..., None], upper=True)[..., 0]
        shown = _warped(self.appearance.deviations(latents), self.grids)
        shown = shown + rim(-shown, self.missing.expand_as(shown))  # as the completion ends at known pixels
        fine = self.unexplained * banded(white.pixels, self.spread.cutoff)
        planes = self.spread.latents * _enlarged(shown, fine.shape[-1]) + self.spread.fine * fine
        own = self.damaged
        strength = torch.where(own.hole_mask > 0.5, 1.0, self.spread.colour)
        return missing_part(strength * from_planes(planes).to(own.image), own)


def banded(white: Tensor, cutoff: float) -> Tensor:
    """Filter white noise to unit variance in a band around a frequency.

    Args:
        white: (N, C, H, W) standard normal.
        cutoff: cycles per picture; with x = (f / cutoff)^2, power is x / (1 + x)^3 at f cycles per picture.

    Returns:
        (N, C, H, W), periodic at its borders.
    """
    height, width = white.shape[-2:]
    rows, columns = torch.fft.fftfreq(height, 1 / height), torch.fft.fftfreq(width, 1 / width)
    square = (rows[:, None].square() + columns.square()) / cutoff**2
    power = square / (1 + square) ** 3
    noise: Tensor = torch.fft.ifft2(torch.fft.fft2(white) * (power / power.mean()).sqrt()).real
    return noise


def _warped(planes: Tensor, grids: Tensor) -> Tensor:
    return F.grid_sample(planes, grids.to(planes), mode="bilinear", padding_mode="border", align_corners=False)


def _enlarged(planes: Tensor, side: int) -> Tensor:
    return F.interpolate(planes, (side, side), mode="bilinear", antialias=True, align_corners=False)
