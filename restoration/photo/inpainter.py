"""An inpainting network of the user's own, as ONNX: LaMa or MI-GAN.

LaMa (Suvorov et al. 2022, "Resolution-robust large mask inpainting with Fourier convolutions"): `image` (1, 3, H, W)
float32 in 0..1 and `mask` (1, 1, H, W) float32 with 1 = missing; its exports answer in 0..1 or in 0..255. MI-GAN
(Sargsyan et al. 2023, "MI-GAN: a simple baseline for image inpainting on mobile devices"), exported with its pipeline:
`image` (1, 3, H, W) uint8 and `mask` (1, 1, H, W) uint8 with 255 = known; it answers in uint8. RGB both.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from models.errors import WeightsError
from models.images import Image, Mask
from models.runtime.onnx_session import open_session

if TYPE_CHECKING:
    import onnxruntime

Field = npt.NDArray[np.float32]
Kind = Literal["LaMa", "MI-GAN"]

_KINDS: dict[tuple[str, str], Kind] = {
    ("tensor(float)", "tensor(float)"): "LaMa",
    ("tensor(uint8)", "tensor(uint8)"): "MI-GAN",
}
"""By the types of `image` and `mask`."""
_WANTED = "inputs image (1, 3, H, W) and mask (1, 1, H, W), both float32 (LaMa) or both uint8 (MI-GAN's pipeline)"
_REMEDY = "name an export of LaMa or of MI-GAN's pipeline in restore.inpainter of params.yaml, or null"
_FREE_SIDE = 512
"""Side, pixels, of the windows for a graph that takes any size: what both networks are used at most."""
_GREY = 128
"""Level of the picture by which a graph is tried."""
_UNIT = 1.5
"""Up to this level a float answer to the grey picture is in 0..1; in 0..255 it would be far above."""


@cache
def load_inpainter(path: str) -> "Inpainter":
    """Load the network in a file, once per process, with as many threads as PyTorch has; try it on a grey picture.

    Raises:
        WeightsError: no such file, not an ONNX graph, or one with other inputs or outputs.
    """
    return Inpainter(Path(path).expanduser())


class Inpainter:
    """An inpainting network on ONNX Runtime.

    Attributes:
        side: of the pictures that it takes, pixels.
        kind: whose inputs it has.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session = open_session(path, torch.get_num_threads(), _REMEDY)
        self.kind, self.side = self._signature()
        self._levels = 1.0
        picture = np.full((self.side, self.side, 3), _GREY, np.uint8)
        middle = np.zeros((self.side, self.side), np.bool_)
        middle[self.side // 3 : self.side // 2, self.side // 3 : self.side // 2] = True
        if self.fill(picture, middle).mean() <= _UNIT:
            self._levels = 255.0

    def fill(self, picture: Image, missing: Mask) -> Field:
        """Complete a picture (side, side, 3): all of it as the network gives it, (side, side, 3) in 0..255.

        What the pixels `missing` (side, side) hold does not matter.

        Raises:
            WeightsError: the graph fails on it, or answers with something else.
        """
        known = np.ascontiguousarray(np.where(missing[..., None], np.uint8(0), picture).transpose(2, 0, 1)[None])
        if self.kind == "LaMa":
            answer = self._run(known.astype(np.float32) / 255, missing[None, None].astype(np.float32))
        else:
            answer = self._run(known, np.where(missing, 0, 255).astype(np.uint8)[None, None])
        expected = (1, 3, self.side, self.side)
        if answer.shape != expected or not np.isfinite(answer).all():
            got = f"shape {answer.shape}" if answer.shape != expected else "values that are not finite"
            raise WeightsError(f"a picture of shape {expected} from {self._path}", got, _REMEDY)
        return np.asarray(np.clip(answer[0].transpose(1, 2, 0) * self._levels, 0, 255), np.float32)

    def _run(self, image: npt.NDArray[Any], mask: npt.NDArray[Any]) -> Field:
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

        try:
            answer = np.asarray(self._session.run(None, {"image": image, "mask": mask})[0])
        except (Fail, InvalidArgument, RuntimeException) as error:
            reason = str(error).partition("\n")[0][:160]
            raise WeightsError(f"{self.kind} in {self._path} to fill {self.side} pixels", reason, _REMEDY) from error
        return answer.astype(np.float32)

    def _signature(self) -> tuple[Kind, int]:
        """Whose inputs the graph has, and its side."""
        inputs = {entry.name: entry for entry in self._session.get_inputs()}
        got = ", ".join(f"{name} {entry.shape} {entry.type}" for name, entry in inputs.items()) or "none"
        wrong = WeightsError(f"{_WANTED} in {self._path}", got, _REMEDY)
        if set(inputs) != {"image", "mask"}:
            raise wrong
        image, mask = inputs["image"], inputs["mask"]
        kind = _KINDS.get((image.type, mask.type))
        if kind is None or not (_fits(image, 3) and _fits(mask, 1)) or _sides(image) != _sides(mask):
            raise wrong
        fixed = {side for side in _sides(image) if side is not None}
        if len(fixed) > 1:
            raise wrong
        return kind, fixed.pop() if fixed else _FREE_SIDE


def _fits(entry: "onnxruntime.NodeArg", channels: int) -> bool:
    """Whether an input takes one picture of so many channels; a size that is not fixed is a name or None."""
    shape = list(entry.shape)
    return len(shape) == 4 and all(
        not isinstance(given, int) or given == wanted for given, wanted in zip(shape[:2], (1, channels), strict=True)
    )


def _sides(entry: "onnxruntime.NodeArg") -> list[int | None]:
    return [side if isinstance(side, int) else None for side in entry.shape[2:]]
