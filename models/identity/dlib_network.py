"""dlib's face recognition network (King 2017, a ResNet of 29 convolutions) in torch, from dlib's own weight file.

The same numbers as `dlib.face_recognition_model_v1`, several times faster on a CPU, in batches, on any device.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.errors import WeightsError
from models.package_files import package_file
from models.runtime.frozen import Frozen

CHIP_SIZE = 150
_MEAN = (122.782, 117.001, 104.298)  # RGB, as stored in the file's header
_SCALE = 256.0
# (channels, halves the picture) of each residual block, from the input on
_BLOCKS = [
    *[(32, False)] * 3,
    *[(64, True), *[(64, False)] * 3],
    *[(128, True), *[(128, False)] * 2],
    *[(256, True), *[(256, False)] * 2],
    (256, True),
]
_DIM = 128


class _Affine(nn.Module):
    """Scale and shift each channel: a batch normalisation whose statistics were folded in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(channels, 1, 1))
        self.beta = nn.Parameter(torch.empty(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma + self.beta


class _Block(nn.Module):
    """Two convolutions beside a shortcut; the shortcut has no weights, so what it lacks is filled with zeros."""

    def __init__(self, before: int, channels: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        stride, padding = (2, 0) if halves else (1, 1)
        self.first = nn.Conv2d(before, channels, 3, stride, padding)
        self.first_affine = _Affine(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second_affine = _Affine(channels)

    def forward(self, x: Tensor) -> Tensor:
        change = self.second_affine(self.second(F.relu(self.first_affine(self.first(x)))))
        shortcut = F.avg_pool2d(x, 2, 2) if self.halves else x
        return F.relu(_padded_sum(change, shortcut))


class DlibNetwork(nn.Module):
    """(N, 3, 150, 150) RGB 0..255 -> (N, 128), not normalised."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1))
        self.stem = nn.Conv2d(3, _BLOCKS[0][0], 7, 2)
        self.stem_affine = _Affine(_BLOCKS[0][0])
        before = [_BLOCKS[0][0], *(channels for channels, _ in _BLOCKS)]
        pairs = zip(before, _BLOCKS, strict=False)
        self.blocks = nn.Sequential(*[_Block(past, channels, halves=halves) for past, (channels, halves) in pairs])
        self.head = nn.Linear(_BLOCKS[-1][0], _DIM, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        x = F.relu(self.stem_affine(self.stem((pixels - self.mean) / _SCALE)))
        features: Tensor = self.blocks(F.max_pool2d(x, 3, 2))
        embedding: Tensor = self.head(features.mean(dim=(2, 3)))
        return embedding


def dlib_network() -> Frozen:
    """Build the network with dlib's weights, frozen."""
    with torch.device("meta"):  # nothing is drawn for weights that are read at once
        network = DlibNetwork()
    network.mean = torch.tensor(_MEAN).view(3, 1, 1)
    _fill(network, package_file("dlib_recognition"))
    return Frozen(network)


def _padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """Add two stacks of maps of unlike shape, each filled with zeros at its end up to the larger one."""
    shape = [max(pair) for pair in zip(a.shape[1:], b.shape[1:], strict=True)]

    def grown(x: Tensor) -> Tensor:
        lacking = [wanted - has for wanted, has in zip(shape, x.shape[1:], strict=True)]
        return F.pad(x, (0, lacking[2], 0, lacking[1], 0, lacking[0]))

    return grown(a) + grown(b)


def _fill(network: DlibNetwork, path: Path) -> None:
    """Read the layers in dlib's order, which is from the input on."""
    content = path.read_bytes()
    offset = 0
    for layer in _layers(network):
        shape = _stored_shape(layer)
        values, offset = _read_tensor(content, offset, shape)
        _assign(layer, torch.from_numpy(values.copy()))


def _layers(network: DlibNetwork) -> Iterator[nn.Module]:
    return (layer for layer in network.modules() if isinstance(layer, nn.Conv2d | _Affine | nn.Linear))


def _stored_shape(layer: nn.Module) -> tuple[int, int, int, int]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features, 1, 1
    return sum(parameter.numel() for parameter in layer.parameters()), 1, 1, 1


def _assign(layer: nn.Module, values: Tensor) -> None:
    """Assign stored values: filters then biases of a convolution, gamma then beta, a head as inputs x outputs."""
    if isinstance(layer, nn.Linear):
        state = {"weight": values.view(layer.in_features, layer.out_features).T.contiguous()}
    else:
        shapes = {name: parameter.shape for name, parameter in layer.named_parameters()}
        parts = torch.split(values, [shape.numel() for shape in shapes.values()])
        state = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
    layer.load_state_dict(state, assign=True)


def _read_tensor(content: bytes, start: int, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float32], int]:
    """Read the next tensor of that shape from `start` on, flat, and where it ends.

    dlib writes: format version 2, four sizes (each a length byte and little-endian bytes), raw float32.
    """
    header = b"".join(map(_whole_number, (2, *shape)))
    position = content.find(header, start)
    if position < 0:
        raise WeightsError(f"a dlib tensor of shape {shape}", "none in the file", "install the pinned package anew")
    begin = position + len(header)
    count = int(np.prod(shape))
    return np.frombuffer(content, "<f4", count, begin), begin + 4 * count


def _whole_number(value: int) -> bytes:
    length = (value.bit_length() + 7) // 8
    return bytes([length]) + value.to_bytes(length, "little")
