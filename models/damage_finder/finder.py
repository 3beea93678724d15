"""Search a photo of any size for damage: tile by tile at its own resolution, and as a whole, shrunk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F

from models.damage_finder.confidence import Confidence
from models.damage_finder.damage_map import DamageMap, halved, take_over_thick
from models.damage_finder.features import features
from models.damage_finder.kinds import KINDS
from models.damage_finder.network import FinderNetwork
from models.damage_finder.overview import least_width, shrunk
from models.damage_finder.scale import search_scale
from models.damage_finder.tiles import MARGIN, tiles
from models.errors import WeightsError
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from models.weight_files import fill, read_architecture, refusing_damage, write_weights

Bytes = npt.NDArray[np.uint8]

HALFWAY, HALFWAY_THICK = 1024, 9
"""Long side at which the parts of a large photo are searched once more, and from which width damage is taken over."""
_HALFWAY_FROM = 1536
"""Long side from which a photo is large."""
_KIND_BLOCK = 4
"""Side of the blocks, in pixels of half resolution, whose pixels have one kind, that of 3 x 3 blocks together."""


@dataclass(frozen=True, eq=False)
class PixelFinder:
    """A network with the calibration of its pixels.

    Attributes:
        network: in evaluation mode.
        slope, offset: the probability of a pixel is sigmoid(slope * logit + offset) (Platt 1999).
    """

    network: FinderNetwork
    slope: float
    offset: float

    def __post_init__(self) -> None:
        self.network.eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # missing in torch's stubs

    def search(self, image: Image, budget: Budget = UNLIMITED) -> tuple[Bytes, Bytes]:
        """Probabilities (H, W) 0..255 and kinds (ceil(H / 2), ceil(W / 2)) of a photo (H, W, 3) of any size.

        Raises:
            Stopped: the budget is spent.
        """
        height, width = image.shape[:2]
        probability = np.empty((height, width), np.uint8)
        kind = np.empty((-(-height // 2), -(-width // 2)), np.uint8)
        for rows, columns, part in tiles(image):
            budget.check()
            damage, kinds = self._search_part(part)
            size = (rows.stop - rows.start, columns.stop - columns.start)
            inner = slice(MARGIN, MARGIN + size[0]), slice(MARGIN, MARGIN + size[1])
            probability[rows, columns] = damage[inner]
            halves = tuple(slice(one.start // 2, -(-one.stop // 2)) for one in (rows, columns))
            half = MARGIN // 2
            kind[halves] = kinds[half : half + (-(-size[0] // 2)), half : half + (-(-size[1] // 2))]
        return probability, kind

    def _search_part(self, part: Image) -> tuple[Bytes, Bytes]:
        fine, coarse = (plane[None].contiguous(memory_format=torch.channels_last) for plane in features(part))
        with torch.inference_mode():
            logits, kinds = self.network(fine, coarse)
            damage = torch.sigmoid(self.slope * logits[0, 0] + self.offset).mul_(255).round_().to(torch.uint8)
            blocks = F.avg_pool2d(torch.softmax(kinds, dim=1), _KIND_BLOCK)
            smooth = F.avg_pool2d(blocks, 3, 1, 1, count_include_pad=False)
            kind = smooth[0].argmax(dim=0).to(torch.uint8).numpy()
            return damage.numpy(), kind.repeat(_KIND_BLOCK, axis=0).repeat(_KIND_BLOCK, axis=1)


@dataclass(frozen=True, eq=False)
class Finder:
    """Two networks of one make, and the calibration that was fitted for them.

    Attributes:
        parts: searches the photo's parts at its own resolution.
        whole: searches the photo as a whole, shrunk.
        confidence: from a connected piece to the probability that it is damage.
    """

    parts: PixelFinder
    whole: PixelFinder
    confidence: Confidence

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> "Finder":
        """Read weights that `save` wrote.

        Args:
            path: a safetensors file.
            sha256: the digest that the file must have, if one is on record.

        Raises:
            WeightsError: no such file, another digest, not safetensors, or weights of something else.
        """
        with refusing_damage(path):
            header = read_architecture(path, sha256)
            if (
                header.get("kind") != "damage_finder"
                or tuple(header.get("kinds", ())) != KINDS
                or "whole" not in header
            ):
                raise WeightsError(f"a damage finder in {path}", "weights of something else", "run `make finder`")
            networks = nn.ModuleDict({name: FinderNetwork(header["width"]) for name in ("parts", "whole")})
            fill(networks, path)
            parts, whole = (PixelFinder(networks[name], **header[name]) for name in ("parts", "whole"))  # type: ignore[arg-type] # a ModuleDict's values are Modules
            return cls(parts, whole, Confidence(**header["confidence"]))

    def save(self, path: Path) -> None:
        """Write weights (float16) and header as safetensors; the file appears whole or not at all."""
        networks = nn.ModuleDict({"parts": self.parts.network, "whole": self.whole.network})
        header: dict[str, Any] = {
            "kind": "damage_finder",
            "kinds": KINDS,
            "width": self.parts.network.width,
            "parts": {"slope": self.parts.slope, "offset": self.parts.offset},
            "whole": {"slope": self.whole.slope, "offset": self.whole.offset},
            "confidence": vars(self.confidence),
        }
        write_weights(networks.state_dict(), header, path, torch.float16)

    def search(self, image: Image, budget: Budget = UNLIMITED) -> DamageMap:
        """Search a photo (H, W, 3) uint8 of any size.

        Raises:
            Stopped: the budget is spent.
        """
        scale = search_scale(image)
        probability, kind = search_at(self.parts, image, scale, budget)
        if max(image.shape[:2]) >= _HALFWAY_FROM:
            take_over_thick(probability, kind, *self.parts.search(shrunk(image, HALFWAY), budget), HALFWAY_THICK)
        parts = halved(probability)
        whole, whole_kind = self.whole.search(shrunk(image))
        take_over_thick(probability, kind, whole, whole_kind, least_width(max(whole.shape) / max(image.shape), scale))
        return DamageMap(probability, kind, parts, whole)

    def search_parts(self, image: Image) -> tuple[Bytes, Bytes]:
        """Probabilities (H, W) and kinds (ceil(H / 2), ceil(W / 2)) by the network for parts alone, at one scale."""
        return search_at(self.parts, image, search_scale(image))


def search_at(parts: PixelFinder, image: Image, scale: float, budget: Budget = UNLIMITED) -> tuple[Bytes, Bytes]:
    """Probabilities (H, W) and kinds (ceil(H / 2), ceil(W / 2)) of a photo (H, W, 3) that is searched at a scale."""
    if scale == 1:
        return parts.search(image, budget)
    height, width = image.shape[:2]
    to, back = (cv2.INTER_CUBIC, cv2.INTER_AREA) if scale > 1 else (cv2.INTER_AREA, cv2.INTER_LINEAR)
    sized = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=to)
    probability, kind = parts.search(np.asarray(sized, np.uint8), budget)
    half = (-(-width // 2), -(-height // 2))
    return (
        np.asarray(cv2.resize(probability, (width, height), interpolation=back), np.uint8),
        np.asarray(cv2.resize(kind, half, interpolation=cv2.INTER_NEAREST), np.uint8),
    )
