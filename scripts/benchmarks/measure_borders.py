"""Figures of damage over a face's border: `python -m scripts.benchmarks.measure_borders --portraits DIR`.

Held-out real people (`DIR/ffhq256`) with round damage on the outline of the face: half on it, half on hair or
background. Compared with what `restore_photo` gives are ways to fall back to texture outside the face:

- everywhere outside the face's hull;
- where texture predicts a band around the hole better than the face model does: both fill the hole grown by the band,
  whose truth is known, and their errors there are spread into the hole; with texture, or with Telea's fill.

Prints Markdown: ratios of means to what `restore_photo` gives, with 95 % intervals over people; all and turned heads.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from models.assets import ASSETS
from models.face.detector import Face
from models.face.landmarks import head_pose
from models.face.regions import face_hull
from models.gan.restorer import Restorer
from models.images import Image, Mask
from pipeline.config.load import Params, load_params
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.scoring import Judges
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.photo.blending import harmonic
from restoration.photo.classical import classical_photo
from restoration.photo.texture_fill import fill_with_texture
from restoration.restore import restore_photo
from restoration.types import Tools, load_tools
from scripts.assets.finder_sources import split_files
from scripts.benchmarks.measure_sizes import scores

Field = npt.NDArray[np.float32]
METHODS = ("restored", "outside", "by the band", "by the band, Telea", "Telea")
BAND, RAMP, SPOT = 0.04, 0.05, (0.12, 0.28)
"""Width of the band, softness of the hull's edge, and radii of the damage, in longer sides of the face's box."""
TURNED = 16.0
"""Degrees of yaw from which a head is turned."""
RESAMPLES = 2000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--pictures", type=Path, help="also write damaged, all methods and intact, side by side")
    arguments = parser.parse_args()
    quieten()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    files = split_files(arguments.portraits / "ffhq256", "test")
    chosen = [files[number * len(files) // arguments.people] for number in range(arguments.people)]
    params = load_params(ASSETS.parent / "params.yaml")
    rows = pd.DataFrame(measured(chosen, params, arguments.seed, arguments.pictures))
    for name, part in {"all": rows, "turned": rows[rows["yaw"].abs() >= TURNED]}.items():
        print("\n".join(["", f"### {name}, {len(part)}", "", *table(part, arguments.seed)]))


@torch.inference_mode()
def measured(files: list[Path], params: Params, seed: int, pictures: Path | None) -> Iterator[dict[str, float]]:
    """One row per person: yaw, and for each method LPIPS, identity distance and squared error in the hole."""
    tools, judges = load_tools(params.restore.min_detector_score), Judges.load(torch.device("cpu"))
    restorer = Restorer.load(ASSETS / "restorer.safetensors")
    for number, file in enumerate(files):
        photo = read_picture(file, Limits.of(params.ingest))
        face = tools.detector.detect(photo)[0]
        landmarks = tools.landmarker.predict(photo, face)
        hole = border_damage(np.random.default_rng((seed, number)), landmarks, face, photo.shape[:2])
        filled = fills(photo, hole, restorer, params, tools)
        if filled is None:
            continue
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            damaged = np.where(hole[..., None], np.uint8(127), photo)
            beside = np.hstack([damaged, *filled.values(), photo])
            cv2.imwrite(str(pictures / f"{number:02}.png"), beside[..., ::-1])
        row: dict[str, float] = {"person": number, "yaw": head_pose(landmarks, photo.shape[0])[0]}
        row |= {f"error {name}": _error(picture, photo, hole) for name, picture in filled.items()}
        yield row | scores(filled, photo, face, judges, restorer.image_size)


def border_damage(rng: np.random.Generator, landmarks: Field, face: Face, shape: tuple[int, int]) -> Mask:
    """Two round holes on the outline of a face: on the jaw (landmarks 0 to 16) or on the forehead above a brow."""
    side, canvas = max(face.box[2:]), np.zeros(shape, np.uint8)
    for _ in range(2):
        if rng.random() < 0.7:
            centre = landmarks[rng.integers(0, 17)]
        else:
            centre = landmarks[rng.integers(17, 27)] - (0, 0.3 * side)
        axes = [round(float(rng.uniform(*SPOT)) * side) for _ in range(2)]
        middle = [round(float(figure)) for figure in centre]
        cv2.ellipse(canvas, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return canvas > 0


def fills(photo: Image, hole: Mask, restorer: Restorer, params: Params, tools: Tools) -> dict[str, Image] | None:
    """Each method's photo; None where no face was found in the damaged one."""
    restored = _restored(photo, hole, restorer, params, tools)
    faces = [] if restored is None else tools.detector.detect(restored)
    if restored is None or not faces:
        return None
    side = max(faces[0].box[2:])
    hull = face_hull(tools.landmarker.predict(restored, faces[0]), photo.shape[0])
    inside = _soft(hull, RAMP * side)
    telea = classical_photo(photo, hole, hole)
    texture = fill_with_texture(telea, hole, hole, [])
    reach = max(2, round(BAND * side))
    grown = cv2.dilate(hole.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)) > 0
    again = _restored(photo, np.asarray(grown), restorer, params, tools)
    result = {"restored": restored, "outside": _mixed(restored, texture, inside)}
    for name, fallback in (("by the band", texture), ("by the band, Telea", telea)):
        other = classical_photo(photo, grown, grown)
        other = fill_with_texture(other, grown, grown, []) if fallback is texture else other
        trusted = np.ones_like(inside) if again is None else _trusted(photo, again, other, grown & ~hole, reach)
        result[name] = _mixed(restored, fallback, np.maximum(inside, trusted))
    return result | {"Telea": telea}


