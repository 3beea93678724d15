"""Figures of the damage finder: `python -m scripts.benchmarks.measure_finder --portraits DIR [--prints DIR]`.

Three parts, all seeded: composites of held-out people with damage of one kind, whose truth is known; intact prints of
held-out people, and intact old prints; real damaged prints with hand-drawn cracks (`scripts.benchmarks.real_prints`).
`--masks tophat` measures the morphological filter instead, as a floor. Any other tool can be measured: `--export DIR`
writes the pictures, and `--masks DIR` takes masks of the same names (white: used, grey: proposed).
"""

import argparse
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.assets import ASSETS
from models.damage_finder.finder import Finder
from models.damage_finder.kinds import KINDS
from models.face.detector import FaceDetector
from models.images import Image, Mask
from pipeline.config.load import load_params
from pipeline.config.restore import FinderParams
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture, write_picture
from restoration.find_damage import find_damage
from restoration.types import Detector
from scripts.assets.finder.calibration import judged_pieces
from scripts.assets.finder.example import Example
from scripts.assets.finder.hand_drawn import Crack, read_prints
from scripts.assets.finder.prints import measured_example
from scripts.assets.finder.sources import TRAINING_PRINTS, Sources, read_sources
from scripts.benchmarks.real_prints import TOLERANCE, crack_recall, intact_share, top_hat_mask
from scripts.one_thread import use_one_thread

FACES = (60.0, 200.0, 600.0)
"""Heights of faces on the composites, pixels."""
SIDE = 640
NEAR = 1
"""Pixels within which a hairline's edge is right."""
SEEN_AREA = 0.0005
"""Least share of a composite that must look damaged."""
ROUNDS = 4
"""Composites of each kind and size of face."""
INTACT_PRINTS = 200
DAMAGED_PRINTS = ("01", "02", "05", "06", "08", "09", "16", "18", "19", "24")
"""Old prints, by the number in their names, that are scratched, spotted or torn somewhere."""
OBJECTED = 0.003
"""Share of the area of an intact print of which at most this much may be used."""

BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
"""Edges of the confidences that calibration is shown for."""
CALIBRATION_PRINTS, CALIBRATION_SEED = 150, 17

Masks = tuple[Mask, Mask]
"""What is used and what is used or proposed, both (H, W)."""
Searcher = Callable[[Image], Masks]


@dataclass(frozen=True)
class Score:
    """One composite: shares over its judged pixels; `precision` is NaN where nothing was found.

    `quality`: as IoU, but a pixel counts as right within `NEAR` pixels of the truth, and as found within as many of the
    mask (Heipke et al. 1997, for lines), since nobody can say to the pixel where a hairline ends.
    """

    kind: str
    face: float
    iou: float
    quality: float
    precision: float
    recall: float


def composites(portraits: Sequence[Image], seed: int, rounds: int) -> Iterator[tuple[str, float, Example]]:
    """Damage of each kind on held-out people at each size of face; those in which damage can be seen."""
    for number, kind in enumerate(KINDS):
        for face in FACES:
            for turn in range(rounds):
                rng = np.random.default_rng((seed, number, int(face), turn))
                example = _visible(rng, portraits, kind, face)
                yield kind, face, example


def _visible(rng: np.random.Generator, portraits: Sequence[Image], kind: str, face: float) -> Example:
    while True:
        example = measured_example(rng, portraits, kind, face, SIDE)
        if example.damaged.mean() > SEEN_AREA:
            return example


def scored(example: Example, mask: Mask, kind: str, face: float) -> Score:
    """A mask against the truth, over the pixels whose damage can be seen."""
    mask = mask & example.judged
    found, truth, common = int(mask.sum()), int(example.damaged.sum()), int((mask & example.damaged).sum())
    return Score(
        kind=kind,
        face=face,
        iou=common / max(found + truth - common, 1),
        quality=_quality(mask, example.damaged),
        precision=common / found if found else float("nan"),
        recall=common / max(truth, 1),
    )


def _quality(found: Mask, truth: Mask) -> float:
    """Right pixels as a share of the right, wrong and missed ones."""
    right, wrong = int((found & _grown(truth)).sum()), int((found & ~_grown(truth)).sum())
    missed = int((truth & ~_grown(found)).sum())
    return right / max(right + wrong + missed, 1)


