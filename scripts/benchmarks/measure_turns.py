"""Measure how often the turn of a photo is estimated right.

`python -m scripts.benchmarks.measure_turns --portraits DIR DIR --old-photos DIR --seed 29` prints Markdown.

Of each folder so many portraits are drawn, damaged, turned, and filled classically, as `likeness restore` fills them;
then `models.face.orientation.lie` tells how they lie. Right is an answer within 40 degrees of the turn: heads are
tilted, too. Unsure is one that leads to a refusal. Old photos all stand upright.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time

import cv2
import numpy as np
import pandas as pd

from models.assets import ASSETS
from models.face.detector import FaceDetector
from models.face.landmarks import LandmarkPredictor
from models.face.orientation import Orientation, detect_orientation, rotate
from models.images import Image, Mask
from pipeline.config.load import Params, load_params
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.photo.classical import classical_photo

TURNS = (0, 45, 90, 135, 180, 225, 270, 315, 35)
"""Degrees clockwise by which portraits are laid."""
KINDS = ("none", "eye", "scratch", "wide bar", "mouth", "both eyes")
TOLERANCE = 40.0
_FILL = 128  # grey level of the damage
_SIDES = (256, 1024)  # of the photos that times are measured on, pixels


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, nargs="+", required=True)
    parser.add_argument("--people", type=int, default=60, help="so many of each folder")
    parser.add_argument("--old-photos", type=Path)
    parser.add_argument("--seed", type=int, default=29)
    arguments = parser.parse_args()
    quieten()
    cv2.setNumThreads(1)
    params = load_params(ASSETS.parent / "params.yaml")
    rng = np.random.default_rng(arguments.seed)
    rows: list[dict[str, object]] = []
    for folder in arguments.portraits:
        files = drawn_files(folder, 2 * arguments.people, rng)
        rows += turned_portraits(folder.name, files[: arguments.people], params, rng)
        rows += upright_portraits(folder.name, files, params, rng)
    if arguments.old_photos is not None:
        rows += old_photos(arguments.old_photos, params)
    print("\n".join([*table(pd.DataFrame(rows)), "", *times(params)]))


def drawn_files(folder: Path, count: int, rng: np.random.Generator) -> list[Path]:
    """Pictures of a folder and its folders, drawn without replacement."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in {".jpg", ".jpeg", ".png"})
    return [files[index] for index in rng.permutation(len(files))[:count]]


