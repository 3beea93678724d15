"""ArcFace of an insightface pack: on ONNX Runtime as a judge, in torch as an encoder for losses."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from models.errors import WeightsError
from models.face.alignment import ARCFACE_POINTS, ARCFACE_SIZE, crops
from models.face_networks.insightface_pack import PackModel, load_pack_model, short_name
from models.identity.interface import DifferentiableEncoder
from models.identity.onnx_network import load_onnx_network
from models.runtime.frozen import Frozen

_WIDE = 128  # crops of a multiple of this side show more to the left and the right
_TOLERANCE = 1e-3
"""How far the cosine of the embeddings of torch and of ONNX Runtime may be below 1; of SFace's graph it is 1e-6."""
_REMEDY = "name this pack as identity.judge, where no gradients are needed, and another encoder as identity.training"


class PackJudge:
    """ArcFace as insightface runs it, on the CPU; no gradients, so that nothing can be trained against it."""

    def __init__(self, name: str) -> None:
        """Load the pack's model for recognition.

        Raises:
            WeightsError: no such pack, or none of its files is for recognition.
        """
        self.name, self._model = short_name(name), _recognition(name).model
        batch = self._model.input_shape[0]
        self._batch = batch if isinstance(batch, int) else None  # None: as many as there are
        self.dim = self._run(np.zeros((1, 3, self._side, self._side), np.float32)).shape[1]

    @property
    def _side(self) -> int:
        return int(self._model.input_size[0])

    @torch.no_grad()
    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`."""
        pixels = (_crops(images, points, self._side) + 1) * 127.5
        embedding = torch.from_numpy(self._run(pixels.float().cpu().numpy())).to(images.device)
        return F.normalize(embedding, dim=1)

    def _run(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run the graph on (N, 3, S, S) RGB 0..255, in batches of the size that it is bound to."""
        step = self._batch or len(pixels)
        parts = [self._model.forward(pixels[start : start + step]) for start in range(0, len(pixels), step)]
        return np.concatenate(parts)


class PackEncoder(DifferentiableEncoder):
    """The same graph in torch: frozen, gradients reach the pictures."""

    def __init__(self, name: str) -> None:
        """Load the pack's model for recognition.

        Raises:
            WeightsError: no such pack, none of its files is for recognition, or torch cannot compute its graph.
        """
        super().__init__()
        found = _recognition(name)
        self.name, self._side = short_name(name), int(found.model.input_size[0])
        self._mean, self._deviation = float(found.model.input_mean), float(found.model.input_std)
        self.network = Frozen(load_onnx_network(found.path, _REMEDY))
        self.dim = _check_agreement(self.network, found)

    def embed(self, images: Tensor, points: Tensor) -> Tensor:
        """See `IdentityEncoder.embed`; differentiable with respect to `images`."""
        pixels = (_crops(images, points, self._side) + 1) * 127.5
        return F.normalize(self.network((pixels - self._mean) / self._deviation), dim=1)


def frame_of(side: int) -> npt.NDArray[np.float64]:
    """Compute where the five points lie in a crop, (5, 2) pixels, as `insightface.utils.face_align.estimate_norm` does.

    Args:
        side: of the crop, a multiple of 112, or of 128: then the frame of 112 stands in its middle.
    """
    if side % ARCFACE_SIZE == 0:
        return ARCFACE_POINTS * (side / ARCFACE_SIZE)
    margin = np.array([(_WIDE - ARCFACE_SIZE) / 2, 0.0])
    return np.asarray((ARCFACE_POINTS + margin) * (side / _WIDE), np.float64)


def _crops(images: Tensor, points: Tensor, side: int) -> Tensor:
    return crops(images, points, frame_of(side), side)


def _recognition(name: str) -> PackModel:
    found = load_pack_model(name, "recognition")
    side = found.model.input_size[0]
    if not isinstance(side, int) or (side % ARCFACE_SIZE and side % _WIDE):
        got = f"{side} in {found.path}"
        raise WeightsError(f"an encoder of crops of {ARCFACE_SIZE} or {_WIDE} pixels, or a multiple", got, _other())
    return found


def _other() -> str:
    return "name another pack in section identity of params.yaml"


def _check_agreement(network: Frozen, found: PackModel) -> int:
    """Compare torch with ONNX Runtime on one random picture; returns the length of an embedding.

    Raises:
        WeightsError: they differ.
    """
    model: Any = found.model
    shape = (1, 3, *model.input_size)
    pixels = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32) * 127.5 + 127.5
    theirs = torch.from_numpy(model.forward(pixels))
    with torch.no_grad():
        ours = network((torch.from_numpy(pixels) - model.input_mean) / model.input_std)
    if ours.shape != theirs.shape or F.cosine_similarity(ours, theirs).item() < 1 - _TOLERANCE:
        raise WeightsError(f"the same embedding from torch as from ONNX Runtime of {found.path}", "another", _REMEDY)
    return int(ours.shape[1])
