"""The encoder that judges by default: dlib's network on five-point chips, whitened so that cosines can be compared."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.assets import ASSETS
from models.face.alignment import crops
from models.face_networks.names import DLIB, DLIB_OPEN
from models.identity.dlib_network import CHIP_SIZE, dlib_network
from models.identity.interface import DifferentiableEncoder
from models.package_files import verify
from models.runtime.cached import made_once

WHITENING = ASSETS / "dlib_whitening.safetensors"
OPEN_WHITENING = ASSETS / "open_dlib_whitening.safetensors"

# Where the detector's five points lie in dlib's own 150-pixel chips, which it cuts by 68 landmarks: the mean over 900
# portraits and their mirror images, printed by `python -m scripts.calibration.measure_dlib ../shared/portraits/omi`.
CHIP_POINTS = np.array([[46.82, 44.48], [102.18, 44.48], [74.5, 77.34], [50.56, 102.47], [98.44, 102.47]], np.float64)


class DlibEncoder(DifferentiableEncoder):
    """dlib's 128 numbers, centred and whitened; frozen, gradients reach the pictures.

    dlib means its vectors for Euclidean distance: they share a large mean, and even strangers have a cosine of 0.85.
    Subtracting a mean and whitening, both measured once on portraits of other people (Jegou & Chum 2012, with a ridge),
    takes strangers to 0 and tells people apart better than the raw distance does; see `assets/dlib_whitening.json`.

    Args:
        name: of the encoder.
        file: mean and whitening, with a card beside it.
    """

    dim = 128
    mean: Tensor
    whitening: Tensor

    def __init__(self, name: str, file: Path) -> None:
        super().__init__()
        self.name, self.network = name, dlib_network()
        mean, whitening = _whitening(file)
        self.register_buffer("mean", mean)
        self.register_buffer("whitening", whitening)

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`; differentiable with respect to `images`."""
        return F.normalize((self.raw(images, points) - self.mean) @ self.whitening, dim=1)

    def raw(self, images: Tensor, points: Tensor) -> Tensor:
        """Compute dlib's own descriptor, (N, 128), not normalised; same people are usually less than 0.6 apart."""
        descriptors: Tensor = self.network((crop_chips(images, points) + 1) * 127.5)
        return descriptors


def crop_chips(images: Tensor, points: Tensor) -> Tensor:
    """Cut (N, 3, H, W) in [-1, 1] at (N, 5, 2) pixels to (N, 3, 150, 150) in the frame of dlib's chips."""
    return crops(images, points, CHIP_POINTS, CHIP_SIZE)


def whitening_of(descriptors: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Compute mean (D,) and symmetric (C + ridge)^(-1/2) (D, D) of descriptors (N, D) of many people, in their type."""
    mean = descriptors.mean(dim=0)
    variances, directions = torch.linalg.eigh(torch.cov(descriptors.T))
    return mean, directions @ torch.diag((variances.clamp(min=0) + ridge).rsqrt()) @ directions.T


def _whitening(file: Path) -> tuple[Tensor, Tensor]:
    from safetensors.torch import load_file

    card = json.loads(file.with_suffix(".json").read_text())
    verify(file, card["sha256"], remedy="restore assets/ from the repository")
    arrays = load_file(file)
    return arrays["mean"], arrays["whitening"]


@made_once
def dlib_encoder() -> DlibEncoder:
    """Load the dlib encoder, one per process (frozen, so that sharing is safe)."""
    return DlibEncoder(DLIB, WHITENING)


@made_once
def open_dlib_encoder() -> DlibEncoder:
    """Load the dlib encoder of the open edition, one per process."""
    return DlibEncoder(DLIB_OPEN, OPEN_WHITENING)
