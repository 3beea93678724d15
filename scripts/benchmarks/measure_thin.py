"""Figures of filling thin damage: `python -m scripts.benchmarks.measure_thin --portraits DIR --prints DIR`.

Two tables, seeded. Cracks of several widths on crops of intact old prints and of held-out portraits, filled by each
method at the photo's own resolution. Lines of several widths over the faces of held-out people (`DIR/ffhq256`), filled
from both sides or by the face model: where the face model is better damage is no longer thin (`restore.thin.of_face`).
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from skimage.restoration import inpaint_biharmonic

from models.assets import ASSETS
from models.gan.restorer import Restorer
from models.images import Image, Mask, to_tensor
from models.metrics.lpips import perceptual_distance
from pipeline.config.load import Params, load_params
from pipeline.damage.prints.lines import branching, coverage
from pipeline.evaluation.scoring import Judges
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.photo.blending import blend
from restoration.photo.thin_fill import add_grain, fill_thin, reconstruct, wider_than
from restoration.restore import restore_photo
from restoration.types import load_tools
from scripts.assets.finder.sources import split_files
from scripts.benchmarks.intact_face import IntactFace
from scripts.one_thread import use_one_thread

Method = Callable[[Image, Mask], Image]
PRINTS = ("02", "03", "12", "13", "25", "26", "28")
"""Intact old prints, by the number in their names."""
CRACKS = (1.0, 2.5, 6.0, 14.0)
"""Widths of cracks, pixels."""
TEXTURE = 8.0
"""Width, pixels, from which PatchMatch was tried in cracks."""
LINES = ((0.015, 4), (0.015, 10), (0.03, 2), (0.03, 6), (0.045, 2), (0.045, 4), (0.08, 3))
"""Widths of lines, in sides of the face's frame, and how many."""
SIDE, PEOPLE = 384, 24


def methods() -> dict[str, Method]:
    """By name; each takes a picture (H, W, 3) and a hole (H, W)."""
    return {
        "Telea": lambda image, hole: cv2.inpaint(image, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA),
        "Navier-Stokes": lambda image, hole: cv2.inpaint(image, hole.astype(np.uint8), 3, cv2.INPAINT_NS),
        "biharmonic": _biharmonic,
        "frequency selective": reconstruct,
        "PatchMatch": _patch_match,
        "with grain (ours)": fill_thin,
        "ours, half PatchMatch": _half_patch_match,
    }


def _biharmonic(image: Image, hole: Mask) -> Image:
    filled = inpaint_biharmonic(image, hole, channel_axis=-1, split_into_regions=True)
    return np.asarray(np.clip(np.rint(filled * 255), 0, 255), np.uint8)


def _patch_match(image: Image, hole: Mask) -> Image:
    from patchmatch import patch_match

    patch_match.set_random_seed(1)
    return np.asarray(patch_match.inpaint(image, hole.astype(np.uint8) * 255, patch_size=3), np.uint8)


def _half_patch_match(image: Image, hole: Mask) -> Image:
    """Ours, with the mean of it and of PatchMatch where the hole is at least `TEXTURE` wide."""
    ours = fill_thin(image, hole)
    wide = wider_than(hole, TEXTURE)
    if not wide.any():
        return ours
    texture = blend(ours, _patch_match(image, hole).astype(np.float32), wide, hole, 1.0)
    add_grain(texture, wide)
    return np.where(wide[..., None], np.rint((ours.astype(np.float32) + texture) / 2), ours).astype(np.uint8)


def crops(portraits: Path, prints: Path, seed: int, limits: Limits) -> Iterator[tuple[str, Image]]:
    """Crops of intact prints, three of each that is large enough, and held-out portraits."""
    rng = np.random.default_rng(seed)
    for number in PRINTS:
        for file in prints.glob(f"old_photo_{number}*"):
            picture = read_picture(file, limits)
            for _ in range(3 if min(picture.shape[:2]) >= SIDE else 0):
                top, left = (int(rng.integers(0, side - SIDE + 1)) for side in picture.shape[:2])
                yield "prints", picture[top : top + SIDE, left : left + SIDE].copy()
    for folder in ("congress", "ffhq256", "omi"):
        for file in split_files(portraits / folder, "test")[-4:]:
            yield "portraits", read_picture(file, limits)


