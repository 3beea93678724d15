"""Place the 68 landmarks of a damaged portrait by a network that sees what is missing of it.

A predictor knows intact faces: in a hole it follows whatever fills it. The network sees picture and masks, and beside
them where the predictor puts the points on a classical fill, and what the Gaussian of shapes makes of that
(`models/face/landmark_shift.py`). Its own places are mixed with those, point by point, by a weight that falls with what
is missing around the point.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.assets import ASSETS, OPEN, RESEARCH, Edition
from models.classical_fill import classical_fill
from models.errors import WeightsError
from models.face.landmark_shift import LandmarkShift
from models.face.landmarkers import Landmarker
from models.face.landmarks import MIRRORED, Landmarks
from models.face.warp import missing_around
from models.images import Image, to_uint8
from models.runtime.cached import made_once
from models.weight_files import fill, read_architecture, write_weights

LANDMARK_NETWORK = ASSETS / "landmark_network.safetensors"
OPEN_LANDMARK_NETWORK = ASSETS / "open_landmark_network.safetensors"
LANDMARK_NETWORKS: Mapping[Edition, Path] = MappingProxyType({RESEARCH: LANDMARK_NETWORK, OPEN: OPEN_LANDMARK_NETWORK})
SIDE = 128
"""Of the pictures that the network sees, pixels."""
WIDTHS = (32, 48, 64, 96)
"""Channels at a quarter of the side (twice), an eighth and a sixteenth."""
_THIN, _OBSERVED, _HIDDEN, _GROUPS = 12, 128, 160, 8
_UNIT = 8.0
"""Pixels that count as 1 inside the network."""
_VERSION = 2


@dataclass(frozen=True)
class Observed:
    """What the network sees of N damaged portraits.

    Attributes:
        planes: (N, 5, SIDE, SIDE): RGB in [-1, 1], 0 in the hole; hole mask; chroma mask.
        predicted: (N, 68, 2) by the predictor on the classical fill, pixels.
        expected: (N, 68, 2) the Gaussian's conditional mean, given `predicted`, pixels.
        missing: (N, 68) in [0, 1], how much is missing around `predicted`.
    """

    planes: Tensor
    predicted: Tensor
    expected: Tensor
    missing: Tensor


def observe(
    image: Tensor,
    hole_mask: Tensor,
    chroma_mask: Tensor,
    shape: LandmarkShift,
    mean: Landmarks,
    landmarker: Landmarker,
) -> Observed:
    """Prepare damaged portraits for the network.

    Args:
        image: (N, 3, SIDE, SIDE) RGB in [-1, 1]; what the hole holds is never read.
        hole_mask: (N, 1, SIDE, SIDE), 1 = luma missing.
        chroma_mask: (N, 1, SIDE, SIDE), 1 = colour missing; contains `hole_mask`.
        shape: Gaussian of landmarks around `mean`.
        mean: (68, 2) pixels.
        landmarker: predicts the points of intact faces.
    """
    known = image * (1 - hole_mask)
    filled = [_filled(picture, chroma[0] > 0.5) for picture, chroma in zip(known, chroma_mask, strict=True)]
    predicted = [landmarker.predict_aligned(picture) for picture in filled]
    missing = [missing_around(hole[0], points) for hole, points in zip(hole_mask, predicted, strict=True)]
    expected = [shape.expected(points, mean, share) for points, share in zip(predicted, missing, strict=True)]
    return Observed(
        torch.cat([known, hole_mask, chroma_mask], dim=1),
        torch.from_numpy(np.stack(predicted)),
        torch.from_numpy(np.stack(expected)),
        torch.from_numpy(np.stack(missing)).float(),
    )


class LandmarkNetwork(nn.Module):
    """Observed -> landmarks.

    Args:
        mean: (68, 2) landmarks that an untrained network answers, pixels; symmetric.
    """

    mean: Tensor

    def __init__(self, mean: Tensor) -> None:
        super().__init__()
        first, second, third, last = WIDTHS
        self.stem = nn.Conv2d(5 * 16, first, 3, padding=1)
        self.blocks = nn.Sequential(
            _Block(first, first), _Block(first, second), _Block(second, third, 2), _Block(third, third),
            _Block(third, last, 2), _Block(last, last),
        )  # fmt: skip
        self.norm = nn.GroupNorm(_GROUPS, last)
        self.thin = nn.Conv2d(last, _THIN, 1)
        cells = _THIN * (SIDE // 16) ** 2
        self.observed = nn.Linear(2 * 136 + 68, _OBSERVED)
        self.hidden = nn.Linear(cells + _OBSERVED, _HIDDEN)
        self.seen, self.both = nn.Linear(cells, 136), nn.Linear(_HIDDEN, 136)
        for layer in (self.seen, self.both):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.gate = nn.Parameter(torch.tensor([[0.0], [-6.0]]).repeat(1, 68))
        self.register_buffer("mean", mean.clone())

    def forward(self, observed: Observed) -> Tensor:
        """Place the points, (N, 68, 2) pixels."""
        x = self.blocks(self.stem(F.pixel_unshuffle(observed.planes, 4)))
        cells = F.silu(self.thin(F.silu(self.norm(x)))).flatten(1)
        both = F.silu(self.hidden(torch.cat([cells, F.silu(self.observed(self._numbers(observed)))], dim=1)))
        own = self.mean + _UNIT * (self.seen(cells) + self.both(both)).view(-1, 68, 2)
        weight = torch.sigmoid(self.gate[0] + self.gate[1] * observed.missing)[..., None]
        placed: Tensor = own + weight * (observed.expected - own)
        return placed

    def _numbers(self, observed: Observed) -> Tensor:
        predicted, expected = ((points - self.mean) / _UNIT for points in (observed.predicted, observed.expected))
        predicted = predicted * (1 - observed.missing)[..., None]
        return torch.cat([predicted.flatten(1), expected.flatten(1), observed.missing], dim=1)

    @torch.inference_mode()
    def place(
        self,
        image: Tensor,
        hole_mask: Tensor,
        chroma_mask: Tensor,
        shape: LandmarkShift,
        mean: Landmarks,
        landmarker: Landmarker,
    ) -> Landmarks:
        """Place the points of one portrait (1, 3, SIDE, SIDE) and of its mirror image: their mean, (68, 2) pixels.

        The arguments are those of `observe`; `shape` and `mean` are symmetric.
        """
        own = observe(image, hole_mask, chroma_mask, shape, mean, landmarker)
        turned = observe(image.flip(-1), hole_mask.flip(-1), chroma_mask.flip(-1), shape, mean, landmarker)
        there, back = (self(one)[0].numpy() for one in (own, turned))
        back = back[MIRRORED] * np.array([-1, 1], np.float32) + np.array([SIDE - 1, 0], np.float32)
        return np.asarray((there + back) / 2, np.float32)


class _Block(nn.Module):
    """Two 3x3 convolutions with group norm beside the identity; the second starts at zero."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(_GROUPS, before), nn.GroupNorm(_GROUPS, after)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        self.stride = stride
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, before, h, w) to (N, after, h / stride, w / stride)."""
        hidden = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        out: Tensor = hidden + self.skip(x if self.stride == 1 else F.avg_pool2d(x, self.stride))
        return out


def _filled(picture: Tensor, missing: Tensor) -> Image:
    """Fill a picture (3, S, S) classically, (S, S, 3)."""
    (pixels,) = to_uint8(picture[None])
    gone = missing.numpy()
    return classical_fill(pixels, gone, gone, "telea")


@made_once
def shipped_landmark_network(edition: Edition) -> LandmarkNetwork:
    """Load an edition's network in assets/; one per process.

    Raises:
        WeightsError: no such file, or another content.
    """
    return load_landmark_network(LANDMARK_NETWORKS[edition])


def load_landmark_network(path: Path) -> LandmarkNetwork:
    """Read a network that `save_landmark_network` wrote.

    Raises:
        WeightsError: no such file, or another content.
    """
    if (found := read_architecture(path).get("landmark_network")) != _VERSION:
        raise WeightsError(f"a landmark network in {path}", f"version {found}", "fetch the project's assets again")
    network = LandmarkNetwork(torch.zeros(68, 2))
    fill(network, path)
    return network.eval().requires_grad_(False)


def save_landmark_network(network: LandmarkNetwork, path: Path) -> None:
    """Write a network, matrices and kernels as int8: 0.9 MB."""
    write_weights(network.state_dict(), {"landmark_network": _VERSION}, path, torch.int8)