def _trusted(photo: Image, ours: Image, other: Image, band: Mask, reach: int) -> Field:
    """How far the face model is to be believed (H, W), 0..1, by the errors of both in the band, spread harmonically."""
    errors = [
        cv2.GaussianBlur(np.abs(one.astype(np.float32) - photo).mean(axis=-1) * band, (0, 0), reach)
        for one in (ours, other)
    ]
    share = errors[1] ** 2 / np.maximum(errors[0] ** 2 + errors[1] ** 2, 1e-3)
    return harmonic(np.repeat(share[..., None], 3, axis=-1).astype(np.float32), band)[..., 0]


def _restored(photo: Image, hole: Mask, restorer: Restorer, params: Params, tools: Tools) -> Image | None:
    damaged = np.where(hole[..., None], np.uint8(127), photo)
    result = restore_photo(damaged, hole, restorer, "inpaint", params.restore, tools=tools)
    return result.image if result.faces else None


def _soft(mask: Mask, ramp: float) -> Field:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(1 - away / ramp, 0, 1), np.float32)


def _mixed(ours: Image, other: Image, share: Field) -> Image:
    part = share[..., None]
    return np.rint(part * ours.astype(np.float32) + (1 - part) * other).astype(np.uint8)


def _error(picture: Image, photo: Image, hole: Mask) -> float:
    return float(((picture[hole].astype(float) - photo[hole]) ** 2).mean())


def table(rows: pd.DataFrame, seed: int) -> list[str]:
    """One row per method: LPIPS, identity distance and squared error over those of `restore_photo`."""
    metrics = ("lpips", "identity", "error")
    lines = ["| method | LPIPS | identity distance | squared error in the hole |", "|---|---|---|---|"]
    bootstrap = Bootstrap([str(person) for person in rows["person"]], RESAMPLES, np.random.default_rng(seed))
    for name in METHODS[1:]:
        one, other = (rows[[f"{metric} {which}" for metric in metrics]].to_numpy(float) for which in (name, METHODS[0]))
        shown = (f"{i.value:.3f} [{i.low:.3f}, {i.high:.3f}]" for i in bootstrap.ratios(one, other))
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return lines


if __name__ == "__main__":
    main()
