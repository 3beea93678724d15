"""Figures of damage over a face's border: `python -m scripts.benchmarks.measure_borders --portraits DIR`.

Held-out real people (`DIR/ffhq256`) with round damage on the outline of the face: half on it, half on hair or
background. What `restore_photo` gives (face model or texture beside the face, as a band around the hole decides) is
compared with the face model alone (`restore.beside_face: 0`), and so are texture everywhere outside the face's hull,
and Telea's fill. Prints Markdown: ratios of means, with 95 % intervals over people; all people and turned heads.
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
from restoration.photo.classical import classical_photo
from restoration.photo.texture_fill import fill_with_texture
from restoration.restore import restore_photo
from restoration.types import Tools, load_tools
from scripts.assets.finder.sources import split_files
from scripts.benchmarks.intact_face import scores
from scripts.one_thread import use_one_thread

Field = npt.NDArray[np.float32]
METHODS = ("face model alone", "restored", "texture outside", "Telea")
"""The first is what the others are compared with."""
RAMP, SPOT = 0.05, (0.12, 0.28)
"""Softness of the hull's edge, and radii of the damage, in longer sides of the face's box."""
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
    use_one_thread()
    files = split_files(arguments.portraits / "ffhq256", "test")
    chosen = [files[number * len(files) // arguments.people] for number in range(arguments.people)]
    params = load_params(ASSETS.parent / "params.yaml")
    rows = pd.DataFrame(measured(chosen, params, arguments.seed, arguments.pictures))
    print("\n".join(tables(rows, arguments.seed)))


@torch.inference_mode()
def measured(files: list[Path], params: Params, seed: int, pictures: Path | None) -> Iterator[dict[str, float]]:
    """One row per person: yaw, and for each method LPIPS, identity distance and squared error in the hole."""
    tools, judges = (
        load_tools(params.restore.min_detector_score, params.identity),
        Judges.load(torch.device("cpu"), params.identity),
    )
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
    damaged = np.where(hole[..., None], np.uint8(127), photo)
    rules = params.restore, params.restore.model_copy(update={"beside_face": 0.0})
    restored, alone = (restore_photo(damaged, hole, restorer, "inpaint", rule, tools=tools) for rule in rules)
    if restored.image is None or alone.image is None or not restored.faces:
        return None
    found = tools.detector.detect(restored.image)
    if not found:
        return None
    (face, *_) = found
    hull = face_hull(tools.landmarker.predict(restored.image, face), photo.shape[:2])
    telea = classical_photo(damaged, hole, hole)
    texture = telea.copy()
    fill_with_texture(texture, hole, hole, [])
    outside = _mixed(alone.image, texture, _soft(hull, RAMP * max(face.box[2:])))
    return dict(zip(METHODS, (alone.image, restored.image, outside, telea), strict=True))


def _soft(mask: Mask, ramp: float) -> Field:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(1 - away / ramp, 0, 1), np.float32)


def _mixed(ours: Image, other: Image, share: Field) -> Image:
    part = share[..., None]
    return np.rint(part * ours.astype(np.float32) + (1 - part) * other).astype(np.uint8)


def _error(picture: Image, photo: Image, hole: Mask) -> float:
    return float(((picture[hole].astype(float) - photo[hole]) ** 2).mean())


def tables(rows: pd.DataFrame, seed: int) -> list[str]:
    """The table of all people and that of turned heads, each under its heading; of nobody there is none."""
    parts = {"all": rows, "turned": rows[rows["yaw"].abs() >= TURNED] if len(rows) else rows}
    lines = []
    for name, part in parts.items():
        lines += ["", f"### {name}, {len(part)}", "", *(table(part, seed) if len(part) else ["nobody"])]
    return lines


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