def cracks(rng: np.random.Generator, shape: tuple[int, int], width: float) -> Mask:
    """Four branching cracks, a pixel wider than they are drawn."""
    lines = [branching(rng, shape, width, rng.uniform(0.03, 0.2)) for _ in range(4)]
    drawn = coverage(shape, [path for paths, _ in lines for path in paths], [w for _, widths in lines for w in widths])
    return np.asarray(cv2.dilate((drawn > 0.1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def measure_cracks(
    portraits: Path, prints: Path, seed: int, limits: Limits, widths: Sequence[float] = CRACKS
) -> pd.DataFrame:
    """One row per crop, width and method: LPIPS of the crop, squared error and grain in the hole."""
    distance, rows = perceptual_distance("alex"), []
    for number, (source, intact) in enumerate(crops(portraits, prints, seed, limits)):
        for width in widths:
            hole = cracks(np.random.default_rng((seed, number, int(10 * width))), intact.shape[:2], width)
            damaged = np.where(hole[..., None], np.uint8(255), intact)
            for name, method in methods().items():
                filled = np.where(hole[..., None], method(damaged, hole), intact)
                with torch.inference_mode():
                    lpips = float(distance(to_tensor(filled), to_tensor(intact)))
                error = float(((filled[hole].astype(float) - intact[hole]) ** 2).mean())
                grain = _grain(filled)[hole].std() / max(_grain(intact)[hole].std(), 1e-3)
                row = {"source": source, "width": width, "method": name}
                rows.append(row | {"lpips": lpips, "squared error": error, "grain": float(grain)})
    return pd.DataFrame(rows)


def _grain(image: Image) -> Image:
    levels = image.astype(np.float32)
    return np.asarray(levels - cv2.GaussianBlur(levels, (0, 0), 2), np.float32)


@torch.inference_mode()
def measure_faces(portraits: Path, seed: int, params: Params) -> pd.DataFrame:
    """One row per person, width and method: LPIPS and identity distance (independent encoder) of the aligned face."""
    files = split_files(portraits / "ffhq256", "test")
    tools, judges = (
        load_tools(params.restore.min_detector_score, params.identity),
        Judges.load(torch.device("cpu"), params.identity),
    )
    restorer = Restorer.load(ASSETS / "restorer.safetensors")
    nothing_thin = params.restore.model_copy(
        update={"thin": params.restore.thin.model_copy(update={"of_face": 0.0, "of_photo": 0.0})}
    )
    rows = []
    for number, file in enumerate(files[:: max(1, len(files) // PEOPLE)]):
        intact = read_picture(file, Limits.of(params.ingest))
        for face in tools.detector.detect(intact)[:1]:
            truth = IntactFace.of(intact, face, judges, restorer.image_size)
            for share, count in LINES:
                rng = np.random.default_rng((seed, number, int(1000 * share), count))
                hole = _lines(rng, intact.shape[:2], face.box, share * truth.frame.size / truth.frame.scale, count)
                damaged = np.where(hole[..., None], np.uint8(255), intact)
                filled = {name: methods()[name](damaged, hole) for name in ("Telea", "with grain (ours)")}
                by_model = restore_photo(damaged, hole, restorer, "inpaint", nothing_thin, tools=tools)
                if by_model.image is None or not by_model.faces:
                    continue
                for name, picture in (filled | {"face model": by_model.image}).items():
                    row: dict[str, float | str] = {"width": share, "lines": count, "method": name}
                    row["features"] = by_model.faces[0].missing_features
                    row |= {"lpips": truth.lpips(picture), "identity": truth.identity_distance(picture)}
                    rows.append(row)
    return pd.DataFrame(rows)


def _lines(
    rng: np.random.Generator, shape: tuple[int, ...], box: tuple[float, float, float, float], width: float, count: int
) -> Mask:
    """Straight lines across the middle of a face."""
    canvas = np.zeros(shape, np.uint8)
    for _ in range(count):
        angle = rng.uniform(0, np.pi)
        middle = np.array([box[0] + box[2] * rng.uniform(0.25, 0.75), box[1] + box[3] * rng.uniform(0.3, 0.8)])
        reach = np.array([np.cos(angle), np.sin(angle)]) * box[2] * rng.uniform(0.3, 0.6)
        ends = [(16 * end).astype(int).tolist() for end in (middle - reach, middle + reach)]
        cv2.line(canvas, ends[0], ends[1], 1, max(1, round(width)), cv2.LINE_8, 4)
    return canvas > 0


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--prints", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--widths", type=float, nargs="+", default=list(CRACKS), help="of cracks, pixels")
    parser.add_argument("--only-cracks", action="store_true", help="without the second table")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    params = load_params(ASSETS.parent / "params.yaml")
    limits = Limits.of(params.ingest)
    rows = measure_cracks(arguments.portraits, arguments.prints, arguments.seed, limits, arguments.widths)
    print(rows.groupby(["source", "width", "method"]).mean().round(4).to_string())
    if arguments.only_cracks:
        return
    rows = measure_faces(arguments.portraits, arguments.seed, params)
    print(rows.groupby(["width", "lines", "method"]).mean().round(4).to_string())


if __name__ == "__main__":
    main()