def turned_portraits(
    folder: str, files: Sequence[Path], params: Params, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """One row for each portrait, kind of damage and turn."""
    detector = FaceDetector(params.restore.min_detector_score)
    for file in files:
        photo = read_picture(file, Limits.of(params.ingest))
        faces = detector.detect(photo)
        if not faces:
            continue
        for kind in KINDS:
            hole = hole_of(kind, photo.shape, faces[0].box, faces[0].points, rng)
            for turn in TURNS:
                yield row(f"{folder}, {kind}", turn, estimate_orientation(*laid(photo, hole, turn), detector), file)


def upright_portraits(
    folder: str, files: Sequence[Path], params: Params, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """One row for each portrait, intact and damaged as evaluation masks are."""
    detector, landmarker = FaceDetector(params.restore.min_detector_score), LandmarkPredictor()
    sampler = DamageSampler(params.masks, training=False)
    for file in files:
        photo = read_picture(file, Limits.of(params.ingest))
        side = min(photo.shape[:2])
        photo = np.ascontiguousarray(photo[:side, :side])
        faces = detector.detect(photo)
        if not faces:
            continue
        yield row(f"{folder}, upright, intact", 0, detect_orientation(photo, faces), file)
        damage, _ = sampler.sample(rng, landmarker.predict(photo, faces[0]), side)
        plain = classical_photo(apply(photo, damage), damage.hole, damage.chroma)
        yield row(
            f"{folder}, upright, damaged as evaluation does", 0, detect_orientation(plain, detector.detect(plain)), file
        )


def old_photos(folder: Path, params: Params) -> Iterator[dict[str, object]]:
    """One row for each old photo, as it is, and one for each turned on its side."""
    detector = FaceDetector(params.restore.min_detector_score)
    for file in sorted(folder.glob("*.*g")):
        photo = read_picture(file, Limits.of(params.ingest))
        upright = detector.detect(photo)
        for turn in (0, 90, 180, 270):
            lies, _ = laid(photo, np.zeros(photo.shape[:2], np.bool_), turn)
            estimate = detect_orientation(lies, upright if turn == 0 else detector.detect(lies))
            what = f"old photos, {'a face found' if upright else 'no face found'}"
            yield row(what, turn, estimate, file)


def estimate_orientation(photo: Image, hole: Mask, detector: FaceDetector) -> Orientation:
    """What `lie` says of the filled photo."""
    plain = classical_photo(photo, hole, hole)
    return detect_orientation(plain, detector.detect(plain))


def row(what: str, turn: int, estimate: Orientation, file: Path) -> dict[str, object]:
    """One answer."""
    off = abs((estimate.angle - turn + 180) % 360 - 180)
    return {
        "what": what,
        "turn": turn,
        "right": off <= TOLERANCE,
        "told": estimate.angle,
        "sure": estimate.sure,
        "file": file.name,
    }


def laid(photo: Image, hole: Mask, turn: int) -> tuple[Image, Mask]:
    """The damaged photo, and its hole, turned clockwise."""
    damaged = np.where(hole[..., None], np.uint8(_FILL), photo)
    turned_hole = rotate(np.repeat(hole[..., None] * np.uint8(255), 3, axis=-1), -turn)[0]
    return rotate(damaged, -turn)[0], np.asarray(turned_hole[..., 0] > 0)


def hole_of(
    kind: str, shape: tuple[int, ...], box: tuple[float, ...], points: np.ndarray, rng: np.random.Generator
) -> Mask:
    """A hole (H, W) of a kind over a face."""
    hole = np.zeros(shape[:2], np.uint8)
    x, y, width, height = box
    reach = 0.2 * width

    def rectangle(left: float, top: float, right_: float, bottom: float) -> None:
        cv2.rectangle(hole, (round(left), round(top)), (round(right_), round(bottom)), 1, -1)

    if kind == "eye":
        eye = points[int(rng.integers(2))]
        rectangle(eye[0] - 1.1 * reach, eye[1] - reach, eye[0] + 1.1 * reach, eye[1] + reach)
    elif kind == "scratch":
        line = np.array([(0.1, 0.0), (0.4, 0.35), (0.3, 0.5), (0.7, 0.75), (0.6, 1.05)]) * (width, height) + (x, y)
        cv2.polylines(hole, [np.round(line).astype(np.int32)], False, 1, max(3, round(0.035 * max(shape))))
    elif kind == "wide bar":
        middle = y + rng.uniform(0.3, 0.8) * height
        rectangle(0, middle - 0.11 * height, shape[1], middle + 0.11 * height)
    elif kind == "mouth":
        rectangle(points[3][0] - reach / 2, points[3][1] - reach, points[4][0] + reach / 2, points[4][1] + reach)
    elif kind == "both eyes":
        rectangle(points[0][0] - reach, points[0][1] - 0.8 * reach, points[1][0] + reach, points[1][1] + 0.8 * reach)
    return hole > 0


def table(rows: pd.DataFrame) -> list[str]:
    """How many are right of how many, by turn."""
    turns = [turn for turn in TURNS if (rows["turn"] == turn).any()]
    lines = ["| photos | " + " | ".join(f"{turn}°" for turn in turns) + " |", "|---|" + "---|" * len(turns)]
    for what, part in rows.groupby("what", sort=False):
        cells = []
        for turn in turns:
            answers = part.loc[part["turn"] == turn, "right"]
            cells.append(f"{int(answers.sum())} of {len(answers)}" if len(answers) else "")
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    upright = rows[rows["turn"] == 0]
    wrong = rows[~rows["right"].astype(bool)]
    lines += [
        "",
        f"{len(rows) - len(wrong)} of {len(rows)} right; {int((~rows['sure'].astype(bool)).sum())} unsure.",
        f"Of {len(upright)} upright ones {int((upright['estimate'] == 0).sum())} are looked at as they are, "
        f"{int((~upright['sure'].astype(bool)).sum())} unsure.",
    ]
    return lines + [
        f"- {one['file']}, {one['what']}, {one['turn']}°: told {one['estimate']:.0f}{'' if one['sure'] else ', unsure'}"
        for _, one in rows[
            ~rows["right"].astype(bool) | ~rows["sure"].astype(bool) | (rows["turn"] == 0) & (rows["told"] != 0)
        ].iterrows()
    ]


def times(params: Params) -> list[str]:
    """CPU milliseconds of telling the turn, and of detection without it, by size of an upright photo."""
    from skimage import data

    detector = FaceDetector(params.restore.min_detector_score)
    lines = [
        "| upright photo | three detections of a restoration, CPU ms | telling the turn, CPU ms |",
        "|---|---|---|",
    ]
    for side in _SIDES:
        photo = np.asarray(cv2.resize(data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        faces = detector.detect(photo)
        looks, tellings = [], []
        for _ in range(10):
            begun = process_time()
            detector.detect(photo)
            between = process_time()
            detect_orientation(photo, faces)
            looks.append(between - begun)
            tellings.append(process_time() - between)
        lines.append(f"| {side} px | {3000 * np.median(looks):.0f} | {1000 * np.median(tellings):.0f} |")
    return lines


if __name__ == "__main__":
    main()
