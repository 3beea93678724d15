"""Search a photo of any size for damage: tile by tile at its own resolution, and once more as a whole, shrunk."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from models.damage_finder.confidence import Confidence
from models.damage_finder.features import features
from models.damage_finder.kinds import KINDS
from models.damage_finder.network import STRIDE, FinderNetwork
from models.errors import WeightsError
from models.images import Image
from models.weight_files import fill, read_architecture, write_weights

Bytes = npt.NDArray[np.uint8]

TILE, MARGIN = 800, 48
"""Side of a tile, and how far it sees beyond, pixels; a tile with its margins is a multiple of the network's stride."""
ENLARGED: tuple[tuple[int, float], ...] = ((640, 2.0), (2400, 1.5))
"""Long side up to which a photo is searched enlarged, and how much: hairlines of small scans are seen better so."""
OVERVIEW = 1024
"""Long side at which a larger photo is searched once more, for damage that is larger than a tile can tell."""
_OVERVIEW_FROM = 1.5
"""A photo whose long side is so many times the overview's, or more, is searched at both scales."""
_THICK = 9
"""Width, in pixels of the overview, from which its damage is taken over: thinner damage is seen better in tiles."""
_KIND_BLOCK = 4
"""Side of the blocks, in pixels of half resolution, whose pixels have one kind, that of 3 x 3 blocks together."""


@dataclass(frozen=True, eq=False)
class DamageMap:
    """Where a photo (H, W) is damaged, and by what.

    Attributes:
        probability: (H, W) uint8, 0..255 for 0..1.
        kind: (ceil(H / 2), ceil(W / 2)) uint8, index into `KINDS` of the likeliest kind, also where nothing is damaged.
    """

    probability: Bytes
    kind: Bytes


