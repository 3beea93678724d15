"""Make assets/sampler.safetensors: `python -m scripts.assets.make_sampler --portraits DIR --out assets/`."""

import argparse
import hashlib
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.face_sampler.geometry import CANVAS, rescale
from scripts.assets.measure_sampler import measure
from scripts.assets.sampler_card import write_card
from scripts.assets.sampler_data import (
    LAST_TRAINING_PORTRAIT,
    Portraits,
    clear_faces,
    load_pictures,
    mean_shape,
    to_canvases,
)
from scripts.assets.sampler_fit import Appearance, fit, view_directions, with_mirrored, yaw_direction
from scripts.assets.sampler_prices import surroundings_prices

_JPEG_QUALITY = 92
_PACKAGES = ("numpy", "opencv-contrib-python-headless", "dlib-bin", "safetensors")


def make(portraits: Path, out: Path) -> dict[str, Any]:
    """Learn from `portraits`/omi and `portraits`/omi_views, write the asset and its card's facts; returns the facts."""
    faces, views = _read(portraits)
    clear = clear_faces(faces)
    donors = Portraits(_subset(faces.names, clear), faces.canvases[clear], faces.landmarks[clear])
    model = fit(donors, mean_shape(faces.landmarks))
    print(f"{len(faces.names)} portraits, {len(donors.names)} clear ones, {len(model.deviations)} components")
    arrays = _arrays(model, faces, views, donors)
    arrays["donor_prices"] = np.zeros(2 * len(donors.names), np.float32)
    facts = {
        "portraits": len(faces.names),
        "donors": len(donors.names),
        "views": len(views.names),
        "components": len(model.deviations),
    }
    with TemporaryDirectory() as draft:
        _write(Path(draft), arrays, facts)
        arrays["donor_prices"] = surroundings_prices(Path(draft))
    return _write(out, arrays, {**facts, "made_with": {name: version(name) for name in _PACKAGES}})


def _read(portraits: Path) -> tuple[Portraits, Portraits]:
    files = sorted((portraits / "omi").glob("*.jpg"))
    files = [file for file in files if int(file.stem) <= LAST_TRAINING_PORTRAIT]
    kept, images, points = load_pictures(files)
    landmarks = rescale(points, images.shape[1], CANVAS)
    mean = mean_shape(landmarks)
    faces = Portraits(tuple(file.stem for file in kept), to_canvases(images, landmarks, mean), landmarks)
    kept, images, points = load_pictures(sorted((portraits / "omi_views").glob("*.jpg")))
    landmarks = rescale(points, images.shape[1], CANVAS)
    return faces, Portraits(tuple(file.stem for file in kept), to_canvases(images, landmarks, mean), landmarks)


def _subset(names: tuple[str, ...], keep: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, wanted in zip(names, keep, strict=True) if wanted)


def _arrays(model: Appearance, faces: Portraits, views: Portraits, donors: Portraits) -> dict[str, npt.NDArray[Any]]:
    smile, variation = view_directions(model.coefficients(views.canvases, views.landmarks), views.names)
    canvases, landmarks = with_mirrored(faces)
    yaw = yaw_direction(model.coefficients(canvases, landmarks), landmarks)
    texture = model.texture_basis
    scale = np.abs(texture).max(1) / 127
    stream, ends = _encode(donors.canvases)
    return {
        "mean_shape": model.mean_shape,
        "shape_basis": model.shape_basis.astype(np.float16),
        "texture_mean": model.texture_mean.astype(np.float16),
        "texture_basis": np.round(texture / scale[:, None]).astype(np.int8),
        "texture_scale": scale.astype(np.float32),
        "smile": smile.astype(np.float32),
        "yaw": yaw.astype(np.float32),
        "variation": variation.astype(np.float32),
        "donor_coefficients": model.coefficients(*with_mirrored(donors)).astype(np.float16),
        "donor_bytes": stream,
        "donor_ends": ends,
    }


def _encode(canvases: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    parts = [cv2.imencode(".jpg", canvas[..., ::-1], options)[1].ravel() for canvas in canvases]
    return np.concatenate(parts), np.cumsum([len(part) for part in parts]).astype(np.int64)


def _write(out: Path, arrays: dict[str, npt.NDArray[Any]], facts: dict[str, Any]) -> dict[str, Any]:
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    out.mkdir(parents=True, exist_ok=True)
    (out / "sampler.safetensors").write_bytes(content)
    card = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), **facts}
    write_card(out, card)
    return card


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder with omi/ and omi_views/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the asset")
    arguments = parser.parse_args()
    card = make(arguments.portraits, arguments.out)
    write_card(arguments.out, {**card, "figures": measure(arguments.portraits, arguments.out)})
    print((arguments.out / "sampler.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
