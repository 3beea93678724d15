"""Finds damage in a photo that comes without a mask."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.errors import WeightsError
from models.finder_network import STRIDE, FinderNetwork
from models.images import Image, Mask, to_tensor
from models.weight_files import fill, read_architecture, write_weights

Probability = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FoundDamage:
    """Where a photo seems to be damaged.

    Attributes:
        mask: (H, W) bool, True = damaged; empty where nothing was found.
        probability: (H, W) float32, 0..1, of damage; calibrated by a temperature (Guo et al. 2017).
        confidence: the intersection over union with the damage that the mask, before its margin, may be expected to
            have, 0..1 (see `expected_iou`). None for an empty mask.
    """

    mask: Mask
    probability: Probability
    confidence: float | None


class Finder:
    """A trained network with its working scale.

    Attributes:
        network: in evaluation mode.
        side: photos are searched at this long side, pixels; smaller ones as they are.
        temperature: what logits are divided by, so that they are calibrated.
    """

    def __init__(self, network: FinderNetwork, side: int, temperature: float) -> None:
        self.network = network.eval()
        self.side = side
        self.temperature = temperature

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
        if header.get("kind") != "finder":
            raise WeightsError(f"a damage finder in {path}", "weights of something else", "run `make finder`")
        network = FinderNetwork(header["width"])
        fill(network, path)
        return cls(network, header["side"], header["temperature"])

    def save(self, path: Path) -> None:
        """Write weights (float16) and header as safetensors; the file appears whole or not at all."""
        header = {"kind": "finder", "width": self.network.width, "side": self.side, "temperature": self.temperature}
        write_weights(self.network.state_dict(), header, path, torch.float16)

    def probability(self, image: Image) -> Probability:
        """(h, w) float32: probability of damage, at working scale, of a photo (H, W, 3) uint8."""
        small = _shrunk(image, self.side)
        height, width = small.shape[:2]
        padded = cv2.copyMakeBorder(small, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_REFLECT_101)
        with torch.inference_mode():
            logits = self.network(to_tensor(padded))[0, 0, :height, :width] / self.temperature
            return np.asarray(torch.sigmoid(logits).numpy(), np.float32)

    def find(self, image: Image, threshold: float, certain: float, margin: int) -> FoundDamage:
        """Search a photo (H, W, 3) uint8.

        Args:
            image: of any size.
            threshold: probability from which a pixel counts as damaged, 0..1.
            certain: probability that the surest pixel of a connected piece must reach, or the piece is dropped.
            margin: pixels of the working scale by which the mask grows: a rim of damage that is taken for known
                spoils more than a rim of known pixels that is taken for damage.
        """
        small = self.probability(image)
        kept = certain_pieces(small, threshold, certain)
        height, width = image.shape[:2]
        # A piece is enlarged as probabilities, which keeps its outline smooth, and apart from what was dropped.
        grown = cv2.dilate(np.where(kept, small, np.float32(0)), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
        return FoundDamage(
            mask=_enlarged(grown, width, height) >= threshold,
            probability=_enlarged(small, width, height),
            confidence=expected_iou(small, kept),
        )


def certain_pieces(probability: Probability, threshold: float, certain: float) -> Mask:
    """(H, W) bool: the connected pieces of at least `threshold` that somewhere reach `certain` (hysteresis)."""
    _, labels = cv2.connectedComponents((probability >= threshold).astype(np.uint8), connectivity=8)
    sure = np.unique(labels[(probability >= certain) & (labels > 0)])
    kept: Mask = np.isin(labels, sure)
    return kept


def expected_iou(probability: Probability, mask: Mask) -> float | None:
    """Expected intersection over expected union of a mask with the damage, both (H, W); None for an empty mask.

    The intersection is the probability summed inside the mask; the union, the mask's size plus that outside.
    """
    if not mask.any():
        return None
    outside = float(probability[~mask].sum(dtype=np.float64))
    return float(probability[mask].sum(dtype=np.float64)) / (int(mask.sum()) + outside)


def _enlarged(values: Probability, width: int, height: int) -> Probability:
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _shrunk(image: Image, side: int) -> Image:
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