def _grown(mask: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((2 * NEAR + 1,) * 2, np.uint8)) > 0)


def measure_composites(portraits: Sequence[Image], search: Searcher, rounds: int) -> dict[str, dict[str, float]]:
    """By kind: mean IoU and quality of all that was found, also by size of face; what is used, as shares of it."""
    used, all_found = [], []
    for kind, face, example in composites(portraits, seed=2, rounds=rounds):
        sure, likely = search(example.image)
        used.append(scored(example, sure, kind, face))
        all_found.append(scored(example, likely, kind, face))
    return {kind: _summary(used, all_found, kind) for kind in KINDS}


def _summary(used: Sequence[Score], likely: Sequence[Score], kind: str) -> dict[str, float]:
    own, all_own = ([score for score in scores if score.kind == kind] for scores in (used, likely))
    row = {"n": float(len(own))}
    for name, scores in (("found", all_own), ("used", own)):
        for figure in ("iou", "quality", "precision", "recall"):
            row[f"{name}_{figure}"] = _mean([getattr(score, figure) for score in scores])
    by_face = {f"iou_{face:.0f}": float(np.mean([s.iou for s in all_own if s.face == face])) for face in FACES}
    return row | by_face


def _mean(values: Sequence[float]) -> float:
    """Mean of the values that are there; NaN if there is none."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def intact_prints(portraits: Sequence[Image], count: int, seed: int) -> Iterator[Image]:
    """Held-out people toned, mounted, written on and scanned, with nothing damaged."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        yield measured_example(rng, portraits, None, float(rng.choice(FACES)), SIDE).image


def false_alarms(pictures: Iterator[Image], search: Searcher, detector: Detector) -> dict[str, float]:
    """What is used of intact pictures: mean share of the area, shares of those with anything, with a face touched."""
    areas, faces = [], []
    for picture in pictures:
        used = search(picture)[0]
        areas.append(float(used.mean()))
        faces.append(bool(used.any()) and _touches_face(used, picture, detector))
    share = np.array(areas)
    return {
        "n": float(len(areas)),
        "mean_area": float(share.mean()),
        "anything": float((share > 0).mean()),
        "much": float((share > OBJECTED).mean()),
        "face_touched": float(np.mean(faces)),
    }


def _touches_face(used: Mask, picture: Image, detector: Detector) -> bool:
    for face in detector.detect(picture):
        x, y, width, height = (round(value) for value in face.box)
        if used[max(0, y) : y + height, max(0, x) : x + width].any():
            return True
    return False


def measure_real(folder: Path, search: Searcher, limits: Limits) -> dict[str, dict[str, float]]:
    """Share of the hand-drawn cracks' length that is found, and of hand-drawn intact places that is masked."""
    rows = {}
    for one in read_prints():
        used, likely = search(read_picture(folder / one.file, limits))
        clear = [crack for crack in one.cracks if not crack.faint]
        rows[one.file] = {
            "cracks_found": _recall(used, one.cracks, one.size),
            "clear_cracks_found": _recall(used, clear, one.size),
            "cracks_likely": _recall(likely, one.cracks, one.size),
            "intact_masked": intact_share(used, one.intact),
            "intact_likely": intact_share(likely, one.intact),
            "area_used": float(used.mean()),
            "area_likely": float(likely.mean()),
        }
    return rows


def _recall(mask: Mask, cracks: Sequence[Crack], size: tuple[int, int]) -> float:
    return crack_recall(mask, cracks, TOLERANCE * max(size)) if cracks else float("nan")


def calibration(confidence: npt.NDArray[np.float64], right: Mask) -> dict[str, dict[str, float]]:
    """By bins of confidence (P,): how many pieces, their mean confidence, the share that is damage (P,)."""
    rows = {}
    for low, high in itertools.pairwise(BINS):
        inside = (confidence >= low) & ((confidence < high) | (high == 1.0))
        if inside.any():
            mean, share = float(confidence[inside].mean()), float(right[inside].mean())
            rows[f"{low:.1f}-{high:.1f}"] = {"n": float(inside.sum()), "confidence": mean, "damage": share}
    return rows