class Finder:
    """A trained network with the calibration that was fitted for it.

    Attributes:
        network: in evaluation mode.
        slope, offset: the probability of a pixel is sigmoid(slope * logit + offset) (Platt 1999).
        confidence: from a connected piece to the probability that it is damage.
    """

    def __init__(self, network: FinderNetwork, slope: float, offset: float, confidence: Confidence) -> None:
        self.network = network.eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.slope, self.offset = slope, offset
        self.confidence = confidence

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "Finder":
        """Read weights that `save` wrote.

        Args:
            path: a safetensors file.
            sha256: the digest that the file must have, if one is on record.

        Raises:
            WeightsError: no such file, another digest, not safetensors, or weights of something else.
        """
        header = read_architecture(path, sha256)
        if header.get("kind") != "damage_finder" or tuple(header.get("kinds", ())) != KINDS:
            raise WeightsError(f"a damage finder in {path}", "weights of something else", "run `make finder`")
        network = FinderNetwork(header["width"])
        fill(network, path)
        return cls(network, header["slope"], header["offset"], Confidence(**header["confidence"]))

    def save(self, path: Path) -> None:
        """Write weights (float16) and header as safetensors; the file appears whole or not at all."""
        header: dict[str, Any] = {
            "kind": "damage_finder",
            "kinds": KINDS,
            "width": self.network.width,
            "slope": self.slope,
            "offset": self.offset,
            "confidence": vars(self.confidence),
        }
        write_weights(self.network.state_dict(), header, path, torch.float16)

    def search(self, image: Image) -> DamageMap:
        """Search a photo (H, W, 3) uint8 of any size."""
        found = self._search_enlarged(image, enlargement(max(image.shape[:2])))
        shrink = OVERVIEW / max(image.shape[:2])
        if shrink * _OVERVIEW_FROM <= 1:
            side = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
            whole = self._search_tiles(np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_AREA), np.uint8))
            _take_over_thick(found, whole)
        return found

    def _search_enlarged(self, image: Image, scale: float) -> DamageMap:
        if scale == 1:
            return self._search_tiles(image)
        height, width = image.shape[:2]
        side = (round(width * scale), round(height * scale))
        found = self._search_tiles(np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_CUBIC), np.uint8))
        half = (-(-width // 2), -(-height // 2))
        return DamageMap(
            np.asarray(cv2.resize(found.probability, (width, height), interpolation=cv2.INTER_AREA), np.uint8),
            np.asarray(cv2.resize(found.kind, half, interpolation=cv2.INTER_NEAREST), np.uint8),
        )

    def _search_tiles(self, image: Image) -> DamageMap:
        height, width = image.shape[:2]
        probability = np.empty((height, width), np.uint8)
        kind = np.empty((-(-height // 2), -(-width // 2)), np.uint8)
        for rows, columns, part in tiles(image):
            damage, kinds = self._search_part(part)
            size = (rows.stop - rows.start, columns.stop - columns.start)
            inner = slice(MARGIN, MARGIN + size[0]), slice(MARGIN, MARGIN + size[1])
            probability[rows, columns] = damage[inner]
            halves = tuple(slice(one.start // 2, -(-one.stop // 2)) for one in (rows, columns))
            half = MARGIN // 2
            kind[halves] = kinds[half : half + (-(-size[0] // 2)), half : half + (-(-size[1] // 2))]
        return DamageMap(probability, kind)

    def _search_part(self, part: Image) -> tuple[Bytes, Bytes]:
        fine, coarse = (plane[None].contiguous(memory_format=torch.channels_last) for plane in features(part))
        with torch.inference_mode():
            logits, kinds = self.network(fine, coarse)
            damage = torch.sigmoid(self.slope * logits[0, 0] + self.offset).mul_(255).round_().to(torch.uint8)
            blocks = F.avg_pool2d(torch.softmax(kinds, dim=1), _KIND_BLOCK)
            smooth = F.avg_pool2d(blocks, 3, 1, 1, count_include_pad=False)
            kind = smooth[0].argmax(dim=0).to(torch.uint8).numpy()
            return damage.numpy(), kind.repeat(_KIND_BLOCK, axis=0).repeat(_KIND_BLOCK, axis=1)


def enlargement(side: int) -> float:
    """How much a photo of a long side is enlarged before it is searched."""
    return next((scale for most, scale in ENLARGED if side <= most), 1.0)


def tiles(image: Image) -> Iterator[tuple[slice, slice, Image]]:
    """Rows and columns of each tile of a photo (H, W, 3), and the tile with its margin, mirrored at the border.

    The sides of the parts are multiples of the network's stride.
    """
    height, width = image.shape[:2]
    count = math.ceil(height / TILE), math.ceil(width / TILE)
    step = [_up(math.ceil(length / number), STRIDE) for length, number in zip((height, width), count, strict=True)]
    for top in range(0, height, step[0]):
        for left in range(0, width, step[1]):
            rows, columns = slice(top, min(top + step[0], height)), slice(left, min(left + step[1], width))
            yield rows, columns, _with_margin(image, rows, columns)


def _with_margin(image: Image, rows: slice, columns: slice) -> Image:
    height, width = image.shape[:2]
    bottom, right = (
        rows.start + _up(rows.stop - rows.start, STRIDE),
        columns.start + _up(columns.stop - columns.start, STRIDE),
    )
    top, left = rows.start - MARGIN, columns.start - MARGIN
    inside = image[max(0, top) : min(height, bottom + MARGIN), max(0, left) : min(width, right + MARGIN)]
    beyond = (max(0, -top), max(0, bottom + MARGIN - height), max(0, -left), max(0, right + MARGIN - width))
    return np.asarray(cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REFLECT), np.uint8)


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _take_over_thick(found: DamageMap, whole: DamageMap) -> None:
    """Raise the probabilities of a photo to those of its overview where the latter shows thick damage."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICK, _THICK))
    core = cv2.morphologyEx(np.asarray(whole.probability > 127, np.uint8), cv2.MORPH_OPEN, kernel)
    thick = np.where(cv2.dilate(core, kernel) > 0, whole.probability, 0).astype(np.uint8)
    if not thick.any():
        return
    height, width = found.probability.shape
    for top in range(0, height, TILE):  # in strips, which keeps memory small
        rows = slice(top, min(top + TILE, height))
        strip = _strip(thick, rows, (height, width), cv2.INTER_LINEAR)
        found.probability[rows] = np.maximum(found.probability[rows], strip)
    taken = cv2.resize(core, found.kind.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    found.kind[taken] = cv2.resize(whole.kind, found.kind.shape[::-1], interpolation=cv2.INTER_NEAREST)[taken]


def _strip(small: Bytes, rows: slice, shape: tuple[int, int], interpolation: int) -> Bytes:
    """The rows of a small map (h, w) enlarged to `shape`."""
    scale_y, scale_x = small.shape[0] / shape[0], small.shape[1] / shape[1]
    shift = np.array([[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, (rows.start + 0.5) * scale_y - 0.5]], np.float32)
    flags = interpolation | cv2.WARP_INVERSE_MAP
    side = (shape[1], rows.stop - rows.start)
    return np.asarray(cv2.warpAffine(small, shift, side, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
