"""Google's face mesh network, as far as it places the 68 landmarks: weights under Apache-2.0, free for any use.

MediaPipe's `face_landmark.tflite` (Kartynnik et al. 2019, arXiv:1907.06724) places 468 points of a face in a square of
192 pixels. Its graph is rebuilt here. The points that are wanted are weighted means of those, so its last layer is
smaller than the original's (`scripts/assets/open_edition/mesh.py`).
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.assets import ASSETS
from models.errors import WeightsError
from models.runtime.cached import made_once
from models.weight_files import fill, read_architecture

OPEN_LANDMARKS = ASSETS / "open_landmarks.safetensors"

SIDE = 192
"""Of the square that the network sees, pixels."""
WIDTHS = (16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128, 128, 128, 128)
"""Channels after each block."""
SHRINKING = (2, 5, 8, 11, 14)
"""Blocks that halve the side."""
POINTS = 69
"""The 68 landmarks, and the middle of the forehead's upper edge."""
_NARROW = 32


class MeshNetwork(nn.Module):
    """Square pictures of faces -> points.

    Args:
        points: how many.
    """

    def __init__(self, points: int) -> None:
        super().__init__()
        self.points = points
        before = (WIDTHS[0], *WIDTHS[:-1])
        self.stem = nn.Conv2d(3, WIDTHS[0], 3, 2)
        self.stem_slope = nn.PReLU(WIDTHS[0])
        self.blocks = nn.Sequential(
            *(_Block(*widths, 2 if n in SHRINKING else 1) for n, widths in enumerate(zip(before, WIDTHS, strict=True)))
        )
        self.narrow = nn.Conv2d(WIDTHS[-1], _NARROW, 1)
        self.narrow_slope = nn.PReLU(_NARROW)
        self.last = _Block(_NARROW, _NARROW, 1)
        self.head = nn.Conv2d(_NARROW, 2 * points, 3)

    def forward(self, pictures: Tensor) -> Tensor:
        """Place the points.

        Args:
            pictures: (N, 3, SIDE, SIDE) RGB in [0, 1].

        Returns:
            (N, points, 2) x, y in pixels of them.
        """
        x = self.stem_slope(self.stem(F.pad(pictures, (0, 1, 0, 1))))
        x = self.narrow_slope(self.narrow(self.blocks(x)))
        points: Tensor = self.head(self.last(x)).view(-1, self.points, 2)
        return points - 0.5  # the original counts from the corner of the first pixel


class _Block(nn.Module):
    """A depthwise and a pointwise convolution beside the identity, which is pooled and widened where they do so."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.deep = nn.Conv2d(before, before, 3, stride, padding=1 if stride == 1 else 0, groups=before)
        self.wide = nn.Conv2d(before, after, 1)
        self.slope = nn.PReLU(after)
        self.stride, self.more = stride, after - before

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, before, h, w) to (N, after, h / stride, w / stride)."""
        # sides are even, so TensorFlow's "same" padding lies at the right and at the bottom alone
        deep = self.deep(x if self.stride == 1 else F.pad(x, (0, 1, 0, 1)))
        beside = x if self.stride == 1 else F.max_pool2d(x, 2)
        out: Tensor = self.slope(F.pad(beside, (0, 0, 0, 0, 0, self.more)) + self.wide(deep))
        return out


@made_once
def shipped_mesh_network() -> MeshNetwork:
    """Load the network in assets/; one per process.

    Raises:
        WeightsError: no such file, or another content.
    """
    return load_mesh_network(OPEN_LANDMARKS)


def load_mesh_network(path: Path) -> MeshNetwork:
    """Read a network of `POINTS` points, in evaluation mode.

    Raises:
        WeightsError: no such file, or another content.
    """
    if (found := read_architecture(path).get("mesh_points")) != POINTS:
        raise WeightsError(f"a network of {POINTS} points in {path}", f"{found}", "fetch the project's assets again")
    network = MeshNetwork(POINTS)
    fill(network, path)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs
    return network.eval().requires_grad_(requires_grad=False)