def finder_search(image: Image, finder: Finder, detector: FaceDetector, params: FinderParams) -> Masks:
    """What the product would use, and all that it would propose."""
    found = find_damage(image, finder, detector, params)
    return found.sure, found.sure | found.doubtful


def _top_hat_search(image: Image) -> Masks:
    mask = top_hat_mask(image)
    return mask, mask


def _export(image: Image, folder: Path) -> Masks:
    """Write the picture under the name that `_from_folder` looks for, and find nothing."""
    write_picture(folder / f"{_name(image)}.png", image)
    nothing = np.zeros(image.shape[:2], np.bool_)
    return nothing, nothing


def _from_folder(image: Image, folder: Path) -> Masks:
    levels = np.asarray(cv2.imread(str(folder / f"{_name(image)}.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(levels > 127), np.asarray(levels > 0)


def _name(image: Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()[:24]


def _table(rows: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(f'{row[column]:.4g}' for column in columns)} |" for name, row in rows.items()]
    return "\n".join(lines)


def _searcher(arguments: argparse.Namespace, detector: FaceDetector, params: FinderParams) -> Searcher:
    if arguments.export is not None:
        return partial(_export, folder=arguments.export)
    if arguments.masks == "tophat":
        return _top_hat_search
    if arguments.masks == "finder":
        return partial(finder_search, finder=Finder.load(arguments.weights), detector=detector, params=params)
    return partial(_from_folder, folder=Path(arguments.masks))


def main() -> None:
    """Measure and print; with --write, keep the figures on the finder's card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--prints", type=Path)
    parser.add_argument("--weights", type=Path, default=ASSETS / "finder.safetensors")
    parser.add_argument("--masks", default="finder", help="finder, tophat, or a folder of masks")
    parser.add_argument("--export", type=Path, help="only write the pictures there")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--intact", type=int, default=INTACT_PRINTS)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--write", action="store_true", help="keep the figures in assets/finder.json")
    arguments = parser.parse_args()
    use_one_thread()
    params = load_params(Path("params.yaml"))
    limits = Limits.of(params.ingest)
    portraits = read_sources(arguments.portraits, None, arguments.split, limits).portraits
    detector = FaceDetector(params.restore.min_detector_score)
    search = _searcher(arguments, detector, params.restore.finder)
    figures: dict[str, dict[str, dict[str, float]]] = {}
    if arguments.prints:
        figures["real"] = measure_real(arguments.prints, search, limits)
        print(_table(figures["real"]))
    intact = {"synthetic": false_alarms(intact_prints(portraits, arguments.intact, 3), search, detector)}
    if arguments.prints:
        whole = (read_picture(file, limits) for file in intact_old_prints(arguments.prints))
        intact["old prints"] = false_alarms(whole, search, detector)
    figures["intact"] = intact
    print(_table(intact))
    figures["composites"] = measure_composites(portraits, search, arguments.rounds)
    print(_table(figures["composites"]))
    if arguments.masks == "finder" and arguments.export is None:
        sources, threshold = Sources(portraits), params.restore.finder.threshold
        finder = Finder.load(arguments.weights)
        judged = list(judged_pieces(finder, sources, threshold, CALIBRATION_PRINTS, CALIBRATION_SEED))
        confidence, right = (np.concatenate([getattr(one, name) for one in judged]) for name in ("confidence", "right"))
        figures["calibration"] = calibration(confidence, right)
        print(_table(figures["calibration"]))
    if arguments.write:
        card = json.loads((ASSETS / "finder.json").read_text(encoding="utf-8"))
        card["figures"] = {"split": arguments.split, **figures}
        (ASSETS / "finder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def intact_old_prints(folder: Path) -> list[Path]:
    """Old prints that training did not see and that show no damage to speak of."""
    left_out = (*TRAINING_PRINTS, *DAMAGED_PRINTS)
    return [file for file in sorted(folder.glob("old_photo_*")) if file.stem[-2:] not in left_out] + [folder / "g.png"]


if __name__ == "__main__":
    main()
