"""The sampler's learnt numbers, read from `assets/sampler.safetensors` after its SHA-256 is checked."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.assets import ASSETS
from models.errors import WeightsError
from pipeline.face_sampler.geometry import Array

_REMEDY = "take assets/ from git or make them again with `python -m scripts.assets.make_sampler`"


@dataclass(frozen=True)
class SamplerAsset:
    """K coefficients of a face, R modelled pixels, D donors; donors D..2D-1 are the mirrored ones.

    A face is `texture_mean + coefficients @ texture_basis` in shape `mean_shape + coefficients @ shape_basis`,
    with coefficients of unit variance over the training portraits.
    """

    mean_shape: Array
    """(68, 2) canvas pixels."""
    shape_basis: Array
    """(K, 136) canvas pixels."""
    texture_mean: Array
    """(R, 3) YCrCb 0..255."""
    texture_basis: Array
    """(K, R * 3)."""
    smile: Array
    """(K,) coefficients, one standard step from earnest to smiling."""
    yaw: Array
    """(K,) coefficients, one standard step of turning the head."""
    variation: Array
    """(V, K) coefficients: principal directions between views of one identity, scaled by their deviation."""
    donor_coefficients: Array
    """(2 D, K)."""
    donor_prices: Array
    """(2 D,) what a donor's surroundings cost beyond their misfit, so that all are taken about equally often."""
    donors: tuple[npt.NDArray[np.uint8], ...]
    """D canvases, YCrCb (CANVAS, CANVAS, 3)."""


@lru_cache(maxsize=2)
def load_asset(folder: Path = ASSETS) -> SamplerAsset:
    """Read and check the asset.

    Raises:
        WeightsError: a file is missing, the card is unreadable, or the content has another SHA-256.
    """
    from safetensors.numpy import load  # not needed by who only imports the sources

    raw = load(_checked(folder / "sampler.safetensors", folder / "sampler.json"))
    scale = raw["texture_scale"][:, None]
    return SamplerAsset(
        mean_shape=raw["mean_shape"],
        shape_basis=raw["shape_basis"].astype(np.float32),
        texture_mean=raw["texture_mean"].astype(np.float32),
        texture_basis=raw["texture_basis"].astype(np.float32) * scale,
        smile=raw["smile"],
        yaw=raw["yaw"],
        variation=raw["variation"],
        donor_coefficients=raw["donor_coefficients"].astype(np.float32),
        donor_prices=raw["donor_prices"],
        donors=tuple(_decode(raw["donor_bytes"], raw["donor_ends"])),
    )


def _checked(path: Path, card: Path) -> bytes:
    try:
        content, wanted = path.read_bytes(), json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as error:
        raise WeightsError(f"the sampler at {path}", f"no {Path(str(error.filename)).name}", _REMEDY) from error
    except (ValueError, KeyError) as error:
        raise WeightsError(f"a card with the sampler's SHA-256 at {card}", "an unreadable one", _REMEDY) from error
    got = hashlib.sha256(content).hexdigest()
    if got != wanted:
        raise WeightsError(f"{path.name} with SHA-256 {str(wanted)[:16]}…", f"{got[:16]}…", _REMEDY)
    return content


def _decode(stream: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> list[npt.NDArray[np.uint8]]:
    parts = np.split(stream, ends[:-1])
    return [cv2.cvtColor(cv2.imdecode(part, cv2.IMREAD_COLOR), cv2.COLOR_BGR2YCrCb) for part in parts]
